//! The scenarios: one file and one line here for each.

mod f01;
mod f02;
mod f03;
mod f04;
mod f05;
mod f06;
mod f07;
mod f08;
mod f09;
mod f10;
mod f11;
mod f12;
mod f13;
mod f14;
mod f15;
mod f16;
mod f17;
mod f18;
mod f19;
mod f20;
mod f21;
mod f22;
mod f23;
mod f26;
mod f27;
mod frames;
mod leader_kill;
mod line;
mod mixed;
mod outage;
mod secure;

use crate::report::Report;
use crate::world::{Result, World};

/// All of them, in the order in which they run.
pub const ALL: &[Scenario] = &[
    f01::SCENARIO,
    f02::SCENARIO,
    f03::SCENARIO,
    f04::SCENARIO,
    f04::MANY,
    f05::SCENARIO,
    f06::SCENARIO,
    f07::SCENARIO,
    f08::SCENARIO,
    f08::DEADLINES,
    f09::SCENARIO,
    f10::SCENARIO,
    f11::SCENARIO,
    f12::SCENARIO,
    f13::SCENARIO,
    f14::SCENARIO,
    f15::SCENARIO,
    f15::JWT,
    f16::SCENARIO,
    mixed::SCENARIO,
    f17::SCENARIO,
    f18::SCENARIO,
    f19::SCENARIO,
    f20::SCENARIO,
    f20::OWN_KEY,
    f21::SCENARIO,
    f22::SCENARIO,
    f23::SCENARIO,
    f26::SCENARIO,
    f27::SCENARIO,
    f27::LOST,
    frames::SCENARIO,
    outage::SCENARIO,
    leader_kill::SCENARIO,
];

/// A kind of fault, and what must hold under it.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub title: &'static str,
    /// Rounds when there is little time; 0: only when it is named.
    pub fast: usize,
    /// Rounds of a full run.
    pub full: usize,
    /// An error is what kept it from being run. Problems of the library are in the report.
    pub run: fn(&Setting) -> Result<Report>,
}

/// How a scenario is run.
pub struct Setting {
    pub name: &'static str,
    pub rounds: usize,
    pub full: bool,
    pub seed: u64,
    /// Of etcd, as in "3.6".
    pub version: String,
}

/// The other two members.
fn others(member: usize) -> [usize; 2] {
    [(member + 1) % 3, (member + 2) % 3]
}

/// Starts dead members again and waits until all is well.
fn revive(world: &World) -> Result<usize> {
    world.note("the dead are started");
    world.cluster.restart_dead()?;
    world.wait_healthy()
}
