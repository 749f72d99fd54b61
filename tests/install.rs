//! `make install`, and a stranger's program built against what it installs; `make demo`.

mod support;

use etcd_run::{Process, Server, NEWEST};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{library_dir, outside_this_test, repository, run, skip_or_fail, tool};

const PATIENCE: Duration = Duration::from_secs(300);

fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("within target/tmp");
    directory
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths here are UTF-8")
}

#[test]
fn a_strangers_program_builds_with_pkg_config_and_runs() {
    if tool("pkg-config").is_none() {
        return skip_or_fail("a stranger's program", "pkg-config is not installed");
    }
    let root = directory("install");
    library_dir();
    run("make", &["install", &format!("DESTDIR={}", text(&root)), "PREFIX=/usr"], &[], PATIENCE);
    let lib = root.join("usr/lib");
    assert_eq!(
        std::fs::read_link(lib.join("libetcd3.so.0")).unwrap(),
        Path::new(concat!("libetcd3.so.", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(std::fs::read_link(lib.join("libetcd3.so")).unwrap(), Path::new("libetcd3.so.0"));

    let server = Server::start(NEWEST).expect("etcd starts");
    let pkg_config = [
        ("PKG_CONFIG_LIBDIR", format!("{}/pkgconfig", text(&lib))),
        ("PKG_CONFIG_SYSROOT_DIR", text(&root).to_owned()),
    ];
    let pkg_config: Vec<_> = pkg_config.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let archive = format!("{}/libetcd3.a", text(&lib));
    for (program, flags) in [
        ("dynamic", "$(pkg-config --cflags --libs etcd3)".to_owned()),
        (
            "static",
            format!(
                "$(pkg-config --cflags etcd3) {archive} $(pkg-config --static --libs-only-l etcd3 | sed s/-letcd3//)"
            ),
        ),
    ] {
        let program = root.join(program);
        let build = format!("${{CC:-cc}} examples/c/hello.c -o '{}' {flags}", text(&program));
        run("sh", &["-c", &build], &pkg_config, PATIENCE);
        let ran = run(&program, &[server.endpoint()], &[("LD_LIBRARY_PATH", text(&lib))], PATIENCE);
        let expected = std::fs::read_to_string(repository().join("examples/c/hello.out")).unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stdout), expected);
    }

    run("make", &["uninstall", &format!("DESTDIR={}", text(&root)), "PREFIX=/usr"], &[], PATIENCE);
    assert!(!lib.join("libetcd3.so.0").exists() && !root.join("usr/include/etcd3.h").exists());
}

#[test]
fn the_flags_for_static_linking_are_what_rustc_says() {
    let args = ["rustc", "--lib", "--locked", "--crate-type", "staticlib", "--", "--print", "native-static-libs"];
    let said = run(env!("CARGO"), &args, &[], PATIENCE);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let flags = said.lines().find_map(|line| line.split_once("native-static-libs: ")).expect("rustc prints them").1;
    let template = std::fs::read_to_string(repository().join("packaging/etcd3.pc.in")).unwrap();
    let private = template.lines().find_map(|line| line.strip_prefix("Libs.private: ")).expect("it has them");
    let sorted = |flags: &str| {
        let mut flags: Vec<_> = flags.split_whitespace().map(str::to_owned).collect();
        flags.sort();
        flags.dedup();
        flags
    };
    assert_eq!(sorted(private), sorted(flags));
}

/// Processes that have `word` in their command line.
fn processes_with(word: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).filter(|line| line.contains(word)).collect()
}

#[test]
fn the_demo_leaves_nothing_behind() {
    library_dir();
    let scratch = directory("demo-whole");
    let said = run("make", &["demo"], &[("TMPDIR", text(&scratch))], PATIENCE);
    assert!(String::from_utf8_lossy(&said.stdout).lines().count() > 10, "{said:?}");
    assert_eq!(processes_with(text(&scratch)), [""; 0]);
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
}

#[test]
fn ctrl_c_in_the_demo_leaves_nothing_behind() {
    library_dir();
    let scratch = directory("demo-interrupted");
    let output = scratch.join("output");
    let mut command = Command::new("make");
    command.arg("demo").env("TMPDIR", &scratch).current_dir(repository()).stdin(Stdio::null()).process_group(0);
    outside_this_test(&mut command);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    command.stdout(writer).stderr(File::create(&output).expect("within target/tmp"));
    let process = Process::spawn(command).expect("make runs");
    let mut lines = BufReader::new(reader).lines();
    let first = lines.next().expect("the demo prints").expect("text");
    // SAFETY: the group is the one just started, like a terminal's.
    unsafe { libc::kill(-(process.pid() as i32), libc::SIGINT) };
    lines.for_each(drop);
    process.wait();
    std::fs::remove_file(output).unwrap();
    assert_eq!(processes_with(text(&scratch)), [""; 0], "after {first:?}");
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
}
