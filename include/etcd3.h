/** @file etcd3.h
 *  libetcd3: the C interface to etcd v3.
 *
 *  Bytes     Keys and values are (pointer, length) and may hold any byte; NULL with length 0 is the
 *            empty string, and the length ETCD3_NTS says that the bytes end at their NUL; so are names
 *            of locks, elections, barriers and queues of work. All other text is NUL-terminated UTF-8:
 *            endpoints, paths, messages, names of users, roles and counters. Yes/no is `int`, 1 or 0.
 *  Time      Limits are in milliseconds. Every wait has one: the call's own or the client's.
 *  Memory    Arguments are copied before a call returns. What comes from a *_new or *_op_*, or through
 *            an out parameter `T **`, is yours: give it to its *_free, once; every *_free takes NULL.
 *            A `const` pointer that is returned is borrowed from the object it was read from and lives
 *            as long. Objects may be freed in any order: they keep what they need alive.
 *  Errors    A call that can fail returns an etcd3_code_t, ETCD3_OK being 0, and takes `err` last: NULL,
 *            or where to put an error object, which is then yours. Out parameters are written on
 *            success only, `*err` on failure only. What is wrong with an argument is found before
 *            anything is sent: ETCD3_ERR_INVALID_ARGUMENT, and the message names the argument.
 *            Accessors cannot fail: for NULL they return 0, NULL or "". Setters of builders keep the
 *            first mistake; the call that uses the builder reports it.
 *  Threads   Clients, queues, calls, cancels, watches, leases, sessions, locks, elections, observers,
 *            double barriers and ranges: any thread, any time; where only one may be at it, the other
 *            gets ETCD3_ERR_BUSY. Builders (etcd3_config_t, etcd3_op_t, etcd3_watch_opts_t): one thread
 *            until passed in, which only reads them. An etcd3_stm_t: the thread of its function. Results,
 *            events, errors and whatever else is an answer never change. An object must not be in use
 *            elsewhere while it is freed, but for a queue that is being drained. A signal ends a wait for
 *            events, not a call to the server.
 *  Events    What happens later arrives as an event in a queue: your own (etcd3_queue_new), drained on
 *            a thread of yours, or the client's, drained by a thread of the library's. Any function of
 *            this library may be called in a callback; a callback must return, not throw or longjmp.
 *  Process   One thread for all network traffic, started with the first client and joined with the
 *            last. The library's threads run with signals blocked. No signal handler, no atexit, no
 *            output. In a forked child, objects of the parent answer ETCD3_ERR_FORKED and freeing
 *            them does nothing; a new client works.
 *
 *  Generated from the library's source by `make header`; do not edit.
 */
#ifndef ETCD3_H
#define ETCD3_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** As the length of bytes: they end at their NUL, which is not one of them. */
#define ETCD3_NTS ((size_t)-1)

/* ---- Version --------------------------------------------------------------------------------- */

/*
 * From 1.0 on the ABI is stable within a SONAME: functions and constants are added, none changes.
 */


/** The version of this header; etcd3_version_number and etcd3_version_string tell the library's. */
#define ETCD3_VERSION_MAJOR 0
#define ETCD3_VERSION_MINOR 1
#define ETCD3_VERSION_PATCH 0
#define ETCD3_VERSION_NUMBER 0x000100
#define ETCD3_VERSION_STRING "0.1.0"
/** The version of the library in use as 0xMMmmpp; compare it with ETCD3_VERSION_NUMBER of the header. */
int32_t etcd3_version_number(void);

/** The same as text, "major.minor.patch". Static; not to be freed. */
const char *etcd3_version_string(void);

/* ---- Errors ---------------------------------------------------------------------------------- */

/*
 * Every call that can fail returns an `etcd3_code_t`; `ETCD3_OK` is 0. Codes are part of the ABI:
 * new ones are added, none is ever renumbered or reused. Codes below 100 are found by this library,
 * codes from 100 on are answers of the server, one for each of etcd's error texts.
 */

/** The outcome of a call. */
typedef int32_t etcd3_code_t;

/** The call did what it was asked to do. */
#define ETCD3_OK 0

/** An argument is wrong; the message names it. Nothing was sent. */
#define ETCD3_ERR_INVALID_ARGUMENT 1

/** No answer came within the call's time limit, and nothing was changed by the call; or a wait was over. */
#define ETCD3_ERR_TIMEOUT 2

/** The call was cancelled. Nothing was changed by the call. */
#define ETCD3_ERR_CANCELED 3

/**
 * No endpoint could be reached within the time limit, or every connection broke; the message names the endpoints and
 * their trouble. Nothing was changed by the call.
 */
#define ETCD3_ERR_UNAVAILABLE 4

/** The client was closed, before the call or during it. Nothing was changed by the call. */
#define ETCD3_ERR_CLOSED 5

/** The handle was made before a fork() and belongs to the parent process; open a new client. */
#define ETCD3_ERR_FORKED 6

/** A signal arrived while the call waited. */
#define ETCD3_ERR_INTERRUPTED 7

/** Another thread is draining this queue, or a callback of this queue is. */
#define ETCD3_ERR_BUSY 8

/** A write was sent and its outcome is unknown: it may have been applied, or may yet be. Read before you repeat it. */
#define ETCD3_ERR_AMBIGUOUS 9

/** The peer answered with something that is not gRPC or not etcd. */
#define ETCD3_ERR_PROTOCOL 10

/** The operating system refused something: a pipe, a thread. */
#define ETCD3_ERR_SYSTEM 11

/** TLS could not be agreed on with any endpoint, or its files cannot be used; the message says why. */
#define ETCD3_ERR_TLS 12

/** Another cluster answered than before. A write may have been applied there; see etcd3_error_maybe_applied. */
#define ETCD3_ERR_CLUSTER_MISMATCH 13

/** A watch's buffer was full and its policy is to fail; see etcd3_watch_opts_set_buffer. */
#define ETCD3_ERR_SLOW_CONSUMER 14

/** The changes of one revision are more than a watch may hold; see etcd3_watch_opts_set_max_response_bytes. */
#define ETCD3_ERR_RESPONSE_TOO_LARGE 15

/** The store's revision is below one that a watch has seen: the cluster was restored from a backup. */
#define ETCD3_ERR_REVISION_REGRESSED 16

/** The lease was lost, as far as this client knows: it expired, or the server does not know it, or it may not be renewed. */
#define ETCD3_ERR_LEASE_LOST 20

/** The lock was lost: its lease ended, or somebody deleted its key. Another may hold it. */
#define ETCD3_ERR_LOCK_LOST 21

/** Somebody else holds the lock. */
#define ETCD3_ERR_LOCKED 22

/** The lock is not held through this handle: it never was, or it was released. */
#define ETCD3_ERR_NOT_HELD 23

/** The election was not won through this handle, or leadership was resigned or lost. */
#define ETCD3_ERR_NOT_ELECTED 24

/** Nobody leads. */
#define ETCD3_ERR_NO_ELECTED_LEADER 25

/**
 * Others were faster each time, as often as was to be tried; or there is no room for one more. Nothing was changed by the
 * call.
 */
#define ETCD3_ERR_CONFLICT 26

/** The caller's own function asked for the end. Nothing was changed by the call. */
#define ETCD3_ERR_ABORTED 27

/** A snapshot ended early, or is not what its checksum says. Nothing of it was kept. */
#define ETCD3_ERR_SNAPSHOT_CORRUPT 30

/** With etcd3_config_set_ordering: no member that answered has caught up with what this client has seen before. */
#define ETCD3_ERR_NO_GREATER_REVISION 31

/** The server answered with an error this library has no code for; see etcd3_error_message and etcd3_error_grpc_status. */
#define ETCD3_ERR_SERVER 98

/** A bug in this library, caught before it could do harm. Please report the message. */
#define ETCD3_ERR_INTERNAL 99

/** The request has no key. */
#define ETCD3_ERR_EMPTY_KEY 100

/** The key does not exist (a put with ignore_value or ignore_lease). */
#define ETCD3_ERR_KEY_NOT_FOUND 101

/** A value was given together with ignore_value. */
#define ETCD3_ERR_VALUE_PROVIDED 102

/** A lease was given together with ignore_lease. */
#define ETCD3_ERR_LEASE_PROVIDED 103

/** The transaction has more operations than the server takes (128 by default). */
#define ETCD3_ERR_TOO_MANY_OPS 104

/** The transaction writes a key twice. */
#define ETCD3_ERR_DUPLICATE_KEY 105

/** The server does not know this client API version. */
#define ETCD3_ERR_INVALID_CLIENT_API_VERSION 106

/** The server does not know this sort option. */
#define ETCD3_ERR_INVALID_SORT_OPTION 107

/** The request is larger than the server takes (1.5 MiB by default), or than etcd3_config_set_max_request_bytes allows. */
#define ETCD3_ERR_REQUEST_TOO_LARGE 108

/** The revision has been compacted away. */
#define ETCD3_ERR_COMPACTED 110

/** The revision has not happened yet. */
#define ETCD3_ERR_FUTURE_REVISION 111

/** The database is full; see the NOSPACE alarm. */
#define ETCD3_ERR_NO_SPACE 112

/** The server has too many requests in flight. */
#define ETCD3_ERR_TOO_MANY_REQUESTS 113

/** The watched range is empty. */
#define ETCD3_ERR_EMPTY_WATCH_RANGE 114

/** The watch id is in use on its stream. */
#define ETCD3_ERR_DUPLICATE_WATCH_ID 115

/** The server cancelled the watch. */
#define ETCD3_ERR_WATCH_CANCELED 116

/** The lease does not exist. */
#define ETCD3_ERR_LEASE_NOT_FOUND 120

/** The lease exists already. */
#define ETCD3_ERR_LEASE_EXISTS 121

/** The time to live is above the server's limit. */
#define ETCD3_ERR_LEASE_TTL_TOO_LARGE 122

/** The member does not exist. */
#define ETCD3_ERR_MEMBER_NOT_FOUND 130

/** A member with this id exists already. */
#define ETCD3_ERR_MEMBER_EXISTS 131

/** A member with these peer URLs exists already. */
#define ETCD3_ERR_PEER_URL_EXISTS 132

/** The member URLs are malformed. */
#define ETCD3_ERR_BAD_MEMBER_URLS 133

/** Too few started members for this change of the cluster. */
#define ETCD3_ERR_NOT_ENOUGH_STARTED 134

/** The member is not a learner. */
#define ETCD3_ERR_MEMBER_NOT_LEARNER 135

/** The learner has not caught up with the leader. */
#define ETCD3_ERR_LEARNER_NOT_READY 136

/** The cluster has all the learners it may have. */
#define ETCD3_ERR_TOO_MANY_LEARNERS 137

/** The server belongs to another cluster. */
#define ETCD3_ERR_CLUSTER_ID_MISMATCH 138

/** The user name is empty, or no credentials were sent to a cluster that wants them. */
#define ETCD3_ERR_USER_EMPTY 140

/** The role name is empty. */
#define ETCD3_ERR_ROLE_EMPTY 141

/** The user or the password is wrong. */
#define ETCD3_ERR_AUTH_FAILED 142

/** The request has no permission in it. */
#define ETCD3_ERR_PERMISSION_NOT_GIVEN 143

/** The cluster's authentication does not allow this. */
#define ETCD3_ERR_INVALID_AUTH_MANAGEMENT 144

/** The token is from before the last change of users or roles. */
#define ETCD3_ERR_AUTH_OLD_REVISION 145

/** The user may not do this. */
#define ETCD3_ERR_PERMISSION_DENIED 146

/** The token is not valid, or no longer. */
#define ETCD3_ERR_INVALID_AUTH_TOKEN 147

/** There is no user root. */
#define ETCD3_ERR_ROOT_USER_NOT_FOUND 148

/** The user root lacks the role root. */
#define ETCD3_ERR_ROOT_ROLE_NOT_FOUND 149

/** The user exists already. */
#define ETCD3_ERR_USER_EXISTS 150

/** The user does not exist. */
#define ETCD3_ERR_USER_NOT_FOUND 151

/** The role exists already. */
#define ETCD3_ERR_ROLE_EXISTS 152

/** The role does not exist. */
#define ETCD3_ERR_ROLE_NOT_FOUND 153

/** The user does not have the role. */
#define ETCD3_ERR_ROLE_NOT_GRANTED 154

/** The role does not have the permission. */
#define ETCD3_ERR_PERMISSION_NOT_GRANTED 155

/** Authentication is not enabled on the cluster. */
#define ETCD3_ERR_AUTH_NOT_ENABLED 156

/** The cluster has no leader just now. */
#define ETCD3_ERR_NO_LEADER 160

/** The leader changed while the request was under way. */
#define ETCD3_ERR_LEADER_CHANGED 161

/** The member is not the leader. */
#define ETCD3_ERR_NOT_LEADER 162

/** The cluster's version does not have this. */
#define ETCD3_ERR_NOT_CAPABLE 163

/** A learner does not serve this. */
#define ETCD3_ERR_NOT_SUPPORTED_FOR_LEARNER 164

/** The member cannot take over leadership. */
#define ETCD3_ERR_BAD_LEADER_TRANSFEREE 165

/** The member is stopping. */
#define ETCD3_ERR_STOPPED 166

/** The server gave up on the request after its own time limit. */
#define ETCD3_ERR_SERVER_TIMEOUT 167

/** The same, after a loss of the leader. */
#define ETCD3_ERR_SERVER_TIMEOUT_LEADER_FAIL 168

/** The same, after a loss of the connection between members. */
#define ETCD3_ERR_SERVER_TIMEOUT_CONNECTION_LOST 169

/** The same, since the member lags behind. */
#define ETCD3_ERR_SERVER_TIMEOUT_WAIT_APPLIED 170

/** The cluster is unhealthy. */
#define ETCD3_ERR_UNHEALTHY 171

/** The cluster's data is corrupt; see the CORRUPT alarm. */
#define ETCD3_ERR_CORRUPT 172

/** The server cancelled the request. */
#define ETCD3_ERR_REQUEST_CANCELED 173

/** The server does not have this call. */
#define ETCD3_ERR_UNIMPLEMENTED 174

/** The version to downgrade to is malformed. */
#define ETCD3_ERR_WRONG_DOWNGRADE_VERSION_FORMAT 180

/** The version to downgrade to is not possible. */
#define ETCD3_ERR_INVALID_DOWNGRADE_VERSION 181

/** The cluster's version could not be found. */
#define ETCD3_ERR_CLUSTER_VERSION_NOT_FOUND 182

/** A downgrade is under way. */
#define ETCD3_ERR_DOWNGRADE_IN_PROGRESS 183

/** No downgrade is under way. */
#define ETCD3_ERR_NO_DOWNGRADE 184
/** What went wrong, in full: comes through the `err` of a call and is then yours, or is borrowed from an event. */
typedef struct etcd3_error_t etcd3_error_t;

/**
 * The name of a code as it stands here, such as "ETCD3_ERR_TIMEOUT"; "ETCD3_ERR_?" for a number that is no
 * code. Static; not to be freed.
 */
const char *etcd3_code_name(etcd3_code_t code);

/** The code the call returned; ETCD3_OK for NULL. */
etcd3_code_t etcd3_error_code(const etcd3_error_t *error);

/** What happened, for people: names the argument, the endpoint, the cause. Borrowed from `error`; "" for NULL. */
const char *etcd3_error_message(const etcd3_error_t *error);

/** The gRPC status number of the server's answer; -1 if no answer came, and for NULL. */
int32_t etcd3_error_grpc_status(const etcd3_error_t *error);

/** The endpoint that answered, or was tried last, as "host:port". Borrowed from `error`; "" if none, and for NULL. */
const char *etcd3_error_endpoint(const etcd3_error_t *error);

/** 1 if the same call may succeed later and making it again does no harm; else 0. */
int etcd3_error_is_retryable(const etcd3_error_t *error);

/**
 * 1 if the call was a write that may have been applied, or may yet be, although it failed: always with
 * ETCD3_ERR_AMBIGUOUS, and for a write with ETCD3_ERR_NO_SPACE, ETCD3_ERR_CLUSTER_MISMATCH and ETCD3_ERR_PROTOCOL. Such a
 * write can land after later ones. Read before you repeat it. Else 0.
 */
int etcd3_error_maybe_applied(const etcd3_error_t *error);

/** Frees an error that came through `err`; not one borrowed from an event. */
void etcd3_error_free(etcd3_error_t *error);

/* ---- Headers --------------------------------------------------------------------------------- */

/*
 * What comes with the answers of a server. Each object that is an answer has it, all 0 where the server sent none, as those
 * of 3.4 with alarms. The answers of calls that bring no object have it too: etcd3_call_raw brings those whole.
 */

/**
 * Who answered, and how far the store was. Reached only by pointer, since fields may be added at the end. Borrowed from
 * what it was read from.
 */
typedef struct etcd3_header_t {
    /** The id of the cluster. */
    uint64_t cluster_id;
    /** The id of the member that answered. */
    uint64_t member_id;
    /** The revision of the store when it answered; 0 with members, since those are not in the store. */
    int64_t revision;
    /** The term of the leader, as that member knew it. */
    uint64_t raft_term;
} etcd3_header_t;

/* ---- Results --------------------------------------------------------------------------------- */

/*
 * The answer to an operation. It never changes and may be read by many threads.
 */

/** The answer to a get. */
#define ETCD3_RESULT_GET 1

/** The answer to a put. */
#define ETCD3_RESULT_PUT 2

/** The answer to a delete. */
#define ETCD3_RESULT_DELETE 3

/** The answer to a transaction. */
#define ETCD3_RESULT_TXN 4

/** The answer to a raw call. */
#define ETCD3_RESULT_RAW 5

/** The answer to an operation. */
typedef struct etcd3_result_t etcd3_result_t;

/**
 * A key with its value and history. Reached only by pointer, since fields may be added at the end. All of it is
 * borrowed from the result or event it was read from.
 */
typedef struct etcd3_kv_t {
    /** The key: `key_len` bytes, any byte, no NUL after them. */
    const uint8_t *key;
    /** The length of the key. */
    size_t key_len;
    /** The value: `value_len` bytes, any byte, no NUL after them. */
    const uint8_t *value;
    /** The length of the value. */
    size_t value_len;
    /** The revision that created the key; 0 in the change that deletes it. */
    int64_t create_revision;
    /** The revision of the last put, or of the delete. */
    int64_t mod_revision;
    /** The number of puts since the key was created; 0 in the change that deletes it. */
    int64_t version;
    /** The lease the key is attached to; 0 for none. */
    int64_t lease;
} etcd3_kv_t;

/** What was answered: ETCD3_RESULT_GET, _PUT, _DELETE, _TXN or _RAW; 0 for NULL. */
int32_t etcd3_result_kind(const etcd3_result_t *result);

/** The store's revision when it answered; after a write, the write's own. 0 for a raw call, as are the ids and the term. */
int64_t etcd3_result_revision(const etcd3_result_t *result);

/** The id of the cluster; 0 inside a transaction. */
uint64_t etcd3_result_cluster_id(const etcd3_result_t *result);

/** The id of the member that answered; 0 inside a transaction. */
uint64_t etcd3_result_member_id(const etcd3_result_t *result);

/** The term of the leader; 0 inside a transaction. */
uint64_t etcd3_result_raft_term(const etcd3_result_t *result);

/** All four of them; NULL for NULL. Borrowed from `result`. */
const etcd3_header_t *etcd3_result_header(const etcd3_result_t *result);

/** Get: how many keys there are in the range, before limit and filters. Delete: how many keys were deleted. */
int64_t etcd3_result_count(const etcd3_result_t *result);

/** Get: 1 if the limit cut the answer short, else 0. */
int etcd3_result_more(const etcd3_result_t *result);

/** Get: how many key-values the answer holds. */
size_t etcd3_result_kv_count(const etcd3_result_t *result);

/** Get: the key-value at `index`, from 0; NULL past the end. Borrowed from `result`. */
const etcd3_kv_t *etcd3_result_kv(const etcd3_result_t *result, size_t index);

/** Put, delete with etcd3_op_set_prev_kv: how many key-values of before the answer holds. */
size_t etcd3_result_prev_kv_count(const etcd3_result_t *result);

/** Put, delete with etcd3_op_set_prev_kv: what was there before, from 0; NULL past the end. Borrowed from `result`. */
const etcd3_kv_t *etcd3_result_prev_kv(const etcd3_result_t *result,
                                              size_t index);

/** Transaction: 1 if all comparisons held, so that the `then` ops were done; else 0. */
int etcd3_result_succeeded(const etcd3_result_t *result);

/** Transaction: how many ops were done. */
size_t etcd3_result_response_count(const etcd3_result_t *result);

/** Transaction: the answer to the op at `index` of those done, from 0; NULL past the end. Borrowed from `result`. */
const etcd3_result_t *etcd3_result_response(const etcd3_result_t *result,
                                                   size_t index);

/** Frees a result that came through an out parameter, with all that is borrowed from it. */
void etcd3_result_free(etcd3_result_t *result);

/* ---- Events ---------------------------------------------------------------------------------- */

/*
 * What arrives in a queue. In a callback the event is borrowed until the callback returns.
 */

/**
 * Watched keys changed: see etcd3_event_change. One event is one whole response of the server; the changes of one
 * revision are never split.
 */
#define ETCD3_EVENT_WATCH 1

/** Every change up to and including etcd3_event_revision was delivered; see etcd3_watch_opts_set_progress_notify. */
#define ETCD3_EVENT_PROGRESS 2

/** A watch went live, lost its connection or went on; or the client's connections came or went: see etcd3_event_state. */
#define ETCD3_EVENT_STATE 3

/** The end, exactly once and always last; see etcd3_event_error for why. Free what user_data points to. */
#define ETCD3_EVENT_CLOSED 4

/** A call that does not block has ended: see etcd3_event_result, or etcd3_event_error. Its only event, and the last. */
#define ETCD3_EVENT_DONE 5

/** A lease, or what hangs on one, is lost: see etcd3_event_lost_reason. Comes once; ETCD3_EVENT_CLOSED follows. */
#define ETCD3_EVENT_LOST 6

/** An observed election has this leader, or none: see etcd3_event_leader. */
#define ETCD3_EVENT_LEADER 7

/** A lock is held, or an election won: etcd3_event_revision is the fencing token. */
#define ETCD3_EVENT_ACQUIRED 8

/** A lease was renewed, for whoever asked to be told of it: see etcd3_event_ttl and etcd3_lease_tell_renewals. */
#define ETCD3_EVENT_RENEWED 9

/** A piece of a snapshot: see etcd3_event_data. */
#define ETCD3_EVENT_DATA 10

/** Long work has come further: see etcd3_event_notice, etcd3_event_done and etcd3_event_total. */
#define ETCD3_EVENT_NOTICE 11

/** No renewal was answered in time: the server may delete the lease and its keys from now on. */
#define ETCD3_LOST_EXPIRED 1

/** The server does not know the lease any more: it expired there, or somebody else revoked it. */
#define ETCD3_LOST_GONE 2

/** This client revoked the lease. */
#define ETCD3_LOST_REVOKED 3

/** The user may not renew the lease. */
#define ETCD3_LOST_PERMISSION 4

/** The client or the queue was ended, or the session closed, and nobody keeps the lease alive any more. */
#define ETCD3_LOST_CLOSED 5

/** The key of the lock or of the leadership was deleted, by somebody or with its lease. */
#define ETCD3_LOST_DELETED 6

/** The server has taken the watch on. */
#define ETCD3_STATE_LIVE 1

/**
 * The connection was lost, or of a client the last one; it goes on by itself when there is one again. See
 * etcd3_event_error for why.
 */
#define ETCD3_STATE_DISCONNECTED 2

/**
 * The server has taken the watch on again, after etcd3_event_revision. Nothing was missed; if history does not go back so
 * far any more, the server says so next.
 */
#define ETCD3_STATE_RESUMED 3

/** The client has a connection; see etcd3_config_set_events. */
#define ETCD3_STATE_CONNECTED 4

/**
 * A re-list watch has read its range anew, at etcd3_event_revision; the WATCH events up to the next STATE say what is
 * otherwise than it was told before, and their changes are marked is_synthetic.
 */
#define ETCD3_STATE_RELISTED 5

/**
 * Too many events wait to be taken. The server was asked to stop; when half of them are taken the watch goes on after
 * etcd3_event_revision, and nothing is missed.
 */
#define ETCD3_STATE_PARKED 6

/**
 * A mirror begins from scratch: empty the copy. The WATCH events up to ETCD3_STATE_COPIED bring all that is there at
 * etcd3_event_revision. etcd3_event_error is NULL the first time, and then ETCD3_ERR_COMPACTED: what came after the last
 * event is lost.
 */
#define ETCD3_STATE_COPYING 7

/** The copy is whole, and what the store was at etcd3_event_revision; every change made after it follows. */
#define ETCD3_STATE_COPIED 8

/** A key was put. */
#define ETCD3_CHANGE_PUT 0

/** A key was deleted, by a call or since its lease ended. */
#define ETCD3_CHANGE_DELETE 1

/*
 * An event as C reads it.
 */

/** Something that happened. */
typedef struct etcd3_event_t etcd3_event_t;

/**
 * One change of one key. Reached only by pointer, since fields may be added at the end. All of it is borrowed from
 * the event it was read from.
 */
typedef struct etcd3_change_t {
    /** ETCD3_CHANGE_PUT or ETCD3_CHANGE_DELETE. */
    int32_t type;
    /** 1 if this put created the key, else 0. */
    int32_t is_create;
    /** What was put; for a delete only its key and mod_revision are set. */
    const etcd3_kv_t *kv;
    /**
     * What was there before; NULL if there was nothing, if it was compacted, or if etcd3_watch_opts_set_prev_kv was
     * not called; and for synthetic changes.
     */
    const etcd3_kv_t *prev_kv;
    /**
     * 1 if this was found by a reading of the range, else 0; see etcd3_watch_opts_set_relist and _set_mirror. A synthetic put has the key
     * as it stands now, whatever happened to it meanwhile; a synthetic delete has the revision of the reading.
     */
    int32_t is_synthetic;
} etcd3_change_t;

/**
 * Called for an event, either in etcd3_queue_dispatch or on the client's own callback thread; never two at once
 * for one queue. `event` is borrowed until the function returns. Any function of this library may be called.
 */
typedef void (*etcd3_event_fn)(const etcd3_event_t *event, void *user_data);

/**
 * What happened: ETCD3_EVENT_WATCH, _PROGRESS, _STATE, _CLOSED, _DONE, _LOST, _LEADER, _ACQUIRED,
 * _RENEWED, _DATA or _NOTICE; 0 for NULL.
 */
int32_t etcd3_event_type(const etcd3_event_t *event);

/** The user_data given to the call that started what reports here: how a binding finds its object. */
void *etcd3_event_user_data(const etcd3_event_t *event);

/**
 * WATCH: the store's revision when the response was sent, never lower than the changes'. PROGRESS: the revision
 * up to which every change was delivered. STATE: the same; the watch goes on with the next; of a reading that begins, the
 * revision it is made at. LEADER: the store's revision that it was read at. ACQUIRED: the fencing token. RENEWED: the
 * store's revision when it was answered. Else 0.
 */
int64_t etcd3_event_revision(const etcd3_event_t *event);

/**
 * The header of the response or answer that this event comes from, which of parts put together is the last: of WATCH,
 * PROGRESS, LEADER and RENEWED events, and of STATE events with ETCD3_STATE_LIVE, _RESUMED, _RELISTED, _COPYING and _COPIED.
 * Else NULL. Its revision is the server's word; etcd3_event_revision is what to go by. Borrowed from `event`.
 */
const etcd3_header_t *etcd3_event_header(const etcd3_event_t *event);

/**
 * The start revision with which a new watch goes on after this event, without a gap or a repeat, once it and those before
 * it are dealt with: of WATCH, PROGRESS, STATE and CLOSED events of a watch. 0 if there is none: in the middle of what a
 * reading of the range found, and for all other events.
 */
int64_t etcd3_event_resume_revision(const etcd3_event_t *event);

/** WATCH: how many changes the event holds; else 0. */
size_t etcd3_event_change_count(const etcd3_event_t *event);

/**
 * WATCH: the change at `index`, from 0, in the order of their revisions, or, where they are synthetic, of their keys; NULL
 * past the end. Borrowed from `event`.
 */
const etcd3_change_t *etcd3_event_change(const etcd3_event_t *event,
                                                size_t index);

/** STATE: one of ETCD3_STATE_LIVE, _DISCONNECTED, _RESUMED, _CONNECTED, _RELISTED, _PARKED, _COPYING, _COPIED; else 0. */
int32_t etcd3_event_state(const etcd3_event_t *event);

/** RENEWED: how many seconds the lease has from now on; else 0. */
int64_t etcd3_event_ttl(const etcd3_event_t *event);

/** LOST: ETCD3_LOST_EXPIRED, _GONE, _REVOKED, _PERMISSION, _CLOSED or _DELETED; else 0. */
int32_t etcd3_event_lost_reason(const etcd3_event_t *event);

/** LEADER: the leader's key, with what it proclaims as its value; NULL if nobody leads. Else NULL. Borrowed from `event`. */
const etcd3_kv_t *etcd3_event_leader(const etcd3_event_t *event);

/** DONE: the answer, if the call succeeded; else NULL. Borrowed from `event`. */
const etcd3_result_t *etcd3_event_result(const etcd3_event_t *event);

/** DATA: the bytes, how many through `len`, which may be NULL; else NULL, and 0. Borrowed from `event`. */
const void *etcd3_event_data(const etcd3_event_t *event, size_t *len);

/** NOTICE: what was done, in words; else "". Borrowed from `event`. */
const char *etcd3_event_notice(const etcd3_event_t *event);

/**
 * DATA: the version of the format that the snapshot is in, such as "3.6.0"; "" from servers before 3.6. Else "". Borrowed
 * from `event`.
 */
const char *etcd3_event_version(const etcd3_event_t *event);

/** NOTICE: how many members are done. DATA: how many bytes came, these included. Else 0. */
int64_t etcd3_event_done(const etcd3_event_t *event);

/** NOTICE: how many members there are. DATA: how many bytes the whole has, as far as the server has said. Else 0. */
int64_t etcd3_event_total(const etcd3_event_t *event);

/**
 * CLOSED and LOST: why it ended; NULL if its owner ended it, or if it was done. DONE: why the call failed. STATE: with
 * ETCD3_STATE_DISCONNECTED why the connection was lost, with ETCD3_STATE_COPYING why a mirror begins anew, NULL the first
 * time. Else NULL. Borrowed from `event`.
 */
const etcd3_error_t *etcd3_event_error(const etcd3_event_t *event);

/** CLOSED and STATE with ETCD3_ERR_COMPACTED: the first revision that history still has, if the server told it; else 0. */
int64_t etcd3_event_compact_revision(const etcd3_event_t *event);

/** Frees an event that came from etcd3_queue_next, with all that is borrowed from it; not one of a callback. */
void etcd3_event_free(etcd3_event_t *event);

/* ---- Queues ---------------------------------------------------------------------------------- */

/*
 * A queue brings events to a thread of the caller's, which drains it in one of two ways: etcd3_queue_dispatch runs
 * the callbacks; etcd3_queue_next hands out the events, with no callback, for languages that cannot be called
 * from C. Only one thread drains at a time. Put etcd3_queue_fd into an event loop to learn when to drain:
 *
 *     struct pollfd p = { etcd3_queue_fd(queue), POLLIN, 0 };
 *     while (poll(&p, 1, -1) > 0) etcd3_queue_dispatch(queue, 0, 0, NULL, NULL);
 */

/** A queue of events. */
typedef struct etcd3_queue_t etcd3_queue_t;

/**
 * Called when a queue stops being empty, on whatever thread queued the event: it may only signal, and must
 * neither block nor call this library.
 */
typedef void (*etcd3_wakeup_fn)(void *user_data);

/** Makes a queue, which comes through `queue`; free with etcd3_queue_free. Error: ETCD3_ERR_SYSTEM (no pipe). */
etcd3_code_t etcd3_queue_new(etcd3_queue_t **queue, etcd3_error_t **err);

/**
 * The read end of a pipe that is readable while events wait: to be polled, not closed. Reading from it does no
 * harm, if the queue is drained afterwards. Borrowed from `queue`; -1 for NULL and in a forked child.
 */
int etcd3_queue_fd(const etcd3_queue_t *queue);

/**
 * A new descriptor for the same end of the pipe, yours to close: for event loops that close what they poll, such
 * as those of Node and Go. -1 for NULL, in a forked child, and if the process has no descriptor left.
 */
int etcd3_queue_dup_fd(const etcd3_queue_t *queue);

/**
 * Runs the callbacks of up to `max` events (0: of those that wait) on this thread, waiting up to `timeout_ms` (0:
 * not at all, -1: for ever) for the first. `*ran` is how many; `ran` may be NULL. No event within the limit is
 * not an error. An event that has no callback is dropped.
 * Errors: ETCD3_ERR_BUSY (another thread drains the queue, or this call is made in one of its callbacks),
 * ETCD3_ERR_INTERRUPTED (a signal came while waiting), ETCD3_ERR_INVALID_ARGUMENT.
 */
etcd3_code_t etcd3_queue_dispatch(const etcd3_queue_t *queue,
                                  size_t max,
                                  int64_t timeout_ms,
                                  size_t *ran,
                                  etcd3_error_t **err);

/**
 * Takes the next event out of the queue, waiting up to `timeout_ms` (0: not at all, -1: for ever) for one. It
 * comes through `event` and is yours, free with etcd3_event_free; NULL if none came. Its callback is not run.
 * Errors: those of etcd3_queue_dispatch.
 */
etcd3_code_t etcd3_queue_next(const etcd3_queue_t *queue,
                              int64_t timeout_ms,
                              etcd3_event_t **event,
                              etcd3_error_t **err);

/**
 * In place of the descriptor: has `wake` called with `user_data` whenever the queue stops being empty; drain it
 * then until it is empty. If events wait already it is called now. NULL ends that, and on return the former one
 * runs no more.
 */
void etcd3_queue_set_wakeup(const etcd3_queue_t *queue,
                            etcd3_wakeup_fn wake,
                            void *user_data);

/**
 * Frees a queue; also in one of its callbacks, and while another thread drains it. What still reports to it is
 * cancelled, and the callbacks of the last events run now on this thread; or, if the queue is being drained, on the
 * thread that drains it. Events that have no callback are dropped, so who drains with etcd3_queue_next ends what
 * reports to the queue, and drains it, before.
 */
void etcd3_queue_free(etcd3_queue_t *queue);

/* ---- Configuration --------------------------------------------------------------------------- */

/*
 * How to reach a cluster: a builder for etcd3_client_open, which copies it.
 */

/** Something is wrong and stays so. */
#define ETCD3_LOG_ERROR 1

/** Something went wrong that is worked around. */
#define ETCD3_LOG_WARNING 2

/** Connections come and go. */
#define ETCD3_LOG_INFO 3

/** Attempts that were repeated, and the like. */
#define ETCD3_LOG_DEBUG 4

/** Endpoints and limits of a client to be. */
typedef struct etcd3_config_t etcd3_config_t;

/**
 * Called with a line of the log: an ETCD3_LOG_* level, and a message without a line end, borrowed for the call. On a
 * thread of the library's or of a caller; must neither block nor call this library.
 */
typedef void (*etcd3_log_fn)(int32_t level, const char *message, void *user_data);

/**
 * A configuration with the endpoint localhost:2379 and a time limit of 5000 ms. Yours; free with
 * etcd3_config_free.
 */
etcd3_config_t *etcd3_config_new(void);

/**
 * Adds a member's client URL: "host:port", "http://host:port", "https://host:port", "unix:path" or "unixs:path"; an
 * IPv6 address in brackets; without a port it is 2379. https and unixs use TLS, http does not, the others do if TLS is
 * configured. The first one takes the place of the default. Calls go to all endpoints in turn.
 */
void etcd3_config_add_endpoint(etcd3_config_t *config,
                               const char *endpoint);

/**
 * Permits http and https endpoints in one list, which is else refused: what is meant to be protected may go out in
 * the clear.
 */
void etcd3_config_allow_mixed_schemes(etcd3_config_t *config);

/**
 * Sets the time limit of a whole call, connecting included, for calls that are given none of their own: above 0.
 * Default: 5000 ms.
 */
void etcd3_config_set_timeout(etcd3_config_t *config,
                              int64_t timeout_ms);

/**
 * Sets the time limit of one attempt to connect: TCP, TLS and HTTP/2. Above 0; default: 5000 ms. A call does not wait
 * for an endpoint longer than its own limit, and takes the first endpoint that answers.
 */
void etcd3_config_set_connect_timeout(etcd3_config_t *config,
                                      int64_t timeout_ms);

/**
 * Sets how often a connection with open streams (watches) is pinged, at least 5000 ms, and how long the answer may take
 * before the connection is given up, above 0. Defaults: 10000 and 3000 ms. Servers count more frequent pings, and pings
 * without a stream, as abuse.
 */
void etcd3_config_set_keepalive(etcd3_config_t *config,
                                int64_t interval_ms,
                                int64_t timeout_ms);

/**
 * Sets after how long without an answer a read is sent to a second endpoint too, whose answer may then win. 0: never.
 * Default: 1000 ms.
 */
void etcd3_config_set_hedge_after(etcd3_config_t *config,
                                  int64_t time_ms);

/** Sets how many attempts of a call may fail after they were sent; 0, the default, for as many as its time limit allows. */
void etcd3_config_set_max_attempts(etcd3_config_t *config,
                                   int64_t attempts);

/**
 * Sets the largest request the client sends: above 0, below 2 GiB. Default: 2 MiB, which is what a server with its own
 * defaults reads. A larger one fails with ETCD3_ERR_REQUEST_TOO_LARGE and is not sent. Answers have no limit but 2 GiB.
 */
void etcd3_config_set_max_request_bytes(etcd3_config_t *config,
                                        int64_t bytes);

/**
 * Sets whether streams (watches) are only opened on, and leave, a member that has no leader: 1, the default, or 0. For
 * calls see etcd3_op_set_require_leader.
 */
void etcd3_config_set_require_leader(etcd3_config_t *config,
                                     int yes);

/**
 * Sets whether reads may go back: 0, the default, or 1 for not. A serializable read is answered by one member from what
 * it has, which may be less than another one, or an earlier write, has shown already. With 1 such an answer is dropped
 * and another member asked, five times as often as there are endpoints; then the read fails with
 * ETCD3_ERR_NO_GREATER_REVISION. Gets and transactions of gets of this client are ordered so, after each other and after
 * its writes; etcd3_client_set_endpoints starts anew.
 */
void etcd3_config_set_ordering(etcd3_config_t *config,
                               int yes);

/**
 * Sets how many bytes of events of all watches together may wait to be taken, above 0; the watches that get more events
 * then are parked or end, see etcd3_watch_opts_set_buffer. Default: 256 MiB.
 */
void etcd3_config_set_watch_buffer(etcd3_config_t *config,
                                   int64_t max_bytes);

/**
 * Sends metadata along with every call and stream of the client: the headers a proxy or a server may look at. `name` is
 * of a-z, 0-9, '_', '-' and '.', and none that gRPC, etcd or HTTP/2 have a use for ("token", "hasleader", "grpc-...",
 * "content-type" and the like). `value` is printable ASCII; under a name that ends in "-bin" it is base64, which is how
 * gRPC sends bytes. A name may have several values; all names and values have up to 8 KiB. No value is ever logged.
 */
void etcd3_config_add_metadata(etcd3_config_t *config,
                               const char *name,
                               const char *value);

/**
 * Sets after how long a silence a stream of watches is asked for a sign of life, and how long the answer may take before
 * the watches move to another member. `idle_ms` 0: never; `answer_ms` above 0. Defaults: 30000 and 10000 ms. The question is
 * a progress request, which etcd's own gRPC proxy before 3.5 cannot take.
 */
void etcd3_config_set_watch_probe(etcd3_config_t *config,
                                  int64_t idle_ms,
                                  int64_t answer_ms);

/**
 * Has the client replace its endpoints by what the cluster lists, as etcd3_client_sync does, every `interval_ms`; 0, the
 * default, for never.
 */
void etcd3_config_set_auto_sync(etcd3_config_t *config,
                                int64_t interval_ms);

/**
 * Has `fn` called with `user_data` for each event of the client itself: ETCD3_EVENT_STATE with ETCD3_STATE_CONNECTED
 * when its first connection comes and with ETCD3_STATE_DISCONNECTED when the last one is gone, and ETCD3_EVENT_CLOSED. It
 * then also works for a new connection without being called. By whoever dispatches `queue`, or, if that is NULL, by the
 * client's own callback thread. `queue` may be freed only after the configuration.
 */
void etcd3_config_set_events(etcd3_config_t *config,
                             const etcd3_queue_t *queue,
                             etcd3_event_fn fn,
                             void *user_data);

/**
 * Has `fn` called with `user_data` for what happens inside, up to an ETCD3_LOG_* level, until the client is closed or
 * freed: when that has returned it is called no more. Without it the library is silent. No password, token, key or
 * value is ever logged.
 */
void etcd3_config_set_log(etcd3_config_t *config,
                          int32_t level,
                          etcd3_log_fn fn,
                          void *user_data);

/** Frees a configuration. */
void etcd3_config_free(etcd3_config_t *config);

/* ---- Loading a configuration ----------------------------------------------------------------- */

/*
 * A configuration from a text, a file, the environment or a domain, in place of setters or beside them: what is loaded
 * takes the place of what was set before. Keys and variables are listed in docs/configuration.md.
 */

/**
 * Takes settings from a text in YAML or JSON, under the names that etcd's Go client and etcdctl give them, such as
 * "endpoints", "dial-timeout" or "cacert". A key that is unknown or given twice, or a value that does not fit, is a
 * mistake that names the key and its line. With "discovery-srv" the text has this function look endpoints up, as
 * etcd3_config_discover_srv does, for up to the connect timeout.
 */
void etcd3_config_load_text(etcd3_config_t *config,
                            const void *text,
                            size_t text_len);

/** The same from a file, read now, once. */
void etcd3_config_load_file(etcd3_config_t *config, const char *path);

/**
 * Takes settings from the variables that etcdctl takes them from: ETCDCTL_ENDPOINTS, ETCDCTL_DIAL_TIMEOUT,
 * ETCDCTL_COMMAND_TIMEOUT, ETCDCTL_USER, ETCDCTL_PASSWORD, ETCDCTL_CACERT and so on. A value that does not fit is a
 * mistake that names the variable; what is not set, or empty, changes nothing. No other thread may change the environment
 * meanwhile. With ETCDCTL_DISCOVERY_SRV it looks endpoints up.
 */
void etcd3_config_load_env(etcd3_config_t *config);

/**
 * Looks up which endpoints a domain has, and takes them in place of those of before: the service records
 * _etcd-client-ssl._tcp.DOMAIN, which become https endpoints, or if there are none, _etcd-client._tcp.DOMAIN, which become
 * http ones; both with etcd3_config_allow_mixed_schemes. By priority, then weight. `service_name`, "-NAME" after
 * "client" or "ssl", and `resolver`, the IP address of a name server with or without ":port", may be NULL: no name, the
 * system's servers. Waits up to `timeout_ms`, above 0. RPC: none; DNS over UDP, and TCP for long answers.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT (also the first mistake made with `config`), ETCD3_ERR_UNAVAILABLE (there are no such
 * records, or a server failed), ETCD3_ERR_TIMEOUT. `config` then is as it was.
 */
etcd3_code_t etcd3_config_discover_srv(etcd3_config_t *config,
                                       const char *domain,
                                       const char *service_name,
                                       const char *resolver,
                                       int64_t timeout_ms,
                                       etcd3_error_t **err);

/* ---- Client ---------------------------------------------------------------------------------- */

/*
 * A client holds the connections to one cluster; all else is done through it. One client serves many threads.
 */

/** A client of one cluster. */
typedef struct etcd3_client_t etcd3_client_t;

/**
 * Makes a client from `config`, or from the defaults if NULL. Sends nothing: the first call connects, and finds
 * out whether an endpoint answers. The client comes through `client`; free with etcd3_client_free.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT (the first mistake made with `config`), ETCD3_ERR_TLS (files that cannot be used),
 * ETCD3_ERR_SYSTEM (no thread).
 */
etcd3_code_t etcd3_client_open(const etcd3_config_t *config,
                               etcd3_client_t **client,
                               etcd3_error_t **err);

/**
 * Ends all that is under way: calls on other threads return ETCD3_ERR_CLOSED, or ETCD3_ERR_AMBIGUOUS if they are writes
 * that were sent; every watch gets its ETCD3_EVENT_CLOSED, and every lease
 * ETCD3_EVENT_LOST before it; and later calls return ETCD3_ERR_CLOSED. Then waits up to
 * `timeout_ms` (0: not at all) for the callbacks of the client's own thread, unless called on it. With the process's
 * last client the I/O thread ends. The handles of etcd3_namespace_open made from it end with it, and the callbacks of
 * their threads are waited for too. Closing twice does no harm. Never waits for a server.
 * Errors: ETCD3_ERR_TIMEOUT if a callback still runs: the client is closed all the same.
 */
etcd3_code_t etcd3_client_close(etcd3_client_t *client,
                                int64_t timeout_ms,
                                etcd3_error_t **err);

/**
 * Ends all calls that are under way on this client, on whatever thread, those that wait for anything else included: each
 * returns within 100 ms, with ETCD3_ERR_CANCELED, or ETCD3_ERR_AMBIGUOUS if it is a write that was sent. Watches and what
 * begins later are not concerned; for single calls see etcd3_op_set_cancel. Never blocks; from any thread.
 */
void etcd3_client_cancel_calls(const etcd3_client_t *client);

/**
 * Waits up to `timeout_ms`, above 0, until an endpoint is connected and, if the client has a password, has given a token
 * for it.
 * Errors: ETCD3_ERR_UNAVAILABLE, ETCD3_ERR_TLS, ETCD3_ERR_PROTOCOL, naming each endpoint and its trouble;
 * ETCD3_ERR_AUTH_FAILED, ETCD3_ERR_CLOSED.
 */
etcd3_code_t etcd3_client_wait_connected(const etcd3_client_t *client,
                                         int64_t timeout_ms,
                                         etcd3_error_t **err);

/**
 * Takes `count` other endpoints, at least one, in the forms of etcd3_config_add_endpoint, for all calls from now on. Calls
 * under way on an endpoint that is no longer there go on, watches move.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED.
 */
etcd3_code_t etcd3_client_set_endpoints(const etcd3_client_t *client,
                                        const char *const *endpoints,
                                        size_t count,
                                        etcd3_error_t **err);

/**
 * Replaces the endpoints by the client URLs that the cluster lists for its started voting members. RPC:
 * Cluster.MemberList. Errors: those of etcd3_get.
 */
etcd3_code_t etcd3_client_sync(const etcd3_client_t *client, etcd3_error_t **err);

/**
 * The name of the counter at `index`, from 0; NULL past the end. Static; not to be freed. Counted are: calls, retries
 * (attempts after the first), hedges (reads and renewals sent to a second endpoint), ambiguous (writes of unknown outcome), connects,
 * connect_failures, disconnects, bytes_sent and bytes_received (messages of calls), token_refreshes, watches (started),
 * watch_resumes (taken on by the server again), watch_parks (since the caller did not keep up), watch_relists (ranges read
 * by re-list watches and mirrors), leases (kept alive), lease_renewals (answered), leases_lost (neither revoked nor let go here).
 */
const char *etcd3_counter_name(size_t index);

/**
 * What the counter of this name stands at for this client, from 0; -1 if there is none of this name, for NULL, and in a
 * forked child.
 */
int64_t etcd3_client_counter(const etcd3_client_t *client,
                             const char *name);

/**
 * Frees a client; closes it, without waiting for callbacks, if etcd3_client_close was not called. Its watches
 * stay valid until they are freed themselves.
 */
void etcd3_client_free(etcd3_client_t *client);

/*
 * Where a client looks for its cluster: as it was told, or has found.
 */

/** A list of endpoints. It never changes and may be read by many threads. */
typedef struct etcd3_endpoints_t etcd3_endpoints_t;

/**
 * The endpoints that a client has now: those of its configuration, or that etcd3_config_discover_srv found,
 * etcd3_client_set_endpoints set or etcd3_client_sync brought. They come through `endpoints`; free with
 * etcd3_endpoints_free. Nothing is sent. Errors: ETCD3_ERR_INVALID_ARGUMENT.
 */
etcd3_code_t etcd3_client_endpoints(const etcd3_client_t *client,
                                    etcd3_endpoints_t **endpoints,
                                    etcd3_error_t **err);

/** How many endpoints there are. */
size_t etcd3_endpoints_count(const etcd3_endpoints_t *endpoints);

/**
 * The endpoint at `index`, from 0, such as "10.0.0.4:2379", or "https://10.0.0.4:2379" where it was given with its scheme:
 * what maintenance calls take, and another client's configuration. Errors name it without the scheme, which maintenance
 * calls take too. NULL past the end. Borrowed from `endpoints`.
 */
const char *etcd3_endpoints_at(const etcd3_endpoints_t *endpoints,
                               size_t index);

/** Frees a list of endpoints. */
void etcd3_endpoints_free(etcd3_endpoints_t *endpoints);

/* ---- Security -------------------------------------------------------------------------------- */

/*
 * Who the client is, and whom it trusts. Passwords are wiped from memory when they are no longer needed; they, tokens
 * and keys are in no log line and no error message. A token that the server no longer takes is replaced, and the call
 * made again, without the caller's noticing.
 */

/** TLS 1.2 or newer: the default. */
#define ETCD3_TLS_1_2 12

/** TLS 1.3 only. */
#define ETCD3_TLS_1_3 13

/**
 * Sets a user and a password, with which the client gets its tokens. RPC: Auth.Authenticate. A cluster without
 * authentication is used without.
 */
void etcd3_config_set_credentials(etcd3_config_t *config,
                                  const char *user,
                                  const char *password);

/** Sets a token to send as it is, such as a JWT. The client never replaces it; see etcd3_client_set_token. */
void etcd3_config_set_token(etcd3_config_t *config, const char *token);

/**
 * Configures TLS from PEM files: the certificates of the CAs to trust, and the client's certificate chain and key. Each
 * may be NULL; certificate and key are given together. Without a CA the system's are trusted. The files are read when
 * the client is opened, and again when they have changed and a connection is made; half-written ones are left alone.
 * Errors of etcd3_client_open then: ETCD3_ERR_TLS, naming the file.
 */
void etcd3_config_set_tls_files(etcd3_config_t *config,
                                const char *ca,
                                const char *cert,
                                const char *key);

/** The same from PEM text in memory; a length of 0 leaves one out. */
void etcd3_config_set_tls_pem(etcd3_config_t *config,
                              const void *ca,
                              size_t ca_len,
                              const void *cert,
                              size_t cert_len,
                              const void *key,
                              size_t key_len);

/** Configures TLS and trusts the system's CAs, beside those given. */
void etcd3_config_set_tls_system_roots(etcd3_config_t *config);

/** Configures TLS and wants the servers' certificates to be for this name, in place of each endpoint's own host. */
void etcd3_config_set_tls_server_name(etcd3_config_t *config,
                                      const char *name);

/** Configures TLS and sets the oldest version to accept: ETCD3_TLS_1_2 or ETCD3_TLS_1_3. */
void etcd3_config_set_tls_min_version(etcd3_config_t *config, int32_t version);

/** Configures TLS and trusts any server, which protects against nobody who can reach the network. Logged as a warning. */
void etcd3_config_set_tls_skip_verify(etcd3_config_t *config);

/**
 * Takes another user and password for all calls and streams from now on; both NULL for none.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT.
 */
etcd3_code_t etcd3_client_set_credentials(const etcd3_client_t *client,
                                          const char *user,
                                          const char *password,
                                          etcd3_error_t **err);

/** Takes another token, to be sent as it is, for all calls and streams from now on. Errors: ETCD3_ERR_INVALID_ARGUMENT. */
etcd3_code_t etcd3_client_set_token(const etcd3_client_t *client,
                                    const char *token,
                                    etcd3_error_t **err);

/**
 * Reads the TLS files again now, for connections made from now on. Errors: ETCD3_ERR_TLS: a file cannot be used, and what
 * was read before stays; ETCD3_ERR_INVALID_ARGUMENT: the client uses no TLS.
 */
etcd3_code_t etcd3_client_reload_tls(const etcd3_client_t *client,
                                     etcd3_error_t **err);

/* ---- Operations ------------------------------------------------------------------------------ */

/*
 * One operation: a get, a put, a delete or a transaction. Build it, give it to etcd3_execute or into a
 * transaction, as often as you like, free it. An option on a kind it does not fit is a mistake.
 */

/** Sort by key: what the store does anyway. */
#define ETCD3_SORT_BY_KEY 0

/** Sort by the number of puts since the key was created. */
#define ETCD3_SORT_BY_VERSION 1

/** Sort by the revision that created the key. */
#define ETCD3_SORT_BY_CREATE_REVISION 2

/** Sort by the revision of the last put. */
#define ETCD3_SORT_BY_MOD_REVISION 3

/** Sort by value. */
#define ETCD3_SORT_BY_VALUE 4

/** No order asked for: ascending. */
#define ETCD3_SORT_NONE 0

/** Ascending order. */
#define ETCD3_SORT_ASCENDING 1

/** Descending order. */
#define ETCD3_SORT_DESCENDING 2

/** Ends calls from another thread: any number of them, once. */
typedef struct etcd3_cancel_t etcd3_cancel_t;

/** An operation. */
typedef struct etcd3_op_t etcd3_op_t;

/** A means to end calls: give it to their ops with etcd3_op_set_cancel. Yours; free with etcd3_cancel_free. */
etcd3_cancel_t *etcd3_cancel_new(void);

/**
 * Ends the calls that it was given to, now or when they are made: they return ETCD3_ERR_CANCELED, or ETCD3_ERR_AMBIGUOUS if
 * they are writes that were sent. Never blocks; from any thread, and twice.
 */
void etcd3_cancel_trigger(const etcd3_cancel_t *cancel);

/** Frees a means to end calls; they go on. */
void etcd3_cancel_free(etcd3_cancel_t *cancel);

/**
 * A get of one key, or of a range: see etcd3_op_set_prefix and its neighbours. Yours; free with etcd3_op_free.
 * RPC: KV.Range.
 */
etcd3_op_t *etcd3_op_get(const void *key,
                                size_t key_len);

/** A put of a value to a key. Yours; free with etcd3_op_free. RPC: KV.Put. */
etcd3_op_t *etcd3_op_put(const void *key, size_t key_len, const void *value, size_t value_len);

/** A delete of one key, or of a range. Yours; free with etcd3_op_free. RPC: KV.DeleteRange. */
etcd3_op_t *etcd3_op_delete(const void *key, size_t key_len);

/** Get, delete: every key that starts with the op's key; an empty key means all keys. */
void etcd3_op_set_prefix(etcd3_op_t *op);

/** Get, delete: every key from the op's key on; an empty key means all keys. */
void etcd3_op_set_from_key(etcd3_op_t *op);

/**
 * Get, delete: every key from the op's key up to, without, `end`. An end that is not above the key is an empty
 * range.
 */
void etcd3_op_set_range_end(etcd3_op_t *op,
                            const void *end,
                            size_t end_len);

/** Get: at most so many keys; 0 for all. etcd3_result_more tells whether there are more. */
void etcd3_op_set_limit(etcd3_op_t *op, int64_t limit);

/**
 * Get: the store as it was at a revision; 0 for the newest. Errors of the call then: ETCD3_ERR_COMPACTED,
 * ETCD3_ERR_FUTURE_REVISION.
 */
void etcd3_op_set_revision(etcd3_op_t *op, int64_t revision);

/** Get: sorts by an ETCD3_SORT_BY_* target in an ETCD3_SORT_* order. */
void etcd3_op_set_sort(etcd3_op_t *op, int32_t target, int32_t order);

/** Get: one member answers from what it has, faster and possibly stale, without asking the others. */
void etcd3_op_set_serializable(etcd3_op_t *op);

/** Get: without the values. */
void etcd3_op_set_keys_only(etcd3_op_t *op);

/** Get: only etcd3_result_count, no keys. */
void etcd3_op_set_count_only(etcd3_op_t *op);

/** Get: only keys last put at this revision or later; 0 for no bound. */
void etcd3_op_set_min_mod_revision(etcd3_op_t *op, int64_t revision);

/** Get: only keys last put at this revision or earlier; 0 for no bound. */
void etcd3_op_set_max_mod_revision(etcd3_op_t *op, int64_t revision);

/** Get: only keys created at this revision or later; 0 for no bound. */
void etcd3_op_set_min_create_revision(etcd3_op_t *op, int64_t revision);

/** Get: only keys created at this revision or earlier; 0 for no bound. */
void etcd3_op_set_max_create_revision(etcd3_op_t *op, int64_t revision);

/**
 * Put: attaches the key to a lease, so that it goes when the lease does; 0 for none, which detaches it. Error of
 * the call then: ETCD3_ERR_LEASE_NOT_FOUND.
 */
void etcd3_op_set_lease(etcd3_op_t *op,
                        int64_t lease_id);

/**
 * Put: keeps the value the key has; the op's own must be empty. Error of the call if there is no such key:
 * ETCD3_ERR_KEY_NOT_FOUND.
 */
void etcd3_op_set_ignore_value(etcd3_op_t *op);

/**
 * Put: keeps the lease the key has; the op's own must be 0. Error of the call if there is no such key:
 * ETCD3_ERR_KEY_NOT_FOUND.
 */
void etcd3_op_set_ignore_lease(etcd3_op_t *op);

/** Put, delete: the result holds what was there before; see etcd3_result_prev_kv. */
void etcd3_op_set_prev_kv(etcd3_op_t *op);

/**
 * The time limit of the whole call, connecting included, in place of the client's: above 0. Without effect on
 * an op inside a transaction.
 */
void etcd3_op_set_timeout(etcd3_op_t *op, int64_t timeout_ms);

/**
 * Has the member refuse the call at once if it knows of no leader, with ETCD3_ERR_NO_LEADER, in place of waiting for one.
 * Without effect on an op inside a transaction.
 */
void etcd3_op_set_require_leader(etcd3_op_t *op);

/**
 * Sends metadata along with the call, for a proxy or a server that looks at it, beside that of
 * etcd3_config_add_metadata, whose rules it follows. Without effect on an op inside a transaction.
 */
void etcd3_op_add_metadata(etcd3_op_t *op, const char *name, const char *value);

/** Has the call end when `cancel` is triggered; see etcd3_cancel_trigger. Without effect on an op inside a transaction. */
void etcd3_op_set_cancel(etcd3_op_t *op,
                         const etcd3_cancel_t *cancel);

/** Frees an operation. */
void etcd3_op_free(etcd3_op_t *op);

/* ---- Transactions ---------------------------------------------------------------------------- */

/*
 * A transaction is an op that holds ops: if all comparisons hold, those added with etcd3_txn_then are done, else
 * those added with etcd3_txn_else; all at one revision, or none. Each part may be left empty. Transactions nest.
 * A key may be put only once in a branch.
 */

/** Holds if equal. */
#define ETCD3_EQUAL 0

/** Holds if what the key has is greater. */
#define ETCD3_GREATER 1

/** Holds if what the key has is less. */
#define ETCD3_LESS 2

/** Holds if not equal. */
#define ETCD3_NOT_EQUAL 3

/** An empty transaction. Yours; free with etcd3_op_free, give to etcd3_execute. RPC: KV.Txn. */
etcd3_op_t *etcd3_op_txn(void);

/**
 * Adds a comparison of the key's value, by ETCD3_EQUAL, _GREATER, _LESS or _NOT_EQUAL, bytewise. None holds for a
 * key that does not exist.
 */
void etcd3_txn_if_value(etcd3_op_t *txn,
                        const void *key,
                        size_t key_len,
                        int32_t cmp,
                        const void *value,
                        size_t value_len);

/**
 * Adds a comparison of the key's version, the number of puts since it was created; 0 for a key that does not
 * exist.
 */
void etcd3_txn_if_version(etcd3_op_t *txn, const void *key, size_t key_len, int32_t cmp, int64_t version);

/** Adds a comparison of the revision that created the key; 0 for a key that does not exist. */
void etcd3_txn_if_create_revision(etcd3_op_t *txn,
                                  const void *key,
                                  size_t key_len,
                                  int32_t cmp,
                                  int64_t revision);

/** Adds a comparison of the revision of the key's last put; 0 for a key that does not exist. */
void etcd3_txn_if_mod_revision(etcd3_op_t *txn,
                               const void *key,
                               size_t key_len,
                               int32_t cmp,
                               int64_t revision);

/** Adds a comparison of the lease the key is attached to; 0 for none. */
void etcd3_txn_if_lease(etcd3_op_t *txn, const void *key, size_t key_len, int32_t cmp, int64_t lease_id);

/**
 * The comparison added last is over every key that starts with its key: it must hold for each. Where there is no such
 * key, one of a value does not hold, and the others compare with 0.
 */
void etcd3_txn_if_prefix(etcd3_op_t *txn);

/** The comparison added last is over every key from its key on. */
void etcd3_txn_if_from_key(etcd3_op_t *txn);

/** The comparison added last is over every key from its key up to, without, `end`. */
void etcd3_txn_if_range_end(etcd3_op_t *txn, const void *end, size_t end_len);

/** Adds a copy of an op, transactions included, to what is done if all comparisons hold. */
void etcd3_txn_then(etcd3_op_t *txn, const etcd3_op_t *op);

/** Adds a copy of an op, transactions included, to what is done if not all comparisons hold. */
void etcd3_txn_else(etcd3_op_t *txn, const etcd3_op_t *op);

/* ---- Calls ----------------------------------------------------------------------------------- */

/*
 * Sending an operation, and the plain cases as one call each: their time limit is the client's, their errors are
 * those of etcd3_execute.
 *
 * etcd3_put_if_revision with a revision above 0 is sent again where the answer to an attempt was lost, since it cannot
 * happen twice. If then the key has the value, it counts as put by this call; so use a value that no other client writes
 * where that matters.
 */

/**
 * Sends an operation and waits for its answer, which comes through `result`; free with etcd3_result_free.
 * RPC: KV.Range, KV.Put, KV.DeleteRange or KV.Txn. A get, and a transaction of gets, is repeated within the time
 * limit if a connection breaks; a write never, once it may have reached a server.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT (also the first mistake made with `op`), ETCD3_ERR_UNAVAILABLE,
 * ETCD3_ERR_TIMEOUT, ETCD3_ERR_AMBIGUOUS (writes), ETCD3_ERR_CLOSED, and those of the server.
 */
etcd3_code_t etcd3_execute(const etcd3_client_t *client,
                           const etcd3_op_t *op,
                           etcd3_result_t **result,
                           etcd3_error_t **err);

/**
 * Gets one key. A key that does not exist is not an error: the result then holds no key-value. The answer comes
 * through `result`; free with etcd3_result_free. RPC: KV.Range.
 */
etcd3_code_t etcd3_get(const etcd3_client_t *client,
                       const void *key,
                       size_t key_len,
                       etcd3_result_t **result,
                       etcd3_error_t **err);

/**
 * Gets every key that starts with `prefix`, in the order of the keys; all keys if it is empty. The answer comes
 * through `result`; free with etcd3_result_free. RPC: KV.Range.
 */
etcd3_code_t etcd3_get_prefix(const etcd3_client_t *client,
                              const void *prefix,
                              size_t prefix_len,
                              etcd3_result_t **result,
                              etcd3_error_t **err);

/**
 * Gets every key there is, in the order of the keys. The answer comes through `result`; free with
 * etcd3_result_free. RPC: KV.Range.
 */
etcd3_code_t etcd3_get_all(const etcd3_client_t *client, etcd3_result_t **result, etcd3_error_t **err);

/** Puts a value to a key. RPC: KV.Put. */
etcd3_code_t etcd3_put(const etcd3_client_t *client,
                       const void *key,
                       size_t key_len,
                       const void *value,
                       size_t value_len,
                       etcd3_error_t **err);

/** Puts a value to a key that does not exist. `*succeeded` is 1 if it was put, 0 if the key exists. RPC: KV.Txn. */
etcd3_code_t etcd3_put_if_absent(const etcd3_client_t *client,
                                 const void *key,
                                 size_t key_len,
                                 const void *value,
                                 size_t value_len,
                                 int *succeeded,
                                 etcd3_error_t **err);

/**
 * Puts a new value to a key that has the value `initial`. `*succeeded` is 1 if it was put; 0 if the key has
 * another value or does not exist. RPC: KV.Txn.
 */
etcd3_code_t etcd3_replace(const etcd3_client_t *client,
                           const void *key,
                           size_t key_len,
                           const void *initial,
                           size_t initial_len,
                           const void *new_value,
                           size_t new_value_len,
                           int *succeeded,
                           etcd3_error_t **err);

/**
 * Puts a new value to a key that was last put at `mod_revision`; 0 for a key that does not exist. `*succeeded` is 1 if it
 * was put; 0 if the key has been put or deleted since. Sent again if its answer was lost, and a key that then has the
 * value counts as put by this call: see above. Error beside the others: ETCD3_ERR_AMBIGUOUS. RPC: KV.Txn.
 */
etcd3_code_t etcd3_put_if_revision(const etcd3_client_t *client,
                                   const void *key,
                                   size_t key_len,
                                   int64_t mod_revision,
                                   const void *value,
                                   size_t value_len,
                                   int *succeeded,
                                   etcd3_error_t **err);

/** Deletes one key. `*deleted` is 1, or 0 if there was no such key; `deleted` may be NULL. RPC: KV.DeleteRange. */
etcd3_code_t etcd3_delete(const etcd3_client_t *client,
                          const void *key,
                          size_t key_len,
                          int64_t *deleted,
                          etcd3_error_t **err);

/**
 * Deletes every key that starts with `prefix`; all keys if it is empty. `*deleted` is how many; `deleted` may be
 * NULL. RPC: KV.DeleteRange.
 */
etcd3_code_t etcd3_delete_prefix(const etcd3_client_t *client,
                                 const void *prefix,
                                 size_t prefix_len,
                                 int64_t *deleted,
                                 etcd3_error_t **err);

/* ---- Raw calls ------------------------------------------------------------------------------- */

/*
 * Calls of methods that this library has no function for, such as those of a newer etcd, or of what else listens at
 * its port. Request and answer are messages of protobuf that the caller encodes and decodes; deadline, token,
 * metadata, choice of endpoint, repetition and the truth about the outcome are those of all calls.
 */

/**
 * The method changes something: it is sent again only where no server can have executed it; if that is not known, the
 * outcome is ETCD3_ERR_AMBIGUOUS.
 */
#define ETCD3_REPEAT_NEVER 0

/** The method only reads: it is sent again, and to a second endpoint if the first is slow, within the time limit. */
#define ETCD3_REPEAT_FREELY 1

/**
 * A call of the unary method `path`, "/package.Service/Method", with an encoded request; its answer is read with
 * etcd3_result_data. For etcd3_execute and etcd3_execute_async, not for transactions. Refused are streams, and the four
 * methods whose malformed requests bring some servers down: KV.Range, KV.Txn, Maintenance.Alarm,
 * Auth.RoleGrantPermission. Yours; free with etcd3_op_free. Error of the call if the server has no such method:
 * ETCD3_ERR_UNIMPLEMENTED.
 */
etcd3_op_t *etcd3_op_raw(const char *path,
                         const void *request,
                         size_t request_len,
                         int32_t repeat);

/**
 * The same as one call: sends it and waits for its answer, up to `timeout_ms`, or 0 for the client's limit. The answer
 * comes through `result`; free with etcd3_result_free. Errors: those of etcd3_execute.
 */
etcd3_code_t etcd3_call_raw(const etcd3_client_t *client,
                            const char *path,
                            const void *request,
                            size_t request_len,
                            int32_t repeat,
                            int64_t timeout_ms,
                            etcd3_result_t **result,
                            etcd3_error_t **err);

/**
 * Raw call: the encoded answer, `*len` bytes, which may be none; `len` may be NULL. NULL and 0 for any other result.
 * Borrowed from `result`.
 */
const uint8_t *etcd3_result_data(const etcd3_result_t *result,
                                 size_t *len);

/* ---- Calls that do not block ----------------------------------------------------------------- */

/*
 * Calls that do not block: the outcome arrives in a queue.
 */

/** A call under way. */
typedef struct etcd3_call_t etcd3_call_t;

/**
 * Sends an operation and returns. Its outcome arrives as one ETCD3_EVENT_DONE, which has the result or the error; it is
 * the only event and the last. `fn` is called with `user_data` by whoever dispatches `queue`, or, if `queue` is NULL, by
 * the client's own callback thread; with a queue `fn` may be NULL, for etcd3_queue_next. `call` may be NULL, else the
 * call comes through it; free with etcd3_call_free. Nothing is called if this fails. RPC and errors of the outcome: those
 * of etcd3_execute. Errors: ETCD3_ERR_INVALID_ARGUMENT (also the first mistake made with `op`), ETCD3_ERR_CLOSED,
 * ETCD3_ERR_SYSTEM (no thread).
 */
etcd3_code_t etcd3_execute_async(const etcd3_client_t *client,
                                 const etcd3_op_t *op,
                                 const etcd3_queue_t *queue,
                                 etcd3_event_fn fn,
                                 void *user_data,
                                 etcd3_call_t **call,
                                 etcd3_error_t **err);

/**
 * Ends a call early: its ETCD3_EVENT_DONE comes within 100 ms, with ETCD3_ERR_CANCELED, or ETCD3_ERR_AMBIGUOUS if it is a
 * write that was sent, or its outcome if that was there already. Never blocks; from any thread, and twice.
 */
void etcd3_call_cancel(const etcd3_call_t *call);

/** Frees a call; it goes on. */
void etcd3_call_free(etcd3_call_t *call);

/* ---- Watches --------------------------------------------------------------------------------- */

/*
 * A watch reports every change of a key or a range, in order, each once. It outlives connections: it goes on
 * where it was, without a gap or a repeat. Watches of a client share a stream.
 */

/** Leave puts out. */
#define ETCD3_FILTER_NOPUT 0

/** Leave deletes out. */
#define ETCD3_FILTER_NODELETE 1

/**
 * The server is asked to stop, and to go on when half of what waits is taken: nothing is missed, unless it is compacted
 * meanwhile.
 */
#define ETCD3_OVERFLOW_PARK 0

/** The watch ends with ETCD3_ERR_SLOW_CONSUMER after all that waits; see etcd3_event_resume_revision. */
#define ETCD3_OVERFLOW_FAIL 1

/** What to watch: a builder for etcd3_watch_start, which copies it. */
typedef struct etcd3_watch_opts_t etcd3_watch_opts_t;

/**
 * A watch of one key, or of a range: see etcd3_watch_opts_set_prefix and its neighbours. Yours; free with
 * etcd3_watch_opts_free.
 */
etcd3_watch_opts_t *etcd3_watch_opts_new(const void *key, size_t key_len);

/** Watches every key that starts with the key; an empty key means all keys. */
void etcd3_watch_opts_set_prefix(etcd3_watch_opts_t *opts);

/** Watches every key from the key on; an empty key means all keys. */
void etcd3_watch_opts_set_from_key(etcd3_watch_opts_t *opts);

/** Watches every key from the key up to, without, `end`, which must be above the key. */
void etcd3_watch_opts_set_range_end(etcd3_watch_opts_t *opts, const void *end, size_t end_len);

/**
 * Starts with the changes of this revision, which may be past, or still to come; 1 for all of history. 0, the
 * default, means from the call of etcd3_watch_start on. If history no longer has it, the watch ends with
 * ETCD3_ERR_COMPACTED.
 */
void etcd3_watch_opts_set_start_revision(etcd3_watch_opts_t *opts, int64_t revision);

/** Has changes tell what was there before. */
void etcd3_watch_opts_set_prev_kv(etcd3_watch_opts_t *opts);

/** Leaves a kind of change out, at the server: ETCD3_FILTER_NOPUT or ETCD3_FILTER_NODELETE. */
void etcd3_watch_opts_set_filter(etcd3_watch_opts_t *opts, int32_t filter);

/**
 * Has the server report from time to time (every 10 minutes by default) how far the watch is when nothing
 * changes: ETCD3_EVENT_PROGRESS.
 */
void etcd3_watch_opts_set_progress_notify(etcd3_watch_opts_t *opts);

/**
 * Has the watch go on after a compaction, and after whatever else it missed: it then reads its range again and reports
 * what is otherwise than it told before. First comes ETCD3_EVENT_STATE with ETCD3_STATE_RELISTED and the revision of the
 * reading; then, in one event or several, a put for each key that is new or was put since, and a delete for each that is
 * gone, marked etcd3_change_t.is_synthetic; then ETCD3_STATE_LIVE or _RESUMED, and all changes made after that revision.
 * Without a start revision the watch begins so, with all that is there. With a start revision it begins there, and ends
 * with ETCD3_ERR_COMPACTED if the revision before it is no longer to be read. The client keeps the keys of the range, not
 * the values, in memory, and applies filters itself.
 */
void etcd3_watch_opts_set_relist(etcd3_watch_opts_t *opts);

/**
 * Makes the watch a mirror: it first brings all that is there, and then every change, so that who applies all of it has a
 * copy of the range. First comes ETCD3_EVENT_STATE with ETCD3_STATE_COPYING and a revision; then ETCD3_EVENT_WATCH events, a
 * put for each key there is at that revision, in the order of the keys, marked etcd3_change_t.is_synthetic; then
 * ETCD3_STATE_COPIED; then all changes made after that revision. If history no longer has what comes next, be it before the
 * copy is whole or later, the mirror begins from scratch and says so first: ETCD3_STATE_COPYING with ETCD3_ERR_COMPACTED as its
 * etcd3_event_error, upon which the copy is to be emptied. With a start revision there is a copy already, of the revision before
 * it: the mirror begins with the changes, and from scratch only if it must. The client keeps no keys; the range is read page by
 * page, no further than etcd3_watch_opts_set_buffer lets wait. Excludes filters and etcd3_watch_opts_set_relist, which tells
 * only what differs, for the price of the keys in memory.
 */
void etcd3_watch_opts_set_mirror(etcd3_watch_opts_t *opts);

/**
 * Saves the read by which a watch without a start revision finds out what "now" is, and leaves that to the member which
 * takes the watch on, later than etcd3_watch_start returns: it may be behind, and report a change made before the call;
 * and what changes before it has answered may be missed.
 */
void etcd3_watch_opts_set_loose_start(etcd3_watch_opts_t *opts);

/**
 * Sets how many bytes of events may wait to be taken, above 0, and what is done when they are more: an ETCD3_OVERFLOW_*
 * policy. Where nothing waits a response of any size is taken. Default: 64 MiB, ETCD3_OVERFLOW_PARK. See also
 * etcd3_config_set_watch_buffer.
 */
void etcd3_watch_opts_set_buffer(etcd3_watch_opts_t *opts,
                                 int64_t max_bytes,
                                 int32_t policy);

/**
 * Sets how many bytes of a response that comes in parts are put together, above 0. A larger one is delivered in several
 * events of whole revisions; if a single revision is larger, the watch ends with ETCD3_ERR_RESPONSE_TOO_LARGE. Default:
 * 256 MiB.
 */
void etcd3_watch_opts_set_max_response_bytes(etcd3_watch_opts_t *opts,
                                             int64_t max_bytes);

/**
 * Sets how long the watch may be without a server before it ends, with the error of the last attempt; 0, the default,
 * for ever.
 */
void etcd3_watch_opts_set_max_outage(etcd3_watch_opts_t *opts,
                                     int64_t time_ms);

/**
 * Sets whether the watch leaves a member that has no leader: 1 or 0. Default: as etcd3_config_set_require_leader says.
 * Watches that differ in this use different streams.
 */
void etcd3_watch_opts_set_require_leader(etcd3_watch_opts_t *opts,
                                         int yes);

/**
 * Sends metadata along with the stream of this watch, beside that of etcd3_config_add_metadata, whose rules it follows.
 * Watches that differ in this use different streams.
 */
void etcd3_watch_opts_add_metadata(etcd3_watch_opts_t *opts,
                                   const char *name,
                                   const char *value);

/** Frees watch options. */
void etcd3_watch_opts_free(etcd3_watch_opts_t *opts);
/** A watch. */
typedef struct etcd3_watch_t etcd3_watch_t;

/**
 * Starts a watch. `fn` is called with `user_data` for each event: by whoever dispatches `queue`, or, if `queue` is
 * NULL, by the client's own callback thread. With a queue `fn` may be NULL, for etcd3_queue_next. The watch comes
 * through `watch`, also if nothing listens yet; free with etcd3_watch_free. Nothing is called if this fails.
 *
 * Every change made after this returns is reported. Without a start revision that takes one read, which fails
 * where the key may not be read; see etcd3_watch_opts_set_loose_start. A re-list watch and a mirror read later, and do not
 * block here. RPC: KV.Range, Watch.Watch.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT (also the first mistake made with `opts`), ETCD3_ERR_SYSTEM (no thread),
 * ETCD3_ERR_CLOSED; without a start revision those of etcd3_get.
 */
etcd3_code_t etcd3_watch_start(const etcd3_client_t *client,
                               const etcd3_watch_opts_t *opts,
                               const etcd3_queue_t *queue,
                               etcd3_event_fn fn,
                               void *user_data,
                               etcd3_watch_t **watch,
                               etcd3_error_t **err);

/**
 * Asks the server how far the watch is. The answer is ETCD3_EVENT_PROGRESS, and may take long, or not come, while other
 * watches of the client catch up. Servers before 3.4.25 and 3.5.8 may answer ahead of changes that are still to come;
 * etcd3_event_resume_revision is right in all cases. Never blocks. RPC: Watch.Watch.
 * Error: ETCD3_ERR_CANCELED: the watch has ended.
 */
etcd3_code_t etcd3_watch_request_progress(const etcd3_watch_t *watch,
                                          etcd3_error_t **err);

/** How many bytes of events of a watch wait to be taken; 0 for NULL and in a forked child. */
int64_t etcd3_watch_pending_bytes(const etcd3_watch_t *watch);

/** How many events of a watch wait to be taken; 0 for NULL and in a forked child. */
int64_t etcd3_watch_pending_events(const etcd3_watch_t *watch);

/**
 * The revision up to which a watch has delivered everything, from before its first event on; it also moves while nothing
 * changes, as the server tells its progress. 0 while a mirror's copy is not whole, for NULL and in a forked child.
 */
int64_t etcd3_watch_revision(const etcd3_watch_t *watch);

/**
 * Ends a watch: when this returns, no callback for a change of it starts any more; one that runs on another thread
 * may still end, as may one that a thread has already taken up. ETCD3_EVENT_CLOSED comes, with no error. Never blocks; may be called from any thread, in its own
 * callback too, and twice.
 */
void etcd3_watch_cancel(const etcd3_watch_t *watch);

/**
 * Ends a watch as etcd3_watch_cancel does and waits up to `timeout_ms` (0: not at all) until no callback of it
 * runs on another thread. In its own callback it returns at once. ETCD3_EVENT_CLOSED may still be to come.
 * Error: ETCD3_ERR_TIMEOUT: a callback still runs; the watch is cancelled all the same.
 */
etcd3_code_t etcd3_watch_join(const etcd3_watch_t *watch,
                              int64_t timeout_ms,
                              etcd3_error_t **err);

/** Cancels and frees a watch. Its ETCD3_EVENT_CLOSED still comes. */
void etcd3_watch_free(etcd3_watch_t *watch);

/**
 * Waits up to `timeout_ms` (-1: for ever) for the first change of a key that is made from now on. It comes through `event`
 * as an ETCD3_EVENT_WATCH, yours, free with etcd3_event_free: what was changed in the same transaction, and maybe shortly
 * after, is in the event too. RPC: KV.Range, Watch.Watch.
 * Errors: ETCD3_ERR_TIMEOUT (nothing changed, or no server answered), ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, those
 * of etcd3_get, and those with which a watch ends.
 */
etcd3_code_t etcd3_watch_once(const etcd3_client_t *client,
                              const void *key,
                              size_t key_len,
                              int64_t timeout_ms,
                              etcd3_event_t **event,
                              etcd3_error_t **err);

/** The same for the keys that start with `prefix`; an empty one means all keys. */
etcd3_code_t etcd3_watch_prefix_once(const etcd3_client_t *client,
                                     const void *prefix,
                                     size_t prefix_len,
                                     int64_t timeout_ms,
                                     etcd3_event_t **event,
                                     etcd3_error_t **err);

/* ---- Leases ---------------------------------------------------------------------------------- */

/*
 * Keys put with a lease (etcd3_op_set_lease) are deleted when it ends. etcd3_lease_open grants one and keeps it alive:
 * it is renewed after a third of its time, on a second member too where the first does not answer, until it is freed.
 * All leases of a client share a stream.
 *
 * A lease that is lost is told once, by ETCD3_EVENT_LOST and its reason; ETCD3_EVENT_CLOSED follows. The time is counted
 * from when the last answered renewal was sent, on a clock that runs while the machine sleeps, less 2 % and at least 100
 * ms: so the loss is told, and etcd3_lease_is_alive is 0, before the server deletes the keys. A lost lease never comes
 * back. A process that is itself stopped cannot be told in time: guard what must not happen twice by a transaction.
 */

/** A lease that is kept alive. */
typedef struct etcd3_lease_t etcd3_lease_t;

/**
 * Grants a lease of `ttl_s` seconds, above 0, that nobody keeps alive. With `lease_id` 0 the client picks an id: 63 random
 * bits. The id comes through `granted_id`, and what the server grants, which is never less than it was asked for, through
 * `granted_ttl_s`; both may be NULL. RPC: Lease.LeaseGrant.
 *
 * With an id of the client's the call is repeated within its time limit, and if it fails none is left behind: what an
 * attempt without an answer may have granted is revoked. With an id of the caller's a lost answer is
 * ETCD3_ERR_AMBIGUOUS: the lease may have been granted, or have been there before.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT (`ttl_s`; a negative `lease_id`), ETCD3_ERR_LEASE_TTL_TOO_LARGE (above 9,000,000,000),
 * ETCD3_ERR_LEASE_EXISTS, ETCD3_ERR_NO_SPACE, ETCD3_ERR_UNAVAILABLE, ETCD3_ERR_TIMEOUT, ETCD3_ERR_CLOSED.
 */
etcd3_code_t etcd3_lease_grant(const etcd3_client_t *client,
                               int64_t ttl_s,
                               int64_t lease_id,
                               int64_t *granted_id,
                               int64_t *granted_ttl_s,
                               etcd3_error_t **err);

/**
 * Revokes a lease, whoever made it, and with it deletes all its keys. A handle of it in this client is told
 * ETCD3_LOST_REVOKED. RPC: Lease.LeaseRevoke; repeated within the client's time limit.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT (0), ETCD3_ERR_LEASE_NOT_FOUND, ETCD3_ERR_PERMISSION_DENIED (to one of its keys),
 * ETCD3_ERR_AMBIGUOUS, ETCD3_ERR_UNAVAILABLE, ETCD3_ERR_CLOSED.
 */
etcd3_code_t etcd3_lease_revoke_id(const etcd3_client_t *client,
                                   int64_t lease_id,
                                   etcd3_error_t **err);

/**
 * Renews a lease once, whoever made it. What it has from now on comes through `ttl_s`, which may be NULL. RPC:
 * Lease.LeaseKeepAlive; repeated within the client's time limit.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT (0), ETCD3_ERR_LEASE_NOT_FOUND, ETCD3_ERR_PERMISSION_DENIED, ETCD3_ERR_UNAVAILABLE,
 * ETCD3_ERR_TIMEOUT, ETCD3_ERR_CLOSED.
 */
etcd3_code_t etcd3_lease_keep_alive_once(const etcd3_client_t *client,
                                         int64_t lease_id,
                                         int64_t *ttl_s,
                                         etcd3_error_t **err);

/**
 * Grants a lease as etcd3_lease_grant does and keeps it alive. `fn` is called with `user_data` for ETCD3_EVENT_LOST and
 * ETCD3_EVENT_CLOSED by whoever dispatches `queue`, or, if `queue` is NULL, by the client's own callback thread; with a
 * queue `fn` may be NULL, for etcd3_queue_next; with neither nobody is told, and etcd3_lease_is_alive says it. The lease
 * comes through `lease`; free with etcd3_lease_free. Nothing is called, and no lease left behind, if this fails.
 * RPC: Lease.LeaseGrant, Lease.LeaseKeepAlive. Errors: those of etcd3_lease_grant, ETCD3_ERR_SYSTEM (no thread).
 */
etcd3_code_t etcd3_lease_open(const etcd3_client_t *client,
                              int64_t ttl_s,
                              int64_t lease_id,
                              const etcd3_queue_t *queue,
                              etcd3_event_fn fn,
                              void *user_data,
                              etcd3_lease_t **lease,
                              etcd3_error_t **err);

/**
 * Keeps a lease alive that exists already, whoever made it; it is renewed once before this returns. The rest is as with
 * etcd3_lease_open. RPC: Lease.LeaseKeepAlive. Errors: those of etcd3_lease_keep_alive_once, ETCD3_ERR_SYSTEM (no thread).
 */
etcd3_code_t etcd3_lease_adopt(const etcd3_client_t *client,
                               int64_t lease_id,
                               const etcd3_queue_t *queue,
                               etcd3_event_fn fn,
                               void *user_data,
                               etcd3_lease_t **lease,
                               etcd3_error_t **err);

/** The id; 0 for NULL and in a forked child. */
int64_t etcd3_lease_id(const etcd3_lease_t *lease);

/** How many seconds the server gives it with each renewal; 0 for NULL and in a forked child. */
int64_t etcd3_lease_ttl(const etcd3_lease_t *lease);

/**
 * For how many more milliseconds the server keeps it at least, as this side knows without asking; 0 once it is lost, for
 * NULL and in a forked child.
 */
int64_t etcd3_lease_remaining_ms(const etcd3_lease_t *lease);

/** 1 as long as the lease is not lost, else 0: what etcd3_lease_remaining_ms says. Once 0, always 0. */
int etcd3_lease_is_alive(const etcd3_lease_t *lease);

/**
 * With `yes` 1 tells of each renewal from now on, by ETCD3_EVENT_RENEWED, where it tells of the loss; with 0 no more. If
 * they are not taken in time only the newest waits. Those by etcd3_lease_refresh are told too, of any handle of the lease
 * in this client.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT (`yes`; a lease without queue and function), ETCD3_ERR_LEASE_LOST, ETCD3_ERR_CLOSED.
 */
etcd3_code_t etcd3_lease_tell_renewals(const etcd3_lease_t *lease,
                                       int yes,
                                       etcd3_error_t **err);

/**
 * Renews a lease now, in addition to what keeps it alive. RPC: Lease.LeaseKeepAlive.
 * Errors: those of etcd3_lease_keep_alive_once; ETCD3_ERR_LEASE_LOST if it is lost, and nothing is sent.
 */
etcd3_code_t etcd3_lease_refresh(const etcd3_lease_t *lease, etcd3_error_t **err);

/**
 * Revokes a lease, and with it deletes all its keys: ETCD3_EVENT_LOST comes with ETCD3_LOST_REVOKED. If this fails the lease
 * is still kept alive, as long as it exists. RPC: Lease.LeaseRevoke. Errors: those of etcd3_lease_revoke_id.
 */
etcd3_code_t etcd3_lease_revoke(const etcd3_lease_t *lease,
                                etcd3_error_t **err);

/**
 * Frees a lease: nobody keeps it alive any more, and the server deletes it and its keys when its time is over. It is not
 * revoked. ETCD3_EVENT_CLOSED still comes, with no error, and ETCD3_EVENT_LOST before it only if it was lost already.
 */
void etcd3_lease_free(etcd3_lease_t *lease);

/*
 * What the server says of leases, whoever made them.
 */

/** What the server says of a lease. */
typedef struct etcd3_lease_info_t etcd3_lease_info_t;

/** The ids of leases. */
typedef struct etcd3_lease_list_t etcd3_lease_list_t;

/**
 * Asks the server about a lease; with `keys` 1 also for its keys, which takes the permission to read them. The answer comes
 * through `info`; free with etcd3_lease_info_free. A lease that does not exist is not an error: etcd3_lease_info_ttl is
 * then -1. RPC: Lease.LeaseTimeToLive. Errors: those of etcd3_get.
 */
etcd3_code_t etcd3_lease_time_to_live(const etcd3_client_t *client,
                                      int64_t lease_id,
                                      int keys,
                                      etcd3_lease_info_t **info,
                                      etcd3_error_t **err);

/** The header of the answer; NULL for NULL. Borrowed from `info`. */
const etcd3_header_t *etcd3_lease_info_header(const etcd3_lease_info_t *info);

/** The lease's id; 0 for NULL. */
int64_t etcd3_lease_info_id(const etcd3_lease_info_t *info);

/** How many seconds are left of it; -1 if it does not exist; 0 for NULL. */
int64_t etcd3_lease_info_ttl(const etcd3_lease_info_t *info);

/** How many seconds each renewal gives it; 0 for NULL. */
int64_t etcd3_lease_info_granted_ttl(const etcd3_lease_info_t *info);

/** How many keys it has, if they were asked for. */
size_t etcd3_lease_info_key_count(const etcd3_lease_info_t *info);

/** The key at `index`, from 0, of `*len` bytes; NULL past the end. Borrowed from `info`; `len` may be NULL. */
const uint8_t *etcd3_lease_info_key(const etcd3_lease_info_t *info, size_t index, size_t *len);

/** Frees what etcd3_lease_time_to_live brought. */
void etcd3_lease_info_free(etcd3_lease_info_t *info);

/**
 * Lists the leases there are. The list comes through `list`; free with etcd3_lease_list_free. It is that of one member,
 * which may lag behind. RPC: Lease.LeaseLeases. Errors: those of etcd3_get.
 */
etcd3_code_t etcd3_lease_list(const etcd3_client_t *client,
                              etcd3_lease_list_t **list,
                              etcd3_error_t **err);

/** The header of the answer; NULL for NULL. Borrowed from `list`. */
const etcd3_header_t *etcd3_lease_list_header(const etcd3_lease_list_t *list);

/** How many leases the list has. */
size_t etcd3_lease_list_count(const etcd3_lease_list_t *list);

/** The id at `index`, from 0; 0 past the end. */
int64_t etcd3_lease_list_id(const etcd3_lease_list_t *list, size_t index);

/** Frees a list. */
void etcd3_lease_list_free(etcd3_lease_list_t *list);

/* ---- Sessions -------------------------------------------------------------------------------- */

/*
 * A session is a lease that lives as long as its owner: what locks and elections hang on. One per process and client is
 * enough. Its loss is that of its lease, see there.
 */

/** A session. */
typedef struct etcd3_session_t etcd3_session_t;

/**
 * Opens a session with a lease of `ttl_s` seconds (0: 60), or, if `lease_id` is not 0, with that lease, which it keeps alive
 * from now on; `ttl_s` must then be 0. For `queue`, `fn` and `user_data` see etcd3_lease_open. The session comes through
 * `session`; free with etcd3_session_free. RPC: Lease.LeaseGrant, Lease.LeaseKeepAlive. Errors: those of etcd3_lease_open
 * and etcd3_lease_adopt.
 */
etcd3_code_t etcd3_session_open(const etcd3_client_t *client,
                                int64_t ttl_s,
                                int64_t lease_id,
                                const etcd3_queue_t *queue,
                                etcd3_event_fn fn,
                                void *user_data,
                                etcd3_session_t **session,
                                etcd3_error_t **err);

/** The id of its lease; 0 for NULL and in a forked child. */
int64_t etcd3_session_lease_id(const etcd3_session_t *session);

/** 1 as long as its lease is not lost nor the session ended, else 0. Once 0, always 0. */
int etcd3_session_is_alive(const etcd3_session_t *session);

/**
 * With `yes` 1 has each renewal of its lease told, as etcd3_lease_tell_renewals does; with 0 no more. Errors: those of
 * etcd3_lease_tell_renewals.
 */
etcd3_code_t etcd3_session_tell_renewals(const etcd3_session_t *session,
                                         int yes,
                                         etcd3_error_t **err);

/**
 * Ends a session: revokes its lease, and with it deletes all its keys, within `timeout_ms`, above 0. The session is over
 * whatever this returns; where the lease may not have been revoked it is left to expire. ETCD3_EVENT_LOST comes with
 * ETCD3_LOST_REVOKED, or ETCD3_LOST_CLOSED if this failed. RPC: Lease.LeaseRevoke. Errors: those of etcd3_lease_revoke_id;
 * ETCD3_ERR_LEASE_LOST if it was ended before.
 */
etcd3_code_t etcd3_session_close(const etcd3_session_t *session,
                                 int64_t timeout_ms,
                                 etcd3_error_t **err);

/**
 * Ends a session without revoking its lease, which is left to expire, or to whoever adopts it. ETCD3_EVENT_CLOSED comes, with
 * no error. Sends nothing.
 */
void etcd3_session_orphan(const etcd3_session_t *session);

/** Frees a session. If it was not ended, and nothing that hangs on it is left, it ends as by etcd3_session_orphan. */
void etcd3_session_free(etcd3_session_t *session);

/* ---- Locks ----------------------------------------------------------------------------------- */

/*
 * A lock is held by one session at a time, in the order in which they came: clientv3's, etcdctl's and the server's locks of
 * the same name stand in the same line. It is held until it is released, or lost with its session; the loss can be reported,
 * but a process that was paused learns of it late. So guard what the lock protects: with etcd3_txn_if_lock or etcd3_lock_put
 * for what is in etcd, with etcd3_lock_token for what is not. A key without a lease that somebody puts under the lock's name
 * and a slash blocks it until it is deleted.
 *
 * Waiting takes no thread with etcd3_lock_acquire_async. An acquisition that fails leaves nothing behind: its key is deleted,
 * in the background if need be. Two locks of one session and name exclude each other within a client.
 */

/** A lock. */
typedef struct etcd3_lock_t etcd3_lock_t;

/**
 * A lock of this name, which must not be empty, for a session. Sends nothing. It comes through `lock`; free with
 * etcd3_lock_free. Its key is the name, a slash and the lease's id. Errors: ETCD3_ERR_INVALID_ARGUMENT.
 */
etcd3_code_t etcd3_lock_new(const etcd3_session_t *session,
                            const void *name,
                            size_t name_len,
                            etcd3_lock_t **lock,
                            etcd3_error_t **err);

/**
 * The readers' side of a read-write lock, with the keys of clientv3's recipe: held by any number of readers, but by none
 * while an older writer holds it or waits. Else as etcd3_lock_new.
 */
etcd3_code_t etcd3_lock_new_read(const etcd3_session_t *session,
                                 const void *name,
                                 size_t name_len,
                                 etcd3_lock_t **lock,
                                 etcd3_error_t **err);

/**
 * The writers' side of a read-write lock: held by one writer alone, once all older readers and writers have gone. Else as
 * etcd3_lock_new. A read-write lock and an etcd3_lock_new of the same name do not exclude each other as one would think.
 */
etcd3_code_t etcd3_lock_new_write(const etcd3_session_t *session,
                                  const void *name,
                                  size_t name_len,
                                  etcd3_lock_t **lock,
                                  etcd3_error_t **err);

/**
 * A lock that excludes python-etcd3's Lock of this name: the one key /locks/ and the name. It is unfair: at a release all
 * wake up, and the fastest has it. Never use it together with another kind of lock for one thing. Else as etcd3_lock_new.
 */
etcd3_code_t etcd3_lock_new_python(const etcd3_session_t *session,
                                   const void *name,
                                   size_t name_len,
                                   etcd3_lock_t **lock,
                                   etcd3_error_t **err);

/**
 * A lock with a session of its own, of a lease of `ttl_s` seconds (0: 60) that is kept alive. It comes through `lock`; free
 * with etcd3_lock_free, which ends the session too. RPC: Lease.LeaseGrant. Errors: those of etcd3_session_open.
 */
etcd3_code_t etcd3_lock_open(const etcd3_client_t *client,
                             const void *name,
                             size_t name_len,
                             int64_t ttl_s,
                             etcd3_lock_t **lock,
                             etcd3_error_t **err);

/**
 * Acquires the lock, waiting up to `timeout_ms` (above 0; -1: for as long as it takes) for those who came before. Acquiring
 * it twice through one handle waits for the first to be released. RPC: KV.Txn; to wait, KV.Range and Watch.Watch.
 * Errors: ETCD3_ERR_TIMEOUT, ETCD3_ERR_UNAVAILABLE (no endpoint was reached within the limit), ETCD3_ERR_LEASE_LOST (the
 * session is lost, or its key was deleted while waiting), ETCD3_ERR_CLOSED, ETCD3_ERR_INVALID_ARGUMENT, those of etcd3_get.
 */
etcd3_code_t etcd3_lock_acquire(const etcd3_lock_t *lock,
                                int64_t timeout_ms,
                                etcd3_error_t **err);

/** Acquires the lock if nobody has it and nobody waits for it. Errors: ETCD3_ERR_LOCKED, else those of etcd3_lock_acquire. */
etcd3_code_t etcd3_lock_try(const etcd3_lock_t *lock,
                            etcd3_error_t **err);

/**
 * Starts to acquire the lock and returns. ETCD3_EVENT_ACQUIRED comes when it is held, with the token as its revision. Then,
 * if it is lost, ETCD3_EVENT_LOST. ETCD3_EVENT_CLOSED is the last: without an error after a release, with one after a loss
 * or if it was not acquired: those of etcd3_lock_acquire, or ETCD3_ERR_CANCELED. Queue and callback are as for
 * etcd3_execute_async. `call` may be NULL, else it comes through it, and etcd3_call_cancel ends the wait, not the holding;
 * free with etcd3_call_free. Nothing is called if this fails. Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED,
 * ETCD3_ERR_SYSTEM (no thread).
 */
etcd3_code_t etcd3_lock_acquire_async(const etcd3_lock_t *lock,
                                      int64_t timeout_ms,
                                      const etcd3_queue_t *queue,
                                      etcd3_event_fn fn,
                                      void *user_data,
                                      etcd3_call_t **call,
                                      etcd3_error_t **err);

/**
 * Releases the lock: deletes its key, if it is still the one with the token. It is not held any more after that, with an
 * error too: where no server answers, the library goes on trying in the background. RPC: KV.Txn.
 * Errors: ETCD3_ERR_NOT_HELD (never acquired, or released already), ETCD3_ERR_LOCK_LOST (it was lost before), and those of
 * etcd3_execute.
 */
etcd3_code_t etcd3_lock_release(const etcd3_lock_t *lock,
                                etcd3_error_t **err);

/** 1 if the lock is held through this handle and not known to be lost, else 0. Asks no server, so it is no guard. */
int etcd3_lock_is_acquired(const etcd3_lock_t *lock);

/**
 * Has the loss of the lock, as it is held now, reported: ETCD3_EVENT_LOST with its reason. ETCD3_EVENT_CLOSED is the last,
 * also after a release. Queue and callback are as for etcd3_execute_async. Errors: ETCD3_ERR_NOT_HELD,
 * ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, ETCD3_ERR_SYSTEM (no thread).
 */
etcd3_code_t etcd3_lock_watch_loss(const etcd3_lock_t *lock,
                                   const etcd3_queue_t *queue,
                                   etcd3_event_fn fn,
                                   void *user_data,
                                   etcd3_error_t **err);

/**
 * Renews the lease of the lock's session now, which is also done without it. `*ttl_s` is the seconds it has then; `ttl_s` may
 * be NULL. RPC: Lease.LeaseKeepAlive. Errors: ETCD3_ERR_NOT_HELD, ETCD3_ERR_LOCK_LOST, ETCD3_ERR_LEASE_LOST, and those of
 * etcd3_lease_keep_alive_once.
 */
etcd3_code_t etcd3_lock_refresh(const etcd3_lock_t *lock,
                                int64_t *ttl_s,
                                etcd3_error_t **err);

/**
 * The fencing token: a number above that of every holder before. It is the revision that created the lock's key. Give it
 * along with what is done under the lock, and have older ones refused. 0 if the lock is not held.
 */
int64_t etcd3_lock_token(const etcd3_lock_t *lock);

/** The lock's own key, held or not: `*len` bytes, which may be any; `len` may be NULL. Borrowed from `lock`; NULL for NULL. */
const uint8_t *etcd3_lock_key(const etcd3_lock_t *lock,
                              size_t *len);

/**
 * Adds the comparison that the lock is held with its token: what the transaction writes then is written by the holder, or not
 * at all. A mistake, ETCD3_ERR_NOT_HELD or ETCD3_ERR_LOCK_LOST, if it is not held now. Executed in another namespace than
 * the lock's, the transaction is ETCD3_ERR_INVALID_ARGUMENT.
 */
void etcd3_txn_if_lock(etcd3_op_t *txn,
                       const etcd3_lock_t *lock);

/**
 * Puts a value to a key if the lock is held, which the server checks together with the put. RPC: KV.Txn.
 * Errors: ETCD3_ERR_NOT_HELD, ETCD3_ERR_LOCK_LOST (nothing was put), and those of etcd3_put.
 */
etcd3_code_t etcd3_lock_put(const etcd3_lock_t *lock,
                            const void *key,
                            size_t key_len,
                            const void *value,
                            size_t value_len,
                            etcd3_error_t **err);

/** Frees a lock. One that is held is released, and one that is waited for is given up, in the background. */
void etcd3_lock_free(etcd3_lock_t *lock);

/* ---- Elections ------------------------------------------------------------------------------- */

/*
 * An election has one leader at a time, a session, and whoever comes next is next. Candidates of clientv3 and of etcdctl stand
 * in the same line. What is said of locks is true here: leadership is lost with the session, and only a guard,
 * etcd3_txn_if_leader, is sure.
 */

/** A candidate of an election. */
typedef struct etcd3_election_t etcd3_election_t;

/** Who follows an election. */
typedef struct etcd3_observer_t etcd3_observer_t;

/**
 * A candidate, who does not campaign yet, of the election of this name, which must not be empty. Sends nothing. It comes
 * through `election`; free with etcd3_election_free. Errors: ETCD3_ERR_INVALID_ARGUMENT.
 */
etcd3_code_t etcd3_election_new(const etcd3_session_t *session,
                                const void *name,
                                size_t name_len,
                                etcd3_election_t **election,
                                etcd3_error_t **err);

/**
 * The leader, known by the key and the revision of etcd3_election_key and etcd3_election_token, maybe of a former process,
 * whose lease the session has adopted. It comes through `election`; free with etcd3_election_free. RPC: KV.Txn.
 * Errors: ETCD3_ERR_NOT_ELECTED (such a key does not lead), ETCD3_ERR_INVALID_ARGUMENT, and those of etcd3_get.
 */
etcd3_code_t etcd3_election_resume(const etcd3_session_t *session,
                                   const void *name,
                                   size_t name_len,
                                   const void *key,
                                   size_t key_len,
                                   int64_t revision,
                                   etcd3_election_t **election,
                                   etcd3_error_t **err);

/**
 * Campaigns with a value, and waits up to `timeout_ms` (above 0; -1: for as long as it takes) to be the leader. A leader who
 * campaigns proclaims the value. RPC: KV.Txn; to wait, KV.Range and Watch.Watch. Errors: those of etcd3_lock_acquire.
 */
etcd3_code_t etcd3_election_campaign(const etcd3_election_t *election,
                                     const void *value,
                                     size_t value_len,
                                     int64_t timeout_ms,
                                     etcd3_error_t **err);

/** Starts to campaign and returns: ETCD3_EVENT_ACQUIRED comes with leadership. All else is as for etcd3_lock_acquire_async. */
etcd3_code_t etcd3_election_campaign_async(const etcd3_election_t *election,
                                           const void *value,
                                           size_t value_len,
                                           int64_t timeout_ms,
                                           const etcd3_queue_t *queue,
                                           etcd3_event_fn fn,
                                           void *user_data,
                                           etcd3_call_t **call,
                                           etcd3_error_t **err);

/** Has the leader say another value. RPC: KV.Txn. Errors: ETCD3_ERR_NOT_ELECTED, and those of etcd3_put. */
etcd3_code_t etcd3_election_proclaim(const etcd3_election_t *election,
                                     const void *value,
                                     size_t value_len,
                                     etcd3_error_t **err);

/**
 * Gives leadership up; for whoever does not lead there is nothing to do. With an error too: the library goes on trying in the
 * background. RPC: KV.Txn. Errors: those of etcd3_execute.
 */
etcd3_code_t etcd3_election_resign(const etcd3_election_t *election,
                                   etcd3_error_t **err);

/** 1 if this candidate leads and is not known to have lost leadership, else 0. Asks no server, so it is no guard. */
int etcd3_election_is_leader(const etcd3_election_t *election);

/**
 * Has the loss of leadership, as it is held now, reported, as etcd3_lock_watch_loss does for a lock.
 * Errors: ETCD3_ERR_NOT_ELECTED, ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, ETCD3_ERR_SYSTEM (no thread).
 */
etcd3_code_t etcd3_election_watch_loss(const etcd3_election_t *election,
                                       const etcd3_queue_t *queue,
                                       etcd3_event_fn fn,
                                       void *user_data,
                                       etcd3_error_t **err);

/** The fencing token of the leader, as etcd3_lock_token of a lock's holder; 0 for whoever does not lead. */
int64_t etcd3_election_token(const etcd3_election_t *election);

/** The candidate's own key: `*len` bytes, which may be any; `len` may be NULL. Borrowed from `election`; NULL for NULL. */
const uint8_t *etcd3_election_key(const etcd3_election_t *election,
                                  size_t *len);

/**
 * Adds the comparison that the candidate leads. A mistake, ETCD3_ERR_NOT_ELECTED, if it does not now. Executed in another
 * namespace than the election's, the transaction is ETCD3_ERR_INVALID_ARGUMENT.
 */
void etcd3_txn_if_leader(etcd3_op_t *txn,
                         const etcd3_election_t *election);

/** Frees a candidate. One who leads resigns, and one who campaigns gives up, in the background. */
void etcd3_election_free(etcd3_election_t *election);

/**
 * Who leads the election of this name: the answer is that to a get of the leader's key, whose value is what it proclaims. It
 * comes through `result`; free with etcd3_result_free. RPC: KV.Range. Errors: ETCD3_ERR_NO_ELECTED_LEADER, those of
 * etcd3_get.
 */
etcd3_code_t etcd3_election_leader(const etcd3_client_t *client,
                                   const void *name,
                                   size_t name_len,
                                   etcd3_result_t **result,
                                   etcd3_error_t **err);

/**
 * Follows the election of this name: ETCD3_EVENT_LEADER tells who leads or that nobody does, first as it is now and then after
 * each change; of changes in quick succession the last is told. ETCD3_EVENT_STATE tells when the connection is lost and
 * back. Queue and callback are as for etcd3_watch_start. The observer comes through `observer`; free with
 * etcd3_observer_free. RPC: KV.Range, Watch.Watch. Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, ETCD3_ERR_SYSTEM
 * (no thread).
 */
etcd3_code_t etcd3_election_observe(const etcd3_client_t *client,
                                    const void *name,
                                    size_t name_len,
                                    const etcd3_queue_t *queue,
                                    etcd3_event_fn fn,
                                    void *user_data,
                                    etcd3_observer_t **observer,
                                    etcd3_error_t **err);

/** Ends an observer, as etcd3_watch_cancel does a watch. */
void etcd3_observer_cancel(const etcd3_observer_t *observer);

/**
 * Ends an observer and waits up to `timeout_ms` (0: not at all) for its callback, as etcd3_watch_join does for a watch's.
 * Error: ETCD3_ERR_TIMEOUT.
 */
etcd3_code_t etcd3_observer_join(const etcd3_observer_t *observer,
                                 int64_t timeout_ms,
                                 etcd3_error_t **err);

/** Ends and frees an observer. Its ETCD3_EVENT_CLOSED still comes. */
void etcd3_observer_free(etcd3_observer_t *observer);

/* ---- Barriers -------------------------------------------------------------------------------- */

/*
 * A barrier is a key: while it is there, whoever waits, waits. A double barrier has a number of members, who enter together
 * and leave together. Both have the keys of clientv3's recipes.
 */

/** A member of a double barrier. */
typedef struct etcd3_double_barrier_t etcd3_double_barrier_t;

/**
 * Puts the barrier of this name, which must not be empty, up. It stays until somebody releases it: it has no lease.
 * RPC: KV.Txn. Errors: ETCD3_ERR_LOCKED (it is up), and those of etcd3_put.
 */
etcd3_code_t etcd3_barrier_hold(const etcd3_client_t *client,
                                const void *name,
                                size_t name_len,
                                etcd3_error_t **err);

/**
 * Takes the barrier away, whoever put it up; that there is none is no error. RPC: KV.DeleteRange. Errors: those of
 * etcd3_delete.
 */
etcd3_code_t etcd3_barrier_release(const etcd3_client_t *client,
                                   const void *name,
                                   size_t name_len,
                                   etcd3_error_t **err);

/**
 * Waits until the barrier is away, up to `timeout_ms` (above 0; -1: for as long as it takes). RPC: KV.Range, Watch.Watch.
 * Errors: ETCD3_ERR_TIMEOUT, and those of etcd3_get.
 */
etcd3_code_t etcd3_barrier_wait(const etcd3_client_t *client,
                                const void *name,
                                size_t name_len,
                                int64_t timeout_ms,
                                etcd3_error_t **err);

/**
 * A session as a member of the double barrier of this name, for `count` members, above 0. Sends nothing. It comes through
 * `barrier`; free with etcd3_double_barrier_free. Errors: ETCD3_ERR_INVALID_ARGUMENT.
 */
etcd3_code_t etcd3_double_barrier_new(const etcd3_session_t *session,
                                      const void *name,
                                      size_t name_len,
                                      int64_t count,
                                      etcd3_double_barrier_t **barrier,
                                      etcd3_error_t **err);

/**
 * Enters, and waits up to `timeout_ms` (above 0; -1: for as long as it takes) until all members have. After an error it is
 * not in. RPC: KV.Txn, KV.Range, Watch.Watch.
 * Errors: ETCD3_ERR_CONFLICT (it has all its members already), and those of etcd3_lock_acquire.
 */
etcd3_code_t etcd3_double_barrier_enter(const etcd3_double_barrier_t *barrier,
                                        int64_t timeout_ms,
                                        etcd3_error_t **err);

/**
 * Leaves, and waits up to `timeout_ms` (above 0; -1: for as long as it takes) until all members have. After an error it has
 * left all the same. RPC: KV.Txn, KV.Range, Watch.Watch. Errors: ETCD3_ERR_NOT_HELD (it is not in), ETCD3_ERR_TIMEOUT, and
 * those of etcd3_get.
 */
etcd3_code_t etcd3_double_barrier_leave(const etcd3_double_barrier_t *barrier,
                                        int64_t timeout_ms,
                                        etcd3_error_t **err);

/** Frees a member of a double barrier. One that is in leaves, in the background. */
void etcd3_double_barrier_free(etcd3_double_barrier_t *barrier);

/* ---- Queues of work -------------------------------------------------------------------------- */

/*
 * Queues of work in the store, with the keys of clientv3's recipes: what one client puts in, one other takes out. An item is
 * gone from the store once it is taken; what becomes of it then is up to who has it.
 */

/** Puts an item into the queue of this name, which must not be empty. RPC: KV.Txn. Errors: those of etcd3_put. */
etcd3_code_t etcd3_fifo_enqueue(const etcd3_client_t *client,
                                const void *name,
                                size_t name_len,
                                const void *value,
                                size_t value_len,
                                etcd3_error_t **err);

/**
 * Takes the item that was put in first, waiting up to `timeout_ms` (above 0; -1: for as long as it takes) for one. Its
 * key-value comes through `result`, as the answer to a get; free with etcd3_result_free. RPC: KV.Range, KV.Txn, Watch.Watch.
 * Errors: ETCD3_ERR_TIMEOUT (there was none), ETCD3_ERR_AMBIGUOUS (an item may have been taken; the message names its key),
 * and those of etcd3_get.
 */
etcd3_code_t etcd3_fifo_dequeue(const etcd3_client_t *client,
                                const void *name,
                                size_t name_len,
                                int64_t timeout_ms,
                                etcd3_result_t **result,
                                etcd3_error_t **err);

/**
 * Puts an item into the priority queue of this name, with a priority from 0, which is served first, to 65535. RPC: KV.Range,
 * KV.Txn. Errors: those of etcd3_put.
 */
etcd3_code_t etcd3_pqueue_enqueue(const etcd3_client_t *client,
                                  const void *name,
                                  size_t name_len,
                                  int32_t priority,
                                  const void *value,
                                  size_t value_len,
                                  etcd3_error_t **err);

/** Takes the item with the lowest priority number, and of these the one that was put in first. Else as etcd3_fifo_dequeue. */
etcd3_code_t etcd3_pqueue_dequeue(const etcd3_client_t *client,
                                  const void *name,
                                  size_t name_len,
                                  int64_t timeout_ms,
                                  etcd3_result_t **result,
                                  etcd3_error_t **err);

/* ---- Transactional memory -------------------------------------------------------------------- */

/*
 * Software transactional memory: a function of yours reads and writes keys; what it wrote is committed in one transaction, if
 * what it read is still so, or else the function runs again. So it must have no effect but through these calls.
 */

/** Reads are of one revision, and neither what was read nor what is written has changed since then. */
#define ETCD3_STM_SERIALIZABLE_SNAPSHOT 0

/** Reads are of one revision, and nothing of what was read has changed since then. */
#define ETCD3_STM_SERIALIZABLE 1

/** Each key reads the same each time, and nothing of what was read has changed since. */
#define ETCD3_STM_REPEATABLE_READS 2

/** Each key reads the same each time; nothing is checked at the commit. */
#define ETCD3_STM_READ_COMMITTED 3

/** Returned by the function to have its writes committed. */
#define ETCD3_STM_COMMIT 0

/** Returned by the function to end it all, with nothing written. */
#define ETCD3_STM_ABORT 1

/** One attempt; lives until the function returns. */
typedef struct etcd3_stm_t etcd3_stm_t;

/**
 * Reads and writes through `stm` and returns ETCD3_STM_COMMIT or ETCD3_STM_ABORT. Runs on the thread of etcd3_stm_run, once
 * for each attempt; it may call any function of this library, and must return.
 */
typedef int32_t (*etcd3_stm_fn)(etcd3_stm_t *stm, void *user_data);

/**
 * Runs `fn` with `user_data`, up to `max_attempts` times (0: 100), until what it did is committed: `*revision` is that
 * commit's; `revision` may be NULL. `isolation` is one of ETCD3_STM_…; all of it takes up to `timeout_ms` (above 0; 0: the
 * client's limit), the function's own time included. RPC: KV.Range, KV.Txn.
 * Errors: ETCD3_ERR_CONFLICT (others were faster each time), ETCD3_ERR_ABORTED (the function asked for it),
 * ETCD3_ERR_AMBIGUOUS (the commit's outcome is unknown; it was sent once), ETCD3_ERR_INVALID_ARGUMENT, and those of
 * etcd3_execute.
 */
etcd3_code_t etcd3_stm_run(const etcd3_client_t *client,
                           int32_t isolation,
                           int32_t max_attempts,
                           int64_t timeout_ms,
                           etcd3_stm_fn fn,
                           void *user_data,
                           int64_t *revision,
                           etcd3_error_t **err);

/**
 * Reads a key. `*value` is its value, `*value_len` bytes, borrowed until the function returns; NULL if there is no such key.
 * What was written in this attempt reads as written. After an error, other than of an argument, the attempt is lost: return.
 * RPC: KV.Range. Errors: those of etcd3_get.
 */
etcd3_code_t etcd3_stm_get(etcd3_stm_t *stm,
                           const void *key,
                           size_t key_len,
                           const uint8_t **value,
                           size_t *value_len,
                           etcd3_error_t **err);

/**
 * Reads at which revision a key was last put, leaving out this attempt's writes; 0 if there is no such key. RPC: KV.Range.
 * Errors: those of etcd3_get.
 */
etcd3_code_t etcd3_stm_mod_revision(etcd3_stm_t *stm,
                                    const void *key,
                                    size_t key_len,
                                    int64_t *revision,
                                    etcd3_error_t **err);

/** Puts a value to a key when the transaction is committed. Errors: ETCD3_ERR_INVALID_ARGUMENT. */
etcd3_code_t etcd3_stm_put(etcd3_stm_t *stm,
                           const void *key,
                           size_t key_len,
                           const void *value,
                           size_t value_len,
                           etcd3_error_t **err);

/** Deletes a key when the transaction is committed. Errors: ETCD3_ERR_INVALID_ARGUMENT. */
etcd3_code_t etcd3_stm_delete(etcd3_stm_t *stm, const void *key, size_t key_len, etcd3_error_t **err);

/* ---- Reading in pages ------------------------------------------------------------------------ */

/*
 * A read of any size: part by part, so that no answer is large, and all of it from one revision, as one read would
 * be. A server from 3.7 on streams the parts; others are asked for a page at a time. What is not taken is not read.
 */

/** A read in parts. */
typedef struct etcd3_range_t etcd3_range_t;

/**
 * Starts to read what `op`, a get with any option but etcd3_op_set_sort and etcd3_op_set_count_only, would bring: counts
 * the keys and fixes the revision, the newest if the op names none. Up to `page` keys come at a time, where the server is
 * asked for pages; 0 for 1000. The op's time limit, or the client's, is for each step. It comes through `range`; free
 * with etcd3_range_free. RPC: KV.Range. Errors: those of etcd3_execute.
 */
etcd3_code_t etcd3_range_open(const etcd3_client_t *client,
                              const etcd3_op_t *op,
                              int64_t page,
                              etcd3_range_t **range,
                              etcd3_error_t **err);

/**
 * Waits for the next part, a get's result with at least one key, in the order of the keys. It comes through `result`, free
 * with etcd3_result_free; NULL when all was read. After an error it may be called again, but for ETCD3_ERR_COMPACTED,
 * which comes when the revision was compacted away meanwhile: the rest is gone. RPC: KV.RangeStream or KV.Range. Errors:
 * those of etcd3_execute; ETCD3_ERR_BUSY (another thread is at it), ETCD3_ERR_CLOSED (also after the client is freed).
 */
etcd3_code_t etcd3_range_next(const etcd3_range_t *range,
                              etcd3_result_t **result,
                              etcd3_error_t **err);

/** The revision that all of it is from; 0 for NULL. */
int64_t etcd3_range_revision(const etcd3_range_t *range);

/** How many keys the range has at that revision, before limit and filters: what progress is measured by; 0 for NULL. */
int64_t etcd3_range_total(const etcd3_range_t *range);

/** Frees a read, wherever it stands; not while another thread is in etcd3_range_next. */
void etcd3_range_free(etcd3_range_t *range);

/* ---- Namespaces ------------------------------------------------------------------------------ */

/*
 * A namespace is a part of the store: all keys behind one prefix. A handle of one is a client to which that part is
 * the whole: keys go out with the prefix before them and come back without it. It goes wherever a client goes.
 */

/**
 * Makes a handle of the namespace of `prefix`, which must not be empty, of `client`; of a handle of a namespace: of the
 * namespace in it, the prefixes one after the other. Sends nothing. It comes through `namespaced`; free with
 * etcd3_client_free.
 *
 * Behind the prefix are the keys of all operations, watches, reads in pages, locks, elections, barriers, queues of work and
 * transactional memory that are made with the handle, those that they give back, and those of a lease; an empty key with
 * prefix or from-key means all of the namespace. The key that is the prefix and nothing more is not in it. An answer with
 * a key of outside is ETCD3_ERR_PROTOCOL, or ETCD3_ERR_AMBIGUOUS to a write, and ends a watch. Not concerned are lease
 * ids, revisions, raw calls, compaction, members, status, alarms, defragmentation, hashes, snapshots, leadership,
 * downgrades, authentication, users and roles: they are the cluster's, as if asked of the client.
 *
 * Connections, the streams of watches and leases, endpoints, credentials, counters, settings, and what ordering has seen
 * are the client's, also where they are set through the handle; a callback thread, if it needs one, is its own. None of the
 * events of etcd3_config_set_events come through a handle: they are told once, where the client was told to.
 * etcd3_client_close on the handle ends what was made with it and nothing else; on the client that too, and the handle
 * then gives ETCD3_ERR_CLOSED. etcd3_client_cancel_calls likewise. They may be freed in any order.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED.
 */
etcd3_code_t etcd3_namespace_open(const etcd3_client_t *client,
                                  const void *prefix,
                                  size_t prefix_len,
                                  etcd3_client_t **namespaced,
                                  etcd3_error_t **err);

/* ---- Members --------------------------------------------------------------------------------- */

/*
 * The members of the cluster, and changing them. Give a new member's peer URLs to etcd3_member_add first, then start the
 * member. A change whose answer is lost fails with ETCD3_ERR_AMBIGUOUS and is not repeated: list the members.
 */

/** A list of members. It never changes and may be read by many threads. */
typedef struct etcd3_members_t etcd3_members_t;

/**
 * Lists the members: as the cluster agrees on them with `linearizable` 1; with 0 as the asked member knows them, which
 * works without a leader too. Servers of 3.4 always do the latter. The list comes through `members`; free with
 * etcd3_members_free. RPC: Cluster.MemberList. Errors: those of etcd3_get.
 */
etcd3_code_t etcd3_member_list(const etcd3_client_t *client,
                               int linearizable,
                               etcd3_members_t **members,
                               etcd3_error_t **err);

/**
 * Adds a member that will be found by the others at `count` peer URLs, such as "http://10.0.0.4:2380", at least one:
 * with `is_learner` 1 one that replicates without a vote until etcd3_member_promote. `*member_id` is its id, `members` is
 * all members with it, free with etcd3_members_free; both may be NULL. RPC: Cluster.MemberAdd. Errors: those of etcd3_put;
 * ETCD3_ERR_PEER_URL_EXISTS, ETCD3_ERR_UNHEALTHY, ETCD3_ERR_NOT_ENOUGH_STARTED, ETCD3_ERR_TOO_MANY_LEARNERS.
 */
etcd3_code_t etcd3_member_add(const etcd3_client_t *client,
                              const char *const *peer_urls,
                              size_t count,
                              int is_learner,
                              uint64_t *member_id,
                              etcd3_members_t **members,
                              etcd3_error_t **err);

/**
 * Gives a member other peer URLs, at least one. `members` is all members then, free with etcd3_members_free; it may be
 * NULL. RPC: Cluster.MemberUpdate. Errors: those of etcd3_put; ETCD3_ERR_MEMBER_NOT_FOUND, ETCD3_ERR_PEER_URL_EXISTS.
 */
etcd3_code_t etcd3_member_update(const etcd3_client_t *client,
                                 uint64_t member_id,
                                 const char *const *peer_urls,
                                 size_t count,
                                 etcd3_members_t **members,
                                 etcd3_error_t **err);

/**
 * Gives a learner its vote. `members` is all members then, free with etcd3_members_free; it may be NULL. RPC:
 * Cluster.MemberPromote. Errors: those of etcd3_put; ETCD3_ERR_MEMBER_NOT_FOUND, ETCD3_ERR_MEMBER_NOT_LEARNER,
 * ETCD3_ERR_LEARNER_NOT_READY (it has not caught up with the leader: try again).
 */
etcd3_code_t etcd3_member_promote(const etcd3_client_t *client,
                                  uint64_t member_id,
                                  etcd3_members_t **members,
                                  etcd3_error_t **err);

/**
 * Removes a member, for ever: one that is to come back must be added anew, without its data. `members` is those that are
 * left, free with etcd3_members_free; it may be NULL. RPC: Cluster.MemberRemove. Errors: those of etcd3_put;
 * ETCD3_ERR_MEMBER_NOT_FOUND, ETCD3_ERR_NOT_ENOUGH_STARTED, ETCD3_ERR_UNHEALTHY.
 */
etcd3_code_t etcd3_member_remove(const etcd3_client_t *client,
                                 uint64_t member_id,
                                 etcd3_members_t **members,
                                 etcd3_error_t **err);

/** The header of the answer; NULL for NULL. Borrowed from `members`. */
const etcd3_header_t *etcd3_members_header(const etcd3_members_t *members);

/** How many members there are. */
size_t etcd3_members_count(const etcd3_members_t *members);

/** The id of the member at `index`, from 0; 0 past the end. */
uint64_t etcd3_members_id(const etcd3_members_t *members, size_t index);

/** The name of the member at `index`; "" if it was never started, and past the end. Borrowed from `members`. */
const char *etcd3_members_name(const etcd3_members_t *members, size_t index);

/** 1 if the member at `index` was started, so that it has a name and client URLs; else 0. */
int etcd3_members_is_started(const etcd3_members_t *members, size_t index);

/** 1 if the member at `index` replicates without a vote, else 0. */
int etcd3_members_is_learner(const etcd3_members_t *members, size_t index);

/** How many URLs the member at `index` has for the other members. */
size_t etcd3_members_peer_url_count(const etcd3_members_t *members, size_t index);

/**
 * URL number `url_index`, from 0, at which the other members find the member at `index`; NULL past the end. Borrowed
 * from `members`.
 */
const char *etcd3_members_peer_url(const etcd3_members_t *members,
                                   size_t index,
                                   size_t url_index);

/** How many URLs the member at `index` has for clients; 0 if it was never started. */
size_t etcd3_members_client_url_count(const etcd3_members_t *members, size_t index);

/**
 * URL number `url_index`, from 0, at which clients find the member at `index`; NULL past the end. Borrowed from
 * `members`.
 */
const char *etcd3_members_client_url(const etcd3_members_t *members,
                                     size_t index,
                                     size_t url_index);

/** Frees a list of members. */
void etcd3_members_free(etcd3_members_t *members);

/* ---- Status ---------------------------------------------------------------------------------- */

/*
 * What a member says of itself. Maintenance calls take an `endpoint` in the forms of etcd3_config_add_endpoint: exactly
 * that one is asked, also if it is not one of the client's, which then get a connection for this call alone; NULL for any
 * of the client's. An endpoint without TLS is refused where the client's are with TLS.
 */

/** The state of one member. It never changes and may be read by many threads. */
typedef struct etcd3_status_t etcd3_status_t;

/**
 * Asks a member for its state, also one without a leader, or a learner. It comes through `status`; free with
 * etcd3_status_free. RPC: Maintenance.Status. Errors: those of etcd3_get.
 */
etcd3_code_t etcd3_status(const etcd3_client_t *client,
                          const char *endpoint,
                          etcd3_status_t **status,
                          etcd3_error_t **err);

/** The header of the answer; NULL for NULL. Borrowed from `status`. */
const etcd3_header_t *etcd3_status_header(const etcd3_status_t *status);

/** The id of the cluster. */
uint64_t etcd3_status_cluster_id(const etcd3_status_t *status);

/** The id of the member that answered. */
uint64_t etcd3_status_member_id(const etcd3_status_t *status);

/** The revision of the member's store. */
int64_t etcd3_status_revision(const etcd3_status_t *status);

/** The version of the server program, such as "3.6.5". Borrowed from `status`. */
const char *etcd3_status_version(const etcd3_status_t *status);

/** The size of the database file, in bytes. */
int64_t etcd3_status_db_size(const etcd3_status_t *status);

/** How many bytes of it hold data; what is more, etcd3_defragment gives back. */
int64_t etcd3_status_db_size_in_use(const etcd3_status_t *status);

/** How large the file may become, in bytes; 0 from servers before 3.6. */
int64_t etcd3_status_db_size_quota(const etcd3_status_t *status);

/** The id of the leader; 0 if the member knows none. */
uint64_t etcd3_status_leader(const etcd3_status_t *status);

/** 1 if the member that answered is the leader, else 0. */
int etcd3_status_is_leader(const etcd3_status_t *status);

/** The index of the last entry that the members have agreed on, as this one knows. */
uint64_t etcd3_status_raft_index(const etcd3_status_t *status);

/** The index of the last entry that the member has applied to its store. */
uint64_t etcd3_status_raft_applied_index(const etcd3_status_t *status);

/** The term of the leader. */
uint64_t etcd3_status_raft_term(const etcd3_status_t *status);

/** 1 if the member replicates without a vote, else 0. */
int etcd3_status_is_learner(const etcd3_status_t *status);

/** The version of the format of the database, such as "3.6.0"; "" from servers before 3.6. Borrowed from `status`. */
const char *etcd3_status_storage_version(const etcd3_status_t *status);

/**
 * The version that the cluster is being downgraded to; "" if it is not, and from servers before 3.6. Borrowed from
 * `status`.
 */
const char *etcd3_status_downgrade_target(const etcd3_status_t *status);

/** How many things are wrong, as the member says: alarms, no leader. */
size_t etcd3_status_error_count(const etcd3_status_t *status);

/** What is wrong, at `index` from 0; NULL past the end. Borrowed from `status`. */
const char *etcd3_status_error(const etcd3_status_t *status, size_t index);

/** Frees a status. */
void etcd3_status_free(etcd3_status_t *status);

/* ---- Alarms ---------------------------------------------------------------------------------- */

/*
 * Alarms keep a cluster from taking writes until they are disarmed: NOSPACE that grow it, CORRUPT all. After NOSPACE,
 * compact and defragment first.
 */

/** Any kind, where alarms are chosen. */
#define ETCD3_ALARM_NONE 0

/** A member's space quota is used up. */
#define ETCD3_ALARM_NOSPACE 1

/** A member's data differ from the others'. */
#define ETCD3_ALARM_CORRUPT 2

/** A list of alarms. It never changes and may be read by many threads. */
typedef struct etcd3_alarms_t etcd3_alarms_t;

/**
 * Lists the alarms of a member, or of all with a `member_id` of 0, that are of the kind `alarm`, or of any with
 * ETCD3_ALARM_NONE. They come through `alarms`; free with etcd3_alarms_free. RPC: Maintenance.Alarm. Errors: those of
 * etcd3_get.
 */
etcd3_code_t etcd3_alarm_list(const etcd3_client_t *client,
                              uint64_t member_id,
                              int32_t alarm,
                              etcd3_alarms_t **alarms,
                              etcd3_error_t **err);

/**
 * Raises an alarm of the kind `alarm` for a member, or for every member with a `member_id` of 0. `alarms` is all alarms
 * then, free with etcd3_alarms_free; it may be NULL. RPC: Maintenance.Alarm. Errors: those of etcd3_put.
 */
etcd3_code_t etcd3_alarm_raise(const etcd3_client_t *client,
                               uint64_t member_id,
                               int32_t alarm,
                               etcd3_alarms_t **alarms,
                               etcd3_error_t **err);

/**
 * Disarms the alarms of a member, or of all with a `member_id` of 0, that are of the kind `alarm`, or of any with
 * ETCD3_ALARM_NONE: lists them, then disarms each. `alarms` is those that were, free with etcd3_alarms_free; it may be
 * NULL. That there are none is no error. RPC: Maintenance.Alarm. Errors: those of etcd3_put.
 */
etcd3_code_t etcd3_alarm_disarm(const etcd3_client_t *client,
                                uint64_t member_id,
                                int32_t alarm,
                                etcd3_alarms_t **alarms,
                                etcd3_error_t **err);

/** The header of the last answer to the call; NULL for NULL. Borrowed from `alarms`. */
const etcd3_header_t *etcd3_alarms_header(const etcd3_alarms_t *alarms);

/** How many alarms there are. */
size_t etcd3_alarms_count(const etcd3_alarms_t *alarms);

/** The id of the member that the alarm at `index`, from 0, is of; 0 past the end. */
uint64_t etcd3_alarms_member_id(const etcd3_alarms_t *alarms, size_t index);

/** The kind of the alarm at `index`, an ETCD3_ALARM_*; ETCD3_ALARM_NONE past the end. */
int32_t etcd3_alarms_kind(const etcd3_alarms_t *alarms, size_t index);

/** Frees a list of alarms. */
void etcd3_alarms_free(etcd3_alarms_t *alarms);

/* ---- Maintenance ----------------------------------------------------------------------------- */

/*
 * Care of the members: history, space, leadership, version. `endpoint` is as in etcd3_status.
 */

/** What the cluster says to a downgrade. It never changes and may be read by many threads. */
typedef struct etcd3_downgrade_t etcd3_downgrade_t;

/**
 * Drops the history below `revision`, above 0, which stays the oldest one that can be read. With `physical` 1 it waits
 * until the member that is asked has dropped it from its database. `timeout_ms` is above 0, or 0 for the client's. RPC:
 * KV.Compact. Errors: those of etcd3_put; ETCD3_ERR_COMPACTED (it was already), ETCD3_ERR_FUTURE_REVISION.
 */
etcd3_code_t etcd3_compact(const etcd3_client_t *client,
                           int64_t revision,
                           int physical,
                           int64_t timeout_ms,
                           etcd3_error_t **err);

/**
 * Has a member give the free space of its database file back. It answers nothing else meanwhile, so one member at a time;
 * etcd3_defragment_all does that. Never repeated. `timeout_ms` is above 0, or 0 for 60000 or the client's, whichever is
 * longer. RPC: Maintenance.Defragment. Errors: those of etcd3_put.
 */
etcd3_code_t etcd3_defragment(const etcd3_client_t *client,
                              const char *endpoint,
                              int64_t timeout_ms,
                              etcd3_error_t **err);

/**
 * Defragments all started members, one after another and the leader last, without blocking. After each there is an
 * ETCD3_EVENT_NOTICE; the last event is ETCD3_EVENT_CLOSED, without an error if all are done; it stops at the first that
 * fails. `timeout_ms` is for each, as in etcd3_defragment. `queue`, `fn`, `user_data` and `call` are as in
 * etcd3_execute_async; a call that is cancelled ends with ETCD3_ERR_CANCELED or ETCD3_ERR_AMBIGUOUS, and the member that
 * is at it goes on. RPC: Maintenance.Status, Cluster.MemberList, Maintenance.Defragment.
 * Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, ETCD3_ERR_SYSTEM (no thread).
 */
etcd3_code_t etcd3_defragment_all(const etcd3_client_t *client,
                                  int64_t timeout_ms,
                                  const etcd3_queue_t *queue,
                                  etcd3_event_fn fn,
                                  void *user_data,
                                  etcd3_call_t **call,
                                  etcd3_error_t **err);

/**
 * Has the leader hand its leadership to the member `member_id`. The leader is found by asking the client's endpoints, and
 * if it is none of them, by the cluster's list. That it leads already is no error. RPC: Maintenance.Status,
 * Maintenance.MoveLeader. Errors: those of etcd3_put; ETCD3_ERR_BAD_LEADER_TRANSFEREE, ETCD3_ERR_NO_LEADER.
 */
etcd3_code_t etcd3_move_leader(const etcd3_client_t *client,
                               uint64_t member_id,
                               etcd3_error_t **err);

/**
 * Asks whether the cluster could be downgraded to `version`, such as "3.5"; nothing is changed. The version that the
 * cluster has comes through `answer`, which may be NULL; free with etcd3_downgrade_free. RPC: Maintenance.Downgrade, since
 * 3.5. Errors: those of etcd3_put; ETCD3_ERR_INVALID_DOWNGRADE_VERSION, ETCD3_ERR_DOWNGRADE_IN_PROGRESS,
 * ETCD3_ERR_UNIMPLEMENTED.
 */
etcd3_code_t etcd3_downgrade_validate(const etcd3_client_t *client,
                                      const char *version,
                                      etcd3_downgrade_t **answer,
                                      etcd3_error_t **err);

/**
 * Starts the downgrade of the cluster to `version`: then exchange the members' programs one after another. `answer`, RPC
 * and errors: those of etcd3_downgrade_validate.
 */
etcd3_code_t etcd3_downgrade_enable(const etcd3_client_t *client,
                                    const char *version,
                                    etcd3_downgrade_t **answer,
                                    etcd3_error_t **err);

/**
 * Ends the downgrade that is under way. `answer` is that of etcd3_downgrade_validate. RPC: Maintenance.Downgrade, since
 * 3.5. Errors: those of etcd3_put; ETCD3_ERR_NO_DOWNGRADE, ETCD3_ERR_UNIMPLEMENTED.
 */
etcd3_code_t etcd3_downgrade_cancel(const etcd3_client_t *client,
                                    etcd3_downgrade_t **answer,
                                    etcd3_error_t **err);

/**
 * The version of the cluster, the lowest that its members have: such as "3.6", or "3.5.0" from servers of 3.5; "" for
 * NULL. Borrowed from `answer`.
 */
const char *etcd3_downgrade_version(const etcd3_downgrade_t *answer);

/** The header of the answer; NULL for NULL. Borrowed from `answer`. */
const etcd3_header_t *etcd3_downgrade_header(const etcd3_downgrade_t *answer);

/** Frees an answer. */
void etcd3_downgrade_free(etcd3_downgrade_t *answer);

/* ---- Hashes ---------------------------------------------------------------------------------- */

/*
 * Hashes of what members hold, and whether all of them hold the same. `endpoint` is as in etcd3_status.
 */

/** The hashes of members. They never change and may be read by many threads. */
typedef struct etcd3_hashes_t etcd3_hashes_t;

/** The hash of a member's whole database. RPC: Maintenance.Hash. Errors: those of etcd3_get. */
etcd3_code_t etcd3_hash(const etcd3_client_t *client,
                        const char *endpoint,
                        uint32_t *hash,
                        etcd3_error_t **err);

/**
 * The hash of a member's keys and values up to `revision`, or to its newest with 0: two members hold the same if it and the
 * revision that their history is compacted to are equal. It comes through `hashes`, as a list of one; free with
 * etcd3_hashes_free. RPC: Maintenance.HashKV. Errors: those of etcd3_get; ETCD3_ERR_COMPACTED, ETCD3_ERR_FUTURE_REVISION.
 */
etcd3_code_t etcd3_hash_kv(const etcd3_client_t *client,
                           const char *endpoint,
                           int64_t revision,
                           etcd3_hashes_t **hashes,
                           etcd3_error_t **err);

/**
 * Compares what all started voting members hold at one revision: at `revision`, or with 0 at the newest that all of them
 * have. Members that lag, and compactions under way, are waited for within the client's time limit. That members differ is
 * no error: see etcd3_hashes_difference_count. The hashes come through `hashes`; free with etcd3_hashes_free. RPC:
 * Cluster.MemberList, Maintenance.Status, Maintenance.HashKV. Errors: those of etcd3_hash_kv, of any member.
 */
etcd3_code_t etcd3_hash_kv_compare(const etcd3_client_t *client,
                                   int64_t revision,
                                   etcd3_hashes_t **hashes,
                                   etcd3_error_t **err);

/** How many members were asked. */
size_t etcd3_hashes_count(const etcd3_hashes_t *hashes);

/** The header of the answer of the member at `index`, from 0; NULL past the end. Borrowed from `hashes`. */
const etcd3_header_t *etcd3_hashes_header(const etcd3_hashes_t *hashes, size_t index);

/** How many of them differ from what the majority holds; all of them if there is no majority. 0: all hold the same. */
size_t etcd3_hashes_difference_count(const etcd3_hashes_t *hashes);

/** The id of the member at `index`, from 0; 0 past the end. */
uint64_t etcd3_hashes_member_id(const etcd3_hashes_t *hashes, size_t index);

/** Where the member at `index` was asked; "" past the end. Borrowed from `hashes`. */
const char *etcd3_hashes_endpoint(const etcd3_hashes_t *hashes, size_t index);

/** The hash that the member at `index` gave. */
uint32_t etcd3_hashes_hash(const etcd3_hashes_t *hashes, size_t index);

/** The revision it is for, the same for all. */
int64_t etcd3_hashes_revision(const etcd3_hashes_t *hashes, size_t index);

/** The revision that the history of the member at `index` is compacted to. */
int64_t etcd3_hashes_compact_revision(const etcd3_hashes_t *hashes, size_t index);

/** 1 if the member at `index` differs from what the majority holds, or if there is no majority; else 0. */
int etcd3_hashes_differs(const etcd3_hashes_t *hashes, size_t index);

/** Frees hashes. */
void etcd3_hashes_free(etcd3_hashes_t *hashes);

/* ---- Snapshots ------------------------------------------------------------------------------- */

/*
 * A snapshot is one member's whole database at one moment, with the SHA-256 of it as its last 32 bytes: what etcdutl
 * snapshot restore takes. It is checked while it comes; one that is cut short or damaged fails with
 * ETCD3_ERR_SNAPSHOT_CORRUPT. It has a connection of its own and is read from the server only as fast as it is taken.
 * `endpoint` is as in etcd3_status. Until the first byte another attempt is made if one fails, then no more.
 */

/**
 * Writes a snapshot to the file `path`, which appears when it is whole and checked, readable and writable by its owner
 * only, and then replaces what had this name; until then it is `path`.part, which is removed if the call fails.
 * `timeout_ms` is for all of it, above 0, or -1 for none. `cancel` ends it early; it may be NULL. `*bytes` is its size;
 * `bytes` may be NULL. RPC: Maintenance.Snapshot. Errors: those of etcd3_get; ETCD3_ERR_SNAPSHOT_CORRUPT,
 * ETCD3_ERR_CANCELED, ETCD3_ERR_SYSTEM (the file), ETCD3_ERR_BUSY (another one is being written there).
 */
etcd3_code_t etcd3_snapshot_to_file(const etcd3_client_t *client,
                                    const char *endpoint,
                                    const char *path,
                                    int64_t timeout_ms,
                                    const etcd3_cancel_t *cancel,
                                    int64_t *bytes,
                                    etcd3_error_t **err);

/**
 * The same to a descriptor: a file, a pipe, a socket. What was written when it fails is not to be used. Raises no SIGPIPE.
 * `fd` stays open.
 */
etcd3_code_t etcd3_snapshot_to_fd(const etcd3_client_t *client,
                                  const char *endpoint,
                                  int fd,
                                  int64_t timeout_ms,
                                  const etcd3_cancel_t *cancel,
                                  int64_t *bytes,
                                  etcd3_error_t **err);

/**
 * The same without blocking: its bytes come in order as one ETCD3_EVENT_DATA after the other, and at last
 * ETCD3_EVENT_CLOSED, without an error only if the snapshot is whole and checked. About 1 MiB at most waits in the queue;
 * the server waits until it is taken. `queue`, `fn`, `user_data` and `call` are as in etcd3_execute_async; a call that is
 * cancelled ends with ETCD3_ERR_CANCELED. Errors: ETCD3_ERR_INVALID_ARGUMENT, ETCD3_ERR_CLOSED, ETCD3_ERR_SYSTEM (no
 * thread).
 */
etcd3_code_t etcd3_snapshot_async(const etcd3_client_t *client,
                                  const char *endpoint,
                                  const etcd3_queue_t *queue,
                                  etcd3_event_fn fn,
                                  void *user_data,
                                  etcd3_call_t **call,
                                  etcd3_error_t **err);

/* ---- Users ----------------------------------------------------------------------------------- */

/*
 * Who may do what. A user logs in with a password, or with a certificate that names it, and may do what its roles permit;
 * the user root with the role root may do all. With authentication on, only such a user may make these calls. Passwords
 * are neither logged nor kept.
 */

/** Names of users or roles. They never change and may be read by many threads. */
typedef struct etcd3_names_t etcd3_names_t;

/**
 * Turns authentication on. There must be a user root with the role root. This client then needs its credentials: see
 * etcd3_client_set_credentials. RPC: Auth.AuthEnable. Errors: those of etcd3_put; ETCD3_ERR_ROOT_USER_NOT_FOUND,
 * ETCD3_ERR_ROOT_ROLE_NOT_FOUND.
 */
etcd3_code_t etcd3_auth_enable(const etcd3_client_t *client,
                               etcd3_error_t **err);

/** Turns authentication off; users and roles stay. That it is off already is no error. RPC: Auth.AuthDisable. Errors: those of etcd3_put. */
etcd3_code_t etcd3_auth_disable(const etcd3_client_t *client,
                                etcd3_error_t **err);

/**
 * `*enabled` is 1 if authentication is on, else 0. `*revision`, which may be NULL, changes with users and roles. RPC:
 * Auth.AuthStatus, since 3.5. Errors: those of etcd3_get; ETCD3_ERR_UNIMPLEMENTED.
 */
etcd3_code_t etcd3_auth_status(const etcd3_client_t *client,
                               int *enabled,
                               uint64_t *revision,
                               etcd3_error_t **err);

/**
 * Adds a user with a password, neither of them empty. RPC: Auth.UserAdd. Errors: those of etcd3_put;
 * ETCD3_ERR_USER_EXISTS.
 */
etcd3_code_t etcd3_user_add(const etcd3_client_t *client,
                            const char *name,
                            const char *password,
                            etcd3_error_t **err);

/**
 * Adds a user without a password, that can only log in with a certificate whose common name is `name`. RPC and errors:
 * those of etcd3_user_add.
 */
etcd3_code_t etcd3_user_add_no_password(const etcd3_client_t *client,
                                        const char *name,
                                        etcd3_error_t **err);

/**
 * Deletes a user; its tokens die. RPC: Auth.UserDelete. Errors: those of etcd3_put; ETCD3_ERR_USER_NOT_FOUND,
 * ETCD3_ERR_INVALID_AUTH_MANAGEMENT (root, while authentication is on).
 */
etcd3_code_t etcd3_user_delete(const etcd3_client_t *client, const char *name, etcd3_error_t **err);

/**
 * Gives a user another password, not empty; its tokens die. RPC: Auth.UserChangePassword. Errors: those of etcd3_put;
 * ETCD3_ERR_USER_NOT_FOUND.
 */
etcd3_code_t etcd3_user_change_password(const etcd3_client_t *client,
                                        const char *name,
                                        const char *password,
                                        etcd3_error_t **err);

/**
 * Gives a user a role. RPC: Auth.UserGrantRole. Errors: those of etcd3_put; ETCD3_ERR_USER_NOT_FOUND,
 * ETCD3_ERR_ROLE_NOT_FOUND.
 */
etcd3_code_t etcd3_user_grant_role(const etcd3_client_t *client,
                                   const char *name,
                                   const char *role,
                                   etcd3_error_t **err);

/**
 * Takes a role from a user. RPC: Auth.UserRevokeRole. Errors: those of etcd3_put; ETCD3_ERR_USER_NOT_FOUND,
 * ETCD3_ERR_ROLE_NOT_GRANTED.
 */
etcd3_code_t etcd3_user_revoke_role(const etcd3_client_t *client,
                                    const char *name,
                                    const char *role,
                                    etcd3_error_t **err);

/**
 * The roles of a user. They come through `names`; free with etcd3_names_free. RPC: Auth.UserGet. Errors: those of
 * etcd3_get; ETCD3_ERR_USER_NOT_FOUND.
 */
etcd3_code_t etcd3_user_get(const etcd3_client_t *client,
                            const char *name,
                            etcd3_names_t **names,
                            etcd3_error_t **err);

/** All users. They come through `names`; free with etcd3_names_free. RPC: Auth.UserList. Errors: those of etcd3_get. */
etcd3_code_t etcd3_user_list(const etcd3_client_t *client,
                             etcd3_names_t **names,
                             etcd3_error_t **err);

/** The header of the answer; NULL for NULL. Borrowed from `names`. */
const etcd3_header_t *etcd3_names_header(const etcd3_names_t *names);

/** How many names there are. */
size_t etcd3_names_count(const etcd3_names_t *names);

/** The name at `index`, from 0; NULL past the end. Borrowed from `names`. */
const char *etcd3_names_at(const etcd3_names_t *names, size_t index);

/** Frees names. */
void etcd3_names_free(etcd3_names_t *names);

/* ---- Roles ----------------------------------------------------------------------------------- */

/*
 * Roles, and what they permit on which keys.
 */

/** May read. */
#define ETCD3_PERMISSION_READ 0

/** May write. */
#define ETCD3_PERMISSION_WRITE 1

/** May read and write. */
#define ETCD3_PERMISSION_READWRITE 2

/** What a role permits. It never changes and may be read by many threads. */
typedef struct etcd3_role_t etcd3_role_t;

/**
 * One permission of a role. Reached only by pointer, since fields may be added at the end. All of it is borrowed from the
 * role it was read from.
 */
typedef struct etcd3_permission_t {
    /** ETCD3_PERMISSION_READ, _WRITE or _READWRITE. */
    int32_t type;
    /** The key: `key_len` bytes, any byte, no NUL after them. */
    const uint8_t *key;
    /** The length of the key. */
    size_t key_len;
    /** Where the range ends: `range_end_len` bytes; none for the one key, a single NUL for all keys from it on. */
    const uint8_t *range_end;
    /** The length of the range's end. */
    size_t range_end_len;
} etcd3_permission_t;

/** Adds a role that permits nothing yet. RPC: Auth.RoleAdd. Errors: those of etcd3_put; ETCD3_ERR_ROLE_EXISTS. */
etcd3_code_t etcd3_role_add(const etcd3_client_t *client, const char *role, etcd3_error_t **err);

/**
 * Deletes a role, and takes it from all users. RPC: Auth.RoleDelete. Errors: those of etcd3_put;
 * ETCD3_ERR_ROLE_NOT_FOUND, ETCD3_ERR_INVALID_AUTH_MANAGEMENT (root, while authentication is on).
 */
etcd3_code_t etcd3_role_delete(const etcd3_client_t *client, const char *role, etcd3_error_t **err);

/**
 * Permits a role an ETCD3_PERMISSION_* on one key, in place of what it was permitted there. RPC:
 * Auth.RoleGrantPermission. Errors: those of etcd3_put; ETCD3_ERR_ROLE_NOT_FOUND.
 */
etcd3_code_t etcd3_role_grant(const etcd3_client_t *client,
                              const char *role,
                              int32_t permission,
                              const void *key,
                              size_t key_len,
                              etcd3_error_t **err);

/** The same for every key that starts with `prefix`; all keys if it is empty. */
etcd3_code_t etcd3_role_grant_prefix(const etcd3_client_t *client,
                                     const char *role,
                                     int32_t permission,
                                     const void *prefix,
                                     size_t prefix_len,
                                     etcd3_error_t **err);

/** The same for every key from `key` on; all keys if it is empty. */
etcd3_code_t etcd3_role_grant_from_key(const etcd3_client_t *client,
                                       const char *role,
                                       int32_t permission,
                                       const void *key,
                                       size_t key_len,
                                       etcd3_error_t **err);

/** The same for every key from `key` up to, without, `end`. */
etcd3_code_t etcd3_role_grant_range(const etcd3_client_t *client,
                                    const char *role,
                                    int32_t permission,
                                    const void *key,
                                    size_t key_len,
                                    const void *end,
                                    size_t end_len,
                                    etcd3_error_t **err);

/**
 * Takes from a role what etcd3_role_grant gave it for this key. RPC: Auth.RoleRevokePermission. Errors: those of
 * etcd3_put; ETCD3_ERR_ROLE_NOT_FOUND, ETCD3_ERR_PERMISSION_NOT_GRANTED (not for exactly this).
 */
etcd3_code_t etcd3_role_revoke(const etcd3_client_t *client,
                               const char *role,
                               const void *key,
                               size_t key_len,
                               etcd3_error_t **err);

/** The same for what etcd3_role_grant_prefix gave. */
etcd3_code_t etcd3_role_revoke_prefix(const etcd3_client_t *client,
                                      const char *role,
                                      const void *prefix,
                                      size_t prefix_len,
                                      etcd3_error_t **err);

/** The same for what etcd3_role_grant_from_key gave. */
etcd3_code_t etcd3_role_revoke_from_key(const etcd3_client_t *client,
                                        const char *role,
                                        const void *key,
                                        size_t key_len,
                                        etcd3_error_t **err);

/** The same for what etcd3_role_grant_range gave. */
etcd3_code_t etcd3_role_revoke_range(const etcd3_client_t *client,
                                     const char *role,
                                     const void *key,
                                     size_t key_len,
                                     const void *end,
                                     size_t end_len,
                                     etcd3_error_t **err);

/** All roles. They come through `names`; free with etcd3_names_free. RPC: Auth.RoleList. Errors: those of etcd3_get. */
etcd3_code_t etcd3_role_list(const etcd3_client_t *client,
                             etcd3_names_t **names,
                             etcd3_error_t **err);

/**
 * What a role permits. It comes through `permissions`; free with etcd3_role_free. RPC: Auth.RoleGet. Errors: those of
 * etcd3_get; ETCD3_ERR_ROLE_NOT_FOUND.
 */
etcd3_code_t etcd3_role_get(const etcd3_client_t *client,
                            const char *role,
                            etcd3_role_t **permissions,
                            etcd3_error_t **err);

/** The header of the answer; NULL for NULL. Borrowed from `role`. */
const etcd3_header_t *etcd3_role_header(const etcd3_role_t *role);

/** How many permissions a role has. */
size_t etcd3_role_permission_count(const etcd3_role_t *role);

/** The permission at `index`, from 0; NULL past the end. Borrowed from `role`. */
const etcd3_permission_t *etcd3_role_permission(const etcd3_role_t *role, size_t index);

/** Frees a role. */
void etcd3_role_free(etcd3_role_t *role);

#ifdef __cplusplus
}
#endif

#endif /* ETCD3_H */
