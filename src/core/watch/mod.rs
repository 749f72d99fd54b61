//! Watches: what the caller asks for, and the handle. All watches of a client share one stream.

mod engine;
mod task;

use super::client::Client;
use super::error::{Error, Result};
use super::op::Op;
use super::proto::etcdserverpb::watch_create_request::FilterType;
use super::queue::Queue;
use super::range::KeyRange;
use super::source::{Handler, Source};
pub use engine::Spec;
use std::sync::Arc;
pub use task::Watches;

#[derive(Debug, Clone, Default)]
pub struct Options {
    pub range: KeyRange,
    start_revision: i64,
    filters: Vec<i32>,
    pub prev_kv: bool,
    pub progress_notify: bool,
}

impl Options {
    pub fn new(range: KeyRange) -> Self {
        Options { range, ..Default::default() }
    }

    pub fn set_start_revision(&mut self, revision: i64) -> Result<()> {
        if revision < 0 {
            return Err(Error::argument("revision", format!("must not be negative, got {revision}")));
        }
        self.start_revision = revision;
        Ok(())
    }

    pub fn set_filter(&mut self, filter: i32) -> Result<()> {
        FilterType::try_from(filter).map_err(|_| Error::argument("filter", format!("{filter} is no watch filter")))?;
        if !self.filters.contains(&filter) {
            self.filters.push(filter);
        }
        Ok(())
    }
}

impl Client {
    /// Starts a watch. Without a start revision it reports every change after this call's return, and some
    /// made during it: the revision is picked by a linearizable read, which any member answers alike (§6.7).
    pub fn watch(
        &self,
        options: &Options,
        queue: Option<Arc<Queue>>,
        handler: Arc<dyn Handler>,
    ) -> Result<Arc<Source>> {
        let (key, range_end) = options.range.finish()?;
        if !range_end.is_empty() && range_end != "\0" && range_end <= key {
            return Err(Error::argument("end", "must be above the key"));
        }
        let next = match options.start_revision {
            0 => {
                let mut probe = Op::get(options.range.clone());
                probe.set_limit(1)?;
                probe.set_keys_only()?;
                self.execute(&probe)?.header().revision + 1
            }
            revision => revision,
        };
        let queue = match queue {
            Some(queue) => queue,
            None => self.own_queue()?,
        };
        let watches = self.watches()?.clone();
        let source = Source::new(queue, handler)?;
        let (ended, id) = (watches.clone(), source.id);
        self.adopt(&source, move || ended.remove(id))?;
        let spec = Spec {
            key,
            range_end,
            prev_kv: options.prev_kv,
            filters: options.filters.clone(),
            progress_notify: options.progress_notify,
        };
        // If the client was closed meanwhile, it has ended the source.
        watches.add(spec, next, source.clone());
        self.counters().watches.add(1);
        Ok(source)
    }
}
