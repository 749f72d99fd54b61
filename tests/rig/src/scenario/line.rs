//! Contenders for one lock, or one election, and what is done to them.

use super::{revive, Setting};
use crate::bench::Bench;
use crate::check::{check_locks, hand_overs, holds, Fates};
use crate::contender::{now, Word, Words, TTL};
use crate::history::{Event, PROBES};
use crate::report::{percentile, spread, Report};
use crate::world::{wait, Result, World};
use etcd_run::Process;
use serde_json::json;
use std::time::Duration;

const CONTENDERS: usize = 8;
/// How soon the next one has it after a release.
const HAND_OVER: Duration = Duration::from_millis(500);
/// And after a holder has died, beside the time that its lease had left.
const AFTER_DEATH: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(30);

pub struct Line {
    kind: &'static str,
    name: String,
    endpoints: Vec<String>,
    words: Words,
    /// By the number that they say.
    processes: Vec<Option<Process>>,
    fates: Fates,
    directory: tempfile::TempDir,
}

impl Line {
    fn new(kind: &'static str, name: String, world: &World) -> Result<Line> {
        let directory = tempfile::tempdir()?;
        let words = Words::new(directory.path())?;
        let endpoints = world.endpoints();
        Ok(Line { kind, name, endpoints, words, processes: Vec::new(), fates: Fates::default(), directory })
    }

    pub fn words(&self) -> Vec<Word> {
        self.words.all()
    }

    /// Starts as many as are missing.
    fn fill(&mut self) -> Result<()> {
        while self.processes.iter().flatten().count() < CONTENDERS {
            let who = self.processes.len();
            self.processes.push(Some(self.words.contender(self.kind, &self.endpoints, &self.name, who)?));
        }
        Ok(())
    }

    fn alive(&self, who: usize) -> bool {
        self.processes.get(who).is_some_and(Option::is_some)
    }

    fn won(&self) -> usize {
        self.words.all().iter().filter(|word| word.what == "got").count()
    }

    /// Waits until it has changed hands so many more times.
    fn wait_won(&self, more: usize) -> Result<()> {
        let wanted = self.won() + more;
        wait("the lock to change hands", SOON, || (self.won() >= wanted).then_some(()))
    }

    /// Whoever holds it just now, or waits for it and came last, with what that one said.
    fn find(&self, holds: bool) -> Result<(usize, Vec<Word>)> {
        wait(if holds { "a holder" } else { "somebody who waits" }, SOON, || {
            let words = self.words.all();
            let last = |who: usize| words.iter().rev().find(|word| word.who == who);
            let is = |word: &&Word| match holds {
                true => matches!(&*word.what, "got" | "wrote"),
                false => word.what == "wait",
            };
            let found = (0..self.processes.len()).filter(|who| self.alive(*who)).filter_map(last).filter(is);
            let who = found.max_by_key(|word| word.at)?.who;
            Some((who, words))
        })
    }

    fn kill(&mut self, who: usize) -> Duration {
        // It may do something until it is dead, and is so before this returns.
        let process = self.processes[who].take().expect("it is alive");
        process.kill();
        let dead = now();
        self.fates.killed.insert(who, dead);
        dead
    }

    /// When somebody got it after this.
    fn next(&self, after: Duration) -> Result<Duration> {
        wait("the next holder", SOON, || {
            let words = self.words.all();
            words.iter().find(|word| word.what == "got" && word.at > after).map(|word| word.at)
        })
    }
}

/// What is contended for in this round.
pub fn name(kind: &str, bench: &Bench) -> String {
    format!("{PROBES}{kind}/{}", bench.report.rounds)
}

/// All that can happen to a line, once; what was found is in the report.
pub fn battle(bench: &mut Bench, kind: &'static str, setting: &Setting, turns: usize) -> Result<Line> {
    let mut line = Line::new(kind, name(kind, bench), &bench.world)?;
    line.fill()?;
    line.wait_won(turns)?;
    // Then whoever is next has to wait for the lease.
    let (who, _) = line.find(true)?;
    bench.world.note(format!("kill -9 of contender {who}, who holds it"));
    let killed = line.kill(who);
    let next = line.next(killed)?;
    line.fates.troubled.push((killed - Duration::from_millis(100), next));
    bench.report.recovered("after a holder's death", Some(next - killed));
    bench
        .report
        .demand(next - killed <= TTL + AFTER_DEATH, || format!("a dead holder kept it for {:?}", next - killed));
    line.fill()?;
    let (who, _) = line.find(false)?;
    bench.world.note(format!("kill -9 of contender {who}, who waits"));
    // Its turn comes before its lease ends.
    let killed = line.kill(who);
    line.fates.troubled.push((killed, killed + TTL + AFTER_DEATH));
    line.fill()?;
    line.wait_won(turns / 2)?;
    let (who, words) = line.find(false)?;
    let session = words.iter().rev().find(|word| word.who == who && word.what == "session");
    let lease = session.map_or(0, |word| word.number);
    bench.world.note(format!("the lease of contender {who}, who waits, is revoked"));
    let leader = bench.world.wait_healthy()?;
    bench.world.cluster[leader].post("/v3/lease/revoke", json!({"ID": lease.to_string()}))?;
    line.fates.revoked.insert(who, now());
    line.wait_won(2 * CONTENDERS)?;
    let killed = now();
    bench.world.note(format!("kill -9 of member {leader}, the leader"));
    bench.world.cluster[leader].kill();
    line.wait_won(CONTENDERS)?;
    revive(&bench.world)?;
    line.wait_won(CONTENDERS)?;
    line.fates.troubled.push((killed, now()));
    let (who, _) = line.find(true)?;
    bench.world.note(format!("SIGSTOP of contender {who}, who holds it, for longer than its lease lives"));
    let process = line.processes[who].as_ref().expect("it is alive");
    process.pause();
    let paused = now();
    line.fates.paused.insert(who, paused);
    let next = line.next(paused)?;
    std::thread::sleep((paused + TTL + Duration::from_secs(1)).saturating_sub(now()));
    process.resume();
    line.fates.troubled.push((paused - Duration::from_millis(100), next.max(now())));
    bench.world.note("SIGCONT");
    line.wait_won(2 * CONTENDERS)?;
    if setting.full {
        line.wait_won(turns)?;
    }
    for who in 0..line.processes.len() {
        if line.alive(who) {
            line.kill(who);
        }
    }
    Ok(line)
}

/// What came of it.
pub fn judge(report: &mut Report, events: &[Event], line: &Line) {
    let words = line.words.all();
    let violations = check_locks(&words, &line.fates, events, &line.name);
    if !violations.is_empty() {
        let kept = crate::repository().join("target/fault").join(format!("words-{}", line.name.replace('/', "-")));
        let _ = std::fs::create_dir_all(kept.parent().expect("it has one"));
        let _ = std::fs::copy(line.directory.path().join("words"), &kept);
    }
    report.problems.extend(violations.iter().map(ToString::to_string));
    let times = hand_overs(&words, &line.fates);
    let count = |what: &str| words.iter().filter(|word| word.what == what).count();
    let held = holds(&words, &line.fates).len();
    report.figure(format!(
        "{held} turns, {} guarded writes, {} refused, {} losses told, {} waits given up; {} hand-overs p50/p99/max {}",
        count("wrote"),
        count("refused"),
        count("lost"),
        count("not"),
        times.len(),
        if times.is_empty() { "none".into() } else { spread(&times) },
    ));
    report.demand(!times.is_empty(), || "no hand-over was measured".into());
    if !times.is_empty() {
        let p99 = percentile(&times, 99);
        report.demand(p99 <= HAND_OVER, || format!("a hand-over took {p99:?} at p99, more than {HAND_OVER:?}"));
    }
}
