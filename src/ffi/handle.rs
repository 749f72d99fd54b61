//! Opaque handles: the only place where a C pointer becomes a Rust reference and back.

use super::process::{self, Process};
use crate::core::code;
use crate::core::error::{Error, Result};

/// An opaque C type, and what its pointers really point to.
pub trait Opaque {
    type Real;
}

/// Declares the C types of a file.
macro_rules! opaque {
    ($($handle:ident = $real:ty),+ $(,)?) => {
        $(impl $crate::ffi::handle::Opaque for $handle { type Real = $real; })+
    };
}
pub(in crate::ffi) use opaque;

pub fn give<H: Opaque>(real: H::Real) -> *mut H {
    Box::into_raw(Box::new(real)).cast()
}

/// A borrowed view of something that lives in Rust.
pub fn view<H: Opaque>(real: &H::Real) -> *const H {
    (real as *const H::Real).cast()
}

pub unsafe fn peek<'a, H: Opaque>(handle: *const H) -> Option<&'a H::Real> {
    handle.cast::<H::Real>().as_ref()
}

pub unsafe fn peek_mut<'a, H: Opaque>(handle: *mut H) -> Option<&'a mut H::Real> {
    handle.cast::<H::Real>().as_mut()
}

pub unsafe fn take<H: Opaque>(handle: *mut H) -> Option<Box<H::Real>> {
    match handle.is_null() {
        true => None,
        false => Some(Box::from_raw(handle.cast())),
    }
}

/// What a handle holds that has threads or sockets behind it: of no use in a forked child.
pub struct Bound<T> {
    process: &'static Process,
    value: T,
}

impl<T> Bound<T> {
    pub fn new(value: T) -> Self {
        Bound { process: process::current(), value }
    }

    fn is_ours(&self) -> bool {
        std::ptr::eq(self.process, process::current())
    }
}

pub unsafe fn get<'a, H: Opaque<Real = Bound<T>>, T: 'a>(handle: *const H, name: &str) -> Result<&'a T> {
    let bound = peek(handle).ok_or_else(|| Error::argument(name, "must not be NULL"))?;
    match bound.is_ours() {
        true => Ok(&bound.value),
        false => Err(Error::new(
            code::ERR_FORKED,
            format!("{name}: it was made before a fork() and is the parent's; make a new one"),
        )),
    }
}

/// For freeing: in a forked child the handle is left alone, with all that it holds.
pub unsafe fn take_bound<H: Opaque<Real = Bound<T>>, T>(handle: *mut H) -> Option<T> {
    match peek(handle)?.is_ours() {
        true => take(handle).map(|bound| bound.value),
        false => None,
    }
}
