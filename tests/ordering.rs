//! Reads in order, with a real member that is behind since it is cut off from its cluster.

mod support;

use etcd3_rig::proxy::Peers;
use etcd_run::{Builder, Cluster, Server};
use std::time::{Duration, Instant};
use support::programs::{compile_program, run_program, run_under_valgrind, standards};

#[test]
fn test_ordering() {
    for version in etcd_run::versions_from_env() {
        with_a_member_behind(&version, run_program);
    }
}

#[test]
fn under_valgrind() {
    with_a_member_behind(etcd_run::NEWEST, run_under_valgrind);
}

#[test]
fn compiles_as_every_standard() {
    for standard in standards() {
        compile_program("test_ordering", standard);
    }
}

fn with_a_member_behind(version: &str, run: fn(&str, &[(&str, &str)])) {
    let peers = Peers::new(3, 1).expect("loopback ports");
    let cluster = peers.install(Builder::new(version)).start_cluster(3).unwrap();
    put(&cluster[0], "b2xk");
    wait_for(&cluster, "b2xk");
    peers.part(&cluster, &[&[0, 1], &[2]]);
    put(&cluster[0], "bmV3");
    let env = [
        ("ETCD3_SERVER_VERSION", cluster.version()),
        ("ETCD3_TEST_AHEAD", cluster[0].endpoint()),
        ("ETCD3_TEST_BEHIND", cluster[2].endpoint()),
    ];
    run("test_ordering", &env);
}

/// "test_ordering", in base64.
const KEY: &str = "dGVzdF9vcmRlcmluZw==";
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster whose leader was just cut off refuses until there is another.
fn put(server: &Server, value: &str) {
    let body = format!(r#"{{"key": "{KEY}", "value": "{value}"}}"#);
    let end = Instant::now() + PATIENCE;
    while let Err(error) = server.post("/v3/kv/put", body.parse().expect("JSON")) {
        assert!(Instant::now() < end, "{error}");
    }
}

/// Until the member that is to be behind has the value itself; members tell no one when they do.
fn wait_for(cluster: &Cluster, value: &str) {
    let body = format!(r#"{{"key": "{KEY}", "serializable": true}}"#);
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = cluster[2].post("/v3/kv/range", body.parse().expect("JSON")).unwrap();
        if answer["kvs"][0]["value"].as_str() == Some(value) {
            return;
        }
        assert!(Instant::now() < end, "{answer}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
