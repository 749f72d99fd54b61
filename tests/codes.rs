//! Every code of the header: a row for each, driven from scripted servers, and from real ones where they can be
//! made to give it.

mod support;

use etcd3_scripted::Scripted;
use etcd_run::{Builder, Cluster, Server};
use std::collections::BTreeSet;
use std::time::Duration;
use support::auth;
use support::programs::{compile_program, run_program, run_under_valgrind, standards};
use support::{repository, run};

#[test]
fn compiles_as_every_standard() {
    for standard in standards() {
        compile_program("codes", standard);
        compile_program("codes_real", standard);
    }
}

#[test]
fn every_code_of_the_header_has_a_row() {
    let header = std::fs::read_to_string(repository().join("include/etcd3.h")).expect("it can be read");
    let defined = header.lines().filter_map(|line| line.strip_prefix("#define ")?.split(' ').next());
    let codes: BTreeSet<_> = defined.filter(|name| name.starts_with("ETCD3_ERR_")).map(str::to_owned).collect();
    let listed = run(compile_program("codes", "c99"), &["list"], &[], Duration::from_secs(10));
    let rows: BTreeSet<_> = String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect();
    assert!(codes.len() >= 80, "only {} codes found in the header", codes.len());
    assert_eq!(rows, codes);
}

#[test]
fn from_scripted_servers() {
    let scripted = Scripted::start().expect("a loopback port");
    run_program("codes", &[("ETCD3_SCRIPTED", &scripted.control())]);
}

#[test]
fn from_scripted_servers_under_valgrind() {
    let scripted = Scripted::start().expect("a loopback port");
    run_under_valgrind("codes", &[("ETCD3_SCRIPTED", &scripted.control())]);
}

#[test]
fn from_real_servers() {
    for version in etcd_run::versions_from_env() {
        let ground = Ground::prepare(&version);
        run_program("codes_real", &ground.env());
    }
}

/// One server for each state that a server can be brought into.
struct Ground {
    plain: Server,
    full: Server,
    corrupt: Server,
    auth: Server,
    minority: Cluster,
    compacted: String,
}

impl Ground {
    fn prepare(version: &str) -> Self {
        let plain = Server::start(version).unwrap();
        let post = |server: &Server, path, body: &str| server.post(path, body.parse().unwrap()).unwrap();
        for _ in 2..=4 {
            post(&plain, "/v3/kv/put", r#"{"key": "aw==", "value": ""}"#);
        }
        post(&plain, "/v3/kv/compaction", r#"{"revision": 3}"#);
        // Any store is larger than this.
        let full = Builder::new(version).flag("--quota-backend-bytes=1").start().unwrap();
        // It raises its alarm when it first says no, and that one answer may still be another.
        let _ = full.post("/v3/kv/put", r#"{"key": "aw==", "value": ""}"#.parse().unwrap());
        let corrupt = Server::start(version).unwrap();
        let alarm = format!(r#"{{"action": "ACTIVATE", "alarm": "CORRUPT", "memberID": "{}"}}"#, corrupt.id());
        post(&corrupt, "/v3/maintenance/alarm", &alarm);
        let auth = Server::start(version).unwrap();
        auth::turn_on(&auth);
        let minority = Cluster::start(version, 3).unwrap();
        minority[1].kill();
        minority[2].kill();
        wait_for_no_leader(&minority);
        Ground { plain, full, corrupt, auth, minority, compacted: "3".to_owned() }
    }

    fn env(&self) -> [(&str, &str); 7] {
        [
            ("ETCD3_ENDPOINTS", self.plain.endpoint()),
            ("ETCD3_SERVER_VERSION", self.plain.version()),
            ("ETCD3_TEST_COMPACTED", &self.compacted),
            ("ETCD3_TEST_FULL", self.full.endpoint()),
            ("ETCD3_TEST_CORRUPT", self.corrupt.endpoint()),
            ("ETCD3_TEST_AUTH", self.auth.endpoint()),
            ("ETCD3_TEST_MINORITY", self.minority[0].endpoint()),
        ]
    }
}

/// A survivor finds out within some election timeouts; the server tells no one when.
fn wait_for_no_leader(cluster: &Cluster) {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while cluster.leader(0).unwrap_or(None).is_some() {
        assert!(std::time::Instant::now() < deadline, "the survivor still has a leader");
        std::thread::sleep(Duration::from_millis(20));
    }
}
