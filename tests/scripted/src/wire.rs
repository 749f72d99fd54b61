//! The bytes of a connection: frames of our own between those of h2, a cut in the middle of one, and what was
//! written so far.

use bytes::{Buf, Bytes};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{ready, Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

const HEADER: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// What was written of one stream.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Written {
    pub headers: usize,
    pub data: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Wire {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    ours: VecDeque<Bytes>,
    waker: Option<Waker>,
    /// The header of the frame that is being written, as far as it has come.
    header: [u8; HEADER],
    have: usize,
    /// The rest of its payload.
    left: usize,
    written: HashMap<u32, Written>,
    /// How many bytes may still be written.
    allowed: Option<usize>,
    end: Option<End>,
}

/// How a connection ends at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With a FIN.
    Close,
    /// With a RST.
    Abort,
}

impl Wire {
    /// Has a frame written between two of h2's.
    pub fn inject(&self, frame: Bytes) {
        let mut state = self.state.lock().unwrap();
        state.ours.push_back(frame);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// Breaks the connection off after so many more bytes.
    pub fn cut_after(&self, bytes: usize) {
        self.state.lock().unwrap().allowed = Some(bytes);
    }

    /// Ends the connection.
    pub fn end(&self, end: End) {
        let mut state = self.state.lock().unwrap();
        state.end = Some(end);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// Waits until enough of a stream is written.
    pub async fn written(&self, stream: u32, enough: impl Fn(Written) -> bool) {
        self.until(|state| enough(state.written.get(&stream).copied().unwrap_or_default())).await;
    }

    /// Waits until all injected frames are written.
    pub async fn injected(&self) {
        self.until(|state| state.ours.is_empty()).await;
    }

    async fn until(&self, done: impl Fn(&State) -> bool) {
        let mut changed = std::pin::pin!(self.changed.notified());
        loop {
            changed.as_mut().enable();
            if done(&self.state.lock().unwrap()) {
                return;
            }
            changed.as_mut().await;
            changed.set(self.changed.notified());
        }
    }
}

impl State {
    fn at_boundary(&self) -> bool {
        self.have == 0
    }

    /// How many of the `offered` bytes may be written at once.
    fn portion(&self, offered: usize) -> usize {
        let frame = if self.have < HEADER { HEADER - self.have } else { self.left };
        frame.min(offered).min(self.allowed.unwrap_or(usize::MAX))
    }

    fn wrote(&mut self, bytes: &[u8]) {
        if let Some(allowed) = &mut self.allowed {
            *allowed -= bytes.len();
        }
        if self.have < HEADER {
            self.header[self.have..self.have + bytes.len()].copy_from_slice(bytes);
            self.have += bytes.len();
            if self.have < HEADER {
                return;
            }
            self.left = u32::from_be_bytes([0, self.header[0], self.header[1], self.header[2]]) as usize;
        } else {
            self.left -= bytes.len();
        }
        if self.left == 0 {
            self.frame_done();
        }
    }

    fn frame_done(&mut self) {
        let [a, b, c, kind, _, d, e, f, g] = self.header;
        let written = self.written.entry(u32::from_be_bytes([d, e, f, g])).or_default();
        match kind {
            DATA => written.data += u32::from_be_bytes([0, a, b, c]) as usize,
            HEADERS => written.headers += 1,
            _ => {}
        }
        self.have = 0;
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "ended by the script")
}

/// A socket with a [`Wire`] in its writing half.
pub(crate) struct Tap {
    pub socket: TcpStream,
    pub wire: Arc<Wire>,
}

impl Tap {
    fn write_ours(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.wire.state.lock().unwrap();
        state.waker = Some(cx.waker().clone());
        match state.end {
            None => {}
            Some(End::Close) => return Poll::Ready(Err(ended())),
            Some(End::Abort) => {
                self.socket.set_zero_linger()?;
                return Poll::Ready(Err(ended()));
            }
        }
        while state.at_boundary() {
            let Some(frame) = state.ours.front_mut() else { break };
            let n = ready!(Pin::new(&mut self.socket).poll_write(cx, frame))?;
            frame.advance(n);
            if frame.is_empty() {
                state.ours.pop_front();
                self.wire.changed.notify_waiters();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Tap {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.write_ours(cx))?;
        let tap = &mut *self;
        let mut state = tap.wire.state.lock().unwrap();
        if state.allowed == Some(0) {
            return Poll::Ready(Err(ended()));
        }
        let portion = state.portion(bytes.len());
        let n = ready!(Pin::new(&mut tap.socket).poll_write(cx, &bytes[..portion]))?;
        state.wrote(&bytes[..n]);
        tap.wire.changed.notify_waiters();
        Poll::Ready(Ok(n))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_ours(cx))?;
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
