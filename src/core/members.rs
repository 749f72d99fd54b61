//! The endpoints of a client at run time: set by hand, or as the cluster itself lists them (§1.10, §1.11).

use super::client::{Client, Core};
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use super::proto::etcdserverpb as pb;
use super::transport::{Limits, Method, Repeat};
use std::time::Duration;
use tokio::time::sleep;

pub(super) const MEMBER_LIST: Method = Method { path: "/etcdserverpb.Cluster/MemberList", repeat: Repeat::Freely };
const SYNC_LIMIT: Duration = Duration::from_secs(5);

impl Client {
    pub fn set_endpoints(&self, endpoints: &[Endpoint]) -> Result<()> {
        self.runtime()?;
        self.core.transport.set_endpoints(endpoints)?;
        self.core.forget_cluster();
        Ok(())
    }

    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.core.transport.endpoints()
    }

    /// Takes the client URLs of the started voting members as the endpoints.
    pub fn sync(&self) -> Result<()> {
        self.run(self.limits(None), async |limits| self.core.sync(limits).await)
    }

    pub(super) fn sync_at(&self, interval: Duration) -> Result<()> {
        let runtime = self.runtime()?;
        let core = self.core.clone();
        self.spawn(&runtime, async move {
            loop {
                sleep(interval).await;
                if let Err(error) = core.sync(&core.limits(Some(SYNC_LIMIT))).await {
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
        let epoch = self.epoch();
        let reply = self.transport.unary::<_, pb::MemberListResponse>(MEMBER_LIST, &request, limits).await?;
        self.check(reply.message.header.unwrap_or_default(), epoch, MEMBER_LIST, &reply.endpoint)?;
        let log = &self.transport.base().log;
        let started = reply.message.members.iter().filter(|member| !member.name.is_empty() && !member.is_learner);
        let protected = self.transport.uses_tls();
        let mut endpoints = Vec::new();
        for url in started.flat_map(|member| &member.client_ur_ls) {
            match Endpoint::parse(url) {
                // What was protected must not go out in the clear because a member says so.
                Ok(endpoint) if protected && !endpoint.uses_tls(true) => {
                    log.warning(|| format!("sync of the endpoints: {endpoint} is left out, since it is without TLS"))
                }
                Ok(endpoint) => endpoints.push(endpoint),
                Err(error) => log.warning(|| format!("sync of the endpoints: {error}")),
            }
        }
        match endpoints.is_empty() {
            true => Err(Error::new(super::code::ERR_PROTOCOL, "the cluster lists no member that could be used")),
            false => self.transport.set_endpoints(&endpoints),
        }
    }
}
