//! The one gate between C and Rust: no panic crosses it, and every failure becomes a code and an error object.

use super::error::{etcd3_error_t, ErrorObject};
use super::handle;
use crate::core::code::{self, Code};
use crate::core::error::{Error, Result};
use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs the body of a function that returns a code.
pub unsafe fn call(err: *mut *mut etcd3_error_t, body: impl FnOnce() -> Result<()>) -> Code {
    let error = match run(body) {
        Ok(Ok(())) => return code::OK,
        Ok(Err(error)) => error,
        Err(panic) => Error::internal(panic),
    };
    let code = error.code;
    if !err.is_null() {
        *err = handle::give(ErrorObject::new(error));
    }
    code
}

/// Runs the body of a function that cannot fail; `otherwise` is what a bug makes of it.
pub fn quiet<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    run(body).unwrap_or(otherwise)
}

fn run<T>(body: impl FnOnce() -> T) -> std::result::Result<T, String> {
    keep_panics();
    catch_unwind(AssertUnwindSafe(body)).map_err(|_| PANIC.take())
}

/// This library writes nothing to the host's stderr: its copy of std keeps a panic's text for `call`.
fn keep_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let text = panic.to_string().replace('\n', " ");
            let _ = PANIC.try_with(|kept| *kept.borrow_mut() = text);
        }));
    });
}

/// An out parameter, checked before the work is done and written after it.
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    pub unsafe fn new(pointer: *mut T, name: &str) -> Result<Self> {
        match pointer.is_null() {
            true => Err(Error::argument(name, "must not be NULL")),
            false => Ok(Out(pointer)),
        }
    }

    /// One that the caller may leave out.
    pub unsafe fn optional(pointer: *mut T) -> Self {
        Out(pointer)
    }

    pub unsafe fn give(self, value: T) -> Result<()> {
        if !self.0.is_null() {
            self.0.write(value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::{etcd3_error_free, etcd3_error_message};
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn a_panic_becomes_an_error_with_its_text() {
        let mut err = std::ptr::null_mut();
        let code = unsafe { call(&mut err, || panic!("the {} broke", "wheel")) };
        assert_eq!(code, code::ERR_INTERNAL);
        let message = unsafe { CStr::from_ptr(etcd3_error_message(err)) }.to_str().unwrap();
        assert!(message.contains("the wheel broke") && message.contains("guard.rs"), "{message}");
        unsafe { etcd3_error_free(err) };
        assert_eq!(quiet(3, || -> i32 { panic!("quietly") }), 3);
    }
}
