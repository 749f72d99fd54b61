//! What a client has done so far, in numbers, by name.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        #[derive(Default)]
        pub struct Counters { $(pub $name: Counter),* }

        pub const NAMES: &[&str] = &[$(concat!(stringify!($name), "\0")),*];

        impl Counters {
            pub fn get(&self, name: &str) -> Option<i64> {
                match name {
                    $(stringify!($name) => Some(self.$name.0.load(Ordering::Relaxed)),)*
                    _ => None,
                }
            }
        }
    };
}

counters! {
    calls, retries, hedges, ambiguous,
    connects, connect_failures, disconnects,
    bytes_sent, bytes_received,
    token_refreshes,
    watches, watch_resumes, watch_parks, watch_relists,
    leases, lease_renewals, leases_lost,
}

#[derive(Default, Clone)]
pub struct Counter(Arc<AtomicI64>);

impl Counter {
    #[cfg(test)]
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }
}
