//! Tokens that expire, TLS, callers that pause, and a member that restarts: nobody sees a token error.

use super::secure::{self, demand_no_token_errors, ROOT};
use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::library::{Client, Config};
use crate::load::{Caller, Mix, LIMIT};
use crate::report::Report;
use crate::world::{Result, World};
use etcd3_certs::{write, Authority, Validity};
use std::sync::Arc;
use std::time::Duration;

pub const SCENARIO: Scenario =
    Scenario { name: "mixed-auth-tls", title: "expiring tokens, TLS, a restart", fast: 1, full: 1, run };

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(20);
/// Above the 5 s that a token lives unused.
const PAUSE_MS: u64 = 6300;

/// Codes 140 to 156 are about users, roles and tokens.
const ABOUT_TOKENS: std::ops::RangeInclusive<i32> = 140..=156;

fn run(setting: &Setting) -> Result<Report> {
    let files = tempfile::tempdir()?;
    let authority = Authority::new("rig");
    let ca = write(files.path(), "ca.pem", authority.pem())?.display().to_string();
    let pair = authority.server(&["localhost", "127.0.0.1"], Validity::good());
    let (cert, key) = pair.write(files.path(), "server")?;
    let world = World::build(setting, None, |builder| builder.tls(cert, key).flag("--auth-token-ttl=5"))?;
    secure::turn_on(&world)?;
    let secure_endpoint = |member: &etcd_run::Server| Some(format!("https://{}", member.tls_endpoint()?));
    let endpoints: Vec<String> = world.cluster.members().iter().filter_map(secure_endpoint).collect();
    let open = || -> Result<Arc<Client>> {
        let config = Config::new(&endpoints).timeout(LIMIT).credentials(ROOT.0, ROOT.1);
        Ok(Arc::new(Client::open(config.tls_files(Some(&ca), None))?))
    };
    let busy = [open()?, open()?];
    let idle = [open()?, open()?, open()?];
    let callers = vec![
        Caller::new("busy-0", &busy[0], Mix::Mixed, 40, LIMIT),
        Caller::new("busy-1", &busy[1], Mix::Mixed, 40, LIMIT),
        Caller::new("reader", &busy[1], Mix::Reads, 40, LIMIT),
        Caller::new("idler-0", &idle[0], Mix::Mixed, PAUSE_MS, LIMIT),
        Caller::new("idler-1", &idle[1], Mix::Puts, PAUSE_MS, LIMIT),
        Caller::new("idler-2", &idle[2], Mix::Reads, PAUSE_MS, LIMIT),
    ];
    let mut bench = Bench::start(world, setting, callers)?;
    while bench.next_round()? {
        let lasts = if setting.full { LONG } else { SHORT };
        let begun = bench.world.now();
        std::thread::sleep(lasts / 3);
        let member = bench.rng.usize(..3);
        let down = bench.world.note(format!("member {member} is restarted"));
        bench.world.cluster[member].stop();
        bench.world.cluster[member].restart()?;
        bench.read_and_put_recovery(down);
        std::thread::sleep((begun + lasts).saturating_sub(bench.world.now()));
    }
    let records = bench.world.recorder.records();
    let token_errors =
        records.iter().filter(|record| record.fault().is_some_and(|fault| ABOUT_TOKENS.contains(&fault.code))).count();
    let renewed: i64 = idle.iter().map(|client| client.counter("token_refreshes")).sum();
    bench.report.figure(format!("{token_errors} token errors seen by callers, {renewed} tokens renewed for the idle"));
    // Else nothing was tested.
    bench.report.demand(renewed > idle.len() as i64, || "no token of the idle has expired".into());
    demand_no_token_errors(&mut bench);
    bench.finish()
}
