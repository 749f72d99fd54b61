//! One operation: a get, a put, a delete or a transaction. Build it, give it to etcd3_execute or into a
//! transaction, as often as you like, free it. An option on a kind it does not fit is a mistake.

use super::builder::{self, Builder};
use super::handle::{self, opaque};
use super::{guard, input};
use crate::core::error::Error;
use crate::core::op::Op;
use crate::core::range::{Extent, KeyRange};
use std::ffi::{c_char, c_void};
use tokio_util::sync::CancellationToken;

/// An operation.
pub struct etcd3_op_t {
    _private: [u8; 0],
}

/// Ends calls from another thread: any number of them, once.
pub struct etcd3_cancel_t {
    _private: [u8; 0],
}

opaque!(etcd3_op_t = Builder<Op>, etcd3_cancel_t = CancellationToken);

/// A means to end calls: give it to their ops with etcd3_op_set_cancel. Yours; free with etcd3_cancel_free.
#[no_mangle]
pub extern "C" fn etcd3_cancel_new() -> *mut etcd3_cancel_t {
    guard::quiet(std::ptr::null_mut(), || handle::give(CancellationToken::new()))
}

/// Ends the calls that it was given to, now or when they are made: they return ETCD3_ERR_CANCELED, or ETCD3_ERR_AMBIGUOUS if
/// they are writes that were sent. Never blocks; from any thread, and twice.
#[no_mangle]
pub unsafe extern "C" fn etcd3_cancel_trigger(cancel: *const etcd3_cancel_t) {
    guard::quiet((), || {
        if let Some(cancel) = handle::peek(cancel) {
            cancel.cancel();
        }
    })
}

/// Frees a means to end calls; they go on.
#[no_mangle]
pub unsafe extern "C" fn etcd3_cancel_free(cancel: *mut etcd3_cancel_t) {
    guard::quiet((), || drop(handle::take(cancel)))
}

/// Sort by key: what the store does anyway.
pub const ETCD3_SORT_BY_KEY: i32 = 0;
/// Sort by the number of puts since the key was created.
pub const ETCD3_SORT_BY_VERSION: i32 = 1;
/// Sort by the revision that created the key.
pub const ETCD3_SORT_BY_CREATE_REVISION: i32 = 2;
/// Sort by the revision of the last put.
pub const ETCD3_SORT_BY_MOD_REVISION: i32 = 3;
/// Sort by value.
pub const ETCD3_SORT_BY_VALUE: i32 = 4;

/// No order asked for: ascending.
pub const ETCD3_SORT_NONE: i32 = 0;
/// Ascending order.
pub const ETCD3_SORT_ASCENDING: i32 = 1;
/// Descending order.
pub const ETCD3_SORT_DESCENDING: i32 = 2;

/// A get of one key, or of a range: see etcd3_op_set_prefix and its neighbours. Yours; free with etcd3_op_free.
/// RPC: KV.Range.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_get(key: *const c_void, key_len: usize) -> *mut etcd3_op_t {
    guard::quiet(std::ptr::null_mut(), || {
        Builder::give(input::bytes(key, key_len, "key").map(|key| Op::get(KeyRange::new(key))))
    })
}

/// A put of a value to a key. Yours; free with etcd3_op_free. RPC: KV.Put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_put(
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
) -> *mut etcd3_op_t {
    guard::quiet(std::ptr::null_mut(), || {
        let key = input::bytes(key, key_len, "key");
        Builder::give(key.and_then(|key| Ok(Op::put(key, input::bytes(value, value_len, "value")?))))
    })
}

/// A delete of one key, or of a range. Yours; free with etcd3_op_free. RPC: KV.DeleteRange.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_delete(key: *const c_void, key_len: usize) -> *mut etcd3_op_t {
    guard::quiet(std::ptr::null_mut(), || {
        Builder::give(input::bytes(key, key_len, "key").map(|key| Op::delete(KeyRange::new(key))))
    })
}

/// Get, delete: every key that starts with the op's key; an empty key means all keys.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_prefix(op: *mut etcd3_op_t) {
    builder::set(op, |op| op.widen("prefix", Extent::Prefix))
}

/// Get, delete: every key from the op's key on; an empty key means all keys.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_from_key(op: *mut etcd3_op_t) {
    builder::set(op, |op| op.widen("from_key", Extent::FromKey))
}

/// Get, delete: every key from the op's key up to, without, `end`. An end that is not above the key is an empty
/// range.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_range_end(op: *mut etcd3_op_t, end: *const c_void, end_len: usize) {
    builder::set(op, |op| op.widen("range_end", Extent::End(input::bytes(end, end_len, "end")?)))
}

/// Get: at most so many keys; 0 for all. etcd3_result_more tells whether there are more.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_limit(op: *mut etcd3_op_t, limit: i64) {
    builder::set(op, |op| op.set_limit(limit))
}

/// Get: the store as it was at a revision; 0 for the newest. Errors of the call then: ETCD3_ERR_COMPACTED,
/// ETCD3_ERR_FUTURE_REVISION.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_revision(op: *mut etcd3_op_t, revision: i64) {
    builder::set(op, |op| op.set_revision(revision))
}

/// Get: sorts by an ETCD3_SORT_BY_* target in an ETCD3_SORT_* order.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_sort(op: *mut etcd3_op_t, target: i32, order: i32) {
    builder::set(op, |op| op.set_sort(target, order))
}

/// Get: one member answers from what it has, faster and possibly stale, without asking the others.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_serializable(op: *mut etcd3_op_t) {
    builder::set(op, |op| op.set_serializable())
}

/// Get: without the values.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_keys_only(op: *mut etcd3_op_t) {
    builder::set(op, |op| op.set_keys_only())
}

/// Get: only etcd3_result_count, no keys.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_count_only(op: *mut etcd3_op_t) {
    builder::set(op, |op| op.set_count_only())
}

/// Get: only keys last put at this revision or later; 0 for no bound.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_min_mod_revision(op: *mut etcd3_op_t, revision: i64) {
    builder::set(op, |op| op.set_min_mod_revision(revision))
}

/// Get: only keys last put at this revision or earlier; 0 for no bound.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_max_mod_revision(op: *mut etcd3_op_t, revision: i64) {
    builder::set(op, |op| op.set_max_mod_revision(revision))
}

/// Get: only keys created at this revision or later; 0 for no bound.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_min_create_revision(op: *mut etcd3_op_t, revision: i64) {
    builder::set(op, |op| op.set_min_create_revision(revision))
}

/// Get: only keys created at this revision or earlier; 0 for no bound.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_max_create_revision(op: *mut etcd3_op_t, revision: i64) {
    builder::set(op, |op| op.set_max_create_revision(revision))
}

/// Put: attaches the key to a lease, so that it goes when the lease does; 0 for none, which detaches it. Error of
/// the call then: ETCD3_ERR_LEASE_NOT_FOUND.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_lease(op: *mut etcd3_op_t, lease_id: i64) {
    builder::set(op, |op| op.set_lease(lease_id))
}

/// Put: keeps the value the key has; the op's own must be empty. Error of the call if there is no such key:
/// ETCD3_ERR_KEY_NOT_FOUND.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_ignore_value(op: *mut etcd3_op_t) {
    builder::set(op, |op| op.set_ignore_value())
}

/// Put: keeps the lease the key has; the op's own must be 0. Error of the call if there is no such key:
/// ETCD3_ERR_KEY_NOT_FOUND.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_ignore_lease(op: *mut etcd3_op_t) {
    builder::set(op, |op| op.set_ignore_lease())
}

/// Put, delete: the result holds what was there before; see etcd3_result_prev_kv.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_prev_kv(op: *mut etcd3_op_t) {
    builder::set(op, |op| op.set_prev_kv())
}

/// The time limit of the whole call, connecting included, in place of the client's: above 0. Without effect on
/// an op inside a transaction.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_timeout(op: *mut etcd3_op_t, timeout_ms: i64) {
    builder::set(op, |op| {
        op.timeout = Some(input::timeout(timeout_ms, "timeout_ms")?);
        Ok(())
    })
}

/// Has the member refuse the call at once if it knows of no leader, with ETCD3_ERR_NO_LEADER, in place of waiting for one.
/// Without effect on an op inside a transaction.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_require_leader(op: *mut etcd3_op_t) {
    builder::set(op, |op| {
        op.require_leader = true;
        Ok(())
    })
}

/// Sends metadata along with the call, for a proxy or a server that looks at it, beside that of
/// etcd3_config_add_metadata, whose rules it follows. Without effect on an op inside a transaction.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_add_metadata(op: *mut etcd3_op_t, name: *const c_char, value: *const c_char) {
    builder::set(op, |op| op.metadata.add(input::text(name, "name")?, input::text(value, "value")?))
}

/// Has the call end when `cancel` is triggered; see etcd3_cancel_trigger. Without effect on an op inside a transaction.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_set_cancel(op: *mut etcd3_op_t, cancel: *const etcd3_cancel_t) {
    builder::set(op, |op| {
        let cancel = handle::peek(cancel).ok_or_else(|| Error::argument("cancel", "must not be NULL"))?;
        op.cancel = Some(cancel.clone());
        Ok(())
    })
}

/// Frees an operation.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_free(op: *mut etcd3_op_t) {
    guard::quiet((), || drop(handle::take(op)))
}
