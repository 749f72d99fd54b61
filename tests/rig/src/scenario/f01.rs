//! F1: kill −9 of the leader under mixed load.

use super::{others, revive, Scenario, Setting};
use crate::bench::Bench;
use crate::history::Record;
use crate::load::{self, Caller, Mix, LIMIT};
use crate::report::{spread, Report};
use crate::world::{Result, World};
use std::time::Duration;

pub const SCENARIO: Scenario = Scenario { name: "F1", title: "kill -9 of the leader", fast: 8, full: 50, run };

const READ_P50: Duration = Duration::from_secs(2);
const MAX: Duration = Duration::from_secs(4);
const LOST_PUT: Duration = Duration::from_millis(7500);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let mut callers = load::standard(&world.endpoints())?;
    callers.push(Caller::new("waiter", &load::client(&world.endpoints())?, Mix::Puts, 100, 2 * LIMIT));
    let watching = load::client(&world.endpoints())?;
    let mut bench = Bench::start(world, setting, callers)?;
    bench.follow_relisting(&watching)?;
    let mut elections = Vec::new();
    while bench.next_round()? {
        let leader = bench.world.wait_healthy()?;
        let killed = bench.world.note(format!("kill -9 of member {leader}, the leader"));
        bench.world.cluster[leader].kill();
        bench.world.wait_elected(&others(leader), leader)?;
        elections.push(bench.world.note("another leader") - killed);
        bench.recoveries(killed, MAX);
        revive(&bench.world)?;
    }
    bench.report.figure(format!("the cluster's own elections p50/p99/max {}", spread(&elections)));
    bench.demand_recoveries(Some(READ_P50), MAX);
    bench.demand_reads();
    // The server gives up on a put that went down with the leader after 7 s; nobody may wait longer.
    let endless = |record: &Record| record.took().is_some_and(|took| took > LOST_PUT);
    bench.demand_none("a put outlived its server's patience", endless);
    bench.ask_porcupine();
    bench.finish()
}
