//! Who may do what. A user logs in with a password, or with a certificate that names it, and may do what its roles permit;
//! the user root with the role root may do all. With authentication on, only such a user may make these calls. Passwords
//! are neither logged nor kept.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque};
use super::header::{self, etcd3_header_t, Headed};
use super::input::text;
use super::output::c_text;
use crate::core::client::Client;
use crate::core::code::Code;
use crate::core::error::Result;
use crate::core::response;
use std::ffi::{c_char, c_int, CString};
use zeroize::Zeroizing;

/// Turns authentication on. There must be a user root with the role root. This client then needs its credentials: see
/// etcd3_client_set_credentials. RPC: Auth.AuthEnable. Errors: those of etcd3_put; ETCD3_ERR_ROOT_USER_NOT_FOUND,
/// ETCD3_ERR_ROOT_ROLE_NOT_FOUND.
#[no_mangle]
pub unsafe extern "C" fn etcd3_auth_enable(client: *const etcd3_client_t, err: *mut *mut etcd3_error_t) -> Code {
    guard::call(err, || handle::get(client, "client")?.auth_enable())
}

/// Turns authentication off; users and roles stay. That it is off already is no error. RPC: Auth.AuthDisable. Errors: those of etcd3_put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_auth_disable(client: *const etcd3_client_t, err: *mut *mut etcd3_error_t) -> Code {
    guard::call(err, || handle::get(client, "client")?.auth_disable())
}

/// `*enabled` is 1 if authentication is on, else 0. `*revision`, which may be NULL, changes with users and roles. RPC:
/// Auth.AuthStatus, since 3.5. Errors: those of etcd3_get; ETCD3_ERR_UNIMPLEMENTED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_auth_status(
    client: *const etcd3_client_t,
    enabled: *mut c_int,
    revision: *mut u64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let out = Out::new(enabled, "enabled")?;
        let (is_on, number) = client.auth_status()?;
        Out::optional(revision).give(number)?;
        out.give(is_on.into())
    })
}

unsafe fn password(password: *const c_char) -> Result<Zeroizing<String>> {
    text(password, "password").map(|password| Zeroizing::new(password.to_owned()))
}

/// Adds a user with a password, neither of them empty. RPC: Auth.UserAdd. Errors: those of etcd3_put;
/// ETCD3_ERR_USER_EXISTS.
#[no_mangle]
pub unsafe extern "C" fn etcd3_user_add(
    client: *const etcd3_client_t,
    name: *const c_char,
    password: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, name) = (handle::get(client, "client")?, text(name, "name")?);
        client.user_add(name, Some(self::password(password)?))
    })
}

/// Adds a user without a password, that can only log in with a certificate whose common name is `name`. RPC and errors:
/// those of etcd3_user_add.
#[no_mangle]
pub unsafe extern "C" fn etcd3_user_add_no_password(
    client: *const etcd3_client_t,
    name: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(client, "client")?.user_add(text(name, "name")?, None))
}

/// Deletes a user; its tokens die. RPC: Auth.UserDelete. Errors: those of etcd3_put; ETCD3_ERR_USER_NOT_FOUND,
/// ETCD3_ERR_INVALID_AUTH_MANAGEMENT (root, while authentication is on).
#[no_mangle]
pub unsafe extern "C" fn etcd3_user_delete(
    client: *const etcd3_client_t,
    name: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(client, "client")?.user_delete(text(name, "name")?))
}

/// Gives a user another password, not empty; its tokens die. RPC: Auth.UserChangePassword. Errors: those of etcd3_put;
/// ETCD3_ERR_USER_NOT_FOUND.
#[no_mangle]
pub unsafe extern "C" fn etcd3_user_change_password(
    client: *const etcd3_client_t,
    name: *const c_char,
    password: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, name) = (handle::get(client, "client")?, text(name, "name")?);
        client.user_change_password(name, self::password(password)?)
    })
}

/// Gives a user a role. RPC: Auth.UserGrantRole. Errors: those of etcd3_put; ETCD3_ERR_USER_NOT_FOUND,
/// ETCD3_ERR_ROLE_NOT_FOUND.
#[no_mangle]
pub unsafe extern "C" fn etcd3_user_grant_role(
    client: *const etcd3_client_t,
    name: *const c_char,
    role: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, name) = (handle::get(client, "client")?, text(name, "name")?);
        client.user_grant_role(name, text(role, "role")?)
    })
}

/// Takes a role from a user. RPC: Auth.UserRevokeRole. Errors: those of etcd3_put; ETCD3_ERR_USER_NOT_FOUND,
/// ETCD3_ERR_ROLE_NOT_GRANTED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_user_revoke_role(
    client: *const etcd3_client_t,
    name: *const c_char,
    role: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, name) = (handle::get(client, "client")?, text(name, "name")?);
        client.user_revoke_role(name, text(role, "role")?)
    })
}

/// Names of users or roles. They never change and may be read by many threads.
pub struct etcd3_names_t {
    _private: [u8; 0],
}

opaque!(etcd3_names_t = Headed<Vec<CString>>);

pub unsafe fn names(
    client: *const etcd3_client_t,
    names: *mut *mut etcd3_names_t,
    err: *mut *mut etcd3_error_t,
    ask: impl FnOnce(&Client) -> Result<response::Headed<Vec<String>>>,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let out = Out::new(names, "names")?;
        let texts = |names: Vec<String>| names.iter().map(|name| c_text(name)).collect();
        out.give(handle::give(Headed::new(ask(client)?, texts)))
    })
}

/// The roles of a user. They come through `names`; free with etcd3_names_free. RPC: Auth.UserGet. Errors: those of
/// etcd3_get; ETCD3_ERR_USER_NOT_FOUND.
#[no_mangle]
pub unsafe extern "C" fn etcd3_user_get(
    client: *const etcd3_client_t,
    name: *const c_char,
    names: *mut *mut etcd3_names_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    self::names(client, names, err, |client| client.user_get(text(name, "name")?))
}

/// All users. They come through `names`; free with etcd3_names_free. RPC: Auth.UserList. Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_user_list(
    client: *const etcd3_client_t,
    names: *mut *mut etcd3_names_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    self::names(client, names, err, Client::user_list)
}

/// The header of the answer; NULL for NULL. Borrowed from `names`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_names_header(names: *const etcd3_names_t) -> *const etcd3_header_t {
    header::header(names)
}

/// How many names there are.
#[no_mangle]
pub unsafe extern "C" fn etcd3_names_count(names: *const etcd3_names_t) -> usize {
    guard::quiet(0, || handle::peek(names).map_or(0, |names| names.len()))
}

/// The name at `index`, from 0; NULL past the end. Borrowed from `names`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_names_at(names: *const etcd3_names_t, index: usize) -> *const c_char {
    guard::quiet(std::ptr::null(), || {
        handle::peek(names).and_then(|names| names.get(index)).map_or(std::ptr::null(), |name| name.as_ptr())
    })
}

/// Frees names.
#[no_mangle]
pub unsafe extern "C" fn etcd3_names_free(names: *mut etcd3_names_t) {
    guard::quiet((), || drop(handle::take(names)))
}
