//! F17: the database reaches its quota. What grows it is refused and everything else goes on, until the same client has
//! made room.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::history::{Action, Event, Outcome, Record, PROBES};
use crate::lease::Leases;
use crate::library::{Client, Fault, Lease, Op, Queue, NO_SPACE};
use crate::load::{self, LIMIT};
use crate::report::Report;
use crate::world::{wait, Result, World};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

pub const SCENARIO: Scenario = Scenario { name: "F17", title: "no space, and space again", fast: 1, full: 5, run };

const QUOTA: usize = 8 << 20;
/// How large a member is at most that has room again.
const ROOM: u64 = QUOTA as u64 / 2;
const VALUE: usize = 128 * 1024;
/// They cross the quota together: that is when a write is applied and refused.
const FILLERS: usize = 4;
const RESOURCE_EXHAUSTED: i32 = 8;
/// The renewed leases', and how long there is no space: they live on renewals alone.
const TTL: i64 = 3;
const FULL: Duration = Duration::from_millis(3500);
const SOON: Duration = Duration::from_secs(20);
/// How soon writes are taken again once the alarm is off.
const RECOVERED: Duration = Duration::from_secs(3);

fn run(setting: &Setting) -> Result<Report> {
    let quota = format!("--quota-backend-bytes={QUOTA}");
    let mut world = World::build(setting, None, |builder| builder.flag(quota))?;
    world.keep_history()?;
    let endpoints = world.endpoints();
    let client = load::client(&endpoints)?;
    let callers = load::patient(&endpoints)?;
    let mut bench = Bench::start(world, setting, callers)?;
    let leases = Leases::open(&bench.world, &client, "kept", &[TTL; 5])?;
    let (mut crossing, mut after) = (Vec::new(), Vec::new());
    while bench.next_round()? {
        let short = Short::open(&client, bench.report.rounds)?;
        let filled = bench.world.note("the fillers start");
        let (fill, refused) = fill(&bench, &client);
        crossing.extend(refused);
        wait("the alarm", SOON, || client.nospace_alarms().ok().filter(|count| *count > 0))?;
        let full = bench.world.note("no space");
        bench.report.recovered("alarm", Some(full - filled));
        after.extend(refuses(&mut bench, &client, &short.queue));
        serves(&mut bench, &client, short, &fill);
        std::thread::sleep((full + FULL).saturating_sub(bench.world.now()));
        make_room(&mut bench, &client)?;
        after.extend(refuses_puts(&mut bench, &client, "room, but the alarm is on"));
        bench.report.demand(client.disarm_nospace().is_ok(), || "the alarm cannot be ended".into());
        let free = bench.world.note("the alarm is off");
        let granted = Lease::open(&client, TTL, &Queue::new()?, 0);
        bench.report.demand(granted.is_ok(), || format!("no lease with space again: {}", granted.err().unwrap()));
        bench.read_and_put_recovery(free);
        bench.watch_recovery(free);
    }
    bench.report.demand_recovery("put", None, RECOVERED);
    leases.demand_kept(&mut bench.report, &bench.world, 0)?;
    bench.demand_reads();
    bench.demand_none("a write ended in an odd way", |record| {
        !record.is_done() && record.fault().is_some_and(|fault| !is_refusal(&record.action, fault))
    });
    bench.finish_with(|report, events| {
        judge(report, events, &crossing, &after);
        Vec::new()
    })
}

/// What is refused for want of space: what would grow the database, and it says that it may have been applied.
fn is_refusal(action: &Action, fault: &Fault) -> bool {
    matches!(action, Action::Put { .. } | Action::PutIf { .. }) && is_no_space(fault) && fault.maybe_applied
}

fn is_no_space(fault: &Fault) -> bool {
    fault.code == NO_SPACE && fault.grpc_status == RESOURCE_EXHAUSTED && !fault.retryable
}

/// A lease that is renewed by hand and revoked while there is no space, and two keys to be deleted then.
struct Short {
    queue: Queue,
    lease: Lease,
    prefix: String,
    keys: Vec<Vec<u8>>,
}

impl Short {
    fn open(client: &Client, round: usize) -> Result<Short> {
        let queue = Queue::new()?;
        let lease = Lease::open(client, 60, &queue, 0)?;
        let prefix = format!("{PROBES}space/{round}/");
        client.execute(&Op::put(format!("{prefix}leased").as_bytes(), b"").lease(lease.id()).timeout(LIMIT))?;
        let keys: Vec<Vec<u8>> = (0..2).map(|i| format!("{prefix}{i}").into_bytes()).collect();
        keys.iter().try_for_each(|key| client.put(key, b"", LIMIT).map(|_| ()))?;
        Ok(Short { queue, lease, prefix, keys })
    }
}

/// Puts large values until each filler is refused; the keys, and what was refused.
fn fill(bench: &Bench, client: &Arc<Client>) -> (Vec<String>, Vec<Record>) {
    let (recorder, round) = (&bench.world.recorder, bench.report.rounds);
    let fill = |filler: usize| {
        let name = format!("filler-{filler}");
        let mut keys = Vec::new();
        loop {
            let key = format!("fill/{round}/{filler}/{}", keys.len());
            let value = recorder.value(&name) + &"=".repeat(VALUE);
            let record = load::call(recorder, &name, client, LIMIT, Action::Put { key: key.clone(), value });
            keys.push(key);
            if !record.is_done() {
                return (keys, record);
            }
        }
    };
    std::thread::scope(|scope| {
        let fill = &fill;
        let fillers: Vec<_> = (0..FILLERS).map(|filler| scope.spawn(move || fill(filler))).collect();
        let filled: Vec<_> = fillers.into_iter().map(|filler| filler.join().expect("it does not panic")).collect();
        let (keys, refused): (Vec<_>, Vec<_>) = filled.into_iter().unzip();
        (keys.concat(), refused)
    })
}

/// What grows the database is refused, by each member; the puts that were.
fn refuses(bench: &mut Bench, client: &Arc<Client>, queue: &Queue) -> Vec<Record> {
    let mut refused = refuses_puts(bench, client, "no space");
    for endpoint in bench.world.endpoints() {
        match load::client(&[endpoint]) {
            Ok(single) => refused.extend(refuses_puts(bench, &single, "no space, one member")),
            Err(trouble) => bench.report.problem(trouble.to_string()),
        }
    }
    match Lease::open(client, 60, queue, 1) {
        Ok(_) => bench.report.problem("a lease was granted without space"),
        Err(fault) => bench.report.demand(is_no_space(&fault), || format!("a lease without space: {fault}")),
    }
    refused
}

fn refuses_puts(bench: &mut Bench, client: &Client, when: &str) -> Vec<Record> {
    let recorder = Arc::clone(&bench.world.recorder);
    let value = || recorder.value("refused");
    let puts = [
        Action::Put { key: "small/put".into(), value: value() },
        Action::PutIf { key: "small/txn".into(), revision: 0, value: value() },
    ];
    let refused = puts.map(|put| load::call(&recorder, "refused", client, LIMIT, put));
    for record in &refused {
        let right = record.fault().is_some_and(|fault| is_refusal(&record.action, fault));
        bench.report.demand(right, || format!("{when}: {record}"));
    }
    refused.into()
}

/// All that does not grow the database goes on.
fn serves(bench: &mut Bench, client: &Client, short: Short, fill: &[String]) {
    let recorder = Arc::clone(&bench.world.recorder);
    let mut demand = |what: &str, done: std::result::Result<bool, Fault>| {
        bench.report.demand(matches!(done, Ok(true)), || format!("without space, {what}: {done:?}"));
    };
    for serializable in [false, true] {
        let get = Action::Get { key: fill[0].clone(), serializable };
        let got = load::call(&recorder, "full", client, LIMIT, get);
        demand("a get", Ok(got.is_done()));
    }
    demand("a renewal", short.lease.refresh().map(|()| true));
    demand("a revocation", short.lease.revoke().map(|()| true));
    let leased = client.execute(&Op::get(format!("{}leased", short.prefix).as_bytes()).timeout(LIMIT));
    demand("the key of the revoked lease", leased.map(|answer| answer.kvs.is_empty()));
    let deletes = Op::deletes(short.keys.iter().map(Vec::as_slice)).timeout(LIMIT);
    let deleted = client.execute(&deletes);
    demand("deletes in a transaction", deleted.map(|answer| answer.responses.iter().all(|each| each.count == 1)));
    for key in fill {
        let deleted = load::call(&recorder, "full", client, LIMIT, Action::Delete { key: key.clone() });
        demand("a delete", Ok(deleted.is_done()));
    }
}

/// Compacts and defragments until the members are small.
fn make_room(bench: &mut Bench, client: &Client) -> Result<()> {
    let head = bench.world.revision()?;
    // A watch that lags would end with the compaction, as it may.
    bench.followers[0].wait(head, SOON);
    bench.world.note(format!("history is compacted at {head}"));
    client.compact(head, SOON)?;
    for (member, endpoint) in bench.world.endpoints().iter().enumerate() {
        bench.world.note(format!("member {member} is defragmented"));
        // The space that a compaction frees is free a little later at the other members.
        wait("room", SOON, || {
            let trouble = client.defragment(endpoint, SOON).err();
            trouble.is_none().then(|| bench.world.cluster[member].post("/v3/maintenance/status", json!({})).ok())??
                ["dbSize"]
                .as_str()
                .and_then(|size| size.parse().ok())
                .filter(|size: &u64| *size < ROOM)
        })?;
    }
    Ok(())
}

/// Of what was refused while the quota was crossed some may have happened; of what was refused afterwards nothing has,
/// neither then nor when there was space again.
fn judge(report: &mut Report, events: &[Event], crossing: &[Record], after: &[Record]) {
    let happened = |record: &&Record| {
        let value = record.action.value();
        events.iter().any(|event| event.held.as_ref().map(|held| &*held.value) == value)
    };
    let applied = crossing.iter().filter(happened).count();
    report.figure(format!("{applied} of {} writes that crossed the quota were applied and refused", crossing.len()));
    report.figure(format!("{} writes refused afterwards", after.len()));
    for record in after.iter().filter(happened) {
        report.problem(format!("refused for want of space, and yet it happened: {record}"));
    }
    for record in crossing {
        let right = matches!(&record.outcome, Outcome::Ambiguous(fault) if is_no_space(fault));
        report.demand(right, || format!("across the quota: {:?}", record.outcome));
    }
}
