//! F14: of 100 watches one has a slow callback and one a callback that never returns. The others do not notice,
//! and memory has a bound.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::history::PROBES;
use crate::library::{Client, Event, Op, Overflow, Queue, Watch, Watching};
use crate::load::{self, LIMIT};
use crate::report::{spread, Report};
use crate::world::{Result, World};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

pub const SCENARIO: Scenario =
    Scenario { name: "F14", title: "callbacks slow, and without end", fast: 1, full: 5, run };

const WATCHES: usize = 100;
const SLOW: usize = 0;
const STUCK: usize = 1;
/// So many changes of each watch in a second.
const PACE: u64 = 20;
const LONG: Duration = Duration::from_secs(60);
const SHORTER: Duration = Duration::from_secs(10);
const LAG: Duration = Duration::from_millis(250);
const SOON: Duration = Duration::from_secs(30);
/// What the slow one and the one without end are to keep at most, each; and what they are sent.
const BOUND: i64 = 4 << 20;
const SENT: usize = 24 << 20;
/// What else may grow: what the rig itself keeps, and what the allocator does.
const SLACK: i64 = 16 << 20;

/// What callbacks tell.
#[derive(Default)]
struct Ear {
    /// Of each watch: the numbers of the rounds of puts it heard of, and when.
    heard: Mutex<Vec<Vec<(u64, Instant)>>>,
    closed: Mutex<usize>,
    more: Condvar,
    /// The slow one may hurry, and the one without end may end.
    over: AtomicBool,
    parked: AtomicBool,
}

impl Ear {
    fn hear(&self, watch: usize, event: Event) {
        match event {
            Event::Changes { changes, .. } => {
                let number = |value: &[u8]| String::from_utf8_lossy(&value[..8]).parse().unwrap_or(u64::MAX);
                let mut heard = self.heard.lock().unwrap();
                heard[watch].extend(changes.iter().map(|change| (number(&change.kv.value), Instant::now())));
                drop(heard);
                match watch {
                    SLOW if !self.over.load(Ordering::SeqCst) => std::thread::sleep(Duration::from_secs(1)),
                    STUCK => {
                        while !self.over.load(Ordering::SeqCst) {
                            std::thread::park_timeout(Duration::from_millis(10))
                        }
                    }
                    _ => {}
                }
            }
            Event::Parked => self.parked.store(true, Ordering::SeqCst),
            Event::Closed(..) => *self.closed.lock().unwrap() += 1,
            _ => {}
        }
        self.more.notify_all();
    }
}

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let writer = load::client(&world.endpoints())?;
    let mut bench = Bench::start(world, setting, Vec::new())?;
    while bench.next_round()? {
        let client = load::client(&bench.world.endpoints())?;
        round(&mut bench, setting, &client, &writer)?;
    }
    bench.finish()
}

fn round(bench: &mut Bench, setting: &Setting, client: &Arc<Client>, writer: &Arc<Client>) -> Result<()> {
    let ear = Arc::new(Ear { heard: Mutex::new(vec![Vec::new(); WATCHES]), ..Ear::default() });
    let queues = [Arc::new(Queue::new()?), Arc::new(Queue::new()?)];
    let done = AtomicBool::new(false);
    let round = bench.report.rounds;
    let key = |i: usize| format!("{PROBES}slow/{round}/{i:02}").into_bytes();
    let start = bench.world.revision()? + 1;
    let mut watches = Vec::new();
    for i in 0..WATCHES {
        let mut watching = Watching::key(&key(i)).from(start);
        if i <= STUCK && Watching::can_bound() {
            watching = watching.buffer(BOUND, Overflow::Park);
        }
        let theirs = Arc::clone(&ear);
        let queue = queues.get(i).map(|queue| &**queue);
        watches.push(Watch::calling(client, watching, queue, move |event| theirs.hear(i, event))?);
    }
    let lasts = if setting.full { LONG } else { SHORTER };
    let count = lasts.as_secs() * PACE;
    let size = SENT / count as usize;
    let before = memory();
    let mut acknowledged = Vec::new();
    std::thread::scope(|scope| -> Result<()> {
        for queue in &queues {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let _ = queue.dispatch(Duration::from_millis(50));
                }
            });
        }
        bench.world.note("changes from now on");
        let begun = Instant::now();
        let written = (0..count).try_for_each(|number| -> Result<()> {
            std::thread::sleep(
                (begun + Duration::from_millis(number * 1000 / PACE)).saturating_duration_since(Instant::now()),
            );
            let value = |i: usize| {
                let mut value = format!("{number:08}").into_bytes();
                value.resize(if i <= STUCK { size.max(8) } else { 8 }, b'.');
                value
            };
            let pairs: Vec<_> = (0..WATCHES).map(|i| (key(i), value(i))).collect();
            let op = Op::puts(pairs.iter().map(|(key, value)| (&key[..], &value[..])));
            writer.execute(&op.timeout(2 * LIMIT))?;
            acknowledged.push(Instant::now());
            Ok(())
        });
        let grown = memory() - before;
        bench.world.note("no more changes");
        let whole = |heard: &Vec<Vec<(u64, Instant)>>, watches: std::ops::Range<usize>| {
            heard[watches].iter().all(|heard| heard.len() as u64 >= count)
        };
        let wait = |watches: std::ops::Range<usize>| {
            let heard = ear.heard.lock().unwrap();
            let missing = |heard: &mut Vec<_>| !whole(heard, watches.clone());
            !ear.more.wait_timeout_while(heard, SOON, missing).unwrap().1.timed_out()
        };
        bench.report.demand(wait(STUCK + 1..WATCHES), || "the others do not hear all".into());
        let slow = ear.heard.lock().unwrap()[SLOW].len();
        ear.over.store(true, Ordering::SeqCst);
        bench
            .report
            .demand(wait(0..STUCK + 1), || "the slow one, or the one without end, does not hear all after it".into());
        done.store(true, Ordering::SeqCst);
        let bound = 2 * BOUND * 12 / 10 + SLACK;
        let parked = if ear.parked.load(Ordering::SeqCst) { "parked" } else { "NOT parked" };
        bench.report.figure(format!(
            "the slow one heard {slow} of {count} in time, {parked}; memory grew by {} MiB of {} that were sent it",
            grown >> 20,
            (2 * SENT) >> 20
        ));
        if Watching::can_bound() {
            bench.report.demand(grown <= bound, || format!("memory grew by {grown} bytes, more than {bound}"));
            bench.report.demand(parked == "parked", || "no watch was parked".into());
        } else {
            bench.report.figure("NOT TESTED: this libetcd3 has no bound for what waits");
        }
        written
    })?;
    judge(bench, &ear.heard.lock().unwrap(), &acknowledged, count);
    drop(watches);
    queues.iter().for_each(|queue| drop(queue.dispatch(Duration::ZERO)));
    let closed = ear.closed.lock().unwrap();
    let open = |closed: &mut usize| *closed < WATCHES;
    let closed = *ear.more.wait_timeout_while(closed, SOON, open).unwrap().0;
    bench.report.demand(closed == WATCHES, || format!("{closed} of {WATCHES} watches have said their last"));
    Ok(())
}

fn judge(bench: &mut Bench, heard: &[Vec<(u64, Instant)>], acknowledged: &[Instant], count: u64) {
    let mut lags = Vec::new();
    for (watch, heard) in heard.iter().enumerate() {
        let numbers = heard.iter().map(|(number, _)| *number);
        bench.report.demand(numbers.eq(0..count), || format!("watch {watch} did not hear all once and in order"));
        if watch > STUCK {
            let lag = |(number, at): &(u64, Instant)| at.saturating_duration_since(acknowledged[*number as usize]);
            lags.extend(heard.iter().filter(|(number, _)| *number < count).map(lag));
        }
    }
    if lags.is_empty() {
        return;
    }
    bench.report.figure(format!("the others lag behind the writer p50/p99/max {}", spread(&lags)));
    let p99 = crate::report::percentile(&lags, 99);
    bench.report.demand(p99 <= LAG, || format!("the others lag by {p99:.0?} at p99, more than {LAG:?}"));
}

/// Of this process, in bytes.
fn memory() -> i64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).map_or(0, |pages| pages.parse::<i64>().unwrap_or(0)) * 4096
}
