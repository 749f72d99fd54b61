//! One endpoint's connection for one purpose: made when first needed, shared, made again when lost, with a
//! pause that grows while the endpoint stays away (§1.7).

use super::super::endpoint::Endpoint;
use super::connection::Connection;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MOST: Duration = Duration::from_secs(3);

type Attempt = Option<Result<Connection, ()>>;

pub struct Channel {
    endpoint: Endpoint,
    runtime: tokio::runtime::Handle,
    state: Mutex<State>,
}

struct State {
    link: Link,
    /// Failed attempts since the last success.
    failures: i32,
    trouble: String,
}

enum Link {
    Down,
    Dialing(watch::Receiver<Attempt>),
    Up(Connection),
}

impl Channel {
    pub fn new(endpoint: Endpoint, runtime: tokio::runtime::Handle) -> Arc<Self> {
        let state = State { link: Link::Down, failures: 0, trouble: "no answer to the attempt to connect".into() };
        Arc::new(Channel { endpoint, runtime, state: Mutex::new(state) })
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Why the last attempt failed.
    pub fn trouble(&self) -> String {
        self.state().trouble.clone()
    }

    /// The open connection, or the outcome of the next attempt to make one. All who ask in between share one
    /// attempt, which runs on when they give up.
    pub async fn connection(self: &Arc<Self>) -> Result<Connection, ()> {
        let mut attempt = {
            let mut state = self.state();
            match &state.link {
                Link::Up(connection) if connection.is_open() => return Ok(connection.clone()),
                Link::Dialing(attempt) => attempt.clone(),
                _ => {
                    let (report, attempt) = watch::channel(None);
                    self.runtime.spawn(self.clone().dial(report, state.failures));
                    state.link = Link::Dialing(attempt.clone());
                    attempt
                }
            }
        };
        let outcome = attempt.wait_for(Option::is_some).await.map_err(drop)?;
        outcome.clone().unwrap_or(Err(()))
    }

    async fn dial(self: Arc<Self>, report: watch::Sender<Attempt>, failures: i32) {
        if failures > 0 {
            sleep(backoff(failures)).await;
        }
        let outcome = match timeout(CONNECT_LIMIT, Connection::open(&self.endpoint)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer to the attempt to connect within {} s", CONNECT_LIMIT.as_secs())),
        };
        let outcome = {
            let mut state = self.state();
            match outcome {
                Ok(connection) => {
                    state.failures = 0;
                    state.trouble = "the connection was lost".into();
                    state.link = Link::Up(connection.clone());
                    Ok(connection)
                }
                Err(trouble) => {
                    state.failures = failures + 1;
                    state.trouble = trouble;
                    state.link = Link::Down;
                    Err(())
                }
            }
        };
        report.send_replace(Some(outcome));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 100 ms, growing by 1.6 up to 3 s, ±20 %.
fn backoff(failures: i32) -> Duration {
    let plain = BACKOFF_FIRST.mul_f64(1.6_f64.powi(failures.min(20) - 1)).min(BACKOFF_MOST);
    let dice = RandomState::new().hash_one(failures) as f64 / u64::MAX as f64;
    plain.mul_f64(0.8 + 0.4 * dice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_cap() {
        for (failures, low, high) in [(1, 80, 120), (2, 128, 192), (9, 2400, 3600), (1000, 2400, 3600)] {
            let pause = backoff(failures).as_millis();
            assert!((low..=high).contains(&pause), "{failures}: {pause}");
        }
    }
}
