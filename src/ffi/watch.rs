use super::builder;
use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::event::{etcd3_event_fn, etcd3_event_t, Callback, EventObject};
use super::guard::Out;
use super::handle::{self, opaque, Bound};
use super::queue::{etcd3_queue_t, optional_queue};
use super::watch_opts::etcd3_watch_opts_t;
use super::{guard, input};
use crate::core::code::Code;
use crate::core::error::Result;
use crate::core::range::KeyRange;
use crate::core::watch::Handle;
use std::ffi::c_void;
use std::sync::Arc;

/// A watch.
pub struct etcd3_watch_t {
    _private: [u8; 0],
}

opaque!(etcd3_watch_t = Bound<Handle>);

/// Starts a watch. `fn` is called with `user_data` for each event: by whoever dispatches `queue`, or, if `queue` is
/// NULL, by the client's own callback thread. With a queue `fn` may be NULL, for etcd3_queue_next. The watch comes
/// through `watch`, also if nothing listens yet; free with etcd3_watch_free. Nothing is called if this fails.
///
/// Every change made after this returns is reported. Without a start revision that takes one read, which fails
/// where the key may not be read; see etcd3_watch_opts_set_loose_start. A re-list watch and a mirror read later, and do not
/// block here. RPC: KV.Range, Watch.Watch.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT (also the first mistake made with `opts`), ETCD3_ERR_SYSTEM (no thread),
/// ETCD3_ERR_CLOSED; without a start revision those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_start(
    client: *const etcd3_client_t,
    opts: *const etcd3_watch_opts_t,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    watch: *mut *mut etcd3_watch_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, opts) = (handle::get(client, "client")?, builder::finish(opts, "opts")?);
        let queue = optional_queue(queue, r#fn)?;
        let out = Out::new(watch, "watch")?;
        let watch = client.watch(opts, queue, Arc::new(Callback { function: r#fn, user_data }))?;
        out.give(handle::give(Bound::new(watch)))
    })
}

/// Asks the server how far the watch is. The answer is ETCD3_EVENT_PROGRESS, and may take long, or not come, while other
/// watches of the client catch up. Servers before 3.4.25 and 3.5.8 may answer ahead of changes that are still to come;
/// etcd3_event_resume_revision is right in all cases. Never blocks. RPC: Watch.Watch.
/// Error: ETCD3_ERR_CANCELED: the watch has ended.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_request_progress(
    watch: *const etcd3_watch_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(watch, "watch")?.request_progress())
}

/// How many bytes of events of a watch wait to be taken; 0 for NULL and in a forked child.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_pending_bytes(watch: *const etcd3_watch_t) -> i64 {
    guard::quiet(0, || handle::get(watch, "watch").map_or(0, |watch| watch.source.load.bytes()))
}

/// How many events of a watch wait to be taken; 0 for NULL and in a forked child.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_pending_events(watch: *const etcd3_watch_t) -> i64 {
    guard::quiet(0, || handle::get(watch, "watch").map_or(0, |watch| watch.source.load.events()))
}

/// The revision up to which a watch has delivered everything, from before its first event on; it also moves while nothing
/// changes, as the server tells its progress. 0 while a mirror's copy is not whole, for NULL and in a forked child.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_revision(watch: *const etcd3_watch_t) -> i64 {
    guard::quiet(0, || handle::get(watch, "watch").map_or(0, |watch| (watch.source.load.resume() - 1).max(0)))
}

/// Ends a watch: when this returns, no callback for a change of it starts any more; one that runs on another thread
/// may still end, as may one that a thread has already taken up. ETCD3_EVENT_CLOSED comes, with no error. Never blocks; may be called from any thread, in its own
/// callback too, and twice.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_cancel(watch: *const etcd3_watch_t) {
    guard::quiet((), || {
        if let Ok(watch) = handle::get(watch, "watch") {
            watch.source.cancel(None);
        }
    })
}

/// Ends a watch as etcd3_watch_cancel does and waits up to `timeout_ms` (0: not at all) until no callback of it
/// runs on another thread. In its own callback it returns at once. ETCD3_EVENT_CLOSED may still be to come.
/// Error: ETCD3_ERR_TIMEOUT: a callback still runs; the watch is cancelled all the same.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_join(
    watch: *const etcd3_watch_t,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let watch = handle::get(watch, "watch")?;
        let limit = input::wait(timeout_ms, "timeout_ms")?;
        watch.source.cancel(None);
        watch.source.join(limit)
    })
}

/// Cancels and frees a watch. Its ETCD3_EVENT_CLOSED still comes.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_free(watch: *mut etcd3_watch_t) {
    guard::quiet((), || {
        if let Some(watch) = handle::take_bound(watch) {
            watch.source.cancel(None);
        }
    })
}

/// Waits up to `timeout_ms` (-1: for ever) for the first change of a key that is made from now on. It comes through `event`
/// as an ETCD3_EVENT_WATCH, yours, free with etcd3_event_free: what was changed in the same transaction, and maybe shortly
/// after, is in the event too. RPC: KV.Range, Watch.Watch.
/// Errors: ETCD3_ERR_TIMEOUT (nothing changed, or no server answered), ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, those
/// of etcd3_get, and those with which a watch ends.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_once(
    client: *const etcd3_client_t,
    key: *const c_void,
    key_len: usize,
    timeout_ms: i64,
    event: *mut *mut etcd3_event_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || once(client, input::bytes(key, key_len, "key").map(KeyRange::new), timeout_ms, event))
}

/// The same for the keys that start with `prefix`; an empty one means all keys.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_prefix_once(
    client: *const etcd3_client_t,
    prefix: *const c_void,
    prefix_len: usize,
    timeout_ms: i64,
    event: *mut *mut etcd3_event_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || once(client, input::bytes(prefix, prefix_len, "prefix").map(KeyRange::prefix), timeout_ms, event))
}

unsafe fn once(
    client: *const etcd3_client_t,
    range: Result<KeyRange>,
    timeout_ms: i64,
    event: *mut *mut etcd3_event_t,
) -> Result<()> {
    let (client, range) = (handle::get(client, "client")?, range?);
    let limit = input::timeout_or_none(timeout_ms, "timeout_ms")?;
    let out = Out::new(event, "event")?;
    out.give(handle::give(EventObject::new(client.watch_once(range, limit)?)))
}
