//! Calls that are made again until they are answered: for what takes longer than a call may.

use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::op::{Op, Request};
use super::proto::mvccpb::KeyValue;
use super::response::Response;
use super::transport::{Limits, Repeat};
use std::time::Duration;
use tokio::time::{sleep, Instant};

/// How long a request without an answer may still be executed: longer than a server keeps one (§1.18), and a paused
/// leader's inbox is seldom older.
pub const DOUBT: Duration = Duration::from_secs(12);
const PAUSE_FIRST: Duration = Duration::from_millis(25);
const PAUSE_MOST: Duration = Duration::from_secs(1);

pub struct Answer {
    pub succeeded: bool,
    pub responses: Vec<Response>,
    pub revision: i64,
    /// An earlier attempt may have been executed too, or may yet be.
    pub resent: bool,
}

impl Answer {
    /// What the get at this place of the branch found, the first of it.
    pub fn found(&self, place: usize) -> Option<&KeyValue> {
        match self.responses.get(place) {
            Some(Response::Get(get)) => get.kvs.first(),
            _ => None,
        }
    }
}

impl Client {
    /// A get, or a transaction that its own success makes impossible (§2.10). Goes on over time limits of single calls and
    /// times without a leader. An error that says that a write may have been applied is true of any attempt.
    pub(super) async fn persist(&self, op: &Op, limits: &Limits) -> Result<Answer> {
        let (mut pause, mut resent) = (PAUSE_FIRST, false);
        loop {
            let deadline = limits.deadline.min(Instant::now() + self.core.timeout);
            let once = Limits { deadline, ..limits.clone() };
            // Apart, since thousands may wait in what is around it, and few are in a call.
            let error = match Box::pin(self.once(op, Repeat::Guarded, &once)).await {
                Ok(answer) => return Ok(Answer { resent: resent || answer.resent, ..answer }),
                Err(error) => error,
            };
            resent |= error.maybe_applied;
            let again = error.is_retryable() || error.code == code::ERR_AMBIGUOUS && !self.core.closing.is_cancelled();
            if !again || Instant::now() + pause >= limits.deadline {
                return Err(if resent { error.into_ambiguous() } else { error });
            }
            let rest = async {
                sleep(pause).await;
                Ok(())
            };
            limits.bound(rest).await?;
            pause = PAUSE_MOST.min(pause * 2);
        }
    }

    /// The same as one call; `repeat` is for a transaction that writes.
    pub(super) async fn once(&self, op: &Op, repeat: Repeat, limits: &Limits) -> Result<Answer> {
        let (response, resent) = match op.request_in(&self.core.namespace)? {
            Request::Txn(txn) if op.writes() => self.core.transact(&txn, repeat, limits).await?,
            other => (self.core.send(other, limits).await?, false),
        };
        let revision = response.header().revision;
        Ok(match response {
            Response::Txn { succeeded, responses, .. } => Answer { succeeded, responses, revision, resent },
            other => Answer { succeeded: true, responses: vec![other], revision, resent },
        })
    }

    /// Limits of a wait: nothing but what ends it.
    pub(super) fn limits_or_none(&self, timeout: Option<Duration>) -> Limits {
        self.limits(None).lasting(timeout)
    }
}

/// The error of a write that is undone, whatever became of it.
pub fn undone(error: Error) -> Error {
    match error.code {
        code::ERR_AMBIGUOUS => Error {
            grpc_status: error.grpc_status,
            endpoint: error.endpoint,
            ..Error::new(code::ERR_TIMEOUT, "no sure answer within the time limit")
        },
        _ => Error { maybe_applied: false, ..error },
    }
}
