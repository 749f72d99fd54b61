//! An event as C reads it.

use super::error::{etcd3_error_t, ErrorObject};
use super::event_kind::*;
use super::guard;
use super::handle::{self, opaque};
use super::header::etcd3_header_t;
use super::output::c_text;
use super::result::{etcd3_kv_t, etcd3_result_t, ResultObject};
use crate::core::event::{Body, Event, LostReason, State};
use crate::core::mvccpb;
use crate::core::source::Handler;
use std::ffi::{c_char, c_void, CString};

/// Something that happened.
pub struct etcd3_event_t {
    _private: [u8; 0],
}

opaque!(etcd3_event_t = EventObject);

/// One change of one key. Reached only by pointer, since fields may be added at the end. All of it is borrowed from
/// the event it was read from.
#[repr(C)]
pub struct etcd3_change_t {
    /// ETCD3_CHANGE_PUT or ETCD3_CHANGE_DELETE.
    pub r#type: i32,
    /// 1 if this put created the key, else 0.
    pub is_create: i32,
    /// What was put; for a delete only its key and mod_revision are set.
    pub kv: *const etcd3_kv_t,
    /// What was there before; NULL if there was nothing, if it was compacted, or if etcd3_watch_opts_set_prev_kv was
    /// not called; and for synthetic changes.
    pub prev_kv: *const etcd3_kv_t,
    /// 1 if this was found by a reading of the range, else 0; see etcd3_watch_opts_set_relist and _set_mirror. A synthetic put has the key
    /// as it stands now, whatever happened to it meanwhile; a synthetic delete has the revision of the reading.
    pub is_synthetic: i32,
}

/// Called for an event, either in etcd3_queue_dispatch or on the client's own callback thread; never two at once
/// for one queue. `event` is borrowed until the function returns. Any function of this library may be called.
pub type etcd3_event_fn = Option<unsafe extern "C" fn(event: *const etcd3_event_t, user_data: *mut c_void)>;

/// A C callback as core knows it.
pub struct Callback {
    pub function: etcd3_event_fn,
    pub user_data: *mut c_void,
}

// SAFETY: it is the caller who promises that user_data may be used on the thread that drains.
unsafe impl Send for Callback {}
unsafe impl Sync for Callback {}

impl Handler for Callback {
    fn call(&self, event: Event) {
        // Taken in any case: what comes next may be told again only then.
        let object = EventObject::new(event);
        if let Some(function) = self.function {
            // SAFETY: the function and its user_data come together from the caller.
            unsafe { function(handle::view(&object), self.user_data) }
        }
    }

    fn user_data(&self) -> usize {
        self.user_data as usize
    }
}

pub struct EventObject {
    event: Event,
    /// These point into the event, and the changes into the key-values.
    changes: Box<[etcd3_change_t]>,
    kvs: Box<[etcd3_kv_t]>,
    error: Option<ErrorObject>,
    result: Option<ResultObject>,
    /// With which start revision a watch would go on after it; 0 for none.
    resume: i64,
    /// Of a notice its words, of data the version.
    text: CString,
    header: Option<etcd3_header_t>,
    ttl: i64,
}

impl EventObject {
    pub fn new(mut event: Event) -> Self {
        let done = match &mut event.body {
            Body::Done { result } => result.take(),
            _ => None,
        };
        let (result, failure) = match done {
            Some(Ok(response)) => (Some(ResultObject::new(response)), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let error = match &event.body {
            Body::State { error, .. } | Body::Lost { error, .. } | Body::Closed { error } => error.clone().map(ErrorObject::new),
            _ => failure.map(ErrorObject::new),
        };
        let (changes, kvs) = match &event.body {
            Body::Watch { changes, synthetic, .. } => views(changes, *synthetic),
            Body::Leader { leader: Some(leader), .. } => (Box::default(), [etcd3_kv_t::new(leader)].into()),
            _ => Default::default(),
        };
        let resume = match event.body {
            // What waited before it was delivered, or was dropped by the caller's own wish.
            Body::Closed { .. } if event.source.load.is_watch() => event.source.load.resume(),
            _ => event.body.resume(),
        };
        let text = match &event.body {
            Body::Notice { text, .. } => c_text(text),
            Body::Data { version, .. } => c_text(version),
            _ => CString::default(),
        };
        let renewal = match &event.body {
            Body::Renewed { newest } => newest.take(),
            _ => None,
        };
        let header = event.body.header().or(renewal.map(|renewal| renewal.header)).map(Into::into);
        let ttl = renewal.map_or(0, |renewal| renewal.ttl);
        EventObject { event, changes, kvs, error, result, resume, text, header, ttl }
    }
}

fn views(changes: &[mvccpb::Event], synthetic: bool) -> (Box<[etcd3_change_t]>, Box<[etcd3_kv_t]>) {
    let empty = mvccpb::KeyValue::default();
    let both = |change: &mvccpb::Event| {
        let kv = change.kv.as_ref().unwrap_or(&empty);
        [etcd3_kv_t::new(kv), etcd3_kv_t::new(change.prev_kv.as_ref().unwrap_or(&empty))]
    };
    let kvs: Box<[etcd3_kv_t]> = changes.iter().flat_map(both).collect();
    let views = changes.iter().zip(kvs.chunks_exact(2)).map(|(change, kvs)| {
        let put = change.r#type() == mvccpb::event::EventType::Put;
        etcd3_change_t {
            r#type: if put { ETCD3_CHANGE_PUT } else { ETCD3_CHANGE_DELETE },
            is_create: (put && kvs[0].create_revision == kvs[0].mod_revision).into(),
            kv: &kvs[0],
            prev_kv: if change.prev_kv.is_some() { &kvs[1] } else { std::ptr::null() },
            is_synthetic: synthetic.into(),
        }
    });
    (views.collect(), kvs)
}

unsafe fn read<T>(event: *const etcd3_event_t, otherwise: T, read: impl FnOnce(&EventObject) -> T) -> T {
    let Some(event) = handle::peek(event) else { return otherwise };
    guard::quiet(otherwise, || read(event))
}

/// What happened: ETCD3_EVENT_WATCH, _PROGRESS, _STATE, _CLOSED, _DONE, _LOST, _LEADER, _ACQUIRED,
/// _RENEWED, _DATA or _NOTICE; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_type(event: *const etcd3_event_t) -> i32 {
    read(event, 0, |object| match object.event.body {
        Body::Watch { .. } => ETCD3_EVENT_WATCH,
        Body::Lost { .. } => ETCD3_EVENT_LOST,
        Body::Leader { .. } => ETCD3_EVENT_LEADER,
        Body::Acquired { .. } => ETCD3_EVENT_ACQUIRED,
        Body::Renewed { .. } => ETCD3_EVENT_RENEWED,
        Body::Progress { .. } => ETCD3_EVENT_PROGRESS,
        Body::State { .. } => ETCD3_EVENT_STATE,
        Body::Closed { .. } => ETCD3_EVENT_CLOSED,
        Body::Done { .. } => ETCD3_EVENT_DONE,
        Body::Data { .. } => ETCD3_EVENT_DATA,
        Body::Notice { .. } => ETCD3_EVENT_NOTICE,
    })
}

/// The user_data given to the call that started what reports here: how a binding finds its object.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_user_data(event: *const etcd3_event_t) -> *mut c_void {
    read(event, std::ptr::null_mut(), |object| object.event.source.user_data() as *mut c_void)
}

/// WATCH: the store's revision when the response was sent, never lower than the changes'. PROGRESS: the revision
/// up to which every change was delivered. STATE: the same; the watch goes on with the next; of a reading that begins, the
/// revision it is made at. LEADER: the store's revision that it was read at. ACQUIRED: the fencing token. RENEWED: the
/// store's revision when it was answered. Else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_revision(event: *const etcd3_event_t) -> i64 {
    read(event, 0, |object| match object.event.body {
        Body::Watch { revision, .. } | Body::Progress { revision, .. } | Body::State { revision, .. } => revision,
        Body::Leader { revision, .. } => revision,
        Body::Acquired { created } => created,
        Body::Renewed { .. } => object.header.as_ref().map_or(0, |header| header.revision),
        _ => 0,
    })
}

/// The header of the response or answer that this event comes from, which of parts put together is the last: of WATCH,
/// PROGRESS, LEADER and RENEWED events, and of STATE events with ETCD3_STATE_LIVE, _RESUMED, _RELISTED, _COPYING and _COPIED.
/// Else NULL. Its revision is the server's word; etcd3_event_revision is what to go by. Borrowed from `event`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_header(event: *const etcd3_event_t) -> *const etcd3_header_t {
    read(event, std::ptr::null(), |object| object.header.as_ref().map_or(std::ptr::null(), |header| header))
}

/// The start revision with which a new watch goes on after this event, without a gap or a repeat, once it and those before
/// it are dealt with: of WATCH, PROGRESS, STATE and CLOSED events of a watch. 0 if there is none: in the middle of what a
/// reading of the range found, and for all other events.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_resume_revision(event: *const etcd3_event_t) -> i64 {
    read(event, 0, |object| object.resume)
}

/// WATCH: how many changes the event holds; else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_change_count(event: *const etcd3_event_t) -> usize {
    read(event, 0, |object| object.changes.len())
}

/// WATCH: the change at `index`, from 0, in the order of their revisions, or, where they are synthetic, of their keys; NULL
/// past the end. Borrowed from `event`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_change(event: *const etcd3_event_t, index: usize) -> *const etcd3_change_t {
    read(event, std::ptr::null(), |object| object.changes.get(index).map_or(std::ptr::null(), |change| change))
}

/// STATE: one of ETCD3_STATE_LIVE, _DISCONNECTED, _RESUMED, _CONNECTED, _RELISTED, _PARKED, _COPYING, _COPIED; else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_state(event: *const etcd3_event_t) -> i32 {
    read(event, 0, |object| match object.event.body {
        Body::State { state: State::Live, .. } => ETCD3_STATE_LIVE,
        Body::State { state: State::Disconnected, .. } => ETCD3_STATE_DISCONNECTED,
        Body::State { state: State::Resumed, .. } => ETCD3_STATE_RESUMED,
        Body::State { state: State::Connected, .. } => ETCD3_STATE_CONNECTED,
        Body::State { state: State::Relisted, .. } => ETCD3_STATE_RELISTED,
        Body::State { state: State::Parked, .. } => ETCD3_STATE_PARKED,
        Body::State { state: State::Copying, .. } => ETCD3_STATE_COPYING,
        Body::State { state: State::Copied, .. } => ETCD3_STATE_COPIED,
        _ => 0,
    })
}

/// RENEWED: how many seconds the lease has from now on; else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_ttl(event: *const etcd3_event_t) -> i64 {
    read(event, 0, |object| object.ttl)
}

/// LOST: ETCD3_LOST_EXPIRED, _GONE, _REVOKED, _PERMISSION, _CLOSED or _DELETED; else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_lost_reason(event: *const etcd3_event_t) -> i32 {
    read(event, 0, |object| match object.event.body {
        Body::Lost { reason: LostReason::Expired, .. } => ETCD3_LOST_EXPIRED,
        Body::Lost { reason: LostReason::Gone, .. } => ETCD3_LOST_GONE,
        Body::Lost { reason: LostReason::Revoked, .. } => ETCD3_LOST_REVOKED,
        Body::Lost { reason: LostReason::Permission, .. } => ETCD3_LOST_PERMISSION,
        Body::Lost { reason: LostReason::Closed, .. } => ETCD3_LOST_CLOSED,
        Body::Lost { reason: LostReason::Deleted, .. } => ETCD3_LOST_DELETED,
        _ => 0,
    })
}

/// LEADER: the leader's key, with what it proclaims as its value; NULL if nobody leads. Else NULL. Borrowed from `event`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_leader(event: *const etcd3_event_t) -> *const etcd3_kv_t {
    read(event, std::ptr::null(), |object| match object.event.body {
        Body::Leader { leader: Some(_), .. } => object.kvs.first().map_or(std::ptr::null(), |kv| kv),
        _ => std::ptr::null(),
    })
}

/// DONE: the answer, if the call succeeded; else NULL. Borrowed from `event`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_result(event: *const etcd3_event_t) -> *const etcd3_result_t {
    read(event, std::ptr::null(), |object| object.result.as_ref().map_or(std::ptr::null(), handle::view))
}

/// DATA: the bytes, how many through `len`, which may be NULL; else NULL, and 0. Borrowed from `event`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_data(event: *const etcd3_event_t, len: *mut usize) -> *const c_void {
    let (data, length) = read(event, (std::ptr::null(), 0), |object| match &object.event.body {
        Body::Data { bytes, .. } => (bytes.as_ptr().cast(), bytes.len()),
        _ => (std::ptr::null(), 0),
    });
    if !len.is_null() {
        len.write(length);
    }
    data
}

/// NOTICE: what was done, in words; else "". Borrowed from `event`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_notice(event: *const etcd3_event_t) -> *const c_char {
    read(event, c"".as_ptr(), |object| match object.event.body {
        Body::Notice { .. } => object.text.as_ptr(),
        _ => c"".as_ptr(),
    })
}

/// DATA: the version of the format that the snapshot is in, such as "3.6.0"; "" from servers before 3.6. Else "". Borrowed
/// from `event`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_version(event: *const etcd3_event_t) -> *const c_char {
    read(event, c"".as_ptr(), |object| match object.event.body {
        Body::Data { .. } => object.text.as_ptr(),
        _ => c"".as_ptr(),
    })
}

/// NOTICE: how many members are done. DATA: how many bytes came, these included. Else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_done(event: *const etcd3_event_t) -> i64 {
    read(event, 0, |object| match object.event.body {
        Body::Notice { done, .. } | Body::Data { done, .. } => done,
        _ => 0,
    })
}

/// NOTICE: how many members there are. DATA: how many bytes the whole has, as far as the server has said. Else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_total(event: *const etcd3_event_t) -> i64 {
    read(event, 0, |object| match object.event.body {
        Body::Notice { total, .. } | Body::Data { total, .. } => total,
        _ => 0,
    })
}

/// CLOSED and LOST: why it ended; NULL if its owner ended it, or if it was done. DONE: why the call failed. STATE: with
/// ETCD3_STATE_DISCONNECTED why the connection was lost, with ETCD3_STATE_COPYING why a mirror begins anew, NULL the first
/// time. Else NULL. Borrowed from `event`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_error(event: *const etcd3_event_t) -> *const etcd3_error_t {
    read(event, std::ptr::null(), |object| object.error.as_ref().map_or(std::ptr::null(), handle::view))
}

/// CLOSED and STATE with ETCD3_ERR_COMPACTED: the first revision that history still has, if the server told it; else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_compact_revision(event: *const etcd3_event_t) -> i64 {
    read(event, 0, |object| object.error.as_ref().map_or(0, |error| error.error().compact_revision))
}

/// Frees an event that came from etcd3_queue_next, with all that is borrowed from it; not one of a callback.
#[no_mangle]
pub unsafe extern "C" fn etcd3_event_free(event: *mut etcd3_event_t) {
    guard::quiet((), || drop(handle::take(event)))
}
