use super::super::super::event::Event;
use super::super::super::queue::Queue;
use super::super::super::source::tests::mute;
use super::*;

struct Bench {
    engine: Engine,
    queue: Arc<Queue>,
    source: Arc<Source>,
}

/// An engine with one watch from revision 5 on, on a stream.
fn bench(progress_notify: bool) -> Bench {
    let (queue, source) = mute();
    let mut engine = Engine::default();
    let spec = Spec { key: "k".into(), range_end: Bytes::new(), prev_kv: false, filters: Vec::new(), progress_notify };
    assert!(engine.add(spec, 5, source.clone()).is_none());
    assert_eq!(starts(engine.attach()), [(1, 5)]);
    Bench { engine, queue, source }
}

fn starts(requests: Vec<pb::WatchRequest>) -> Vec<(i64, i64)> {
    let start = |request: pb::WatchRequest| match request.request_union {
        Some(RequestUnion::CreateRequest(create)) => (create.watch_id, create.start_revision),
        other => panic!("{other:?}"),
    };
    requests.into_iter().map(start).collect()
}

fn cancelled(next: impl Into<Option<pb::WatchRequest>>) -> Option<i64> {
    match next.into()?.request_union {
        Some(RequestUnion::CancelRequest(cancel)) => Some(cancel.watch_id),
        other => panic!("{other:?}"),
    }
}

impl From<Next> for Option<pb::WatchRequest> {
    fn from(next: Next) -> Self {
        match next {
            Next::Nothing => None,
            Next::Send(request) => Some(request),
            Next::Refused(..) => panic!("{next:?}"),
        }
    }
}

fn created(watch_id: i64) -> pb::WatchResponse {
    pb::WatchResponse { watch_id, created: true, ..Default::default() }
}

fn changes(watch_id: i64, header: i64, revisions: &[i64]) -> pb::WatchResponse {
    let event = |revision: &i64| mvccpb::Event {
        kv: Some(mvccpb::KeyValue { mod_revision: *revision, ..Default::default() }),
        ..Default::default()
    };
    pb::WatchResponse {
        header: Some(pb::ResponseHeader { revision: header, ..Default::default() }),
        watch_id,
        events: revisions.iter().map(event).collect(),
        ..Default::default()
    }
}

fn told(queue: &Queue) -> Vec<String> {
    let tell = |event: Event| match event.body {
        Body::Watch { revision, changes } => {
            let revisions: Vec<_> = changes.iter().map(|change| change.kv.as_ref().unwrap().mod_revision).collect();
            format!("{revisions:?} at {revision}")
        }
        Body::Progress { revision } => format!("progress {revision}"),
        Body::State { state, revision, .. } => format!("{state:?} {revision}"),
        Body::Done { .. } => "done".into(),
        Body::Notice { text, .. } => text,
        Body::Data { done, .. } => format!("data to {done}"),
        Body::Closed { error } => format!("closed {}", error.map_or(0, |error| error.code)),
    };
    queue.take().into_iter().map(tell).collect()
}

#[test]
fn the_bookmark_comes_from_the_last_event() {
    let mut bench = bench(false);
    bench.engine.receive(created(1));
    bench.engine.receive(changes(1, 900, &[5, 6, 6]));
    assert_eq!(told(&bench.queue), ["Live 4", "[5, 6, 6] at 900"]);
    bench.engine.detach(&Error::closed());
    assert_eq!(starts(bench.engine.attach()), [(1, 7)]);
    bench.engine.receive(created(1));
    bench.engine.receive(changes(1, 900, &[6, 7]));
    bench.engine.receive(changes(1, 900, &[7]));
    assert_eq!(told(&bench.queue), ["Disconnected 6", "Resumed 6", "[7] at 900"]);
}

#[test]
fn progress_moves_the_bookmark_and_is_told_if_asked_for() {
    for asked in [false, true] {
        let mut bench = bench(asked);
        bench.engine.receive(created(1));
        bench.engine.receive(changes(1, 40, &[]));
        assert_eq!(told(&bench.queue).get(1).map(String::as_str), asked.then_some("progress 40"));
        bench.engine.detach(&Error::closed());
        assert_eq!(starts(bench.engine.attach()), [(1, 41)]);
    }
}

#[test]
fn fragments_are_delivered_whole_or_not() {
    let mut bench = bench(false);
    bench.engine.receive(created(1));
    let part = |revisions| pb::WatchResponse { fragment: true, ..changes(1, 9, revisions) };
    bench.engine.receive(part(&[5]));
    bench.engine.detach(&Error::closed());
    assert_eq!(starts(bench.engine.attach()), [(1, 5)]);
    bench.engine.receive(created(1));
    bench.engine.receive(part(&[5, 6]));
    bench.engine.receive(part(&[6]));
    bench.engine.receive(changes(1, 9, &[6]));
    assert_eq!(told(&bench.queue), ["Live 4", "Disconnected 4", "Resumed 4", "[5, 6, 6, 6] at 9"]);
}

#[test]
fn creations_are_paired_in_order_and_strays_ignored() {
    let mut bench = bench(false);
    let (other, source) = mute();
    let spec =
        Spec { key: "x".into(), range_end: Bytes::new(), prev_kv: false, filters: Vec::new(), progress_notify: false };
    assert_eq!(starts(bench.engine.add(spec, 9, source).into_iter().collect()), [(2, 9)]);
    // The ids that are returned count, not those asked for.
    bench.engine.receive(created(12));
    bench.engine.receive(created(11));
    bench.engine.receive(created(13));
    bench.engine.receive(changes(12, 9, &[5]));
    assert_eq!(told(&bench.queue), ["Live 4", "[5] at 9"]);
    assert_eq!(told(&other), ["Live 8"]);
}

#[test]
fn a_refused_creation_ends_only_its_watch() {
    let mut bench = bench(false);
    let refused = pb::WatchResponse {
        canceled: true,
        cancel_reason: "rpc error: code = PermissionDenied desc = etcdserver: permission denied".into(),
        ..created(-1)
    };
    bench.engine.receive(refused);
    assert_eq!(told(&bench.queue), [format!("closed {}", code::ERR_PERMISSION_DENIED)]);
    assert!(bench.engine.is_empty());
}

#[test]
fn a_compaction_is_the_end_and_names_its_revision() {
    let mut bench = bench(false);
    bench.engine.receive(created(1));
    bench.engine.receive(pb::WatchResponse { canceled: true, compact_revision: 70, watch_id: 1, ..Default::default() });
    let events = bench.queue.take();
    let Body::Closed { error: Some(error) } = &events[1].body else { panic!() };
    assert_eq!((error.code, error.compact_revision), (code::ERR_COMPACTED, 70));
}

#[test]
fn a_removed_watch_is_cancelled_once_whatever_still_comes() {
    let mut bench = bench(false);
    bench.engine.receive(created(1));
    assert_eq!(cancelled(bench.engine.remove(bench.source.id)), Some(1));
    assert_eq!(cancelled(bench.engine.receive(changes(1, 9, &[5]))), None);
    assert_eq!(cancelled(bench.engine.receive(changes(8, 9, &[5]))), Some(8));
    assert_eq!(cancelled(bench.engine.receive(changes(8, 9, &[6]))), None);
    assert_eq!(told(&bench.queue), ["Live 4"]);
}

#[test]
fn a_watch_removed_before_its_creation_was_answered_is_cancelled_then() {
    let mut bench = bench(false);
    assert_eq!(cancelled(bench.engine.remove(bench.source.id)), None);
    assert_eq!(cancelled(bench.engine.receive(created(1))), Some(1));
}

#[test]
fn a_watch_refused_for_its_token_waits_for_the_next_stream() {
    let mut bench = bench(false);
    let refused = pb::WatchResponse {
        canceled: true,
        cancel_reason: "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token".into(),
        ..created(-1)
    };
    let Next::Refused(id, error) = bench.engine.receive(refused) else { panic!() };
    assert_eq!((id, error.code), (bench.source.id, code::ERR_INVALID_AUTH_TOKEN));
    bench.engine.detach(&error);
    assert_eq!(starts(bench.engine.attach()), [(1, 5)]);
    assert_eq!(told(&bench.queue), [""; 0]);
}
