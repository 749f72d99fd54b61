//! The calls about leases, each on its own.

use super::super::ask::Answer;
use super::super::client::{Client, Core};
use super::super::code;
use super::super::error::{Error, Result};
use super::super::event::Renewal;
use super::super::persist::DOUBT;
use super::super::proto::etcdserverpb as pb;
use super::super::response::Headed;
use super::super::transport::{Limits, Method, Repeat, Reply};
use super::{once, Moment};
use bytes::Bytes;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, Instant};

const REVOKE: Method = Method { path: "/etcdserverpb.Lease/LeaseRevoke", repeat: Repeat::Guarded };
const TIME_TO_LIVE: Method = Method { path: "/etcdserverpb.Lease/LeaseTimeToLive", repeat: Repeat::Freely };
const LEASES: Method = Method { path: "/etcdserverpb.Lease/LeaseLeases", repeat: Repeat::Freely };

/// gRPC's code for a lease that is not there.
const NOT_FOUND: i32 = 5;
/// How long a lease is cleaned up after that nobody was told of.
const CLEANING: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub struct Granted {
    pub id: i64,
    pub ttl: i64,
    /// It was not granted before.
    pub sent: Moment,
}

pub struct Info {
    pub id: i64,
    /// Seconds; -1 if there is no such lease.
    pub ttl: i64,
    pub granted_ttl: i64,
    pub keys: Vec<Bytes>,
}

/// An id that no lease has: 63 random bits. The process is mixed in, since a fork copies the state of the dice.
fn random_id(now: Moment) -> i64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mixed = (std::process::id(), now, COUNT.fetch_add(1, Ordering::Relaxed));
    ((RandomState::new().hash_one(mixed) >> 1) as i64).max(1)
}

pub fn check_ttl(ttl: i64) -> Result<()> {
    match ttl {
        1.. => Ok(()),
        _ => Err(Error::argument("ttl_s", format!("must be above 0, got {ttl}"))),
    }
}

fn check_new_id(id: i64) -> Result<()> {
    match id {
        0.. => Ok(()),
        _ => Err(Error::argument("lease_id", format!("must not be negative, got {id}"))),
    }
}

pub fn check_id(id: i64) -> Result<()> {
    match id {
        0 => Err(Error::argument("lease_id", "must not be 0")),
        _ => Ok(()),
    }
}

fn unknown(id: i64) -> Error {
    let text = format!("etcdserver: requested lease not found: {id:x}");
    Error { grpc_status: Some(NOT_FOUND), ..Error::new(code::ERR_LEASE_NOT_FOUND, text) }
}

/// No etcd does this: the id in the request is the lease's.
fn other_granted(id: i64, other: i64, endpoint: String) -> Error {
    let text = format!("{endpoint}: asked for the lease {id:x} and was granted {other:x}");
    Error { maybe_applied: true, endpoint: Some(endpoint), ..Error::new(code::ERR_PROTOCOL, text) }
}

/// An answer that says so after an attempt whose answer was lost.
fn is_gone_by_now(error: &Error) -> bool {
    error.code == code::ERR_AMBIGUOUS && error.grpc_status == Some(NOT_FOUND)
}

impl Client {
    pub fn lease_grant(self: &Arc<Self>, ttl: i64, id: i64) -> Result<Granted> {
        check_ttl(ttl)?;
        check_new_id(id)?;
        self.run(self.limits(None), async |limits| self.grant(ttl, id, limits).await)
    }

    /// Grants a lease, and if that fails sees to it that none is left that nobody knows of.
    pub async fn grant(self: &Arc<Self>, ttl: i64, chosen: i64, limits: &Limits) -> Result<Granted> {
        let id = if chosen == 0 { random_id((self.core.clock)()) } else { chosen };
        let granted = self.core.grant(ttl, id, chosen == 0, limits).await;
        if let (0, Err(error)) = (chosen, &granted) {
            let refused = error.grpc_status.is_some() && !error.is_retryable() && !error.maybe_applied;
            if !refused {
                self.clean_up(id);
            }
        }
        granted
    }

    /// Revokes a lease that nobody was told of, behind everybody's back; also one that is yet to be granted, by a request
    /// that is still on its way (§2.9).
    pub fn clean_up(&self, id: i64) {
        // A client that is closed leaves it to expire.
        let Ok(runtime) = self.runtime() else { return };
        let (core, started) = (self.core.clone(), Instant::now());
        self.spawn(&runtime, async move {
            loop {
                match core.revoke(id, &core.limits(Some(CLEANING))).await {
                    Err(error) if error.code == code::ERR_LEASE_NOT_FOUND && started.elapsed() < DOUBT => {
                        sleep(LOOK_AGAIN).await;
                    }
                    Err(error) => {
                        let text = || format!("a lease of no use, {id:x}, is left to expire: {error}");
                        return core.transport.base().log.debug(text);
                    }
                    Ok(()) => return,
                }
            }
        });
    }

    pub fn lease_revoke(&self, id: i64) -> Result<()> {
        check_id(id)?;
        self.revoke(id, None)
    }

    /// Revokes a lease and tells its owners here.
    pub(super) fn revoke(&self, id: i64, timeout: Option<Duration>) -> Result<()> {
        self.run(self.limits(timeout), async |limits| self.core.revoke(id, limits).await)?;
        self.leases()?.revoked(id);
        Ok(())
    }

    pub fn lease_keep_alive_once(&self, id: i64) -> Result<i64> {
        check_id(id)?;
        self.renew(id).map(|(renewal, _)| renewal.ttl)
    }

    pub(super) fn renew(&self, id: i64) -> Result<once::Renewed> {
        match self.run(self.limits(None), async |limits| once::renew(&self.core, id, limits).await)? {
            (Renewal { ttl: 0, .. }, _) => Err(unknown(id)),
            renewed => Ok(renewed),
        }
    }

    pub fn lease_time_to_live(&self, id: i64, keys: bool) -> Result<Headed<Info>> {
        check_id(id)?;
        self.run(self.limits(None), async |limits| self.core.time_to_live(id, keys, limits).await)
    }

    pub fn lease_list(&self) -> Result<Headed<Vec<i64>>> {
        let answer: pb::LeaseLeasesResponse = self.ask(LEASES, &pb::LeaseLeasesRequest {})?;
        Ok(answer.headed(|answer| answer.leases.iter().map(|lease| lease.id).collect()))
    }
}

impl Core {
    /// An id that is `new` can be asked for again and again: a lease that has it is this call's (§2.11).
    async fn grant(&self, ttl: i64, id: i64, new: bool, limits: &Limits) -> Result<Granted> {
        let repeat = if new { Repeat::Freely } else { Repeat::Guarded };
        let method = Method { path: "/etcdserverpb.Lease/LeaseGrant", repeat };
        let sent = (self.clock)();
        match self.reply::<pb::LeaseGrantResponse>(None, method, &pb::LeaseGrantRequest { ttl, id }, limits).await {
            Ok(Reply { message, endpoint, .. }) => match message.error.is_empty() {
                true if message.id == id => Ok(Granted { id, ttl: message.ttl, sent }),
                true => Err(other_granted(id, message.id, endpoint)),
                false => Err(Error::from_status(2, &message.error, &endpoint)),
            },
            Err(error) if new && error.code == code::ERR_LEASE_EXISTS => {
                let info = self.time_to_live(id, false, limits).await?.body;
                match info.ttl {
                    ..0 => Err(unknown(id)),
                    _ => Ok(Granted { id, ttl: info.granted_ttl, sent }),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// A lease cannot be revoked twice, so it may be tried again; if it is gone then, that was the first attempt (§2.11).
    pub async fn revoke(&self, id: i64, limits: &Limits) -> Result<()> {
        match self.ask::<pb::LeaseRevokeResponse>(None, REVOKE, &pb::LeaseRevokeRequest { id }, limits).await {
            Err(error) if is_gone_by_now(&error) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    pub async fn time_to_live(&self, id: i64, keys: bool, limits: &Limits) -> Result<Headed<Info>> {
        let request = pb::LeaseTimeToLiveRequest { id, keys };
        let answer: pb::LeaseTimeToLiveResponse = self.ask(None, TIME_TO_LIVE, &request, limits).await?;
        Ok(answer.headed(|answer| Info {
            id,
            ttl: answer.ttl,
            granted_ttl: answer.granted_ttl,
            keys: self.namespace.strip_keys(answer.keys),
        }))
    }
}
