//! A barrier is a key: while it is there, whoever waits, waits. A double barrier has a number of members, who enter together
//! and leave together. Both have the keys of clientv3's recipes.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque, Bound};
use super::input::{self, bytes};
use super::session::etcd3_session_t;
use crate::core::barrier::DoubleBarrier;
use crate::core::code::Code;
use std::ffi::c_void;
use std::sync::Arc;

/// A member of a double barrier.
pub struct etcd3_double_barrier_t {
    _private: [u8; 0],
}

opaque!(etcd3_double_barrier_t = Bound<Arc<DoubleBarrier>>);

/// Puts the barrier of this name, which must not be empty, up. It stays until somebody releases it: it has no lease.
/// RPC: KV.Txn. Errors: ETCD3_ERR_LOCKED (it is up), and those of etcd3_put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_barrier_hold(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(client, "client")?.barrier_hold(bytes(name, name_len, "name")?))
}

/// Takes the barrier away, whoever put it up; that there is none is no error. RPC: KV.DeleteRange. Errors: those of
/// etcd3_delete.
#[no_mangle]
pub unsafe extern "C" fn etcd3_barrier_release(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(client, "client")?.barrier_release(bytes(name, name_len, "name")?))
}

/// Waits until the barrier is away, up to `timeout_ms` (above 0; -1: for as long as it takes). RPC: KV.Range, Watch.Watch.
/// Errors: ETCD3_ERR_TIMEOUT, and those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_barrier_wait(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let timeout = input::timeout_or_none(timeout_ms, "timeout_ms")?;
        client.barrier_wait(bytes(name, name_len, "name")?, timeout)
    })
}

/// A session as a member of the double barrier of this name, for `count` members, above 0. Sends nothing. It comes through
/// `barrier`; free with etcd3_double_barrier_free. Errors: ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_double_barrier_new(
    session: *const etcd3_session_t,
    name: *const c_void,
    name_len: usize,
    count: i64,
    barrier: *mut *mut etcd3_double_barrier_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (session, name) = (handle::get(session, "session")?, bytes(name, name_len, "name")?);
        let out = Out::new(barrier, "barrier")?;
        out.give(handle::give(Bound::new(DoubleBarrier::new(session, name, count)?)))
    })
}

/// Enters, and waits up to `timeout_ms` (above 0; -1: for as long as it takes) until all members have. After an error it is
/// not in. RPC: KV.Txn, KV.Range, Watch.Watch.
/// Errors: ETCD3_ERR_CONFLICT (it has all its members already), and those of etcd3_lock_acquire.
#[no_mangle]
pub unsafe extern "C" fn etcd3_double_barrier_enter(
    barrier: *const etcd3_double_barrier_t,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(barrier, "barrier")?.enter(input::timeout_or_none(timeout_ms, "timeout_ms")?))
}

/// Leaves, and waits up to `timeout_ms` (above 0; -1: for as long as it takes) until all members have. After an error it has
/// left all the same. RPC: KV.Txn, KV.Range, Watch.Watch. Errors: ETCD3_ERR_NOT_HELD (it is not in), ETCD3_ERR_TIMEOUT, and
/// those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_double_barrier_leave(
    barrier: *const etcd3_double_barrier_t,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(barrier, "barrier")?.leave(input::timeout_or_none(timeout_ms, "timeout_ms")?))
}

/// Frees a member of a double barrier. One that is in leaves, in the background.
#[no_mangle]
pub unsafe extern "C" fn etcd3_double_barrier_free(barrier: *mut etcd3_double_barrier_t) {
    guard::quiet((), || {
        if let Some(barrier) = handle::take_bound(barrier) {
            barrier.free();
        }
    })
}
