//! The members of the cluster.

use super::ask::Answer;
use super::client::Client;
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use super::members::MEMBER_LIST;
use super::proto::etcdserverpb as pb;
use super::response::Headed;
use super::transport::{Method, Repeat};
pub use pb::Member;

const MEMBER_ADD: Method = Method { path: "/etcdserverpb.Cluster/MemberAdd", repeat: Repeat::Never };
const MEMBER_UPDATE: Method = Method { path: "/etcdserverpb.Cluster/MemberUpdate", repeat: Repeat::Never };
const MEMBER_PROMOTE: Method = Method { path: "/etcdserverpb.Cluster/MemberPromote", repeat: Repeat::Never };
const MEMBER_REMOVE: Method = Method { path: "/etcdserverpb.Cluster/MemberRemove", repeat: Repeat::Never };

impl Client {
    pub fn member_list(&self, linearizable: bool) -> Result<Headed<Vec<Member>>> {
        let answer: pb::MemberListResponse = self.ask(MEMBER_LIST, &pb::MemberListRequest { linearizable })?;
        Ok(answer.headed(|answer| answer.members))
    }

    /// The id of the new member, and all members.
    pub fn member_add(&self, peer_urls: Vec<String>, is_learner: bool) -> Result<(u64, Headed<Vec<Member>>)> {
        let request = pb::MemberAddRequest { peer_ur_ls: checked(peer_urls)?, is_learner };
        let answer: pb::MemberAddResponse = self.ask(MEMBER_ADD, &request)?;
        let id = answer.member.as_ref().map_or(0, |member| member.id);
        Ok((id, answer.headed(|answer| answer.members)))
    }

    pub fn member_update(&self, id: u64, peer_urls: Vec<String>) -> Result<Headed<Vec<Member>>> {
        let request = pb::MemberUpdateRequest { id: member_id(id)?, peer_ur_ls: checked(peer_urls)? };
        let answer: pb::MemberUpdateResponse = self.ask(MEMBER_UPDATE, &request)?;
        Ok(answer.headed(|answer| answer.members))
    }

    pub fn member_promote(&self, id: u64) -> Result<Headed<Vec<Member>>> {
        let request = pb::MemberPromoteRequest { id: member_id(id)? };
        let answer: pb::MemberPromoteResponse = self.ask(MEMBER_PROMOTE, &request)?;
        Ok(answer.headed(|answer| answer.members))
    }

    pub fn member_remove(&self, id: u64) -> Result<Headed<Vec<Member>>> {
        let request = pb::MemberRemoveRequest { id: member_id(id)? };
        let answer: pb::MemberRemoveResponse = self.ask(MEMBER_REMOVE, &request)?;
        Ok(answer.headed(|answer| answer.members))
    }
}

pub fn member_id(id: u64) -> Result<u64> {
    match id {
        0 => Err(Error::argument("member_id", "must not be 0, which is the id of no member")),
        _ => Ok(id),
    }
}

/// What a member tells the others must have a scheme.
fn checked(peer_urls: Vec<String>) -> Result<Vec<String>> {
    if peer_urls.is_empty() {
        return Err(Error::argument("peer_urls", "must not be empty"));
    }
    for url in &peer_urls {
        let why = match url.contains("://") {
            true => Endpoint::parse(url).err().map(|error| error.message),
            false => Some(format!("{url:?} has no scheme; use http:// or https://")),
        };
        if let Some(why) = why {
            return Err(Error::argument("peer_urls", why.trim_start_matches("endpoint: ")));
        }
    }
    Ok(peer_urls)
}
