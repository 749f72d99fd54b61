//! What was asked of a server.

use bytes::Bytes;
use http::HeaderMap;
use std::time::Instant;

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub connection: usize,
    pub stream: u32,
    /// As in "Put".
    pub method: String,
    pub headers: HeaderMap,
    pub messages: Vec<Bytes>,
    pub at: Instant,
    /// The client has reset it.
    pub reset: bool,
}

impl Record {
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// In one line, for people and for JSON readers.
    pub fn shown(&self, since: Instant) -> String {
        let headers = self.headers.iter().map(|(name, value)| {
            format!("{}:{}", quoted(name.as_str()), quoted(&String::from_utf8_lossy(value.as_bytes())))
        });
        let messages = self.messages.iter().map(|message| quoted(&hex(message)));
        format!(
            r#"{{"ms":{},"method":{},"connection":{},"stream":{},"reset":{},"headers":{{{}}},"messages":[{}]}}"#,
            self.at.saturating_duration_since(since).as_millis(),
            quoted(&self.method),
            self.connection,
            self.stream,
            self.reset,
            headers.collect::<Vec<_>>().join(","),
            messages.collect::<Vec<_>>().join(",")
        )
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted += &format!("\\u{:04x}", c as u32),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
