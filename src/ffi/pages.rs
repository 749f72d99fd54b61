//! A read of any size: part by part, so that no answer is large, and all of it from one revision, as one read would
//! be. A server from 3.7 on streams the parts; others are asked for a page at a time. What is not taken is not read.

use super::builder;
use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque, Bound};
use super::op::etcd3_op_t;
use super::result::{etcd3_result_t, ResultObject};
use crate::core::code::{self, Code};
use crate::core::error::Error;
use crate::core::pages::Pages;
use std::sync::{Mutex, TryLockError};

/// A read in parts.
pub struct etcd3_range_t {
    _private: [u8; 0],
}

opaque!(etcd3_range_t = Bound<RangeObject>);

pub struct RangeObject {
    pages: Mutex<Pages>,
    revision: i64,
    total: i64,
}

/// Starts to read what `op`, a get with any option but etcd3_op_set_sort and etcd3_op_set_count_only, would bring: counts
/// the keys and fixes the revision, the newest if the op names none. Up to `page` keys come at a time, where the server is
/// asked for pages; 0 for 1000. The op's time limit, or the client's, is for each step. It comes through `range`; free
/// with etcd3_range_free. RPC: KV.Range. Errors: those of etcd3_execute.
#[no_mangle]
pub unsafe extern "C" fn etcd3_range_open(
    client: *const etcd3_client_t,
    op: *const etcd3_op_t,
    page: i64,
    range: *mut *mut etcd3_range_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, op) = (handle::get(client, "client")?, builder::finish(op, "op")?);
        let out = Out::new(range, "range")?;
        let pages = client.pages(op, page)?;
        let (revision, total) = (pages.revision, pages.total);
        let object = RangeObject { pages: Mutex::new(pages), revision, total };
        out.give(handle::give(Bound::new(object)))
    })
}

/// Waits for the next part, a get's result with at least one key, in the order of the keys. It comes through `result`, free
/// with etcd3_result_free; NULL when all was read. After an error it may be called again, but for ETCD3_ERR_COMPACTED,
/// which comes when the revision was compacted away meanwhile: the rest is gone. RPC: KV.RangeStream or KV.Range. Errors:
/// those of etcd3_execute; ETCD3_ERR_BUSY (another thread is at it), ETCD3_ERR_CLOSED (also after the client is freed).
#[no_mangle]
pub unsafe extern "C" fn etcd3_range_next(
    range: *const etcd3_range_t,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let range = handle::get(range, "range")?;
        let out = Out::new(result, "result")?;
        let mut pages = match range.pages.try_lock() {
            Ok(pages) => pages,
            Err(TryLockError::Poisoned(pages)) => pages.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(code::ERR_BUSY, "range: another thread reads it"))
            }
        };
        let part = pages.next_page()?;
        out.give(part.map_or(std::ptr::null_mut(), |part| handle::give(ResultObject::new(part))))
    })
}

/// The revision that all of it is from; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_range_revision(range: *const etcd3_range_t) -> i64 {
    guard::quiet(0, || handle::get(range, "range").map_or(0, |range| range.revision))
}

/// How many keys the range has at that revision, before limit and filters: what progress is measured by; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_range_total(range: *const etcd3_range_t) -> i64 {
    guard::quiet(0, || handle::get(range, "range").map_or(0, |range| range.total))
}

/// Frees a read, wherever it stands; not while another thread is in etcd3_range_next.
#[no_mangle]
pub unsafe extern "C" fn etcd3_range_free(range: *mut etcd3_range_t) {
    guard::quiet((), || drop(handle::take_bound(range)))
}
