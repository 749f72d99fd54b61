//! Each rule has a history that it passes and one that it fails.

use super::*;
use crate::library::Fault;
use std::collections::BTreeSet;

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn fault(maybe_applied: bool) -> Fault {
    Fault {
        code: 9,
        name: "ETCD3_ERR_AMBIGUOUS".into(),
        message: String::new(),
        endpoint: String::new(),
        grpc_status: -1,
        maybe_applied,
        retryable: false,
    }
}

/// A call from `called` to `returned`, in milliseconds.
fn record(called: u64, returned: u64, action: Action, outcome: Outcome) -> Record {
    Record {
        id: 0,
        caller: "a".into(),
        called: at(called),
        returned: Some(at(returned)),
        limit: at(5000),
        action,
        outcome,
    }
}

fn done(revision: i64) -> Outcome {
    Outcome::Done { revision, member: 1, held: None, applied: true }
}

fn not(revision: i64) -> Outcome {
    Outcome::Done { revision, member: 1, held: None, applied: false }
}

fn read(revision: i64, held: Option<Held>) -> Outcome {
    Outcome::Done { revision, member: 1, held, applied: true }
}

fn ambiguous() -> Outcome {
    Outcome::Ambiguous(fault(true))
}

fn put(value: &str) -> Action {
    Action::Put { key: "k".into(), value: value.into() }
}

fn put_if(revision: i64, value: &str) -> Action {
    Action::PutIf { key: "k".into(), revision, value: value.into() }
}

fn get(serializable: bool) -> Action {
    Action::Get { key: "k".into(), serializable }
}

fn delete() -> Action {
    Action::Delete { key: "k".into() }
}

fn held(value: &str, create_revision: i64, mod_revision: i64, version: i64) -> Option<Held> {
    Some(Held { value: value.into(), create_revision, mod_revision, version })
}

fn event(revision: i64, held: Option<Held>) -> Event {
    Event { revision, key: "k".into(), held }
}

/// Puts of these values from revision 2 on.
fn puts(values: &[&str]) -> Vec<Event> {
    let put = |(i, value): (usize, &&str)| event(i as i64 + 2, held(value, 2, i as i64 + 2, i as i64 + 1));
    values.iter().enumerate().map(put).collect()
}

fn rules(records: &[Record], events: &[Event]) -> BTreeSet<String> {
    check(records, events).iter().map(|violation| format!("{:?}", violation.rule)).collect()
}

#[track_caller]
fn passes(records: &[Record], events: &[Event]) {
    let violations = check(records, events);
    assert!(violations.is_empty(), "{violations:?}");
}

#[track_caller]
fn fails(rule: Rule, records: &[Record], events: &[Event]) {
    let violations = check(records, events);
    assert!(violations.iter().any(|violation| violation.rule == rule), "not {rule:?}: {violations:?}");
}

#[test]
fn a_sound_history_passes() {
    let records = [
        record(0, 10, put("1"), done(2)),
        record(11, 20, get(false), read(2, held("1", 2, 2, 1))),
        record(21, 30, put_if(2, "2"), done(3)),
        record(31, 40, put_if(2, "3"), not(3)),
        record(41, 50, delete(), done(4)),
        record(51, 60, delete(), not(4)),
        record(61, 70, get(false), read(4, None)),
        record(71, 80, put("4"), ambiguous()),
        record(81, 90, put("5"), ambiguous()),
        record(91, 99, put("6"), Outcome::Failed(fault(false))),
    ];
    let mut events = puts(&["1", "2"]);
    events.push(event(4, None));
    events.push(event(5, held("4", 5, 5, 1)));
    passes(&records, &events);
}

#[test]
fn a_gap_in_h_is_found() {
    let records = [record(0, 10, put("1"), done(2)), record(11, 20, put("2"), done(3))];
    passes(&records, &puts(&["1", "2"]));
    fails(Rule::Complete, &records, &puts(&["1", "2"])[1..]);
    fails(Rule::Complete, &records, &puts(&["1", "2"])[..1]);
}

#[test]
fn an_acknowledged_write_is_there_once() {
    let records = [record(0, 10, put("1"), done(2))];
    passes(&records, &puts(&["1"]));
    fails(Rule::Once, &records, &puts(&["1", "1"]));
    fails(Rule::Once, &records, &[event(2, None)]);
    fails(Rule::Once, &[record(0, 10, put("1"), done(3))], &puts(&["1"]));
    let elsewhere = Event { key: "other".into(), ..puts(&["1"]).remove(0) };
    fails(Rule::Once, &records, &[elsewhere]);
}

#[test]
fn what_nobody_put_is_found() {
    passes(&[], &[]);
    fails(Rule::Once, &[], &puts(&["1"]));
    let probe = Event { key: format!("{PROBES}x"), ..puts(&["1"]).remove(0) };
    passes(&[], &[probe]);
}

#[test]
fn a_guard_holds() {
    let first = record(0, 10, put("1"), done(2));
    passes(&[first.clone(), record(11, 20, put_if(2, "2"), done(3))], &puts(&["1", "2"]));
    fails(Rule::Once, &[first.clone(), record(11, 20, put_if(0, "2"), done(3))], &puts(&["1", "2"]));
    passes(&[first.clone(), record(11, 20, put_if(2, "2"), ambiguous())], &puts(&["1", "2"]));
    fails(Rule::Once, &[first.clone(), record(11, 20, put_if(0, "2"), ambiguous())], &puts(&["1", "2"]));
    passes(&[first.clone(), record(11, 20, put_if(0, "2"), not(2))], &puts(&["1"]));
    fails(Rule::Read, &[first.clone(), record(11, 20, put_if(2, "2"), not(2))], &puts(&["1"]));
    fails(Rule::Honest, &[first, record(11, 20, put_if(0, "2"), not(3))], &puts(&["1", "2"]));
}

#[test]
fn an_ambiguous_write_is_there_at_most_once_and_not_early() {
    let records = [record(0, 10, put("1"), ambiguous()), record(11, 20, put("2"), done(2))];
    passes(&records, &puts(&["2"]));
    // It may land later than what came after it.
    passes(&records, &puts(&["2", "1"]));
    fails(Rule::Honest, &records, &puts(&["2", "1", "1"]));
    let late = [record(0, 10, put("2"), done(3)), record(11, 20, put("1"), ambiguous())];
    fails(Rule::Honest, &late, &puts(&["1", "2"]));
    let pending = Record { returned: None, ..record(0, 0, put("1"), Outcome::Pending) };
    passes(std::slice::from_ref(&pending), &puts(&["1"]));
    fails(Rule::Honest, &[pending], &puts(&["1", "1"]));
}

#[test]
fn a_failed_write_is_not_there() {
    let records = [record(0, 10, put("1"), Outcome::Failed(fault(false)))];
    passes(&records, &[]);
    fails(Rule::Honest, &records, &puts(&["1"]));
}

#[test]
fn a_read_sees_what_h_has() {
    let first = record(0, 10, put("1"), done(2));
    let second = record(11, 20, put("2"), done(3));
    let events = puts(&["1", "2"]);
    let reading = |outcome| [first.clone(), second.clone(), record(21, 30, get(false), outcome)];
    passes(&reading(read(3, held("2", 2, 3, 2))), &events);
    fails(Rule::Read, &reading(read(3, held("1", 2, 2, 1))), &events);
    fails(Rule::Read, &reading(read(3, held("2", 2, 3, 1))), &events);
    fails(Rule::Read, &reading(read(3, None)), &events);
}

#[test]
fn a_linearizable_read_is_not_stale() {
    let writes = [record(0, 10, put("1"), done(2)), record(11, 20, put("2"), done(3))];
    let events = puts(&["1", "2"]);
    let old = read(2, held("1", 2, 2, 1));
    let with = |read: Record| [writes[0].clone(), writes[1].clone(), read];
    passes(&with(record(21, 30, get(true), old.clone())), &events);
    passes(&with(record(19, 30, get(false), old.clone())), &events);
    fails(Rule::Read, &with(record(21, 30, get(false), old)), &events);
}

#[test]
fn revisions_follow_time() {
    let events = puts(&["1", "2"]);
    let second = |called, returned| record(called, returned, put("2"), done(3));
    passes(&[second(0, 20), record(19, 30, put("1"), done(2))], &events);
    fails(Rule::Order, &[second(0, 20), record(21, 30, put("1"), done(2))], &events);
}

#[test]
fn deletes_are_accounted_for() {
    let first = record(0, 10, put("1"), done(2));
    let mut events = puts(&["1"]);
    events.push(event(3, None));
    passes(&[first.clone(), record(11, 20, delete(), done(3))], &events);
    passes(&[first.clone(), record(11, 20, delete(), ambiguous())], &events);
    fails(Rule::Honest, &[first.clone(), record(11, 20, delete(), Outcome::Failed(fault(false)))], &events);
    fails(Rule::Once, &[first.clone(), record(11, 20, delete(), done(3))], &puts(&["1"]));
    fails(Rule::Read, &[first.clone(), record(11, 20, delete(), not(2))], &puts(&["1"]));
    let twice = [first, record(11, 20, delete(), done(3)), record(11, 20, delete(), done(3))];
    assert!(rules(&twice, &events).contains("Once"));
}

fn log(batches: &[(i64, &[Event])]) -> WatchLog {
    let batch = |(revision, changes): &(i64, &[Event])| Batch {
        revision: *revision,
        changes: changes.to_vec(),
        before: vec![None; changes.len()],
        synthetic: false,
    };
    WatchLog { start: 2, lives: 1, batches: batches.iter().map(batch).collect(), ..WatchLog::default() }
}

#[test]
fn a_watch_delivers_all_of_h_once_and_in_order() {
    let h = puts(&["1", "2", "3"]);
    let watch = |batches: &[(i64, &[Event])]| check_watch(&log(batches), &h).len();
    assert_eq!(watch(&[(3, &h[..2]), (4, &h[2..])]), 0);
    assert_eq!(check_watch(&WatchLog { start: 3, ..log(&[(4, &h[1..])]) }, &h).len(), 0);
    assert_eq!(check_watch(&WatchLog { prefix: "other".into(), ..log(&[]) }, &h).len(), 0);
    // Lost at the end, lost in between, twice, and in the wrong order.
    assert_ne!(watch(&[(3, &h[..2])]), 0);
    assert_ne!(watch(&[(2, &h[..1]), (4, &h[2..])]), 0);
    assert_ne!(watch(&[(3, &h[..2]), (4, &h[1..])]), 0);
    assert_ne!(watch(&[(4, &h[2..]), (4, &h[..2])]), 0);
    // An event older than its change.
    assert_ne!(watch(&[(3, &h)]), 0);
}

#[test]
fn a_revision_is_not_split() {
    let mut h = puts(&["1"]);
    h.push(Event { key: "k2".into(), ..h[0].clone() });
    assert_eq!(check_watch(&log(&[(2, &h)]), &h).len(), 0);
    assert_ne!(check_watch(&log(&[(2, &h[..1]), (2, &h[1..])]), &h).len(), 0);
}

#[test]
fn a_watch_goes_live_once_and_stays() {
    let live = |lives, closed: &[&str]| {
        let closed = closed.iter().map(|why| why.to_string()).collect();
        check_watch(&WatchLog { lives, closed, ..log(&[]) }, &[]).len()
    };
    assert_eq!(live(1, &[]), 0);
    assert_ne!(live(0, &[]), 0);
    assert_ne!(live(2, &[]), 0);
    assert_ne!(live(1, &["lost"]), 0);
}

#[test]
fn a_compacted_watch_ends_once_and_only_if_it_has_to() {
    let h = puts(&["1", "2", "3", "4"]);
    let ended = |batches: &[(i64, &[Event])], compacted: &[i64]| {
        let closed = compacted.iter().map(|_| "compacted".into()).collect();
        let log = WatchLog { closed, compacted: compacted.to_vec(), ..log(batches) };
        check_compacted(&log, &h, 4).len()
    };
    assert_eq!(ended(&[(5, &h)], &[]), 0);
    assert_eq!(ended(&[(2, &h[..1])], &[4]), 0);
    // A gap; with the wrong revision; twice; and where history still had the rest.
    assert_ne!(ended(&[(2, &h[..1]), (5, &h[2..])], &[]), 0);
    assert_ne!(ended(&[(2, &h[..1])], &[5]), 0);
    assert_ne!(ended(&[(2, &h[..1])], &[4, 4]), 0);
    assert_ne!(ended(&[(3, &h[..2])], &[4]), 0);
    // What it had said before was not all.
    assert_ne!(ended(&[(3, &h[1..2])], &[4]), 0);
}

#[test]
fn a_watch_that_lists_anew_ends_as_the_store() {
    let mut h = puts(&["1", "2", "3"]);
    h.push(Event { key: "gone".into(), ..event(5, held("4", 5, 5, 1)) });
    h.push(Event { key: "gone".into(), ..event(6, None) });
    let relisted = |batches: &[(i64, &[Event])]| {
        let mut log = log(batches);
        log.batches.iter_mut().skip(1).for_each(|batch| batch.synthetic = true);
        check_relisted(&log, &h).len()
    };
    assert_eq!(relisted(&[(2, &h[..1]), (6, &h[2..3])]), 0);
    assert_eq!(relisted(&[(2, &h[3..4]), (6, &h[2..3]), (6, &h[4..])]), 0);
    // One thing missed, another never gone, and time that runs back.
    assert_ne!(relisted(&[(2, &h[..1])]), 0);
    assert_ne!(relisted(&[(5, &h[2..4])]), 0);
    assert_ne!(check_relisted(&log(&[(4, &h[2..3]), (4, &h[2..3])]), &h[..3]).len(), 0);
}

#[test]
fn what_was_there_before_is_what_h_says() {
    let h = puts(&["1", "2"]);
    let mut told = log(&[(2, &h[..1]), (3, &h[1..])]);
    told.batches[1].before = vec![h[0].held.clone()];
    assert_eq!(check_before(&told, &h).len(), 0);
    told.batches[1].before = vec![None];
    assert_ne!(check_before(&told, &h).len(), 0);
    told.batches[1].before = vec![h[1].held.clone()];
    assert_ne!(check_before(&told, &h).len(), 0);
    assert_ne!(check_before(&told, &h[..1]).len(), 0);
}

#[test]
fn porcupine_finds_what_has_no_order() {
    let value = |revision, value: &str| read(revision, held(value, 2, revision, 1));
    let sound = [
        record(0, 10, put("1"), done(2)),
        record(11, 20, get(false), value(2, "1")),
        record(21, 30, put_if(2, "2"), done(3)),
        record(31, 40, put_if(2, "3"), not(3)),
        record(41, 50, put("4"), ambiguous()),
        record(51, 60, put("5"), ambiguous()),
        record(61, 70, delete(), ambiguous()),
        record(71, 80, get(false), value(4, "4")),
    ];
    let events = puts(&["1", "2", "4"]);
    let mut stale = sound.to_vec();
    stale.push(record(81, 90, get(false), value(4, "2")));
    match second_opinion(&sound, &events) {
        Opinion::None(why) => return eprintln!("not tested: {why}"),
        opinion => assert_eq!(opinion, Opinion::Sound(6)),
    }
    let opinion = second_opinion(&stale, &events);
    assert!(matches!(opinion, Opinion::Unsound(_)), "{opinion:?}");
}
