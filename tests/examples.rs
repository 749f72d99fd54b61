//! The programs of examples/c, each against a fresh server: they print exactly what their .out file says.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{compile_c, repository, run};

const PATIENCE: Duration = Duration::from_secs(60);

/// Declares a test for each example, and the list of them all.
macro_rules! examples {
    ($($name:ident)*) => {
        $(#[test] fn $name() { prints_what_it_should(stringify!($name)); })*

        const EXAMPLES: &[&str] = &[$(stringify!($name)),*];
    };
}

examples! { hello tour transaction watch cache mirror poll_loop paging lease lock namespace election }

fn example(file: &str) -> PathBuf {
    repository().join("examples/c").join(file)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn prints_what_it_should(name: &str) {
    let source = example(&format!("{name}.c"));
    let wanted = text(&example(&format!("{name}.out")));
    compile_c(&source, "c11", &[]);
    let program = compile_c(&source, "c99", &[]);
    for version in etcd_run::versions_from_env() {
        let server = etcd_run::Server::start(&version).unwrap();
        let ended = run(&program, &[server.endpoint()], &[], PATIENCE);
        assert_eq!(String::from_utf8_lossy(&ended.stdout), wanted, "{name} with etcd {version}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{name} with etcd {version}");
    }
}

#[test]
fn every_example_has_a_test() {
    let mut found: Vec<_> = std::fs::read_dir(example(""))
        .expect("examples/c is there")
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        // A program in a directory of its own: tests/ctl.rs.
        .filter(|name| name != "etcd3ctl")
        .collect();
    let mut wanted: Vec<_> = EXAMPLES.iter().flat_map(|name| [format!("{name}.c"), format!("{name}.out")]).collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn hello_is_the_readmes() {
    let readme = text(&repository().join("README.md"));
    let program = text(&example("hello.c"));
    assert!(readme.contains(&format!("```c\n{program}```")), "README.md does not show examples/c/hello.c");
}
