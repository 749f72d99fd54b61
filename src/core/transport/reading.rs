//! A long answer in many messages, read as fast as it is taken and no faster, on a connection of its own (§1.9).

use super::at::At;
use super::auth::Token;
use super::call::{decode, MOST_REFRESHES, PAUSE_FIRST, PAUSE_MOST};
use super::channel::{jitter, Purpose};
use super::connection::{broken, check_head, lost, Connection, Failure, OpenStream};
use super::outcome::{self, Around, Verdict};
use super::{Endpoint, Error, Limits, Member, Method, Result, Transport};
use bytes::{Buf, Bytes, BytesMut};
use http::header::{HeaderMap, HeaderValue};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// An answer under way. Dropping it ends the stream and its connection.
pub struct Reading<Res> {
    method: Method,
    frames: Frames,
    first: Option<Bytes>,
    pub endpoint: String,
    at: At,
    _message: PhantomData<fn() -> Res>,
}

impl Transport {
    /// Opens one at the endpoint named, or at any; its first message has come when this returns. Until then what fails
    /// is tried again within the limits, at another endpoint if none is named. `connecting` bounds each attempt to get
    /// a connection.
    pub async fn read<Req: prost::Message, Res: prost::Message + Default>(
        &self,
        method: Method,
        request: &Req,
        named: Option<&Endpoint>,
        connecting: Duration,
        limits: &Limits,
    ) -> Result<Reading<Res>> {
        self.base.counters.calls.add(1);
        let frame = self.frame(request)?;
        let (mut refreshes, mut pause) = (0, PAUSE_FIRST);
        let mut tried: Vec<Arc<Member>> = Vec::new();
        let most = Instant::now() + connecting;
        loop {
            let near =
                Limits { deadline: limits.deadline.min(most.max(Instant::now() + PAUSE_MOST)), ..limits.clone() };
            let token = self.token(&near).await?;
            let chosen = match named {
                Some(_) => None,
                None => Some(self.route(Purpose::Unary, &tried, &[], &near).await?.member),
            };
            let endpoint = chosen.as_ref().map(|member| &member.endpoint).or(named).expect("one of the two");
            let text = endpoint.to_string();
            let failure = match self.begin(method, &frame, endpoint, &token, &near, limits).await {
                Ok(reading) => return Ok(reading),
                Err(Begun::Unreached(error)) if chosen.is_none() || Instant::now() >= most => return Err(error),
                Err(Begun::Unreached(_)) => Failure::NotSent,
                Err(Begun::Failed(failure)) => failure,
            };
            let others = chosen.is_some() && self.members().len() > 1;
            let around = Around { others, alone: !others, deadline: limits.deadline };
            match outcome::judge(failure, method.repeat, &text, around) {
                Verdict::Final(error) if refreshes < MOST_REFRESHES && self.auth.may_renew(&error, &token) => {
                    refreshes += 1;
                    self.renew(&token, &near).await?;
                    continue;
                }
                Verdict::Final(error) => return Err(error),
                Verdict::Again(error, _) if Instant::now() + pause >= limits.deadline.min(most) => return Err(error),
                Verdict::Again(error, penalty) => {
                    self.base.counters.retries.add(1);
                    self.base.log.debug(|| format!("{text}: {} again: {error}", method.path));
                    if let (Some(member), Some(penalty)) = (&chosen, penalty) {
                        member.avoid_for(penalty);
                    }
                }
            }
            tried.extend(chosen);
            if tried.len() >= self.members().len() {
                tried.clear();
            }
            limits.within(tokio::time::sleep(jitter(pause))).await.map_err(outcome::stopped)?;
            pause = PAUSE_MOST.min(pause.mul_f64(1.5));
        }
    }

    async fn begin<Res: prost::Message + Default>(
        &self,
        method: Method,
        frame: &Bytes,
        endpoint: &Endpoint,
        token: &Token,
        connecting: &Limits,
        limits: &Limits,
    ) -> std::result::Result<Reading<Res>, Begun> {
        let at = self.apart(endpoint).map_err(Begun::Unreached)?;
        let route = at.route(Purpose::Bulk, &[], &[], connecting).await.map_err(Begun::Unreached)?;
        let mut metadata = HeaderMap::new();
        self.base.options.metadata.add_to(&mut metadata);
        limits.metadata.add_to(&mut metadata);
        if let Some(token) = &token.value {
            metadata.insert("token", token.clone());
        }
        if limits.require_leader {
            metadata.insert("hasleader", HeaderValue::from_static("true"));
        }
        let opening = async {
            let mut frames = Frames::open(&route.connection, method.path, metadata, frame.clone()).await?;
            let first = frames.next().await?;
            Ok((frames, first))
        };
        match limits.within(opening).await {
            Ok(Ok((frames, first))) => {
                Ok(Reading { method, frames, first, endpoint: endpoint.to_string(), at, _message: PhantomData })
            }
            Ok(Err(failure)) => Err(Begun::Failed(failure)),
            Err(stop) => Err(Begun::Failed(Failure::Stopped(stop))),
        }
    }
}

/// Why none was begun.
enum Begun {
    Unreached(Error),
    Failed(Failure),
}

impl<Res: prost::Message + Default> Reading<Res> {
    /// The next message; `None` once the server has said that this is all.
    pub async fn next(&mut self, limits: &Limits) -> Result<Option<Res>> {
        let bytes = match self.first.take() {
            Some(first) => Some(first),
            None => match limits.within(self.frames.next()).await {
                Ok(bytes) => bytes.map_err(|failure| self.error(failure))?,
                Err(stop) => return Err(self.error(Failure::Stopped(stop))),
            },
        };
        let Some(bytes) = bytes else { return Ok(None) };
        self.at.base.counters.bytes_received.add(bytes.len() as i64);
        decode(bytes, self.method, &self.endpoint).map(Some)
    }

    fn error(&self, failure: Failure) -> Error {
        let around = Around { others: false, alone: true, deadline: Instant::now() };
        match outcome::judge(failure, self.method.repeat, &self.endpoint, around) {
            Verdict::Final(error) | Verdict::Again(error, _) => error,
        }
    }
}

/// The messages of a stream, unframed one by one. What the server may send ahead is bounded by the stream's window.
struct Frames {
    body: h2::RecvStream,
    buffer: BytesMut,
    ended: bool,
    _counted: OpenStream,
}

impl Frames {
    async fn open(
        connection: &Connection,
        path: &str,
        metadata: HeaderMap,
        message: Bytes,
    ) -> std::result::Result<Self, Failure> {
        let counted = connection.count_stream();
        let mut sender = connection.ready().await.map_err(|_| Failure::NotSent)?;
        let request = connection.request(path, metadata);
        let (response, mut body) = sender.send_request(request, false).map_err(|_| Failure::NotSent)?;
        body.send_data(message, true).map_err(|_| Failure::NotSent)?;
        let (head, body) = response.await.map_err(lost)?.into_parts();
        check_head(&head)?;
        match tonic::Status::from_header_map(&head.headers) {
            Some(status) if status.code() != tonic::Code::Ok => Err(Failure::Status(status)),
            status => Ok(Frames { body, buffer: BytesMut::new(), ended: status.is_some(), _counted: counted }),
        }
    }

    async fn next(&mut self) -> std::result::Result<Option<Bytes>, Failure> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            if self.ended {
                return Ok(None);
            }
            match self.body.data().await {
                Some(chunk) => {
                    let chunk = chunk.map_err(broken)?;
                    self.body.flow_control().release_capacity(chunk.len()).map_err(broken)?;
                    self.buffer.extend_from_slice(&chunk);
                }
                None => self.end().await?,
            }
        }
    }

    /// A whole message out of the buffer.
    fn take(&mut self) -> std::result::Result<Option<Bytes>, Failure> {
        let Some(prefix) = self.buffer.first_chunk::<5>() else { return Ok(None) };
        let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        if prefix[0] != 0 {
            return Err(Failure::Malformed("the answer is compressed, which was not asked for".into()));
        }
        if length > i32::MAX as usize {
            return Err(Failure::Malformed(format!("the answer has a message of {length} bytes")));
        }
        if self.buffer.len() - 5 < length {
            return Ok(None);
        }
        self.buffer.advance(5);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    async fn end(&mut self) -> std::result::Result<(), Failure> {
        let trailers = self.body.trailers().await.map_err(broken)?.unwrap_or_default();
        self.ended = true;
        match tonic::Status::from_header_map(&trailers) {
            Some(status) if status.code() != tonic::Code::Ok => Err(Failure::Status(status)),
            None => Err(Failure::Malformed("the answer ended without a gRPC status".into())),
            Some(_) if !self.buffer.is_empty() => Err(Failure::Malformed("the answer ended within a message".into())),
            Some(_) => Ok(()),
        }
    }
}
