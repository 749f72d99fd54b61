//! The queue through which everything that happens later reaches the caller, and its one drainer at a time.

use super::code;
use super::error::{Error, Result};
use super::event::Event;
use super::source::Source;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How a queue tells its drainer that events wait.
pub trait Wake: Send + Sync {
    /// Events wait. Calling it again changes nothing.
    fn raise(&self);
    /// None wait any more.
    fn clear(&self);
    /// Waits until raised or until the time is over; an error if a signal ended the wait.
    fn wait(&self, limit: Option<Duration>) -> Result<()>;
}

pub type Wakeup = Box<dyn Fn() + Send + Sync>;

pub struct Queue {
    wake: Box<dyn Wake>,
    wakeup: Mutex<Option<Wakeup>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    drained: bool,
    sources: HashMap<u64, Weak<Source>>,
    /// Nothing waits any more, and what comes is delivered by whoever drains or frees.
    freed: bool,
    stopped: bool,
}

impl Queue {
    pub fn new(wake: Box<dyn Wake>) -> Arc<Self> {
        Arc::new(Queue { wake, wakeup: Mutex::new(None), state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what is called when the queue stops being empty, and calls it if it is not. On return the former one
    /// runs no more.
    pub fn set_wakeup(&self, wakeup: Option<Wakeup>) {
        let mut current = self.wakeup.lock().unwrap_or_else(PoisonError::into_inner);
        *current = wakeup;
        if let Some(wakeup) = current.as_ref().filter(|_| !self.state().events.is_empty()) {
            wakeup();
        }
    }

    pub(super) fn push(&self, event: Event) {
        let first = {
            let mut state = self.state();
            state.events.push_back(event);
            let first = state.events.len() == 1;
            if first {
                self.wake.raise();
            }
            first
        };
        if first {
            if let Some(wakeup) = &*self.wakeup.lock().unwrap_or_else(PoisonError::into_inner) {
                wakeup();
            }
        }
    }

    /// False if the queue was freed and takes no source any more.
    pub(super) fn register(&self, source: &Arc<Source>) -> bool {
        let mut state = self.state();
        if !state.freed {
            state.sources.insert(source.id, Arc::downgrade(source));
        }
        !state.freed
    }

    pub(super) fn forget(&self, source: u64) {
        self.state().sources.remove(&source);
    }

    /// The next event that its source still admits.
    fn pop(&self) -> Option<Event> {
        loop {
            let event = {
                let mut state = self.state();
                let event = state.events.pop_front();
                match state.events.is_empty() {
                    true => self.wake.clear(),
                    false => self.wake.raise(),
                }
                event?
            };
            if event.source.begin(&event) {
                return Some(event);
            }
        }
    }

    fn wait_pop(&self, limit: Option<Duration>) -> Result<Option<Event>> {
        // A limit beyond the clock's range is no limit.
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            if let Some(event) = self.pop() {
                return Ok(Some(event));
            }
            if self.state().stopped {
                return Ok(None);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(None);
            }
            self.wake.wait(left)?;
        }
    }

    /// Delivers up to `max` events (0: those that wait) to their handlers on this thread, waiting up to `limit`
    /// for the first. Gives back how many.
    pub fn dispatch(&self, max: usize, limit: Option<Duration>) -> Result<usize> {
        let _turn = self.turn()?;
        let Some(mut event) = self.wait_pop(limit)? else { return Ok(0) };
        let most = if max == 0 { 1 + self.state().events.len() } else { max };
        let mut ran = 0;
        loop {
            event.deliver();
            ran += 1;
            if ran >= most {
                return Ok(ran);
            }
            match self.pop() {
                Some(next) => event = next,
                None => return Ok(ran),
            }
        }
    }

    /// The next event, for the caller to look at; no handler runs.
    pub fn next(&self, limit: Option<Duration>) -> Result<Option<Event>> {
        let _turn = self.turn()?;
        let event = self.wait_pop(limit)?;
        if let Some(event) = &event {
            event.source.finish();
        }
        Ok(event)
    }

    /// Ends all that reports here and delivers the last events: on this thread, or on the one that drains.
    pub fn free(&self) {
        self.set_wakeup(None);
        let sources: Vec<_> = {
            let mut state = self.state();
            state.freed = true;
            state.sources.values().filter_map(Weak::upgrade).collect()
        };
        for source in sources {
            source.cancel(Some(Error::new(code::ERR_CANCELED, "the queue was freed")));
        }
        self.stop();
        drop(self.turn());
    }

    /// Ends the waits of the drainer once no event is left.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.wake.raise();
    }

    fn turn(&self) -> Result<Turn<'_>> {
        let mut state = self.state();
        if state.drained {
            return Err(Error::new(
                code::ERR_BUSY,
                "queue: it is being drained already, by another thread or around this callback",
            ));
        }
        state.drained = true;
        Ok(Turn(self))
    }

    #[cfg(test)]
    pub(super) fn take(&self) -> Vec<Event> {
        std::iter::from_fn(|| self.next(Some(Duration::ZERO)).unwrap()).collect()
    }
}

/// The right to drain. Given back only when a freed queue is empty.
struct Turn<'a>(&'a Queue);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        loop {
            {
                let mut state = self.0.state();
                if !state.freed || state.events.is_empty() {
                    state.drained = false;
                    return;
                }
            }
            if let Some(event) = self.0.pop() {
                event.deliver();
            }
        }
    }
}

/// The wake of a queue that only a thread of the library's own drains.
#[derive(Default)]
pub struct ThreadWake {
    raised: Mutex<bool>,
    changed: Condvar,
}

impl Wake for ThreadWake {
    fn raise(&self) {
        *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    fn clear(&self) {
        *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }

    fn wait(&self, limit: Option<Duration>) -> Result<()> {
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |raised: &mut bool| !*raised;
        match limit {
            None => drop(self.changed.wait_while(raised, waiting)),
            Some(limit) => drop(self.changed.wait_timeout_while(raised, limit, waiting)),
        }
        Ok(())
    }
}
