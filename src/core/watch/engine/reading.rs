//! What the engine does with what is read of the store beside the stream: ranges anew, and its revision.

use super::super::super::code;
use super::super::super::error::Error;
use super::super::super::event::{Body, State};
use super::super::super::proto::etcdserverpb as pb;
use super::super::one::Phase;
use super::{Action, Engine};
use tokio::time::Instant;

impl Engine {
    pub(super) fn begin_reading(&mut self, id: u64) {
        let Some(watch) = self.watches.get_mut(&id) else { return };
        if watch.relist.as_ref().is_some_and(|relist| relist.needs_no_reading()) {
            watch.phase = Phase::Pending;
            return self.create(id);
        }
        self.read(id);
    }

    pub(super) fn read(&mut self, id: u64) {
        let Some(watch) = self.watches.get(&id) else { return };
        if let Some(relist) = &watch.relist {
            let request = relist.request(&watch.spec.key, &watch.spec.range_end);
            self.actions.push(Action::Read(id, request, watch.source.clone()));
        }
    }

    pub(super) fn relist(&mut self, id: u64, why: Error) {
        let Some(watch) = self.watches.get_mut(&id) else { return };
        let Some(relist) = &mut watch.relist else { return };
        relist.again(why);
        watch.phase = Phase::Listing;
        watch.away.get_or_insert_with(Instant::now);
        Self::watch_over(&mut self.expiry, watch);
        self.read(id);
    }

    /// Takes in what a reading brought.
    pub fn page(&mut self, id: u64, answer: Result<pb::RangeResponse, Error>) {
        let Some(watch) = self.watches.get_mut(&id) else { return };
        let header = answer.as_ref().ok().and_then(|answer| answer.header);
        if let Some(error) = header.and_then(|header| watch.check(&header)) {
            return self.end(id, error);
        }
        let Some(relist) = &mut watch.relist else { return };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.code == code::ERR_FUTURE_REVISION && relist.is_seeding() => {
                relist.begin_early();
                return self.read(id);
            }
            // The first page was of that revision.
            Err(error) if error.code == code::ERR_FUTURE_REVISION => {
                let text = "the store no longer is at the revision that the watch reads its range at: it was restored from a backup";
                return self.end(id, Error::new(code::ERR_REVISION_REGRESSED, text));
            }
            // It was compacted between two pages; what has been delivered is known.
            Err(error) if error.code == code::ERR_COMPACTED && !relist.is_seeding() => return self.relist(id, error),
            Err(error) => return self.end(id, error),
        };
        if relist.came_late(&answer) {
            return self.read(id);
        }
        let mut page = relist.page(answer);
        let (is_last, header) = (page.last, page.header);
        if page.revision < watch.known {
            let error = regressed(page.revision, watch.known);
            return self.end(id, error);
        }
        watch.away = Some(Instant::now());
        Self::watch_over(&mut self.expiry, watch);
        if page.first && !page.seeding {
            self.relists += 1;
            let (state, error) = match watch.spec.mirror {
                true => (State::Copying, page.why.take()),
                false => (State::Relisted, None),
            };
            watch.source.emit(Body::State { state, revision: page.revision, error, header: Some(header) });
        }
        if let Err(error) = watch.deliver_found(page) {
            return self.end(id, error);
        }
        if is_last {
            if watch.spec.mirror {
                watch.emit_state(State::Copied, None, Some(header));
            }
            watch.phase = Phase::Pending;
            return self.create(id);
        }
        if watch.source.load.has_room(1) {
            return self.read(id);
        }
        match watch.spec.fail_when_full {
            true => self.full(id),
            false => {
                watch.away = None;
                watch.source.load.park();
            }
        }
    }

    /// Takes in what the store's revision really is.
    pub fn verified(&mut self, answer: Result<i64, Error>) {
        // What was known when it was asked: since then the store may have gone on.
        let known = self.verifying.take().unwrap_or_default();
        let Ok(revision) = answer else { return };
        for (id, known) in known.into_iter().filter(|(_, known)| *known > revision) {
            self.end(id, regressed(revision, known));
        }
    }
}

fn regressed(revision: i64, known: i64) -> Error {
    let text = format!(
        "the store is at revision {revision}, and the watch has seen revision {known}: it was restored from a backup"
    );
    Error::new(code::ERR_REVISION_REGRESSED, text)
}
