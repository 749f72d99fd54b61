//! What a queue carries.

use super::error::{Error, Result};
use super::proto::etcdserverpb::ResponseHeader;
use super::proto::mvccpb;
use super::response::Response;
use super::source::Source;
use super::sync::lock;
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use tokio::sync::OwnedSemaphorePermit;

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
        header: ResponseHeader,
    },
    /// Every change up to and including the revision was delivered.
    Progress { revision: i64, resume: i64, header: ResponseHeader },
    /// The outcome of a call, which is its last event.
    Done {
        /// `None` once it was handed out.
        result: Option<Result<Response>>,
    },
    State {
        state: State,
        revision: i64,
        error: Option<Error>,
        /// Of what the server said.
        header: Option<ResponseHeader>,
    },
    /// What was reached for is held; the create revision of its key.
    Acquired { created: i64 },
    /// Who leads an election, if anybody does, at a revision of the store.
    Leader { leader: Option<mvccpb::KeyValue>, revision: i64, header: ResponseHeader },
    /// How far long work has come.
    Notice { text: String, done: i64, total: i64 },
    /// A piece of something long, in order. No more of it is read than there are permits for.
    Data {
        bytes: Bytes,
        done: i64,
        total: i64,
        /// Of the format it is in, if the server says it.
        version: Arc<str>,
        permit: OwnedSemaphorePermit,
    },
    /// A lease was renewed; how is taken out when the event is.
    Renewed { newest: Arc<Newest> },
    /// What was held is lost; `Closed` follows.
    Lost { reason: LostReason, error: Option<Error> },
    /// The last event of a source.
    Closed { error: Option<Error> },
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
    /// A mirror begins from scratch: all that is there at the revision follows.
    Copying,
    /// All of it has come.
    Copied,
}

impl Body {
    /// The header of the answer that it comes from.
    pub fn header(&self) -> Option<ResponseHeader> {
        match self {
            Body::Watch { header, .. } | Body::Progress { header, .. } | Body::Leader { header, .. } => Some(*header),
            Body::State { header, .. } => *header,
            _ => None,
        }
    }

    /// With which start revision a watch would go on after this; 0 if this does not tell.
    pub fn resume(&self) -> i64 {
        match self {
            Body::Watch { resume, .. } | Body::Progress { resume, .. } => *resume,
            Body::State { state: State::Connected | State::Relisted | State::Copying, .. } => 0,
            Body::State { revision, .. } => revision + 1,
            _ => 0,
        }
    }
}

/// The answer to the renewal of a lease.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Renewal {
    /// What it has from now on, in seconds; 0 if there is no such lease.
    pub ttl: i64,
    pub header: ResponseHeader,
}

/// The newest renewal that was not told yet. So no more than one event waits for whoever does not take it.
#[derive(Default)]
pub struct Newest(Mutex<Option<Renewal>>);

impl Newest {
    /// True if no event waits for it yet.
    pub fn put(&self, renewal: Renewal) -> bool {
        lock(&self.0).replace(renewal).is_none()
    }

    pub fn take(&self) -> Option<Renewal> {
        lock(&self.0).take()
    }
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
