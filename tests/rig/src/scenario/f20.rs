//! F20: eight processes want one lock. They are killed and stopped, and so is the leader.

use super::line::{battle, judge};
use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::history::PROBES;
use crate::library::{has, Election, Fault, Lock, Session};
use crate::load;
use crate::report::Report;
use crate::world::{Result, World};
use serde_json::json;
use std::time::Duration;

pub const SCENARIO: Scenario =
    Scenario { name: "F20", title: "8 contenders for a lock, killed", fast: 1, full: 5, run };

pub const OWN_KEY: Scenario =
    Scenario { name: "own-key", title: "waiters whose key was deleted", fast: 2, full: 20, run: run_own_key };

/// How often it changes hands before anything happens.
const TURNS: usize = 40;
const LONG_TURNS: usize = 200;

const LEASE_LOST: i32 = 20;
const LIMIT: Duration = Duration::from_secs(5);
/// Of a session that is not renewed soon, and so learns nothing from that.
const LONG_TTL: i64 = 60;

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let mut bench = Bench::start(world, setting, Vec::new())?;
    let mut lines = Vec::new();
    if !has("etcd3_lock_acquire") {
        bench.report.figure("NOT TESTED: this libetcd3 has no locks");
        return bench.finish();
    }
    while bench.next_round()? {
        lines.push(battle(&mut bench, "lock", setting, if setting.full { LONG_TURNS } else { TURNS })?);
    }
    bench.finish_with(|report, events| {
        lines.iter().for_each(|line| judge(report, events, line));
        Vec::new()
    })
}

/// Whoever waits and whose lease is gone, and its key with it, does not get what it waits for when its turn comes.
fn run_own_key(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let mut bench = Bench::start(world, setting, Vec::new())?;
    if !has("etcd3_election_campaign") {
        bench.report.figure("NOT TESTED: this libetcd3 has no locks");
        return bench.finish();
    }
    while bench.next_round()? {
        let name = format!("{PROBES}own-key/{}", bench.report.rounds);
        let clients = [load::client(&bench.world.endpoints())?, load::client(&bench.world.endpoints())?];
        let session = |i: usize| Session::open(&clients[i], LONG_TTL);
        let (first, second) = (session(0)?, session(1)?);
        let locks = (Lock::new(&first, &name)?, Lock::new(&second, &name)?);
        locks.0.acquire(LIMIT)?;
        let line = format!("{name}/");
        let lock = lost_while_waiting(&bench.world, &line, &second, || locks.1.acquire(LIMIT), || locks.0.release())?;
        let (first, second) = (session(0)?, session(1)?);
        let name = format!("{name}-elected");
        let candidates = (Election::new(&first, &name)?, Election::new(&second, &name)?);
        candidates.0.campaign("first", LIMIT)?;
        let line = format!("{name}/");
        let campaign = || candidates.1.campaign("second", LIMIT);
        let election = lost_while_waiting(&bench.world, &line, &second, campaign, || candidates.0.resign())?;
        for (what, ended) in [("a lock", lock), ("an election", election)] {
            let right = ended.as_ref().is_err_and(|fault| fault.code == LEASE_LOST);
            bench.report.demand(right, || format!("a phantom: {what} without a key, and yet {ended:?}"));
        }
    }
    bench.finish()
}

/// What `reach` says if the lease of its session is revoked while it waits, and then its turn comes by `leave`.
fn lost_while_waiting(
    world: &World,
    line: &str,
    session: &Session,
    reach: impl FnOnce() -> std::result::Result<(), Fault> + Send,
    leave: impl FnOnce() -> std::result::Result<(), Fault>,
) -> Result<std::result::Result<(), Fault>> {
    let leader = world.wait_healthy()?;
    std::thread::scope(|scope| {
        let waiting = scope.spawn(reach);
        crate::world::wait("the second in line", LIMIT, || world.count(line).ok().filter(|count| *count == 2))?;
        world.note("the lease of the second is revoked");
        world.cluster[leader].post("/v3/lease/revoke", json!({"ID": session.lease_id().to_string()}))?;
        leave()?;
        Ok(waiting.join().expect("it does not panic"))
    })
}
