//! How long there are no puts after a kill −9 of the leader, beside the cluster's own election.

use super::{others, revive, Scenario, Setting};
use crate::bench::Bench;
use crate::load::{self, Caller, Mix, LIMIT, SHORT};
use crate::report::Report;
use crate::world::{Result, World};

pub const SCENARIO: Scenario =
    Scenario { name: "leader-kill", title: "time without puts after kill -9", fast: 0, full: 20, run };

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let client = load::client(&world.endpoints())?;
    let putter = |i| Caller::new(format!("putter-{i}"), &client, Mix::Puts, 50, SHORT);
    let mut callers: Vec<Caller> = (0..4).map(putter).collect();
    callers.push(Caller::new("patient", &client, Mix::Puts, 50, LIMIT));
    let mut bench = Bench::start(world, setting, callers)?;
    while bench.next_round()? {
        let leader = bench.world.wait_healthy()?;
        let killed = bench.world.note(format!("kill -9 of member {leader}, the leader"));
        bench.world.cluster[leader].kill();
        bench.world.wait_elected(&others(leader), leader)?;
        let elected = bench.world.note("another leader");
        bench.report.recovered("election", Some(elected - killed));
        bench.recovery("put", killed, |_| true);
        revive(&bench.world)?;
    }
    bench.finish()
}
