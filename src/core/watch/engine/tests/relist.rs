//! Ranges that are read anew beside the stream.

use super::*;

fn found(revision: i64, more: bool, keys: &[(&'static str, i64)]) -> Result<pb::RangeResponse, Error> {
    let kv = |(key, revision): &(&'static str, i64)| mvccpb::KeyValue {
        key: key.as_bytes().into(),
        mod_revision: *revision,
        ..Default::default()
    };
    Ok(pb::RangeResponse { header: header(revision), more, kvs: keys.iter().map(kv).collect(), ..Default::default() })
}

fn relisting(start: Start) -> Bench {
    Bench::new(Spec { relist: true, ..spec() }, start)
}

#[test]
fn a_relist_watch_begins_with_what_is_there_and_reads_again_after_a_compaction() {
    let mut bench = relisting(Start::Loose);
    let id = bench.source.id;
    assert_eq!(bench.done(), ["read k at 0"]);
    bench.engine.page(id, found(30, true, &[("k", 3)]));
    assert_eq!(bench.done(), ["read k0 at 30"]);
    bench.engine.page(id, found(33, false, &[("kk", 4)]));
    assert_eq!(bench.done(), ["create 1 from 31"]);
    assert_eq!(bench.told(), ["Relisted 30", "found [3] at 30, then 0", "found [4] at 30, then 31"]);
    bench.receive(created(1)).receive(changes(1, 35, &[35])).receive(compacted(1, 70));
    assert_eq!(bench.done(), ["read k at 0"]);
    bench.engine.page(id, found(80, false, &[("k", 35), ("kx", 60)]));
    assert_eq!(bench.told(), ["Live 30", "[35] at 35, then 36", "Relisted 80", "found [80, 60] at 80, then 81"]);
    assert_eq!((bench.done(), bench.engine.relists), (vec!["create 2 from 81".to_owned()], 2));
    bench.receive(created(2));
    assert_eq!(bench.told(), ["Resumed 80"]);
}

#[test]
fn a_relist_watch_with_a_start_knows_what_was_there_before() {
    let mut bench = relisting(Start::At(8));
    let id = bench.source.id;
    assert_eq!(bench.done(), ["read keys k at 7"]);
    bench.engine.page(id, found(50, false, &[("k", 3)]));
    assert_eq!((bench.done(), bench.told()), (vec!["create 1 from 8".to_owned()], vec![]));
    bench.receive(created(1)).receive(compacted(1, 70));
    bench.engine.page(id, found(80, false, &[]));
    assert_eq!(bench.told(), ["Live 7", "Relisted 80", "found [80] at 80, then 81"]);
}

#[test]
fn a_relist_watch_from_the_beginning_reads_nothing() {
    assert_eq!(relisting(Start::At(1)).done(), ["create 1 from 1"]);
}

#[test]
fn a_relist_watch_whose_start_is_gone_ends() {
    let mut bench = relisting(Start::At(8));
    bench.engine.page(bench.source.id, Err(Error::new(code::ERR_COMPACTED, "")));
    assert_eq!(bench.told(), [format!("closed {}", code::ERR_COMPACTED)]);
}

#[test]
fn a_relist_watch_from_the_future_learns_what_comes_before() {
    let mut bench = relisting(Start::At(60));
    let id = bench.source.id;
    bench.engine.page(id, Err(Error::new(code::ERR_FUTURE_REVISION, "")));
    assert_eq!(bench.done(), ["read keys k at 59", "read keys k at 0"]);
    bench.engine.page(id, found(50, false, &[("k", 3)]));
    assert_eq!(bench.done(), ["create 1 from 51"]);
    bench.receive(created(1)).receive(changes(1, 59, &[55, 59])).receive(changes(1, 60, &[60]));
    assert_eq!(bench.told(), ["Live 50", "[60] at 60, then 61"]);
}

#[test]
fn a_future_that_comes_while_the_range_is_read_is_not_missed() {
    let mut bench = relisting(Start::At(60));
    let id = bench.source.id;
    bench.engine.page(id, Err(Error::new(code::ERR_FUTURE_REVISION, "")));
    bench.engine.page(id, found(61, false, &[("k", 60)]));
    assert_eq!(bench.done(), ["read keys k at 59", "read keys k at 0", "read keys k at 59"]);
    bench.engine.page(id, found(61, false, &[]));
    assert_eq!(bench.done(), ["create 1 from 60"]);
}

#[test]
fn a_compaction_between_two_pages_begins_the_reading_anew() {
    let mut bench = relisting(Start::Loose);
    let id = bench.source.id;
    bench.engine.page(id, found(30, true, &[("k", 3)]));
    bench.engine.page(id, Err(Error::new(code::ERR_COMPACTED, "")));
    assert_eq!(bench.done(), ["read k at 0", "read k0 at 30", "read k at 0"]);
    bench.engine.page(id, found(40, false, &[("k", 3), ("kk", 35)]));
    assert_eq!(bench.told(), ["Relisted 30", "found [3] at 30, then 0", "Relisted 40", "found [35] at 40, then 41"]);
}

#[test]
fn a_reading_waits_for_a_caller_who_does_not_keep_up() {
    let mut bench = relisting(Start::Loose);
    let id = bench.source.id;
    let mut page = found(30, true, &[("k", 3)]);
    page.as_mut().unwrap().kvs[0].value = vec![0; 9000].into();
    bench.engine.page(id, page);
    assert_eq!(bench.done(), ["read k at 0"]);
    bench.told();
    assert_eq!(bench.drained.load(Ordering::Relaxed), 1);
    bench.engine.drained(id);
    assert_eq!(bench.done(), ["read k0 at 30"]);
}

#[test]
fn filters_of_a_relist_watch_do_not_hide_from_it_what_changed() {
    let filters = super::super::super::one::Filters { no_put: true, no_delete: false };
    let mut bench = Bench::new(Spec { relist: true, filters, ..spec() }, Start::At(1));
    bench.receive(created(1)).receive(changes(1, 5, &[5])).receive(compacted(1, 70));
    bench.engine.page(bench.source.id, found(80, false, &[]));
    assert_eq!(bench.told(), ["Live 0", "Relisted 80", "found [80] at 80, then 81"]);
}

fn mirroring(start: Start) -> Bench {
    Bench::new(Spec { relist: true, mirror: true, ..spec() }, start)
}

#[test]
fn a_mirror_tells_everything_and_then_what_changes() {
    let mut bench = mirroring(Start::Loose);
    let id = bench.source.id;
    bench.engine.page(id, found(30, true, &[("k", 3)]));
    bench.engine.page(id, found(33, false, &[("kk", 4)]));
    assert_eq!(bench.done(), ["read k at 0", "read k0 at 30", "create 1 from 31"]);
    assert_eq!(bench.told(), ["Copying 30", "found [3] at 30, then 0", "found [4] at 30, then 31", "Copied 30"]);
    bench.receive(created(1)).receive(changes(1, 35, &[31, 35]));
    assert_eq!(bench.told(), ["Live 30", "[31, 35] at 35, then 36"]);
    bench.again();
    assert_eq!(bench.done(), ["create 1 from 36"]);
}

#[test]
fn a_mirror_begins_from_scratch_after_a_compaction() {
    let mut bench = mirroring(Start::Loose);
    let id = bench.source.id;
    bench.engine.page(id, found(30, true, &[("k", 3)]));
    bench.engine.page(id, Err(Error::new(code::ERR_COMPACTED, "")));
    bench.engine.page(id, found(40, false, &[("k", 3), ("kk", 35)]));
    assert_eq!(bench.told()[2..], ["Copying 40", "found [3, 35] at 40, then 41", "Copied 40"]);
    bench.receive(created(1)).receive(compacted(1, 70));
    assert_eq!(bench.told(), ["Live 40"]);
    bench.engine.page(id, found(80, false, &[("k", 3)]));
    let events: Vec<_> = bench.queue.take().into_iter().map(|event| event.body).collect();
    let [Body::State { error: Some(why), .. }, Body::Watch { changes, .. }, Body::State { error: None, .. }] =
        &events[..]
    else {
        panic!("{} events", events.len())
    };
    assert_eq!((why.code, why.compact_revision, changes.len()), (code::ERR_COMPACTED, 70, 1));
}

#[test]
fn a_page_of_another_cluster_ends_a_watch() {
    let mut bench = mirroring(Start::Loose);
    let id = bench.source.id;
    bench.engine.page(id, found(30, true, &[("k", 3)]));
    let mut page = found(30, false, &[("kk", 4)]);
    page.as_mut().unwrap().header.as_mut().unwrap().cluster_id = 8;
    bench.engine.page(id, page);
    let closed = format!("closed {}", code::ERR_CLUSTER_MISMATCH);
    assert_eq!(bench.told(), ["Copying 30", "found [3] at 30, then 0", &closed]);
}

#[test]
fn a_store_that_was_set_back_between_two_pages_ends_a_watch() {
    let mut bench = mirroring(Start::Loose);
    let id = bench.source.id;
    bench.engine.page(id, found(30, true, &[("k", 3)]));
    bench.engine.page(id, Err(Error::new(code::ERR_FUTURE_REVISION, "")));
    assert_eq!(bench.told()[2..], [format!("closed {}", code::ERR_REVISION_REGRESSED)]);
}

#[test]
fn a_mirror_of_nothing_has_begun_too() {
    let mut bench = mirroring(Start::Loose);
    bench.engine.page(bench.source.id, found(30, false, &[]));
    assert_eq!(bench.told(), ["Copying 30", "Copied 30"]);
    assert_eq!(bench.source.load.resume(), 31);
}

#[test]
fn while_a_mirror_is_not_whole_nothing_goes_on_after_it() {
    let mut bench = mirroring(Start::At(8));
    let id = bench.source.id;
    assert_eq!(bench.done(), ["create 1 from 8"]);
    bench.receive(created(1)).receive(changes(1, 9, &[9]));
    assert_eq!((bench.told().len(), bench.source.load.resume()), (2, 10));
    bench.receive(compacted(1, 70));
    bench.engine.page(id, found(80, true, &[("k", 60)]));
    assert_eq!((bench.told().len(), bench.source.load.resume()), (2, 0));
    bench.engine.page(id, found(80, false, &[]));
    assert_eq!((bench.told(), bench.source.load.resume()), (vec!["Copied 80".to_owned()], 81));
}
