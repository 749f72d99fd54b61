//! Roles, and what they permit on which keys.

use super::access::{etcd3_names_t, names};
use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque};
use super::header::{self, etcd3_header_t, Headed};
use super::input::{bytes, text};
use crate::core::access::Permission;
use crate::core::client::Client;
use crate::core::code::Code;
use crate::core::error::Result;
use crate::core::range::{Extent, KeyRange};
use std::ffi::{c_char, c_void};

/// Adds a role that permits nothing yet. RPC: Auth.RoleAdd. Errors: those of etcd3_put; ETCD3_ERR_ROLE_EXISTS.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_add(
    client: *const etcd3_client_t,
    role: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(client, "client")?.role_add(text(role, "role")?))
}

/// Deletes a role, and takes it from all users. RPC: Auth.RoleDelete. Errors: those of etcd3_put;
/// ETCD3_ERR_ROLE_NOT_FOUND, ETCD3_ERR_INVALID_AUTH_MANAGEMENT (root, while authentication is on).
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_delete(
    client: *const etcd3_client_t,
    role: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(client, "client")?.role_delete(text(role, "role")?))
}

/// May read.
pub const ETCD3_PERMISSION_READ: i32 = 0;
/// May write.
pub const ETCD3_PERMISSION_WRITE: i32 = 1;
/// May read and write.
pub const ETCD3_PERMISSION_READWRITE: i32 = 2;

unsafe fn grant(
    client: *const etcd3_client_t,
    role: *const c_char,
    permission: i32,
    range: impl FnOnce() -> Result<KeyRange>,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, role) = (handle::get(client, "client")?, text(role, "role")?);
        client.role_grant(role, permission, &range()?)
    })
}

unsafe fn revoke(
    client: *const etcd3_client_t,
    role: *const c_char,
    range: impl FnOnce() -> Result<KeyRange>,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, role) = (handle::get(client, "client")?, text(role, "role")?);
        client.role_revoke(role, &range()?)
    })
}

unsafe fn wide(key: *const c_void, key_len: usize, name: &str, extent: Extent) -> Result<KeyRange> {
    let mut range = KeyRange::new(bytes(key, key_len, name)?);
    range.widen(extent)?;
    Ok(range)
}

/// Permits a role an ETCD3_PERMISSION_* on one key, in place of what it was permitted there. RPC:
/// Auth.RoleGrantPermission. Errors: those of etcd3_put; ETCD3_ERR_ROLE_NOT_FOUND.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_grant(
    client: *const etcd3_client_t,
    role: *const c_char,
    permission: i32,
    key: *const c_void,
    key_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    grant(client, role, permission, || Ok(KeyRange::new(bytes(key, key_len, "key")?)), err)
}

/// The same for every key that starts with `prefix`; all keys if it is empty.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_grant_prefix(
    client: *const etcd3_client_t,
    role: *const c_char,
    permission: i32,
    prefix: *const c_void,
    prefix_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    grant(client, role, permission, || wide(prefix, prefix_len, "prefix", Extent::Prefix), err)
}

/// The same for every key from `key` on; all keys if it is empty.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_grant_from_key(
    client: *const etcd3_client_t,
    role: *const c_char,
    permission: i32,
    key: *const c_void,
    key_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    grant(client, role, permission, || wide(key, key_len, "key", Extent::FromKey), err)
}

/// The same for every key from `key` up to, without, `end`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_grant_range(
    client: *const etcd3_client_t,
    role: *const c_char,
    permission: i32,
    key: *const c_void,
    key_len: usize,
    end: *const c_void,
    end_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    let range = || wide(key, key_len, "key", Extent::End(bytes(end, end_len, "end")?));
    grant(client, role, permission, range, err)
}

/// Takes from a role what etcd3_role_grant gave it for this key. RPC: Auth.RoleRevokePermission. Errors: those of
/// etcd3_put; ETCD3_ERR_ROLE_NOT_FOUND, ETCD3_ERR_PERMISSION_NOT_GRANTED (not for exactly this).
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_revoke(
    client: *const etcd3_client_t,
    role: *const c_char,
    key: *const c_void,
    key_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    revoke(client, role, || Ok(KeyRange::new(bytes(key, key_len, "key")?)), err)
}

/// The same for what etcd3_role_grant_prefix gave.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_revoke_prefix(
    client: *const etcd3_client_t,
    role: *const c_char,
    prefix: *const c_void,
    prefix_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    revoke(client, role, || wide(prefix, prefix_len, "prefix", Extent::Prefix), err)
}

/// The same for what etcd3_role_grant_from_key gave.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_revoke_from_key(
    client: *const etcd3_client_t,
    role: *const c_char,
    key: *const c_void,
    key_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    revoke(client, role, || wide(key, key_len, "key", Extent::FromKey), err)
}

/// The same for what etcd3_role_grant_range gave.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_revoke_range(
    client: *const etcd3_client_t,
    role: *const c_char,
    key: *const c_void,
    key_len: usize,
    end: *const c_void,
    end_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    revoke(client, role, || wide(key, key_len, "key", Extent::End(bytes(end, end_len, "end")?)), err)
}

/// All roles. They come through `names`; free with etcd3_names_free. RPC: Auth.RoleList. Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_list(
    client: *const etcd3_client_t,
    names: *mut *mut etcd3_names_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    self::names(client, names, err, Client::role_list)
}

/// What a role permits. It never changes and may be read by many threads.
pub struct etcd3_role_t {
    _private: [u8; 0],
}

opaque!(etcd3_role_t = Headed<RoleObject>);

/// One permission of a role. Reached only by pointer, since fields may be added at the end. All of it is borrowed from the
/// role it was read from.
#[repr(C)]
pub struct etcd3_permission_t {
    /// ETCD3_PERMISSION_READ, _WRITE or _READWRITE.
    pub r#type: i32,
    /// The key: `key_len` bytes, any byte, no NUL after them.
    pub key: *const u8,
    /// The length of the key.
    pub key_len: usize,
    /// Where the range ends: `range_end_len` bytes; none for the one key, a single NUL for all keys from it on.
    pub range_end: *const u8,
    /// The length of the range's end.
    pub range_end_len: usize,
}

pub struct RoleObject {
    /// These point into the answer.
    views: Box<[etcd3_permission_t]>,
    _answer: Vec<Permission>,
}

impl RoleObject {
    fn new(answer: Vec<Permission>) -> Self {
        let view = |one: &Permission| etcd3_permission_t {
            r#type: one.perm_type,
            key: one.key.as_ptr(),
            key_len: one.key.len(),
            range_end: one.range_end.as_ptr(),
            range_end_len: one.range_end.len(),
        };
        RoleObject { views: answer.iter().map(view).collect(), _answer: answer }
    }
}

/// What a role permits. It comes through `permissions`; free with etcd3_role_free. RPC: Auth.RoleGet. Errors: those of
/// etcd3_get; ETCD3_ERR_ROLE_NOT_FOUND.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_get(
    client: *const etcd3_client_t,
    role: *const c_char,
    permissions: *mut *mut etcd3_role_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, role) = (handle::get(client, "client")?, text(role, "role")?);
        let out = Out::new(permissions, "permissions")?;
        out.give(handle::give(Headed::new(client.role_get(role)?, RoleObject::new)))
    })
}

/// The header of the answer; NULL for NULL. Borrowed from `role`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_header(role: *const etcd3_role_t) -> *const etcd3_header_t {
    header::header(role)
}

/// How many permissions a role has.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_permission_count(role: *const etcd3_role_t) -> usize {
    guard::quiet(0, || handle::peek(role).map_or(0, |role| role.views.len()))
}

/// The permission at `index`, from 0; NULL past the end. Borrowed from `role`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_permission(role: *const etcd3_role_t, index: usize) -> *const etcd3_permission_t {
    guard::quiet(std::ptr::null(), || {
        handle::peek(role).and_then(|role| role.views.get(index)).map_or(std::ptr::null(), |view| view)
    })
}

/// Frees a role.
#[no_mangle]
pub unsafe extern "C" fn etcd3_role_free(role: *mut etcd3_role_t) {
    guard::quiet((), || drop(handle::take(role)))
}
