//! The commands by which a test tells servers what to do and learns what they saw: one line, one line back,
//! `ok …` or `error …`.

use crate::answer::Identity;
use crate::record::hex;
use crate::script::{self, number, Last};
use crate::server::{goaway, Group, Kind, Rule, Server, State};
use crate::wire::End;
use std::sync::Arc;
use std::time::Duration;

/// How long an `await…` waits. What works takes no time.
const PATIENCE: Duration = Duration::from_secs(30);

type Result<T> = std::result::Result<T, String>;

pub(crate) const HELP: &str = "\
serve [grpc|silent|text|dropping] [STREAMS]   a new server; its number and address
stop S, start S                               refuse connections; listen again
drop S, abort S                               end all connections, with a FIN or a RST
goaway S LAST REASON [DEBUG]                  on all connections
on S METHOD TIMES STEP [| STEP…]              script the next calls of a method; * for any, for always
release S N                                   let N calls go on that `hold`
forget S                                      all rules and records
identity S CLUSTER MEMBER REVISION            what its response headers say
revoke                                        make all tokens given out so far invalid
count|await S METHOD [N]                      whole requests; wait until there are N
resets|await-resets S METHOD [N]              of them reset by the client
connections|await-connections S [N]           taken so far
open|await-open S [N]                         open just now
header S METHOD I NAME                        of the I-th request, from 0; - if there is none
body S METHOD I, at S METHOD I                its messages in hex; when it came, in ms
connection S METHOD I                         on which connection it came
dump S                                        all requests, as JSON
";

pub(crate) async fn execute(group: &Arc<Group>, line: &str) -> String {
    match run(group, line.trim()).await {
        Ok(answer) if answer.is_empty() => "ok".into(),
        Ok(answer) => format!("ok {answer}"),
        Err(why) => format!("error {}: {why}", line.trim()),
    }
}

async fn run(group: &Arc<Group>, line: &str) -> Result<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["serve", ref rest @ ..] => return serve(group, rest).await,
        ["revoke"] => {
            group.tokens.lock().unwrap().valid.clear();
            return Ok(String::new());
        }
        [_, _, ..] => {}
        _ => return Err("no such command".into()),
    }
    let index: usize = number(words[1])?;
    let server = group.servers.lock().unwrap().get(index).cloned();
    let server = server.ok_or_else(|| format!("there is no server {index}"))?;
    match words[..] {
        ["on", ..] => script(&server, line),
        ["start", _] => server.start(group).await.map(|()| String::new()).map_err(|error| error.to_string()),
        ["goaway", _, last, reason, ref debug @ ..] => {
            let Last::Id(last) = script::last(last)? else { return Err("which stream?".into()) };
            let frame = goaway(last, script::reason(reason)?, &debug.join(" "));
            server.state.lock().unwrap().open.values().for_each(|wire| wire.inject(frame.clone()));
            Ok(String::new())
        }
        ["identity", _, cluster, member, revision] => {
            let identity = Identity { cluster: number(cluster)?, member: number(member)?, revision: number(revision)? };
            server.state.lock().unwrap().identity = identity;
            Ok(String::new())
        }
        ["release", _, permits] => {
            server.permits.add_permits(number(permits)?);
            Ok(String::new())
        }
        [order @ ("stop" | "drop" | "abort" | "forget"), _] => {
            obey(&server, order);
            Ok(String::new())
        }
        [what @ ("header" | "body" | "at" | "connection"), _, method, place, ref rest @ ..] => {
            show(group, &server, what, method, number(place)?, rest)
        }
        ["dump", _] => Ok(dump(group, &server)),
        _ => counted(group, &server, &words).await,
    }
}

fn obey(server: &Server, order: &str) {
    match order {
        "stop" => server.stop(),
        "drop" => server.end_all(End::Close),
        "abort" => server.end_all(End::Abort),
        _ => {
            let mut state = server.state.lock().unwrap();
            state.rules.clear();
            state.records.clear();
        }
    }
}

async fn serve(group: &Arc<Group>, words: &[&str]) -> Result<String> {
    let kind = match words.first().copied().unwrap_or("grpc") {
        "grpc" => Kind::Grpc,
        "silent" => Kind::Silent,
        "text" => Kind::Text,
        "dropping" => Kind::Dropping,
        other => return Err(format!("no server is {other:?}")),
    };
    let streams = words.get(1).map(|streams| number(streams)).transpose()?;
    let index = group.servers.lock().unwrap().len();
    let server = Server::serve(group, kind, streams).await.map_err(|error| error.to_string())?;
    Ok(format!("{index} {}", server.address))
}

/// `on S METHOD TIMES STEP | STEP`: what follows the third space is taken as it is.
fn script(server: &Server, line: &str) -> Result<String> {
    let parts: Vec<_> = line.splitn(5, ' ').collect();
    let [_, _, method, times, steps] = parts[..] else { return Err("on S METHOD TIMES STEP…".into()) };
    let left = if times == "*" { None } else { Some(number(times)?) };
    let rule = Rule { method: method.into(), left, steps: script::parse(steps)? };
    server.state.lock().unwrap().rules.push(rule);
    Ok(String::new())
}

fn show(group: &Group, server: &Server, what: &str, method: &str, place: usize, rest: &[&str]) -> Result<String> {
    let state = server.state.lock().unwrap();
    let record = state.of(method).nth(place).ok_or_else(|| format!("{} requests came", state.of(method).count()))?;
    match (what, rest) {
        ("header", [name]) => Ok(record.header(name).unwrap_or_else(|| "-".into())),
        ("body", []) => Ok(record.messages.iter().map(|message| hex(message)).collect::<Vec<_>>().join(" ")),
        ("at", []) => Ok(record.at.duration_since(group.started).as_millis().to_string()),
        ("connection", []) => Ok(record.connection.to_string()),
        _ => Err("no such command".into()),
    }
}

fn dump(group: &Group, server: &Server) -> String {
    let state = server.state.lock().unwrap();
    let records: Vec<_> = state.records.iter().map(|record| record.shown(group.started)).collect();
    format!("[{}]", records.join(","))
}

/// The commands about a number that grows: what it is, or wait until it is reached.
async fn counted(group: &Group, server: &Server, words: &[&str]) -> Result<String> {
    let (command, waits) = match words[0].strip_prefix("await-") {
        Some(command) => (command, true),
        None if words[0] == "await" => ("count", true),
        None => (words[0], false),
    };
    let (method, rest) = match (command, &words[2..]) {
        ("count" | "resets", [method, rest @ ..]) => (*method, rest),
        ("connections" | "open", rest) => ("*", rest),
        _ => return Err("no such command".into()),
    };
    let count = |state: &State| match command {
        "count" => state.of(method).count(),
        "resets" => state.of(method).filter(|record| record.reset).count(),
        "connections" => state.taken,
        _ => state.open.len(),
    };
    if waits {
        let [wanted] = rest[..] else { return Err("how many?".into()) };
        let wanted: usize = number(wanted)?;
        let reached = |state: &State| match command {
            // What is open may have to close.
            "open" => count(state) == wanted,
            _ => count(state) >= wanted,
        };
        let waited = tokio::time::timeout(PATIENCE, server.until(reached)).await;
        let now = count(&server.state.lock().unwrap());
        waited.map_err(|_| format!("still {now}: {}", dump(group, server)))?;
    }
    let now = count(&server.state.lock().unwrap());
    Ok(now.to_string())
}
