//! One HTTP/2 connection to one endpoint, and unary gRPC over it.

use super::super::endpoint::Endpoint;
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::header::{HeaderValue, CONTENT_TYPE, TE, USER_AGENT};
use http::HeaderMap;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 5 << 20;
const AGENT: &str = concat!("libetcd3/", env!("CARGO_PKG_VERSION"));

/// Why an attempt brought no answer.
pub enum Failure {
    /// The server answered with an error.
    Status(tonic::Status),
    /// No server can have executed the request.
    NotSent,
    /// The connection or stream broke after the request went out.
    Lost(String),
    /// The caller's limits ended it after the request went out.
    Stopped(super::Stop),
    Malformed(String),
}

#[derive(Clone)]
pub struct Connection {
    sender: SendRequest<Bytes>,
    authority: String,
    closed: CancellationToken,
}

impl Connection {
    /// Connects, agrees on HTTP/2 and leaves the driving of the socket to a task of the runtime.
    pub async fn open(endpoint: &Endpoint) -> Result<Self, String> {
        let socket = TcpStream::connect(endpoint.address()).await.map_err(|e| e.to_string())?;
        socket.set_nodelay(true).map_err(|e| e.to_string())?;
        let (sender, driver) = h2::client::Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(socket)
            .await
            .map_err(|e| e.to_string())?;
        let closed = CancellationToken::new();
        let guard = closed.clone().drop_guard();
        tokio::spawn(async move {
            let _guard = guard;
            // Its error reaches every open stream; there is nobody else to tell.
            let _ = driver.await;
        });
        Ok(Connection { sender, authority: endpoint.to_string(), closed })
    }

    pub fn is_open(&self) -> bool {
        !self.closed.is_cancelled()
    }

    /// Waits until one more stream may be opened, and gives the means to open it.
    pub async fn ready(&self) -> Result<SendRequest<Bytes>, h2::Error> {
        self.sender.clone().ready().await
    }

    pub fn request(&self, path: &str, metadata: HeaderMap) -> http::Request<()> {
        let uri = http::Uri::builder().scheme("http").authority(self.authority.as_str()).path_and_query(path).build();
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
        message: Bytes,
        deadline: Instant,
        sent: &mut bool,
    ) -> Result<Bytes, Failure> {
        let mut sender = self.ready().await.map_err(|_| Failure::NotSent)?;
        let mut metadata = HeaderMap::new();
        metadata.insert("grpc-timeout", grpc_timeout(deadline));
        let (response, mut body) =
            sender.send_request(self.request(path, metadata), false).map_err(|_| Failure::NotSent)?;
        *sent = true;
        body.send_data(message, true).map_err(lost)?;
        let (head, mut body) = response.await.map_err(lost)?.into_parts();
        check_head(&head)?;
        if let Some(status) = tonic::Status::from_header_map(&head.headers) {
            return Err(Failure::Status(status));
        }
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk.map_err(lost)?;
            body.flow_control().release_capacity(chunk.len()).map_err(lost)?;
            match first.is_empty() {
                true => first = chunk,
                false => rest.extend_from_slice(&chunk),
            }
        }
        let trailers = body.trailers().await.map_err(lost)?.unwrap_or_default();
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

fn check_head(head: &http::response::Parts) -> Result<(), Failure> {
    let kind = head.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    match head.status == http::StatusCode::OK && kind.starts_with("application/grpc") {
        true => Ok(()),
        false => Err(Failure::Malformed(format!(
            "the answer is not gRPC: HTTP status {}, content type {kind:?}",
            head.status.as_u16()
        ))),
    }
}

fn lost(error: h2::Error) -> Failure {
    let unprocessed = error.reason() == Some(h2::Reason::REFUSED_STREAM) && error.is_remote();
    match unprocessed {
        true => Failure::NotSent,
        false => Failure::Lost(error.to_string()),
    }
}

/// A message with gRPC's prefix: a byte for compression, four for the length.
pub fn frame<M: prost::Message>(message: &M) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(5 + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).expect("arguments are checked to be shorter than 2 GiB"));
    message.encode(&mut frame).expect("the buffer has the message's length");
    frame.freeze()
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
