//! F8: an endpoint becomes a blackhole, or half of one: watches move, calls keep their limits.

use super::{Scenario, Setting};
use crate::bench::{Bench, LATE};
use crate::history::Action;
use crate::library::{Client, Config};
use crate::load::{self, call, Caller, Mix, LIMIT};
use crate::proxy::{Direction, Plan, Proxy};
use crate::report::Report;
use crate::world::{Result, World};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const SCENARIO: Scenario = Scenario { name: "F8", title: "blackhole, half-open", fast: 3, full: 60, run };

/// The part of it that is about limits of time, alone.
pub const DEADLINES: Scenario =
    Scenario { name: "deadlines", title: "limits of calls into a blackhole", fast: 0, full: 0, run: deadlines };

/// The library's defaults for pings, and the least it takes.
const PING: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3));
const FAST_PING: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(2));

/// With a watch that does not move.
const PATIENCE: Duration = Duration::from_secs(30);

const LIMITS: [u64; 3] = [200, 500, 1000];

fn mode(round: usize) -> (&'static str, Plan) {
    match round % 3 {
        1 => ("a blackhole", Plan::blackhole()),
        2 => ("deaf", Plan::half_open(Direction::Up)),
        _ => ("mute", Plan::half_open(Direction::Down)),
    }
}

/// Writers who are not concerned, and a reader who has three endpoints that may be.
fn start(setting: &Setting) -> Result<Bench> {
    let world = World::start(setting)?;
    let mut callers = load::patient(&world.endpoints())?;
    callers.truncate(3);
    callers.push(Caller::new("through", &load::client(&world.proxied())?, Mix::Reads, 50, LIMIT));
    Bench::start(world, setting, callers)
}

fn run(setting: &Setting) -> Result<Report> {
    let mut bench = start(setting)?;
    let before = bench.world.cluster.endpoints();
    let proxies =
        before.iter().map(|endpoint| Proxy::new(endpoint, setting.seed)).collect::<std::io::Result<Vec<_>>>()?;
    let addresses: Vec<&str> = proxies.iter().map(|proxy| proxy.address()).collect();
    let (interval, timeout) = if setting.full { PING } else { FAST_PING };
    let watching = Client::open(Config::new(&addresses).timeout(LIMIT).keepalive(interval, timeout))?;
    bench.follow("watch-sick", &Arc::new(watching), 2)?;
    while bench.next_round()? {
        let (what, plan) = mode(bench.report.rounds);
        let victim = serving(&proxies);
        let fault = bench.world.note(format!("endpoint {victim} is {what}"));
        proxies[victim].set(plan.clone());
        let before = bench.followers.last().expect("the watch that was added").log();
        call_into(&mut bench, victim, plan)?;
        let watch = bench.followers.last().expect("the watch that was added");
        // One that is deaf goes on delivering for a while.
        let moved = watch.wait_resumed(before.resumes, PATIENCE).then(|| bench.world.now() - fault);
        let heard = watch.wait_after(before.last(), PATIENCE).map(|heard| heard.saturating_sub(fault));
        bench.report.recovered(&format!("watch of {what}"), moved.zip(heard).map(|(moved, heard)| moved.max(heard)));
        proxies[victim].set(Plan::pass());
    }
    for round in 1..=setting.rounds.min(3) {
        let what = format!("watch of {}", mode(round).0);
        bench.report.demand_recovery(&what, None, interval + timeout + Duration::from_secs(2));
    }
    bench.demand_reads();
    bench.finish()
}

fn deadlines(setting: &Setting) -> Result<Report> {
    let mut bench = start(setting)?;
    while bench.next_round()? {
        let (what, plan) = mode(bench.report.rounds);
        let victim = bench.rng.usize(..3);
        bench.world.note(format!("endpoint {victim} is {what}"));
        call_into(&mut bench, victim, plan)?;
    }
    bench.demand_reads();
    bench.finish()
}

/// The proxy through which the events come.
fn serving(proxies: &[Proxy]) -> usize {
    let carried = || proxies.iter().map(|proxy| proxy.carried(Direction::Down)).collect::<Vec<u64>>();
    let before = carried();
    std::thread::sleep(Duration::from_millis(300));
    let grown = carried().iter().zip(before).map(|(now, before)| now - before).collect::<Vec<u64>>();
    (0..grown.len()).max_by_key(|i| grown[*i]).expect("there are proxies")
}

/// Calls of clients that have this endpoint only, connected before it went bad and not.
fn call_into(bench: &mut Bench, victim: usize, plan: Plan) -> Result<()> {
    let proxy = &bench.world.proxies[victim];
    let mut clients = Vec::new();
    for limit in LIMITS {
        let client = load::client(&[proxy.address()])?;
        client.get(b"k/0", LIMIT)?;
        clients.push((format!("warm-{}-{limit}", bench.report.rounds), client, limit));
    }
    clients.push((format!("cold-{}", bench.report.rounds), load::client(&[proxy.address()])?, LIMITS[1]));
    proxy.set(plan);
    let recorder = &bench.world.recorder;
    let begun = Instant::now();
    let records = std::thread::scope(|scope| {
        let callers: Vec<_> = (clients.iter())
            .map(|(name, client, limit)| {
                scope.spawn(move || {
                    let limit = Duration::from_millis(*limit);
                    let get = Action::Get { key: "k/0".into(), serializable: false };
                    let put = Action::Put { key: "k/0".into(), value: recorder.value(name) };
                    [get, put].map(|action| call(recorder, name, client, limit, action))
                })
            })
            .collect();
        // Whoever does not keep its limit comes back when the endpoint does.
        while callers.iter().any(|caller| !caller.is_finished()) && begun.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(5));
        }
        proxy.set(Plan::pass());
        callers.into_iter().flat_map(|caller| caller.join().expect("no panic")).collect::<Vec<_>>()
    });
    for record in records {
        let early = record.took().is_some_and(|took| took + LATE < record.limit);
        bench.report.demand(!record.is_done(), || format!("nobody can have answered: {record}"));
        bench.report.demand(!early, || format!("gave up early: {record}"));
    }
    Ok(())
}
