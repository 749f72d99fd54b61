//! Runs fault scenarios against libetcd3 and says what came of it.

use etcd3_rig::evidence::Evidence;
use etcd3_rig::scenario::{Scenario, Setting, ALL};
use etcd3_rig::{contender, library, mutants, report};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const USAGE: &str = "\
usage: etcd3-rig fast|full [SCENARIO...] [--seed N] [--rounds N]
       etcd3-rig mutants [SCENARIO...] [--seed N]
       etcd3-rig list

Loads libetcd3.so from ETCD3_LIBDIR, without it from target/release. ETCD_VERSIONS names the
servers. What a failed run leaves is in target/fault. mutants takes the library that was built with
the feature of that name from ETCD3_MUTANT_LIBDIR.
Exits with 1 if the library failed, with 2 if a scenario could not be run.";

const FAILED: i32 = 1;
const TROUBLE: i32 = 2;

#[derive(Default)]
struct Options {
    command: String,
    scenarios: Vec<String>,
    seed: Option<u64>,
    rounds: Option<usize>,
    all_problems: bool,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|command| command == "contend") {
        let ended = contender::contend(&args[1..]);
        eprintln!("etcd3-rig contend: {:?}", ended.err());
        std::process::exit(TROUBLE);
    }
    let options = options(std::env::args().skip(1)).unwrap_or_else(|why| {
        eprintln!("etcd3-rig: {why}\n{USAGE}");
        std::process::exit(TROUBLE);
    });
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let code = match options.command.as_str() {
        "fast" | "full" => run(&options, seed),
        "mutants" => run_mutants(&options, seed),
        "list" => {
            ALL.iter().for_each(|s| println!("{:<12} {:<34} rounds {} / {}", s.name, s.title, s.fast, s.full));
            0
        }
        _ => {
            println!("{USAGE}");
            0
        }
    };
    std::process::exit(code);
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { command: args.next().unwrap_or_default(), ..Options::default() };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} what?"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is no number"));
        match arg.as_str() {
            "--seed" => options.seed = Some(number(value()?)?),
            "--rounds" => options.rounds = Some(number(value()?)? as usize),
            "--problems" => options.all_problems = value()? == "all",
            name if ALL.iter().any(|scenario| scenario.name.eq_ignore_ascii_case(name)) => options.scenarios.push(arg),
            _ => return Err(format!("what is {arg}?")),
        }
    }
    Ok(options)
}

fn run_mutants(options: &Options, seed: u64) -> i32 {
    let Some(libdir) = std::env::var_os("ETCD3_MUTANT_LIBDIR").map(PathBuf::from) else {
        eprintln!("etcd3-rig: ETCD3_MUTANT_LIBDIR is not set\n{USAGE}");
        return TROUBLE;
    };
    println!("seed {seed}, mutants of {}", libdir.display());
    match mutants::run(&libdir, seed, &options.scenarios) {
        Ok(true) => 0,
        Ok(false) => FAILED,
        Err(trouble) => {
            eprintln!("etcd3-rig: {trouble}");
            TROUBLE
        }
    }
}

fn run(options: &Options, seed: u64) -> i32 {
    let full = options.command == "full";
    println!("seed {seed}, libetcd3 {} of {}", library::version(), library::path().display());
    if options.all_problems {
        report::show_all();
    }
    let rounds = |scenario: &Scenario| options.rounds.unwrap_or(if full { scenario.full } else { scenario.fast });
    let chosen = |scenario: &&Scenario| match options.scenarios.is_empty() {
        true => rounds(scenario) > 0,
        false => options.scenarios.iter().any(|name| scenario.name.eq_ignore_ascii_case(name)),
    };
    let (begun, busy) = (Instant::now(), processor());
    let (mut code, mut count) = (0, 0);
    for version in etcd_run::versions_from_env() {
        for scenario in ALL.iter().filter(chosen) {
            let setting = Setting {
                name: scenario.name,
                // One that has no rounds of its own was named: it has those of a fast run, or one.
                rounds: rounds(scenario).max(1),
                full,
                seed,
                version: version.clone(),
            };
            code = code.max(attempt(scenario, setting));
            count += 1;
        }
    }
    println!(
        "{count} scenarios in {:.0} s: {}",
        begun.elapsed().as_secs_f64(),
        match code {
            0 => "all clean",
            _ => "NOT all clean",
        }
    );
    let share = |part: u64, of: u64| 100.0 * part as f64 / of.max(1) as f64;
    let (all, idle, stolen) = processor();
    println!(
        "processors: {:.0} % idle, {:.1} % stolen",
        share(idle - busy.1, all - busy.0),
        share(stolen - busy.2, all - busy.0)
    );
    code
}

/// Ticks of all processors so far: of all kinds, idle, and taken by other machines.
fn processor() -> (u64, u64, u64) {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = first.split_whitespace().skip(1).take(8).map(|tick| tick.parse().unwrap_or(0)).collect();
    (ticks.iter().sum(), ticks.get(3).copied().unwrap_or(0), ticks.get(7).copied().unwrap_or(0))
}

/// Runs one scenario, and gives up on it if it does not end.
fn attempt(scenario: &'static Scenario, setting: Setting) -> i32 {
    let begun = Instant::now();
    let limit = Duration::from_secs(if setting.full { 600 + 60 * setting.rounds.min(100) as u64 } else { 300 });
    let again =
        format!("etcd3-rig {} {} --seed {}", if setting.full { "full" } else { "fast" }, setting.name, setting.seed);
    let (sender, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = sender.send((scenario.run)(&setting));
    });
    let code = match ended.recv_timeout(limit) {
        Ok(Ok(report)) => {
            report.print(scenario.name, scenario.title, begun.elapsed());
            if report.problems.is_empty() {
                return 0;
            }
            FAILED
        }
        Ok(Err(trouble)) => {
            println!("{:<4} {:<34} TROUBLE {trouble}", scenario.name, scenario.title);
            TROUBLE
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            println!("{:<4} {:<34} TROUBLE it panicked", scenario.name, scenario.title);
            TROUBLE
        }
        Err(mpsc::RecvTimeoutError::Timeout) => {
            println!("{:<4} {:<34} HANGS after {limit:?}", scenario.name, scenario.title);
            if let Some(evidence) = Evidence::latest() {
                evidence.settle_early("it hangs");
            }
            // Its threads and servers cannot be had back otherwise.
            std::process::exit(FAILED);
        }
    };
    println!("     again: {again}");
    code
}
