//! The messages once more, for what reads the library's requests without the library's own code; and a caller for
//! every function of the C interface, made from its signature, so that a new one is fuzzed as soon as it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

fn main() {
    for path in ["build.rs", "../proto", "../src/ffi"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let protos = fs::read_dir("../proto").expect("proto/ can be read").map(|file| file.expect("a file").path());
    let files = protox::compile(protos, ["../proto"]).expect("proto/ compiles");
    prost_build::Config::new().compile_fds(files).expect("code can be generated");
    fs::write(out.join("callers.rs"), callers()).expect("OUT_DIR can be written");
}

/// Where -1 is to wait for ever.
const FOR_EVER: &[&str] = &[
    "etcd3_lock_acquire",
    "etcd3_election_campaign",
    "etcd3_barrier_wait",
    "etcd3_double_barrier_enter",
    "etcd3_double_barrier_leave",
    "etcd3_fifo_dequeue",
    "etcd3_pqueue_dequeue",
    "etcd3_queue_dispatch",
    "etcd3_queue_next",
    "etcd3_snapshot_to_file",
    "etcd3_snapshot_to_fd",
    "etcd3_watch_once",
    "etcd3_watch_prefix_once",
];

struct Function {
    name: String,
    args: Vec<(String, String)>,
    gives: String,
}

impl Function {
    /// The C type of the first argument, without `etcd3_` and `_t`.
    fn of(&self) -> Option<String> {
        self.args.first().and_then(|(_, kind)| handle(kind))
    }

    fn is_free(&self) -> bool {
        self.args.len() == 1 && self.name.ends_with("_free")
    }

    /// Reads an object, and cannot fail.
    fn is_accessor(&self) -> bool {
        let plain = |(name, kind): &(String, String)| kind == "usize" && name.contains("index") || name == "len";
        let handle = |kind: &str| kind.starts_with("*const") && handle(kind).is_some();
        !self.gives.is_empty()
            && self.args.first().is_some_and(|(_, kind)| handle(kind))
            && self.args[1..].iter().all(plain)
            // What it gives has to be closed.
            && self.name != "etcd3_queue_dup_fd"
            && !self.args.iter().any(|(name, _)| name == "err")
    }

    /// The type of what it makes.
    fn makes(&self) -> Option<String> {
        let outs = self.args.iter().filter(|(name, _)| name != "err");
        let mut outs = outs.filter_map(|(_, kind)| kind.strip_prefix("*mut *mut "));
        let given = self.gives.strip_prefix("*mut ").or_else(|| outs.next())?;
        bare(given)
    }
}

fn bare(kind: &str) -> Option<String> {
    Some(kind.strip_prefix("etcd3_")?.strip_suffix("_t")?.to_owned())
}

fn handle(kind: &str) -> Option<String> {
    bare(kind.strip_prefix("*const ").or_else(|| kind.strip_prefix("*mut "))?)
}

fn functions() -> (Vec<Function>, BTreeSet<String>) {
    let (mut functions, mut files) = (Vec::new(), BTreeSet::new());
    for file in fs::read_dir("../src/ffi").expect("src/ffi can be read") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a source can be read");
        for rest in text.split("#[no_mangle]").skip(1) {
            let (_, rest) = rest.split_once("extern \"C\" fn ").expect("a function");
            let (name, rest) = rest.split_once('(').expect("arguments");
            let (args, rest) = rest.split_once(')').expect("their end");
            let gives = rest.split('{').next().unwrap_or_default().trim().trim_start_matches("->").trim();
            let args = args.split(',').filter_map(|arg| arg.trim().split_once(": "));
            let args = args.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
            functions.push(Function { name: name.into(), args, gives: gives.into() });
            files.insert(path.file_stem().expect("a name").to_string_lossy().into_owned());
        }
    }
    (functions, files)
}

fn callers() -> String {
    let (mut functions, files) = functions();
    functions.sort_by_key(|function| ring(&function.name));
    let mut text = String::new();
    for file in files {
        writeln!(text, "#[allow(unused_imports)] use etcd3::ffi::{file}::*;").unwrap();
    }
    let (mut calls, mut inside) = (String::new(), String::new());
    let mut frees = String::new();
    let mut readers: BTreeMap<String, String> = BTreeMap::new();
    let mut makers: BTreeMap<String, String> = BTreeMap::new();
    for function in &functions {
        let name = &function.name;
        let kind = function.of().unwrap_or_default();
        if function.is_free() {
            writeln!(frees, "({kind:?}, |object| unsafe {{ {name}(object.cast()) }}),").unwrap();
        }
        if function.is_accessor() {
            readers.entry(kind.clone()).or_default().push_str(&reader(function));
            continue;
        }
        text.push_str(&caller(function));
        let list = if kind == "stm" { &mut inside } else { &mut calls };
        writeln!(list, "({}, call_{name}),", ring(name)).unwrap();
        if let Some(made) = function.makes() {
            writeln!(makers.entry(made).or_default(), "call_{name},").unwrap();
        }
    }
    writeln!(text, "pub const CALLS: &[(u16, Caller)] = &[{calls}];").unwrap();
    writeln!(text, "pub const INSIDE_STM: &[(u16, Caller)] = &[{inside}];").unwrap();
    writeln!(text, "pub const FREES: &[(&str, fn(*mut c_void))] = &[{frees}];").unwrap();
    writeln!(text, "pub fn makers(kind: &str) -> &'static [Caller] {{ match kind {{").unwrap();
    for (kind, makers) in makers {
        writeln!(text, "{kind:?} => &[{makers}],").unwrap();
    }
    writeln!(text, "_ => &[] }} }}").unwrap();
    writeln!(text, "pub unsafe fn read(kind: &str, object: *const c_void) {{ match kind {{").unwrap();
    for (kind, calls) in readers {
        writeln!(text, "{kind:?} => {{ {calls} }}").unwrap();
    }
    writeln!(text, "_ => {{}} }} }}").unwrap();
    text
}

/// Where a function stands among the 65536 numbers that choose one: the others stay when one is added.
fn ring(name: &str) -> u16 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 16) as u16 ^ hash as u16
}

fn reader(function: &Function) -> String {
    let name = &function.name;
    let index = function.args.iter().filter(|(name, _)| name.contains("index")).count();
    let len = function.args.iter().any(|(name, _)| name == "len");
    let mut text = String::new();
    for (a, b) in [("0", "0"), ("1", "usize::MAX"), ("usize::MAX", "0")] {
        let mut args = vec!["object.cast()"];
        args.extend(&[a, b][..index]);
        match len {
            true => {
                args.push("&mut len");
                writeln!(text, "let mut len = 0; let data = {name}({}); seen_bytes(data.cast(), len);", args.join(", "))
            }
            false => writeln!(text, "{name}({}).seen();", args.join(", ")),
        }
        .unwrap();
        if index == 0 {
            break;
        }
    }
    text
}

fn caller(function: &Function) -> String {
    let name = &function.name;
    let (mut before, mut args, mut after) = (String::new(), Vec::new(), String::new());
    let mut all = function.args.iter().peekable();
    let fails = function.args.last().is_some_and(|(name, _)| name == "err");
    let waits = FOR_EVER.iter().any(|one| name.starts_with(one));
    while let Some((arg, kind)) = all.next() {
        let arg = arg.trim_start_matches("r#");
        let mutable =
            if kind.starts_with("*mut ") && !kind.ends_with("_t") || kind.starts_with("*mut *") { "mut " } else { "" };
        let mut make = |how: &str| writeln!(before, "let {mutable}{arg} = {how};").unwrap();
        match kind.as_str() {
            "*mut *mut etcd3_error_t" => args.push("err".into()),
            "*const c_void" => {
                all.next();
                make(if name == "etcd3_config_load_text" { "w.settings()" } else { "w.data()" });
                args.extend([format!("{arg}.ptr()"), format!("{arg}.len()")]);
            }
            "*const *const c_char" => {
                all.next();
                make(if arg == "endpoints" { "w.endpoints()" } else { "w.texts()" });
                args.extend([format!("{arg}.ptr()"), format!("{arg}.len()")]);
            }
            "*const c_char" => {
                make(match arg {
                    "endpoint" => "w.endpoint()",
                    "resolver" => "w.resolver()",
                    "path" if name.contains("raw") => "w.raw_path()",
                    "path" => "w.path()",
                    _ => "w.text()",
                });
                args.push(format!("{arg}.ptr()"));
            }
            "*mut c_void" => args.push("w.itself()".into()),
            "etcd3_event_fn" => args.push("w.event_fn()".into()),
            "etcd3_log_fn" => args.push("w.log_fn()".into()),
            "etcd3_wakeup_fn" => args.push("w.wakeup_fn()".into()),
            "etcd3_stm_fn" => args.push("w.stm_fn()".into()),
            "i64" if arg.ends_with("_ms") => {
                make(if waits { "w.wait()" } else { "w.limit()" });
                args.push(arg.into());
            }
            "i64" => args.push("w.number()".into()),
            "u64" => args.push("w.number() as u64".into()),
            "i32" | "Code" => args.push("w.choice()".into()),
            "c_int" if arg == "fd" => args.push("w.fd()".into()),
            "c_int" => args.push("w.choice()".into()),
            "usize" => args.push("w.choice() as usize".into()),
            "*mut c_int" | "*mut i64" | "*mut u64" | "*mut u32" | "*mut usize" | "*mut *const u8" => {
                let place = if kind.contains('*') && kind.ends_with("u8") { "std::ptr::null()" } else { "0" };
                make(&format!("({place}, w.wants())"));
                args.push(format!("if {arg}.1 {{ &mut {arg}.0 }} else {{ std::ptr::null_mut() }}"));
            }
            _ if kind.starts_with("*mut *mut ") => {
                let made = bare(&kind[10..]).expect("an opaque type");
                make("(std::ptr::null_mut(), w.wants())");
                args.push(format!("if {arg}.1 {{ &mut {arg}.0 }} else {{ std::ptr::null_mut() }}"));
                writeln!(after, "w.keep({made:?}, {arg}.0.cast());").unwrap();
            }
            _ => {
                let kind = handle(kind).unwrap_or_else(|| panic!("{name}: what is a {kind}?"));
                let how = if function.is_free() { "w.taken" } else { "w.handle" };
                make(&format!("{how}({kind:?})"));
                args.push(format!("{arg}.cast()"));
            }
        }
    }
    let args = args.join(", ");
    let call = match (fails, function.makes()) {
        (true, _) => format!("w.code({name:?}, |err| {name}({args}));"),
        (false, Some(kind)) => format!("let made = {name}({args}); w.keep({kind:?}, made.cast());"),
        (false, None) if function.gives.is_empty() => format!("w.quiet({name:?}, || {name}({args}));"),
        (false, None) if name == "etcd3_queue_dup_fd" => format!("w.close({name}({args}));"),
        (false, None) => format!("{name}({args}).seen();"),
    };
    let w = if before.contains("w.") || call.contains("w.") { "w" } else { "_" };
    format!("unsafe fn call_{name}({w}: &World) {{\n{before}{call}\n{after}}}\n")
}
