/* Locks that are lost while they are held or waited for, and what then cannot be written any more. */
#include "locking.h"

#define NAME "test_lock_loss/"

static etcd3_client_t *client, *other;
static etcd3_error_t *err;

static etcd3_lock_t *lock_in(const char *name, etcd3_session_t **session)
{
    *session = open_session(client, 60);
    return new_lock(*session, name);
}

static void watch_loss(etcd3_lock_t *lock, struct holding *h)
{
    holding_prepare(h);
    CHECK_OK(etcd3_lock_watch_loss(lock, NULL, on_holding, h, &err), err);
}

static void delete_key_of(etcd3_lock_t *lock)
{
    size_t len = 0;
    const uint8_t *key = etcd3_lock_key(lock, &len);
    delete_key(other, key, len);
}

static void its_key_is_deleted(void)
{
    etcd3_session_t *session;
    etcd3_lock_t *lock = lock_in(NAME "deleted", &session);
    struct holding h, late;
    acquire(lock);
    watch_loss(lock, &h);
    delete_key_of(lock);
    ENDED(&h, ETCD3_ERR_LOCK_LOST);
    CHECK_INT(h.lost, 1);
    CHECK_INT(h.reason, ETCD3_LOST_DELETED);
    CHECK(strstr(h.why_text, NAME "deleted/") != NULL);
    CHECK_INT(etcd3_lock_is_acquired(lock), 0);
    CHECK_INT(etcd3_lock_token(lock), 0);
    /* Whoever asks too late is told all the same. */
    watch_loss(lock, &late);
    ENDED(&late, ETCD3_ERR_LOCK_LOST);
    CHECK_INT(late.reason, ETCD3_LOST_DELETED);
    CHECK_CODE(etcd3_lock_refresh(lock, NULL, &err), err, ETCD3_ERR_LOCK_LOST, "deleted");
    CHECK_CODE(etcd3_lock_release(lock, &err), err, ETCD3_ERR_LOCK_LOST, "deleted");
    CHECK_CODE(etcd3_lock_release(lock, &err), err, ETCD3_ERR_NOT_HELD, "not held");
    acquire(lock);
    /* And without a release in between. */
    watch_loss(lock, &h);
    delete_key_of(lock);
    ENDED(&h, ETCD3_ERR_LOCK_LOST);
    CHECK_OK(etcd3_lock_try(lock, &err), err);
    release(lock);
    etcd3_lock_free(lock);
    close_session(session);
}

/* A release finds out by itself, and deletes nobody else's key: another key of the same name is another lock. */
static void released_too_late(void)
{
    etcd3_session_t *session;
    etcd3_lock_t *lock = lock_in(NAME "late", &session);
    size_t len = 0;
    const uint8_t *key = etcd3_lock_key(lock, &len);
    etcd3_result_t *r;
    acquire(lock);
    /* Deleted and made anew at once, as by a retry that comes late (§8.8). */
    delete_key(other, key, len);
    CHECK_OK(etcd3_put(other, key, len, "new", 3, &err), err);
    CHECK_CODE(etcd3_lock_release(lock, &err), err, ETCD3_ERR_LOCK_LOST, "deleted");
    r = EXECUTE(other, etcd3_op_get(key, len));
    CHECK_INT(etcd3_result_count(r), 1);
    etcd3_result_free(r);
    delete_key(other, key, len);
    etcd3_lock_free(lock);
    close_session(session);
}

static void its_lease_is_revoked(void)
{
    etcd3_session_t *session;
    etcd3_lock_t *lock = lock_in(NAME "revoked", &session);
    struct holding h;
    acquire(lock);
    watch_loss(lock, &h);
    revoke_lease_of(other, session);
    ENDED(&h, ETCD3_ERR_LOCK_LOST);
    CHECK_INT(h.lost, 1);
    CHECK(h.reason == ETCD3_LOST_DELETED || h.reason == ETCD3_LOST_GONE);
    CHECK_INT(etcd3_lock_is_acquired(lock), 0);
    CHECK_CODE(etcd3_lock_release(lock, &err), err, ETCD3_ERR_LOCK_LOST, "");
    CHECK_CODE(etcd3_lock_acquire(lock, PATIENCE_MS, &err), err, ETCD3_ERR_LEASE_LOST, "");
    CHECK_CODE(etcd3_lock_try(lock, &err), err, ETCD3_ERR_LEASE_LOST, "");
    AWAIT_KEYS(client, NAME "revoked/", 0);
    etcd3_lock_free(lock);
    etcd3_session_free(session);
}

static void its_session_is_closed(void)
{
    etcd3_session_t *session;
    etcd3_lock_t *lock = lock_in(NAME "closed", &session);
    struct holding h, pending;
    etcd3_lock_t *twin = new_lock(session, NAME "closed");
    acquire(lock);
    watch_loss(lock, &h);
    holding_prepare(&pending);
    acquire_later(twin, -1, &pending);
    close_session(session);
    ENDED(&h, ETCD3_ERR_LOCK_LOST);
    CHECK_INT(h.lost, 1);
    ENDED(&pending, ETCD3_ERR_LEASE_LOST);
    CHECK_INT(pending.acquired + pending.lost, 0);
    CHECK_CODE(etcd3_lock_acquire(lock, PATIENCE_MS, &err), err, ETCD3_ERR_LEASE_LOST, "");
    etcd3_lock_free(lock);
    etcd3_lock_free(twin);
    CHECK_INT(count_keys(client, NAME "closed/"), 0);
}

/* Whoever waits with a key that is gone would wait in vain: the predecessor goes on holding (§8.5). */
static void lost_while_waiting(void)
{
    etcd3_session_t *holder_session, *a_session, *b_session;
    etcd3_lock_t *holder = lock_in(NAME "waiting", &holder_session), *a = lock_in(NAME "waiting", &a_session),
                 *b = lock_in(NAME "waiting", &b_session);
    struct holding ha, hb;
    acquire(holder);
    holding_prepare(&ha);
    acquire_later(a, -1, &ha);
    holding_prepare(&hb);
    AWAIT_KEYS(client, NAME "waiting/", 2);
    acquire_later(b, -1, &hb);
    AWAIT_KEYS(client, NAME "waiting/", 3);
    delete_key_of(a);
    ENDED(&ha, ETCD3_ERR_LEASE_LOST);
    CHECK(strstr(ha.why_text, NAME "waiting/") != NULL);
    revoke_lease_of(other, b_session);
    ENDED(&hb, ETCD3_ERR_LEASE_LOST);
    CHECK_INT(ha.acquired + hb.acquired + ha.lost + hb.lost, 0);
    CHECK_INT(etcd3_lock_is_acquired(holder), 1);
    AWAIT_KEYS(client, NAME "waiting/", 1);
    release(holder);
    etcd3_lock_free(holder);
    etcd3_lock_free(a);
    etcd3_lock_free(b);
    close_session(holder_session);
    close_session(a_session);
    etcd3_session_free(b_session);
}

static int guarded_put(etcd3_lock_t *lock, const char *value)
{
    etcd3_op_t *txn = etcd3_op_txn(), *op = etcd3_op_put(NAME "guarded", ETCD3_NTS, value, ETCD3_NTS);
    etcd3_result_t *r;
    int succeeded;
    etcd3_txn_if_lock(txn, lock);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    r = EXECUTE(client, txn);
    succeeded = etcd3_result_succeeded(r);
    etcd3_result_free(r);
    return succeeded;
}

static void only_the_holder_writes(void)
{
    etcd3_session_t *session;
    etcd3_lock_t *lock = lock_in(NAME "guard", &session);
    etcd3_op_t *txn = etcd3_op_txn(), *stale;
    etcd3_result_t *r = NULL;
    etcd3_txn_if_lock(txn, lock);
    CHECK_CODE(etcd3_execute(client, txn, &r, &err), err, ETCD3_ERR_NOT_HELD, "not held");
    etcd3_op_free(txn);
    CHECK_CODE(etcd3_lock_put(lock, NAME "guarded", ETCD3_NTS, "0", 1, &err), err, ETCD3_ERR_NOT_HELD, "not held");
    acquire(lock);
    CHECK_INT(guarded_put(lock, "1"), 1);
    CHECK_OK(etcd3_lock_put(lock, NAME "guarded", ETCD3_NTS, "2", 1, &err), err);
    stale = etcd3_op_txn();
    etcd3_txn_if_lock(stale, lock);
    release(lock);
    acquire(lock);
    /* The guard of an earlier holding does not let a later one's writes through. */
    r = EXECUTE(client, stale);
    CHECK_INT(etcd3_result_succeeded(r), 0);
    etcd3_result_free(r);
    CHECK_INT(guarded_put(lock, "3"), 1);
    delete_key_of(lock);
    CHECK_CODE(etcd3_lock_put(lock, NAME "guarded", ETCD3_NTS, "4", 1, &err), err, ETCD3_ERR_LOCK_LOST, "deleted");
    CHECK_INT(etcd3_lock_is_acquired(lock), 0);
    r = EXECUTE(client, etcd3_op_get(NAME "guarded", ETCD3_NTS));
    CHECK_KV(etcd3_result_kv(r, 0), NAME "guarded", "3");
    etcd3_result_free(r);
    etcd3_lock_free(lock);
    close_session(session);
}

static etcd3_op_t *guarded_by(const etcd3_lock_t *lock, const etcd3_election_t *election)
{
    etcd3_op_t *txn = etcd3_op_txn(), *op = etcd3_op_put(NAME "guarded", ETCD3_NTS, "4", 1);
    if (lock)
        etcd3_txn_if_lock(txn, lock);
    if (election)
        etcd3_txn_if_leader(txn, election);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    return txn;
}

/* In another namespace it would compare another key, and the wrong branch would run. */
static void a_guard_is_of_its_namespace(void)
{
    etcd3_client_t *spaces[2] = {NULL, NULL};
    etcd3_session_t *session;
    etcd3_lock_t *lock;
    etcd3_election_t *election = NULL;
    etcd3_op_t *ops[3];
    etcd3_result_t *r = NULL;
    struct holding none;
    size_t i, j;
    holding_prepare(&none);
    for (i = 0; i < 2; i++)
        CHECK_OK(etcd3_namespace_open(client, "a space/", ETCD3_NTS, &spaces[i], &err), err);
    session = open_session(spaces[0], 60);
    lock = new_lock(session, NAME "guard");
    acquire(lock);
    CHECK_OK(etcd3_election_new(session, NAME "leader", ETCD3_NTS, &election, &err), err);
    CHECK_OK(etcd3_election_campaign(election, "v", 1, PATIENCE_MS, &err), err);
    ops[0] = guarded_by(lock, NULL);
    ops[1] = guarded_by(NULL, election);
    ops[2] = etcd3_op_txn();
    etcd3_txn_else(ops[2], ops[0]);
    for (i = 0; i < 3; i++) {
        CHECK_CODE(etcd3_execute(client, ops[i], &r, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "a space/");
        CHECK_CODE(etcd3_execute_async(client, ops[i], NULL, on_holding, &none, NULL, &err), err,
                   ETCD3_ERR_INVALID_ARGUMENT, "op: ");
        /* Another handle of the same namespace will do. */
        for (j = 0; j < 2; j++) {
            CHECK_OK(etcd3_execute(spaces[j], ops[i], &r, &err), err);
            CHECK_INT(etcd3_result_succeeded(r), 1);
            etcd3_result_free(r);
            r = NULL;
        }
        etcd3_op_free(ops[i]);
    }
    CHECK_INT(count_of(&none, &none.closed), 0);
    /* And the other way round. */
    etcd3_lock_free(lock);
    etcd3_election_free(election);
    close_session(session);
    session = open_session(client, 60);
    lock = new_lock(session, NAME "guard");
    acquire(lock);
    ops[0] = guarded_by(lock, NULL);
    CHECK_CODE(etcd3_execute(spaces[0], ops[0], &r, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "the whole store");
    etcd3_op_free(ops[0]);
    etcd3_lock_free(lock);
    close_session(session);
    etcd3_client_free(spaces[0]);
    etcd3_client_free(spaces[1]);
}

static void *close_it(void *own)
{
    CHECK_INT(etcd3_client_close((etcd3_client_t *)own, PATIENCE_MS, NULL), ETCD3_OK);
    return NULL;
}

static void the_client_is_closed(void)
{
    etcd3_client_t *own = open_client();
    etcd3_session_t *holder_session, *session = open_session(own, 60), *waiter_session = open_session(own, 60);
    etcd3_lock_t *holder = lock_in(NAME "client", &holder_session), *lock = new_lock(session, NAME "mine"),
                 *waiter = new_lock(session, NAME "client"), *async = new_lock(waiter_session, NAME "client");
    struct holding held, pending;
    pthread_t thread;
    int64_t before;
    acquire(holder);
    acquire(lock);
    holding_prepare(&held);
    CHECK_OK(etcd3_lock_watch_loss(lock, NULL, on_holding, &held, &err), err);
    holding_prepare(&pending);
    acquire_later(async, -1, &pending);
    AWAIT_KEYS(client, NAME "client/", 2);
    CHECK_INT(pthread_create(&thread, NULL, close_it, own), 0);
    before = now_ms();
    CHECK_CODE(etcd3_lock_acquire(waiter, -1, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK(now_ms() - before <= SOON_MS);
    pthread_join(thread, NULL);
    ENDED(&held, ETCD3_ERR_CLOSED);
    CHECK_INT(held.lost, 1);
    CHECK_INT(held.reason, ETCD3_LOST_CLOSED);
    ENDED(&pending, ETCD3_ERR_CLOSED);
    CHECK_INT(pending.acquired + pending.lost, 0);
    CHECK_INT(etcd3_lock_is_acquired(lock), 0);
    CHECK_CODE(etcd3_lock_acquire(lock, 1000, &err), err, ETCD3_ERR_CLOSED, "closed");
    etcd3_client_free(own);
    etcd3_lock_free(lock);
    etcd3_session_free(session);
    etcd3_lock_free(waiter);
    etcd3_session_free(waiter_session);
    etcd3_lock_free(async);
    release(holder);
    etcd3_lock_free(holder);
    close_session(holder_session);
    CHECK_OK(etcd3_delete_prefix(client, NAME, ETCD3_NTS, NULL, &err), err);
}

static void a_queue_of_the_callers(void)
{
    etcd3_session_t *session;
    etcd3_lock_t *lock = lock_in(NAME "queue", &session);
    etcd3_queue_t *queue = NULL;
    etcd3_event_t *event = NULL;
    int marker;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_lock_acquire_async(lock, -1, queue, NULL, &marker, NULL, &err), err);
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_ACQUIRED);
    CHECK(etcd3_event_user_data(event) == &marker);
    CHECK_INT(etcd3_event_revision(event), etcd3_lock_token(lock));
    etcd3_event_free(event);
    /* A queue that is freed hears of nothing; the lock goes on. */
    etcd3_queue_free(queue);
    CHECK_INT(etcd3_lock_is_acquired(lock), 1);
    release(lock);
    etcd3_lock_free(lock);
    close_session(session);
}

int main(void)
{
    client = open_client();
    other = open_client();
    RUN(its_key_is_deleted);
    RUN(released_too_late);
    RUN(its_lease_is_revoked);
    RUN(its_session_is_closed);
    RUN(lost_while_waiting);
    RUN(only_the_holder_writes);
    RUN(a_guard_is_of_its_namespace);
    RUN(the_client_is_closed);
    RUN(a_queue_of_the_callers);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    etcd3_client_free(other);
    return CHECK_DONE();
}
