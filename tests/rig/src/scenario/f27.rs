//! F27 and more: clocks that jump, clients that stand still, and what they are told of leases that did not live on.

use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::contender::{now, Word, Words, TTL};
use crate::follow::Follower;
use crate::history::PROBES;
use crate::lease::{check_told_first, Leases, NOT_TESTED};
use crate::load;
use crate::proxy::Plan;
use crate::report::Report;
use crate::world::{wait, Result, World};
use etcd_run::Process;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub const SCENARIO: Scenario =
    Scenario { name: "F27", title: "SIGSTOP of the client, clocks that jump", fast: 2, full: 20, run };
pub const LOST: Scenario =
    Scenario { name: "lease-lost", title: "leases that cannot be renewed", fast: 1, full: 20, run: run_lost };

const SOON: Duration = Duration::from_secs(10);
/// Longer than a round of jumps.
const JUMPS: Duration = Duration::from_secs(9);
/// How soon after it goes on a client is told of what it has lost.
const TOLD: Duration = Duration::from_secs(1);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let directory = tempfile::tempdir()?;
    let words = Words::new(directory.path())?;
    let mut bench = Bench::start(world, setting, Vec::new())?;
    if !Leases::are_there() {
        bench.report.figure(NOT_TESTED);
        return bench.finish();
    }
    let endpoints = bench.world.endpoints();
    let jumping = Jumping::start(&bench, directory.path())?;
    while bench.next_round()? {
        let who = bench.report.rounds;
        let client = words.contender("lease", &endpoints, "", who)?;
        let said = |what: &str| words.all().into_iter().filter(|word| word.who == who && word.what == what).count();
        wait("renewals", SOON, || (said("wrote") > 3).then_some(()))?;
        bench.world.note("SIGSTOP of the client, for longer than its lease lives");
        client.pause();
        std::thread::sleep(TTL + Duration::from_millis(1500));
        let resumed = now();
        client.resume();
        bench.world.note("SIGCONT");
        // It opens another one once it knows.
        wait("another lease", SOON, || (said("session") > 1).then_some(()))?;
        client.kill();
        let theirs: Vec<Word> = words.all().into_iter().filter(|word| word.who == who).collect();
        let (told, problems) = check_resumed(&theirs, resumed);
        bench.report.problems.extend(problems);
        bench.report.recovered("told", told);
    }
    jumping.end(&mut bench);
    bench.report.demand_recovery("told", None, TOLD);
    bench.finish()
}

/// What a client said that stood still until `resumed`: how soon it was told of the loss of its first lease, and what is
/// wrong: it was not told once, or something succeeded on that lease afterwards.
fn check_resumed(words: &[Word], resumed: Duration) -> (Option<Duration>, Vec<String>) {
    let Some(lease) = words.iter().find(|word| word.what == "session").map(|word| word.number) else {
        return (None, vec!["the client never had a lease".into()]);
    };
    let of = |what: &'static str| words.iter().filter(move |word| word.what == what && word.number == lease);
    let mut problems = Vec::new();
    if of("lost").count() != 1 {
        problems.push(format!("the loss of the lease was told {} times", of("lost").count()));
    }
    let new = of("wrote").filter(|word| Duration::from_micros(word.more as u64) > resumed);
    problems.extend(new.map(|word| format!("a success on a lease that was lost: {word:?}")));
    (of("lost").next().map(|word| word.at.saturating_sub(resumed)), problems)
}

/// Loaded before libc: the wall clock is an hour ahead or behind, every 2 s otherwise.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <sys/time.h>
static long jump(void) {
    static long first;
    struct timespec t;
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    real(CLOCK_MONOTONIC, &t);
    if (!first) first = t.tv_sec;
    long second = (t.tv_sec - first) % 6;
    return second < 2 ? 0 : second < 4 ? 3600 : -3600;
}
int clock_gettime(clockid_t clock, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, t);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) t->tv_sec += jump();
    return result;
}
int gettimeofday(struct timeval *t, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}
"#;

/// A client whose wall clock jumps by an hour, to and fro. It is not to notice.
struct Jumping {
    words: Words,
    client: Process,
    since: Duration,
}

impl Jumping {
    fn start(bench: &Bench, directory: &Path) -> Result<Jumping> {
        let (source, shim) = (directory.join("jump.c"), directory.join("jump.so"));
        std::fs::write(&source, SHIM)?;
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(&source).arg("-ldl").status()?;
        if !built.success() {
            return Err("the clock that jumps does not compile".into());
        }
        let directory = directory.join("jumping");
        std::fs::create_dir(&directory)?;
        let words = Words::new(&directory)?;
        let client = words.contender_with("lease", &bench.world.endpoints(), "", 0, &[("LD_PRELOAD", &shim)])?;
        bench.world.note("a client's wall clock jumps by an hour every 2 s");
        Ok(Jumping { words, client, since: now() })
    }

    fn end(self, bench: &mut Bench) {
        std::thread::sleep((self.since + JUMPS).saturating_sub(now()));
        self.client.kill();
        let words = self.words.all();
        let count = |what: &str| words.iter().filter(|word| word.what == what).count();
        bench.report.figure(format!("{} renewals by hand while the wall clock jumped", count("wrote")));
        bench.report.demand(count("wrote") > 50, || "hardly a renewal while the wall clock jumped".into());
        bench
            .report
            .demand(count("lost") == 0 && count("session") == 1, || "a lease was lost to the wall clock".into());
    }
}

/// Nobody answers any more: the client is told before the server deletes anything.
fn run_lost(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let mut bench = Bench::start(world, setting, Vec::new())?;
    let outside = load::client(&bench.world.endpoints())?;
    let mut first = Vec::new();
    while Leases::are_there() && bench.next_round()? {
        let name = format!("lost-{}", bench.report.rounds);
        let client = load::client(&bench.world.proxied())?;
        // The proxies' delay is that of the renewals, and what a client must not forget to subtract.
        let late = Plan::latency(Duration::from_millis(100), Duration::ZERO);
        bench.world.proxies.iter().for_each(|proxy| proxy.set(late.clone()));
        let leases = Leases::open(&bench.world, &client, &name, &[3; 10])?;
        let prefix = format!("{PROBES}lease/{name}/");
        let deletes = Follower::start(&bench.world.recorder, &name, &outside, &prefix, 2)?;
        std::thread::sleep(Duration::from_secs_f64(1.0 + bench.rng.f64()));
        bench.world.note("the client is cut off");
        bench.world.proxies.iter().for_each(|proxy| proxy.set(Plan::blackhole()));
        let all = |log: &crate::check::WatchLog| {
            let changes = log.batches.iter().flat_map(|batch| &batch.changes);
            changes.filter(|change| change.held.is_none()).count() == 10
        };
        let gone = deletes.wait_for(SOON, all);
        bench.report.demand(gone, || "the server keeps leases that nobody renews".into());
        leases.wait_lost(10);
        let (said, deleted) = (leases.said(), deletes.deleted());
        bench.report.problems.extend(check_told_first(&said, &deleted));
        first.extend(said.lost.iter().filter_map(|(lease, _, at)| {
            deleted
                .iter()
                .find(|(key, _)| key.ends_with(&format!("/{lease}")))
                .map(|(_, when)| when.saturating_sub(*at))
        }));
        bench.world.proxies.iter().for_each(|proxy| proxy.set(Plan::pass()));
    }
    match first.is_empty() {
        true => bench.report.figure(NOT_TESTED),
        false => {
            bench.report.figure(format!("told before it was deleted, p50/p99/max {}", crate::report::spread(&first)))
        }
    }
    bench.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(ms: u64, what: &str, number: i64, more: i64) -> Word {
        Word { at: Duration::from_millis(ms), who: 1, what: what.into(), number, more }
    }

    #[test]
    fn nothing_succeeds_on_a_lost_lease() {
        let resumed = Duration::from_millis(5000);
        let mut words = vec![
            word(0, "session", 7, 0),
            word(10, "wrote", 7, 9_000),
            word(5010, "lost", 7, 0),
            word(5020, "refused", 7, 0),
        ];
        let (told, problems) = check_resumed(&words, resumed);
        assert_eq!((told, problems.len()), (Some(Duration::from_millis(10)), 0));
        // One that was under way, and one on another lease.
        words.push(word(5002, "wrote", 7, 400_000));
        words.push(word(5900, "wrote", 8, 5_890_000));
        assert_eq!(check_resumed(&words, resumed).1.len(), 0);
        words.push(word(5004, "wrote", 7, 5_001_000));
        assert_ne!(check_resumed(&words, resumed).1.len(), 0);
        assert_ne!(check_resumed(&words[..2], resumed).1.len(), 0);
    }
}
