//! All members are away for a long time: how soon does a client notice that they are back?

use super::f06::{when_up, UP};
use super::{revive, Scenario, Setting};
use crate::bench::Bench;
use crate::load::{self, Caller, Mix, LIMIT};
use crate::proxy::{End, Plan};
use crate::report::Report;
use crate::world::{Result, World};
use std::time::Duration;

pub const SCENARIO: Scenario = Scenario { name: "outage", title: "all members down for long", fast: 1, full: 1, run };

const LONG: Duration = Duration::from_secs(180);
const SHORT: Duration = Duration::from_secs(20);

fn run(setting: &Setting) -> Result<Report> {
    let world = World::start(setting)?;
    let endpoints = world.proxied();
    // One client that keeps trying, one that does nothing meanwhile.
    let trying = load::client(&endpoints)?;
    let idle = load::client(&endpoints)?;
    idle.get(b"k/0", LIMIT)?;
    let callers = vec![
        Caller::new("reader", &trying, Mix::Reads, 50, LIMIT),
        Caller::new("putter", &trying, Mix::Puts, 50, LIMIT),
    ];
    let mut bench = Bench::start(world, setting, callers)?;
    while bench.next_round()? {
        let away = if setting.full { LONG } else { SHORT };
        bench.world.note(format!("all members are killed, for {away:?}"));
        for (member, proxy) in bench.world.cluster.members().iter().zip(&bench.world.proxies) {
            proxy.set(Plan::refuse());
            proxy.drop_all(End::Rst);
            member.kill();
        }
        std::thread::sleep(away);
        for member in bench.world.cluster.members() {
            member.launch()?;
        }
        let up = when_up(&bench.world)?;
        let answered = idle.get(b"k/0", LIMIT);
        bench.report.recovered("idle client", answered.ok().map(|_| bench.world.now() - up));
        let done = bench.world.recorder.wait_return(up, Duration::from_secs(30), |record| record.is_done());
        bench.report.recovered("first success", done.map(|done| done - up));
        bench.read_and_put_recovery(up);
        revive(&bench.world)?;
    }
    bench.report.figure("counted from when the cluster answers one that is not the library");
    bench.report.demand_recovery("first success", None, UP);
    bench.report.demand_recovery("idle client", None, UP);
    bench.finish()
}
