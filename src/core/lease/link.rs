//! A keepalive stream.

use super::super::error::Error;
use super::super::proto::etcdserverpb as pb;
use super::super::transport::StreamService;
use pb::lease_client::LeaseClient;
use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc::{unbounded_channel, UnboundedSender};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Status, Streaming};

type Responses = Streaming<pb::LeaseKeepAliveResponse>;
type Opening = Pin<Box<dyn Future<Output = Result<Responses, Error>> + Send>>;

pub struct Link {
    pub service: StreamService,
    requests: UnboundedSender<pb::LeaseKeepAliveRequest>,
    state: State,
}

enum State {
    /// The answer's head comes only with the first response.
    Opening(Opening),
    Open(Box<Responses>),
}

impl Link {
    /// With `renew` after getting a new token in place of the service's last one.
    pub fn open(service: StreamService, renew: bool) -> Self {
        let (requests, outbox) = unbounded_channel();
        let opened = service.clone();
        let opening = async move {
            if renew {
                opened.renew().await?;
            }
            let outbox = UnboundedReceiverStream::new(outbox);
            let answer = LeaseClient::new(opened.clone()).lease_keep_alive(outbox).await;
            answer.map(|answer| answer.into_inner()).map_err(|status| opened.error(&status))
        };
        Link { service, requests, state: State::Opening(Box::pin(opening)) }
    }

    pub fn send(&self, id: i64) {
        // A stream that is gone is noticed by its responses.
        let _ = self.requests.send(pb::LeaseKeepAliveRequest { id });
    }

    /// The next response. Dropping the future in between loses nothing.
    pub async fn next(&mut self) -> Result<pb::LeaseKeepAliveResponse, Error> {
        loop {
            match &mut self.state {
                State::Opening(opening) => self.state = State::Open(Box::new(opening.await?)),
                State::Open(open) => {
                    let ended = || Status::unavailable("the server ended the keepalive stream");
                    let message = open.message().await.and_then(|message| message.ok_or_else(ended));
                    return message.map_err(|status| self.service.error(&status));
                }
            }
        }
    }
}
