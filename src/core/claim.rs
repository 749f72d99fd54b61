//! Keys of ours that are there, or may be: what lets go of one has it deleted, in the background where nobody waits for it, so
//! that no failed attempt stands in others' way (§8.6).

use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::line::{if_created, Place, EQUAL, GREATER};
use super::op::{Op, Target};
use super::persist::DOUBT;
use super::range::KeyRange;
use super::sync::lock;
use super::transport::Limits;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{sleep, Instant};

/// Which keys this client holds or waits with: two that share a key, since they share a session and a name, take turns
/// (§8.7).
#[derive(Default)]
pub struct Slots(Mutex<HashMap<Bytes, Arc<tokio::sync::Mutex<()>>>>);

/// The right to be the one who uses a key.
pub struct Turn {
    slots: Arc<Slots>,
    key: Bytes,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Slots {
    fn slot(self: &Arc<Self>, key: &Bytes) -> (Turn, Arc<tokio::sync::Mutex<()>>) {
        let slot = lock(&self.0).entry(key.clone()).or_default().clone();
        (Turn { slots: self.clone(), key: key.clone(), guard: None }, slot)
    }

    pub async fn take(self: &Arc<Self>, key: &Bytes) -> Turn {
        let (mut turn, slot) = self.slot(key);
        turn.guard = Some(slot.lock_owned().await);
        turn
    }

    pub fn try_take(self: &Arc<Self>, key: &Bytes) -> Option<Turn> {
        let (mut turn, slot) = self.slot(key);
        turn.guard = Some(slot.try_lock_owned().ok()?);
        Some(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.guard = None;
        let mut slots = lock(&self.slots.0);
        if slots.get(&self.key).is_some_and(|slot| Arc::strong_count(slot) == 1) {
            slots.remove(&self.key);
        }
    }
}

/// By what a key that others may have too is known as ours.
#[derive(Clone)]
pub enum Mark {
    /// Its name: it has the lease's id in it.
    Name,
    Value(Bytes),
}

pub struct Claim {
    client: Arc<Client>,
    pub key: Bytes,
    mark: Mark,
    /// The create revision, once it is known.
    created: Option<i64>,
    /// The key is there, or may be.
    asked: bool,
    /// A request may still be on its way that makes the key anew after it is deleted (§2.9).
    doubtful: bool,
    turn: Option<Turn>,
}

impl Claim {
    pub fn new(client: &Arc<Client>, key: Bytes, mark: Mark, turn: Turn) -> Self {
        Claim { client: client.clone(), key, mark, created: None, asked: false, doubtful: true, turn: Some(turn) }
    }

    /// Puts the key, see there.
    pub async fn queue_up(&mut self, value: &Bytes, lease: i64, ahead: &KeyRange, limits: &Limits) -> Result<Place> {
        let before = std::mem::replace(&mut self.asked, true);
        let place = self.client.queue_up(&self.key, value, lease, ahead, limits).await.inspect_err(|error| {
            // What was refused is not there, unless an earlier attempt made it.
            self.asked = before || error.maybe_applied;
        })?;
        self.is_at(place.created, place.doubtful);
        Ok(place)
    }

    /// The key is there, but it is not ours.
    pub fn is_anothers(&mut self, doubtful: bool) {
        self.created = None;
        self.asked = doubtful;
        self.doubtful = true;
    }

    /// The key is there, and this is its create revision.
    pub fn is_at(&mut self, created: i64, doubtful: bool) {
        self.asked = true;
        self.created = Some(created);
        self.doubtful = doubtful;
    }

    /// The key is not there any more.
    pub fn is_gone(&mut self) {
        self.asked = self.doubtful;
    }

    fn deletion(&self) -> Result<Op> {
        let mut txn = match (self.created, &self.mark) {
            (Some(created), _) => if_created(&self.key, EQUAL, created)?,
            (None, Mark::Name) => if_created(&self.key, GREATER, 0)?,
            (None, Mark::Value(value)) => {
                let mut txn = Op::txn();
                txn.compare(self.key.clone(), EQUAL, Target::Value(value.clone()))?;
                txn
            }
        };
        txn.then(Op::delete(KeyRange::new(self.key.clone())))?;
        Ok(txn)
    }

    /// Deletes the key, and no other that was made since. Whether it was there: whoever is told no has lost it before.
    pub async fn release(mut self, limits: &Limits) -> Result<bool> {
        let answer = self.client.persist(&self.deletion()?, limits).await?;
        self.is_gone();
        Ok(answer.succeeded || answer.resent)
    }

    /// Goes on with what is left to do when nobody waits for it.
    fn sweep(&mut self) {
        if !self.asked {
            return;
        }
        let Ok(runtime) = self.client.runtime() else { return };
        let rest = Claim {
            client: self.client.clone(),
            key: self.key.clone(),
            mark: self.mark.clone(),
            created: self.created,
            asked: false,
            doubtful: false,
            turn: self.turn.take(),
        };
        self.client.spawn(&runtime, sweep(rest, self.doubtful));
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.sweep();
    }
}

const PAUSE_MOST: Duration = Duration::from_secs(4);
const MOST_PASSES: usize = 100;

/// Deletes a key until it is known to be gone; where a request may be under way that makes it anew, for some time more. Between
/// two looks another may use the key: then it waits for its end.
async fn sweep(mut rest: Claim, doubtful: bool) {
    let (started, mut pause) = (Instant::now(), Duration::from_millis(250));
    for _ in 0..MOST_PASSES {
        if rest.turn.is_none() {
            let core = &rest.client.core;
            rest.turn = Some(core.slots.take(&core.namespace.key(&rest.key)).await);
        }
        let Ok(deletion) = rest.deletion() else { return };
        let limits = rest.client.core.limits(None);
        match rest.client.persist(&deletion, &limits).await {
            Ok(_) if !doubtful || started.elapsed() >= DOUBT => return,
            // Whatever comes now is not what was known.
            Ok(_) => rest.created = None,
            Err(error) if is_final(&error) => return,
            Err(_) => {}
        }
        rest.turn = None;
        sleep(pause).await;
        pause = PAUSE_MOST.min(pause * 2);
    }
}

fn is_final(error: &Error) -> bool {
    matches!(error.code, code::ERR_CLOSED | code::ERR_PERMISSION_DENIED | code::ERR_INTERNAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_one_after_another_and_leave_nothing() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let slots = Arc::<Slots>::default();
            let (a, b) = (Bytes::from_static(b"a"), Bytes::from_static(b"b"));
            let first = slots.take(&a).await;
            assert!(slots.try_take(&a).is_none());
            assert!(slots.try_take(&b).is_some());
            let waits = async { drop(slots.take(&a).await) };
            tokio::pin!(waits);
            let early = tokio::time::timeout(Duration::from_millis(1), &mut waits).await;
            assert!(early.is_err());
            drop(first);
            waits.await;
            // One who gives up while waiting is forgotten too.
            let held = slots.take(&a).await;
            let given_up = tokio::time::timeout(Duration::from_millis(1), slots.take(&a)).await;
            assert!(given_up.is_err());
            drop(held);
            assert!(lock(&slots.0).is_empty());
        });
    }
}
