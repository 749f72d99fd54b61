//! The one room through which everything goes to the network: a unary call, or a stream, to one of the
//! endpoints. What is above knows neither sockets nor HTTP/2.

mod at;
mod auth;
mod base;
mod call;
mod channel;
mod connection;
mod dial;
mod fate;
mod limits;
mod metadata;
mod outcome;
mod patience;
mod reading;
mod service;
mod socket;

pub use auth::Credentials;
pub use base::{Base, Options};
pub use call::Reply;
pub use channel::jitter;
pub use fate::Fate;
pub use limits::Limits;
pub use metadata::Metadata;
pub use outcome::malformed;
pub use reading::Reading;
pub use service::{Headers, StreamService};

use super::code;
use super::endpoint::{check_mixture, Endpoint};
use super::error::{Error, Result};
use super::sync::lock;
use auth::Auth;
use channel::{Channel, Purpose};
use connection::Connection;
use dial::{Kind, Trouble};
use limits::Stop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::{sleep_until, Instant};

/// A unary method, and when it may be sent again (§2.1).
#[derive(Clone, Copy)]
pub struct MethodAt<'a> {
    pub path: &'a str,
    pub repeat: Repeat,
}

/// One that this library knows.
pub type Method = MethodAt<'static>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// As often as need be: it changes nothing.
    Freely,
    /// Also if an earlier attempt may have been executed: its success makes a second one impossible (§2.10).
    Guarded,
    /// Only if no attempt can have been executed.
    Never,
}

/// How long a member is asked last whose answer was behind that of another.
const BEHIND: Duration = Duration::from_millis(250);

/// One endpoint.
struct Member {
    endpoint: Endpoint,
    unary: Arc<Channel>,
    /// Streams have a connection of their own, so that large reads do not starve them (§1.9).
    streams: Arc<Channel>,
    /// Until then others are asked first.
    avoid: Mutex<Instant>,
}

impl Member {
    fn new(endpoint: Endpoint, base: &Arc<Base>) -> Arc<Self> {
        let channel = |purpose| Channel::new(endpoint.clone(), purpose, base.clone());
        let (unary, streams) = (channel(Purpose::Unary), channel(Purpose::Streams));
        Arc::new(Member { endpoint, unary, streams, avoid: Mutex::new(Instant::now()) })
    }

    fn channel(&self, purpose: Purpose) -> &Arc<Channel> {
        match purpose {
            Purpose::Unary | Purpose::Bulk => &self.unary,
            Purpose::Streams => &self.streams,
        }
    }

    fn avoid_for(&self, time: Duration) {
        let mut avoid = lock(&self.avoid);
        *avoid = (*avoid).max(Instant::now() + time);
    }

    fn is_avoided(&self) -> bool {
        *lock(&self.avoid) > Instant::now()
    }
}

/// What an attempt goes out on.
#[derive(Clone)]
struct Route {
    member: Arc<Member>,
    connection: Connection,
}

pub struct Transport {
    base: Arc<Base>,
    members: RwLock<Arc<[Arc<Member>]>>,
    turn: AtomicUsize,
    auth: Arc<Auth>,
}

impl Transport {
    pub fn new(endpoints: &[Endpoint], base: Arc<Base>, credentials: Credentials) -> Result<Self> {
        let members = RwLock::new(Arc::from([]));
        let transport = Transport { members, turn: AtomicUsize::new(0), auth: Arc::new(Auth::new(credentials)), base };
        if transport.base.tls_options.is_some() {
            transport.base.tls()?;
        }
        transport.set_endpoints(endpoints)?;
        Ok(transport)
    }

    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Takes a new list in place of the old one; what is on both keeps its connections (§1.10).
    pub fn set_endpoints(&self, endpoints: &[Endpoint]) -> Result<()> {
        if endpoints.is_empty() {
            return Err(Error::argument("endpoints", "must not be empty"));
        }
        let protected = |endpoint: &Endpoint| self.base.uses_tls(endpoint);
        check_mixture(endpoints, protected, self.base.options.mixed_schemes)?;
        if endpoints.iter().any(protected) {
            self.base.tls()?;
        }
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<Arc<Member>> = Vec::new();
        for endpoint in endpoints {
            if !list.iter().any(|member| member.endpoint == *endpoint) {
                let kept = members.iter().find(|member| member.endpoint == *endpoint).cloned();
                if let Some(kept) = &kept {
                    kept.unary.encourage();
                    kept.streams.encourage();
                }
                list.push(kept.unwrap_or_else(|| Member::new(endpoint.clone(), &self.base)));
            }
        }
        for gone in members.iter().filter(|member| !list.iter().any(|kept| Arc::ptr_eq(kept, member))) {
            gone.unary.remove();
            gone.streams.remove();
        }
        *members = list.into();
        drop(members);
        self.base.changed();
        Ok(())
    }

    /// Whether what is sent is protected, and is to stay so.
    pub fn uses_tls(&self) -> bool {
        !self.base.options.mixed_schemes && self.members().iter().any(|member| self.base.uses_tls(&member.endpoint))
    }

    fn members(&self) -> Arc<[Arc<Member>]> {
        self.members.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn member_count(&self) -> usize {
        self.members().len()
    }

    /// Has others asked first for a while: this one is behind.
    pub fn avoid(&self, endpoint: &str) {
        if let Some(member) = self.members().iter().find(|member| member.endpoint.to_string() == endpoint) {
            member.avoid_for(BEHIND);
        }
    }

    /// Waits about so long within a call; false, at once, if the call would then be over.
    pub async fn rest(&self, time: Duration, limits: &Limits) -> Result<bool> {
        let until = Instant::now() + jitter(time);
        match until < limits.deadline {
            true => limits.within(sleep_until(until)).await.map(|()| true).map_err(outcome::stopped),
            false => Ok(false),
        }
    }

    pub fn set_credentials(&self, credentials: Credentials) {
        self.auth.set(credentials);
    }

    /// A connection to one of the members, in turn among those that are ready; if none is, to the first that
    /// becomes so. Those in `tried` are taken only if all others were, those in `busy` not at all.
    async fn route(
        &self,
        purpose: Purpose,
        tried: &[Arc<Member>],
        busy: &[Arc<Member>],
        limits: &Limits,
    ) -> Result<Route> {
        let started = Instant::now();
        loop {
            let changed = self.base.changes.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let members = self.members();
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let in_turn = (0..members.len()).map(|i| &members[(turn + i) % members.len()]);
            let mut best: Option<(u8, Route)> = None;
            for member in in_turn.filter(|member| !is_among(member, busy)) {
                if let Some(connection) = member.channel(purpose).connection() {
                    let rank = 2 * u8::from(!is_among(member, tried)) + u8::from(!member.is_avoided());
                    if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                        best = Some((rank, Route { member: member.clone(), connection }));
                    }
                }
            }
            if let Some((_, route)) = best {
                return Ok(route);
            }
            if let Some(error) = self.hopeless(purpose, &members, started) {
                return Err(error);
            }
            if let Err(stop) = limits.within(changed).await {
                return Err(self.not_sent(stop, purpose));
            }
        }
    }

    /// Waiting does not help if no member can be agreed with (§5.4).
    fn hopeless(&self, purpose: Purpose, members: &[Arc<Member>], since: Instant) -> Option<Error> {
        // A peer that breaks off the handshake each time for so long does not do so by chance.
        let long = self.base.options.connect_timeout / 2;
        let refused = |member: &Arc<Member>| {
            let channel = member.channel(purpose);
            let again_and_again = channel.failing_since().is_some_and(|since| since.elapsed() >= long);
            channel.trouble().is_some_and(|(trouble, at)| {
                at >= since && (trouble.sure || trouble.kind != Kind::Connect && again_and_again)
            })
        };
        members.iter().all(refused).then(|| self.unreachable(purpose))
    }

    /// What to say where nothing was sent.
    fn not_sent(&self, stop: Stop, purpose: Purpose) -> Error {
        match stop {
            Stop::Deadline => self.unreachable(purpose),
            Stop::Cancelled | Stop::Closed => outcome::stopped(stop),
        }
    }

    fn unreachable(&self, purpose: Purpose) -> Error {
        let members = self.members();
        let troubles: Vec<_> = members.iter().map(|member| (member, member.channel(purpose).trouble())).collect();
        let all = |kind| troubles.iter().all(|(_, trouble)| trouble.as_ref().is_some_and(|(t, _)| t.kind == kind));
        let code = match () {
            _ if all(Kind::Tls) => code::ERR_TLS,
            _ if all(Kind::Protocol) => code::ERR_PROTOCOL,
            _ => code::ERR_UNAVAILABLE,
        };
        let words = |(member, trouble): &(&Arc<Member>, Option<(Trouble, Instant)>)| match trouble {
            Some((trouble, _)) => format!("{}: {}", member.endpoint, trouble.text),
            None => format!("{}: no answer to the attempt to connect", member.endpoint),
        };
        let words: Vec<_> = troubles.iter().map(words).collect();
        let newest = troubles.iter().max_by_key(|(_, trouble)| trouble.as_ref().map(|(_, at)| *at));
        Error {
            endpoint: newest.map(|(member, _)| member.endpoint.to_string()),
            ..Error::new(code, format!("no endpoint could be reached: {}", words.join("; ")))
        }
    }

    /// Waits until a member is connected and, with credentials, has accepted them.
    pub async fn wait_connected(&self, limits: &Limits) -> Result<()> {
        self.route(Purpose::Unary, &[], &[], limits).await?;
        self.token(limits).await.map(drop)
    }

    /// Works for a connection until there is one.
    pub async fn reconnect(&self) {
        let limits = Limits::without_end(&self.base.closing);
        while self.base.connected.load(Ordering::Relaxed) == 0 && !self.base.closing.is_cancelled() {
            let _ = self.route(Purpose::Unary, &[], &[], &limits).await;
        }
    }

    /// Where tonic's generated clients send their streams.
    pub fn streams(self: &Arc<Self>) -> StreamService {
        self.streams_with(Headers::default())
    }

    /// The same for streams that ask for something else.
    pub fn streams_with(self: &Arc<Self>, headers: Headers) -> StreamService {
        StreamService::new(self.clone(), headers)
    }
}

fn is_among(member: &Arc<Member>, list: &[Arc<Member>]) -> bool {
    list.iter().any(|other| Arc::ptr_eq(member, other))
}
