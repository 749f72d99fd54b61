//! A watch reports every change of a key or a range, in order, each once. It outlives connections: it goes on
//! where it was, without a gap or a repeat. Watches of a client share a stream.

use super::builder::{self, Builder};
use super::handle::{self, opaque};
use super::{guard, input};
use crate::core::error::Error;
use crate::core::range::{Extent, KeyRange};
use crate::core::watch::Options;
use std::ffi::{c_char, c_int, c_void};

/// What to watch: a builder for etcd3_watch_start, which copies it.
pub struct etcd3_watch_opts_t {
    _private: [u8; 0],
}

opaque!(etcd3_watch_opts_t = Builder<Options>);

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

/// Has the watch go on after a compaction, and after whatever else it missed: it then reads its range again and reports
/// what is otherwise than it told before. First comes ETCD3_EVENT_STATE with ETCD3_STATE_RELISTED and the revision of the
/// reading; then, in one event or several, a put for each key that is new or was put since, and a delete for each that is
/// gone, marked etcd3_change_t.is_synthetic; then ETCD3_STATE_LIVE or _RESUMED, and all changes made after that revision.
/// Without a start revision the watch begins so, with all that is there. With a start revision it begins there, and ends
/// with ETCD3_ERR_COMPACTED if the revision before it is no longer to be read. The client keeps the keys of the range, not
/// the values, in memory, and applies filters itself.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_relist(opts: *mut etcd3_watch_opts_t) {
    builder::set(opts, |opts| {
        opts.relist = true;
        Ok(())
    })
}

/// Makes the watch a mirror: it first brings all that is there, and then every change, so that who applies all of it has a
/// copy of the range. First comes ETCD3_EVENT_STATE with ETCD3_STATE_COPYING and a revision; then ETCD3_EVENT_WATCH events, a
/// put for each key there is at that revision, in the order of the keys, marked etcd3_change_t.is_synthetic; then
/// ETCD3_STATE_COPIED; then all changes made after that revision. If history no longer has what comes next, be it before the
/// copy is whole or later, the mirror begins from scratch and says so first: ETCD3_STATE_COPYING with ETCD3_ERR_COMPACTED as its
/// etcd3_event_error, upon which the copy is to be emptied. With a start revision there is a copy already, of the revision before
/// it: the mirror begins with the changes, and from scratch only if it must. The client keeps no keys; the range is read page by
/// page, no further than etcd3_watch_opts_set_buffer lets wait. Excludes filters and etcd3_watch_opts_set_relist, which tells
/// only what differs, for the price of the keys in memory.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_mirror(opts: *mut etcd3_watch_opts_t) {
    builder::set(opts, |opts| {
        opts.mirror = true;
        Ok(())
    })
}

/// Saves the read by which a watch without a start revision finds out what "now" is, and leaves that to the member which
/// takes the watch on, later than etcd3_watch_start returns: it may be behind, and report a change made before the call;
/// and what changes before it has answered may be missed.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_loose_start(opts: *mut etcd3_watch_opts_t) {
    builder::set(opts, |opts| {
        opts.loose_start = true;
        Ok(())
    })
}

/// The server is asked to stop, and to go on when half of what waits is taken: nothing is missed, unless it is compacted
/// meanwhile.
pub const ETCD3_OVERFLOW_PARK: i32 = 0;
/// The watch ends with ETCD3_ERR_SLOW_CONSUMER after all that waits; see etcd3_event_resume_revision.
pub const ETCD3_OVERFLOW_FAIL: i32 = 1;

/// Sets how many bytes of events may wait to be taken, above 0, and what is done when they are more: an ETCD3_OVERFLOW_*
/// policy. Where nothing waits a response of any size is taken. Default: 64 MiB, ETCD3_OVERFLOW_PARK. See also
/// etcd3_config_set_watch_buffer.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_buffer(opts: *mut etcd3_watch_opts_t, max_bytes: i64, policy: i32) {
    builder::set(opts, |opts| match policy {
        ETCD3_OVERFLOW_PARK | ETCD3_OVERFLOW_FAIL => opts.set_buffer(max_bytes, policy == ETCD3_OVERFLOW_FAIL),
        _ => Err(Error::argument("policy", format!("{policy} is no overflow policy"))),
    })
}

/// Sets how many bytes of a response that comes in parts are put together, above 0. A larger one is delivered in several
/// events of whole revisions; if a single revision is larger, the watch ends with ETCD3_ERR_RESPONSE_TOO_LARGE. Default:
/// 256 MiB.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_max_response_bytes(opts: *mut etcd3_watch_opts_t, max_bytes: i64) {
    builder::set(opts, |opts| opts.set_max_response(max_bytes))
}

/// Sets how long the watch may be without a server before it ends, with the error of the last attempt; 0, the default,
/// for ever.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_max_outage(opts: *mut etcd3_watch_opts_t, time_ms: i64) {
    builder::set(opts, |opts| {
        let time = input::wait(time_ms, "time_ms")?;
        opts.max_outage = (!time.is_zero()).then_some(time);
        Ok(())
    })
}

/// Sets whether the watch leaves a member that has no leader: 1 or 0. Default: as etcd3_config_set_require_leader says.
/// Watches that differ in this use different streams.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_set_require_leader(opts: *mut etcd3_watch_opts_t, yes: c_int) {
    builder::set(opts, |opts| {
        opts.require_leader(input::yes(yes, "yes")?);
        Ok(())
    })
}

/// Sends metadata along with the stream of this watch, beside that of etcd3_config_add_metadata, whose rules it follows.
/// Watches that differ in this use different streams.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_add_metadata(
    opts: *mut etcd3_watch_opts_t,
    name: *const c_char,
    value: *const c_char,
) {
    builder::set(opts, |opts| opts.add_metadata(input::text(name, "name")?, input::text(value, "value")?))
}

/// Frees watch options.
#[no_mangle]
pub unsafe extern "C" fn etcd3_watch_opts_free(opts: *mut etcd3_watch_opts_t) {
    guard::quiet((), || drop(handle::take(opts)))
}
