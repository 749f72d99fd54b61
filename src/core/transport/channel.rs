//! One endpoint's connection for one purpose: made when first needed, shared, made again when lost, with a
//! pause that grows while the endpoint stays away (§1.7).

use super::super::code;
use super::super::endpoint::Endpoint;
use super::super::error::Error;
use super::super::sync::lock;
use super::connection::Connection;
use super::dial::Trouble;
use super::Base;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout, Instant};

const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MOST: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Unary,
    Streams,
    /// For one caller alone, and closed after it: an endpoint that is not on the list, a long answer (§1.9).
    Bulk,
}

pub struct Channel {
    endpoint: Endpoint,
    purpose: Purpose,
    base: Arc<Base>,
    state: Mutex<State>,
    hurry: Notify,
}

struct State {
    link: Link,
    /// Failed attempts since the last success.
    failures: i32,
    failing_since: Option<Instant>,
    /// The last failure, and when it was.
    trouble: Option<(Trouble, Instant)>,
}

enum Link {
    Down,
    Dialing,
    Up(Connection),
    /// The endpoint was taken off the list.
    Removed,
}

impl Channel {
    pub fn new(endpoint: Endpoint, purpose: Purpose, base: Arc<Base>) -> Arc<Self> {
        let state = Mutex::new(State { link: Link::Down, failures: 0, failing_since: None, trouble: None });
        Arc::new(Channel { endpoint, purpose, base, state, hurry: Notify::new() })
    }

    pub fn trouble(&self) -> Option<(Trouble, Instant)> {
        self.state().trouble.clone()
    }

    /// The open connection; else an attempt to make one is under way when this returns.
    pub fn connection(self: &Arc<Self>) -> Option<Connection> {
        let mut state = self.state();
        match &state.link {
            Link::Up(connection) if connection.is_open() => return Some(connection.clone()),
            Link::Dialing | Link::Removed => return None,
            _ => {}
        }
        state.link = Link::Dialing;
        self.base.runtime.spawn(self.clone().dial(state.failures));
        None
    }

    pub fn is_up(&self) -> bool {
        matches!(&self.state().link, Link::Up(connection) if connection.is_open())
    }

    /// Whether its first connection is being made.
    pub fn is_coming(&self) -> bool {
        let state = self.state();
        matches!(state.link, Link::Dialing) && state.failures == 0
    }

    /// Since when all attempts have failed.
    pub fn failing_since(&self) -> Option<Instant> {
        self.state().failing_since
    }

    /// The next attempt to connect need not wait.
    pub fn encourage(&self) {
        self.state().failures = 0;
        self.hurry.notify_one();
    }

    /// Takes no more; what is under way on the connection for unary calls goes on.
    pub fn remove(&self) {
        let old = std::mem::replace(&mut self.state().link, Link::Removed);
        if let (Link::Up(connection), Purpose::Streams | Purpose::Bulk) = (old, self.purpose) {
            connection.close();
        }
    }

    async fn dial(self: Arc<Self>, failures: i32) {
        let base = &self.base;
        if failures > 0 {
            tokio::select! {
                _ = sleep(backoff(failures)) => {}
                _ = self.hurry.notified() => {}
                _ = base.closing.cancelled() => return,
            }
        }
        let open = async {
            let tls = base.uses_tls(&self.endpoint).then(|| base.tls()).transpose();
            Connection::open(&self.endpoint, tls.map_err(Trouble::no_tls)?, &base.closing).await
        };
        let outcome = tokio::select! {
            outcome = timeout(base.options.connect_timeout, open) => {
                outcome.unwrap_or_else(|_| Err(Trouble::timed_out(base.options.connect_timeout)))
            }
            _ = base.closing.cancelled() => return,
        };
        let mut state = self.state();
        if matches!(state.link, Link::Removed) {
            return;
        }
        match outcome {
            Ok(connection) => {
                base.counters.connects.add(1);
                base.log.info(|| format!("{}: connected", self.endpoint));
                state.failures = 0;
                state.failing_since = None;
                state.trouble = None;
                state.link = Link::Up(connection.clone());
                drop(state);
                self.look_after(connection);
            }
            Err(trouble) => {
                base.counters.connect_failures.add(1);
                let text = || format!("{}: {}", self.endpoint, trouble.text);
                match trouble.sure {
                    true => base.log.error(text),
                    false => base.log.warning(text),
                }
                state.failures += 1;
                state.failing_since.get_or_insert_with(Instant::now);
                state.trouble = Some((trouble, Instant::now()));
                state.link = Link::Down;
                drop(state);
            }
        }
        base.changed();
    }

    /// Pings it as long as streams are open, and tells when it closes.
    fn look_after(self: &Arc<Self>, connection: Connection) {
        let base = self.base.clone();
        let (interval, limit) = (base.ping_interval(), base.options.ping_timeout);
        match self.purpose {
            Purpose::Unary => {}
            Purpose::Streams => {
                base.runtime.spawn(connection.keep_alive(interval, limit, Some(base.patience.clone())));
            }
            // The answer to a ping is behind what else comes.
            Purpose::Bulk => drop(base.runtime.spawn(connection.keep_alive(interval, limit, None))),
        }
        let endpoint = self.endpoint.clone();
        let (closed, ending) = (connection.closed_token(), connection.ending());
        let counted = self.purpose == Purpose::Unary;
        if counted {
            base.connected(None);
        }
        base.clone().runtime.spawn(async move {
            closed.cancelled().await;
            if !counted && ending.for_too_many_pings() {
                base.calm_down();
            }
            base.counters.disconnects.add(1);
            let text = format!("{endpoint}: the connection is closed: {}", ending.why());
            base.log.info(|| text.clone());
            if counted {
                let endpoint = Some(endpoint.to_string());
                base.connected(Some(Error { endpoint, ..Error::new(code::ERR_UNAVAILABLE, text) }));
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// 100 ms, growing by 1.6 up to 3 s, ±20 %.
fn backoff(failures: i32) -> Duration {
    let plain = BACKOFF_FIRST.mul_f64(1.6_f64.powi(failures.min(20) - 1));
    jitter(plain).min(BACKOFF_MOST)
}

/// ±20 %.
pub fn jitter(pause: Duration) -> Duration {
    let dice = RandomState::new().hash_one(0) as f64 / u64::MAX as f64;
    pause.mul_f64(0.8 + 0.4 * dice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_cap() {
        for (failures, low, high) in [(1, 80, 120), (2, 128, 192), (9, 2400, 3000), (1000, 2400, 3000)] {
            let pause = backoff(failures).as_millis();
            assert!((low..=high).contains(&pause), "{failures}: {pause}");
        }
    }
}
