//! Members of another cluster, and a store that was set back.

use super::*;

#[test]
fn another_cluster_is_told() {
    let mut bench = Bench::live();
    bench.receive(changes(1, 9, &[5]));
    bench.again();
    let other = pb::ResponseHeader { revision: 9, cluster_id: 8, ..Default::default() };
    bench.receive(pb::WatchResponse { header: Some(other), ..created(1) });
    assert_eq!(bench.told()[1..], ["Disconnected 5".to_owned(), format!("closed {}", code::ERR_CLUSTER_MISMATCH)]);
}

#[test]
fn a_store_that_was_set_back_is_told() {
    let mut bench = Bench::live();
    bench.receive(changes(1, 50, &[50]));
    bench.again();
    bench.done();
    bench.receive(created_at(1, 20));
    assert_eq!(bench.done(), ["verify"]);
    // A member that lags is not a store that was set back.
    bench.engine.verified(Ok(60));
    bench.told();
    bench.again();
    bench.receive(created_at(1, 20));
    bench.engine.verified(Ok(20));
    assert_eq!(bench.told().last().unwrap(), &format!("closed {}", code::ERR_REVISION_REGRESSED));
}

#[test]
fn what_happened_since_the_question_is_no_setback() {
    let mut bench = Bench::live();
    bench.receive(changes(1, 50, &[50]));
    bench.again();
    bench.done();
    bench.receive(created_at(1, 49));
    assert_eq!(bench.done(), ["verify"]);
    bench.receive(changes(1, 61, &[61]));
    bench.engine.verified(Ok(60));
    assert_eq!(bench.told().last().unwrap(), "[61] at 61, then 62");
}

#[test]
fn a_header_without_a_cluster_is_no_other_cluster() {
    let mut bench = Bench::live();
    bench.receive(changes(1, 50, &[50]));
    let nameless = pb::ResponseHeader { revision: 51, ..Default::default() };
    bench.receive(pb::WatchResponse { header: Some(nameless), ..changes(1, 51, &[51]) });
    assert_eq!(bench.told().last().unwrap(), "[51] at 51, then 52");
    let other = pb::ResponseHeader { revision: 52, cluster_id: 8, ..Default::default() };
    bench.receive(pb::WatchResponse { header: Some(other), ..changes(1, 52, &[52]) });
    assert_eq!(bench.told().last().unwrap(), &format!("closed {}", code::ERR_CLUSTER_MISMATCH));
}

#[test]
fn a_start_in_the_future_is_no_store_that_was_set_back() {
    let mut bench = Bench::new(spec(), Start::At(500));
    bench.done();
    bench.receive(created_at(1, 20));
    assert_eq!(bench.done(), [""; 0]);
}
