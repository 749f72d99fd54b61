//! Locks and elections.

use super::api::{api, Handle};
use super::client::millis;
use super::queue::Callback;
use super::{call, make, Client, Event, Fault, Queue, Session};
use std::ptr::null_mut;
use std::time::Duration;

pub struct Lock(Handle);

// SAFETY: etcd3.h says "any thread, any time" of all handles but builders.
unsafe impl Send for Lock {}
unsafe impl Sync for Lock {}

impl Lock {
    pub fn new(session: &Session, name: &str) -> Result<Lock, Fault> {
        // SAFETY: here and below the handles are alive, the bytes are as long as we say, and what is written is ours.
        make(|lock, error| unsafe { api().etcd3_lock_new(session.0, name.as_ptr(), name.len(), lock, error) }).map(Lock)
    }

    pub fn acquire(&self, limit: Duration) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_lock_acquire(self.0, millis(limit), error) })
    }

    pub fn release(&self) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_lock_release(self.0, error) })
    }

    /// Has the client's callback thread tell of the loss.
    pub fn on_loss(&self, heard: impl Fn(Event) + Send + Sync + 'static) -> Result<(), Fault> {
        let callback = Callback::new(Box::new(heard));
        let (function, user_data) = callback.parts();
        let begun =
            call(|error| unsafe { api().etcd3_lock_watch_loss(self.0, null_mut(), function, user_data, error) });
        begun.inspect_err(|_| callback.free())
    }

    /// The fencing token.
    pub fn token(&self) -> i64 {
        unsafe { api().etcd3_lock_token(self.0) }
    }

    /// A put that is done only if the lock is held.
    pub fn put(&self, key: &str, value: &str) -> Result<(), Fault> {
        let (key, value) = (key.as_bytes(), value.as_bytes());
        call(|error| unsafe {
            api().etcd3_lock_put(self.0, key.as_ptr(), key.len(), value.as_ptr(), value.len(), error)
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        unsafe { api().etcd3_lock_free(self.0) };
    }
}

/// A candidate.
pub struct Election(Handle);

// SAFETY: as above.
unsafe impl Send for Election {}
unsafe impl Sync for Election {}

impl Election {
    pub fn new(session: &Session, name: &str) -> Result<Election, Fault> {
        make(|election, error| unsafe {
            api().etcd3_election_new(session.0, name.as_ptr(), name.len(), election, error)
        })
        .map(Election)
    }

    pub fn campaign(&self, value: &str, limit: Duration) -> Result<(), Fault> {
        call(|error| unsafe {
            api().etcd3_election_campaign(self.0, value.as_ptr(), value.len(), millis(limit), error)
        })
    }

    /// A put to the leader's key that is done only if this one leads.
    pub fn proclaim(&self, value: &str) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_election_proclaim(self.0, value.as_ptr(), value.len(), error) })
    }

    pub fn resign(&self) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_election_resign(self.0, error) })
    }

    pub fn is_leader(&self) -> bool {
        unsafe { api().etcd3_election_is_leader(self.0) != 0 }
    }

    pub fn token(&self) -> i64 {
        unsafe { api().etcd3_election_token(self.0) }
    }
}

impl Drop for Election {
    fn drop(&mut self) {
        unsafe { api().etcd3_election_free(self.0) };
    }
}

/// Who follows an election; what it hears comes to a queue.
pub struct Observer(Handle);

// SAFETY: as above.
unsafe impl Send for Observer {}
unsafe impl Sync for Observer {}

impl Observer {
    pub fn start(client: &Client, name: &str, queue: &Queue) -> Result<Observer, Fault> {
        make(|observer, error| unsafe {
            let (name, length) = (name.as_ptr(), name.len());
            api().etcd3_election_observe(client.0, name, length, queue.0, None, null_mut(), observer, error)
        })
        .map(Observer)
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        unsafe { api().etcd3_observer_free(self.0) };
    }
}
