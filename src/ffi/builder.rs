//! Builders never fail at the setter: the first mistake is kept, and reported by the call that uses the builder.

use super::handle::{self, Opaque};
use crate::core::error::{Error, Result};

pub struct Builder<T>(Result<T>);

impl<T> Builder<T> {
    pub fn give<H: Opaque<Real = Self>>(value: Result<T>) -> *mut H {
        handle::give(Builder(value))
    }
}

/// Applies a setter. A NULL builder has no place to keep the mistake; the call that uses it will say so.
pub unsafe fn set<H: Opaque<Real = Builder<T>>, T>(handle: *mut H, setter: impl FnOnce(&mut T) -> Result<()>) {
    super::guard::quiet((), || {
        let Some(builder) = handle::peek_mut(handle) else { return };
        if let Ok(value) = &mut builder.0 {
            if let Err(mistake) = setter(value) {
                builder.0 = Err(mistake);
            }
        }
    })
}

/// What a builder without a mistake holds, for a call that changes it and can fail by itself.
pub unsafe fn change<'a, H: Opaque<Real = Builder<T>>, T: 'a>(handle: *mut H, name: &str) -> Result<&'a mut T> {
    let builder = handle::peek_mut(handle).ok_or_else(|| Error::argument(name, "must not be NULL"))?;
    builder.0.as_mut().map_err(|mistake| mistake.clone())
}

pub unsafe fn finish<'a, H: Opaque<Real = Builder<T>>, T: 'a>(handle: *const H, name: &str) -> Result<&'a T> {
    let builder = handle::peek(handle).ok_or_else(|| Error::argument(name, "must not be NULL"))?;
    builder.0.as_ref().map_err(Error::clone)
}
