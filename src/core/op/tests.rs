use super::*;

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn get(key: &'static str) -> Op {
    Op::get(KeyRange::new(bytes(key)))
}

fn argument(result: Result<impl Sized>) -> String {
    let error = result.err().expect("must be refused");
    assert_eq!(error.code, super::super::code::ERR_INVALID_ARGUMENT);
    error.message.split(':').next().unwrap_or_default().to_owned()
}

#[test]
fn options_know_their_place() {
    let mut put = Op::put(bytes("k"), bytes("v"));
    for result in [
        put.set_limit(1),
        put.set_sort(0, 0),
        put.set_keys_only(),
        put.widen("prefix", Extent::Prefix),
        put.widen_compare(Extent::Prefix),
    ] {
        assert_eq!(argument(result), "op");
    }
    let mut get = get("k");
    for result in [get.set_lease(1), get.set_prev_kv(), get.set_ignore_value(), get.then(Op::txn())] {
        assert_eq!(argument(result), "op");
    }
}

#[test]
fn numbers_and_enums_are_checked() {
    let mut op = get("k");
    assert_eq!(argument(op.set_limit(-1)), "limit");
    assert_eq!(argument(op.set_revision(i64::MIN)), "revision");
    assert_eq!(argument(op.set_sort(5, 0)), "target");
    assert_eq!(argument(op.set_sort(0, -1)), "order");
    let mut txn = Op::txn();
    assert_eq!(argument(txn.compare(bytes("k"), 4, Target::Version(1))), "cmp");
    assert_eq!(argument(txn.compare(bytes("k"), 0, Target::ModRevision(-1))), "revision");
    assert_eq!(argument(txn.widen_compare(Extent::Prefix)), "txn");
}

#[test]
fn the_whole_is_checked() {
    assert_eq!(argument(get("").request()), "key");
    let mut put = Op::put(bytes("k"), bytes("v"));
    put.set_ignore_value().unwrap();
    assert_eq!(argument(put.request()), "value");
    let mut txn = Op::txn();
    txn.compare(bytes(""), 0, Target::Version(0)).unwrap();
    assert_eq!(argument(txn.request()), "key");
    let mut txn = Op::txn();
    txn.then(put).unwrap();
    assert_eq!(argument(txn.request()), "value");
}

#[test]
fn nesting_is_bounded() {
    let mut op = Op::txn();
    for _ in 0..MOST_NESTED {
        let mut outer = Op::txn();
        outer.then(op).unwrap();
        op = outer;
    }
    assert!(op.request().is_ok());
    assert_eq!(argument(Op::txn().or_else(op)), "op");
}

#[test]
fn sorting_by_key_is_left_to_the_store() {
    let sorted = |target, order| {
        let mut op = get("k");
        op.set_sort(target, order).unwrap();
        let Ok(Request::Get(get)) = op.request() else { panic!() };
        get.sort_order()
    };
    assert_eq!(sorted(0, 1), SortOrder::None);
    assert_eq!(sorted(0, 2), SortOrder::Descend);
    assert_eq!(sorted(3, 0), SortOrder::Ascend);
    assert_eq!(sorted(3, 2), SortOrder::Descend);
}
