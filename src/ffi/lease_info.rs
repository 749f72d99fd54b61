//! What the server says of leases, whoever made them.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque};
use super::header::{self, etcd3_header_t, Headed};
use super::input;
use crate::core::code::Code;
use crate::core::lease::Info;
use std::ffi::c_int;

/// What the server says of a lease.
pub struct etcd3_lease_info_t {
    _private: [u8; 0],
}

/// The ids of leases.
pub struct etcd3_lease_list_t {
    _private: [u8; 0],
}

opaque!(etcd3_lease_info_t = Headed<Info>, etcd3_lease_list_t = Headed<Vec<i64>>);

/// Asks the server about a lease; with `keys` 1 also for its keys, which takes the permission to read them. The answer comes
/// through `info`; free with etcd3_lease_info_free. A lease that does not exist is not an error: etcd3_lease_info_ttl is
/// then -1. RPC: Lease.LeaseTimeToLive. Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_time_to_live(
    client: *const etcd3_client_t,
    lease_id: i64,
    keys: c_int,
    info: *mut *mut etcd3_lease_info_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, keys) = (handle::get(client, "client")?, input::yes(keys, "keys")?);
        let out = Out::new(info, "info")?;
        out.give(handle::give(Headed::new(client.lease_time_to_live(lease_id, keys)?, |info| info)))
    })
}

unsafe fn read<T>(info: *const etcd3_lease_info_t, otherwise: T, read: impl FnOnce(&Info) -> T) -> T {
    let Some(info) = handle::peek(info) else { return otherwise };
    guard::quiet(otherwise, || read(info))
}

/// The header of the answer; NULL for NULL. Borrowed from `info`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_info_header(info: *const etcd3_lease_info_t) -> *const etcd3_header_t {
    header::header(info)
}

/// The lease's id; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_info_id(info: *const etcd3_lease_info_t) -> i64 {
    read(info, 0, |info| info.id)
}

/// How many seconds are left of it; -1 if it does not exist; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_info_ttl(info: *const etcd3_lease_info_t) -> i64 {
    read(info, 0, |info| info.ttl)
}

/// How many seconds each renewal gives it; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_info_granted_ttl(info: *const etcd3_lease_info_t) -> i64 {
    read(info, 0, |info| info.granted_ttl)
}

/// How many keys it has, if they were asked for.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_info_key_count(info: *const etcd3_lease_info_t) -> usize {
    read(info, 0, |info| info.keys.len())
}

/// The key at `index`, from 0, of `*len` bytes; NULL past the end. Borrowed from `info`; `len` may be NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_info_key(
    info: *const etcd3_lease_info_t,
    index: usize,
    len: *mut usize,
) -> *const u8 {
    read(info, std::ptr::null(), |info| match info.keys.get(index) {
        Some(key) => {
            let _ = Out::optional(len).give(key.len());
            key.as_ptr()
        }
        None => std::ptr::null(),
    })
}

/// Frees what etcd3_lease_time_to_live brought.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_info_free(info: *mut etcd3_lease_info_t) {
    guard::quiet((), || drop(handle::take(info)))
}

/// Lists the leases there are. The list comes through `list`; free with etcd3_lease_list_free. It is that of one member,
/// which may lag behind. RPC: Lease.LeaseLeases. Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_list(
    client: *const etcd3_client_t,
    list: *mut *mut etcd3_lease_list_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, out) = (handle::get(client, "client")?, Out::new(list, "list")?);
        out.give(handle::give(Headed::new(client.lease_list()?, |list| list)))
    })
}

/// The header of the answer; NULL for NULL. Borrowed from `list`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_list_header(list: *const etcd3_lease_list_t) -> *const etcd3_header_t {
    header::header(list)
}

/// How many leases the list has.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_list_count(list: *const etcd3_lease_list_t) -> usize {
    let Some(list) = handle::peek(list) else { return 0 };
    guard::quiet(0, || list.len())
}

/// The id at `index`, from 0; 0 past the end.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_list_id(list: *const etcd3_lease_list_t, index: usize) -> i64 {
    let Some(list) = handle::peek(list) else { return 0 };
    guard::quiet(0, || list.get(index).copied().unwrap_or(0))
}

/// Frees a list.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_list_free(list: *mut etcd3_lease_list_t) {
    guard::quiet((), || drop(handle::take(list)))
}
