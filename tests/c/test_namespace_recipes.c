/* Locks, elections, barriers, queues of work and transactional memory in namespaces: a client outside contends by the whole
   name. */
#include "locking.h"
#include "spaces.h"

#define NTS ETCD3_NTS

/* The session of each side. */
static etcd3_session_t *ours, *theirs;

static void open_sessions(void)
{
    ours = open_session(inside, 60);
    theirs = open_session(plain, 60);
}

static void close_sessions(void)
{
    close_session(ours);
    close_session(theirs);
}

/* What a key of ours is in the store. */
static const char *whole_of(const uint8_t *key, size_t len, size_t *whole_len)
{
    return there((const char *)key, len, whole_len);
}

static etcd3_code_t new_of_kind(int kind, etcd3_session_t *session, const void *name, size_t len, etcd3_lock_t **lock)
{
    switch (kind) {
    case 0:
        return etcd3_lock_new(session, name, len, lock, &err);
    case 1:
        return etcd3_lock_new_write(session, name, len, lock, &err);
    default:
        return etcd3_lock_new_read(session, name, len, lock, &err);
    }
}

static void with_sessions_of_their_own(void)
{
    etcd3_lock_t *mine = NULL, *contender = NULL;
    size_t len;
    const char *name = there("lock", 4, &len);
    CHECK_OK(etcd3_lock_open(inside, "lock", 4, 60, &mine, &err), err);
    CHECK_OK(etcd3_lock_open(plain, name, len, 60, &contender, &err), err);
    acquire(mine);
    CHECK_CODE(etcd3_lock_try(contender, &err), err, ETCD3_ERR_LOCKED, "");
    release(mine);
    etcd3_lock_free(mine);
    etcd3_lock_free(contender);
}

/* Plain locks, writers, and a reader against a writer. */
static void locks_exclude_those_outside(void)
{
    int kind;
    open_sessions();
    for (kind = 0; kind < 3; kind++) {
        etcd3_lock_t *mine = NULL, *contender = NULL;
        size_t len, whole_len;
        const uint8_t *key;
        const char *name = there("lock", 4, &len), *whole;
        CHECK_OK(new_of_kind(kind, ours, "lock", 4, &mine), err);
        CHECK_OK(new_of_kind(kind == 2 ? 1 : kind, theirs, name, len, &contender), err);
        acquire(mine);
        key = etcd3_lock_key(mine, &len);
        whole = whole_of(key, len, &whole_len);
        CHECK_VALUE(plain, whole, whole_len, "");
        CHECK_CODE(etcd3_lock_try(contender, &err), err, ETCD3_ERR_LOCKED, "");
        CHECK_CODE(etcd3_lock_acquire(contender, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "");
        release(mine);
        acquire(contender);
        CHECK_CODE(etcd3_lock_try(mine, &err), err, ETCD3_ERR_LOCKED, "");
        release(contender);
        etcd3_lock_free(mine);
        etcd3_lock_free(contender);
    }
    close_sessions();
    with_sessions_of_their_own();
}

/* Its key is always "/locks/" and the name: here behind the prefix. */
static void locks_as_of_python(void)
{
    etcd3_client_t *second = namespace_of(plain, space->prefix, space->len);
    etcd3_lock_t *mine = NULL, *contender = NULL;
    size_t len;
    const char *key = there("/locks/lock", 11, &len);
    etcd3_result_t *r;
    ours = open_session(inside, 60);
    theirs = open_session(second, 60);
    CHECK_OK(etcd3_lock_new_python(ours, "lock", 4, &mine, &err), err);
    CHECK_OK(etcd3_lock_new_python(theirs, "lock", 4, &contender, &err), err);
    acquire(mine);
    r = EXECUTE(plain, etcd3_op_get(key, len));
    CHECK_INT(etcd3_result_kv_count(r), 1);
    etcd3_result_free(r);
    CHECK_CODE(etcd3_lock_try(contender, &err), err, ETCD3_ERR_LOCKED, "");
    release(mine);
    etcd3_lock_free(mine);
    etcd3_lock_free(contender);
    close_sessions();
    etcd3_client_free(second);
}

static void who_waits_inside_is_next(void)
{
    struct holding h;
    etcd3_lock_t *mine, *contender = NULL;
    size_t len;
    const char *name = there("lock", 4, &len);
    open_sessions();
    mine = new_lock(ours, "lock");
    CHECK_OK(etcd3_lock_new(theirs, name, len, &contender, &err), err);
    acquire(contender);
    holding_prepare(&h);
    acquire_later(mine, -1, &h);
    AWAIT_KEYS(inside, "lock/", 2);
    CHECK_INT(count_of(&h, &h.acquired), 0);
    release(contender);
    AWAIT_HOLDING(&h, acquired, 1);
    CHECK_INT(etcd3_lock_is_acquired(mine), 1);
    release(mine);
    ENDED(&h, ETCD3_OK);
    etcd3_lock_free(mine);
    etcd3_lock_free(contender);
    close_sessions();
}

static void what_hangs_on_a_lock(void)
{
    struct holding h;
    etcd3_op_t *txn = etcd3_op_txn(), *op = etcd3_op_put("guarded", NTS, "v", 1);
    etcd3_lock_t *lock;
    etcd3_result_t *r;
    size_t len, whole_len;
    const uint8_t *key;
    const char *whole;
    open_sessions();
    lock = new_lock(ours, "lock");
    acquire(lock);
    CHECK_OK(etcd3_lock_put(lock, "put", 3, "v", 1, &err), err);
    CHECK_BOTH("put", "v");
    etcd3_txn_if_lock(txn, lock);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    r = EXECUTE(inside, txn);
    CHECK_INT(etcd3_result_succeeded(r), 1);
    etcd3_result_free(r);
    CHECK_BOTH("guarded", "v");
    holding_prepare(&h);
    CHECK_OK(etcd3_lock_watch_loss(lock, NULL, on_holding, &h, &err), err);
    key = etcd3_lock_key(lock, &len);
    whole = whole_of(key, len, &whole_len);
    delete_key(plain, whole, whole_len);
    AWAIT_HOLDING(&h, lost, 1);
    CHECK_INT(h.reason, ETCD3_LOST_DELETED);
    ENDED(&h, ETCD3_ERR_LOCK_LOST);
    CHECK_CODE(etcd3_lock_put(lock, "put", 3, "w", 1, &err), err, ETCD3_ERR_LOCK_LOST, "");
    CHECK_BOTH("put", "v");
    etcd3_lock_free(lock);
    close_sessions();
}

/* One lease is kept alive by both handles: then they have one place in the line, and take turns for it. */
static void one_session_in_two_handles(void)
{
    etcd3_session_t *same = NULL;
    etcd3_lock_t *mine, *other = NULL;
    size_t len;
    const char *name = there("lock", 4, &len);
    ours = open_session(inside, 60);
    CHECK_OK(etcd3_session_open(plain, 0, etcd3_session_lease_id(ours), NULL, NULL, NULL, &same, &err), err);
    mine = new_lock(ours, "lock");
    CHECK_OK(etcd3_lock_new(same, name, len, &other, &err), err);
    acquire(mine);
    CHECK_CODE(etcd3_lock_try(other, &err), err, ETCD3_ERR_LOCKED, "");
    release(mine);
    acquire(other);
    release(other);
    etcd3_lock_free(mine);
    etcd3_lock_free(other);
    etcd3_session_free(same);
    close_session(ours);
}

/* Takes the next event that tells of a leader; its value, and its key as it is told. */
static void check_leader(etcd3_queue_t *queue, const uint8_t *key, size_t len, const char *value)
{
    etcd3_event_t *event = NULL;
    do {
        etcd3_event_free(event);
        event = NULL;
        CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    } while (event && etcd3_event_type(event) != ETCD3_EVENT_LEADER);
    if (value)
        CHECK_KV_BYTES(etcd3_event_leader(event), key, len, value, strlen(value));
    else
        CHECK(etcd3_event_leader(event) == NULL);
    etcd3_event_free(event);
}

static void elections(void)
{
    etcd3_election_t *mine = NULL, *rival = NULL, *resumed = NULL;
    etcd3_session_t *adopted = NULL;
    etcd3_client_t *another, *second;
    etcd3_op_t *txn = etcd3_op_txn(), *op = etcd3_op_put("led", NTS, "v", 1);
    struct holding h;
    etcd3_observer_t *observer = NULL;
    etcd3_queue_t *queue = NULL;
    etcd3_result_t *r = NULL;
    size_t len, whole_len, key_len;
    const char *name = there("job", 3, &len), *whole;
    const uint8_t *key;
    open_sessions();
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_election_observe(inside, "job", 3, queue, NULL, NULL, &observer, &err), err);
    check_leader(queue, NULL, 0, NULL);
    CHECK_OK(etcd3_election_new(ours, "job", 3, &mine, &err), err);
    CHECK_OK(etcd3_election_new(theirs, name, len, &rival, &err), err);
    CHECK_OK(etcd3_election_campaign(mine, "me", 2, PATIENCE_MS, &err), err);
    key = etcd3_election_key(mine, &key_len);
    check_leader(queue, key, key_len, "me");
    whole = whole_of(key, key_len, &whole_len);
    CHECK_OK(etcd3_election_leader(plain, name, len, &r, &err), err);
    CHECK_KV_BYTES(etcd3_result_kv(r, 0), whole, whole_len, "me", 2);
    etcd3_result_free(r);
    r = NULL;
    CHECK_OK(etcd3_election_leader(inside, "job", 3, &r, &err), err);
    CHECK_KV_BYTES(etcd3_result_kv(r, 0), key, key_len, "me", 2);
    etcd3_result_free(r);
    CHECK_CODE(etcd3_election_campaign(rival, "they", 4, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "");
    AWAIT_KEYS(inside, "job/", 1);
    CHECK_OK(etcd3_election_proclaim(mine, "still me", 8, &err), err);
    check_leader(queue, key, key_len, "still me");
    etcd3_txn_if_leader(txn, mine);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    r = EXECUTE(inside, txn);
    CHECK_INT(etcd3_result_succeeded(r), 1);
    etcd3_result_free(r);
    CHECK_BOTH("led", "v");
    /* By another process, so to say, with the key as it is inside. */
    another = open_client();
    second = namespace_of(another, space->prefix, space->len);
    CHECK_OK(etcd3_session_open(second, 0, etcd3_session_lease_id(ours), NULL, NULL, NULL, &adopted, &err), err);
    CHECK_OK(etcd3_election_resume(adopted, "job", 3, key, key_len, etcd3_election_token(mine), &resumed, &err), err);
    CHECK_OK(etcd3_election_proclaim(resumed, "resumed", 7, &err), err);
    check_leader(queue, key, key_len, "resumed");
    CHECK_OK(etcd3_election_resign(mine, &err), err);
    check_leader(queue, NULL, 0, NULL);
    etcd3_election_free(resumed);
    etcd3_session_free(adopted);
    etcd3_client_free(second);
    etcd3_client_free(another);
    CHECK_OK(etcd3_election_campaign(rival, "they", 4, PATIENCE_MS, &err), err);
    key = etcd3_election_key(rival, &key_len);
    check_leader(queue, key + space->len, key_len - space->len, "they");
    CHECK_CODE(etcd3_election_campaign(mine, "me", 2, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "");
    AWAIT_KEYS(inside, "job/", 1);
    holding_prepare(&h);
    CHECK_OK(etcd3_election_campaign_async(mine, "me again", 8, -1, NULL, on_holding, &h, &h.call, &err), err);
    CHECK_OK(etcd3_election_resign(rival, &err), err);
    AWAIT_HOLDING(&h, acquired, 1);
    CHECK_OK(etcd3_election_resign(mine, &err), err);
    ENDED(&h, ETCD3_OK);
    etcd3_observer_free(observer);
    etcd3_queue_free(queue);
    etcd3_election_free(mine);
    etcd3_election_free(rival);
    close_sessions();
}

static void check_item(etcd3_result_t *r, const char *value)
{
    CHECK(bytes_are(kv_at(r, 0)->value, kv_at(r, 0)->value_len, value, strlen(value)));
    etcd3_result_free(r);
}

static etcd3_op_t *prefixed(etcd3_op_t *op)
{
    etcd3_op_set_prefix(op);
    return op;
}

static void queues_of_work(void)
{
    size_t len;
    const char *name = there("queue", 5, &len);
    etcd3_result_t *r = NULL;
    CHECK_OK(etcd3_fifo_enqueue(inside, "queue", 5, "1", 1, &err), err);
    CHECK_OK(etcd3_fifo_enqueue(plain, name, len, "2", 1, &err), err);
    CHECK_OK(etcd3_fifo_dequeue(plain, name, len, PATIENCE_MS, &r, &err), err);
    check_item(r, "1");
    r = NULL;
    CHECK_OK(etcd3_fifo_dequeue(inside, "queue", 5, PATIENCE_MS, &r, &err), err);
    CHECK(kv_at(r, 0)->key_len > 6 && memcmp(kv_at(r, 0)->key, "queue/", 6) == 0);
    check_item(r, "2");
    r = NULL;
    CHECK_CODE(etcd3_fifo_dequeue(inside, "queue", 5, SHORT_MS, &r, &err), err, ETCD3_ERR_TIMEOUT, "");
    CHECK_OK(etcd3_pqueue_enqueue(inside, "first", 5, 7, "later", 5, &err), err);
    CHECK_OK(etcd3_pqueue_enqueue(inside, "first", 5, 3, "soon", 4, &err), err);
    name = there("first/", 6, &len);
    r = EXECUTE(plain, prefixed(etcd3_op_get(name, len)));
    CHECK_INT(etcd3_result_count(r), 2);
    etcd3_result_free(r);
    r = NULL;
    CHECK_OK(etcd3_pqueue_dequeue(inside, "first", 5, PATIENCE_MS, &r, &err), err);
    check_item(r, "soon");
}

static void barriers(void)
{
    size_t len;
    const char *name = there("barrier", 7, &len);
    etcd3_double_barrier_t *barrier = NULL;
    CHECK_OK(etcd3_barrier_hold(plain, name, len, &err), err);
    CHECK_CODE(etcd3_barrier_hold(inside, "barrier", 7, &err), err, ETCD3_ERR_LOCKED, "barrier");
    CHECK_CODE(etcd3_barrier_wait(inside, "barrier", 7, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "");
    CHECK_OK(etcd3_barrier_release(inside, "barrier", 7, &err), err);
    CHECK_OK(etcd3_barrier_wait(plain, name, len, PATIENCE_MS, &err), err);
    ours = open_session(inside, 60);
    CHECK_OK(etcd3_double_barrier_new(ours, "double", 6, 1, &barrier, &err), err);
    CHECK_OK(etcd3_double_barrier_enter(barrier, PATIENCE_MS, &err), err);
    CHECK(count_keys(inside, "double/") > 0);
    CHECK_OK(etcd3_double_barrier_leave(barrier, PATIENCE_MS, &err), err);
    CHECK_INT(count_keys(inside, "double/waiters/"), 0);
    etcd3_double_barrier_free(barrier);
    close_session(ours);
}

/* Counts up; between the first attempt's read and its commit the client outside does too. */
static int32_t count_up(etcd3_stm_t *stm, void *user_data)
{
    int *attempts = (int *)user_data;
    const uint8_t *value = NULL;
    size_t len = 0;
    int64_t read_at = 0;
    char next[10];
    CHECK_OK(etcd3_stm_get(stm, "counter", 7, &value, &len, &err), err);
    CHECK_OK(etcd3_stm_mod_revision(stm, "counter", 7, &read_at, &err), err);
    CHECK(read_at > 0);
    snprintf(next, sizeof next, "%c", len ? value[0] + 1 : '1');
    if ((*attempts)++ == 0)
        put_there("counter", "5");
    CHECK_OK(etcd3_stm_put(stm, "counter", 7, next, 1, &err), err);
    CHECK_OK(etcd3_stm_delete(stm, "gone", 4, &err), err);
    return ETCD3_STM_COMMIT;
}

static void transactional_memory(void)
{
    int32_t isolation;
    for (isolation = ETCD3_STM_SERIALIZABLE_SNAPSHOT; isolation <= ETCD3_STM_READ_COMMITTED; isolation++) {
        int attempts = 0;
        int64_t revision = 0;
        put_there("counter", "1");
        put_there("gone", "v");
        CHECK_OK(etcd3_stm_run(inside, isolation, 0, PATIENCE_MS, count_up, &attempts, &revision, &err), err);
        /* There nobody minds that the counter has changed. */
        CHECK_INT(attempts, isolation == ETCD3_STM_READ_COMMITTED ? 1 : 2);
        CHECK(revision > 0);
        CHECK_BOTH("counter", isolation == ETCD3_STM_READ_COMMITTED ? "2" : "6");
        CHECK_BOTH("gone", NULL);
    }
}

/* Each test in each of the namespaces. */
#undef RUN
#define RUN(test) (check_section = #test, in_each(test))

int main(void)
{
    plain = open_client();
    RUN(locks_exclude_those_outside);
    RUN(locks_as_of_python);
    RUN(who_waits_inside_is_next);
    RUN(what_hangs_on_a_lock);
    RUN(one_session_in_two_handles);
    RUN(elections);
    RUN(queues_of_work);
    RUN(barriers);
    RUN(transactional_memory);
    etcd3_client_free(plain);
    return CHECK_DONE();
}
