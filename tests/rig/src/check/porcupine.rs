//! A second opinion: Porcupine, a program in Go, searches for an order of all calls in which each saw what it
//! had to see. It knows nothing of revisions, by which the checker decides.

use super::Index;
use crate::history::{Action, Event, Outcome, Record};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug, PartialEq, Eq)]
pub enum Opinion {
    /// There is such an order.
    Sound(usize),
    /// There is none.
    Unsound(String),
    /// Why there is no opinion.
    None(String),
}

#[derive(Debug, Serialize)]
struct History<'a> {
    limit_ms: u64,
    calls: Vec<Call<'a>>,
}

#[derive(Debug, Serialize)]
struct Call<'a> {
    caller: usize,
    key: &'a str,
    kind: &'static str,
    value: &'a str,
    expected: Option<&'a str>,
    seen: Option<&'a str>,
    applied: bool,
    known: bool,
    called: u64,
    returned: Option<u64>,
}

pub fn second_opinion(records: &[Record], events: &[Event]) -> Opinion {
    let calls = calls(records, events);
    let count = calls.len();
    match ask(&History { limit_ms: LIMIT.as_millis() as u64, calls }) {
        Ok(said) if said == "ok" => Opinion::Sound(count),
        Ok(said) if said.starts_with("no order") => Opinion::Unsound(format!("Porcupine: {said}")),
        Ok(said) => Opinion::None(format!("it said {said:?} after {LIMIT:?}")),
        Err(why) => Opinion::None(why),
    }
}

fn ask(history: &History) -> Result<String, String> {
    let source = crate::repository().join("tests/rig/porcupine");
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let program = here.with_file_name("porcupine");
    let built = Command::new("go").args(["build", "-o"]).arg(&program).arg(".").current_dir(source).output();
    let built = built.map_err(|error| format!("there is no go: {error}"))?;
    if !built.status.success() {
        return Err(format!("go build: {}", String::from_utf8_lossy(&built.stderr).trim()));
    }
    let run = || -> std::io::Result<std::process::Output> {
        let mut child = Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().expect("it was asked for");
        input.write_all(&serde_json::to_vec(history)?)?;
        drop(input);
        child.wait_with_output()
    };
    let output = run().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The calls that matter. What nobody was told the end of is left out if H shows that nothing came of it, and
/// else ends when somebody was told of a later revision.
fn calls<'a>(records: &'a [Record], events: &'a [Event]) -> Vec<Call<'a>> {
    let index = Index::of(records, events);
    let mut callers = HashMap::new();
    let told: HashSet<(&str, i64)> = (records.iter())
        .filter_map(|record| match (&record.action, &record.outcome) {
            (Action::Delete { key }, Outcome::Done { revision, applied: true, .. }) => Some((key.as_str(), *revision)),
            _ => None,
        })
        .collect();
    let untold = |event: &&&Event| event.held.is_none() && !told.contains(&(event.key.as_str(), event.revision));
    let mut calls = Vec::new();
    for record in records {
        let count = callers.len();
        let (known, returned) = match &record.outcome {
            Outcome::Failed(_) => continue,
            Outcome::Done { .. } => (true, record.returned),
            Outcome::Ambiguous(_) | Outcome::Pending => match (&record.action, record.action.value()) {
                (Action::Get { .. }, _) => continue,
                (_, Some(value)) => match index.with_value(value).first() {
                    Some(event) => (false, index.told_at(event.revision)),
                    None => continue,
                },
                (action, None) => match index.keys.get(action.key()).and_then(|all| all.iter().find(untold)) {
                    Some(_) => (false, None),
                    None => continue,
                },
            },
        };
        let mut call = Call {
            caller: *callers.entry(&record.caller).or_insert(count),
            key: record.action.key(),
            kind: "put",
            value: record.action.value().unwrap_or_default(),
            expected: None,
            seen: None,
            applied: matches!(record.outcome, Outcome::Done { applied: true, .. }),
            known,
            called: record.called.as_nanos() as u64,
            returned: returned.map(|returned| returned.as_nanos() as u64),
        };
        match &record.action {
            Action::Put { .. } => {}
            Action::PutIf { key, revision, .. } => {
                call.kind = "put_if";
                // Values are unlike one another, so one stands for the revision at which it was put.
                let held = index.change(key, *revision).and_then(|event| event.held.as_ref());
                call.expected = held.map(|held| held.value.as_str());
            }
            Action::Delete { .. } => call.kind = "delete",
            Action::Get { serializable: true, .. } => continue,
            Action::Get { .. } => {
                call.kind = "get";
                if let Outcome::Done { held, .. } = &record.outcome {
                    call.seen = held.as_ref().map(|held| held.value.as_str());
                }
            }
        }
        calls.push(call);
    }
    calls
}
