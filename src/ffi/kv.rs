//! Sending an operation, and the plain cases as one call each: their time limit is the client's, their errors are
//! those of etcd3_execute.
//!
//! etcd3_put_if_revision with a revision above 0 is sent again where the answer to an attempt was lost, since it cannot
//! happen twice. If then the key has the value, it counts as put by this call; so use a value that no other client writes
//! where that matters.

use super::builder;
use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle;
use super::input::bytes;
use super::op::etcd3_op_t;
use super::result::{etcd3_result_t, ResultObject};
use crate::core::code::Code;
use crate::core::error::Result;
use crate::core::op::Op;
use crate::core::range::KeyRange;
use std::ffi::{c_int, c_void};

/// Sends an operation and waits for its answer, which comes through `result`; free with etcd3_result_free.
/// RPC: KV.Range, KV.Put, KV.DeleteRange or KV.Txn. A get, and a transaction of gets, is repeated within the time
/// limit if a connection breaks; a write never, once it may have reached a server.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT (also the first mistake made with `op`), ETCD3_ERR_UNAVAILABLE,
/// ETCD3_ERR_TIMEOUT, ETCD3_ERR_AMBIGUOUS (writes), ETCD3_ERR_CLOSED, and those of the server.
#[no_mangle]
pub unsafe extern "C" fn etcd3_execute(
    client: *const etcd3_client_t,
    op: *const etcd3_op_t,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, op) = (handle::get(client, "client")?, builder::finish(op, "op")?);
        let out = Out::new(result, "result")?;
        out.give(handle::give(ResultObject::new(client.execute(op)?)))
    })
}

unsafe fn get(
    client: *const etcd3_client_t,
    range: impl FnOnce() -> Result<KeyRange>,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, range) = (handle::get(client, "client")?, range()?);
        let out = Out::new(result, "result")?;
        out.give(handle::give(ResultObject::new(client.execute(&Op::get(range))?)))
    })
}

/// Gets one key. A key that does not exist is not an error: the result then holds no key-value. The answer comes
/// through `result`; free with etcd3_result_free. RPC: KV.Range.
#[no_mangle]
pub unsafe extern "C" fn etcd3_get(
    client: *const etcd3_client_t,
    key: *const c_void,
    key_len: usize,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    get(client, || Ok(KeyRange::new(bytes(key, key_len, "key")?)), result, err)
}

/// Gets every key that starts with `prefix`, in the order of the keys; all keys if it is empty. The answer comes
/// through `result`; free with etcd3_result_free. RPC: KV.Range.
#[no_mangle]
pub unsafe extern "C" fn etcd3_get_prefix(
    client: *const etcd3_client_t,
    prefix: *const c_void,
    prefix_len: usize,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    get(client, || Ok(KeyRange::prefix(bytes(prefix, prefix_len, "prefix")?)), result, err)
}

/// Gets every key there is, in the order of the keys. The answer comes through `result`; free with
/// etcd3_result_free. RPC: KV.Range.
#[no_mangle]
pub unsafe extern "C" fn etcd3_get_all(
    client: *const etcd3_client_t,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    get(client, || Ok(KeyRange::prefix(bytes::Bytes::new())), result, err)
}

/// Puts a value to a key. RPC: KV.Put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_put(
    client: *const etcd3_client_t,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        client.put(bytes(key, key_len, "key")?, bytes(value, value_len, "value")?)
    })
}

/// Puts a value to a key that does not exist. `*succeeded` is 1 if it was put, 0 if the key exists. RPC: KV.Txn.
#[no_mangle]
pub unsafe extern "C" fn etcd3_put_if_absent(
    client: *const etcd3_client_t,
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    value_len: usize,
    succeeded: *mut c_int,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let (key, value) = (bytes(key, key_len, "key")?, bytes(value, value_len, "value")?);
        let out = Out::new(succeeded, "succeeded")?;
        out.give(client.put_if_absent(key, value)?.into())
    })
}

/// Puts a new value to a key that has the value `initial`. `*succeeded` is 1 if it was put; 0 if the key has
/// another value or does not exist. RPC: KV.Txn.
#[no_mangle]
pub unsafe extern "C" fn etcd3_replace(
    client: *const etcd3_client_t,
    key: *const c_void,
    key_len: usize,
    initial: *const c_void,
    initial_len: usize,
    new_value: *const c_void,
    new_value_len: usize,
    succeeded: *mut c_int,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let (key, initial) = (bytes(key, key_len, "key")?, bytes(initial, initial_len, "initial")?);
        let new_value = bytes(new_value, new_value_len, "new_value")?;
        let out = Out::new(succeeded, "succeeded")?;
        out.give(client.replace(key, initial, new_value)?.into())
    })
}

/// Puts a new value to a key that was last put at `mod_revision`; 0 for a key that does not exist. `*succeeded` is 1 if it
/// was put; 0 if the key has been put or deleted since. Sent again if its answer was lost, and a key that then has the
/// value counts as put by this call: see above. Error beside the others: ETCD3_ERR_AMBIGUOUS. RPC: KV.Txn.
#[no_mangle]
pub unsafe extern "C" fn etcd3_put_if_revision(
    client: *const etcd3_client_t,
    key: *const c_void,
    key_len: usize,
    mod_revision: i64,
    value: *const c_void,
    value_len: usize,
    succeeded: *mut c_int,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let (key, value) = (bytes(key, key_len, "key")?, bytes(value, value_len, "value")?);
        let out = Out::new(succeeded, "succeeded")?;
        out.give(client.put_if_revision(key, mod_revision, value)?.into())
    })
}

unsafe fn delete(
    client: *const etcd3_client_t,
    range: impl FnOnce() -> Result<KeyRange>,
    deleted: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, range) = (handle::get(client, "client")?, range()?);
        Out::optional(deleted).give(client.delete(range)?)
    })
}

/// Deletes one key. `*deleted` is 1, or 0 if there was no such key; `deleted` may be NULL. RPC: KV.DeleteRange.
#[no_mangle]
pub unsafe extern "C" fn etcd3_delete(
    client: *const etcd3_client_t,
    key: *const c_void,
    key_len: usize,
    deleted: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    delete(client, || Ok(KeyRange::new(bytes(key, key_len, "key")?)), deleted, err)
}

/// Deletes every key that starts with `prefix`; all keys if it is empty. `*deleted` is how many; `deleted` may be
/// NULL. RPC: KV.DeleteRange.
#[no_mangle]
pub unsafe extern "C" fn etcd3_delete_prefix(
    client: *const etcd3_client_t,
    prefix: *const c_void,
    prefix_len: usize,
    deleted: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    delete(client, || Ok(KeyRange::prefix(bytes(prefix, prefix_len, "prefix")?)), deleted, err)
}
