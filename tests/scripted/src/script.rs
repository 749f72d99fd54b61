//! What to do with a call: steps, read from text.
//!
//! `headers | message kv name value 7 | delay 20 | trailers 0`

use crate::answer::Watched;
use crate::wire::End;
use h2::Reason;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// The plainest right answer.
    Ok,
    /// A gRPC status: alone, or after the headers that were sent.
    Status(i32, String),
    /// The same, always after headers.
    Trailers(i32, String),
    Headers,
    Message(Body),
    /// Bytes that are not framed: a flag, a length, whatever.
    Raw(Vec<u8>),
    /// No gRPC: an HTTP status, a content type, a text.
    Http(u16, String, String),
    /// gRPC's headers, but for the content type.
    ContentType(String),
    Delay(Duration),
    /// Waits for the command `release`.
    Hold,
    Never,
    Reset(Reason),
    GoAway(Last, Reason, String),
    End(End),
    /// Breaks the connection off after so many more bytes.
    Cut(usize),
    /// Waits for one more message of the client.
    Recv,
    /// Answers every request of a keepalive stream with this time to live, but for one lease, which is denied.
    Renew(i64, Option<u64>),
    /// Ends the call unless it has a token that was given out and not revoked.
    Token,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Plain,
    Bytes(Vec<u8>),
    Found(String, String, u64),
    NotHeld(Option<(String, String, u64)>),
    Members(Vec<String>),
    Watched(Watched),
    /// The answer to a grant of the id that was asked for.
    Granted(u64),
    /// What is left of a lease, and what it was granted.
    Lease(i64, u64),
}

/// The last stream a GOAWAY says it has served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Last {
    /// The one before this call's.
    Below,
    /// This call's.
    Here,
    Id(u32),
}

type Result<T> = std::result::Result<T, String>;

/// Reads steps with ` | ` between them.
pub(crate) fn parse(text: &str) -> Result<Vec<Step>> {
    text.split(" | ").map(|step| one(step.trim()).map_err(|why| format!("{step:?}: {why}"))).collect()
}

fn one(text: &str) -> Result<Step> {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (first, more) = rest.split_once(' ').unwrap_or((rest, ""));
    Ok(match name {
        "ok" => Step::Ok,
        "status" => Step::Status(number(first)?, more.into()),
        "trailers" => Step::Trailers(number(first)?, more.into()),
        "headers" => Step::Headers,
        "message" => Step::Message(body(first, more)?),
        "raw" => Step::Raw(hex(rest)?),
        "http" => {
            let (kind, body) = more.split_once(' ').unwrap_or((more, ""));
            Step::Http(number(first)?, kind.into(), body.into())
        }
        "content-type" => Step::ContentType(first.into()),
        "delay" => Step::Delay(Duration::from_millis(number(first)?)),
        "hold" => Step::Hold,
        "never" => Step::Never,
        "reset" => Step::Reset(reason(first)?),
        "goaway" => {
            let (code, debug) = more.split_once(' ').unwrap_or((more, ""));
            Step::GoAway(last(first)?, reason(code)?, debug.into())
        }
        "close" => Step::End(End::Close),
        "abort" => Step::End(End::Abort),
        "cut" => Step::Cut(number(first)?),
        "recv" => Step::Recv,
        "renew" if more.is_empty() => Step::Renew(number(first)?, None),
        "renew" => Step::Renew(number(first)?, Some(number(more)?)),
        "token" => Step::Token,
        _ => return Err("no such step".into()),
    })
}

fn body(kind: &str, rest: &str) -> Result<Body> {
    let words: Vec<_> = rest.split_whitespace().collect();
    Ok(match (kind, &words[..]) {
        ("" | "ok", []) => Body::Plain,
        ("hex", _) => Body::Bytes(hex(rest)?),
        ("kv", [key, value, revision]) => Body::Found((*key).into(), (*value).into(), number(revision)?),
        ("not-held", []) => Body::NotHeld(None),
        ("not-held", [key, value, revision]) => {
            Body::NotHeld(Some(((*key).into(), (*value).into(), number(revision)?)))
        }
        ("members", urls) => Body::Members(urls.iter().map(|url| (*url).to_owned()).collect()),
        ("granted", [ttl]) => Body::Granted(number(ttl)?),
        ("lease", [left, granted]) => Body::Lease(number(left)?, number(granted)?),
        ("watch", _) => Body::Watched(watched(rest)?),
        _ => return Err("no such message".into()),
    })
}

/// `id=1 created canceled compact=5 revision=9 fragment put=key,value,7 delete=key,8 reason=…to the end`
fn watched(text: &str) -> Result<Watched> {
    let mut watched = Watched::default();
    let (text, reason) = text.split_once("reason=").unwrap_or((text, ""));
    watched.reason = reason.into();
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let parts: Vec<_> = value.split(',').collect();
        match (name, &parts[..]) {
            ("id", [id]) => watched.id = number(id)?,
            ("created", _) => watched.created = true,
            ("canceled", _) => watched.canceled = true,
            ("fragment", _) => watched.fragment = true,
            ("compact", [revision]) => watched.compact = number(revision)?,
            ("revision", [revision]) => watched.revision = Some(number(revision)?),
            ("put", [key, value, revision]) => {
                watched.events.push(((*key).into(), Some((*value).into()), number(revision)?));
            }
            ("delete", [key, revision]) => watched.events.push(((*key).into(), None, number(revision)?)),
            _ => return Err(format!("{word:?} of a watch response?")),
        }
    }
    Ok(watched)
}

pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| format!("{text:?} is not such a number"))
}

fn hex(text: &str) -> Result<Vec<u8>> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16));
    match digits.len() % 2 {
        0 => pairs.collect::<std::result::Result<_, _>>().map_err(|why| format!("hex: {why}")),
        _ => Err("hex: an odd number of digits".into()),
    }
}

pub(crate) fn last(text: &str) -> Result<Last> {
    match text {
        "below" => Ok(Last::Below),
        "here" => Ok(Last::Here),
        _ => number(text).map(Last::Id),
    }
}

pub(crate) fn reason(text: &str) -> Result<Reason> {
    Ok(match text {
        "NO_ERROR" => Reason::NO_ERROR,
        "PROTOCOL_ERROR" => Reason::PROTOCOL_ERROR,
        "INTERNAL_ERROR" => Reason::INTERNAL_ERROR,
        "FLOW_CONTROL_ERROR" => Reason::FLOW_CONTROL_ERROR,
        "STREAM_CLOSED" => Reason::STREAM_CLOSED,
        "FRAME_SIZE_ERROR" => Reason::FRAME_SIZE_ERROR,
        "REFUSED_STREAM" => Reason::REFUSED_STREAM,
        "CANCEL" => Reason::CANCEL,
        "ENHANCE_YOUR_CALM" => Reason::ENHANCE_YOUR_CALM,
        _ => Reason::from(number::<u32>(text)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_steps() {
        let steps = parse("delay 5 | status 14 etcdserver: no leader | goaway below NO_ERROR | raw 00ff 01").unwrap();
        let want = [
            Step::Delay(Duration::from_millis(5)),
            Step::Status(14, "etcdserver: no leader".into()),
            Step::GoAway(Last::Below, Reason::NO_ERROR, String::new()),
            Step::Raw(vec![0, 255, 1]),
        ];
        assert_eq!(steps, want);
        assert!(parse("status x").is_err());
        assert!(parse("ok | nothing").is_err());
    }

    #[test]
    fn reads_watch_responses() {
        let text = "message watch id=-1 created canceled put=a,b,7 delete=c,8 reason=etcdserver: no, not now";
        let Step::Message(Body::Watched(watched)) = one(text).unwrap() else { panic!("no watch response") };
        assert_eq!(watched.reason, "etcdserver: no, not now");
        assert_eq!((watched.id, watched.created, watched.canceled), (-1, true, true));
        assert_eq!(watched.events, [("a".into(), Some("b".into()), 7), ("c".into(), None, 8)]);
    }
}
