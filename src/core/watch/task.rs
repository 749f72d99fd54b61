//! The task that carries a client's watches: opens the stream, feeds the engine, opens the next stream.

use super::super::code;
use super::super::error::Error;
use super::super::proto::etcdserverpb as pb;
use super::super::source::Source;
use super::super::transport::StreamService;
use super::engine::{Engine, Next, Spec};
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
const MOST_RENEWALS: u32 = 5;

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
        let task = Task {
            client: WatchClient::new(service.clone()).max_decoding_message_size(i32::MAX as usize),
            service,
            engine: Engine::default(),
            link: None,
            pause: BACKOFF_FIRST,
            not_before: Instant::now(),
            renew: false,
            renewals: 0,
        };
        (Watches(commands), task.run(inbox))
    }

    pub fn add(&self, spec: Spec, next: i64, source: Arc<Source>) {
        let _ = self.0.send(Command::Add(spec, next, source));
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

    fn send(&self, request: pb::WatchRequest) {
        // A stream that is gone is noticed by its responses.
        let _ = self.requests.send(request);
    }
}

/// The watches of a client, on one stream after another.
struct Task {
    service: StreamService,
    client: WatchClient<StreamService>,
    engine: Engine,
    link: Option<Link>,
    pause: Duration,
    not_before: Instant,
    renew: bool,
    /// How many tokens in a row were refused.
    renewals: u32,
}

impl Task {
    async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        loop {
            self.prepare().await;
            let waiting = self.link.is_none() && !self.engine.is_empty();
            let response = async {
                match &mut self.link {
                    Some(link) => link.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Add(spec, next, source)) => {
                        let request = self.engine.add(spec, next, source);
                        self.send(request);
                    }
                    Some(Command::Remove(id)) => {
                        let request = self.engine.remove(id);
                        self.send(request);
                    }
                    None => return,
                },
                response = response => match response {
                    Ok(response) => self.received(response),
                    Err(status) => self.lost(self.service.error(&status)),
                },
                _ = self.service.identity_changed() => {}
                _ = sleep_until(self.not_before), if waiting => {}
            }
        }
    }

    /// Opens a stream if there is need of one.
    async fn prepare(&mut self) {
        if self.engine.is_empty() {
            // Dropping the stream resets it; its watches are gone at the server too (§6.18).
            if self.link.take().is_some() {
                self.engine.detach(&Error::closed());
            }
            return;
        }
        if self.link.is_some() && self.service.is_outdated() {
            self.link = None;
            self.engine.detach(&Error::new(code::ERR_UNAVAILABLE, "other credentials were set"));
        }
        if self.link.is_some() || Instant::now() < self.not_before {
            return;
        }
        if std::mem::take(&mut self.renew) {
            if let Err(error) = self.service.renew().await {
                self.renew = true;
                return self.lost(error);
            }
        }
        let link = Link::open(&self.client);
        for request in self.engine.attach() {
            link.send(request);
        }
        self.link = Some(link);
    }

    fn send(&self, request: Option<pb::WatchRequest>) {
        if let (Some(link), Some(request)) = (&self.link, request) {
            link.send(request);
        }
    }

    fn received(&mut self, response: pb::WatchResponse) {
        // A stream that breaks after each creation must not be opened again and again at once.
        if !response.created {
            self.pause = BACKOFF_FIRST;
        }
        let next = self.engine.receive(response);
        self.service.counters().watch_resumes.add(std::mem::take(&mut self.engine.resumes));
        if self.engine.is_live() {
            self.renewals = 0;
        }
        match next {
            Next::Nothing => {}
            Next::Send(request) => self.send(Some(request)),
            Next::Refused(_, error) if self.renewals < MOST_RENEWALS && self.service.may_renew(&error) => {
                self.lost(error)
            }
            Next::Refused(id, error) => self.engine.end(id, error),
        }
    }

    fn lost(&mut self, error: Error) {
        self.link = None;
        if self.service.is_closing() {
            // The client ends its watches itself, and has nothing to tell before. Another stream would fail at once, and
            // the next: a task that never waits does not hear that it is to end.
            self.not_before = Instant::now() + BACKOFF_MOST;
            return;
        }
        if self.renewals < MOST_RENEWALS && self.service.may_renew(&error) {
            self.renew = true;
            self.renewals += 1;
        } else if matches!(error.code, code::ERR_UNIMPLEMENTED | code::ERR_PERMISSION_DENIED | code::ERR_AUTH_FAILED) {
            return self.engine.end_all(&error);
        } else {
            self.service.broke(error.code);
        }
        self.engine.detach(&error);
        self.not_before = Instant::now() + self.pause;
        self.pause = BACKOFF_MOST.min(self.pause * 2);
    }
}
