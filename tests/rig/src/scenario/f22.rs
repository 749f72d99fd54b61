//! F22: watches and clients are made and ended by many threads and in callbacks, with the members up, down, and
//! out of reach.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::history::PROBES;
use crate::library::{Client, Config, Event, Watch, Watching};
use crate::proxy::{End, Plan};
use crate::report::Report;
use crate::world::{Result, World};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

pub const SCENARIO: Scenario =
    Scenario { name: "F22", title: "storms of create, cancel, close", fast: 3, full: 9, run };

const OPS: usize = 1200;
const THREADS: usize = 6;
const CLIENTS: usize = 3;
const WATCHES: usize = 40;
/// How long a close may take, also if nobody answers.
const CLOSE: Duration = Duration::from_secs(2);
const SOON: Duration = Duration::from_secs(10);
const SLACK: usize = 8;

/// What all threads and callbacks do it to.
struct Storm {
    endpoints: Vec<String>,
    clients: RwLock<Vec<Arc<Client>>>,
    watches: Mutex<Vec<Arc<Watch>>>,
    started: AtomicUsize,
    closed: AtomicUsize,
    in_callbacks: AtomicUsize,
    /// Watches that said something after their last word.
    late: AtomicUsize,
    problems: Mutex<Vec<String>>,
    slowest: Mutex<Duration>,
    over: AtomicBool,
}

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let mut bench = Bench::start(world, setting, Vec::new())?;
    let mut before = None;
    while bench.next_round()? {
        before.get_or_insert_with(super::f10::descriptors_and_threads);
        let (what, plan) = match bench.report.rounds % 3 {
            1 => ("the members up", Plan::pass()),
            2 => ("the members down", Plan::refuse()),
            _ => ("the members out of reach", Plan::blackhole()),
        };
        bench.world.note(format!("a storm with {what}"));
        let storm = Arc::new(storm(&bench.world)?);
        // So that there is something to lose.
        work(&storm, bench.rng.fork(), OPS / 10);
        bench.world.proxies.iter().for_each(|proxy| proxy.set(plan.clone()));
        if plan.door == Plan::refuse().door {
            bench.world.proxies.iter().for_each(|proxy| proxy.drop_all(End::Rst));
        }
        let rngs: Vec<_> = (0..THREADS).map(|_| bench.rng.fork()).collect();
        std::thread::scope(|scope| {
            for rng in rngs {
                scope.spawn(|| work(&storm, rng, OPS / THREADS));
            }
        });
        end(&mut bench, &storm);
        bench.world.proxies.iter().for_each(|proxy| proxy.set(Plan::pass()));
    }
    let (descriptors, threads) = before.unwrap_or_default();
    bench.world.wait_healthy()?;
    let settled = crate::world::wait("descriptors and threads to be as before", SOON, || {
        let (descriptors_now, threads_now) = super::f10::descriptors_and_threads();
        (descriptors_now <= descriptors + SLACK && threads_now <= threads + SLACK).then_some(())
    });
    let now = super::f10::descriptors_and_threads();
    bench.report.figure(format!("descriptors {descriptors} -> {}, threads {threads} -> {}", now.0, now.1));
    bench.report.demand(settled.is_ok(), || format!("descriptors or threads leak: {now:?}"));
    bench.finish()
}

fn open(endpoints: &[String]) -> Result<Arc<Client>> {
    Ok(Arc::new(Client::open(Config::new(endpoints).timeout(Duration::from_millis(500)))?))
}

fn storm(world: &World) -> Result<Storm> {
    let endpoints = world.proxied();
    let clients = (0..CLIENTS).map(|_| open(&endpoints)).collect::<Result<Vec<_>>>()?;
    Ok(Storm {
        endpoints,
        clients: RwLock::new(clients),
        watches: Mutex::default(),
        started: AtomicUsize::new(0),
        closed: AtomicUsize::new(0),
        in_callbacks: AtomicUsize::new(0),
        late: AtomicUsize::new(0),
        problems: Mutex::default(),
        slowest: Mutex::default(),
        over: AtomicBool::new(false),
    })
}

fn work(storm: &Arc<Storm>, mut rng: fastrand::Rng, ops: usize) {
    for _ in 0..ops {
        one(storm, &mut rng);
    }
}

/// Does one thing of those that can be done.
fn one(storm: &Arc<Storm>, rng: &mut fastrand::Rng) {
    // It may be over.
    let client = storm.clients.read().unwrap().get(rng.usize(..CLIENTS)).cloned();
    let Some(client) = client else { return };
    match rng.usize(..100) {
        0..50 => watch(storm, &client, rng),
        50..70 => {
            let watch = pick(storm, rng);
            if let Some(watch) = watch {
                watch.cancel();
            }
        }
        70..80 => {
            let watch = pick(storm, rng);
            if let Some(watch) = watch {
                let _ = watch.join(Duration::from_millis(rng.u64(..20)));
            }
        }
        80..88 => {
            let mut watches = storm.watches.lock().unwrap();
            let count = watches.len();
            let gone = (count > 0).then(|| watches.swap_remove(rng.usize(..count)));
            drop(watches);
            drop(gone);
        }
        88..98 => {
            let key = format!("{PROBES}storm/{}", rng.usize(..8));
            let _ = client.put(key.as_bytes(), b"", Duration::from_millis(30));
        }
        _ => {
            let Ok(fresh) = open(&storm.endpoints) else { return };
            let i = rng.usize(..CLIENTS);
            let old = storm.clients.write().unwrap().get_mut(i).map(|place| std::mem::replace(place, fresh));
            if let Some(old) = old {
                close(storm, &old);
            }
        }
    }
}

fn pick(storm: &Storm, rng: &mut fastrand::Rng) -> Option<Arc<Watch>> {
    let watches = storm.watches.lock().unwrap();
    (!watches.is_empty()).then(|| Arc::clone(&watches[rng.usize(..watches.len())]))
}

/// Starts a watch whose callback is part of the storm.
fn watch(storm: &Arc<Storm>, client: &Arc<Client>, rng: &mut fastrand::Rng) {
    let theirs = Arc::clone(storm);
    let mut fate = rng.fork();
    let fate = Mutex::new(move || fate.usize(..4));
    let said_last = AtomicBool::new(false);
    let heard = move |event: Event| {
        if said_last.load(Ordering::SeqCst) {
            theirs.late.fetch_add(1, Ordering::SeqCst);
        }
        match event {
            Event::Closed(..) => {
                said_last.store(true, Ordering::SeqCst);
                theirs.closed.fetch_add(1, Ordering::SeqCst);
            }
            _ if theirs.over.load(Ordering::SeqCst) => {}
            _ => {
                theirs.in_callbacks.fetch_add(1, Ordering::SeqCst);
                let mut rng = fastrand::Rng::new();
                if fate.lock().unwrap()() == 0 {
                    one(&theirs, &mut rng);
                }
            }
        }
    };
    // From a revision on: one from now on reads, and would wait for members that are away.
    let started = Watch::calling(client, Watching::prefix(PROBES.as_bytes()).from(2), None, heard);
    let Ok(watch) = started else { return };
    storm.started.fetch_add(1, Ordering::SeqCst);
    let mut watches = storm.watches.lock().unwrap();
    watches.push(Arc::new(watch));
    let gone = (watches.len() > WATCHES).then(|| watches.swap_remove(0));
    drop(watches);
    drop(gone);
}

fn close(storm: &Storm, client: &Client) {
    let begun = Instant::now();
    let closed = client.close(CLOSE);
    let took = begun.elapsed();
    let mut slowest = storm.slowest.lock().unwrap();
    *slowest = (*slowest).max(took);
    if let Err(fault) = closed {
        storm.problems.lock().unwrap().push(format!("a close failed after {took:.2?}: {fault}"));
    }
    if took > CLOSE {
        storm.problems.lock().unwrap().push(format!("a close took {took:.2?}, more than {CLOSE:?}"));
    }
}

fn end(bench: &mut Bench, storm: &Arc<Storm>) {
    storm.over.store(true, Ordering::SeqCst);
    let clients = std::mem::take(&mut *storm.clients.write().unwrap());
    for client in &clients {
        close(storm, client);
    }
    let count = || (storm.started.load(Ordering::SeqCst), storm.closed.load(Ordering::SeqCst));
    let all = crate::world::wait("last words", SOON, || (count().0 == count().1).then_some(()));
    let watches = std::mem::take(&mut *storm.watches.lock().unwrap());
    drop(watches);
    drop(clients);
    let (started, closed) = count();
    bench.report.demand(all.is_ok(), || format!("of {started} watches {closed} have said their last"));
    let late = storm.late.load(Ordering::SeqCst);
    bench.report.demand(late == 0, || format!("{late} events after the last"));
    bench.report.problems.append(&mut storm.problems.lock().unwrap());
    bench.report.figure(format!(
        "{started} watches, {} events in callbacks, slowest close {:.2?}",
        storm.in_callbacks.load(Ordering::SeqCst),
        storm.slowest.lock().unwrap()
    ));
}
