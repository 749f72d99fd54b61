//! What a real server does too rarely to wait for: a scripted one says to watches exactly this.

use super::{Scenario, Setting};
use crate::library::{Client, Config, Event, Fault, Watch, Watching};
use crate::report::Report;
use crate::world::Result;
use etcd3_scripted::Scripted;
use std::time::{Duration, Instant};

pub const SCENARIO: Scenario = Scenario { name: "frames", title: "odd answers to watches", fast: 1, full: 20, run };

const PERMISSION_DENIED: i32 = 146;
const SOON: Duration = Duration::from_secs(5);
/// How long it is listened whether something comes that must not.
const WHILE: Duration = Duration::from_millis(150);

fn run(setting: &Setting) -> Result<Report> {
    let mut report = Report { version: "scripted".into(), ..Report::default() };
    for _ in 0..setting.rounds {
        report.rounds += 1;
        old_events(&mut report)?;
        half_a_response(&mut report)?;
        refused(&mut report)?;
        last_one_out(&mut report)?;
    }
    Ok(report)
}

struct Stage {
    server: Scripted,
    client: Client,
}

/// A server that answers its first watch streams so, one after the other.
fn stage(scripts: &[&str]) -> Result<Stage> {
    let server = Scripted::start()?;
    let served = server.command("serve")?;
    let address = served.split_whitespace().last().ok_or("no address")?.to_owned();
    for script in scripts {
        server.command(&format!("on 0 Watch 1 {script}"))?;
    }
    let client = Client::open(Config::new(&[address]).timeout(SOON))?;
    Ok(Stage { server, client })
}

/// What a watch said: of each event the revisions of its changes.
#[derive(Debug, Default, PartialEq)]
struct Said {
    changes: Vec<Vec<i64>>,
    closed: Vec<i32>,
    lives: usize,
}

/// Listens until it is said as wanted, and whether more comes.
fn listen(watch: &Watch, wanted: &Said) -> Said {
    let mut said = Said::default();
    let mut deadline = Instant::now() + SOON;
    loop {
        if said == *wanted {
            deadline = deadline.min(Instant::now() + WHILE);
        }
        match watch.next(deadline.saturating_duration_since(Instant::now())) {
            Some(Event::Changes { changes, .. }) => {
                said.changes.push(changes.iter().map(|change| change.kv.mod_revision).collect());
            }
            Some(Event::Live) => said.lives += 1,
            Some(Event::Closed(fault, _)) => said.closed.push(fault.map_or(0, |fault: Fault| fault.code)),
            Some(_) => {}
            None => return said,
        }
    }
}

fn demand(report: &mut Report, what: &str, watch: &Watch, wanted: Said) {
    let said = listen(watch, &wanted);
    report.demand(said == wanted, || format!("frames, {what}: {said:?}, not {wanted:?}"));
}

/// What is older than what was asked for, or was said before the connection was lost, is not told.
fn old_events(report: &mut Report) -> Result<()> {
    let stage = stage(&[
        "recv | headers | message watch id=7 created revision=9 | message watch id=7 revision=9 put=k,x,4 | \
         message watch id=7 revision=9 put=k,a,6 | message watch id=7 revision=9 put=k,b,8 | close",
        "recv | headers | message watch id=9 created revision=12 | message watch id=9 revision=12 put=k,b,8 | \
         message watch id=9 revision=12 put=k,c,10 | never",
    ])?;
    let watch = Watch::start(&stage.client, Watching::key(b"k").from(5))?;
    let wanted = Said { changes: vec![vec![6], vec![8], vec![10]], lives: 1, closed: vec![] };
    demand(report, "old events", &watch, wanted);
    Ok(())
}

/// Of a response in fragments nothing is told before the last one came.
fn half_a_response(report: &mut Report) -> Result<()> {
    let stage = stage(&[
        "recv | headers | message watch id=1 created | message watch id=1 fragment revision=6 put=k1,a,6 put=k2,b,6 | \
         close",
        "recv | headers | message watch id=1 created | message watch id=1 fragment revision=6 put=k1,a,6 put=k2,b,6 | \
         message watch id=1 revision=6 put=k3,c,6 | never",
    ])?;
    let watch = Watch::start(&stage.client, Watching::prefix(b"k").from(5))?;
    let wanted = Said { changes: vec![vec![6, 6, 6]], lives: 1, closed: vec![] };
    demand(report, "half a response", &watch, wanted);
    Ok(())
}

/// Created and canceled in one is a refusal; and one that is not final is asked for again.
fn refused(report: &mut Report) -> Result<()> {
    let denied = "recv | headers | message watch id=-1 created canceled reason=etcdserver: permission denied | never";
    let stage = stage(&[denied])?;
    let watch = Watch::start(&stage.client, Watching::key(b"k").from(5))?;
    demand(report, "refused", &watch, Said { closed: vec![PERMISSION_DENIED], ..Said::default() });
    Ok(())
}

/// With its last watch a stream is reset: half closed it would stay at the server, with what it watches.
fn last_one_out(report: &mut Report) -> Result<()> {
    let stage = stage(&[])?;
    let watch = Watch::start(&stage.client, Watching::key(b"k").from(5))?;
    demand(report, "last one out", &watch, Said { lives: 1, ..Said::default() });
    watch.cancel();
    let reset = || stage.server.command("resets 0 Watch").is_ok_and(|count| count != "0").then_some(());
    let reset = crate::world::wait("the stream to be reset", SOON, reset);
    report.demand(reset.is_ok(), || "frames, last one out: its stream was not reset".into());
    Ok(())
}
