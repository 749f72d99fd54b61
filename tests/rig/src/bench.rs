//! One scenario under way: a world, a load, and what was found so far.

use crate::check::{check, check_relisted, check_watch, second_opinion, Opinion, WatchLog};
use crate::follow::Follower;
use crate::history::{Event, Outcome, Record};
use crate::library::{Client, Watching, INTERNAL};
use crate::load::{is_linearizable, Caller, Load, Stalls, LIMIT, SHARED};
use crate::report::{percentile, Report};
use crate::scenario::Setting;
use crate::world::{Result, World};
use std::sync::Arc;
use std::time::Duration;

/// So much later than its limit may a call return.
pub const LATE: Duration = Duration::from_millis(100);
/// How long all must be well before a fault, and how well.
const BASELINE: Duration = Duration::from_millis(700);
const SLOW_PUT: Duration = Duration::from_millis(200);
/// How long to wait for what has to be a matter of seconds.
const RECOVERY: Duration = Duration::from_secs(20);

pub struct Bench {
    pub world: World,
    pub report: Report,
    pub rng: fastrand::Rng,
    pub followers: Vec<Follower>,
    /// Watches that list anew what they missed.
    relisting: Vec<Follower>,
    load: Option<Load>,
    stalls: Stalls,
    rounds: usize,
    second_opinion: bool,
    /// From when on reads were to be served, and how soon.
    outages: Vec<(Duration, Duration)>,
}

impl Bench {
    /// Starts `callers`, and two watches from the beginning that are theirs too.
    pub fn start(world: World, setting: &Setting, callers: Vec<Caller>) -> Result<Bench> {
        let report = Report { version: world.cluster.version().into(), ..Report::default() };
        let mut followers = Vec::new();
        for (name, prefix, caller) in [("watch-all", "", callers.first()), ("watch-one", "k/1", callers.last())] {
            let Some(caller) = caller else { continue };
            followers.push(Follower::start(&world.recorder, name, &caller.client, prefix, 2)?);
        }
        let load = Some(Load::start(&world, callers, setting.seed));
        let rng = fastrand::Rng::with_seed(setting.seed);
        let stalls = Stalls::watch(world.now());
        Ok(Bench {
            world,
            report,
            rng,
            followers,
            relisting: Vec::new(),
            load,
            stalls,
            rounds: setting.rounds,
            second_opinion: false,
            outages: Vec::new(),
        })
    }

    /// Whether there is another round: then the cluster is healthy and was not slow.
    pub fn next_round(&mut self) -> Result<bool> {
        if self.report.rounds == self.rounds {
            return Ok(false);
        }
        let most = 10 + self.rounds / 2;
        loop {
            self.world.wait_healthy()?;
            let since = self.world.now();
            std::thread::sleep(BASELINE);
            let puts: Vec<Duration> = self.world.recorder.since(since, |records| {
                let puts = records.iter().filter(|record| !record.action.is_read());
                // One under way is so slow already.
                let now = since + BASELINE;
                puts.map(|put| put.took().unwrap_or(now.saturating_sub(put.called))).collect()
            });
            if puts.is_empty() || percentile(&puts, 99) <= SLOW_PUT {
                self.report.rounds += 1;
                return Ok(true);
            }
            self.report.voided += 1;
            self.world.note("void: puts are slow although nothing is wrong");
            if self.report.voided > most {
                return Err(format!("void: {} times puts were slow before the fault", self.report.voided).into());
            }
        }
    }

    /// Waits for the first success since a time of what is `wanted`, and reports how long it took.
    pub fn recovery(&mut self, what: &str, since: Duration, wanted: impl Fn(&Record) -> bool) {
        let done = |record: &Record| record.is_done() && wanted(record);
        let took = self.world.recorder.wait(since, RECOVERY, done).map(|returned| returned - since);
        self.report.recovered(what, took);
    }

    pub fn read_and_put_recovery(&mut self, since: Duration) {
        self.recovery("read", since, is_linearizable);
        self.recovery("put", since, |record| !record.action.is_read());
    }

    /// Both, and later how long each read took that was called in the first `max` from then on.
    pub fn recoveries(&mut self, since: Duration, max: Duration) {
        self.read_and_put_recovery(since);
        self.outages.push((since, max));
    }

    /// The pass figures of both.
    pub fn demand_recoveries(&mut self, read_p50: Option<Duration>, max: Duration) {
        self.report.demand_recovery("read", read_p50, max);
        self.report.demand_recovery("put", None, max);
    }

    /// All linearizable reads with the usual limit that were called since then have to succeed.
    pub fn demand_reads(&mut self) {
        self.demand_none("a read failed", |record| {
            is_linearizable(record) && record.limit >= LIMIT && matches!(record.outcome, Outcome::Failed(_))
        });
    }

    /// No record may be such.
    pub fn demand_none(&mut self, what: &str, bad: impl Fn(&Record) -> bool) {
        for record in self.world.recorder.records().iter().filter(|record| bad(record)) {
            self.report.problem(format!("{what}: {record}"));
        }
    }

    /// Adds a watch of the shared keys that lists anew what history has lost, if this library has such.
    pub fn follow_relisting(&mut self, client: &Arc<Client>) -> Result<()> {
        if !Watching::can_relist() {
            self.report.figure("NOT TESTED: this libetcd3 has no watches that list anew");
            return Ok(());
        }
        let watching = Watching::prefix(SHARED.as_bytes()).relist();
        self.relisting.push(Follower::with(&self.world.recorder, "watch-relist", client, SHARED, 0, watching)?);
        Ok(())
    }

    /// How long it takes until all followers say a change that was put at `since` or later.
    pub fn watch_recovery(&mut self, since: Duration) {
        let puts = |record: &Record| record.is_done() && !record.action.is_read();
        let revision = |record: &Record| match record.outcome {
            Outcome::Done { revision, applied: true, .. } if puts(record) => Some(revision),
            _ => None,
        };
        if self.world.recorder.wait(since, RECOVERY, |record| revision(record).is_some()).is_none() {
            return self.report.recovered("watch", None);
        }
        let first = self.world.recorder.since(since, |records| records.iter().filter_map(revision).min());
        let after = first.unwrap_or_default() - 1;
        let heard: Vec<_> = self.followers.iter().map(|follower| follower.wait_after(after, RECOVERY)).collect();
        for at in heard {
            self.report.recovered("watch", at.map(|at| at.saturating_sub(since)));
        }
    }

    /// Adds a watch of everything from a revision on.
    pub fn follow(&mut self, name: &str, client: &Arc<Client>, start: i64) -> Result<()> {
        self.followers.push(Follower::start(&self.world.recorder, name, client, "", start)?);
        Ok(())
    }

    /// Has Porcupine look at what was recorded, too.
    pub fn ask_porcupine(&mut self) {
        self.second_opinion = true;
    }

    /// Ends the load and judges all that was recorded. What was demanded before is in the report.
    pub fn finish(self) -> Result<Report> {
        self.finish_with(|_, _| Vec::new())
    }

    /// The same, where `judge` has something to say of H, too.
    pub fn finish_with(mut self, judge: impl FnOnce(&mut Report, &[Event]) -> Vec<WatchLog>) -> Result<Report> {
        if let Some(load) = self.load.take() {
            for hanging in load.stop() {
                self.report.problem(hanging);
            }
        }
        let records = self.world.recorder.records();
        self.report.count(&records);
        self.new_reads(&records);
        self.late(&records);
        self.demand_none("a bug", |record| record.fault().is_some_and(|fault| fault.code == INTERNAL));
        let events = self.world.events()?;
        *self.world.evidence.events.lock().unwrap() = events.clone();
        self.report.problems.extend(check(&records, &events).iter().map(ToString::to_string));
        if self.second_opinion {
            match second_opinion(&records, &events) {
                Opinion::Sound(calls) => self.report.figure(format!("Porcupine found an order of {calls} calls")),
                Opinion::Unsound(why) => self.report.problem(why),
                Opinion::None(why) => self.report.figure(format!("not cross-checked by Porcupine: {why}")),
            }
        }
        for follower in &self.followers {
            let prefix = follower.log().prefix;
            let last = events.iter().rev().find(|event| event.key.starts_with(&prefix));
            follower.wait(last.map_or(0, |event| event.revision), RECOVERY);
            let log = follower.log();
            self.report.problems.extend(check_watch(&log, &events).iter().map(ToString::to_string));
            self.world.evidence.watches.lock().unwrap().push(log);
        }
        for watch in &self.relisting {
            watch.wait_for(RECOVERY, |log| check_relisted(log, &events).is_empty());
            let log = watch.log();
            self.report.problems.extend(check_relisted(&log, &events).iter().map(ToString::to_string));
            self.report.figure(format!(
                "{} listed anew {} times, resumed {}",
                log.name,
                log.relisted.len(),
                log.resumes
            ));
            self.world.evidence.watches.lock().unwrap().push(log);
        }
        let judged = judge(&mut self.report, &events);
        self.world.evidence.watches.lock().unwrap().extend(judged);
        let resumes: usize = self.followers.iter().map(|follower| follower.log().resumes).sum();
        self.report.figure(format!(
            "{} watches, resumed {resumes} times; H has {} changes",
            self.followers.len(),
            events.len()
        ));
        self.world.evidence.settle(&self.report.problems);
        Ok(self.report)
    }

    /// Not only the first read has to be served in time, but each.
    fn new_reads(&mut self, records: &[Record]) {
        let outages = std::mem::take(&mut self.outages);
        for (i, (since, max)) in outages.iter().copied().enumerate() {
            let until = outages.get(i + 1).map_or(since + max, |(next, _)| (since + max).min(*next));
            let called = |record: &&Record| record.called >= since && record.called < until;
            let patient = |record: &&Record| is_linearizable(record) && record.limit >= LIMIT;
            let slowest = records.iter().filter(called).filter(patient).max_by_key(|record| record.took());
            let Some(slowest) = slowest else { continue };
            self.report.recovered("slowest read", slowest.took());
            if slowest.took().is_none_or(|took| took > max) {
                self.report.problem(format!("a new read took longer than {max:?}: {slowest}"));
            }
        }
    }

    fn late(&mut self, records: &[Record]) {
        let mut latest = Duration::ZERO;
        for record in records {
            let Some(returned) = record.returned else { continue };
            let late = (returned - record.called).saturating_sub(record.limit);
            latest = latest.max(late);
            if late > LATE && late > LATE + self.stalls.between(record.called, returned) {
                self.report.problem(format!("{late:?} late: {record}"));
            }
        }
        self.report.figure(format!("latest call {latest:.0?} after its limit"));
    }
}
