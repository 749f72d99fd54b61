//! A caller for every function, made by build.rs, and what looks at all that they give.

use crate::ground;
use crate::world::World;
use etcd3::ffi::event::etcd3_change_t;
use etcd3::ffi::header::etcd3_header_t;
use etcd3::ffi::result::etcd3_kv_t;
use etcd3::ffi::role::etcd3_permission_t;
use std::ffi::{c_char, c_void};

pub type Caller = unsafe fn(&World);

include!(concat!(env!("OUT_DIR"), "/callers.rs"));

/// Looks at all of what a function gives: memory that is not there is found out.
trait Seen {
    unsafe fn seen(self);
}

macro_rules! plain {
    ($($kind:ty),*) => {
        $(impl Seen for $kind { unsafe fn seen(self) {} })*
    };
}
plain!(i32, i64, u32, u64, usize, *mut c_void);

impl Seen for *const c_char {
    unsafe fn seen(self) {
        ground::text(self);
    }
}

impl Seen for *const etcd3_kv_t {
    unsafe fn seen(self) {
        if let Some(kv) = self.as_ref() {
            seen_bytes(kv.key.cast(), kv.key_len);
            seen_bytes(kv.value.cast(), kv.value_len);
        }
    }
}

impl Seen for *const etcd3_change_t {
    unsafe fn seen(self) {
        if let Some(change) = self.as_ref() {
            change.kv.seen();
            change.prev_kv.seen();
        }
    }
}

impl Seen for *const etcd3_header_t {
    unsafe fn seen(self) {
        std::hint::black_box(self.as_ref().map(|of| (of.cluster_id, of.member_id, of.revision, of.raft_term)));
    }
}

impl Seen for *const etcd3_permission_t {
    unsafe fn seen(self) {
        if let Some(permission) = self.as_ref() {
            seen_bytes(permission.key.cast(), permission.key_len);
            seen_bytes(permission.range_end.cast(), permission.range_end_len);
        }
    }
}

impl Seen for *const etcd3::ffi::result::etcd3_result_t {
    unsafe fn seen(self) {
        if !self.is_null() {
            read("result", self.cast());
        }
    }
}

impl Seen for *const etcd3::ffi::error::etcd3_error_t {
    unsafe fn seen(self) {
        read("error", self.cast());
    }
}

unsafe fn seen_bytes(data: *const c_void, len: usize) {
    if !data.is_null() {
        let bytes = std::slice::from_raw_parts(data.cast::<u8>(), len);
        std::hint::black_box(bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
    }
}
