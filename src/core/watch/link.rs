//! One stream of watches.

use super::super::mutant;
use super::super::proto::etcdserverpb as pb;
use super::super::transport::StreamService;
use pb::watch_client::WatchClient;
use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc::{unbounded_channel, UnboundedSender};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Response, Status, Streaming};

type Opening = Pin<Box<dyn Future<Output = Result<Response<Streaming<pb::WatchResponse>>, Status>> + Send>>;

/// A stream, whose answer's head comes only with its first response. Dropping it resets it.
pub struct Link {
    requests: UnboundedSender<pb::WatchRequest>,
    responses: Responses,
}

enum Responses {
    Opening(Opening),
    Open(Box<Streaming<pb::WatchResponse>>),
}

impl Link {
    pub fn open(client: &WatchClient<StreamService>) -> Self {
        let (requests, outbox) = unbounded_channel();
        let mut client = client.clone();
        let opening = async move { client.watch(UnboundedReceiverStream::new(outbox)).await };
        Link { requests, responses: Responses::Opening(Box::pin(opening)) }
    }

    /// The next response. Dropping the future in between loses nothing.
    pub async fn next(&mut self) -> Result<pb::WatchResponse, Status> {
        loop {
            match &mut self.responses {
                Responses::Opening(opening) => self.responses = Responses::Open(Box::new(opening.await?.into_inner())),
                Responses::Open(open) => {
                    return open
                        .message()
                        .await?
                        .ok_or_else(|| Status::unavailable("the server ended the watch stream"))
                }
            }
        }
    }

    pub fn send(&self, request: pb::WatchRequest) {
        // A stream that is gone is noticed by its responses.
        let _ = self.requests.send(request);
    }

    /// Ends it on both sides: a half-closed one would go on at the server (§6.18).
    pub fn reset(self) {
        if mutant::is("half-close") {
            let Link { requests, responses } = self;
            drop(requests);
            let mut rest = Link { requests: unbounded_channel().0, responses };
            tokio::spawn(async move { while rest.next().await.is_ok() {} });
        }
    }
}
