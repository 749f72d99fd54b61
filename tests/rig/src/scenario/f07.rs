//! F7: all connections are dropped every 5 ms for 2 s, while there are writes and watches begin.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::lease::{Leases, NOT_TESTED};
use crate::load::{self, Caller, Mix, LIMIT};
use crate::proxy::End;
use crate::report::Report;
use crate::world::{Result, World};
use std::time::{Duration, Instant};

pub const SCENARIO: Scenario = Scenario { name: "F7", title: "connections dropped every 5 ms", fast: 6, full: 20, run };

const STORM: Duration = Duration::from_secs(2);
const EVERY: Duration = Duration::from_millis(5);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let endpoints = world.proxied();
    let clients = [load::client(&endpoints)?, load::client(&endpoints)?];
    let mixes = [("putter-0", Mix::Puts), ("putter-1", Mix::Puts), ("creator", Mix::Creates), ("mixed", Mix::Mixed)];
    let caller = |(i, (name, mix)): (usize, (&str, Mix))| Caller::new(name, &clients[i % 2], mix, 14, LIMIT);
    let mut bench = Bench::start(world, setting, mixes.into_iter().enumerate().map(caller).collect())?;
    let leases =
        Leases::are_there().then(|| Leases::open(&bench.world, &clients[0], "storm", &[10; 20])).transpose()?;
    while bench.next_round()? {
        bench.world.note("connections are dropped from now on");
        let begun = Instant::now();
        let mut next = begun;
        let mut late_watch = Some(begun + STORM / 2);
        while begun.elapsed() < STORM {
            let end = if bench.rng.bool() { End::Fin } else { End::Rst };
            bench.world.proxies.iter().for_each(|proxy| proxy.drop_all(end));
            if late_watch.is_some_and(|due| Instant::now() >= due) {
                late_watch = None;
                let name = format!("watch-{}", bench.report.rounds);
                bench.follow(&name, &clients[0], 2)?;
            }
            next += EVERY;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        let over = bench.world.note("it is over");
        bench.read_and_put_recovery(over);
    }
    match &leases {
        Some(leases) => drop(leases.demand_kept(&mut bench.report, &bench.world, 0)?),
        None => bench.report.figure(NOT_TESTED),
    }
    bench.ask_porcupine();
    bench.finish()
}
