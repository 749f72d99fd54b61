//! What comes in from C, checked and copied.

use crate::core::endpoint::Endpoint;
use crate::core::error::{Error, Result};
use bytes::Bytes;
use std::ffi::{c_char, c_int, c_void, CStr};
use std::time::Duration;

/// Given as a length: the bytes end at their NUL, which is not one of them.
pub const ETCD3_NTS: usize = usize::MAX;

pub unsafe fn bytes(data: *const c_void, len: usize, name: &str) -> Result<Bytes> {
    match (data.is_null(), len) {
        (true, 0) => Ok(Bytes::new()),
        (true, ETCD3_NTS) => Err(Error::argument(name, "must not be NULL with the length ETCD3_NTS")),
        (true, _) => Err(Error::argument(name, format!("must not be NULL with a length of {len}"))),
        (false, ETCD3_NTS) => checked(CStr::from_ptr(data.cast()).to_bytes(), name),
        (false, _) if len > i32::MAX as usize => too_long(len, name),
        (false, _) => checked(std::slice::from_raw_parts(data.cast(), len), name),
    }
}

fn checked(data: &[u8], name: &str) -> Result<Bytes> {
    match data.len() <= i32::MAX as usize {
        true => Ok(Bytes::copy_from_slice(data)),
        false => too_long(data.len(), name),
    }
}

fn too_long(len: usize, name: &str) -> Result<Bytes> {
    Err(Error::argument(&format!("{name}_len"), format!("{len} bytes are more than a message can hold")))
}

pub unsafe fn text<'a>(data: *const c_char, name: &str) -> Result<&'a str> {
    if data.is_null() {
        return Err(Error::argument(name, "must not be NULL"));
    }
    CStr::from_ptr(data).to_str().map_err(|_| Error::argument(name, "must be UTF-8"))
}

/// Texts that are given as an array; none is allowed.
pub unsafe fn texts(list: *const *const c_char, count: usize, name: &str) -> Result<Vec<String>> {
    match (list.is_null(), count) {
        (_, 0) => Ok(Vec::new()),
        (true, _) => Err(Error::argument(name, format!("must not be NULL with a count of {count}"))),
        (_, MOST_TEXTS..) => Err(Error::argument(name, format!("{count} are too many"))),
        _ => std::slice::from_raw_parts(list, count).iter().map(|one| Ok(text(*one, name)?.to_owned())).collect(),
    }
}

const MOST_TEXTS: usize = 1001;

/// An endpoint, NULL for any.
pub unsafe fn endpoint(endpoint: *const c_char) -> Result<Option<Endpoint>> {
    match endpoint.is_null() {
        true => Ok(None),
        false => Endpoint::parse(text(endpoint, "endpoint")?).map(Some),
    }
}

pub fn yes(value: c_int, name: &str) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::argument(name, format!("must be 0 or 1, got {value}"))),
    }
}

/// A limit of time that is above 0.
pub fn timeout(ms: i64, name: &str) -> Result<Duration> {
    match u64::try_from(ms) {
        Ok(ms @ 1..=MOST_MS) => Ok(Duration::from_millis(ms)),
        _ => Err(Error::argument(name, format!("must be 1 to {MOST_MS} ms, got {ms}"))),
    }
}

/// A limit of time where 0 means the usual one.
pub fn timeout_or_usual(ms: i64, name: &str) -> Result<Option<Duration>> {
    match ms {
        0 => Ok(None),
        _ => timeout(ms, name).map(Some),
    }
}

/// A limit of time above 0, or -1 for none.
pub fn timeout_or_none(ms: i64, name: &str) -> Result<Option<Duration>> {
    match ms {
        -1 => Ok(None),
        _ => timeout(ms, name).map(Some),
    }
}

/// A limit of time where 0 means not to wait.
pub fn wait(ms: i64, name: &str) -> Result<Duration> {
    match ms {
        0 => Ok(Duration::ZERO),
        _ => timeout(ms, name),
    }
}

/// A limit of time where 0 means not to wait and -1 to wait for ever.
pub fn wait_or_for_ever(ms: i64, name: &str) -> Result<Option<Duration>> {
    match ms {
        -1 => Ok(None),
        _ => wait(ms, name).map(Some),
    }
}

/// About 31 years: what clocks can be added to.
const MOST_MS: u64 = 1_000_000_000_000;
