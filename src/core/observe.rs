//! Following an election: who leads, and whether anybody does (§8.11).

use super::client::Client;
use super::code;
use super::election::line;
use super::error::Result;
use super::event::{Body, State};
use super::lock::check_name;
use super::proto::mvccpb::KeyValue;
use super::queue::Queue;
use super::range::KeyRange;
use super::source::{Handler, Source};
use super::transport::Limits;
use bytes::Bytes;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

impl Client {
    /// Reports who leads now, and each change of it. What is told was so at one revision of the store, read after whatever
    /// gave reason to look: never a leader who was replaced before.
    pub fn observe_election(
        self: &Arc<Self>,
        name: Bytes,
        queue: Option<Arc<Queue>>,
        handler: Arc<dyn Handler>,
    ) -> Result<Arc<Source>> {
        check_name(&name)?;
        let runtime = self.runtime()?;
        let queue = queue.map_or_else(|| self.own_queue(), Ok)?;
        let source = Source::new(queue, handler)?;
        let ended = CancellationToken::new();
        let over = ended.clone();
        self.adopt(&source, move || over.cancel())?;
        let (client, told) = (self.clone(), source.clone());
        self.spawn(&runtime, async move {
            let limits = Limits { cancelled: Some(ended), ..Limits::without_end(&client.core.closing) };
            let follow = client.follow(&name, &told, &limits);
            if let Err(error) = limits.bound(follow).await {
                told.close(Some(error));
            }
        });
        Ok(source)
    }

    async fn follow(&self, name: &[u8], source: &Arc<Source>, limits: &Limits) -> Result<()> {
        let mut told: Option<Option<KeyValue>> = None;
        loop {
            let (leader, header) = self.find_leader(name, limits).await?;
            let revision = header.revision;
            if told.as_ref() != Some(&leader) {
                source.emit(Body::Leader { leader: leader.clone(), revision, header });
                told = Some(leader.clone());
            }
            // The leader's key tells of a new word and of the end; where nobody leads, any candidate's key of the next one.
            let range = leader.map_or_else(|| line(name), |leader| KeyRange::new(leader.key));
            let mut feed = self.listen(&range, revision + 1)?;
            loop {
                match feed.heard().await {
                    Ok(Body::Watch { .. }) => break,
                    Ok(Body::State { state: State::Live, .. }) => {}
                    Ok(body @ Body::State { state, .. }) => {
                        source.emit(body);
                        if state == State::Resumed {
                            break;
                        }
                    }
                    Ok(_) => {}
                    Err(error) if error.code == code::ERR_COMPACTED => break,
                    Err(error) => return Err(error),
                }
            }
        }
    }
}
