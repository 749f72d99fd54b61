//! The one I/O thread of the process, shared by all clients and reference-counted.

use super::code;
use super::error::{Error, Result};
use super::sync::lock;
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// Runs its argument with all signals blocked, so that threads started by it never run a host's signal handler.
pub type Masked = fn(&mut dyn FnMut());

/// The time since boot, suspension included (§7.8).
pub type Clock = fn() -> Duration;

/// Where the clients of a process meet.
pub struct Shared {
    masked: Masked,
    clock: Clock,
    current: Mutex<Weak<Runtime>>,
}

pub struct Runtime {
    shared: &'static Shared,
    /// `None` only while it is being dropped.
    tokio: Option<tokio::runtime::Runtime>,
}

impl Shared {
    pub const fn new(masked: Masked, clock: Clock) -> Self {
        Shared { masked, clock, current: Mutex::new(Weak::new()) }
    }

    /// The running runtime, or a new one.
    pub fn get(&'static self) -> Result<Arc<Runtime>> {
        let mut current = lock(&self.current);
        if let Some(runtime) = current.upgrade() {
            return Ok(runtime);
        }
        let runtime = Arc::new(Runtime::start(self)?);
        *current = Arc::downgrade(&runtime);
        Ok(runtime)
    }
}

impl Runtime {
    fn start(shared: &'static Shared) -> Result<Self> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("etcd3-io").thread_keep_alive(Duration::from_secs(1)).enable_all();
        // tokio panics where the system has no thread left.
        let built = with(shared.masked, || catch_unwind(AssertUnwindSafe(|| builder.build())));
        let refused = |why: &str| Error::new(code::ERR_SYSTEM, format!("cannot start the I/O thread: {why}"));
        match built {
            Ok(Ok(tokio)) => Ok(Runtime { shared, tokio: Some(tokio) }),
            Ok(Err(error)) => Err(refused(&error.to_string())),
            Err(_) => Err(refused("the system refuses one more thread")),
        }
    }

    fn tokio(&self) -> &tokio::runtime::Runtime {
        self.tokio.as_ref().expect("the runtime is taken only by drop")
    }

    pub fn handle(&self) -> &tokio::runtime::Handle {
        self.tokio().handle()
    }

    pub fn clock(&self) -> Clock {
        self.shared.clock
    }

    /// Blocks the calling thread until `future` is ready.
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output> {
        match tokio::runtime::Handle::try_current() {
            Ok(_) => Err(Error::new(
                code::ERR_BUSY,
                "a wakeup function must not call the library: it runs on the I/O thread",
            )),
            Err(_) => Ok(self.tokio().block_on(future)),
        }
    }

    /// Starts a thread of the library's own, signals blocked.
    pub fn spawn_thread(
        &self,
        name: &str,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<std::thread::JoinHandle<()>> {
        with(self.shared.masked, || std::thread::Builder::new().name(name.to_owned()).spawn(body))
            .map_err(|e| Error::new(code::ERR_SYSTEM, format!("cannot start the thread {name}: {e}")))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let Some(tokio) = self.tokio.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(_) => tokio.shutdown_background(),
            // The bound is for name lookups that hang: they cannot be interrupted.
            Err(_) => tokio.shutdown_timeout(Duration::from_millis(1200)),
        }
        let mut current = lock(&self.shared.current);
        if current.strong_count() == 0 {
            *current = Weak::new();
        }
    }
}

fn with<T>(masked: Masked, body: impl FnOnce() -> T) -> T {
    let (mut body, mut result) = (Some(body), None);
    masked(&mut || result = body.take().map(|body| body()));
    result.expect("masked runs its argument")
}
