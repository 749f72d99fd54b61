//! The moment from which on a request may have been executed.

use std::sync::atomic::{AtomicU8, Ordering};

/// Whether a request went out, or may not any more: one of the two, whoever comes first.
#[derive(Default)]
pub struct Fate(AtomicU8);

const IDLE: u8 = 0;
const SENT: u8 = 1;
const CUT: u8 = 2;

impl Fate {
    pub(super) fn begin(&self) {
        let _ = self.0.compare_exchange(SENT, IDLE, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// To be called before sending; false if that is forbidden.
    pub(super) fn send(&self) -> bool {
        self.0.compare_exchange(IDLE, SENT, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    pub(super) fn is_sent(&self) -> bool {
        self.0.load(Ordering::Acquire) == SENT
    }

    /// Forbids sending; true if it comes too late.
    pub fn cut(&self) -> bool {
        self.0.compare_exchange(IDLE, CUT, Ordering::AcqRel, Ordering::Acquire) == Err(SENT)
    }
}
