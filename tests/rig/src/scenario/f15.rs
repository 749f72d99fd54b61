//! F15: tokens expire, and what they were given for changes.

use super::secure::{self, demand_no_token_errors, unheard_of, ROOT};
use super::{Scenario, Setting};
use crate::bench::Bench;
use crate::library::{Client, Fault};
use crate::load::{Caller, Mix, LIMIT};
use crate::report::Report;
use crate::world::{Result, World};
use etcd_run::Builder;
use serde_json::json;
use std::sync::Barrier;
use std::time::Duration;

pub const SCENARIO: Scenario = Scenario { name: "F15", title: "tokens expire, users change", fast: 2, full: 20, run };
pub const JWT: Scenario =
    Scenario { name: "F15-jwt", title: "roles change under JWT", fast: 2, full: 20, run: run_jwt };

/// The server forgets a token that was not used for so long, and looks once a second.
const TTL: u64 = 5;
const IDLE: Duration = Duration::from_millis(1000 * TTL + 1500);
const CROWD: usize = 200;
const MOST_LOGINS: i64 = 3;

const PERMISSION_DENIED: i32 = 146;
const AUTH_FAILED: i32 = 142;

fn run(setting: &Setting) -> Result<Report> {
    let world = World::build(setting, None, |builder| builder.flag(format!("--auth-token-ttl={TTL}")))?;
    secure::turn_on(&world)?;
    let endpoints = world.endpoints();
    let (crowd, mover) = (secure::client(&endpoints, ROOT)?, secure::client(&endpoints, ("mover", "moved-0"))?);
    let guest = secure::client(&endpoints, ("guest", "guest"))?;
    let mut bench = Bench::start(world, setting, callers(&endpoints)?)?;
    while bench.next_round()? {
        crowd.get(b"k/0", LIMIT)?;
        mover.get(b"k/0", LIMIT)?;
        std::thread::sleep(IDLE);
        bench.world.note("the crowd's token has expired");
        all_at_once(&mut bench, &crowd, "an expired token");
        off_and_on(&bench.world)?;
        all_at_once(&mut bench, &crowd, "authentication off and on");
        // The same password again, and yet all tokens of the user end.
        secure::post(&bench.world, "user/changepw", &json!({"name": ROOT.0, "password": ROOT.1}))?;
        bench.world.note("the password was set anew");
        all_at_once(&mut bench, &crowd, "a password set anew");
        moves(&mut bench, &mover)?;
        let denied = |answer: std::result::Result<_, Fault>| answer.is_err_and(|fault| fault.code == PERMISSION_DENIED);
        bench.report.demand(denied(guest.get(b"k/0", LIMIT)), || "a guest's get is not denied".into());
        bench.report.demand(denied(guest.put(b"k/0", b"x", LIMIT)), || "a guest's put is not denied".into());
    }
    demand_no_token_errors(&mut bench);
    bench.finish()
}

/// Two that are busy and two whose token has always expired when they call again.
fn callers(endpoints: &[String]) -> Result<Vec<Caller>> {
    let (busy, idle) = (secure::client(endpoints, ROOT)?, secure::client(endpoints, ROOT)?);
    let seldom = IDLE.as_millis() as u64;
    Ok(vec![
        Caller::new("busy-0", &busy, Mix::Mixed, 40, LIMIT),
        Caller::new("busy-1", &busy, Mix::Mixed, 40, LIMIT),
        Caller::new("idler-0", &idle, Mix::Mixed, seldom, LIMIT),
        Caller::new("idler-1", &secure::client(endpoints, ROOT)?, Mix::Puts, seldom, LIMIT),
    ])
}

/// The whole crowd calls in the same moment: nobody notices, and few tokens are fetched.
fn all_at_once(bench: &mut Bench, client: &Client, event: &str) {
    let before = client.counter("token_refreshes");
    let barrier = Barrier::new(CROWD);
    let call = |i: usize| {
        barrier.wait();
        // Of a key that is no caller's: the checker knows nothing of it.
        let key = unheard_of(i);
        let answer = match i % 2 {
            0 => client.get(key.as_bytes(), LIMIT),
            _ => client.put(key.as_bytes(), b"", LIMIT),
        };
        answer.err()
    };
    let failed: Vec<Fault> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CROWD).map(|i| scope.spawn(move || call(i))).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("it does not panic")).collect()
    });
    let logins = client.counter("token_refreshes") - before;
    bench.world.note(format!("{CROWD} calls after {event}: {} failed, {logins} tokens fetched", failed.len()));
    for fault in failed.iter().take(3) {
        bench.report.problem(format!("{} of {CROWD} calls after {event} failed: {fault}", failed.len()));
    }
    bench.report.demand((1..=MOST_LOGINS).contains(&logins), || {
        format!("{logins} tokens were fetched by {CROWD} calls after {event}, wanted 1 to {MOST_LOGINS}")
    });
}

fn off_and_on(world: &World) -> Result<()> {
    secure::post(world, "disable", &json!({}))?;
    world.log_in(None);
    world.note("authentication is off");
    secure::post(world, "enable", &json!({}))?;
    world.log_in(Some(ROOT));
    world.note("authentication is on");
    Ok(())
}

/// Another password: the client is refused until it is told.
fn moves(bench: &mut Bench, client: &Client) -> Result<()> {
    let password = format!("moved-{}", bench.report.rounds);
    secure::post(&bench.world, "user/changepw", &json!({"name": "mover", "password": password}))?;
    bench.world.note("another password");
    let answer = client.get(b"k/0", LIMIT);
    bench.report.demand(answer.as_ref().is_err_and(|fault| fault.code == AUTH_FAILED), || {
        format!("with the old password: {:?}", answer.map(|answer| answer.revision))
    });
    client.set_credentials("mover", &password)?;
    let answer = client.get(b"k/0", LIMIT);
    bench.report.demand(answer.is_ok(), || format!("with the new password: {}", answer.unwrap_err()));
    Ok(())
}

/// A JWT tells of which revision of users and roles it is, and is refused once there is another.
fn run_jwt(setting: &Setting) -> Result<Report> {
    let keys = secure::jwt_keys()?;
    let jwt = |name: &str| keys.path().join(name).display().to_string();
    let spec = format!("jwt,pub-key={},priv-key={},sign-method=ES256,ttl=10m", jwt("jwt.pub"), jwt("jwt.key"));
    let world = World::build(setting, None, |builder: Builder| builder.flag(format!("--auth-token={spec}")))?;
    secure::turn_on(&world)?;
    let endpoints = world.endpoints();
    let crowd = secure::client(&endpoints, ROOT)?;
    let mut bench = Bench::start(world, setting, callers(&endpoints)?)?;
    while bench.next_round()? {
        crowd.get(b"k/0", LIMIT)?;
        let role = format!("role-{}", bench.report.rounds);
        secure::post(&bench.world, "role/add", &json!({"name": role}))?;
        secure::post(&bench.world, "user/grant", &json!({"user": "guest", "role": role}))?;
        bench.world.note("another role");
        all_at_once(&mut bench, &crowd, "another role");
        secure::post(&bench.world, "role/delete", &json!({"role": role}))?;
        bench.world.note("a role less");
        all_at_once(&mut bench, &crowd, "a role less");
    }
    demand_no_token_errors(&mut bench);
    bench.finish()
}
