//! The thread a client runs callbacks on when the caller brings no queue of its own.

use super::code;
use super::error::{Error, Result};
use super::queue::{Queue, ThreadWake};
use super::runtime::Runtime;
use super::source::{this_thread, Thread};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub struct Callbacks {
    pub queue: Arc<Queue>,
    state: Arc<State>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Not a channel: waiting on one of std's leaves an allocation behind on the host's main thread.
#[derive(Default)]
struct State {
    life: Mutex<Life>,
    ended: Condvar,
}

#[derive(Default, PartialEq)]
enum Life {
    #[default]
    Starting,
    Running(Thread),
    Ended,
}

impl State {
    fn enter(&self, life: Life) {
        *self.life.lock().unwrap_or_else(PoisonError::into_inner) = life;
        self.ended.notify_all();
    }
}

impl Callbacks {
    pub fn start(runtime: &Runtime) -> Result<Self> {
        let queue = Queue::new(Box::new(ThreadWake::default()));
        let state = Arc::<State>::default();
        let (drained, own) = (queue.clone(), state.clone());
        let thread = runtime.spawn_thread("etcd3-callback", move || {
            own.enter(Life::Running(this_thread()));
            while let Ok(1..) = drained.dispatch(0, None) {}
            own.enter(Life::Ended);
        })?;
        Ok(Callbacks { queue, state, thread: Mutex::new(Some(thread)) })
    }

    /// Lets the thread end once it has delivered everything.
    pub fn stop(&self) {
        self.queue.stop();
    }

    /// Waits for that, unless called on the thread itself.
    pub fn join(&self, limit: Duration) -> Result<()> {
        let life = self.state.life.lock().unwrap_or_else(PoisonError::into_inner);
        if *life == Life::Running(this_thread()) {
            return Ok(());
        }
        let running = |life: &mut Life| *life != Life::Ended;
        let (life, _) =
            self.state.ended.wait_timeout_while(life, limit, running).unwrap_or_else(PoisonError::into_inner);
        if *life != Life::Ended {
            return Err(Error::new(code::ERR_TIMEOUT, "a callback still runs"));
        }
        drop(life);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
        Ok(())
    }
}
