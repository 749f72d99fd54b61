//! What happens inside, for whoever set a log function; nobody by default. Nothing secret is ever logged.

use std::sync::{Arc, PoisonError, RwLock};

const ERROR: i32 = 1;
const WARNING: i32 = 2;
const INFO: i32 = 3;
const DEBUG: i32 = 4;

pub type Sink = Box<dyn Fn(i32, &str) + Send + Sync>;

#[derive(Default)]
pub struct Log {
    level: i32,
    sink: Option<Arc<Sink>>,
    /// Its user may be gone.
    muted: RwLock<bool>,
}

impl Log {
    pub fn new(level: i32, sink: Sink) -> Self {
        Log { level, sink: Some(Arc::new(sink)), muted: RwLock::default() }
    }

    /// The same for one client, to be muted with it.
    pub fn for_client(&self) -> Self {
        Log { level: self.level, sink: self.sink.clone(), muted: RwLock::default() }
    }

    /// When this returns, nothing is logged any more.
    pub fn mute(&self) {
        *self.muted.write().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn at(&self, level: i32, text: impl FnOnce() -> String) {
        let Some(sink) = self.sink.as_ref().filter(|_| level <= self.level) else { return };
        let muted = self.muted.read().unwrap_or_else(PoisonError::into_inner);
        if !*muted {
            sink(level, &text());
        }
    }

    pub fn error(&self, text: impl FnOnce() -> String) {
        self.at(ERROR, text);
    }

    pub fn warning(&self, text: impl FnOnce() -> String) {
        self.at(WARNING, text);
    }

    pub fn info(&self, text: impl FnOnce() -> String) {
        self.at(INFO, text);
    }

    pub fn debug(&self, text: impl FnOnce() -> String) {
        self.at(DEBUG, text);
    }
}
