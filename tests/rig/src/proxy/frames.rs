//! HTTP/2 frames in the bytes of a connection, so that a GOAWAY can come between two of them and be true.

use std::sync::Mutex;
use std::time::Duration;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADER: usize = 9;
const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
/// The last stream of a server that will still serve all that comes.
const ANY: u32 = (1 << 31) - 1;
/// So long streams are refused before the client hears of it, and the second GOAWAY comes after the first.
const HELD: Duration = Duration::from_millis(20);

/// How a server says goodbye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goaway {
    /// First that it will go, serving all that comes; then which stream was the last.
    Graceful,
    /// Which stream was the last: those after it were not looked at.
    Refusing,
    /// The same, and the connection is closed with what is under way.
    Closing,
}

/// What one connection has seen of HTTP/2.
#[derive(Default)]
pub(super) struct Streams(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    /// The last stream that the server has heard of.
    last: u32,
    /// It hears of no new one.
    refuses: bool,
}

impl Streams {
    /// What is to be said now and then later, if something is.
    pub(super) fn begin(&self, goaway: Goaway) -> (Option<Vec<u8>>, Duration) {
        match goaway {
            Goaway::Graceful => (Some(frame(ANY)), HELD),
            Goaway::Refusing => {
                self.refuse();
                (None, HELD)
            }
            Goaway::Closing => (None, Duration::ZERO),
        }
    }

    /// The word after which nothing new is served.
    pub(super) fn end(&self) -> Vec<u8> {
        frame(self.refuse())
    }

    fn refuse(&self) -> u32 {
        let mut seen = self.0.lock().unwrap();
        seen.refuses = true;
        seen.last
    }

    /// Whether a frame of the client's reaches the server.
    fn passes(&self, kind: u8, stream: u32) -> bool {
        let mut seen = self.0.lock().unwrap();
        if stream > seen.last && kind == HEADERS && !seen.refuses {
            seen.last = stream;
        }
        stream <= seen.last
    }
}

fn frame(last: u32) -> Vec<u8> {
    let mut frame = vec![0, 0, 8, GOAWAY, 0, 0, 0, 0, 0];
    frame.extend(last.to_be_bytes());
    frame.extend([0; 4]);
    frame
}

/// Where in one direction frames begin and end.
#[derive(Default)]
pub(super) struct Frames {
    /// Of the preface, which is no frame.
    skip: usize,
    header: [u8; HEADER],
    have: usize,
    left: usize,
    passes: bool,
}

impl Frames {
    pub(super) fn after(preface: &[u8]) -> Frames {
        Frames { skip: preface.len(), ..Frames::default() }
    }

    /// Takes bytes of one frame at most; how many.
    fn step(&mut self, bytes: &[u8]) -> usize {
        for left in [&mut self.skip, &mut self.left] {
            if *left > 0 {
                let taken = bytes.len().min(*left);
                *left -= taken;
                return taken;
            }
        }
        self.have %= HEADER;
        let taken = bytes.len().min(HEADER - self.have);
        self.header[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
        self.have += taken;
        if self.have == HEADER {
            self.left = u32::from_be_bytes([0, self.header[0], self.header[1], self.header[2]]) as usize;
        }
        taken
    }

    fn is_between(&self) -> bool {
        self.skip == 0 && self.left == 0 && self.have.is_multiple_of(HEADER)
    }

    /// Takes bytes up to where a frame ends, if one does; how many then.
    pub(super) fn up_to_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut taken = 0;
        while !self.is_between() {
            match self.step(&bytes[taken..]) {
                0 => return None,
                more => taken += more,
            }
        }
        Some(taken)
    }

    /// Takes all bytes.
    pub(super) fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = &bytes[self.step(bytes)..];
        }
    }

    /// Takes all bytes, and gives back those of whole headers and of what follows them, where `streams` lets
    /// the frame pass.
    pub(super) fn filter(&mut self, mut bytes: &[u8], streams: &Streams) -> Vec<u8> {
        let mut passed = Vec::with_capacity(bytes.len() + HEADER);
        while !bytes.is_empty() {
            let of_preface = self.skip > 0;
            let of_payload = !of_preface && self.left > 0;
            let (taken, rest) = bytes.split_at(self.step(bytes));
            if of_preface || of_payload && self.passes {
                passed.extend(taken);
            } else if !of_payload && self.have == HEADER {
                let stream =
                    u32::from_be_bytes([self.header[5] & 0x7f, self.header[6], self.header[7], self.header[8]]);
                self.passes = streams.passes(self.header[3], stream);
                if self.passes {
                    passed.extend(self.header);
                }
            }
            bytes = rest;
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0, 0, payload.len() as u8, kind, 0];
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    #[test]
    fn the_server_hears_of_no_stream_after_the_last() {
        let streams = Streams::default();
        let (settings, first) = (of(4, 0, b"abc"), of(HEADERS, 1, b"one"));
        let (second, ping, more) = (of(HEADERS, 3, b"two"), of(6, 0, b"12345678"), of(0, 1, b"more"));
        let all = |parts: &[&[u8]]| parts.concat();
        // However the bytes are cut.
        for size in 1..20 {
            let streams = Streams::default();
            let mut frames = Frames::after(PREFACE);
            let mut pass = |bytes: &[u8]| bytes.chunks(size).flat_map(|part| frames.filter(part, &streams)).collect();
            let before: Vec<u8> = pass(&all(&[PREFACE, &settings, &first]));
            assert_eq!(before, all(&[PREFACE, &settings, &first]));
            assert_eq!(streams.end(), frame(1));
            let after: Vec<u8> = pass(&all(&[&second, &ping, &of(0, 3, b""), &more, &of(3, 3, b"rst!")]));
            assert_eq!(after, all(&[&ping, &more]));
        }
        assert_eq!(streams.begin(Goaway::Graceful).0, Some(frame(ANY)));
        assert_eq!(streams.end(), frame(0));
    }

    #[test]
    fn frames_end_where_they_end() {
        let mut frames = Frames::default();
        assert_eq!(frames.up_to_end(b""), Some(0));
        let two = [of(0, 1, b"abc"), of(0, 1, b"")].concat();
        frames.take(&two[..5]);
        assert_eq!(frames.up_to_end(&two[5..10]), None);
        assert_eq!(frames.up_to_end(&two[10..]), Some(2));
        frames.take(&two[12..]);
        assert_eq!(frames.up_to_end(b"x"), Some(0));
    }
}
