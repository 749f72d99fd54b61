//! Leases: calls about them, and the handle of one that is kept alive. All of a client's leases share one stream.

mod calls;
mod hold;
mod keeper;
mod link;
mod once;
mod task;

use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::event::LostReason;
use super::queue::Queue;
use super::source::{Handler, Source};
use super::transport::{Method, Repeat};
pub use calls::Info;
use hold::{safe_until, Hold};
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;
pub use task::Leases;

/// A time since boot.
pub type Moment = Duration;

const KEEP_ALIVE: Method = Method { path: "/etcdserverpb.Lease/LeaseKeepAlive", repeat: Repeat::Freely };

/// Who is told of events, and on which queue; without one on the client's own.
pub type Listener = (Option<Arc<Queue>>, Arc<dyn Handler>);

/// A lease that this client keeps alive until the last reference is gone.
pub struct Lease {
    client: Arc<Client>,
    hold: Arc<Hold>,
}

fn seconds(ttl: i64) -> Duration {
    Duration::from_secs(u64::try_from(ttl).unwrap_or(0))
}

impl Client {
    /// Grants a lease and keeps it alive.
    pub fn lease_open(self: &Arc<Self>, ttl: i64, id: i64, listener: Option<Listener>) -> Result<Arc<Lease>> {
        let granted = self.lease_grant(ttl, id)?;
        let opened = self.keep(granted.id, granted.ttl, granted.sent, listener);
        if opened.is_err() {
            // It is this call's, also with an id of the caller's.
            self.clean_up(granted.id);
        }
        opened
    }

    /// Keeps a lease alive that is there already.
    pub fn lease_adopt(self: &Arc<Self>, id: i64, listener: Option<Listener>) -> Result<Arc<Lease>> {
        calls::check_id(id)?;
        let (renewal, sent) = self.renew(id)?;
        self.keep(id, renewal.ttl, sent, listener)
    }

    fn keep(self: &Arc<Self>, id: i64, ttl: i64, sent: Moment, listener: Option<Listener>) -> Result<Arc<Lease>> {
        let now = || (self.core.clock)();
        let (mut ttl, mut sent) = (ttl, sent);
        // What took long to come may have ended meanwhile.
        if now() >= sent + seconds(ttl) / 2 {
            let renewed = self.renew(id)?;
            (ttl, sent) = (renewed.0.ttl, renewed.1);
        }
        let ttl = seconds(ttl);
        let leases = self.leases()?.clone();
        let source = match listener {
            None => None,
            Some((queue, handler)) => {
                let queue = queue.map_or_else(|| self.own_queue(), Ok)?;
                Some(Source::of_holding(queue, handler)?)
            }
        };
        let hold = Hold::new(id, ttl, safe_until(sent, ttl), source.clone());
        if let Some(source) = source {
            let (ended, of) = (leases.clone(), Arc::downgrade(&hold));
            self.adopt(&source, move || {
                if let Some(hold) = of.upgrade() {
                    hold.mark(LostReason::Closed);
                    ended.release(hold);
                }
            })?;
        }
        leases.add(hold.clone(), sent);
        self.counters().leases.add(1);
        Ok(Arc::new(Lease { client: self.clone(), hold }))
    }
}

impl Lease {
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub fn id(&self) -> i64 {
        self.hold.id
    }

    /// What was granted, in seconds.
    pub fn ttl(&self) -> i64 {
        self.hold.ttl().as_secs() as i64
    }

    /// How long the server keeps it at least, as far as this side knows.
    pub fn remaining(&self) -> Duration {
        if self.client.core.closing.is_cancelled() {
            return Duration::ZERO;
        }
        let left = self.hold.remaining((self.client.core.clock)());
        if left.is_zero() {
            // What is over when somebody looks is lost from then on.
            self.lose(LostReason::Expired);
        }
        left
    }

    fn lose(&self, reason: LostReason) {
        self.hold.lose(reason, None, &self.client.counters().leases_lost);
    }

    pub fn is_alive(&self) -> bool {
        !self.remaining().is_zero()
    }

    pub fn lost_reason(&self) -> Option<LostReason> {
        match self.is_alive() {
            true => None,
            false => Some(self.hold.lost().unwrap_or(LostReason::Closed)),
        }
    }

    /// Waits until it is lost or let go.
    pub async fn lost(&self) -> LostReason {
        tokio::select! {
            _ = self.hold.gone.cancelled() => {}
            _ = self.client.core.closing.cancelled() => {}
        }
        self.hold.lost().unwrap_or(LostReason::Closed)
    }

    /// What a call on a lost lease is told.
    pub fn check(&self) -> Result<()> {
        match self.lost_reason() {
            None => Ok(()),
            Some(LostReason::Closed) if self.client.core.closing.is_cancelled() => Err(Error::closed()),
            Some(reason) => Err(error(self.id(), reason)),
        }
    }

    /// Has its owner told of each renewal, or no more.
    pub fn tell_renewals(&self, on: bool) -> Result<()> {
        self.check()?;
        match self.hold.tell_renewals(on) {
            true => Ok(()),
            false => {
                Err(Error::argument("lease", "was opened without a queue or function, so there is nobody to be told"))
            }
        }
    }

    /// Renews it now, and says what it has got, in seconds.
    pub fn refresh(&self) -> Result<i64> {
        self.check()?;
        let leases = self.client.leases()?;
        match self.client.renew(self.id()) {
            Ok((renewal, sent)) => {
                let ttl = renewal.ttl;
                let (now, granted) = ((self.client.core.clock)(), seconds(ttl));
                self.hold.extend(granted, safe_until(sent, granted), now, &self.client.counters().leases_lost);
                leases.renewed(self.id(), (renewal, sent));
                self.check().map(|()| ttl)
            }
            Err(error) => {
                if error.code == code::ERR_LEASE_NOT_FOUND {
                    self.lose(LostReason::Gone);
                }
                Err(error)
            }
        }
    }

    /// Revokes it, and with it deletes all its keys.
    pub fn revoke(&self, timeout: Option<Duration>) -> Result<()> {
        self.hold.revoking.store(true, Ordering::Release);
        let revoked = self.client.revoke(self.id(), timeout);
        match &revoked {
            Ok(()) => self.lose(LostReason::Revoked),
            Err(error) if error.code == code::ERR_LEASE_NOT_FOUND => {
                self.hold.revoking.store(false, Ordering::Release);
                self.lose(LostReason::Gone);
            }
            // It may have been: what the server says to the next renewal is then no surprise.
            Err(error) => self.hold.revoking.store(error.maybe_applied, Ordering::Release),
        }
        revoked
    }

    /// The same, but to its owner it is lost.
    pub fn give_up(&self, reason: LostReason) {
        self.lose(reason);
        self.release();
    }

    /// Keeps it alive no longer; it is left to expire.
    pub fn release(&self) {
        self.hold.release();
        if let Ok(leases) = self.client.leases() {
            leases.release(self.hold.clone());
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.release();
    }
}

/// The error of whoever relies on a lease that is lost.
pub fn error(id: i64, reason: LostReason) -> Error {
    let otherwise = || {
        let why = if reason == LostReason::Revoked { "it was revoked" } else { "it was let go" };
        Error::new(code::ERR_LEASE_LOST, format!("the lease {id:x} is lost: {why}"))
    };
    match reason {
        LostReason::Revoked | LostReason::Closed => otherwise(),
        _ => hold::why(id, reason).unwrap_or_else(otherwise),
    }
}
