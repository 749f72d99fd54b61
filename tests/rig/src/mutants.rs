//! Whether the rig finds what it is there to find: libraries that are wrong on purpose.

use crate::world::Result;
use std::path::Path;
use std::process::{Command, Output};

struct Mutant {
    name: &'static str,
    /// The cheapest scenario that must fail, and its rounds.
    scenario: &'static str,
    rounds: usize,
    /// What the problem has to say.
    says: &'static [&'static str],
}

const MUTANTS: &[Mutant] = &[
    Mutant { name: "retry-put", scenario: "F7", rounds: 1, says: &["Once: in H at", "Honest: in H 2 times"] },
    Mutant { name: "read-stale-endpoint", scenario: "F19", rounds: 1, says: &["Read: "] },
    Mutant { name: "deadline-ignored", scenario: "deadlines", rounds: 1, says: &["late: "] },
    Mutant { name: "bookmark-from-header", scenario: "F13", rounds: 1, says: &["Watch: "] },
    Mutant { name: "resume-at-r", scenario: "frames", rounds: 1, says: &["frames, old events: "] },
    Mutant { name: "forget-dedupe", scenario: "frames", rounds: 1, says: &["frames, old events: "] },
    Mutant { name: "deliver-partial-fragment", scenario: "frames", rounds: 1, says: &["frames, half a response: "] },
    Mutant { name: "ignore-created-canceled", scenario: "frames", rounds: 1, says: &["frames, refused: "] },
    Mutant { name: "lease-deadline-from-receipt", scenario: "lease-lost", rounds: 1, says: &["its loss told only at"] },
    Mutant { name: "skip-own-key-check", scenario: "own-key", rounds: 1, says: &["a phantom: "] },
    Mutant { name: "no-space-is-sure", scenario: "F17", rounds: 1, says: &["across the quota: "] },
    Mutant { name: "trust-snapshots", scenario: "F23", rounds: 1, says: &["another checksum: a snapshot of"] },
    Mutant { name: "half-close", scenario: "frames", rounds: 1, says: &["frames, last one out: "] },
];

const LINE: usize = 200;

/// Runs each mutant of the library in `libdir`, and the library as it should be; whether all was
/// found and nothing else. If `chosen` names scenarios, only for theirs.
pub fn run(libdir: &Path, seed: u64, chosen: &[String]) -> Result<bool> {
    let mut all = true;
    let is_chosen = |mutant: &&Mutant| chosen.is_empty() || chosen.iter().any(|name| name == mutant.scenario);
    for mutant in MUTANTS.iter().filter(is_chosen) {
        let sound = scenario(mutant, libdir, seed, false)?;
        let mutated = scenario(mutant, libdir, seed, true)?;
        let said = String::from_utf8_lossy(&mutated.stdout);
        let caught = mutated.status.code() == Some(1) && mutant.says.iter().any(|text| said.contains(text));
        let verdict = match (sound.status.code(), caught) {
            (Some(0), true) => "caught",
            (Some(0), false) => "NOT CAUGHT",
            _ => "NOT DECIDED: the library fails without it",
        };
        all &= verdict == "caught";
        println!("mutant {:<27} {:<10} {verdict}", mutant.name, mutant.scenario);
        let shown = if verdict.starts_with("NOT D") { &sound } else { &mutated };
        let text = [&shown.stdout[..], &shown.stderr[..]].concat();
        let text = String::from_utf8_lossy(&text);
        // Of what a mutant did, the beginning of an example says enough.
        let telling = |line: &&str| verdict != "caught" || mutant.says.iter().any(|text| line.contains(text));
        for line in text.lines().filter(telling).take(if verdict == "caught" { 1 } else { 50 }) {
            println!("    {}", line.trim().chars().take(LINE).collect::<String>());
        }
    }
    Ok(all)
}

/// In a process of its own: the library reads the environment when it is loaded.
fn scenario(mutant: &Mutant, libdir: &Path, seed: u64, mutate: bool) -> std::io::Result<Output> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["fast", mutant.scenario, "--rounds", &mutant.rounds.to_string(), "--seed", &seed.to_string()])
        .args(["--problems", "all"])
        .env("ETCD3_LIBDIR", libdir)
        .env_remove("ETCD3_MUTANT");
    if mutate {
        command.env("ETCD3_MUTANT", mutant.name);
    }
    command.output()
}
