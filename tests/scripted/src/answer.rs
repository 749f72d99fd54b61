//! The bytes of etcd's messages, as far as scripts need them, and what a call gets whose script names no answer.

/// What a server says of itself in every response header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub cluster: u64,
    pub member: u64,
    pub revision: u64,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Zero is left out, as everywhere in proto3.
    pub fn number(mut self, field: u64, value: u64) -> Self {
        if value != 0 {
            self.varint(field << 3);
            self.varint(value);
        }
        self
    }

    pub fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub fn message(self, field: u64, value: Message) -> Self {
        self.bytes(field, &value.0)
    }

    pub fn done(self) -> Vec<u8> {
        self.0
    }
}

/// A message with its gRPC prefix.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0];
    frame.extend((message.len() as u32).to_be_bytes());
    frame.extend_from_slice(message);
    frame
}

fn header(of: Identity) -> Message {
    Message::default().number(1, of.cluster).number(2, of.member).number(3, of.revision).number(4, 2)
}

fn start(of: Identity) -> Message {
    Message::default().message(1, header(of))
}

/// The plainest answer of etcd to a method: nothing there, everything done.
pub(crate) fn plain(method: &str, of: Identity) -> Vec<u8> {
    let message = match method {
        // Every comparison held; one put was done.
        "Txn" => start(of).number(2, 1).message(3, Message::default().message(2, start(of))),
        _ => start(of),
    };
    message.done()
}

pub(crate) fn token(of: Identity, token: &str) -> Vec<u8> {
    start(of).bytes(2, token.as_bytes()).done()
}

fn key_value(key: &str, value: &str, revision: u64) -> Message {
    let kv = Message::default().bytes(1, key.as_bytes()).number(2, revision).number(3, revision).number(4, 1);
    kv.bytes(5, value.as_bytes())
}

/// The answer to a get that finds one key.
pub(crate) fn found(of: Identity, key: &str, value: &str, revision: u64) -> Vec<u8> {
    start(of).message(2, key_value(key, value, revision)).number(4, 1).done()
}

/// The answer to a transaction whose comparisons did not hold and whose else branch is one get: `found`, or
/// nothing.
pub(crate) fn not_held(of: Identity, kv: Option<(&str, &str, u64)>) -> Vec<u8> {
    let range = match kv {
        Some((key, value, revision)) => start(of).message(2, key_value(key, value, revision)).number(4, 1),
        None => start(of),
    };
    start(of).message(3, Message::default().message(1, range)).done()
}

/// The answer to a MemberList: started members at these client URLs; with `-` before it one that has not started,
/// with `~` a learner.
pub(crate) fn members(of: Identity, urls: &[&str]) -> Vec<u8> {
    let mut list = start(of);
    for (i, url) in urls.iter().enumerate() {
        let name = if url.starts_with('-') { String::new() } else { format!("member-{i}") };
        let member = Message::default().number(1, i as u64 + 1).bytes(2, name.as_bytes());
        let member = member.bytes(3, b"http://127.0.0.1:1").bytes(4, url.trim_start_matches(['-', '~']).as_bytes());
        list = list.message(2, member.number(5, url.starts_with('~').into()));
    }
    list.done()
}

/// The answer to a LeaseGrant, and on a keepalive stream.
pub(crate) fn granted(of: Identity, id: u64, ttl: i64) -> Vec<u8> {
    start(of).number(2, id).number(3, ttl as u64).done()
}

/// The answer to a LeaseTimeToLive.
pub(crate) fn lease(of: Identity, left: i64, granted: u64) -> Vec<u8> {
    start(of).number(3, left as u64).number(4, granted).done()
}

/// A response on a watch stream.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Watched {
    pub id: i64,
    pub created: bool,
    pub canceled: bool,
    pub fragment: bool,
    pub compact: u64,
    pub revision: Option<u64>,
    pub reason: String,
    /// Key, value, revision; a delete has no value.
    pub events: Vec<(String, Option<String>, u64)>,
}

pub(crate) fn watched(of: Identity, watched: &Watched) -> Vec<u8> {
    let of = Identity { revision: watched.revision.unwrap_or(of.revision), ..of };
    let mut message = start(of).number(2, watched.id as u64).number(3, watched.created.into());
    message = message.number(4, watched.canceled.into()).number(5, watched.compact);
    if !watched.reason.is_empty() {
        message = message.bytes(6, watched.reason.as_bytes());
    }
    message = message.number(7, watched.fragment.into());
    for (key, value, revision) in &watched.events {
        let event = match value {
            Some(value) => Message::default().message(2, key_value(key, value, *revision)),
            None => {
                let kv = Message::default().bytes(1, key.as_bytes()).number(3, *revision);
                Message::default().number(1, 1).message(2, kv)
            }
        };
        message = message.message(11, event);
    }
    message.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_as_protobuf_does() {
        assert_eq!(Message::default().number(1, 300).done(), [0x08, 0xac, 0x02]);
        assert_eq!(Message::default().number(1, 0).bytes(2, b"ab").done(), [0x12, 2, b'a', b'b']);
        assert_eq!(framed(b"xyz"), [0, 0, 0, 0, 3, b'x', b'y', b'z']);
    }
}
