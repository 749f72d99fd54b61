//! Locks and elections together with other clients on real servers: etcdctl, clientv3, the server's own lock service and
//! python-etcd3 contend with libetcd3. That no two held a lock at once is read from the store: each holder put a key when it
//! had come in and one when it went out.

mod support;

use base64::prelude::{Engine, BASE64_STANDARD};
use etcd_run::{Process, Server};
use serde_json::{json, Value};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use support::{compile_c, repository, run, skip_or_fail, tool};

const PATIENCE: Duration = Duration::from_secs(180);
/// To download and to compile.
const MUCH_PATIENCE: Duration = Duration::from_secs(900);

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn temporary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// etcdctl and the program of tests/interop/go, or why there are none.
fn go_programs() -> Result<&'static (PathBuf, PathBuf), &'static str> {
    static BUILT: OnceLock<Result<(PathBuf, PathBuf), &str>> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let go = tool("go").ok_or("go is not installed")?;
            let directory = temporary("interop-go");
            std::fs::create_dir_all(&directory).expect("within target/tmp");
            let script = r#"cd tests/interop/go && exec "$1" build -o "$2/" . go.etcd.io/etcd/etcdctl/v3"#;
            run(
                "sh",
                &["-c", script, "sh", text(&go), text(&directory)],
                &[("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("GOTOOLCHAIN", "local"), ("GOWORK", "off")],
                MUCH_PATIENCE,
            );
            Ok((directory.join("etcdctl"), directory.join("interop")))
        })
        .as_ref()
        .map_err(|why| *why)
}

/// A Python that has python-etcd3, or why there is none.
fn python() -> Result<&'static Path, &'static str> {
    static MADE: OnceLock<Result<PathBuf, &str>> = OnceLock::new();
    MADE.get_or_init(|| {
        let python = tool("python3").ok_or("python3 is not installed")?;
        let directory = temporary("interop-python");
        // It does not run with the protobuf and the tenacity of today, which is what it asks for.
        let script = r#"
            set -e
            test -e "$2/done" && exit 0
            "$1" -m venv "$2"
            "$2/bin/pip" install -q --only-binary=:all: 'grpcio<2' six 'tenacity<7' 'protobuf<3.21'
            "$2/bin/pip" install -q --no-deps etcd3==0.12.0
            touch "$2/done""#;
        let made = support::output("sh", &["-c", script, "sh", text(&python), text(&directory)], &[], MUCH_PATIENCE);
        match made.status.success() {
            true => Ok(directory.join("bin/python3")),
            false => {
                eprintln!("{}", String::from_utf8_lossy(&made.stderr));
                Err("python-etcd3 cannot be installed")
            }
        }
    })
    .as_deref()
    .map_err(|why| *why)
}

fn contender() -> PathBuf {
    compile_c(&repository().join("tests/interop/contender.c"), "c11", &[])
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

fn plain(text: &Value) -> String {
    let bytes = BASE64_STANDARD.decode(text.as_str().unwrap_or_default()).expect("base64");
    String::from_utf8(bytes).expect("UTF-8")
}

fn spawn(program: impl AsRef<std::ffi::OsStr>, args: &[&str], env: &[(&str, &str)]) -> (String, Process) {
    let mut command = Command::new(program);
    command.args(args).current_dir(repository()).envs(env.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::null());
    (args.join(" "), Process::spawn(command).expect("it runs"))
}

fn wait_for(contenders: Vec<(String, Process)>) {
    for (what, process) in contenders {
        let status = process.wait_timeout(PATIENCE);
        assert!(status.is_some_and(|status| status.success()), "{what}: {status:?}");
    }
}

/// What was put under `history`, in the order of the store: who came in and went out when. Each must have gone out before the
/// next one came in; and tokens, of those who have one, grow.
fn check(server: &Server, history: &str, acquisitions: usize) {
    let (first, end) = (base64(&format!("{history}/")), base64(&format!("{history}0")));
    let all = json!({"key": first, "range_end": end, "sort_target": "MOD", "sort_order": "ASCEND"});
    let answer = server.post("/v3/kv/range", all).unwrap();
    let steps: Vec<_> =
        answer["kvs"].as_array().expect("keys").iter().map(|kv| (plain(&kv["key"]), plain(&kv["value"]))).collect();
    assert_eq!(steps.len(), 2 * acquisitions);
    let mut last_token = 0;
    for pair in steps.chunks(2) {
        let name = |place: usize, step: &str| pair[place].0.strip_suffix(step).map(str::to_owned);
        let (came, went) = (name(0, "/in"), name(1, "/out"));
        assert!(came.is_some() && came == went, "two at once: {pair:?}");
        let token: i64 = pair[0].1.parse().expect("a token");
        if token != 0 {
            assert!(token > last_token, "{pair:?} after {last_token}");
            last_token = token;
        }
    }
}

/// With the server's lock service, over its JSON gateway.
fn contend_by_rpc(server: &Server, name: &str, count: usize, history: &str) {
    let post = |path: &str, body| server.post_within(path, body, PATIENCE).unwrap();
    let lease = post("/v3/lease/grant", json!({"TTL": 120}))["ID"].as_str().expect("an id").to_owned();
    for n in 0..count {
        let held = post("/v3/lock/lock", json!({"name": base64(name), "lease": lease}));
        for step in ["in", "out"] {
            let key = base64(&format!("{history}/rpc-{n}/{step}"));
            post("/v3/kv/put", json!({"key": key, "value": base64("0")}));
        }
        post("/v3/lock/unlock", json!({"key": held["key"]}));
    }
}

#[test]
fn a_lock_with_etcdctl_clientv3_and_the_servers_own() {
    let (etcdctl, interop) = match go_programs() {
        Ok(programs) => programs,
        Err(why) => return skip_or_fail("INTEROP lock", why),
    };
    let contender = contender();
    const EACH: usize = 40;
    let each = EACH.to_string();
    for version in etcd_run::versions_from_env() {
        let server = Server::start(&version).unwrap();
        let (endpoint, name, history) = (server.endpoint(), "interop/lock", "interop/history");
        let mut all = vec![
            spawn(&contender, &[endpoint, "lock", name, &each, "libetcd3-a", history], &[]),
            spawn(&contender, &[endpoint, "lock", name, &each, "libetcd3-b", history], &[]),
            spawn(interop, &["lock", endpoint, name, &each, "clientv3", history], &[]),
        ];
        let loops = r#"n=0; while [ $n -lt "$4" ]; do
            "$1" lock "$2" -- sh -c '"$1" put "$2/in" 0 && "$1" put "$2/out" 0' sh "$1" "$3/etcdctl-$n" || exit 1
            n=$((n + 1)); done"#;
        let args = ["-c", loops, "sh", text(etcdctl), name, history, &each];
        all.push(spawn("sh", &args, &[("ETCDCTL_ENDPOINTS", endpoint)]));
        contend_by_rpc(&server, name, EACH, history);
        wait_for(all);
        check(&server, history, 5 * EACH);
        let left = json!({"key": base64("interop/lock/"), "range_end": base64("interop/lock0"), "count_only": true});
        assert_eq!(server.post("/v3/kv/range", left).unwrap()["count"], Value::Null, "keys are left");
        println!("INTEROP lock etcd {version}: 5 contenders, {} acquisitions, no overlap", 5 * EACH);
    }
}

#[test]
fn a_lock_with_python_etcd3() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return skip_or_fail("INTEROP python-etcd3", why),
    };
    let contender = contender();
    const EACH: usize = 50;
    let each = EACH.to_string();
    for version in etcd_run::versions_from_env() {
        let server = Server::start(&version).unwrap();
        let (endpoint, name, history) = (server.endpoint(), "interop-python", "interop/history");
        let (host, port) = endpoint.rsplit_once(':').expect("host:port");
        let pure = [("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")];
        let by_python = |who| {
            let args = ["-B", "tests/interop/contender.py", host, port, name, &each, who, history];
            spawn(python, &args, &pure)
        };
        let by_us = |who| spawn(&contender, &[endpoint, "python", name, &each, who, history], &[]);
        wait_for(vec![by_us("libetcd3-a"), by_us("libetcd3-b"), by_python("python-a"), by_python("python-b")]);
        check(&server, history, 4 * EACH);
        println!("INTEROP python-etcd3 etcd {version}: 4 contenders, {} acquisitions, no overlap", 4 * EACH);
    }
}

/// A candidate that is another program: it leads once it has said something, and until it is told to end.
struct Candidate(std::process::Child);

impl Candidate {
    fn start(command: &mut Command) -> Self {
        Candidate(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs"))
    }

    /// As a terminal does: etcdctl then resigns.
    fn interrupt(&self) {
        let pid = self.0.id().to_string();
        run(tool("kill").expect("kill is there"), &["-INT", &pid], &[], PATIENCE);
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        let out = self.0.stdout.as_mut().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("it says something");
        line.trim().to_owned()
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_election_with_etcdctl_and_clientv3() {
    let (etcdctl, interop) = match go_programs() {
        Ok(programs) => programs,
        Err(why) => return skip_or_fail("INTEROP election", why),
    };
    let candidate = compile_c(&repository().join("tests/interop/candidate.c"), "c11", &[]);
    for version in etcd_run::versions_from_env() {
        let server = Server::start(&version).unwrap();
        let (endpoint, name) = (server.endpoint(), "interop/election");
        let ours = || Candidate::start(Command::new(&candidate).args([endpoint, name, "ours"]));
        let listen = || {
            let mut listener = Command::new(etcdctl);
            let mut listener = Candidate::start(listener.args(["--endpoints", endpoint, "elect", "--listen", name]));
            // The first line is the key, the second what is proclaimed.
            let mut lines = BufReader::new(listener.0.stdout.take().expect("a pipe")).lines();
            (listener, move || lines.nth(1).expect("a line").expect("it can be read"))
        };
        let mut first = ours();
        assert_eq!(first.hear(), "elected");
        let (_listener, mut heard) = listen();
        assert_eq!(heard(), "ours");
        // Whoever comes next waits, and follows.
        let mut second = Candidate::start(Command::new(interop).args(["elect", endpoint, name, "theirs"]));
        await_candidates(&server, name, 2);
        let mut third = Candidate::start(Command::new(etcdctl).args(["--endpoints", endpoint, "elect", name, "ctl"]));
        await_candidates(&server, name, 3);
        let mut fourth = ours();
        await_candidates(&server, name, 4);
        drop(first.0.stdin.take());
        assert_eq!(second.hear(), "elected");
        assert_eq!(heard(), "theirs");
        drop(second.0.stdin.take());
        assert!(third.hear().starts_with(name), "etcdctl says its key");
        assert_eq!(heard(), "ctl");
        third.interrupt();
        assert_eq!(fourth.hear(), "elected");
        assert_eq!(heard(), "ours");
        println!("INTEROP election etcd {version}: 4 terms in order of candidature");
    }
}

fn await_candidates(server: &Server, name: &str, count: u64) {
    let line =
        json!({"key": base64(&format!("{name}/")), "range_end": base64(&format!("{name}0")), "count_only": true});
    let limit = std::time::Instant::now() + PATIENCE;
    loop {
        let answer = server.post("/v3/kv/range", line.clone()).unwrap();
        if answer["count"].as_str() == Some(&count.to_string()) {
            return;
        }
        assert!(std::time::Instant::now() < limit, "{count} candidates did not come");
    }
}
