//! The watches of a client, by the streams they may share: those that ask for the same of the server (§6.1).

use super::super::client::Core;
use super::super::code;
use super::super::error::{Error, Result};
use super::super::load::{Budget, Flow};
use super::super::source::Source;
use super::super::transport::Headers;
use super::one::{Spec, Start, Watch};
use super::task::{Command, Task};
use super::Settings;
use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::{unbounded_channel, UnboundedSender};
use tokio_util::task::TaskTracker;

/// The most bytes one watch may have waiting.
pub const MAX_WAITING: i64 = 64 << 20;

#[derive(Clone)]
pub struct Watches(Arc<Shared>);

struct Shared {
    core: Arc<Core>,
    settings: Settings,
    tasks: TaskTracker,
    runtime: tokio::runtime::Handle,
    budget: Arc<Budget>,
    lanes: Mutex<HashMap<Headers, UnboundedSender<Command>>>,
}

impl Watches {
    pub fn new(core: Arc<Core>, settings: Settings, tasks: TaskTracker, runtime: tokio::runtime::Handle) -> Self {
        let budget = Budget::new(settings.buffer);
        Watches(Arc::new(Shared { core, settings, tasks, runtime, budget, lanes: Mutex::default() }))
    }

    /// Takes a watch up. When its source ends, `remove` is to be called.
    pub fn add(&self, headers: &Headers, spec: Spec, start: Start, most: i64, source: Arc<Source>) {
        let id = source.id;
        let mut lanes = self.lanes();
        // A lane ends only under the lock, so one that is there takes the watch.
        let lane = lanes.entry(headers.clone()).or_insert_with(|| self.open(headers));
        if lane.is_closed() {
            *lane = self.open(headers);
        }
        let drained = lane.clone();
        source.load.set_flow(Flow {
            most,
            budget: self.0.budget.clone(),
            drained: Box::new(move || drop(drained.send(Command::Drained(id)))),
            parked: AtomicBool::new(false),
        });
        let refused = lane.send(Command::Add(Box::new(Watch::new(spec, start, source.clone()))));
        // It may have ended before it was there to be removed.
        if source.is_closed() {
            let _ = lane.send(Command::Remove(id));
        }
        drop(lanes);
        // This closes the source, which asks for the lanes.
        drop(refused);
    }

    /// Lets a watch go whose source has ended.
    pub fn remove(&self, headers: &Headers, id: u64) {
        self.send(headers, Command::Remove(id));
    }

    fn send(&self, headers: &Headers, command: Command) {
        if let Some(lane) = self.lanes().get(headers) {
            let _ = lane.send(command);
        }
    }

    fn open(&self, headers: &Headers) -> UnboundedSender<Command> {
        let (lane, inbox) = unbounded_channel();
        let task = Task::new(self.clone(), self.0.core.clone(), self.0.settings.probe, headers.clone());
        self.spawn(task.run(inbox));
        lane
    }

    /// Forgets a lane without watches, unless `is_empty` says otherwise while nobody can add one.
    pub(super) fn retire(&self, headers: &Headers, is_empty: impl FnOnce() -> bool) -> bool {
        let mut lanes = self.lanes();
        let empty = is_empty();
        if empty {
            lanes.remove(headers);
        }
        empty
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let closing = self.0.core.closing.clone();
        let until_closing = async move {
            tokio::select! {
                _ = closing.cancelled() => {}
                _ = task => {}
            }
        };
        self.0.tasks.spawn_on(until_closing, &self.0.runtime);
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<Headers, UnboundedSender<Command>>> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The caller's hold on a watch.
pub struct Handle {
    pub source: Arc<Source>,
    pub(super) watches: Watches,
    pub(super) headers: Headers,
}

impl Handle {
    /// Asks the server how far it is. The answer is an event, and may take its time.
    pub fn request_progress(&self) -> Result<()> {
        if self.source.is_closed() {
            return Err(Error::new(code::ERR_CANCELED, "watch: it has ended"));
        }
        self.watches.send(&self.headers, Command::Progress(self.source.id));
        Ok(())
    }
}
