//! F9: a slow network: latency, little bandwidth, a drip. All still works, on the same connections.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::history::Outcome;
use crate::lease::{Leases, NOT_TESTED};
use crate::load;
use crate::proxy::Plan;
use crate::report::Report;
use crate::world::{Result, World};
use std::time::Duration;

pub const SCENARIO: Scenario =
    Scenario { name: "F9", title: "latency, little bandwidth, a drip", fast: 0, full: 30, run };

const HOLD: Duration = Duration::from_secs(15);
const SHORT: Duration = Duration::from_secs(5);

fn mode(round: usize) -> (&'static str, Plan) {
    let ms = Duration::from_millis;
    match round % 3 {
        1 => ("200 ± 100 ms", Plan::latency(ms(200), ms(100))),
        2 => ("64 KiB/s", Plan::pace(3277, ms(50))),
        _ => ("a drip", Plan::pace(64, ms(10))),
    }
}

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let callers = load::patient(&world.proxied())?;
    let client = load::client(&world.proxied())?;
    let mut bench = Bench::start(world, setting, callers)?;
    let leases = Leases::are_there().then(|| Leases::open(&bench.world, &client, "slow", &[10; 20])).transpose()?;
    while bench.next_round()? {
        let (what, plan) = mode(bench.report.rounds);
        let accepted = |bench: &Bench| bench.world.proxies.iter().map(|proxy| proxy.accepted()).sum::<u64>();
        let before = accepted(&bench);
        let slow = bench.world.note(format!("{what} from now on"));
        bench.world.proxies.iter().for_each(|proxy| proxy.set(plan.clone()));
        std::thread::sleep(if setting.full { HOLD } else { SHORT });
        bench.read_and_put_recovery(slow);
        bench.world.note("fast again");
        bench.world.proxies.iter().for_each(|proxy| proxy.set(Plan::pass()));
        let new = accepted(&bench) - before;
        bench.report.demand(new == 0, || format!("{what}: {new} new connections"));
    }
    match &leases {
        Some(leases) => drop(leases.demand_kept(&mut bench.report, &bench.world, 0)?),
        None => bench.report.figure(NOT_TESTED),
    }
    bench.demand_none("a slow network is no reason to fail", |record| {
        matches!(record.outcome, Outcome::Failed(_) | Outcome::Ambiguous(_))
    });
    bench.finish()
}
