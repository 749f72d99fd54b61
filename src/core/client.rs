//! The client: the endpoints, the shared runtime, what is under way, and its end.

mod core;

pub(super) use self::core::reads_only;
pub use self::core::Core;
use super::callbacks::Callbacks;
use super::counters::Counters;
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use super::event::{Body, State};
use super::lease::{Leases, Listener};
use super::log::Log;
use super::namespace::{Children, Namespace};
use super::op::Op;
use super::queue::Queue;
use super::response::Response;
use super::runtime::Runtime;
use super::source::{Handler, Source};
use super::sync::lock;
use super::tls;
use super::transport::{Base, Credentials, Limits, Options, Transport};
use super::watch::{Settings, Watches};
use once_cell::sync::OnceCell;
use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicI64, AtomicU32};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[derive(Clone)]
pub struct Config {
    pub endpoints: Vec<Endpoint>,
    pub timeout: Duration,
    pub credentials: Credentials,
    pub tls: Option<tls::Options>,
    pub options: Options,
    pub auto_sync: Option<Duration>,
    /// Reads do not go back.
    pub ordering: bool,
    pub watches: Settings,
    pub log: Arc<Log>,
    /// Who wants to hear of the client's own state.
    pub events: Option<Listener>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            endpoints: Vec::new(),
            timeout: Duration::from_secs(5),
            credentials: Credentials::None,
            tls: None,
            options: Options::default(),
            auto_sync: None,
            ordering: false,
            watches: Settings::default(),
            log: Arc::default(),
            events: None,
        }
    }
}

pub struct Client {
    /// `None` once closed.
    runtime: Mutex<Option<Arc<Runtime>>>,
    pub(super) core: Arc<Core>,
    pub(super) tasks: TaskTracker,
    /// Of the calls under way.
    interrupt: Mutex<CancellationToken>,
    callbacks: OnceCell<Callbacks>,
    sources: Arc<Mutex<HashMap<u64, Weak<Source>>>>,
    watches: OnceCell<Watches>,
    pub(super) watch_settings: Settings,
    leases: OnceCell<Leases>,
    /// For the handle of a namespace: whose streams it shares.
    parent: Option<Arc<Client>>,
    pub(super) children: Children,
}

/// What a callback thread without work needs to end, whatever is left of the limit.
const THREAD_ENDS: Duration = Duration::from_millis(50);
const TASKS_END: Duration = Duration::from_millis(500);

impl Client {
    /// Connects when first used, not here (§1.3).
    pub fn open(config: &Config, runtime: Arc<Runtime>) -> Result<Self> {
        let mut endpoints = config.endpoints.clone();
        if endpoints.is_empty() {
            endpoints.push(Endpoint::parse("localhost:2379")?);
        }
        let log = Arc::new(config.log.for_client());
        let closing = CancellationToken::new();
        let base = Base {
            runtime: runtime.handle().clone(),
            options: config.options.clone(),
            tls: OnceCell::new(),
            tls_options: config.tls.clone(),
            closing: closing.clone(),
            counters: Counters::default(),
            log,
            observer: OnceLock::new(),
            changes: Notify::new(),
            connected: AtomicI64::new(0),
            calmed: AtomicU32::new(0),
            patience: Arc::default(),
        };
        let transport = Arc::new(Transport::new(&endpoints, Arc::new(base), config.credentials.clone())?);
        let core = Core {
            transport,
            timeout: config.timeout,
            ordering: config.ordering,
            closing,
            clock: runtime.clock(),
            slots: Arc::default(),
            namespace: Namespace::default(),
            known: Arc::default(),
        };
        let client = Client::new(runtime, core, config.watches, None);
        if let Some((queue, handler)) = &config.events {
            client.observe(queue.clone(), handler.clone())?;
        }
        if let Some(interval) = config.auto_sync {
            client.sync_at(interval)?;
        }
        Ok(client)
    }

    pub(super) fn new(
        runtime: Arc<Runtime>,
        core: Core,
        watch_settings: Settings,
        parent: Option<Arc<Client>>,
    ) -> Self {
        let interrupt = new_interrupt(parent.as_ref());
        Client {
            runtime: Mutex::new(Some(runtime)),
            core: Arc::new(core),
            tasks: TaskTracker::new(),
            interrupt: Mutex::new(interrupt),
            callbacks: OnceCell::new(),
            sources: Arc::default(),
            watches: OnceCell::new(),
            watch_settings,
            leases: OnceCell::new(),
            parent,
            children: Children::default(),
        }
    }

    pub(super) fn runtime(&self) -> Result<Arc<Runtime>> {
        lock(&self.runtime).clone().ok_or_else(Error::closed)
    }

    pub(super) fn limits(&self, timeout: Option<Duration>) -> Limits {
        Limits { interrupted: self.interrupted(), ..self.core.limits(timeout) }
    }

    /// Runs one call to its end on the calling thread.
    pub fn run<T>(&self, limits: Limits, call: impl AsyncFnOnce(&Limits) -> Result<T>) -> Result<T> {
        self.core.counted(self.runtime()?.block_on(call(&limits))?)
    }

    pub fn execute(&self, op: &Op) -> Result<Response> {
        let request = op.request_in(&self.core.namespace)?;
        self.run(op.limits(self), async |limits| self.core.send(request, limits).await)
    }

    /// The queue of the client's own callback thread, which is started when first asked for.
    pub fn own_queue(&self) -> Result<Arc<Queue>> {
        let runtime = self.runtime()?;
        // `close` takes this lock after it has begun and before it stops the thread: then there is none it does not know,
        // and none ends while something still reports to it.
        let _sources = lock(&self.sources);
        if self.core.closing.is_cancelled() {
            return Err(Error::closed());
        }
        let callbacks = self.callbacks.get_or_try_init(|| Callbacks::start(&runtime))?;
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
        if self.core.closing.is_cancelled() {
            return Err(Error::closed());
        }
        sources.insert(id, Arc::downgrade(source));
        Ok(())
    }

    /// The watches of this client, and the way to start one.
    pub fn watches(&self) -> Result<&Watches> {
        let runtime = self.runtime()?;
        if let Some(parent) = &self.parent {
            return parent.watches();
        }
        Ok(self.watches.get_or_init(|| {
            Watches::new(self.core.clone(), self.watch_settings, self.tasks.clone(), runtime.handle().clone())
        }))
    }

    /// The task that keeps this client's leases alive.
    pub(super) fn leases(&self) -> Result<&Leases> {
        let runtime = self.runtime()?;
        self.leases.get_or_try_init(|| match &self.parent {
            None => {
                let (leases, task) = Leases::new(self.core.clone());
                self.spawn(&runtime, task);
                Ok(leases)
            }
            Some(parent) => {
                let (leases, task) = Leases::among(parent.leases()?.clone());
                self.spawn(&runtime, task);
                Ok(leases)
            }
        })
    }

    /// Runs a task until it or the client ends.
    pub(super) fn spawn(&self, runtime: &Runtime, task: impl Future<Output = ()> + Send + 'static) {
        let closing = self.core.closing.clone();
        let until_closing = async move {
            tokio::select! {
                _ = closing.cancelled() => {}
                _ = task => {}
            }
        };
        self.tasks.spawn_on(until_closing, runtime.handle());
    }

    /// Reports when the first connection comes and the last one goes; and works for it to come again.
    fn observe(&self, queue: Option<Arc<Queue>>, handler: Arc<dyn Handler>) -> Result<()> {
        let runtime = self.runtime()?;
        let queue = queue.map_or_else(|| self.own_queue(), Ok)?;
        let source = Source::new(queue, handler)?;
        self.adopt(&source, || {})?;
        let lost = Arc::new(Notify::new());
        let (core, wake) = (self.core.clone(), lost.clone());
        let _ = self.core.transport.base().observer.set(Box::new(move |error| {
            let state = if error.is_none() { State::Connected } else { State::Disconnected };
            if error.is_some() {
                lost.notify_one();
            }
            source.emit(Body::State { state, revision: 0, error, header: None });
        }));
        self.spawn(&runtime, async move {
            loop {
                wake.notified().await;
                core.transport.reconnect().await;
            }
        });
        Ok(())
    }

    /// Ends all calls that are under way, and none that begins later.
    pub fn cancel_calls(&self) {
        let next = new_interrupt(self.parent.as_ref());
        std::mem::replace(&mut *lock(&self.interrupt), next).cancel();
    }

    /// What ends the calls that begin now.
    fn interrupted(&self) -> CancellationToken {
        let mut token = lock(&self.interrupt);
        // The parent's calls were ended, and with them all there were here.
        if token.is_cancelled() {
            *token = new_interrupt(self.parent.as_ref());
        }
        token.clone()
    }

    pub fn set_credentials(&self, credentials: Credentials) {
        self.core.transport.set_credentials(credentials);
    }

    pub fn reload_tls(&self) -> Result<()> {
        match self.core.transport.base().tls.get() {
            Some(tls) => tls.reload(),
            None => Err(Error::argument("client", "it uses no TLS")),
        }
    }

    pub fn counters(&self) -> &Counters {
        &self.core.transport.base().counters
    }

    /// Ends everything under way, also by the handles made from this one. What waits in queues is replaced by the last
    /// events. Then waits for the callbacks of their own threads, and gives the runtime back.
    pub fn close(&self, limit: Duration) -> Result<()> {
        let until = (!limit.is_zero()).then(|| Instant::now() + limit);
        let mut outcome = Ok(());
        for child in self.end() {
            outcome = outcome.and(child.finish(until));
        }
        outcome.and(self.finish(until))
    }

    /// Ends all that is under way, also by the handles made from this one, which are given back.
    fn end(&self) -> Vec<Arc<Client>> {
        let mut ended = Vec::new();
        for child in self.children.close() {
            ended.append(&mut child.end());
            ended.push(child);
        }
        // Together: tasks that end since the client closes must not end their sources first.
        let sources: Vec<_> = {
            let sources = lock(&self.sources);
            self.core.closing.cancel();
            sources.values().filter_map(Weak::upgrade).collect()
        };
        for source in sources {
            source.cancel(Some(Error::closed()));
        }
        ended
    }

    /// Waits for the end of what has ended.
    fn finish(&self, until: Option<Instant>) -> Result<()> {
        // Not locked meanwhile: tasks that end ask for it.
        let runtime = lock(&self.runtime).take();
        if let Some(runtime) = runtime {
            self.tasks.close();
            // They end at once, but for the one that may be running now.
            let _ = runtime.block_on(async { tokio::time::timeout(TASKS_END, self.tasks.wait()).await });
        }
        if self.parent.is_none() {
            self.core.transport.base().log.mute();
        }
        let Some(callbacks) = self.callbacks.get() else { return Ok(()) };
        callbacks.stop();
        match until {
            None => Ok(()),
            Some(until) => callbacks.join(until.saturating_duration_since(Instant::now()).max(THREAD_ENDS)),
        }
    }
}

/// What ends calls to come: with those of the client that a handle was made from.
fn new_interrupt(parent: Option<&Arc<Client>>) -> CancellationToken {
    parent.map_or_else(CancellationToken::new, |parent| parent.interrupted().child_token())
}

impl Drop for Client {
    fn drop(&mut self) {
        // With no time to wait it has nothing to report.
        let _ = self.close(Duration::ZERO);
    }
}
