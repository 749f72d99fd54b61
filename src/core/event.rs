//! What a queue carries.

use super::error::{Error, Result};
use super::proto::mvccpb;
use super::response::Response;
use super::source::Source;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

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
    /// How far long work has come.
    Notice {
        text: String,
        done: i64,
        total: i64,
    },
    /// A piece of something long, in order. No more of it is read than there are permits for.
    Data {
        bytes: Bytes,
        done: i64,
        total: i64,
        permit: OwnedSemaphorePermit,
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
