//! The client: the endpoints, the shared runtime, what is under way, and its end.

use super::callbacks::Callbacks;
use super::code;
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use super::op::{Op, Request};
use super::proto::etcdserverpb as pb;
use super::queue::Queue;
use super::response::Response;
use super::runtime::Runtime;
use super::source::Source;
use super::transport::{Limits, Method, Transport};
use super::watch::Watches;
use once_cell::sync::OnceCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub struct Config {
    pub endpoints: Vec<Endpoint>,
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config { endpoints: Vec::new(), timeout: Duration::from_secs(5) }
    }
}

pub struct Client {
    /// `None` once closed.
    runtime: Mutex<Option<Arc<Runtime>>>,
    transport: Arc<Transport>,
    timeout: Duration,
    closing: CancellationToken,
    tasks: TaskTracker,
    callbacks: OnceCell<Callbacks>,
    sources: Arc<Mutex<HashMap<u64, Weak<Source>>>>,
    watches: OnceCell<Watches>,
}

const RANGE: Method = Method { path: "/etcdserverpb.KV/Range", repeatable: true };
const PUT: Method = Method { path: "/etcdserverpb.KV/Put", repeatable: false };
const DELETE_RANGE: Method = Method { path: "/etcdserverpb.KV/DeleteRange", repeatable: false };
const TXN: Method = Method { path: "/etcdserverpb.KV/Txn", repeatable: false };

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// Connects when first used, not here (§1.3).
    pub fn open(config: &Config, runtime: Arc<Runtime>) -> Result<Self> {
        let mut endpoints = config.endpoints.clone();
        if endpoints.is_empty() {
            endpoints.push(Endpoint::parse("localhost:2379")?);
        }
        Ok(Client {
            transport: Arc::new(Transport::new(endpoints, runtime.handle())),
            runtime: Mutex::new(Some(runtime)),
            timeout: config.timeout,
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            callbacks: OnceCell::new(),
            sources: Arc::default(),
            watches: OnceCell::new(),
        })
    }

    fn runtime(&self) -> Result<Arc<Runtime>> {
        lock(&self.runtime).clone().ok_or_else(Error::closed)
    }

    /// Runs one call to its end on the calling thread, within `timeout` or the client's own.
    pub fn run<T>(&self, timeout: Option<Duration>, call: impl AsyncFnOnce(&Limits) -> Result<T>) -> Result<T> {
        let runtime = self.runtime()?;
        let deadline = Instant::now() + timeout.unwrap_or(self.timeout);
        let limits = Limits { deadline, cancelled: self.closing.clone() };
        runtime.block_on(call(&limits))?.map_err(|error| match error.code {
            code::ERR_CANCELED if self.closing.is_cancelled() => Error::closed(),
            _ => error,
        })
    }

    pub fn execute(&self, op: &Op) -> Result<Response> {
        let request = op.request()?;
        self.run(op.timeout, async |limits| self.send(request, limits).await)
    }

    async fn send(&self, request: Request, limits: &Limits) -> Result<Response> {
        let transport = &self.transport;
        match request {
            Request::Get(get) => transport.unary(RANGE, &get, limits).await.map(Response::Get),
            Request::Put(put) => transport.unary(PUT, &put, limits).await.map(Response::Put),
            Request::Delete(delete) => transport.unary(DELETE_RANGE, &delete, limits).await.map(Response::Delete),
            Request::Txn(txn) => {
                let method = Method { repeatable: reads_only(&txn), ..TXN };
                transport.unary::<_, pb::TxnResponse>(method, &txn, limits).await?.try_into()
            }
        }
    }

    /// The queue of the client's own callback thread, which is started when first asked for.
    pub fn own_queue(&self) -> Result<Arc<Queue>> {
        let runtime = self.runtime()?;
        let callbacks = self.callbacks.get_or_try_init(|| Callbacks::start(&runtime))?;
        if self.closing.is_cancelled() {
            callbacks.stop();
        }
        Ok(callbacks.queue.clone())
    }

    /// Has the source ended with the client; `at_end` runs when it ends, whyever.
    pub fn adopt(&self, source: &Arc<Source>, at_end: impl Fn() + Send + Sync + 'static) -> Result<()> {
        let (sources, id) = (Arc::downgrade(&self.sources), source.id);
        source.set_at_end(Box::new(move || {
            if let Some(sources) = sources.upgrade() {
                lock(&sources).remove(&id);
            }
            at_end();
        }));
        let mut sources = lock(&self.sources);
        if self.closing.is_cancelled() {
            return Err(Error::closed());
        }
        sources.insert(id, Arc::downgrade(source));
        Ok(())
    }

    /// The watches of this client and the task that carries them.
    pub fn watches(&self) -> Result<&Watches> {
        let runtime = self.runtime()?;
        Ok(self.watches.get_or_init(|| {
            let (watches, task) = Watches::new(self.transport.streams());
            let closing = self.closing.clone();
            self.tasks.spawn_on(
                async move {
                    tokio::select! {
                        _ = closing.cancelled() => {}
                        _ = task => {}
                    }
                },
                runtime.handle(),
            );
            watches
        }))
    }

    /// Ends everything under way. What waits in queues is replaced by the last events.
    pub fn end(&self) {
        self.closing.cancel();
        let sources: Vec<_> = lock(&self.sources).values().filter_map(Weak::upgrade).collect();
        for source in sources {
            source.cancel(Some(Error::closed()));
        }
        if let Some(callbacks) = self.callbacks.get() {
            callbacks.stop();
        }
    }

    /// Ends everything, waits for the callbacks of the client's own thread, and gives the runtime back.
    pub fn close(&self, limit: Duration) -> Result<()> {
        self.end();
        if let Some(runtime) = lock(&self.runtime).take() {
            self.tasks.close();
            // They end at once, but for the one that may be running now.
            let _ = runtime.block_on(async { tokio::time::timeout(TASKS_END, self.tasks.wait()).await });
        }
        match self.callbacks.get() {
            Some(callbacks) if !limit.is_zero() => callbacks.join(limit),
            _ => Ok(()),
        }
    }
}

const TASKS_END: Duration = Duration::from_millis(500);

impl Drop for Client {
    fn drop(&mut self) {
        self.end();
    }
}

/// A transaction without a write may be sent again like any read (§2.11).
fn reads_only(txn: &pb::TxnRequest) -> bool {
    use pb::request_op::Request as Union;
    txn.success.iter().chain(&txn.failure).all(|op| match &op.request {
        Some(Union::RequestRange(_)) => true,
        Some(Union::RequestTxn(txn)) => reads_only(txn),
        _ => false,
    })
}
