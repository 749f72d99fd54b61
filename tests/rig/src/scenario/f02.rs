//! F2: the leader stands still for 1–5 s.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::load;
use crate::report::Report;
use crate::world::{Result, World};
use std::time::Duration;

pub const SCENARIO: Scenario = Scenario { name: "F2", title: "SIGSTOP of the leader 1-5 s", fast: 6, full: 50, run };

const MAX: Duration = Duration::from_secs(3);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let callers = load::standard(&world.endpoints())?;
    let watching = load::client(&world.endpoints())?;
    let mut bench = Bench::start(world, setting, callers)?;
    bench.follow_relisting(&watching)?;
    while bench.next_round()? {
        let leader = bench.world.wait_healthy()?;
        let pause = Duration::from_secs_f64(1.0 + 4.0 * bench.rng.f64());
        let paused = bench.world.note(format!("SIGSTOP of member {leader}, the leader, for {pause:.1?}"));
        bench.world.cluster[leader].pause();
        std::thread::sleep(pause);
        bench.world.note("SIGCONT");
        bench.world.cluster[leader].resume();
        bench.recoveries(paused, MAX);
    }
    bench.demand_recoveries(None, MAX);
    bench.demand_reads();
    bench.finish()
}
