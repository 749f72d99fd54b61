//! Hashes of what members hold, and whether all of them hold the same. `endpoint` is as in etcd3_status.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque};
use super::header::etcd3_header_t;
use super::input;
use super::output::c_text;
use crate::core::code::Code;
use crate::core::maintenance::Hashed;
use std::ffi::{c_char, c_int, CString};

/// The hash of a member's whole database. RPC: Maintenance.Hash. Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hash(
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    hash: *mut u32,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, at) = (handle::get(client, "client")?, input::endpoint(endpoint)?);
        let out = Out::new(hash, "hash")?;
        out.give(client.hash(at.as_ref())?)
    })
}

/// The hashes of members. They never change and may be read by many threads.
pub struct etcd3_hashes_t {
    _private: [u8; 0],
}

opaque!(etcd3_hashes_t = Vec<HashedObject>);

pub struct HashedObject {
    hashed: Hashed,
    endpoint: CString,
    header: etcd3_header_t,
}

impl HashedObject {
    fn new(hashed: Hashed) -> Self {
        HashedObject { endpoint: c_text(&hashed.endpoint), header: hashed.header.into(), hashed }
    }
}

/// The hash of a member's keys and values up to `revision`, or to its newest with 0: two members hold the same if it and the
/// revision that their history is compacted to are equal. It comes through `hashes`, as a list of one; free with
/// etcd3_hashes_free. RPC: Maintenance.HashKV. Errors: those of etcd3_get; ETCD3_ERR_COMPACTED, ETCD3_ERR_FUTURE_REVISION.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hash_kv(
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    revision: i64,
    hashes: *mut *mut etcd3_hashes_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, at) = (handle::get(client, "client")?, input::endpoint(endpoint)?);
        let out = Out::new(hashes, "hashes")?;
        out.give(handle::give(vec![HashedObject::new(client.hash_kv(at.as_ref(), revision)?)]))
    })
}

/// Compares what all started voting members hold at one revision: at `revision`, or with 0 at the newest that all of them
/// have. Members that lag, and compactions under way, are waited for within the client's time limit. That members differ is
/// no error: see etcd3_hashes_difference_count. The hashes come through `hashes`; free with etcd3_hashes_free. RPC:
/// Cluster.MemberList, Maintenance.Status, Maintenance.HashKV. Errors: those of etcd3_hash_kv, of any member.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hash_kv_compare(
    client: *const etcd3_client_t,
    revision: i64,
    hashes: *mut *mut etcd3_hashes_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let out = Out::new(hashes, "hashes")?;
        out.give(handle::give(client.hash_kv_compare(revision)?.into_iter().map(HashedObject::new).collect()))
    })
}

unsafe fn read<T>(
    hashes: *const etcd3_hashes_t,
    index: usize,
    otherwise: T,
    read: impl FnOnce(&HashedObject) -> T,
) -> T {
    let Some(hashed) = handle::peek(hashes).and_then(|hashes| hashes.get(index)) else { return otherwise };
    guard::quiet(otherwise, || read(hashed))
}

/// How many members were asked.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_count(hashes: *const etcd3_hashes_t) -> usize {
    guard::quiet(0, || handle::peek(hashes).map_or(0, Vec::len))
}

/// The header of the answer of the member at `index`, from 0; NULL past the end. Borrowed from `hashes`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_header(hashes: *const etcd3_hashes_t, index: usize) -> *const etcd3_header_t {
    read(hashes, index, std::ptr::null(), |one| &one.header)
}

/// How many of them differ from what the majority holds; all of them if there is no majority. 0: all hold the same.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_difference_count(hashes: *const etcd3_hashes_t) -> usize {
    guard::quiet(0, || handle::peek(hashes).map_or(0, |all| all.iter().filter(|one| one.hashed.differs).count()))
}

/// The id of the member at `index`, from 0; 0 past the end.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_member_id(hashes: *const etcd3_hashes_t, index: usize) -> u64 {
    read(hashes, index, 0, |one| one.hashed.member)
}

/// Where the member at `index` was asked; "" past the end. Borrowed from `hashes`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_endpoint(hashes: *const etcd3_hashes_t, index: usize) -> *const c_char {
    read(hashes, index, c"".as_ptr(), |one| one.endpoint.as_ptr())
}

/// The hash that the member at `index` gave.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_hash(hashes: *const etcd3_hashes_t, index: usize) -> u32 {
    read(hashes, index, 0, |one| one.hashed.hash)
}

/// The revision it is for, the same for all.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_revision(hashes: *const etcd3_hashes_t, index: usize) -> i64 {
    read(hashes, index, 0, |one| one.hashed.revision)
}

/// The revision that the history of the member at `index` is compacted to.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_compact_revision(hashes: *const etcd3_hashes_t, index: usize) -> i64 {
    read(hashes, index, 0, |one| one.hashed.compact_revision)
}

/// 1 if the member at `index` differs from what the majority holds, or if there is no majority; else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_differs(hashes: *const etcd3_hashes_t, index: usize) -> c_int {
    read(hashes, index, 0, |one| one.hashed.differs.into())
}

/// Frees hashes.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_free(hashes: *mut etcd3_hashes_t) {
    guard::quiet((), || drop(handle::take(hashes)))
}
