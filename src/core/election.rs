//! Elections: the first in line leads, and its key has what it proclaims (§8.10).

use super::claim::{Claim, Mark};
use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::line::{first_created, hex, if_created, EQUAL};
use super::lock::check_name;
use super::op::{Op, Target};
use super::proto::etcdserverpb::ResponseHeader;
use super::proto::mvccpb::KeyValue;
use super::queue::Queue;
use super::range::KeyRange;
use super::response::Response;
use super::seat::{Patience, Seat};
use super::session::Session;
use super::source::Handler;
use super::tenure::Tenure;
use super::transport::Limits;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub struct Election {
    seat: Seat,
    pub key: Bytes,
    line: KeyRange,
    /// One word at a time; the revision of the last.
    spoken: tokio::sync::Mutex<i64>,
}

/// Every candidate's key.
pub fn line(name: &[u8]) -> KeyRange {
    KeyRange::prefix([name, b"/"].concat().into())
}

fn not_elected() -> Error {
    Error::new(code::ERR_NOT_ELECTED, "election: it was not won through this handle, or leadership has ended")
}

impl Election {
    pub fn new(session: &Arc<Session>, name: &[u8]) -> Result<Arc<Self>> {
        check_name(name)?;
        let seat = Seat::new(session.clone());
        let key = [name, b"/", hex(seat.lease()).as_bytes()].concat().into();
        Ok(Arc::new(Election { seat, key, line: line(name), spoken: tokio::sync::Mutex::new(0) }))
    }

    /// One that was won before, by this process or a former one.
    pub fn resume(session: &Arc<Session>, name: &[u8], key: Bytes, created: i64) -> Result<Arc<Self>> {
        let mut election = Self::new(session, name)?;
        if !key.starts_with(&election.line.key) {
            return Err(Error::argument("key", "must be one of this election's"));
        }
        if created <= 0 {
            return Err(Error::argument("revision", format!("must be above 0, got {created}")));
        }
        if let Some(election) = Arc::get_mut(&mut election) {
            election.key = key;
        }
        let client = election.seat.client();
        client.run(client.limits(None), async |limits| {
            let mut txn = if_created(&election.key, EQUAL, created)?;
            txn.then(first_created(&election.line)?)?;
            let answer = client.persist(&txn, limits).await?;
            let leads = answer.found(0).is_some_and(|head| head.create_revision == created);
            if !leads {
                return Err(Error::new(code::ERR_NOT_ELECTED, "election: the key with this revision does not lead"));
            }
            let turn = limits.bound(election.seat.turn(&election.key, Patience::Wait)).await?;
            let mut claim = Claim::new(client, election.key.clone(), Mark::Name, turn);
            claim.is_at(created, false);
            *election.spoken.lock().await = answer.found(0).map_or(0, |head| head.mod_revision);
            election.seat.hold(claim, created, None).map(drop)
        })?;
        Ok(election)
    }

    async fn reach(&self, value: &Bytes, limits: &Limits) -> Result<Arc<Tenure>> {
        if let Some(tenure) = self.seat.tenure().filter(|tenure| tenure.check().is_ok()) {
            self.say(&tenure, value, limits).await?;
            return Ok(tenure);
        }
        let tenure = self.seat.reach(&self.key, value, &self.line, Patience::Wait, limits).await?;
        *self.spoken.lock().await = tenure.created;
        if tenure.before.as_ref().is_some_and(|found| found.value != *value) {
            // The key was there from before, with another word.
            if let Err(error) = self.say(&tenure, value, limits).await {
                tenure.abandon();
                return Err(error);
            }
        }
        Ok(tenure)
    }

    pub fn campaign(&self, value: Bytes, timeout: Option<Duration>) -> Result<()> {
        let limits = self.seat.limits(timeout);
        self.seat.client().run(limits, async |limits| self.reach(&value, limits).await.map(drop))
    }

    pub fn campaign_async(
        self: &Arc<Self>,
        value: Bytes,
        timeout: Option<Duration>,
        queue: Option<Arc<Queue>>,
        handler: Arc<dyn Handler>,
    ) -> Result<CancellationToken> {
        let this = self.clone();
        self.seat.start(queue, handler, timeout, |limits| async move { this.reach(&value, &limits).await })
    }

    /// Puts another value to the leader's key. Each builds on the one before, so that one that comes late changes nothing.
    async fn say(&self, tenure: &Tenure, value: &Bytes, limits: &Limits) -> Result<()> {
        let mut spoken = limits.bound(async { Ok(self.spoken.lock().await) }).await?;
        let client = self.seat.client();
        let mut resent = false;
        loop {
            let mut txn = if_created(&tenure.key, EQUAL, tenure.created)?;
            txn.compare(tenure.key.clone(), EQUAL, Target::ModRevision(*spoken))?;
            let mut put = Op::put(tenure.key.clone(), value.clone());
            put.set_lease(self.seat.lease())?;
            txn.then(put)?;
            txn.or_else(Op::get(KeyRange::new(tenure.key.clone())))?;
            let answer = client.persist(&txn, limits).await?;
            if answer.succeeded {
                *spoken = answer.revision;
                return Ok(());
            }
            resent |= answer.resent;
            match answer.found(0) {
                Some(now) if now.create_revision == tenure.created => {
                    *spoken = now.mod_revision;
                    if resent && now.value == *value {
                        return Ok(());
                    }
                }
                _ => {
                    return Err(Error { code: code::ERR_NOT_ELECTED, ..tenure.found_lost() });
                }
            }
        }
    }

    pub fn proclaim(&self, value: Bytes) -> Result<()> {
        let tenure = self.leading()?;
        let client = self.seat.client();
        client.run(client.limits(None), async |limits| self.say(&tenure, &value, limits).await)
    }

    /// What is led, and is not known to be lost.
    pub fn leading(&self) -> Result<Arc<Tenure>> {
        let tenure = self.seat.tenure().ok_or_else(not_elected)?;
        tenure.check().map_err(|error| Error { code: code::ERR_NOT_ELECTED, ..error })?;
        Ok(tenure)
    }

    /// Whoever does not lead has nothing to give up.
    pub fn resign(&self) -> Result<()> {
        let Some(tenure) = self.seat.take() else { return Ok(()) };
        let client = self.seat.client();
        match client.run(client.limits(None), async |limits| tenure.release(limits).await) {
            Err(error) if matches!(error.code, code::ERR_LOCK_LOST | code::ERR_NOT_HELD) => Ok(()),
            done => done,
        }
    }

    pub fn watch_loss(&self, queue: Option<Arc<Queue>>, handler: Arc<dyn Handler>) -> Result<()> {
        let tenure = self.seat.tenure().ok_or_else(not_elected)?;
        self.seat.watch_loss(&tenure, queue, handler)
    }

    pub fn free(&self) {
        self.seat.free();
    }
}

impl Client {
    /// Who leads an election, as a get of the key.
    pub fn leader(&self, name: &[u8]) -> Result<Response> {
        check_name(name)?;
        let get = first_created(&line(name))?;
        let response = self.execute(&get)?;
        match &response {
            Response::Get(get) if get.kvs.is_empty() => {
                Err(Error::new(code::ERR_NO_ELECTED_LEADER, "nobody leads this election"))
            }
            _ => Ok(response),
        }
    }

    /// The same, for as long as need be, with the revision it is true of.
    pub(super) async fn find_leader(&self, name: &[u8], limits: &Limits) -> Result<(Option<KeyValue>, ResponseHeader)> {
        let answer = self.persist(&first_created(&line(name))?, limits).await?;
        let header = answer.responses.first().map(Response::header);
        Ok((answer.found(0).cloned(), header.unwrap_or_default()))
    }
}
