//! An election has one leader at a time, a session, and whoever comes next is next. Candidates of clientv3 and of etcdctl stand
//! in the same line. What is said of locks is true here: leadership is lost with the session, and only a guard,
//! etcd3_txn_if_leader, is sure.

use super::builder;
use super::call::etcd3_call_t;
use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::event::{etcd3_event_fn, Callback};
use super::guard::{self, Out};
use super::handle::{self, opaque, Bound};
use super::input::{self, bytes};
use super::op::etcd3_op_t;
use super::queue::{etcd3_queue_t, optional_queue};
use super::result::{etcd3_result_t, ResultObject};
use super::session::etcd3_session_t;
use crate::core::code::Code;
use crate::core::election::Election;
use crate::core::source::Source;
use std::ffi::{c_int, c_void};
use std::sync::Arc;

/// A candidate of an election.
pub struct etcd3_election_t {
    _private: [u8; 0],
}

/// Who follows an election.
pub struct etcd3_observer_t {
    _private: [u8; 0],
}

opaque!(etcd3_election_t = Bound<Arc<Election>>, etcd3_observer_t = Bound<Arc<Source>>);

/// A candidate, who does not campaign yet, of the election of this name, which must not be empty. Sends nothing. It comes
/// through `election`; free with etcd3_election_free. Errors: ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_new(
    session: *const etcd3_session_t,
    name: *const c_void,
    name_len: usize,
    election: *mut *mut etcd3_election_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (session, name) = (handle::get(session, "session")?, bytes(name, name_len, "name")?);
        let out = Out::new(election, "election")?;
        out.give(handle::give(Bound::new(Election::new(session, &name)?)))
    })
}

/// The leader, known by the key and the revision of etcd3_election_key and etcd3_election_token, maybe of a former process,
/// whose lease the session has adopted. It comes through `election`; free with etcd3_election_free. RPC: KV.Txn.
/// Errors: ETCD3_ERR_NOT_ELECTED (such a key does not lead), ETCD3_ERR_INVALID_ARGUMENT, and those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_resume(
    session: *const etcd3_session_t,
    name: *const c_void,
    name_len: usize,
    key: *const c_void,
    key_len: usize,
    revision: i64,
    election: *mut *mut etcd3_election_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (session, name) = (handle::get(session, "session")?, bytes(name, name_len, "name")?);
        let key = bytes(key, key_len, "key")?;
        let out = Out::new(election, "election")?;
        out.give(handle::give(Bound::new(Election::resume(session, &name, key, revision)?)))
    })
}

/// Campaigns with a value, and waits up to `timeout_ms` (above 0; -1: for as long as it takes) to be the leader. A leader who
/// campaigns proclaims the value. RPC: KV.Txn; to wait, KV.Range and Watch.Watch. Errors: those of etcd3_lock_acquire.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_campaign(
    election: *const etcd3_election_t,
    value: *const c_void,
    value_len: usize,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (election, value) = (handle::get(election, "election")?, bytes(value, value_len, "value")?);
        election.campaign(value, input::timeout_or_none(timeout_ms, "timeout_ms")?)
    })
}

/// Starts to campaign and returns: ETCD3_EVENT_ACQUIRED comes with leadership. All else is as for etcd3_lock_acquire_async.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_campaign_async(
    election: *const etcd3_election_t,
    value: *const c_void,
    value_len: usize,
    timeout_ms: i64,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    call: *mut *mut etcd3_call_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (election, value) = (handle::get(election, "election")?, bytes(value, value_len, "value")?);
        let timeout = input::timeout_or_none(timeout_ms, "timeout_ms")?;
        let queue = optional_queue(queue, r#fn)?;
        let handler = Arc::new(Callback { function: r#fn, user_data });
        super::call::give(call, election.campaign_async(value, timeout, queue, handler)?)
    })
}

/// Has the leader say another value. RPC: KV.Txn. Errors: ETCD3_ERR_NOT_ELECTED, and those of etcd3_put.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_proclaim(
    election: *const etcd3_election_t,
    value: *const c_void,
    value_len: usize,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(election, "election")?.proclaim(bytes(value, value_len, "value")?))
}

/// Gives leadership up; for whoever does not lead there is nothing to do. With an error too: the library goes on trying in the
/// background. RPC: KV.Txn. Errors: those of etcd3_execute.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_resign(
    election: *const etcd3_election_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(election, "election")?.resign())
}

/// 1 if this candidate leads and is not known to have lost leadership, else 0. Asks no server, so it is no guard.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_is_leader(election: *const etcd3_election_t) -> c_int {
    guard::quiet(0, || handle::get(election, "election").is_ok_and(|election| election.leading().is_ok()).into())
}

/// Has the loss of leadership, as it is held now, reported, as etcd3_lock_watch_loss does for a lock.
/// Errors: ETCD3_ERR_NOT_ELECTED, ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, ETCD3_ERR_SYSTEM (no thread).
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_watch_loss(
    election: *const etcd3_election_t,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (election, queue) = (handle::get(election, "election")?, optional_queue(queue, r#fn)?);
        election.watch_loss(queue, Arc::new(Callback { function: r#fn, user_data }))
    })
}

/// The fencing token of the leader, as etcd3_lock_token of a lock's holder; 0 for whoever does not lead.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_token(election: *const etcd3_election_t) -> i64 {
    guard::quiet(0, || {
        handle::get(election, "election").and_then(|election| election.leading()).map_or(0, |leading| leading.created)
    })
}

/// The candidate's own key: `*len` bytes, which may be any; `len` may be NULL. Borrowed from `election`; NULL for NULL.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_key(election: *const etcd3_election_t, len: *mut usize) -> *const u8 {
    guard::quiet(std::ptr::null(), || {
        let Ok(election) = handle::get(election, "election") else { return std::ptr::null() };
        let _ = Out::optional(len).give(election.key.len());
        election.key.as_ptr()
    })
}

/// Adds the comparison that the candidate leads. A mistake, ETCD3_ERR_NOT_ELECTED, if it does not now. Executed in another
/// namespace than the election's, the transaction is ETCD3_ERR_INVALID_ARGUMENT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_txn_if_leader(txn: *mut etcd3_op_t, election: *const etcd3_election_t) {
    builder::set(txn, |txn| handle::get(election, "election")?.leading()?.guard(txn))
}

/// Frees a candidate. One who leads resigns, and one who campaigns gives up, in the background.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_free(election: *mut etcd3_election_t) {
    guard::quiet((), || {
        if let Some(election) = handle::take_bound(election) {
            election.free();
        }
    })
}

/// Who leads the election of this name: the answer is that to a get of the leader's key, whose value is what it proclaims. It
/// comes through `result`; free with etcd3_result_free. RPC: KV.Range. Errors: ETCD3_ERR_NO_ELECTED_LEADER, those of
/// etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_leader(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    result: *mut *mut etcd3_result_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, name) = (handle::get(client, "client")?, bytes(name, name_len, "name")?);
        let out = Out::new(result, "result")?;
        out.give(handle::give(ResultObject::new(client.leader(&name)?)))
    })
}

/// Follows the election of this name: ETCD3_EVENT_LEADER tells who leads or that nobody does, first as it is now and then after
/// each change; of changes in quick succession the last is told. ETCD3_EVENT_STATE tells when the connection is lost and
/// back. Queue and callback are as for etcd3_watch_start. The observer comes through `observer`; free with
/// etcd3_observer_free. RPC: KV.Range, Watch.Watch. Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, ETCD3_ERR_SYSTEM
/// (no thread).
#[no_mangle]
pub unsafe extern "C" fn etcd3_election_observe(
    client: *const etcd3_client_t,
    name: *const c_void,
    name_len: usize,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    observer: *mut *mut etcd3_observer_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, name) = (handle::get(client, "client")?, bytes(name, name_len, "name")?);
        let queue = optional_queue(queue, r#fn)?;
        let out = Out::new(observer, "observer")?;
        let source = client.observe_election(name, queue, Arc::new(Callback { function: r#fn, user_data }))?;
        out.give(handle::give(Bound::new(source)))
    })
}

/// Ends an observer, as etcd3_watch_cancel does a watch.
#[no_mangle]
pub unsafe extern "C" fn etcd3_observer_cancel(observer: *const etcd3_observer_t) {
    guard::quiet((), || {
        if let Ok(source) = handle::get(observer, "observer") {
            source.cancel(None);
        }
    })
}

/// Ends an observer and waits up to `timeout_ms` (0: not at all) for its callback, as etcd3_watch_join does for a watch's.
/// Error: ETCD3_ERR_TIMEOUT.
#[no_mangle]
pub unsafe extern "C" fn etcd3_observer_join(
    observer: *const etcd3_observer_t,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let source = handle::get(observer, "observer")?;
        let limit = input::wait(timeout_ms, "timeout_ms")?;
        source.cancel(None);
        source.join(limit)
    })
}

/// Ends and frees an observer. Its ETCD3_EVENT_CLOSED still comes.
#[no_mangle]
pub unsafe extern "C" fn etcd3_observer_free(observer: *mut etcd3_observer_t) {
    guard::quiet((), || {
        if let Some(source) = handle::take_bound(observer) {
            source.cancel(None);
        }
    })
}
