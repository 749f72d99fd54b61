//! What a queue carries.

use super::error::{Error, Result};
use super::proto::mvccpb;
use super::response::Response;
use super::source::Source;
use std::sync::Arc;

pub struct Event {
    pub source: Arc<Source>,
    pub body: Body,
    /// What it counts for while it waits.
    pub(super) cost: i64,
}

pub enum Body {
    /// One whole watch response: all changes of its revisions, and the store's revision when it was sent.
    Watch {
        revision: i64,
        /// With which start a new watch would go on after it; 0 if none would, within a reading of the range.
        resume: i64,
        changes: Vec<mvccpb::Event>,
        /// The changes are found by a reading of the range, and were not reported by the server.
        synthetic: bool,
    },
    /// Every change up to and including the revision was delivered.
    Progress {
        revision: i64,
        resume: i64,
    },
    /// The outcome of a call, which is its last event.
    Done {
        /// `None` once it was handed out.
        result: Option<Result<Response>>,
    },
    State {
        state: State,
        revision: i64,
        error: Option<Error>,
    },
    /// The last event of a source.
    Closed {
        error: Option<Error>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Live,
    Disconnected,
    Resumed,
    Connected,
    /// The range was read anew; what follows is marked as found so.
    Relisted,
    /// The caller takes too slowly; what comes now is fetched again later.
    Parked,
}

impl Body {
    /// With which start revision a watch would go on after this; 0 if this does not tell.
    pub fn resume(&self) -> i64 {
        match self {
            Body::Watch { resume, .. } | Body::Progress { resume, .. } => *resume,
            Body::State { state: State::Connected | State::Relisted, .. } => 0,
            Body::State { revision, .. } => revision + 1,
            Body::Done { .. } | Body::Closed { .. } => 0,
        }
    }
}

impl Event {
    /// Hands the event, which its source has admitted, to the handler.
    pub(super) fn deliver(self) {
        struct Finish(Arc<Source>);
        impl Drop for Finish {
            fn drop(&mut self) {
                self.0.finish();
            }
        }
        let finish = Finish(self.source.clone());
        finish.0.handle(self);
    }
}
