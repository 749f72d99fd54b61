//! Users, passwords and tokens against real etcd.

mod support;

use etcd_run::Server;
use support::auth;
use support::programs::{compile_program, run_program, run_under_valgrind, standards};

#[test]
fn test_auth() {
    for version in etcd_run::versions_from_env() {
        with_servers(&version, run_program);
    }
}

#[test]
fn under_valgrind() {
    with_servers(etcd_run::NEWEST, run_under_valgrind);
}

#[test]
fn compiles_as_every_standard() {
    for standard in standards() {
        compile_program("test_auth", standard);
    }
}

fn with_servers(version: &str, run: fn(&str, &[(&str, &str)])) {
    let (plain, guarded) = (Server::start(version).unwrap(), Server::start(version).unwrap());
    auth::turn_on(&guarded);
    let env = [
        ("ETCD3_SERVER_VERSION", plain.version()),
        ("ETCD3_PLAIN", plain.endpoint()),
        ("ETCD3_AUTH", guarded.endpoint()),
    ];
    run("test_auth", &env);
}
