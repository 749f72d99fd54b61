//! Watches: what the caller asks for, and the handle. A client's watches share streams.

mod engine;
mod feed;
mod lanes;
mod link;
mod once;
mod one;
mod probe;
mod relist;
mod task;

use super::client::Client;
use super::error::{Error, Result};
use super::namespace::Namespace;
use super::op::Op;
use super::proto::etcdserverpb::watch_create_request::FilterType;
use super::queue::Queue;
use super::range::KeyRange;
use super::source::{Handler, Source};
use super::transport::Headers;
pub use feed::Feed;
pub use lanes::{Handle, Watches, MAX_WAITING};
pub use one::Spec;
use one::{Filters, Start};
pub use probe::Limits as ProbeLimits;
use std::sync::Arc;
use std::time::Duration;

/// What all watches of a client have in common.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The most bytes all together may have waiting.
    pub buffer: i64,
    /// `None`: silence means nothing.
    pub probe: Option<ProbeLimits>,
}

impl Default for Settings {
    fn default() -> Self {
        let probe = ProbeLimits { idle: Duration::from_secs(30), answer: Duration::from_secs(10) };
        Settings { buffer: 256 << 20, probe: Some(probe) }
    }
}

#[derive(Debug, Clone)]
pub struct Options {
    pub range: KeyRange,
    start_revision: i64,
    filters: Filters,
    pub prev_kv: bool,
    pub progress_notify: bool,
    pub relist: bool,
    pub mirror: bool,
    /// Without a start revision: whatever the member that takes the watch on takes for now.
    pub loose_start: bool,
    pub fail_when_full: bool,
    buffer: i64,
    max_response: usize,
    pub max_outage: Option<Duration>,
    headers: Headers,
}

impl Options {
    pub fn new(range: KeyRange) -> Self {
        Options {
            range,
            start_revision: 0,
            filters: Filters::default(),
            prev_kv: false,
            progress_notify: false,
            relist: false,
            mirror: false,
            loose_start: false,
            fail_when_full: false,
            buffer: MAX_WAITING,
            max_response: one::MAX_RESPONSE,
            max_outage: None,
            headers: Headers::default(),
        }
    }

    pub fn set_start_revision(&mut self, revision: i64) -> Result<()> {
        if revision < 0 {
            return Err(Error::argument("revision", format!("must not be negative, got {revision}")));
        }
        self.start_revision = revision;
        Ok(())
    }

    pub fn set_filter(&mut self, filter: i32) -> Result<()> {
        match FilterType::try_from(filter) {
            Ok(FilterType::Noput) => self.filters.no_put = true,
            Ok(FilterType::Nodelete) => self.filters.no_delete = true,
            Err(_) => return Err(Error::argument("filter", format!("{filter} is no watch filter"))),
        }
        Ok(())
    }

    pub fn set_buffer(&mut self, bytes: i64, fail_when_full: bool) -> Result<()> {
        self.buffer = some_bytes("max_bytes", bytes)?;
        self.fail_when_full = fail_when_full;
        Ok(())
    }

    pub fn set_max_response(&mut self, bytes: i64) -> Result<()> {
        self.max_response = some_bytes("max_bytes", bytes)? as usize;
        Ok(())
    }

    pub fn require_leader(&mut self, yes: bool) {
        self.headers.require_leader = Some(yes);
    }

    pub fn add_metadata(&mut self, name: &str, value: &str) -> Result<()> {
        self.headers.metadata.add(name, value)
    }

    /// What to ask of the server, checked.
    fn spec(&self, namespace: &Namespace) -> Result<Spec> {
        let (key, range_end) = self.range.finish()?;
        if !range_end.is_empty() && range_end != "\0" && range_end <= key {
            return Err(Error::argument("end", "must be above the key"));
        }
        if self.mirror && self.relist {
            return Err(Error::argument(
                "mirror",
                "a re-list watch tells what differs, a mirror all: it cannot be both",
            ));
        }
        if self.mirror && (self.filters.no_put || self.filters.no_delete) {
            return Err(Error::argument("filter", "a mirror has all changes"));
        }
        Ok(Spec {
            prev_kv: self.prev_kv,
            filters: self.filters,
            progress_notify: self.progress_notify,
            relist: self.relist || self.mirror,
            mirror: self.mirror,
            fail_when_full: self.fail_when_full,
            max_response: self.max_response,
            max_outage: self.max_outage,
            ..Spec::new(namespace, key, range_end)
        })
    }

    /// Where it starts, if nothing has to be read for that.
    fn start(&self) -> Option<Start> {
        match self.start_revision {
            0 if self.loose_start || self.relist || self.mirror => Some(Start::Loose),
            0 => None,
            revision => Some(Start::At(revision)),
        }
    }
}

/// A number of bytes that can be kept: above 0, at most a terabyte.
pub fn some_bytes(name: &str, bytes: i64) -> Result<i64> {
    const MOST: i64 = 1 << 40;
    match bytes {
        1..=MOST => Ok(bytes),
        _ => Err(Error::argument(name, format!("must be 1 to {MOST}, got {bytes}"))),
    }
}

/// The read that tells from where on a watch from now on starts.
fn now(range: &KeyRange) -> Result<Op> {
    let mut probe = Op::get(range.clone());
    probe.set_limit(1)?;
    probe.set_keys_only()?;
    Ok(probe)
}

impl Client {
    /// Hears every change of a range from a revision on; for the library's own tasks (locks, elections, …), which must not
    /// block. Nothing is read: give the revision after that of a read of your own. Ends with the client (`ERR_CLOSED`), when
    /// it is dropped, and where the server ends it.
    pub(super) fn listen(&self, range: &KeyRange, first_revision: i64) -> Result<Feed> {
        let (key, range_end) = range.finish()?;
        let spec = Spec::new(&self.core.namespace, key, range_end);
        Feed::start(self, &Headers::default(), spec, Start::At(first_revision))
    }

    /// Starts a watch. Without a start revision it reports every change after this call's return, and some
    /// made during it: the revision is picked by a linearizable read, which any member answers alike (§6.7).
    pub fn watch(&self, options: &Options, queue: Option<Arc<Queue>>, handler: Arc<dyn Handler>) -> Result<Handle> {
        let spec = options.spec(&self.core.namespace)?;
        let start = match options.start() {
            Some(start) => start,
            None => Start::After(self.execute(&now(&options.range)?)?.header().revision),
        };
        let queue = match queue {
            Some(queue) => queue,
            None => self.own_queue()?,
        };
        let watches = self.watches()?.clone();
        let source = Source::new(queue, handler)?;
        let headers = self.headers(options);
        let (ended, same, id) = (watches.clone(), headers.clone(), source.id);
        self.adopt(&source, move || ended.remove(&same, id))?;
        // If the client was closed meanwhile, it has ended the source.
        watches.add(&headers, spec, start, options.buffer, source.clone());
        self.counters().watches.add(1);
        Ok(Handle { source, watches, headers })
    }

    /// Those that ask for what is the client's way anyhow share its stream.
    fn headers(&self, options: &Options) -> Headers {
        let mut headers = options.headers.clone();
        headers.require_leader =
            headers.require_leader.filter(|yes| *yes != self.core.transport.base().options.require_leader);
        headers
    }
}
