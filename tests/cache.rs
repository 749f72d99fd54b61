//! The cache of examples/c, through what may happen to a cluster: in the end it holds what the servers hold.

mod support;

use base64::prelude::{Engine, BASE64_STANDARD};
use etcd_run::{Cluster, Server};
use serde_json::{json, Value};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use support::{compile_c, repository};

const PREFIX: &str = "room/";
const PATIENCE: Duration = Duration::from_secs(60);

struct Cache {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Cache {
    fn start(cluster: &Cluster) -> Self {
        let program = compile_c(&repository().join("examples/c/cache.c"), "c11", &[]);
        let mut command = Command::new(program);
        command.args(["follow", PREFIX]).args(cluster.endpoints()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("it starts");
        let (ask, answers) = (process.stdin.take().expect("piped"), process.stdout.take().expect("piped"));
        Cache { process, ask, answers: BufReader::new(answers) }
    }

    /// What it holds at a revision, or later.
    fn at(&mut self, revision: i64) -> String {
        writeln!(self.ask, "{revision}").expect("it listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers");
        line.trim_end().to_owned()
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // It ends with its input too, unless it hangs.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks until it is done: a cluster that has just lost its leader refuses for a while.
fn done(server: &Server, path: &str, body: Value) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        match server.post_within(path, body.clone(), Duration::from_secs(3)) {
            Ok(answer) => return answer,
            Err(error) => assert!(Instant::now() < end, "{path}: {error}"),
        }
    }
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

fn put(server: &Server, key: &str, value: &str) {
    done(server, "/v3/kv/put", json!({"key": base64(&format!("{PREFIX}{key}")), "value": base64(value)}));
}

fn delete(server: &Server, key: &str) {
    done(server, "/v3/kv/deleterange", json!({"key": base64(&format!("{PREFIX}{key}"))}));
}

/// What the store holds, as the cache shows it, and at which revision.
fn held(server: &Server) -> (String, i64) {
    let range = json!({"key": base64(PREFIX), "range_end": base64("room0")});
    let answer = done(server, "/v3/kv/range", range);
    let text = |value: &Value| {
        let bytes = BASE64_STANDARD.decode(value.as_str().unwrap_or_default()).expect("base64");
        String::from_utf8(bytes).expect("text")
    };
    let kvs = answer["kvs"].as_array().into_iter().flatten();
    let shown: String = kvs.map(|kv| format!(" {}={}", text(&kv["key"]), text(&kv["value"]))).collect();
    (format!("cache:{shown}"), answer["header"]["revision"].as_str().expect("a revision").parse().expect("a number"))
}

fn compact(server: &Server) {
    let (_, revision) = held(server);
    done(server, "/v3/kv/compaction", json!({"revision": revision, "physical": true}));
}

#[track_caller]
fn agrees(cache: &mut Cache, server: &Server) {
    let (wanted, revision) = held(server);
    assert_eq!(cache.at(revision), wanted);
}

#[test]
fn stays_right_through_kill_pause_and_compaction() {
    let version = etcd_run::versions_from_env().pop().expect("a version");
    let cluster = Cluster::start(&version, 3).unwrap();
    put(&cluster[0], "hall", "warm");
    put(&cluster[0], "attic", "cold");
    let mut cache = Cache::start(&cluster);
    agrees(&mut cache, &cluster[0]);

    // One member after another is killed, the one that serves the cache among them.
    for member in 0..3 {
        let other = &cluster[(member + 1) % 3];
        cluster[member].kill();
        put(other, "hall", &format!("without {member}"));
        put(other, &format!("new-{member}"), "put");
        agrees(&mut cache, other);
        cluster[member].restart().unwrap();
    }

    // Or paused, and what it misses is compacted.
    for member in 0..3 {
        let other = &cluster[(member + 1) % 3];
        cluster[member].pause();
        delete(other, &format!("new-{member}"));
        put(other, "hall", &format!("paused {member}"));
        compact(other);
        agrees(&mut cache, other);
        cluster[member].resume();
    }

    // All are away; what happens before the cache is back is compacted.
    cluster.members().iter().for_each(Server::kill);
    cluster.restart_dead().unwrap();
    delete(&cluster[0], "attic");
    put(&cluster[0], "cellar", "damp");
    compact(&cluster[0]);
    agrees(&mut cache, &cluster[0]);
}
