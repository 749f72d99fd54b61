mod flow;
mod relist;
mod store;

use super::super::super::event::{Body, Event};
use super::super::super::load::{Budget, Flow};
use super::super::super::namespace::Namespace;
use super::super::super::proto::mvccpb;
use super::super::super::queue::Queue;
use super::super::super::source::tests::mute;
use super::super::one::{modified, Spec, Start};
use super::*;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

struct Bench {
    engine: Engine,
    queue: Arc<Queue>,
    source: Arc<Source>,
    drained: Arc<AtomicI64>,
}

fn spec() -> Spec {
    Spec::new(&Namespace::default(), "k".into(), "l".into())
}

impl Bench {
    /// An engine with one watch, whose creation it has sent on a stream.
    fn new(spec: Spec, start: Start) -> Self {
        let mut bench = Bench::without_stream(spec, start);
        bench.engine.attach();
        bench
    }

    fn without_stream(spec: Spec, start: Start) -> Self {
        let (queue, source) = mute();
        let drained = Arc::<AtomicI64>::default();
        let count = drained.clone();
        source.load.set_flow(Flow {
            most: 8000,
            budget: Budget::new(1 << 30),
            drained: Box::new(move || {
                count.fetch_add(1, Ordering::Relaxed);
            }),
            parked: AtomicBool::new(false),
        });
        let mut engine = Engine::default();
        engine.add(Box::new(Watch::new(spec, start, source.clone())));
        Bench { engine, queue, source, drained }
    }

    /// One that the server has taken on under the id 1, from revision 5 on.
    fn live() -> Self {
        let mut bench = Bench::new(spec(), Start::At(5));
        assert_eq!(bench.done(), ["create 1 from 5"]);
        bench.engine.receive(created(1));
        assert_eq!(bench.told(), ["Live 4"]);
        bench
    }

    fn receive(&mut self, response: pb::WatchResponse) -> &mut Self {
        self.engine.receive(response);
        self
    }

    fn again(&mut self) {
        self.engine.detach(&Error::closed());
        self.engine.attach();
    }

    /// What the engine wants done since the last time.
    fn done(&mut self) -> Vec<String> {
        let tell = |action: Action| match action {
            Action::Send(request) => match request.request_union.unwrap() {
                RequestUnion::CreateRequest(create) => {
                    format!("create {} from {}", create.watch_id, create.start_revision)
                }
                RequestUnion::CancelRequest(cancel) => format!("cancel {}", cancel.watch_id),
                RequestUnion::ProgressRequest(_) => "progress".into(),
            },
            Action::Read(_, request, _) => {
                let key = String::from_utf8_lossy(&request.key).replace('\0', "0");
                format!("read{} {key} at {}", if request.keys_only { " keys" } else { "" }, request.revision)
            }
            Action::Verify(_) => "verify".into(),
            Action::Refused(_, error) => format!("refused {}", error.code),
            Action::Leave(error) => format!("leave {}", error.code),
        };
        std::mem::take(&mut self.engine.actions).into_iter().map(tell).collect()
    }

    fn told(&self) -> Vec<String> {
        told(&self.queue)
    }
}

fn told(queue: &Queue) -> Vec<String> {
    let tell = |event: Event| match event.body {
        Body::Watch { revision, resume, changes, synthetic, .. } => {
            let revisions: Vec<_> = changes.iter().map(modified).collect();
            format!("{}{revisions:?} at {revision}, then {resume}", if synthetic { "found " } else { "" })
        }
        Body::Progress { revision, resume, .. } => format!("progress {revision}, then {resume}"),
        Body::State { state, revision, .. } => format!("{state:?} {revision}"),
        Body::Closed { error } => format!("closed {}", error.map_or(0, |error| error.code)),
        _ => "of another source".into(),
    };
    queue.take().into_iter().map(tell).collect()
}

fn header(revision: i64) -> Option<pb::ResponseHeader> {
    Some(pb::ResponseHeader { revision, cluster_id: 7, ..Default::default() })
}

fn created(watch_id: i64) -> pb::WatchResponse {
    pb::WatchResponse { watch_id, created: true, ..Default::default() }
}

fn created_at(watch_id: i64, revision: i64) -> pb::WatchResponse {
    pb::WatchResponse { header: header(revision), ..created(watch_id) }
}

fn refused(reason: &str) -> pb::WatchResponse {
    pb::WatchResponse { canceled: true, cancel_reason: reason.into(), ..created(-1) }
}

fn compacted(watch_id: i64, compact_revision: i64) -> pb::WatchResponse {
    pb::WatchResponse { canceled: true, compact_revision, watch_id, ..Default::default() }
}

fn change(revision: i64) -> mvccpb::Event {
    let kv = mvccpb::KeyValue { key: "k".into(), mod_revision: revision, ..Default::default() };
    mvccpb::Event { kv: Some(kv), ..Default::default() }
}

fn changes(watch_id: i64, at: i64, revisions: &[i64]) -> pb::WatchResponse {
    let events = revisions.iter().map(|revision| change(*revision)).collect();
    pb::WatchResponse { header: header(at), watch_id, events, ..Default::default() }
}

fn part(watch_id: i64, at: i64, revisions: &[i64]) -> pb::WatchResponse {
    pb::WatchResponse { fragment: true, ..changes(watch_id, at, revisions) }
}

fn large(watch_id: i64, revision: i64) -> pb::WatchResponse {
    let mut response = changes(watch_id, revision, &[revision]);
    response.events[0].kv.as_mut().unwrap().value = vec![0; 5000].into();
    response
}

#[test]
fn the_bookmark_comes_from_the_last_event() {
    let mut bench = Bench::live();
    bench.receive(changes(1, 900, &[5, 6, 6]));
    assert_eq!(bench.told(), ["[5, 6, 6] at 900, then 7"]);
    assert_eq!(bench.source.load.resume(), 7);
    bench.again();
    assert_eq!(bench.done(), ["create 1 from 7"]);
    bench.receive(created(1)).receive(changes(1, 900, &[6, 7])).receive(changes(1, 900, &[7]));
    assert_eq!(bench.told(), ["Disconnected 6", "Resumed 6", "[7] at 900, then 8"]);
    assert_eq!(bench.engine.resumes, 1);
}

#[test]
fn revisions_that_are_told_do_not_decrease() {
    let mut bench = Bench::live();
    bench.receive(changes(1, 900, &[5])).receive(changes(1, 8, &[8]));
    assert_eq!(bench.told(), ["[5] at 900, then 6", "[8] at 900, then 9"]);
}

#[test]
fn changes_out_of_order_are_not_delivered() {
    let mut bench = Bench::live();
    bench.receive(changes(1, 9, &[7, 6]));
    assert_eq!(bench.done(), [format!("leave {}", code::ERR_PROTOCOL)]);
    assert_eq!(bench.told(), [""; 0]);
    bench.again();
    assert_eq!(bench.done(), ["create 1 from 5"]);
}

#[test]
fn progress_moves_the_bookmark_and_is_told_if_asked_for() {
    for asked in [false, true] {
        let mut bench = Bench::new(Spec { progress_notify: asked, ..spec() }, Start::At(5));
        bench.receive(created(1));
        bench.told();
        bench.receive(changes(1, 40, &[]));
        assert_eq!(bench.told(), if asked { vec!["progress 40, then 41"] } else { vec![] });
        assert_eq!(bench.source.load.resume(), 41);
        bench.done();
        bench.again();
        assert_eq!(bench.done(), ["create 1 from 41"]);
    }
}

#[test]
fn a_requested_progress_moves_no_bookmark() {
    let mut bench = Bench::live();
    let id = bench.source.id;
    bench.receive(changes(-1, 40, &[]));
    assert_eq!(bench.told(), [""; 0]);
    bench.engine.request_progress(Some(id));
    bench.receive(changes(-1, 40, &[])).receive(changes(-1, 41, &[]));
    assert_eq!(bench.told(), ["progress 40, then 5"]);
    bench.engine.request_progress(Some(id));
    bench.done();
    bench.again();
    // It is asked for again where it was not answered.
    assert_eq!(bench.done(), ["create 1 from 5", "progress"]);
}

#[test]
fn creations_are_paired_in_order_and_strays_ignored() {
    let mut bench = Bench::new(spec(), Start::At(5));
    let (other, source) = mute();
    bench.engine.add(Box::new(Watch::new(spec(), Start::At(9), source)));
    assert_eq!(bench.done(), ["create 1 from 5", "create 2 from 9"]);
    // The ids that are returned count, not those asked for.
    bench.receive(created(12)).receive(created(12)).receive(created(11)).receive(created(13));
    bench.receive(changes(12, 9, &[5])).receive(changes(11, 9, &[9]));
    assert_eq!(bench.told(), ["Live 4", "[5] at 9, then 6"]);
    assert_eq!(told(&other), ["Live 8", "[9] at 9, then 10"]);
}

#[test]
fn ids_are_not_used_twice_on_a_stream() {
    let mut bench = Bench::live();
    bench.receive(large(1, 5)).receive(large(1, 6));
    assert_eq!(bench.done(), ["cancel 1"]);
    bench.engine.drained(bench.source.id);
    assert_eq!(bench.done(), ["create 2 from 6"]);
}

#[test]
fn a_refused_creation_ends_only_its_watch() {
    let mut bench = Bench::new(spec(), Start::At(5));
    let (other, source) = mute();
    bench.engine.add(Box::new(Watch::new(spec(), Start::At(9), source)));
    bench.receive(refused("rpc error: code = PermissionDenied desc = etcdserver: permission denied"));
    bench.receive(created(2));
    assert_eq!(bench.told(), [format!("closed {}", code::ERR_PERMISSION_DENIED)]);
    assert_eq!(told(&other), ["Live 8"]);
}

#[test]
fn every_reason_to_end_has_its_code() {
    for (reason, code) in [
        ("rpc error: code = Unknown desc = mvcc: watcher range is empty", code::ERR_EMPTY_WATCH_RANGE),
        ("etcdserver: mvcc: duplicate watch ID provided on the WatchStream", code::ERR_DUPLICATE_WATCH_ID),
        ("", code::ERR_WATCH_CANCELED),
        ("something new", code::ERR_SERVER),
    ] {
        let mut bench = Bench::live();
        bench.receive(pb::WatchResponse { created: false, watch_id: 1, ..refused(reason) });
        assert_eq!(bench.told(), [format!("closed {code}")], "{reason}");
        assert!(bench.engine.is_empty() && bench.done().is_empty());
    }
}

#[test]
fn another_member_is_asked_where_this_one_cannot() {
    for reason in ["etcdserver: no leader", "etcdserver: rpc not supported for learner"] {
        let mut bench = Bench::new(spec(), Start::At(5));
        bench.done();
        bench.receive(refused(reason));
        assert!(bench.done()[0].starts_with("leave"), "{reason}");
        bench.again();
        assert_eq!(bench.done(), ["create 1 from 5"]);
        assert_eq!(bench.told(), [""; 0]);
    }
}

#[test]
fn a_compaction_is_the_end_and_names_its_revision() {
    let mut bench = Bench::live();
    bench.receive(compacted(1, 70));
    let events = bench.queue.take();
    let Body::Closed { error: Some(error) } = &events[0].body else { panic!() };
    assert_eq!((error.code, error.compact_revision), (code::ERR_COMPACTED, 70));
}

#[test]
fn a_removed_watch_is_cancelled_once_whatever_still_comes() {
    let mut bench = Bench::live();
    bench.engine.remove(bench.source.id);
    bench.receive(changes(1, 9, &[5])).receive(changes(8, 9, &[5])).receive(changes(8, 9, &[6]));
    assert_eq!(bench.done(), ["cancel 1", "cancel 8"]);
}

#[test]
fn a_watch_removed_before_its_creation_was_answered_is_cancelled_then() {
    let mut bench = Bench::new(spec(), Start::At(5));
    bench.done();
    bench.engine.remove(bench.source.id);
    bench.receive(created(1));
    assert_eq!(bench.done(), ["cancel 1"]);
}

#[test]
fn a_watch_refused_for_its_token_waits_for_the_next_stream() {
    let mut bench = Bench::new(spec(), Start::At(5));
    bench.done();
    bench.receive(refused("rpc error: code = Unauthenticated desc = etcdserver: invalid auth token"));
    assert_eq!(bench.done(), [format!("refused {}", code::ERR_INVALID_AUTH_TOKEN)]);
    bench.again();
    assert_eq!(bench.done(), ["create 1 from 5"]);
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn a_start_left_to_the_member_goes_on_after_what_it_said() {
    let mut bench = Bench::new(spec(), Start::Loose);
    assert_eq!(bench.done(), ["create 1 from 0"]);
    assert_eq!(bench.source.load.resume(), 0);
    bench.receive(created_at(1, 30));
    // Newer servers register the watch before they look at the revision.
    bench.receive(changes(1, 30, &[29, 30]));
    assert_eq!(bench.told(), ["Live 30", "[29, 30] at 30, then 31"]);
    bench.again();
    assert_eq!(bench.done(), ["create 1 from 31"]);
}

#[test]
fn only_the_first_member_says_where_a_loose_start_is() {
    let mut bench = Bench::new(spec(), Start::Loose);
    bench.receive(created_at(1, 30));
    bench.again();
    bench.receive(created_at(1, 50));
    bench.done();
    bench.again();
    assert_eq!(bench.done(), ["create 1 from 31"]);
    bench.receive(created_at(1, 50)).receive(changes(1, 50, &[30, 31]));
    assert_eq!(bench.told().last().unwrap(), "[31] at 50, then 32");
}

#[test]
fn progress_tells_no_more_than_was_delivered() {
    let mut bench = Bench::new(Spec { progress_notify: true, ..spec() }, Start::At(5));
    bench.receive(created(1));
    // While history is caught up the header is the store's.
    bench.receive(changes(1, 2569, &[1009]));
    bench.done();
    bench.again();
    bench.told();
    bench.receive(created_at(1, 1500)).receive(changes(1, 1500, &[]));
    assert_eq!(bench.told(), ["Resumed 1009"]);
    bench.receive(changes(1, 2600, &[]));
    assert_eq!(bench.told(), ["progress 2600, then 2601"]);
}

#[test]
fn an_outage_may_have_a_limit() {
    let limited = Spec { max_outage: Some(Duration::from_secs(5)), ..spec() };
    let mut bench = Bench::new(limited, Start::At(5));
    let (now, second) = (Instant::now(), Duration::from_secs(1));
    let expiry = bench.engine.expiry().unwrap();
    assert!(expiry > now + 4 * second && expiry <= now + 5 * second);
    bench.receive(created(1));
    bench.engine.expire(now + 60 * second, None);
    assert_eq!((bench.told(), bench.engine.expiry()), (vec!["Live 4".to_owned()], None));
    bench.engine.detach(&Error::new(code::ERR_NO_LEADER, "no leader"));
    bench.engine.expire(now + second, None);
    assert!(bench.engine.expiry().is_some());
    bench.engine.expire(now + 60 * second, Some(&Error::new(code::ERR_NO_LEADER, "no leader")));
    assert_eq!(bench.told(), ["Disconnected 4".to_owned(), format!("closed {}", code::ERR_NO_LEADER)]);
}

#[test]
fn a_dropped_engine_ends_its_watches() {
    let bench = Bench::live();
    drop(bench.engine);
    assert_eq!(told(&bench.queue), [format!("closed {}", code::ERR_CLOSED)]);
}
