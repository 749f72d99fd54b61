//! A session: a lease that lives as long as its owner (§8.1). Locks and elections hang on one.

use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::event::LostReason;
use super::lease::{Lease, Listener};
use std::sync::Arc;
use std::time::Duration;

/// In seconds, as in etcd's own.
const TTL: i64 = 60;

pub struct Session {
    lease: Arc<Lease>,
}

impl Client {
    /// With a lease of its own, or the one given, which is then kept alive.
    pub fn session_open(self: &Arc<Self>, ttl: i64, lease: i64, listener: Option<Listener>) -> Result<Arc<Session>> {
        let lease = match (ttl, lease) {
            (0, 0) => self.lease_open(TTL, 0, listener)?,
            (ttl, 0) => self.lease_open(ttl, 0, listener)?,
            (0, id) => self.lease_adopt(id, listener)?,
            _ => return Err(Error::argument("ttl_s", "must be 0 with a lease_id, whose lease has its own")),
        };
        Ok(Arc::new(Session { lease }))
    }
}

impl Session {
    pub fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// Revokes the lease. If that is not sure to have happened in time, the session is over all the same, and the lease
    /// is left to expire.
    pub fn close(&self, timeout: Duration) -> Result<()> {
        let lost = self.lease.lost_reason();
        if matches!(lost, Some(LostReason::Closed | LostReason::Revoked)) {
            return self.lease.check();
        }
        match self.lease.revoke(Some(timeout)) {
            // What was lost may be gone.
            Err(error) if lost.is_some() && error.code == code::ERR_LEASE_NOT_FOUND => Ok(()),
            Err(error) => {
                self.lease.give_up(LostReason::Closed);
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Ends the session and leaves the lease to expire, or to whoever adopts it.
    pub fn orphan(&self) {
        self.lease.release();
    }
}
