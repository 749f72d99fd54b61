//! What every input finds: the server, and the watch over it: a panic, an overdue call or a malformed request ends the
//! process, for the fuzzer to see.

use crate::check;
use etcd3_scripted::Scripted;
use std::ffi::{c_char, CStr, CString};
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

/// What clients give their calls.
pub const LIMIT_MS: i64 = 25;
/// No call takes longer, on the busiest machine: a few limits at most, for those that are several calls.
const OVERDUE: Duration = Duration::from_secs(5);
const HANGS: Duration = Duration::from_secs(60);

pub struct Ground {
    pub scripted: Scripted,
    pub endpoint: CString,
    pub directory: PathBuf,
    pub sink: File,
}

pub fn ground() -> &'static Ground {
    static GROUND: OnceLock<Ground> = OnceLock::new();
    GROUND.get_or_init(|| {
        let scripted = Scripted::inspected(check::request).expect("a server can be started");
        let answer = scripted.command("serve grpc").expect("it serves");
        let endpoint = answer.split(' ').nth(1).expect("its address").to_owned();
        let directory = std::env::temp_dir().join(format!("etcd3-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory for snapshots");
        let sink = File::options().write(true).open("/dev/null").expect("/dev/null is there");
        panics_end_it();
        std::thread::spawn(ends_what_hangs);
        Ground { scripted, endpoint: CString::new(endpoint).expect("no NUL"), directory, sink }
    })
}

/// The library catches its panics and keeps them quiet; here none may happen, on any thread.
fn panics_end_it() {
    // It does so when it is first used.
    unsafe { etcd3::ffi::config::etcd3_config_free(etcd3::ffi::config::etcd3_config_new()) };
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
        std::process::abort();
    }));
}

pub fn timed<T>(name: &str, call: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    *under_way() = Some((name.to_owned(), begun));
    let given = call();
    *under_way() = None;
    assert!(begun.elapsed() < OVERDUE, "{name} took {:?}", begun.elapsed());
    given
}

fn under_way() -> MutexGuard<'static, Option<(String, Instant)>> {
    static UNDER_WAY: Mutex<Option<(String, Instant)>> = Mutex::new(None);
    UNDER_WAY.lock().expect("nothing panics with it")
}

/// A call that never returns would end nothing by itself.
fn ends_what_hangs() {
    loop {
        std::thread::sleep(OVERDUE);
        if let Some((name, begun)) = &*under_way() {
            assert!(begun.elapsed() < HANGS, "{name} does not return");
        }
    }
}

/// A text of the library's: there, and UTF-8.
pub unsafe fn text<'a>(text: *const c_char) -> &'a str {
    match text.is_null() {
        true => "",
        false => CStr::from_ptr(text).to_str().expect("the library's texts are UTF-8"),
    }
}
