//! F3: the member that serves a client's watches stands still. They go on elsewhere, and its leases live.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::lease::{Leases, NOT_TESTED};
use crate::library::{Client, Config};
use crate::load::{self, Caller, Mix, LIMIT, SHORT};
use crate::report::Report;
use crate::world::{Result, World};
use std::sync::Arc;
use std::time::Duration;

pub const SCENARIO: Scenario = Scenario { name: "F3", title: "SIGSTOP of a watch's member", fast: 2, full: 20, run };

const HOLD: Duration = Duration::from_secs(60);
const SLACK: Duration = Duration::from_secs(2);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    // The least interval that servers bear, or the defaults.
    let (interval, timeout) = if setting.full { (10, 3) } else { (5, 2) };
    let (interval, timeout) = (Duration::from_secs(interval), Duration::from_secs(timeout));
    let config = Config::new(&world.endpoints()).timeout(LIMIT).keepalive(interval, timeout);
    let watching = Arc::new(Client::open(config)?);
    let writing = load::client(&world.endpoints())?;
    let callers = vec![
        Caller::new("mixed-0", &watching, Mix::Mixed, 30, LIMIT),
        Caller::new("putter-0", &writing, Mix::Puts, 100, SHORT),
        Caller::new("putter-1", &writing, Mix::Puts, 100, SHORT),
        Caller::new("mixed-1", &watching, Mix::Mixed, 30, LIMIT),
    ];
    // Both watches are those of the first and the last caller, and so of one client.
    let mut bench = Bench::start(world, setting, callers)?;
    let leases = Leases::are_there().then(|| Leases::open(&bench.world, &watching, "kept", &[5; 20])).transpose()?;
    while bench.next_round()? {
        let member = serving(&bench.world)?;
        let paused = bench.world.note(format!("SIGSTOP of member {member}, which serves the watches"));
        bench.world.cluster[member].pause();
        bench.watch_recovery(paused);
        if setting.full {
            std::thread::sleep((paused + HOLD).saturating_sub(bench.world.now()));
        }
        bench.world.note("SIGCONT");
        bench.world.cluster[member].resume();
    }
    match &leases {
        Some(leases) => drop(leases.demand_kept(&mut bench.report, &bench.world, 0)?),
        None => bench.report.figure(NOT_TESTED),
    }
    bench.report.demand_recovery("watch", None, interval + timeout + SLACK);
    bench.finish()
}

/// The member with the most watches.
fn serving(world: &World) -> Result<usize> {
    let count = |member: usize| world.cluster[member].metric("etcd_debugging_mvcc_watcher_total").unwrap_or(0.0) as u64;
    let counts: Vec<u64> = (0..3).map(count).collect();
    let most = (0..3).max_by_key(|member| counts[*member]).filter(|member| counts[*member] > 0);
    most.ok_or_else(|| format!("nobody serves a watch: {counts:?}").into())
}
