//! The header: fresh, documented, the same set of names as the library exports, and plain C.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::{compile_c, has_cpp, library_dir, repository, run, skip_or_fail};

fn header() -> String {
    std::fs::read_to_string(repository().join("include/etcd3.h")).expect("include/etcd3.h can be read")
}

#[test]
fn is_fresh() {
    let generated = std::fs::read_to_string(Path::new(env!("OUT_DIR")).join("etcd3.h")).expect("build.rs wrote it");
    assert!(header() == generated, "include/etcd3.h is not what the source says: run `make header` and commit it");
}

/// Every function the header declares, with the line it starts on.
fn declared() -> Vec<(usize, String)> {
    let header = header();
    let lines = header.lines().enumerate().filter(|(_, line)| !line.starts_with([' ', '#', '/', '}']));
    let functions = lines.filter_map(|(number, line)| {
        let name = line.split('(').next()?.rsplit([' ', '*']).next()?;
        (line.contains('(') && name.starts_with("etcd3_")).then(|| (number, name.to_owned()))
    });
    functions.collect()
}

#[test]
fn declares_what_the_library_exports() {
    let library = library_dir().join("libetcd3.so");
    let nm = Command::new("nm").args(["-D", "--defined-only"]).arg(library).output().expect("nm runs");
    assert!(nm.status.success(), "{nm:?}");
    let text = String::from_utf8(nm.stdout).expect("nm prints text");
    let exported: BTreeSet<_> =
        text.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect();
    let declared: BTreeSet<_> = declared().into_iter().map(|(_, name)| name).collect();
    assert!(declared.len() > 50, "only {} functions found in the header", declared.len());
    assert_eq!(exported, declared);
}

#[test]
fn documents_everything() {
    let header = header();
    let lines: Vec<_> = header.lines().collect();
    let documented = |number: usize| number > 0 && lines[number - 1].trim_end().ends_with("*/");
    let mut things = declared();
    // The macros of the version share one comment.
    let macros = |line: &str| {
        let name = line.strip_prefix("#define ")?.split(' ').next()?;
        let part = ["_MINOR", "_PATCH", "_NUMBER", "_STRING"].iter().any(|end| name == format!("ETCD3_VERSION{end}"));
        (name != "ETCD3_H" && !part).then(|| name.to_owned())
    };
    things.extend(lines.iter().enumerate().filter_map(|(number, line)| Some((number, macros(line)?))));
    let types = lines.iter().enumerate().filter(|(_, line)| line.starts_with("typedef "));
    things.extend(types.map(|(number, line)| (number, (*line).to_owned())));
    let fields = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.starts_with("    ") && line.ends_with(';') && !line.contains(')'));
    things.extend(fields.map(|(number, line)| (number, line.trim().to_owned())));
    let bare: Vec<_> = things.into_iter().filter(|(number, _)| !documented(*number)).map(|(_, thing)| thing).collect();
    assert!(bare.is_empty(), "without a comment: {bare:?}");
}

#[test]
fn has_nothing_without_the_prefix() {
    for line in header().lines() {
        if let Some(name) = line.strip_prefix("#define ").and_then(|rest| rest.split(' ').next()) {
            assert!(name.starts_with("ETCD3_"), "{line}");
        }
        if line.starts_with("typedef ") && line.ends_with(';') && !line.contains('(') {
            let name = line.trim_end_matches(';').rsplit(' ').next().unwrap_or_default();
            assert!(name.starts_with("etcd3_") && name.ends_with("_t"), "{line}");
        }
    }
}

#[test]
fn compiles_in_every_standard_and_tells_the_version() {
    let c = repository().join("tests/c/test_version.c");
    let cpp = Path::new(env!("CARGO_TARGET_TMPDIR")).join("test_version.cc");
    std::fs::copy(&c, &cpp).expect("within target/tmp");
    let mut all = vec![(&c, ["c99", "c11", "c17"])];
    match has_cpp() {
        true => all.push((&cpp, ["c++11", "c++14", "c++17"])),
        false => skip_or_fail("the header as C++", "no C++ compiler"),
    }
    for (source, standards) in all {
        for standard in standards {
            let program = compile_c(source, standard, &[]);
            let said = run(program, &[], &[], Duration::from_secs(10)).stdout;
            assert_eq!(String::from_utf8_lossy(&said).trim(), env!("CARGO_PKG_VERSION"));
        }
    }
}

#[test]
fn the_library_has_its_soname_and_stays_loaded() {
    let library = library_dir().join("libetcd3.so");
    let readelf = Command::new("readelf").arg("-dW").arg(library).output().expect("readelf runs");
    let text = String::from_utf8_lossy(&readelf.stdout).into_owned();
    assert!(text.contains("Library soname: [libetcd3.so.0]") && text.contains("NODELETE"), "{text}");
}
