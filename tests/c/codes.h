/* Every answer of a server that has a code: etcd's text, its gRPC status, and what it means for a write. */
#ifndef CODES_H
#define CODES_H
#include "scripted.h"

enum grpc {
    CANCELLED = 1, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED,
    RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS,
    UNAUTHENTICATED
};

static const char *const grpc_names[] = {
    "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
    "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
    "Internal", "Unavailable", "DataLoss", "Unauthenticated"};

/* A write that gets this answer was certainly not applied; or may have been, which is ETCD3_ERR_AMBIGUOUS; or may have
   been, and keeps its code: the write that crosses the quota is applied, and those after it are not. */
enum write { NOT_APPLIED, OPEN, OPEN_NAMED };

struct row {
    etcd3_code_t code;
    const char *name;
    enum grpc grpc;
    enum write write;
    int retryable;
    const char *text;
};

#define ROW(code, grpc, write, retryable, text) {code, #code, grpc, write, retryable, text}
#define S "etcdserver: "

static const struct row rows[] = {
    ROW(ETCD3_ERR_EMPTY_KEY, INVALID_ARGUMENT, NOT_APPLIED, 0, S "key is not provided"),
    ROW(ETCD3_ERR_KEY_NOT_FOUND, INVALID_ARGUMENT, NOT_APPLIED, 0, S "key not found"),
    ROW(ETCD3_ERR_VALUE_PROVIDED, INVALID_ARGUMENT, NOT_APPLIED, 0, S "value is provided"),
    ROW(ETCD3_ERR_LEASE_PROVIDED, INVALID_ARGUMENT, NOT_APPLIED, 0, S "lease is provided"),
    ROW(ETCD3_ERR_TOO_MANY_OPS, INVALID_ARGUMENT, NOT_APPLIED, 0, S "too many operations in txn request"),
    ROW(ETCD3_ERR_DUPLICATE_KEY, INVALID_ARGUMENT, NOT_APPLIED, 0, S "duplicate key given in txn request"),
    ROW(ETCD3_ERR_INVALID_CLIENT_API_VERSION, INVALID_ARGUMENT, NOT_APPLIED, 0, S "invalid client api version"),
    ROW(ETCD3_ERR_INVALID_SORT_OPTION, INVALID_ARGUMENT, NOT_APPLIED, 0, S "invalid sort option"),
    ROW(ETCD3_ERR_BAD_MEMBER_URLS, INVALID_ARGUMENT, NOT_APPLIED, 0, S "given member URLs are invalid"),
    ROW(ETCD3_ERR_REQUEST_TOO_LARGE, INVALID_ARGUMENT, NOT_APPLIED, 0, S "request is too large"),
    ROW(ETCD3_ERR_REQUEST_TOO_LARGE, RESOURCE_EXHAUSTED, NOT_APPLIED, 0,
        "grpc: received message larger than max (2100000 vs. 2097152)"),
    ROW(ETCD3_ERR_USER_EMPTY, INVALID_ARGUMENT, NOT_APPLIED, 0, S "user name is empty"),
    ROW(ETCD3_ERR_ROLE_EMPTY, INVALID_ARGUMENT, NOT_APPLIED, 0, S "role name is empty"),
    ROW(ETCD3_ERR_AUTH_FAILED, INVALID_ARGUMENT, NOT_APPLIED, 0,
        S "authentication failed, invalid user ID or password"),
    ROW(ETCD3_ERR_PERMISSION_NOT_GIVEN, INVALID_ARGUMENT, NOT_APPLIED, 0, S "permission not given"),
    ROW(ETCD3_ERR_INVALID_AUTH_MANAGEMENT, INVALID_ARGUMENT, NOT_APPLIED, 0, S "invalid auth management"),
    ROW(ETCD3_ERR_AUTH_OLD_REVISION, INVALID_ARGUMENT, NOT_APPLIED, 0, S "revision of auth store is old"),
    ROW(ETCD3_ERR_AUTH_OLD_REVISION, UNKNOWN, NOT_APPLIED, 0, "auth: revision in header is old"),
    ROW(ETCD3_ERR_WRONG_DOWNGRADE_VERSION_FORMAT, INVALID_ARGUMENT, NOT_APPLIED, 0,
        S "wrong downgrade target version format"),
    ROW(ETCD3_ERR_INVALID_DOWNGRADE_VERSION, INVALID_ARGUMENT, NOT_APPLIED, 0, S "invalid downgrade target version"),
    ROW(ETCD3_ERR_COMPACTED, OUT_OF_RANGE, NOT_APPLIED, 0, S "mvcc: required revision has been compacted"),
    ROW(ETCD3_ERR_FUTURE_REVISION, OUT_OF_RANGE, NOT_APPLIED, 0, S "mvcc: required revision is a future revision"),
    ROW(ETCD3_ERR_LEASE_TTL_TOO_LARGE, OUT_OF_RANGE, NOT_APPLIED, 0, S "too large lease TTL"),
    ROW(ETCD3_ERR_NO_SPACE, RESOURCE_EXHAUSTED, OPEN_NAMED, 0, S "mvcc: database space exceeded"),
    ROW(ETCD3_ERR_TOO_MANY_REQUESTS, RESOURCE_EXHAUSTED, NOT_APPLIED, 1, S "too many requests"),
    ROW(ETCD3_ERR_LEASE_NOT_FOUND, NOT_FOUND, NOT_APPLIED, 0, S "requested lease not found"),
    ROW(ETCD3_ERR_MEMBER_NOT_FOUND, NOT_FOUND, NOT_APPLIED, 0, S "member not found"),
    ROW(ETCD3_ERR_LEASE_EXISTS, FAILED_PRECONDITION, NOT_APPLIED, 0, S "lease already exists"),
    ROW(ETCD3_ERR_MEMBER_EXISTS, FAILED_PRECONDITION, NOT_APPLIED, 0, S "member ID already exist"),
    ROW(ETCD3_ERR_PEER_URL_EXISTS, FAILED_PRECONDITION, NOT_APPLIED, 0, S "Peer URLs already exists"),
    ROW(ETCD3_ERR_NOT_ENOUGH_STARTED, FAILED_PRECONDITION, NOT_APPLIED, 0,
        S "re-configuration failed due to not enough started members"),
    ROW(ETCD3_ERR_MEMBER_NOT_LEARNER, FAILED_PRECONDITION, NOT_APPLIED, 0, S "can only promote a learner member"),
    ROW(ETCD3_ERR_LEARNER_NOT_READY, FAILED_PRECONDITION, NOT_APPLIED, 0,
        S "can only promote a learner member which is in sync with leader"),
    ROW(ETCD3_ERR_TOO_MANY_LEARNERS, FAILED_PRECONDITION, NOT_APPLIED, 0, S "too many learner members in cluster"),
    ROW(ETCD3_ERR_CLUSTER_ID_MISMATCH, FAILED_PRECONDITION, NOT_APPLIED, 0, S "cluster ID mismatch"),
    ROW(ETCD3_ERR_ROOT_USER_NOT_FOUND, FAILED_PRECONDITION, NOT_APPLIED, 0, S "root user does not exist"),
    ROW(ETCD3_ERR_ROOT_ROLE_NOT_FOUND, FAILED_PRECONDITION, NOT_APPLIED, 0, S "root user does not have root role"),
    ROW(ETCD3_ERR_USER_EXISTS, FAILED_PRECONDITION, NOT_APPLIED, 0, S "user name already exists"),
    ROW(ETCD3_ERR_USER_NOT_FOUND, FAILED_PRECONDITION, NOT_APPLIED, 0, S "user name not found"),
    ROW(ETCD3_ERR_ROLE_EXISTS, FAILED_PRECONDITION, NOT_APPLIED, 0, S "role name already exists"),
    ROW(ETCD3_ERR_ROLE_NOT_FOUND, FAILED_PRECONDITION, NOT_APPLIED, 0, S "role name not found"),
    ROW(ETCD3_ERR_ROLE_NOT_GRANTED, FAILED_PRECONDITION, NOT_APPLIED, 0, S "role is not granted to the user"),
    ROW(ETCD3_ERR_PERMISSION_NOT_GRANTED, FAILED_PRECONDITION, NOT_APPLIED, 0,
        S "permission is not granted to the role"),
    ROW(ETCD3_ERR_AUTH_NOT_ENABLED, FAILED_PRECONDITION, NOT_APPLIED, 0, S "authentication is not enabled"),
    ROW(ETCD3_ERR_NOT_LEADER, FAILED_PRECONDITION, NOT_APPLIED, 1, S "not leader"),
    ROW(ETCD3_ERR_NOT_CAPABLE, FAILED_PRECONDITION, NOT_APPLIED, 0, S "not capable"),
    ROW(ETCD3_ERR_NOT_CAPABLE, UNAVAILABLE, NOT_APPLIED, 0, S "not capable"), /* 3.4 */
    ROW(ETCD3_ERR_NOT_SUPPORTED_FOR_LEARNER, FAILED_PRECONDITION, NOT_APPLIED, 1, S "rpc not supported for learner"),
    ROW(ETCD3_ERR_NOT_SUPPORTED_FOR_LEARNER, UNAVAILABLE, NOT_APPLIED, 1, S "rpc not supported for learner"),
    ROW(ETCD3_ERR_BAD_LEADER_TRANSFEREE, FAILED_PRECONDITION, NOT_APPLIED, 0, S "bad leader transferee"),
    ROW(ETCD3_ERR_CLUSTER_VERSION_NOT_FOUND, FAILED_PRECONDITION, NOT_APPLIED, 0,
        S "cluster version not found during downgrade"),
    ROW(ETCD3_ERR_DOWNGRADE_IN_PROGRESS, FAILED_PRECONDITION, NOT_APPLIED, 0,
        S "cluster has a downgrade job in progress"),
    ROW(ETCD3_ERR_NO_DOWNGRADE, FAILED_PRECONDITION, NOT_APPLIED, 0, S "no inflight downgrade job"),
    ROW(ETCD3_ERR_PERMISSION_DENIED, PERMISSION_DENIED, NOT_APPLIED, 0, S "permission denied"),
    ROW(ETCD3_ERR_INVALID_AUTH_TOKEN, UNAUTHENTICATED, NOT_APPLIED, 0, S "invalid auth token"),
    ROW(ETCD3_ERR_NO_LEADER, UNAVAILABLE, NOT_APPLIED, 1, S "no leader"),
    ROW(ETCD3_ERR_LEADER_CHANGED, UNAVAILABLE, OPEN, 1, S "leader changed"),
    ROW(ETCD3_ERR_STOPPED, UNAVAILABLE, OPEN, 1, S "server stopped"),
    ROW(ETCD3_ERR_SERVER_TIMEOUT, UNAVAILABLE, OPEN, 1, S "request timed out"),
    ROW(ETCD3_ERR_SERVER_TIMEOUT_LEADER_FAIL, UNAVAILABLE, OPEN, 1,
        S "request timed out, possibly due to previous leader failure"),
    ROW(ETCD3_ERR_SERVER_TIMEOUT_CONNECTION_LOST, UNAVAILABLE, OPEN, 1,
        S "request timed out, possibly due to connection lost"),
    ROW(ETCD3_ERR_SERVER_TIMEOUT_WAIT_APPLIED, UNAVAILABLE, OPEN, 1,
        S "request timed out, waiting for the applied index took too long"),
    ROW(ETCD3_ERR_UNHEALTHY, UNAVAILABLE, NOT_APPLIED, 1, S "unhealthy cluster"),
    ROW(ETCD3_ERR_CORRUPT, DATA_LOSS, NOT_APPLIED, 0, S "corrupt cluster"),
    ROW(ETCD3_ERR_WATCH_CANCELED, CANCELLED, OPEN, 0, S "watch canceled"),
    ROW(ETCD3_ERR_REQUEST_CANCELED, CANCELLED, OPEN, 0, S "request canceled"),
    ROW(ETCD3_ERR_REQUEST_CANCELED, CANCELLED, OPEN, 0, "context canceled"),
    ROW(ETCD3_ERR_SERVER_TIMEOUT, DEADLINE_EXCEEDED, OPEN, 1, "context deadline exceeded"),
    ROW(ETCD3_ERR_SERVER, UNKNOWN, OPEN, 0, "not a primary lessor"),
    ROW(ETCD3_ERR_SERVER, UNKNOWN, OPEN, 0, "raft proposal dropped"),
    ROW(ETCD3_ERR_UNIMPLEMENTED, UNIMPLEMENTED, NOT_APPLIED, 0, "unknown method Put for service etcdserverpb.KV"),
    ROW(ETCD3_ERR_EMPTY_WATCH_RANGE, UNKNOWN, NOT_APPLIED, 0, "mvcc: watcher range is empty"),
    ROW(ETCD3_ERR_DUPLICATE_WATCH_ID, UNKNOWN, NOT_APPLIED, 0,
        "mvcc: duplicate watch ID provided on the WatchStream"),
};

enum { ROWS = sizeof rows / sizeof *rows };

#endif
