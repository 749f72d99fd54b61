//! F20: eight processes want one lock. They are killed and stopped, and so is the leader.

use super::line::{battle, judge};
use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::library::has;
use crate::report::Report;
use crate::world::{Result, World};

pub const SCENARIO: Scenario =
    Scenario { name: "F20", title: "8 contenders for a lock, killed", fast: 1, full: 5, run };

/// How often it changes hands before anything happens.
const TURNS: usize = 40;
const LONG_TURNS: usize = 200;

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
