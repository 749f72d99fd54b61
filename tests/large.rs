//! What takes many keys or many bytes: ignored unless asked for, by `make large`.

mod support;

use etcd3_scripted::Scripted;
use etcd_run::Server;
use serde_json::Value;
use support::ctl::{snapshot_status, tools};
use support::programs::{compile_program, run_program, standards};

/// On each version, with room for more than the default.
fn on_servers(test: impl Fn(&Server)) {
    for version in etcd_run::versions_from_env() {
        test(&Server::builder(&version).flag("--quota-backend-bytes=8589934592").start().unwrap());
    }
}

#[test]
fn compiles_as_every_standard() {
    for standard in standards() {
        compile_program("large_range", standard);
    }
}

#[test]
#[ignore = "make large"]
fn a_million_keys() {
    on_servers(|server| {
        run_program(
            "large_range",
            &[("ETCD3_ENDPOINTS", server.endpoint()), ("ETCD3_SERVER_VERSION", server.version())],
        );
    });
}

#[test]
#[ignore = "make large"]
fn a_snapshot_of_200_megabytes() {
    const MEGABYTES: u64 = 200;
    let Some(tools) = tools("a large snapshot") else { return };
    on_servers(|server| {
        let scripted = Scripted::start().expect("a loopback port");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let env = [
            ("ETCD3_ENDPOINTS", server.endpoint()),
            ("ETCD3_SERVER_VERSION", server.version()),
            ("ETCD3_SCRIPTED", &scripted.control()),
            ("ETCD3_TEST_DIRECTORY", directory.path().to_str().expect("a path in UTF-8")),
            ("ETCD3_TEST_SNAPSHOT_MB", &MEGABYTES.to_string()),
        ];
        run_program("test_snapshot", &env);
        let said = snapshot_status(tools, &directory.path().join("whole"));
        println!("etcd {}: etcdutl snapshot status: {}", server.version(), said.trim());
        let status: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(status["totalKey"], MEGABYTES, "each key is of a megabyte");
        assert_eq!(status["revision"], MEGABYTES + 1, "a fresh store is at revision 1");
    });
}
