//! Which etcd to run, and where its binary is.

use crate::{fail, Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// The versions that `tools/etcd-bin` brings, oldest first.
pub const VERSIONS: [&str; 4] = ["3.4", "3.5", "3.6", "3.7"];

/// The newest of them.
pub const NEWEST: &str = "3.7";

/// The versions to test with: those named in `ETCD_VERSIONS`, separated by spaces; without it the
/// newest. If `ETCD` names a binary, its version alone.
pub fn versions_from_env() -> Vec<String> {
    if let Some(path) = other_binary() {
        // A binary that does not run is reported by the start of a server.
        return vec![version_of(&path).unwrap_or_else(|_| NEWEST.into())];
    }
    let named = std::env::var("ETCD_VERSIONS").unwrap_or_default();
    let versions: Vec<String> = named.split_whitespace().map(str::to_owned).collect();
    if versions.is_empty() {
        vec![NEWEST.into()]
    } else {
        versions
    }
}

/// The etcd binary of a version such as "3.6", built (or downloaded) when first asked for. The
/// binary that `ETCD` names, if it is set, whatever the version.
pub fn binary(version: &str) -> Result<PathBuf> {
    static FOUND: OnceLock<Mutex<HashMap<String, PathBuf>>> = OnceLock::new();
    if let Some(path) = other_binary() {
        return Ok(path);
    }
    // Held while cargo runs, so that threads asking for the same version run it once.
    let mut found = FOUND.get_or_init(Mutex::default).lock().unwrap();
    if let Some(path) = found.get(version) {
        return Ok(path.clone());
    }
    let path = ask_cargo(version)?;
    found.insert(version.to_owned(), path.clone());
    Ok(path)
}

fn other_binary() -> Option<PathBuf> {
    std::env::var_os("ETCD").filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn ask_cargo(version: &str) -> Result<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = repository.join(format!("tools/etcd-bin/{version}/Cargo.toml"));
    if !manifest.is_file() {
        return fail(format!(
            "no etcd {version} here: there are {}, and ETCD=<path> for any other",
            VERSIONS.join(", ")
        ));
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--locked", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(repository.join("target/etcd-bin"))
        // Meant for the library under test: a sanitizer, say, cannot be linked in here.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .map_err(|error| Error(format!("cargo does not run: {error}")))?;
    if !output.status.success() {
        return fail(format!(
            "cargo brought no etcd {version} ({}):\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
    if !path.is_file() {
        return fail(format!("there is no etcd at {}", path.display()));
    }
    Ok(path)
}

fn version_of(path: &Path) -> Result<String> {
    let output = output_of(path, "--version")?;
    let full = output
        .lines()
        .find_map(|line| line.strip_prefix("etcd Version: "))
        .ok_or_else(|| Error(format!("{} is no etcd:\n{output}", path.display())))?;
    let mut parts = full.trim().split('.');
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => Ok(format!("{major}.{minor}")),
        _ => fail(format!("{} is of version {full}?", path.display())),
    }
}

/// Asked of the binary, since the flag also came to late 3.4 releases.
pub(crate) fn knows_unsafe_no_fsync(path: &Path) -> Result<bool> {
    static KNOWN: OnceLock<Mutex<HashMap<PathBuf, bool>>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap();
    if let Some(answer) = known.get(path) {
        return Ok(*answer);
    }
    let answer = output_of(path, "--help")?.contains("--unsafe-no-fsync");
    known.insert(path.to_owned(), answer);
    Ok(answer)
}

fn output_of(path: &Path, flag: &str) -> Result<String> {
    let output = Command::new(path)
        .arg(flag)
        .output()
        .map_err(|error| Error(format!("{} does not run: {error}", path.display())))?;
    // Older etcds print their help on stderr.
    let all = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&all).into_owned())
}
