//! Lost, late and refused answers, tokens, cancellation, metadata, raw calls, order and mirrors, against scripted servers.

mod support;

use etcd3_scripted::Scripted;
use support::programs::{compile_program, run_program, run_under_valgrind, standards};

/// Declares a test of each program, alone and under valgrind.
macro_rules! programs {
    ($($name:ident)*) => {
        $(#[test] fn $name() { with_servers(stringify!($name), run_program); })*

        const PROGRAMS: &[&str] = &[$(stringify!($name)),*];

        mod valgrind {
            $(#[test] fn $name() { super::with_servers(stringify!($name), super::run_under_valgrind); })*
        }
    };
}

programs! {
    outcome outcome_admin tokens cancel requests watch_faults mirrors leases metadata raw ordering loaded namespaces
    malformed
}

fn with_servers(program: &str, run: fn(&str, &[(&str, &str)])) {
    let scripted = Scripted::start().expect("a loopback port");
    run(program, &[("ETCD3_SCRIPTED", &scripted.control())]);
}

#[test]
fn compiles_as_every_standard() {
    for program in PROGRAMS {
        for standard in standards() {
            compile_program(program, standard);
        }
    }
}
