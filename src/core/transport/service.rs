//! The room as tonic's generated clients see it: a gRPC service over the connections for streams.

use super::auth::Token;
use super::channel::Purpose;
use super::connection::{Connection, OpenStream};
use super::{lock, Limits, Member, Metadata, Transport};
use crate::core::code;
use crate::core::counters::Counters;
use crate::core::error::{Error, Result};
use bytes::Bytes;
use http::header::HeaderValue;
use http_body::{Body, Frame};
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{ready, Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long other members are asked first after a stream broke.
const BROKEN: Duration = Duration::from_secs(2);
const LEARNER: Duration = Duration::from_secs(30);

/// What a stream says of itself: streams that say the same could be one (§6.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Headers {
    /// `None`: as the client does.
    pub require_leader: Option<bool>,
    /// Beside the client's.
    pub metadata: Metadata,
}

#[derive(Clone)]
pub struct StreamService {
    transport: Arc<Transport>,
    headers: Headers,
    /// What the newest stream went out with.
    last: Last,
    /// The stream that this one is to be beside: on another member, if there is one.
    beside: Option<Last>,
}

type Last = Arc<Mutex<Option<(Arc<Member>, Token)>>>;

impl StreamService {
    pub(super) fn new(transport: Arc<Transport>, headers: Headers) -> Self {
        StreamService { transport, headers, last: Arc::default(), beside: None }
    }

    /// For a stream on another member than the newest of this one's.
    pub fn beside(&self) -> Self {
        StreamService { last: Arc::default(), beside: Some(self.last.clone()), ..self.clone() }
    }

    /// The same in place of a stream whose token was refused.
    pub fn after(self, refused: &StreamService) -> Self {
        StreamService { last: Arc::new(Mutex::new(lock(&refused.last).clone())), ..self }
    }

    pub fn counters(&self) -> &Counters {
        &self.transport.base.counters
    }

    fn limits(&self) -> Limits {
        Limits::without_end(&self.transport.base.closing)
    }

    fn limits_to_renew(&self) -> Limits {
        Limits { deadline: Instant::now() + self.transport.base.options.connect_timeout, ..self.limits() }
    }

    pub fn is_closing(&self) -> bool {
        self.transport.base.closing.is_cancelled()
    }

    /// Where the newest stream is, or was tried.
    pub fn endpoint(&self) -> String {
        lock(&self.last).as_ref().map(|(member, _)| member.endpoint.to_string()).unwrap_or_default()
    }

    /// What a status of a stream means: made here where the connection broke, or sent by the server (§3.5).
    pub fn error(&self, status: &tonic::Status) -> Error {
        let endpoint = self.endpoint();
        match std::error::Error::source(status) {
            Some(source) => source.downcast_ref::<Error>().cloned().unwrap_or_else(|| Error {
                endpoint: Some(endpoint.clone()),
                ..Error::new(code::ERR_UNAVAILABLE, format!("{endpoint}: the stream was lost: {}", status.message()))
            }),
            None => Error::from_status(status.code() as i32, status.message(), &endpoint),
        }
    }

    /// Tells that the newest stream broke, so that the next one goes elsewhere first.
    pub fn broke(&self, why: i32) {
        if let Some((member, _)) = &*lock(&self.last) {
            member.avoid_for(if why == code::ERR_NOT_SUPPORTED_FOR_LEARNER { LEARNER } else { BROKEN });
        }
    }

    /// Whether a new token may mend what the server refused.
    pub fn may_renew(&self, error: &Error) -> bool {
        lock(&self.last).as_ref().is_some_and(|(_, token)| self.transport.auth.may_renew(error, token))
    }

    /// Whether other credentials were set since the newest stream was opened; true once, for it to be left.
    pub fn is_outdated(&self) -> bool {
        lock(&self.last).take_if(|(_, token)| self.transport.auth.is_another(token)).is_some()
    }

    /// Waits until other credentials are set than those of the newest stream.
    pub async fn identity_changed(&self) {
        let Some(known) = lock(&self.last).as_ref().map(|(_, token)| token.identity) else {
            return std::future::pending().await;
        };
        // The sender is as old as the client.
        let _ = self.transport.auth.identity.subscribe().wait_for(|identity| *identity != known).await;
    }

    /// Whether the newest stream has found a connection.
    pub fn is_sent(&self) -> bool {
        lock(&self.last).is_some()
    }

    /// A stream is about to be opened: what the one before it went out with is of no interest any more.
    pub fn begin(&self) {
        *lock(&self.last) = None;
    }

    /// Gets a new token in place of the one of the newest stream.
    pub async fn renew(&self) -> Result<()> {
        let token = lock(&self.last).as_ref().map(|(_, token)| token.clone());
        match token {
            Some(token) => self.transport.renew(&token, &self.limits_to_renew()).await,
            None => Ok(()),
        }
    }

    async fn open(self, mut request: http::Request<tonic::body::Body>) -> Result<http::Response<Answer>> {
        let limits = self.limits();
        let token = self.transport.token(&self.limits_to_renew()).await?;
        let metadata = request.headers_mut();
        self.transport.base.options.metadata.add_to(metadata);
        self.headers.metadata.add_to(metadata);
        if let Some(value) = &token.value {
            metadata.insert("token", value.clone());
        }
        if self.headers.require_leader.unwrap_or(self.transport.base.options.require_leader) {
            metadata.insert("hasleader", HeaderValue::from_static("true"));
        }
        let other = self.beside.as_ref().and_then(|last| lock(last).as_ref().map(|(member, _)| member.clone()));
        let others: Vec<_> = other.into_iter().filter(|_| self.transport.members().len() > 1).collect();
        let route = self.transport.route(Purpose::Streams, &[], &others, &limits).await?;
        let endpoint = route.member.endpoint.to_string();
        *lock(&self.last) = Some((route.member, token));
        start(&route.connection, request).await.map_err(|error| {
            Error::new(code::ERR_UNAVAILABLE, format!("{endpoint}: the stream could not be opened: {error}"))
        })
    }
}

async fn start(
    connection: &Connection,
    request: http::Request<tonic::body::Body>,
) -> std::result::Result<http::Response<Answer>, h2::Error> {
    let counted = connection.count_stream();
    let mut sender = connection.ready().await?;
    let (head, body) = request.into_parts();
    let request = connection.request(head.uri.path(), head.headers);
    let (answer, stream) = sender.send_request(request, false).inspect_err(|_| connection.drain())?;
    let dropped = CancellationToken::new();
    let guard = dropped.clone().drop_guard();
    tokio::spawn(async move {
        tokio::select! {
            _ = dropped.cancelled() => {}
            _ = pump(body, stream) => {}
        }
    });
    Ok(answer.await?.map(|body| Answer { body, data_done: false, _guard: guard, _counted: counted }))
}

/// Carries the request's frames to the socket. Ending early drops the stream, which resets it: a half-closed
/// watch would go on at the server (§6.18).
async fn pump(mut body: tonic::body::Body, mut stream: h2::SendStream<Bytes>) -> std::result::Result<(), h2::Error> {
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Some(mut data) = frame.ok().and_then(|frame| frame.into_data().ok()) else { break };
        while !data.is_empty() {
            stream.reserve_capacity(data.len());
            match poll_fn(|cx| stream.poll_capacity(cx)).await {
                Some(granted) => stream.send_data(data.split_to(granted?.min(data.len())), false)?,
                None => return Ok(()),
            }
        }
    }
    stream.send_data(Bytes::new(), true)
}

impl tower_service::Service<http::Request<tonic::body::Body>> for StreamService {
    type Response = http::Response<Answer>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(self.clone().open(request))
    }
}

/// The body of an answer; dropping it resets the stream.
pub struct Answer {
    body: h2::RecvStream,
    data_done: bool,
    _guard: DropGuard,
    _counted: OpenStream,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, h2::Error>>> {
        if !self.data_done {
            if let Some(chunk) = ready!(self.body.poll_data(cx)) {
                let chunk = chunk?;
                self.body.flow_control().release_capacity(chunk.len())?;
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
            self.data_done = true;
        }
        let trailers = ready!(self.body.poll_trailers(cx))?;
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }
}
