//! What was asked and answered, and what the cluster says has happened.

use crate::library::{Answer, Fault};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Keys of the rig's own probes, of which no record is kept.
pub const PROBES: &str = "probe/";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Action {
    Put {
        key: String,
        value: String,
    },
    /// A put if the key's last change was at `revision`; 0: if there is no such key.
    PutIf {
        key: String,
        revision: i64,
        value: String,
    },
    Delete {
        key: String,
    },
    Get {
        key: String,
        serializable: bool,
    },
}

impl Action {
    pub fn key(&self) -> &str {
        match self {
            Action::Put { key, .. } | Action::PutIf { key, .. } | Action::Delete { key } | Action::Get { key, .. } => {
                key
            }
        }
    }

    /// What it writes, unlike any other.
    pub fn value(&self) -> Option<&str> {
        match self {
            Action::Put { value, .. } | Action::PutIf { value, .. } => Some(value),
            _ => None,
        }
    }

    pub fn is_read(&self) -> bool {
        matches!(self, Action::Get { .. })
    }
}

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    pub value: String,
    pub create_revision: i64,
    pub mod_revision: i64,
    pub version: i64,
}

#[derive(Debug, Clone, Serialize)]
pub enum Outcome {
    /// Not over yet: like `Ambiguous`.
    Pending,
    Done {
        revision: i64,
        member: u64,
        /// Of a get.
        held: Option<Held>,
        /// Of a delete: whether there was something; of a put-if: whether it was put.
        applied: bool,
    },
    /// It may happen at any time after the call, or never.
    Ambiguous(Fault),
    /// It has not happened and will not.
    Failed(Fault),
}

impl Outcome {
    pub fn of(action: &Action, answer: Result<Answer, Fault>) -> Outcome {
        match answer {
            Ok(answer) => Outcome::Done {
                revision: answer.revision,
                member: answer.member,
                applied: match action {
                    Action::Delete { .. } => answer.count > 0,
                    Action::PutIf { .. } => answer.succeeded,
                    _ => true,
                },
                held: answer.kvs.into_iter().next().map(|kv| Held {
                    value: String::from_utf8_lossy(&kv.value).into_owned(),
                    create_revision: kv.create_revision,
                    mod_revision: kv.mod_revision,
                    version: kv.version,
                }),
            },
            Err(fault) if fault.maybe_applied => Outcome::Ambiguous(fault),
            Err(fault) => Outcome::Failed(fault),
        }
    }
}

/// One call. Times are since the recorder was made.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    pub id: usize,
    /// Who called: each one does one thing at a time.
    pub caller: String,
    pub called: Duration,
    /// None while it is pending.
    pub returned: Option<Duration>,
    pub limit: Duration,
    pub action: Action,
    pub outcome: Outcome,
}

impl Record {
    pub fn is_done(&self) -> bool {
        matches!(self.outcome, Outcome::Done { .. })
    }

    pub fn is_ambiguous(&self) -> bool {
        matches!(self.outcome, Outcome::Ambiguous(_))
    }

    pub fn fault(&self) -> Option<&Fault> {
        match &self.outcome {
            Outcome::Ambiguous(fault) | Outcome::Failed(fault) => Some(fault),
            _ => None,
        }
    }

    pub fn took(&self) -> Option<Duration> {
        Some(self.returned? - self.called)
    }
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Some values are large.
        let action: String = format!("{:?}", self.action).chars().take(200).collect();
        write!(f, "#{} {} {action} called {:.3?}", self.id, self.caller, self.called)?;
        match self.returned {
            Some(returned) => write!(f, " returned {returned:.3?} ")?,
            None => return f.write_str(" still under way"),
        }
        match &self.outcome {
            Outcome::Ambiguous(fault) | Outcome::Failed(fault) => write!(f, "{fault} ({})", fault.endpoint),
            outcome => write!(f, "{outcome:?}"),
        }
    }
}

/// A change of a key, as the cluster tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    pub revision: i64,
    pub key: String,
    /// What it holds since; `None` if it was deleted.
    pub held: Option<Held>,
}

/// Keeps records.
pub struct Recorder {
    epoch: Instant,
    records: Mutex<Vec<Record>>,
    values: Mutex<HashMap<String, u64>>,
    returned: Condvar,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder {
            epoch: Instant::now(),
            records: Mutex::default(),
            values: Mutex::default(),
            returned: Condvar::new(),
        }
    }
}

impl Recorder {
    pub fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// A value that nobody has put yet.
    pub fn value(&self, caller: &str) -> String {
        let mut values = self.values.lock().unwrap();
        let number = values.entry(caller.into()).or_default();
        *number += 1;
        format!("{caller}#{number}")
    }

    /// Records a call; `make` makes it.
    pub fn record(
        &self,
        caller: &str,
        limit: Duration,
        action: Action,
        make: impl FnOnce(&Action) -> Result<Answer, Fault>,
    ) -> Record {
        let id = {
            let mut records = self.records.lock().unwrap();
            let id = records.len();
            records.push(Record {
                id,
                caller: caller.into(),
                called: self.now(),
                returned: None,
                limit,
                action: action.clone(),
                outcome: Outcome::Pending,
            });
            id
        };
        let answer = make(&action);
        // Before the lock, which may have to be waited for.
        let returned = self.now();
        let mut records = self.records.lock().unwrap();
        let record = &mut records[id];
        record.outcome = Outcome::of(&action, answer);
        record.returned = Some(returned);
        self.returned.notify_all();
        record.clone()
    }

    /// What there is so far.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap().clone()
    }

    /// What `found` makes of the records of calls made at `since` or later.
    pub fn since<T>(&self, since: Duration, found: impl FnOnce(&[Record]) -> T) -> T {
        let records = self.records.lock().unwrap();
        let first = records.partition_point(|record| record.called < since);
        found(&records[first..])
    }

    /// Waits until a call made at `since` or later has returned that is `wanted`, and returns when
    /// that was.
    pub fn wait(&self, since: Duration, limit: Duration, wanted: impl Fn(&Record) -> bool) -> Option<Duration> {
        self.wait_of(since, limit, wanted)
    }

    /// The same of one that has returned at `since` or later, whenever it was made.
    pub fn wait_return(&self, since: Duration, limit: Duration, wanted: impl Fn(&Record) -> bool) -> Option<Duration> {
        let late = |record: &Record| record.returned.is_some_and(|returned| returned >= since) && wanted(record);
        // None of the rig's calls takes longer.
        self.wait_of(since.saturating_sub(Duration::from_secs(30)), limit, late)
    }

    fn wait_of(&self, since: Duration, limit: Duration, wanted: impl Fn(&Record) -> bool) -> Option<Duration> {
        let deadline = Instant::now() + limit;
        let mut records = self.records.lock().unwrap();
        loop {
            let first = records.partition_point(|record| record.called < since);
            let found = records[first..].iter().filter(|record| wanted(record)).filter_map(|record| record.returned);
            if let Some(returned) = found.min() {
                return Some(returned);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            records = self.returned.wait_timeout(records, left).unwrap().0;
        }
    }
}
