//! Operations and their answers.

use super::api::{api, Handle, RawKv};
use super::client::millis;
use std::time::Duration;

const EQUAL: i32 = 0;

/// One operation, for one thread.
pub struct Op(pub(super) Handle);

impl Op {
    pub fn get(key: &[u8]) -> Op {
        // SAFETY: here and below the bytes are as long as we say, and the handle is ours.
        Op(unsafe { api().etcd3_op_get(key.as_ptr(), key.len()) })
    }

    pub fn put(key: &[u8], value: &[u8]) -> Op {
        Op(unsafe { api().etcd3_op_put(key.as_ptr(), key.len(), value.as_ptr(), value.len()) })
    }

    pub fn delete(key: &[u8]) -> Op {
        Op(unsafe { api().etcd3_op_delete(key.as_ptr(), key.len()) })
    }

    /// A put that is done if the key's last change was at `revision`; 0: if there is no such key.
    pub fn put_if(key: &[u8], revision: i64, value: &[u8]) -> Op {
        let txn = Op(unsafe { api().etcd3_op_txn() });
        unsafe { api().etcd3_txn_if_mod_revision(txn.0, key.as_ptr(), key.len(), EQUAL, revision) };
        unsafe { api().etcd3_txn_then(txn.0, Op::put(key, value).0) };
        txn
    }

    /// All of these puts or none.
    pub fn puts<'a>(pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Op {
        let txn = Op(unsafe { api().etcd3_op_txn() });
        for (key, value) in pairs {
            unsafe { api().etcd3_txn_then(txn.0, Op::put(key, value).0) };
        }
        txn
    }

    /// All of these deletes.
    pub fn deletes<'a>(keys: impl IntoIterator<Item = &'a [u8]>) -> Op {
        let txn = Op(unsafe { api().etcd3_op_txn() });
        for key in keys {
            unsafe { api().etcd3_txn_then(txn.0, Op::delete(key).0) };
        }
        txn
    }

    pub fn lease(self, lease: i64) -> Op {
        unsafe { api().etcd3_op_set_lease(self.0, lease) };
        self
    }

    pub fn prefix(self) -> Op {
        unsafe { api().etcd3_op_set_prefix(self.0) };
        self
    }

    pub fn serializable(self) -> Op {
        unsafe { api().etcd3_op_set_serializable(self.0) };
        self
    }

    pub fn require_leader(self) -> Op {
        unsafe { api().etcd3_op_set_require_leader(self.0) };
        self
    }

    pub fn timeout(self, limit: Duration) -> Op {
        unsafe { api().etcd3_op_set_timeout(self.0, millis(limit)) };
        self
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        unsafe { api().etcd3_op_free(self.0) };
    }
}

/// A key with its value and history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kv {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub create_revision: i64,
    pub mod_revision: i64,
    pub version: i64,
    pub lease: i64,
}

impl Kv {
    /// # Safety
    /// `raw` points to a key-value of the library's.
    pub(super) unsafe fn read(raw: *const RawKv) -> Kv {
        let raw = &*raw;
        let bytes = |pointer: *const u8, length: usize| match length {
            0 => Vec::new(),
            _ => std::slice::from_raw_parts(pointer, length).to_vec(),
        };
        Kv {
            key: bytes(raw.key, raw.key_len),
            value: bytes(raw.value, raw.value_len),
            create_revision: raw.create_revision,
            mod_revision: raw.mod_revision,
            version: raw.version,
            lease: raw.lease,
        }
    }
}

/// What was answered, of whatever kind.
#[derive(Debug, Clone)]
pub struct Answer {
    pub revision: i64,
    pub member: u64,
    pub count: i64,
    pub succeeded: bool,
    pub kvs: Vec<Kv>,
    pub responses: Vec<Answer>,
}

impl Answer {
    /// # Safety
    /// `result` is a result of the library's.
    pub(super) unsafe fn read(result: Handle) -> Answer {
        let api = api();
        Answer {
            revision: api.etcd3_result_revision(result),
            member: api.etcd3_result_member_id(result),
            count: api.etcd3_result_count(result),
            succeeded: api.etcd3_result_succeeded(result) != 0,
            kvs: (0..api.etcd3_result_kv_count(result)).map(|i| Kv::read(api.etcd3_result_kv(result, i))).collect(),
            responses: (0..api.etcd3_result_response_count(result))
                .map(|i| Answer::read(api.etcd3_result_response(result, i)))
                .collect(),
        }
    }
}
