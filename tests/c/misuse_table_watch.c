/* Each argument of watches, leases, sessions, locks, elections and what is built of them, wrong in each way. */
#include "table.h"

#define NAME "misuse/n"

static etcd3_watch_t *no_watch;
static etcd3_event_t *no_event;
static etcd3_lease_info_t *no_info;
static etcd3_lease_list_t *no_list;
static etcd3_session_t *no_session;
static etcd3_lock_t *no_lock;
static etcd3_election_t *no_election;
static etcd3_observer_t *no_observer;
static etcd3_double_barrier_t *no_barrier;
static etcd3_lease_t *no_lease;
static etcd3_result_t *no_result;

static etcd3_watch_opts_t *opts;
static etcd3_watch_t *watch;
static etcd3_lease_t *lease;
static etcd3_session_t *session;
static etcd3_lock_t *lock;
static etcd3_election_t *election;
static etcd3_observer_t *observer;
static etcd3_double_barrier_t *barrier;

static etcd3_watch_opts_t *a_watch(void) { return etcd3_watch_opts_new("misuse/k", ETCD3_NTS); }

static int32_t commit(etcd3_stm_t *stm, void *user_data)
{
    (void)stm;
    (void)user_data;
    return ETCD3_STM_COMMIT;
}

/* Whom a lease tells of its end may be nobody. */
#define LISTENER ANY(queue, NULL), ANY(fn, NULL), NULL
#define PRIORITY(x) ONE_OF(x, 0, 0, 65535)
#define ATTEMPTS(x) (int32_t) number_of(#x, 0, 1, below_0)

/* clang-format off */
#define ROWS(CALL, MAKE, SET) \
    MAKE(opts, etcd3_watch_opts_new, (KEY(key))) \
    SET(opts, etcd3_watch_opts_set_range_end, a_watch(), (opts, KEY_IS(end, "z"))) \
    SET(opts, etcd3_watch_opts_set_start_revision, a_watch(), (opts, NOT_NEGATIVE(revision))) \
    SET(opts, etcd3_watch_opts_set_filter, a_watch(), \
        (opts, ONE_OF(filter, ETCD3_FILTER_NOPUT, ETCD3_FILTER_NOPUT, ETCD3_FILTER_NODELETE))) \
    SET(opts, etcd3_watch_opts_set_buffer, a_watch(), \
        (opts, SIZE(max_bytes), ONE_OF(policy, ETCD3_OVERFLOW_PARK, ETCD3_OVERFLOW_PARK, ETCD3_OVERFLOW_FAIL))) \
    SET(opts, etcd3_watch_opts_set_max_response_bytes, a_watch(), (opts, SIZE(max_bytes))) \
    SET(opts, etcd3_watch_opts_set_max_outage, a_watch(), (opts, WAIT(time_ms))) \
    SET(opts, etcd3_watch_opts_set_require_leader, a_watch(), (opts, YES(yes))) \
    SET(opts, etcd3_watch_opts_add_metadata, a_watch(), (opts, TEXT(name, "x-name"), ANY_TEXT(value, "v"))) \
    CALL(etcd3_watch_start, (HANDLE(client), HANDLE(opts), QUEUE, OUT(watch), &err)) \
    CALL(etcd3_watch_request_progress, (HANDLE(watch), &err)) \
    CALL(etcd3_watch_join, (HANDLE(watch), WAIT(timeout_ms), &err)) \
    CALL(etcd3_watch_once, (HANDLE(client), KEY(key), LIMIT_OR_NONE(timeout_ms), OUT(event), &err)) \
    CALL(etcd3_watch_prefix_once, (HANDLE(client), VALUE(prefix), LIMIT_OR_NONE(timeout_ms), OUT(event), &err)) \
    CALL(etcd3_lease_grant, (HANDLE(client), POSITIVE(ttl_s), NOT_NEGATIVE(lease_id), ANY(granted_id, NULL), \
                             ANY(granted_ttl_s, NULL), &err)) \
    CALL(etcd3_lease_revoke_id, (HANDLE(client), NOT_ZERO(lease_id), &err)) \
    CALL(etcd3_lease_keep_alive_once, (HANDLE(client), NOT_ZERO(lease_id), ANY(ttl_s, NULL), &err)) \
    CALL(etcd3_lease_time_to_live, (HANDLE(client), NOT_ZERO(lease_id), YES(keys), OUT(info), &err)) \
    CALL(etcd3_lease_list, (HANDLE(client), OUT(list), &err)) \
    CALL(etcd3_lease_open, (HANDLE(client), POSITIVE(ttl_s), NOT_NEGATIVE(lease_id), LISTENER, OUT(lease), &err)) \
    CALL(etcd3_lease_adopt, (HANDLE(client), NOT_ZERO(lease_id), LISTENER, OUT(lease), &err)) \
    CALL(etcd3_lease_tell_renewals, (HANDLE(lease), YES(yes), &err)) \
    CALL(etcd3_lease_refresh, (HANDLE(lease), &err)) \
    CALL(etcd3_lease_revoke, (HANDLE(lease), &err)) \
    CALL(etcd3_session_open, (HANDLE(client), NOT_NEGATIVE(ttl_s), ANY(lease_id, 0), LISTENER, OUT(session), &err)) \
    CALL(etcd3_session_tell_renewals, (HANDLE(session), YES(yes), &err)) \
    CALL(etcd3_session_close, (HANDLE(session), LIMIT(timeout_ms), &err)) \
    CALL(etcd3_lock_new, (HANDLE(session), KEY(name), OUT(lock), &err)) \
    CALL(etcd3_lock_new_read, (HANDLE(session), KEY(name), OUT(lock), &err)) \
    CALL(etcd3_lock_new_write, (HANDLE(session), KEY(name), OUT(lock), &err)) \
    CALL(etcd3_lock_new_python, (HANDLE(session), KEY(name), OUT(lock), &err)) \
    CALL(etcd3_lock_open, (HANDLE(client), KEY(name), NOT_NEGATIVE(ttl_s), OUT(lock), &err)) \
    CALL(etcd3_lock_acquire, (HANDLE(lock), LIMIT_OR_NONE(timeout_ms), &err)) \
    CALL(etcd3_lock_try, (HANDLE(lock), &err)) \
    CALL(etcd3_lock_acquire_async, (HANDLE(lock), LIMIT_OR_NONE(timeout_ms), QUEUE, ANY(call, NULL), &err)) \
    CALL(etcd3_lock_release, (HANDLE(lock), &err)) \
    CALL(etcd3_lock_watch_loss, (HANDLE(lock), QUEUE, &err)) \
    CALL(etcd3_lock_refresh, (HANDLE(lock), ANY(ttl_s, NULL), &err)) \
    CALL(etcd3_lock_put, (HANDLE(lock), KEY(key), VALUE(value), &err)) \
    SET(txn, etcd3_txn_if_lock, etcd3_op_txn(), (txn, HANDLE(lock))) \
    CALL(etcd3_election_new, (HANDLE(session), KEY(name), OUT(election), &err)) \
    CALL(etcd3_election_resume, (HANDLE(session), KEY_IS(name, NAME), KEY_IS(key, NAME "/1"), POSITIVE(revision), \
                                 OUT(election), &err)) \
    CALL(etcd3_election_campaign, (HANDLE(election), VALUE(value), LIMIT_OR_NONE(timeout_ms), &err)) \
    CALL(etcd3_election_campaign_async, (HANDLE(election), VALUE(value), LIMIT_OR_NONE(timeout_ms), QUEUE, \
                                         ANY(call, NULL), &err)) \
    CALL(etcd3_election_proclaim, (HANDLE(election), VALUE(value), &err)) \
    CALL(etcd3_election_resign, (HANDLE(election), &err)) \
    CALL(etcd3_election_watch_loss, (HANDLE(election), QUEUE, &err)) \
    SET(txn, etcd3_txn_if_leader, etcd3_op_txn(), (txn, HANDLE(election))) \
    CALL(etcd3_election_leader, (HANDLE(client), KEY(name), OUT(result), &err)) \
    CALL(etcd3_election_observe, (HANDLE(client), KEY(name), QUEUE, OUT(observer), &err)) \
    CALL(etcd3_observer_join, (HANDLE(observer), WAIT(timeout_ms), &err)) \
    CALL(etcd3_barrier_hold, (HANDLE(client), KEY(name), &err)) \
    CALL(etcd3_barrier_release, (HANDLE(client), KEY(name), &err)) \
    CALL(etcd3_barrier_wait, (HANDLE(client), KEY(name), LIMIT_OR_NONE(timeout_ms), &err)) \
    CALL(etcd3_double_barrier_new, (HANDLE(session), KEY(name), POSITIVE(count), OUT(barrier), &err)) \
    CALL(etcd3_double_barrier_enter, (HANDLE(barrier), LIMIT_OR_NONE(timeout_ms), &err)) \
    CALL(etcd3_double_barrier_leave, (HANDLE(barrier), LIMIT_OR_NONE(timeout_ms), &err)) \
    CALL(etcd3_fifo_enqueue, (HANDLE(client), KEY(name), VALUE(value), &err)) \
    CALL(etcd3_fifo_dequeue, (HANDLE(client), KEY(name), LIMIT_OR_NONE(timeout_ms), OUT(result), &err)) \
    CALL(etcd3_pqueue_enqueue, (HANDLE(client), KEY(name), PRIORITY(priority), VALUE(value), &err)) \
    CALL(etcd3_pqueue_dequeue, (HANDLE(client), KEY(name), LIMIT_OR_NONE(timeout_ms), OUT(result), &err)) \
    CALL(etcd3_stm_run, (HANDLE(client), ONE_OF(isolation, 0, ETCD3_STM_SERIALIZABLE_SNAPSHOT, ETCD3_STM_READ_COMMITTED), \
                         ATTEMPTS(max_attempts), LIMIT_OR_USUAL(timeout_ms), FUNCTION(fn, commit), NULL, \
                         ANY(revision, NULL), &err))
/* clang-format on */

TABLE(ROWS)

static etcd3_stm_t *stm;
static const uint8_t *no_value;
static int64_t no_revision;
static size_t no_value_len;

/* clang-format off */
#define INSIDE(CALL, MAKE, SET) \
    CALL(etcd3_stm_get, (HANDLE(stm), KEY(key), OUT(value), OUT(value_len), &err)) \
    CALL(etcd3_stm_mod_revision, (HANDLE(stm), KEY(key), OUT(revision), &err)) \
    CALL(etcd3_stm_put, (HANDLE(stm), KEY(key), VALUE(value), &err)) \
    CALL(etcd3_stm_delete, (HANDLE(stm), KEY(key), &err))
/* clang-format on */

#define table inside
TABLE(INSIDE)
#undef table

static int32_t in_stm(etcd3_stm_t *of, void *user_data)
{
    (void)user_data;
    stm = of;
    run_table(inside, sizeof inside / sizeof *inside);
    return ETCD3_STM_COMMIT;
}

/* Two leases are granted and kept alive, and a watch and an observer, who has looked first, have a stream each. */
static void streams_are_there(void) { ask("await %d * 6", server.number); }

int main(void)
{
    table_start();
    opts = a_watch();
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err), err);
    CHECK_OK(etcd3_lease_open(client, 60, 0, NULL, NULL, NULL, &lease, &err), err);
    CHECK_OK(etcd3_session_open(client, 60, 0, NULL, NULL, NULL, &session, &err), err);
    CHECK_OK(etcd3_lock_new(session, NAME, ETCD3_NTS, &lock, &err), err);
    CHECK_OK(etcd3_election_new(session, NAME, ETCD3_NTS, &election, &err), err);
    CHECK_OK(etcd3_double_barrier_new(session, NAME, ETCD3_NTS, 2, &barrier, &err), err);
    CHECK_OK(etcd3_election_observe(client, NAME, ETCD3_NTS, queue, NULL, NULL, &observer, &err), err);
    streams_are_there();
    RUN_TABLE();
    CHECK_OK(etcd3_stm_run(client, 0, 1, 0, in_stm, NULL, NULL, &err), err);
    etcd3_observer_free(observer);
    etcd3_double_barrier_free(barrier);
    etcd3_election_free(election);
    etcd3_lock_free(lock);
    etcd3_session_free(session);
    etcd3_lease_free(lease);
    etcd3_watch_free(watch);
    etcd3_watch_opts_free(opts);
    table_end();
    return CHECK_DONE();
}
