//! A namespace is a part of the store: all keys behind one prefix. A handle of one is a client to which that part is
//! the whole: keys go out with the prefix before them and come back without it. It goes wherever a client goes.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, Bound};
use super::input;
use crate::core::code::Code;
use std::ffi::c_void;

/// Makes a handle of the namespace of `prefix`, which must not be empty, of `client`; of a handle of a namespace: of the
/// namespace in it, the prefixes one after the other. Sends nothing. It comes through `namespaced`; free with
/// etcd3_client_free.
///
/// Behind the prefix are the keys of all operations, watches, reads in pages, locks, elections, barriers, queues of work and
/// transactional memory that are made with the handle, those that they give back, and those of a lease; an empty key with
/// prefix or from-key means all of the namespace. The key that is the prefix and nothing more is not in it. An answer with
/// a key of outside is ETCD3_ERR_PROTOCOL, or ETCD3_ERR_AMBIGUOUS to a write, and ends a watch. Not concerned are lease
/// ids, revisions, raw calls, compaction, members, status, alarms, defragmentation, hashes, snapshots, leadership,
/// downgrades, authentication, users and roles: they are the cluster's, as if asked of the client.
///
/// Connections, the streams of watches and leases, endpoints, credentials, counters, settings, and what ordering has seen
/// are the client's, also where they are set through the handle; a callback thread, if it needs one, is its own. None of the
/// events of etcd3_config_set_events come through a handle: they are told once, where the client was told to.
/// etcd3_client_close on the handle ends what was made with it and nothing else; on the client that too, and the handle
/// then gives ETCD3_ERR_CLOSED. etcd3_client_cancel_calls likewise. They may be freed in any order.
/// Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED.
#[no_mangle]
pub unsafe extern "C" fn etcd3_namespace_open(
    client: *const etcd3_client_t,
    prefix: *const c_void,
    prefix_len: usize,
    namespaced: *mut *mut etcd3_client_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, out) = (handle::get(client, "client")?, Out::new(namespaced, "namespaced")?);
        let namespaced = client.namespace(&input::bytes(prefix, prefix_len, "prefix")?)?;
        out.give(handle::give(Bound::new(namespaced)))
    })
}
