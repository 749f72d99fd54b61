//! What was won: a lock held or a leadership, until it is given up or lost.

use super::claim::Claim;
use super::client::Client;
use super::code;
use super::error::{Error, Result};
use super::event::LostReason;
use super::lease;
use super::line::EQUAL;
use super::op::{Op, Target};
use super::proto::mvccpb::KeyValue;
use super::session::Session;
use super::source::Source;
use super::sync::lock;
use super::transport::Limits;
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

pub struct Tenure {
    pub key: Bytes,
    /// The create revision of the key, which grows from one holder to the next: the fencing token (§8.8).
    pub created: i64,
    /// What the key had, if it was there before it was asked for.
    pub before: Option<KeyValue>,
    session: Arc<Session>,
    standing: Mutex<Standing>,
    claim: Mutex<Option<Claim>>,
    over: CancellationToken,
}

enum Standing {
    /// With who wants to hear of the loss.
    Held(Vec<Arc<Source>>),
    Lost(LostReason, Error),
    Released,
}

impl Tenure {
    pub fn begin(
        client: &Arc<Client>,
        session: &Arc<Session>,
        claim: Claim,
        created: i64,
        before: Option<KeyValue>,
    ) -> Result<Arc<Self>> {
        let runtime = client.runtime()?;
        let tenure = Arc::new(Tenure {
            key: claim.key.clone(),
            created,
            before,
            session: session.clone(),
            standing: Mutex::new(Standing::Held(Vec::new())),
            claim: Mutex::new(Some(claim)),
            over: CancellationToken::new(),
        });
        let (watched, client_of_task) = (tenure.clone(), client.clone());
        client.spawn(&runtime, async move { watched.look_after(&client_of_task).await });
        Ok(tenure)
    }

    /// Until it is over; the loss of it is reported (§8.9).
    async fn look_after(&self, client: &Client) {
        let limits = Limits::without_end(&client.core.closing);
        let deleted = async {
            match client.until_gone(&self.key, self.created, self.created + 1, &limits).await {
                Ok(()) => {}
                // Who may not watch hears of the session's end only.
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = self.over.cancelled() => {}
            reason = self.session.lease().lost() => {
                // A client that closes tells the end itself.
                if !client.core.closing.is_cancelled() {
                    self.lose(reason, lease::error(self.session.lease().id(), reason));
                }
            }
            _ = deleted => self.lose(LostReason::Deleted, self.deleted()),
        }
    }

    fn deleted(&self) -> Error {
        let key = String::from_utf8_lossy(&self.key);
        Error::new(code::ERR_LOCK_LOST, format!("somebody has deleted the key {key}, or its lease has ended"))
    }

    /// The loss of the session is the loss of the lock: one code for who asks.
    fn lose(&self, reason: LostReason, why: Error) {
        let error = Error { code: code::ERR_LOCK_LOST, ..why };
        self.end(Standing::Lost(reason, error));
    }

    fn end(&self, how: Standing) {
        let mut standing = lock(&self.standing);
        let Standing::Held(sources) = &mut *standing else { return };
        let sources = std::mem::take(sources);
        let last = match &how {
            Standing::Lost(reason, error) => Some((*reason, error.clone())),
            _ => None,
        };
        *standing = how;
        drop(standing);
        self.over.cancel();
        // Who has lost it may come again, as soon as he is told: the key is deleted, or ends with its lease and not before.
        let claim = lock(&self.claim).take();
        if let (Some(mut claim), Some(_)) = (claim, &last) {
            claim.is_gone();
        }
        for source in sources {
            tell_end(&source, last.clone());
        }
    }

    /// Has the source told of the loss; its last event comes with the end, whatever that is.
    pub fn observe(&self, source: Arc<Source>) {
        let mut standing = lock(&self.standing);
        let last = match &mut *standing {
            Standing::Held(sources) => return sources.push(source),
            Standing::Lost(reason, error) => Some((*reason, error.clone())),
            Standing::Released => None,
        };
        drop(standing);
        tell_end(&source, last);
    }

    /// Nothing is asked of a server: it may be lost all the same, which only a guard can tell.
    pub fn check(&self) -> Result<()> {
        match &*lock(&self.standing) {
            Standing::Held(_) if self.session.lease().is_alive() => Ok(()),
            Standing::Held(_) => Err(Error::new(code::ERR_LOCK_LOST, "the session is lost")),
            Standing::Lost(_, error) => Err(error.clone()),
            Standing::Released => Err(Error::new(code::ERR_NOT_HELD, "it was released")),
        }
    }

    /// Makes a transaction depend on it (§8.8).
    pub fn guard(&self, txn: &mut Op) -> Result<()> {
        let namespace = &self.session.lease().client().core.namespace;
        txn.guard(namespace, self.key.clone(), EQUAL, Target::CreateRevision(self.created))
    }

    /// A guard did not hold.
    pub fn found_lost(&self) -> Error {
        let error = self.deleted();
        self.lose(LostReason::Deleted, error.clone());
        error
    }

    /// Gives it up: with an error too, and then goes on in the background.
    pub async fn release(&self, limits: &Limits) -> Result<()> {
        // What is deleted now is no loss.
        self.over.cancel();
        let lost = self.check().err();
        let claim = lock(&self.claim).take();
        let there = match claim {
            Some(claim) => limits.bound(claim.release(limits)).await,
            None => Ok(false),
        };
        match (lost, there) {
            (Some(error), _) => {
                self.lose(self.session.lease().lost_reason().unwrap_or(LostReason::Gone), error.clone());
                Err(error)
            }
            (None, Ok(true)) => {
                self.end(Standing::Released);
                Ok(())
            }
            (None, Ok(false)) => Err(self.found_lost()),
            (None, Err(error)) => {
                self.end(Standing::Released);
                Err(error)
            }
        }
    }

    /// The same, for nobody to wait.
    pub fn abandon(&self) {
        self.end(Standing::Released);
    }
}

fn tell_end(source: &Arc<Source>, lost: Option<(LostReason, Error)>) {
    match lost {
        None => source.close(None),
        Some((reason, error)) => source.lose(reason, Some(error)),
    }
}
