//! What an operator does to a cluster.

use super::api::api;
use super::client::{c, millis};
use super::{call, make, Client, Fault};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::Duration;

/// The alarm of a member whose quota is used up.
const NOSPACE: i32 = 1;

impl Client {
    /// Makes history end at a revision, and waits until the space is free.
    pub fn compact(&self, revision: i64, limit: Duration) -> Result<(), Fault> {
        // SAFETY: here and below the handles are alive, and what is written is ours.
        call(|error| unsafe { api().etcd3_compact(self.0, revision, 1, millis(limit), error) })
    }

    pub fn defragment(&self, endpoint: &str, limit: Duration) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_defragment(self.0, c(endpoint).as_ptr(), millis(limit), error) })
    }

    /// How many members have no space left.
    pub fn nospace_alarms(&self) -> Result<usize, Fault> {
        let alarms = make(|alarms, error| unsafe { api().etcd3_alarm_list(self.0, 0, NOSPACE, alarms, error) })?;
        let count = unsafe { api().etcd3_alarms_count(alarms) };
        unsafe { api().etcd3_alarms_free(alarms) };
        Ok(count)
    }

    /// Ends those alarms.
    pub fn disarm_nospace(&self) -> Result<(), Fault> {
        call(|error| unsafe { api().etcd3_alarm_disarm(self.0, 0, NOSPACE, null_mut(), error) })
    }

    /// Writes a snapshot to a file; its size.
    pub fn snapshot_to_file(&self, path: &Path, limit: Duration) -> Result<i64, Fault> {
        let path = c(path.to_str().expect("a path in UTF-8"));
        let mut bytes = 0;
        call(|error| unsafe {
            let limit = millis(limit);
            api().etcd3_snapshot_to_file(self.0, null(), path.as_ptr(), limit, null_mut(), &mut bytes, error)
        })?;
        Ok(bytes)
    }

    /// The same to a descriptor.
    pub fn snapshot_to_fd(&self, fd: BorrowedFd, limit: Duration) -> Result<i64, Fault> {
        let mut bytes = 0;
        call(|error| unsafe {
            let limit = millis(limit);
            api().etcd3_snapshot_to_fd(self.0, null(), fd.as_raw_fd(), limit, null_mut(), &mut bytes, error)
        })?;
        Ok(bytes)
    }
}
