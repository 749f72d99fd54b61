//! A unary call: its attempts on one member after another, within one deadline (§2, appendix C).

use super::channel::{jitter, Purpose};
use super::connection::{self, Failure};
use super::outcome::{self, Verdict};
use super::{Limits, Member, Method, Repeat, Route, Stop, Transport};
use crate::core::code;
use crate::core::error::{Error, Result};
use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, Instant};

const PAUSE_FIRST: Duration = Duration::from_millis(25);
const PAUSE_MOST: Duration = Duration::from_millis(500);
/// How long a member that did not answer is asked last.
const SUSPICION: Duration = Duration::from_secs(3);
const MOST_REFRESHES: u32 = 2;

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

/// What became of an attempt, and with whom.
type Attempt = (Arc<Member>, std::result::Result<Bytes, Failure>);

impl Transport {
    /// Calls a method and decodes its answer. A token that the server does not take is renewed, and the call made
    /// again whatever it is: such an answer comes before anything is done (§2.4).
    pub async fn unary<Req: prost::Message, Res: prost::Message + Default>(
        &self,
        method: Method,
        request: &Req,
        limits: &Limits,
    ) -> Result<Res> {
        self.unary_reply(method, request, limits).await.map(|reply| reply.message)
    }

    /// The same, with what else is known of the answer.
    pub async fn unary_reply<Req: prost::Message, Res: prost::Message + Default>(
        &self,
        method: Method,
        request: &Req,
        limits: &Limits,
    ) -> Result<Reply<Res>> {
        self.base.counters.calls.add(1);
        let (size, most) = (request.encoded_len(), self.base.options.max_request_bytes);
        if size > most {
            let text = format!("the request has {size} bytes, and the client's limit is {most}");
            return Err(Error::new(code::ERR_REQUEST_TOO_LARGE, text));
        }
        let frame = connection::frame(request);
        let mut refreshes = 0;
        loop {
            let token = self.token(limits).await?;
            match self.send(method, &frame, token.value.clone(), limits).await {
                Err(error) if refreshes < MOST_REFRESHES && self.auth.may_renew(&error) => {
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

    /// A call with a given token, undecoded.
    pub(super) async fn send(
        &self,
        method: Method,
        frame: &Bytes,
        token: Option<HeaderValue>,
        limits: &Limits,
    ) -> Result<Answer> {
        let mut metadata = HeaderMap::new();
        if let Some(token) = token {
            metadata.insert("token", token);
        }
        if limits.require_leader {
            metadata.insert("hasleader", HeaderValue::from_static("true"));
        }
        let mut tried = Vec::new();
        let mut last: Option<Error> = None;
        let mut resent = false;
        let mut pause = PAUSE_FIRST;
        let mut attempts = 0;
        loop {
            let route = match self.route(Purpose::Unary, &tried, limits).await {
                Ok(route) => route,
                // What was learned before says more than that nobody could be reached since.
                Err(error) => return Err(last.unwrap_or(error)),
            };
            let (member, answer) = self.attempt(method, frame, &metadata, route, &tried, limits).await;
            let failure = match answer {
                Ok(bytes) => {
                    self.base.counters.bytes_received.add(bytes.len() as i64);
                    return Ok(Answer { endpoint: member.endpoint.to_string(), bytes, resent });
                }
                Err(failure) => failure,
            };
            attempts += u32::from(!matches!(failure, Failure::NotSent));
            tried.push(member.clone());
            let others = tried.len() < self.members().len();
            let verdict = outcome::judge(failure, method.repeat, &member.endpoint.to_string(), others, limits.deadline);
            let (error, penalty) = match verdict {
                Verdict::Final(error) if resent => return Err(self.finish(outcome::ambiguous(error), attempts)),
                Verdict::Final(error) => return Err(self.finish(error, attempts)),
                Verdict::Again(error, penalty) => (error, penalty),
            };
            self.base.log.debug(|| format!("{}: attempt {attempts} of {}: {error}", member.endpoint, method.path));
            if let Some(penalty) = penalty {
                member.avoid_for(penalty);
            }
            if self.base.options.max_attempts.is_some_and(|most| attempts >= most) {
                return Err(self.finish(error, attempts));
            }
            // The next member may do better at once; when all were asked, they get time.
            if !others {
                tried.clear();
                let rest = jitter(pause);
                if Instant::now() + rest >= limits.deadline {
                    return Err(self.finish(error, attempts));
                }
                // Its end by the limits is noticed by what follows.
                let _ = limits.within(sleep(rest)).await;
                pause = PAUSE_MOST.min(pause.mul_f64(1.5));
            }
            self.base.counters.retries.add(1);
            resent |= error.maybe_applied;
            if !resent || error.maybe_applied {
                last = Some(error);
            }
        }
    }

    fn finish(&self, error: Error, attempts: u32) -> Error {
        if error.maybe_applied {
            self.base.counters.ambiguous.add(1);
        }
        match attempts {
            0 | 1 => error,
            _ => Error { message: format!("{} (after {attempts} attempts)", error.message), ..error },
        }
    }

    /// Sends once; a read that stays without an answer goes to a second member too, and the first answer wins (§2.13).
    async fn attempt(
        &self,
        method: Method,
        frame: &Bytes,
        metadata: &HeaderMap,
        route: Route,
        tried: &[Arc<Member>],
        limits: &Limits,
    ) -> Attempt {
        let member = route.member.clone();
        let connection = route.connection.clone();
        let first = self.once(method, frame, metadata, route, limits);
        tokio::pin!(first);
        let patience = self.base.options.hedge_after.unwrap_or(SUSPICION);
        tokio::select! {
            attempt = &mut first => return attempt,
            _ = sleep(patience) => {}
        }
        // It may be paused or cut off: others are asked first, and a ping finds out.
        member.avoid_for(SUSPICION);
        let limit = self.base.options.ping_timeout;
        self.base.runtime.spawn(async move { connection.probe(limit).await });
        let alone = self.members().len() < 2;
        if method.repeat != Repeat::Freely || self.base.options.hedge_after.is_none() || alone {
            return first.await;
        }
        let second = async {
            let used: Vec<_> = tried.iter().cloned().chain([member.clone()]).collect();
            match self.route(Purpose::Unary, &used, limits).await {
                Ok(route) if !Arc::ptr_eq(&route.member, &member) => {
                    self.base.counters.hedges.add(1);
                    Some(self.once(method, frame, metadata, route, limits).await)
                }
                _ => None,
            }
        };
        tokio::pin!(second);
        tokio::select! {
            attempt = &mut first => match attempt {
                (_, Ok(_)) => attempt,
                _ => second.await.unwrap_or(attempt),
            },
            attempt = &mut second => match attempt {
                Some((_, Ok(_))) => attempt.unwrap_or_else(|| unreachable!()),
                _ => first.await,
            },
        }
    }

    async fn once(
        &self,
        method: Method,
        frame: &Bytes,
        metadata: &HeaderMap,
        route: Route,
        limits: &Limits,
    ) -> Attempt {
        let mut sent = false;
        self.base.counters.bytes_sent.add(frame.len() as i64);
        let call = route.connection.unary(method.path, metadata.clone(), frame.clone(), limits.deadline, &mut sent);
        let answer = match limits.within(call).await {
            Ok(answer) => answer,
            Err(stop) if sent => Err(Failure::Stopped(stop)),
            Err(Stop::Deadline) => Err(Failure::NotSent),
            Err(stop) => Err(Failure::StoppedUnsent(stop)),
        };
        (route.member, answer)
    }
}

pub(super) fn decode<Res: prost::Message + Default>(bytes: Bytes, method: Method, endpoint: &str) -> Result<Res> {
    Res::decode(bytes).map_err(|e| outcome::malformed(&e.to_string(), method.repeat, endpoint))
}
