//! Answers out of bytes: rules for the scripted server, from right messages to frames that are none.

use crate::ground::Ground;
use crate::input::Input;

const METHODS: &[&str] = &[
    "*",
    "Range",
    "Put",
    "DeleteRange",
    "Txn",
    "Compact",
    "Watch",
    "LeaseGrant",
    "LeaseRevoke",
    "LeaseKeepAlive",
    "LeaseTimeToLive",
    "LeaseLeases",
    "Alarm",
    "Status",
    "Defragment",
    "Hash",
    "HashKV",
    "Snapshot",
    "MoveLeader",
    "Downgrade",
    "MemberList",
    "MemberAdd",
    "MemberUpdate",
    "MemberPromote",
    "MemberRemove",
    "AuthStatus",
    "UserGet",
    "UserList",
    "RoleGet",
    "RoleList",
    "Authenticate",
    "raw",
];
const REASONS: &[&str] =
    &["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "REFUSED_STREAM", "CANCEL", "ENHANCE_YOUR_CALM"];
/// Beside arbitrary ones: texts that mean something to the library.
const TEXTS: &[&str] = &[
    "etcdserver: no leader",
    "etcdserver: mvcc: required revision has been compacted",
    "etcdserver: requested lease not found",
    "etcdserver: invalid auth token",
    "etcdserver: request timed out",
    "etcdserver: too many requests",
    "etcdserver: mvcc: database space exceeded",
];

pub fn script(ground: &Ground, input: &mut Input) {
    for _ in 0..input.below(4) {
        let method = METHODS[input.below(METHODS.len())];
        let times = match input.byte() {
            0..=99 => "1".to_owned(),
            100..=199 => "*".to_owned(),
            other => (other - 199).to_string(),
        };
        let steps: Vec<_> = (0..=input.below(8)).map(|_| step(input)).collect();
        command(ground, &format!("on 0 {method} {times} {}", steps.join(" | ")));
    }
    if input.byte() >= 250 {
        command(ground, &format!("identity 0 {} {} {}", input.byte(), input.byte(), input.number(false) as u64));
    }
}

pub fn forget(ground: &Ground) {
    command(ground, "forget 0");
    command(ground, "identity 0 1 1 2");
    // What waits for `release` goes with its connection.
    command(ground, "drop 0");
}

fn command(ground: &Ground, line: &str) {
    if let Err(why) = ground.scripted.command(line) {
        panic!("{why}");
    }
}

fn step(input: &mut Input) -> String {
    match input.byte() % 24 {
        0..=4 => format!("message hex {}", hex(input.some())),
        5 | 6 => format!("message watch {}", watched(input)),
        7 => "message".into(),
        8 => format!("message kv k{} v {}", input.below(3), input.byte()),
        9 => format!("message not-held k v {}", input.byte()),
        10 => format!("message granted {}", input.number(false) as u64),
        11 => format!("message lease {} {}", input.number(false), input.byte()),
        12 => format!("raw {}", hex(input.some())),
        13 => format!("trailers {} {}", code(input), text(input)),
        14 => format!("status {} {}", code(input), text(input)),
        15 => format!("reset {}", REASONS[input.below(REASONS.len())]),
        16 => format!("goaway {} {}", ["below", "here", "0"][input.below(3)], REASONS[input.below(REASONS.len())]),
        17 => ["close", "abort"][input.below(2)].into(),
        18 => ["headers", "content-type text/html", "content-type application/grpc+json"][input.below(3)].into(),
        19 => format!("http {} text/plain {}", 200 + u16::from(input.byte()) * 2, text(input)),
        20 => format!("delay {}", input.below(5)),
        21 => format!("cut {}", input.byte()),
        22 => ["recv", "never", "token", "recv"][input.below(4)].into(),
        _ => format!("renew {}", input.number(false)),
    }
}

fn code(input: &mut Input) -> i32 {
    match input.byte() {
        255 => i32::MIN,
        254 => -1,
        known @ 0..=199 => i32::from(known % 17),
        other => i32::from(other),
    }
}

fn watched(input: &mut Input) -> String {
    let mut words = Vec::new();
    for _ in 0..input.below(6) {
        words.push(match input.byte() % 9 {
            0 => format!("id={}", i16::from(input.byte()) - 2),
            1 => "created".into(),
            2 => "canceled".into(),
            3 => "fragment".into(),
            4 => format!("compact={}", input.byte()),
            5 => format!("revision={}", input.number(false) as u64),
            6 | 7 => format!("put=k{},v,{}", input.below(3), input.byte()),
            _ => format!("delete=k{},{}", input.below(3), input.byte()),
        });
    }
    words.join(" ")
}

fn text(input: &mut Input) -> String {
    match input.byte() {
        known @ 0..=199 => TEXTS[usize::from(known) % TEXTS.len()].to_owned(),
        // What a command can hold.
        _ => String::from_utf8_lossy(input.some()).replace(['\n', '\r', '|'], "?"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
