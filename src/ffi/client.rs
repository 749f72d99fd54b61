//! A client holds the connections to one cluster; all else is done through it. One client serves many threads.

use super::config::etcd3_config_t;
use super::error::etcd3_error_t;
use super::guard::Out;
use super::handle::{self, opaque, Bound};
use super::{builder, guard, input, process};
use crate::core::client::{Client, Config};
use crate::core::code::Code;
use crate::core::counters;
use crate::core::endpoint::Endpoint;
use crate::core::error::{Error, Result};
use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

/// A client of one cluster.
pub struct etcd3_client_t {
    _private: [u8; 0],
}

opaque!(etcd3_client_t = Bound<Arc<Client>>);

/// Makes a client from `config`, or from the defaults if NULL. Sends nothing: the first call connects, and finds
/// out whether an endpoint answers. The client comes through `client`; free with etcd3_client_free.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT (the first mistake made with `config`), ETCD3_ERR_TLS (files that cannot be used),
/// ETCD3_ERR_SYSTEM (no thread).
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_open(
    config: *const etcd3_config_t,
    client: *mut *mut etcd3_client_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let out = Out::new(client, "client")?;
        let default = Config::default();
        let config = if config.is_null() { &default } else { builder::finish(config, "config")? };
        let client = Client::open(config, process::current().runtime.get()?)?;
        out.give(handle::give(Bound::new(Arc::new(client))))
    })
}

/// Ends all that is under way: calls on other threads return ETCD3_ERR_CLOSED, or ETCD3_ERR_AMBIGUOUS if they are writes
/// that were sent; every watch gets its ETCD3_EVENT_CLOSED, and every lease
/// ETCD3_EVENT_LOST before it; and later calls return ETCD3_ERR_CLOSED. Then waits up to
/// `timeout_ms` (0: not at all) for the callbacks of the client's own thread, unless called on it. With the process's
/// last client the I/O thread ends. The handles of etcd3_namespace_open made from it end with it, and the callbacks of
/// their threads are waited for too. Closing twice does no harm. Never waits for a server.
/// Errors: ETCD3_ERR_TIMEOUT if a callback still runs: the client is closed all the same.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_close(
    client: *mut etcd3_client_t,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        client.close(input::wait(timeout_ms, "timeout_ms")?)
    })
}

/// Ends all calls that are under way on this client, on whatever thread, those that wait for anything else included: each
/// returns within 100 ms, with ETCD3_ERR_CANCELED, or ETCD3_ERR_AMBIGUOUS if it is a write that was sent. Watches and what
/// begins later are not concerned; for single calls see etcd3_op_set_cancel. Never blocks; from any thread.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_cancel_calls(client: *const etcd3_client_t) {
    guard::quiet((), || {
        if let Ok(client) = handle::get(client, "client") {
            client.cancel_calls();
        }
    })
}

/// Waits up to `timeout_ms`, above 0, until an endpoint is connected and, if the client has a password, has given a token
/// for it.
/// Errors: ETCD3_ERR_UNAVAILABLE, ETCD3_ERR_TLS, ETCD3_ERR_PROTOCOL, naming each endpoint and its trouble;
/// ETCD3_ERR_AUTH_FAILED, ETCD3_ERR_CLOSED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_wait_connected(
    client: *const etcd3_client_t,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(client, "client")?.wait_connected(input::timeout(timeout_ms, "timeout_ms")?))
}

/// Takes `count` other endpoints, at least one, in the forms of etcd3_config_add_endpoint, for all calls from now on. Calls
/// under way on an endpoint that is no longer there go on, watches move.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_set_endpoints(
    client: *const etcd3_client_t,
    endpoints: *const *const c_char,
    count: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        if endpoints.is_null() || count == 0 || count > MOST_ENDPOINTS {
            return Err(Error::argument("endpoints", format!("must be 1 to {MOST_ENDPOINTS}, got {count}")));
        }
        let texts = std::slice::from_raw_parts(endpoints, count);
        let parse = |text: &*const c_char| {
            Endpoint::parse(input::text(*text, "endpoints")?).map_err(|e| Error::argument("endpoints", e.message))
        };
        let parsed: Result<Vec<_>> = texts.iter().map(parse).collect();
        client.set_endpoints(&parsed?)
    })
}

const MOST_ENDPOINTS: usize = 1000;

/// Replaces the endpoints by the client URLs that the cluster lists for its started voting members. RPC:
/// Cluster.MemberList. Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_sync(client: *const etcd3_client_t, err: *mut *mut etcd3_error_t) -> Code {
    guard::call(err, || handle::get(client, "client")?.sync())
}

/// The name of the counter at `index`, from 0; NULL past the end. Static; not to be freed. Counted are: calls, retries
/// (attempts after the first), hedges (reads and renewals sent to a second endpoint), ambiguous (writes of unknown outcome), connects,
/// connect_failures, disconnects, bytes_sent and bytes_received (messages of calls), token_refreshes, watches (started),
/// watch_resumes (taken on by the server again), watch_parks (since the caller did not keep up), watch_relists (ranges read
/// by re-list watches and mirrors), leases (kept alive), lease_renewals (answered), leases_lost (neither revoked nor let go here).
#[no_mangle]
pub extern "C" fn etcd3_counter_name(index: usize) -> *const c_char {
    guard::quiet(std::ptr::null(), || counters::NAMES.get(index).map_or(std::ptr::null(), |name| name.as_ptr().cast()))
}

/// What the counter of this name stands at for this client, from 0; -1 if there is none of this name, for NULL, and in a
/// forked child.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_counter(client: *const etcd3_client_t, name: *const c_char) -> i64 {
    guard::quiet(-1, || match (handle::get(client, "client"), input::text(name, "name")) {
        (Ok(client), Ok(name)) => client.counters().get(name).unwrap_or(-1),
        _ => -1,
    })
}

/// Frees a client; closes it, without waiting for callbacks, if etcd3_client_close was not called. Its watches
/// stay valid until they are freed themselves.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_free(client: *mut etcd3_client_t) {
    guard::quiet((), || {
        if let Some(client) = handle::take_bound(client) {
            // With no time to wait it has nothing to report.
            let _ = client.close(Duration::ZERO);
        }
    })
}
