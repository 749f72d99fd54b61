//! The task that keeps a client's leases alive: carries what the keeper wants sent, and opens streams for it.

use super::super::client::Core;
use super::super::code;
use super::super::error::{Error, Result};
use super::super::event::{LostReason, Renewal};
use super::super::proto::etcdserverpb as pb;
use super::super::transport::StreamService;
use super::hold::Hold;
use super::keeper::{Keeper, Lane, Next};
use super::link::Link;
use super::once::{self, Renewed};
use super::{Moment, KEEP_ALIVE};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::time::{sleep, Instant};

const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MOST: Duration = Duration::from_millis(500);
const MOST_RENEWALS: u32 = 5;
/// tokio's clock stands still while the machine sleeps: leases are looked at at least this often.
const LOOK: Duration = Duration::from_millis(250);
/// How long a renewal on a stream of its own may take.
const ALONE: Duration = Duration::from_secs(3);

enum Command {
    Add(Arc<Hold>, Moment),
    Release(Arc<Hold>),
    Revoked(i64),
    Renewed(i64, Renewed),
}

/// The caller's side of the task.
#[derive(Clone)]
pub struct Leases(UnboundedSender<Command>);

impl Leases {
    pub fn new(core: Arc<Core>) -> (Self, impl Future<Output = ()>) {
        let (commands, inbox) = unbounded_channel();
        let mut keeper = Keeper::default();
        keeper.losses = core.transport.base().counters.leases_lost.clone();
        let task = Task {
            core,
            keeper,
            main: None,
            hedge: None,
            last: None,
            alone: None,
            pause: BACKOFF_FIRST,
            not_before: Instant::now(),
            renew: false,
            refused: None,
            renewals: 0,
        };
        (Leases(commands), task.run(inbox))
    }

    /// Those of a namespace's handle: on the stream of all, and let go with the handle.
    pub fn among(all: Leases) -> (Self, impl Future<Output = ()>) {
        let (commands, mut inbox) = unbounded_channel();
        let mut some = Share { all, holds: HashMap::new() };
        let task = async move {
            while let Some(command) = inbox.recv().await {
                some.pass(command);
            }
        };
        (Leases(commands), task)
    }

    /// Keeps a lease alive that was granted or renewed by a request sent at `sent`.
    pub fn add(&self, hold: Arc<Hold>, sent: Moment) {
        let _ = self.0.send(Command::Add(hold, sent));
    }

    pub fn release(&self, hold: Arc<Hold>) {
        let _ = self.0.send(Command::Release(hold));
    }

    /// It was revoked by a call.
    pub fn revoked(&self, id: i64) {
        let _ = self.0.send(Command::Revoked(id));
    }

    /// It was renewed by a call.
    pub fn renewed(&self, id: i64, renewed: Renewed) {
        let _ = self.0.send(Command::Renewed(id, renewed));
    }
}

/// Some of the leases that a task keeps alive.
struct Share {
    all: Leases,
    /// By where they are, since an id may be kept alive more than once.
    holds: HashMap<usize, Arc<Hold>>,
}

impl Share {
    fn pass(&mut self, command: Command) {
        let place = |hold: &Arc<Hold>| Arc::as_ptr(hold) as usize;
        match &command {
            Command::Add(hold, _) => drop(self.holds.insert(place(hold), hold.clone())),
            Command::Release(hold) => drop(self.holds.remove(&place(hold))),
            Command::Revoked(_) | Command::Renewed(..) => {}
        }
        let _ = self.all.0.send(command);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.holds.drain().for_each(|(_, hold)| self.all.release(hold));
    }
}

type Asked = Pin<Box<dyn Future<Output = Result<Renewed>> + Send>>;

struct Task {
    core: Arc<Core>,
    keeper: Keeper,
    main: Option<Open>,
    hedge: Option<Open>,
    /// Where the newest shared stream was.
    last: Option<StreamService>,
    /// A renewal on a stream of its own.
    alone: Option<(i64, Asked)>,
    pause: Duration,
    not_before: Instant,
    renew: bool,
    /// A second stream whose token the server did not take: the next one gets a new one first.
    refused: Option<StreamService>,
    /// How many tokens in a row were refused.
    renewals: u32,
}

struct Open {
    link: Link,
    /// Which list of endpoints it was opened with.
    epoch: u64,
}

async fn response_of(open: &mut Option<Open>) -> Result<pb::LeaseKeepAliveResponse> {
    match open {
        Some(open) => open.link.next().await,
        None => std::future::pending().await,
    }
}

impl Task {
    fn now(&self) -> Moment {
        (self.core.clock)()
    }

    async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        // While the client closes every stream fails at once.
        while !self.core.closing.is_cancelled() {
            let rest = self.work();
            let alone = async {
                match &mut self.alone {
                    Some((id, asked)) => (*id, asked.await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                response = response_of(&mut self.main) => self.heard(Lane::Main, response),
                response = response_of(&mut self.hedge) => self.heard(Lane::Hedge, response),
                (id, renewed) = alone => self.heard_alone(id, renewed),
                _ = sleep(rest) => {}
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let now = self.now();
        match command {
            Command::Add(hold, sent) => self.keeper.add(hold, sent, now),
            Command::Release(hold) => self.keeper.release(&hold),
            Command::Revoked(id) => self.keeper.lose(id, LostReason::Revoked, None),
            Command::Renewed(id, (renewal, sent)) => self.keeper.answered(id, renewal, sent, now),
        }
    }

    /// Sends what is due and opens what streams that takes; how long there is nothing more to do.
    fn work(&mut self) -> Duration {
        for lane in [Lane::Main, Lane::Hedge] {
            if self.open(lane).as_ref().is_some_and(|open| open.link.service.is_outdated()) {
                self.lost(lane, Error::new(code::ERR_UNAVAILABLE, "other credentials were set"));
            }
        }
        if !self.keeper.wants_stream() {
            self.close(Lane::Main);
            self.close(Lane::Hedge);
        } else if self.main.is_none() && Instant::now() >= self.not_before {
            let service = self.last.clone().unwrap_or_else(|| self.core.transport.streams());
            let renew = std::mem::take(&mut self.renew);
            self.main = Some(self.opened(service, renew));
            let now = self.now();
            self.keeper.opened(Lane::Main, now);
        }
        let now = self.now();
        let work = self.keeper.poll(now);
        if work.fresh {
            let beside = self.hedge.as_ref().or(self.main.as_ref()).map(|open| open.link.service.clone());
            let service = beside.map_or_else(|| self.core.transport.streams(), |service| service.beside());
            if let Some(silent) = &self.hedge {
                silent.link.service.broke(code::ERR_UNAVAILABLE);
            }
            self.core.transport.base().counters.hedges.add(1);
            self.hedge = Some(match self.refused.take() {
                Some(refused) => self.opened(service.after(&refused), true),
                None => self.opened(service, false),
            });
        }
        for (open, ids) in [(&self.main, work.main), (&self.hedge, work.hedge)] {
            if let Some(open) = open {
                ids.into_iter().for_each(|id| open.link.send(id));
            }
        }
        self.ask_alone();
        self.count();
        self.rest()
    }

    fn rest(&self) -> Duration {
        let Some(wake) = self.keeper.next_wake() else { return Duration::MAX / 2 };
        let rest = wake.saturating_sub(self.now()).min(LOOK);
        match self.main {
            None if self.keeper.wants_stream() => rest.min(self.not_before.saturating_duration_since(Instant::now())),
            _ => rest,
        }
    }

    fn opened(&self, service: StreamService, renew: bool) -> Open {
        Open { link: Link::open(service, renew), epoch: self.core.epoch() }
    }

    fn open(&mut self, lane: Lane) -> &mut Option<Open> {
        match lane {
            Lane::Main => &mut self.main,
            Lane::Hedge => &mut self.hedge,
        }
    }

    fn close(&mut self, lane: Lane) {
        if self.open(lane).take().is_some() {
            let now = self.now();
            self.keeper.closed(lane, false, now);
        }
    }

    fn heard(&mut self, lane: Lane, response: Result<pb::LeaseKeepAliveResponse>) {
        match response.and_then(|response| self.checked(lane, response)) {
            Ok((id, renewal)) => {
                self.pause = BACKOFF_FIRST;
                self.renewals = 0;
                let now = self.now();
                match self.keeper.receive(lane, id, renewal, now) {
                    Next::Nothing => {}
                    Next::Promote => self.promote(),
                    Next::Drop => self.close(Lane::Hedge),
                }
            }
            Err(error) => self.lost(lane, error),
        }
    }

    fn checked(&mut self, lane: Lane, response: pb::LeaseKeepAliveResponse) -> Result<(i64, Renewal)> {
        let (epoch, endpoint) = match self.open(lane) {
            Some(open) => (open.epoch, open.link.service.endpoint()),
            None => Default::default(),
        };
        let header = response.header.unwrap_or_default();
        self.core.check(header, epoch, KEEP_ALIVE, &endpoint)?;
        Ok((response.id, Renewal { ttl: response.ttl, header }))
    }

    fn promote(&mut self) {
        if let Some(silent) = std::mem::replace(&mut self.main, self.hedge.take()) {
            silent.link.service.broke(code::ERR_UNAVAILABLE);
        }
        let now = self.now();
        self.keeper.promote(now);
    }

    fn lost(&mut self, lane: Lane, error: Error) {
        let Some(open) = self.open(lane).take() else { return };
        let service = open.link.service;
        let now = self.now();
        let isolated = self.keeper.closed(lane, error.code == code::ERR_PERMISSION_DENIED, now);
        self.core.transport.base().log.debug(|| format!("keepalive: {error}"));
        let token = service.may_renew(&error) && self.renewals < MOST_RENEWALS;
        if !token && !isolated && !service.is_outdated() {
            service.broke(error.code);
        }
        if lane == Lane::Hedge {
            self.renewals += u32::from(token);
            self.refused = token.then_some(service);
            return;
        }
        self.last = Some(service);
        self.renew = token;
        self.renewals += u32::from(token);
        if self.hedge.is_some() {
            return self.promote();
        }
        // One lease less on the next stream: no need to pause.
        if !isolated && !token {
            self.not_before = Instant::now() + self.pause;
            self.pause = BACKOFF_MOST.min(self.pause * 2);
        }
    }

    /// Asks for the next of the leases that must not share a stream.
    fn ask_alone(&mut self) {
        if self.alone.is_some() {
            return;
        }
        if let Some(id) = self.keeper.next_alone() {
            let core = self.core.clone();
            let asked = async move {
                let limits = core.limits(Some(ALONE));
                once::renew(&core, id, &limits).await
            };
            self.alone = Some((id, Box::pin(asked)));
        }
    }

    fn heard_alone(&mut self, id: i64, renewed: Result<Renewed>) {
        self.alone = None;
        let now = self.now();
        match renewed {
            Ok((renewal, sent)) => self.keeper.answered(id, renewal, sent, now),
            Err(error) if error.code == code::ERR_PERMISSION_DENIED => {
                self.keeper.lose(id, LostReason::Permission, Some(&error));
            }
            Err(_) => self.keeper.failed_alone(id, now),
        }
    }

    fn count(&mut self) {
        let counters = &self.core.transport.base().counters;
        counters.lease_renewals.add(std::mem::take(&mut self.keeper.renewals));
    }
}
