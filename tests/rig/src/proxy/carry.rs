//! One connection through a proxy.

use super::{Act, Direction, End, Plan, Shared};
use std::sync::atomic::Ordering;
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
    let member = OnceLock::new();
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = Half { shared, member: &member, direction: Direction::Up };
        let down = Half { shared, member: &member, direction: Direction::Down };
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

/// One direction of a connection.
struct Half<'a> {
    shared: &'a Shared,
    /// Who the client is, if it is a member that has said so.
    member: &'a OnceLock<String>,
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
        while let Some((due, chunk)) = from.recv().await {
            if due > Instant::now() {
                sleep_until(due).await;
            }
            let mut rest = &chunk[..];
            while !rest.is_empty() {
                self.flowing(&mut plans).await;
                let pace = plans.borrow().flow(self.direction).pace;
                let (now, later) = rest.split_at(pace.map_or(rest.len(), |(bytes, _)| bytes.clamp(1, rest.len())));
                self.deliver(&mut to, now).await?;
                rest = later;
                if let Some((_, pause)) = pace {
                    sleep(pause).await;
                }
            }
        }
        to.shutdown().await.map_err(|_| End::Rst)
    }

    async fn deliver(&self, to: &mut WriteHalf<'_>, bytes: &[u8]) -> Result<(), End> {
        let sprung = self.step(bytes.len());
        let (at, act) = sprung.map_or((bytes.len(), None), |(at, act)| (at, Some(act)));
        let carried = &self.shared.carried[self.direction as usize];
        let written = match act {
            Some(Act::Corrupt) => {
                let mut bytes = bytes.to_vec();
                bytes[at] ^= 0x55;
                to.write_all(&bytes).await
            }
            _ => to.write_all(&bytes[..at]).await,
        };
        written.map_err(|_| End::Rst)?;
        carried.fetch_add(bytes.len() as u64, Ordering::SeqCst);
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
        let flow = plan.flow(self.direction);
        let jitter = flow.jitter.mul_f64(rng.f64() * 2.0);
        (flow.latency + jitter).saturating_sub(flow.jitter)
    }

    async fn flowing(&self, plans: &mut watch::Receiver<Plan>) {
        let concerned = |plan: &Plan| match (&plan.members, self.member.get()) {
            (Some(members), Some(member)) => members.contains(member),
            _ => true,
        };
        let _ = plans.wait_for(|plan| !plan.flow(self.direction).stalled || !concerned(plan)).await;
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
