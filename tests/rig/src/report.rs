//! What a scenario found.

use crate::history::Record;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// So many problems are printed; all are kept.
static SHOWN: AtomicUsize = AtomicUsize::new(5);

/// Has all problems printed.
pub fn show_all() {
    SHOWN.store(usize::MAX, Ordering::SeqCst);
}

#[derive(Debug, Default)]
pub struct Report {
    pub version: String,
    pub rounds: usize,
    pub voided: usize,
    pub reads: usize,
    pub writes: usize,
    pub ambiguous: usize,
    pub failed: usize,
    /// How long it took until something worked again, for each round.
    pub recoveries: Vec<(String, Vec<Duration>)>,
    /// Other figures, for people.
    pub figures: Vec<String>,
    pub problems: Vec<String>,
}

impl Report {
    pub fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// Something that must hold.
    pub fn demand(&mut self, holds: bool, text: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(text());
        }
    }

    pub fn figure(&mut self, text: impl Into<String>) {
        self.figures.push(text.into());
    }

    /// How long it took in this round; `None`: too long to wait for.
    pub fn recovered(&mut self, what: &str, took: Option<Duration>) {
        let Some(took) = took else {
            self.problem(format!("round {}: no {what} succeeded again", self.rounds));
            return;
        };
        match self.recoveries.iter_mut().find(|(name, _)| name == what) {
            Some((_, all)) => all.push(took),
            None => self.recoveries.push((what.into(), vec![took])),
        }
    }

    /// The pass figures of a recovery.
    pub fn demand_recovery(&mut self, what: &str, p50: Option<Duration>, max: Duration) {
        let Some((_, all)) = self.recoveries.iter().find(|(name, _)| name == what) else {
            self.problem(format!("no {what} was measured"));
            return;
        };
        let (half, worst) = (percentile(all, 50), percentile(all, 100));
        if worst > max {
            self.problem(format!("{what} took up to {worst:.2?}, more than {max:?}"));
        }
        if let Some(p50) = p50.filter(|p50| half > *p50) {
            self.problem(format!("{what} took {half:.2?} at the median, more than {p50:?}"));
        }
    }

    pub fn count(&mut self, records: &[Record]) {
        self.reads = records.iter().filter(|record| record.action.is_read()).count();
        self.writes = records.len() - self.reads;
        self.ambiguous = records.iter().filter(|record| record.is_ambiguous()).count();
        self.failed = records.iter().filter(|record| !record.is_done() && !record.is_ambiguous()).count();
    }

    /// One line of figures, and one for each problem.
    pub fn print(&self, name: &str, title: &str, took: Duration) {
        let mut line = format!(
            "{name:<4} {title:<34} rounds {}  reads {}  writes {}  ambiguous {}  failed {}",
            self.rounds, self.reads, self.writes, self.ambiguous, self.failed
        );
        if self.voided > 0 {
            line += &format!("  void {}", self.voided);
        }
        for (what, all) in &self.recoveries {
            line += &format!("  {what} p50/p99/max {}", spread(all));
        }
        let verdict =
            if self.problems.is_empty() { "clean".into() } else { format!("{} PROBLEMS", self.problems.len()) };
        println!("{line}  verdict {verdict}  etcd {}  {:.0} s", self.version, took.as_secs_f64());
        for figure in &self.figures {
            println!("     {figure}");
        }
        let shown = SHOWN.load(Ordering::SeqCst);
        for problem in self.problems.iter().take(shown) {
            println!("     PROBLEM {problem}");
        }
        if self.problems.len() > shown {
            println!("     … and {} more", self.problems.len() - shown);
        }
    }
}

/// Of a set that is not empty; 100 is the maximum.
pub fn percentile(all: &[Duration], percent: usize) -> Duration {
    let mut all = all.to_vec();
    all.sort_unstable();
    let rank = (all.len() * percent).div_ceil(100).clamp(1, all.len());
    all[rank - 1]
}

/// As in "1.61/2.77/2.77 s".
pub fn spread(all: &[Duration]) -> String {
    let [p50, p99, max] = [50, 99, 100].map(|percent| percentile(all, percent).as_secs_f64());
    format!("{p50:.2}/{p99:.2}/{max:.2} s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let all: Vec<Duration> = (1..=100).rev().map(Duration::from_secs).collect();
        assert_eq!([1, 50, 99, 100].map(|percent| percentile(&all, percent).as_secs()), [1, 50, 99, 100]);
        assert_eq!(percentile(&all[..1], 50).as_secs(), 100);
    }

    #[test]
    fn a_figure_that_is_missed_is_a_problem() {
        let second = Duration::from_secs(1);
        let mut report = Report::default();
        report.recovered("put", Some(second));
        report.recovered("put", Some(3 * second));
        report.demand_recovery("put", Some(second), 3 * second);
        assert!(report.problems.is_empty());
        report.demand_recovery("put", Some(second / 2), 3 * second);
        report.demand_recovery("put", None, 2 * second);
        report.demand_recovery("read", None, second);
        report.recovered("put", None);
        assert_eq!(report.problems.len(), 4);
    }
}
