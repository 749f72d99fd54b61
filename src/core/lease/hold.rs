//! What one owner knows of a lease: until when it is safe to rely on it, and why it was lost. A loss is for good.

use super::super::code;
use super::super::counters::Counter;
use super::super::error::Error;
use super::super::event::{Body, LostReason, Newest, Renewal};
use super::super::source::Source;
use super::super::sync::lock;
use super::Moment;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub struct Hold {
    pub id: i64,
    /// Who is told of a loss.
    source: Option<Arc<Source>>,
    state: Mutex<State>,
    pub gone: CancellationToken,
    /// Its owner is revoking it: that the server does not know it is then his doing.
    pub revoking: AtomicBool,
    /// Its owner wants to be told of renewals.
    telling: AtomicBool,
    newest: Arc<Newest>,
}

struct State {
    ttl: Duration,
    safe_until: Moment,
    lost: Option<LostReason>,
}

/// How much earlier than the server this side takes a lease for expired: what clocks may differ in, and what it takes to
/// tell the owner.
fn margin(ttl: Duration) -> Duration {
    (ttl / 50).max(Duration::from_millis(100))
}

/// Until when a lease is safe that the server renewed at some time after `sent`.
pub fn safe_until(sent: Moment, ttl: Duration) -> Moment {
    sent + ttl.saturating_sub(margin(ttl))
}

/// Whether the owner did not will it.
fn is_a_loss(reason: LostReason) -> bool {
    matches!(reason, LostReason::Expired | LostReason::Gone | LostReason::Permission)
}

impl Hold {
    pub fn new(id: i64, ttl: Duration, safe_until: Moment, source: Option<Arc<Source>>) -> Arc<Self> {
        let state = Mutex::new(State { ttl, safe_until, lost: None });
        Arc::new(Hold {
            id,
            source,
            state,
            gone: CancellationToken::new(),
            revoking: AtomicBool::new(false),
            telling: AtomicBool::new(false),
            newest: Arc::default(),
        })
    }

    pub fn ttl(&self) -> Duration {
        lock(&self.state).ttl
    }

    pub fn lost(&self) -> Option<LostReason> {
        lock(&self.state).lost
    }

    /// What is left of it; nothing once it is lost.
    pub fn remaining(&self, now: Moment) -> Duration {
        let state = lock(&self.state);
        match state.lost {
            Some(_) => Duration::ZERO,
            None => state.safe_until.saturating_sub(now),
        }
    }

    pub fn safe_until(&self) -> Moment {
        lock(&self.state).safe_until
    }

    /// Takes note of a renewal, unless it comes too late.
    pub fn extend(&self, ttl: Duration, until: Moment, now: Moment, losses: &Counter) {
        if self.remaining(now).is_zero() {
            self.lose(LostReason::Expired, None, losses);
            return;
        }
        let mut state = lock(&self.state);
        state.ttl = ttl;
        state.safe_until = state.safe_until.max(until);
    }

    /// Has renewals told from now on, or no more; false if there is nobody to be told.
    pub fn tell_renewals(&self, on: bool) -> bool {
        self.telling.store(on, Ordering::Release);
        self.source.is_some()
    }

    /// Tells the owner of a renewal, if he wants to know.
    pub fn tell(&self, renewal: Renewal) {
        let Some(source) = self.source.as_ref().filter(|_| self.telling.load(Ordering::Acquire)) else { return };
        // Not behind a loss.
        let is_first = {
            let state = lock(&self.state);
            state.lost.is_none() && self.newest.put(renewal)
        };
        if is_first {
            source.emit(Body::Renewed { newest: self.newest.clone() });
        }
    }

    /// Tells the owner, once, having counted it if it is against his will; `error` is what the server said.
    pub fn lose(&self, reason: LostReason, error: Option<Error>, losses: &Counter) {
        let revoked = reason == LostReason::Gone && self.revoking.load(Ordering::Acquire);
        let reason = if revoked { LostReason::Revoked } else { reason };
        if !self.mark(reason) {
            return;
        }
        losses.add(is_a_loss(reason).into());
        if let Some(source) = &self.source {
            source.lose(reason, error.or_else(|| why(self.id, reason)));
        }
    }

    /// The owner lets go of it.
    pub fn release(&self) {
        self.mark(LostReason::Closed);
        if let Some(source) = &self.source {
            source.cancel(None);
        }
    }

    /// True for the one who finds it not lost yet.
    pub fn mark(&self, reason: LostReason) -> bool {
        {
            let mut state = lock(&self.state);
            if state.lost.is_some() {
                return false;
            }
            state.lost = Some(reason);
        }
        self.gone.cancel();
        true
    }
}

/// What the owner of a lost lease is told; nothing if it was his own will.
pub fn why(id: i64, reason: LostReason) -> Option<Error> {
    let why = match reason {
        LostReason::Expired => "no renewal was answered in time",
        LostReason::Gone => "the server does not know it any more",
        LostReason::Permission => "the user may not renew it",
        LostReason::Closed => return Some(Error::closed()),
        LostReason::Deleted => "somebody deleted its key",
        LostReason::Revoked => return None,
    };
    Some(Error::new(code::ERR_LEASE_LOST, format!("the lease {id:x} is lost: {why}")))
}

#[cfg(test)]
mod tests {
    use super::super::super::queue::{Queue, ThreadWake};
    use super::super::super::source::tests::Mute;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn hold() -> (Arc<Queue>, Arc<Hold>) {
        let queue = Queue::new(Box::new(ThreadWake::default()));
        let source = Source::of_holding(queue.clone(), Arc::new(Mute)).unwrap();
        let ttl = 10 * SECOND;
        (queue, Hold::new(7, ttl, safe_until(100 * SECOND, ttl), Some(source)))
    }

    fn told(queue: &Queue) -> Vec<(Option<LostReason>, Option<code::Code>)> {
        let tell = |body| match body {
            Body::Lost { reason, error } => (Some(reason), error.map(|error| error.code)),
            Body::Closed { error } => (None, error.map(|error| error.code)),
            _ => panic!("another event"),
        };
        queue.take().into_iter().map(|event| tell(event.body)).collect()
    }

    #[test]
    fn the_margin_is_two_percent_and_at_least_a_tenth_of_a_second() {
        assert_eq!(safe_until(SECOND, 2 * SECOND), Duration::from_millis(2900));
        assert_eq!(safe_until(SECOND, 60 * SECOND), Duration::from_millis(59800));
        assert_eq!(safe_until(SECOND, Duration::ZERO), SECOND);
    }

    #[test]
    fn what_was_seen_as_over_never_comes_back() {
        let (queue, hold) = hold();
        let losses = Counter::default();
        let end = 100 * SECOND + Duration::from_millis(9800);
        assert_eq!(hold.remaining(100 * SECOND), Duration::from_millis(9800));
        hold.extend(10 * SECOND, end, 101 * SECOND, &losses);
        assert!(hold.remaining(end).is_zero());
        hold.extend(10 * SECOND, 200 * SECOND, end, &losses);
        hold.extend(10 * SECOND, 200 * SECOND, 109 * SECOND, &losses);
        assert!(hold.remaining(101 * SECOND).is_zero());
        assert_eq!(hold.lost(), Some(LostReason::Expired));
        hold.lose(LostReason::Gone, None, &losses);
        assert_eq!(losses.value(), 1);
        let lost = Some(code::ERR_LEASE_LOST);
        assert_eq!(told(&queue), [(Some(LostReason::Expired), lost), (None, lost)]);
    }

    #[test]
    fn of_renewals_only_the_newest_waits() {
        let (queue, hold) = hold();
        let renewal = |ttl| Renewal { ttl, header: Default::default() };
        let waiting = || {
            let tell = |body| match body {
                Body::Renewed { newest } => newest.take().map(|renewal| renewal.ttl),
                _ => None,
            };
            queue.take().into_iter().map(|event| tell(event.body)).collect::<Vec<_>>()
        };
        hold.tell(renewal(1));
        assert_eq!(waiting(), []);
        assert!(hold.tell_renewals(true));
        (2..100).for_each(|ttl| hold.tell(renewal(ttl)));
        assert_eq!(waiting(), [Some(99)]);
        hold.tell(renewal(100));
        assert_eq!(waiting(), [Some(100)]);
        hold.tell(renewal(101));
        hold.lose(LostReason::Gone, None, &Counter::default());
        hold.tell(renewal(102));
        assert_eq!(waiting(), [Some(101), None, None]);
    }

    #[test]
    fn its_own_revocation_is_no_surprise() {
        let (queue, hold) = hold();
        hold.revoking.store(true, Ordering::Release);
        hold.lose(LostReason::Gone, None, &Counter::default());
        assert_eq!(told(&queue), [(Some(LostReason::Revoked), None), (None, None)]);
    }

    #[test]
    fn who_lets_go_loses_nothing() {
        let (queue, hold) = hold();
        hold.release();
        hold.lose(LostReason::Gone, None, &Counter::default());
        assert!(hold.gone.is_cancelled());
        assert_eq!(told(&queue), [(None, None)]);
    }
}
