//! Where a client looks for its cluster: as it was told, or has found.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque};
use super::output::c_text;
use crate::core::code::Code;
use std::ffi::{c_char, CString};

/// A list of endpoints. It never changes and may be read by many threads.
pub struct etcd3_endpoints_t {
    _private: [u8; 0],
}

opaque!(etcd3_endpoints_t = Vec<CString>);

/// The endpoints that a client has now: those of its configuration, or that etcd3_config_discover_srv found,
/// etcd3_client_set_endpoints set or etcd3_client_sync brought. They come through `endpoints`; free with
/// etcd3_endpoints_free. Nothing is sent. Errors: ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_endpoints(
    client: *const etcd3_client_t,
    endpoints: *mut *mut etcd3_endpoints_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, out) = (handle::get(client, "client")?, Out::new(endpoints, "endpoints")?);
        out.give(handle::give(client.endpoints().iter().map(|endpoint| c_text(&endpoint.url())).collect()))
    })
}

/// How many endpoints there are.
#[no_mangle]
pub unsafe extern "C" fn etcd3_endpoints_count(endpoints: *const etcd3_endpoints_t) -> usize {
    guard::quiet(0, || handle::peek(endpoints).map_or(0, Vec::len))
}

/// The endpoint at `index`, from 0, such as "10.0.0.4:2379", or "https://10.0.0.4:2379" where it was given with its scheme:
/// what maintenance calls take, and another client's configuration. Errors name it without the scheme, which maintenance
/// calls take too. NULL past the end. Borrowed from `endpoints`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_endpoints_at(endpoints: *const etcd3_endpoints_t, index: usize) -> *const c_char {
    guard::quiet(std::ptr::null(), || {
        handle::peek(endpoints).and_then(|list| list.get(index)).map_or(std::ptr::null(), |text| text.as_ptr())
    })
}

/// Frees a list of endpoints.
#[no_mangle]
pub unsafe extern "C" fn etcd3_endpoints_free(endpoints: *mut etcd3_endpoints_t) {
    guard::quiet((), || drop(handle::take(endpoints)))
}
