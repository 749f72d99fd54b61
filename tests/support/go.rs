//! Programs in Go: etcdctl, etcdutl and that of tests/interop/go. Go keeps what it has downloaded and compiled, so building
//! them takes long but once.

use super::{output, temporary_dir, tool};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

/// To download and to compile.
const MUCH_PATIENCE: Duration = Duration::from_secs(900);

pub struct Programs {
    pub etcdctl: PathBuf,
    pub etcdutl: PathBuf,
    pub interop: PathBuf,
}

/// All of them, or why there are none.
pub fn programs() -> Result<&'static Programs, &'static str> {
    static BUILT: OnceLock<Result<Programs, &str>> = OnceLock::new();
    BUILT.get_or_init(build).as_ref().map_err(|why| *why)
}

fn build() -> Result<Programs, &'static str> {
    let go = tool("go").ok_or("go is not installed")?;
    let directory = temporary_dir().join("interop-go");
    std::fs::create_dir_all(&directory).expect("within target/tmp");
    let script =
        r#"cd tests/interop/go && exec "$1" build -o "$2/" . go.etcd.io/etcd/etcdctl/v3 go.etcd.io/etcd/etcdutl/v3"#;
    let [go, into] = [&go, &directory].map(|path| path.to_str().expect("a path in UTF-8"));
    let env = [("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("GOTOOLCHAIN", "local"), ("GOWORK", "off")];
    let ended = output("sh", &["-c", script, "sh", go, into], &env, MUCH_PATIENCE);
    if !ended.status.success() {
        println!("{}", String::from_utf8_lossy(&ended.stderr));
        return Err("go cannot build tests/interop/go: it needs Go 1.24, and the network once");
    }
    let program = |name| directory.join(name);
    Ok(Programs { etcdctl: program("etcdctl"), etcdutl: program("etcdutl"), interop: program("interop") })
}
