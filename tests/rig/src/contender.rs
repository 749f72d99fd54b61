//! A process of its own that locks or campaigns, so that it can be killed and paused, and what it says.

use crate::library::{Client, Config, Election, Event, Lease, Lock, Queue, Session};
use crate::world::Result;
use etcd_run::Process;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// How long a session lives without a renewal.
pub const TTL: Duration = Duration::from_secs(3);
/// How long it waits for its turn.
const LIMIT: Duration = Duration::from_secs(5);
const CALL: Duration = Duration::from_secs(2);
/// How long the lock is held, unless it is held for long.
const HOLD: Duration = Duration::from_millis(30);
const LONG: Duration = Duration::from_millis(3200);
/// One term of so many is long.
const LONG_TERMS: usize = 40;
const LEASE_LOST: i32 = 20;

/// The clock of all processes of this machine.
pub fn now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is ours.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What a contender said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub at: Duration,
    pub who: usize,
    /// session, wait, not, got, wrote, refused, lost, leaving, left, trouble.
    pub what: String,
    /// Of a session its lease, of `not` the code, else the token.
    pub number: i64,
    /// Of `not` for how long it has waited, in milliseconds; of `refused` and `left` the code.
    pub more: i64,
}

/// What all of them say, in one file.
pub struct Words {
    path: PathBuf,
}

impl Words {
    pub fn new(directory: &Path) -> Result<Words> {
        let path = directory.join("words");
        File::create(&path)?;
        Ok(Words { path })
    }

    pub fn all(&self) -> Vec<Word> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        // The last one may be half written.
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let mut words: Vec<Word> = lines.filter_map(|line| read(line.trim())).collect();
        words.sort_by_key(|word| word.at);
        words
    }

    /// Starts a contender: "lock", "elect" or "lease" on `name`.
    pub fn contender(&self, kind: &str, endpoints: &[String], name: &str, who: usize) -> Result<Process> {
        self.contender_with(kind, endpoints, name, who, &[])
    }

    /// The same with more in its environment.
    pub fn contender_with(
        &self,
        kind: &str,
        endpoints: &[String],
        name: &str,
        who: usize,
        environment: &[(&str, &Path)],
    ) -> Result<Process> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["contend", kind, &endpoints.join(","), name, &who.to_string()]);
        command.envs(environment.iter().copied());
        command.stdout(OpenOptions::new().append(true).open(&self.path)?);
        Ok(Process::spawn(command)?)
    }
}

fn read(line: &str) -> Option<Word> {
    let mut parts = line.split(' ');
    let at = Duration::from_nanos(parts.next()?.parse().ok()?);
    let who = parts.next()?.parse().ok()?;
    let what = parts.next()?.to_owned();
    let mut number = || parts.next()?.parse().ok();
    Some(Word { at, who, what, number: number()?, more: number()? })
}

/// Says it in one piece, so that the words of several do not mix.
fn say(who: usize, what: &str, number: i64, more: i64) {
    let line = format!("{} {who} {what} {number} {more}\n", now().as_nanos());
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

/// What the process does, until it is killed.
pub fn contend(args: &[String]) -> Result<()> {
    let [kind, endpoints, name, who] = args else { return Err("contend KIND ENDPOINTS NAME NUMBER".into()) };
    let who: usize = who.parse()?;
    let endpoints: Vec<&str> = endpoints.split(',').collect();
    let client = Client::open(Config::new(&endpoints).timeout(CALL))?;
    let mut rng = fastrand::Rng::with_seed(who as u64);
    if kind == "lease" {
        return keep(&client, who);
    }
    loop {
        let session = match Session::open(&client, TTL.as_secs() as i64) {
            Ok(session) => session,
            Err(fault) => {
                say(who, "trouble", fault.code.into(), 0);
                std::thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        say(who, "session", session.lease_id(), 0);
        let mut seat = match &**kind {
            "lock" => Seat::Lock(Arc::new(Lock::new(&session, name)?)),
            _ => Seat::Election(Election::new(&session, name)?),
        };
        while session.is_alive() {
            if !turn(&mut seat, name, who, &mut rng) {
                break;
            }
            std::thread::sleep(Duration::from_millis(rng.u64(..20)));
        }
    }
}

enum Seat {
    Lock(Arc<Lock>),
    Election(Election),
}

impl Seat {
    fn token(&self) -> i64 {
        match self {
            Seat::Lock(lock) => lock.token(),
            Seat::Election(election) => election.token(),
        }
    }
}

/// Waits for its turn and does what is to be done in it; false if the session is lost.
fn turn(seat: &mut Seat, name: &str, who: usize, rng: &mut fastrand::Rng) -> bool {
    say(who, "wait", 0, 0);
    let begun = now();
    let won = match seat {
        Seat::Lock(lock) => lock.acquire(LIMIT),
        Seat::Election(election) => election.campaign(&who.to_string(), LIMIT),
    };
    if let Err(fault) = won {
        say(who, "not", fault.code.into(), (now() - begun).as_millis() as i64);
        return fault.code != LEASE_LOST;
    }
    let token = seat.token();
    say(who, "got", token, 0);
    if let Seat::Lock(lock) = seat {
        let lost = move |event| {
            if matches!(event, Event::Lost(_)) {
                say(who, "lost", token, 0);
            }
        };
        if let Err(fault) = lock.on_loss(lost) {
            say(who, "trouble", fault.code.into(), 0);
        }
    }
    let long = matches!(seat, Seat::Election(_)) && rng.usize(..LONG_TERMS) == 0;
    for part in 0..2 {
        let value = format!("{who}:{token}:{part}");
        let wrote = match seat {
            Seat::Lock(lock) => lock.put(&guarded(name), &value),
            Seat::Election(election) => election.proclaim(&value),
        };
        match wrote {
            Ok(()) => say(who, "wrote", token, 0),
            Err(fault) => say(who, "refused", token, fault.code.into()),
        }
        std::thread::sleep(if long { LONG / 2 } else { HOLD / 2 });
    }
    say(who, "leaving", token, 0);
    let left = match seat {
        Seat::Lock(lock) => lock.release(),
        Seat::Election(election) => election.resign(),
    };
    say(who, "left", token, left.map_or_else(|fault| fault.code.into(), |()| 0));
    true
}

/// The key that is written only under the lock of this name.
pub fn guarded(name: &str) -> String {
    format!("{name}-guarded")
}

/// Keeps a lease alive and renews it by hand, too. `wrote` is a success, `refused` a failure, both of the call that began
/// at `more` microseconds.
fn keep(client: &Client, who: usize) -> Result<()> {
    loop {
        let queue = Queue::new()?;
        let Ok(lease) = Lease::open(client, TTL.as_secs() as i64, &queue, 0) else { continue };
        say(who, "session", lease.id(), 0);
        std::thread::scope(|scope| {
            scope.spawn(|| loop {
                match queue.next(Duration::from_secs(1)) {
                    Some((_, Event::Lost(_))) => say(who, "lost", lease.id(), 0),
                    Some((_, Event::Closed(..))) => return,
                    _ => {}
                }
            });
            // Some more after the loss: none of them may succeed.
            let mut failed = 0;
            while failed < 3 {
                let begun = now().as_micros() as i64;
                match lease.refresh() {
                    Ok(()) => say(who, "wrote", lease.id(), begun),
                    Err(_) => {
                        say(who, "refused", lease.id(), begun);
                        failed += usize::from(!lease.is_alive());
                    }
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
    }
}
