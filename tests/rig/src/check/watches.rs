//! Watches: what was delivered, over all resumes, is what H has for them.

use super::{Rule, Violation};
use crate::history::Event;
use serde::Serialize;

/// One event of a watch.
#[derive(Debug, Clone, Serialize)]
pub struct Batch {
    /// The store's revision that came with it.
    pub revision: i64,
    pub changes: Vec<Event>,
}

/// What a watch said.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WatchLog {
    pub name: String,
    pub prefix: String,
    pub start: i64,
    pub batches: Vec<Batch>,
    /// How often the server was said to have taken it on for the first time.
    pub lives: usize,
    pub resumes: usize,
    /// How often, and why, it was said to have ended before it was cancelled.
    pub closed: Vec<String>,
}

impl WatchLog {
    /// The revision of the last change delivered.
    pub fn last(&self) -> i64 {
        let change = self.batches.iter().rev().find_map(|batch| batch.changes.last());
        change.map_or(0, |event| event.revision)
    }
}

/// Checks one watch against H, whose last change it has to have delivered too.
pub fn check_watch(log: &WatchLog, events: &[Event]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut fail =
        |text: String| violations.push(Violation { rule: Rule::Watch, text: format!("{}: {text}", log.name) });
    let wanted = events.iter().filter(|event| event.revision >= log.start && event.key.starts_with(&log.prefix));
    let wanted: Vec<&Event> = wanted.collect();
    let delivered: Vec<&Event> = log.batches.iter().flat_map(|batch| &batch.changes).collect();
    let equal = wanted.iter().zip(&delivered).take_while(|(wanted, delivered)| wanted == delivered).count();
    if equal < wanted.len() || equal < delivered.len() {
        fail(format!(
            "of {} changes {} were delivered; after {equal} there should be {:?} and is {:?}",
            wanted.len(),
            delivered.len(),
            wanted.get(equal),
            delivered.get(equal)
        ));
    }
    let mut last = 0;
    for batch in &log.batches {
        let (Some(first), Some(end)) = (batch.changes.first(), batch.changes.last()) else { continue };
        if first.revision <= last {
            fail(format!("revision {} is split, or comes again", first.revision));
        }
        if batch.revision < end.revision {
            fail(format!("an event of revision {} has a change of {}", batch.revision, end.revision));
        }
        last = end.revision;
    }
    if log.lives != 1 {
        fail(format!("went live {} times", log.lives));
    }
    if !log.closed.is_empty() {
        fail(format!("ended by itself: {:?}", log.closed));
    }
    violations
}
