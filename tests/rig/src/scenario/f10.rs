//! F10: connections are cut after any byte, by close and by reset, and servers say goodbye.

use super::{Scenario, Setting};
use crate::bench::{Bench, LATE};
use crate::history::{Outcome, Record};
use crate::library::INTERNAL;
use crate::load::{self, SHORT};
use crate::proxy::{Direction, End, Goaway, Proxy};
use crate::report::Report;
use crate::world::{Result, World};
use std::time::{Duration, Instant};

pub const SCENARIO: Scenario =
    Scenario { name: "F10", title: "cut at a random byte, RST, GOAWAY", fast: 50, full: 1000, run };

/// A healthy moment is asked for every so many cuts.
const BATCH: usize = 50;
/// How long an endpoint in use may take to carry so many bytes.
const BUSY: Duration = Duration::from_millis(700);
/// How long a client may take to leave a connection that makes no sense.
const HEALED: Duration = Duration::from_secs(15);
/// Longer than a GOAWAY takes to be said.
const GOODBYE: Duration = Duration::from_millis(60);
const EVERY: Duration = Duration::from_millis(15);
/// So many descriptors and threads may come and go with the connections of the moment.
const SLACK: usize = 8;

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let mut callers = load::patient(&world.proxied())?;
    callers.iter_mut().for_each(|caller| caller.every = EVERY);
    let batches = Setting { rounds: setting.rounds.div_ceil(BATCH), version: setting.version.clone(), ..*setting };
    let mut bench = Bench::start(world, &batches, callers)?;
    let (mut cuts, mut missed, mut before) = (0, 0, None);
    while bench.next_round()? {
        before.get_or_insert_with(|| resources(&bench));
        for _ in 0..BATCH.min(setting.rounds - cuts - missed) {
            match cut(&mut bench) {
                true => cuts += 1,
                false => missed += 1,
            }
        }
    }
    goodbyes(&mut bench, setting.rounds.div_ceil(5));
    corrupt(&mut bench, setting.rounds.div_ceil(5))?;
    bench.report.rounds = cuts;
    bench.report.demand(missed * 10 <= cuts, || format!("{missed} times no connection carried anything"));
    let (descriptors, threads, memory) = before.unwrap_or_default();
    // Until the last connections are gone that were cut.
    bench.world.wait_healthy()?;
    let (descriptors_now, threads_now, memory_now) = resources(&bench);
    bench.report.figure(format!(
        "descriptors but for connections {descriptors} -> {descriptors_now}, threads {threads} -> {threads_now}, \
         memory {memory} -> {memory_now} MiB"
    ));
    bench.report.demand(descriptors_now <= descriptors + SLACK, || "descriptors leak".into());
    bench.report.demand(threads_now <= threads + SLACK, || "threads leak".into());
    bench.demand_reads();
    bench.finish()
}

/// Cuts one connection; false if none carried enough.
fn cut(bench: &mut Bench) -> bool {
    // As many short distances as long ones.
    let bytes = 2f64.powf(bench.rng.f64() * 10.0) as u64 - 1;
    let direction = if bench.rng.bool() { Direction::Up } else { Direction::Down };
    let end = if bench.rng.bool() { End::Fin } else { End::Rst };
    let first = bench.rng.usize(..3);
    for member in (first..first + 3).map(|member| member % 3) {
        let begun = bench.world.note(format!("member {member}: {end:?} after {bytes} bytes {direction:?}"));
        bench.world.proxies[member].cut_after(bytes, direction, end);
        if bench.world.proxies[member].wait_cut(BUSY) {
            bench.recovery("call", begun, |_| true);
            return true;
        }
        // Nobody may be using this one.
    }
    false
}

/// Has servers say goodbye, under load. Who is told which streams were not looked at loses nothing by it:
/// such a call is made again elsewhere, even a put, and one under way is answered.
fn goodbyes(bench: &mut Bench, times: usize) {
    let said = |bench: &Bench| bench.world.proxies.iter().map(|proxy| proxy.parted()).sum::<u64>();
    let before = said(bench);
    for (hows, polite) in [(&[Goaway::Graceful, Goaway::Refusing][..], true), (&[Goaway::Closing][..], false)] {
        let begun = bench.world.now();
        for i in 0..times.div_ceil(2) {
            let how = hows[i % hows.len()];
            let (first, count) = (bench.rng.usize(..3), 1 + bench.rng.usize(..3));
            let told = bench.world.note(format!("GOAWAY, {how:?}, of {count} members from member {first} on"));
            for member in (first..first + count).map(|member| member % 3) {
                bench.world.proxies[member].goaway(how);
            }
            bench.recovery("call", told, |_| true);
            std::thread::sleep(GOODBYE);
        }
        if polite {
            let lost = |record: &&Record| matches!(record.outcome, Outcome::Failed(_) | Outcome::Ambiguous(_));
            let problem = |record: &Record| format!("a GOAWAY says what was lost, and yet: {record}");
            let problems = bench
                .world
                .recorder
                .since(begun, |records| records.iter().filter(lost).map(problem).collect::<Vec<_>>());
            bench.report.problems.extend(problems);
        }
    }
    let said = said(bench) - before;
    bench.report.figure(format!("a GOAWAY on {said} connections"));
    bench.report.demand(said >= times as u64, || format!("{said} connections were told GOAWAY, of {times} at least"));
}

/// Changes bytes of answers. What is read then may be wrong, since nothing protects it; but each call
/// ends in time, and the client finds back to a connection that is whole.
fn corrupt(bench: &mut Bench, times: usize) -> Result<()> {
    let member = bench.rng.usize(..3);
    let proxy = Proxy::new(bench.world.cluster[member].endpoint(), bench.rng.u64(..))?;
    let client = load::client(&[proxy.address()])?;
    let mut longest = Duration::ZERO;
    for _ in 0..times {
        let bytes = bench.rng.u64(..300);
        bench.world.note(format!("byte {bytes} of the answers of member {member} is changed"));
        proxy.corrupt_after(bytes, Direction::Down);
        let deadline = Instant::now() + HEALED;
        loop {
            let whole = !proxy.is_armed();
            let called = Instant::now();
            let answer = client.get(b"k/0", SHORT);
            longest = longest.max(called.elapsed());
            let bug = answer.as_ref().is_err_and(|fault| fault.code == INTERNAL);
            bench.report.demand(!bug, || format!("a bug: {}", answer.as_ref().unwrap_err()));
            if whole && answer.is_ok() {
                break;
            }
            if Instant::now() > deadline {
                bench.report.problem(format!("byte {bytes} changed: for {HEALED:?} no call succeeded: {answer:?}"));
                break;
            }
        }
    }
    bench.report.figure(format!("{times} bytes corrupted, longest call {longest:.0?} of {SHORT:?}"));
    bench.report.demand(longest <= SHORT + LATE, || format!("a call took {longest:?} of {SHORT:?}"));
    Ok(())
}

/// Of this process: descriptors, threads, MiB of memory.
fn resources(bench: &Bench) -> (usize, usize, usize) {
    let (descriptors, threads) = descriptors_and_threads();
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split(' ').nth(1).map_or(0, |pages| pages.parse().unwrap_or(0));
    // Each has an end of the library's, and two of the proxy's.
    let open: usize = bench.world.proxies.iter().map(|proxy| 3 * proxy.open()).sum();
    (descriptors.saturating_sub(open), threads, pages / 256)
}

pub fn descriptors_and_threads() -> (usize, usize) {
    let count = |directory: &str| std::fs::read_dir(directory).map_or(0, Iterator::count);
    (count("/proc/self/fd"), count("/proc/self/task"))
}
