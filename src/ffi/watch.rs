//! A watch reports every change of a key or a range, in order, each once. It outlives connections: it goes on
//! where it was, without a gap or a repeat. All watches of a client share one stream.

use super::builder::{self, Builder};
use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::event::{etcd3_event_fn, Callback};
use super::guard::Out;
use super::handle::{self, opaque, Bound};
use super::queue::{etcd3_queue_t, optional_queue};
use super::{guard, input};
use crate::core::code::Code;
use crate::core::range::{Extent, KeyRange};
use crate::core::source::Source;
use crate::core::watch::Options;
use std::ffi::c_void;
use std::sync::Arc;

/// What to watch: a builder for etcd3_watch_start, which copies it.
pub struct etcd3_watch_opts_t {
    _private: [u8; 0],
}

/// A watch.
pub struct etcd3_watch_t {
    _private: [u8; 0],
}

opaque!(etcd3_watch_opts_t = Builder<Options>, etcd3_watch_t = Bound<Arc<Source>>);

/// Leave puts out.
pub const ETCD3_FILTER_NOPUT: i32 = 0;
/// Leave deletes out.
pub const ETCD3_FILTER_NODELETE: i32 = 1;

/// A watch of one key, or of a range: see etcd3_watch_opts_set_prefix and its neighbours. Yours; free with
/// etcd3_watch_opts_free.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_new(key: *const c_void, key_len: usize) -> *mut etcd3_watch_opts_t {
    guard::quiet(std::ptr::null_mut(), || {
        Builder::give(input::bytes(key, key_len, "key").map(|key| Options::new(KeyRange::new(key))))
    })
}

/// Watches every key that starts with the key; an empty key means all keys.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_prefix(opts: *mut etcd3_watch_opts_t) {
    builder::set(opts, |opts| opts.range.widen(Extent::Prefix))
}

/// Watches every key from the key on; an empty key means all keys.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_from_key(opts: *mut etcd3_watch_opts_t) {
    builder::set(opts, |opts| opts.range.widen(Extent::FromKey))
}

/// Watches every key from the key up to, without, `end`, which must be above the key.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_range_end(
    opts: *mut etcd3_watch_opts_t,
    end: *const c_void,
    end_len: usize,
) {
    builder::set(opts, |opts| opts.range.widen(Extent::End(input::bytes(end, end_len, "end")?)))
}

/// Starts with the changes of this revision, which may be past, or still to come; 1 for all of history. 0, the
/// default, means from the call of etcd3_watch_start on. If history no longer has it, the watch ends with
/// ETCD3_ERR_COMPACTED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_start_revision(opts: *mut etcd3_watch_opts_t, revision: i64) {
    builder::set(opts, |opts| opts.set_start_revision(revision))
}

/// Has changes tell what was there before.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_prev_kv(opts: *mut etcd3_watch_opts_t) {
    builder::set(opts, |opts| {
        opts.prev_kv = true;
        Ok(())
    })
}

/// Leaves a kind of change out, at the server: ETCD3_FILTER_NOPUT or ETCD3_FILTER_NODELETE.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_filter(opts: *mut etcd3_watch_opts_t, filter: i32) {
    builder::set(opts, |opts| opts.set_filter(filter))
}

/// Has the server report from time to time (every 10 minutes by default) how far the watch is when nothing
/// changes: ETCD3_EVENT_PROGRESS.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_progress_notify(opts: *mut etcd3_watch_opts_t) {
    builder::set(opts, |opts| {
        opts.progress_notify = true;
        Ok(())
    })
}

/// Frees watch options.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_free(opts: *mut etcd3_watch_opts_t) {
    guard::quiet((), || drop(handle::take(opts)))
}

/// Starts a watch. `fn` is called with `user_data` for each event: by whoever dispatches `queue`, or, if `queue` is
/// NULL, by the client's own callback thread. With a queue `fn` may be NULL, for etcd3_queue_next. The watch comes
/// through `watch`, also if nothing listens yet; free with etcd3_watch_free. Nothing is called if this fails.
///
/// Every change made after this returns is reported. Without a start revision that takes one read, which fails
/// where the key may not be read. RPC: KV.Range, Watch.Watch.
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
        let source = client.watch(opts, queue, Arc::new(Callback { function: r#fn, user_data }))?;
        out.give(handle::give(Bound::new(source)))
    })
}

/// Ends a watch: when this returns, no callback for a change of it starts any more; one that runs on another thread
/// may still end. ETCD3_EVENT_CLOSED comes, with no error. Never blocks; may be called from any thread, in its own
/// callback too, and twice.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_cancel(watch: *const etcd3_watch_t) {
    guard::quiet((), || {
        if let Ok(source) = handle::get(watch, "watch") {
            source.cancel(None);
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
        let source = handle::get(watch, "watch")?;
        let limit = input::wait(timeout_ms, "timeout_ms")?;
        source.cancel(None);
        source.join(limit)
    })
}

/// Cancels and frees a watch. Its ETCD3_EVENT_CLOSED still comes.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_free(watch: *mut etcd3_watch_t) {
    guard::quiet((), || {
        if let Some(source) = handle::take_bound(watch) {
            source.cancel(None);
        }
    })
}
