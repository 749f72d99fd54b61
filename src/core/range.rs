//! Which keys a request is about: one key, a prefix, everything from a key on, or an interval (§10.3, §10.4).

use super::error::{Error, Result};
use bytes::Bytes;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Extent {
    #[default]
    Key,
    Prefix,
    FromKey,
    End(Bytes),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRange {
    pub key: Bytes,
    extent: Extent,
}

impl KeyRange {
    pub fn new(key: Bytes) -> Self {
        KeyRange { key, extent: Extent::Key }
    }

    pub fn prefix(key: Bytes) -> Self {
        KeyRange { key, extent: Extent::Prefix }
    }

    /// Widens a single key; a range that was widened already stays as it is.
    pub fn widen(&mut self, extent: Extent) -> Result<()> {
        if self.extent != Extent::Key {
            return Err(Error::argument(
                "range",
                "prefix, from-key and range end exclude one another and are given once",
            ));
        }
        // On the wire these two mean something else than an end.
        match &extent {
            Extent::End(end) if end.is_empty() => {
                return Err(Error::argument("end", "must not be empty; leave the range end out for a single key"))
            }
            Extent::End(end) if *end == "\0" => {
                return Err(Error::argument("end", "must not be a NUL byte; use from_key for all keys from one on"))
            }
            _ => {}
        }
        self.extent = extent;
        Ok(())
    }

    /// The `key` and `range_end` of the request.
    pub fn finish(&self) -> Result<(Bytes, Bytes)> {
        let zero = Bytes::from_static(b"\0");
        let or_zero = |key: &Bytes| if key.is_empty() { zero.clone() } else { key.clone() };
        match &self.extent {
            Extent::Prefix => Ok((or_zero(&self.key), prefix_end(&self.key))),
            Extent::FromKey => Ok((or_zero(&self.key), zero)),
            _ if self.key.is_empty() => Err(Error::argument("key", "must not be empty")),
            Extent::Key => Ok((self.key.clone(), Bytes::new())),
            Extent::End(end) => Ok((self.key.clone(), end.clone())),
        }
    }
}

/// The first key after all keys that start with `prefix`; `"\0"` where there is none.
pub fn prefix_end(prefix: &[u8]) -> Bytes {
    match prefix.iter().rposition(|byte| *byte < 0xff) {
        Some(last) => {
            let mut end = prefix[..=last].to_vec();
            end[last] += 1;
            end.into()
        }
        None => Bytes::from_static(b"\0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_ends() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"foo", b"fop"),
            (b"a\xff", b"b"),
            (b"\xff\xff", b"\0"),
            (b"", b"\0"),
            (b"\0", b"\x01"),
            (b"a\xfe\xff", b"a\xff"),
        ];
        for (prefix, end) in cases {
            assert_eq!(prefix_end(prefix), *end, "{prefix:?}");
        }
    }

    #[test]
    fn ranges() {
        let finish = |key: &'static [u8], extent| {
            let mut range = KeyRange::new(Bytes::from_static(key));
            range.widen(extent)?;
            range.finish()
        };
        let pair = |a: &'static [u8], b: &'static [u8]| Ok((Bytes::from_static(a), Bytes::from_static(b)));
        assert_eq!(finish(b"", Extent::Prefix), pair(b"\0", b"\0"));
        assert_eq!(finish(b"", Extent::FromKey), pair(b"\0", b"\0"));
        assert_eq!(finish(b"k", Extent::FromKey), pair(b"k", b"\0"));
        assert_eq!(finish(b"k", Extent::End(Bytes::from_static(b"m"))), pair(b"k", b"m"));
        assert!(finish(b"", Extent::End(Bytes::from_static(b"m"))).is_err());
        assert!(finish(b"k", Extent::End(Bytes::new())).is_err());
        assert!(finish(b"k", Extent::End(Bytes::from_static(b"\0"))).is_err());
        assert!(KeyRange::new(Bytes::new()).finish().is_err());

        let mut twice = KeyRange::prefix(Bytes::from_static(b"k"));
        assert!(twice.widen(Extent::FromKey).unwrap_err().message.contains("range"));
    }
}
