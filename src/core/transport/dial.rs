//! The way to an endpoint: a socket, and TLS over it.

use super::super::endpoint::{Address, Endpoint};
use super::super::error::Error;
use super::super::tls::{self, Tls};
use super::socket::{Heard, LastWords};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

const CLOSED_AT_ONCE: &str = "the server closed the connection before HTTP/2 was spoken; does it want TLS?";

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

    pub fn closed_at_once() -> Self {
        Self::new(Kind::Protocol, CLOSED_AT_ONCE)
    }

    pub fn no_tls(error: Error) -> Self {
        Trouble { sure: true, ..Self::new(Kind::Tls, error.message) }
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

pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Connects, and protects the connection if that is wanted.
pub async fn dial(endpoint: &Endpoint, tls: Option<&Tls>, heard: &Heard) -> Result<Box<dyn Socket>, Trouble> {
    let socket = connect(endpoint, heard).await?;
    match tls {
        None => Ok(socket),
        Some(tls) => Ok(Box::new(handshake(endpoint, socket, tls).await?)),
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

/// What an error means that came before HTTP/2 was spoken.
pub fn not_http2(error: &h2::Error) -> Trouble {
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
