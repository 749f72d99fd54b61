//! Who leads, and handing that on: a transfer must be asked of the leader itself.

use super::super::client::{Client, Core};
use super::super::cluster::member_id;
use super::super::code;
use super::super::endpoint::Endpoint;
use super::super::error::{Error, Result};
use super::super::members::MEMBER_LIST;
use super::super::proto::etcdserverpb as pb;
use super::super::transport::{Limits, Method, Repeat};
use super::{Status, STATUS};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::time::Duration;
use tokio::time::{sleep, timeout, Instant};

/// Told twice it does the same; when it has, the one that was asked leads no more.
const MOVE_LEADER: Method = Method { path: "/etcdserverpb.Maintenance/MoveLeader", repeat: Repeat::Guarded };

/// How long an endpoint may take to say who leads.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);

impl Client {
    pub fn move_leader(&self, target: u64) -> Result<()> {
        member_id(target)?;
        self.run(self.limits(None), async |limits| self.core.move_leader(target, limits).await)
    }
}

impl Core {
    async fn move_leader(&self, target: u64, limits: &Limits) -> Result<()> {
        loop {
            let (leader, endpoint) = self.leader(limits).await?;
            if leader == target {
                return Ok(());
            }
            let request = pb::MoveLeaderRequest { target_id: target };
            match self.ask::<pb::MoveLeaderResponse>(Some(&endpoint), MOVE_LEADER, &request, limits).await {
                // It was, a moment ago.
                Err(error) if error.code == code::ERR_NOT_LEADER && Instant::now() + PAUSE < limits.deadline => {
                    sleep(PAUSE).await;
                }
                answer => return answer.map(drop),
            }
        }
    }

    /// The leader and where it is: among the client's endpoints, or else as the cluster lists it.
    pub(super) async fn leader(&self, limits: &Limits) -> Result<(u64, Endpoint)> {
        loop {
            let mut last = None;
            let mut leader = 0;
            let asked = self.transport.endpoints().into_iter().map(|endpoint| async move {
                let status: Result<Status> = self.status_soon(&endpoint, limits).await;
                (endpoint, status)
            });
            let mut asked: FuturesUnordered<_> = asked.collect();
            while let Some((endpoint, status)) = asked.next().await {
                match status {
                    Ok(status) => {
                        leader = status.leader;
                        if leader != 0 && status.header.unwrap_or_default().member_id == leader {
                            return Ok((leader, endpoint));
                        }
                    }
                    Err(error) => last = Some(error),
                }
            }
            if leader != 0 {
                if let Some(endpoint) = self.endpoint_of(leader, limits).await? {
                    return Ok((leader, endpoint));
                }
            }
            if Instant::now() + PAUSE >= limits.deadline {
                let nobody = || Error::new(code::ERR_NO_LEADER, "no endpoint knows of a leader that can be reached");
                return Err(last.unwrap_or_else(nobody));
            }
            sleep(PAUSE).await;
        }
    }

    async fn status_soon(&self, endpoint: &Endpoint, limits: &Limits) -> Result<Status> {
        let asked = self.ask(Some(endpoint), STATUS, &pb::StatusRequest {}, limits);
        match timeout(PATIENCE, asked).await {
            Ok(status) => status,
            Err(_) => Err(Error::new(code::ERR_TIMEOUT, format!("{endpoint}: no answer to a status request"))),
        }
    }

    async fn endpoint_of(&self, member: u64, limits: &Limits) -> Result<Option<Endpoint>> {
        let members = self.members(limits).await?;
        let urls = members.into_iter().filter(|one| one.id == member).flat_map(|one| one.client_ur_ls);
        Ok(self.usable(urls).into_iter().next())
    }

    pub(super) async fn members(&self, limits: &Limits) -> Result<Vec<pb::Member>> {
        let request = pb::MemberListRequest { linearizable: true };
        Ok(self.ask::<pb::MemberListResponse>(None, MEMBER_LIST, &request, limits).await?.members)
    }

    /// Where one of these members answers: at one of the client's endpoints first.
    pub(super) fn usable(&self, urls: impl Iterator<Item = String>) -> Vec<Endpoint> {
        let ours = self.transport.endpoints();
        let is_ours = |endpoint: &Endpoint| ours.iter().find(|one| one.address == endpoint.address).cloned();
        let parsed = urls.filter_map(|url| Endpoint::parse(&url).ok());
        let mut found: Vec<_> = parsed.map(|endpoint| (is_ours(&endpoint), endpoint)).collect();
        found.sort_by_key(|(ours, _)| ours.is_none());
        found.into_iter().map(|(ours, endpoint)| ours.unwrap_or(endpoint)).collect()
    }
}
