//! A lock is held by one session at a time, in the order in which they came: clientv3's, etcdctl's and the server's locks of
//! the same name stand in the same line. It is held until it is released, or lost with its session; the loss can be reported,
//! but a process that was paused learns of it late. So guard what the lock protects: with etcd3_txn_if_lock or etcd3_lock_put
//! for what is in etcd, with etcd3_lock_token for what is not. A key without a lease that somebody puts under the lock's name
//! and a slash blocks it until it is deleted.
//!
//! Waiting takes no thread with etcd3_lock_acquire_async. An acquisition that fails leaves nothing behind: its key is deleted,
//! in the background if need be. Two locks of one session and name exclude each other within a client.

use super::builder;
use super::call::etcd3_call_t;
use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::event::{etcd3_event_fn, Callback};
use super::guard::{self, Out};
use super::handle::{self, opaque, Bound};
use super::input::{self, bytes};
use super::op::etcd3_op_t;
use super::queue::{etcd3_queue_t, optional_queue};
use super::session::etcd3_session_t;
use crate::core::code::Code;
use crate::core::lock::{Kind, Lock};
use std::ffi::{c_int, c_void};
use std::sync::Arc;

/// A lock.
pub struct etcd3_lock_t {
    _private: [u8; 0],
}

opaque!(etcd3_lock_t = Bound<Arc<Lock>>);

unsafe fn new(
    session: *const etcd3_session_t,
    name: *const c_void,
    name_len: usize,
    kind: Kind,
    lock: *mut *mut etcd3_lock_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (session, name) = (handle::get(session, "session")?, bytes(name, name_len, "name")?);
        let out = Out::new(lock, "lock")?;
        out.give(handle::give(Bound::new(Lock::new(session, &name, kind)?)))
    })
}

/// A lock of this name, which must not be empty, for a session. Sends nothing. It comes through `lock`; free with
/// etcd3_lock_free. Its key is the name, a slash and the lease's id. Errors: ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_new(
    session: *const etcd3_session_t,
    name: *const c_void,
    name_len: usize,
    lock: *mut *mut etcd3_lock_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    new(session, name, name_len, Kind::Exclusive, lock, err)
}

/// The readers' side of a read-write lock, with the keys of clientv3's recipe: held by any number of readers, but by none
/// while an older writer holds it or waits. Else as etcd3_lock_new.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_new_read(
    session: *const etcd3_session_t,
    name: *const c_void,
    name_len: usize,
    lock: *mut *mut etcd3_lock_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    new(session, name, name_len, Kind::Read, lock, err)
}

/// The writers' side of a read-write lock: held by one writer alone, once all older readers and writers have gone. Else as
/// etcd3_lock_new. A read-write lock and an etcd3_lock_new of the same name do not exclude each other as one would think.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_new_write(
    session: *const etcd3_session_t,
    name: *const c_void,
    name_len: usize,
    lock: *mut *mut etcd3_lock_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    new(session, name, name_len, Kind::Write, lock, err)
}

/// A lock that excludes python-etcd3's Lock of this name: the one key /locks/ and the name. It is unfair: at a release all
/// wake up, and the fastest has it. Never use it together with another kind of lock for one thing. Else as etcd3_lock_new.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_new_python(
    session: *const etcd3_session_t,
    name: *const c_void,
    name_len: usize,
    lock: *mut *mut etcd3_lock_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    new(session, name, name_len, Kind::Python, lock, err)
}

/// A lock with a session of its own, of a lease of `ttl_s` seconds (0: 60) that is kept alive. It comes through `lock`; free
/// with etcd3_lock_free, which ends the session too. RPC: Lease.LeaseGrant. Errors: those of etcd3_session_open.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_open(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    ttl_s: i64,
    lock: *mut *mut etcd3_lock_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, name) = (handle::get(client, "client")?, bytes(name, name_len, "name")?);
        let out = Out::new(lock, "lock")?;
        out.give(handle::give(Bound::new(Lock::open(client, &name, ttl_s)?)))
    })
}

/// Acquires the lock, waiting up to `timeout_ms` (above 0; -1: for as long as it takes) for those who came before. Acquiring
/// it twice through one handle waits for the first to be released. RPC: KV.Txn; to wait, KV.Range and Watch.Watch.
/// Errors: ETCD3_ERR_TIMEOUT, ETCD3_ERR_UNAVAILABLE (no endpoint was reached within the limit), ETCD3_ERR_LEASE_LOST (the
/// session is lost, or its key was deleted while waiting), ETCD3_ERR_CLOSED, ETCD3_ERR_INVALID_ARGUMENT, those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_acquire(
    lock: *const etcd3_lock_t,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(lock, "lock")?.acquire(input::timeout_or_none(timeout_ms, "timeout_ms")?))
}

/// Acquires the lock if nobody has it and nobody waits for it. Errors: ETCD3_ERR_LOCKED, else those of etcd3_lock_acquire.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_try(lock: *const etcd3_lock_t, err: *mut *mut etcd3_error_t) -> Code {
    guard::call(err, || handle::get(lock, "lock")?.try_acquire())
}

/// Starts to acquire the lock and returns. ETCD3_EVENT_ACQUIRED comes when it is held, with the token as its revision. Then,
/// if it is lost, ETCD3_EVENT_LOST. ETCD3_EVENT_CLOSED is the last: without an error after a release, with one after a loss
/// or if it was not acquired: those of etcd3_lock_acquire, or ETCD3_ERR_CANCELED. Queue and callback are as for
/// etcd3_execute_async. `call` may be NULL, else it comes through it, and etcd3_call_cancel ends the wait, not the holding;
/// free with etcd3_call_free. Nothing is called if this fails. Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED,
/// ETCD3_ERR_SYSTEM (no thread).
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_acquire_async(
    lock: *const etcd3_lock_t,
    timeout_ms: i64,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    call: *mut *mut etcd3_call_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let lock = handle::get(lock, "lock")?;
        let timeout = input::timeout_or_none(timeout_ms, "timeout_ms")?;
        let queue = optional_queue(queue, r#fn)?;
        let cancel = lock.acquire_async(timeout, queue, Arc::new(Callback { function: r#fn, user_data }))?;
        super::call::give(call, cancel)
    })
}

/// Releases the lock: deletes its key, if it is still the one with the token. It is not held any more after that, with an
/// error too: where no server answers, the library goes on trying in the background. RPC: KV.Txn.
/// Errors: ETCD3_ERR_NOT_HELD (never acquired, or released already), ETCD3_ERR_LOCK_LOST (it was lost before), and those of
/// etcd3_execute.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_release(lock: *const etcd3_lock_t, err: *mut *mut etcd3_error_t) -> Code {
    guard::call(err, || handle::get(lock, "lock")?.release())
}

/// 1 if the lock is held through this handle and not known to be lost, else 0. Asks no server, so it is no guard.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_is_acquired(lock: *const etcd3_lock_t) -> c_int {
    guard::quiet(0, || handle::get(lock, "lock").is_ok_and(|lock| lock.held().is_ok()).into())
}

/// Has the loss of the lock, as it is held now, reported: ETCD3_EVENT_LOST with its reason. ETCD3_EVENT_CLOSED is the last,
/// also after a release. Queue and callback are as for etcd3_execute_async. Errors: ETCD3_ERR_NOT_HELD,
/// ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, ETCD3_ERR_SYSTEM (no thread).
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_watch_loss(
    lock: *const etcd3_lock_t,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (lock, queue) = (handle::get(lock, "lock")?, optional_queue(queue, r#fn)?);
        lock.watch_loss(queue, Arc::new(Callback { function: r#fn, user_data }))
    })
}

/// Renews the lease of the lock's session now, which is also done without it. `*ttl_s` is the seconds it has then; `ttl_s` may
/// be NULL. RPC: Lease.LeaseKeepAlive. Errors: ETCD3_ERR_NOT_HELD, ETCD3_ERR_LOCK_LOST, ETCD3_ERR_LEASE_LOST, and those of
/// etcd3_lease_keep_alive_once.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_refresh(
    lock: *const etcd3_lock_t,
    ttl_s: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || Out::optional(ttl_s).give(handle::get(lock, "lock")?.refresh()?))
}

/// The fencing token: a number above that of every holder before. It is the revision that created the lock's key. Give it
/// along with what is done under the lock, and have older ones refused. 0 if the lock is not held.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_token(lock: *const etcd3_lock_t) -> i64 {
    guard::quiet(0, || handle::get(lock, "lock").and_then(|lock| lock.held()).map_or(0, |held| held.created))
}

/// The lock's own key, held or not: `*len` bytes, which may be any; `len` may be NULL. Borrowed from `lock`; NULL for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_key(lock: *const etcd3_lock_t, len: *mut usize) -> *const u8 {
    guard::quiet(std::ptr::null(), || {
        let Ok(lock) = handle::get(lock, "lock") else { return std::ptr::null() };
        let _ = Out::optional(len).give(lock.key.len());
        lock.key.as_ptr()
    })
}

/// Adds the comparison that the lock is held with its token: what the transaction writes then is written by the holder, or not
/// at all. A mistake, ETCD3_ERR_NOT_HELD or ETCD3_ERR_LOCK_LOST, if it is not held now. Executed in another namespace than
/// the lock's, the transaction is ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_if_lock(txn: *mut etcd3_op_t, lock: *const etcd3_lock_t) {
    builder::set(txn, |txn| handle::get(lock, "lock")?.held()?.guard(txn))
}

/// Puts a value to a key if the lock is held, which the server checks together with the put. RPC: KV.Txn.
/// Errors: ETCD3_ERR_NOT_HELD, ETCD3_ERR_LOCK_LOST (nothing was put), and those of etcd3_put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_put(
    lock: *const etcd3_lock_t,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let lock = handle::get(lock, "lock")?;
        lock.put(bytes(key, key_len, "key")?, bytes(value, value_len, "value")?)
    })
}

/// Frees a lock. One that is held is released, and one that is waited for is given up, in the background.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lock_free(lock: *mut etcd3_lock_t) {
    guard::quiet((), || {
        if let Some(lock) = handle::take_bound(lock) {
            lock.free();
        }
    })
}
