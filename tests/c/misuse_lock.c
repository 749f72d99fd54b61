/* Wrong arguments to locks, elections, barriers and queues of work; handles in any order; and what is left afterwards. */
#include "misuse.h"
#include "locking.h"

#define NAME "misuse_lock"

static etcd3_session_t *session;
static etcd3_queue_t *queue;

static void constructors(void)
{
    etcd3_lock_t *lock = NULL;
    etcd3_election_t *election = NULL;
    etcd3_double_barrier_t *barrier = NULL;
    REFUSED(etcd3_lock_new(NULL, NAME, ETCD3_NTS, &lock, &err), "session");
    REFUSED(etcd3_lock_new(session, "", 0, &lock, &err), "name");
    REFUSED(etcd3_lock_new(session, NULL, 0, &lock, &err), "name");
    REFUSED(etcd3_lock_new(session, NULL, 3, &lock, &err), "name");
    REFUSED(etcd3_lock_new(session, NAME, ETCD3_NTS, NULL, &err), "lock");
    REFUSED(etcd3_lock_new_read(session, "", 0, &lock, &err), "name");
    REFUSED(etcd3_lock_new_write(session, "", 0, &lock, &err), "name");
    REFUSED(etcd3_lock_new_python(session, "", 0, &lock, &err), "name");
    REFUSED(etcd3_lock_open(NULL, NAME, ETCD3_NTS, 10, &lock, &err), "client");
    REFUSED(etcd3_lock_open(client, "", 0, 10, &lock, &err), "name");
    REFUSED(etcd3_lock_open(client, NAME, ETCD3_NTS, -1, &lock, &err), "ttl");
    REFUSED(etcd3_lock_open(client, NAME, ETCD3_NTS, 10, NULL, &err), "lock");
    REFUSED(etcd3_election_new(NULL, NAME, ETCD3_NTS, &election, &err), "session");
    REFUSED(etcd3_election_new(session, "", 0, &election, &err), "name");
    REFUSED(etcd3_election_new(session, NAME, ETCD3_NTS, NULL, &err), "election");
    REFUSED(etcd3_election_resume(NULL, NAME, ETCD3_NTS, "k", 1, 1, &election, &err), "session");
    REFUSED(etcd3_election_resume(session, NAME, ETCD3_NTS, "k", 1, 1, &election, &err), "key");
    REFUSED(etcd3_election_resume(session, NAME, ETCD3_NTS, NAME "/a", ETCD3_NTS, -1, &election, &err), "revision");
    REFUSED(etcd3_double_barrier_new(NULL, NAME, ETCD3_NTS, 2, &barrier, &err), "session");
    REFUSED(etcd3_double_barrier_new(session, "", 0, 2, &barrier, &err), "name");
    REFUSED(etcd3_double_barrier_new(session, NAME, ETCD3_NTS, 0, &barrier, &err), "count");
    REFUSED(etcd3_double_barrier_new(session, NAME, ETCD3_NTS, -3, &barrier, &err), "count");
    REFUSED(etcd3_double_barrier_new(session, NAME, ETCD3_NTS, 2, NULL, &err), "barrier");
    CHECK(!lock && !election && !barrier);
}

static void null_handles(void)
{
    etcd3_op_t *txn = etcd3_op_txn();
    size_t len = 77;
    REFUSED(etcd3_lock_acquire(NULL, 1000, &err), "lock");
    REFUSED(etcd3_lock_try(NULL, &err), "lock");
    REFUSED(etcd3_lock_acquire_async(NULL, 1000, queue, NULL, NULL, NULL, &err), "lock");
    REFUSED(etcd3_lock_release(NULL, &err), "lock");
    REFUSED(etcd3_lock_watch_loss(NULL, queue, NULL, NULL, &err), "lock");
    REFUSED(etcd3_lock_refresh(NULL, NULL, &err), "lock");
    REFUSED(etcd3_lock_put(NULL, "k", 1, "v", 1, &err), "lock");
    REFUSED(etcd3_election_campaign(NULL, "v", 1, 1000, &err), "election");
    REFUSED(etcd3_election_campaign_async(NULL, "v", 1, 1000, queue, NULL, NULL, NULL, &err), "election");
    REFUSED(etcd3_election_proclaim(NULL, "v", 1, &err), "election");
    REFUSED(etcd3_election_resign(NULL, &err), "election");
    REFUSED(etcd3_election_watch_loss(NULL, queue, NULL, NULL, &err), "election");
    REFUSED(etcd3_observer_join(NULL, 0, &err), "observer");
    REFUSED(etcd3_double_barrier_enter(NULL, 1000, &err), "barrier");
    REFUSED(etcd3_double_barrier_leave(NULL, 1000, &err), "barrier");
    CHECK_INT(etcd3_lock_is_acquired(NULL), 0);
    CHECK_INT(etcd3_lock_token(NULL), 0);
    CHECK(etcd3_lock_key(NULL, &len) == NULL);
    CHECK_INT(etcd3_election_is_leader(NULL), 0);
    CHECK_INT(etcd3_election_token(NULL), 0);
    CHECK(etcd3_election_key(NULL, &len) == NULL);
    CHECK_INT(len, 77);
    CHECK(etcd3_event_leader(NULL) == NULL);
    QUIET(etcd3_lock_free(NULL));
    QUIET(etcd3_election_free(NULL));
    QUIET(etcd3_observer_cancel(NULL));
    QUIET(etcd3_observer_free(NULL));
    QUIET(etcd3_double_barrier_free(NULL));
    QUIET(etcd3_txn_if_lock(NULL, NULL));
    QUIET(etcd3_txn_if_leader(NULL, NULL));
    etcd3_txn_if_lock(txn, NULL);
    OP_REFUSED(txn, "lock");
    txn = etcd3_op_txn();
    etcd3_txn_if_leader(txn, NULL);
    OP_REFUSED(txn, "election");
}

static void arguments(void)
{
    static const int64_t wrong[] = {0, -2, INT64_MIN, INT64_MAX};
    etcd3_lock_t *lock = new_lock(session, NAME);
    etcd3_election_t *election = NULL;
    etcd3_double_barrier_t *barrier = NULL;
    etcd3_observer_t *observer = NULL;
    etcd3_op_t *get = etcd3_op_get("k", 1);
    etcd3_result_t *r = NULL;
    int i;
    CHECK_OK(etcd3_election_new(session, NAME, ETCD3_NTS, &election, &err), err);
    CHECK_OK(etcd3_double_barrier_new(session, NAME, ETCD3_NTS, 2, &barrier, &err), err);
    for (i = 0; i < 4; i++) {
        REFUSED(etcd3_lock_acquire(lock, wrong[i], &err), "timeout_ms");
        REFUSED(etcd3_lock_acquire_async(lock, wrong[i], queue, NULL, NULL, NULL, &err), "timeout_ms");
        REFUSED(etcd3_election_campaign(election, "v", 1, wrong[i], &err), "timeout_ms");
        REFUSED(etcd3_barrier_wait(client, NAME, ETCD3_NTS, wrong[i], &err), "timeout_ms");
        REFUSED(etcd3_double_barrier_enter(barrier, wrong[i], &err), "timeout_ms");
        REFUSED(etcd3_fifo_dequeue(client, NAME, ETCD3_NTS, wrong[i], &r, &err), "timeout_ms");
        REFUSED(etcd3_pqueue_dequeue(client, NAME, ETCD3_NTS, wrong[i], &r, &err), "timeout_ms");
    }
    REFUSED(etcd3_lock_acquire_async(lock, 1000, NULL, NULL, NULL, NULL, &err), "fn");
    REFUSED(etcd3_election_campaign_async(election, "v", 1, 1000, NULL, NULL, NULL, NULL, &err), "fn");
    REFUSED(etcd3_election_campaign(election, NULL, 1, 1000, &err), "value");
    REFUSED(etcd3_election_observe(NULL, NAME, ETCD3_NTS, queue, NULL, NULL, &observer, &err), "client");
    REFUSED(etcd3_election_observe(client, "", 0, queue, NULL, NULL, &observer, &err), "name");
    REFUSED(etcd3_election_observe(client, NAME, ETCD3_NTS, NULL, NULL, NULL, &observer, &err), "fn");
    REFUSED(etcd3_election_observe(client, NAME, ETCD3_NTS, queue, NULL, NULL, NULL, &err), "observer");
    REFUSED(etcd3_election_leader(client, "", 0, &r, &err), "name");
    REFUSED(etcd3_election_leader(client, NAME, ETCD3_NTS, NULL, &err), "result");
    REFUSED(etcd3_barrier_hold(client, "", 0, &err), "name");
    REFUSED(etcd3_barrier_hold(NULL, NAME, ETCD3_NTS, &err), "client");
    REFUSED(etcd3_barrier_release(client, "", 0, &err), "name");
    REFUSED(etcd3_fifo_enqueue(client, "", 0, "v", 1, &err), "name");
    REFUSED(etcd3_fifo_enqueue(client, NAME, ETCD3_NTS, NULL, 1, &err), "value");
    REFUSED(etcd3_fifo_dequeue(client, NAME, ETCD3_NTS, 1000, NULL, &err), "result");
    REFUSED(etcd3_pqueue_enqueue(client, NAME, ETCD3_NTS, -1, "v", 1, &err), "priority");
    REFUSED(etcd3_pqueue_enqueue(client, NAME, ETCD3_NTS, 65536, "v", 1, &err), "priority");
    /* A guard belongs into a transaction. */
    etcd3_txn_if_lock(get, lock);
    CHECK_CODE(etcd3_execute(client, get, &r, &err), err, ETCD3_ERR_NOT_HELD, "lock");
    etcd3_op_free(get);
    REFUSED_AS(etcd3_lock_release(lock, &err), ETCD3_ERR_NOT_HELD, "lock");
    REFUSED_AS(etcd3_lock_watch_loss(lock, queue, NULL, NULL, &err), ETCD3_ERR_NOT_HELD, "lock");
    REFUSED_AS(etcd3_election_proclaim(election, "v", 1, &err), ETCD3_ERR_NOT_ELECTED, "election");
    REFUSED_AS(etcd3_double_barrier_leave(barrier, 1000, &err), ETCD3_ERR_NOT_HELD, "barrier");
    CHECK(!r && !observer);
    etcd3_lock_free(lock);
    etcd3_election_free(election);
    etcd3_double_barrier_free(barrier);
    still_works(__LINE__);
}

/* A session that is over: told so, and nothing is left by it. */
static void dead_sessions(void)
{
    etcd3_session_t *dead = open_session(client, 60);
    etcd3_lock_t *lock = new_lock(dead, NAME "/dead");
    etcd3_election_t *election = NULL;
    etcd3_double_barrier_t *barrier = NULL;
    CHECK_OK(etcd3_election_new(dead, NAME "/dead", ETCD3_NTS, &election, &err), err);
    CHECK_OK(etcd3_double_barrier_new(dead, NAME "/dead", ETCD3_NTS, 2, &barrier, &err), err);
    CHECK_OK(etcd3_session_close(dead, PATIENCE_MS, &err), err);
    last_revision = 0;
    REFUSED_AS(etcd3_lock_acquire(lock, 1000, &err), ETCD3_ERR_LEASE_LOST, "");
    REFUSED_AS(etcd3_lock_try(lock, &err), ETCD3_ERR_LEASE_LOST, "");
    REFUSED_AS(etcd3_election_campaign(election, "v", 1, 1000, &err), ETCD3_ERR_LEASE_LOST, "");
    REFUSED_AS(etcd3_double_barrier_enter(barrier, 1000, &err), ETCD3_ERR_LEASE_LOST, "");
    CHECK_INT(count_keys(client, NAME "/dead"), 0);
    etcd3_session_free(dead);
    etcd3_lock_free(lock);
    etcd3_election_free(election);
    etcd3_double_barrier_free(barrier);
}

/* Client, session, lock and queue in some orders, with a lock that is held and one that is waited for. */
static void frees_in_any_order(void)
{
    static const char *const orders[] = {"cslq", "lscq", "qlsc", "scql", "lqcs", "qcls"};
    int i, j;
    for (i = 0; i < 6; i++) {
        etcd3_client_t *own = open_client();
        etcd3_session_t *of = open_session(own, 60), *second = open_session(own, 60);
        etcd3_lock_t *held = new_lock(of, NAME "/order"), *wanted = new_lock(second, NAME "/order");
        etcd3_queue_t *to = NULL;
        char prefix[100];
        CHECK_OK(etcd3_queue_new(&to, &err), err);
        snprintf(prefix, sizeof prefix, NAME "/order/");
        CHECK_OK(etcd3_lock_acquire(held, PATIENCE_MS, &err), err);
        CHECK_OK(etcd3_lock_watch_loss(held, to, NULL, NULL, &err), err);
        CHECK_OK(etcd3_lock_acquire_async(wanted, -1, to, NULL, NULL, NULL, &err), err);
        AWAIT_KEYS(client, prefix, 2);
        for (j = 0; j < 4; j++)
            switch (orders[i][j]) {
            case 'c': etcd3_client_free(own); break;
            case 's':
                etcd3_session_free(of);
                etcd3_session_free(second);
                break;
            case 'l':
                etcd3_lock_free(held);
                etcd3_lock_free(wanted);
                break;
            default: etcd3_queue_free(to); break;
            }
        /* What the client could not delete any more is left to its lease. */
        CHECK_OK(etcd3_delete_prefix(client, prefix, ETCD3_NTS, NULL, &err), err);
    }
}

int main(void)
{
    client = open_client();
    session = open_session(client, 60);
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    RUN(constructors);
    RUN(null_handles);
    RUN(arguments);
    RUN(dead_sessions);
    RUN(frees_in_any_order);
    etcd3_queue_free(queue);
    close_session(session);
    etcd3_client_free(client);
    return CHECK_DONE();
}
