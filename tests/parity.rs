//! docs/parity.md tells the truth: what it names is there, and its tests use the functions they are to prove.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use support::repository;

/// The methods and attributes of the seed interface; each has its row.
const SEED: [&str; 49] = [
    "Etcd3Client",
    "get",
    "get_prefix",
    "get_all",
    "put",
    "replace",
    "delete",
    "delete_prefix",
    "status",
    "add_watch_callback",
    "watch",
    "watch_prefix",
    "watch_once",
    "watch_prefix_once",
    "cancel_watch",
    "transaction",
    "lease",
    "revoke_lease",
    "lock",
    "add_member",
    "remove_member",
    "update_member",
    "members",
    "compact",
    "defragment",
    "hash",
    "create_alarm",
    "list_alarms",
    "disarm_alarm",
    "snapshot",
    "Member.id",
    "Member.name",
    "Member.peer_urls",
    "Member.client_urls",
    "Member.remove",
    "Member.update",
    "Member.active_alarms",
    "Lease.id",
    "Lease.ttl",
    "Lease.revoke",
    "Lease.refresh",
    "Lock.acquire",
    "Lock.release",
    "Lock.refresh",
    "Lock.is_acquired",
    "Etcd3Client(host)",
    "Etcd3Client(timeout)",
    "compact(physical)",
    "put(lease)",
];

struct Row {
    line: usize,
    what: String,
    functions: String,
    proof: String,
}

fn read(path: impl AsRef<Path>) -> String {
    let path = repository().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the page; those of sections marked "(not yet)" apart.
fn rows() -> (Vec<Row>, Vec<Row>) {
    let (mut rows, mut later, mut not_yet) = (Vec::new(), Vec::new(), false);
    for (number, line) in read("docs/parity.md").lines().enumerate() {
        if line.starts_with('#') {
            not_yet = line.ends_with("(not yet)");
        }
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let is_row = line.starts_with("| ") && !line.starts_with("| ---") && cells.last() != Some(&"proof");
        if is_row {
            assert_eq!(cells.len(), 3, "line {}: {line}", number + 1);
            let [what, functions, proof] = [cells[0], cells[1], cells[2]].map(str::to_owned);
            let row = Row { line: number + 1, what, functions, proof };
            if not_yet {
                later.push(row)
            } else {
                rows.push(row)
            }
        }
    }
    (rows, later)
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

/// A test's file with what it includes, and whether it is in C.
fn test(proof: &str, line: usize) -> (String, bool) {
    let (file, name) =
        proof.split_once(' ').unwrap_or_else(|| panic!("line {line}: {proof:?} names no test in a file"));
    let path = if file.contains('/') { PathBuf::from(file) } else { Path::new("tests/c").join(file) };
    let own = read(&path);
    let is_c = path.extension().is_some_and(|extension| extension == "c");
    let runs = match is_c {
        true => own.contains(&format!("RUN({name});")),
        false => own.contains(&format!("fn {name}(")),
    };
    assert!(runs, "line {line}: there is no test {name} in {}", path.display());
    (with_includes(&path, &own), is_c)
}

fn with_includes(path: &Path, own: &str) -> String {
    let names = own.lines().filter_map(|line| line.strip_prefix("#include \"")?.strip_suffix('"'));
    let included = names.map(|name| {
        let path = path.with_file_name(name);
        with_includes(&path, &read(&path))
    });
    included.collect::<String>() + own
}

#[test]
fn every_row_is_true() {
    let declared = declared();
    let (rows, _) = rows();
    assert!(rows.len() > 100, "only {} rows found", rows.len());
    for Row { line, what, functions, proof } in rows {
        let functions: Vec<_> = quoted(&functions).collect();
        if functions.is_empty() {
            assert!(proof.starts_with("not there"), "line {line}: {what} has no function and no reason");
            continue;
        }
        let proofs: Vec<_> = quoted(&proof).map(|proof| test(proof, line)).collect();
        assert!(!proofs.is_empty(), "line {line}: {what} has no test");
        for function in functions {
            assert!(declared.contains(function), "line {line}: {function} is not in the header");
            // Those in Rust use the library through a layer of their own.
            let used = proofs.iter().any(|(text, is_c)| !is_c || text.contains(function));
            assert!(used, "line {line}: {function} is not called by {proof}");
        }
    }
}

#[test]
fn every_row_of_the_seed_is_there() {
    let (rows, later) = rows();
    let named: Vec<_> = rows.iter().chain(&later).flat_map(|row| quoted(&row.what)).collect();
    for seed in SEED {
        let found = named.iter().any(|name| *name == seed || name.split('(').next() == Some(seed));
        assert!(found, "the seed's {seed} has no row");
    }
}
