//! F18: the cluster loses its quorum and regains it.

use super::{others, revive, Scenario, Setting};
use crate::bench::Bench;
use crate::history::{Action, Record};
use crate::lease::{check_lost, Leases, NOT_TESTED};
use crate::library::{Client, Op, LOST_EXPIRED, NO_LEADER};
use crate::load::{self, LIMIT};
use crate::report::Report;
use crate::world::{wait, Result, World};
use std::time::Duration;

pub const SCENARIO: Scenario = Scenario { name: "F18", title: "quorum lost and regained", fast: 2, full: 20, run };

const LONG: Duration = Duration::from_secs(30);
const SHORTER: Duration = Duration::from_secs(6);
/// A call that wants a leader fails so soon once its member knows of none.
const DETECTED: Duration = Duration::from_millis(100);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::with_peers(setting)?;
    let callers = load::standard(&world.endpoints())?;
    let mut bench = Bench::start(world, setting, callers)?;
    let client = load::client(&bench.world.endpoints())?;
    let long = Leases::are_there().then(|| Leases::open(&bench.world, &client, "long", &[60; 5])).transpose()?;
    while bench.next_round()? {
        let name = format!("short-{}", bench.report.rounds);
        let short = Leases::are_there().then(|| Leases::open(&bench.world, &client, &name, &[3; 5])).transpose()?;
        let live = bench.rng.usize(..3);
        let kill = bench.report.rounds % 2 == 1;
        let endpoints = bench.world.endpoints();
        let clients = [load::client(&endpoints[live..=live])?, load::client(&endpoints)?];
        for client in &clients {
            client.get(b"k/0", LIMIT)?;
        }
        let lost = if kill {
            bench.world.note(format!("only member {live} is left alive"));
            others(live).into_iter().for_each(|member| bench.world.cluster[member].kill());
            bench.world.now()
        } else {
            bench.world.note("no member hears another one");
            let peers = bench.world.peers.as_ref().expect("a world with peers");
            peers.part(&bench.world.cluster, &[&[0], &[1], &[2]]);
            bench.world.now()
        };
        let know =
            || (0..3).all(|i| !bench.world.cluster[i].is_running() || bench.world.is_leaderless(i)).then_some(());
        wait("members to miss their leader", Duration::from_secs(10), know)?;
        bench.world.note("no member has a leader");
        for (client, name) in clients.iter().zip(["lone", "all"]) {
            for _ in 0..5 {
                wanting_leader(&mut bench, client, name);
            }
        }
        let stale = clients[0].execute(&Op::get(b"k/0").serializable().timeout(Duration::from_secs(1)));
        bench.report.demand(stale.is_ok(), || format!("a serializable read: {}", stale.unwrap_err()));
        let until = lost + if setting.full { LONG } else { SHORTER };
        std::thread::sleep(until.saturating_sub(bench.world.now()));
        match kill {
            true => bench.world.cluster.members().iter().filter(|m| !m.is_running()).try_for_each(|m| m.launch())?,
            false => bench.world.peers.as_ref().expect("a world with peers").heal(),
        }
        wait("the cluster to answer", Duration::from_secs(20), || bench.world.answers(live).then_some(()))?;
        let healed = bench.world.note("the cluster answers");
        bench.read_and_put_recovery(healed);
        bench.watch_recovery(healed);
        if let Some(short) = short {
            short.wait_lost(5);
            bench.report.problems.extend(check_lost(&short.said(), 5, LOST_EXPIRED));
        }
        revive(&bench.world)?;
    }
    match &long {
        Some(long) => drop(long.demand_kept(&mut bench.report, &bench.world, 0)?),
        None => bench.report.figure(NOT_TESTED),
    }
    bench.finish()
}

fn wanting_leader(bench: &mut Bench, client: &Client, name: &str) {
    let recorder = &bench.world.recorder;
    let limit = Duration::from_secs(2);
    let get = Action::Get { key: "k/0".into(), serializable: false };
    let put = Action::Put { key: "k/0".into(), value: recorder.value(name) };
    for action in [get, put] {
        let record = recorder.record(name, limit, action, |action| {
            let op = match action {
                Action::Put { key, value } => Op::put(key.as_bytes(), value.as_bytes()),
                _ => Op::get(action.key().as_bytes()),
            };
            client.execute(&op.require_leader().timeout(limit))
        });
        bench.report.demand(refused_soon(&record), || format!("not NO_LEADER within {DETECTED:?}: {record}"));
    }
}

fn refused_soon(record: &Record) -> bool {
    record.fault().is_some_and(|fault| fault.code == NO_LEADER) && record.took().is_some_and(|took| took <= DETECTED)
}
