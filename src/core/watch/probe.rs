//! Whether a stream that says nothing still lives (§11.2). Any response is a sign of life: the answer to a progress
//! request waits behind events (§6.14).

use std::time::Duration;
use tokio::time::Instant;

/// Servers of a kind that never answers are asked ever more seldom, up to so many times.
const MOST_PATIENCE: u32 = 20;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a stream may be silent before it is asked.
    pub idle: Duration,
    /// How long it may then take.
    pub answer: Duration,
}

pub struct Probe {
    limits: Option<Limits>,
    heard: Instant,
    asked: Option<Instant>,
    /// By how much the time of silence is stretched.
    patience: u32,
}

impl Probe {
    pub fn new(limits: Option<Limits>) -> Self {
        Probe { limits, heard: Instant::now(), asked: None, patience: 1 }
    }

    /// Something came, or the stream is new.
    pub fn heard(&mut self) {
        if self.asked.take().is_some() {
            self.patience = 1;
        }
        self.heard = Instant::now();
    }

    /// When to call `ask`, if anything is expected.
    pub fn due(&self, expected: bool) -> Option<Instant> {
        let limits = self.limits.filter(|_| expected)?;
        Some(match self.asked {
            Some(asked) => asked + limits.answer,
            None => self.heard + limits.idle * self.patience,
        })
    }

    /// Whether to ask now; if not, the last question stayed without an answer.
    pub fn ask(&mut self) -> bool {
        match self.asked.take() {
            None => {
                self.asked = Some(Instant::now());
                true
            }
            Some(_) => {
                self.patience = MOST_PATIENCE.min(2 * self.patience);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(30);
    const ANSWER: Duration = Duration::from_secs(10);

    #[test]
    fn a_silent_stream_is_asked_and_then_left() {
        let mut probe = Probe::new(Some(Limits { idle: IDLE, answer: ANSWER }));
        assert_eq!(probe.due(false), None);
        assert_eq!(probe.due(true), Some(probe.heard + IDLE));
        assert!(probe.ask());
        assert!(probe.due(true).unwrap() <= Instant::now() + ANSWER);
        assert!(!probe.ask());
        // Another member may be of the same kind.
        probe.heard();
        assert_eq!(probe.due(true), Some(probe.heard + 2 * IDLE));
        assert!(probe.ask());
        probe.heard();
        assert_eq!(probe.due(true), Some(probe.heard + IDLE));
    }

    #[test]
    fn it_can_be_turned_off() {
        assert_eq!(Probe::new(None).due(true), None);
    }
}
