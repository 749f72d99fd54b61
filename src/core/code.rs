//! Every call that can fail returns an `etcd3_code_t`; `ETCD3_OK` is 0. Codes are part of the ABI:
//! new ones are added, none is ever renumbered or reused. Codes below 100 are found by this library,
//! codes from 100 on are answers of the server, one for each of etcd's error texts.

use std::ffi::CStr;

/// The outcome of a call.
pub type Code = i32;

/// The call did what it was asked to do.
pub const OK: Code = 0;
/// An argument is wrong; the message names it. Nothing was sent.
pub const ERR_INVALID_ARGUMENT: Code = 1;
/// No answer came within the call's time limit, and nothing was changed by the call; or a wait was over.
pub const ERR_TIMEOUT: Code = 2;
/// The call was cancelled. Nothing was changed by the call.
pub const ERR_CANCELED: Code = 3;
/// No endpoint could be reached within the time limit, or every connection broke; the message names the endpoints and
/// their trouble. Nothing was changed by the call.
pub const ERR_UNAVAILABLE: Code = 4;
/// The client was closed, before the call or during it. Nothing was changed by the call.
pub const ERR_CLOSED: Code = 5;
/// The handle was made before a fork() and belongs to the parent process; open a new client.
pub const ERR_FORKED: Code = 6;
/// A signal arrived while the call waited.
pub const ERR_INTERRUPTED: Code = 7;
/// Another thread is draining this queue, or a callback of this queue is.
pub const ERR_BUSY: Code = 8;
/// A write was sent and its outcome is unknown: it may have been applied, or may yet be. Read before you repeat it.
pub const ERR_AMBIGUOUS: Code = 9;
/// The peer answered with something that is not gRPC or not etcd.
pub const ERR_PROTOCOL: Code = 10;
/// The operating system refused something: a pipe, a thread.
pub const ERR_SYSTEM: Code = 11;
/// TLS could not be agreed on with any endpoint, or its files cannot be used; the message says why.
pub const ERR_TLS: Code = 12;
/// Another cluster answered than before. A write may have been applied there; see etcd3_error_maybe_applied.
pub const ERR_CLUSTER_MISMATCH: Code = 13;
/// A watch's buffer was full and its policy is to fail; see etcd3_watch_opts_set_buffer.
pub const ERR_SLOW_CONSUMER: Code = 14;
/// The changes of one revision are more than a watch may hold; see etcd3_watch_opts_set_max_response_bytes.
pub const ERR_RESPONSE_TOO_LARGE: Code = 15;
/// The store's revision is below one that a watch has seen: the cluster was restored from a backup.
pub const ERR_REVISION_REGRESSED: Code = 16;
/// The lease was lost, as far as this client knows: it expired, or the server does not know it, or it may not be renewed.
pub const ERR_LEASE_LOST: Code = 20;
/// The lock was lost: its lease ended, or somebody deleted its key. Another may hold it.
pub const ERR_LOCK_LOST: Code = 21;
/// Somebody else holds the lock.
pub const ERR_LOCKED: Code = 22;
/// The lock is not held through this handle: it never was, or it was released.
pub const ERR_NOT_HELD: Code = 23;
/// The election was not won through this handle, or leadership was resigned or lost.
pub const ERR_NOT_ELECTED: Code = 24;
/// Nobody leads.
pub const ERR_NO_ELECTED_LEADER: Code = 25;
/// Others were faster each time, as often as was to be tried; or there is no room for one more. Nothing was changed by the
/// call.
pub const ERR_CONFLICT: Code = 26;
/// The caller's own function asked for the end. Nothing was changed by the call.
pub const ERR_ABORTED: Code = 27;
/// A snapshot ended early, or is not what its checksum says. Nothing of it was kept.
pub const ERR_SNAPSHOT_CORRUPT: Code = 30;
/// With etcd3_config_set_ordering: no member that answered has caught up with what this client has seen before.
pub const ERR_NO_GREATER_REVISION: Code = 31;
/// The server answered with an error this library has no code for; see etcd3_error_message and etcd3_error_grpc_status.
pub const ERR_SERVER: Code = 98;
/// A bug in this library, caught before it could do harm. Please report the message.
pub const ERR_INTERNAL: Code = 99;

/// The request has no key.
pub const ERR_EMPTY_KEY: Code = 100;
/// The key does not exist (a put with ignore_value or ignore_lease).
pub const ERR_KEY_NOT_FOUND: Code = 101;
/// A value was given together with ignore_value.
pub const ERR_VALUE_PROVIDED: Code = 102;
/// A lease was given together with ignore_lease.
pub const ERR_LEASE_PROVIDED: Code = 103;
/// The transaction has more operations than the server takes (128 by default).
pub const ERR_TOO_MANY_OPS: Code = 104;
/// The transaction writes a key twice.
pub const ERR_DUPLICATE_KEY: Code = 105;
/// The server does not know this client API version.
pub const ERR_INVALID_CLIENT_API_VERSION: Code = 106;
/// The server does not know this sort option.
pub const ERR_INVALID_SORT_OPTION: Code = 107;
/// The request is larger than the server takes (1.5 MiB by default), or than etcd3_config_set_max_request_bytes allows.
pub const ERR_REQUEST_TOO_LARGE: Code = 108;
/// The revision has been compacted away.
pub const ERR_COMPACTED: Code = 110;
/// The revision has not happened yet.
pub const ERR_FUTURE_REVISION: Code = 111;
/// The database is full; see the NOSPACE alarm.
pub const ERR_NO_SPACE: Code = 112;
/// The server has too many requests in flight.
pub const ERR_TOO_MANY_REQUESTS: Code = 113;
/// The watched range is empty.
pub const ERR_EMPTY_WATCH_RANGE: Code = 114;
/// The watch id is in use on its stream.
pub const ERR_DUPLICATE_WATCH_ID: Code = 115;
/// The server cancelled the watch.
pub const ERR_WATCH_CANCELED: Code = 116;
/// The lease does not exist.
pub const ERR_LEASE_NOT_FOUND: Code = 120;
/// The lease exists already.
pub const ERR_LEASE_EXISTS: Code = 121;
/// The time to live is above the server's limit.
pub const ERR_LEASE_TTL_TOO_LARGE: Code = 122;
/// The member does not exist.
pub const ERR_MEMBER_NOT_FOUND: Code = 130;
/// A member with this id exists already.
pub const ERR_MEMBER_EXISTS: Code = 131;
/// A member with these peer URLs exists already.
pub const ERR_PEER_URL_EXISTS: Code = 132;
/// The member URLs are malformed.
pub const ERR_BAD_MEMBER_URLS: Code = 133;
/// Too few started members for this change of the cluster.
pub const ERR_NOT_ENOUGH_STARTED: Code = 134;
/// The member is not a learner.
pub const ERR_MEMBER_NOT_LEARNER: Code = 135;
/// The learner has not caught up with the leader.
pub const ERR_LEARNER_NOT_READY: Code = 136;
/// The cluster has all the learners it may have.
pub const ERR_TOO_MANY_LEARNERS: Code = 137;
/// The server belongs to another cluster.
pub const ERR_CLUSTER_ID_MISMATCH: Code = 138;
/// The user name is empty, or no credentials were sent to a cluster that wants them.
pub const ERR_USER_EMPTY: Code = 140;
/// The role name is empty.
pub const ERR_ROLE_EMPTY: Code = 141;
/// The user or the password is wrong.
pub const ERR_AUTH_FAILED: Code = 142;
/// The request has no permission in it.
pub const ERR_PERMISSION_NOT_GIVEN: Code = 143;
/// The cluster's authentication does not allow this.
pub const ERR_INVALID_AUTH_MANAGEMENT: Code = 144;
/// The token is from before the last change of users or roles.
pub const ERR_AUTH_OLD_REVISION: Code = 145;
/// The user may not do this.
pub const ERR_PERMISSION_DENIED: Code = 146;
/// The token is not valid, or no longer.
pub const ERR_INVALID_AUTH_TOKEN: Code = 147;
/// There is no user root.
pub const ERR_ROOT_USER_NOT_FOUND: Code = 148;
/// The user root lacks the role root.
pub const ERR_ROOT_ROLE_NOT_FOUND: Code = 149;
/// The user exists already.
pub const ERR_USER_EXISTS: Code = 150;
/// The user does not exist.
pub const ERR_USER_NOT_FOUND: Code = 151;
/// The role exists already.
pub const ERR_ROLE_EXISTS: Code = 152;
/// The role does not exist.
pub const ERR_ROLE_NOT_FOUND: Code = 153;
/// The user does not have the role.
pub const ERR_ROLE_NOT_GRANTED: Code = 154;
/// The role does not have the permission.
pub const ERR_PERMISSION_NOT_GRANTED: Code = 155;
/// Authentication is not enabled on the cluster.
pub const ERR_AUTH_NOT_ENABLED: Code = 156;
/// The cluster has no leader just now.
pub const ERR_NO_LEADER: Code = 160;
/// The leader changed while the request was under way.
pub const ERR_LEADER_CHANGED: Code = 161;
/// The member is not the leader.
pub const ERR_NOT_LEADER: Code = 162;
/// The cluster's version does not have this.
pub const ERR_NOT_CAPABLE: Code = 163;
/// A learner does not serve this.
pub const ERR_NOT_SUPPORTED_FOR_LEARNER: Code = 164;
/// The member cannot take over leadership.
pub const ERR_BAD_LEADER_TRANSFEREE: Code = 165;
/// The member is stopping.
pub const ERR_STOPPED: Code = 166;
/// The server gave up on the request after its own time limit.
pub const ERR_SERVER_TIMEOUT: Code = 167;
/// The same, after a loss of the leader.
pub const ERR_SERVER_TIMEOUT_LEADER_FAIL: Code = 168;
/// The same, after a loss of the connection between members.
pub const ERR_SERVER_TIMEOUT_CONNECTION_LOST: Code = 169;
/// The same, since the member lags behind.
pub const ERR_SERVER_TIMEOUT_WAIT_APPLIED: Code = 170;
/// The cluster is unhealthy.
pub const ERR_UNHEALTHY: Code = 171;
/// The cluster's data is corrupt; see the CORRUPT alarm.
pub const ERR_CORRUPT: Code = 172;
/// The server cancelled the request.
pub const ERR_REQUEST_CANCELED: Code = 173;
/// The server does not have this call.
pub const ERR_UNIMPLEMENTED: Code = 174;
/// The version to downgrade to is malformed.
pub const ERR_WRONG_DOWNGRADE_VERSION_FORMAT: Code = 180;
/// The version to downgrade to is not possible.
pub const ERR_INVALID_DOWNGRADE_VERSION: Code = 181;
/// The cluster's version could not be found.
pub const ERR_CLUSTER_VERSION_NOT_FOUND: Code = 182;
/// A downgrade is under way.
pub const ERR_DOWNGRADE_IN_PROGRESS: Code = 183;
/// No downgrade is under way.
pub const ERR_NO_DOWNGRADE: Code = 184;

macro_rules! table {
    ($($name:ident $(= $($text:literal)|+)? ;)*) => {
        /// Code, its name in C, and etcd's texts for it without the prefixes `etcdserver: `, `mvcc: `, `auth: `.
        const TABLE: &[(Code, &str, &[&str])] = &[
            $(($name, concat!("ETCD3_", stringify!($name), "\0"), &[$($($text),+)?])),*
        ];
    };
}

table! {
    OK;
    ERR_INVALID_ARGUMENT;
    ERR_TIMEOUT;
    ERR_CANCELED;
    ERR_UNAVAILABLE;
    ERR_CLOSED;
    ERR_FORKED;
    ERR_INTERRUPTED;
    ERR_BUSY;
    ERR_AMBIGUOUS;
    ERR_PROTOCOL;
    ERR_SYSTEM;
    ERR_TLS;
    ERR_CLUSTER_MISMATCH;
    ERR_SLOW_CONSUMER;
    ERR_RESPONSE_TOO_LARGE;
    ERR_REVISION_REGRESSED;
    ERR_LEASE_LOST;
    ERR_LOCK_LOST;
    ERR_LOCKED;
    ERR_NOT_HELD;
    ERR_NOT_ELECTED;
    ERR_NO_ELECTED_LEADER;
    ERR_CONFLICT;
    ERR_ABORTED;
    ERR_SNAPSHOT_CORRUPT;
    ERR_NO_GREATER_REVISION;
    ERR_SERVER;
    ERR_INTERNAL;
    ERR_EMPTY_KEY = "key is not provided";
    ERR_KEY_NOT_FOUND = "key not found";
    ERR_VALUE_PROVIDED = "value is provided";
    ERR_LEASE_PROVIDED = "lease is provided";
    ERR_TOO_MANY_OPS = "too many operations in txn request";
    ERR_DUPLICATE_KEY = "duplicate key given in txn request";
    ERR_INVALID_CLIENT_API_VERSION = "invalid client api version";
    ERR_INVALID_SORT_OPTION = "invalid sort option";
    ERR_REQUEST_TOO_LARGE = "request is too large";
    ERR_COMPACTED = "required revision has been compacted";
    ERR_FUTURE_REVISION = "required revision is a future revision";
    ERR_NO_SPACE = "database space exceeded";
    ERR_TOO_MANY_REQUESTS = "too many requests";
    ERR_EMPTY_WATCH_RANGE = "watcher range is empty";
    ERR_DUPLICATE_WATCH_ID = "duplicate watch ID provided on the WatchStream";
    ERR_WATCH_CANCELED = "watch canceled";
    ERR_LEASE_NOT_FOUND = "requested lease not found";
    ERR_LEASE_EXISTS = "lease already exists";
    ERR_LEASE_TTL_TOO_LARGE = "too large lease TTL";
    ERR_MEMBER_NOT_FOUND = "member not found";
    ERR_MEMBER_EXISTS = "member ID already exist";
    ERR_PEER_URL_EXISTS = "Peer URLs already exists";
    ERR_BAD_MEMBER_URLS = "given member URLs are invalid";
    ERR_NOT_ENOUGH_STARTED = "re-configuration failed due to not enough started members";
    ERR_MEMBER_NOT_LEARNER = "can only promote a learner member";
    ERR_LEARNER_NOT_READY = "can only promote a learner member which is in sync with leader";
    ERR_TOO_MANY_LEARNERS = "too many learner members in cluster";
    ERR_CLUSTER_ID_MISMATCH = "cluster ID mismatch";
    ERR_USER_EMPTY = "user name is empty";
    ERR_ROLE_EMPTY = "role name is empty";
    ERR_AUTH_FAILED = "authentication failed, invalid user ID or password"
        | "authentication failed, password was given for no password user";
    ERR_PERMISSION_NOT_GIVEN = "permission not given";
    ERR_INVALID_AUTH_MANAGEMENT = "invalid auth management";
    ERR_AUTH_OLD_REVISION = "revision of auth store is old" | "revision in header is old";
    ERR_PERMISSION_DENIED = "permission denied";
    ERR_INVALID_AUTH_TOKEN = "invalid auth token";
    ERR_ROOT_USER_NOT_FOUND = "root user does not exist";
    ERR_ROOT_ROLE_NOT_FOUND = "root user does not have root role";
    ERR_USER_EXISTS = "user name already exists";
    ERR_USER_NOT_FOUND = "user name not found";
    ERR_ROLE_EXISTS = "role name already exists";
    ERR_ROLE_NOT_FOUND = "role name not found";
    ERR_ROLE_NOT_GRANTED = "role is not granted to the user";
    ERR_PERMISSION_NOT_GRANTED = "permission is not granted to the role";
    ERR_AUTH_NOT_ENABLED = "authentication is not enabled";
    ERR_NO_LEADER = "no leader";
    ERR_LEADER_CHANGED = "leader changed";
    ERR_NOT_LEADER = "not leader";
    ERR_NOT_CAPABLE = "not capable";
    ERR_NOT_SUPPORTED_FOR_LEARNER = "rpc not supported for learner";
    ERR_BAD_LEADER_TRANSFEREE = "bad leader transferee";
    ERR_STOPPED = "server stopped";
    ERR_SERVER_TIMEOUT = "request timed out" | "context deadline exceeded";
    ERR_SERVER_TIMEOUT_LEADER_FAIL = "request timed out, possibly due to previous leader failure";
    ERR_SERVER_TIMEOUT_CONNECTION_LOST = "request timed out, possibly due to connection lost";
    ERR_SERVER_TIMEOUT_WAIT_APPLIED = "request timed out, waiting for the applied index took too long";
    ERR_UNHEALTHY = "unhealthy cluster";
    ERR_CORRUPT = "corrupt cluster";
    ERR_REQUEST_CANCELED = "request canceled" | "context canceled";
    ERR_UNIMPLEMENTED;
    ERR_WRONG_DOWNGRADE_VERSION_FORMAT = "wrong downgrade target version format";
    ERR_INVALID_DOWNGRADE_VERSION = "invalid downgrade target version";
    ERR_CLUSTER_VERSION_NOT_FOUND = "cluster version not found during downgrade";
    ERR_DOWNGRADE_IN_PROGRESS = "cluster has a downgrade job in progress";
    ERR_NO_DOWNGRADE = "no inflight downgrade job";
}

/// The name of a code as it stands in the header.
pub(crate) fn name(code: Code) -> &'static CStr {
    let name = TABLE.iter().find(|row| row.0 == code).map_or("ETCD3_ERR_?\0", |row| row.1);
    CStr::from_bytes_with_nul(name.as_bytes()).unwrap_or_default()
}

/// Finds the code of a server's answer: by its text first, since the same error comes with different gRPC
/// codes from different versions (§3.1); else by the gRPC code, which is all that a proxy between may give.
pub(crate) fn classify(grpc: i32, message: &str) -> Code {
    let mut text = message;
    if let Some((_, rest)) = text.strip_prefix("rpc error: code = ").and_then(|t| t.split_once(" desc = ")) {
        text = rest;
    }
    for prefix in ["etcdserver: ", "mvcc: ", "auth: ", "lease: ", "etcdserver: "] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    if let Some(row) = TABLE.iter().find(|row| row.2.contains(&text)) {
        return row.0;
    }
    match () {
        _ if text.starts_with("grpc: received message larger than max") => ERR_REQUEST_TOO_LARGE,
        _ if grpc == 1 => ERR_REQUEST_CANCELED,
        _ if grpc == 4 => ERR_SERVER_TIMEOUT,
        _ if grpc == 7 => ERR_PERMISSION_DENIED,
        _ if grpc == 12 => ERR_UNIMPLEMENTED,
        _ if grpc == 14 => ERR_UNAVAILABLE,
        _ => ERR_SERVER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies_the_three_shapes_of_a_text() {
        assert_eq!(classify(11, "etcdserver: mvcc: required revision has been compacted"), ERR_COMPACTED);
        assert_eq!(
            classify(2, "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token"),
            ERR_INVALID_AUTH_TOKEN
        );
        assert_eq!(classify(2, "auth: invalid auth token"), ERR_INVALID_AUTH_TOKEN);
        assert_eq!(classify(8, "grpc: received message larger than max (3 vs. 2)"), ERR_REQUEST_TOO_LARGE);
        assert_eq!(classify(12, "unknown method"), ERR_UNIMPLEMENTED);
        assert_eq!(classify(2, "something new"), ERR_SERVER);
    }

    #[test]
    fn names_end_where_they_should() {
        assert_eq!(name(ERR_TIMEOUT), c"ETCD3_ERR_TIMEOUT");
        assert_eq!(name(12345), c"ETCD3_ERR_?");
    }

    #[test]
    fn codes_names_and_texts_are_unique() {
        for (i, a) in TABLE.iter().enumerate() {
            for b in &TABLE[i + 1..] {
                assert_ne!(a.0, b.0, "{} and {}", a.1, b.1);
                assert_ne!(a.1, b.1);
                assert!(a.2.iter().all(|text| !b.2.contains(text)), "{} and {}", a.1, b.1);
            }
        }
    }
}
