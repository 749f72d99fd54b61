//! libetcd3 through its C interface, and nothing else, made safe for the rig.

mod api;
mod client;
mod lease;
mod lock;
mod maintenance;
mod op;
mod queue;
mod watch;

pub use api::path;
pub use client::{Client, Config};
pub use lease::{Lease, Session, EXPIRED as LOST_EXPIRED, GONE as LOST_GONE};
pub use lock::{Election, Lock, Observer};
pub use op::{Answer, Kv, Op};
pub use queue::{Change, Event, Queue};
pub use watch::{Overflow, Watch, Watching};

use api::{api, Code, Handle};
use std::ffi::{c_char, CStr};
use std::ptr::null_mut;

pub const TIMEOUT: i32 = 2;
pub const UNAVAILABLE: i32 = 4;
pub const CLOSED: i32 = 5;
pub const AMBIGUOUS: i32 = 9;
/// What the operating system refuses.
pub const SYSTEM: i32 = 11;
pub const SNAPSHOT_CORRUPT: i32 = 30;
/// A bug of the library's that it has noticed itself.
pub const INTERNAL: i32 = 99;
pub const COMPACTED: i32 = 110;
pub const NO_SPACE: i32 = 112;
pub const NO_LEADER: i32 = 160;
pub const LEADER_CHANGED: i32 = 161;
/// The server's own time limits, with and without a reason, are this code and the next three.
pub const SERVER_TIMEOUT: i32 = 167;

/// An error of the library's.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Fault {
    pub code: i32,
    pub name: String,
    pub message: String,
    pub endpoint: String,
    pub grpc_status: i32,
    pub maybe_applied: bool,
    pub retryable: bool,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for Fault {}

/// As in "0.1.0".
pub fn version() -> String {
    // SAFETY: a static string.
    unsafe { text(api().etcd3_version_string()) }
}

/// # Safety
/// `text` is NULL or a string.
unsafe fn text(text: *const c_char) -> String {
    match text.is_null() {
        true => String::new(),
        false => CStr::from_ptr(text).to_string_lossy().into_owned(),
    }
}

/// # Safety
/// `error` is an error of the library's.
unsafe fn read_error(error: Handle) -> Fault {
    let api = api();
    let code = api.etcd3_error_code(error);
    Fault {
        code,
        name: text(api.etcd3_code_name(code)),
        message: text(api.etcd3_error_message(error)),
        endpoint: text(api.etcd3_error_endpoint(error)),
        grpc_status: api.etcd3_error_grpc_status(error),
        maybe_applied: api.etcd3_error_maybe_applied(error) != 0,
        retryable: api.etcd3_error_is_retryable(error) != 0,
    }
}

/// Whether this build of the library has a function.
pub fn has(function: &str) -> bool {
    api().has(function)
}

/// Makes a call that takes an error last.
fn call(function: impl FnOnce(*mut Handle) -> Code) -> Result<(), Fault> {
    let mut error = null_mut();
    let code = function(&mut error);
    if code == 0 {
        return Ok(());
    }
    // SAFETY: a failed call has written the error, which is ours.
    let fault = unsafe { read_error(error) };
    unsafe { api().etcd3_error_free(error) };
    assert_eq!(fault.code, code, "the code returned is that of the error: {fault}");
    Err(fault)
}

/// The same, of a call that makes something.
fn make(function: impl FnOnce(*mut Handle, *mut Handle) -> Code) -> Result<Handle, Fault> {
    let mut made = null_mut();
    call(|error| function(&mut made, error))?;
    assert!(!made.is_null(), "a call that succeeded has made nothing");
    Ok(made)
}
