//! What comes with the answers of a server. Each object that is an answer has it, all 0 where the server sent none, as those
//! of 3.4 with alarms. The answers of calls that bring no object have it too: etcd3_call_raw brings those whole.

use super::guard;
use super::handle::{self, Opaque};
use crate::core::response;
use crate::core::ResponseHeader;
use std::ops::Deref;

/// Who answered, and how far the store was. Reached only by pointer, since fields may be added at the end. Borrowed from
/// what it was read from.
#[repr(C)]
pub struct etcd3_header_t {
    /// The id of the cluster.
    pub cluster_id: u64,
    /// The id of the member that answered.
    pub member_id: u64,
    /// The revision of the store when it answered; 0 with members, since those are not in the store.
    pub revision: i64,
    /// The term of the leader, as that member knew it.
    pub raft_term: u64,
}

impl From<ResponseHeader> for etcd3_header_t {
    fn from(header: ResponseHeader) -> Self {
        let ResponseHeader { cluster_id, member_id, revision, raft_term } = header;
        etcd3_header_t { cluster_id, member_id, revision, raft_term }
    }
}

/// An answer as a handle holds it.
pub struct Headed<T> {
    header: etcd3_header_t,
    body: T,
}

impl<T> Headed<T> {
    pub fn new<U>(answer: response::Headed<U>, convert: impl FnOnce(U) -> T) -> Self {
        Headed { header: answer.header.into(), body: convert(answer.body) }
    }
}

impl<T> Deref for Headed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.body
    }
}

pub unsafe fn header<H: Opaque<Real = Headed<T>>, T>(answer: *const H) -> *const etcd3_header_t {
    let Some(answer) = handle::peek(answer) else { return std::ptr::null() };
    guard::quiet(std::ptr::null(), || &answer.header)
}
