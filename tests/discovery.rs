//! Endpoints from service records, asked of a name server on loopback.

mod support;

use etcd3_certs::{write, Authority, Validity};
use etcd_run::{Builder, Server};
use support::name_server::{self, Ports};
use support::programs::{compile_program, run_program, run_under_valgrind_with, standards};

#[test]
fn test_discovery() {
    with_servers(run_program);
}

#[test]
fn under_valgrind() {
    // What the ciphers' assembler computes, valgrind takes for uninitialised.
    with_servers(|name, env| run_under_valgrind_with(name, env, &["--undef-value-errors=no"]));
}

#[test]
fn compiles_as_every_standard() {
    for standard in standards() {
        compile_program("test_discovery", standard);
    }
}

fn with_servers(run: fn(&str, &[(&str, &str)])) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let authority = Authority::new("etcd3 test authority");
    write(directory.path(), "ca.pem", authority.pem()).unwrap();
    let (cert, key) = authority.server(&["localhost"], Validity::good()).write(directory.path(), "server").unwrap();
    let plain = Server::start(etcd_run::NEWEST).unwrap();
    let tls = Builder::new(etcd_run::NEWEST).tls(cert, key).start().unwrap();
    let port = |endpoint: &str| endpoint.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let ports = Ports { plain: port(plain.endpoint()), tls: port(tls.tls_endpoint().expect("asked for")) };
    let resolver = name_server::start(ports).to_string();
    let env = [
        ("ETCD3_SERVER_VERSION", plain.version()),
        ("ETCD3_RESOLVER", &resolver),
        ("ETCD3_PLAIN", plain.endpoint()),
        ("ETCD3_TLS_DIR", directory.path().to_str().expect("UTF-8")),
    ];
    run("test_discovery", &env);
}
