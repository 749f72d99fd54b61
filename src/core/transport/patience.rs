//! How long a server that goes on speaking may leave a ping without an answer. It may not hear, and is to be left; or the
//! answer is behind what else it has to say on a slow line, where leaving it helps nobody. Which it was shows afterwards.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Of all connections for streams of a client.
#[derive(Default)]
pub struct Patience(AtomicU32);

const MOST_DOUBLINGS: u32 = 3;

impl Patience {
    /// For how many times the limit to wait.
    pub fn limits(&self) -> u32 {
        1 << self.0.load(Ordering::Relaxed).min(MOST_DOUBLINGS)
    }

    /// It was not enough: the next connection gets more.
    pub fn used_up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn answered(&self, after: Duration, limit: Duration) {
        if after <= limit {
            self.0.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_until_an_answer_comes_in_time() {
        let (patience, second) = (Patience::default(), Duration::from_secs(1));
        let grown: Vec<_> = (0..6).map(|_| (patience.limits(), patience.used_up()).0).collect();
        assert_eq!(grown, [1, 2, 4, 8, 8, 8]);
        patience.answered(3 * second, second);
        assert_eq!(patience.limits(), 8);
        patience.answered(second, second);
        assert_eq!(patience.limits(), 1);
    }
}
