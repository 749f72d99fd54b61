//! Care of the members: history, space, leadership, version. `endpoint` is as in etcd3_status.

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
use crate::core::error::Result;
use crate::core::response;
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

/// What the cluster says to a downgrade. It never changes and may be read by many threads.
pub struct etcd3_downgrade_t {
    _private: [u8; 0],
}

opaque!(etcd3_downgrade_t = Headed<CString>);

/// Gives what the cluster says through `answer`, which the caller may leave out.
unsafe fn give(out: *mut *mut etcd3_downgrade_t, version: response::Headed<String>) -> Result<()> {
    match out.is_null() {
        true => Ok(()),
        false => Out::new(out, "answer")?.give(handle::give(Headed::new(version, |text| c_text(&text)))),
    }
}

/// Asks whether the cluster could be downgraded to `version`, such as "3.5"; nothing is changed. The version that the
/// cluster has comes through `answer`, which may be NULL; free with etcd3_downgrade_free. RPC: Maintenance.Downgrade, since
/// 3.5. Errors: those of etcd3_put; ETCD3_ERR_INVALID_DOWNGRADE_VERSION, ETCD3_ERR_DOWNGRADE_IN_PROGRESS,
/// ETCD3_ERR_UNIMPLEMENTED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_downgrade_validate(
    client: *const etcd3_client_t,
    version: *const c_char,
    answer: *mut *mut etcd3_downgrade_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, version) = (handle::get(client, "client")?, input::text(version, "version")?);
        give(answer, client.downgrade_validate(version)?)
    })
}

/// Starts the downgrade of the cluster to `version`: then exchange the members' programs one after another. `answer`, RPC
/// and errors: those of etcd3_downgrade_validate.
#[no_mangle]
pub unsafe extern "C" fn etcd3_downgrade_enable(
    client: *const etcd3_client_t,
    version: *const c_char,
    answer: *mut *mut etcd3_downgrade_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, version) = (handle::get(client, "client")?, input::text(version, "version")?);
        give(answer, client.downgrade_enable(version)?)
    })
}

/// Ends the downgrade that is under way. `answer` is that of etcd3_downgrade_validate. RPC: Maintenance.Downgrade, since
/// 3.5. Errors: those of etcd3_put; ETCD3_ERR_NO_DOWNGRADE, ETCD3_ERR_UNIMPLEMENTED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_downgrade_cancel(
    client: *const etcd3_client_t,
    answer: *mut *mut etcd3_downgrade_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || give(answer, handle::get(client, "client")?.downgrade_cancel()?))
}

/// The version of the cluster, the lowest that its members have: such as "3.6", or "3.5.0" from servers of 3.5; "" for
/// NULL. Borrowed from `answer`.
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
