//! Watches under test, and what they said.

use crate::check::{Batch, WatchLog};
use crate::history::{Event, Held, Recorder};
use crate::library::{self, Change, Client, Kv, Watch, Watching, COMPACTED};
use crate::load::Stop;
use crate::world::Result;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(50);

/// A watch, and the thread that listens to it.
pub struct Follower {
    said: Arc<Said>,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Said {
    log: Mutex<(WatchLog, Vec<Duration>)>,
    more: Condvar,
}

impl Follower {
    pub fn start(
        recorder: &Arc<Recorder>,
        name: &str,
        client: &Arc<Client>,
        prefix: &str,
        start: i64,
    ) -> Result<Follower> {
        let watching = Watching::prefix(prefix.as_bytes());
        Follower::with(recorder, name, client, prefix, start, watching)
    }

    /// One of a prefix that is watched with more than the defaults.
    pub fn with(
        recorder: &Arc<Recorder>,
        name: &str,
        client: &Arc<Client>,
        prefix: &str,
        start: i64,
        watching: Watching,
    ) -> Result<Follower> {
        let watch = Watch::start(client, watching.from(start))?;
        let log = WatchLog { name: name.into(), prefix: prefix.into(), start, ..WatchLog::default() };
        let said = Arc::new(Said { log: Mutex::new((log, Vec::new())), ..Said::default() });
        let stop = Arc::<Stop>::default();
        let (recorder, client) = (Arc::clone(recorder), Arc::clone(client));
        let (theirs, told) = (Arc::clone(&said), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !told.wait_until(Instant::now()) {
                let Some(event) = watch.next(POLL) else { continue };
                theirs.hear(event, recorder.now());
            }
            drop(watch);
            drop(client);
        });
        Ok(Follower { said, stop, thread: Some(thread) })
    }

    /// Waits until it has delivered this revision, or one after it.
    pub fn wait(&self, revision: i64, limit: Duration) -> bool {
        self.wait_for(limit, |log| log.last() >= revision)
    }

    /// Waits until it delivers a change of a revision after this one; when.
    pub fn wait_after(&self, revision: i64, limit: Duration) -> Option<Duration> {
        self.wait(revision + 1, limit);
        let log = self.said.log.lock().unwrap();
        let first = log.0.batches.iter().position(|batch| batch.changes.iter().any(|e| e.revision > revision))?;
        Some(log.1[first])
    }

    /// Waits until it has resumed more than so many times; whether it has.
    pub fn wait_resumed(&self, times: usize, limit: Duration) -> bool {
        self.wait_for(limit, |log| log.resumes > times)
    }

    /// Waits until it has ended.
    pub fn wait_closed(&self, limit: Duration) -> bool {
        self.wait_for(limit, |log| !log.closed.is_empty())
    }

    /// Waits until what it has said so far is as wanted.
    pub fn wait_for(&self, limit: Duration, wanted: impl Fn(&WatchLog) -> bool) -> bool {
        let log = self.said.log.lock().unwrap();
        let missing = |log: &mut (WatchLog, _)| !wanted(&log.0);
        !self.said.more.wait_timeout_while(log, limit, missing).unwrap().1.timed_out()
    }

    /// Which keys were deleted, and when it said so.
    pub fn deleted(&self) -> Vec<(String, Duration)> {
        let log = self.said.log.lock().unwrap();
        let deletes = log.0.batches.iter().zip(&log.1).flat_map(|(batch, at)| {
            let gone = batch.changes.iter().filter(|change| change.held.is_none());
            gone.map(|change| (change.key.clone(), *at))
        });
        deletes.collect()
    }

    pub fn log(&self) -> WatchLog {
        self.said.log.lock().unwrap().0.clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.tell();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Said {
    fn hear(&self, event: library::Event, now: Duration) {
        let mut log = self.log.lock().unwrap();
        match event {
            library::Event::Changes { revision, changes } => {
                let synthetic = changes.iter().any(|change| change.synthetic);
                let before = changes.iter().map(|change| change.before.as_ref().map(held)).collect();
                log.0.batches.push(Batch {
                    revision,
                    changes: changes.iter().map(change).collect(),
                    before,
                    synthetic,
                });
                log.1.push(now);
            }
            library::Event::Live => log.0.lives += 1,
            library::Event::Resumed => log.0.resumes += 1,
            library::Event::Relisted(revision) => log.0.relisted.push(revision),
            library::Event::Closed(fault, compacted) => {
                if fault.as_ref().is_some_and(|fault| fault.code == COMPACTED) {
                    log.0.compacted.push(compacted);
                }
                log.0.closed.push(fault.map_or("cancelled".into(), |fault| fault.to_string()));
            }
            _ => {}
        }
        self.more.notify_all();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn held(kv: &Kv) -> Held {
    Held {
        value: text(&kv.value),
        create_revision: kv.create_revision,
        mod_revision: kv.mod_revision,
        version: kv.version,
    }
}

/// A change as H has it.
pub fn change(change: &Change) -> Event {
    let kv = &change.kv;
    Event { revision: kv.mod_revision, key: text(&kv.key), held: change.put.then(|| held(kv)) }
}
