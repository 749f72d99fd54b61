//! Defragmenting all members, one after another, the leader last: so one at a time is away, and leadership moves at
//! most once.

use super::super::client::{Client, Core};
use super::super::cluster::Member;
use super::super::code;
use super::super::endpoint::Endpoint;
use super::super::error::{Error, Result};
use super::super::event::Body;
use super::super::job::Job;
use super::super::proto::etcdserverpb as pb;
use super::super::queue::Queue;
use super::super::source::{Handler, Source};
use super::{DEFRAGMENT, DEFRAGMENT_LIMIT};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

impl Client {
    /// Starts it; `timeout` is for each member.
    pub fn defragment_all(
        &self,
        timeout: Option<Duration>,
        queue: Option<Arc<Queue>>,
        handler: Arc<dyn Handler>,
    ) -> Result<CancellationToken> {
        let each = timeout.unwrap_or(DEFRAGMENT_LIMIT.max(self.core.timeout));
        let core = self.core.clone();
        self.job(queue, handler, async move |job: Job| core.defragment_all(each, &job).await)
    }
}

impl Core {
    async fn defragment_all(&self, each: Duration, job: &Job) -> Result<()> {
        let limits = job.limits.clone().lasting(Some(self.timeout));
        let (leader, _) = self.leader(&limits).await?;
        let mut members = self.members(&limits).await?;
        members.retain(|member| !member.name.is_empty());
        members.sort_by_key(|member| member.id == leader);
        let total = members.len() as i64;
        for (done, member) in members.into_iter().enumerate() {
            let (name, endpoint) = self.place(member)?;
            let limits = job.limits.clone().lasting(Some(each));
            let request = pb::DefragmentRequest {};
            self.ask::<pb::DefragmentResponse>(Some(&endpoint), DEFRAGMENT, &request, &limits).await?;
            let text = format!("{name} at {endpoint} is defragmented");
            self.tell(&job.source, text, done as i64 + 1, total);
        }
        Ok(())
    }

    fn place(&self, member: Member) -> Result<(String, Endpoint)> {
        match self.usable(member.client_ur_ls.into_iter()).into_iter().next() {
            Some(endpoint) => Ok((member.name, endpoint)),
            None => Err(Error::new(code::ERR_PROTOCOL, format!("the cluster lists no usable URL of {}", member.name))),
        }
    }

    fn tell(&self, source: &Arc<Source>, text: String, done: i64, total: i64) {
        self.transport.base().log.info(|| text.clone());
        source.emit(Body::Notice { text, done, total });
    }
}
