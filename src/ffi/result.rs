//! The answer to an operation. It never changes and may be read by many threads.

use super::guard;
use super::handle::{self, opaque};
use super::header::etcd3_header_t;
use crate::core::mvccpb;
use crate::core::response::Response;
use std::ffi::c_int;

/// The answer to an operation.
pub struct etcd3_result_t {
    _private: [u8; 0],
}

opaque!(etcd3_result_t = ResultObject);

/// The answer to a get.
pub const ETCD3_RESULT_GET: i32 = 1;
/// The answer to a put.
pub const ETCD3_RESULT_PUT: i32 = 2;
/// The answer to a delete.
pub const ETCD3_RESULT_DELETE: i32 = 3;
/// The answer to a transaction.
pub const ETCD3_RESULT_TXN: i32 = 4;

/// The answer to a raw call.
pub const ETCD3_RESULT_RAW: i32 = 5;

/// A key with its value and history. Reached only by pointer, since fields may be added at the end. All of it is
/// borrowed from the result or event it was read from.
#[repr(C)]
pub struct etcd3_kv_t {
    /// The key: `key_len` bytes, any byte, no NUL after them.
    pub key: *const u8,
    /// The length of the key.
    pub key_len: usize,
    /// The value: `value_len` bytes, any byte, no NUL after them.
    pub value: *const u8,
    /// The length of the value.
    pub value_len: usize,
    /// The revision that created the key; 0 in the change that deletes it.
    pub create_revision: i64,
    /// The revision of the last put, or of the delete.
    pub mod_revision: i64,
    /// The number of puts since the key was created; 0 in the change that deletes it.
    pub version: i64,
    /// The lease the key is attached to; 0 for none.
    pub lease: i64,
}

impl etcd3_kv_t {
    pub fn new(kv: &mvccpb::KeyValue) -> Self {
        etcd3_kv_t {
            key: kv.key.as_ptr(),
            key_len: kv.key.len(),
            value: kv.value.as_ptr(),
            value_len: kv.value.len(),
            create_revision: kv.create_revision,
            mod_revision: kv.mod_revision,
            version: kv.version,
            lease: kv.lease,
        }
    }
}

pub struct ResultObject {
    pub(super) response: Response,
    header: etcd3_header_t,
    /// These point into the response.
    kvs: Box<[etcd3_kv_t]>,
    prev_kvs: Box<[etcd3_kv_t]>,
    responses: Box<[ResultObject]>,
}

impl ResultObject {
    pub fn new(mut response: Response) -> Self {
        let responses = match &mut response {
            Response::Txn { responses, .. } => std::mem::take(responses),
            _ => Vec::new(),
        };
        let views = |kvs: &[mvccpb::KeyValue]| kvs.iter().map(etcd3_kv_t::new).collect();
        ResultObject {
            header: response.header().into(),
            kvs: match &response {
                Response::Get(get) => views(&get.kvs),
                _ => Box::default(),
            },
            prev_kvs: match &response {
                Response::Put(put) => put.prev_kv.iter().map(etcd3_kv_t::new).collect(),
                Response::Delete(delete) => views(&delete.prev_kvs),
                _ => Box::default(),
            },
            responses: responses.into_iter().map(ResultObject::new).collect(),
            response,
        }
    }
}

unsafe fn read<T>(result: *const etcd3_result_t, otherwise: T, read: impl FnOnce(&ResultObject) -> T) -> T {
    let Some(result) = handle::peek(result) else { return otherwise };
    guard::quiet(otherwise, || read(result))
}

/// What was answered: ETCD3_RESULT_GET, _PUT, _DELETE, _TXN or _RAW; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_kind(result: *const etcd3_result_t) -> i32 {
    read(result, 0, |result| match result.response {
        Response::Get(_) => ETCD3_RESULT_GET,
        Response::Put(_) => ETCD3_RESULT_PUT,
        Response::Delete(_) => ETCD3_RESULT_DELETE,
        Response::Txn { .. } => ETCD3_RESULT_TXN,
        Response::Raw(_) => ETCD3_RESULT_RAW,
    })
}

/// The store's revision when it answered; after a write, the write's own. 0 for a raw call, as are the ids and the term.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_revision(result: *const etcd3_result_t) -> i64 {
    read(result, 0, |result| result.header.revision)
}

/// The id of the cluster; 0 inside a transaction.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_cluster_id(result: *const etcd3_result_t) -> u64 {
    read(result, 0, |result| result.header.cluster_id)
}

/// The id of the member that answered; 0 inside a transaction.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_member_id(result: *const etcd3_result_t) -> u64 {
    read(result, 0, |result| result.header.member_id)
}

/// The term of the leader; 0 inside a transaction.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_raft_term(result: *const etcd3_result_t) -> u64 {
    read(result, 0, |result| result.header.raft_term)
}

/// All four of them; NULL for NULL. Borrowed from `result`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_header(result: *const etcd3_result_t) -> *const etcd3_header_t {
    read(result, std::ptr::null(), |result| &result.header)
}

/// Get: how many keys there are in the range, before limit and filters. Delete: how many keys were deleted.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_count(result: *const etcd3_result_t) -> i64 {
    read(result, 0, |result| match &result.response {
        Response::Get(get) => get.count,
        Response::Delete(delete) => delete.deleted,
        _ => 0,
    })
}

/// Get: 1 if the limit cut the answer short, else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_more(result: *const etcd3_result_t) -> c_int {
    read(result, 0, |result| matches!(&result.response, Response::Get(get) if get.more).into())
}

/// Get: how many key-values the answer holds.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_kv_count(result: *const etcd3_result_t) -> usize {
    read(result, 0, |result| result.kvs.len())
}

/// Get: the key-value at `index`, from 0; NULL past the end. Borrowed from `result`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_kv(result: *const etcd3_result_t, index: usize) -> *const etcd3_kv_t {
    read(result, std::ptr::null(), |result| result.kvs.get(index).map_or(std::ptr::null(), |kv| kv))
}

/// Put, delete with etcd3_op_set_prev_kv: how many key-values of before the answer holds.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_prev_kv_count(result: *const etcd3_result_t) -> usize {
    read(result, 0, |result| result.prev_kvs.len())
}

/// Put, delete with etcd3_op_set_prev_kv: what was there before, from 0; NULL past the end. Borrowed from `result`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_prev_kv(result: *const etcd3_result_t, index: usize) -> *const etcd3_kv_t {
    read(result, std::ptr::null(), |result| result.prev_kvs.get(index).map_or(std::ptr::null(), |kv| kv))
}

/// Transaction: 1 if all comparisons held, so that the `then` ops were done; else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_succeeded(result: *const etcd3_result_t) -> c_int {
    read(result, 0, |result| matches!(result.response, Response::Txn { succeeded: true, .. }).into())
}

/// Transaction: how many ops were done.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_response_count(result: *const etcd3_result_t) -> usize {
    read(result, 0, |result| result.responses.len())
}

/// Transaction: the answer to the op at `index` of those done, from 0; NULL past the end. Borrowed from `result`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_response(result: *const etcd3_result_t, index: usize) -> *const etcd3_result_t {
    read(result, std::ptr::null(), |result| result.responses.get(index).map_or(std::ptr::null(), handle::view))
}

/// Frees a result that came through an out parameter, with all that is borrowed from it.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_free(result: *mut etcd3_result_t) {
    guard::quiet((), || drop(handle::take(result)))
}
