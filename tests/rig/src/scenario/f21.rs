//! F21: eight processes campaign. They are killed and stopped, and so is the leader of the cluster; observers follow.

use super::line::{battle, judge, name, Line};
use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::contender::{now, Word, TTL};
use crate::history::Event as Change;
use crate::library::{has, Event, Observer, Queue};
use crate::load;
use crate::report::Report;
use crate::world::{Result, World};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub const SCENARIO: Scenario = Scenario { name: "F21", title: "8 candidates killed, observers", fast: 1, full: 2, run };

const TURNS: usize = 20;
const LONG_TURNS: usize = 100;
/// How soon observers know who leads.
const CONVERGED: Duration = Duration::from_secs(3);
/// After the last candidate is dead.
const EMPTY: Duration = Duration::from_secs(6);

/// Whom an observer took for the leader, by the token, and since when.
type Reports = Vec<(Duration, Option<i64>)>;

/// An observer, the thread that listens to it, and what it said.
struct Follows {
    said: Arc<Mutex<Reports>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Follows {
    fn start(world: &World, name: &str) -> Result<Follows> {
        let client = load::client(&world.endpoints())?;
        let queue = Queue::new()?;
        let observer = Observer::start(&client, name, &queue)?;
        let (said, over) = (Arc::<Mutex<Reports>>::default(), Arc::<AtomicBool>::default());
        let (theirs, told) = (Arc::clone(&said), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::SeqCst) {
                if let Some((_, Event::Leader(leader))) = queue.next(Duration::from_millis(50)) {
                    theirs.lock().unwrap().push((now(), leader.map(|kv| kv.create_revision)));
                }
            }
            drop((observer, client));
        });
        Ok(Follows { said, over, thread: Some(thread) })
    }

    fn said(&self) -> Reports {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it says that nobody leads.
    fn wait_none(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while !matches!(self.said().last(), Some((_, None))) {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

impl Drop for Follows {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let mut bench = Bench::start(world, setting, Vec::new())?;
    if !has("etcd3_election_observe") {
        bench.report.figure("NOT TESTED: this libetcd3 has no elections");
        return bench.finish();
    }
    let mut lines: Vec<(Line, Vec<Reports>)> = Vec::new();
    while bench.next_round()? {
        let name = name("elect", &bench);
        let observers = [Follows::start(&bench.world, &name)?, Follows::start(&bench.world, &name)?];
        let line = battle(&mut bench, "elect", setting, if setting.full { LONG_TURNS } else { TURNS })?;
        for (i, observer) in observers.iter().enumerate() {
            let empty = observer.wait_none(TTL + EMPTY);
            bench.report.demand(empty, || format!("observer {i} takes a dead candidate for the leader"));
        }
        lines.push((line, observers.iter().map(Follows::said).collect()));
    }
    bench.finish_with(|report, events: &[Change]| {
        for (line, observers) in &lines {
            judge(report, events, line);
            for said in observers {
                converged(report, &line.words(), said);
            }
        }
        Vec::new()
    })
}

/// Whoever led for long enough was known to the observer soon; and nobody was who never led.
fn converged(report: &mut Report, words: &[Word], said: &[(Duration, Option<i64>)]) {
    let mut times = Vec::new();
    for got in words.iter().filter(|word| word.what == "got") {
        let left = words.iter().find(|word| word.what == "leaving" && word.number == got.number);
        let told = said.iter().find(|(_, token)| *token == Some(got.number)).map(|(at, _)| at.saturating_sub(got.at));
        times.extend(told);
        let long = left.is_some_and(|left| left.at - got.at >= CONVERGED);
        report.demand(!long || told.is_some_and(|told| told <= CONVERGED), || {
            format!("an observer learned after {told:?} of {got:?}, who led until {left:?}")
        });
    }
    if !times.is_empty() {
        report.figure(format!(
            "an observer knew of {} leaders, p50/p99/max {}",
            times.len(),
            crate::report::spread(&times)
        ));
    }
    report.demand(!times.is_empty(), || "an observer knew of nobody".into());
}
