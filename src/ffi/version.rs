//! From 1.0 on the ABI is stable within a SONAME: functions and constants are added, none changes.

use std::ffi::c_char;

const fn number(text: &str) -> i32 {
    let (bytes, mut value, mut i) = (text.as_bytes(), 0, 0);
    while i < bytes.len() {
        value = value * 10 + (bytes[i] - b'0') as i32;
        i += 1;
    }
    value
}

const VERSION_NUMBER: i32 = number(env!("CARGO_PKG_VERSION_MAJOR")) << 16
    | number(env!("CARGO_PKG_VERSION_MINOR")) << 8
    | number(env!("CARGO_PKG_VERSION_PATCH"));

/// The version of the library in use as 0xMMmmpp; compare it with ETCD3_VERSION_NUMBER of the header.
#[no_mangle]
pub extern "C" fn etcd3_version_number() -> i32 {
    VERSION_NUMBER
}

/// The same as text, "major.minor.patch". Static; not to be freed.
#[no_mangle]
pub extern "C" fn etcd3_version_string() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
