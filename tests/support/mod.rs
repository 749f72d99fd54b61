//! What the integration tests share: the library as its users get it, C compilers, other programs.
#![allow(dead_code)]

pub mod auth;
pub mod ctl;
pub mod go;
pub mod name_server;
pub mod programs;

use std::collections::hash_map::RandomState;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn temporary_dir() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn target_dir() -> &'static Path {
    temporary_dir().parent().expect("it is target/tmp")
}

/// The directory of libetcd3.so, libetcd3.so.0 and libetcd3.a, built when first asked for. With
/// `ETCD3_LIBDIR` that one, as it is.
pub fn library_dir() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| match std::env::var_os("ETCD3_LIBDIR") {
        Some(directory) => directory.into(),
        None => build_library(),
    })
}

/// Cargo at the root of the repository, as if no cargo had started this test.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(arguments).args(["--locked", "--target-dir"]).arg(target_dir()).current_dir(repository());
    outside_this_test(&mut cargo);
    cargo
}

fn build_library() -> PathBuf {
    let output = cargo(&["build", "--release"]).output().expect("cargo runs");
    assert!(output.status.success(), "the library does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    let directory = target_dir().join("release");
    let link = directory.join("libetcd3.so.0");
    if let Err(error) = std::os::unix::fs::symlink("libetcd3.so", &link) {
        // Other test programs make it too.
        let there = error.kind() == io::ErrorKind::AlreadyExists;
        assert!(there, "{}: {error}", link.display());
    }
    directory
}

/// Takes out of a command's environment what cargo has set for this test. Some build scripts look at it, so that the
/// library would be built again and again, once with it and once without.
pub fn outside_this_test(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_this_test(name)) {
        command.env_remove(name);
    }
}

fn is_of_this_test(name: &OsStr) -> bool {
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    const NAMES: [&str; 3] = ["CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "OUT_DIR"];
    name.to_str().is_some_and(|name| NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// Compiles a C or C++ program, without a warning, and links it with the library; its path.
pub fn compile_c(source: &Path, std: &str, extra: &[&str]) -> PathBuf {
    let extension = source.extension().and_then(OsStr::to_str);
    let (variable, default) = match extension {
        Some("cc" | "cpp" | "cxx") => ("CXX", "c++"),
        _ => ("CC", "cc"),
    };
    let compiler = std::env::var(variable).unwrap_or(default.into());
    // As make takes it: CC may be "ccache gcc".
    let mut words = compiler.split_whitespace();
    let stem = source.file_stem().expect("a file").to_string_lossy();
    // A source may be compiled for several standards.
    let directory = temporary_dir().join(std);
    std::fs::create_dir_all(&directory).expect("within target/tmp");
    let program = directory.join(&*stem);
    // Another test may be running the program, or compiling it too: it appears whole, by a rename.
    let fresh = directory.join(format!("{stem}.{:016x}", random()));
    let library = library_dir();
    let mut command = Command::new(words.next().unwrap_or(default));
    command
        .args(words)
        .arg(format!("-std={std}"))
        .args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-g", "-Iinclude"])
        .arg(source)
        .args(extra)
        .arg("-o")
        .arg(&fresh)
        .arg("-L")
        .arg(library)
        .arg("-letcd3")
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .arg("-lpthread")
        .current_dir(repository());
    let output = command.output().unwrap_or_else(|error| panic!("{compiler} does not run: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::rename(&fresh, &program).expect("within one directory");
    program
}

/// Runs a program and returns what it printed. Panics, and shows that, if it fails or does not end
/// in time.
pub fn run(program: impl AsRef<OsStr>, args: &[&str], env: &[(&str, &str)], timeout: Duration) -> Output {
    let program = program.as_ref();
    let output = output(program, args, env, timeout);
    assert!(
        output.status.success(),
        "{program:?} {args:?}: {}{}",
        output.status,
        shown(&output.stdout, &output.stderr)
    );
    output
}

/// Like `run`, for a program that may fail.
pub fn output(program: impl AsRef<OsStr>, args: &[&str], env: &[(&str, &str)], timeout: Duration) -> Output {
    let program = program.as_ref();
    // Files and not pipes: a process that the program leaves behind keeps nobody waiting.
    let mut stdout = nameless_file().expect("a temporary file");
    let mut stderr = nameless_file().expect("a temporary file");
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(repository())
        .stdin(Stdio::null())
        .stdout(stdout.try_clone().expect("one more descriptor"))
        .stderr(stderr.try_clone().expect("one more descriptor"));
    match library_path() {
        Some(path) => command.env("LD_LIBRARY_PATH", path),
        None => command.env_remove("LD_LIBRARY_PATH"),
    };
    outside_this_test(&mut command);
    command.envs(env.iter().copied());
    let process = etcd_run::Process::spawn(command).unwrap_or_else(|error| panic!("{program:?} does not run: {error}"));
    let ended = process.wait_timeout(timeout);
    let status = ended.unwrap_or_else(|| process.kill());
    let stdout = contents(&mut stdout).expect("it can be read");
    let stderr = contents(&mut stderr).expect("it can be read");
    assert!(ended.is_some(), "{program:?} {args:?}: not done after {timeout:?}{}", shown(&stdout, &stderr));
    Output { status, stdout, stderr }
}

fn shown(stdout: &[u8], stderr: &[u8]) -> String {
    let (stdout, stderr) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    format!("\n--- its stdout:\n{stdout}\n--- its stderr:\n{stderr}")
}

fn nameless_file() -> io::Result<File> {
    let path = temporary_dir().join(format!("output.{:016x}", random()));
    let file = File::options().read(true).append(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

fn contents(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `LD_LIBRARY_PATH` without what cargo adds: there the library of the debug build is.
fn library_path() -> Option<OsString> {
    let path = std::env::var_os("LD_LIBRARY_PATH")?;
    let foreign: Vec<PathBuf> =
        std::env::split_paths(&path).filter(|directory| !directory.starts_with(target_dir())).collect();
    if foreign.is_empty() {
        return None;
    }
    std::env::join_paths(foreign).ok()
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Where a program is, if it is installed.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

pub fn has_cpp() -> bool {
    std::env::var_os("CXX").is_some() || tool("c++").is_some()
}

/// For a test that cannot run here: `let Some(ruby) = tool("ruby") else { return
/// skip_or_fail("the Ruby test", "no ruby") };`. With `CI` set, nothing may be skipped.
pub fn skip_or_fail(what: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} cannot run ({why}), and with CI set it has to");
    println!("SKIPPED {what}: {why}");
}
