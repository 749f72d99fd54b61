//! A configuration from a text, a file, the environment or a domain, in place of setters or beside them: what is loaded
//! takes the place of what was set before. Keys and variables are listed in docs/configuration.md.

use super::builder;
use super::config::etcd3_config_t;
use super::error::etcd3_error_t;
use super::{guard, input};
use crate::core::code::Code;
use crate::core::discovery::{self, Discovery};
use crate::core::error::Error;
use std::ffi::{c_char, c_void};
use zeroize::Zeroize;

/// Takes settings from a text in YAML or JSON, under the names that etcd's Go client and etcdctl give them, such as
/// "endpoints", "dial-timeout" or "cacert". A key that is unknown or given twice, or a value that does not fit, is a
/// mistake that names the key and its line. With "discovery-srv" the text has this function look endpoints up, as
/// etcd3_config_discover_srv does, for up to the connect timeout.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_load_text(config: *mut etcd3_config_t, text: *const c_void, text_len: usize) {
    builder::set(config, |config| {
        let text = input::bytes(text, text_len, "text")?;
        let utf8 = std::str::from_utf8(&text).map_err(|_| Error::argument("text", "must be UTF-8"));
        let loaded = utf8.and_then(|text| config.load_text(text));
        // There may be a password in it.
        if let Ok(mut text) = text.try_into_mut() {
            text.as_mut().zeroize();
        }
        loaded
    })
}

/// The same from a file, read now, once.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_load_file(config: *mut etcd3_config_t, path: *const c_char) {
    builder::set(config, |config| config.load_file(input::text(path, "path")?))
}

/// Takes settings from the variables that etcdctl takes them from: ETCDCTL_ENDPOINTS, ETCDCTL_DIAL_TIMEOUT,
/// ETCDCTL_COMMAND_TIMEOUT, ETCDCTL_USER, ETCDCTL_PASSWORD, ETCDCTL_CACERT and so on. A value that does not fit is a
/// mistake that names the variable; what is not set, or empty, changes nothing. No other thread may change the environment
/// meanwhile. With ETCDCTL_DISCOVERY_SRV it looks endpoints up.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_load_env(config: *mut etcd3_config_t) {
    builder::set(config, |config| config.load_env())
}

/// Looks up which endpoints a domain has, and takes them in place of those of before: the service records
/// _etcd-client-ssl._tcp.DOMAIN, which become https endpoints, or if there are none, _etcd-client._tcp.DOMAIN, which become
/// http ones; both with etcd3_config_allow_mixed_schemes. By priority, then weight. `service_name`, "-NAME" after
/// "client" or "ssl", and `resolver`, the IP address of a name server with or without ":port", may be NULL: no name, the
/// system's servers. Waits up to `timeout_ms`, above 0. RPC: none; DNS over UDP, and TCP for long answers.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT (also the first mistake made with `config`), ETCD3_ERR_UNAVAILABLE (there are no such
/// records, or a server failed), ETCD3_ERR_TIMEOUT. `config` then is as it was.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_discover_srv(
    config: *mut etcd3_config_t,
    domain: *const c_char,
    service_name: *const c_char,
    resolver: *const c_char,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let config = builder::change(config, "config")?;
        let optional = |text: *const c_char, name| match text.is_null() {
            true => Ok(None),
            false => input::text(text, name).map(Some),
        };
        let discovery = Discovery {
            domain: input::text(domain, "domain")?.to_owned(),
            service: optional(service_name, "service_name")?.map(str::to_owned),
            resolver: optional(resolver, "resolver")?.map(discovery::resolver).transpose()?,
            secure_only: false,
        };
        config.endpoints = discovery.find(input::timeout(timeout_ms, "timeout_ms")?, config.options.mixed_schemes)?;
        Ok(())
    })
}
