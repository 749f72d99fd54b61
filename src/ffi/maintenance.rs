//! Care of the members: history, space, comparison, leadership, version. `endpoint` is as in etcd3_status.

use super::call::{self, etcd3_call_t};
use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::event::{etcd3_event_fn, Callback};
use super::guard::{self, Out};
use super::handle::{self, opaque};
use super::header::{self, etcd3_header_t, Headed};
use super::input;
use super::output::c_text;
use super::queue::{etcd3_queue_t, optional_queue};
use crate::core::code::Code;
use crate::core::maintenance::Hashed;
use std::ffi::{c_char, c_int, c_void, CString};
use std::sync::Arc;

/// Drops the history below `revision`, above 0, which stays the oldest one that can be read. With `physical` 1 it waits
/// until the member that is asked has dropped it from its database. `timeout_ms` is above 0, or 0 for the client's. RPC:
/// KV.Compact. Errors: those of etcd3_put; ETCD3_ERR_COMPACTED (it was already), ETCD3_ERR_FUTURE_REVISION.
#[no_mangle]
pub unsafe extern "C" fn etcd3_compact(
    client: *const etcd3_client_t,
    revision: i64,
    physical: c_int,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, physical) = (handle::get(client, "client")?, input::yes(physical, "physical")?);
        client.compact(revision, physical, input::timeout_or_usual(timeout_ms, "timeout_ms")?)
    })
}

/// Has a member give the free space of its database file back. It answers nothing else meanwhile, so one member at a time;
/// etcd3_defragment_all does that. Never repeated. `timeout_ms` is above 0, or 0 for 60000 or the client's, whichever is
/// longer. RPC: Maintenance.Defragment. Errors: those of etcd3_put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_defragment(
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, at) = (handle::get(client, "client")?, input::endpoint(endpoint)?);
        client.defragment(at.as_ref(), input::timeout_or_usual(timeout_ms, "timeout_ms")?)
    })
}

/// Defragments all started members, one after another and the leader last, without blocking. After each there is an
/// ETCD3_EVENT_NOTICE; the last event is ETCD3_EVENT_CLOSED, without an error if all are done; it stops at the first that
/// fails. `timeout_ms` is for each, as in etcd3_defragment. `queue`, `fn`, `user_data` and `call` are as in
/// etcd3_execute_async; a call that is cancelled ends with ETCD3_ERR_CANCELED or ETCD3_ERR_AMBIGUOUS, and the member that
/// is at it goes on. RPC: Maintenance.Status, Cluster.MemberList, Maintenance.Defragment.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, ETCD3_ERR_SYSTEM (no thread).
#[no_mangle]
pub unsafe extern "C" fn etcd3_defragment_all(
    client: *const etcd3_client_t,
    timeout_ms: i64,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    call: *mut *mut etcd3_call_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, queue) = (handle::get(client, "client")?, optional_queue(queue, r#fn)?);
        let timeout = input::timeout_or_usual(timeout_ms, "timeout_ms")?;
        let cancel = client.defragment_all(timeout, queue, Arc::new(Callback { function: r#fn, user_data }))?;
        call::give(call, cancel)
    })
}

/// The hash of a member's whole database. RPC: Maintenance.Hash. Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hash(
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    hash: *mut u32,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, at) = (handle::get(client, "client")?, input::endpoint(endpoint)?);
        let out = Out::new(hash, "hash")?;
        out.give(client.hash(at.as_ref())?)
    })
}

/// The hash of a member's keys and values up to `revision`, or to its newest with 0, and the revision its history is
/// compacted to, which `compact_revision` may be NULL for: two members hold the same if both are equal. RPC:
/// Maintenance.HashKV. Errors: those of etcd3_get; ETCD3_ERR_COMPACTED, ETCD3_ERR_FUTURE_REVISION.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hash_kv(
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    revision: i64,
    hash: *mut u32,
    compact_revision: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, at) = (handle::get(client, "client")?, input::endpoint(endpoint)?);
        let out = Out::new(hash, "hash")?;
        let answer = client.hash_kv(at.as_ref(), revision)?;
        Out::optional(compact_revision).give(answer.compact_revision)?;
        out.give(answer.hash)
    })
}

/// The hashes of members. They never change and may be read by many threads.
pub struct etcd3_hashes_t {
    _private: [u8; 0],
}

opaque!(etcd3_hashes_t = Vec<HashedObject>);

pub struct HashedObject {
    hashed: Hashed,
    endpoint: CString,
    header: etcd3_header_t,
}

impl HashedObject {
    fn new(hashed: Hashed) -> Self {
        HashedObject { endpoint: c_text(&hashed.endpoint), header: hashed.header.into(), hashed }
    }
}

/// What etcd3_hash_kv asks for, and more, as a list of one: also who answered, and the revision that the hash is for. It
/// comes through `hashes`; free with etcd3_hashes_free. RPC and errors: those of etcd3_hash_kv.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hash_kv_of(
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    revision: i64,
    hashes: *mut *mut etcd3_hashes_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, at) = (handle::get(client, "client")?, input::endpoint(endpoint)?);
        let out = Out::new(hashes, "hashes")?;
        out.give(handle::give(vec![HashedObject::new(client.hash_kv_of(at.as_ref(), revision)?)]))
    })
}

/// Compares what all started voting members hold at one revision: at `revision`, or with 0 at the newest that all of them
/// have. Members that lag, and compactions under way, are waited for within the client's time limit. That members differ is
/// no error: see etcd3_hashes_difference_count. The hashes come through `hashes`; free with etcd3_hashes_free. RPC:
/// Cluster.MemberList, Maintenance.Status, Maintenance.HashKV. Errors: those of etcd3_hash_kv, of any member.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hash_kv_compare(
    client: *const etcd3_client_t,
    revision: i64,
    hashes: *mut *mut etcd3_hashes_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let out = Out::new(hashes, "hashes")?;
        out.give(handle::give(client.hash_kv_compare(revision)?.into_iter().map(HashedObject::new).collect()))
    })
}

unsafe fn read<T>(
    hashes: *const etcd3_hashes_t,
    index: usize,
    otherwise: T,
    read: impl FnOnce(&HashedObject) -> T,
) -> T {
    let Some(hashed) = handle::peek(hashes).and_then(|hashes| hashes.get(index)) else { return otherwise };
    guard::quiet(otherwise, || read(hashed))
}

/// How many members were asked.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_count(hashes: *const etcd3_hashes_t) -> usize {
    guard::quiet(0, || handle::peek(hashes).map_or(0, Vec::len))
}

/// The header of the answer of the member at `index`, from 0; NULL past the end. Borrowed from `hashes`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_header(hashes: *const etcd3_hashes_t, index: usize) -> *const etcd3_header_t {
    read(hashes, index, std::ptr::null(), |one| &one.header)
}

/// How many of them differ from what the majority holds; all of them if there is no majority. 0: all hold the same.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_difference_count(hashes: *const etcd3_hashes_t) -> usize {
    guard::quiet(0, || handle::peek(hashes).map_or(0, |all| all.iter().filter(|one| one.hashed.differs).count()))
}

/// The id of the member at `index`, from 0; 0 past the end.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_member_id(hashes: *const etcd3_hashes_t, index: usize) -> u64 {
    read(hashes, index, 0, |one| one.hashed.member)
}

/// Where the member at `index` was asked; "" past the end. Borrowed from `hashes`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_endpoint(hashes: *const etcd3_hashes_t, index: usize) -> *const c_char {
    read(hashes, index, c"".as_ptr(), |one| one.endpoint.as_ptr())
}

/// The hash that the member at `index` gave.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_hash(hashes: *const etcd3_hashes_t, index: usize) -> u32 {
    read(hashes, index, 0, |one| one.hashed.hash)
}

/// The revision it is for, the same for all.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_revision(hashes: *const etcd3_hashes_t, index: usize) -> i64 {
    read(hashes, index, 0, |one| one.hashed.revision)
}

/// The revision that the history of the member at `index` is compacted to.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_compact_revision(hashes: *const etcd3_hashes_t, index: usize) -> i64 {
    read(hashes, index, 0, |one| one.hashed.compact_revision)
}

/// 1 if the member at `index` differs from what the majority holds, or if there is no majority; else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_differs(hashes: *const etcd3_hashes_t, index: usize) -> c_int {
    read(hashes, index, 0, |one| one.hashed.differs.into())
}

/// Frees hashes.
#[no_mangle]
pub unsafe extern "C" fn etcd3_hashes_free(hashes: *mut etcd3_hashes_t) {
    guard::quiet((), || drop(handle::take(hashes)))
}

/// Has the leader hand its leadership to the member `member_id`. The leader is found by asking the client's endpoints, and
/// if it is none of them, by the cluster's list. That it leads already is no error. RPC: Maintenance.Status,
/// Maintenance.MoveLeader. Errors: those of etcd3_put; ETCD3_ERR_BAD_LEADER_TRANSFEREE, ETCD3_ERR_NO_LEADER.
#[no_mangle]
pub unsafe extern "C" fn etcd3_move_leader(
    client: *const etcd3_client_t,
    member_id: u64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(client, "client")?.move_leader(member_id))
}

/// Whether a downgrade is possible.
pub const ETCD3_DOWNGRADE_VALIDATE: i32 = 0;
/// Starts one.
pub const ETCD3_DOWNGRADE_ENABLE: i32 = 1;
/// Ends the one that is under way.
pub const ETCD3_DOWNGRADE_CANCEL: i32 = 2;

/// What the cluster says to a downgrade. It never changes and may be read by many threads.
pub struct etcd3_downgrade_t {
    _private: [u8; 0],
}

opaque!(etcd3_downgrade_t = Headed<CString>);

/// Does an ETCD3_DOWNGRADE_* with `version`, such as "3.5", which may be NULL for ETCD3_DOWNGRADE_CANCEL. The answer comes
/// through `answer`, which may be NULL; free with etcd3_downgrade_free. RPC: Maintenance.Downgrade, since 3.5. Errors:
/// those of etcd3_downgrade_validate and etcd3_downgrade_cancel.
#[no_mangle]
pub unsafe extern "C" fn etcd3_downgrade(
    client: *const etcd3_client_t,
    action: i32,
    version: *const c_char,
    answer: *mut *mut etcd3_downgrade_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        let version = match action {
            ETCD3_DOWNGRADE_CANCEL => "",
            _ => input::text(version, "version")?,
        };
        let downgraded = client.downgrade(action, version)?;
        match answer.is_null() {
            true => Ok(()),
            false => Out::new(answer, "answer")?.give(handle::give(Headed::new(downgraded, |text| c_text(&text)))),
        }
    })
}

/// The version of the cluster, such as "3.6", or "3.5.0" from servers of 3.5: the lowest that its members have; "" for NULL. Borrowed from `answer`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_downgrade_version(answer: *const etcd3_downgrade_t) -> *const c_char {
    guard::quiet(c"".as_ptr(), || handle::peek(answer).map_or(c"".as_ptr(), |version| version.as_ptr()))
}

/// The header of the answer; NULL for NULL. Borrowed from `answer`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_downgrade_header(answer: *const etcd3_downgrade_t) -> *const etcd3_header_t {
    header::header(answer)
}

/// Frees an answer.
#[no_mangle]
pub unsafe extern "C" fn etcd3_downgrade_free(answer: *mut etcd3_downgrade_t) {
    guard::quiet((), || drop(handle::take(answer)))
}

/// Asks whether the cluster could be downgraded to `version`, such as "3.5"; nothing is changed. RPC:
/// Maintenance.Downgrade, since 3.5. Errors: those of etcd3_put; ETCD3_ERR_INVALID_DOWNGRADE_VERSION,
/// ETCD3_ERR_DOWNGRADE_IN_PROGRESS, ETCD3_ERR_UNIMPLEMENTED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_downgrade_validate(
    client: *const etcd3_client_t,
    version: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    etcd3_downgrade(client, ETCD3_DOWNGRADE_VALIDATE, version, std::ptr::null_mut(), err)
}

/// Starts the downgrade of the cluster to `version`: then exchange the members' programs one after another. RPC and errors:
/// those of etcd3_downgrade_validate.
#[no_mangle]
pub unsafe extern "C" fn etcd3_downgrade_enable(
    client: *const etcd3_client_t,
    version: *const c_char,
    err: *mut *mut etcd3_error_t,
) -> Code {
    etcd3_downgrade(client, ETCD3_DOWNGRADE_ENABLE, version, std::ptr::null_mut(), err)
}

/// Ends the downgrade that is under way. RPC: Maintenance.Downgrade. Errors: those of etcd3_put; ETCD3_ERR_NO_DOWNGRADE,
/// ETCD3_ERR_UNIMPLEMENTED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_downgrade_cancel(client: *const etcd3_client_t, err: *mut *mut etcd3_error_t) -> Code {
    etcd3_downgrade(client, ETCD3_DOWNGRADE_CANCEL, std::ptr::null(), std::ptr::null_mut(), err)
}
