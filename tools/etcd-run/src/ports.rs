//! Free ports.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::TcpListener;

/// A number that no other call, thread or process gets.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A free port of 127.0.0.1, ours as long as the listener lives.
///
/// Below the range from which the kernel takes the ports of outgoing connections, where there is
/// such: while a server is down, a client that tries its port again and again would otherwise
/// sooner or later be given that very port for its own end, be connected with itself, and keep the
/// port from the server that comes back.
pub fn free() -> io::Result<TcpListener> {
    const LOWEST: u64 = 10_000;
    let end = first_outgoing_port().unwrap_or(0);
    if end > LOWEST + 1_000 {
        for _ in 0..100 {
            let port = LOWEST + random() % (end - LOWEST);
            if let Ok(listener) = TcpListener::bind(("127.0.0.1", port as u16)) {
                return Ok(listener);
            }
        }
    }
    TcpListener::bind(("127.0.0.1", 0))
}

fn first_outgoing_port() -> Option<u64> {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    range.split_whitespace().next()?.parse().ok()
}
