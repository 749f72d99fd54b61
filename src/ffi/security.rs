//! Who the client is, and whom it trusts. Passwords are wiped from memory when they are no longer needed; they, tokens
//! and keys are in no log line and no error message. A token that the server no longer takes is replaced, and the call
//! made again, without the caller's noticing.

use super::builder;
use super::client::etcd3_client_t;
use super::config::etcd3_config_t;
use super::error::etcd3_error_t;
use super::{guard, handle, input};
use crate::core::client::Config;
use crate::core::code::Code;
use crate::core::error::{Error, Result};
use crate::core::tls::{identity, Options, Pem};
use crate::core::transport::Credentials;
use std::ffi::{c_char, c_void};

/// TLS 1.2 or newer: the default.
pub const ETCD3_TLS_1_2: i32 = 12;
/// TLS 1.3 only.
pub const ETCD3_TLS_1_3: i32 = 13;

unsafe fn password(user: *const c_char, password: *const c_char) -> Result<Credentials> {
    Credentials::password(input::text(user, "user")?, input::text(password, "password")?)
}

unsafe fn token(token: *const c_char) -> Result<Credentials> {
    Credentials::token(input::text(token, "token")?)
}

unsafe fn identify(config: *mut etcd3_config_t, credentials: impl FnOnce() -> Result<Credentials>) {
    builder::set(config, |config| {
        if !matches!(config.credentials, Credentials::None) {
            return Err(Error::argument(
                "credentials",
                "a password and a token exclude one another, and are given once",
            ));
        }
        config.credentials = credentials()?;
        Ok(())
    })
}

/// Sets a user and a password, with which the client gets its tokens. RPC: Auth.Authenticate. A cluster without
/// authentication is used without.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_credentials(
    config: *mut etcd3_config_t,
    user: *const c_char,
    password: *const c_char,
) {
    identify(config, || self::password(user, password))
}

/// Sets a token to send as it is, such as a JWT. The client never replaces it; see etcd3_client_set_token.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_token(config: *mut etcd3_config_t, token: *const c_char) {
    identify(config, || self::token(token))
}

unsafe fn tls(config: *mut etcd3_config_t, setter: impl FnOnce(&mut Options) -> Result<()>) {
    builder::set(config, |config: &mut Config| setter(config.tls.get_or_insert_default()))
}

/// Configures TLS from PEM files: the certificates of the CAs to trust, and the client's certificate chain and key. Each
/// may be NULL; certificate and key are given together. Without a CA the system's are trusted. The files are read when
/// the client is opened, and again when they have changed and a connection is made; half-written ones are left alone.
/// Errors of etcd3_client_open then: ETCD3_ERR_TLS, naming the file.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_tls_files(
    config: *mut etcd3_config_t,
    ca: *const c_char,
    cert: *const c_char,
    key: *const c_char,
) {
    let file = |path: *const c_char, name: &str| match path.is_null() {
        true => Ok(None),
        false => input::text(path, name).map(|path| Some(Pem::File(path.into()))),
    };
    tls(config, |tls| set_pems(tls, file(ca, "ca")?, file(cert, "cert")?, file(key, "key")?))
}

/// The same from PEM text in memory; a length of 0 leaves one out.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_tls_pem(
    config: *mut etcd3_config_t,
    ca: *const c_void,
    ca_len: usize,
    cert: *const c_void,
    cert_len: usize,
    key: *const c_void,
    key_len: usize,
) {
    let text = |text: *const c_void, len: usize, name: &str| {
        let text = input::bytes(text, len, name)?;
        Ok::<_, Error>((!text.is_empty()).then_some(Pem::Memory(text)))
    };
    tls(config, |tls| set_pems(tls, text(ca, ca_len, "ca")?, text(cert, cert_len, "cert")?, text(key, key_len, "key")?))
}

fn set_pems(tls: &mut Options, ca: Option<Pem>, cert: Option<Pem>, key: Option<Pem>) -> Result<()> {
    tls.identity = identity(cert, key)?;
    tls.ca = ca;
    Ok(())
}

/// Configures TLS and trusts the system's CAs, beside those given.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_tls_system_roots(config: *mut etcd3_config_t) {
    tls(config, |tls| {
        tls.system_roots = true;
        Ok(())
    })
}

/// Configures TLS and wants the servers' certificates to be for this name, in place of each endpoint's own host.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_tls_server_name(config: *mut etcd3_config_t, name: *const c_char) {
    tls(config, |tls| {
        let name = input::text(name, "name")?;
        if !crate::core::tls::is_name(name) {
            return Err(Error::argument("name", format!("{name:?} is no name a certificate can have")));
        }
        tls.server_name = Some(name.to_owned());
        Ok(())
    })
}

/// Configures TLS and sets the oldest version to accept: ETCD3_TLS_1_2 or ETCD3_TLS_1_3.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_tls_min_version(config: *mut etcd3_config_t, version: i32) {
    tls(config, |tls| {
        tls.only_1_3 = match version {
            ETCD3_TLS_1_2 => false,
            ETCD3_TLS_1_3 => true,
            _ => {
                return Err(Error::argument("version", format!("{version} is neither ETCD3_TLS_1_2 nor ETCD3_TLS_1_3")))
            }
        };
        Ok(())
    })
}

/// Configures TLS and trusts any server, which protects against nobody who can reach the network. Logged as a warning.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_tls_skip_verify(config: *mut etcd3_config_t) {
    tls(config, |tls| {
        tls.skip_verify = true;
        Ok(())
    })
}

/// Takes another user and password for all calls and streams from now on; both NULL for none.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_set_credentials(
    client: *const etcd3_client_t,
    user: *const c_char,
    password: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        client.set_credentials(match user.is_null() && password.is_null() {
            true => Credentials::None,
            false => self::password(user, password)?,
        });
        Ok(())
    })
}

/// Takes another token, to be sent as it is, for all calls and streams from now on. Errors: ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_set_token(
    client: *const etcd3_client_t,
    token: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        handle::get(client, "client")?.set_credentials(self::token(token)?);
        Ok(())
    })
}

/// Reads the TLS files again now, for connections made from now on. Errors: ETCD3_ERR_TLS: a file cannot be used, and what
/// was read before stays; ETCD3_ERR_INVALID_ARGUMENT: the client uses no TLS.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_reload_tls(client: *const etcd3_client_t, err: *mut *mut etcd3_error_t) -> Code {
    guard::call(err, || handle::get(client, "client")?.reload_tls())
}
