//! Watches, each with a queue of its own.

use super::api::{api, Handle};
use super::client::millis;
use super::{call, make, read_error, Client, Fault, Kv};
use std::ptr::{null, null_mut};
use std::time::Duration;

const WATCH: i32 = 1;
const PROGRESS: i32 = 2;
const STATE: i32 = 3;
const LIVE: i32 = 1;
const DISCONNECTED: i32 = 2;
const RESUMED: i32 = 3;
const PUT: i32 = 0;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub put: bool,
    pub kv: Kv,
}

#[derive(Debug, Clone)]
pub enum Event {
    Changes { revision: i64, changes: Vec<Change> },
    Progress(i64),
    Live,
    Disconnected(Option<Fault>),
    Resumed,
    Closed(Option<Fault>),
}

impl Event {
    /// # Safety
    /// `event` is an event of the library's.
    unsafe fn read(event: Handle) -> Event {
        let api = api();
        let revision = api.etcd3_event_revision(event);
        let error = api.etcd3_event_error(event);
        let fault = (!error.is_null()).then(|| read_error(error));
        let change = |index| {
            let change = &*api.etcd3_event_change(event, index);
            Change { put: change.kind == PUT, kv: Kv::read(change.kv) }
        };
        match (api.etcd3_event_type(event), api.etcd3_event_state(event)) {
            (WATCH, _) => {
                let changes = (0..api.etcd3_event_change_count(event)).map(change).collect();
                Event::Changes { revision, changes }
            }
            (PROGRESS, _) => Event::Progress(revision),
            (STATE, LIVE) => Event::Live,
            (STATE, DISCONNECTED) => Event::Disconnected(fault),
            (STATE, RESUMED) => Event::Resumed,
            _ => Event::Closed(fault),
        }
    }
}

/// A watch of every key with a prefix, from a revision on.
pub struct Watch {
    watch: Handle,
    queue: Handle,
}

// SAFETY: etcd3.h says "Clients, queues and watches: any thread, any time".
unsafe impl Send for Watch {}
unsafe impl Sync for Watch {}

impl Watch {
    /// `start` 0 means from now on.
    pub fn start(client: &Client, prefix: &[u8], start: i64) -> Result<Watch, Fault> {
        // SAFETY: here and below the handles are alive, and what is written is ours.
        let queue = make(|queue, error| unsafe { api().etcd3_queue_new(queue, error) })?;
        let opts = unsafe { api().etcd3_watch_opts_new(prefix.as_ptr(), prefix.len()) };
        unsafe { api().etcd3_watch_opts_set_prefix(opts) };
        unsafe { api().etcd3_watch_opts_set_start_revision(opts, start) };
        let started = make(|watch, error| unsafe {
            api().etcd3_watch_start(client.0, opts, queue, null(), null_mut(), watch, error)
        });
        unsafe { api().etcd3_watch_opts_free(opts) };
        match started {
            Ok(watch) => Ok(Watch { watch, queue }),
            Err(fault) => {
                unsafe { api().etcd3_queue_free(queue) };
                Err(fault)
            }
        }
    }

    /// The next event; `None` if there is none in time.
    pub fn next(&self, limit: Duration) -> Option<Event> {
        let mut event = null_mut();
        call(|error| unsafe { api().etcd3_queue_next(self.queue, millis(limit), &mut event, error) })
            .expect("one thread drains the queue");
        if event.is_null() {
            return None;
        }
        let read = unsafe { Event::read(event) };
        unsafe { api().etcd3_event_free(event) };
        Some(read)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        unsafe { api().etcd3_watch_free(self.watch) };
        unsafe { api().etcd3_queue_free(self.queue) };
    }
}
