//! The state of all watches on a stream, without the stream: requests come out, responses go in (appendix A of
//! the semantics). It survives the streams it is attached to.

use super::super::code;
use super::super::error::Error;
use super::super::event::{Body, State};
use super::super::proto::etcdserverpb as pb;
use super::super::proto::mvccpb;
use super::super::source::Source;
use bytes::Bytes;
use pb::watch_request::RequestUnion;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

#[derive(Default)]
pub struct Spec {
    pub key: Bytes,
    pub range_end: Bytes,
    pub prev_kv: bool,
    pub filters: Vec<i32>,
    pub progress_notify: bool,
}

struct Watch {
    spec: Spec,
    source: Arc<Source>,
    /// The first revision that was not delivered yet: where a new stream goes on (§6.8).
    next: i64,
    /// The highest revision a delivered header had (§6.13).
    seen: i64,
    phase: Phase,
    /// The parts of a response whose last part is still to come.
    partial: Vec<mvccpb::Event>,
    was_live: bool,
}

#[derive(Clone, Copy)]
enum Phase {
    Pending,
    Creating,
    Live(i64),
}

/// What follows from a response.
#[derive(Debug)]
pub enum Next {
    Nothing,
    Send(pb::WatchRequest),
    /// The server refused to create this watch for want of a valid token.
    Refused(u64, Error),
}

#[derive(Default)]
pub struct Engine {
    watches: HashMap<u64, Watch>,
    attached: bool,
    /// Watches whose creation the stream has not answered yet, in the order of the requests (§6.2).
    creating: VecDeque<u64>,
    live: HashMap<i64, u64>,
    /// Ids the server was asked to cancel: what still comes for them is dropped.
    leaving: HashSet<i64>,
    last_id: i64,
    /// How many watches went on after they had lost a stream.
    pub resumes: i64,
}

impl Engine {
    pub fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }

    pub fn is_live(&self) -> bool {
        !self.live.is_empty()
    }

    /// Takes a watch in; gives the request to send if a stream is there.
    pub fn add(&mut self, spec: Spec, next: i64, source: Arc<Source>) -> Option<pb::WatchRequest> {
        let id = source.id;
        let watch = Watch { spec, source, next, seen: 0, phase: Phase::Pending, partial: Vec::new(), was_live: false };
        self.watches.insert(id, watch);
        self.attached.then(|| self.create(id)).flatten()
    }

    fn create(&mut self, id: u64) -> Option<pb::WatchRequest> {
        let watch = self.watches.get_mut(&id)?;
        watch.phase = Phase::Creating;
        self.creating.push_back(id);
        self.last_id += 1;
        let create = pb::WatchCreateRequest {
            key: watch.spec.key.clone(),
            range_end: watch.spec.range_end.clone(),
            start_revision: watch.next,
            // Also unasked: it moves the bookmark of idle watches, so that a resume finds no compaction (§6.22).
            progress_notify: true,
            filters: watch.spec.filters.clone(),
            prev_kv: watch.spec.prev_kv,
            watch_id: self.last_id,
            fragment: true,
        };
        Some(pb::WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) })
    }

    /// Lets a watch go that its caller has ended.
    pub fn remove(&mut self, id: u64) -> Option<pb::WatchRequest> {
        let Phase::Live(wire) = self.watches.remove(&id)?.phase else { return None };
        self.live.remove(&wire);
        Some(self.cancel(wire))
    }

    fn cancel(&mut self, wire: i64) -> pb::WatchRequest {
        self.leaving.insert(wire);
        pb::WatchRequest { request_union: Some(RequestUnion::CancelRequest(pb::WatchCancelRequest { watch_id: wire })) }
    }

    /// A stream is there: gives the requests that create all watches on it.
    pub fn attach(&mut self) -> Vec<pb::WatchRequest> {
        self.attached = true;
        let mut ids: Vec<_> = self.watches.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| self.create(id)).collect()
    }

    /// The stream is gone: all watches wait for the next one.
    pub fn detach(&mut self, error: &Error) {
        self.attached = false;
        self.creating.clear();
        self.live.clear();
        self.leaving.clear();
        self.last_id = 0;
        for watch in self.watches.values_mut() {
            watch.partial.clear();
            if matches!(watch.phase, Phase::Live(_)) {
                watch.source.emit(Body::State {
                    state: State::Disconnected,
                    revision: watch.next - 1,
                    error: Some(error.clone()),
                });
            }
            watch.phase = Phase::Pending;
        }
    }

    pub fn receive(&mut self, response: pb::WatchResponse) -> Next {
        if response.created {
            return self.created(response);
        }
        let wire = response.watch_id;
        let Some(id) = self.live.get(&wire).copied() else {
            if response.canceled {
                self.leaving.remove(&wire);
            }
            return match wire >= 0 && !response.canceled && !self.leaving.contains(&wire) {
                true => Next::Send(self.cancel(wire)),
                false => Next::Nothing,
            };
        };
        if response.canceled {
            self.live.remove(&wire);
            self.end(id, reason(&response));
        } else if let Some(watch) = self.watches.get_mut(&id) {
            watch.receive(response);
        }
        Next::Nothing
    }

    fn created(&mut self, response: pb::WatchResponse) -> Next {
        // A Created nobody asked for must not shift the pairing (§6.3).
        let Some(id) = self.creating.pop_front() else { return Next::Nothing };
        let Some(watch) = self.watches.get_mut(&id) else {
            return match response.canceled {
                true => Next::Nothing,
                false => Next::Send(self.cancel(response.watch_id)),
            };
        };
        if response.canceled {
            let error = reason(&response);
            let token = [code::ERR_INVALID_AUTH_TOKEN, code::ERR_AUTH_OLD_REVISION, code::ERR_USER_EMPTY];
            if token.contains(&error.code) {
                watch.phase = Phase::Pending;
                return Next::Refused(id, error);
            }
            self.end(id, error);
            return Next::Nothing;
        }
        watch.phase = Phase::Live(response.watch_id);
        self.live.insert(response.watch_id, id);
        let state = if watch.was_live { State::Resumed } else { State::Live };
        self.resumes += i64::from(watch.was_live);
        watch.was_live = true;
        watch.source.emit(Body::State { state, revision: watch.next - 1, error: None });
        Next::Nothing
    }

    pub fn end(&mut self, id: u64, error: Error) {
        if let Some(watch) = self.watches.remove(&id) {
            watch.source.close(Some(error));
        }
    }

    /// No stream will ever do.
    pub fn end_all(&mut self, error: &Error) {
        for (_, watch) in self.watches.drain() {
            watch.source.close(Some(error.clone()));
        }
        self.detach(error);
    }
}

/// Why the server ended a watch.
fn reason(response: &pb::WatchResponse) -> Error {
    match (response.compact_revision, response.cancel_reason.as_str()) {
        (0, "") => Error::new(code::ERR_WATCH_CANCELED, "the server cancelled the watch and gave no reason"),
        (0, reason) => Error::new(code::classify(0, reason), reason),
        (compacted, _) => Error {
            compact_revision: compacted,
            ..Error::new(
                code::ERR_COMPACTED,
                format!("the watch's revision has been compacted; the history starts at {compacted}"),
            )
        },
    }
}

/// Whatever ends the task, each watch has its last event.
impl Drop for Engine {
    fn drop(&mut self) {
        let error = match std::thread::panicking() {
            true => Error::internal("the task of the watches broke down"),
            false => Error::closed(),
        };
        for watch in self.watches.values() {
            watch.source.close(Some(error.clone()));
        }
    }
}

impl Watch {
    fn receive(&mut self, response: pb::WatchResponse) {
        let revision = response.header.unwrap_or_default().revision;
        self.seen = self.seen.max(revision);
        let mut changes = response.events;
        if response.fragment || !self.partial.is_empty() {
            self.partial.append(&mut changes);
            if response.fragment {
                return;
            }
            changes = std::mem::take(&mut self.partial);
        }
        if changes.is_empty() {
            self.next = self.next.max(revision + 1);
            if self.spec.progress_notify {
                self.source.emit(Body::Progress { revision: self.seen });
            }
            return;
        }
        // Some servers repeat events after a restart (§6.12).
        let modified = |event: &mvccpb::Event| event.kv.as_ref().map_or(0, |kv| kv.mod_revision);
        changes.retain(|event| modified(event) >= self.next);
        if let Some(last) = changes.last() {
            // Not from the header: it is ahead of the events while history is caught up (§6.9).
            self.next = modified(last) + 1;
            self.source.emit(Body::Watch { revision: self.seen, changes });
        }
    }
}

#[cfg(test)]
mod tests;
