//! Lines: keys under one prefix, in the order of their creation. Whose key is the first stands at the front. It is by this
//! layout that locks and elections of other clients and of the server agree on who is next (§8.2, §8.3).

use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::event::Body;
use super::mutant;
use super::op::{Op, Target};
use super::proto::mvccpb::event::EventType;
use super::proto::mvccpb::KeyValue;
use super::range::KeyRange;
use super::transport::Limits;
use bytes::Bytes;

/// As on the wire.
pub const EQUAL: i32 = 0;
pub const GREATER: i32 = 1;
pub const LESS: i32 = 2;
pub const BY_CREATION: i32 = 2;
pub const ASCENDING: i32 = 1;
pub const DESCENDING: i32 = 2;

/// A lease id as it stands in keys: hexadecimal, of either sign (§7.2).
pub fn hex(lease: i64) -> String {
    let sign = if lease < 0 { "-" } else { "" };
    format!("{sign}{:x}", lease.unsigned_abs())
}

/// The transaction that does something if a key has this create revision.
pub fn if_created(key: &Bytes, cmp: i32, revision: i64) -> Result<Op> {
    let mut txn = Op::txn();
    txn.compare(key.clone(), cmp, Target::CreateRevision(revision))?;
    Ok(txn)
}

/// A get of the key of a range that was created first.
pub fn first_created(range: &KeyRange) -> Result<Op> {
    let mut get = Op::get(range.clone());
    get.set_sort(BY_CREATION, ASCENDING)?;
    get.set_limit(1)?;
    Ok(get)
}

/// A place in a line, as a key that is there.
pub struct Place {
    pub created: i64,
    /// Nobody is ahead.
    pub first: bool,
    /// What the key had before, if it was there already.
    pub before: Option<KeyValue>,
    /// The place may have been asked for more than once, and a request may still be on its way.
    pub doubtful: bool,
}

impl Client {
    /// Puts the key, if it is not there yet, and tells whether it stands first: nothing in `ahead` is older.
    pub(super) async fn queue_up(
        &self,
        key: &Bytes,
        value: &Bytes,
        lease: i64,
        ahead: &KeyRange,
        limits: &Limits,
    ) -> Result<Place> {
        let mut put = Op::put(key.clone(), value.clone());
        put.set_lease(lease)?;
        let mut txn = if_created(key, EQUAL, 0)?;
        txn.then(put)?;
        txn.then(first_created(ahead)?)?;
        txn.or_else(Op::get(KeyRange::new(key.clone())))?;
        txn.or_else(first_created(ahead)?)?;
        let answer = self.persist(&txn, limits).await.map_err(lease_is_gone)?;
        let before = if answer.succeeded { None } else { answer.found(0).cloned() };
        let created = before.as_ref().map_or(answer.revision, |own| own.create_revision);
        let first = answer.found(1).is_none_or(|head| head.create_revision >= created);
        Ok(Place { created, first, before, doubtful: answer.resent })
    }

    /// Waits until nothing in `ahead` is older than the own key, watching its neighbour alone: no crowd wakes up at a
    /// release. The own key is watched too, so that whoever has lost it does not wait for nothing (§8.5).
    pub(super) async fn wait_in_line(
        &self,
        key: &Bytes,
        created: i64,
        ahead: &KeyRange,
        limits: &Limits,
    ) -> Result<()> {
        let trust = mutant::is("skip-own-key-check");
        let own = async {
            match trust {
                true => std::future::pending().await,
                false => self.until_gone(key, created, created + 1, limits).await,
            }
        };
        tokio::select! {
            gone = own => {
                gone?;
                return Err(own_key_is_gone(key));
            }
            done = self.until_first(created, ahead, limits) => done?,
        }
        // Between the last look ahead and now the key may have gone with its lease (§8.4).
        if !trust && !self.is_there(key, created, limits).await? {
            return Err(own_key_is_gone(key));
        }
        Ok(())
    }

    async fn until_first(&self, created: i64, ahead: &KeyRange, limits: &Limits) -> Result<()> {
        let mut before = Op::get(ahead.clone());
        before.set_max_create_revision(created - 1)?;
        before.set_sort(BY_CREATION, DESCENDING)?;
        before.set_limit(1)?;
        before.set_keys_only()?;
        loop {
            let answer = self.persist(&before, limits).await?;
            let Some(neighbour) = answer.found(0) else { return Ok(()) };
            self.until_gone(&neighbour.key, neighbour.create_revision, answer.revision + 1, limits).await?;
        }
    }

    /// Waits until the key with this create revision, which was there before the revision `next`, is deleted.
    pub(super) async fn until_gone(&self, key: &Bytes, created: i64, mut next: i64, limits: &Limits) -> Result<()> {
        let range = KeyRange::new(key.clone());
        loop {
            let mut feed = self.listen(&range, next)?;
            let error = loop {
                match feed.heard().await {
                    Ok(Body::Watch { changes, .. }) if changes.iter().any(|c| c.r#type() == EventType::Delete) => {
                        return Ok(())
                    }
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            if error.code != code::ERR_COMPACTED {
                return Err(error);
            }
            // What happened meanwhile cannot be told any more, but what is there now can (§8.5).
            let answer = self.persist(&Op::get(range.clone()), limits).await?;
            if answer.found(0).is_none_or(|kv| kv.create_revision != created) {
                return Ok(());
            }
            next = answer.revision + 1;
        }
    }

    /// Waits until a key of the range is put at the revision `next` or later.
    pub(super) async fn until_put(&self, range: &KeyRange, next: i64, limits: &Limits) -> Result<()> {
        let mut feed = self.listen(range, next)?;
        loop {
            match feed.heard().await {
                Ok(Body::Watch { changes, .. }) if changes.iter().any(|c| c.r#type() == EventType::Put) => {
                    return Ok(())
                }
                Ok(_) => {}
                Err(error) if error.code == code::ERR_COMPACTED => break,
                Err(error) => return Err(error),
            }
        }
        // What is there now was put since, or it is waited for from now on.
        let mut get = Op::get(range.clone());
        get.set_min_mod_revision(next)?;
        get.set_limit(1)?;
        let answer = self.persist(&get, limits).await?;
        match answer.found(0) {
            Some(_) => Ok(()),
            None => Box::pin(self.until_put(range, answer.revision + 1, limits)).await,
        }
    }

    pub(super) async fn is_there(&self, key: &Bytes, created: i64, limits: &Limits) -> Result<bool> {
        let answer = self.persist(&Op::get(KeyRange::new(key.clone())), limits).await?;
        Ok(answer.found(0).is_some_and(|kv| kv.create_revision == created))
    }
}

pub fn own_key_is_gone(key: &Bytes) -> Error {
    let key = String::from_utf8_lossy(key);
    Error::new(code::ERR_LEASE_LOST, format!("the key {key} is gone: its lease has ended, or somebody has deleted it"))
}

/// A put to a lease that is not there says that the session is lost.
fn lease_is_gone(error: Error) -> Error {
    match error.code {
        code::ERR_LEASE_NOT_FOUND => Error { code: code::ERR_LEASE_LOST, ..error },
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lease_ids_in_keys_are_those_of_other_clients() {
        assert_eq!(hex(0x43f3a201d26c1205), "43f3a201d26c1205");
        assert_eq!(hex(10), "a");
        assert_eq!(hex(-5), "-5");
        assert_eq!(hex(i64::MIN), "-8000000000000000");
    }
}
