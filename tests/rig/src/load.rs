//! Callers that use the library as programs do: one thing at a time each, at a pace that a small
//! machine bears.

use crate::history::{Action, Outcome, Record, Recorder};
use crate::library::{Answer, Client, Config, Fault, Op};
use crate::world::{Result, World};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The time limit of a call that is to survive a fault.
pub const LIMIT: Duration = Duration::from_secs(5);
/// That of one that is to find out early when it is over.
pub const SHORT: Duration = Duration::from_millis(300);

/// The machine, and not the library, shall never be what is slow.
const MOST_THREADS: usize = 8;
const MOST_CALLS: f64 = 300.0;

/// So much longer than its limit may a call take to come back that hangs.
const PATIENCE: Duration = Duration::from_secs(3);

const KEYS: usize = 8;
/// What the keys that all callers share begin with.
pub const SHARED: &str = "k/";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// Puts, guarded puts, deletes and reads of a few keys that all callers share.
    Mixed,
    /// Puts to a key of the caller's own.
    Puts,
    /// Linearizable reads of the shared keys.
    Reads,
    /// Puts of keys that do not exist.
    Creates,
}

/// One thread that calls.
pub struct Caller {
    pub name: String,
    pub client: Arc<Client>,
    pub mix: Mix,
    pub every: Duration,
    pub limit: Duration,
}

impl Caller {
    pub fn new(name: impl Into<String>, client: &Arc<Client>, mix: Mix, every_ms: u64, limit: Duration) -> Caller {
        Caller { name: name.into(), client: Arc::clone(client), mix, every: Duration::from_millis(every_ms), limit }
    }
}

/// A client with the limits of most scenarios.
pub fn client<T: AsRef<str>>(endpoints: &[T]) -> Result<Arc<Client>> {
    Ok(Arc::new(Client::open(Config::new(endpoints).timeout(LIMIT))?))
}

/// Four callers of everything, and three that find out when reads and puts work again.
pub fn standard(endpoints: &[String]) -> Result<Vec<Caller>> {
    let mut callers = patient(endpoints)?;
    let prober = client(endpoints)?;
    callers.push(Caller::new("reader", &prober, Mix::Reads, 50, LIMIT));
    callers.push(Caller::new("putter-0", &prober, Mix::Puts, 100, SHORT));
    callers.push(Caller::new("putter-1", &prober, Mix::Puts, 100, SHORT));
    Ok(callers)
}

/// Only the four, whose calls all have time to survive a fault.
pub fn patient(endpoints: &[String]) -> Result<Vec<Caller>> {
    let clients = [client(endpoints)?, client(endpoints)?];
    let caller = |i: usize| Caller::new(format!("mixed-{i}"), &clients[i % 2], Mix::Mixed, 30, LIMIT);
    Ok((0..4).map(caller).collect())
}

#[derive(Default)]
pub(crate) struct Stop {
    told: Mutex<bool>,
    news: Condvar,
}

impl Stop {
    pub(crate) fn tell(&self) {
        *self.told.lock().unwrap() = true;
        self.news.notify_all();
    }

    /// Waits until then, or until told to stop: whether that was.
    pub(crate) fn wait_until(&self, then: Instant) -> bool {
        let told = self.told.lock().unwrap();
        let left = then.saturating_duration_since(Instant::now());
        *self.news.wait_timeout_while(told, left, |told| !*told).unwrap().0
    }
}

/// Callers at work.
pub struct Load {
    stop: Arc<Stop>,
    threads: Vec<(String, Duration, JoinHandle<()>)>,
}

impl Load {
    pub fn start(world: &World, callers: Vec<Caller>, seed: u64) -> Load {
        let calls: f64 = callers.iter().map(|caller| 1.0 / caller.every.as_secs_f64()).sum();
        assert!(callers.len() <= MOST_THREADS && calls <= MOST_CALLS, "{} threads, {calls}/s", callers.len());
        let stop = Arc::new(Stop::default());
        let start = |(i, caller): (usize, Caller)| {
            let (recorder, stop) = (Arc::clone(&world.recorder), Arc::clone(&stop));
            let (name, limit) = (caller.name.clone(), caller.limit);
            let rng = fastrand::Rng::with_seed(seed.wrapping_add(i as u64));
            (name, limit, std::thread::spawn(move || work(&caller, &recorder, &stop, rng)))
        };
        let threads = callers.into_iter().enumerate().map(start).collect();
        Load { stop, threads }
    }

    /// Ends it; which calls do not come back.
    pub fn stop(self) -> Vec<String> {
        self.stop.tell();
        let told = Instant::now();
        let mut hanging = Vec::new();
        for (name, limit, thread) in self.threads {
            while !thread.is_finished() && told.elapsed() < limit + PATIENCE {
                std::thread::sleep(Duration::from_millis(5));
            }
            match thread.is_finished() {
                true => thread.join().expect("a caller does not panic"),
                false => hanging.push(format!("a call of {name} hangs: limit {limit:?}")),
            }
        }
        hanging
    }
}

fn work(caller: &Caller, recorder: &Recorder, stop: &Stop, mut rng: fastrand::Rng) {
    let mut next = Instant::now() + caller.every.mul_f64(rng.f64());
    let mut seen = HashMap::new();
    while !stop.wait_until(next) {
        let action = action(caller, recorder, &seen, &mut rng);
        let record = call(recorder, &caller.name, &caller.client, caller.limit, action);
        if let (Action::Get { key, .. }, Outcome::Done { held, .. }) = (record.action, record.outcome) {
            seen.insert(key, held.map_or(0, |held| held.mod_revision));
        }
        // What a slow call has missed is not made up for.
        next = (next + caller.every).max(Instant::now());
    }
}

fn action(caller: &Caller, recorder: &Recorder, seen: &HashMap<String, i64>, rng: &mut fastrand::Rng) -> Action {
    let key = format!("{SHARED}{}", rng.usize(..KEYS));
    let value = || recorder.value(&caller.name);
    match (caller.mix, rng.usize(..100)) {
        (Mix::Puts, _) => Action::Put { key: format!("own/{}", caller.name), value: value() },
        (Mix::Reads, _) => Action::Get { key, serializable: false },
        (Mix::Creates, _) => {
            let value = value();
            Action::PutIf { key: format!("new/{value}"), revision: 0, value }
        }
        (Mix::Mixed, 0..45) => Action::Put { key, value: value() },
        (Mix::Mixed, 45..55) => {
            let revision = seen.get(&key).copied().unwrap_or(0);
            Action::PutIf { key, revision, value: value() }
        }
        (Mix::Mixed, 55..60) => Action::Delete { key },
        (Mix::Mixed, 60..65) => Action::Get { key, serializable: true },
        (Mix::Mixed, _) => Action::Get { key, serializable: false },
    }
}

/// Makes one call and records it.
pub fn call(recorder: &Recorder, caller: &str, client: &Client, limit: Duration, action: Action) -> Record {
    recorder.record(caller, limit, action, |action| execute(client, action, limit))
}

fn execute(client: &Client, action: &Action, limit: Duration) -> std::result::Result<Answer, Fault> {
    let op = match action {
        Action::Put { key, value } => Op::put(key.as_bytes(), value.as_bytes()),
        Action::PutIf { key, revision, value } => Op::put_if(key.as_bytes(), *revision, value.as_bytes()),
        Action::Delete { key } => Op::delete(key.as_bytes()),
        Action::Get { key, serializable: false } => Op::get(key.as_bytes()),
        Action::Get { key, serializable: true } => Op::get(key.as_bytes()).serializable(),
    };
    client.execute(&op.timeout(limit))
}

/// A read that asks the cluster, and not only one member.
pub fn is_linearizable(record: &Record) -> bool {
    matches!(record.action, Action::Get { serializable: false, .. })
}

/// Notices when this machine lets nobody run, so that the library is not blamed.
pub struct Stalls {
    stop: Arc<Stop>,
    found: Arc<Mutex<Vec<(Instant, Duration)>>>,
    epoch: Instant,
}

impl Stalls {
    /// `now` is the time of the records that will be judged.
    pub fn watch(now: Duration) -> Stalls {
        const TICK: Duration = Duration::from_millis(5);
        let stalls = Stalls { stop: Arc::default(), found: Arc::default(), epoch: Instant::now() - now };
        let (stop, found) = (Arc::clone(&stalls.stop), Arc::clone(&stalls.found));
        std::thread::spawn(move || loop {
            let begun = Instant::now();
            if stop.wait_until(begun + TICK) {
                return;
            }
            let over = begun.elapsed().saturating_sub(TICK);
            if over > TICK {
                found.lock().unwrap().push((Instant::now(), over));
            }
        });
        stalls
    }

    /// How long this machine stood still between two times of records.
    pub fn between(&self, from: Duration, to: Duration) -> Duration {
        let (from, to) = (self.epoch + from, self.epoch + to);
        let found = self.found.lock().unwrap();
        found.iter().filter(|(at, _)| *at >= from && *at <= to + Duration::from_millis(50)).map(|(_, over)| *over).sum()
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.stop.tell();
    }
}
