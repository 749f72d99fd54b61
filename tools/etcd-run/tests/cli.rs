use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// `etcd-run` with a temporary directory and a process group of its own, its command waiting.
struct Running {
    child: Child,
    temporary: tempfile::TempDir,
    output: BufReader<ChildStdout>,
    /// The command reads it.
    _input: ChildStdin,
}

fn etcd_run(temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-run"));
    command.env("TMPDIR", temporary);
    command
}

fn start(script: &str) -> Running {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = etcd_run(temporary.path())
        .args(["--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    assert_eq!(processes_in(temporary.path()).len(), 1);
    let input = child.stdin.take().unwrap();
    Running { child, temporary, output, _input: input }
}

/// The processes in whose command line the directory stands: the etcds.
fn processes_in(directory: &Path) -> Vec<String> {
    let directory = directory.to_str().unwrap();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let commands = entries.filter_map(|entry| {
        let command = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&command).into_owned())
    });
    commands.filter(|command| command.contains(directory)).collect()
}

fn signal(pid: i32, signal: i32) {
    // SAFETY: no memory is involved.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

fn assert_nothing_left(running: &Running) {
    let temporary = running.temporary.path();
    assert_eq!(processes_in(temporary), [""; 0]);
    let left: Vec<_> = std::fs::read_dir(temporary).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_command_gets_the_endpoints_and_its_status_is_passed_on() {
    let temporary = tempfile::tempdir().unwrap();
    let script = "echo $ETCD3_ENDPOINTS $ETCD3_SERVER_VERSION; exit 7";
    let output = etcd_run(temporary.path())
        .args(["--version=3.6", "--cluster", "3", "--", "sh", "-c", script])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (endpoints, version) = text.trim_end().split_once(' ').unwrap();
    assert_eq!(endpoints.split(',').count(), 3);
    assert!(std::env::var_os("ETCD").is_some() || version.starts_with("3.6."), "{version}");
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn what_goes_wrong_before_the_command_is_told() {
    let temporary = tempfile::tempdir().unwrap();
    let code = |args: &[&str]| {
        let output = etcd_run(temporary.path()).args(args).output().unwrap();
        assert!(!output.stderr.is_empty());
        output.status.code()
    };
    assert_eq!(code(&["--version", "3.6"]), Some(125));
    assert_eq!(code(&["--what", "--", "true"]), Some(125));
    assert_eq!(code(&["--etcd-flag=--no-such-flag", "--", "true"]), Some(125));
    assert_eq!(code(&["--", "/no/such/command"]), Some(127));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn ctrl_c_leaves_nothing() {
    let mut running = start("echo ready; read line");
    signal(-(running.child.id() as i32), libc::SIGINT);
    assert_eq!(running.child.wait().unwrap().code(), Some(130));
    assert_nothing_left(&running);
}

#[test]
fn a_signal_is_passed_on_and_a_command_that_ignores_it_is_killed() {
    // A shell with a trap goes on after it.
    let mut running = start("trap 'echo asked' TERM; echo ready; read line; read line");
    signal(running.child.id() as i32, libc::SIGTERM);
    assert_eq!(running.child.wait().unwrap().code(), Some(143));
    let mut rest = String::new();
    running.output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "asked\n");
    assert_nothing_left(&running);
}

#[test]
fn a_signal_while_the_server_starts_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let etcd = elsewhere.path().join("etcd");
    // Never answers: nobody writes to the fifo.
    let script = "#!/bin/sh\n[ $1 = --help ] || { mkfifo $0.fifo; read line < $0.fifo; }\n";
    std::fs::write(&etcd, script).unwrap();
    std::fs::set_permissions(&etcd, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut child = etcd_run(temporary.path()).env("ETCD", &etcd).args(["--", "true"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while processes_in(temporary.path()).is_empty() {
        assert!(Instant::now() < deadline, "etcd is not started");
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(child.id() as i32, libc::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(processes_in(temporary.path()), [""; 0]);
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn a_killed_etcd_run_leaves_no_etcd() {
    let mut running = start("echo ready; read line");
    running.child.kill().unwrap();
    assert_eq!(running.child.wait().unwrap().signal(), Some(libc::SIGKILL));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !processes_in(running.temporary.path()).is_empty() {
        assert!(Instant::now() < deadline, "etcd outlives etcd-run");
        std::thread::sleep(Duration::from_millis(5));
    }
}
