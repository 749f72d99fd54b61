//! The one room through which everything goes to the network: a unary call, or a stream, to one of the
//! endpoints. What is above knows neither sockets nor HTTP/2.

mod channel;
mod connection;
mod service;

pub use service::StreamService;

use super::code;
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use bytes::Bytes;
use channel::Channel;
use connection::Failure;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep_until, timeout_at, Instant};
use tokio_util::sync::CancellationToken;

/// A unary method, and whether calling it twice can change more than calling it once (§2.1).
#[derive(Clone, Copy)]
pub struct Method {
    pub path: &'static str,
    pub repeatable: bool,
}

/// How long a call may take, and what ends it earlier.
pub struct Limits {
    pub deadline: Instant,
    pub cancelled: CancellationToken,
}

pub struct Transport {
    endpoints: Vec<Endpoint>,
    /// Streams have a connection of their own, so that large reads do not starve them (§1.9).
    unary: Vec<Arc<Channel>>,
    streams: Vec<Arc<Channel>>,
    preferred: AtomicUsize,
}

const RETRY_FIRST: Duration = Duration::from_millis(25);
const RETRY_MOST: Duration = Duration::from_millis(500);

impl Transport {
    pub fn new(endpoints: Vec<Endpoint>, runtime: &tokio::runtime::Handle) -> Self {
        let channels = || endpoints.iter().map(|e| Channel::new(e.clone(), runtime.clone())).collect();
        Transport { unary: channels(), streams: channels(), endpoints, preferred: AtomicUsize::new(0) }
    }

    /// Calls `method` and decodes its answer. One deadline covers all attempts; a method that is not
    /// repeatable is sent again only where it certainly was not executed (§2.3).
    pub async fn unary<Req: prost::Message, Res: prost::Message + Default>(
        &self,
        method: Method,
        request: &Req,
        limits: &Limits,
    ) -> Result<Res> {
        let request = connection::frame(request);
        let mut pause = RETRY_FIRST;
        let mut turn = self.preferred.load(Ordering::Relaxed);
        loop {
            let index = turn % self.unary.len();
            let channel = &self.unary[index];
            let connection = match limits.within(channel.connection()).await {
                Err(stop) => return Err(self.not_sent(stop)),
                Ok(Err(())) => {
                    turn += 1;
                    continue;
                }
                Ok(Ok(connection)) => connection,
            };
            self.preferred.store(index, Ordering::Relaxed);
            let endpoint = channel.endpoint().to_string();
            let mut sent = false;
            let attempt = connection.unary(method.path, request.clone(), limits.deadline, &mut sent);
            let failure = match limits.within(attempt).await {
                Ok(Ok(bytes)) => return decode(bytes, method, &endpoint),
                Ok(Err(failure)) => failure,
                Err(stop) if sent => Failure::Stopped(stop),
                Err(stop) => return Err(self.not_sent(stop)),
            };
            let resend = match &failure {
                Failure::NotSent => true,
                Failure::Lost(_) => method.repeatable,
                _ => false,
            };
            turn += 1;
            let wake = Instant::now() + pause;
            if !resend || wake >= limits.deadline {
                return Err(outcome(failure, method, &endpoint));
            }
            // Cancellation is noticed by what follows the pause.
            let _ = limits.within(sleep_until(wake)).await;
            pause = RETRY_MOST.min(pause.mul_f64(1.5));
        }
    }

    /// Where tonic's generated clients send their streams.
    pub fn streams(self: &Arc<Self>) -> StreamService {
        StreamService::new(self.clone())
    }

    fn not_sent(&self, stop: Stop) -> Error {
        match stop {
            Stop::Deadline => self.unavailable(&self.unary),
            Stop::Cancelled => cancelled(),
        }
    }

    fn unavailable(&self, channels: &[Arc<Channel>]) -> Error {
        let troubles: Vec<_> = channels.iter().map(|c| format!("{}: {}", c.endpoint(), c.trouble())).collect();
        Error {
            endpoint: self.endpoints.first().map(Endpoint::to_string),
            ..Error::new(code::ERR_UNAVAILABLE, format!("no endpoint answered in time: {}", troubles.join("; ")))
        }
    }
}

/// What ended a call before its answer came.
#[derive(Clone, Copy)]
enum Stop {
    Deadline,
    Cancelled,
}

impl Limits {
    async fn within<T>(&self, work: impl Future<Output = T>) -> std::result::Result<T, Stop> {
        tokio::select! {
            biased;
            _ = self.cancelled.cancelled() => Err(Stop::Cancelled),
            done = timeout_at(self.deadline, work) => done.map_err(|_| Stop::Deadline),
        }
    }
}

fn cancelled() -> Error {
    Error::new(code::ERR_CANCELED, "the call was cancelled")
}

fn decode<Res: prost::Message + Default>(bytes: Bytes, method: Method, endpoint: &str) -> Result<Res> {
    Res::decode(bytes).map_err(|e| outcome(Failure::Malformed(e.to_string()), method, endpoint))
}

/// What a failed attempt means for the caller (appendix C of the semantics: the outcome machine of one write).
fn outcome(failure: Failure, method: Method, endpoint: &str) -> Error {
    let sent = !matches!(failure, Failure::NotSent);
    let error = match failure {
        Failure::Status(status) => Error::from_status(status.code() as i32, status.message(), endpoint),
        Failure::NotSent => {
            Error::new(code::ERR_UNAVAILABLE, format!("{endpoint}: the connection closed before the request was sent"))
        }
        Failure::Lost(why) => Error::new(code::ERR_UNAVAILABLE, format!("{endpoint}: the connection was lost: {why}")),
        Failure::Stopped(Stop::Cancelled) => cancelled(),
        Failure::Stopped(Stop::Deadline) => {
            Error::new(code::ERR_TIMEOUT, format!("{endpoint}: no answer within the time limit"))
        }
        Failure::Malformed(why) => Error::new(code::ERR_PROTOCOL, format!("{endpoint}: {why}")),
    };
    let open = match error.grpc_status {
        None => sent,
        Some(_) => matches!(
            error.code,
            code::ERR_STOPPED
                | code::ERR_LEADER_CHANGED
                | code::ERR_REQUEST_CANCELED
                | code::ERR_SERVER
                | code::ERR_SERVER_TIMEOUT..=code::ERR_SERVER_TIMEOUT_WAIT_APPLIED
        ),
    };
    let error = Error { endpoint: Some(endpoint.to_owned()), ..error };
    match method.repeatable || !open {
        true => error,
        false => Error {
            code: code::ERR_AMBIGUOUS,
            message: format!("the write may have been applied: {}", error.message),
            maybe_applied: true,
            ..error
        },
    }
}
