//! Barriers: one that somebody holds up and takes away, and one that a number of members go through together. The keys are
//! those of clientv3's recipes.

use super::claim::{Claim, Mark};
use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::line::{hex, if_created, own_key_is_gone, ASCENDING, BY_CREATION, EQUAL};
use super::lock::check_name;
use super::op::Op;
use super::persist::undone;
use super::proto::mvccpb::KeyValue;
use super::range::KeyRange;
use super::response::Response;
use super::seat::{Patience, Seat};
use super::session::Session;
use super::sync::lock;
use super::transport::Limits;
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use std::time::Duration;

impl Client {
    /// Puts a barrier up; an error if there is one.
    pub fn barrier_hold(&self, name: Bytes) -> Result<()> {
        check_name(&name)?;
        match self.put_if_absent(name, Bytes::new())? {
            true => Ok(()),
            false => Err(Error::new(code::ERR_LOCKED, "somebody holds the barrier up")),
        }
    }

    /// Takes it away, if there is one.
    pub fn barrier_release(&self, name: Bytes) -> Result<()> {
        check_name(&name)?;
        self.delete(KeyRange::new(name)).map(drop)
    }

    /// Waits until there is no barrier.
    pub fn barrier_wait(&self, name: Bytes, timeout: Option<Duration>) -> Result<()> {
        check_name(&name)?;
        let get = Op::get(KeyRange::new(name));
        self.run(self.limits_or_none(timeout), async |limits| {
            limits
                .bound(async {
                    let answer = self.persist(&get, limits).await?;
                    match answer.found(0) {
                        None => Ok(()),
                        Some(kv) => self.until_gone(&kv.key, kv.create_revision, answer.revision + 1, limits).await,
                    }
                })
                .await
        })
    }
}

/// A member of a double barrier.
pub struct DoubleBarrier {
    seat: Seat,
    name: Bytes,
    count: usize,
    inside: Mutex<Option<Claim>>,
}

impl DoubleBarrier {
    pub fn new(session: &Arc<Session>, name: Bytes, count: i64) -> Result<Arc<Self>> {
        check_name(&name)?;
        let count = usize::try_from(count).ok().filter(|count| *count > 0);
        let count = count.ok_or_else(|| Error::argument("count", "must be above 0"))?;
        Ok(Arc::new(DoubleBarrier { seat: Seat::new(session.clone()), name, count, inside: Mutex::new(None) }))
    }

    fn path(&self, rest: &str) -> Bytes {
        [&self.name[..], rest.as_bytes()].concat().into()
    }

    /// Waits until `count` members have come.
    pub fn enter(&self, timeout: Option<Duration>) -> Result<()> {
        if lock(&self.inside).is_some() {
            return Err(Error::argument("barrier", "it was entered already and has to be left first"));
        }
        let client = self.seat.client();
        let claim = client.run(self.seat.limits(timeout), async |limits| {
            self.seat.while_alive(limits, self.come_in(client, limits)).await
        })?;
        *lock(&self.inside) = Some(claim);
        Ok(())
    }

    async fn come_in(&self, client: &Arc<Client>, limits: &Limits) -> Result<Claim> {
        let (key, ready) = (self.path(&format!("/waiters/{}", hex(self.seat.lease()))), self.path("/ready"));
        let turn = self.seat.turn(&key, Patience::Wait).await?;
        let mut claim = Claim::new(client, key.clone(), Mark::Name, turn);
        let place = claim.queue_up(&Bytes::new(), self.seat.lease(), &KeyRange::new(key.clone()), limits).await?;
        let members = self.members(client, limits).await?.0;
        let mut open = if_created(&key, EQUAL, place.created)?;
        open.then(Op::put(ready.clone(), Bytes::new()))?;
        let ready = KeyRange::new(ready);
        match members.iter().position(|member| member.key == key) {
            // The last one opens it for all; and no later than it is inside, since members of the next time must wait.
            Some(before) if before + 1 == self.count => {
                if !client.persist(&open, limits).await?.succeeded {
                    return Err(own_key_is_gone(&key));
                }
            }
            Some(before) if before < self.count => tokio::select! {
                gone = client.until_gone(&key, place.created, place.created + 1, limits) => {
                    gone?;
                    return Err(own_key_is_gone(&key));
                }
                opened = client.until_put(&ready, place.created + 1, limits) => opened?,
            },
            _ => {
                claim.release(limits).await?;
                let why = format!("barrier: {} members are in it already", self.count);
                return Err(Error::new(code::ERR_CONFLICT, why));
            }
        }
        Ok(claim)
    }

    /// Waits until all members have gone. Whatever ends it, this one has.
    pub fn leave(&self, timeout: Option<Duration>) -> Result<()> {
        let mut claim = lock(&self.inside).take();
        if claim.is_none() {
            return Err(Error::new(code::ERR_NOT_HELD, "barrier: it was not entered through this handle"));
        }
        let client = self.seat.client();
        client.run(self.seat.limits(timeout), async |limits| {
            limits.bound(self.go_out(client, &mut claim, limits)).await.map_err(undone)
        })
    }

    /// The oldest stays until the others have gone: it is whom they wait for, and it closes the barrier.
    async fn go_out(&self, client: &Client, claim: &mut Option<Claim>, limits: &Limits) -> Result<()> {
        loop {
            let (members, revision) = self.members(client, limits).await?;
            let Some(oldest) = members.first() else { return Ok(()) };
            let wait_for = match claim.take_if(|own| own.key != oldest.key) {
                Some(own) => {
                    own.release(limits).await?;
                    oldest
                }
                None if claim.is_none() => oldest,
                None if members.len() > 1 => &members[members.len() - 1],
                None => {
                    let mut close = if_created(&oldest.key, EQUAL, oldest.create_revision)?;
                    close.then(Op::delete(KeyRange::new(self.path("/ready"))))?;
                    close.then(Op::delete(KeyRange::new(oldest.key.clone())))?;
                    client.persist(&close, limits).await?;
                    *claim = None;
                    return Ok(());
                }
            };
            client.until_gone(&wait_for.key, wait_for.create_revision, revision + 1, limits).await?;
        }
    }

    /// The handle is freed.
    pub fn free(&self) {
        self.seat.free();
        lock(&self.inside).take();
    }

    /// All members in the order in which they came, and the revision that is true of.
    async fn members(&self, client: &Client, limits: &Limits) -> Result<(Vec<KeyValue>, i64)> {
        let mut get = Op::get(KeyRange::prefix(self.path("/waiters/")));
        get.set_sort(BY_CREATION, ASCENDING)?;
        let answer = client.persist(&get, limits).await?;
        match answer.responses.into_iter().next() {
            Some(Response::Get(get)) => Ok((get.kvs, answer.revision)),
            _ => Err(Error::internal("a get was answered as something else")),
        }
    }
}
