//! F6: endpoints that are down: at the start, two of three, all of them and up again.

use super::{revive, Scenario, Setting};
use crate::bench::Bench;
use crate::history::{Action, Outcome};
use crate::load::{self, call, LIMIT};
use crate::proxy::{End, Plan};
use crate::report::Report;
use crate::world::{wait, Result, World};
use std::time::Duration;

pub const SCENARIO: Scenario = Scenario { name: "F6", title: "endpoints down, and up again", fast: 8, full: 20, run };

/// Of first success after all are up: the longest pause between attempts, and some.
pub const UP: Duration = Duration::from_millis(3500);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let callers = load::patient(&world.proxied())?;
    let mut bench = Bench::start(world, setting, callers)?;
    while bench.next_round()? {
        match bench.report.rounds % 4 {
            1 => down_at_start(&mut bench)?,
            2 => two_of_three(&mut bench)?,
            3 => all_refuse(&mut bench),
            _ => all_killed(&mut bench)?,
        }
    }
    for what in ["after all refused", "after all were dead"] {
        if bench.report.recoveries.iter().any(|(name, _)| name == what) {
            bench.report.demand_recovery(what, None, UP);
        }
    }
    bench.finish()
}

/// Member `member`'s proxy, as its machine would be without it.
fn close(bench: &Bench, member: usize) {
    bench.world.proxies[member].set(Plan::refuse());
    bench.world.proxies[member].drop_all(End::Rst);
}

fn open(bench: &Bench) {
    bench.world.proxies.iter().for_each(|proxy| proxy.set(Plan::pass()));
}

/// New clients, whose first endpoint is down, work at the first try.
fn down_at_start(bench: &mut Bench) -> Result<()> {
    let dead = bench.rng.usize(..3);
    bench.world.note(format!("member {dead} is dead"));
    close(bench, dead);
    bench.world.cluster[dead].kill();
    let mut endpoints = bench.world.proxied();
    endpoints.rotate_left(dead);
    // Where the leader was the dead one, reads wait for the next, and a put may be lost with it.
    bench.world.wait_elected(&super::others(dead), dead)?;
    for i in 0..4 {
        let client = load::client(&endpoints)?;
        let name = format!("fresh-{}-{i}", bench.report.rounds);
        let action = match i % 2 {
            0 => Action::Get { key: "k/0".into(), serializable: false },
            _ => Action::Put { key: "k/0".into(), value: bench.world.recorder.value(&name) },
        };
        let called = bench.world.now();
        let record = call(&bench.world.recorder, &name, &client, LIMIT, action);
        bench.report.demand(record.is_done(), || format!("with a dead first endpoint: {record}"));
        bench.report.recovered("with one down", Some(bench.world.now() - called));
    }
    revive(&bench.world)?;
    open(bench);
    Ok(())
}

/// One endpoint is enough, if it can reach the others.
fn two_of_three(bench: &mut Bench) -> Result<()> {
    let left = bench.rng.usize(..3);
    let since = bench.world.note(format!("only the endpoint of member {left} is left"));
    super::others(left).into_iter().for_each(|member| close(bench, member));
    let begun = bench.world.now();
    std::thread::sleep(Duration::from_secs(2));
    bench.read_and_put_recovery(since);
    let bad = bench.world.recorder.since(begun, |records| {
        let bad = records.iter().find(|record| matches!(record.outcome, Outcome::Failed(_) | Outcome::Ambiguous(_)));
        bad.map(ToString::to_string)
    });
    bench.report.demand(bad.is_none(), || format!("with one endpoint left: {}", bad.unwrap()));
    open(bench);
    Ok(())
}

fn all_refuse(bench: &mut Bench) {
    bench.world.note("all endpoints refuse");
    (0..3).for_each(|member| close(bench, member));
    std::thread::sleep(Duration::from_secs(4));
    open(bench);
    let up = bench.world.note("all endpoints are up");
    success_after(bench, "after all refused", up);
}

/// Measures from `up` to the first success, of whatever call.
fn success_after(bench: &mut Bench, what: &str, up: Duration) {
    let done = bench.world.recorder.wait_return(up, Duration::from_secs(20), |record| record.is_done());
    bench.report.recovered(what, done.map(|done| done - up));
}

fn all_killed(bench: &mut Bench) -> Result<()> {
    bench.world.note("all members are killed");
    (0..3).for_each(|member| close(bench, member));
    bench.world.cluster.members().iter().for_each(|member| member.kill());
    std::thread::sleep(Duration::from_secs(4));
    for member in bench.world.cluster.members() {
        member.launch()?;
    }
    let up = when_up(&bench.world)?;
    success_after(bench, "after all were dead", up);
    revive(&bench.world)?;
    Ok(())
}

/// Lets clients in as each member listens; when the cluster itself answers.
pub fn when_up(world: &World) -> Result<Duration> {
    // Whoever connected before would be reset by the proxy where the machine would refuse.
    let listens = || {
        let mut left = world.cluster.members().iter().zip(&world.proxies);
        left.all(|(member, proxy)| {
            let up = std::net::TcpStream::connect(member.endpoint()).is_ok();
            if up {
                proxy.set(Plan::pass());
            }
            up
        })
        .then_some(())
    };
    wait("all members to listen", Duration::from_secs(20), listens)?;
    wait("the cluster to answer", Duration::from_secs(20), || {
        (0..3).any(|member| world.answers(member)).then_some(())
    })?;
    Ok(world.note("the cluster answers"))
}
