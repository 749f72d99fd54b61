//! F11: history is compacted while watches are cut off. They end with that, once, or have missed nothing.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::check::{check_compacted, WatchLog};
use crate::follow::Follower;
use crate::history::Event;
use crate::load;
use crate::proxy::{End, Plan};
use crate::report::Report;
use crate::world::{Result, World};
use std::time::Duration;

pub const SCENARIO: Scenario = Scenario { name: "F11", title: "compaction while cut off", fast: 6, full: 50, run };

const SOON: Duration = Duration::from_secs(20);
/// So much is delivered before, and missed.
const SOME: i64 = 20;

fn run(setting: &Setting) -> Result<Report> {
    let mut world = World::start(setting)?;
    world.keep_history()?;
    let callers = load::patient(&world.endpoints())?;
    let cut_off = load::client(&world.proxied())?;
    let mut bench = Bench::start(world, setting, callers)?;
    bench.follow_relisting(&cut_off)?;
    let (mut logs, mut compacted) = (Vec::new(), 1);
    while bench.next_round()? {
        let start = bench.world.revision()? + 1;
        let name = format!("watch-{}", bench.report.rounds);
        let watch = Follower::start(&bench.world.recorder, &name, &cut_off, "", start)?;
        bench.report.demand(watch.wait(start + SOME, SOON), || format!("{name} delivers nothing"));
        bench.world.note("the watches are cut off");
        for proxy in &bench.world.proxies {
            proxy.set(Plan::refuse());
            proxy.drop_all(if bench.rng.bool() { End::Fin } else { End::Rst });
        }
        // Nothing is on its way any more.
        let last = watch.log().last();
        bench.followers[0].wait(last + SOME, SOON);
        let head = bench.world.revision()?;
        let at = (last - SOME / 2 + bench.rng.i64(0..head - last + SOME / 2)).max(compacted + 1);
        compacted = at;
        bench.world.compact(at)?;
        let back = bench.world.note("they are back");
        bench.world.proxies.iter().for_each(|proxy| proxy.set(Plan::pass()));
        let told = watch.wait_for(SOON, |log| !log.closed.is_empty() || log.last() >= head);
        bench.report.recovered("word", told.then(|| bench.world.now() - back));
        logs.push((watch.log(), at));
    }
    bench.world.proxies.iter().for_each(|proxy| proxy.set(Plan::pass()));
    bench.finish_with(|report, events| judge(report, events, logs))
}

fn judge(report: &mut Report, events: &[Event], logs: Vec<(WatchLog, i64)>) -> Vec<WatchLog> {
    let ended = logs.iter().filter(|(log, _)| !log.compacted.is_empty()).count();
    report.figure(format!("{ended} of {} watches ended with the compaction, the others missed nothing", logs.len()));
    // Else only the half was tested.
    report.demand(logs.len() < 5 || ended > 0, || "no watch met a compaction".into());
    for (log, compacted) in &logs {
        // It was not listened to any longer.
        let heard = events.partition_point(|event| event.revision <= log.last());
        report.problems.extend(check_compacted(log, &events[..heard], *compacted).iter().map(ToString::to_string));
    }
    logs.into_iter().map(|(log, _)| log).collect()
}
