//! Leases and sessions that are kept alive.

use super::api::{api, Handle};
use super::{call, make, Client, Fault, Queue};
use std::ffi::c_void;
use std::ptr::null_mut;

/// Why a lease was lost: the client could not renew it in time; the server says that there is none.
pub const EXPIRED: i32 = 1;
pub const GONE: i32 = 2;

/// A lease, whose loss comes to a queue.
pub struct Lease(Handle);

// SAFETY: etcd3.h says "any thread, any time" of all handles but builders.
unsafe impl Send for Lease {}
unsafe impl Sync for Lease {}

impl Lease {
    pub fn open(client: &Client, ttl_s: i64, queue: &Queue, mark: usize) -> Result<Lease, Fault> {
        // SAFETY: here and below the handles are alive, and what is written is ours.
        make(|lease, error| unsafe {
            api().etcd3_lease_open(client.0, ttl_s, 0, queue.0, None, mark as *mut c_void, lease, error)
        })
        .map(Lease)
    }

    pub fn id(&self) -> i64 {
        unsafe { api().etcd3_lease_id(self.0) }
    }

    pub fn is_alive(&self) -> bool {
        unsafe { api().etcd3_lease_is_alive(self.0) != 0 }
    }

    /// Renews it now.
    pub fn refresh(&self) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_lease_refresh(self.0, error) })
    }

    pub fn revoke(&self) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_lease_revoke(self.0, error) })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        unsafe { api().etcd3_lease_free(self.0) };
    }
}

/// What locks and elections hang on.
pub struct Session(pub(super) Handle);

// SAFETY: as above.
unsafe impl Send for Session {}
unsafe impl Sync for Session {}

impl Session {
    pub fn open(client: &Client, ttl_s: i64) -> Result<Session, Fault> {
        make(|session, error| unsafe {
            api().etcd3_session_open(client.0, ttl_s, 0, null_mut(), None, null_mut(), session, error)
        })
        .map(Session)
    }

    pub fn lease_id(&self) -> i64 {
        unsafe { api().etcd3_session_lease_id(self.0) }
    }

    pub fn is_alive(&self) -> bool {
        unsafe { api().etcd3_session_is_alive(self.0) != 0 }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        unsafe { api().etcd3_session_free(self.0) };
    }
}
