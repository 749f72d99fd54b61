//! A call of a method that this library does not know, named by its path; its messages are the caller's.

use super::error::{self, Error};
use super::transport::{MethodAt, Repeat};
use bytes::{Buf, BufMut, Bytes};
use prost::encoding::{skip_field, DecodeContext, WireType};
use prost::DecodeError;

#[derive(Debug, Clone, PartialEq)]
pub struct Raw {
    path: String,
    pub request: Verbatim,
    pub repeat: Repeat,
}

/// Methods whose malformed requests bring servers down (§10.9): nobody else is to make them.
const GUARDED: [&str; 4] = [
    "/etcdserverpb.KV/Range",
    "/etcdserverpb.KV/Txn",
    "/etcdserverpb.Maintenance/Alarm",
    "/etcdserverpb.Auth/RoleGrantPermission",
];
const STREAMS: [&str; 5] = [
    "/etcdserverpb.KV/RangeStream",
    "/etcdserverpb.Watch/Watch",
    "/etcdserverpb.Lease/LeaseKeepAlive",
    "/etcdserverpb.Maintenance/Snapshot",
    "/v3electionpb.Election/Observe",
];

impl Raw {
    pub fn new(path: &str, request: Bytes, repeat: Repeat) -> error::Result<Self> {
        let wrong = |why: &str| Err(Error::argument("path", format!("{path:?} {why}")));
        let part = |text: &str, more: &[u8]| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
        };
        match path.strip_prefix('/').and_then(|rest| rest.split_once('/')) {
            Some((service, method)) if service.split('.').all(|name| part(name, b"_")) && part(method, b"_") => {}
            _ => return wrong("is not of the form \"/package.Service/Method\""),
        }
        match path {
            _ if GUARDED.contains(&path) => {
                wrong("is left to the library's own functions, since servers do not survive all of its requests")
            }
            _ if STREAMS.contains(&path) => wrong("is a stream, not a call with one answer"),
            _ => Ok(Raw { path: path.to_owned(), request: Verbatim(request), repeat }),
        }
    }

    pub fn method(&self) -> MethodAt<'_> {
        MethodAt { path: &self.path, repeat: self.repeat }
    }
}

/// A message that is carried as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verbatim(pub Bytes);

impl prost::Message for Verbatim {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(&self.0);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        skip_field(wire_type, tag, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn decode(mut buffer: impl Buf) -> Result<Self, DecodeError> {
        Ok(Verbatim(buffer.copy_to_bytes(buffer.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_checked() {
        let new = |path| Raw::new(path, Bytes::new(), Repeat::Never);
        for path in ["/a.B/C", "/Service/M", "/grpc.health.v1.Health/Check", "/etcdserverpb.KV/Put", "/a_b.C_1/D_2"] {
            assert!(new(path).is_ok(), "{path}");
        }
        for path in [
            "",
            "/",
            "a.B/C",
            "/a.B",
            "/a.B/",
            "//C",
            "/a.B/C/D",
            "/a..B/C",
            "/.B/C",
            "/B./C",
            "/a.B/C?x",
            "/a B/C",
            "/caf\u{e9}/C",
            "/etcdserverpb.KV/Range",
            "/etcdserverpb.Watch/Watch",
        ] {
            assert!(new(path).is_err_and(|error| error.message.starts_with("path: ")), "{path}");
        }
    }
}
