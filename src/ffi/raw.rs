//! Calls of methods that this library has no function for, such as those of a newer etcd, or of what else listens at
//! its port. Request and answer are messages of protobuf that the caller encodes and decodes; deadline, token,
//! metadata, choice of endpoint, repetition and the truth about the outcome are those of all calls.

use super::builder::Builder;
use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle;
use super::input;
use super::op::etcd3_op_t;
use super::result::{etcd3_result_t, ResultObject};
use crate::core::code::Code;
use crate::core::error::{Error, Result};
use crate::core::op::Op;
use crate::core::raw::Raw;
use crate::core::response::Response;
use crate::core::transport::Repeat;
use std::ffi::{c_char, c_void};

/// The method changes something: it is sent again only where no server can have executed it; if that is not known, the
/// outcome is ETCD3_ERR_AMBIGUOUS.
pub const ETCD3_REPEAT_NEVER: i32 = 0;
/// The method only reads: it is sent again, and to a second endpoint if the first is slow, within the time limit.
pub const ETCD3_REPEAT_FREELY: i32 = 1;

unsafe fn raw(path: *const c_char, request: *const c_void, request_len: usize, repeat: i32) -> Result<Raw> {
    let repeat = match repeat {
        ETCD3_REPEAT_NEVER => Repeat::Never,
        ETCD3_REPEAT_FREELY => Repeat::Freely,
        _ => {
            let why = format!("{repeat} is neither ETCD3_REPEAT_NEVER nor ETCD3_REPEAT_FREELY");
            return Err(Error::argument("repeat", why));
        }
    };
    Raw::new(input::text(path, "path")?, input::bytes(request, request_len, "request")?, repeat)
}

/// A call of the unary method `path`, "/package.Service/Method", with an encoded request; its answer is read with
/// etcd3_result_data. For etcd3_execute and etcd3_execute_async, not for transactions. Refused are streams, and the four
/// methods whose malformed requests bring some servers down: KV.Range, KV.Txn, Maintenance.Alarm,
/// Auth.RoleGrantPermission. Yours; free with etcd3_op_free. Error of the call if the server has no such method:
/// ETCD3_ERR_UNIMPLEMENTED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_op_raw(
    path: *const c_char,
    request: *const c_void,
    request_len: usize,
    repeat: i32,
) -> *mut etcd3_op_t {
    guard::quiet(std::ptr::null_mut(), || Builder::give(raw(path, request, request_len, repeat).map(Op::raw)))
}

/// The same as one call: sends it and waits for its answer, up to `timeout_ms`, or 0 for the client's limit. The answer
/// comes through `result`; free with etcd3_result_free. Errors: those of etcd3_execute.
#[no_mangle]
pub unsafe extern "C" fn etcd3_call_raw(
    client: *const etcd3_client_t,
    path: *const c_char,
    request: *const c_void,
    request_len: usize,
    repeat: i32,
    timeout_ms: i64,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let mut op = Op::raw(raw(path, request, request_len, repeat)?);
        op.timeout = Some(input::wait(timeout_ms, "timeout_ms")?).filter(|time| !time.is_zero());
        let out = Out::new(result, "result")?;
        out.give(handle::give(ResultObject::new(client.execute(&op)?)))
    })
}

/// Raw call: the encoded answer, `*len` bytes, which may be none; `len` may be NULL. NULL and 0 for any other result.
/// Borrowed from `result`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_result_data(result: *const etcd3_result_t, len: *mut usize) -> *const u8 {
    let data = handle::peek(result).and_then(|result| match &result.response {
        Response::Raw(bytes) => Some(bytes),
        _ => None,
    });
    guard::quiet(std::ptr::null(), || {
        if !len.is_null() {
            *len = data.map_or(0, |bytes| bytes.len());
        }
        data.map_or(std::ptr::null(), |bytes| bytes.as_ptr())
    })
}
