//! F19: a follower or the leader is cut off from the other members, and not from its clients.

use super::{others, Scenario, Setting};
use crate::bench::Bench;
use crate::history::{Action, Record};
use crate::library::{AMBIGUOUS, LEADER_CHANGED, NO_LEADER, SERVER_TIMEOUT, TIMEOUT, UNAVAILABLE};
use crate::load::{self, Caller, Mix, LIMIT, SHORT};
use crate::report::Report;
use crate::world::{Result, World};
use std::time::Duration;

pub const SCENARIO: Scenario =
    Scenario { name: "F19", title: "a member parted from the others", fast: 6, full: 40, run };

/// What a client of a member that is alone may be told.
const TOLD: [i32; 9] = [
    AMBIGUOUS,
    LEADER_CHANGED,
    NO_LEADER,
    SERVER_TIMEOUT,
    SERVER_TIMEOUT + 1,
    SERVER_TIMEOUT + 2,
    SERVER_TIMEOUT + 3,
    TIMEOUT,
    UNAVAILABLE,
];
/// What is under way in the proxies when it begins.
const FLIGHT: Duration = Duration::from_millis(50);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::with_peers(setting)?;
    let endpoints = world.endpoints();
    let mut callers = Vec::new();
    for (i, endpoint) in endpoints.iter().enumerate() {
        let client = load::client(&[endpoint])?;
        callers.push(Caller::new(format!("pinned-{i}"), &client, Mix::Mixed, 40, Duration::from_secs(1)));
    }
    let all = load::client(&endpoints)?;
    for i in 0..2 {
        callers.push(Caller::new(format!("all-{i}"), &all, Mix::Mixed, 30, LIMIT));
        callers.push(Caller::new(format!("putter-{i}"), &all, Mix::Puts, 100, SHORT));
    }
    callers.push(Caller::new("reader", &all, Mix::Reads, 50, LIMIT));
    // The watches are those of the first and the last caller: one is pinned, one has all endpoints.
    let mut bench = Bench::start(world, setting, callers)?;
    while bench.next_round()? {
        let leader = bench.world.wait_healthy()?;
        let follower = others(leader)[bench.rng.usize(..2)];
        let (alone, what) =
            if bench.report.rounds % 2 == 1 { (follower, "a follower") } else { (leader, "the leader") };
        bench.world.note(format!("member {alone}, {what}, is alone"));
        let peers = bench.world.peers.as_ref().expect("a world with peers");
        peers.part(&bench.world.cluster, &[&[alone], &others(alone)]);
        let parted = bench.world.now();
        if alone == leader {
            bench.world.wait_elected(&others(alone), alone)?;
            bench.world.note("the others have another leader");
        }
        let all = |record: &Record| record.caller.starts_with("all") || record.caller.starts_with("putter");
        bench.recovery("put", parted, |record| all(record) && !record.action.is_read());
        bench.recovery("read", parted, |record| record.caller == "reader");
        let hold = Duration::from_secs_f64(3.0 + 2.0 * bench.rng.f64());
        std::thread::sleep((parted + hold).saturating_sub(bench.world.now()));
        let healed = bench.world.note("all hear each other");
        let caller = format!("pinned-{alone}");
        let problems = bench.world.recorder.since(parted + FLIGHT, |records| {
            let theirs = records.iter().filter(|record| record.caller == caller);
            theirs.filter_map(|record| wrong(record, healed)).collect::<Vec<_>>()
        });
        bench.report.problems.extend(problems);
        bench.world.peers.as_ref().expect("a world with peers").heal();
    }
    bench.demand_reads();
    bench.ask_porcupine();
    bench.finish()
}

/// What is wrong with what a client of the lone member was told.
fn wrong(record: &Record, healed: Duration) -> Option<String> {
    if record.returned.is_none_or(|returned| returned >= healed) {
        return None;
    }
    let serializable = matches!(record.action, Action::Get { serializable: true, .. });
    match record.fault() {
        None if !serializable => Some(format!("a lone member cannot have done it: {record}")),
        Some(fault) if !TOLD.contains(&fault.code) => Some(format!("an odd error of a lone member: {record}")),
        _ => None,
    }
}
