//! The library from other languages: a program each, in tests/lang, against real etcd servers.

mod support;

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{library_dir, output, repository, run, skip_or_fail, tool};

/// A program is done in a second or two; one that does not exit by itself is found out here.
const PATIENCE: Duration = Duration::from_secs(60);
/// To download or to compile what it needs.
const MUCH_PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn go() {
    let Some(go) = tool("go") else {
        return skip_or_fail("LANG go", "go is not installed");
    };
    let program = temporary("lang-go");
    let library = text(library_dir());
    // Go does not look into the header to see whether what it built before is up to date.
    let header = repository().join("include/etcd3.h");
    let cflags = format!("-I{} -DETCD3_HEADER_IS={}", text(&repository().join("include")), fingerprint(&header));
    run(
        "sh",
        &["-c", r#"cd tests/lang/go && exec "$1" build -o "$2" ."#, "sh", text(&go), text(&program)],
        &[
            ("CGO_ENABLED", "1"),
            ("CGO_CFLAGS", &cflags),
            ("CGO_LDFLAGS", &format!("-L{library} -letcd3 -Wl,-rpath,{library}")),
            ("GOFLAGS", ""),
            ("GOTOOLCHAIN", "local"),
            ("GOWORK", "off"),
        ],
        MUCH_PATIENCE,
    );
    smoke("go", &program, &[], &[]);
}

#[test]
fn node() {
    let Some(node) = tool("node") else {
        return skip_or_fail("LANG node", "node is not installed");
    };
    let modules = match node_modules() {
        Ok(directory) => directory,
        Err(why) => return skip_or_fail("LANG node", &why),
    };
    smoke("node", &node, &["tests/lang/node/smoke.js"], &[("NODE_PATH", text(&modules))]);
}

#[test]
fn python() {
    let Some(python) = tool("python3") else {
        return skip_or_fail("LANG python", "python3 is not installed");
    };
    // -B: nothing is written beside the source.
    smoke("python", &python, &["-B", "tests/lang/python/smoke.py"], &[]);
}

#[test]
fn ruby() {
    let Some(ruby) = tool("ruby") else {
        return skip_or_fail("LANG ruby", "ruby is not installed");
    };
    let fiddle = output(&ruby, &["-rfiddle", "-e", "0"], &[], PATIENCE);
    if !fiddle.status.success() {
        return skip_or_fail("LANG ruby", "ruby has no fiddle");
    }
    smoke("ruby", &ruby, &["tests/lang/ruby/smoke.rb"], &[]);
}

/// Runs a program against a server of each version; it has to end, and to end well, by itself.
fn smoke(language: &str, program: &Path, args: &[&str], env: &[(&str, &str)]) {
    let passed = format!("LANG {language}: passed");
    for version in etcd_run::versions_from_env() {
        let server = etcd_run::Server::start(&version).unwrap();
        let mut env = env.to_vec();
        env.push(("ETCD3_ENDPOINTS", server.endpoint()));
        env.push(("ETCD3_LIBDIR", text(library_dir())));
        let ended = run(program, args, &env, PATIENCE);
        let stdout = String::from_utf8_lossy(&ended.stdout);
        assert_eq!(stdout.lines().last(), Some(&*passed), "etcd {version}");
    }
    println!("{passed}");
}

/// The directory of the packages that package-lock.json names: beside it after `make setup`, else
/// one of our own, made once, so that the source stays as it is.
fn node_modules() -> Result<PathBuf, String> {
    let source = repository().join("tests/lang/node");
    let theirs = source.join("node_modules");
    if theirs.join("koffi").is_dir() {
        return Ok(theirs);
    }
    let lock = source.join("package-lock.json");
    let directory = temporary(&format!("lang-node-{}", fingerprint(&lock)));
    let modules = directory.join("node_modules");
    if modules.is_dir() {
        return Ok(modules);
    }
    let npm = tool("npm").ok_or("npm is not installed")?;
    // It appears whole, by a rename: this test may be ended at any time.
    let fresh = directory.with_extension(std::process::id().to_string());
    std::fs::create_dir_all(&fresh).expect("within target/tmp");
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(source.join(file), fresh.join(file)).expect("two small files");
    }
    // koffi brings its binary along; its install script would only look for it.
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let args = [&install[..], &["--prefix", text(&fresh)]].concat();
    let ended = output(npm, &args, &[], MUCH_PATIENCE);
    // The rename fails if another run of this test was faster.
    if !ended.status.success() || std::fs::rename(&fresh, &directory).is_err() {
        let _ = std::fs::remove_dir_all(&fresh);
    }
    if modules.is_dir() {
        return Ok(modules);
    }
    println!("{}", String::from_utf8_lossy(&ended.stderr));
    Err("npm ci cannot install what its package-lock.json names".into())
}

fn fingerprint(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    format!("0x{:016x}", hasher.finish())
}

fn temporary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
