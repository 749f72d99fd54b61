//! The task of a lane: opens the stream, feeds the engine, does what that wants done, opens the next stream.

use super::super::client::Core;
use super::super::code;
use super::super::error::Error;
use super::super::op::Request;
use super::super::proto::etcdserverpb as pb;
use super::super::source::Source;
use super::super::transport::{jitter, Headers, StreamService};
use super::engine::{Action, Engine};
use super::lanes::Watches;
use super::link::Link;
use super::one::Watch;
use super::probe::{Limits as ProbeLimits, Probe};
use futures_util::stream::{FuturesUnordered, StreamExt};
use pb::watch_client::WatchClient;
use std::future::{pending, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::Semaphore;
use tokio::time::{sleep, sleep_until, Instant};

const BACKOFF_FIRST: Duration = Duration::from_millis(10);
const BACKOFF_MOST: Duration = Duration::from_secs(1);
const MOST_RENEWALS: u32 = 5;
/// How many pages are read at a time for watches that read their ranges anew.
const READERS: usize = 8;

pub enum Command {
    Add(Box<Watch>),
    Remove(u64),
    Drained(u64),
    Progress(u64),
}

/// What a reading for the engine came to.
enum Read {
    Page(u64, Result<pb::RangeResponse, Error>),
    Revision(Result<i64, Error>),
}

type Reading = Pin<Box<dyn Future<Output = Option<Read>> + Send>>;

/// The watches of a lane, on one stream after another.
pub struct Task {
    watches: Watches,
    headers: Headers,
    core: Arc<Core>,
    service: StreamService,
    client: WatchClient<StreamService>,
    engine: Engine,
    link: Option<Link>,
    readings: FuturesUnordered<Reading>,
    readers: Arc<Semaphore>,
    probe: Probe,
    pause: Duration,
    not_before: Instant,
    last_error: Option<Error>,
    renew: bool,
    /// How many tokens in a row were refused.
    renewals: u32,
}

impl Task {
    pub fn new(watches: Watches, core: Arc<Core>, probe: Option<ProbeLimits>, headers: Headers) -> Self {
        let service = core.transport.streams_with(headers.clone());
        Task {
            client: WatchClient::new(service.clone()).max_decoding_message_size(i32::MAX as usize),
            probe: Probe::new(probe),
            watches,
            headers,
            core,
            service,
            engine: Engine::default(),
            link: None,
            readings: FuturesUnordered::new(),
            readers: Arc::new(Semaphore::new(READERS)),
            pause: BACKOFF_FIRST,
            not_before: Instant::now(),
            last_error: None,
            renew: false,
            renewals: 0,
        }
    }

    pub async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        loop {
            // Else each stream that cannot be opened any more would be followed at once by the next.
            if self.service.is_closing() {
                return;
            }
            self.prepare().await;
            self.act();
            if self.engine.is_empty() && self.watches.retire(&self.headers, || commands.is_empty()) {
                return self.leave(&Error::closed());
            }
            let linked = self.link.is_some();
            let waiting = !linked && self.engine.wants_stream();
            let (probe, expiry) = (self.probe.due(self.engine.expects()), self.engine.expiry());
            let response = async {
                match &mut self.link {
                    Some(link) => link.next().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                Some(command) = commands.recv() => self.obey(command),
                response = response => match response {
                    Ok(response) => self.received(response),
                    Err(status) => {
                        let error = self.service.error(&status);
                        self.lost(error);
                    }
                },
                Some(read) = self.readings.next(), if !self.readings.is_empty() => match read {
                    Some(Read::Page(id, answer)) => self.engine.page(id, answer),
                    Some(Read::Revision(answer)) => self.engine.verified(answer),
                    None => {}
                },
                _ = self.service.identity_changed(), if linked => {}
                _ = sleep_until(self.not_before), if waiting => {}
                _ = at(probe) => self.probe(),
                _ = at(expiry) => self.engine.expire(Instant::now(), self.last_error.as_ref()),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Add(watch) => self.engine.add(watch),
            Command::Remove(id) => self.engine.remove(id),
            Command::Drained(id) => self.engine.drained(id),
            Command::Progress(id) => self.engine.request_progress(Some(id)),
        }
    }

    /// Opens a stream if there is need of one.
    async fn prepare(&mut self) {
        if self.engine.is_empty() {
            // Its watches are gone at the server too (§6.18).
            if let Some(link) = self.link.take() {
                link.reset();
                self.engine.detach(&Error::closed());
            }
            return;
        }
        if self.link.is_some() && self.service.is_outdated() {
            self.leave(&Error::new(code::ERR_UNAVAILABLE, "other credentials were set"));
        }
        if self.link.is_some() || Instant::now() < self.not_before || !self.engine.wants_stream() {
            return;
        }
        if std::mem::take(&mut self.renew) {
            if let Err(error) = self.service.renew().await {
                self.renew = true;
                return self.lost(error);
            }
        }
        self.service.begin();
        self.link = Some(Link::open(&self.client));
        self.probe.heard();
        self.engine.attach();
    }

    /// Does what the engine wants done.
    fn act(&mut self) {
        let counters = self.service.counters();
        counters.watch_resumes.add(std::mem::take(&mut self.engine.resumes));
        counters.watch_parks.add(std::mem::take(&mut self.engine.parks));
        counters.watch_relists.add(std::mem::take(&mut self.engine.relists));
        while !self.engine.actions.is_empty() {
            for action in std::mem::take(&mut self.engine.actions) {
                self.take(action);
            }
        }
    }

    fn take(&mut self, action: Action) {
        match action {
            Action::Send(request) => {
                if let Some(link) = &self.link {
                    link.send(request);
                }
            }
            Action::Read(id, request, source) => {
                let (core, readers) = (self.core.clone(), self.readers.clone());
                self.readings.push(Box::pin(async move {
                    let _turn = readers.acquire().await.ok()?;
                    Some(Read::Page(id, read(&core, request, Some(&source)).await?))
                }));
            }
            Action::Verify(request) => {
                let core = self.core.clone();
                self.readings.push(Box::pin(async move {
                    let answer = read(&core, request, None).await?;
                    Some(Read::Revision(answer.map(|answer| answer.header.unwrap_or_default().revision)))
                }));
            }
            Action::Refused(_, error) if self.renewals < MOST_RENEWALS && self.service.may_renew(&error) => {
                self.lost(error)
            }
            Action::Refused(id, error) => self.engine.end(id, error),
            Action::Leave(error) => self.lost(error),
        }
    }

    fn received(&mut self, response: pb::WatchResponse) {
        self.probe.heard();
        // A stream that breaks after each creation must not be opened again and again at once.
        if !response.created {
            self.pause = BACKOFF_FIRST;
        }
        self.engine.receive(response);
        if self.engine.is_live() {
            self.renewals = 0;
        }
    }

    /// Nothing was heard for long: asks, or gives an answer up (§11.2).
    fn probe(&mut self) {
        // While no member can be reached there is nobody to ask.
        if !self.service.is_sent() {
            return self.probe.heard();
        }
        match self.probe.ask() {
            true => self.engine.request_progress(None),
            false => {
                self.lost(Error::new(code::ERR_UNAVAILABLE, "the stream is silent: a progress request has no answer"))
            }
        }
    }

    fn leave(&mut self, error: &Error) {
        if let Some(link) = self.link.take() {
            link.reset();
        }
        self.engine.detach(error);
    }

    fn lost(&mut self, error: Error) {
        if self.service.is_closing() {
            // The client ends its watches itself, and has nothing to tell before.
            self.link = None;
            return;
        }
        self.leave(&error);
        if self.renewals < MOST_RENEWALS && self.service.may_renew(&error) {
            self.renew = true;
            self.renewals += 1;
        } else if matches!(error.code, code::ERR_UNIMPLEMENTED | code::ERR_PERMISSION_DENIED | code::ERR_AUTH_FAILED) {
            return self.engine.end_all(&error);
        } else {
            self.service.broke(error.code);
        }
        self.not_before = Instant::now() + jitter(self.pause);
        self.pause = BACKOFF_MOST.min(self.pause * 2);
        self.last_error = Some(error);
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => pending().await,
    }
}

/// Whether no later attempt can bring what this one did not.
fn is_final(error: &Error) -> bool {
    matches!(
        error.code,
        code::ERR_COMPACTED
            | code::ERR_FUTURE_REVISION
            | code::ERR_PERMISSION_DENIED
            | code::ERR_AUTH_FAILED
            | code::ERR_UNIMPLEMENTED
            | code::ERR_CLUSTER_MISMATCH
            | code::ERR_CLOSED
            | code::ERR_INVALID_ARGUMENT
            | code::ERR_INTERNAL
    )
}

/// Reads until there is an answer that another attempt would not change; `None` once nobody wants it any more.
async fn read(
    core: &Core,
    request: pb::RangeRequest,
    source: Option<&Arc<Source>>,
) -> Option<Result<pb::RangeResponse, Error>> {
    let mut pause = BACKOFF_FIRST;
    while !source.is_some_and(|source| source.is_closed()) {
        match core.send(Request::Get(request.clone()), &core.limits(None)).await {
            Ok(answer) => return Some(answer.get()),
            Err(error) if !is_final(&error) => {
                sleep(jitter(pause)).await;
                pause = BACKOFF_MOST.min(pause * 2);
            }
            Err(error) => return Some(Err(error)),
        }
    }
    None
}
