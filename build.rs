//! Generates the wire messages from proto/ and the C header from src/.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The sections of the header, in their order, with the file each comes from.
const SECTIONS: &[(&str, &str)] = &[
    ("Version", "src/ffi/version.rs"),
    ("Errors", "src/core/code.rs"),
    ("", "src/ffi/error.rs"),
    ("Headers", "src/ffi/header.rs"),
    ("Results", "src/ffi/result.rs"),
    ("Events", "src/ffi/event_kind.rs"),
    ("", "src/ffi/event.rs"),
    ("Queues", "src/ffi/queue.rs"),
    ("Configuration", "src/ffi/config.rs"),
    ("Loading a configuration", "src/ffi/load.rs"),
    ("Client", "src/ffi/client.rs"),
    ("", "src/ffi/endpoints.rs"),
    ("Security", "src/ffi/security.rs"),
    ("Operations", "src/ffi/op.rs"),
    ("Transactions", "src/ffi/txn.rs"),
    ("Calls", "src/ffi/kv.rs"),
    ("Raw calls", "src/ffi/raw.rs"),
    ("Calls that do not block", "src/ffi/call.rs"),
    ("Watches", "src/ffi/watch_opts.rs"),
    ("", "src/ffi/watch.rs"),
    ("Leases", "src/ffi/lease.rs"),
    ("", "src/ffi/lease_info.rs"),
    ("Sessions", "src/ffi/session.rs"),
    ("Locks", "src/ffi/lock.rs"),
    ("Elections", "src/ffi/election.rs"),
    ("Barriers", "src/ffi/barrier.rs"),
    ("Queues of work", "src/ffi/work.rs"),
    ("Transactional memory", "src/ffi/stm.rs"),
    ("Reading in pages", "src/ffi/pages.rs"),
    ("Namespaces", "src/ffi/namespace.rs"),
    ("Members", "src/ffi/cluster.rs"),
    ("Status", "src/ffi/status.rs"),
    ("Alarms", "src/ffi/alarm.rs"),
    ("Maintenance", "src/ffi/maintenance.rs"),
    ("Hashes", "src/ffi/hash.rs"),
    ("Snapshots", "src/ffi/snapshot.rs"),
    ("Users", "src/ffi/access.rs"),
    ("Roles", "src/ffi/role.rs"),
];

fn main() {
    for path in ["build.rs", "cbindgen.toml", "proto", "src"] {
        println!("cargo:rerun-if-changed={path}");
    }
    println!("cargo:rerun-if-env-changed=ETCD3_WRITE_HEADER");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libetcd3.so.0");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    generate();
}

pub fn generate() {
    compile_protos();
    write_header();
}

fn compile_protos() {
    let protos =
        fs::read_dir("proto").expect("proto/ can be read").map(|file| file.expect("proto/ can be read").path());
    let files = protox::compile(protos, ["proto"]).expect("proto/ compiles");
    tonic_prost_build::configure().build_server(false).bytes(".").compile_fds(files).expect("code can be generated");
}

/// The header goes to OUT_DIR, where a test compares it with the committed one; on request also there.
fn write_header() {
    let mut header = fs::read_to_string("src/ffi/header_top.h").expect("src/ffi/header_top.h can be read");
    for (title, file) in SECTIONS {
        let (about, body) = section(Path::new(file));
        if !title.is_empty() {
            header.push_str(&format!("\n/* ---- {title} {} */\n", "-".repeat(88 - title.len())));
        }
        if !about.is_empty() {
            header.push_str(&format!("\n/*\n{about} */\n\n"));
        }
        if *title == "Version" {
            header.push_str(&version_macros());
        }
        header.push_str(&body);
    }
    header.push_str("\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* ETCD3_H */\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("etcd3.h"), &header).expect("OUT_DIR can be written");
    let committed = Path::new("include/etcd3.h");
    if env::var_os("ETCD3_WRITE_HEADER").is_some() && fs::read_to_string(committed).ok().as_ref() != Some(&header) {
        fs::write(committed, &header).expect("include/etcd3.h can be written");
    }
}

fn version_macros() -> String {
    let part = |name: &str| env::var(format!("CARGO_PKG_VERSION_{name}")).expect("cargo sets the version");
    let (major, minor, patch) = (part("MAJOR"), part("MINOR"), part("PATCH"));
    let number = [&major, &minor, &patch]
        .iter()
        .fold(0, |n, part| n << 8 | part.parse::<u32>().expect("a version's part is a number"));
    format!(
        "\n/** The version of this header; etcd3_version_number and etcd3_version_string tell the library's. */\n\
         #define ETCD3_VERSION_MAJOR {major}\n#define ETCD3_VERSION_MINOR {minor}\n#define ETCD3_VERSION_PATCH {patch}\n\
         #define ETCD3_VERSION_NUMBER 0x{number:06x}\n#define ETCD3_VERSION_STRING \"{major}.{minor}.{patch}\"\n"
    )
}

/// A file's opening comment, and its C declarations.
fn section(file: &Path) -> (String, String) {
    let source = fs::read_to_string(file).expect("a section's file can be read");
    let about = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .fold(String::new(), |all, line| all + " *" + line + "\n");
    let mut config = cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml can be read");
    if file.starts_with("src/core") {
        config.export.prefix = Some("ETCD3_".into());
    }
    let mut body = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(file)
        .generate()
        .unwrap_or_else(|e| panic!("no header for {}: {e}", file.display()))
        .write(&mut body);
    (about, tidy(&String::from_utf8(body).expect("a header is text")))
}

/// Comments of one line are written on one. No type needs its `struct`, which cbindgen puts where it knows it is one.
fn tidy(declarations: &str) -> String {
    let bare = |line: &str| match line.starts_with("typedef struct") {
        true => line.to_owned(),
        false => line.replace("struct etcd3_", "etcd3_"),
    };
    let lines: Vec<_> = declarations.lines().map(bare).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let (mut text, mut i) = (String::new(), 0);
    while i < lines.len() {
        let comment = match lines[i..] {
            [open, text, close, ..] if open.trim() == "/**" && close.trim() == "*/" => {
                text.trim().strip_prefix('*').map(|text| (open, text))
            }
            _ => None,
        };
        match comment {
            Some((open, words)) => {
                text.push_str(&format!("{open}{words} */\n"));
                i += 3;
            }
            None => {
                text.push_str(&format!("{}\n", lines[i]));
                i += 1;
            }
        }
    }
    text
}
