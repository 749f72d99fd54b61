/* Locks: held by one at a time, in order, and what is left in the store. How they end: test_lock_loss.c. */
#include "locking.h"
#include <sched.h>

#define NAME "test_lock/"

static etcd3_client_t *client;
static etcd3_error_t *err;

static etcd3_lock_t *lock_in(const char *name, etcd3_session_t **session)
{
    *session = open_session(client, 60);
    return new_lock(*session, name);
}

static void the_key_is_that_of_other_clients(void)
{
    etcd3_session_t *session;
    etcd3_lock_t *lock = lock_in(NAME "key", &session);
    char wanted[100];
    etcd3_result_t *r;
    size_t len = 0;
    const uint8_t *key = etcd3_lock_key(lock, &len);
    int n = snprintf(wanted, sizeof wanted, NAME "key/%llx", (long long)etcd3_session_lease_id(session));
    CHECK(len == (size_t)n && memcmp(key, wanted, len) == 0);
    CHECK_INT(etcd3_lock_is_acquired(lock), 0);
    CHECK_INT(etcd3_lock_token(lock), 0);
    CHECK_INT(count_keys(client, NAME "key/"), 0);
    acquire(lock);
    r = EXECUTE(client, etcd3_op_get(key, len));
    CHECK_KV(etcd3_result_kv(r, 0), wanted, "");
    CHECK_INT(kv_at(r, 0)->lease, etcd3_session_lease_id(session));
    CHECK_INT(kv_at(r, 0)->create_revision, etcd3_lock_token(lock));
    etcd3_result_free(r);
    release(lock);
    CHECK_INT(count_keys(client, NAME "key/"), 0);
    acquire(lock);
    release(lock);
    etcd3_lock_free(lock);
    close_session(session);
}

static void tokens_grow(void)
{
    etcd3_session_t *a_session, *b_session;
    etcd3_lock_t *a = lock_in(NAME "tokens", &a_session), *b = lock_in(NAME "tokens", &b_session);
    int64_t last = 0;
    int i;
    for (i = 0; i < 6; i++) {
        etcd3_lock_t *one = i % 2 ? a : b;
        acquire(one);
        CHECK(etcd3_lock_token(one) > last);
        last = etcd3_lock_token(one);
        release(one);
    }
    etcd3_lock_free(a);
    etcd3_lock_free(b);
    close_session(a_session);
    close_session(b_session);
}

static void trying(void)
{
    etcd3_session_t *a_session, *b_session;
    etcd3_lock_t *a = lock_in(NAME "try", &a_session), *b = lock_in(NAME "try", &b_session);
    CHECK_OK(etcd3_lock_try(a, &err), err);
    CHECK_CODE(etcd3_lock_try(b, &err), err, ETCD3_ERR_LOCKED, "holds");
    /* Whoever tries in vain has left nothing when he is told. */
    CHECK_INT(count_keys(client, NAME "try/"), 1);
    CHECK_INT(etcd3_lock_is_acquired(b), 0);
    CHECK_CODE(etcd3_lock_release(b, &err), err, ETCD3_ERR_NOT_HELD, "not held");
    CHECK_CODE(etcd3_lock_try(a, &err), err, ETCD3_ERR_LOCKED, "holds");
    CHECK_INT(etcd3_lock_is_acquired(a), 1);
    release(a);
    CHECK_OK(etcd3_lock_try(b, &err), err);
    release(b);
    etcd3_lock_free(a);
    etcd3_lock_free(b);
    close_session(a_session);
    close_session(b_session);
}

static void first_come_first_served(void)
{
    enum { MANY = 5 };
    etcd3_session_t *sessions[MANY], *first_session;
    etcd3_lock_t *locks[MANY], *first = lock_in(NAME "order", &first_session);
    struct holding h[MANY];
    int i, turns = 0;
    int64_t last;
    acquire(first);
    last = etcd3_lock_token(first);
    for (i = 0; i < MANY; i++) {
        locks[i] = lock_in(NAME "order", &sessions[i]);
        holding_prepare(&h[i]);
        h[i].turns = &turns;
        acquire_later(locks[i], -1, &h[i]);
        AWAIT_KEYS(client, NAME "order/", i + 2);
    }
    for (i = 0; i < MANY; i++)
        CHECK_INT(count_of(&h[i], &h[i].acquired), 0);
    /* One in the middle gives up, and lets nobody overtake. */
    etcd3_call_cancel(h[2].call);
    ENDED(&h[2], ETCD3_ERR_CANCELED);
    AWAIT_KEYS(client, NAME "order/", MANY);
    for (i = 0; i < MANY; i++)
        if (i != 2)
            CHECK_INT(count_of(&h[i], &h[i].acquired), 0);
    release(first);
    for (i = 0; i < MANY; i++) {
        if (i == 2)
            continue;
        AWAIT_HOLDING(&h[i], acquired, 1);
        CHECK_INT(h[i].turn, i < 2 ? i + 1 : i);
        CHECK_INT(h[i].token, etcd3_lock_token(locks[i]));
        CHECK(h[i].token > last);
        last = h[i].token;
        CHECK_INT(count_of(&h[i], &h[i].closed), 0);
        release(locks[i]);
        ENDED(&h[i], ETCD3_OK);
        CHECK_INT(h[i].lost, 0);
    }
    CHECK_INT(count_keys(client, NAME "order/"), 0);
    for (i = 0; i < MANY; i++) {
        etcd3_lock_free(locks[i]);
        close_session(sessions[i]);
    }
    etcd3_lock_free(first);
    close_session(first_session);
}

static void in_time(void)
{
    etcd3_session_t *a_session, *b_session;
    etcd3_lock_t *a = lock_in(NAME "time", &a_session), *b = lock_in(NAME "time", &b_session);
    struct holding h;
    int64_t before, took;
    acquire(a);
    before = now_ms();
    CHECK_CODE(etcd3_lock_acquire(b, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "time");
    took = now_ms() - before;
    CHECK(took >= SHORT_MS);
    CHECK(took <= SHORT_MS + SOON_MS);
    AWAIT_KEYS(client, NAME "time/", 1);
    holding_prepare(&h);
    before = now_ms();
    acquire_later(b, SHORT_MS, &h);
    ENDED(&h, ETCD3_ERR_TIMEOUT);
    CHECK(now_ms() - before <= SHORT_MS + SOON_MS);
    CHECK_INT(h.acquired, 0);
    AWAIT_KEYS(client, NAME "time/", 1);
    /* What was given up stands in nobody's way, its owner included. */
    release(a);
    acquire(b);
    release(b);
    etcd3_lock_free(a);
    etcd3_lock_free(b);
    close_session(a_session);
    close_session(b_session);
}

/* To the server they are one; here they are two. */
static void two_of_one_session(void)
{
    etcd3_session_t *session;
    etcd3_lock_t *a = lock_in(NAME "twins", &session), *b = new_lock(session, NAME "twins");
    struct holding h;
    acquire(a);
    CHECK_CODE(etcd3_lock_try(b, &err), err, ETCD3_ERR_LOCKED, "holds");
    CHECK_CODE(etcd3_lock_acquire(b, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "time");
    CHECK_CODE(etcd3_lock_acquire(a, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "time");
    CHECK_INT(etcd3_lock_is_acquired(a), 1);
    CHECK_INT(count_keys(client, NAME "twins/"), 1);
    holding_prepare(&h);
    acquire_later(b, -1, &h);
    release(a);
    AWAIT_HOLDING(&h, acquired, 1);
    CHECK_INT(etcd3_lock_is_acquired(a), 0);
    CHECK_INT(etcd3_lock_is_acquired(b), 1);
    release(b);
    ENDED(&h, ETCD3_OK);
    etcd3_lock_free(a);
    etcd3_lock_free(b);
    close_session(session);
}

static void strangers_in_line(void)
{
    etcd3_session_t *session;
    etcd3_lock_t *lock = lock_in(NAME "foreign", &session);
    put(client, NAME "foreign/somebody", "no lease");
    CHECK_CODE(etcd3_lock_try(lock, &err), err, ETCD3_ERR_LOCKED, "holds");
    CHECK_CODE(etcd3_lock_acquire(lock, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "time");
    AWAIT_KEYS(client, NAME "foreign/", 1);
    delete_key(client, NAME "foreign/somebody", ETCD3_NTS);
    acquire(lock);
    /* Another name is another lock, also one that starts the same. */
    put(client, NAME "foreigner", "");
    release(lock);
    etcd3_lock_free(lock);
    close_session(session);
}

static void any_byte_in_a_name(void)
{
    static const char name[] = NAME "\0\xff";
    etcd3_session_t *session = open_session(client, 60);
    etcd3_lock_t *lock = NULL;
    size_t len = 0;
    CHECK_OK(etcd3_lock_new(session, name, sizeof name - 1, &lock, &err), err);
    acquire(lock);
    CHECK(memcmp(etcd3_lock_key(lock, &len), name, sizeof name - 1) == 0);
    CHECK(len > sizeof name);
    release(lock);
    etcd3_lock_free(lock);
    close_session(session);
}

static void freed_is_released(void)
{
    etcd3_session_t *a_session, *b_session;
    etcd3_lock_t *a = lock_in(NAME "free", &a_session), *b = lock_in(NAME "free", &b_session);
    etcd3_lock_t *again = new_lock(a_session, NAME "free");
    struct holding h;
    acquire(a);
    holding_prepare(&h);
    acquire_later(b, -1, &h);
    AWAIT_KEYS(client, NAME "free/", 2);
    etcd3_lock_free(b);
    ENDED(&h, ETCD3_ERR_CANCELED);
    AWAIT_KEYS(client, NAME "free/", 1);
    etcd3_lock_free(a);
    acquire(again);
    release(again);
    etcd3_lock_free(again);
    close_session(a_session);
    close_session(b_session);
}

/* The seed interface's: a lock with a name and a time to live. */
static void with_a_session_of_its_own(void)
{
    etcd3_lock_t *lock = NULL, *other = NULL;
    etcd3_result_t *r;
    etcd3_lease_info_t *info = NULL;
    int64_t lease, ttl = 0, limit = now_ms() + PATIENCE_MS, left;
    size_t len = 0;
    const uint8_t *key;
    CHECK_OK(etcd3_lock_open(client, NAME "own", ETCD3_NTS, 20, &lock, &err), err);
    CHECK_OK(etcd3_lock_open(client, NAME "own", ETCD3_NTS, 0, &other, &err), err);
    CHECK_CODE(etcd3_lock_refresh(lock, &ttl, &err), err, ETCD3_ERR_NOT_HELD, "not held");
    acquire(lock);
    CHECK_CODE(etcd3_lock_try(other, &err), err, ETCD3_ERR_LOCKED, "holds");
    CHECK_OK(etcd3_lock_refresh(lock, &ttl, &err), err);
    CHECK_INT(ttl, 20);
    CHECK_OK(etcd3_lock_refresh(lock, NULL, &err), err);
    key = etcd3_lock_key(lock, &len);
    r = EXECUTE(client, etcd3_op_get(key, len));
    lease = kv_at(r, 0)->lease;
    etcd3_result_free(r);
    etcd3_lock_free(lock);
    acquire(other);
    release(other);
    etcd3_lock_free(other);
    do {
        CHECK_OK(etcd3_lease_time_to_live(client, lease, 0, &info, &err), err);
        left = etcd3_lease_info_ttl(info);
        etcd3_lease_info_free(info);
    } while (left != -1 && now_ms() < limit);
    CHECK_INT(left, -1);
}

struct waiting {
    etcd3_client_t *client;
    etcd3_lock_t *lock;
    pthread_t thread;
    etcd3_code_t code;
    int64_t ended;
};

static void *wait_for_lock(void *arg)
{
    struct waiting *w = (struct waiting *)arg;
    w->code = etcd3_lock_acquire(w->lock, -1, NULL);
    w->ended = now_ms();
    return NULL;
}

static void *wait_for_change(void *arg)
{
    struct waiting *w = (struct waiting *)arg;
    etcd3_event_t *event = NULL;
    w->code = etcd3_watch_once(w->client, NAME "cancelled/", ETCD3_NTS, -1, &event, NULL);
    w->ended = now_ms();
    return NULL;
}

/* Waits without a limit end with all calls of their client, and leave nothing in the store. */
static void cancelled_with_all_calls(void)
{
    etcd3_client_t *own = open_client();
    etcd3_session_t *session, *their;
    etcd3_lock_t *held = lock_in(NAME "cancelled", &session);
    struct waiting lock, change;
    int64_t at;
    acquire(held);
    their = open_session(own, 60);
    lock.lock = new_lock(their, NAME "cancelled");
    change.client = own;
    CHECK_INT(pthread_create(&lock.thread, NULL, wait_for_lock, &lock), 0);
    AWAIT_KEYS(client, NAME "cancelled/", 2);
    CHECK_INT(pthread_create(&change.thread, NULL, wait_for_change, &change), 0);
    while (etcd3_client_counter(own, "watches") < 1)
        sched_yield();
    at = now_ms();
    etcd3_client_cancel_calls(own);
    pthread_join(lock.thread, NULL);
    pthread_join(change.thread, NULL);
    CHECK_INT(lock.code, ETCD3_ERR_CANCELED);
    CHECK_INT(change.code, ETCD3_ERR_CANCELED);
    CHECK(lock.ended - at <= SOON_MS);
    CHECK(change.ended - at <= SOON_MS);
    AWAIT_KEYS(client, NAME "cancelled/", 1);
    etcd3_lock_free(lock.lock);
    close_session(their);
    release(held);
    etcd3_lock_free(held);
    close_session(session);
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    etcd3_client_free(own);
}

int main(void)
{
    client = open_client();
    RUN(the_key_is_that_of_other_clients);
    RUN(tokens_grow);
    RUN(trying);
    RUN(first_come_first_served);
    RUN(in_time);
    RUN(two_of_one_session);
    RUN(strangers_in_line);
    RUN(any_byte_in_a_name);
    RUN(freed_is_released);
    RUN(with_a_session_of_its_own);
    RUN(cancelled_with_all_calls);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
