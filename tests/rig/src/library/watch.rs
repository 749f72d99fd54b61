//! Watches.

use super::api::{api, Handle};
use super::client::millis;
use super::queue::Callback;
use super::{call, make, Client, Event, Fault, Queue};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::time::Duration;

/// What to do with a watch whose buffer is full.
#[derive(Debug, Clone, Copy)]
pub enum Overflow {
    Park = 0,
    Fail = 1,
}

/// What to watch.
pub struct Watching(Handle);

impl Watching {
    pub fn key(key: &[u8]) -> Watching {
        // SAFETY: here and below the bytes are as long as we say, and the handles are alive.
        Watching(unsafe { api().etcd3_watch_opts_new(key.as_ptr(), key.len()) })
    }

    pub fn prefix(prefix: &[u8]) -> Watching {
        let watching = Watching::key(prefix);
        unsafe { api().etcd3_watch_opts_set_prefix(watching.0) };
        watching
    }

    /// 0, the default, means from now on.
    pub fn from(self, revision: i64) -> Watching {
        unsafe { api().etcd3_watch_opts_set_start_revision(self.0, revision) };
        self
    }

    pub fn prev_kv(self) -> Watching {
        unsafe { api().etcd3_watch_opts_set_prev_kv(self.0) };
        self
    }

    /// Whether this build of the library has watches that list anew what compaction took.
    pub fn can_relist() -> bool {
        api().has("etcd3_watch_opts_set_relist")
    }

    pub fn relist(self) -> Watching {
        unsafe { api().etcd3_watch_opts_set_relist(self.0) };
        self
    }

    /// Whether this build of the library has bounds for what waits to be delivered.
    pub fn can_bound() -> bool {
        api().has("etcd3_watch_opts_set_buffer")
    }

    pub fn buffer(self, bytes: i64, overflow: Overflow) -> Watching {
        unsafe { api().etcd3_watch_opts_set_buffer(self.0, bytes, overflow as i32) };
        self
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        unsafe { api().etcd3_watch_opts_free(self.0) };
    }
}

pub struct Watch {
    watch: Handle,
    /// Of its own, if it has one.
    queue: Option<Queue>,
}

// SAFETY: etcd3.h says "Clients, queues and watches: any thread, any time".
unsafe impl Send for Watch {}
unsafe impl Sync for Watch {}

impl Watch {
    /// With a queue of its own.
    pub fn start(client: &Client, watching: Watching) -> Result<Watch, Fault> {
        let queue = Queue::new()?;
        let mut watch = Watch::marked(client, watching, &queue, 0)?;
        watch.queue = Some(queue);
        Ok(watch)
    }

    /// One of those of a queue, known there by its mark.
    pub fn marked(client: &Client, watching: Watching, queue: &Queue, mark: usize) -> Result<Watch, Fault> {
        // SAFETY: here and below the handles are alive, and what is written is ours.
        let watch = make(|watch, error| unsafe {
            api().etcd3_watch_start(client.0, watching.0, queue.0, None, mark as *mut c_void, watch, error)
        })?;
        Ok(Watch { watch, queue: None })
    }

    /// Has a function called: by whoever dispatches the queue, without one by the client.
    pub fn calling(
        client: &Client,
        watching: Watching,
        queue: Option<&Queue>,
        heard: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Watch, Fault> {
        let callback = Callback::new(Box::new(heard));
        let (function, user_data) = callback.parts();
        let queue = queue.map_or(null_mut(), |queue| queue.0);
        let started = make(|watch, error| unsafe {
            api().etcd3_watch_start(client.0, watching.0, queue, function, user_data, watch, error)
        });
        match started {
            Ok(watch) => Ok(Watch { watch, queue: None }),
            Err(fault) => {
                callback.free();
                Err(fault)
            }
        }
    }

    /// The next event of its own queue; `None` if there is none in time.
    pub fn next(&self, limit: Duration) -> Option<Event> {
        let queue = self.queue.as_ref().expect("it has a queue of its own");
        queue.next(limit).map(|(_, event)| event)
    }

    pub fn cancel(&self) {
        unsafe { api().etcd3_watch_cancel(self.watch) };
    }

    pub fn join(&self, limit: Duration) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_watch_join(self.watch, millis(limit), error) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        unsafe { api().etcd3_watch_free(self.watch) };
    }
}
