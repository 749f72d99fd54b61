//! The state of all watches on a stream, without the stream: responses go in, and what is to be done comes out
//! (appendix A of the semantics). It survives the streams it is attached to.

mod reading;
#[cfg(test)]
mod tests;

use super::super::code;
use super::super::error::Error;
use super::super::event::State;
use super::super::mutant;
use super::super::proto::etcdserverpb as pb;
use super::super::source::Source;
use super::one::{Phase, Taken, Watch};
use pb::watch_request::RequestUnion;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use tokio::time::Instant;

/// What is to be done.
pub enum Action {
    Send(pb::WatchRequest),
    /// Read a page for a re-list watch; `page` takes the answer. Of no use once the source is closed.
    Read(u64, pb::RangeRequest, Arc<Source>),
    /// Ask for the store's revision; `verified` takes it.
    Verify(pb::RangeRequest),
    /// The server refused to create this watch for want of a valid token.
    Refused(u64, Error),
    /// The stream is of no more use.
    Leave(Error),
}

#[derive(Default)]
pub struct Engine {
    /// Boxed, since the table has many empty places.
    watches: HashMap<u64, Box<Watch>>,
    attached: bool,
    /// Watches whose creation the stream has not answered yet, in the order of the requests (§6.2).
    creating: VecDeque<u64>,
    live: HashMap<i64, u64>,
    /// Ids the server was asked to cancel: what still comes for them is dropped.
    leaving: HashSet<i64>,
    last_id: i64,
    verifying: Option<Vec<(u64, i64)>>,
    /// When the first watch will have been without a stream for too long.
    expiry: Option<Instant>,
    pub actions: Vec<Action>,
    /// How many watches were taken on again, were parked, read their range anew.
    pub resumes: i64,
    pub parks: i64,
    pub relists: i64,
}

impl Engine {
    pub fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }

    pub fn is_live(&self) -> bool {
        !self.live.is_empty()
    }

    /// Whether the server owes this stream a word, now or later.
    pub fn expects(&self) -> bool {
        self.is_live() || !self.creating.is_empty()
    }

    /// Whether a stream is needed: parked and reading watches need none.
    pub fn wants_stream(&self) -> bool {
        self.attached || self.watches.values().any(|watch| watch.phase == Phase::Pending)
    }

    pub fn expiry(&self) -> Option<Instant> {
        self.expiry
    }

    pub fn add(&mut self, watch: Box<Watch>) {
        let id = watch.source.id;
        let reads = watch.phase == Phase::Listing;
        Self::watch_over(&mut self.expiry, &watch);
        self.watches.insert(id, watch);
        match reads {
            true => self.begin_reading(id),
            false => self.create(id),
        }
    }

    /// Notes by when the watch has to have a stream.
    fn watch_over(expiry: &mut Option<Instant>, watch: &Watch) {
        if let (Some(away), Some(most)) = (watch.away, watch.spec.max_outage) {
            let over = away + most;
            *expiry = Some(expiry.map_or(over, |other| other.min(over)));
        }
    }

    /// Ends the watches that have been without a stream for longer than they may.
    pub fn expire(&mut self, now: Instant, last: Option<&Error>) {
        self.expiry = None;
        let mut over = Vec::new();
        let watches = std::mem::take(&mut self.watches);
        for (id, watch) in &watches {
            let Some(most) = watch.spec.max_outage else { continue };
            match watch.away {
                Some(away) if away + most <= now => over.push((*id, most)),
                _ => Self::watch_over(&mut self.expiry, watch),
            }
        }
        self.watches = watches;
        for (id, most) in over {
            let text = format!("the watch could not go on for {} ms", most.as_millis());
            let error = match last {
                Some(last) => Error { message: format!("{text}: {}", last.message), ..last.clone() },
                None => Error::new(code::ERR_UNAVAILABLE, text),
            };
            self.end(id, error);
        }
    }

    /// Sends the request to create a watch that waits for it, if a stream is there.
    fn create(&mut self, id: u64) {
        let Some(watch) = self.watches.get_mut(&id).filter(|_| self.attached) else { return };
        watch.phase = Phase::Creating;
        self.creating.push_back(id);
        self.last_id += 1;
        let create = RequestUnion::CreateRequest(watch.request(self.last_id));
        self.actions.push(Action::Send(pb::WatchRequest { request_union: Some(create) }));
    }

    /// Lets a watch go that its caller has ended.
    pub fn remove(&mut self, id: u64) {
        if let Some(watch) = self.watches.remove(&id) {
            self.release(watch.phase);
        }
    }

    /// Cancels at the server what is live there.
    fn release(&mut self, phase: Phase) {
        if let Phase::Live(wire) = phase {
            self.live.remove(&wire);
            self.cancel(wire);
        }
    }

    fn cancel(&mut self, wire: i64) {
        self.leaving.insert(wire);
        let cancel = RequestUnion::CancelRequest(pb::WatchCancelRequest { watch_id: wire });
        self.actions.push(Action::Send(pb::WatchRequest { request_union: Some(cancel) }));
    }

    /// Asks how far the store is, for one watch or for the sake of an answer. The answer may never come (§6.14).
    pub fn request_progress(&mut self, id: Option<u64>) {
        if let Some(watch) = id.and_then(|id| self.watches.get_mut(&id)) {
            watch.asked = true;
        }
        if self.attached {
            let progress = RequestUnion::ProgressRequest(pb::WatchProgressRequest {});
            self.actions.push(Action::Send(pb::WatchRequest { request_union: Some(progress) }));
        }
    }

    /// A stream is there: asks for all watches on it.
    pub fn attach(&mut self) {
        self.attached = true;
        let pending = self.watches.iter().filter(|(_, watch)| watch.phase == Phase::Pending);
        let mut ids: Vec<_> = pending.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.into_iter().for_each(|id| self.create(id));
        if self.watches.values().any(|watch| watch.asked) {
            self.request_progress(None);
        }
    }

    /// The stream is gone: its watches wait for the next one.
    pub fn detach(&mut self, error: &Error) {
        self.attached = false;
        self.creating.clear();
        self.live.clear();
        self.leaving.clear();
        self.last_id = 0;
        self.actions.retain(|action| !matches!(action, Action::Send(_)));
        let mut watches = std::mem::take(&mut self.watches);
        for watch in watches.values_mut() {
            watch.forget_parts();
            if let Phase::Live(_) = watch.phase {
                watch.away = Some(Instant::now());
                watch.tell(State::Disconnected, Some(error.clone()));
            }
            if let Phase::Live(_) | Phase::Creating = watch.phase {
                watch.phase = Phase::Pending;
                Self::watch_over(&mut self.expiry, watch);
            }
        }
        self.watches = watches;
    }

    pub fn receive(&mut self, response: pb::WatchResponse) {
        if response.created {
            return self.created(response);
        }
        let wire = response.watch_id;
        let Some(id) = self.live.get(&wire).copied() else {
            return match wire {
                ..0 => self.progressed(&response),
                _ if response.canceled => drop(self.leaving.remove(&wire)),
                _ if self.leaving.contains(&wire) => {}
                _ => self.cancel(wire),
            };
        };
        let Some(watch) = self.watches.get_mut(&id) else { return };
        if let Some(error) = response.header.as_ref().and_then(|header| watch.check(header)) {
            return self.end(id, error);
        }
        if response.canceled || response.compact_revision != 0 {
            watch.phase = Phase::Pending;
            self.live.remove(&wire);
            if !response.canceled {
                self.cancel(wire);
            }
            return self.refused(id, &response);
        }
        let taken = watch.receive(response);
        self.taken(id, taken);
    }

    /// An answer to a progress request is for all watches of the stream. It moves no bookmark: before 3.4.25 and 3.5.8
    /// it may come ahead of events (§6.14).
    fn progressed(&mut self, response: &pb::WatchResponse) {
        if response.canceled || !response.events.is_empty() {
            return;
        }
        let header = response.header.unwrap_or_default();
        let mut full = Vec::new();
        for (id, watch) in &mut self.watches {
            let wants = watch.asked || watch.spec.progress_notify;
            if wants && matches!(watch.phase, Phase::Live(_)) && watch.tell_progress(header) == Taken::Full {
                full.push(*id);
            }
        }
        full.into_iter().for_each(|id| self.taken(id, Taken::Full));
    }

    fn taken(&mut self, id: u64, taken: Taken) {
        match taken {
            Taken::All => {}
            Taken::Full => self.full(id),
            Taken::TooLarge => {
                let most = self.watches.get(&id).map_or(0, |watch| watch.spec.max_response);
                let text = format!("the changes of one revision have more than {most} bytes, the watch's limit");
                self.end(id, Error::new(code::ERR_RESPONSE_TOO_LARGE, text));
            }
            Taken::Disordered => {
                let text = "the server sent changes of a watch out of order";
                self.actions.push(Action::Leave(Error::new(code::ERR_PROTOCOL, text)));
            }
            Taken::Foreign(error) => self.end(id, error),
        }
    }

    /// The caller does not keep up.
    fn full(&mut self, id: u64) {
        let Some(watch) = self.watches.get_mut(&id) else { return };
        if watch.spec.fail_when_full {
            let waiting = watch.source.load.bytes();
            let advice = match watch.phase {
                Phase::Listing => "the reading of its range is not whole: a new watch begins it anew".to_owned(),
                _ => format!("a new watch from revision {} on loses nothing", watch.next),
            };
            let text = format!("{waiting} bytes of the watch wait to be taken; {advice}");
            return self.end(id, Error::new(code::ERR_SLOW_CONSUMER, text));
        }
        watch.forget_parts();
        let before = std::mem::replace(&mut watch.phase, Phase::Parked);
        watch.tell(State::Parked, None);
        let source = watch.source.clone();
        self.parks += 1;
        self.release(before);
        source.load.park();
    }

    /// A parked watch has caught up.
    pub fn drained(&mut self, id: u64) {
        let Some(watch) = self.watches.get_mut(&id) else { return };
        watch.away = Some(Instant::now());
        match watch.phase {
            Phase::Parked => {
                watch.phase = Phase::Pending;
                self.create(id);
            }
            Phase::Listing => self.read(id),
            _ => return,
        }
        if let Some(watch) = self.watches.remove(&id) {
            Self::watch_over(&mut self.expiry, &watch);
            self.watches.insert(id, watch);
        }
    }

    fn created(&mut self, response: pb::WatchResponse) {
        // A Created nobody asked for must not shift the pairing (§6.3).
        if self.live.contains_key(&response.watch_id) && !response.canceled {
            return;
        }
        let Some(id) = self.creating.pop_front() else { return };
        let header = response.header.unwrap_or_default();
        let Some(watch) = self.watches.get_mut(&id) else {
            if !response.canceled {
                self.cancel(response.watch_id);
            }
            return;
        };
        if let Some(error) = response.header.as_ref().and_then(|header| watch.check(header)) {
            if !response.canceled {
                self.cancel(response.watch_id);
            }
            return self.end(id, error);
        }
        if response.canceled && !mutant::is("ignore-created-canceled") {
            return self.refused(id, &response);
        }
        self.resumes += i64::from(watch.was_live);
        watch.created(response.watch_id, header);
        self.live.insert(response.watch_id, id);
        // A member that lags, or a store that was set back.
        if header.revision > 0 && header.revision < watch.known && self.verifying.is_none() {
            let key = watch.spec.key.clone();
            self.verifying = Some(self.watches.iter().map(|(id, watch)| (*id, watch.known)).collect());
            self.actions.push(Action::Verify(pb::RangeRequest { key, count_only: true, ..Default::default() }));
        }
    }

    /// The server does not create a watch, or ends it.
    fn refused(&mut self, id: u64, response: &pb::WatchResponse) {
        let error = reason(response);
        let Some(watch) = self.watches.get_mut(&id) else { return };
        watch.forget_parts();
        if error.code == code::ERR_COMPACTED && watch.relist.is_some() {
            return self.relist(id, error);
        }
        let token = error.refuses_token();
        if !token && !error.is_retryable() {
            return self.end(id, error);
        }
        if let Phase::Live(_) = watch.phase {
            watch.away = Some(Instant::now());
            watch.tell(State::Disconnected, Some(error.clone()));
            Self::watch_over(&mut self.expiry, watch);
        }
        watch.phase = Phase::Pending;
        self.actions.push(if token { Action::Refused(id, error) } else { Action::Leave(error) });
    }

    /// Ends a watch, at the server too.
    pub fn end(&mut self, id: u64, error: Error) {
        if let Some(watch) = self.watches.remove(&id) {
            watch.source.close(Some(error));
            self.release(watch.phase);
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
