//! What a queue carries.

use super::error::{Error, Result};
use super::proto::mvccpb;
use super::response::Response;
use super::source::Source;
use std::sync::Arc;

pub struct Event {
    pub source: Arc<Source>,
    pub body: Body,
}

pub enum Body {
    /// One whole watch response: all changes of its revisions, and the store's revision when it was sent.
    Watch {
        revision: i64,
        changes: Vec<mvccpb::Event>,
    },
    /// Every change up to and including the revision was delivered.
    Progress {
        revision: i64,
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
    /// What was reached for is held; the create revision of its key.
    Acquired {
        created: i64,
    },
    /// Who leads an election, if anybody does, at a revision of the store.
    Leader {
        leader: Option<mvccpb::KeyValue>,
        revision: i64,
    },
    /// What was held is lost; `Closed` follows.
    Lost {
        reason: LostReason,
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
}

/// Why a lease, and with it a lock or a leadership, was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostReason {
    /// No renewal was answered in time.
    Expired,
    /// The server does not know the lease any more.
    Gone,
    /// This client revoked it.
    Revoked,
    /// The user may not renew it.
    Permission,
    /// The owner, its queue or its client ended it.
    Closed,
    /// Somebody deleted the key it hung on.
    Deleted,
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
