//! One lease as the keeper sees it, and when it has waited too long for an answer.

use super::super::hold::Hold;
use super::super::Moment;
use std::sync::Arc;
use std::time::Duration;

/// How long a stream may be silent, once there is doubt, before a newer one is tried.
pub const IMPATIENCE: Duration = Duration::from_millis(500);
pub const PATIENCE: Duration = Duration::from_secs(1);

pub struct Entry {
    pub holds: Vec<Arc<Hold>>,
    pub ttl: Duration,
    pub safe_until: Moment,
    pub phase: Phase,
    /// How many requests each stream has not answered.
    pub unanswered: [usize; 2],
    /// A stream was ended for it: it is asked for on streams of its own, so as not to starve the others (§4.10).
    pub alone: bool,
    /// Its place among the timers.
    pub wake: Moment,
}

#[derive(Clone, Copy)]
pub enum Phase {
    Due(Moment),
    Asked {
        last: Moment,
        tries: u32,
    },
    /// Due, and there is no stream, or its turn on a stream of its own has yet to come.
    Parked,
}

/// When an asked lease has waited too long. A stream that works through a long list is given the time, as long as there
/// is some.
pub fn hedge_at(entry: &Entry, heard: [Moment; 2]) -> Moment {
    let Phase::Asked { last, tries } = entry.phase else { return Moment::MAX };
    let (patience, heard) = match tries {
        1 => (PATIENCE.max(entry.ttl / 6), heard[0]),
        _ => (IMPATIENCE, heard[1]),
    };
    let urgent = entry.safe_until.saturating_sub(entry.ttl / 3);
    (last + patience).max((heard + patience).min(urgent))
}
