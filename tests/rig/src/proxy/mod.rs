//! A TCP proxy that does to connections what networks do, on command.

mod carry;
mod frames;
mod peers;
#[cfg(test)]
mod tests;

pub use frames::Goaway;
pub use peers::Peers;

use carry::carry;
use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Up is from the client to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

/// How a connection ends: as its owner closes it, or by a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Fin,
    Rst,
}

/// What happens to those who connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Door {
    #[default]
    Open,
    /// Nobody listens.
    Refuse,
    /// Accepted, and reset at once.
    Reset,
}

/// What happens to the bytes of one direction.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Not read any more; the connection stays.
    pub stalled: bool,
    pub latency: Duration,
    /// At most so much more or less than `latency`.
    pub jitter: Duration,
    /// No more than so many bytes at a time, and so long a pause after them.
    pub pace: Option<(usize, Duration)>,
}

/// What happens to all connections, those that exist included.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub door: Door,
    pub up: Flow,
    pub down: Flow,
    /// If set, `stalled` and `latency` are only for connections from these members and from unknown ones.
    pub members: Option<HashSet<String>>,
}

impl Plan {
    pub fn pass() -> Plan {
        Plan::default()
    }

    pub fn refuse() -> Plan {
        Plan { door: Door::Refuse, ..Plan::default() }
    }

    pub fn reset() -> Plan {
        Plan { door: Door::Reset, ..Plan::default() }
    }

    /// Connections are accepted and stay, and nothing is heard of the other end.
    pub fn blackhole() -> Plan {
        let flow = Flow { stalled: true, ..Flow::default() };
        Plan { up: flow.clone(), down: flow, ..Plan::default() }
    }

    /// A blackhole in one direction.
    pub fn half_open(dead: Direction) -> Plan {
        let mut plan = Plan::default();
        match dead {
            Direction::Up => plan.up.stalled = true,
            Direction::Down => plan.down.stalled = true,
        }
        plan
    }

    pub fn latency(latency: Duration, jitter: Duration) -> Plan {
        let flow = Flow { latency, jitter, ..Flow::default() };
        Plan { up: flow.clone(), down: flow, ..Plan::default() }
    }

    /// A bandwidth; with few bytes and a long pause a drip.
    pub fn pace(bytes: usize, every: Duration) -> Plan {
        let flow = Flow { pace: Some((bytes, every)), ..Flow::default() };
        Plan { up: flow.clone(), down: flow, ..Plan::default() }
    }

    fn flow(&self, direction: Direction) -> &Flow {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }
}

/// What is done at a certain byte.
#[derive(Debug, Clone, Copy)]
enum Act {
    End(End),
    Corrupt,
}

#[derive(Debug)]
struct Trap {
    left: u64,
    direction: Direction,
    act: Act,
}

struct Shared {
    target: Mutex<String>,
    plan: watch::Sender<Plan>,
    /// Counts the times that all connections were ended, and says how they are.
    ends: watch::Sender<(u64, End)>,
    /// Counts the times that a server was made to say goodbye on all connections, and says how.
    goaways: watch::Sender<(u64, Goaway)>,
    listening: watch::Sender<bool>,
    trap: Mutex<Option<Trap>>,
    sprung: Condvar,
    /// Whether clients are members, who say in their requests which.
    sniffs: bool,
    open: AtomicUsize,
    /// How many connections heard a GOAWAY to its end.
    parted: AtomicU64,
    accepted: AtomicU64,
    carried: [AtomicU64; 2],
    seed: AtomicU64,
}

/// A proxy in front of one server.
pub struct Proxy {
    address: String,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("proxy").enable_all().build().expect("a thread")
    })
}

impl Proxy {
    pub fn new(target: &str, seed: u64) -> io::Result<Proxy> {
        Proxy::start(target, seed, false)
    }

    fn start(target: &str, seed: u64, sniffs: bool) -> io::Result<Proxy> {
        let listener = etcd_run::free_port()?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target: Mutex::new(target.into()),
            plan: watch::Sender::new(Plan::pass()),
            ends: watch::Sender::new((0, End::Fin)),
            goaways: watch::Sender::new((0, Goaway::Graceful)),
            listening: watch::Sender::new(true),
            trap: Mutex::default(),
            sprung: Condvar::new(),
            sniffs,
            open: AtomicUsize::new(0),
            parted: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            carried: Default::default(),
            seed: AtomicU64::new(seed),
        });
        let listener = runtime().spawn(listen(listener, address, Arc::clone(&shared)));
        Ok(Proxy { address: address.to_string(), shared, listener })
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whom those reach who connect from now on.
    pub fn set_target(&self, target: &str) {
        *self.shared.target.lock().unwrap() = target.into();
    }

    pub fn set(&self, plan: Plan) {
        let listens = plan.door != Door::Refuse;
        self.shared.plan.send_replace(plan);
        let mut listening = self.shared.listening.subscribe();
        let _ = runtime().block_on(listening.wait_for(|now| *now == listens));
    }

    /// Ends all connections.
    pub fn drop_all(&self, end: End) {
        self.shared.ends.send_modify(|(count, how)| (*count, *how) = (*count + 1, end));
    }

    /// Has the server say goodbye on all connections that speak HTTP/2 in the clear.
    pub fn goaway(&self, how: Goaway) {
        self.shared.goaways.send_modify(|(count, goaway)| (*count, *goaway) = (*count + 1, how));
    }

    /// On how many connections that was said so far.
    pub fn parted(&self) -> u64 {
        self.shared.parted.load(Ordering::SeqCst)
    }

    /// Ends the connection that carries the byte after so many more in that direction; those before
    /// it arrive.
    pub fn cut_after(&self, bytes: u64, direction: Direction, end: End) {
        self.set_trap(bytes, direction, Act::End(end));
    }

    /// Changes the byte after so many more in that direction.
    pub fn corrupt_after(&self, bytes: u64, direction: Direction) {
        self.set_trap(bytes, direction, Act::Corrupt);
    }

    fn set_trap(&self, left: u64, direction: Direction, act: Act) {
        *self.shared.trap.lock().unwrap() = Some(Trap { left, direction, act });
    }

    /// Whether what `cut_after` or `corrupt_after` asked for has happened in time; if not, it will not.
    pub fn wait_cut(&self, limit: Duration) -> bool {
        let trap = self.shared.trap.lock().unwrap();
        let mut trap = self.shared.sprung.wait_timeout_while(trap, limit, |trap| trap.is_some()).unwrap().0;
        trap.take().is_none()
    }

    /// Whether what `cut_after` or `corrupt_after` asked for is still to happen.
    pub fn is_armed(&self) -> bool {
        self.shared.trap.lock().unwrap().is_some()
    }

    /// How many connections there are.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Waits until the number of connections is as wanted.
    pub fn wait_open(&self, wanted: impl Fn(usize) -> bool, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while !wanted(self.open()) {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        true
    }

    /// How many connections there have been.
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many bytes went in a direction.
    pub fn carried(&self, direction: Direction) -> u64 {
        self.shared.carried[direction as usize].load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
        self.drop_all(End::Fin);
    }
}

async fn listen(listener: std::net::TcpListener, address: SocketAddr, shared: Arc<Shared>) {
    let convert = |listener: std::net::TcpListener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    let mut listener = convert(listener).expect("a listener");
    let mut plans = shared.plan.subscribe();
    loop {
        if plans.borrow_and_update().door == Door::Refuse {
            drop(listener);
            shared.listening.send_replace(false);
            let _ = plans.wait_for(|plan| plan.door != Door::Refuse).await;
            listener = loop {
                match std::net::TcpListener::bind(address).and_then(convert) {
                    Ok(listener) => break listener,
                    // Somebody else's for a moment, as the near end of an outgoing connection.
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            };
            shared.listening.send_replace(true);
            continue;
        }
        let accepted = tokio::select! {
            _ = plans.changed() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((client, _)) = accepted else { continue };
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        // It may have come together with the plan that it is to meet.
        if plans.borrow().door == Door::Reset {
            let _ = client.set_zero_linger();
            continue;
        }
        tokio::spawn(serve(client, Arc::clone(&shared)));
    }
}

async fn serve(client: TcpStream, shared: Arc<Shared>) {
    shared.open.fetch_add(1, Ordering::SeqCst);
    carry(client, &shared).await;
    shared.open.fetch_sub(1, Ordering::SeqCst);
}
