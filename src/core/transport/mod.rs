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
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep_until, timeout_at, Instant};

/// A unary method, and whether calling it twice can change more than calling it once (§2.1).
#[derive(Clone, Copy)]
pub struct Method {
    pub path: &'static str,
    pub repeatable: bool,
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
        deadline: Instant,
    ) -> Result<Res> {
        let request = connection::frame(request);
        let mut pause = RETRY_FIRST;
        let mut turn = self.preferred.load(Ordering::Relaxed);
        loop {
            let index = turn % self.unary.len();
            let channel = &self.unary[index];
            let connection = match timeout_at(deadline, channel.connection()).await {
                Err(_) => return Err(self.unavailable(&self.unary)),
                Ok(Err(_)) => {
                    turn += 1;
                    continue;
                }
                Ok(Ok(connection)) => connection,
            };
            self.preferred.store(index, Ordering::Relaxed);
            let endpoint = channel.endpoint().to_string();
            let mut sent = false;
            let answer =
                timeout_at(deadline, connection.unary(method.path, request.clone(), deadline, &mut sent)).await;
            let failure = match answer {
                Ok(Ok(bytes)) => return decode(bytes, method, &endpoint),
                Ok(Err(failure)) => failure,
                Err(_) if sent => Failure::NoAnswer,
                Err(_) => return Err(self.unavailable(&self.unary)),
            };
            let resend = match &failure {
                Failure::NotSent => true,
                Failure::Lost(_) => method.repeatable,
                _ => false,
            };
            if !resend {
                return Err(outcome(failure, method, &endpoint));
            }
            turn += 1;
            let wake = Instant::now() + pause;
            if wake >= deadline {
                return Err(outcome(failure, method, &endpoint));
            }
            sleep_until(wake).await;
            pause = RETRY_MOST.min(pause.mul_f64(1.5));
        }
    }

    /// Where tonic's generated clients send their streams.
    pub fn streams(self: &Arc<Self>) -> StreamService {
        StreamService::new(self.clone())
    }

    fn unavailable(&self, channels: &[Arc<Channel>]) -> Error {
        let troubles: Vec<_> = channels.iter().map(|c| format!("{}: {}", c.endpoint(), c.trouble())).collect();
        Error {
            endpoint: self.endpoints.first().map(Endpoint::to_string),
            ..Error::new(code::ERR_UNAVAILABLE, format!("no endpoint answered in time: {}", troubles.join("; ")))
        }
    }
}

fn decode<Res: prost::Message + Default>(bytes: Bytes, method: Method, endpoint: &str) -> Result<Res> {
    Res::decode(bytes).map_err(|e| outcome(Failure::Malformed(e.to_string()), method, endpoint))
}

/// What a failed attempt means for the caller (appendix C of the semantics: the outcome machine of one write).
fn outcome(failure: Failure, method: Method, endpoint: &str) -> Error {
    let error = match failure {
        Failure::Status(status) => Error::from_status(status.code() as i32, status.message(), endpoint),
        Failure::NotSent => {
            Error::new(code::ERR_UNAVAILABLE, format!("{endpoint}: the connection closed before the request was sent"))
        }
        Failure::Lost(why) => Error::new(code::ERR_UNAVAILABLE, format!("{endpoint}: the connection was lost: {why}")),
        Failure::NoAnswer => Error::new(code::ERR_TIMEOUT, format!("{endpoint}: no answer within the time limit")),
        Failure::Malformed(why) => Error::new(code::ERR_PROTOCOL, format!("{endpoint}: {why}")),
    };
    let open = match (&error.grpc_status, error.code) {
        (None, _) => !error.message.ends_with("before the request was sent"),
        (Some(_), code::ERR_STOPPED | code::ERR_LEADER_CHANGED | code::ERR_REQUEST_CANCELED | code::ERR_SERVER) => true,
        (Some(_), code) => (code::ERR_SERVER_TIMEOUT..=code::ERR_SERVER_TIMEOUT_WAIT_APPLIED).contains(&code),
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
