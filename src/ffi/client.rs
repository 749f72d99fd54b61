//! A client holds the connections to one cluster; all else is done through it. One client serves many threads.

use super::config::etcd3_config_t;
use super::error::etcd3_error_t;
use super::guard::Out;
use super::handle::{self, opaque, Bound};
use super::{builder, guard, input, process};
use crate::core::client::{Client, Config};
use crate::core::code::Code;

/// A client of one cluster.
pub struct etcd3_client_t {
    _private: [u8; 0],
}

opaque!(etcd3_client_t = Bound<Client>);

/// Makes a client from `config`, or from the defaults if NULL. Sends nothing: the first call connects, and finds
/// out whether an endpoint answers. The client comes through `client`; free with etcd3_client_free.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT (the first mistake made with `config`), ETCD3_ERR_SYSTEM (no thread).
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
        out.give(handle::give(Bound::new(client)))
    })
}

/// Ends all that is under way: calls on other threads return ETCD3_ERR_CLOSED, or ETCD3_ERR_AMBIGUOUS if they are writes
/// that were sent; every watch gets its ETCD3_EVENT_CLOSED; and later calls return ETCD3_ERR_CLOSED. Then waits up to
/// `timeout_ms` (0: not at all) for the callbacks of the client's own thread, unless called on it. With the process's
/// last client the I/O thread ends. Closing twice does no harm. Never waits for a server.
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

/// Frees a client; closes it, without waiting for callbacks, if etcd3_client_close was not called. Its watches
/// stay valid until they are freed themselves.
#[no_mangle]
pub unsafe extern "C" fn etcd3_client_free(client: *mut etcd3_client_t) {
    guard::quiet((), || drop(handle::take_bound(client)))
}
