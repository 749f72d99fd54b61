//! Software transactional memory: a function reads and writes, and what it wrote is committed if what it read is still so; else
//! it runs again (§8.13).

use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::line::{EQUAL, LESS};
use super::op::{Op, Target};
use super::proto::mvccpb::KeyValue;
use super::range::KeyRange;
use super::response::Response;
use super::transport::{Limits, Repeat};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Reads are of one revision, and neither what was read nor what is written has changed since.
    SerializableSnapshot,
    /// Reads are of one revision, and none of it has changed since.
    Serializable,
    /// A key reads the same each time, and none of what was read has changed since.
    RepeatableReads,
    /// A key reads the same each time; nothing is checked.
    ReadCommitted,
}

pub struct Options {
    pub isolation: Isolation,
    pub max_attempts: u32,
    pub timeout: Option<Duration>,
}

/// What the function decided.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    Commit,
    Abort,
}

/// One attempt.
pub struct Stm<'a> {
    client: &'a Client,
    isolation: Isolation,
    limits: Limits,
    /// The first attempt may read what is stale at once; that it is, is found when it commits.
    may_be_stale: bool,
    reads: BTreeMap<Bytes, Option<KeyValue>>,
    /// `None`: a delete.
    writes: BTreeMap<Bytes, Option<Bytes>>,
    /// What the refused commit of the attempt before has read already.
    fetched: BTreeMap<Bytes, Option<KeyValue>>,
    fetched_at: i64,
    /// The revision of the first read.
    base: Option<i64>,
    /// Why the attempt cannot be committed, whatever the function says.
    failed: Option<Error>,
}

impl Client {
    /// Runs `body` until what it did could be committed; the revision of that.
    pub fn stm(&self, options: &Options, mut body: impl FnMut(&mut Stm) -> Decision) -> Result<i64> {
        let limits = self.limits(options.timeout);
        let (mut fetched, mut fetched_at) = (BTreeMap::new(), 0);
        for attempt in 0..options.max_attempts {
            let mut stm = Stm {
                client: self,
                isolation: options.isolation,
                limits: limits.clone(),
                may_be_stale: attempt == 0,
                reads: BTreeMap::new(),
                writes: BTreeMap::new(),
                fetched: std::mem::take(&mut fetched),
                fetched_at,
                base: None,
                failed: None,
            };
            let decision = body(&mut stm);
            match stm.failed.take() {
                // The revision that it read at was compacted meanwhile.
                Some(error) if error.code == code::ERR_COMPACTED => continue,
                Some(error) => return Err(error),
                None if decision == Decision::Abort => {
                    return Err(Error::new(code::ERR_ABORTED, "fn: it asked for the end of the transaction"))
                }
                None => {}
            }
            match stm.commit()? {
                Outcome::Committed(revision) => return Ok(revision),
                Outcome::Conflict(reads, at) => (fetched, fetched_at) = (reads, at),
            }
        }
        let times = options.max_attempts;
        Err(Error::new(
            code::ERR_CONFLICT,
            format!("others changed what the transaction had read, {times} times in a row"),
        ))
    }
}

enum Outcome {
    Committed(i64),
    Conflict(BTreeMap<Bytes, Option<KeyValue>>, i64),
}

impl Stm<'_> {
    fn is_pinned(&self) -> bool {
        matches!(self.isolation, Isolation::SerializableSnapshot | Isolation::Serializable)
    }

    /// The value of a key, its own writes included; `None` if there is no such key.
    pub fn get(&mut self, key: Bytes) -> Result<Option<Bytes>> {
        if let Some(written) = self.writes.get(&key) {
            return Ok(written.clone());
        }
        Ok(self.read(key)?.map(|kv| kv.value))
    }

    /// The revision of a key's last put, its own writes left out; 0 if there is no such key.
    pub fn revision(&mut self, key: Bytes) -> Result<i64> {
        Ok(self.read(key)?.map_or(0, |kv| kv.mod_revision))
    }

    fn read(&mut self, key: Bytes) -> Result<Option<KeyValue>> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if let Some(read) = self.reads.get(&key) {
            return Ok(read.clone());
        }
        match self.fetch(&key) {
            Ok(kv) => {
                self.reads.insert(key, kv.clone());
                Ok(kv)
            }
            // A wrong argument is the function's to mend.
            Err(error) if error.code == code::ERR_INVALID_ARGUMENT => Err(error),
            Err(error) => Err(self.failed.insert(error).clone()),
        }
    }

    fn fetch(&mut self, key: &Bytes) -> Result<Option<KeyValue>> {
        // All that was fetched is of one revision, so it is of use only from the first read on.
        if self.base.is_none_or(|base| base == self.fetched_at) {
            if let Some(kv) = self.fetched.remove(key) {
                self.base = Some(self.fetched_at);
                return Ok(kv);
            }
        }
        let mut get = Op::get(KeyRange::new(key.clone()));
        match (self.is_pinned(), self.base) {
            (true, Some(base)) => {
                get.set_revision(base)?;
                get.set_serializable()?;
            }
            (true, None) => {}
            (false, _) if self.may_be_stale => get.set_serializable()?,
            (false, _) => {}
        }
        let response = match (self.ask(&get), self.base) {
            // A member that lags behind; the cluster does not.
            (Err(error), Some(base)) if error.code == code::ERR_FUTURE_REVISION => {
                let mut again = Op::get(KeyRange::new(key.clone()));
                again.set_revision(base)?;
                self.ask(&again)?
            }
            (answer, _) => answer?,
        };
        self.base.get_or_insert(response.header().revision);
        Ok(response.get()?.kvs.into_iter().next())
    }

    fn ask(&self, get: &Op) -> Result<Response> {
        let request = get.request()?;
        self.client.run(self.limits.clone(), async |limits| self.client.core.send(request, limits).await)
    }

    pub fn put(&mut self, key: Bytes, value: Bytes) -> Result<()> {
        KeyRange::new(key.clone()).finish()?;
        self.writes.insert(key, Some(value));
        Ok(())
    }

    pub fn delete(&mut self, key: Bytes) -> Result<()> {
        KeyRange::new(key.clone()).finish()?;
        self.writes.insert(key, None);
        Ok(())
    }

    fn transaction(&self) -> Result<Op> {
        let mut txn = Op::txn();
        if self.isolation != Isolation::ReadCommitted {
            for (key, kv) in &self.reads {
                let revision = kv.as_ref().map_or(0, |kv| kv.mod_revision);
                txn.compare(key.clone(), EQUAL, Target::ModRevision(revision))?;
            }
        }
        if let (Isolation::SerializableSnapshot, Some(base)) = (self.isolation, self.base) {
            for key in self.writes.keys().filter(|key| !self.reads.contains_key(*key)) {
                txn.compare(key.clone(), LESS, Target::ModRevision(base + 1))?;
            }
        }
        for (key, value) in &self.writes {
            txn.then(match value {
                Some(value) => Op::put(key.clone(), value.clone()),
                None => Op::delete(KeyRange::new(key.clone())),
            })?;
        }
        for key in self.reads.keys() {
            txn.or_else(Op::get(KeyRange::new(key.clone())))?;
        }
        Ok(txn)
    }

    /// Sent once: where its outcome is unknown, another attempt could write a second time.
    fn commit(self) -> Result<Outcome> {
        if self.writes.is_empty() && self.reads.is_empty() {
            return Ok(Outcome::Committed(self.client.core.known.seen.load(Ordering::Relaxed)));
        }
        let txn = self.transaction()?;
        let answer =
            self.client.run(self.limits.clone(), async |limits| self.client.once(&txn, Repeat::Never, limits).await)?;
        if answer.succeeded {
            return Ok(Outcome::Committed(answer.revision));
        }
        let found = (0..self.reads.len()).map(|place| answer.found(place).cloned());
        let reads = self.reads.into_keys().zip(found).collect();
        Ok(Outcome::Conflict(reads, answer.revision))
    }
}
