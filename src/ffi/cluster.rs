//! The members of the cluster, and changing them. Give a new member's peer URLs to etcd3_member_add first, then start the
//! member. A change whose answer is lost fails with ETCD3_ERR_AMBIGUOUS and is not repeated: list the members.

use super::client::etcd3_client_t;
use super::error::etcd3_error_t;
use super::guard::{self, Out};
use super::handle::{self, opaque};
use super::header::{self, etcd3_header_t, Headed};
use super::input;
use super::output::c_text;
use crate::core::cluster::Member;
use crate::core::code::Code;
use crate::core::error::Result;
use crate::core::response;
use std::ffi::{c_char, c_int, CString};

/// A list of members. It never changes and may be read by many threads.
pub struct etcd3_members_t {
    _private: [u8; 0],
}

opaque!(etcd3_members_t = Headed<Vec<MemberObject>>);

pub struct MemberObject {
    id: u64,
    name: CString,
    peer_urls: Vec<CString>,
    client_urls: Vec<CString>,
    is_learner: bool,
}

impl MemberObject {
    fn new(member: Member) -> Self {
        let texts = |urls: Vec<String>| urls.iter().map(|url| c_text(url)).collect();
        MemberObject {
            id: member.id,
            name: c_text(&member.name),
            peer_urls: texts(member.peer_ur_ls),
            client_urls: texts(member.client_ur_ls),
            is_learner: member.is_learner,
        }
    }
}

/// Gives the list through `members`, which the caller may leave out.
unsafe fn give(out: *mut *mut etcd3_members_t, members: response::Headed<Vec<Member>>) -> Result<()> {
    match out.is_null() {
        true => Ok(()),
        false => {
            let objects = |members: Vec<Member>| members.into_iter().map(MemberObject::new).collect();
            Out::new(out, "members")?.give(handle::give(Headed::new(members, objects)))
        }
    }
}

/// Lists the members: as the cluster agrees on them with `linearizable` 1; with 0 as the asked member knows them, which
/// works without a leader too. Servers of 3.4 always do the latter. The list comes through `members`; free with
/// etcd3_members_free. RPC: Cluster.MemberList. Errors: those of etcd3_get.
#[no_mangle]
pub unsafe extern "C" fn etcd3_member_list(
    client: *const etcd3_client_t,
    linearizable: c_int,
    members: *mut *mut etcd3_members_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, linearizable) = (handle::get(client, "client")?, input::yes(linearizable, "linearizable")?);
        Out::new(members, "members")?;
        give(members, client.member_list(linearizable)?)
    })
}

/// Adds a member that will be found by the others at `count` peer URLs, such as "http://10.0.0.4:2380", at least one:
/// with `is_learner` 1 one that replicates without a vote until etcd3_member_promote. `*member_id` is its id, `members` is
/// all members with it, free with etcd3_members_free; both may be NULL. RPC: Cluster.MemberAdd. Errors: those of etcd3_put;
/// ETCD3_ERR_PEER_URL_EXISTS, ETCD3_ERR_UNHEALTHY, ETCD3_ERR_NOT_ENOUGH_STARTED, ETCD3_ERR_TOO_MANY_LEARNERS.
#[no_mangle]
pub unsafe extern "C" fn etcd3_member_add(
    client: *const etcd3_client_t,
    peer_urls: *const *const c_char,
    count: usize,
    is_learner: c_int,
    member_id: *mut u64,
    members: *mut *mut etcd3_members_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, urls) = (handle::get(client, "client")?, input::texts(peer_urls, count, "peer_urls")?);
        let (id, list) = client.member_add(urls, input::yes(is_learner, "is_learner")?)?;
        Out::optional(member_id).give(id)?;
        give(members, list)
    })
}

/// Gives a member other peer URLs, at least one. `members` is all members then, free with etcd3_members_free; it may be
/// NULL. RPC: Cluster.MemberUpdate. Errors: those of etcd3_put; ETCD3_ERR_MEMBER_NOT_FOUND, ETCD3_ERR_PEER_URL_EXISTS.
#[no_mangle]
pub unsafe extern "C" fn etcd3_member_update(
    client: *const etcd3_client_t,
    member_id: u64,
    peer_urls: *const *const c_char,
    count: usize,
    members: *mut *mut etcd3_members_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || {
        let (client, urls) = (handle::get(client, "client")?, input::texts(peer_urls, count, "peer_urls")?);
        give(members, client.member_update(member_id, urls)?)
    })
}

/// Gives a learner its vote. `members` is all members then, free with etcd3_members_free; it may be NULL. RPC:
/// Cluster.MemberPromote. Errors: those of etcd3_put; ETCD3_ERR_MEMBER_NOT_FOUND, ETCD3_ERR_MEMBER_NOT_LEARNER,
/// ETCD3_ERR_LEARNER_NOT_READY (it has not caught up with the leader: try again).
#[no_mangle]
pub unsafe extern "C" fn etcd3_member_promote(
    client: *const etcd3_client_t,
    member_id: u64,
    members: *mut *mut etcd3_members_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || give(members, handle::get(client, "client")?.member_promote(member_id)?))
}

/// Removes a member, for ever: one that is to come back must be added anew, without its data. `members` is those that are
/// left, free with etcd3_members_free; it may be NULL. RPC: Cluster.MemberRemove. Errors: those of etcd3_put;
/// ETCD3_ERR_MEMBER_NOT_FOUND, ETCD3_ERR_NOT_ENOUGH_STARTED, ETCD3_ERR_UNHEALTHY.
#[no_mangle]
pub unsafe extern "C" fn etcd3_member_remove(
    client: *const etcd3_client_t,
    member_id: u64,
    members: *mut *mut etcd3_members_t,
    err: *mut *mut etcd3_error_t,
) -> Code {
    guard::call(err, || give(members, handle::get(client, "client")?.member_remove(member_id)?))
}

unsafe fn read<T>(
    members: *const etcd3_members_t,
    index: usize,
    otherwise: T,
    read: impl FnOnce(&MemberObject) -> T,
) -> T {
    let Some(member) = handle::peek(members).and_then(|members| members.get(index)) else { return otherwise };
    guard::quiet(otherwise, || read(member))
}

fn url(urls: &[CString], index: usize) -> *const c_char {
    urls.get(index).map_or(std::ptr::null(), |url| url.as_ptr())
}

/// The header of the answer; NULL for NULL. Borrowed from `members`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_header(members: *const etcd3_members_t) -> *const etcd3_header_t {
    header::header(members)
}

/// How many members there are.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_count(members: *const etcd3_members_t) -> usize {
    guard::quiet(0, || handle::peek(members).map_or(0, |members| members.len()))
}

/// The id of the member at `index`, from 0; 0 past the end.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_id(members: *const etcd3_members_t, index: usize) -> u64 {
    read(members, index, 0, |member| member.id)
}

/// The name of the member at `index`; "" if it was never started, and past the end. Borrowed from `members`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_name(members: *const etcd3_members_t, index: usize) -> *const c_char {
    read(members, index, c"".as_ptr(), |member| member.name.as_ptr())
}

/// 1 if the member at `index` was started, so that it has a name and client URLs; else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_is_started(members: *const etcd3_members_t, index: usize) -> c_int {
    read(members, index, 0, |member| (!member.name.is_empty()).into())
}

/// 1 if the member at `index` replicates without a vote, else 0.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_is_learner(members: *const etcd3_members_t, index: usize) -> c_int {
    read(members, index, 0, |member| member.is_learner.into())
}

/// How many URLs the member at `index` has for the other members.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_peer_url_count(members: *const etcd3_members_t, index: usize) -> usize {
    read(members, index, 0, |member| member.peer_urls.len())
}

/// URL number `url_index`, from 0, at which the other members find the member at `index`; NULL past the end. Borrowed
/// from `members`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_peer_url(
    members: *const etcd3_members_t,
    index: usize,
    url_index: usize,
) -> *const c_char {
    read(members, index, std::ptr::null(), |member| url(&member.peer_urls, url_index))
}

/// How many URLs the member at `index` has for clients; 0 if it was never started.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_client_url_count(members: *const etcd3_members_t, index: usize) -> usize {
    read(members, index, 0, |member| member.client_urls.len())
}

/// URL number `url_index`, from 0, at which clients find the member at `index`; NULL past the end. Borrowed from
/// `members`.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_client_url(
    members: *const etcd3_members_t,
    index: usize,
    url_index: usize,
) -> *const c_char {
    read(members, index, std::ptr::null(), |member| url(&member.client_urls, url_index))
}

/// Frees a list of members.
#[no_mangle]
pub unsafe extern "C" fn etcd3_members_free(members: *mut etcd3_members_t) {
    guard::quiet((), || drop(handle::take(members)))
}
