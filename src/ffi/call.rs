//! Calls that do not block: the outcome arrives in a queue.

use super::builder;
use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::event::{etcd3_event_fn, Callback};
use super::guard::{self, Out};
use super::handle::{self, opaque, Bound};
use super::op::etcd3_op_t;
use super::queue::{etcd3_queue_t, optional_queue};
use crate::core::code::Code;
use crate::core::error::Result;
use std::ffi::c_void;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A call under way.
pub struct etcd3_call_t {
    _private: [u8; 0],
}

opaque!(etcd3_call_t = Bound<CancellationToken>);

/// Hands out what ends a call, to whoever wants it.
pub unsafe fn give(call: *mut *mut etcd3_call_t, cancel: CancellationToken) -> Result<()> {
    match call.is_null() {
        true => Ok(()),
        false => Out::optional(call).give(handle::give(Bound::new(cancel))),
    }
}

/// Sends an operation and returns. Its outcome arrives as one ETCD3_EVENT_DONE, which has the result or the error; it is
/// the only event and the last. `fn` is called with `user_data` by whoever dispatches `queue`, or, if `queue` is NULL, by
/// the client's own callback thread; with a queue `fn` may be NULL, for etcd3_queue_next. `call` may be NULL, else the
/// call comes through it; free with etcd3_call_free. Nothing is called if this fails. RPC and errors of the outcome: those
/// of etcd3_execute. Errors: ETCD3_ERR_INVALID_ARGUMENT (also the first mistake made with `op`), ETCD3_ERR_CLOSED,
/// ETCD3_ERR_SYSTEM (no thread).
#[no_mangle]
pub unsafe extern "C" fn etcd3_execute_async(
    client: *const etcd3_client_t,
    op: *const etcd3_op_t,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    call: *mut *mut etcd3_call_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, op) = (handle::get(client, "client")?, builder::finish(op, "op")?);
        let queue = optional_queue(queue, r#fn)?;
        give(call, client.execute_async(op, queue, Arc::new(Callback { function: r#fn, user_data }))?)
    })
}

/// Ends a call early: its ETCD3_EVENT_DONE comes within 100 ms, with ETCD3_ERR_CANCELED, or ETCD3_ERR_AMBIGUOUS if it is a
/// write that was sent, or its outcome if that was there already. Never blocks; from any thread, and twice.
#[no_mangle]
pub unsafe extern "C" fn etcd3_call_cancel(call: *const etcd3_call_t) {
    guard::quiet((), || {
        if let Ok(cancel) = handle::get(call, "call") {
            cancel.cancel();
        }
    })
}

/// Frees a call; it goes on.
#[no_mangle]
pub unsafe extern "C" fn etcd3_call_free(call: *mut etcd3_call_t) {
    guard::quiet((), || drop(handle::take_bound(call)))
}
