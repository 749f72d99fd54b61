//! Which leases are to be renewed when and on which stream, and which are lost: a state machine without streams and
//! without a clock (appendix B of the semantics). Nothing here looks at all leases but the change of a stream.

mod entry;

use super::super::counters::Counter;
use super::super::error::Error;
use super::super::event::{LostReason, Renewal};
use super::super::mutant;
use super::hold::{safe_until, Hold};
use super::Moment;
use entry::{hedge_at, Entry, Phase, IMPATIENCE, PATIENCE};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What is due so soon after something else goes with it.
const TOGETHER: Duration = Duration::from_millis(25);
/// After a renewal beside the shared stream failed.
const AGAIN: Duration = Duration::from_millis(500);

/// The shared stream, and the one that is tried while it does not answer (§7.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Main,
    Hedge,
}

#[derive(Default)]
struct Stream {
    open: bool,
    /// What it has not answered, in the order of sending: a server answers in this order, and ends at the one that it
    /// denies.
    sent: VecDeque<(i64, Moment)>,
    /// When it was opened or answered last.
    heard: Moment,
}

impl Stream {
    fn is_silent(&self, now: Moment, limit: Duration) -> bool {
        self.sent.front().is_some_and(|(_, sent)| now >= self.heard.max(*sent) + limit)
    }
}

/// What the owner of the streams is to do.
#[derive(Debug, Default, PartialEq)]
pub struct Work {
    /// To be sent on the shared stream.
    pub main: Vec<i64>,
    /// To be sent beside it, on a new stream elsewhere if `fresh`.
    pub hedge: Vec<i64>,
    pub fresh: bool,
}

/// What follows from an answer.
#[derive(Debug, PartialEq)]
pub enum Next {
    Nothing,
    /// The second stream is the better one: it is the shared one from now on.
    Promote,
    /// The second stream is no longer needed.
    Drop,
}

#[derive(Default)]
pub struct Keeper {
    leases: HashMap<i64, Entry>,
    timers: BTreeSet<(Moment, i64)>,
    main: Stream,
    hedge: Stream,
    /// Leases whose turn on a stream of their own has come.
    alone: VecDeque<i64>,
    dice: u64,
    /// Since somebody asked.
    pub renewals: i64,
    pub losses: Counter,
}

impl Keeper {
    /// Whether a shared stream is wanted.
    pub fn wants_stream(&self) -> bool {
        self.leases.values().any(|entry| !entry.alone)
    }

    pub fn next_wake(&self) -> Option<Moment> {
        self.timers.first().map(|(wake, _)| *wake)
    }

    fn stream(&mut self, lane: Lane) -> &mut Stream {
        match lane {
            Lane::Main => &mut self.main,
            Lane::Hedge => &mut self.hedge,
        }
    }

    /// Takes a lease in that was granted or renewed by a request sent at `sent`.
    pub fn add(&mut self, hold: Arc<Hold>, sent: Moment, now: Moment) {
        let (id, ttl) = (hold.id, hold.ttl());
        let due = sent + self.third(ttl);
        let safe_until = hold.safe_until();
        // What others held of it is over, which this one is not.
        if self.leases.get(&id).is_some_and(|entry| now >= entry.safe_until) {
            self.lose(id, LostReason::Expired, None);
        }
        match self.leases.get_mut(&id) {
            Some(entry) => {
                entry.holds.push(hold);
                self.renewed(id, ttl, safe_until, now);
            }
            None => {
                let entry = Entry {
                    holds: vec![hold],
                    ttl,
                    safe_until,
                    phase: Phase::Due(due),
                    unanswered: [0; 2],
                    alone: false,
                    wake: due,
                };
                self.leases.insert(id, entry);
                self.timers.insert((due, id));
                self.arm(id);
            }
        }
    }

    /// One owner less.
    pub fn release(&mut self, hold: &Arc<Hold>) {
        let Some(entry) = self.leases.get_mut(&hold.id) else { return };
        entry.holds.retain(|other| !Arc::ptr_eq(other, hold));
        if entry.holds.is_empty() {
            self.remove(hold.id);
        }
    }

    fn remove(&mut self, id: i64) -> Option<Entry> {
        let entry = self.leases.remove(&id)?;
        self.timers.remove(&(entry.wake, id));
        Some(entry)
    }

    /// Tells all owners of a lease that it is lost.
    pub fn lose(&mut self, id: i64, reason: LostReason, error: Option<&Error>) {
        for hold in self.remove(id).into_iter().flat_map(|entry| entry.holds) {
            hold.lose(reason, error.cloned(), &self.losses);
        }
    }

    /// A stream is there; what waits for one goes out with the next `poll`.
    pub fn opened(&mut self, lane: Lane, now: Moment) {
        *self.stream(lane) = Stream { open: true, sent: VecDeque::new(), heard: now };
        if lane == Lane::Main {
            self.unpark(now);
        }
    }

    fn unpark(&mut self, now: Moment) {
        let parked = |entry: &Entry| matches!(entry.phase, Phase::Parked) && !entry.alone;
        let ids = self.leases.iter().filter(|(_, entry)| parked(entry)).map(|(id, _)| *id).collect();
        self.make_due(ids, now);
    }

    fn make_due(&mut self, ids: Vec<i64>, at: Moment) {
        for id in ids {
            if let Some(entry) = self.leases.get_mut(&id) {
                entry.phase = Phase::Due(at);
                self.arm(id);
            }
        }
    }

    /// A stream is gone; `denied` if the server ended it since the user may not renew the lease whose turn it was. True if
    /// that lease will not be on the next one.
    pub fn closed(&mut self, lane: Lane, denied: bool, now: Moment) -> bool {
        let stream = std::mem::take(self.stream(lane));
        let first = stream.sent.front().filter(|_| denied).and_then(|(id, _)| self.leases.get_mut(id));
        let isolated = first.map(|entry| entry.alone = true).is_some();
        let mut unasked = Vec::new();
        for (id, _) in stream.sent {
            let Some(entry) = self.leases.get_mut(&id) else { continue };
            entry.unanswered[lane as usize] = 0;
            let asked = matches!(entry.phase, Phase::Asked { .. });
            if asked && (entry.alone || entry.unanswered == [0; 2]) {
                unasked.push(id);
            }
        }
        self.make_due(unasked, now);
        isolated
    }

    /// The second stream takes the place of the shared one.
    pub fn promote(&mut self, now: Moment) {
        self.closed(Lane::Main, false, now);
        self.main = std::mem::take(&mut self.hedge);
        for (id, _) in &self.main.sent {
            if let Some(entry) = self.leases.get_mut(id) {
                entry.unanswered = [entry.unanswered[Lane::Hedge as usize], 0];
            }
        }
        self.unpark(now);
    }

    /// What is to be sent now. What is over is lost.
    pub fn poll(&mut self, now: Moment) -> Work {
        let ready: Vec<_> = self.timers.range(..=(now + TOGETHER, i64::MAX)).map(|(_, id)| *id).collect();
        let mut work = Work::default();
        let (heard, mut overdue) = (self.heard(), Vec::new());
        for id in ready {
            let Some(entry) = self.leases.get_mut(&id) else { continue };
            if now >= entry.safe_until {
                self.lose(id, LostReason::Expired, None);
                continue;
            }
            match entry.phase {
                Phase::Due(due) if due > now + TOGETHER => {}
                Phase::Due(_) if entry.alone => {
                    entry.phase = Phase::Parked;
                    self.alone.push_back(id);
                }
                Phase::Due(_) if !self.main.open => entry.phase = Phase::Parked,
                Phase::Due(_) => work.main.push(id),
                Phase::Asked { .. } if hedge_at(entry, heard) <= now => overdue.push(id),
                Phase::Asked { .. } | Phase::Parked => {}
            }
            self.arm(id);
        }
        for id in &work.main {
            self.sent(*id, Lane::Main, now);
        }
        if !overdue.is_empty() {
            self.hedge_with(overdue, &mut work, now);
        }
        work
    }

    /// Sends what waits too long on another stream, a new one if there is none or that one is silent too.
    fn hedge_with(&mut self, overdue: Vec<i64>, work: &mut Work, now: Moment) {
        work.fresh = !self.hedge.open || self.hedge.is_silent(now, IMPATIENCE);
        work.hedge = overdue;
        if work.fresh {
            let stuck = std::mem::take(&mut self.hedge);
            let listed: std::collections::HashSet<_> = work.hedge.iter().copied().collect();
            for (id, _) in stuck.sent {
                if let Some(entry) = self.leases.get_mut(&id) {
                    let again = std::mem::take(&mut entry.unanswered[Lane::Hedge as usize]) > 0;
                    if again && matches!(entry.phase, Phase::Asked { .. }) && !listed.contains(&id) {
                        work.hedge.push(id);
                    }
                }
            }
            self.opened(Lane::Hedge, now);
        }
        for id in &work.hedge {
            self.sent(*id, Lane::Hedge, now);
        }
    }

    fn sent(&mut self, id: i64, lane: Lane, now: Moment) {
        self.stream(lane).sent.push_back((id, now));
        if let Some(entry) = self.leases.get_mut(&id) {
            entry.unanswered[lane as usize] += 1;
            let tries = match entry.phase {
                Phase::Asked { tries, .. } => tries + 1,
                _ => 1,
            };
            entry.phase = Phase::Asked { last: now, tries };
            self.arm(id);
        }
    }

    fn heard(&self) -> [Moment; 2] {
        [self.main.heard, self.hedge.heard]
    }

    /// An answer.
    pub fn receive(&mut self, lane: Lane, id: i64, renewal: Renewal, now: Moment) -> Next {
        let stream = self.stream(lane);
        // An answer that nobody asked for says nothing.
        let Some(place) = stream.sent.iter().position(|(sent, _)| *sent == id) else { return Next::Nothing };
        let Some((_, sent)) = stream.sent.remove(place) else { return Next::Nothing };
        stream.heard = now;
        if let Some(entry) = self.leases.get_mut(&id) {
            entry.unanswered[lane as usize] = entry.unanswered[lane as usize].saturating_sub(1);
            self.answered(id, renewal, sent, now);
        }
        let stuck = self.main.is_silent(now, PATIENCE);
        match lane {
            Lane::Hedge if stuck || !self.main.open => Next::Promote,
            _ if self.hedge.open && !stuck && self.hedge.sent.is_empty() => Next::Drop,
            _ if self.hedge.open && self.main.sent.is_empty() => Next::Drop,
            _ => Next::Nothing,
        }
    }

    /// The answer to a renewal sent at `sent`, on whatever stream.
    pub fn answered(&mut self, id: i64, renewal: Renewal, sent: Moment, now: Moment) {
        match u64::try_from(renewal.ttl) {
            Ok(seconds @ 1..) => {
                self.renewals += 1;
                let ttl = Duration::from_secs(seconds);
                let until = match mutant::is("lease-deadline-from-receipt") {
                    true => now + ttl + Duration::from_secs(2),
                    false => safe_until(sent, ttl),
                };
                let due = (sent + self.third(ttl)).max(now);
                if let Some(entry) = self.leases.get_mut(&id) {
                    entry.phase = Phase::Due(due);
                }
                self.renewed(id, ttl, until, now);
                self.leases.get(&id).iter().flat_map(|entry| &entry.holds).for_each(|hold| hold.tell(renewal));
            }
            _ => self.lose(id, LostReason::Gone, None),
        }
    }

    fn renewed(&mut self, id: i64, ttl: Duration, until: Moment, now: Moment) {
        let Some(entry) = self.leases.get_mut(&id) else { return };
        if now >= entry.safe_until {
            return self.lose(id, LostReason::Expired, None);
        }
        entry.ttl = ttl;
        entry.safe_until = entry.safe_until.max(until);
        let (until, holds) = (entry.safe_until, entry.holds.clone());
        holds.iter().for_each(|hold| hold.extend(ttl, until, now, &self.losses));
        self.arm(id);
    }

    /// The next lease that is to be asked for on a stream of its own.
    pub fn next_alone(&mut self) -> Option<i64> {
        loop {
            let id = self.alone.pop_front()?;
            if self.leases.get(&id).is_some_and(|entry| entry.alone && matches!(entry.phase, Phase::Parked)) {
                return Some(id);
            }
        }
    }

    /// It could not be asked for.
    pub fn failed_alone(&mut self, id: i64, now: Moment) {
        self.make_due(vec![id], now + AGAIN);
    }

    /// A third of the time, ±5 %, so that leases do not stay in step.
    fn third(&mut self, ttl: Duration) -> Duration {
        // A step of splitmix64.
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let share = (mixed >> 11) as f64 / (1u64 << 53) as f64;
        ttl.mul_f64((0.95 + 0.1 * share) / 3.0)
    }

    /// Sets the timer of a lease by what comes next for it.
    fn arm(&mut self, id: i64) {
        let Some(entry) = self.leases.get(&id) else { return };
        let next = match entry.phase {
            Phase::Due(due) => due,
            Phase::Asked { .. } => hedge_at(entry, self.heard()),
            Phase::Parked => Moment::MAX,
        };
        let (old, wake) = (entry.wake, next.min(entry.safe_until));
        self.timers.remove(&(old, id));
        self.timers.insert((wake, id));
        if let Some(entry) = self.leases.get_mut(&id) {
            entry.wake = wake;
        }
    }
}

/// Whatever ends the task, each owner is told.
impl Drop for Keeper {
    fn drop(&mut self) {
        let broken = std::thread::panicking();
        let error = broken.then(|| Error::internal("the task of the leases broke down"));
        for hold in self.leases.values().flat_map(|entry| &entry.holds) {
            hold.lose(LostReason::Closed, error.clone(), &self.losses);
        }
    }
}

#[cfg(test)]
mod tests;
