//! A snapshot is one member's whole database at one moment, with the SHA-256 of it as its last 32 bytes: what etcdutl
//! snapshot restore takes. It is checked while it comes; one that is cut short or damaged fails with
//! ETCD3_ERR_SNAPSHOT_CORRUPT. It has a connection of its own and is read from the server only as fast as it is taken.
//! `endpoint` is as in etcd3_status. Until the first byte another attempt is made if one fails, then no more.

use super::call::{self, etcd3_call_t};
use super::client::etcd3_client_t;
use super::descriptor::{Descriptor, PartFile};
use super::error::etcd3_error_t;
use super::event::{etcd3_event_fn, Callback};
use super::guard::{self, Out};
use super::handle;
use super::input;
use super::op::etcd3_cancel_t;
use super::queue::{etcd3_queue_t, optional_queue};
use crate::core::code::Code;
use crate::core::error::Result;
use crate::core::snapshot::Sink;
use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

/// What the two that block have in common.
struct Order {
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    timeout_ms: i64,
    cancel: *const etcd3_cancel_t,
    bytes: *mut i64,
}

impl Order {
    unsafe fn carry_out<S: Sink>(self, sink: impl FnOnce() -> Result<S>) -> Result<()> {
        let (client, at) = (handle::get(self.client, "client")?, input::endpoint(self.endpoint)?);
        let timeout = input::timeout_or_none(self.timeout_ms, "timeout_ms")?;
        let cancel = handle::peek(self.cancel).cloned();
        let bytes = client.snapshot(at.as_ref(), timeout, cancel, &mut sink()?)?;
        Out::optional(self.bytes).give(bytes as i64)
    }
}

/// Writes a snapshot to the file `path`, which appears when it is whole and checked, readable and writable by its owner
/// only, and then replaces what had this name; until then it is `path`.part, which is removed if the call fails.
/// `timeout_ms` is for all of it, above 0, or -1 for none. `cancel` ends it early; it may be NULL. `*bytes` is its size;
/// `bytes` may be NULL. RPC: Maintenance.Snapshot. Errors: those of etcd3_get; ETCD3_ERR_SNAPSHOT_CORRUPT,
/// ETCD3_ERR_CANCELED, ETCD3_ERR_SYSTEM (the file), ETCD3_ERR_BUSY (another one is being written there).
#[no_mangle]
pub unsafe extern "C" fn etcd3_snapshot_to_file(
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    path: *const c_char,
    timeout_ms: i64,
    cancel: *const etcd3_cancel_t,
    bytes: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    let order = Order { client, endpoint, timeout_ms, cancel, bytes };
    guard::call(err, || order.carry_out(|| PartFile::create(input::text(path, "path")?)))
}

/// The same to a descriptor: a file, a pipe, a socket. What was written when it fails is not to be used. Raises no SIGPIPE.
/// `fd` stays open.
#[no_mangle]
pub unsafe extern "C" fn etcd3_snapshot_to_fd(
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    fd: c_int,
    timeout_ms: i64,
    cancel: *const etcd3_cancel_t,
    bytes: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    let order = Order { client, endpoint, timeout_ms, cancel, bytes };
    guard::call(err, || order.carry_out(|| Descriptor::new(fd)))
}

/// The same without blocking: its bytes come in order as one ETCD3_EVENT_DATA after the other, and at last
/// ETCD3_EVENT_CLOSED, without an error only if the snapshot is whole and checked. About 1 MiB at most waits in the queue;
/// the server waits until it is taken. `queue`, `fn`, `user_data` and `call` are as in etcd3_execute_async; a call that is
/// cancelled ends with ETCD3_ERR_CANCELED. Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, ETCD3_ERR_SYSTEM (no
/// thread).
#[no_mangle]
pub unsafe extern "C" fn etcd3_snapshot_async(
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    call: *mut *mut etcd3_call_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, at) = (handle::get(client, "client")?, input::endpoint(endpoint)?);
        let queue = optional_queue(queue, r#fn)?;
        let cancel = client.snapshot_events(at, queue, Arc::new(Callback { function: r#fn, user_data }))?;
        call::give(call, cancel)
    })
}
