//! A transaction is an op that holds ops: if all comparisons hold, those added with etcd3_txn_then are done, else
//! those added with etcd3_txn_else; all at one revision, or none. Each part may be left empty. Transactions nest.
//! A key may be put only once in a branch.

use super::builder::{self, Builder};
use super::guard;
use super::input;
use super::op::etcd3_op_t;
use crate::core::op::{Op, Target};
use crate::core::range::Extent;
use std::ffi::c_void;

/// Holds if equal.
pub const ETCD3_EQUAL: i32 = 0;
/// Holds if what the key has is greater.
pub const ETCD3_GREATER: i32 = 1;
/// Holds if what the key has is less.
pub const ETCD3_LESS: i32 = 2;
/// Holds if not equal.
pub const ETCD3_NOT_EQUAL: i32 = 3;

/// An empty transaction. Yours; free with etcd3_op_free, give to etcd3_execute. RPC: KV.Txn.
#[no_mangle]
pub extern "C" fn etcd3_op_txn() -> *mut etcd3_op_t {
    guard::quiet(std::ptr::null_mut(), || Builder::give(Ok(Op::txn())))
}

unsafe fn compare(
    txn: *mut etcd3_op_t,
    key: *const c_void,
    key_len: usize,
    cmp: i32,
    target: impl FnOnce() -> crate::core::error::Result<Target>,
) {
    builder::set(txn, |txn| txn.compare(input::bytes(key, key_len, "key")?, cmp, target()?))
}

/// Adds a comparison of the key's value, by ETCD3_EQUAL, _GREATER, _LESS or _NOT_EQUAL, bytewise. None holds for a
/// key that does not exist.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_if_value(
    txn: *mut etcd3_op_t,
    key: *const c_void,
    key_len: usize,
    cmp: i32,
    value: *const c_void,
    value_len: usize,
) {
    compare(txn, key, key_len, cmp, || Ok(Target::Value(input::bytes(value, value_len, "value")?)))
}

/// Adds a comparison of the key's version, the number of puts since it was created; 0 for a key that does not
/// exist.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_if_version(
    txn: *mut etcd3_op_t,
    key: *const c_void,
    key_len: usize,
    cmp: i32,
    version: i64,
) {
    compare(txn, key, key_len, cmp, || Ok(Target::Version(version)))
}

/// Adds a comparison of the revision that created the key; 0 for a key that does not exist.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_if_create_revision(
    txn: *mut etcd3_op_t,
    key: *const c_void,
    key_len: usize,
    cmp: i32,
    revision: i64,
) {
    compare(txn, key, key_len, cmp, || Ok(Target::CreateRevision(revision)))
}

/// Adds a comparison of the revision of the key's last put; 0 for a key that does not exist.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_if_mod_revision(
    txn: *mut etcd3_op_t,
    key: *const c_void,
    key_len: usize,
    cmp: i32,
    revision: i64,
) {
    compare(txn, key, key_len, cmp, || Ok(Target::ModRevision(revision)))
}

/// Adds a comparison of the lease the key is attached to; 0 for none.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_if_lease(
    txn: *mut etcd3_op_t,
    key: *const c_void,
    key_len: usize,
    cmp: i32,
    lease_id: i64,
) {
    compare(txn, key, key_len, cmp, || Ok(Target::Lease(lease_id)))
}

/// The comparison added last is over every key that starts with its key: it must hold for each. Where there is no such
/// key, one of a value does not hold, and the others compare with 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_if_prefix(txn: *mut etcd3_op_t) {
    builder::set(txn, |txn| txn.widen_compare(Extent::Prefix))
}

/// The comparison added last is over every key from its key on.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_if_from_key(txn: *mut etcd3_op_t) {
    builder::set(txn, |txn| txn.widen_compare(Extent::FromKey))
}

/// The comparison added last is over every key from its key up to, without, `end`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_if_range_end(txn: *mut etcd3_op_t, end: *const c_void, end_len: usize) {
    builder::set(txn, |txn| txn.widen_compare(Extent::End(input::bytes(end, end_len, "end")?)))
}

/// Adds a copy of an op, transactions included, to what is done if all comparisons hold.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_then(txn: *mut etcd3_op_t, op: *const etcd3_op_t) {
    builder::set(txn, |txn| txn.then(builder::finish(op, "op")?.clone()))
}

/// Adds a copy of an op, transactions included, to what is done if not all comparisons hold.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_else(txn: *mut etcd3_op_t, op: *const etcd3_op_t) {
    builder::set(txn, |txn| txn.or_else(builder::finish(op, "op")?.clone()))
}
