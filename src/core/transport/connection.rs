//! One HTTP/2 connection to one endpoint, and unary gRPC over it.

use super::super::endpoint::Endpoint;
use super::super::tls::Tls;
use super::dial::{dial, not_http2, Trouble};
use super::patience::Patience;
use super::socket::Heard;
use super::Fate;
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use h2::{Ping, PingPong};
use http::header::{HeaderValue, CONTENT_TYPE, TE, USER_AGENT};
use http::HeaderMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{timeout, Instant};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroize;

const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 5 << 20;
const AGENT: &str = concat!("libetcd3/", env!("CARGO_PKG_VERSION"));
/// Servers count pings that come closer together as abuse (§1.8).
const LEAST_PING_INTERVAL: Duration = Duration::from_secs(5);

/// Why an attempt brought no answer.
pub enum Failure {
    /// The server answered with an error.
    Status(tonic::Status),
    /// No server can have executed the request.
    NotSent,
    /// The connection or stream broke after the request went out.
    Lost(String),
    /// The caller ended it before the request went out.
    StoppedUnsent(super::Stop),
    /// The caller's limits ended it after the request went out.
    Stopped(super::Stop),
    Malformed(String),
}

#[derive(Clone)]
pub struct Connection {
    sender: SendRequest<Bytes>,
    scheme: &'static str,
    authority: Arc<str>,
    shared: Arc<Shared>,
}

struct Shared {
    pinger: Mutex<(PingPong, Option<Instant>)>,
    ending: Ending,
    draining: AtomicBool,
    heard: Heard,
    /// Streams open now, unary calls not counted.
    streams: AtomicUsize,
    closed: CancellationToken,
}

impl Connection {
    /// Connects, makes sure that HTTP/2 is spoken, and leaves the driving of the socket to a task of the runtime.
    pub async fn open(endpoint: &Endpoint, tls: Option<&Tls>, closing: &CancellationToken) -> Result<Self, Trouble> {
        let heard = Heard::default();
        let socket = dial(endpoint, tls, &heard).await?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (sender, mut driver) = h2::client::Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(socket)
            .await
            .map_err(|error| not_http2(&error))?;
        let mut pinger = driver.ping_pong().expect("it is taken for the first time");
        let closed = closing.child_token();
        let (guard, kill) = (closed.clone().drop_guard(), closed.clone());
        let ending = Ending::default();
        let told = ending.clone();
        tokio::spawn(async move {
            let _guard = guard;
            tokio::select! {
                // Its error reaches every open stream.
                end = driver => told.set(end.err()),
                _ = kill.cancelled() => {}
            }
        });
        if pinger.ping(Ping::opaque()).await.is_err() {
            // The driver knows why, and is done.
            closed.cancelled().await;
            return Err(ending.trouble());
        }
        let shared = Shared {
            pinger: Mutex::new((pinger, None)),
            ending,
            draining: AtomicBool::new(false),
            heard,
            streams: AtomicUsize::new(0),
            closed,
        };
        Ok(Connection { sender, scheme, authority: endpoint.authority().into(), shared: Arc::new(shared) })
    }

    pub fn is_open(&self) -> bool {
        !self.shared.closed.is_cancelled() && !self.shared.draining.load(Ordering::Relaxed)
    }

    pub fn ending(&self) -> Ending {
        self.shared.ending.clone()
    }

    pub fn closed_token(&self) -> CancellationToken {
        self.shared.closed.clone()
    }

    /// Ends it with all that is under way.
    pub fn close(&self) {
        self.shared.closed.cancel();
    }

    /// Closes the connection if the server does not answer a ping in time, nor sends anything else: the answer may be
    /// behind a large one on a slow line.
    pub async fn probe(&self, limit: Duration) {
        self.shared.probe(limit, None).await
    }

    /// Pings at intervals while a stream is open, and never else (§1.8); `patience` as in `probe`. Does not keep the
    /// connection open itself.
    pub fn keep_alive(
        &self,
        interval: Duration,
        limit: Duration,
        patience: Option<Arc<Patience>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let shared = self.shared.clone();
        async move {
            loop {
                tokio::select! {
                    _ = shared.closed.cancelled() => return,
                    _ = tokio::time::sleep(interval) => {}
                }
                if shared.streams.load(Ordering::Relaxed) > 0 {
                    // A server that only speaks and does not hear is to be left too.
                    shared.probe(limit, patience.as_deref()).await;
                }
            }
        }
    }

    /// Counts an open stream until dropped.
    pub fn count_stream(&self) -> OpenStream {
        self.shared.streams.fetch_add(1, Ordering::Relaxed);
        OpenStream(self.shared.clone())
    }

    /// The means to open a stream, if the connection still takes one. Above the server's limit it waits inside h2.
    pub async fn ready(&self) -> Result<SendRequest<Bytes>, h2::Error> {
        self.sender.clone().ready().await.inspect_err(|_| self.drain())
    }

    /// Takes no more requests, although those under way may go on: the server has said goodbye.
    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }

    pub fn request(&self, path: &str, metadata: HeaderMap) -> http::Request<()> {
        let uri = http::Uri::builder().scheme(self.scheme).authority(&*self.authority).path_and_query(path).build();
        let mut request = http::Request::new(());
        *request.method_mut() = http::Method::POST;
        *request.version_mut() = http::Version::HTTP_2;
        *request.uri_mut() = uri.expect("an endpoint's authority and a method's path make a URL");
        *request.headers_mut() = metadata;
        let headers = request.headers_mut();
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        request
    }

    /// Sends one framed message and gives back the message of the answer. `sent` tells a caller that gives
    /// up in between whether the request may have reached the server.
    pub async fn unary(
        &self,
        path: &str,
        mut metadata: HeaderMap,
        message: Bytes,
        deadline: Instant,
        sent: &Fate,
    ) -> Result<Bytes, Failure> {
        let mut sender = self.ready().await.map_err(|_| Failure::NotSent)?;
        metadata.insert("grpc-timeout", grpc_timeout(deadline));
        let request = self.request(path, metadata);
        if !sent.send() {
            return Err(Failure::StoppedUnsent(super::Stop::Closed));
        }
        let (response, mut body) = sender.send_request(request, false).map_err(|_| {
            self.drain();
            Failure::NotSent
        })?;
        // Without its end the request cannot be executed.
        body.send_data(message, true).map_err(|_| Failure::NotSent)?;
        let (head, mut body) = response.await.map_err(lost)?.into_parts();
        check_head(&head)?;
        if let Some(status) = tonic::Status::from_header_map(&head.headers) {
            return Err(match status.code() {
                tonic::Code::Ok => Failure::Malformed("the answer is a success without a message".into()),
                _ => Failure::Status(status),
            });
        }
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk.map_err(broken)?;
            body.flow_control().release_capacity(chunk.len()).map_err(broken)?;
            match first.is_empty() {
                true => first = chunk,
                false => rest.extend_from_slice(&chunk),
            }
        }
        let trailers = body.trailers().await.map_err(broken)?.unwrap_or_default();
        match tonic::Status::from_header_map(&trailers) {
            Some(status) if status.code() == tonic::Code::Ok => {}
            Some(status) => return Err(Failure::Status(status)),
            None => return Err(Failure::Malformed("the answer ended without a gRPC status".into())),
        }
        if !rest.is_empty() {
            let mut whole = BytesMut::with_capacity(first.len() + rest.len());
            whole.extend_from_slice(&first);
            whole.extend_from_slice(&rest);
            first = whole.freeze();
        }
        unframe(first)
    }
}

/// Why a connection was closed.
#[derive(Clone, Default)]
pub struct Ending(Arc<OnceLock<Option<h2::Error>>>);

impl Ending {
    fn set(&self, error: Option<h2::Error>) {
        let _ = self.0.set(error);
    }

    fn error(&self) -> Option<&h2::Error> {
        self.0.get()?.as_ref()
    }

    pub fn why(&self) -> String {
        match (self.0.get(), self.error()) {
            (None, _) => "by this side: it did not answer a ping, or its endpoint is not on the list any more".into(),
            (_, None) => "by the server".into(),
            (_, Some(error)) => error.to_string(),
        }
    }

    pub fn for_too_many_pings(&self) -> bool {
        self.error().is_some_and(|e| e.is_remote() && e.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
    }

    /// What it means if it came before HTTP/2 was spoken.
    fn trouble(&self) -> Trouble {
        match self.error() {
            Some(error) => not_http2(error),
            None => Trouble::closed_at_once(),
        }
    }
}

impl Shared {
    /// Without a `patience` it has no end.
    async fn probe(&self, limit: Duration, patience: Option<&Patience>) {
        let Ok(mut pinger) = self.pinger.try_lock() else { return };
        if pinger.1.is_some_and(|last| last.elapsed() < LEAST_PING_INTERVAL) {
            return;
        }
        pinger.1 = Some(Instant::now());
        let answer = pinger.0.ping(Ping::opaque());
        tokio::pin!(answer);
        let asked = Instant::now();
        for waited in 1.. {
            let heard = self.heard.bytes();
            match (timeout(limit, &mut answer).await, patience) {
                (Ok(Ok(_)), None) => return,
                (Ok(Ok(_)), Some(patience)) => return patience.answered(asked.elapsed(), limit),
                (Err(_), None) if self.heard.bytes() > heard => {}
                (Err(_), Some(patience)) if self.heard.bytes() > heard => {
                    if waited >= patience.limits() {
                        patience.used_up();
                        break;
                    }
                }
                _ => break,
            }
        }
        self.closed.cancel();
    }
}

pub struct OpenStream(Arc<Shared>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

pub fn check_head(head: &http::response::Parts) -> Result<(), Failure> {
    let kind = head.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    match (head.status.as_u16(), kind.starts_with("application/grpc")) {
        (200, true) => Ok(()),
        // A proxy's word for a server that is not there.
        (status @ (429 | 502..=504), _) => {
            Err(Failure::Status(tonic::Status::unavailable(format!("HTTP status {status}"))))
        }
        _ => Err(Failure::Malformed(format!(
            "the answer is not gRPC: HTTP status {}, content type {kind:?}",
            head.status.as_u16()
        ))),
    }
}

/// A stream that the server refused, or did not look at any more when it went away, was not processed.
pub fn lost(error: h2::Error) -> Failure {
    let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    match error.is_remote() && (refused || error.is_go_away()) {
        true => Failure::NotSent,
        false => Failure::Lost(error.to_string()),
    }
}

/// The same once the answer has begun.
pub fn broken(error: h2::Error) -> Failure {
    Failure::Lost(error.to_string())
}

/// A message with gRPC's prefix: a byte for compression, four for the length.
pub fn frame<M: prost::Message>(message: &M) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(5 + length);
    frame.put_u8(0);
    frame.put_u32(length as u32);
    message.encode(&mut frame).expect("the buffer has the message's length");
    frame.freeze()
}

/// Overwrites a frame that had a secret in it, unless something still holds it.
pub fn wipe(frame: Bytes) {
    if let Ok(mut frame) = frame.try_into_mut() {
        frame.as_mut().zeroize();
    }
}

fn unframe(mut frame: Bytes) -> Result<Bytes, Failure> {
    let malformed = |why: &str| Err(Failure::Malformed(format!("the answer {why}")));
    if frame.len() < 5 {
        return malformed("has no message");
    }
    let prefix = frame.split_to(5);
    if prefix[0] != 0 {
        return malformed("is compressed, which was not asked for");
    }
    if u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize != frame.len() {
        return malformed("has another length than it says");
    }
    Ok(frame)
}

fn grpc_timeout(deadline: Instant) -> HeaderValue {
    let left = deadline.saturating_duration_since(Instant::now());
    let text = match left.as_millis() {
        ms @ 0..=99_999_999 => format!("{}m", ms.max(1)),
        _ => format!("{}S", left.as_secs().min(99_999_999)),
    };
    HeaderValue::from_str(&text).expect("digits and a unit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let framed = frame(&"a".to_owned());
        assert_eq!(&framed[..5], [0, 0, 0, 0, 3]);
        assert!(unframe(framed.clone()).is_ok_and(|bytes| bytes.len() == 3));
        for broken in [&framed[..4], &framed[..7], b"\x01\0\0\0\0"] {
            assert!(matches!(unframe(Bytes::copy_from_slice(broken)), Err(Failure::Malformed(_))));
        }
    }
}
