//! A session is a lease that lives as long as its owner: what locks and elections hang on. One per process and client is
//! enough. Its loss is that of its lease, see there.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::event::etcd3_event_fn;
use super::guard::{self, Out};
use super::handle::{self, opaque, Bound};
use super::input;
use super::queue::{etcd3_queue_t, listener};
use crate::core::code::Code;
use crate::core::session::Session;
use std::ffi::{c_int, c_void};
use std::sync::Arc;

/// A session.
pub struct etcd3_session_t {
    _private: [u8; 0],
}

opaque!(etcd3_session_t = Bound<Arc<Session>>);

/// Opens a session with a lease of `ttl_s` seconds (0: 60), or, if `lease_id` is not 0, with that lease, which it keeps alive
/// from now on; `ttl_s` must then be 0. For `queue`, `fn` and `user_data` see etcd3_lease_open. The session comes through
/// `session`; free with etcd3_session_free. RPC: Lease.LeaseGrant, Lease.LeaseKeepAlive. Errors: those of etcd3_lease_open
/// and etcd3_lease_adopt.
#[no_mangle]
pub unsafe extern "C" fn etcd3_session_open(
    client: *const etcd3_client_t,
    ttl_s: i64,
    lease_id: i64,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    session: *mut *mut etcd3_session_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, out) = (handle::get(client, "client")?, Out::new(session, "session")?);
        let session = client.session_open(ttl_s, lease_id, listener(queue, r#fn, user_data)?)?;
        out.give(handle::give(Bound::new(session)))
    })
}

/// The id of its lease; 0 for NULL and in a forked child.
#[no_mangle]
pub unsafe extern "C" fn etcd3_session_lease_id(session: *const etcd3_session_t) -> i64 {
    guard::quiet(0, || handle::get(session, "session").map_or(0, |session| session.lease().id()))
}

/// 1 as long as its lease is not lost nor the session ended, else 0. Once 0, always 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_session_is_alive(session: *const etcd3_session_t) -> c_int {
    guard::quiet(0, || handle::get(session, "session").map_or(0, |session| session.lease().is_alive().into()))
}

/// With `yes` 1 has each renewal of its lease told, as etcd3_lease_tell_renewals does; with 0 no more. Errors: those of
/// etcd3_lease_tell_renewals.
#[no_mangle]
pub unsafe extern "C" fn etcd3_session_tell_renewals(
    session: *const etcd3_session_t,
    yes: c_int,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let session = handle::get(session, "session")?;
        session.lease().tell_renewals(input::yes(yes, "yes")?)
    })
}

/// Ends a session: revokes its lease, and with it deletes all its keys, within `timeout_ms`, above 0. The session is over
/// whatever this returns; where the lease may not have been revoked it is left to expire. ETCD3_EVENT_LOST comes with
/// ETCD3_LOST_REVOKED, or ETCD3_LOST_CLOSED if this failed. RPC: Lease.LeaseRevoke. Errors: those of etcd3_lease_revoke_id;
/// ETCD3_ERR_LEASE_LOST if it was ended before.
#[no_mangle]
pub unsafe extern "C" fn etcd3_session_close(
    session: *const etcd3_session_t,
    timeout_ms: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let session = handle::get(session, "session")?;
        session.close(input::timeout(timeout_ms, "timeout_ms")?)
    })
}

/// Ends a session without revoking its lease, which is left to expire, or to whoever adopts it. ETCD3_EVENT_CLOSED comes, with
/// no error. Sends nothing.
#[no_mangle]
pub unsafe extern "C" fn etcd3_session_orphan(session: *const etcd3_session_t) {
    guard::quiet((), || {
        if let Ok(session) = handle::get(session, "session") {
            session.orphan();
        }
    })
}

/// Frees a session. If it was not ended, and nothing that hangs on it is left, it ends as by etcd3_session_orphan.
#[no_mangle]
pub unsafe extern "C" fn etcd3_session_free(session: *mut etcd3_session_t) {
    guard::quiet((), || drop(handle::take_bound(session)))
}
