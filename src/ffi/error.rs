use super::guard;
use super::handle::{self, opaque};
use super::output::c_text;
use crate::core::code::{self, Code};
use crate::core::error::Error;
use std::ffi::{c_char, c_int, CString};

/// What went wrong, in full: comes through the `err` of a call and is then yours, or is borrowed from an event.
pub struct etcd3_error_t {
    _private: [u8; 0],
}

opaque!(etcd3_error_t = ErrorObject);

pub struct ErrorObject {
    error: Error,
    message: CString,
    endpoint: CString,
}

impl ErrorObject {
    pub fn new(error: Error) -> Self {
        ErrorObject {
            message: c_text(&error.message),
            endpoint: c_text(error.endpoint.as_deref().unwrap_or_default()),
            error,
        }
    }

    pub fn error(&self) -> &Error {
        &self.error
    }
}

/// The name of a code as it stands here, such as "ETCD3_ERR_TIMEOUT"; "ETCD3_ERR_?" for a number that is no
/// code. Static; not to be freed.
#[no_mangle]
pub extern "C" fn etcd3_code_name(code: Code) -> *const c_char {
    guard::quiet(c"".as_ptr(), || code::name(code).as_ptr())
}

/// The code the call returned; ETCD3_OK for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_error_code(error: *const etcd3_error_t) -> Code {
    guard::quiet(code::OK, || handle::peek(error).map_or(code::OK, |e| e.error.code))
}

/// What happened, for people: names the argument, the endpoint, the cause. Borrowed from `error`; "" for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_error_message(error: *const etcd3_error_t) -> *const c_char {
    guard::quiet(c"".as_ptr(), || handle::peek(error).map_or(c"".as_ptr(), |e| e.message.as_ptr()))
}

/// The gRPC status number of the server's answer; -1 if no answer came, and for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_error_grpc_status(error: *const etcd3_error_t) -> i32 {
    guard::quiet(-1, || handle::peek(error).and_then(|e| e.error.grpc_status).unwrap_or(-1))
}

/// The endpoint that answered, or was tried last, as "host:port". Borrowed from `error`; "" if none, and for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_error_endpoint(error: *const etcd3_error_t) -> *const c_char {
    guard::quiet(c"".as_ptr(), || handle::peek(error).map_or(c"".as_ptr(), |e| e.endpoint.as_ptr()))
}

/// 1 if the same call may succeed later and making it again does no harm; else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_error_is_retryable(error: *const etcd3_error_t) -> c_int {
    guard::quiet(0, || handle::peek(error).is_some_and(|e| e.error.is_retryable()).into())
}

/// 1 if the call was a write that may have been applied, or may yet be, although it failed: always with
/// ETCD3_ERR_AMBIGUOUS, and for a write with ETCD3_ERR_NO_SPACE, ETCD3_ERR_CLUSTER_MISMATCH and ETCD3_ERR_PROTOCOL. Such a
/// write can land after later ones. Read before you repeat it. Else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_error_maybe_applied(error: *const etcd3_error_t) -> c_int {
    guard::quiet(0, || handle::peek(error).is_some_and(|e| e.error.maybe_applied).into())
}

/// Frees an error that came through `err`; not one borrowed from an event.
#[no_mangle]
pub unsafe extern "C" fn etcd3_error_free(error: *mut etcd3_error_t) {
    guard::quiet((), || drop(handle::take(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_reads_as_no_error() {
        let none = std::ptr::null();
        unsafe {
            assert_eq!((etcd3_error_code(none), etcd3_error_grpc_status(none)), (0, -1));
            assert_eq!((etcd3_error_is_retryable(none), etcd3_error_maybe_applied(none)), (0, 0));
            assert_eq!(*etcd3_error_message(none), 0);
            assert_eq!(*etcd3_error_endpoint(none), 0);
        }
    }
}
