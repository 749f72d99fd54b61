//! docs/parity.md tells the truth: what it names is there, and its tests use the functions they are to prove.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use support::repository;

/// The methods and attributes of the seed interface, with their parameters; each has its row.
const SEED: &[(&str, &str)] = &[
    ("Etcd3Client", "host port ca_cert cert_key cert_cert timeout user password"),
    ("get", "key"),
    ("get_prefix", "key_prefix sort_order sort_target"),
    ("get_all", "sort_order sort_target"),
    ("put", "key value lease"),
    ("replace", "key initial_value new_value"),
    ("delete", "key"),
    ("delete_prefix", "prefix"),
    ("status", ""),
    ("add_watch_callback", "key callback"),
    ("watch", "key"),
    ("watch_prefix", "key_prefix"),
    ("watch_once", "key timeout"),
    ("watch_prefix_once", "key_prefix timeout"),
    ("cancel_watch", "watch_id"),
    ("transaction", "compare success failure"),
    ("lease", "ttl lease_id"),
    ("revoke_lease", "lease_id"),
    ("lock", "name ttl"),
    ("add_member", "urls"),
    ("remove_member", "member_id"),
    ("update_member", "member_id peer_urls"),
    ("members", ""),
    ("compact", "revision physical"),
    ("defragment", ""),
    ("hash", ""),
    ("create_alarm", "member_id"),
    ("list_alarms", "member_id alarm_type"),
    ("disarm_alarm", "member_id"),
    ("snapshot", "file_obj"),
    ("Member.id", ""),
    ("Member.name", ""),
    ("Member.peer_urls", ""),
    ("Member.client_urls", ""),
    ("Member.remove", ""),
    ("Member.update", "peer_urls"),
    ("Member.active_alarms", ""),
    ("Lease.id", ""),
    ("Lease.ttl", ""),
    ("Lease.revoke", ""),
    ("Lease.refresh", ""),
    ("Lock", ""),
    ("Lock.acquire", "timeout"),
    ("Lock.release", ""),
    ("Lock.refresh", ""),
    ("Lock.is_acquired", ""),
];

/// The capabilities that the comparison of the existing clients has, section by section; each has its row, in these words.
const PEERS: &[(&str, &[&str])] = &[
    (
        "Key-values",
        &[
            "get key",
            "range [a,b)",
            "prefix",
            "from-key / all keys",
            "limit",
            "revision (historical read)",
            "sort target × order",
            "serializable read",
            "keys_only",
            "count_only",
            "min/max mod revision",
            "min/max create revision",
            "header / more / count exposed",
            "streamed range (RangeStream, etcd ≥3.7)",
            "auto-pagination at one revision",
            "put: lease",
            "put: prev_kv",
            "put: ignore_value / ignore_lease",
            "put-if-absent / CAS / replace helper",
            "delete range/prefix + prev_kv + count",
            "compact (+physical)",
            "run one prepared Op outside txn (Do)",
        ],
    ),
    (
        "Transactions",
        &[
            "compare value/version/create/mod, = ≠ < >",
            "compare lease",
            "compare over a range / prefix",
            "nested txn",
            "all range options in a txn get",
            "then/else may be omitted",
            "nested responses decoded",
            "retry of read-only txn",
        ],
    ),
    (
        "Watches",
        &[
            "key/range/prefix + start revision",
            "prevKV",
            "NOPUT / NODELETE filters",
            "fragment, reassembled",
            "periodic progress_notify",
            "request progress on demand",
            "created notification",
            "caller-chosen watch_id",
            "require-leader",
            "many watches on one HTTP/2 stream",
            "auto-resume after disconnect",
            "resume never loses history",
            "compact_revision delivered",
            "server cancel reason (permission, token) delivered",
            "re-auth then resume on expired token",
            "bounded buffer / back-pressure choice",
            "per-watch \"disconnected / resumed\" state event",
            "watch-once with timeout",
            "start a watch from inside a callback",
            "cancel from inside own callback",
            "\"after cancel() returns no callback fires\" promised",
        ],
    ),
    (
        "Leases",
        &[
            "grant / revoke",
            "caller-chosen lease ID",
            "time-to-live / attached keys",
            "list leases",
            "keepalive once",
            "automatic keepalive",
            "one stream for all leases",
            "survives endpoint loss",
            "lost callback with reason",
            "lost reported at about local TTL expiry",
            "keepalive on a monotonic clock",
            "lease not leaked on a failed lock acquire",
        ],
    ),
    (
        "Locks, elections, recipes",
        &[
            "lock API",
            "FIFO fair queue",
            "blocking acquire with deadline",
            "try-lock",
            "automatic keepalive of the lock lease",
            "lock with no lease given is safe",
            "\"lock lost\" notification",
            "fencing token as first-class value",
            "unlock fenced on create revision",
            "interop with etcdctl lock",
            "context-manager / RAII refuses body when not acquired",
            "rw-lock",
            "barrier",
            "double barrier",
            "queue",
            "prio queue",
            "election campaign/proclaim/leader/observe/resign",
            "resume election after restart",
            "leadership lost signal",
            "STM (isolation levels, prefetch)",
            "session object (lease+keepalive+done)",
        ],
    ),
    (
        "Authentication, cluster, maintenance",
        &[
            "user/password login",
            "caller-supplied JWT",
            "token refresh on server refusal",
            "token sent on every RPC that needs it",
            "user/role/permission admin, enable/disable",
            "auth status",
            "no-password (cert CN) user",
            "member list / add / remove",
            "member update",
            "learner add / promote",
            "linearizable member list",
            "status (all fields)",
            "maintenance call to a named member",
            "alarms list / activate / disarm, NOSPACE+CORRUPT",
            "defragment",
            "hash / hashKV",
            "snapshot stream",
            "snapshot to file: sha256 trailer check, .part+rename",
            "move leader (routed to the leader)",
            "downgrade validate/enable/cancel",
        ],
    ),
    (
        "Connection, security, calls",
        &[
            "several endpoints",
            "failover inside one call",
            "load balance",
            "set endpoints at run time",
            "endpoint sync / auto-sync",
            "partition-aware health check",
            "retry policy documented and safe for writes",
            "retry knobs",
            "per-call deadline",
            "cancel an in-flight call",
            "blocking API",
            "async API",
            "TLS: CA file, client cert",
            "TLS: in-memory PEM",
            "TLS: system roots without a CA",
            "TLS and password together",
            "TLS: server name override",
            "TLS: skip verify (opt-in)",
            "TLS: client cert reload / CA reload",
            "unix / unixs sockets",
            "DNS SRV (_etcd-client[-ssl]._tcp)",
            "namespace: KV",
            "namespace: watch",
            "namespace: lease keys",
            "namespace: lock",
            "leasing cache",
            "watch-backed client cache",
            "mirror",
            "ordering guard",
            "gRPC naming",
            "max message size",
            "HTTP/2 keepalive",
            "user agent",
            "metrics",
            "tracing hooks",
            "logging hook",
            "typed server errors",
            "fake / mock server for users' tests",
            "config from JSON/YAML/env",
            "CLI",
            "C ABI",
            "links with no protobuf/gRPC/absl symbols exported",
            "fork behaviour defined",
        ],
    ),
];

struct Row {
    line: usize,
    section: String,
    what: String,
    functions: String,
    proof: String,
}

fn read(path: impl AsRef<Path>) -> String {
    let path = repository().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rows() -> Vec<Row> {
    let (mut rows, mut section) = (Vec::new(), String::new());
    for (number, line) in read("docs/parity.md").lines().enumerate() {
        if let Some(name) = line.strip_prefix("## ") {
            section = name.to_owned();
        }
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        if line.starts_with("| ") && !line.starts_with("| ---") && cells.last() != Some(&"proof") {
            assert_eq!(cells.len(), 3, "line {}: {line}", number + 1);
            let [what, functions, proof] = [cells[0], cells[1], cells[2]].map(str::to_owned);
            rows.push(Row { line: number + 1, section: section.clone(), what, functions, proof });
        }
    }
    rows
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn declared() -> BTreeSet<String> {
    let header = read("include/etcd3.h");
    let lines = header.lines().filter(|line| !line.starts_with([' ', '#', '/', '}']) && line.contains('('));
    let names = lines.filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next().map(str::to_owned));
    names.filter(|name| name.starts_with("etcd3_")).collect()
}

/// The text of a test in C, with all that it uses of its file and what that includes. A test in Rust uses the library
/// through a layer of its own: of that there is no text to look at.
fn test(proof: &str) -> Result<Option<String>, String> {
    let (file, name) = proof.split_once(' ').ok_or_else(|| format!("{proof:?} names no test in a file"))?;
    let path = if file.contains('/') { PathBuf::from(file) } else { Path::new("tests/c").join(file) };
    let own = read(&path);
    let is_c = path.extension().is_some_and(|extension| extension == "c");
    let run = if is_c { format!("RUN({name});") } else { format!("fn {name}(") };
    match (own.contains(&run), is_c) {
        (false, _) => Err(format!("there is no test {name} in {}", path.display())),
        (true, false) => Ok(None),
        // RUN itself may do something first, such as opening a namespace.
        (true, true) => Ok(Some(used(&definitions(&with_includes(&path, &own)), &[name, "RUN"]))),
    }
}

fn with_includes(path: &Path, own: &str) -> String {
    let names = own.lines().filter_map(|line| line.strip_prefix("#include \"")?.strip_suffix('"'));
    let included = names.map(|name| {
        let path = path.with_file_name(name);
        with_includes(&path, &read(&path))
    });
    included.collect::<String>() + own
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Functions, macros and tables by name. Each begins at the margin, and all that follows is indented or closes it.
fn definitions(text: &str) -> BTreeMap<&str, String> {
    let mut definitions: BTreeMap<&str, String> = BTreeMap::new();
    let (mut name, mut continues) = ("", false);
    for line in text.lines() {
        let begins = !continues && line.starts_with(|c: char| c.is_alphanumeric() || c == '#' || c == '}');
        if begins {
            let head = line.trim_start_matches("#define ").split(['(', '[', '=', ';', '{']).find(|part| part.len() > 1);
            let head = head.unwrap_or_default();
            let of = if line.starts_with('#') { words(head).next() } else { words(head).last() };
            name = of.unwrap_or(name);
        }
        continues = line.ends_with('\\');
        let text = definitions.entry(name).or_default();
        text.push_str(line);
        text.push('\n');
    }
    definitions
}

/// What those of these names say, and all that they name, one through the other.
fn used(definitions: &BTreeMap<&str, String>, names: &[&str]) -> String {
    let mut open: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let (mut seen, mut text) = (BTreeSet::new(), String::new());
    while let Some(name) = open.pop() {
        if let Some(own) = definitions.get(&*name).filter(|_| seen.insert(name.clone())) {
            open.extend(words(own).map(str::to_owned));
            text.push_str(own);
        }
    }
    text
}

/// Called there, or handed to what calls it.
fn calls(text: &str, function: &str) -> bool {
    ['(', ',', '}'].map(|next| format!("{function}{next}")).iter().any(|call| {
        text.match_indices(&**call).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// What is wrong with a row.
fn faults(row: &Row, declared: &BTreeSet<String>) -> Vec<String> {
    let functions: Vec<_> = quoted(&row.functions).collect();
    let mut faults = Vec::new();
    if functions.is_empty() {
        if !row.proof.starts_with("not there") {
            faults.push("it has no function and no reason".to_owned());
        }
        return faults;
    }
    let proofs: Vec<_> = quoted(&row.proof).map(test).collect();
    faults.extend(proofs.iter().filter_map(|proof| proof.clone().err()));
    if proofs.is_empty() {
        faults.push("it has no test".to_owned());
    }
    for function in functions {
        if !declared.contains(function) {
            faults.push(format!("{function} is not in the header"));
        }
        let called = |text: &Option<String>| text.as_ref().is_none_or(|text| calls(text, function));
        if !proofs.iter().flatten().any(called) {
            faults.push(format!("{function} is not called by {}", row.proof));
        }
    }
    faults
}

#[test]
fn every_row_is_true() {
    let (declared, rows) = (declared(), rows());
    assert!(rows.len() > 200, "only {} rows found", rows.len());
    let faults = rows.iter().flat_map(|row| {
        let told = |fault| format!("line {}: {}: {fault}", row.line, row.what);
        faults(row, &declared).into_iter().map(told).collect::<Vec<_>>()
    });
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "docs/parity.md:\n{}", faults.join("\n"));
}

#[test]
fn every_row_of_the_seed_is_there() {
    let rows = rows();
    let named = || rows.iter().flat_map(|row| quoted(&row.what));
    for (name, parameters) in SEED {
        let of: Vec<_> = named().filter(|what| what.split('(').next() == Some(name)).collect();
        assert!(!of.is_empty(), "the seed's {name} has no row");
        let there: BTreeSet<_> = of.iter().flat_map(|what| words(what).skip(words(name).count())).collect();
        for parameter in words(parameters) {
            assert!(there.contains(parameter), "the seed's {name}({parameter}) has no row");
        }
    }
}

#[test]
fn every_row_of_the_comparison_is_there() {
    let rows = rows();
    for (section, capabilities) in PEERS {
        for capability in *capabilities {
            let found = rows.iter().any(|row| row.section == *section && row.what == *capability);
            assert!(found, "{section}: {capability:?} has no row");
        }
    }
}

#[test]
fn a_test_is_not_taken_for_what_it_is_not() {
    let text = "#define DO(x) \\\n    some(x)\nstatic void inner(void)\n{\n    DO(etcd3_get_all(1));\n}\n\
                static void other(void) { etcd3_put(1); }\nstatic void outer(void)\n{\n    run(inner, etcd3_delete, 1);\n}\n";
    let used = used(&definitions(text), &["outer"]);
    assert!(calls(&used, "etcd3_get_all") && calls(&used, "etcd3_delete") && calls(&used, "some"));
    assert!(!calls(&used, "etcd3_get") && !calls(&used, "etcd3_put") && !calls(&used, "get_all"));
}
