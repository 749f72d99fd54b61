//! Hashes of what a member holds, and whether all members hold the same.

use super::super::client::{Client, Core};
use super::super::code;
use super::super::endpoint::Endpoint;
use super::super::error::{Error, Result};
use super::super::proto::etcdserverpb as pb;
use super::super::transport::{Limits, Method, Repeat, Reply};
use super::STATUS;
use futures_util::future::try_join_all;
use std::time::Duration;
use tokio::time::{sleep, Instant};

const HASH: Method = Method { path: "/etcdserverpb.Maintenance/Hash", repeat: Repeat::Freely };
const HASH_KV: Method = Method { path: "/etcdserverpb.Maintenance/HashKV", repeat: Repeat::Freely };
/// How long members are given to catch up with each other, or with a compaction.
const PAUSE: Duration = Duration::from_millis(100);

/// What one member says.
#[derive(Debug, Clone)]
pub struct Hashed {
    pub member: u64,
    pub endpoint: String,
    pub revision: i64,
    pub hash: u32,
    pub compact_revision: i64,
    pub header: pb::ResponseHeader,
    /// It is not what most members say.
    pub differs: bool,
}

impl Client {
    pub fn hash(&self, at: Option<&Endpoint>) -> Result<u32> {
        self.ask_within::<pb::HashResponse>(at, HASH, &pb::HashRequest {}, None).map(|answer| answer.hash)
    }

    pub fn hash_kv(&self, at: Option<&Endpoint>, revision: i64) -> Result<Hashed> {
        let revision = checked(revision)?;
        self.run(self.limits(None), async |limits| self.core.hash_at(None, at, revision, limits).await)
    }

    /// All started voting members' hashes at one revision: `revision`, or the newest that all of them have.
    pub fn hash_kv_compare(&self, revision: i64) -> Result<Vec<Hashed>> {
        let revision = checked(revision)?;
        self.run(self.limits(None), async |limits| self.core.compare(revision, limits).await)
    }
}

fn checked(revision: i64) -> Result<i64> {
    match revision {
        0.. => Ok(revision),
        _ => Err(Error::argument("revision", format!("must not be negative, got {revision}"))),
    }
}

impl Core {
    async fn compare(&self, wanted: i64, limits: &Limits) -> Result<Vec<Hashed>> {
        let places = self.places(limits).await?;
        loop {
            let revision = match wanted {
                0 => self.common_revision(&places, limits).await?,
                _ => wanted,
            };
            let hashes =
                try_join_all(places.iter().map(|(id, at)| self.hash_at(Some(*id), Some(at), revision, limits))).await;
            let patient = Instant::now() + PAUSE < limits.deadline;
            match hashes {
                // A member lags, or has compacted what the slowest one has just reached.
                Err(error) if patient && error.code == code::ERR_FUTURE_REVISION => {}
                Err(error) if patient && wanted == 0 && error.code == code::ERR_COMPACTED => {}
                Err(error) => return Err(error),
                // The hash leaves out what is compacted: a compaction is under way.
                Ok(hashes) if patient && !same_compaction(&hashes) => {}
                Ok(hashes) => return Ok(judged(hashes)),
            }
            sleep(PAUSE).await;
        }
    }

    /// Where each member that has hashes answers.
    async fn places(&self, limits: &Limits) -> Result<Vec<(u64, Endpoint)>> {
        let members = self.members(limits).await?;
        let voting = members.into_iter().filter(|member| !member.is_learner && !member.name.is_empty());
        let place = |member: pb::Member| match self.usable(member.client_ur_ls.into_iter()).into_iter().next() {
            Some(endpoint) => Ok((member.id, endpoint)),
            None => Err(Error::new(code::ERR_PROTOCOL, format!("the cluster lists no usable URL of {}", member.name))),
        };
        voting.map(place).collect()
    }

    async fn common_revision(&self, places: &[(u64, Endpoint)], limits: &Limits) -> Result<i64> {
        let statuses = places.iter().map(|(_, endpoint)| async move {
            let status: pb::StatusResponse = self.ask(Some(endpoint), STATUS, &pb::StatusRequest {}, limits).await?;
            Ok::<_, Error>(status.header.unwrap_or_default().revision)
        });
        Ok(try_join_all(statuses).await?.into_iter().min().unwrap_or_default())
    }

    /// `member`, if it is known who is there.
    async fn hash_at(
        &self,
        member: Option<u64>,
        at: Option<&Endpoint>,
        revision: i64,
        limits: &Limits,
    ) -> Result<Hashed> {
        let request = pb::HashKvRequest { revision };
        let Reply { message, endpoint, .. } = self.reply::<pb::HashKvResponse>(at, HASH_KV, &request, limits).await?;
        let header = message.header.unwrap_or_default();
        Ok(Hashed {
            member: member.unwrap_or(header.member_id),
            endpoint,
            revision: match (message.hash_revision, revision) {
                // Servers before 3.6 say it only in the header, and only if they chose it.
                (0, 0) => header.revision,
                (0, asked) => asked,
                (said, _) => said,
            },
            hash: message.hash,
            compact_revision: message.compact_revision,
            header,
            differs: false,
        })
    }
}

fn same_compaction(hashes: &[Hashed]) -> bool {
    hashes.iter().all(|one| one.compact_revision == hashes[0].compact_revision)
}

/// Marks those that are not with the majority; where there is none, all.
fn judged(mut hashes: Vec<Hashed>) -> Vec<Hashed> {
    let words: Vec<_> = hashes.iter().map(|one| (one.hash, one.compact_revision)).collect();
    let is_most = |word| words.iter().filter(|other| **other == word).count() * 2 > words.len();
    for (one, word) in hashes.iter_mut().zip(&words) {
        one.differs = !is_most(*word);
    }
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differing(hashes: &[(u32, i64)]) -> Vec<bool> {
        let hashed = |(hash, compact_revision): &(u32, i64)| Hashed {
            member: 1,
            endpoint: String::new(),
            revision: 1,
            hash: *hash,
            compact_revision: *compact_revision,
            header: pb::ResponseHeader::default(),
            differs: false,
        };
        judged(hashes.iter().map(hashed).collect()).into_iter().map(|one| one.differs).collect()
    }

    #[test]
    fn the_majority_is_right() {
        assert_eq!(differing(&[(1, 0), (1, 0), (1, 0)]), [false, false, false]);
        assert_eq!(differing(&[(1, 0), (2, 0), (1, 0)]), [false, true, false]);
        assert_eq!(differing(&[(1, 0), (1, 5), (1, 0)]), [false, true, false]);
        assert_eq!(differing(&[(1, 0), (2, 0)]), [true, true]);
        assert_eq!(differing(&[(1, 0)]), [false]);
    }
}
