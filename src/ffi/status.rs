//! What a member says of itself. Maintenance calls take an `endpoint` in the forms of etcd3_config_add_endpoint: exactly
//! that one is asked, also if it is not one of the client's, which then get a connection for this call alone; NULL for any
//! of the client's. An endpoint without TLS is refused where the client's are with TLS.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque};
use super::header::etcd3_header_t;
use super::input;
use super::output::c_text;
use crate::core::code::Code;
use crate::core::maintenance::Status;
use std::ffi::{c_char, c_int, CString};

/// The state of one member. It never changes and may be read by many threads.
pub struct etcd3_status_t {
    _private: [u8; 0],
}

opaque!(etcd3_status_t = StatusObject);

pub struct StatusObject {
    status: Status,
    header: etcd3_header_t,
    version: CString,
    storage_version: CString,
    downgrade_target: CString,
    errors: Vec<CString>,
}

impl StatusObject {
    fn new(status: Status) -> Self {
        let target = status.downgrade_info.as_ref().map_or("", |info| &info.target_version);
        StatusObject {
            version: c_text(&status.version),
            storage_version: c_text(&status.storage_version),
            downgrade_target: c_text(target),
            header: status.header.unwrap_or_default().into(),
            errors: status.errors.iter().map(|error| c_text(error)).collect(),
            status,
        }
    }
}

/// Asks a member for its state, also one without a leader, or a learner. It comes through `status`; free with
/// etcd3_status_free. RPC: Maintenance.Status. Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status(
    client: *const etcd3_client_t,
    endpoint: *const c_char,
    status: *mut *mut etcd3_status_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, at) = (handle::get(client, "client")?, input::endpoint(endpoint)?);
        let out = Out::new(status, "status")?;
        out.give(handle::give(StatusObject::new(client.status(at.as_ref())?)))
    })
}

unsafe fn read<T>(status: *const etcd3_status_t, otherwise: T, read: impl FnOnce(&StatusObject) -> T) -> T {
    let Some(status) = handle::peek(status) else { return otherwise };
    guard::quiet(otherwise, || read(status))
}

/// The header of the answer; NULL for NULL. Borrowed from `status`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_header(status: *const etcd3_status_t) -> *const etcd3_header_t {
    read(status, std::ptr::null(), |object| &object.header)
}

/// The id of the cluster.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_cluster_id(status: *const etcd3_status_t) -> u64 {
    read(status, 0, |object| object.header.cluster_id)
}

/// The id of the member that answered.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_member_id(status: *const etcd3_status_t) -> u64 {
    read(status, 0, |object| object.header.member_id)
}

/// The revision of the member's store.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_revision(status: *const etcd3_status_t) -> i64 {
    read(status, 0, |object| object.header.revision)
}

/// The version of the server program, such as "3.6.5". Borrowed from `status`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_version(status: *const etcd3_status_t) -> *const c_char {
    read(status, c"".as_ptr(), |object| object.version.as_ptr())
}

/// The size of the database file, in bytes.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_db_size(status: *const etcd3_status_t) -> i64 {
    read(status, 0, |object| object.status.db_size)
}

/// How many bytes of it hold data; what is more, etcd3_defragment gives back.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_db_size_in_use(status: *const etcd3_status_t) -> i64 {
    read(status, 0, |object| object.status.db_size_in_use)
}

/// How large the file may become, in bytes; 0 from servers before 3.6.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_db_size_quota(status: *const etcd3_status_t) -> i64 {
    read(status, 0, |object| object.status.db_size_quota)
}

/// The id of the leader; 0 if the member knows none.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_leader(status: *const etcd3_status_t) -> u64 {
    read(status, 0, |object| object.status.leader)
}

/// 1 if the member that answered is the leader, else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_is_leader(status: *const etcd3_status_t) -> c_int {
    let leads = |object: &StatusObject| object.status.leader != 0 && object.status.leader == object.header.member_id;
    read(status, 0, |object| leads(object).into())
}

/// The index of the last entry that the members have agreed on, as this one knows.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_raft_index(status: *const etcd3_status_t) -> u64 {
    read(status, 0, |object| object.status.raft_index)
}

/// The index of the last entry that the member has applied to its store.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_raft_applied_index(status: *const etcd3_status_t) -> u64 {
    read(status, 0, |object| object.status.raft_applied_index)
}

/// The term of the leader.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_raft_term(status: *const etcd3_status_t) -> u64 {
    read(status, 0, |object| object.status.raft_term)
}

/// 1 if the member replicates without a vote, else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_is_learner(status: *const etcd3_status_t) -> c_int {
    read(status, 0, |object| object.status.is_learner.into())
}

/// The version of the format of the database, such as "3.6.0"; "" from servers before 3.6. Borrowed from `status`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_storage_version(status: *const etcd3_status_t) -> *const c_char {
    read(status, c"".as_ptr(), |object| object.storage_version.as_ptr())
}

/// The version that the cluster is being downgraded to; "" if it is not, and from servers before 3.6. Borrowed from
/// `status`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_downgrade_target(status: *const etcd3_status_t) -> *const c_char {
    read(status, c"".as_ptr(), |object| object.downgrade_target.as_ptr())
}

/// How many things are wrong, as the member says: alarms, no leader.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_error_count(status: *const etcd3_status_t) -> usize {
    read(status, 0, |object| object.errors.len())
}

/// What is wrong, at `index` from 0; NULL past the end. Borrowed from `status`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_error(status: *const etcd3_status_t, index: usize) -> *const c_char {
    read(status, std::ptr::null(), |object| object.errors.get(index).map_or(std::ptr::null(), |error| error.as_ptr()))
}

/// Frees a status.
#[no_mangle]
pub unsafe extern "C" fn etcd3_status_free(status: *mut etcd3_status_t) {
    guard::quiet((), || drop(handle::take(status)))
}
