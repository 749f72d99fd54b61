//! The thread a client runs callbacks on when the caller brings no queue of its own.

use super::code;
use super::error::{Error, Result};
use super::queue::{Queue, ThreadWake};
use super::runtime::Runtime;
use super::source::{this_thread, Thread};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub struct Callbacks {
    pub queue: Arc<Queue>,
    /// The thread itself, once it runs.
    id: Arc<OnceLock<Thread>>,
    thread: Mutex<Option<(JoinHandle<()>, Receiver<()>)>>,
}

impl Callbacks {
    pub fn start(runtime: &Runtime) -> Result<Self> {
        let queue = Queue::new(Box::new(ThreadWake::default()));
        let (running, ended) = channel();
        let (drained, id) = (queue.clone(), Arc::new(OnceLock::new()));
        let own = id.clone();
        let handle = runtime.spawn_thread("etcd3-callback", move || {
            let _running = running;
            let _ = own.set(this_thread());
            while let Ok(1..) = drained.dispatch(0, None) {}
        })?;
        Ok(Callbacks { queue, id, thread: Mutex::new(Some((handle, ended))) })
    }

    /// Lets the thread end once it has delivered everything.
    pub fn stop(&self) {
        self.queue.stop();
    }

    /// Waits for that, unless called on the thread itself.
    pub fn join(&self, limit: Duration) -> Result<()> {
        if self.id.get() == Some(&this_thread()) {
            return Ok(());
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((handle, ended)) = thread.take() else { return Ok(()) };
        if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            *thread = Some((handle, ended));
            return Err(Error::new(code::ERR_TIMEOUT, "a callback still runs"));
        }
        let _ = handle.join();
        Ok(())
    }
}
