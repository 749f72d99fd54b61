//! A member's whole database, as it is at one moment, with a checksum at its end (§9.7).

use super::client::{Client, Core};
use super::code;
use super::endpoint::Endpoint;
use super::error::{Error, Result};
use super::event::Body;
use super::job::Job;
use super::mutant;
use super::proto::etcdserverpb as pb;
use super::queue::Queue;
use super::source::Handler;
use super::transport::{Limits, Method, Reading, Repeat};
use bytes::Bytes;
use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

const SNAPSHOT: Method = Method { path: "/etcdserverpb.Maintenance/Snapshot", repeat: Repeat::Freely };
/// The server sends whole pages, and then the checksum.
const PAGE: u64 = 512;
/// How many bytes wait in a queue for whoever takes them.
const MOST_WAITING: usize = 1 << 20;

/// Where a snapshot goes.
pub trait Sink {
    /// Takes the bytes, or says why not. It may block the thread, but asks `stopped` now and then.
    fn write(&mut self, bytes: &[u8], stopped: &dyn Fn() -> Result<()>) -> Result<()>;
    /// All was written, and it is what the checksum says.
    fn finish(&mut self) -> Result<()>;
}

impl Client {
    /// Writes a snapshot to `sink` on this thread; gives its size.
    pub fn snapshot(
        &self,
        at: Option<&Endpoint>,
        timeout: Option<Duration>,
        cancel: Option<CancellationToken>,
        sink: &mut dyn Sink,
    ) -> Result<u64> {
        let limits = Limits { cancelled: cancel, ..self.limits(None) }.lasting(timeout);
        self.run(limits, async |limits| {
            let mut snapshot = self.core.snapshot(at, limits).await?;
            while let Some(piece) = snapshot.next(limits).await? {
                sink.write(&piece.bytes, &|| limits.check())?;
            }
            sink.finish()?;
            Ok(snapshot.sum.bytes)
        })
    }

    /// Has a snapshot come as events. What is not taken out of the queue is not read from the server.
    pub fn snapshot_events(
        &self,
        at: Option<Endpoint>,
        queue: Option<Arc<Queue>>,
        handler: Arc<dyn Handler>,
    ) -> Result<CancellationToken> {
        let core = self.core.clone();
        self.job(queue, handler, async move |Job { source, limits }| {
            let room = Arc::new(Semaphore::new(MOST_WAITING));
            let mut snapshot = core.snapshot(at.as_ref(), &limits).await?;
            while let Some(Piece { bytes, done, total, version }) = snapshot.next(&limits).await? {
                let permits = bytes.len().min(MOST_WAITING) as u32;
                let permit = limits.of(room.clone().acquire_many_owned(permits)).await?;
                let permit = permit.map_err(|_| Error::internal("the room for events is closed"))?;
                source.emit(Body::Data { bytes, done, total, version, permit });
            }
            Ok(())
        })
    }
}

/// A piece of a snapshot, up to byte `done` of `total`.
struct Piece {
    bytes: Bytes,
    done: i64,
    total: i64,
    version: Arc<str>,
}

/// A snapshot under way.
struct Snapshot {
    reading: Reading<pb::SnapshotResponse>,
    sum: Checksum,
    total: u64,
    version: Arc<str>,
}

impl Core {
    async fn snapshot(&self, at: Option<&Endpoint>, limits: &Limits) -> Result<Snapshot> {
        let reading = self.transport.read(SNAPSHOT, &pb::SnapshotRequest {}, at, self.timeout, limits).await?;
        Ok(Snapshot { reading, sum: Checksum::new(), total: 0, version: Arc::default() })
    }
}

impl Snapshot {
    /// The next piece; `None` when all came and is what the checksum says.
    async fn next(&mut self, limits: &Limits) -> Result<Option<Piece>> {
        loop {
            let part = match self.reading.next(limits).await {
                Ok(Some(part)) => part,
                Ok(None) => return self.check().map(|()| None),
                // What the caller ended is not corrupt.
                Err(error) if limits.check().is_err() => return Err(error),
                Err(error) => return Err(self.corrupt(&format!("ended early: {}", error.message))),
            };
            self.sum.add(&part.blob);
            if self.total == 0 {
                self.total = self.sum.bytes + part.remaining_bytes + SHA256_OUTPUT_LEN as u64;
            }
            if *self.version != *part.version && !part.version.is_empty() {
                self.version = part.version.into();
            }
            if !part.blob.is_empty() {
                let (done, total) = (self.sum.bytes as i64, self.total as i64);
                return Ok(Some(Piece { bytes: part.blob, done, total, version: self.version.clone() }));
            }
        }
    }

    fn check(&self) -> Result<()> {
        match self.sum.bytes {
            bytes if bytes % PAGE != SHA256_OUTPUT_LEN as u64 => {
                Err(self.corrupt(&format!("is not whole: {bytes} bytes are no pages with a checksum")))
            }
            _ if self.sum.is_right() || mutant::is("trust-snapshots") => Ok(()),
            _ => Err(self.corrupt("is not what its checksum says")),
        }
    }

    fn corrupt(&self, why: &str) -> Error {
        let endpoint = &self.reading.endpoint;
        let error = Error::new(code::ERR_SNAPSHOT_CORRUPT, format!("{endpoint}: the snapshot {why}"));
        Error { endpoint: Some(endpoint.clone()), ..error }
    }
}

/// The checksum of all but the last bytes, which are the checksum as the server has it.
struct Checksum {
    context: Context,
    bytes: u64,
    tail: Vec<u8>,
}

impl Checksum {
    fn new() -> Self {
        Checksum { context: Context::new(&SHA256), bytes: 0, tail: Vec::new() }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        // What was held back is certain to be data as far as so many bytes came after it.
        let kept = SHA256_OUTPUT_LEN.saturating_sub(bytes.len());
        let certain = self.tail.len().saturating_sub(kept);
        self.context.update(&self.tail[..certain]);
        self.tail.drain(..certain);
        let (data, tail) = bytes.split_at(bytes.len().saturating_sub(SHA256_OUTPUT_LEN));
        self.context.update(data);
        self.tail.extend_from_slice(tail);
    }

    fn is_right(&self) -> bool {
        self.context.clone().finish().as_ref() == self.tail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a body with its checksum is right, cut into pieces of a length.
    fn checked(body: &[u8], piece: usize) -> bool {
        let mut sum = Checksum::new();
        body.chunks(piece).for_each(|piece| sum.add(piece));
        assert_eq!(sum.bytes, body.len() as u64);
        sum.is_right()
    }

    #[test]
    fn a_checksum_is_found_however_the_body_is_cut() {
        let mut body: Vec<u8> = (0..1000).map(|i| (i * 7) as u8).collect();
        let right = ring::digest::digest(&SHA256, &body);
        body.extend_from_slice(right.as_ref());
        for piece in [1, 2, 5, 31, 32, 33, 64, 999, 1000, 1001, 5000] {
            assert!(checked(&body, piece), "in pieces of {piece}");
        }
        for wrong in [0, 500, 999, 1000, 1031] {
            let mut other = body.clone();
            other[wrong] ^= 1;
            assert!(!checked(&other, 100), "byte {wrong}");
        }
        assert!(!checked(&body[..1000], 100));
    }
}
