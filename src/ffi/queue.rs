//! A queue brings events to a thread of the caller's, which drains it in one of two ways: etcd3_queue_dispatch runs
//! the callbacks; etcd3_queue_next hands out the events, with no callback, for languages that cannot be called
//! from C. Only one thread drains at a time. Put etcd3_queue_fd into an event loop to learn when to drain:
//!
//!     struct pollfd p = { etcd3_queue_fd(queue), POLLIN, 0 };
//!     while (poll(&p, 1, -1) > 0) etcd3_queue_dispatch(queue, 0, 0, NULL, NULL);

use super::error::etcd3_error_t;
use super::event::{etcd3_event_fn, etcd3_event_t, Callback, EventObject};
use super::guard::Out;
use super::handle::{self, opaque, Bound};
use super::wake::Pipe;
use super::{guard, input};
use crate::core::code::Code;
use crate::core::error::{Error, Result};
use crate::core::lease::Listener;
use crate::core::queue::Queue;
use std::ffi::{c_int, c_void};
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// A queue of events.
pub struct etcd3_queue_t {
    _private: [u8; 0],
}

opaque!(etcd3_queue_t = Bound<QueueObject>);

pub struct QueueObject {
    pub queue: Arc<Queue>,
    pipe: Arc<Pipe>,
}

/// The queue to report to, given together with a callback; `None` for the client's own.
pub unsafe fn optional_queue(queue: *const etcd3_queue_t, function: etcd3_event_fn) -> Result<Option<Arc<Queue>>> {
    match queue.is_null() {
        true if function.is_none() => Err(Error::argument("fn", "must not be NULL without a queue")),
        true => Ok(None),
        false => Ok(Some(handle::get(queue, "queue")?.queue.clone())),
    }
}

/// Who is told of a lease's events; nobody if both are NULL.
pub unsafe fn listener(
    queue: *const etcd3_queue_t,
    function: etcd3_event_fn,
    user_data: *mut c_void,
) -> Result<Option<Listener>> {
    match queue.is_null() && function.is_none() {
        true => Ok(None),
        false => Ok(Some((optional_queue(queue, function)?, Arc::new(Callback { function, user_data })))),
    }
}

/// Called when a queue stops being empty, on whatever thread queued the event: it may only signal, and must
/// neither block nor call this library.
pub type etcd3_wakeup_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Makes a queue, which comes through `queue`; free with etcd3_queue_free. Error: ETCD3_ERR_SYSTEM (no pipe).
#[no_mangle]
pub unsafe extern "C" fn etcd3_queue_new(queue: *mut *mut etcd3_queue_t, err: *mut *mut etcd3_error_t) -> Code {
    guard::call(err, || {
        let out = Out::new(queue, "queue")?;
        let pipe = Arc::new(Pipe::new()?);
        out.give(handle::give(Bound::new(QueueObject { queue: Queue::new(Box::new(pipe.clone())), pipe })))
    })
}

/// The read end of a pipe that is readable while events wait: to be polled, not closed. Reading from it does no
/// harm, if the queue is drained afterwards. Borrowed from `queue`; -1 for NULL and in a forked child.
#[no_mangle]
pub unsafe extern "C" fn etcd3_queue_fd(queue: *const etcd3_queue_t) -> c_int {
    guard::quiet(-1, || handle::get(queue, "queue").map_or(-1, |queue| queue.pipe.reader.as_raw_fd()))
}

/// A new descriptor for the same end of the pipe, yours to close: for event loops that close what they poll, such
/// as those of Node and Go. -1 for NULL, in a forked child, and if the process has no descriptor left.
#[no_mangle]
pub unsafe extern "C" fn etcd3_queue_dup_fd(queue: *const etcd3_queue_t) -> c_int {
    guard::quiet(-1, || match handle::get(queue, "queue") {
        Ok(queue) => libc::fcntl(queue.pipe.reader.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 0),
        Err(_) => -1,
    })
}

/// Runs the callbacks of up to `max` events (0: of those that wait) on this thread, waiting up to `timeout_ms` (0:
/// not at all, -1: for ever) for the first. `*ran` is how many; `ran` may be NULL. No event within the limit is
/// not an error. An event that has no callback is dropped.
/// Errors: ETCD3_ERR_BUSY (another thread drains the queue, or this call is made in one of its callbacks),
/// ETCD3_ERR_INTERRUPTED (a signal came while waiting), ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_queue_dispatch(
    queue: *const etcd3_queue_t,
    max: usize,
    timeout_ms: i64,
    ran: *mut usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        // Kept alive: a callback may free the queue.
        let queue = handle::get(queue, "queue")?.queue.clone();
        let limit = input::wait_or_for_ever(timeout_ms, "timeout_ms")?;
        Out::optional(ran).give(queue.dispatch(max, limit)?)
    })
}

/// Takes the next event out of the queue, waiting up to `timeout_ms` (0: not at all, -1: for ever) for one. It
/// comes through `event` and is yours, free with etcd3_event_free; NULL if none came. Its callback is not run.
/// Errors: those of etcd3_queue_dispatch.
#[no_mangle]
pub unsafe extern "C" fn etcd3_queue_next(
    queue: *const etcd3_queue_t,
    timeout_ms: i64,
    event: *mut *mut etcd3_event_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let queue = handle::get(queue, "queue")?.queue.clone();
        let out = Out::new(event, "event")?;
        let event = queue.next(input::wait_or_for_ever(timeout_ms, "timeout_ms")?)?;
        out.give(event.map_or(std::ptr::null_mut(), |event| handle::give(EventObject::new(event))))
    })
}

/// In place of the descriptor: has `wake` called with `user_data` whenever the queue stops being empty; drain it
/// then until it is empty. If events wait already it is called now. NULL ends that, and on return the former one
/// runs no more.
#[no_mangle]
pub unsafe extern "C" fn etcd3_queue_set_wakeup(
    queue: *const etcd3_queue_t,
    wake: etcd3_wakeup_fn,
    user_data: *mut c_void,
) {
    guard::quiet((), || {
        let Ok(queue) = handle::get(queue, "queue") else { return };
        let user_data = user_data as usize;
        queue.queue.set_wakeup(wake.map(|wake| {
            let wakeup: Box<dyn Fn() + Send + Sync> = Box::new(move || wake(user_data as *mut c_void));
            wakeup
        }));
    })
}

/// Frees a queue; also in one of its callbacks, and while another thread drains it. What still reports to it is
/// cancelled, and the callbacks of the last events run now on this thread; or, if the queue is being drained, on the
/// thread that drains it. Events that have no callback are dropped, so who drains with etcd3_queue_next ends what
/// reports to the queue, and drains it, before.
#[no_mangle]
pub unsafe extern "C" fn etcd3_queue_free(queue: *mut etcd3_queue_t) {
    guard::quiet((), || {
        if let Some(object) = handle::take_bound(queue) {
            object.queue.free();
        }
    })
}
