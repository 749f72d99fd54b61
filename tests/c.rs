//! The C programs of tests/c against real etcd servers: one test each, so that they run side by side.

mod support;

use std::process::Command;
use std::time::Duration;
use support::programs::{compile_program, run_program, run_under_valgrind, sanitizes, standards};
use support::{compile_c, repository, run, skip_or_fail};

/// Declares the tests of programs, and the list of them all.
macro_rules! programs {
    ($($name:ident: $versions:ident;)*) => {
        $(#[test] fn $name() { on_servers(stringify!($name), &$versions()); })*

        const PROGRAMS: &[&str] = &[$(stringify!($name)),*];

        mod valgrind {
            $(#[test] fn $name() { super::under_valgrind(stringify!($name)); })*
        }
    };
}

programs! {
    test_error: newest;
    test_config: newest;
    test_load: newest;
    test_client: every;
    test_client_events: newest;
    test_endpoints: newest;
    test_set_endpoints: newest;
    test_call: newest;
    test_call_end: newest;
    test_cancel: newest;
    test_op: every;
    test_op_range: every;
    test_kv: every;
    test_txn: every;
    test_result: every;
    test_header: every;
    test_raw: every;
    test_queue: newest;
    test_event: every;
    test_watch: every;
    test_watch_calls: every;
    test_watch_10k: every;
    test_watch_buffer: every;
    test_watch_relist: every;
    test_mirror: every;
    test_watch_once: every;
    test_watch_queue: newest;
    test_watch_many: newest;
    watch_storm: newest;
    test_lease: every;
    test_session: every;
    test_lock: every;
    test_lock_loss: every;
    test_lock_kinds: every;
    test_lock_1000: newest;
    test_recipes: every;
    test_election: every;
    test_stm: every;
    test_namespace: every;
    test_namespace_watch: every;
    test_namespace_recipes: every;
    test_namespace_end: newest;
    misuse: every;
    misuse_watch: newest;
    misuse_calls: newest;
    misuse_cluster: newest;
    misuse_maintenance: newest;
    misuse_access: newest;
    misuse_snapshot: newest;
    misuse_pages: newest;
    misuse_namespace: newest;
    misuse_config: newest;
    misuse_lease: every;
    misuse_lock: every;
    fork: newest;
    deadline: newest;
}

/// Those with a driver of their own: tests/header.rs, codes.rs, outcome.rs, tls.rs, auth.rs, administration.rs,
/// ordering.rs, discovery.rs, large.rs, misuse.rs.
const ELSEWHERE: &[&str] = &[
    "test_version",
    "codes",
    "codes_real",
    "outcome",
    "tokens",
    "cancel",
    "requests",
    "outcome_admin",
    "metadata",
    "raw",
    "ordering",
    "namespaces",
    "malformed",
    "loaded",
    "test_ordering",
    "test_discovery",
    "watch_faults",
    "mirrors",
    "leases",
    "test_tls",
    "test_auth",
    "test_cluster",
    "test_maintenance",
    "test_access",
    "test_snapshot",
    "test_pages",
    "large_range",
    "misuse_table",
    "misuse_table_watch",
    "misuse_table_admin",
];

/// With the compiler's checks of memory, where it has them; the name of the standard keeps the program apart.
#[test]
fn storm_with_address_sanitizer() {
    if !sanitizes("address") {
        return skip_or_fail("watches with AddressSanitizer", "the C compiler has none");
    }
    let program = compile_c(
        &repository().join("tests/c/watch_storm.c"),
        "gnu11",
        &["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"],
    );
    for version in newest() {
        let ended = run(&program, &[], &Ground::prepare(&version).env(), Duration::from_secs(300));
        print!("{}", String::from_utf8_lossy(&ended.stdout));
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    }
}

/// The versions that ETCD_VERSIONS asks for.
fn every() -> Vec<String> {
    etcd_run::versions_from_env()
}

fn newest() -> Vec<String> {
    let number = |version: &String| -> Vec<u32> { version.split('.').filter_map(|part| part.parse().ok()).collect() };
    every().into_iter().max_by_key(number).into_iter().collect()
}

#[test]
fn every_program_has_a_test() {
    let mut sources: Vec<_> = std::fs::read_dir(repository().join("tests/c"))
        .expect("tests/c is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .map(|path| path.file_stem().expect("a file").to_string_lossy().into_owned())
        .filter(|name| !ELSEWHERE.contains(&&**name))
        .collect();
    let mut programs = PROGRAMS.to_vec();
    sources.sort();
    programs.sort();
    assert_eq!(sources, programs);
}

#[test]
fn compiles_as_every_standard() {
    for standard in standards() {
        for program in PROGRAMS {
            compile_program(program, standard);
        }
    }
}

fn on_servers(program: &str, versions: &[String]) {
    for version in versions {
        run_program(program, &Ground::prepare(version).env());
    }
}

fn under_valgrind(program: &str) {
    for version in newest() {
        run_under_valgrind(program, &Ground::prepare(&version).env());
    }
}

/// A server with all that the programs expect to find.
struct Ground {
    server: etcd_run::Server,
    lease: String,
    compacted: String,
    member: String,
}

impl Ground {
    fn prepare(version: &str) -> Self {
        let mut builder = etcd_run::Builder::new(version);
        if let Some(flag) = progress_flag(version) {
            builder = builder.flag(format!("--{flag}=200ms"));
        }
        let server = builder.start().unwrap();
        let post = |path, body: &str| server.post(path, body.parse().unwrap()).unwrap();
        let granted = post("/v3/lease/grant", r#"{"TTL": 3600}"#);
        // The key "compacted", in base64; a fresh store is at revision 1.
        for _ in 2..=4 {
            post("/v3/kv/put", r#"{"key": "Y29tcGFjdGVk", "value": ""}"#);
        }
        let compacted = "3";
        post("/v3/kv/compaction", r#"{"revision": 3, "physical": true}"#);
        let lease = granted["ID"].as_str().expect("a lease id").to_owned();
        let member = server.id().to_string();
        Ground { server, lease, compacted: compacted.to_owned(), member }
    }

    fn env(&self) -> [(&str, &str); 5] {
        [
            ("ETCD3_ENDPOINTS", self.server.endpoint()),
            ("ETCD3_SERVER_VERSION", self.server.version()),
            ("ETCD3_TEST_LEASE", &self.lease),
            ("ETCD3_TEST_COMPACTED", &self.compacted),
            ("ETCD3_TEST_MEMBER", &self.member),
        ]
    }
}

/// The flag for how often a server tells its progress, under the name that it has in this version.
fn progress_flag(version: &str) -> Option<&'static str> {
    let help = Command::new(etcd_run::binary(version).unwrap()).arg("--help").output().unwrap();
    let help = String::from_utf8_lossy(&[help.stdout, help.stderr].concat()).into_owned();
    let names = ["watch-progress-notify-interval", "experimental-watch-progress-notify-interval"];
    names.into_iter().find(|name| help.contains(&format!("--{name} ")))
}
