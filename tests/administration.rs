//! Members, maintenance, users, snapshots and large reads against real etcd.

mod support;

use etcd3_scripted::Scripted;
use etcd_run::{Cluster, Server};
use support::programs::{compile_program, run_program, run_under_valgrind, standards};

type Run = fn(&str, &[(&str, &str)]);

/// Declares a test of each program on every version, and one under valgrind.
macro_rules! programs {
    ($($name:ident: $ground:ident;)*) => {
        $(#[test] fn $name() {
            for version in etcd_run::versions_from_env() {
                $ground(stringify!($name), &version, run_program);
            }
        })*

        const PROGRAMS: &[&str] = &[$(stringify!($name)),*];

        mod valgrind {
            $(#[test] fn $name() {
                super::$ground(stringify!($name), etcd_run::NEWEST, super::run_under_valgrind);
            })*
        }
    };
}

programs! {
    test_cluster: cluster;
    test_maintenance: cluster;
    test_access: server;
    test_snapshot: server;
    test_pages: server;
}

#[test]
fn compiles_as_every_standard() {
    for program in PROGRAMS {
        for standard in standards() {
            compile_program(program, standard);
        }
    }
}

/// Three members, and what it takes to start a fourth.
fn cluster(program: &str, version: &str, run: Run) {
    let cluster = Cluster::start(version, 3).unwrap();
    let scripted = Scripted::start().expect("a loopback port");
    let (client, peer) = (etcd_run::free_port().unwrap(), etcd_run::free_port().unwrap());
    let [client_port, peer_port] = [&client, &peer].map(|port| port.local_addr().unwrap().port().to_string());
    drop((client, peer));
    let binary = etcd_run::binary(version).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let env = [
        ("ETCD3_ENDPOINTS", cluster.endpoints().join(",")),
        ("ETCD3_SERVER_VERSION", cluster.version().to_owned()),
        ("ETCD3_SCRIPTED", scripted.control()),
        ("ETCD3_TEST_ETCD", binary.display().to_string()),
        ("ETCD3_TEST_CLIENT_PORT", client_port),
        ("ETCD3_TEST_PEER_PORT", peer_port),
        ("ETCD3_TEST_DIRECTORY", directory.path().display().to_string()),
    ];
    run(program, &env.each_ref().map(|(name, value)| (*name, value.as_str())));
}

/// One server, and a directory to write to.
fn server(program: &str, version: &str, run: Run) {
    let server = Server::start(version).unwrap();
    let scripted = Scripted::start().expect("a loopback port");
    let directory = tempfile::tempdir().unwrap();
    let env = [
        ("ETCD3_ENDPOINTS", server.endpoint().to_owned()),
        ("ETCD3_SERVER_VERSION", server.version().to_owned()),
        ("ETCD3_SCRIPTED", scripted.control()),
        ("ETCD3_TEST_DIRECTORY", directory.path().display().to_string()),
    ];
    run(program, &env.each_ref().map(|(name, value)| (*name, value.as_str())));
}
