//! Where events come from, and the promises of their delivery: nothing after cancel, one last event, once.

use super::code;
use super::error::{Error, Result};
use super::event::{Body, Event, LostReason, State};
use super::load::{self, Load};
use super::queue::Queue;
use super::transport::Fate;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// A running thread. `std::thread::current` would allocate on threads that are not Rust's, and on the main one
/// never free it.
pub type Thread = usize;

pub fn this_thread() -> Thread {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| std::ptr::from_ref(mark) as usize)
}

/// The caller's end of a source.
pub trait Handler: Send + Sync {
    fn call(&self, event: Event);
    /// What the caller wants to find in its events.
    fn user_data(&self) -> usize;
}

pub type Hook = Box<dyn Fn() + Send + Sync>;

pub struct Source {
    pub id: u64,
    queue: Arc<Queue>,
    handler: Arc<dyn Handler>,
    /// For a call: whether it is a write that went out.
    call: Option<Arc<Fate>>,
    /// Whether its owner holds something that is lost with the client.
    holds: AtomicBool,
    /// And with the source, if that is ended by anybody else.
    ends_with_it: bool,
    gate: Mutex<Gate>,
    idle: Condvar,
    at_end: OnceLock<Hook>,
    pub load: Load,
}

/// Lock order: a gate, then the queue's state.
#[derive(Default)]
struct Gate {
    /// The last event is queued: nothing is queued after it.
    closed: bool,
    /// The caller wants no more: what is queued is dropped, but for the last event.
    cancelled: bool,
    /// The thread that runs a handler.
    running: Option<Thread>,
}

impl Source {
    pub fn new(queue: Arc<Queue>, handler: Arc<dyn Handler>) -> Result<Arc<Self>> {
        Self::with(queue, handler, None, false)
    }

    /// The source of something held, whose loss is told before the last event.
    pub fn of_holding(queue: Arc<Queue>, handler: Arc<dyn Handler>) -> Result<Arc<Self>> {
        Self::with(queue, handler, None, true)
    }

    /// From now on its owner holds something.
    pub fn hold(&self) {
        self.holds.store(true, Ordering::Release);
    }

    /// The source of a call, whose last event is its outcome.
    pub fn of_call(queue: Arc<Queue>, handler: Arc<dyn Handler>, written: Arc<Fate>) -> Result<Arc<Self>> {
        Self::with(queue, handler, Some(written), false)
    }

    fn with(queue: Arc<Queue>, handler: Arc<dyn Handler>, call: Option<Arc<Fate>>, holds: bool) -> Result<Arc<Self>> {
        static IDS: AtomicU64 = AtomicU64::new(1);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let source = Arc::new(Source {
            id,
            queue,
            handler,
            call,
            holds: AtomicBool::new(holds),
            ends_with_it: holds,
            gate: Mutex::default(),
            idle: Condvar::new(),
            at_end: OnceLock::new(),
            load: Load::default(),
        });
        match source.queue.register(&source) {
            true => Ok(source),
            false => Err(Error::new(code::ERR_CANCELED, "queue: it is being freed")),
        }
    }

    /// Sets what is to be done, once, when the source ends. To be called before anything can end it.
    pub fn set_at_end(&self, hook: Hook) {
        let _ = self.at_end.set(hook);
    }

    pub fn user_data(&self) -> usize {
        self.handler.user_data()
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn emit(self: &Arc<Self>, body: Body) {
        let gate = self.gate();
        if !gate.closed {
            self.push(body);
        }
    }

    fn push(self: &Arc<Self>, body: Body) {
        let cost = load::cost(&body);
        self.load.add(cost);
        self.queue.push(Event { source: self.clone(), body, cost });
    }

    pub fn is_closed(&self) -> bool {
        self.gate().closed
    }

    /// Queues the last event; what is queued before it is still delivered.
    pub fn close(self: &Arc<Self>, error: Option<Error>) {
        self.close_with(Body::Closed { error });
    }

    /// The same with a last event of another kind.
    pub fn close_with(self: &Arc<Self>, last: Body) {
        self.end(false, None, last);
    }

    /// Queues the loss and the last event.
    pub fn lose(self: &Arc<Self>, reason: LostReason, error: Option<Error>) {
        self.end(false, Some(Body::Lost { reason, error: error.clone() }), Body::Closed { error });
    }

    /// Queues the last event; when this returns, no other event's handler starts any more.
    pub fn cancel(self: &Arc<Self>, error: Option<Error>) {
        let closed = error.as_ref().is_some_and(|error| self.ends_with_it || error.code == code::ERR_CLOSED);
        let lost = closed && self.holds.load(Ordering::Acquire);
        let first = lost.then(|| Body::Lost { reason: LostReason::Closed, error: error.clone() });
        let last = match &self.call {
            None => Body::Closed { error },
            Some(written) => {
                let error = error.unwrap_or_else(Error::closed);
                Body::Done { result: Some(Err(cut_off(error, written.cut()))) }
            }
        };
        self.end(true, first, last);
    }

    fn end(self: &Arc<Self>, cancelled: bool, first: Option<Body>, last: Body) {
        {
            let mut gate = self.gate();
            gate.cancelled |= cancelled;
            if gate.closed {
                return;
            }
            gate.closed = true;
            if let Some(body) = first {
                self.push(body);
            }
            self.push(last);
        }
        self.queue.forget(self.id);
        if let Some(hook) = self.at_end.get() {
            hook();
        }
    }

    /// Waits until no handler of this source runs on another thread.
    pub fn join(&self, limit: Duration) -> Result<()> {
        let elsewhere = |gate: &mut Gate| gate.running.is_some_and(|thread| thread != this_thread());
        let (_gate, waited) =
            self.idle.wait_timeout_while(self.gate(), limit, elsewhere).unwrap_or_else(PoisonError::into_inner);
        match waited.timed_out() {
            false => Ok(()),
            true => Err(Error::new(code::ERR_TIMEOUT, "a callback still runs")),
        }
    }

    /// Whether the event may be delivered; if so, `finish` follows.
    pub(super) fn begin(&self, event: &Event) -> bool {
        let mut gate = self.gate();
        let last = matches!(event.body, Body::Lost { .. } | Body::Closed { .. } | Body::Done { .. });
        let admitted = !gate.cancelled || last;
        if admitted {
            gate.running = Some(this_thread());
            match event.body {
                Body::State { state: State::Copying, .. } => self.load.restart(),
                _ => self.load.reached(event.body.resume()),
            }
        }
        drop(gate);
        self.load.take(event.cost);
        admitted
    }

    pub(super) fn finish(&self) {
        self.gate().running = None;
        self.idle.notify_all();
    }

    pub(super) fn handle(&self, event: Event) {
        self.handler.call(event);
    }
}

/// The error of a call that nobody waits for to its end.
pub fn cut_off(error: Error, written: bool) -> Error {
    match written {
        false => error,
        true => error.into_ambiguous(),
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.queue.forget(self.id);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::queue::ThreadWake;
    use super::*;

    pub struct Mute;
    impl Handler for Mute {
        fn call(&self, _: Event) {}
        fn user_data(&self) -> usize {
            7
        }
    }

    pub fn mute() -> (Arc<Queue>, Arc<Source>) {
        let queue = Queue::new(Box::new(ThreadWake::default()));
        let source = Source::new(queue.clone(), Arc::new(Mute)).unwrap();
        (queue, source)
    }

    fn progress(revision: i64) -> Body {
        Body::Progress { revision, resume: revision + 1, header: Default::default() }
    }

    #[test]
    fn close_keeps_what_waits_and_is_last() {
        let (queue, source) = mute();
        source.emit(progress(1));
        source.close(None);
        source.close(Some(Error::closed()));
        source.emit(progress(2));
        let bodies: Vec<_> = queue.take().into_iter().map(|event| event.body).collect();
        assert!(matches!(bodies[..], [Body::Progress { revision: 1, .. }, Body::Closed { error: None }]));
    }

    #[test]
    fn cancel_drops_what_waits() {
        let (queue, source) = mute();
        source.emit(progress(1));
        source.cancel(None);
        source.cancel(None);
        let events = queue.take();
        assert!(matches!(events[..], [Event { body: Body::Closed { error: None }, .. }]));
        assert_eq!(events[0].source.user_data(), 7);
    }

    #[test]
    fn a_loss_is_told_once_and_before_the_end() {
        let taken = |queue: &Queue| -> Vec<_> {
            let name = |body| match body {
                Body::Lost { reason, .. } => format!("{reason:?}"),
                Body::Closed { error } => format!("closed {}", error.is_some()),
                _ => "other".into(),
            };
            queue.take().into_iter().map(|event| name(event.body)).collect()
        };
        let hold = || {
            let queue = Queue::new(Box::new(ThreadWake::default()));
            let source = Source::of_holding(queue.clone(), Arc::new(Mute)).unwrap();
            (queue, source)
        };
        let (queue, source) = hold();
        source.lose(LostReason::Gone, None);
        source.cancel(Some(Error::closed()));
        source.lose(LostReason::Expired, None);
        assert_eq!(taken(&queue), ["Gone", "closed false"]);
        let (queue, source) = hold();
        source.cancel(Some(Error::closed()));
        assert_eq!(taken(&queue), ["Closed", "closed true"]);
        // Who lets go loses nothing.
        let (queue, source) = hold();
        source.cancel(None);
        assert_eq!(taken(&queue), ["closed false"]);
    }

    #[test]
    fn a_freed_queue_delivers_the_last_events_and_takes_no_source() {
        struct Count(Arc<AtomicU64>);
        impl Handler for Count {
            fn call(&self, event: Event) {
                let last = matches!(event.body, Body::Closed { error: Some(_) });
                self.0.fetch_add(if last { 1 } else { 100 }, Ordering::Relaxed);
            }
            fn user_data(&self) -> usize {
                0
            }
        }
        let ran = Arc::new(AtomicU64::new(0));
        let queue = Queue::new(Box::new(ThreadWake::default()));
        let source = Source::new(queue.clone(), Arc::new(Count(ran.clone()))).unwrap();
        source.emit(progress(1));
        queue.free();
        assert_eq!(ran.load(Ordering::Relaxed), 1);
        assert!(Source::new(queue, Arc::new(Mute)).is_err());
    }

    #[test]
    fn who_holds_without_its_queue_has_lost_nothing() {
        for (closes, wanted) in [(false, 1), (true, 2)] {
            let (queue, source) = mute();
            source.hold();
            let why = if closes { Error::closed() } else { Error::new(code::ERR_CANCELED, "the queue was freed") };
            source.cancel(Some(why));
            let events = queue.take();
            assert_eq!(events.len(), wanted);
            assert!(matches!(events[wanted - 1].body, Body::Closed { .. }));
        }
    }

    #[test]
    fn one_drainer_at_a_time() {
        struct Nested(Arc<Queue>, Mutex<Option<Error>>);
        impl Handler for Nested {
            fn call(&self, _: Event) {
                *self.1.lock().unwrap() = self.0.dispatch(0, None).err();
            }
            fn user_data(&self) -> usize {
                0
            }
        }
        let queue = Queue::new(Box::new(ThreadWake::default()));
        let nested = Arc::new(Nested(queue.clone(), Mutex::new(None)));
        let source = Source::new(queue.clone(), nested.clone()).unwrap();
        source.emit(progress(1));
        assert_eq!(queue.dispatch(0, None), Ok(1));
        assert_eq!(nested.1.lock().unwrap().as_ref().unwrap().code, code::ERR_BUSY);
    }
}
