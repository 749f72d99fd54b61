//! What ends a call or a wait before its time: a deadline, the caller, the client's end.

use super::{outcome, Fate, Metadata};
use crate::core::error::Result;
use crate::core::mutant;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{timeout_at, Instant};
use tokio_util::sync::CancellationToken;

/// How long a call may take, and what ends it earlier.
#[derive(Clone)]
pub struct Limits {
    pub deadline: Instant,
    pub closing: CancellationToken,
    pub cancelled: Option<CancellationToken>,
    /// Ends all calls that a client has under way.
    pub interrupted: CancellationToken,
    pub require_leader: bool,
    /// What goes along beside the client's own.
    pub metadata: Metadata,
    /// Where to note whether the newest attempt went out.
    pub sent: Option<Arc<Fate>>,
}

/// What ended a call before its answer came.
#[derive(Clone, Copy)]
pub(super) enum Stop {
    Deadline,
    Cancelled,
    Closed,
}

/// Longer than anything runs, and within the clock's range.
const FOR_EVER: Duration = Duration::from_secs(1 << 30);

impl Limits {
    pub fn until(deadline: Instant, closing: &CancellationToken) -> Self {
        Limits {
            deadline,
            closing: closing.clone(),
            cancelled: None,
            interrupted: CancellationToken::new(),
            require_leader: false,
            metadata: Metadata::default(),
            sent: None,
        }
    }

    /// As long as it takes.
    pub fn without_deadline(&mut self) {
        self.deadline = Instant::now() + FOR_EVER;
    }

    pub fn without_end(closing: &CancellationToken) -> Self {
        let deadline = Instant::now() + FOR_EVER;
        Self::until(deadline, closing)
    }

    /// The same with a deadline that is hardly ever reached, or with one.
    pub fn lasting(self, timeout: Option<Duration>) -> Self {
        Limits { deadline: Instant::now() + timeout.unwrap_or(FOR_EVER), ..self }
    }

    /// Whether it may still go on.
    pub fn check(&self) -> Result<()> {
        let cancelled = self.cancelled.as_ref().is_some_and(CancellationToken::is_cancelled);
        match () {
            _ if self.closing.is_cancelled() => Err(outcome::stopped(Stop::Closed)),
            _ if cancelled || self.interrupted.is_cancelled() => Err(outcome::stopped(Stop::Cancelled)),
            _ if Instant::now() >= self.deadline => Err(outcome::stopped(Stop::Deadline)),
            _ => Ok(()),
        }
    }

    /// Waits for something within the limits.
    pub async fn of<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        self.within(work).await.map_err(outcome::stopped)
    }

    /// Waits for what ends the call early, or for its deadline.
    pub(super) async fn ended(&self) -> Stop {
        match self.within(std::future::pending::<()>()).await {
            Err(stop) => stop,
            Ok(()) => Stop::Deadline,
        }
    }

    /// Waits for the work, no longer than the limits allow.
    pub async fn bound<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.within(work).await.map_err(outcome::stopped)?
    }

    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> std::result::Result<T, Stop> {
        let deadline = self.deadline + if mutant::is("deadline-ignored") { FOR_EVER } else { Duration::ZERO };
        let cancelled = async {
            match &self.cancelled {
                Some(token) => token.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = self.closing.cancelled() => Err(Stop::Closed),
            _ = cancelled => Err(Stop::Cancelled),
            _ = self.interrupted.cancelled() => Err(Stop::Cancelled),
            done = timeout_at(deadline, work) => done.map_err(|_| Stop::Deadline),
        }
    }
}
