//! What is kept of a run that failed.

use crate::check::WatchLog;
use crate::history::{Event, Recorder};
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What a run has left so far, for whoever finds that it failed.
pub struct Evidence {
    name: String,
    seed: u64,
    version: String,
    logs: Vec<PathBuf>,
    recorder: Arc<Recorder>,
    /// What was done to the cluster and the network, and when.
    script: Mutex<Vec<String>>,
    pub events: Mutex<Vec<Event>>,
    pub watches: Mutex<Vec<WatchLog>>,
    settled: AtomicBool,
}

/// Of the scenario under way; for the watchdog, if it never ends.
static LATEST: Mutex<Option<Arc<Evidence>>> = Mutex::new(None);

impl Evidence {
    pub fn new(name: &str, seed: u64, version: &str, logs: Vec<PathBuf>, recorder: Arc<Recorder>) -> Arc<Evidence> {
        let evidence = Arc::new(Evidence {
            name: name.into(),
            seed,
            version: version.into(),
            logs,
            recorder,
            script: Mutex::default(),
            events: Mutex::default(),
            watches: Mutex::default(),
            settled: AtomicBool::new(false),
        });
        *LATEST.lock().unwrap() = Some(Arc::clone(&evidence));
        evidence
    }

    pub fn latest() -> Option<Arc<Evidence>> {
        LATEST.lock().unwrap().clone()
    }

    pub fn note(&self, text: &str) {
        let now = self.recorder.now();
        self.script.lock().unwrap().push(format!("{:9.3} {text}", now.as_secs_f64()));
    }

    /// The scenario came to its end: keeps what there is if there were problems.
    pub fn settle(&self, problems: &[String]) {
        self.settled.store(true, Ordering::SeqCst);
        if problems.is_empty() {
            return;
        }
        match self.keep(problems) {
            Ok(directory) => println!("     kept in {}", directory.display()),
            Err(error) => println!("     could not be kept: {error}"),
        }
    }

    /// The same, of one that did not, unless it did.
    pub fn settle_early(&self, why: &str) {
        if !self.settled.load(Ordering::SeqCst) {
            self.settle(&[why.into()]);
        }
    }

    /// Writes all of it down; where to.
    fn keep(&self, problems: &[String]) -> std::io::Result<PathBuf> {
        let directory = crate::repository().join("target/fault").join(format!("{}-{}", self.name, self.seed));
        std::fs::create_dir_all(&directory)?;
        let history = json!({
            "scenario": self.name,
            "seed": self.seed,
            "etcd": self.version,
            "libetcd3": crate::library::version(),
            "problems": problems,
            "script": *self.script.lock().unwrap(),
            "records": self.recorder.records(),
            "events": *self.events.lock().unwrap(),
            "watches": *self.watches.lock().unwrap(),
        });
        std::fs::write(directory.join("history.json"), serde_json::to_vec(&history)?)?;
        let mut text = problems.join("\n") + "\n\n";
        text += &self.script.lock().unwrap().join("\n");
        std::fs::write(directory.join("report.txt"), text + "\n")?;
        for (member, log) in self.logs.iter().enumerate() {
            // One that is gone is missing; the rest is still worth having.
            let _ = std::fs::copy(log, directory.join(format!("member-{member}.log")));
        }
        Ok(directory)
    }
}
