//! etcdctl and etcd3ctl side by side: the same commands, each on a server of its own, have to print and to return the same.

use super::{compile_c, go, output, repository, run, skip_or_fail};
use etcd_run::{Process, Server};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where the programs are.
pub struct Tools {
    pub etcdctl: PathBuf,
    pub etcdutl: PathBuf,
    pub etcd3ctl: PathBuf,
}

/// All of them, or a word about why there are none.
pub fn tools(what: &str) -> Option<&'static Tools> {
    static TOOLS: OnceLock<Result<Tools, &str>> = OnceLock::new();
    match TOOLS.get_or_init(build) {
        Ok(tools) => Some(tools),
        Err(why) => {
            skip_or_fail(what, why);
            None
        }
    }
}

fn build() -> Result<Tools, &'static str> {
    let go::Programs { etcdctl, etcdutl, .. } = go::programs()?;
    Ok(Tools { etcdctl: etcdctl.clone(), etcdutl: etcdutl.clone(), etcd3ctl: compile_etcd3ctl("c99") })
}

/// Compiles etcd3ctl, as the Makefile does, but without a warning.
pub fn compile_etcd3ctl(standard: &str) -> PathBuf {
    let directory = repository().join("examples/c/etcd3ctl");
    let mut files: Vec<_> = std::fs::read_dir(&directory)
        .expect("examples/c/etcd3ctl is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c") && !path.ends_with("main.c"))
        .collect();
    files.sort();
    let others: Vec<_> = files.iter().map(|path| text(path)).collect();
    compile_c(&directory.join("main.c"), standard, &others)
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    /// Without etcdctl's log.
    pub stderr: String,
}

/// One of the two, with its server.
pub struct Side {
    pub program: PathBuf,
    pub server: Server,
    /// Ids that the words "LEASE" and "LEARNER" of a command stand for. "MEMBER" is the server's own.
    pub lease: String,
    pub learner: String,
    /// What this server alone has, and what stands for it in what is compared.
    masks: Vec<(String, &'static str)>,
}

impl Side {
    fn new(program: &Path, server: Server) -> Side {
        let status = server.post("/v3/maintenance/status", "{}".parse().expect("JSON")).expect("it answers");
        let cluster: u64 =
            status["header"]["cluster_id"].as_str().and_then(|id| id.parse().ok()).expect("a cluster has an id");
        let members = server.post("/v3/cluster/member/list", "{}".parse().expect("JSON")).expect("it answers");
        let peer = members["members"][0]["peerURLs"][0].as_str().expect("a peer URL").to_owned();
        let masks = vec![
            (peer, "PEER"),
            (server.endpoint().into(), "ENDPOINT"),
            (server.name().into(), "NAME"),
            (server.id().to_string(), "MEMBER"),
            (format!("{:x}", server.id()), "MEMBER"),
            (cluster.to_string(), "CLUSTER"),
            (format!("{cluster:x}"), "CLUSTER"),
        ];
        Side { program: program.into(), server, lease: String::new(), learner: String::new(), masks }
    }

    pub fn run(&self, args: &[&str], input: &str) -> Ended {
        let endpoint = format!("--endpoints={}", self.server.endpoint());
        let member = format!("{:x}", self.server.id());
        let meant = |arg| match arg {
            "LEASE" => &*self.lease,
            "LEARNER" => &*self.learner,
            "MEMBER" => &*member,
            arg => arg,
        };
        let args: Vec<_> = args.iter().copied().map(meant).collect();
        execute(&self.program, &[&[&*endpoint], &args[..]].concat(), input, &[])
    }

    /// From now on this, such as the id of a lease, is the same on both sides.
    pub fn mask(&mut self, own: String, common: &'static str) {
        self.masks.push((own, common));
    }

    pub fn masked(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (own, common) in &self.masks {
            masked = masked.replace(own, common);
        }
        masked
    }

    /// Starts a command that does not end by itself.
    pub fn start(&self, args: &[&str]) -> Talk {
        Talk::start(&self.program, self.server.endpoint(), args)
    }
}

pub fn execute(program: &Path, args: &[&str], input: &str, env: &[(&str, &str)]) -> Ended {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), input).expect("it can be written");
    let with_input = ["-c", r#"exec "$@" <"$CTL_INPUT""#, "sh", text(program)];
    let env = [env, &[("CTL_INPUT", text(file.path()))]].concat();
    let ended = output("sh", &[&with_input, args].concat(), &env, PATIENCE);
    let stderr = String::from_utf8_lossy(&ended.stderr);
    Ended {
        code: ended.status.code(),
        stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
        stderr: stderr.lines().filter(|line| !line.starts_with("{\"level\"")).map(|line| format!("{line}\n")).collect(),
    }
}

/// Both.
pub struct Pair {
    pub theirs: Side,
    pub ours: Side,
}

impl Pair {
    /// On two equal fresh servers.
    pub fn start(tools: &Tools, version: &str, flags: &[&str]) -> Pair {
        let server = || {
            let builder = flags.iter().fold(Server::builder(version), |builder, flag| builder.flag(*flag));
            builder.start().expect("it starts")
        };
        Pair { theirs: Side::new(&tools.etcdctl, server()), ours: Side::new(&tools.etcd3ctl, server()) }
    }

    /// The command, its words separated by blanks ('' being an empty one), has to do the same on both sides.
    pub fn same(&self, command: &str) -> Ended {
        self.same_with(command, "")
    }

    pub fn same_with(&self, command: &str, input: &str) -> Ended {
        self.compare(command, input, &|text| text)
    }

    /// The same but for the header, which the C interface does not tell of calls that bring no object.
    pub fn same_but_header(&self, command: &str) -> Ended {
        self.compare(command, "", &without_header)
    }

    /// The same but for what `mask` takes out.
    pub fn compare(&self, command: &str, input: &str, mask: &dyn Fn(String) -> String) -> Ended {
        let args = words(command);
        let [theirs, ours] = [&self.theirs, &self.ours].map(|side| {
            let ended = side.run(&args, input);
            let (stdout, stderr) = (mask(side.masked(&ended.stdout)), side.masked(&ended.stderr));
            Ended { stdout, stderr, ..ended }
        });
        let version = self.ours.server.version();
        assert_eq!(ours.code, theirs.code, "{command}, etcd {version}: etcd3ctl {ours:?}, etcdctl {theirs:?}");
        assert_eq!(ours.stdout, theirs.stdout, "{command}, etcd {version}: etcd3ctl left, etcdctl right");
        self.compare_errors(command, &ours, &theirs);
        ours
    }

    /// What was wrong with the words, in the same words; what the server said, in its words; else just something.
    fn compare_errors(&self, command: &str, ours: &Ended, theirs: &Ended) {
        let same = match theirs.stderr.lines().next() {
            None => ours.stderr.is_empty(),
            Some(_) if theirs.code == Some(128) => ours.stderr == theirs.stderr,
            Some(first) if first.contains("etcdserver: ") => ours.stderr.starts_with(first.trim_end_matches(')')),
            Some(_) => !ours.stderr.is_empty(),
        };
        assert!(same, "{command}: etcd3ctl says {:?}, etcdctl {:?}", ours.stderr, theirs.stderr);
    }

    /// Both have to end with this code, whatever they say: where etcdctl's words are not to be had.
    pub fn both_end_with(&self, code: i32, command: &str) {
        for side in [&self.theirs, &self.ours] {
            let ended = side.run(&words(command), "");
            assert_eq!(ended.code, Some(code), "{} {command}: {ended:?}", side.program.display());
            assert_ne!(ended.stderr, "", "{} {command}", side.program.display());
        }
    }

    /// Waits until both servers know which version their store is of, as they tell from 3.6 on: a fresh one finds out in its
    /// own time.
    pub fn await_storage_version(&self) {
        for side in [&self.theirs, &self.ours] {
            let own = side.server.version().rsplit_once('.').expect("a version").0;
            let limit = Instant::now() + PATIENCE;
            loop {
                let status =
                    side.server.post("/v3/maintenance/status", "{}".parse().expect("JSON")).expect("it answers");
                if status["storageVersion"].as_str().is_some_and(|version| version.starts_with(own)) {
                    break;
                }
                assert!(Instant::now() < limit, "{status}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    pub fn each(&mut self, mut act: impl FnMut(&mut Side)) {
        act(&mut self.theirs);
        act(&mut self.ours);
    }
}

/// The body of a test, for each version of the server.
pub fn on_pairs(what: &str, flags: &[&str], test: impl Fn(&mut Pair, &Tools)) {
    let Some(tools) = tools(what) else { return };
    for version in etcd_run::versions_from_env() {
        test(&mut Pair::start(tools, &version, flags), tools);
    }
}

pub fn all_same(pair: &Pair, commands: &[&str]) {
    for command in commands {
        pair.same(command);
    }
}

pub fn words(command: &str) -> Vec<&str> {
    command.split(' ').map(|word| if word == "''" { "" } else { word }).collect()
}

/// Without the header: of its own, in the middle of what is told of a lease, or in lines.
pub fn without_header(text: String) -> String {
    let mut left = text;
    while let Some(start) = left.find("\"header\":{") {
        let end = start + left[start..].find('}').expect("its end") + 1;
        left.replace_range(start..end + usize::from(left[end..].starts_with(',')), "");
    }
    if let Some(start) = left.find("\"cluster_id\":") {
        let term = start + left[start..].find("\"raft_term\":").expect("its end");
        let end = term + left[term..].find(',').expect("more") + 1;
        left.replace_range(start..end, "");
    }
    let heads = ["\"ClusterID\" :", "\"MemberID\" :", "\"Revision\" :", "\"RaftTerm\" :"];
    let kept = left.lines().filter(|line| !heads.iter().any(|head| line.starts_with(head)));
    kept.map(|line| format!("{line}\n")).collect()
}

/// Puts "*" for what follows `before`, as long as it is of these characters.
pub fn mask_after(text: &str, before: &str, characters: &str) -> String {
    let mut parts = text.split(before);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked += before;
        masked.push('*');
        masked += part.trim_start_matches(|character| characters.contains(character));
    }
    masked
}

pub const DURATION: &str = "0123456789.hmµns";
pub const NUMBER: &str = "0123456789";

/// A command that runs on, and says things meanwhile.
pub struct Talk {
    what: String,
    process: Process,
    lines: Receiver<String>,
}

impl Talk {
    pub fn start(program: &Path, endpoint: &str, args: &[&str]) -> Talk {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = Command::new(program);
        command.arg(format!("--endpoints={endpoint}")).args(args).current_dir(repository());
        command.stdin(Stdio::null()).stdout(writer);
        let process = Process::spawn(command).expect("it runs");
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Talk { what: format!("{} {}", program.display(), args.join(" ")), process, lines }
    }

    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{}: no line: {error}", self.what))
    }

    pub fn lines(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.line()).collect()
    }

    /// All lines up to one that is this.
    pub fn until(&self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != last) {
            lines.push(self.line());
        }
        lines
    }

    /// As Ctrl-C does; the exit code, or None if the signal ended it.
    pub fn interrupt(self) -> Option<i32> {
        self.process.signal(libc::SIGINT);
        self.end()
    }

    /// The same for one that may be saying more.
    pub fn interrupt_at_any_time(self) -> Option<i32> {
        self.process.signal(libc::SIGINT);
        self.wait()
    }

    /// Waits until it ends by itself, having said nothing more than was read.
    pub fn end(self) -> Option<i32> {
        let code = self.wait();
        assert_eq!(self.lines.recv_timeout(PATIENCE).ok(), None, "{} says more", self.what);
        code
    }

    fn wait(&self) -> Option<i32> {
        let ended = self.process.wait_timeout(PATIENCE);
        ended.unwrap_or_else(|| panic!("{} does not end", self.what)).code()
    }
}

/// What etcdutl says of a snapshot.
pub fn snapshot_status(tools: &Tools, file: &Path) -> String {
    let ended = run(&tools.etcdutl, &["snapshot", "status", text(file), "-w", "json"], &[], PATIENCE);
    String::from_utf8(ended.stdout).expect("JSON")
}
