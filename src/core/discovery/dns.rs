//! As much of DNS as it takes to ask for service records (RFC 1035, RFC 2782).

use std::hash::{BuildHasher, RandomState};

const SRV: u16 = 33;
const INTERNET: u16 = 1;
const RECURSE: u8 = 1;
const ANSWER: u8 = 0x80;
const CUT: u8 = 0x02;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    /// Without its last dot.
    pub target: String,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// All there are, which may be none.
    Records(Vec<Service>),
    Truncated,
    Failed(String),
}

pub fn random_id() -> u16 {
    RandomState::new().hash_one(()) as u16
}

/// The question for the service records of a name, which is checked.
pub fn question(name: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len() + 6);
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(&SRV.to_be_bytes());
    bytes.extend_from_slice(&INTERNET.to_be_bytes());
    bytes
}

pub fn query(id: u16, question: &[u8]) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    let head = [high, low, RECURSE, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    [&head, question].concat()
}

/// `None` if the message is no answer to this question.
pub fn read(message: &[u8], id: u16, question: &[u8]) -> Option<Answer> {
    let mut reader = Reader { message, at: 0 };
    if reader.number()? != id {
        return None;
    }
    let (flags, code) = (reader.byte()?, reader.byte()? & 0x0f);
    if flags & ANSWER == 0 || reader.number()? != 1 {
        return None;
    }
    let answers = reader.number()?;
    reader.skip(4)?;
    if !reader.take(question.len())?.eq_ignore_ascii_case(question) {
        return None;
    }
    Some(match (code, flags & CUT != 0) {
        // There is no such name.
        (3, _) => Answer::Records(Vec::new()),
        (0, true) => Answer::Truncated,
        (0, false) => match reader.services(answers) {
            Some(services) => Answer::Records(services),
            None => Answer::Failed("its answer is malformed".into()),
        },
        (2, _) => Answer::Failed("it could not find out".into()),
        (5, _) => Answer::Failed("it refuses to answer".into()),
        (code, _) => Answer::Failed(format!("it answers with the code {code}")),
    })
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let bytes = self.message.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(bytes)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(drop)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A name, which may go on earlier in the message; only ever earlier, so that it ends.
    fn name(&mut self) -> Option<String> {
        let (mut name, mut before, mut end) = (String::new(), self.at, None);
        loop {
            let length = self.byte()?;
            match length >> 6 {
                0 if length == 0 => break,
                0 => {
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.push_str(std::str::from_utf8(self.take(length as usize)?).ok()?);
                }
                3 => {
                    let place = u16::from_be_bytes([length & 0x3f, self.byte()?]) as usize;
                    end.get_or_insert(self.at);
                    if place >= before {
                        return None;
                    }
                    (self.at, before) = (place, place);
                }
                _ => return None,
            }
            if name.len() > 255 {
                return None;
            }
        }
        self.at = end.unwrap_or(self.at);
        Some(name)
    }

    /// The service records among so many records; others, such as an alias on the way, are passed over.
    fn services(&mut self, records: u16) -> Option<Vec<Service>> {
        let mut services = Vec::new();
        for _ in 0..records {
            self.name()?;
            let (kind, class) = (self.number()?, self.number()?);
            self.skip(4)?;
            let length = self.number()? as usize;
            let end = self.at + length;
            if (kind, class) == (SRV, INTERNET) {
                let (priority, weight, port) = (self.number()?, self.number()?, self.number()?);
                services.push(Service { priority, weight, port, target: self.name()? });
            } else {
                self.skip(length)?;
            }
            if self.at != end {
                return None;
            }
        }
        Some(services)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer with an alias and two services, one target a reference into the question.
    fn answer() -> (Vec<u8>, Vec<u8>) {
        let question = question("_s._tcp.a.test");
        let mut message = query(7, &question);
        message[2] |= ANSWER;
        message[7] = 3;
        let record = |kind: u16, data: &[u8]| {
            let mut bytes = vec![0xc0, 12];
            bytes.extend(kind.to_be_bytes());
            bytes.extend(INTERNET.to_be_bytes());
            bytes.extend([0, 0, 0, 60]);
            bytes.extend((data.len() as u16).to_be_bytes());
            bytes.extend(data);
            bytes
        };
        message.extend(record(5, &[0xc0, 12]));
        message.extend(record(SRV, b"\0\x0a\0\x05\x09\x4b\x01h\xc0\x14"));
        message.extend(record(SRV, b"\0\x01\0\0\0\x07\0"));
        (message, question)
    }

    #[test]
    fn reads_services() {
        let (message, question) = answer();
        let service = |priority, weight, port, target: &str| Service { priority, weight, port, target: target.into() };
        let want = vec![service(10, 5, 2379, "h.a.test"), service(1, 0, 7, "")];
        assert_eq!(read(&message, 7, &question), Some(Answer::Records(want)));
        assert_eq!(read(&message, 8, &question), None);
        assert_eq!(read(&message, 7, b"\0\0!\0\x01"), None);
        let with = |place: usize, byte: u8| {
            let mut other = message.clone();
            other[place] = byte;
            read(&other, 7, &question)
        };
        assert_eq!(with(2, ANSWER | CUT), Some(Answer::Truncated));
        assert_eq!(with(3, 3), Some(Answer::Records(Vec::new())));
        assert!(matches!(with(3, 2), Some(Answer::Failed(_))));
        assert_eq!(with(2, 0), None);
    }

    #[test]
    fn nothing_makes_it_panic_or_loop() {
        let (message, question) = answer();
        for end in 0..message.len() {
            let _ = read(&message[..end], 7, &question);
        }
        for place in 0..message.len() {
            for byte in [0, 1, 0x3f, 0x40, 0xc0, 0xff] {
                let mut other = message.clone();
                other[place] = byte;
                let _ = read(&other, 7, &question);
            }
        }
        // A name that refers to itself.
        let here = message.len() as u8;
        let mut other = message.clone();
        other[7] = 4;
        other.extend([0xc0, here]);
        assert_eq!(read(&other, 7, &question), Some(Answer::Failed("its answer is malformed".into())));
    }
}
