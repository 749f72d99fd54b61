//! Leases under test, and what was said of them.

use crate::history::PROBES;
use crate::library::{has, Client, Event, Lease, Op, Queue, LOST_GONE};
use crate::load::LIMIT;
use crate::report::Report;
use crate::world::{Result, World};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How many leases are opened at a time.
const THREADS: usize = 8;
const SOON: Duration = Duration::from_secs(10);

/// Leases of one client, each with a key, and the thread that listens to them.
pub struct Leases {
    leases: Vec<Lease>,
    said: Arc<Mutex<Said>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    prefix: String,
}

#[derive(Debug, Default, Clone)]
pub struct Said {
    /// Which, why, and when since the recorder was made.
    pub lost: Vec<(usize, i32, Duration)>,
    pub closed: Vec<usize>,
}

/// What is wrong with what was said: nothing may be lost, but for so many that a leader of former times has revoked
/// although they were renewed, which is etcd's fault (#15247).
pub fn check_kept(said: &Said, revoked: usize) -> Vec<String> {
    let (gone, others): (Vec<_>, Vec<_>) = said.lost.iter().partition(|(_, why, _)| *why == LOST_GONE);
    let excused = if gone.len() <= revoked { gone.len() } else { 0 };
    let lost = gone[excused..].iter().chain(&others).map(|(lease, why, at)| {
        let why = if *why == LOST_GONE { "the server has none" } else { "it was not renewed in time" };
        format!("lease {lease} is lost at {at:.3?}: {why}")
    });
    let ended = said.closed.iter().filter(|of| !said.lost.iter().any(|(lease, ..)| lease == *of));
    lost.chain(ended.map(|lease| format!("lease {lease} has ended and is not lost"))).collect()
}

/// The same where all of them have to be lost: each once, for this reason, and nothing after that.
pub fn check_lost(said: &Said, count: usize, reason: i32) -> Vec<String> {
    let mut problems = Vec::new();
    for lease in 0..count {
        let lost: Vec<i32> = said.lost.iter().filter(|(of, ..)| *of == lease).map(|(_, why, _)| *why).collect();
        let closed = said.closed.iter().filter(|of| **of == lease).count();
        if lost != [reason] || closed != 1 {
            problems.push(format!("lease {lease} is lost for {lost:?}, not {reason} once, and ended {closed} times"));
        }
    }
    problems
}

/// Each of those that were deleted was said to be lost before that. The keys end with the lease's number.
pub fn check_told_first(said: &Said, deleted: &[(String, Duration)]) -> Vec<String> {
    let mut problems = Vec::new();
    for (key, deleted) in deleted {
        let number = key.rsplit('/').next().and_then(|number| number.parse::<usize>().ok());
        match said.lost.iter().find(|(lease, ..)| Some(*lease) == number) {
            Some((.., at)) if at <= deleted => {}
            Some((.., at)) => {
                problems.push(format!("{key} was deleted at {deleted:.3?}, its loss told only at {at:.3?}"))
            }
            None => problems.push(format!("{key} was deleted at {deleted:.3?}, and its loss never told")),
        }
    }
    problems
}

impl Leases {
    /// Whether this build of the library has leases.
    pub fn are_there() -> bool {
        has("etcd3_lease_open")
    }

    /// Opens one for each of these numbers of seconds.
    pub fn open(world: &World, client: &Arc<Client>, name: &str, ttls: &[i64]) -> Result<Leases> {
        let queue = Arc::new(Queue::new()?);
        let prefix = format!("{PROBES}lease/{name}/");
        let open = |i: usize| -> Result<Lease> {
            let lease = Lease::open(client, ttls[i], &queue, i)?;
            let put = Op::put(format!("{prefix}{i}").as_bytes(), b"").lease(lease.id()).timeout(LIMIT);
            client.execute(&put)?;
            Ok(lease)
        };
        let part = |first: usize| (first..ttls.len()).step_by(THREADS).map(open).collect::<Result<Vec<_>>>();
        let leases = std::thread::scope(|scope| -> Result<Vec<Lease>> {
            let part = &part;
            let threads: Vec<_> = (0..THREADS).map(|first| scope.spawn(move || part(first))).collect();
            let parts = threads.into_iter().map(|thread| thread.join().expect("it does not panic"));
            Ok(parts.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
        })?;
        let (said, over) = (Arc::<Mutex<Said>>::default(), Arc::<AtomicBool>::default());
        let (theirs, told, recorder) = (Arc::clone(&said), Arc::clone(&over), Arc::clone(&world.recorder));
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::SeqCst) {
                let Some((lease, event)) = queue.next(Duration::from_millis(50)) else { continue };
                let mut said = theirs.lock().unwrap();
                match event {
                    Event::Lost(why) => said.lost.push((lease, why, recorder.now())),
                    Event::Closed(..) => said.closed.push(lease),
                    _ => {}
                }
            }
        });
        Ok(Leases { leases, said, over, thread: Some(thread), prefix })
    }

    pub fn said(&self) -> Said {
        self.said.lock().unwrap().clone()
    }

    /// Waits until so many are lost.
    pub fn wait_lost(&self, count: usize) -> bool {
        let deadline = Instant::now() + SOON;
        while self.said().closed.len() < count {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    /// None may be lost, neither here nor at the server, but for those that `check_kept` excuses; how many those are.
    pub fn demand_kept(&self, report: &mut Report, world: &World, revoked: usize) -> Result<usize> {
        let said = self.said();
        report.problems.extend(check_kept(&said, revoked));
        let dead = self.leases.iter().filter(|lease| !lease.is_alive()).count();
        report
            .demand(dead == said.lost.len(), || format!("{dead} leases are not alive, {} were lost", said.lost.len()));
        let keys = world.count(&self.prefix)?;
        let lost = said.lost.len();
        report.demand(keys + lost == self.leases.len(), || {
            format!("of {} leases {lost} were lost, and the server has the keys of {keys}", self.leases.len())
        });
        Ok(lost)
    }

    /// Ends them; what the server still has is revoked.
    pub fn revoke(&self) {
        for lease in &self.leases {
            let _ = lease.revoke();
        }
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the report says of a scenario's leases where there are none in this library.
pub const NOT_TESTED: &str = "NOT TESTED: this libetcd3 has no leases";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::LOST_EXPIRED;

    fn said(lost: &[(usize, i32)], closed: &[usize]) -> Said {
        let lost = lost.iter().map(|(lease, why)| (*lease, *why, Duration::ZERO)).collect();
        Said { lost, closed: closed.to_vec() }
    }

    #[test]
    fn a_lease_that_is_lost_is_a_problem() {
        assert_eq!(check_kept(&said(&[], &[]), 0).len(), 0);
        assert_ne!(check_kept(&said(&[(3, LOST_GONE)], &[3]), 0).len(), 0);
        assert_ne!(check_kept(&said(&[], &[3]), 1).len(), 0);
        // What a server has revoked out of turn is not the client's fault; what was not renewed is.
        assert_eq!(check_kept(&said(&[(3, LOST_GONE)], &[3]), 1).len(), 0);
        assert_ne!(check_kept(&said(&[(3, LOST_GONE), (4, LOST_GONE)], &[3, 4]), 1).len(), 0);
        assert_ne!(check_kept(&said(&[(3, LOST_EXPIRED)], &[3]), 1).len(), 0);
    }

    #[test]
    fn a_loss_is_told_before_it_is_seen() {
        let told = Said { lost: vec![(3, LOST_EXPIRED, Duration::from_secs(2))], closed: vec![3] };
        let wrong = |key: &str, at| check_told_first(&told, &[(key.into(), Duration::from_secs(at))]).len();
        assert_eq!(wrong("lease/3", 3), 0);
        assert_eq!(wrong("lease/3", 1), 1);
        assert_eq!(wrong("lease/4", 3), 1);
    }

    #[test]
    fn a_lease_is_lost_once_and_for_a_reason() {
        let wrong = |lost: &[(usize, i32)], closed: &[usize]| check_lost(&said(lost, closed), 2, LOST_EXPIRED).len();
        let expired = [(0, LOST_EXPIRED), (1, LOST_EXPIRED)];
        assert_eq!(wrong(&expired, &[1, 0]), 0);
        assert_eq!(wrong(&expired[..1], &[0, 1]), 1);
        assert_eq!(wrong(&expired, &[0]), 1);
        assert_eq!(wrong(&[(0, LOST_EXPIRED), (1, LOST_EXPIRED), (1, LOST_EXPIRED)], &[0, 1]), 1);
        assert_eq!(wrong(&[(0, LOST_EXPIRED), (1, LOST_GONE)], &[0, 1]), 1);
    }
}
