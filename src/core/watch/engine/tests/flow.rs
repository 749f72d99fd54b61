//! Responses in parts, large ones, and callers who do not keep up.

use super::*;

#[test]
fn fragments_are_delivered_whole_or_not() {
    let mut bench = Bench::live();
    bench.receive(part(1, 9, &[5]));
    bench.again();
    assert_eq!(bench.done(), ["create 1 from 5"]);
    bench.receive(created(1)).receive(part(1, 9, &[5, 6])).receive(part(1, 9, &[6])).receive(changes(1, 9, &[6]));
    assert_eq!(bench.told(), ["Disconnected 4", "Resumed 4", "[5, 6, 6, 6] at 9, then 7"]);
}

#[test]
fn too_large_a_response_is_delivered_by_whole_revisions() {
    let most = 2 * crate::core::load::weight(&change(5)) + 10;
    let mut bench = Bench::new(Spec { max_response: most, ..spec() }, Start::At(5));
    bench.receive(created(1)).receive(part(1, 9, &[5, 6])).receive(part(1, 9, &[6]));
    assert_eq!(bench.told(), ["Live 4", "[5] at 9, then 6"]);
    // What was delivered is not asked for again, the rest is.
    bench.done();
    bench.again();
    assert_eq!(bench.done(), ["create 1 from 6"]);
    bench.receive(created(1)).receive(part(1, 9, &[6, 6])).receive(part(1, 9, &[6]));
    assert_eq!(
        bench.told(),
        ["Disconnected 5".to_owned(), "Resumed 5".to_owned(), format!("closed {}", code::ERR_RESPONSE_TOO_LARGE)]
    );
    assert_eq!(bench.done(), ["cancel 1"]);
}

#[test]
fn who_does_not_keep_up_is_parked_and_goes_on() {
    let mut bench = Bench::live();
    bench.receive(large(1, 5)).receive(large(1, 6)).receive(large(1, 7));
    assert_eq!(bench.done(), ["cancel 1"]);
    assert_eq!((bench.engine.parks, bench.drained.load(Ordering::Relaxed)), (1, 0));
    // A stream lost meanwhile is nothing to it.
    bench.again();
    assert_eq!(bench.done(), [""; 0]);
    assert_eq!(bench.told(), ["[5] at 5, then 6", "Parked 5"]);
    assert_eq!(bench.drained.load(Ordering::Relaxed), 1);
    bench.engine.drained(bench.source.id);
    assert_eq!(bench.done(), ["create 1 from 6"]);
    bench.receive(created(1)).receive(large(1, 6));
    assert_eq!(bench.told(), ["Resumed 5", "[6] at 6, then 7"]);
}

#[test]
fn a_response_in_parts_counts_as_it_comes() {
    let mut bench = Bench::live();
    bench.receive(large(1, 5));
    bench.receive(pb::WatchResponse { fragment: true, ..large(1, 6) });
    assert_eq!(bench.done(), ["cancel 1"]);
    assert_eq!(bench.told(), ["[5] at 5, then 6", "Parked 5"]);
}

#[test]
fn who_does_not_keep_up_may_choose_the_end() {
    let mut bench = Bench::new(Spec { fail_when_full: true, ..spec() }, Start::At(5));
    bench.receive(created(1)).receive(large(1, 5)).receive(large(1, 6));
    assert_eq!(bench.told()[1..], ["[5] at 5, then 6".to_owned(), format!("closed {}", code::ERR_SLOW_CONSUMER)]);
    assert_eq!(bench.source.load.resume(), 6);
    assert_eq!(bench.done()[1..], ["cancel 1"]);
}
