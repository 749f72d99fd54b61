//! What a re-list watch knows of its range, and how it reads it: page by page at one revision, delivering what
//! differs; or, for a mirror, which knows nothing, all of it (§6.15, §9.5).

use super::super::error::Error;
use super::super::proto::etcdserverpb as pb;
use super::super::proto::mvccpb;
use super::one::{modified, Start};
use bytes::Bytes;
use std::collections::BTreeMap;

const FIRST_PAGE: i64 = 100;
const MOST_KEYS: i64 = 5000;
/// About what a page should bring.
const PAGE_BYTES: usize = 1 << 20;

pub struct Relist {
    /// The keys of the range as they were delivered, and when they were put.
    known: BTreeMap<Box<[u8]>, i64>,
    /// Keeps no keys: each reading brings everything.
    mirror: bool,
    /// Changes before this one are known, and not delivered.
    first: i64,
    reading: Reading,
    /// Why the reading that begins is not the first one.
    why: Option<Error>,
}

/// A reading of the range under way.
struct Reading {
    /// Only to know what is there: the caller asked for what comes after it.
    seeding: bool,
    /// 0 until the first page tells.
    revision: i64,
    from: Option<Bytes>,
    limit: i64,
}

impl Reading {
    fn new(seeding: bool, revision: i64) -> Self {
        Reading { seeding, revision, from: None, limit: FIRST_PAGE }
    }
}

/// What a page brought.
pub struct Page {
    pub revision: i64,
    pub header: pb::ResponseHeader,
    pub first: bool,
    pub last: bool,
    pub seeding: bool,
    /// With the first page: what made it necessary to read again.
    pub why: Option<Error>,
    pub changes: Vec<mvccpb::Event>,
}

impl Relist {
    pub fn new(start: Start, mirror: bool) -> Self {
        let (seeding, revision, first) = match start {
            Start::At(first) => (true, first - 1, first),
            Start::After(_) | Start::Loose => (false, 0, 0),
        };
        Relist { known: BTreeMap::new(), mirror, first, reading: Reading::new(seeding, revision), why: None }
    }

    /// Nothing was there before the first change, or nobody wants to know.
    pub fn needs_no_reading(&self) -> bool {
        self.reading.seeding && (self.mirror || self.reading.revision < 1)
    }

    pub fn is_seeding(&self) -> bool {
        self.reading.seeding
    }

    /// Reads the range as it is now, from its start.
    pub fn again(&mut self, why: Error) {
        self.reading = Reading::new(false, 0);
        self.why = Some(why);
    }

    /// The revision before the start is still to come: begins with what is there now.
    pub fn begin_early(&mut self) {
        self.reading = Reading::new(true, 0);
    }

    /// Whether what was to come came while it was read: then what was there before it can be read after all, and is to be.
    pub fn came_late(&mut self, answer: &pb::RangeResponse) -> bool {
        let late = self.reading.seeding
            && self.reading.revision == 0
            && answer.header.is_some_and(|header| header.revision >= self.first);
        if late {
            self.reading = Reading::new(true, self.first - 1);
        }
        late
    }

    /// The request for the next page.
    pub fn request(&self, key: &Bytes, range_end: &Bytes) -> pb::RangeRequest {
        pb::RangeRequest {
            key: self.reading.from.as_ref().unwrap_or(key).clone(),
            range_end: range_end.clone(),
            limit: self.reading.limit,
            revision: self.reading.revision,
            keys_only: self.reading.seeding,
            ..Default::default()
        }
    }

    /// Takes the answer to `request` in.
    pub fn page(&mut self, answer: pb::RangeResponse) -> Page {
        let reading = &mut self.reading;
        let first = reading.from.is_none();
        let header = answer.header.unwrap_or_default();
        if reading.revision == 0 {
            reading.revision = header.revision;
        }
        let bytes: usize =
            answer.kvs.iter().map(|kv| kv.key.len() + kv.value.len() + size_of::<mvccpb::KeyValue>()).sum();
        let fitting = reading.limit.saturating_mul(PAGE_BYTES as i64) / bytes.max(1) as i64;
        reading.limit = fitting.clamp(1, MOST_KEYS).min(4 * reading.limit);
        let next = answer.kvs.last().filter(|_| answer.more).map(|kv| [&kv.key[..], b"\0"].concat());
        let (revision, seeding) = (reading.revision, reading.seeding);
        let changes = match self.mirror {
            true => answer.kvs.into_iter().map(put).collect(),
            false => self.differences(answer.kvs, next.as_deref(), revision),
        };
        let last = next.is_none();
        self.reading.from = next.map(Bytes::from);
        let changes = if seeding { Vec::new() } else { changes };
        Page { revision, header, first, last, seeding, why: self.why.take(), changes }
    }

    /// What is otherwise than known among the keys up to, without, `end`: in the order of the keys.
    fn differences(&mut self, kvs: Vec<mvccpb::KeyValue>, end: Option<&[u8]>, revision: i64) -> Vec<mvccpb::Event> {
        let mut rest = match end {
            Some(end) => self.known.split_off(end),
            None => BTreeMap::new(),
        };
        let start = self.reading.from.as_deref().unwrap_or_default();
        let mut gone = self.known.split_off(start);
        let mut changes = Vec::new();
        for kv in kvs {
            let before = gone.remove(&kv.key[..]);
            self.known.insert(kv.key[..].into(), kv.mod_revision);
            if before != Some(kv.mod_revision) {
                changes.push(put(kv));
            }
        }
        for key in gone.into_keys() {
            let kv = mvccpb::KeyValue { key: key.into_vec().into(), mod_revision: revision, ..Default::default() };
            changes.push(mvccpb::Event {
                r#type: mvccpb::event::EventType::Delete as i32,
                kv: Some(kv),
                prev_kv: None,
            });
        }
        changes.sort_by(|a, b| key_of(a).cmp(key_of(b)));
        self.known.append(&mut rest);
        changes
    }

    /// Takes in what the server reports, and leaves out what comes before the start.
    pub fn note(&mut self, changes: &mut Vec<mvccpb::Event>) {
        if self.mirror {
            return;
        }
        for change in &*changes {
            match change.r#type() {
                mvccpb::event::EventType::Put => self.known.insert(key_of(change).into(), modified(change)),
                mvccpb::event::EventType::Delete => self.known.remove(key_of(change)),
            };
        }
        changes.retain(|change| modified(change) >= self.first);
    }
}

fn put(kv: mvccpb::KeyValue) -> mvccpb::Event {
    mvccpb::Event { kv: Some(kv), ..Default::default() }
}

fn key_of(change: &mvccpb::Event) -> &[u8] {
    change.kv.as_ref().map_or(&[], |kv| &kv.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kv(key: &str, mod_revision: i64) -> mvccpb::KeyValue {
        mvccpb::KeyValue { key: Bytes::copy_from_slice(key.as_bytes()), mod_revision, ..Default::default() }
    }

    fn answer(revision: i64, more: bool, kvs: &[(&str, i64)]) -> pb::RangeResponse {
        let header = Some(pb::ResponseHeader { revision, ..Default::default() });
        let kvs = kvs.iter().map(|(key, revision)| kv(key, *revision)).collect();
        pb::RangeResponse { header, more, kvs, ..Default::default() }
    }

    fn told(page: &Page) -> String {
        let tell = |change: &mvccpb::Event| {
            let sign = if change.r#type() == mvccpb::event::EventType::Put { "+" } else { "-" };
            format!("{sign}{}@{}", String::from_utf8_lossy(key_of(change)), modified(change))
        };
        page.changes.iter().map(tell).collect::<Vec<_>>().join(" ")
    }

    fn range() -> (Bytes, Bytes) {
        ("a".into(), "z".into())
    }

    #[test]
    fn the_first_reading_brings_all_page_by_page() {
        let (key, end) = range();
        let mut relist = Relist::new(Start::Loose, false);
        assert_eq!(relist.request(&key, &end).revision, 0);
        let page = relist.page(answer(9, true, &[("a", 2), ("c", 3)]));
        assert!(page.first && !page.last && page.revision == 9);
        assert_eq!(told(&page), "+a@2 +c@3");
        let next = relist.request(&key, &end);
        assert_eq!((&next.key[..], next.revision), (&b"c\0"[..], 9));
        let page = relist.page(answer(11, false, &[("d", 4)]));
        assert!(!page.first && page.last && page.revision == 9);
        assert_eq!(told(&page), "+d@4");
    }

    #[test]
    fn another_reading_brings_what_differs() {
        let mut relist = Relist::new(Start::Loose, false);
        relist.page(answer(9, false, &[("a", 2), ("b", 3), ("c", 4), ("d", 5), ("x", 6)]));
        relist.again(Error::closed());
        // b was put again, c deleted, d deleted and put; pages end between.
        assert_eq!(told(&relist.page(answer(20, true, &[("a", 2), ("b", 15)]))), "+b@15");
        assert_eq!(told(&relist.page(answer(20, true, &[("d", 17), ("e", 18)]))), "-c@20 +d@17 +e@18");
        assert_eq!(told(&relist.page(answer(20, false, &[]))), "-x@20");
        relist.again(Error::closed());
        assert_eq!(told(&relist.page(answer(21, false, &[("a", 2), ("b", 15), ("d", 17), ("e", 18)]))), "");
    }

    #[test]
    fn what_is_reported_counts_as_known() {
        let mut relist = Relist::new(Start::At(8), false);
        assert!(relist.request(&range().0, &range().1).keys_only && relist.is_seeding());
        assert_eq!(relist.request(&range().0, &range().1).revision, 7);
        assert_eq!(told(&relist.page(answer(30, false, &[("a", 2), ("b", 3)]))), "");
        let put = |key, revision| mvccpb::Event { kv: Some(kv(key, revision)), ..Default::default() };
        let delete = |key, revision| mvccpb::Event { r#type: 1, ..put(key, revision) };
        let mut changes = vec![put("c", 7), put("a", 8), delete("b", 9)];
        relist.note(&mut changes);
        assert_eq!(changes.iter().map(modified).collect::<Vec<_>>(), [8, 9]);
        relist.again(Error::closed());
        assert_eq!(told(&relist.page(answer(30, false, &[("b", 10), ("c", 7)]))), "-a@30 +b@10");
    }

    #[test]
    fn pages_grow_and_shrink_with_what_they_bring() {
        let mut relist = Relist::new(Start::Loose, false);
        relist.page(answer(9, true, &[("a", 2)]));
        assert_eq!(relist.request(&range().0, &range().1).limit, 4 * FIRST_PAGE);
        let mut large = answer(9, true, &[("b", 2)]);
        large.kvs[0].value = vec![0; 10 * PAGE_BYTES].into();
        relist.page(large);
        assert!(relist.request(&range().0, &range().1).limit <= 4 * FIRST_PAGE / 10);
    }
}
