//! Care of the servers (§9.8). Most calls concern the one member that is asked.

mod alarm;
mod hash;
mod leader;
mod rolling;

pub use alarm::Alarm;
pub use hash::Hashed;

use super::ask::Answer;
use super::client::Client;
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use super::proto::etcdserverpb as pb;
use super::response::Headed;
use super::transport::{Method, Repeat};
use std::time::Duration;

const STATUS: Method = Method { path: "/etcdserverpb.Maintenance/Status", repeat: Repeat::Freely };
const DEFRAGMENT: Method = Method { path: "/etcdserverpb.Maintenance/Defragment", repeat: Repeat::Never };
const DOWNGRADE: Method = Method { path: "/etcdserverpb.Maintenance/Downgrade", repeat: Repeat::Never };
const COMPACT: Method = Method { path: "/etcdserverpb.KV/Compact", repeat: Repeat::Never };

/// A member answers nothing else meanwhile.
const DEFRAGMENT_LIMIT: Duration = Duration::from_secs(60);

use pb::downgrade_request::DowngradeAction;
pub use pb::StatusResponse as Status;

impl Client {
    pub fn status(&self, at: Option<&Endpoint>) -> Result<Status> {
        self.ask_within(at, STATUS, &pb::StatusRequest {}, None)
    }

    /// `timeout` in place of 60 s or the client's, whichever is longer.
    pub fn defragment(&self, at: Option<&Endpoint>, timeout: Option<Duration>) -> Result<()> {
        let limit = timeout.unwrap_or(DEFRAGMENT_LIMIT.max(self.core.timeout));
        self.ask_within::<pb::DefragmentResponse>(at, DEFRAGMENT, &pb::DefragmentRequest {}, Some(limit)).map(drop)
    }

    pub fn compact(&self, revision: i64, physical: bool, timeout: Option<Duration>) -> Result<()> {
        if revision < 1 {
            return Err(Error::argument("revision", format!("must be above 0, got {revision}")));
        }
        let request = pb::CompactionRequest { revision, physical };
        self.ask_within::<pb::CompactionResponse>(None, COMPACT, &request, timeout).map(drop)
    }

    /// These give the version that the cluster has.
    pub fn downgrade_validate(&self, version: &str) -> Result<Headed<String>> {
        self.downgrade(DowngradeAction::Validate, checked(version)?)
    }

    pub fn downgrade_enable(&self, version: &str) -> Result<Headed<String>> {
        self.downgrade(DowngradeAction::Enable, checked(version)?)
    }

    pub fn downgrade_cancel(&self) -> Result<Headed<String>> {
        self.downgrade(DowngradeAction::Cancel, "")
    }

    fn downgrade(&self, action: DowngradeAction, version: &str) -> Result<Headed<String>> {
        let request = pb::DowngradeRequest { action: action.into(), version: version.to_owned() };
        self.ask::<pb::DowngradeResponse>(DOWNGRADE, &request).map(|answer| answer.headed(|answer| answer.version))
    }
}

fn checked(version: &str) -> Result<&str> {
    let is_number = |part: &str| !part.is_empty() && part.len() < 6 && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> = version.split('.').collect();
    match parts.len() == 2 && parts.into_iter().all(is_number) {
        true => Ok(version),
        false => Err(Error::argument("version", format!("must be like \"3.5\", got {version:?}"))),
    }
}
