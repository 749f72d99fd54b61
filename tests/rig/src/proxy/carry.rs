//! One connection through a proxy.

use super::frames::{Frames, Streams, PREFACE};
use super::{Act, Direction, End, Goaway, Plan, Shared};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, sleep_until, Instant};

/// So much may be under way at a time.
const CHUNK: usize = 16 * 1024;
const CHUNKS: usize = 64;

/// The header in which a member says who it is.
const SENDER: &str = "x-server-from: ";

/// Carries bytes in both directions until one end or the plan ends it.
pub(super) async fn carry(mut client: TcpStream, shared: &Shared) {
    let mut ends = shared.ends.subscribe();
    let target = shared.target.lock().unwrap().clone();
    let connected = tokio::select! {
        connected = TcpStream::connect(target) => connected,
        _ = ends.changed() => return,
    };
    let Ok(mut server) = connected else {
        let _ = client.set_zero_linger();
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (member, http2, streams) = (OnceLock::new(), AtomicBool::new(false), Streams::default());
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = Half { shared, member: &member, http2: &http2, streams: &streams, direction: Direction::Up };
        let down = Half { direction: Direction::Down, ..up };
        tokio::select! {
            both = async { tokio::try_join!(up.carry(from_client, to_server), down.carry(from_server, to_client)) } => {
                both.err().unwrap_or(End::Fin)
            }
            _ = ends.changed() => ends.borrow().1,
        }
    };
    if end == End::Rst {
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// What one direction has carried so far.
struct Line {
    frames: Frames,
    begun: bool,
    goodbye: Option<Goodbye>,
}

/// A GOAWAY that is being said.
struct Goodbye {
    how: Goaway,
    /// The first of two.
    word: Option<Vec<u8>>,
    /// When the last one is to come.
    due: Instant,
}

/// One direction of a connection.
#[derive(Clone, Copy)]
struct Half<'a> {
    shared: &'a Shared,
    /// Who the client is, if it is a member that has said so.
    member: &'a OnceLock<String>,
    /// Whether the client speaks HTTP/2 in the clear.
    http2: &'a AtomicBool,
    streams: &'a Streams,
    direction: Direction,
}

impl Half<'_> {
    async fn carry(&self, from: ReadHalf<'_>, to: WriteHalf<'_>) -> Result<(), End> {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        tokio::try_join!(self.read(from, sender), self.write(to, receiver)).map(|_| ())
    }

    async fn read(&self, mut from: ReadHalf<'_>, to: mpsc::Sender<(Instant, Vec<u8>)>) -> Result<(), End> {
        let mut plans = self.shared.plan.subscribe();
        let mut rng = fastrand::Rng::with_seed(self.shared.seed.fetch_add(1, Ordering::SeqCst));
        let mut last = Instant::now();
        loop {
            // Of one that nobody has heard yet, the beginning says whether it is to be heard.
            if !(self.shared.sniffs && self.direction == Direction::Up && self.member.get().is_none()) {
                self.flowing(&mut plans).await;
            }
            let mut chunk = vec![0; CHUNK];
            let length = tokio::select! {
                _ = plans.changed() => continue,
                length = from.read(&mut chunk) => length.map_err(|_| End::Rst)?,
            };
            if length == 0 {
                return Ok(());
            }
            chunk.truncate(length);
            self.sniff(&chunk);
            last = last.max(Instant::now() + self.delay(&plans.borrow(), &mut rng));
            if to.send((last, chunk)).await.is_err() {
                return Ok(());
            }
        }
    }

    async fn write(&self, mut to: WriteHalf<'_>, mut from: mpsc::Receiver<(Instant, Vec<u8>)>) -> Result<(), End> {
        let mut plans = self.shared.plan.subscribe();
        let mut goaways = self.shared.goaways.subscribe();
        let mut line = Line { frames: Frames::default(), begun: false, goodbye: None };
        loop {
            let last_word = line.goodbye.as_ref().map_or(Instant::now(), |goodbye| goodbye.due);
            let next = tokio::select! {
                next = from.recv() => next,
                _ = goaways.changed(), if self.speaks() => {
                    let how = goaways.borrow_and_update().1;
                    let (word, then) = self.streams.begin(how);
                    line.goodbye = Some(Goodbye { how, word, due: Instant::now() + then });
                    self.part(&mut line, &mut to, &mut &[][..]).await?;
                    continue;
                }
                _ = sleep_until(last_word), if line.goodbye.is_some() => {
                    self.part(&mut line, &mut to, &mut &[][..]).await?;
                    // Else the frame under way ends with what comes next.
                    if line.goodbye.is_none() {
                        continue;
                    }
                    from.recv().await
                }
            };
            let Some((due, chunk)) = next else { break };
            if due > Instant::now() {
                sleep_until(due).await;
            }
            let passed = self.up(&mut line, chunk);
            let mut rest = &passed[..];
            while !rest.is_empty() {
                self.flowing(&mut plans).await;
                self.part(&mut line, &mut to, &mut rest).await?;
                let pace = plans.borrow().flow(self.direction).pace;
                let (now, later) = rest.split_at(pace.map_or(rest.len(), |(bytes, _)| bytes.clamp(1, rest.len())));
                if self.speaks() {
                    line.frames.take(now);
                }
                self.deliver(&mut to, now).await?;
                rest = later;
                if let Some((bytes, pause)) = pace {
                    sleep(pause.mul_f64(now.len() as f64 / bytes as f64)).await;
                }
            }
        }
        to.shutdown().await.map_err(|_| End::Rst)
    }

    /// Whether this is the server's side of HTTP/2 in the clear.
    fn speaks(&self) -> bool {
        self.direction == Direction::Down && self.http2.load(Ordering::SeqCst)
    }

    /// What the server hears of what the client says.
    fn up(&self, line: &mut Line, chunk: Vec<u8>) -> Vec<u8> {
        if self.direction == Direction::Down {
            return chunk;
        }
        if !std::mem::replace(&mut line.begun, true) && chunk.starts_with(PREFACE) {
            line.frames = Frames::after(PREFACE);
            self.http2.store(true, Ordering::SeqCst);
        }
        match self.http2.load(Ordering::SeqCst) {
            true => line.frames.filter(&chunk, self.streams),
            false => chunk,
        }
    }

    /// Says goodbye where the next frame ends, if it is time to; takes what was delivered before it.
    async fn part(&self, line: &mut Line, to: &mut WriteHalf<'_>, bytes: &mut &[u8]) -> Result<(), End> {
        let Some(goodbye) = &mut line.goodbye else { return Ok(()) };
        let is_due = goodbye.due <= Instant::now();
        if goodbye.word.is_none() && !is_due {
            return Ok(());
        }
        let end = line.frames.up_to_end(bytes);
        let (now, later) = bytes.split_at(end.unwrap_or(bytes.len()));
        self.deliver(to, now).await?;
        *bytes = later;
        if end.is_none() {
            return Ok(());
        }
        if let Some(word) = goodbye.word.take() {
            to.write_all(&word).await.map_err(|_| End::Rst)?;
        }
        if is_due {
            to.write_all(&self.streams.end()).await.map_err(|_| End::Rst)?;
            self.shared.parted.fetch_add(1, Ordering::SeqCst);
            let how = goodbye.how;
            line.goodbye = None;
            if how == Goaway::Closing {
                return Err(End::Fin);
            }
        }
        Ok(())
    }

    async fn deliver(&self, to: &mut WriteHalf<'_>, bytes: &[u8]) -> Result<(), End> {
        let sprung = self.step(bytes.len());
        let (at, act) = sprung.map_or((bytes.len(), None), |(at, act)| (at, Some(act)));
        // Before: whoever has the bytes may look.
        self.shared.carried[self.direction as usize].fetch_add(bytes.len() as u64, Ordering::SeqCst);
        let written = match act {
            Some(Act::Corrupt) => {
                let mut bytes = bytes.to_vec();
                bytes[at] ^= 0x55;
                to.write_all(&bytes).await
            }
            _ => to.write_all(&bytes[..at]).await,
        };
        written.map_err(|_| End::Rst)?;
        match act {
            Some(Act::End(end)) => Err(end),
            _ => Ok(()),
        }
    }

    /// Where in the next `length` bytes of this direction the trap springs, if it does.
    fn step(&self, length: usize) -> Option<(usize, Act)> {
        let mut place = self.shared.trap.lock().unwrap();
        let trap = place.as_mut().filter(|trap| trap.direction == self.direction)?;
        if trap.left >= length as u64 {
            trap.left -= length as u64;
            return None;
        }
        let sprung = (trap.left as usize, trap.act);
        *place = None;
        self.shared.sprung.notify_all();
        Some(sprung)
    }

    fn delay(&self, plan: &Plan, rng: &mut fastrand::Rng) -> Duration {
        if !self.is_concerned(plan) {
            return Duration::ZERO;
        }
        let flow = plan.flow(self.direction);
        let jitter = flow.jitter.mul_f64(rng.f64() * 2.0);
        (flow.latency + jitter).saturating_sub(flow.jitter)
    }

    async fn flowing(&self, plans: &mut watch::Receiver<Plan>) {
        let _ = plans.wait_for(|plan| !plan.flow(self.direction).stalled || !self.is_concerned(plan)).await;
    }

    fn is_concerned(&self, plan: &Plan) -> bool {
        match (&plan.members, self.member.get()) {
            (Some(members), Some(member)) => members.contains(member),
            _ => true,
        }
    }

    fn sniff(&self, chunk: &[u8]) {
        if !self.shared.sniffs || self.direction == Direction::Down || self.member.get().is_some() {
            return;
        }
        let head = String::from_utf8_lossy(&chunk[..chunk.len().min(4096)]).to_ascii_lowercase();
        if let Some(begin) = head.find(SENDER) {
            let member = head[begin + SENDER.len()..].split("\r\n").next().unwrap_or_default().trim();
            let _ = self.member.set(member.to_owned());
            // The other direction waits to hear of it.
            self.shared.plan.send_modify(|_| ());
        }
    }
}
