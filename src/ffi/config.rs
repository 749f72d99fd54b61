//! How to reach a cluster: a builder for etcd3_client_open, which copies it.

use super::builder::{self, Builder};
use super::event::{etcd3_event_fn, Callback};
use super::handle::{self, opaque};
use super::queue::{etcd3_queue_t, optional_queue};
use super::{guard, input};
use crate::core::client::Config;
use crate::core::endpoint::Endpoint;
use crate::core::error::Error;
use crate::core::log::{Log, Sink};
use crate::core::watch::{self, ProbeLimits};
use std::ffi::{c_char, c_int, c_void, CString};
use std::sync::Arc;

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

/// Adds a member's client URL: "host:port", "http://host:port", "https://host:port", "unix:path" or "unixs:path"; an
/// IPv6 address in brackets; without a port it is 2379. https and unixs use TLS, http does not, the others do if TLS is
/// configured. The first one takes the place of the default. Calls go to all endpoints in turn.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_add_endpoint(config: *mut etcd3_config_t, endpoint: *const c_char) {
    builder::set(config, |config| {
        config.endpoints.push(Endpoint::parse(input::text(endpoint, "endpoint")?)?);
        Ok(())
    })
}

/// Permits http and https endpoints in one list, which is else refused: what is meant to be protected may go out in
/// the clear.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_allow_mixed_schemes(config: *mut etcd3_config_t) {
    builder::set(config, |config| {
        config.options.mixed_schemes = true;
        Ok(())
    })
}

/// Sets the time limit of a whole call, connecting included, for calls that are given none of their own: above 0.
/// Default: 5000 ms.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_timeout(config: *mut etcd3_config_t, timeout_ms: i64) {
    builder::set(config, |config| {
        config.timeout = input::timeout(timeout_ms, "timeout_ms")?;
        Ok(())
    })
}

/// Sets the time limit of one attempt to connect: TCP, TLS and HTTP/2. Above 0; default: 5000 ms. A call does not wait
/// for an endpoint longer than its own limit, and takes the first endpoint that answers.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_connect_timeout(config: *mut etcd3_config_t, timeout_ms: i64) {
    builder::set(config, |config| {
        config.options.connect_timeout = input::timeout(timeout_ms, "timeout_ms")?;
        Ok(())
    })
}

/// Sets how often a connection with open streams (watches) is pinged, at least 5000 ms, and how long the answer may take
/// before the connection is given up, above 0. Defaults: 10000 and 3000 ms. Servers count more frequent pings, and pings
/// without a stream, as abuse.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_keepalive(config: *mut etcd3_config_t, interval_ms: i64, timeout_ms: i64) {
    builder::set(config, |config| {
        let interval = input::timeout(interval_ms, "interval_ms")?;
        if interval_ms < 5000 {
            return Err(Error::argument("interval_ms", format!("must be at least 5000 ms, got {interval_ms}")));
        }
        config.options.ping_timeout = input::timeout(timeout_ms, "timeout_ms")?;
        config.options.ping_interval = interval;
        Ok(())
    })
}

/// Sets after how long without an answer a read is sent to a second endpoint too, whose answer may then win. 0: never.
/// Default: 1000 ms.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_hedge_after(config: *mut etcd3_config_t, time_ms: i64) {
    builder::set(config, |config| {
        let time = input::wait(time_ms, "time_ms")?;
        config.options.hedge_after = (!time.is_zero()).then_some(time);
        Ok(())
    })
}

/// Sets how many attempts of a call may fail after they were sent; 0, the default, for as many as its time limit allows.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_max_attempts(config: *mut etcd3_config_t, attempts: i64) {
    builder::set(config, |config| {
        let number = u32::try_from(attempts)
            .map_err(|_| Error::argument("attempts", format!("must be 0 to {}, got {attempts}", u32::MAX)))?;
        config.options.max_attempts = (number > 0).then_some(number);
        Ok(())
    })
}

/// Sets the largest request the client sends: above 0, below 2 GiB. Default: 2 MiB, which is what a server with its own
/// defaults reads. A larger one fails with ETCD3_ERR_REQUEST_TOO_LARGE and is not sent. Answers have no limit but 2 GiB.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_max_request_bytes(config: *mut etcd3_config_t, bytes: i64) {
    builder::set(config, |config| match i32::try_from(bytes) {
        Ok(bytes @ 1..) => {
            config.options.max_request_bytes = bytes as usize;
            Ok(())
        }
        _ => Err(Error::argument("bytes", format!("must be 1 to {}, got {bytes}", i32::MAX))),
    })
}

/// Sets whether streams (watches) are only opened on, and leave, a member that has no leader: 1, the default, or 0. For
/// calls see etcd3_op_set_require_leader.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_require_leader(config: *mut etcd3_config_t, yes: c_int) {
    builder::set(config, |config| {
        config.options.require_leader = input::yes(yes, "yes")?;
        Ok(())
    })
}

/// Sets whether reads may go back: 0, the default, or 1 for not. A serializable read is answered by one member from what
/// it has, which may be less than another one, or an earlier write, has shown already. With 1 such an answer is dropped
/// and another member asked, five times as often as there are endpoints; then the read fails with
/// ETCD3_ERR_NO_GREATER_REVISION. Gets and transactions of gets of this client are ordered so, after each other and after
/// its writes; etcd3_client_set_endpoints starts anew.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_ordering(config: *mut etcd3_config_t, yes: c_int) {
    builder::set(config, |config| {
        config.ordering = input::yes(yes, "yes")?;
        Ok(())
    })
}

/// Sets how many bytes of events of all watches together may wait to be taken, above 0; the watches that get more events
/// then are parked or end, see etcd3_watch_opts_set_buffer. Default: 256 MiB.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_watch_buffer(config: *mut etcd3_config_t, max_bytes: i64) {
    builder::set(config, |config| {
        config.watches.buffer = watch::some_bytes("max_bytes", max_bytes)?;
        Ok(())
    })
}

/// Sends metadata along with every call and stream of the client: the headers a proxy or a server may look at. `name` is
/// of a-z, 0-9, '_', '-' and '.', and none that gRPC, etcd or HTTP/2 have a use for ("token", "hasleader", "grpc-...",
/// "content-type" and the like). `value` is printable ASCII; under a name that ends in "-bin" it is base64, which is how
/// gRPC sends bytes. A name may have several values; all names and values have up to 8 KiB. No value is ever logged.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_add_metadata(
    config: *mut etcd3_config_t,
    name: *const c_char,
    value: *const c_char,
) {
    builder::set(config, |config| {
        config.options.metadata.add(input::text(name, "name")?, input::text(value, "value")?)
    })
}

/// Sets after how long a silence a stream of watches is asked for a sign of life, and how long the answer may take before
/// the watches move to another member. `idle_ms` 0: never; `answer_ms` above 0. Defaults: 30000 and 10000 ms. The question is
/// a progress request, which etcd's own gRPC proxy before 3.5 cannot take.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_watch_probe(config: *mut etcd3_config_t, idle_ms: i64, answer_ms: i64) {
    builder::set(config, |config| {
        let idle = input::wait(idle_ms, "idle_ms")?;
        let answer = input::timeout(answer_ms, "answer_ms")?;
        config.watches.probe = (!idle.is_zero()).then_some(ProbeLimits { idle, answer });
        Ok(())
    })
}

/// Has the client replace its endpoints by what the cluster lists, as etcd3_client_sync does, every `interval_ms`; 0, the
/// default, for never.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_auto_sync(config: *mut etcd3_config_t, interval_ms: i64) {
    builder::set(config, |config| {
        let interval = input::wait(interval_ms, "interval_ms")?;
        config.auto_sync = (!interval.is_zero()).then_some(interval);
        Ok(())
    })
}

/// Has `fn` called with `user_data` for each event of the client itself: ETCD3_EVENT_STATE with ETCD3_STATE_CONNECTED
/// when its first connection comes and with ETCD3_STATE_DISCONNECTED when the last one is gone, and ETCD3_EVENT_CLOSED. It
/// then also works for a new connection without being called. By whoever dispatches `queue`, or, if that is NULL, by the
/// client's own callback thread. `queue` may be freed only after the configuration.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_events(
    config: *mut etcd3_config_t,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
) {
    builder::set(config, |config| {
        let queue = optional_queue(queue, r#fn)?;
        config.events = Some((queue, Arc::new(Callback { function: r#fn, user_data })));
        Ok(())
    })
}

/// Called with a line of the log: an ETCD3_LOG_* level, and a message without a line end, borrowed for the call. On a
/// thread of the library's or of a caller; must neither block nor call this library.
pub type etcd3_log_fn = Option<unsafe extern "C" fn(level: i32, message: *const c_char, user_data: *mut c_void)>;

/// Something is wrong and stays so.
pub const ETCD3_LOG_ERROR: i32 = 1;
/// Something went wrong that is worked around.
pub const ETCD3_LOG_WARNING: i32 = 2;
/// Connections come and go.
pub const ETCD3_LOG_INFO: i32 = 3;
/// Attempts that were repeated, and the like.
pub const ETCD3_LOG_DEBUG: i32 = 4;

/// Has `fn` called with `user_data` for what happens inside, up to an ETCD3_LOG_* level, until the client is closed or
/// freed: when that has returned it is called no more. Without it the library is silent. No password, token, key or
/// value is ever logged.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_set_log(
    config: *mut etcd3_config_t,
    level: i32,
    r#fn: etcd3_log_fn,
    user_data: *mut c_void,
) {
    builder::set(config, |config| {
        if !(ETCD3_LOG_ERROR..=ETCD3_LOG_DEBUG).contains(&level) {
            return Err(Error::argument("level", format!("{level} is no log level")));
        }
        let function = r#fn.ok_or_else(|| Error::argument("fn", "must not be NULL"))?;
        let user_data = user_data as usize;
        let sink: Sink = Box::new(move |level, text| {
            let text = CString::new(text.replace(['\0', '\n'], " ")).unwrap_or_default();
            function(level, text.as_ptr(), user_data as *mut c_void);
        });
        config.log = Arc::new(Log::new(level, sink));
        Ok(())
    })
}

/// Frees a configuration.
#[no_mangle]
pub unsafe extern "C" fn etcd3_config_free(config: *mut etcd3_config_t) {
    guard::quiet((), || drop(handle::take(config)))
}
