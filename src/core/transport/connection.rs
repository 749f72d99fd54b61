//! One HTTP/2 connection to one endpoint, and unary gRPC over it.

use super::super::endpoint::{Address, Endpoint};
use super::super::tls::{self, Tls};
use super::socket::{Heard, LastWords};
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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Mutex;
use tokio::time::{timeout, Instant};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroize;

const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 5 << 20;
const AGENT: &str = concat!("libetcd3/", env!("CARGO_PKG_VERSION"));
/// Servers count pings that come closer together as abuse (§1.8).
const LEAST_PING_INTERVAL: Duration = Duration::from_secs(5);

/// Why an attempt to connect failed.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub kind: Kind,
    pub text: String,
    /// It will not go away by itself.
    pub sure: bool,
}

impl Trouble {
    fn new(kind: Kind, text: impl Into<String>) -> Self {
        Trouble { kind, text: text.into(), sure: false }
    }

    pub fn timed_out(limit: Duration) -> Self {
        Self::new(Kind::Connect, format!("no answer to the attempt to connect within {} ms", limit.as_millis()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Connect,
    Tls,
    /// What answers is not HTTP/2.
    Protocol,
}

fn unreachable(error: std::io::Error) -> Trouble {
    Trouble::new(Kind::Connect, error.to_string())
}

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

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

impl Connection {
    /// Connects, makes sure that HTTP/2 is spoken, and leaves the driving of the socket to a task of the runtime.
    pub async fn open(endpoint: &Endpoint, tls: Option<&Tls>, closing: &CancellationToken) -> Result<Self, Trouble> {
        let heard = Heard::default();
        let (socket, scheme): (Box<dyn Socket>, _) = match (connect(endpoint, &heard).await?, tls) {
            (socket, None) => (socket, "http"),
            (socket, Some(tls)) => (Box::new(handshake(endpoint, socket, tls).await?), "https"),
        };
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
        self.shared.probe(limit, true).await
    }

    /// Pings at intervals while a stream is open, and never else (§1.8); `patient` as in `probe`. Does not keep the
    /// connection open itself.
    pub fn keep_alive(
        &self,
        interval: Duration,
        limit: Duration,
        patient: bool,
    ) -> impl Future<Output = ()> + Send + 'static {
        let shared = self.shared.clone();
        async move {
            loop {
                tokio::select! {
                    _ = shared.closed.cancelled() => return,
                    _ = tokio::time::sleep(interval) => {}
                }
                if shared.streams.load(Ordering::Relaxed) > 0 {
                    shared.probe(limit, patient).await;
                }
            }
        }
    }

    /// Counts an open stream until dropped.
    pub fn count_stream(&self) -> OpenStream {
        self.shared.streams.fetch_add(1, Ordering::Relaxed);
        OpenStream(self.shared.clone())
    }

    /// Waits until one more stream may be opened, and gives the means to open it.
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
            None => Trouble::new(Kind::Protocol, CLOSED_AT_ONCE),
        }
    }
}

const CLOSED_AT_ONCE: &str = "the server closed the connection before HTTP/2 was spoken; does it want TLS?";

impl Shared {
    async fn probe(&self, limit: Duration, patient: bool) {
        let Ok(mut pinger) = self.pinger.try_lock() else { return };
        if pinger.1.is_some_and(|last| last.elapsed() < LEAST_PING_INTERVAL) {
            return;
        }
        pinger.1 = Some(Instant::now());
        let answer = pinger.0.ping(Ping::opaque());
        tokio::pin!(answer);
        loop {
            let heard = self.heard.bytes();
            match timeout(limit, &mut answer).await {
                Ok(Ok(_)) => return,
                Err(_) if patient && self.heard.bytes() > heard => {}
                _ => return self.closed.cancel(),
            }
        }
    }
}

pub struct OpenStream(Arc<Shared>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn connect(endpoint: &Endpoint, heard: &Heard) -> Result<Box<dyn Socket>, Trouble> {
    match &endpoint.address {
        Address::Unix(path) => {
            Ok(Box::new(LastWords::of(UnixStream::connect(path).await.map_err(unreachable)?, heard)))
        }
        Address::Tcp { host, port } => {
            let socket = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
            socket.set_nodelay(true).map_err(unreachable)?;
            // What HTTP/2 may not do on an idle connection (§1.8), the kernel does. Not every system has both.
            let reference = socket2::SockRef::from(&socket);
            let _ = reference.set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(Duration::from_secs(20)));
            #[cfg(target_os = "linux")]
            let _ = reference.set_tcp_user_timeout(Some(Duration::from_secs(15)));
            Ok(Box::new(LastWords::of(socket, heard)))
        }
    }
}

async fn handshake(
    endpoint: &Endpoint,
    socket: Box<dyn Socket>,
    tls: &Tls,
) -> Result<tokio_rustls::client::TlsStream<Box<dyn Socket>>, Trouble> {
    let refused = |text| Trouble { sure: true, ..Trouble::new(Kind::Tls, format!("TLS: {text}")) };
    let name = tls.server_name(endpoint.server_name()).map_err(refused)?;
    let stream = TlsConnector::from(tls.current()).connect(name, socket).await.map_err(|error| {
        match (tls::reason(&error), error.kind()) {
            (Some(text), _) => refused(text),
            (None, std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset) => Trouble::new(
                Kind::Tls,
                "TLS: the server closed the connection during the handshake; does it speak TLS?",
            ),
            (None, _) => Trouble::new(Kind::Connect, format!("TLS handshake: {error}")),
        }
    })?;
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Ok(stream),
        _ => Err(Trouble::new(Kind::Protocol, "the server did not choose HTTP/2 (ALPN h2)")),
    }
}

fn not_http2(error: &h2::Error) -> Trouble {
    let text = error.to_string();
    match error.is_io() {
        // With TLS 1.3 a server refuses a client's certificate only after the handshake. h2 keeps but rustls's text.
        true if text.contains("fatal alert") => Trouble {
            sure: true,
            ..Trouble::new(
                Kind::Tls,
                format!("TLS: the server refused the client's certificate, or that there is none: {text}"),
            )
        },
        true => Trouble::new(Kind::Protocol, format!("{CLOSED_AT_ONCE} ({text})")),
        false => Trouble::new(Kind::Protocol, format!("the server does not speak HTTP/2; does it want TLS? ({text})")),
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
