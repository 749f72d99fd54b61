//! Holds what a client was told against what the cluster says has happened.
//!
//! The cluster's history H, all of it, decides most questions by revision, in O(n log n). A search
//! for a linearization (Porcupine) cross-checks it where that is affordable.

mod locks;
mod porcupine;
mod watches;

#[cfg(test)]
mod tests;

pub use locks::{check_locks, hand_overs, holds, Fates, Hold};
pub use porcupine::{second_opinion, Opinion};
pub use watches::{check_before, check_compacted, check_relisted, check_watch, Batch, WatchLog};

use crate::history::{Action, Event, Held, Outcome, Record, PROBES};
use std::collections::HashMap;
use std::time::Duration;

/// The rules of the revision checker, and what else is demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// H has every revision from 2 on, else it decides nothing.
    Complete,
    /// (a) An acknowledged write is in H once, where and as it was acknowledged; nobody else's is.
    Once,
    /// (b) An ambiguous write is in H at most once and not before its call; a failed one never.
    Honest,
    /// (c) A read saw what H says, and a linearizable one nothing older than was known before.
    Read,
    /// (d) Revisions follow real time.
    Order,
    /// A watch delivered what H says.
    Watch,
    /// A lock was held by one at a time.
    Lock,
}

#[derive(Debug, Clone)]
pub struct Violation {
    pub rule: Rule,
    pub text: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.text)
    }
}

/// Checks all records against H, which has to hold all that has happened in the cluster since it was
/// made.
pub fn check(records: &[Record], events: &[Event]) -> Vec<Violation> {
    let mut check = Check { violations: Vec::new(), index: Index::of(records, events) };
    check.complete(events);
    for record in records {
        check.record(record);
    }
    check.strangers(records, events);
    check.deletes(records, events);
    check.violations
}

struct Index<'a> {
    /// The changes of each key, in the order of their revisions.
    keys: HashMap<&'a str, Vec<&'a Event>>,
    values: HashMap<&'a str, Vec<&'a Event>>,
    last: i64,
    /// When what revision was known at the latest, ascending in both.
    known: Vec<(Duration, i64)>,
}

impl<'a> Index<'a> {
    fn of(records: &'a [Record], events: &'a [Event]) -> Index<'a> {
        let mut index = Index {
            keys: HashMap::new(),
            values: HashMap::new(),
            last: events.last().map_or(1, |event| event.revision),
            known: Vec::new(),
        };
        for event in events {
            index.keys.entry(&event.key).or_default().push(event);
            if let Some(held) = &event.held {
                index.values.entry(&held.value).or_default().push(event);
            }
        }
        index.known = (records.iter())
            .filter_map(|record| match record.outcome {
                Outcome::Done { revision, .. } => Some((record.returned?, revision)),
                _ => None,
            })
            .collect();
        index.known.sort_unstable();
        let mut highest = 0;
        for (_, revision) in &mut index.known {
            highest = highest.max(*revision);
            *revision = highest;
        }
        index
    }

    /// What a key held at a revision.
    fn held(&self, key: &str, revision: i64) -> Option<&'a Held> {
        let events = self.keys.get(key)?;
        let after = events.partition_point(|event| event.revision <= revision);
        events[..after].last()?.held.as_ref()
    }

    /// The change of a key at exactly this revision.
    fn change(&self, key: &str, revision: i64) -> Option<&'a Event> {
        let events = self.keys.get(key)?;
        let found = events.binary_search_by_key(&revision, |event| event.revision).ok()?;
        Some(events[found])
    }

    fn with_value(&self, value: &str) -> &[&'a Event] {
        self.values.get(value).map_or(&[], Vec::as_slice)
    }

    /// When somebody was told of this revision or a later one, if anybody was.
    fn told_at(&self, revision: i64) -> Option<Duration> {
        self.known.get(self.known.partition_point(|(_, known)| *known < revision)).map(|(returned, _)| *returned)
    }

    /// The highest revision that an answer had told when a call was made.
    fn known_at(&self, called: Duration) -> i64 {
        let after = self.known.partition_point(|(returned, _)| *returned < called);
        self.known[..after].last().map_or(0, |(_, revision)| *revision)
    }
}

struct Check<'a> {
    violations: Vec<Violation>,
    index: Index<'a>,
}

impl Check<'_> {
    fn fail(&mut self, rule: Rule, text: String) {
        self.violations.push(Violation { rule, text });
    }

    fn complete(&mut self, events: &[Event]) {
        let mut last = 1;
        for event in events {
            if event.revision != last && event.revision != last + 1 {
                self.fail(Rule::Complete, format!("after revision {last} comes {}", event.revision));
            }
            last = event.revision;
        }
    }

    fn record(&mut self, record: &Record) {
        match &record.outcome {
            Outcome::Done { revision, held, applied, .. } => {
                self.done(record, *revision, held.as_ref(), *applied);
            }
            Outcome::Ambiguous(_) | Outcome::Pending => self.ambiguous(record),
            Outcome::Failed(_) => self.failed(record),
        }
    }

    fn done(&mut self, record: &Record, revision: i64, held: Option<&Held>, applied: bool) {
        let known = self.index.known_at(record.called);
        let changes = applied && !record.action.is_read();
        if revision > self.index.last {
            self.fail(Rule::Complete, format!("H ends at {}: {record}", self.index.last));
        }
        if changes && revision <= known {
            self.fail(Rule::Order, format!("{known} was known before: {record}"));
        }
        match &record.action {
            Action::Get { key, serializable } => {
                let right = self.index.held(key, revision);
                if right != held {
                    self.fail(Rule::Read, format!("H has {right:?}: {record}"));
                }
                if !serializable && revision < known {
                    self.fail(Rule::Read, format!("{known} was known before: {record}"));
                }
            }
            Action::Put { key, value } => self.put_once(record, key, value, revision),
            Action::PutIf { key, value, revision: guard } if applied => {
                self.put_once(record, key, value, revision);
                self.guarded(record, key, *guard, revision);
            }
            Action::PutIf { key, value, revision: guard } => {
                if !self.index.with_value(value).is_empty() {
                    self.fail(Rule::Honest, format!("not put, and yet in H: {record}"));
                }
                let last = self.index.held(key, revision).map_or(0, |held| held.mod_revision);
                if last == *guard || revision < known {
                    self.fail(Rule::Read, format!("{last} was its revision, {known} was known before: {record}"));
                }
            }
            Action::Delete { key } if applied => {
                if self.index.change(key, revision).is_none_or(|event| event.held.is_some()) {
                    self.fail(Rule::Once, format!("not in H: {record}"));
                }
            }
            Action::Delete { key } => {
                if self.index.held(key, revision).is_some() || revision < known {
                    self.fail(Rule::Read, format!("there was something to delete, {known} was known: {record}"));
                }
            }
        }
    }

    fn put_once(&mut self, record: &Record, key: &str, value: &str, revision: i64) {
        let found: Vec<(i64, String)> =
            (self.index.with_value(value).iter()).map(|event| (event.revision, event.key.clone())).collect();
        if found.len() != 1 || found[0] != (revision, key.to_owned()) {
            self.fail(Rule::Once, format!("in H at {found:?}: {record}"));
        }
    }

    fn guarded(&mut self, record: &Record, key: &str, guard: i64, revision: i64) {
        let before = self.index.held(key, revision - 1).map_or(0, |held| held.mod_revision);
        if before != guard {
            self.fail(Rule::Once, format!("put although its guard was {before}: {record}"));
        }
    }

    fn ambiguous(&mut self, record: &Record) {
        let Some(value) = record.action.value() else { return };
        let found: Vec<i64> = self.index.with_value(value).iter().map(|event| event.revision).collect();
        let known = self.index.known_at(record.called);
        if found.len() > 1 {
            self.fail(Rule::Honest, format!("in H {} times, at {found:?}: {record}", found.len()));
        }
        let Some(&revision) = found.first() else { return };
        if revision <= known {
            self.fail(Rule::Honest, format!("in H at {revision}, but {known} was known before: {record}"));
        }
        if let Action::PutIf { key, revision: guard, .. } = &record.action {
            self.guarded(record, key, *guard, revision);
        }
    }

    fn failed(&mut self, record: &Record) {
        let found = record.action.value().map_or(0, |value| self.index.with_value(value).len());
        if found > 0 {
            self.fail(Rule::Honest, format!("it failed, and yet it is in H: {record}"));
        }
    }

    /// What is in H and was put by nobody.
    fn strangers(&mut self, records: &[Record], events: &[Event]) {
        let mut ours: HashMap<&str, &str> = HashMap::new();
        for record in records {
            ours.extend(record.action.value().map(|value| (value, record.action.key())));
        }
        for event in events.iter().filter(|event| !event.key.starts_with(PROBES)) {
            let Some(held) = &event.held else { continue };
            if ours.get(&*held.value) != Some(&&*event.key) {
                self.fail(Rule::Once, format!("nobody put it: {event:?}"));
            }
        }
    }

    /// Deletes have no value of their own: of each key there are as many as can be accounted for.
    fn deletes(&mut self, records: &[Record], events: &[Event]) {
        let mut acknowledged: HashMap<(&str, i64), usize> = HashMap::new();
        let mut possible: HashMap<&str, Vec<i64>> = HashMap::new();
        for record in records {
            let Action::Delete { key } = &record.action else { continue };
            match record.outcome {
                Outcome::Done { revision, applied: true, .. } => {
                    *acknowledged.entry((key, revision)).or_default() += 1;
                }
                Outcome::Ambiguous(_) | Outcome::Pending => {
                    possible.entry(key).or_default().push(self.index.known_at(record.called));
                }
                _ => {}
            }
        }
        for (place, times) in acknowledged.iter().filter(|(_, times)| **times > 1) {
            self.fail(Rule::Once, format!("{times} deletes were acknowledged for {place:?}"));
        }
        possible.values_mut().for_each(|known| known.sort_unstable());
        let mut unexplained: HashMap<&str, usize> = HashMap::new();
        for event in events.iter().filter(|event| event.held.is_none() && !event.key.starts_with(PROBES)) {
            if acknowledged.contains_key(&(&*event.key, event.revision)) {
                continue;
            }
            let so_far = unexplained.entry(&event.key).or_default();
            *so_far += 1;
            let called = possible.get(&*event.key).map_or(0, |known| known.partition_point(|k| *k < event.revision));
            if called < *so_far {
                self.fail(Rule::Honest, format!("nobody deleted it: {event:?}"));
            }
        }
    }
}
