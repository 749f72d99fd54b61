//! F12: 5,000 watches of one client lose their connection. All go on, and soon.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::history::{Event as Change, PROBES};
use crate::library::{Event, Queue, Watch, Watching};
use crate::load;
use crate::proxy::End;
use crate::report::Report;
use crate::world::{wait, Result, World};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

pub const SCENARIO: Scenario = Scenario { name: "F12", title: "5,000 watches, dropped", fast: 2, full: 20, run };

const WATCHES: usize = 5000;
const RESUMED: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(20);

/// What one watch has said.
#[derive(Default, Clone)]
struct Said {
    changes: Vec<Change>,
    lives: usize,
    resumes: usize,
    closed: usize,
}

#[derive(Default)]
struct Ear {
    said: Mutex<(bool, Vec<Said>)>,
    more: Condvar,
}

impl Ear {
    fn hear(&self, queue: &Queue) {
        loop {
            let next = queue.next(Duration::from_millis(50));
            let mut said = self.said.lock().unwrap();
            if said.0 {
                return;
            }
            let Some((mark, event)) = next else { continue };
            let said = &mut said.1[mark];
            match event {
                Event::Changes { changes, .. } => said.changes.extend(changes.iter().map(crate::follow::change)),
                Event::Live => said.lives += 1,
                Event::Resumed => said.resumes += 1,
                Event::Closed(..) => said.closed += 1,
                _ => {}
            }
            self.more.notify_all();
        }
    }

    /// Waits until this is true of every watch; of how many it is not.
    fn missing(&self, limit: Duration, wanted: impl Fn(usize, &Said) -> bool) -> usize {
        let missing =
            |said: &(bool, Vec<Said>)| said.1.iter().enumerate().filter(|(i, said)| !wanted(*i, said)).count();
        let deadline = Instant::now() + limit;
        let mut said = self.said.lock().unwrap();
        loop {
            let (left, time) = (missing(&said), deadline.saturating_duration_since(Instant::now()));
            if left == 0 || time.is_zero() {
                return left;
            }
            said = self.more.wait_timeout(said, time).unwrap().0;
        }
    }
}

fn key(i: usize) -> String {
    format!("{PROBES}watched/{i:04}")
}

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let client = load::client(&world.proxied())?;
    let mut bench = Bench::start(world, setting, Vec::new())?;
    let queue = Arc::new(Queue::new()?);
    let ear = Arc::new(Ear { said: Mutex::new((false, vec![Said::default(); WATCHES])), more: Condvar::new() });
    let (theirs, heard) = (Arc::clone(&queue), Arc::clone(&ear));
    let thread = std::thread::spawn(move || heard.hear(&theirs));
    let (before, start) = (bench.world.watchers()?, bench.world.revision()? + 1);
    let watch = |i| Watch::marked(&client, Watching::key(key(i).as_bytes()).from(start), &queue, i);
    let begun = Instant::now();
    let watches = (0..WATCHES).map(watch).collect::<std::result::Result<Vec<Watch>, _>>()?;
    let missing = ear.missing(SOON, |_, said| said.lives == 1);
    bench.report.demand(missing == 0, || format!("{missing} watches do not go live"));
    bench.report.figure(format!("{WATCHES} watches live after {:.2?}", begun.elapsed()));
    while bench.next_round()? {
        let round = bench.report.rounds;
        let pairs: Vec<_> = (0..WATCHES).map(|i| (key(i), format!("{round}"))).collect();
        let pause = Duration::from_secs_f64(bench.rng.f64() * 0.3);
        let end = if bench.rng.bool() { End::Fin } else { End::Rst };
        let resumed: Vec<usize> = ear.said.lock().unwrap().1.iter().map(|said| said.resumes).collect();
        let world = &bench.world;
        let dropped = std::thread::scope(|scope| -> Result<Duration> {
            let writing = scope.spawn(|| world.put_all(&pairs));
            std::thread::sleep(pause);
            world.proxies.iter().for_each(|proxy| proxy.drop_all(end));
            let dropped = world.note("all connections are dropped");
            let missing = ear.missing(SOON, |i, said| said.resumes > resumed[i]);
            let took = world.now() - dropped;
            writing.join().expect("it does not panic")?;
            bench.report.demand(missing == 0, || format!("{missing} watches did not resume in round {round}"));
            bench.report.recovered("all resumed", (missing == 0).then_some(took));
            Ok(dropped)
        })?;
        let missing = ear.missing(SOON, |_, said| said.changes.len() == round);
        bench.report.demand(missing == 0, || format!("{missing} watches do not have {round} changes"));
        let servers = wait("the servers to forget the old ones", SOON, || {
            bench.world.watchers().ok().filter(|count| *count == before + WATCHES)
        });
        let now = bench.world.watchers()?.saturating_sub(before);
        bench.report.demand(servers.is_ok(), || format!("the servers have {now} watches, not {WATCHES}"));
        bench.world.note(format!("all is well {:.2?} later", bench.world.now() - dropped));
    }
    bench.report.demand_recovery("all resumed", None, RESUMED);
    bench.finish_with(|report, events| {
        ear.said.lock().unwrap().0 = true;
        thread.join().expect("it does not panic");
        drop(watches);
        judge(report, events, &ear.said.lock().unwrap().1);
        Vec::new()
    })
}

fn judge(report: &mut Report, events: &[Change], said: &[Said]) {
    let mut wanted = vec![Vec::new(); WATCHES];
    for event in events {
        let number = event.key.rsplit('/').next().and_then(|number| number.parse::<usize>().ok());
        wanted[number.expect("all keys have one")].push(event.clone());
    }
    for (i, (said, wanted)) in said.iter().zip(&wanted).enumerate() {
        report.demand(said.changes == *wanted, || {
            let revisions = |changes: &[Change]| changes.iter().map(|change| change.revision).collect::<Vec<_>>();
            format!("watch {i} said {:?}, and H has {:?}", revisions(&said.changes), revisions(wanted))
        });
        report.demand(said.lives == 1 && said.closed == 0, || {
            format!("watch {i} went live {} times and closed {}", said.lives, said.closed)
        });
    }
}
