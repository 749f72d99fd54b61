//! Locks of a session: one holder at a time, in the order in which they came (§8.2–8.9); locks for readers and writers; and
//! python-etcd3's (§8.14).

use super::claim::{Claim, Mark};
use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::line::hex;
use super::op::Op;
use super::queue::Queue;
use super::range::KeyRange;
use super::seat::{taken, Patience, Seat};
use super::session::Session;
use super::source::Handler;
use super::tenure::Tenure;
use super::transport::{Limits, Repeat};
use bytes::Bytes;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `<name>/<lease>`, as clientv3, etcdctl and the server's lock service have it.
    Exclusive,
    /// `<name>/read/…` and `<name>/write/…`, as clientv3's recipes have it: readers wait for older writers, writers for all
    /// that is older.
    Read,
    Write,
    /// The one key `/locks/<name>`: whoever is fastest has it next.
    Python,
}

pub struct Lock {
    seat: Seat,
    pub key: Bytes,
    ahead: KeyRange,
    kind: Kind,
    /// The session was made for this lock and ends with it.
    owns_session: bool,
}

fn not_held() -> Error {
    Error::new(code::ERR_NOT_HELD, "lock: it is not held through this handle")
}

/// A number nobody else has.
fn unique() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn path(name: &[u8], rest: impl AsRef<[u8]>) -> Bytes {
    [name, rest.as_ref()].concat().into()
}

/// An empty name would have every key of the store in line.
pub fn check_name(name: &[u8]) -> Result<()> {
    match name.is_empty() {
        true => Err(Error::argument("name", "must not be empty")),
        false => Ok(()),
    }
}

impl Lock {
    pub fn new(session: &Arc<Session>, name: &[u8], kind: Kind) -> Result<Arc<Self>> {
        check_name(name)?;
        Ok(Arc::new(Self::of(session.clone(), name, kind, false)))
    }

    /// One with a session of its own.
    pub fn open(client: &Arc<Client>, name: &[u8], ttl: i64) -> Result<Arc<Self>> {
        check_name(name)?;
        Ok(Arc::new(Self::of(client.session_open(ttl, 0, None)?, name, Kind::Exclusive, true)))
    }

    fn of(session: Arc<Session>, name: &[u8], kind: Kind, owns_session: bool) -> Self {
        let seat = Seat::new(session);
        let lease = hex(seat.lease());
        // One session may read several times over, each time by a handle with a key of its own.
        let (key, ahead) = match kind {
            Kind::Python => (path(b"/locks/", name), path(b"/locks/", name)),
            Kind::Exclusive => (path(name, format!("/{lease}")), path(name, "/")),
            Kind::Read => (path(name, format!("/read/{lease}-{:016x}", unique())), path(name, "/write")),
            Kind::Write => (path(name, format!("/write/{lease}-{:016x}", unique())), path(name, "/")),
        };
        Lock { seat, key, ahead: KeyRange::prefix(ahead), kind, owns_session }
    }

    async fn reach(&self, patience: Patience, limits: &Limits) -> Result<Arc<Tenure>> {
        match self.kind {
            Kind::Python => self.reach_as_python(patience, limits).await,
            _ => self.seat.reach(&self.key, &Bytes::new(), &self.ahead, patience, limits).await,
        }
    }

    /// Whoever finds no key makes it. No line, no turns: as unfair as what it is compatible with.
    async fn reach_as_python(&self, patience: Patience, limits: &Limits) -> Result<Arc<Tenure>> {
        let (client, key) = (self.seat.client(), &self.key);
        let only = KeyRange::new(key.clone());
        self.seat
            .while_alive(limits, async {
                let turn = self.seat.turn(key, patience).await?;
                let value: Bytes = [unique().to_be_bytes(), unique().to_be_bytes()].concat().into();
                let mut claim = Claim::new(client, key.clone(), Mark::Value(value.clone()), turn);
                loop {
                    let place = claim.queue_up(&value, self.seat.lease(), &only, limits).await?;
                    match place.before {
                        Some(other) if other.value != value => {
                            claim.is_anothers(place.doubtful);
                            if patience == Patience::Try {
                                return Err(taken());
                            }
                            let (created, next) = (other.create_revision, other.mod_revision + 1);
                            client.until_gone(key, created, next, limits).await?;
                        }
                        _ => {
                            return self.seat.hold(claim, place.created, None);
                        }
                    }
                }
            })
            .await
    }

    pub fn acquire(&self, timeout: Option<Duration>) -> Result<()> {
        let limits = self.seat.limits(timeout);
        self.seat.client().run(limits, async |limits| self.reach(Patience::Wait, limits).await.map(drop))
    }

    pub fn try_acquire(&self) -> Result<()> {
        let limits = self.seat.limits(Some(self.seat.client().core.timeout));
        self.seat.client().run(limits, async |limits| self.reach(Patience::Try, limits).await.map(drop))
    }

    pub fn acquire_async(
        self: &Arc<Self>,
        timeout: Option<Duration>,
        queue: Option<Arc<Queue>>,
        handler: Arc<dyn Handler>,
    ) -> Result<CancellationToken> {
        let this = self.clone();
        self.seat.start(queue, handler, timeout, |limits| async move { this.reach(Patience::Wait, &limits).await })
    }

    pub fn release(&self) -> Result<()> {
        let tenure = self.seat.take().ok_or_else(not_held)?;
        let client = self.seat.client();
        client.run(client.limits(None), async |limits| tenure.release(limits).await)
    }

    /// What is held, and is not known to be lost.
    pub fn held(&self) -> Result<Arc<Tenure>> {
        let tenure = self.seat.tenure().ok_or_else(not_held)?;
        tenure.check()?;
        Ok(tenure)
    }

    pub fn watch_loss(&self, queue: Option<Arc<Queue>>, handler: Arc<dyn Handler>) -> Result<()> {
        let tenure = self.seat.tenure().ok_or_else(not_held)?;
        self.seat.watch_loss(&tenure, queue, handler)
    }

    /// Renews the session's lease now; the seconds it has then.
    pub fn refresh(&self) -> Result<i64> {
        self.held()?;
        self.seat.session.lease().refresh()
    }

    /// Puts if the lock is held, which the server checks with the put (§8.8).
    pub fn put(&self, key: Bytes, value: Bytes) -> Result<()> {
        let mut txn = Op::txn();
        let put = Op::put(key, value);
        // A wrong argument is named as such, held or not.
        put.request()?;
        txn.then(put)?;
        let tenure = self.held()?;
        tenure.guard(&mut txn)?;
        let client = self.seat.client();
        let done = client.run(client.limits(None), async |limits| client.once(&txn, Repeat::Never, limits).await)?;
        match done.succeeded {
            true => Ok(()),
            false => Err(tenure.found_lost()),
        }
    }

    /// The handle is freed.
    pub fn free(&self) {
        self.seat.free();
        if self.owns_session {
            self.seat.session.orphan();
            self.seat.client().clean_up(self.seat.lease());
        }
    }
}
