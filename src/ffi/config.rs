//! How to reach a cluster: a builder for etcd3_client_open, which copies it.

use super::builder::{self, Builder};
use super::handle::{self, opaque};
use super::{guard, input};
use crate::core::client::Config;
use crate::core::endpoint::Endpoint;
use std::ffi::c_char;

/// Endpoints and limits of a client to be.
pub struct etcd3_config_t {
    _private: [u8; 0],
}

opaque!(etcd3_config_t = Builder<Config>);

/// A configuration with the endpoint localhost:2379 and a time limit of 5000 ms. Yours; free with
/// etcd3_config_free.
#[no_mangle]
pub extern "C" fn etcd3_config_new() -> *mut etcd3_config_t {
    guard::quiet(std::ptr::null_mut(), || Builder::give(Ok(Config::default())))
}

/// Adds a member's client URL: "host:port", "http://host:port", an IPv6 address in brackets; without a port it
/// is 2379. The first one takes the place of the default.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_add_endpoint(config: *mut etcd3_config_t, endpoint: *const c_char) {
    builder::set(config, |config| {
        config.endpoints.push(Endpoint::parse(input::text(endpoint, "endpoint")?)?);
        Ok(())
    })
}

/// Sets the time limit of a whole call, connecting included, for calls that are given none of their own: above 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_timeout(config: *mut etcd3_config_t, timeout_ms: i64) {
    builder::set(config, |config| {
        config.timeout = input::timeout(timeout_ms, "timeout_ms")?;
        Ok(())
    })
}

/// Frees a configuration.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_free(config: *mut etcd3_config_t) {
    guard::quiet((), || drop(handle::take(config)))
}
