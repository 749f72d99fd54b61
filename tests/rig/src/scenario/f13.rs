//! F13: a watch of all of a long history, and one of changes too large for a message, whose connections are cut
//! at random: what they deliver is what happened.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::check::{check_before, check_watch};
use crate::follow::Follower;
use crate::history::PROBES;
use crate::library::{Client, Op, Watching};
use crate::load::{self, LIMIT};
use crate::proxy::{Direction, End};
use crate::report::Report;
use crate::world::{Result, World};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const SCENARIO: Scenario =
    Scenario { name: "F13", title: "long histories, large changes, cuts", fast: 2, full: 10, run };

const LONG: usize = 100_000;
const SHORTER: usize = 8_000;
const WRITERS: usize = 16;
const KEYS: usize = 500;
/// 1.4 MB of one revision; with what was there before, twice that and more than a message may have.
const LARGE: usize = 100_000;
const LARGE_KEYS: usize = 14;
const LARGE_TXNS: usize = 6;
const MOST_CUTS: usize = 12;
const SOON: Duration = Duration::from_secs(60);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let writer = load::client(&world.endpoints())?;
    let client = load::client(&world.proxied())?;
    let mut bench = Bench::start(world, setting, Vec::new())?;
    let revisions = if setting.full { LONG } else { SHORTER };
    let begun = Instant::now();
    write(&writer, revisions)?;
    bench.report.figure(format!("{revisions} revisions written in {:.1?}", begun.elapsed()));
    let mut cuts = 0;
    while bench.next_round()? {
        cuts += long(&mut bench, &client)?;
        cuts += large(&mut bench, &client, &writer)?;
    }
    bench.report.figure(format!("{cuts} cuts"));
    bench.report.demand(cuts > bench.report.rounds, || format!("only {cuts} cuts"));
    bench.finish()
}

fn write(client: &Arc<Client>, revisions: usize) -> Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            loop {
                let i = next.fetch_add(1, Ordering::SeqCst);
                if i >= revisions {
                    return Ok(());
                }
                let key = format!("{PROBES}long/{}", i % KEYS);
                client.put(key.as_bytes(), i.to_string().as_bytes(), 2 * LIMIT)?;
            }
        };
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(work)).collect();
        writers.into_iter().try_for_each(|writer| writer.join().expect("it does not panic"))
    })
}

/// One watch of everything from the beginning on; how often it was cut.
fn long(bench: &mut Bench, client: &Arc<Client>) -> Result<usize> {
    let prefix = format!("{PROBES}long/");
    let name = format!("long-{}", bench.report.rounds);
    let events: Vec<_> = bench.world.events()?.into_iter().filter(|event| event.key.starts_with(&prefix)).collect();
    let last = events.last().map_or(0, |event| event.revision);
    let begun = Instant::now();
    let watch = Follower::start(&bench.world.recorder, &name, client, &prefix, 2)?;
    let mut cuts = 0;
    while !watch.wait(last, Duration::from_millis(bench.rng.u64(10..150))) && begun.elapsed() < SOON {
        if cuts < MOST_CUTS {
            cut(bench, 300_000);
            cuts += 1;
        }
    }
    bench.report.recovered("whole history", (watch.log().last() >= last).then(|| begun.elapsed()));
    bench.report.problems.extend(check_watch(&watch.log(), &events).iter().map(ToString::to_string));
    Ok(cuts)
}

/// Cuts whatever carries the watch, after so many bytes at most.
fn cut(bench: &mut Bench, most: u64) {
    let end = if bench.rng.bool() { End::Fin } else { End::Rst };
    let bytes = bench.rng.u64(..most);
    bench.world.note(format!("{end:?} after {bytes} bytes"));
    // Whichever of them it is.
    bench.world.proxies.iter().for_each(|proxy| proxy.cut_after(bytes, Direction::Down, end));
}

fn large(bench: &mut Bench, client: &Arc<Client>, writer: &Arc<Client>) -> Result<usize> {
    let prefix = format!("{PROBES}large/{}/", bench.report.rounds);
    let name = format!("large-{}", bench.report.rounds);
    let start = bench.world.revision()? + 1;
    let watching = Watching::prefix(prefix.as_bytes()).prev_kv();
    let watch = Follower::with(&bench.world.recorder, &name, client, &prefix, start, watching)?;
    let mut cuts = 0;
    for txn in 0..LARGE_TXNS {
        if txn > 0 {
            cut(bench, 2_000_000);
            cuts += 1;
        }
        let value = |i: usize| format!("{txn}-{i}-").repeat(LARGE / 4).into_bytes();
        let pairs: Vec<_> =
            (0..LARGE_KEYS).map(|i| (format!("{prefix}{i:02}").into_bytes(), value(i)[..LARGE].to_vec())).collect();
        let op = Op::puts(pairs.iter().map(|(key, value)| (&key[..], &value[..])));
        writer.execute(&op.timeout(2 * LIMIT))?;
        std::thread::sleep(Duration::from_millis(bench.rng.u64(..100)));
    }
    let events: Vec<_> = bench.world.events()?.into_iter().filter(|event| event.key.starts_with(&prefix)).collect();
    watch.wait(events.last().map_or(0, |event| event.revision), SOON);
    let log = watch.log();
    for violation in check_watch(&log, &events).iter().chain(&check_before(&log, &events)) {
        bench.report.problem(violation.to_string());
    }
    Ok(cuts)
}
