//! Namespaces: the keys of requests go out behind a prefix and those of answers come back without it, so that who works in
//! one sees and reaches nothing else (§9.1). All that is built of calls and watches is then inside by itself.

mod handle;
#[cfg(test)]
mod tests;

use super::code;
use super::error::{Error, Result};
use super::proto::etcdserverpb as pb;
use super::proto::mvccpb;
use super::range::prefix_end;
use super::response::Response;
use bytes::{Buf, BufMut, Bytes, BytesMut};
pub use handle::Children;
use std::borrow::Cow;

/// A prefix; the empty one is the whole store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespace(Bytes);

impl std::fmt::Display for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.is_whole() {
            true => f.write_str("the whole store"),
            false => write!(f, "the namespace {:?}", self.0),
        }
    }
}

impl Namespace {
    /// The namespace of this prefix in this one.
    pub fn within(&self, prefix: &Bytes) -> Result<Self> {
        match prefix.is_empty() {
            true => Err(Error::argument("prefix", "must not be empty")),
            false => Ok(Namespace(self.key(prefix))),
        }
    }

    fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    pub fn key(&self, key: &Bytes) -> Bytes {
        if self.is_whole() {
            return key.clone();
        }
        let mut whole = BytesMut::with_capacity(self.0.len() + key.len());
        whole.put_slice(&self.0);
        whole.put_slice(key);
        whole.freeze()
    }

    /// A range as it stands on the wire: from the key to the end, which is none for one key and NUL for all that follow.
    pub fn place(&self, key: &mut Bytes, range_end: &mut Bytes) {
        if self.is_whole() {
            return;
        }
        *key = self.key(key);
        *range_end = match &range_end[..] {
            b"" => return,
            b"\0" => prefix_end(&self.0),
            _ => self.key(range_end),
        };
    }

    pub fn range<'a>(&self, range: &'a pb::RangeRequest) -> Cow<'a, pb::RangeRequest> {
        if self.is_whole() {
            return Cow::Borrowed(range);
        }
        let mut range = range.clone();
        self.place(&mut range.key, &mut range.range_end);
        Cow::Owned(range)
    }

    pub fn txn<'a>(&self, txn: &'a pb::TxnRequest) -> Cow<'a, pb::TxnRequest> {
        if self.is_whole() {
            return Cow::Borrowed(txn);
        }
        let mut txn = txn.clone();
        self.place_txn(&mut txn);
        Cow::Owned(txn)
    }

    fn place_txn(&self, txn: &mut pb::TxnRequest) {
        use pb::request_op::Request as Union;
        for compare in &mut txn.compare {
            self.place(&mut compare.key, &mut compare.range_end);
        }
        for op in txn.success.iter_mut().chain(&mut txn.failure) {
            match &mut op.request {
                Some(Union::RequestRange(get)) => self.place(&mut get.key, &mut get.range_end),
                Some(Union::RequestPut(put)) => put.key = self.key(&put.key),
                Some(Union::RequestDeleteRange(delete)) => self.place(&mut delete.key, &mut delete.range_end),
                Some(Union::RequestTxn(txn)) => self.place_txn(txn),
                None => {}
            }
        }
    }

    /// Takes the prefix off all keys of an answer. An answer with a key of outside is no answer to what was asked (§9.3).
    pub fn strip(&self, response: &mut Response) -> Result<()> {
        match response {
            Response::Get(get) => self.strip_kvs(&mut get.kvs),
            Response::Put(put) => self.strip_kvs(&mut put.prev_kv),
            Response::Delete(delete) => self.strip_kvs(&mut delete.prev_kvs),
            Response::Txn { responses, .. } => responses.iter_mut().try_for_each(|inner| self.strip(inner)),
            // Only the caller knows what is in it.
            Response::Raw(_) => Ok(()),
        }
    }

    pub fn strip_kvs<'a>(&self, kvs: impl IntoIterator<Item = &'a mut mvccpb::KeyValue>) -> Result<()> {
        if self.is_whole() {
            return Ok(());
        }
        kvs.into_iter().try_for_each(|kv| match self.holds(&kv.key) {
            true => {
                kv.key.advance(self.0.len());
                Ok(())
            }
            false => Err(self.foreign(&kv.key)),
        })
    }

    pub fn strip_changes(&self, changes: &mut [mvccpb::Event]) -> Result<()> {
        self.strip_kvs(changes.iter_mut().flat_map(|change| change.kv.iter_mut().chain(&mut change.prev_kv)))
    }

    /// Those of the keys that are inside, without the prefix: a lease may have others too.
    pub fn strip_keys(&self, mut keys: Vec<Bytes>) -> Vec<Bytes> {
        if !self.is_whole() {
            keys.retain_mut(|key| {
                let inside = self.holds(key);
                key.advance(if inside { self.0.len() } else { 0 });
                inside
            });
        }
        keys
    }

    /// A key that is just the prefix is outside: there are no empty keys.
    fn holds(&self, key: &Bytes) -> bool {
        key.len() > self.0.len() && key.starts_with(&self.0)
    }

    fn foreign(&self, key: &Bytes) -> Error {
        let text = format!("the server sent the key {key:?}, which is outside of {self}");
        Error::new(code::ERR_PROTOCOL, text)
    }
}
