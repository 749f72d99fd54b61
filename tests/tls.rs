//! TLS against real etcd, with certificates made on the spot.

mod support;

use etcd3_certs::{write, Authority, Pair, Validity};
use etcd_run::{Builder, Server};
use std::path::Path;
use support::programs::{compile_program, run_program, run_under_valgrind_with, standards};

#[test]
fn test_tls() {
    for version in etcd_run::versions_from_env() {
        run_program("test_tls", &Ground::prepare(&version).env());
    }
}

#[test]
fn under_valgrind() {
    // What the ciphers' assembler computes, valgrind takes for uninitialised.
    let options = ["--undef-value-errors=no"];
    run_under_valgrind_with("test_tls", &Ground::prepare(etcd_run::NEWEST).env(), &options);
}

#[test]
fn compiles_as_every_standard() {
    for standard in standards() {
        compile_program("test_tls", standard);
    }
}

struct Ground {
    plain: Server,
    /// Trusts, and is trusted by, everyone who knows the authority.
    tls: Server,
    /// Wants a certificate of its clients.
    mutual: Server,
    expired: Server,
    misnamed: Server,
    directory: tempfile::TempDir,
}

impl Ground {
    fn prepare(version: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path();
        let authority = Authority::new("etcd3 test authority");
        let here: &[&str] = &["localhost", "127.0.0.1", "::1"];
        let start = |name: &str, pair: Pair, mutual: bool| {
            let (cert, key) = pair.write(path, name).unwrap();
            let builder = Builder::new(version).tls(cert, key);
            let ca = path.join("ca.pem");
            if mutual { builder.client_ca(ca) } else { builder }.start().unwrap()
        };
        client_files(path, &authority);
        Ground {
            plain: Server::start(version).unwrap(),
            tls: start("server", authority.server(here, Validity::good()), false),
            mutual: start("mutual", authority.server(here, Validity::good()), true),
            expired: start("expired", authority.server(here, Validity::expired()), false),
            misnamed: start("misnamed", authority.server(&["other.example"], Validity::good()), false),
            directory,
        }
    }

    fn env(&self) -> [(&str, &str); 7] {
        [
            ("ETCD3_SERVER_VERSION", self.plain.version()),
            ("ETCD3_TLS_DIR", self.directory.path().to_str().expect("UTF-8")),
            ("ETCD3_PLAIN", self.plain.endpoint()),
            ("ETCD3_TLS", self.tls.tls_endpoint().expect("asked for")),
            ("ETCD3_MTLS", self.mutual.tls_endpoint().expect("asked for")),
            ("ETCD3_TLS_EXPIRED", self.expired.tls_endpoint().expect("asked for")),
            ("ETCD3_TLS_MISNAMED", self.misnamed.tls_endpoint().expect("asked for")),
        ]
    }
}

/// What the C program gives to the library: good files, bad ones, and halves of good ones.
fn client_files(path: &Path, authority: &Authority) {
    let other = Authority::new("etcd3 other authority");
    let client = authority.client("root", Validity::good());
    let half = |text: &str| text[..text.len() / 2].to_owned();
    write(path, "ca.pem", authority.pem()).unwrap();
    write(path, "reloaded-ca.pem", authority.pem()).unwrap();
    write(path, "half-ca.pem", &half(authority.pem())).unwrap();
    write(path, "other-ca.pem", other.pem()).unwrap();
    write(path, "empty.pem", "").unwrap();
    write(path, "garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    write(path, "half.pem", &half(&client.cert)).unwrap();
    write(path, "half.key", &half(&client.key)).unwrap();
    client.write(path, "client").unwrap();
    authority.client("root", Validity::expired()).write(path, "old").unwrap();
    other.client("root", Validity::good()).write(path, "foreign").unwrap();
}
