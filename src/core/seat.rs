//! What locks and elections have in common: one place at the front of a line, wanted, held, given up or lost.

use super::claim::{Claim, Mark, Turn};
use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::event::Body;
use super::persist::undone;
use super::proto::mvccpb::KeyValue;
use super::queue::Queue;
use super::range::KeyRange;
use super::session::Session;
use super::source::{Handler, Source};
use super::sync::lock;
use super::tenure::Tenure;
use super::transport::Limits;
use bytes::Bytes;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub struct Seat {
    pub session: Arc<Session>,
    held: Mutex<Option<Arc<Tenure>>>,
    /// The handle is freed: what waits for it ends.
    freed: CancellationToken,
}

/// Whether to wait for those ahead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    Wait,
    Try,
}

impl Seat {
    pub fn new(session: Arc<Session>) -> Self {
        Seat { session, held: Mutex::new(None), freed: CancellationToken::new() }
    }

    pub fn client(&self) -> &Arc<Client> {
        self.session.lease().client()
    }

    pub fn lease(&self) -> i64 {
        self.session.lease().id()
    }

    /// Limits of a wait, which ends with the handle too.
    pub fn limits(&self, timeout: Option<Duration>) -> Limits {
        Limits { cancelled: Some(self.freed.child_token()), ..self.client().limits_or_none(timeout) }
    }

    /// Work that makes no sense any more once the session is lost.
    pub async fn while_alive<T>(&self, limits: &Limits, work: impl Future<Output = Result<T>>) -> Result<T> {
        let lease = self.session.lease();
        let alive = async {
            tokio::select! {
                biased;
                _ = lease.lost() => lease.check().and_then(|()| Err(Error::closed())),
                done = work => done,
            }
        };
        limits.bound(alive).await.map_err(undone)
    }

    /// Comes to the front of the line in which `key` stands and which has `ahead` before it. Whatever ends it early, the key
    /// is deleted again.
    pub async fn reach(
        &self,
        key: &Bytes,
        value: &Bytes,
        ahead: &KeyRange,
        patience: Patience,
        limits: &Limits,
    ) -> Result<Arc<Tenure>> {
        let client = self.client();
        self.while_alive(limits, async {
            let turn = self.turn(key, patience).await?;
            let mut claim = Claim::new(client, key.clone(), Mark::Name, turn);
            let place = claim.queue_up(value, self.lease(), ahead, limits).await?;
            if !place.first {
                if patience == Patience::Try {
                    // Gone before the answer, so that the next one who tries finds the same.
                    claim.release(limits).await?;
                    return Err(taken());
                }
                client.wait_in_line(key, place.created, ahead, limits).await?;
            }
            self.hold(claim, place.created, place.before)
        })
        .await
    }

    /// Others of this session and name come one after another (§8.7).
    pub async fn turn(&self, key: &Bytes, patience: Patience) -> Result<Turn> {
        let core = &self.client().core;
        let key = core.namespace.key(key);
        match patience {
            Patience::Wait => Ok(core.slots.take(&key).await),
            Patience::Try => core.slots.try_take(&key).ok_or_else(taken),
        }
    }

    pub fn hold(&self, claim: Claim, created: i64, before: Option<KeyValue>) -> Result<Arc<Tenure>> {
        // This process may have stood still.
        self.session.lease().check()?;
        let tenure = Tenure::begin(self.client(), &self.session, claim, created, before)?;
        // A former one that was lost may still be here, unclaimed.
        if let Some(former) = lock(&self.held).replace(tenure.clone()) {
            former.abandon();
        }
        Ok(tenure)
    }

    /// What is held, lost or not.
    pub fn tenure(&self) -> Option<Arc<Tenure>> {
        lock(&self.held).clone()
    }

    pub fn take(&self) -> Option<Arc<Tenure>> {
        lock(&self.held).take()
    }

    /// Has the loss of what is held reported.
    pub fn watch_loss(&self, tenure: &Tenure, queue: Option<Arc<Queue>>, handler: Arc<dyn Handler>) -> Result<()> {
        let client = self.client();
        let queue = queue.map_or_else(|| client.own_queue(), Ok)?;
        let source = Source::of_holding(queue, handler)?;
        client.adopt(&source, || {})?;
        tenure.observe(source);
        Ok(())
    }

    /// Starts to reach for it and returns; what comes of it arrives as events: ACQUIRED and later LOST, and CLOSED in the end.
    pub fn start<F>(
        &self,
        queue: Option<Arc<Queue>>,
        handler: Arc<dyn Handler>,
        timeout: Option<Duration>,
        reach: impl FnOnce(Limits) -> F,
    ) -> Result<CancellationToken>
    where
        F: Future<Output = Result<Arc<Tenure>>> + Send + 'static,
    {
        let client = self.client();
        let runtime = client.runtime()?;
        let queue = queue.map_or_else(|| client.own_queue(), Ok)?;
        let source = Source::new(queue, handler)?;
        let limits = self.limits(timeout);
        let cancel = limits.cancelled.clone().unwrap_or_default();
        let ended = cancel.clone();
        client.adopt(&source, move || ended.cancel())?;
        let (reaching, given_up) = (reach(limits), cancel.clone());
        client.tasks.spawn_on(
            async move {
                match reaching.await {
                    // Nobody is left who would hear of it and release it.
                    Ok(tenure) if given_up.is_cancelled() => {
                        tenure.abandon();
                        source.close(Some(Error::new(code::ERR_CANCELED, "the call was cancelled")));
                    }
                    Ok(tenure) => {
                        source.hold();
                        source.emit(Body::Acquired { created: tenure.created });
                        tenure.observe(source);
                    }
                    Err(error) => source.close(Some(error)),
                }
            },
            runtime.handle(),
        );
        Ok(cancel)
    }

    /// The handle is freed: what waits ends, what is held is given up, in the background.
    pub fn free(&self) {
        self.freed.cancel();
        if let Some(tenure) = self.take() {
            tenure.abandon();
        }
    }
}

pub fn taken() -> Error {
    Error::new(code::ERR_LOCKED, "somebody else holds the lock")
}
