//! What all connections of a client share: its options, its TLS, and who is told how many there are.

use super::patience::Patience;
use super::Metadata;
use crate::core::counters::Counters;
use crate::core::endpoint::Endpoint;
use crate::core::error::{Error, Result};
use crate::core::log::Log;
use crate::core::tls::{self, Tls};
use once_cell::sync::OnceCell;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct Options {
    pub connect_timeout: Duration,
    pub ping_interval: Duration,
    pub ping_timeout: Duration,
    /// `None`: no hedging.
    pub hedge_after: Option<Duration>,
    /// `None`: as many as the time allows.
    pub max_attempts: Option<u32>,
    pub require_leader: bool,
    pub mixed_schemes: bool,
    pub max_request_bytes: usize,
    /// For all calls and streams.
    pub metadata: Metadata,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            connect_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(3),
            hedge_after: Some(Duration::from_secs(1)),
            max_attempts: None,
            require_leader: true,
            mixed_schemes: false,
            max_request_bytes: 2 << 20,
            metadata: Metadata::default(),
        }
    }
}

/// Told when the first connection comes (nothing) and when the last one goes (why).
pub type Observer = Box<dyn Fn(Option<Error>) + Send + Sync>;

/// What all connections of a client share.
pub struct Base {
    pub runtime: tokio::runtime::Handle,
    pub options: Options,
    /// Made when the first endpoint wants it.
    pub tls: OnceCell<Tls>,
    /// Endpoints that do not say so use TLS if there are any.
    pub tls_options: Option<tls::Options>,
    pub closing: CancellationToken,
    pub counters: Counters,
    pub log: Arc<Log>,
    pub observer: OnceLock<Observer>,
    pub changes: Notify,
    pub connected: AtomicI64,
    /// How often the interval of pings was doubled since a server took them for abuse.
    pub calmed: AtomicU32,
    pub patience: Arc<Patience>,
}

impl Base {
    pub(super) fn uses_tls(&self, endpoint: &Endpoint) -> bool {
        endpoint.uses_tls(self.tls_options.is_some())
    }

    pub(super) fn tls(&self) -> Result<&Tls> {
        self.tls.get_or_try_init(|| Tls::new(self.tls_options.clone().unwrap_or_default(), self.log.clone()))
    }

    pub(super) fn ping_interval(&self) -> Duration {
        self.options.ping_interval * 2u32.pow(self.calmed.load(Ordering::Relaxed).min(3))
    }

    pub(super) fn calm_down(&self) {
        self.calmed.fetch_add(1, Ordering::Relaxed);
        self.log.warning(|| format!("a server takes the pings for too many; now every {:?}", self.ping_interval()));
    }

    /// A channel came up or failed to.
    pub(super) fn changed(&self) {
        self.changes.notify_waiters();
    }

    /// A connection for calls came, or went for a reason.
    pub(super) fn connected(&self, went: Option<Error>) {
        let by = if went.is_none() { 1 } else { -1 };
        let before = self.connected.fetch_add(by, Ordering::Relaxed);
        if before == 0 || before + by == 0 {
            if let Some(observer) = self.observer.get().filter(|_| !self.closing.is_cancelled()) {
                observer(went);
            }
        }
    }
}
