//! The C programs of tests/c: as every standard, and under valgrind.

use super::{compile_c, has_cpp, repository, run, skip_or_fail, temporary_dir, tool};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// What each program must be, as far as there are compilers for it.
pub fn standards() -> &'static [&'static str] {
    if has_cpp() {
        return &["c99", "c11", "c++17"];
    }
    skip_or_fail("programs as C++", "no C++ compiler");
    &["c99", "c11"]
}

/// A program is done in seconds; one that hangs is found out here.
const PATIENCE: Duration = Duration::from_secs(300);
/// Under valgrind, on a busy machine.
const MUCH_PATIENCE: Duration = Duration::from_secs(900);

const VALGRIND: [&str; 6] = [
    "-q",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=all",
    "--errors-for-leak-kinds=all",
    "--num-callers=30",
];

/// Compiles tests/c/NAME.c; the program.
pub fn compile_program(name: &str, standard: &str) -> PathBuf {
    let source = repository().join(format!("tests/c/{name}.c"));
    if !standard.starts_with("c++") {
        return compile_c(&source, standard, &[]);
    }
    // The same text, as C++: what a compiler takes a file for depends on its name.
    let directory = temporary_dir().join("as-c++");
    std::fs::create_dir_all(&directory).expect("within target/tmp");
    let wrapped = directory.join(format!("{name}.cc"));
    std::fs::write(&wrapped, format!("#include \"{}\"\n", source.display())).expect("within target/tmp");
    compile_c(&wrapped, standard, &[])
}

/// Whether the C compiler can link a program with this sanitizer.
pub fn sanitizes(what: &str) -> bool {
    let compiler = std::env::var("CC").unwrap_or("cc".into());
    let mut words = compiler.split_whitespace();
    let mut command = std::process::Command::new(words.next().unwrap_or("cc"));
    command.args(words).arg(format!("-fsanitize={what}")).args(["-x", "c", "-", "-o", "/dev/null"]);
    command.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    command.spawn().is_ok_and(|mut child| {
        let written =
            child.stdin.take().is_some_and(|mut input| input.write_all(b"int main(void) { return 0; }").is_ok());
        child.wait().is_ok_and(|status| status.success()) && written
    })
}

/// Compiles and runs one, and prints what it printed.
pub fn run_program(name: &str, env: &[(&str, &str)]) {
    let ended = run(compile_program(name, "c99"), &[], env, PATIENCE);
    print!("{}", String::from_utf8_lossy(&ended.stdout));
}

/// Runs one under valgrind, if that is there, with `env` and what makes it take less time.
pub fn run_under_valgrind(name: &str, env: &[(&str, &str)]) {
    run_under_valgrind_with(name, env, &[]);
}

/// The same with more options for valgrind.
pub fn run_under_valgrind_with(name: &str, env: &[(&str, &str)], options: &[&str]) {
    let Some(valgrind) = tool("valgrind") else {
        return skip_or_fail(&format!("{name} under valgrind"), "valgrind is not installed");
    };
    let compiled = compile_program(name, "c11");
    let mut args = VALGRIND.to_vec();
    args.extend(options);
    args.push(compiled.to_str().expect("a path in UTF-8"));
    let mut all = env.to_vec();
    all.extend([("ETCD3_TEST_VALGRIND", "1"), ("ETCD3_TEST_EVENTS", "100"), ("ETCD3_TEST_SLACK_MS", "10000")]);
    let ended = run(&valgrind, &args, &all, MUCH_PATIENCE);
    let stderr = String::from_utf8_lossy(&ended.stderr);
    // A forked child's errors do not end up in the parent's exit status.
    assert!(!stderr.contains("=="), "{name} under valgrind:\n{stderr}");
}
