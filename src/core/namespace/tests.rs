use super::*;
use pb::request_op::Request as Ask;

fn of(prefix: &'static [u8]) -> Namespace {
    Namespace::default().within(&prefix.into()).unwrap()
}

fn kv(key: &'static [u8]) -> mvccpb::KeyValue {
    mvccpb::KeyValue { key: key.into(), value: "v".into(), ..Default::default() }
}

fn placed(prefix: &'static [u8], key: &'static [u8], end: &'static [u8]) -> (Bytes, Bytes) {
    let (mut key, mut end) = (key.into(), end.into());
    of(prefix).place(&mut key, &mut end);
    (key, end)
}

#[test]
fn ranges_end_with_the_namespace() {
    type Case = (&'static [u8], (&'static [u8], &'static [u8]), (&'static [u8], &'static [u8]));
    let cases: &[Case] = &[
        (b"a/", (b"k", b""), (b"a/k", b"")),
        (b"a/", (b"k", b"m"), (b"a/k", b"a/m")),
        (b"a/", (b"k", b"\0"), (b"a/k", b"a0")),
        (b"a/", (b"\0", b"\0"), (b"a/\0", b"a0")),
        // Not "b\0": the end is cut off after the byte that is counted up (§9.2).
        (b"a\xff", (b"k", b"\0"), (b"a\xffk", b"b")),
        (b"a\xff\xff", (b"k", b"\0"), (b"a\xff\xffk", b"b")),
        (b"\xff\xff", (b"k", b"\0"), (b"\xff\xffk", b"\0")),
        (b"\xff\xff", (b"k", b"l"), (b"\xff\xffk", b"\xff\xffl")),
        (b"\0", (b"\0", b"\0"), (b"\0\0", b"\x01")),
        (b"a\0b", (b"k", b"\0"), (b"a\0bk", b"a\0c")),
        (b"a", (b"k", b"\0\0"), (b"ak", b"a\0\0")),
    ];
    for (prefix, (key, end), (key_there, end_there)) in cases {
        let (key, end) = placed(prefix, key, end);
        assert_eq!((&key[..], &end[..]), (*key_there, *end_there), "{prefix:?}");
    }
}

#[test]
fn the_whole_store_stays_as_it_is() {
    let (mut key, mut end) = (Bytes::from("k"), Bytes::from("\0"));
    let whole = Namespace::default();
    whole.place(&mut key, &mut end);
    assert_eq!((&key[..], &end[..]), (&b"k"[..], &b"\0"[..]));
    let mut kvs = [kv(b"k"), kv(b"")];
    whole.strip_kvs(&mut kvs).unwrap();
    assert_eq!(kvs, [kv(b"k"), kv(b"")]);
    assert_eq!(whole.strip_keys(vec!["".into(), "k".into()]).len(), 2);
    assert_eq!(whole.within(&Bytes::new()).unwrap_err().code, code::ERR_INVALID_ARGUMENT);
}

#[test]
fn namespaces_nest() {
    let inner = of(b"a/").within(&"b\u{0}".into()).unwrap();
    assert_eq!(inner, of(b"a/b\0"));
    assert_eq!(inner.key(&"k".into()), "a/b\0k");
    assert!(inner.within(&Bytes::new()).is_err());
    let edge = of(b"\xff").within(&Bytes::from_static(b"\xff")).unwrap();
    let (mut key, mut end) = (Bytes::from("k"), Bytes::from("\0"));
    edge.place(&mut key, &mut end);
    assert_eq!((&key[..], &end[..]), (&b"\xff\xffk"[..], &b"\0"[..]));
}

/// A transaction that has each kind of operation in both branches, and `depth` more within.
fn txn(ns: &'static str, end: &'static str, depth: usize) -> pb::TxnRequest {
    let key = |name: &str| Bytes::from(format!("{ns}{name}"));
    let ops = || {
        let mut ops = vec![
            Ask::RequestRange(pb::RangeRequest {
                key: key("g"),
                range_end: end.into(),
                limit: 3,
                ..Default::default()
            }),
            Ask::RequestPut(pb::PutRequest { key: key("p"), value: "v".into(), ..Default::default() }),
            Ask::RequestDeleteRange(pb::DeleteRangeRequest { key: key("d"), range_end: key("e"), prev_kv: true }),
        ];
        if depth > 0 {
            ops.push(Ask::RequestTxn(txn(ns, end, depth - 1)));
        }
        ops.into_iter().map(|op| pb::RequestOp { request: Some(op) }).collect()
    };
    let compare = |range_end| pb::Compare { key: key("c"), range_end, result: 1, ..Default::default() };
    let compare = vec![compare("".into()), compare(end.into()), compare(key("d"))];
    pb::TxnRequest { compare, success: ops(), failure: ops() }
}

#[test]
fn transactions_are_placed_all_the_way_down() {
    assert_eq!(*of(b"n/").txn(&txn("", "\0", 2)), txn("n/", "n0", 2));
    assert_eq!(*Namespace::default().txn(&txn("", "\0", 2)), txn("", "\0", 2));
    let range = pb::RangeRequest { key: "k".into(), range_end: "\0".into(), limit: 7, ..Default::default() };
    let there = pb::RangeRequest { key: "n/k".into(), range_end: "n0".into(), ..range.clone() };
    assert_eq!(*of(b"n/").range(&range), there);
}

/// An answer to such a transaction, whose last key, of a deleted one, is another.
fn answer(last: &'static [u8], prefix: &str) -> Response {
    let inside = |name: &str| mvccpb::KeyValue {
        key: format!("{prefix}{name}").into(),
        value: "v".into(),
        ..Default::default()
    };
    let inner = Response::Txn {
        header: None,
        succeeded: true,
        responses: vec![
            Response::Put(pb::PutResponse { prev_kv: Some(inside("p")), ..Default::default() }),
            Response::Put(pb::PutResponse::default()),
            Response::Delete(pb::DeleteRangeResponse { prev_kvs: vec![inside("d"), kv(last)], ..Default::default() }),
        ],
    };
    let get = pb::RangeResponse { kvs: vec![inside("g"), inside("h")], count: 2, ..Default::default() };
    Response::Txn { header: None, succeeded: true, responses: vec![Response::Get(get), inner] }
}

#[test]
fn answers_are_stripped_all_the_way_down() {
    let mut response = answer(b"n/e", "n/");
    of(b"n/").strip(&mut response).unwrap();
    assert_eq!(response, answer(b"e", ""));
}

#[test]
fn keys_of_outside_are_never_cut() {
    for foreign in [&b"n/"[..], b"n", b"", b"m/k", b"n0", b"\xff", b"n\x00k"] {
        let mut response = answer(foreign, "n/");
        let error = of(b"n/").strip(&mut response).unwrap_err();
        assert_eq!(error.code, code::ERR_PROTOCOL);
        assert!(error.message.contains("outside of the namespace b\"n/\""), "{}", error.message);
    }
    let mut changes = [mvccpb::Event { kv: Some(kv(b"n/k")), prev_kv: Some(kv(b"n/k")), ..Default::default() }];
    of(b"n/").strip_changes(&mut changes).unwrap();
    assert_eq!((changes[0].kv.clone(), changes[0].prev_kv.clone()), (Some(kv(b"k")), Some(kv(b"k"))));
    changes[0].prev_kv = Some(kv(b"m"));
    changes[0].kv = Some(kv(b"n/k"));
    assert!(of(b"n/").strip_changes(&mut changes).is_err());
}

#[test]
fn a_lease_has_keys_of_others_too() {
    let keys = ["n/", "m", "n/a", "n0", "n/b"].map(Bytes::from).to_vec();
    assert_eq!(of(b"n/").strip_keys(keys), ["a", "b"]);
}
