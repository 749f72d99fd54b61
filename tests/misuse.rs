//! Every argument of the C interface, wrong in every way: the tables of tests/c/misuse_table*.c, and that they are whole.

mod support;

use etcd3_scripted::Scripted;
use support::programs::{compile_program, run_program, run_under_valgrind, standards};
use support::{cargo, repository};

/// Declares a test of each program, alone and under valgrind.
macro_rules! programs {
    ($($name:ident)*) => {
        $(#[test] fn $name() { with_server(stringify!($name), run_program); })*

        const PROGRAMS: &[&str] = &[$(stringify!($name)),*];

        mod valgrind {
            $(#[test] fn $name() { super::with_server(stringify!($name), super::run_under_valgrind); })*
        }
    };
}

programs! { misuse_table misuse_table_watch misuse_table_admin }

fn with_server(program: &str, run: fn(&str, &[(&str, &str)])) {
    let scripted = Scripted::start().expect("a loopback port");
    run(program, &[("ETCD3_SCRIPTED", &scripted.control())]);
}

/// What fuzzing has kept: see CONTRIBUTING.md.
#[test]
fn arbitrary_use_that_was_found_before_does_no_harm() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let ended = cargo(&["test", "--manifest-path", "fuzz/Cargo.toml"])
        // They share a server, and what fails ends the process.
        .env("RUST_TEST_THREADS", "1")
        .env("RUST_TEST_NOCAPTURE", "1")
        .env("TMPDIR", directory.path())
        .output()
        .expect("cargo runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()));
}

#[test]
fn compiles_as_every_standard() {
    for program in PROGRAMS {
        for standard in standards() {
            compile_program(program, standard);
        }
    }
}

/// Setters that take whatever they are given: a lease may have any number, and without a function nobody is woken.
const ANYTHING_GOES: [&str; 2] = ["etcd3_op_set_lease", "etcd3_queue_set_wakeup"];

/// Each function that can complain, each setter and each constructor has a row in a table, where a macro stands for each
/// of its arguments. What cannot complain is called with NULL, in any misuse program.
#[test]
fn breaks_every_argument_of_every_function() {
    let misuse = misuse_programs();
    let functions = functions();
    assert!(functions.len() > 250, "only {} functions found in the header", functions.len());
    let missing: Vec<_> = functions.iter().flat_map(|function| function.unbroken(&misuse)).collect();
    assert!(missing.is_empty(), "the tables of tests/c/misuse_table*.c lack:\n{}", missing.join("\n"));
}

/// All of them, each statement and row on a line of its own.
fn misuse_programs() -> Vec<String> {
    let mut statements = Vec::new();
    for entry in std::fs::read_dir(repository().join("tests/c")).expect("tests/c is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        if name.starts_with("misuse") && name.ends_with(".c") {
            let text = std::fs::read_to_string(&path).expect("a source can be read");
            let text = text.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
            let text = ["CALL(", "MAKE(", "SET("].iter().fold(text, |text, row| text.replace(row, &format!(";{row}")));
            statements.extend(text.split(';').map(str::to_owned));
        }
    }
    statements
}

struct Function {
    name: String,
    /// Name and type of those that can be wrong.
    arguments: Vec<(String, String)>,
    fails: bool,
}

fn functions() -> Vec<Function> {
    let header = std::fs::read_to_string(repository().join("include/etcd3.h")).expect("include/etcd3.h can be read");
    // What is left without comments and directives.
    let code: String = header.split("/*").map(|part| part.split_once("*/").map_or(part, |(_, code)| code)).collect();
    let code: Vec<_> = code.lines().filter(|line| !line.starts_with('#')).collect();
    code.join(" ").split(';').filter_map(Function::read).collect()
}

impl Function {
    fn read(declaration: &str) -> Option<Function> {
        let (head, arguments) = declaration.split_once('(')?;
        let name = head.split([' ', '*']).next_back()?;
        if !name.starts_with("etcd3_") || declaration.contains("typedef") {
            return None;
        }
        let all = arguments.trim().trim_end_matches(')').split(',').filter_map(|argument| {
            let argument = argument.trim();
            let start = argument.rfind([' ', '*'])? + 1;
            Some((argument[start..].to_owned(), argument[..start].trim().to_owned()))
        });
        let all: Vec<_> = all.collect();
        let fails = all.last().is_some_and(|(name, _)| name == "err");
        let names: Vec<_> = all.iter().map(|(name, _)| name.clone()).collect();
        let counts = |name: &str| name == "count" && names.iter().any(|name| name.ends_with('s'));
        let length = |name: &str| name.strip_suffix("_len").is_some_and(|of| names.iter().any(|name| name == of));
        let can_be_wrong = |(name, kind): &(String, String)| {
            !matches!(&**name, "err" | "user_data") && !(kind == "size_t" && (length(name) || counts(name)))
        };
        Some(Function { name: name.to_owned(), arguments: all.into_iter().filter(can_be_wrong).collect(), fails })
    }

    /// What of it nothing breaks.
    fn unbroken(&self, misuse: &[String]) -> Vec<String> {
        let row = format!("{},", self.name);
        let rows: Vec<_> = misuse.iter().filter(|text| is_row(text, &row)).collect();
        let null = format!("{}(NULL", self.name);
        let lacks = |(index, (name, kind)): &(usize, &(String, String))| {
            let handle = kind.contains("etcd3_") && kind.ends_with('*') && !kind.ends_with("**");
            if *index == 0 && !self.fails && handle {
                return !misuse.iter().any(|text| text.contains(&null));
            }
            // A reader: all of its indices are right, and all numbers have names.
            let reads = !self.fails && rows.is_empty() && (*index == 0 || self.arguments[0].1.starts_with("const"));
            !reads && !ANYTHING_GOES.contains(&&*self.name) && !rows.iter().any(|row| row_breaks(row, name))
        };
        let lacking = self.arguments.iter().enumerate().filter(lacks);
        lacking.map(|(_, (name, _))| format!("{}: {name}", self.name)).collect()
    }
}

/// `CALL(etcd3_get, …`, `SET(op, etcd3_op_set_limit, …`
fn is_row(text: &str, row: &str) -> bool {
    let start = text.find(row).map(|at| &text[..at]).unwrap_or_default();
    matches!(start.trim_start().split('(').next(), Some("CALL" | "MAKE" | "SET")) && start.len() < 20
}

/// A macro in it stands for the argument, or several.
fn row_breaks(row: &str, argument: &str) -> bool {
    let several = match argument {
        "queue" | "fn" => row.contains("QUEUE") || row.contains("LISTENER"),
        _ => false,
    };
    let stands = |rest: &str| rest.strip_prefix(argument).is_some_and(|rest| rest.starts_with([',', ')']));
    several || row.match_indices('(').any(|(at, _)| stands(&row[at + 1..]))
}
