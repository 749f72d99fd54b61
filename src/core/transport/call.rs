//! A unary call: its attempts on one member after another, within one deadline (§2, appendix C).

use super::channel::{jitter, Purpose};
use super::connection::{self, Failure};
use super::outcome::{self, Around, Verdict};
use super::{is_among, Fate, Limits, Member, MethodAt, Repeat, Route, Stop, Transport};
use crate::core::code;
use crate::core::error::{Error, Result};
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::header::{HeaderMap, HeaderValue};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::{sleep, sleep_until, Instant};

pub(super) const PAUSE_FIRST: Duration = Duration::from_millis(25);
pub(super) const PAUSE_MOST: Duration = Duration::from_millis(500);
/// How long a member that did not answer is asked last.
const SUSPICION: Duration = Duration::from_secs(3);
pub(super) const MOST_REFRESHES: u32 = 2;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub struct Reply<Res> {
    pub message: Res,
    pub endpoint: String,
    /// It answers an attempt after one that may have been executed too.
    pub resent: bool,
}

pub(super) struct Answer {
    pub endpoint: String,
    pub bytes: Bytes,
    resent: bool,
}

impl Transport {
    /// Calls a method and decodes its answer. A token that the server does not take is renewed, and the call made
    /// again whatever it is: such an answer comes before anything is done (§2.4).
    pub async fn unary<Req: prost::Message, Res: prost::Message + Default>(
        &self,
        method: MethodAt<'_>,
        request: &Req,
        limits: &Limits,
    ) -> Result<Reply<Res>> {
        self.base.counters.calls.add(1);
        self.unary_framed(method, &self.frame(request)?, limits).await
    }

    /// The same for a request with a password in it, which does not stay in memory.
    pub async fn unary_secret<Req: prost::Message, Res: prost::Message + Default>(
        &self,
        method: MethodAt<'_>,
        request: &Req,
        limits: &Limits,
    ) -> Result<Reply<Res>> {
        self.base.counters.calls.add(1);
        let frame = self.frame(request)?;
        let answer = self.unary_framed(method, &frame, limits).await;
        connection::wipe(frame);
        answer
    }

    pub(super) fn frame<Req: prost::Message>(&self, request: &Req) -> Result<Bytes> {
        let (size, most) = (request.encoded_len(), self.base.options.max_request_bytes);
        if size > most {
            let text = format!("the request has {size} bytes, and the client's limit is {most}");
            return Err(Error::new(code::ERR_REQUEST_TOO_LARGE, text));
        }
        Ok(connection::frame(request))
    }

    async fn unary_framed<Res: prost::Message + Default>(
        &self,
        method: MethodAt<'_>,
        frame: &Bytes,
        limits: &Limits,
    ) -> Result<Reply<Res>> {
        let mut refreshes = 0;
        loop {
            let token = self.token(limits).await?;
            match self.send(method, frame, token.value.clone(), limits).await {
                Err(error) if refreshes < MOST_REFRESHES && self.auth.may_renew(&error, &token) => {
                    refreshes += 1;
                    self.renew(&token, limits).await?;
                }
                answer => {
                    let answer = answer?;
                    let message = decode(answer.bytes, method, &answer.endpoint)?;
                    return Ok(Reply { message, endpoint: answer.endpoint, resent: answer.resent });
                }
            }
        }
    }

    /// A call with a given token, undecoded: attempts one after another; for a read that stays without an answer also
    /// beside each other, and the first answer wins (§2.13).
    pub(super) async fn send(
        &self,
        method: MethodAt<'_>,
        frame: &Bytes,
        token: Option<HeaderValue>,
        limits: &Limits,
    ) -> Result<Answer> {
        let mut metadata = HeaderMap::new();
        self.base.options.metadata.add_to(&mut metadata);
        limits.metadata.add_to(&mut metadata);
        if let Some(token) = token {
            metadata.insert("token", token);
        }
        if limits.require_leader {
            metadata.insert("hasleader", HeaderValue::from_static("true"));
        }
        let hedge = self.base.options.hedge_after.filter(|_| method.repeat == Repeat::Freely);
        let mut flying = FuturesUnordered::new();
        let mut routes: Vec<Flight> = Vec::new();
        let mut call = Progress { tried: Vec::new(), last: None, resent: false, pause: PAUSE_FIRST, attempts: 0 };
        let mut next_start = Some(Instant::now());
        loop {
            let start = async {
                match next_start {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some((flight, end)) = flying.next(), if !flying.is_empty() => {
                    routes.retain(|other| !Arc::ptr_eq(other, &flight));
                    let (member, failure) = match end {
                        End::Answered(member, bytes) => {
                            let nth = call.attempts + 1;
                            self.base.log.debug(|| format!("{}: attempt {nth} of {}: done", member.endpoint, method.path));
                            self.base.counters.bytes_received.add(bytes.len() as i64);
                            return Ok(Answer { endpoint: member.endpoint.to_string(), bytes, resent: call.resent });
                        }
                        End::Unreached(error) if routes.is_empty() => return Err(call.end_with(error)),
                        End::Unreached(_) => continue,
                        End::Failed(member, failure) => (member, failure),
                    };
                    let rest = self.consider(&mut call, method, &member, failure, &busy(&routes), limits)?;
                    if routes.is_empty() && Instant::now() + rest >= limits.deadline {
                        return Err(call.end_with(outcome::stopped(Stop::Deadline)));
                    }
                    self.base.counters.retries.add(1);
                    next_start = Some(Instant::now() + rest);
                }
                stop = limits.ended(), if routes.is_empty() => return Err(call.end_with(self.not_sent(stop, Purpose::Unary))),
                _ = start => {
                    next_start = hedge.map(|hedge| Instant::now() + hedge);
                    let busy = busy(&routes);
                    if !routes.is_empty() {
                        // Beside what is under way another attempt needs somebody else to ask.
                        if !self.is_anyone_free(&busy) {
                            next_start = Some(Instant::now() + LOOK_AGAIN);
                            continue;
                        }
                        self.base.counters.hedges.add(1);
                    }
                    let flight = Flight::default();
                    routes.push(flight.clone());
                    flying.push(self.fly(flight, method, frame, &metadata, (call.tried.clone(), busy), limits));
                }
            }
        }
    }

    /// Whether a member is connected that is not busy with this call. Works for the connections of all.
    fn is_anyone_free(&self, busy: &[Arc<Member>]) -> bool {
        let free = self.members().iter().filter(|one| one.unary.connection().is_some() && !is_among(one, busy)).count();
        free > 0
    }

    /// Looks at a failed attempt: how long to wait before the next one, or the error to end with.
    fn consider(
        &self,
        call: &mut Progress,
        method: MethodAt<'_>,
        member: &Arc<Member>,
        failure: Failure,
        busy: &[Arc<Member>],
        limits: &Limits,
    ) -> Result<Duration> {
        call.attempts += u32::from(!matches!(failure, Failure::NotSent));
        call.tried.push(member.clone());
        let members = self.members();
        let unasked = || members.iter().filter(|one| !is_among(one, &call.tried) && !is_among(one, busy));
        let ready = unasked().any(|one| one.unary.is_up());
        let others = ready || unasked().any(|one| one.unary.is_coming());
        let endpoint = member.endpoint.to_string();
        let around = Around { others, alone: members.len() < 2, deadline: limits.deadline };
        let verdict = outcome::judge(failure, method.repeat, &endpoint, around);
        let (Verdict::Final(ref error) | Verdict::Again(ref error, _)) = verdict;
        self.base.log.debug(|| format!("{endpoint}: attempt {} of {}: {error}", call.attempts, method.path));
        let (error, penalty) = match verdict {
            Verdict::Final(error) if call.resent => return Err(finish(error.into_ambiguous(), call.attempts)),
            Verdict::Final(error) => {
                let error = finish(error, call.attempts);
                return Err(match call.last.take().filter(|_| error.code == code::ERR_TIMEOUT) {
                    Some(last) => {
                        Error { message: format!("{}; before that: {}", error.message, last.message), ..error }
                    }
                    None => error,
                });
            }
            Verdict::Again(error, penalty) => (error, penalty),
        };
        if let Some(penalty) = penalty {
            member.avoid_for(penalty);
        }
        let error = finish(error, call.attempts);
        if self.base.options.max_attempts.is_some_and(|most| call.attempts >= most) {
            return Err(if call.resent { error.into_ambiguous() } else { error });
        }
        call.resent |= error.maybe_applied;
        if !call.resent || error.maybe_applied {
            call.last = Some(error);
        }
        // The next member may do better at once; when all were asked, they get time.
        if ready {
            return Ok(Duration::ZERO);
        }
        call.tried.clear();
        let rest = jitter(call.pause);
        call.pause = PAUSE_MOST.min(call.pause.mul_f64(1.5));
        Ok(rest)
    }

    /// One attempt: finds a member and asks it.
    async fn fly(
        &self,
        flight: Flight,
        method: MethodAt<'_>,
        frame: &Bytes,
        metadata: &HeaderMap,
        (tried, busy): (Vec<Arc<Member>>, Vec<Arc<Member>>),
        limits: &Limits,
    ) -> (Flight, End) {
        let end = match self.route(Purpose::Unary, &tried, &busy, limits).await {
            Err(error) => End::Unreached(error),
            Ok(route) => {
                let member = route.member.clone();
                let _ = flight.set(member.clone());
                match self.once(method, frame, metadata, &route, limits).await {
                    Ok(bytes) => End::Answered(member, bytes),
                    Err(failure) => End::Failed(member, failure),
                }
            }
        };
        (flight, end)
    }

    async fn once(
        &self,
        method: MethodAt<'_>,
        frame: &Bytes,
        metadata: &HeaderMap,
        route: &Route,
        limits: &Limits,
    ) -> std::result::Result<Bytes, Failure> {
        let own = Fate::default();
        let sent = limits.sent.as_deref().unwrap_or(&own);
        sent.begin();
        self.base.counters.bytes_sent.add(frame.len() as i64);
        let answer = {
            let call = route.connection.unary(method.path, metadata.clone(), frame.clone(), limits.deadline, sent);
            let call = limits.within(call);
            tokio::pin!(call);
            tokio::select! {
                answer = &mut call => answer,
                _ = sleep(self.base.options.hedge_after.unwrap_or(SUSPICION)) => {
                    self.suspect(route);
                    call.await
                }
            }
        };
        match answer {
            Ok(answer) => answer,
            Err(stop) if sent.is_sent() => {
                if matches!(stop, Stop::Deadline) {
                    route.member.avoid_for(SUSPICION);
                }
                Err(Failure::Stopped(stop))
            }
            Err(Stop::Deadline) => Err(Failure::NotSent),
            Err(stop) => Err(Failure::StoppedUnsent(stop)),
        }
    }

    /// It may be paused or cut off: others are asked first, and a ping finds out.
    fn suspect(&self, route: &Route) {
        route.member.avoid_for(SUSPICION);
        let (connection, limit) = (route.connection.clone(), self.base.options.ping_timeout);
        self.base.runtime.spawn(async move { connection.probe(limit).await });
    }
}

/// What a call has come to so far.
struct Progress {
    /// Who was asked in this round.
    tried: Vec<Arc<Member>>,
    last: Option<Error>,
    resent: bool,
    pause: Duration,
    attempts: u32,
}

impl Progress {
    /// What was learned says more than that the time is over, or that nobody could be reached since; but not than the
    /// caller's own word, unless something may have been written.
    fn end_with(&mut self, error: Error) -> Error {
        let told = matches!(error.code, code::ERR_CANCELED | code::ERR_CLOSED);
        match self.last.take() {
            Some(last) if !told => last,
            Some(last) if last.maybe_applied => last,
            _ => error,
        }
    }
}

fn finish(error: Error, attempts: u32) -> Error {
    match attempts {
        0 | 1 => error,
        _ => Error { message: format!("{} (after {attempts} attempts)", error.message), ..error },
    }
}

/// With whom an attempt is, once it found somebody.
type Flight = Arc<OnceLock<Arc<Member>>>;

fn busy(flights: &[Flight]) -> Vec<Arc<Member>> {
    flights.iter().filter_map(|flight| flight.get().cloned()).collect()
}

enum End {
    Answered(Arc<Member>, Bytes),
    Failed(Arc<Member>, Failure),
    Unreached(Error),
}

pub(super) fn decode<Res: prost::Message + Default>(bytes: Bytes, method: MethodAt<'_>, endpoint: &str) -> Result<Res> {
    Res::decode(bytes).map_err(|e| outcome::malformed(&e.to_string(), method.repeat, endpoint))
}
