//! The task that carries a client's watches: opens the stream, feeds the engine, opens the next stream.

use super::super::code;
use super::super::error::Error;
use super::super::proto::etcdserverpb as pb;
use super::super::source::Source;
use super::super::transport::StreamService;
use super::engine::{Engine, Spec};
use pb::watch_client::WatchClient;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::time::{sleep_until, Instant};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Response, Status, Streaming};

const BACKOFF_FIRST: Duration = Duration::from_millis(10);
const BACKOFF_MOST: Duration = Duration::from_secs(1);

enum Command {
    Add(Spec, i64, Arc<Source>),
    Remove(u64),
}

/// The caller's side of the task.
#[derive(Clone)]
pub struct Watches(UnboundedSender<Command>);

impl Watches {
    pub fn new(service: StreamService) -> (Self, impl Future<Output = ()>) {
        let (commands, inbox) = unbounded_channel();
        let client = WatchClient::new(service).max_decoding_message_size(i32::MAX as usize);
        (Watches(commands), run(client, inbox))
    }

    pub fn add(&self, spec: Spec, next: i64, source: Arc<Source>) -> Result<(), Error> {
        self.0.send(Command::Add(spec, next, source)).map_err(|_| Error::closed())
    }

    pub fn remove(&self, id: u64) {
        let _ = self.0.send(Command::Remove(id));
    }
}

type Opening = Pin<Box<dyn Future<Output = Result<Response<Streaming<pb::WatchResponse>>, Status>> + Send>>;

/// A stream, whose answer's head comes only with its first response.
struct Link {
    requests: UnboundedSender<pb::WatchRequest>,
    responses: Responses,
}

enum Responses {
    Opening(Opening),
    Open(Box<Streaming<pb::WatchResponse>>),
}

impl Link {
    fn open(client: &WatchClient<StreamService>) -> Self {
        let (requests, outbox) = unbounded_channel();
        let mut client = client.clone();
        let opening = async move { client.watch(UnboundedReceiverStream::new(outbox)).await };
        Link { requests, responses: Responses::Opening(Box::pin(opening)) }
    }

    /// The next response. Dropping the future in between loses nothing.
    async fn next(&mut self) -> Result<pb::WatchResponse, Status> {
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

    fn send(&self, request: Option<pb::WatchRequest>) {
        if let Some(request) = request {
            // A stream that is gone is noticed by its responses.
            let _ = self.requests.send(request);
        }
    }
}

async fn run(client: WatchClient<StreamService>, mut commands: UnboundedReceiver<Command>) {
    let mut engine = Engine::default();
    let mut link: Option<Link> = None;
    let mut pause = BACKOFF_FIRST;
    let mut not_before = Instant::now();
    loop {
        if engine.is_empty() {
            // Dropping the stream resets it; its watches are gone at the server too (§6.18).
            if link.take().is_some() {
                engine.detach(&Error::closed());
            }
        } else if link.is_none() && Instant::now() >= not_before {
            let opened = Link::open(&client);
            for request in engine.attach() {
                opened.send(Some(request));
            }
            link = Some(opened);
        }
        let waiting = link.is_none() && !engine.is_empty();
        let response = async {
            match &mut link {
                Some(link) => link.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            command = commands.recv() => {
                let request = match command {
                    Some(Command::Add(spec, next, source)) => engine.add(spec, next, source),
                    Some(Command::Remove(id)) => engine.remove(id),
                    None => return,
                };
                if let Some(link) = &link {
                    link.send(request);
                }
            }
            response = response => match response {
                Ok(response) => {
                    // A stream that breaks after each creation must not be opened again and again at once.
                    if !response.created {
                        pause = BACKOFF_FIRST;
                    }
                    let request = engine.receive(response);
                    if let Some(link) = &link {
                        link.send(request);
                    }
                }
                Err(status) => {
                    link = None;
                    engine.detach(&Error::new(code::ERR_UNAVAILABLE, format!("the watch stream was lost: {}", status.message())));
                    not_before = Instant::now() + pause;
                    pause = BACKOFF_MOST.min(pause * 2);
                }
            },
            _ = sleep_until(not_before), if waiting => {}
        }
    }
}
