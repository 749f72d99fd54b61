//! Runs a command with an etcd server of its own.

use etcd_run::{Builder, Cluster, Process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{exfiltrator::WithOrigin, SignalsInfo};
use signal_hook::low_level::siginfo::{Cause, Origin};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Receiver};
use std::sync::Arc;
use std::time::Duration;

const USAGE: &str = "\
usage: etcd-run [--version 3.6] [--cluster N] [--etcd-flag=FLAG]... -- command [argument...]

Starts an etcd server (or a cluster of N), runs the command with
  ETCD3_ENDPOINTS         its addresses, separated by commas
  ETCD3_SERVER_VERSION    its full version
ends the server, and exits as the command did. ETCD=<path> names another etcd binary.";

/// How long the command may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(3);

/// For what went wrong here, and not in the command.
const TROUBLE: i32 = 125;

struct Options {
    version: String,
    members: usize,
    flags: Vec<String>,
    command: Vec<String>,
}

enum Event {
    Signal(Origin),
    Ended(ExitStatus),
}

fn main() {
    let code = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => run(&options).unwrap_or_else(|error| {
            eprintln!("etcd-run: {error}");
            TROUBLE
        }),
        Ok(None) => {
            println!("{USAGE}");
            0
        }
        Err(why) => {
            eprintln!("etcd-run: {why}\n{USAGE}");
            TROUBLE
        }
    };
    std::process::exit(code);
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { version: etcd_run::NEWEST.into(), members: 1, flags: Vec::new(), command: Vec::new() };
    while let Some(arg) = args.next() {
        let (name, mut value) = match arg.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (arg, None),
        };
        let mut value = || (value.take().or_else(|| args.next())).ok_or(format!("{name} what?"));
        match name.as_str() {
            "--version" => options.version = value()?,
            "--cluster" => {
                let n = value()?;
                options.members = n.parse().map_err(|_| format!("{n} is no number"))?;
            }
            "--etcd-flag" => options.flags.push(value()?),
            "--help" | "-h" => return Ok(None),
            "--" => {
                options.command = args.collect();
                break;
            }
            _ => return Err(format!("what is {name}?")),
        }
    }
    if options.command.is_empty() {
        return Err("no command after --".into());
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<i32, Box<dyn std::error::Error>> {
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, events) = channel();
    // Before the server starts, so that there is no moment in which a signal leaves it behind.
    let mut signals = SignalsInfo::<WithOrigin>::new([SIGHUP, SIGINT, SIGTERM])?;
    let (stopped, to_main) = (Arc::clone(&stop), sender.clone());
    std::thread::spawn(move || {
        for origin in signals.forever() {
            let _ = to_main.send(Event::Signal(origin));
            // After the message: whoever sees the flag finds the message.
            stopped.store(true, Ordering::SeqCst);
        }
    });

    let mut builder = Builder::new(&options.version).stop_flag(Arc::clone(&stop));
    for flag in &options.flags {
        builder = builder.flag(flag);
    }
    let cluster = match builder.start_cluster(options.members) {
        Ok(cluster) => cluster,
        Err(error) => match events.try_recv() {
            Ok(Event::Signal(origin)) => return Ok(128 + origin.signal),
            _ => return Err(error.into()),
        },
    };
    if let Ok(Event::Signal(origin)) = events.try_recv() {
        return Ok(128 + origin.signal);
    }

    let process = match Process::spawn(command(options, &cluster)) {
        Ok(process) => Arc::new(process),
        Err(error) => {
            eprintln!("etcd-run: {}: {error}", options.command[0]);
            // As a shell says it.
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            return Ok(if missing { 127 } else { 126 });
        }
    };
    let waiting = Arc::clone(&process);
    std::thread::spawn(move || sender.send(Event::Ended(waiting.wait())));
    Ok(attend(&process, &events))
}

fn command(options: &Options, cluster: &Cluster) -> Command {
    let mut command = Command::new(&options.command[0]);
    command
        .args(&options.command[1..])
        .env("ETCD3_ENDPOINTS", cluster.endpoints().join(","))
        .env("ETCD3_SERVER_VERSION", cluster.version());
    command
}

/// Waits for the command, and passes signals on to it; the exit status.
fn attend(process: &Process, events: &Receiver<Event>) -> i32 {
    let origin = match events.recv() {
        Ok(Event::Ended(status)) => return code(status),
        Ok(Event::Signal(origin)) => origin,
        Err(_) => return TROUBLE,
    };
    // A Ctrl-C at the terminal has reached the command already, and many a program takes a second
    // one for "at once".
    if !matches!(origin.cause, Cause::Kernel) {
        process.signal(origin.signal);
    }
    if process.wait_timeout(PATIENCE).is_none() {
        process.kill();
    }
    128 + origin.signal
}

fn code(status: ExitStatus) -> i32 {
    let signal = status.signal().map_or(TROUBLE, |signal| 128 + signal);
    status.code().unwrap_or(signal)
}
