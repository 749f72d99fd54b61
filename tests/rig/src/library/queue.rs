//! Queues and what comes out of them.

use super::api::{api, EventFn, Handle};
use super::client::millis;
use super::{call, make, read_error, Fault, Kv};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::time::Duration;

const WATCH: i32 = 1;
const PROGRESS: i32 = 2;
const STATE: i32 = 3;
const CLOSED: i32 = 4;
const LOST: i32 = 6;
const LEADER: i32 = 7;
const LIVE: i32 = 1;
const DISCONNECTED: i32 = 2;
const RESUMED: i32 = 3;
const RELISTED: i32 = 5;
const PARKED: i32 = 6;
const PUT: i32 = 0;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub put: bool,
    pub kv: Kv,
    pub before: Option<Kv>,
    /// Told by a list and not by a watch.
    pub synthetic: bool,
}

#[derive(Debug, Clone)]
pub enum Event {
    Changes {
        revision: i64,
        changes: Vec<Change>,
    },
    Progress(i64),
    Live,
    Disconnected(Option<Fault>),
    Resumed,
    Relisted(i64),
    Parked,
    /// A lease or a lock or a leadership, and why.
    Lost(i32),
    Leader(Option<Kv>),
    /// With the revision of a compaction, if that was why.
    Closed(Option<Fault>, i64),
    Other(i32),
}

impl Event {
    /// # Safety
    /// `event` is an event of the library's.
    unsafe fn read(event: Handle) -> Event {
        let api = api();
        let revision = api.etcd3_event_revision(event);
        let error = api.etcd3_event_error(event);
        let fault = || (!error.is_null()).then(|| read_error(error));
        let synthetic = api.has("etcd3_watch_opts_set_relist");
        let change = |index| {
            let change = api.etcd3_event_change(event, index);
            Change {
                put: (*change).kind == PUT,
                kv: Kv::read((*change).kv),
                before: (!(*change).prev_kv.is_null()).then(|| Kv::read((*change).prev_kv)),
                // Where there is no such field, the memory behind it is another's.
                synthetic: synthetic && (*change).is_synthetic != 0,
            }
        };
        let changes = || (0..api.etcd3_event_change_count(event)).map(change).collect();
        let kind = api.etcd3_event_type(event);
        match (kind, if kind == STATE { api.etcd3_event_state(event) } else { 0 }) {
            (WATCH, _) => Event::Changes { revision, changes: changes() },
            (PROGRESS, _) => Event::Progress(revision),
            (STATE, LIVE) => Event::Live,
            (STATE, DISCONNECTED) => Event::Disconnected(fault()),
            (STATE, RESUMED) => Event::Resumed,
            (STATE, RELISTED) => Event::Relisted(revision),
            (STATE, PARKED) => Event::Parked,
            (CLOSED, _) => Event::Closed(fault(), api.etcd3_event_compact_revision(event)),
            (LOST, _) => Event::Lost(api.etcd3_event_lost_reason(event)),
            (LEADER, _) => {
                let leader = api.etcd3_event_leader(event);
                Event::Leader((!leader.is_null()).then(|| Kv::read(leader)))
            }
            _ => Event::Other(kind),
        }
    }
}

/// A queue, which one thread at a time drains.
pub struct Queue(pub(super) Handle);

// SAFETY: etcd3.h says "Clients, queues and watches: any thread, any time".
unsafe impl Send for Queue {}
unsafe impl Sync for Queue {}

impl Queue {
    pub fn new() -> Result<Queue, Fault> {
        // SAFETY: here and below the handles are alive, and what is written is ours.
        make(|queue, error| unsafe { api().etcd3_queue_new(queue, error) }).map(Queue)
    }

    /// The next event and the mark of whose it is; `None` if there is none in time.
    pub fn next(&self, limit: Duration) -> Option<(usize, Event)> {
        let mut event = null_mut();
        call(|error| unsafe { api().etcd3_queue_next(self.0, millis(limit), &mut event, error) })
            .expect("one thread drains the queue");
        if event.is_null() {
            return None;
        }
        let read = unsafe { (api().etcd3_event_user_data(event) as usize, Event::read(event)) };
        unsafe { api().etcd3_event_free(event) };
        Some(read)
    }

    /// Runs the callbacks of what waits, or comes in time.
    pub fn dispatch(&self, limit: Duration) -> Result<(), Fault> {
        let mut ran = 0;
        call(|error| unsafe { api().etcd3_queue_dispatch(self.0, 0, millis(limit), &mut ran, error) })
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        unsafe { api().etcd3_queue_free(self.0) };
    }
}

type Heard = Box<dyn Fn(Event) + Send + Sync>;

/// A function for C to call. It is freed when what it listens to has said its last.
pub(super) struct Callback(*mut Heard);

impl Callback {
    pub fn new(heard: Heard) -> Callback {
        Callback(Box::into_raw(Box::new(heard)))
    }

    pub fn parts(&self) -> (Option<EventFn>, *mut c_void) {
        (Some(hear), self.0.cast())
    }

    /// Of one that will never be called.
    pub fn free(self) {
        // SAFETY: it is as `new` made it, and nobody else has it.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

unsafe extern "C" fn hear(event: Handle, heard: *mut c_void) {
    let heard: *mut Heard = heard.cast();
    let read = Event::read(event);
    let last = matches!(read, Event::Closed(..));
    (*heard)(read);
    if last {
        drop(Box::from_raw(heard));
    }
}
