//! Queues of work in the store, with the keys of clientv3's recipes: what one client puts in, one other takes out. An item is
//! gone from the store once it is taken; what becomes of it then is up to who has it.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle;
use super::input::{self, bytes};
use super::result::{etcd3_result_t, ResultObject};
use crate::core::code::Code;
use crate::core::work::Order;
use std::ffi::c_void;

unsafe fn dequeue(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    order: Order,
    timeout_ms: i64,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, name) = (handle::get(client, "client")?, bytes(name, name_len, "name")?);
        let timeout = input::timeout_or_none(timeout_ms, "timeout_ms")?;
        let out = Out::new(result, "result")?;
        out.give(handle::give(ResultObject::new(client.dequeue(&name, order, timeout)?)))
    })
}

/// Puts an item into the queue of this name, which must not be empty. RPC: KV.Txn. Errors: those of etcd3_put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_fifo_enqueue(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    value: *const c_void,
    value_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, name) = (handle::get(client, "client")?, bytes(name, name_len, "name")?);
        client.enqueue(&name, bytes(value, value_len, "value")?)
    })
}

/// Takes the item that was put in first, waiting up to `timeout_ms` (above 0; -1: for as long as it takes) for one. Its
/// key-value comes through `result`, as the answer to a get; free with etcd3_result_free. RPC: KV.Range, KV.Txn, Watch.Watch.
/// Errors: ETCD3_ERR_TIMEOUT (there was none), ETCD3_ERR_AMBIGUOUS (an item may have been taken; the message names its key),
/// and those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_fifo_dequeue(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    timeout_ms: i64,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    dequeue(client, name, name_len, Order::Age, timeout_ms, result, err)
}

/// Puts an item into the priority queue of this name, with a priority from 0, which is served first, to 65535. RPC: KV.Range,
/// KV.Txn. Errors: those of etcd3_put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_pqueue_enqueue(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    priority: i32,
    value: *const c_void,
    value_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, name) = (handle::get(client, "client")?, bytes(name, name_len, "name")?);
        client.enqueue_with_priority(&name, priority, bytes(value, value_len, "value")?)
    })
}

/// Takes the item with the lowest priority number, and of these the one that was put in first. Else as etcd3_fifo_dequeue.
#[no_mangle]
pub unsafe extern "C" fn etcd3_pqueue_dequeue(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    timeout_ms: i64,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    dequeue(client, name, name_len, Order::Priority, timeout_ms, result, err)
}
