//! The endpoints of a client at run time: set by hand, or as the cluster itself lists them (§1.10, §1.11).

use super::client::{Client, Core};
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use super::proto::etcdserverpb as pb;
use super::transport::{Limits, Method, Repeat};
use std::time::Duration;
use tokio::time::{sleep, Instant};

const MEMBER_LIST: Method = Method { path: "/etcdserverpb.Cluster/MemberList", repeat: Repeat::Freely };
const SYNC_LIMIT: Duration = Duration::from_secs(5);

impl Client {
    pub fn set_endpoints(&self, endpoints: &[Endpoint]) -> Result<()> {
        self.runtime()?;
        self.core.transport.set_endpoints(endpoints)?;
        self.core.forget_cluster();
        Ok(())
    }

    /// Takes the client URLs of the started voting members as the endpoints.
    pub fn sync(&self) -> Result<()> {
        self.run(self.limits(None), async |limits| self.core.sync(limits).await)
    }

    pub(super) fn sync_at(&self, interval: Duration) -> Result<()> {
        let runtime = self.runtime()?;
        let core = self.core.clone();
        let limits = self.limits(None);
        self.spawn(&runtime, async move {
            loop {
                sleep(interval).await;
                let limits = Limits { deadline: Instant::now() + SYNC_LIMIT, ..limits.clone() };
                if let Err(error) = core.sync(&limits).await {
                    core.transport.base().log.warning(|| format!("sync of the endpoints: {error}"));
                }
            }
        });
        Ok(())
    }

    pub fn wait_connected(&self, timeout: Duration) -> Result<()> {
        self.run(self.limits(Some(timeout)), async |limits| self.core.transport.wait_connected(limits).await)
    }
}

impl Core {
    async fn sync(&self, limits: &Limits) -> Result<()> {
        let request = pb::MemberListRequest { linearizable: true };
        let answer: pb::MemberListResponse = self.transport.unary(MEMBER_LIST, &request, limits).await?;
        let started = answer.members.iter().filter(|member| !member.name.is_empty() && !member.is_learner);
        let endpoints: Vec<_> = started.flat_map(|member| &member.client_ur_ls).collect();
        let endpoints = endpoints.into_iter().map(|url| Endpoint::parse(url)).collect::<Result<Vec<_>>>()?;
        match endpoints.is_empty() {
            true => Err(Error::new(super::code::ERR_PROTOCOL, "the cluster lists no member that could be used")),
            false => self.transport.set_endpoints(&endpoints),
        }
    }
}
