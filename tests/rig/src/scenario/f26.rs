//! F26: the member that a client asks lags behind. A watch from now on still begins with its call.

use super::{others, Scenario, Setting};
use crate::bench::Bench;
use crate::history::PROBES;
use crate::library::{Client, Event, Watch, Watching};
use crate::load::{self, LIMIT};
use crate::report::Report;
use crate::world::{Result, World};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const SCENARIO: Scenario =
    Scenario { name: "F26", title: "a watch at a member that lags", fast: 60, full: 300, run };

const DELAY: Duration = Duration::from_millis(500);
/// So many trials at a time.
const THREADS: usize = 20;
const SOON: Duration = Duration::from_secs(10);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::with_peers(setting)?;
    let one = Setting { rounds: 1, version: setting.version.clone(), ..*setting };
    let mut bench = Bench::start(world, &one, Vec::new())?;
    bench.next_round()?;
    let leader = bench.world.wait_healthy()?;
    let late = others(leader)[bench.rng.usize(..2)];
    let endpoints = bench.world.endpoints();
    let writer = load::client(&[&endpoints[leader]])?;
    let reader = load::client(&[&endpoints[late]])?;
    let peers = bench.world.peers.as_ref().expect("a world with peers");
    peers.delay(&bench.world.cluster, late, DELAY);
    bench.world.note(format!("member {late} hears the others {DELAY:?} late"));
    let lag = lag(&writer, &reader)?;
    let (next, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let problems: Vec<String> = std::thread::scope(|scope| {
        let work = || -> Vec<String> {
            let trials =
                std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::SeqCst)).filter(|i| *i < setting.rounds));
            trials.filter_map(|i| trial(&writer, &reader, i).err()).map(|error| error.to_string()).collect()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it does not panic")).collect()
    });
    wrong.fetch_add(problems.len(), Ordering::SeqCst);
    bench.world.peers.as_ref().expect("a world with peers").heal();
    bench.report.figure(format!("{} watches at a member that lagged by {lag:.0?}", setting.rounds));
    // Else nothing was tested.
    bench.report.demand(lag >= DELAY / 2, || format!("the member lags by {lag:?} only"));
    bench.report.problems.extend(problems);
    bench.report.rounds = setting.rounds;
    bench.finish()
}

/// How long after the others the member knows of a put.
fn lag(writer: &Client, reader: &Client) -> Result<Duration> {
    let key = format!("{PROBES}lag");
    writer.put(key.as_bytes(), b"", LIMIT)?;
    let put = Instant::now();
    let get = || crate::library::Op::get(key.as_bytes()).serializable().timeout(LIMIT);
    while reader.execute(&get())?.kvs.is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(put.elapsed())
}

/// A put before the watch, which is not to be told, and one after it, which is.
fn trial(writer: &Client, reader: &Arc<Client>, i: usize) -> Result<()> {
    let key = format!("{PROBES}lagging/{i}").into_bytes();
    writer.put(&key, b"before", LIMIT)?;
    let watch = Watch::start(reader, Watching::key(&key))?;
    writer.put(&key, b"after", LIMIT)?;
    let deadline = Instant::now() + SOON;
    while let Some(event) = watch.next(deadline.saturating_duration_since(Instant::now())) {
        if let Event::Changes { changes, .. } = event {
            let values: Vec<_> = changes.iter().map(|change| String::from_utf8_lossy(&change.kv.value)).collect();
            return match &values[..] {
                [only] if only == "after" => Ok(()),
                _ => Err(format!("trial {i}: a watch from now on was told {values:?}").into()),
            };
        }
    }
    Err(format!("trial {i}: the watch was not told of the put after it within {SOON:?}").into())
}
