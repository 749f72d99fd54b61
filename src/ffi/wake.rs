//! The wake of a caller's queue: a pipe, which every event loop can poll, holding a byte while events wait.

use crate::core::code;
use crate::core::error::{Error, Result};
use crate::core::queue::Wake;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

pub struct Pipe {
    pub reader: OwnedFd,
    writer: OwnedFd,
}

fn refused(what: &str) -> Error {
    Error::new(code::ERR_SYSTEM, format!("{what}: {}", io::Error::last_os_error()))
}

impl Pipe {
    pub fn new() -> Result<Self> {
        let mut ends = [0; 2];
        // SAFETY: pipe2 fills the array; on success both descriptors are ours alone.
        unsafe {
            match libc::pipe2(ends.as_mut_ptr(), libc::O_NONBLOCK | libc::O_CLOEXEC) {
                0 => Ok(Pipe { reader: OwnedFd::from_raw_fd(ends[0]), writer: OwnedFd::from_raw_fd(ends[1]) }),
                _ => Err(refused("pipe")),
            }
        }
    }

    /// Waits until a byte can be read; false if the time was over or a signal came first.
    fn poll(&self, ms: i32) -> io::Result<bool> {
        let mut entry = libc::pollfd { fd: self.reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry, which lives here.
        match unsafe { libc::poll(&mut entry, 1, ms) } {
            -1 => Err(io::Error::last_os_error()),
            ready => Ok(ready == 1),
        }
    }
}

impl Wake for Arc<Pipe> {
    fn raise(&self) {
        // A host may have read the byte itself, so ask the pipe and not a flag.
        if !self.poll(0).unwrap_or(false) {
            // SAFETY: one byte from a static.
            unsafe { libc::write(self.writer.as_raw_fd(), b"e".as_ptr().cast(), 1) };
        }
    }

    fn clear(&self) {
        let mut bytes = [0u8; 16];
        // SAFETY: reads into the array; the descriptor does not block.
        while unsafe { libc::read(self.reader.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) }
            == bytes.len() as isize
        {}
    }

    fn wait(&self, limit: Option<Duration>) -> Result<()> {
        let ms = limit.map_or(-1, |limit| limit.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32);
        match self.poll(ms) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                Err(Error::new(code::ERR_INTERRUPTED, "a signal arrived while waiting for an event"))
            }
            Err(_) => Err(refused("poll")),
        }
    }
}
