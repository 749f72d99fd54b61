//! Where snapshots are written: a descriptor of the caller's, or a file that appears whole or not at all (§9.7).

use crate::core::code;
use crate::core::error::{Error, Result};
use crate::core::snapshot::Sink;
use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How often a blocked write asks whether it is still wanted.
const ASK_MS: i32 = 100;
const OWNER_ONLY: u32 = 0o600;

fn refused(what: &str, error: &io::Error) -> Error {
    Error::new(code::ERR_SYSTEM, format!("{what}: {error}"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Never blocks for long.
    File,
    Socket,
    /// A pipe or a terminal: takes so much without blocking when it is ready at all.
    Pipe,
}

pub struct Descriptor {
    fd: RawFd,
    kind: Kind,
}

impl Descriptor {
    pub fn new(fd: RawFd) -> Result<Self> {
        // SAFETY: a plain structure of numbers, which fstat fills.
        let mut about: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: fstat writes to the structure; a bad descriptor is told.
        if unsafe { libc::fstat(fd, &mut about) } != 0 {
            return Err(Error::argument("fd", io::Error::last_os_error()));
        }
        let kind = match about.st_mode & libc::S_IFMT {
            libc::S_IFSOCK => Kind::Socket,
            libc::S_IFREG | libc::S_IFBLK => Kind::File,
            _ => Kind::Pipe,
        };
        Ok(Descriptor { fd, kind })
    }

    fn is_ready(&self) -> io::Result<bool> {
        let mut entry = libc::pollfd { fd: self.fd, events: libc::POLLOUT, revents: 0 };
        // SAFETY: one entry, which lives here.
        match unsafe { libc::poll(&mut entry, 1, ASK_MS) } {
            -1 => Err(io::Error::last_os_error()),
            ready => Ok(ready == 1),
        }
    }

    fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        let (data, len) = (bytes.as_ptr().cast(), bytes.len());
        // SAFETY: the bytes are there for the length given.
        let written = unsafe {
            match self.kind {
                Kind::File => libc::write(self.fd, data, len),
                Kind::Socket => libc::send(self.fd, data, len, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT),
                Kind::Pipe => without_sigpipe(|| libc::write(self.fd, data, len.min(libc::PIPE_BUF))),
            }
        };
        usize::try_from(written).map_err(|_| io::Error::last_os_error())
    }
}

/// A pipe that nobody reads would raise a signal, which the host did not ask for.
unsafe fn without_sigpipe(write: impl FnOnce() -> isize) -> isize {
    let (mut pipe, mut before, mut pending): (libc::sigset_t, libc::sigset_t, libc::sigset_t) = std::mem::zeroed();
    libc::sigemptyset(&mut pipe);
    libc::sigaddset(&mut pipe, libc::SIGPIPE);
    libc::pthread_sigmask(libc::SIG_BLOCK, &pipe, &mut before);
    libc::sigpending(&mut pending);
    let was_pending = libc::sigismember(&pending, libc::SIGPIPE) == 1;
    let written = write();
    let error = io::Error::last_os_error();
    if written < 0 && error.raw_os_error() == Some(libc::EPIPE) && !was_pending {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        while libc::sigtimedwait(&pipe, std::ptr::null_mut(), &now) < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    }
    libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
    if written < 0 {
        *libc::__errno_location() = error.raw_os_error().unwrap_or(libc::EIO);
    }
    written
}

impl Sink for Descriptor {
    fn write(&mut self, mut bytes: &[u8], stopped: &dyn Fn() -> Result<()>) -> Result<()> {
        use io::ErrorKind::{Interrupted, WouldBlock};
        while !bytes.is_empty() {
            stopped()?;
            let ready = match self.kind {
                Kind::File => Ok(true),
                _ => self.is_ready(),
            };
            let written = match ready {
                Ok(true) => self.write_some(bytes),
                Ok(false) => Ok(0),
                Err(error) => Err(error),
            };
            match written {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if matches!(error.kind(), Interrupted | WouldBlock) => {}
                Err(error) => return Err(refused("fd", &error)),
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A file under another name until it is whole.
pub struct PartFile {
    path: PathBuf,
    part: PathBuf,
    file: File,
    finished: bool,
}

impl PartFile {
    /// Makes `path`.part, or takes over what a process left there that did not finish.
    pub fn create(path: &str) -> Result<Self> {
        let path = PathBuf::from(path);
        if path.file_name().is_none() || path.is_dir() {
            return Err(Error::argument("path", "must name a file"));
        }
        let mut part = OsString::from(&path);
        part.push(".part");
        let part = PathBuf::from(part);
        let failed = |error: io::Error| refused(&format!("path: {}", part.display()), &error);
        loop {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false).mode(OWNER_ONLY).custom_flags(libc::O_NOFOLLOW);
            let file = options.open(&part).map_err(failed)?;
            // SAFETY: a number, of a file that is open.
            if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
                let text = format!("path: another snapshot is being written to {}", part.display());
                return Err(Error::new(code::ERR_BUSY, text));
            }
            // Who held the lock before may have renamed or removed the file.
            let ours = file.metadata().map_err(failed)?;
            if !std::fs::symlink_metadata(&part).is_ok_and(|there| there.ino() == ours.ino() && there.dev() == ours.dev()) {
                continue;
            }
            let made = PartFile { path, part: part.clone(), file, finished: false };
            made.file.set_len(0).map_err(failed)?;
            made.file.set_permissions(Permissions::from_mode(OWNER_ONLY)).map_err(failed)?;
            return Ok(made);
        }
    }

    fn settle(&self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.part, &self.path)?;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Sink for PartFile {
    fn write(&mut self, bytes: &[u8], stopped: &dyn Fn() -> Result<()>) -> Result<()> {
        let mut descriptor = Descriptor { fd: self.file.as_raw_fd(), kind: Kind::File };
        descriptor.write(bytes, stopped).map_err(|error| Error { message: error.message.replacen("fd", "path", 1), ..error })
    }

    fn finish(&mut self) -> Result<()> {
        self.settle().map_err(|error| refused(&format!("path: {}", self.path.display()), &error))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}
