//! One watch: its bookmark, a response that is not whole yet, and whether the caller keeps up. It knows no stream.

use super::super::code;
use super::super::error::{Error, Result};
use super::super::event::{Body, State};
use super::super::load::{cost, weight};
use super::super::mutant;
use super::super::namespace::Namespace;
use super::super::proto::etcdserverpb as pb;
use super::super::proto::etcdserverpb::watch_create_request::FilterType;
use super::super::proto::mvccpb;
use super::super::source::Source;
use super::relist::{Page, Relist};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The most a response in parts may hold before it is delivered in pieces of whole revisions.
pub const MAX_RESPONSE: usize = 256 << 20;

#[derive(Debug, Clone)]
pub struct Spec {
    /// As they stand on the wire, as are all keys here but those of delivered changes.
    pub key: Bytes,
    pub range_end: Bytes,
    pub namespace: Namespace,
    pub prev_kv: bool,
    pub filters: Filters,
    pub progress_notify: bool,
    /// Goes on after a compaction by reading the range.
    pub relist: bool,
    /// And so that the caller is told all of it anew, which takes no memory of what he was told before.
    pub mirror: bool,
    /// What a caller gets who does not keep up: the end, or a pause.
    pub fail_when_full: bool,
    pub max_response: usize,
    /// How long it may be without a stream.
    pub max_outage: Option<Duration>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Filters {
    pub no_put: bool,
    pub no_delete: bool,
}

impl Filters {
    pub fn wire(self) -> Vec<i32> {
        let all = [(self.no_put, FilterType::Noput), (self.no_delete, FilterType::Nodelete)];
        all.into_iter().filter(|(set, _)| *set).map(|(_, filter)| filter as i32).collect()
    }

    fn admit(self, change: &mvccpb::Event) -> bool {
        match change.r#type() {
            mvccpb::event::EventType::Put => !self.no_put,
            mvccpb::event::EventType::Delete => !self.no_delete,
        }
    }
}

impl Spec {
    pub fn new(namespace: &Namespace, mut key: Bytes, mut range_end: Bytes) -> Self {
        namespace.place(&mut key, &mut range_end);
        Spec {
            key,
            range_end,
            namespace: namespace.clone(),
            prev_kv: false,
            filters: Filters::default(),
            progress_notify: false,
            relist: false,
            mirror: false,
            fail_when_full: false,
            max_response: MAX_RESPONSE,
            max_outage: None,
        }
    }
}

/// Where a watch begins.
#[derive(Debug, Clone, Copy)]
pub enum Start {
    At(i64),
    /// After a revision that was read.
    After(i64),
    /// Wherever the member is that takes it on (§6.7).
    Loose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Pending,
    Creating,
    Live(i64),
    /// Waits for the caller to catch up.
    Parked,
    /// Reads its range.
    Listing,
}

/// What became of a response.
#[derive(Debug, PartialEq)]
pub enum Taken {
    All,
    /// There is no room for it; it is to be fetched again.
    Full,
    /// One revision of it is more than may be held.
    TooLarge,
    /// Its revisions are out of order.
    Disordered,
    /// It has a key of outside the watch's namespace.
    Foreign(Error),
}

pub struct Watch {
    pub spec: Spec,
    pub source: Arc<Source>,
    /// The first revision that was not delivered yet: where a new stream goes on (§6.8).
    pub next: i64,
    /// The highest revision the store has shown to have by this watch; 0 for none.
    pub known: i64,
    /// The highest revision a delivered header had (§6.13).
    seen: i64,
    cluster: u64,
    pub phase: Phase,
    /// The parts of a response whose last part is still to come.
    partial: Vec<mvccpb::Event>,
    partial_bytes: usize,
    pub was_live: bool,
    /// `next` is what a member said and not exact: no event may be dropped for it.
    loose: bool,
    /// The caller asked how far it is.
    pub asked: bool,
    /// Since when it wants a stream and has none.
    pub away: Option<Instant>,
    pub relist: Option<Box<Relist>>,
}

pub fn modified(change: &mvccpb::Event) -> i64 {
    change.kv.as_ref().map_or(0, |kv| kv.mod_revision)
}

impl Watch {
    pub fn new(spec: Spec, start: Start, source: Arc<Source>) -> Self {
        let (next, known) = match start {
            Start::At(revision) => (revision, 0),
            Start::After(revision) => (revision + 1, revision),
            Start::Loose => (0, 0),
        };
        let relist = spec.relist.then(|| Box::new(Relist::new(start, spec.mirror)));
        source.load.reached(next);
        Watch {
            phase: if spec.relist { Phase::Listing } else { Phase::Pending },
            spec,
            source,
            next,
            known,
            seen: 0,
            cluster: 0,
            partial: Vec::new(),
            partial_bytes: 0,
            was_live: false,
            loose: matches!(start, Start::Loose),
            asked: false,
            away: Some(Instant::now()),
            relist,
        }
    }

    pub fn request(&self, watch_id: i64) -> pb::WatchCreateRequest {
        pb::WatchCreateRequest {
            key: self.spec.key.clone(),
            range_end: self.spec.range_end.clone(),
            start_revision: self.next,
            // Also unasked: it moves the bookmark of idle watches, so that a resume finds no compaction (§6.22).
            progress_notify: true,
            // Who reads the range again has to know all that is in it.
            filters: if self.spec.relist { Vec::new() } else { self.spec.filters.wire() },
            prev_kv: self.spec.prev_kv,
            watch_id,
            fragment: true,
        }
    }

    /// An error if another cluster than before answers (§1.16).
    pub fn check(&mut self, header: &pb::ResponseHeader) -> Option<Error> {
        // etcd's proxy does not know it of each response.
        if header.cluster_id == 0 {
            return None;
        }
        let known = std::mem::replace(&mut self.cluster, header.cluster_id);
        (known != 0 && header.cluster_id != known).then(|| {
            let text = format!("cluster {:x} answers a watch, and before it cluster {known:x}", header.cluster_id);
            Error::new(code::ERR_CLUSTER_MISMATCH, text)
        })
    }

    /// The server has taken it on.
    pub fn created(&mut self, wire: i64, header: pb::ResponseHeader) {
        self.phase = Phase::Live(wire);
        self.away = None;
        match self.next {
            0 => self.next = header.revision + 1,
            // What was asked for holds, not what the member says.
            _ => self.loose = false,
        }
        self.emit_state(if self.was_live { State::Resumed } else { State::Live }, None, Some(header));
        self.was_live = true;
    }

    pub fn tell(&self, state: State, error: Option<Error>) {
        self.emit_state(state, error, None);
    }

    pub fn emit_state(&self, state: State, error: Option<Error>, header: Option<pb::ResponseHeader>) {
        self.source.emit(Body::State { state, revision: (self.next - 1).max(0), error, header });
    }

    /// The stream is gone, or given up: what came of a response in parts is of no use.
    pub fn forget_parts(&mut self) {
        self.partial = Vec::new();
        self.partial_bytes = 0;
    }

    pub fn receive(&mut self, response: pb::WatchResponse) -> Taken {
        let header = response.header.unwrap_or_default();
        let mut changes = response.events;
        let in_parts = response.fragment || !self.partial.is_empty();
        if in_parts && !mutant::is("deliver-partial-fragment") {
            self.partial_bytes += changes.iter().map(weight).sum::<usize>();
            self.partial.append(&mut changes);
            if !self.source.load.has_room(self.partial_bytes as i64) {
                return Taken::Full;
            }
            match response.fragment {
                true if self.partial_bytes <= self.spec.max_response => return Taken::All,
                true => {
                    let last = self.partial.last().map_or(0, modified);
                    let whole = self.partial.iter().position(|change| modified(change) >= last).unwrap_or(0);
                    if whole == 0 {
                        return Taken::TooLarge;
                    }
                    changes = self.partial.drain(..whole).collect();
                    self.partial_bytes = self.partial.iter().map(weight).sum();
                }
                false => {
                    changes = std::mem::take(&mut self.partial);
                    self.partial_bytes = 0;
                }
            }
        }
        match changes.is_empty() {
            true => self.progress(header),
            false => self.deliver(header, changes),
        }
    }

    /// A response without changes under its own id comes in order (§6.14).
    fn progress(&mut self, header: pb::ResponseHeader) -> Taken {
        let revision = header.revision;
        self.loose = false;
        self.next = self.next.max(revision + 1);
        self.known = self.known.max(revision);
        match self.spec.progress_notify {
            true => self.tell_progress(header),
            false => {
                self.reached();
                Taken::All
            }
        }
    }

    /// Tells how far the store is, as a member says that has nothing more to send.
    pub fn tell_progress(&mut self, header: pb::ResponseHeader) -> Taken {
        let revision = header.revision;
        // A header during a catch-up told more than was delivered: nothing is told until that is true.
        if revision < self.seen {
            self.reached();
            return Taken::All;
        }
        let body = Body::Progress { revision, resume: self.next, header };
        if !self.source.load.has_room(cost(&body)) {
            return Taken::Full;
        }
        self.asked = false;
        self.seen = self.seen.max(revision);
        self.source.emit(body);
        Taken::All
    }

    /// What was not to be delivered counts as delivered once nothing else waits.
    fn reached(&self) {
        if self.source.load.events() == 0 {
            self.source.load.reached(self.next);
        }
    }

    fn deliver(&mut self, header: pb::ResponseHeader, mut changes: Vec<mvccpb::Event>) -> Taken {
        let revision = header.revision;
        // Some servers repeat events after a restart; several may share a revision (§6.12).
        if !self.loose && !mutant::is("forget-dedupe") {
            changes.retain(|change| modified(change) >= self.next);
        }
        if !changes.is_sorted_by_key(modified) {
            return Taken::Disordered;
        }
        let Some(last) = changes.last().map(modified) else { return Taken::All };
        // Not from the header: it is ahead of the events while history is caught up (§6.9).
        let resume = match () {
            _ if mutant::is("bookmark-from-header") => revision.max(last) + 1,
            _ if mutant::is("resume-at-r") => last,
            _ => last + 1,
        };
        let seen = self.seen.max(revision).max(last);
        let mut body = Body::Watch { revision: seen, resume, changes, synthetic: false, header };
        if !self.source.load.has_room(cost(&body)) {
            return Taken::Full;
        }
        (self.seen, self.loose, self.next, self.known) = (seen, false, resume, self.known.max(last));
        if let (Some(relist), Body::Watch { changes, .. }) = (&mut self.relist, &mut body) {
            relist.note(changes);
            changes.retain(|change| self.spec.filters.admit(change));
        }
        if let Body::Watch { changes, .. } = &mut body {
            if let Err(error) = self.spec.namespace.strip_changes(changes) {
                return Taken::Foreign(error);
            }
        }
        match &body {
            Body::Watch { changes, .. } if changes.is_empty() => self.reached(),
            _ => self.source.emit(body),
        }
        Taken::All
    }

    /// What a reading of the range found to be different; with the last of it the watch is there.
    pub fn deliver_found(&mut self, page: Page) -> Result<()> {
        let Page { revision, header, mut changes, last, .. } = page;
        changes.retain(|change| self.spec.filters.admit(change));
        self.spec.namespace.strip_changes(&mut changes)?;
        let mut resume = 0;
        if last {
            resume = revision + 1;
            (self.next, self.known) = (resume, self.known.max(revision));
        }
        self.seen = self.seen.max(revision);
        match changes.is_empty() {
            true => self.reached(),
            false => self.source.emit(Body::Watch { revision: self.seen, resume, changes, synthetic: true, header }),
        }
        Ok(())
    }
}

/// Whatever ends the watches' task, each has its last event. One that has it already gets no other.
impl Drop for Watch {
    fn drop(&mut self) {
        let error = match std::thread::panicking() {
            true => Error::internal("the task of the watches broke down"),
            false => Error::closed(),
        };
        self.source.close(Some(error));
    }
}
