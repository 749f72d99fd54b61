//! Watches: what was delivered, over all resumes, is what H has for them.

use super::{Rule, Violation};
use crate::history::{Event, Held};
use serde::Serialize;
use std::collections::BTreeMap;

/// One event of a watch.
#[derive(Debug, Clone, Serialize)]
pub struct Batch {
    /// The store's revision that came with it.
    pub revision: i64,
    pub changes: Vec<Event>,
    /// What each key held before, if the watch asked for that.
    pub before: Vec<Option<Held>>,
    /// From a list, not from a watch.
    pub synthetic: bool,
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
    /// At which revisions it has listed anew what history had lost.
    pub relisted: Vec<i64>,
    /// How often, and why, it was said to have ended before it was cancelled.
    pub closed: Vec<String>,
    /// Up to which revision history was said to be lost, where that was why.
    pub compacted: Vec<i64>,
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
    let mut violations = check_delivered(log, events);
    let mut fail = |text: String| violations.push(violation(log, text));
    if log.lives != 1 {
        fail(format!("went live {} times", log.lives));
    }
    if !log.closed.is_empty() {
        fail(format!("ended by itself: {:?}", log.closed));
    }
    violations
}

fn violation(log: &WatchLog, text: String) -> Violation {
    Violation { rule: Rule::Watch, text: format!("{}: {text}", log.name) }
}

/// The same of one whose history was compacted away at `compacted` while it was cut off with nothing said of
/// revision `next` and after it: either all is there, or it ended with that.
pub fn check_compacted(log: &WatchLog, events: &[Event], compacted: i64) -> Vec<Violation> {
    let next = log.last().max(log.start - 1) + 1;
    match (&log.closed[..], &log.compacted[..]) {
        ([], []) => check_watch(log, events),
        ([_], [revision]) if *revision == compacted && next < compacted => {
            let said: Vec<Event> = events.iter().filter(|event| event.revision < next).cloned().collect();
            check_delivered(log, &said)
        }
        (closed, revisions) => {
            vec![violation(log, format!("compacted at {compacted}, {next} was next: {closed:?} of {revisions:?}"))]
        }
    }
}

/// One that lists anew what history has lost: whoever does as it says has in the end what the store has.
pub fn check_relisted(log: &WatchLog, events: &[Event]) -> Vec<Violation> {
    let state = |events: &mut dyn Iterator<Item = &Event>| {
        let mut state = BTreeMap::new();
        for event in events.filter(|event| event.key.starts_with(&log.prefix)) {
            match &event.held {
                Some(held) => state.insert(event.key.clone(), held.clone()),
                None => state.remove(&event.key),
            };
        }
        state
    };
    let want = state(&mut events.iter());
    let have = state(&mut log.batches.iter().flat_map(|batch| &batch.changes));
    let mut violations = Vec::new();
    if want != have {
        let differs = |key: &&String| want.get(*key) != have.get(*key);
        let key = want.keys().chain(have.keys()).find(differs);
        let pair = key.map(|key| (want.get(key), have.get(key)));
        violations.push(violation(log, format!("{key:?}: the store and the watch have {pair:?}")));
    }
    let mut last = 0;
    for batch in log.batches.iter().filter(|batch| !batch.synthetic) {
        let (Some(first), Some(end)) = (batch.changes.first(), batch.changes.last()) else { continue };
        if first.revision <= last {
            violations.push(violation(log, format!("revision {} comes again", first.revision)));
        }
        last = end.revision;
    }
    if !log.closed.is_empty() || log.lives != 1 {
        violations.push(violation(log, format!("live {} times, closed {:?}", log.lives, log.closed)));
    }
    violations
}

/// What each change says its key held before is what H says.
pub fn check_before(log: &WatchLog, events: &[Event]) -> Vec<Violation> {
    let mut state: BTreeMap<&str, &Held> = BTreeMap::new();
    let mut said = log.batches.iter().flat_map(|batch| batch.changes.iter().zip(&batch.before));
    let mut next = said.next();
    let mut violations = Vec::new();
    for event in events {
        let before = match &event.held {
            Some(held) => state.insert(&event.key, held),
            None => state.remove(&*event.key),
        };
        let Some((_, told)) = next.filter(|(change, _)| *change == event) else { continue };
        if told.as_ref() != before {
            let brief = |held: Option<&Held>| held.map(|held| (held.mod_revision, held.value.len()));
            let (want, have) = (brief(before), brief(told.as_ref()));
            violations.push(violation(log, format!("{} held {want:?} before, not {have:?}", event.key)));
        }
        next = said.next();
    }
    if let Some((change, _)) = next {
        violations.push(violation(log, format!("H does not have the change at {}", change.revision)));
    }
    violations
}

/// What was delivered is what H has from its start on.
fn check_delivered(log: &WatchLog, events: &[Event]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut fail = |text: String| violations.push(violation(log, text));
    let wanted = events.iter().filter(|event| event.revision >= log.start && event.key.starts_with(&log.prefix));
    let wanted: Vec<&Event> = wanted.collect();
    let delivered: Vec<&Event> = log.batches.iter().flat_map(|batch| &batch.changes).collect();
    let equal = wanted.iter().zip(&delivered).take_while(|(wanted, delivered)| wanted == delivered).count();
    if equal < wanted.len() || equal < delivered.len() {
        fail(format!(
            "of {} changes {} were delivered; after {equal} there should be {:?} and is {:?}",
            wanted.len(),
            delivered.len(),
            wanted.get(equal).map(|event| brief(event)),
            delivered.get(equal).map(|event| brief(event))
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
    violations
}

/// A change, with no more of a large value than tells which it is.
fn brief(event: &Event) -> String {
    let held = event.held.as_ref().map(|held| held.value.chars().take(40).collect::<String>());
    format!("{} at {}: {held:?}", event.key, event.revision)
}
