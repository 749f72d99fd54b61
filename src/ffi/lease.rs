//! Keys put with a lease (etcd3_op_set_lease) are deleted when it ends. etcd3_lease_open grants one and keeps it alive:
//! it is renewed after a third of its time, on a second member too where the first does not answer, until it is freed.
//! All leases of a client share a stream.
//!
//! A lease that is lost is told once, by ETCD3_EVENT_LOST and its reason; ETCD3_EVENT_CLOSED follows. The time is counted
//! from when the last answered renewal was sent, on a clock that runs while the machine sleeps, less 2 % and at least 100
//! ms: so the loss is told, and etcd3_lease_is_alive is 0, before the server deletes the keys. A lost lease never comes
//! back. A process that is itself stopped cannot be told in time: guard what must not happen twice by a transaction.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::event::etcd3_event_fn;
use super::guard::{self, Out};
use super::handle::{self, opaque, Bound};
use super::input;
use super::queue::{etcd3_queue_t, listener};
use crate::core::code::Code;
use crate::core::lease::Lease;
use std::ffi::{c_int, c_void};
use std::sync::Arc;

/// A lease that is kept alive.
pub struct etcd3_lease_t {
    _private: [u8; 0],
}

opaque!(etcd3_lease_t = Bound<LeaseObject>);

pub struct LeaseObject(Arc<Lease>);

/// Grants a lease of `ttl_s` seconds, above 0, that nobody keeps alive. With `lease_id` 0 the client picks an id: 63 random
/// bits. The id comes through `granted_id`, and what the server grants, which is never less than it was asked for, through
/// `granted_ttl_s`; both may be NULL. RPC: Lease.LeaseGrant.
///
/// With an id of the client's the call is repeated within its time limit, and if it fails none is left behind: what an
/// attempt without an answer may have granted is revoked. With an id of the caller's a lost answer is
/// ETCD3_ERR_AMBIGUOUS: the lease may have been granted, or have been there before.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT (`ttl_s`; a negative `lease_id`), ETCD3_ERR_LEASE_TTL_TOO_LARGE (above 9,000,000,000),
/// ETCD3_ERR_LEASE_EXISTS, ETCD3_ERR_NO_SPACE, ETCD3_ERR_UNAVAILABLE, ETCD3_ERR_TIMEOUT, ETCD3_ERR_CLOSED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_grant(
    client: *const etcd3_client_t,
    ttl_s: i64,
    lease_id: i64,
    granted_id: *mut i64,
    granted_ttl_s: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let granted = handle::get(client, "client")?.lease_grant(ttl_s, lease_id)?;
        Out::optional(granted_id).give(granted.id)?;
        Out::optional(granted_ttl_s).give(granted.ttl)
    })
}

/// Revokes a lease, whoever made it, and with it deletes all its keys. A handle of it in this client is told
/// ETCD3_LOST_REVOKED. RPC: Lease.LeaseRevoke; repeated within the client's time limit.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT (0), ETCD3_ERR_LEASE_NOT_FOUND, ETCD3_ERR_PERMISSION_DENIED (to one of its keys),
/// ETCD3_ERR_AMBIGUOUS, ETCD3_ERR_UNAVAILABLE, ETCD3_ERR_CLOSED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_revoke_id(
    client: *const etcd3_client_t,
    lease_id: i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || handle::get(client, "client")?.lease_revoke(lease_id))
}

/// Renews a lease once, whoever made it. What it has from now on comes through `ttl_s`, which may be NULL. RPC:
/// Lease.LeaseKeepAlive; repeated within the client's time limit.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT (0), ETCD3_ERR_LEASE_NOT_FOUND, ETCD3_ERR_PERMISSION_DENIED, ETCD3_ERR_UNAVAILABLE,
/// ETCD3_ERR_TIMEOUT, ETCD3_ERR_CLOSED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_keep_alive_once(
    client: *const etcd3_client_t,
    lease_id: i64,
    ttl_s: *mut i64,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let client = handle::get(client, "client")?;
        Out::optional(ttl_s).give(client.lease_keep_alive_once(lease_id)?)
    })
}

/// Grants a lease as etcd3_lease_grant does and keeps it alive. `fn` is called with `user_data` for ETCD3_EVENT_LOST and
/// ETCD3_EVENT_CLOSED by whoever dispatches `queue`, or, if `queue` is NULL, by the client's own callback thread; with a
/// queue `fn` may be NULL, for etcd3_queue_next; with neither nobody is told, and etcd3_lease_is_alive says it. The lease
/// comes through `lease`; free with etcd3_lease_free. Nothing is called, and no lease left behind, if this fails.
/// RPC: Lease.LeaseGrant, Lease.LeaseKeepAlive. Errors: those of etcd3_lease_grant, ETCD3_ERR_SYSTEM (no thread).
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_open(
    client: *const etcd3_client_t,
    ttl_s: i64,
    lease_id: i64,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    lease: *mut *mut etcd3_lease_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, out) = (handle::get(client, "client")?, Out::new(lease, "lease")?);
        let opened = client.lease_open(ttl_s, lease_id, listener(queue, r#fn, user_data)?)?;
        out.give(handle::give(Bound::new(LeaseObject(opened))))
    })
}

/// Keeps a lease alive that exists already, whoever made it; it is renewed once before this returns. The rest is as with
/// etcd3_lease_open. RPC: Lease.LeaseKeepAlive. Errors: those of etcd3_lease_keep_alive_once, ETCD3_ERR_SYSTEM (no thread).
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_adopt(
    client: *const etcd3_client_t,
    lease_id: i64,
    queue: *const etcd3_queue_t,
    r#fn: etcd3_event_fn,
    user_data: *mut c_void,
    lease: *mut *mut etcd3_lease_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, out) = (handle::get(client, "client")?, Out::new(lease, "lease")?);
        let adopted = client.lease_adopt(lease_id, listener(queue, r#fn, user_data)?)?;
        out.give(handle::give(Bound::new(LeaseObject(adopted))))
    })
}

unsafe fn ask<T>(lease: *const etcd3_lease_t, otherwise: T, ask: impl FnOnce(&Lease) -> T) -> T {
    guard::quiet(None, || handle::get(lease, "lease").ok().map(|object| ask(&object.0))).unwrap_or(otherwise)
}

/// The id; 0 for NULL and in a forked child.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_id(lease: *const etcd3_lease_t) -> i64 {
    ask(lease, 0, Lease::id)
}

/// How many seconds the server gives it with each renewal; 0 for NULL and in a forked child.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_ttl(lease: *const etcd3_lease_t) -> i64 {
    ask(lease, 0, Lease::ttl)
}

/// For how many more milliseconds the server keeps it at least, as this side knows without asking; 0 once it is lost, for
/// NULL and in a forked child.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_remaining_ms(lease: *const etcd3_lease_t) -> i64 {
    // What is left of a millisecond is not nothing.
    ask(lease, 0, |lease| lease.remaining().as_nanos().div_ceil(1_000_000) as i64)
}

/// 1 as long as the lease is not lost, else 0: what etcd3_lease_remaining_ms says. Once 0, always 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_is_alive(lease: *const etcd3_lease_t) -> c_int {
    ask(lease, 0, |lease| lease.is_alive().into())
}

/// With `yes` 1 tells of each renewal from now on, by ETCD3_EVENT_RENEWED, where it tells of the loss; with 0 no more. If
/// they are not taken in time only the newest waits. Those by etcd3_lease_refresh are told too, of any handle of the lease
/// in this client.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT (`yes`; a lease without queue and function), ETCD3_ERR_LEASE_LOST, ETCD3_ERR_CLOSED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_tell_renewals(
    lease: *const etcd3_lease_t,
    yes: c_int,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let lease = handle::get(lease, "lease")?;
        lease.0.tell_renewals(input::yes(yes, "yes")?)
    })
}

/// Renews a lease now, in addition to what keeps it alive. RPC: Lease.LeaseKeepAlive.
/// Errors: those of etcd3_lease_keep_alive_once; ETCD3_ERR_LEASE_LOST if it is lost, and nothing is sent.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_refresh(lease: *const etcd3_lease_t, err: *mut *mut etcd3_error_t) -> Code {
    guard::call(err, || handle::get(lease, "lease")?.0.refresh().map(drop))
}

/// Revokes a lease, and with it deletes all its keys: ETCD3_EVENT_LOST comes with ETCD3_LOST_REVOKED. If this fails the lease
/// is still kept alive, as long as it exists. RPC: Lease.LeaseRevoke. Errors: those of etcd3_lease_revoke_id.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_revoke(lease: *const etcd3_lease_t, err: *mut *mut etcd3_error_t) -> Code {
    guard::call(err, || handle::get(lease, "lease")?.0.revoke(None))
}

/// Frees a lease: nobody keeps it alive any more, and the server deletes it and its keys when its time is over. It is not
/// revoked. ETCD3_EVENT_CLOSED still comes, with no error, and ETCD3_EVENT_LOST before it only if it was lost already.
#[no_mangle]
pub unsafe extern "C" fn etcd3_lease_free(lease: *mut etcd3_lease_t) {
    guard::quiet((), || drop(handle::take_bound(lease)))
}
