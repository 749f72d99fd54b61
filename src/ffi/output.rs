//! What goes out to C as text.

use std::ffi::CString;

/// A copy that ends at its NUL and has no other.
pub fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}
