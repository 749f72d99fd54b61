//! F5: every member is restarted, one after the other.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::history::{Outcome, Record};
use crate::load::{self, LIMIT};
use crate::report::Report;
use crate::world::{Result, World};

pub const SCENARIO: Scenario = Scenario { name: "F5", title: "rolling restart, TERM and KILL", fast: 4, full: 20, run };

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let callers = load::standard(&world.endpoints())?;
    let mut bench = Bench::start(world, setting, callers)?;
    while bench.next_round()? {
        let kill = bench.report.rounds % 2 == 0;
        for member in 0..3 {
            let down = bench.world.note(format!("{} of member {member}", if kill { "KILL" } else { "TERM" }));
            match kill {
                true => bench.world.cluster[member].kill(),
                false => bench.world.cluster[member].stop(),
            }
            bench.world.cluster[member].restart()?;
            bench.world.note("it is up again");
            bench.read_and_put_recovery(down);
            bench.world.wait_healthy()?;
        }
    }
    // Nothing is down as long as the limit of those.
    let patient = |record: &Record| record.limit >= LIMIT;
    bench.demand_none("a read or a put failed", |r| patient(r) && matches!(r.outcome, Outcome::Failed(_)));
    bench.demand_none("a read is ambiguous", |record| record.action.is_read() && record.is_ambiguous());
    bench.finish()
}
