//! F4 and more: leases with little time to live, while their leader stands still or dies.

use super::{others, revive, Scenario, Setting};
use crate::bench::Bench;
use crate::lease::{Leases, NOT_TESTED};
use crate::load::{self, Caller, Mix, SHORT};
use crate::report::Report;
use crate::world::{Result, World};
use std::time::Duration;

pub const SCENARIO: Scenario =
    Scenario { name: "F4", title: "100 leases, SIGSTOP of the leader", fast: 1, full: 20, run };
pub const MANY: Scenario =
    Scenario { name: "leases-1000", title: "1,000 leases, leader killed, paused", fast: 2, full: 20, run: run_many };

/// How long a leader stands still at most.
const PAUSE: f64 = 5.0;
/// The leases must have been renewed since.
const AFTER: Duration = Duration::from_secs(4);

fn putters(world: &World) -> Result<Vec<Caller>> {
    let client = load::client(&world.endpoints())?;
    Ok((0..2).map(|i| Caller::new(format!("putter-{i}"), &client, Mix::Puts, 100, SHORT)).collect())
}

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let callers = putters(&world)?;
    let mut bench = Bench::start(world, setting, callers)?;
    let mut revoked = 0;
    while Leases::are_there() && bench.next_round()? {
        let leader = bench.world.wait_healthy()?;
        let endpoints = bench.world.endpoints();
        let followers: Vec<&str> = others(leader).iter().map(|member| &*endpoints[*member]).collect();
        let client = load::client(&followers)?;
        let leases = Leases::open(&bench.world, &client, &bench.report.rounds.to_string(), &[5; 100])?;
        std::thread::sleep(Duration::from_secs_f64(2.0 * bench.rng.f64()));
        let pause = Duration::from_secs_f64(1.0 + (PAUSE - 1.0) * bench.rng.f64());
        let excused = stop_leader(&mut bench, leader, pause)?;
        revoked += leases.demand_kept(&mut bench.report, &bench.world, excused)?;
        leases.revoke();
    }
    finish(bench, revoked)
}

fn finish(mut bench: Bench, revoked: usize) -> Result<Report> {
    match Leases::are_there() {
        true => bench.report.figure(format!("{revoked} leases revoked by a leader of former times (etcd #15247)")),
        false => bench.report.figure(NOT_TESTED),
    }
    bench.finish()
}

/// How many leases each member has revoked since it took them for expired.
fn expired(world: &World) -> Result<[usize; 3]> {
    let mut counts = [0; 3];
    for (member, count) in counts.iter_mut().enumerate() {
        *count = world.cluster[member].metric("etcd_debugging_server_lease_expired_total")? as usize;
    }
    Ok(counts)
}

/// Stops the leader for a while. When there is another one, and all leases were renewed: how many losses that excuses. If
/// the one that stood still is the only one that has taken leases for expired, all that the servers have revoked.
fn stop_leader(bench: &mut Bench, leader: usize, pause: Duration) -> Result<usize> {
    let before = expired(&bench.world)?;
    let paused = bench.world.note(format!("SIGSTOP of member {leader}, the leader, for {pause:.1?}"));
    bench.world.cluster[leader].pause();
    bench.recovery("put", paused, |_| true);
    std::thread::sleep((paused + pause).saturating_sub(bench.world.now()));
    bench.world.note("SIGCONT");
    bench.world.cluster[leader].resume();
    let now = bench.world.wait_healthy()?;
    std::thread::sleep(AFTER);
    let after = expired(&bench.world)?;
    bench.world.note(format!("leases taken for expired: {before:?} before, {after:?} now, and member {now} leads"));
    Ok(if is_excused(before, after, leader, now) { usize::MAX } else { 0 })
}

/// One that leads again may take leases for expired, and whoever else does has the client to blame.
fn is_excused(before: [usize; 3], after: [usize; 3], paused: usize, leads: usize) -> bool {
    leads != paused && (0..3).all(|member| (after[member] > before[member]) == (member == paused))
}

fn run_many(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let callers = putters(&world)?;
    let client = load::client(&world.endpoints())?;
    let mut bench = Bench::start(world, setting, callers)?;
    // Half of them with the least that has to survive.
    let ttls: Vec<i64> = (0..1000).map(|i| if i % 2 == 0 { 5 } else { 6 + i % 10 }).collect();
    let mut revoked = 0;
    while Leases::are_there() && bench.next_round()? {
        let opened = bench.world.now();
        let leases = Leases::open(&bench.world, &client, &bench.report.rounds.to_string(), &ttls)?;
        let took = bench.world.now() - opened;
        bench.report.recovered("all open", Some(took));
        let leader = bench.world.wait_healthy()?;
        let excused = if bench.report.rounds % 2 == 1 {
            let killed = bench.world.note(format!("kill -9 of member {leader}, the leader"));
            bench.world.cluster[leader].kill();
            bench.recovery("put", killed, |_| true);
            std::thread::sleep(AFTER);
            revive(&bench.world)?;
            0
        } else {
            stop_leader(&mut bench, leader, Duration::from_secs_f64(PAUSE))?
        };
        revoked += leases.demand_kept(&mut bench.report, &bench.world, excused)?;
        leases.revoke();
    }
    bench.report.figure(format!("{} renewals", client.counter("lease_renewals")));
    finish(bench, revoked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_that_stood_still_is_an_excuse() {
        assert!(is_excused([0, 5, 0], [0, 9, 0], 1, 0));
        assert!(!is_excused([0, 5, 0], [0, 9, 0], 1, 1));
        assert!(!is_excused([0, 5, 0], [3, 9, 0], 1, 0));
        assert!(!is_excused([0, 5, 0], [3, 5, 0], 1, 0));
        assert!(!is_excused([0, 5, 0], [0, 5, 0], 1, 0));
    }
}
