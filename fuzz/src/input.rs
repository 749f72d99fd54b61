//! Arguments out of bytes: right ones, wrong ones, and the edges between them.

use std::ffi::{c_char, c_void};

pub const NTS: usize = usize::MAX;

pub struct Input<'a>(&'a [u8]);

/// Bytes with the length that is told of them.
pub struct Data {
    bytes: Option<Vec<u8>>,
    len: usize,
}

impl Data {
    pub fn of(text: &str) -> Self {
        Data { bytes: Some(text.into()), len: text.len() }
    }

    pub fn ptr(&self) -> *const c_void {
        self.bytes.as_ref().map_or(std::ptr::null(), |bytes| bytes.as_ptr().cast())
    }

    pub fn len(&self) -> usize {
        self.len
    }
}

/// A text that ends at its NUL, or NULL.
pub struct Text(Option<Vec<u8>>);

impl Text {
    pub fn of(text: &str) -> Self {
        Text(Some([text.as_bytes(), b"\0"].concat()))
    }

    pub fn lowercase(self) -> Self {
        Text(self.0.map(|bytes| bytes.to_ascii_lowercase()))
    }

    pub fn ptr(&self) -> *const c_char {
        self.0.as_ref().map_or(std::ptr::null(), |bytes| bytes.as_ptr().cast())
    }
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Input(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// 0 when all is used up, as everything below is then plain.
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    pub fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Up to 255 bytes: how many, and then they themselves.
    pub fn some(&mut self) -> &'a [u8] {
        let n = usize::from(self.byte());
        self.take(n)
    }

    pub fn data(&mut self, sane: bool) -> Data {
        // A length of ETCD3_NTS needs the NUL.
        let bytes = |bytes: &[u8]| Some([bytes, b"\0"].concat());
        match self.byte() % if sane { 230 } else { 255 } {
            // Short keys, mostly: they have to meet.
            kind @ 0..=199 => {
                let key = [b'a' + kind % 4, b'0' + kind % 3];
                let n = 1 + usize::from(kind % 2);
                Data { bytes: bytes(&key[..n]), len: n }
            }
            200..=229 => {
                let some = self.some();
                Data { bytes: bytes(some), len: some.len() }
            }
            230..=234 => Data { bytes: bytes(self.some()), len: NTS },
            235 => Data { bytes: None, len: 1 },
            236 => Data { bytes: None, len: NTS },
            237 => Data { bytes: bytes(b"k"), len: i32::MAX as usize + 1 },
            238 => Data { bytes: bytes(b"k"), len: NTS - 1 },
            239 => Data { bytes: bytes(b"\0"), len: 1 },
            240 => Data { bytes: bytes(b"\xff\xff"), len: 2 },
            241 => Data { bytes: bytes(&[b'v'; 4096]), len: 4096 },
            _ => Data { bytes: None, len: 0 },
        }
    }

    pub fn text(&mut self, sane: bool) -> Text {
        let bytes = |bytes: &[u8]| Text(Some([bytes, b"\0"].concat()));
        match self.byte() % if sane { 150 } else { 255 } {
            kind @ 0..=149 => bytes(&[b'a' + kind % 4]),
            150..=229 => bytes(self.some()),
            230..=239 => bytes(b""),
            240..=244 => Text(None),
            245 => bytes(b"\xff\xfe"),
            _ => bytes(b"3.5"),
        }
    }

    pub fn one_of(&mut self, texts: &[&str]) -> Text {
        let chosen = self.below(texts.len() + 1);
        Text(texts.get(chosen).map(|text| [text.as_bytes(), b"\0"].concat()))
    }

    pub fn number(&mut self, sane: bool) -> i64 {
        match self.byte() % if sane { 200 } else { 255 } {
            small @ 0..=199 => i64::from(small % 16),
            200..=209 => i64::from(self.byte()) - 256,
            210 => i64::MAX,
            211 => i64::MIN,
            212 => -1,
            213 => i64::from(i32::MAX) + 1,
            214 => u32::MAX.into(),
            _ => {
                let mut bytes = [0; 8];
                let some = self.take(8);
                bytes[..some.len()].copy_from_slice(some);
                i64::from_le_bytes(bytes)
            }
        }
    }

    /// For what has a handful of values.
    pub fn choice(&mut self, sane: bool) -> i32 {
        match self.byte() {
            small if sane => i32::from(small % 2),
            small @ 0..=199 => i32::from(small % 8) - 1,
            210 => i32::MAX,
            211 => i32::MIN,
            other => i32::from(other),
        }
    }

    /// A limit that is short, or wrong.
    pub fn limit(&mut self, sane: bool) -> i64 {
        match self.byte() % if sane { 200 } else { 255 } {
            short @ 0..=199 => 1 + i64::from(short % 20),
            200..=219 => -1,
            220..=224 => i64::MIN,
            225..=229 => i64::MAX,
            230..=234 => -2,
            _ => 0,
        }
    }

    /// The same where -1 is right, and for ever.
    pub fn wait(&mut self, sane: bool) -> i64 {
        match self.limit(sane) {
            -1 => -3,
            limit => limit,
        }
    }
}
