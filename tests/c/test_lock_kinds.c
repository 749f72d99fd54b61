/* Locks of other kinds: for readers and writers, and python-etcd3's. */
#include "locking.h"

#define NAME "test_lock_kinds/"

typedef etcd3_code_t (*maker)(const etcd3_session_t *, const void *, size_t, etcd3_lock_t **, etcd3_error_t **);

static etcd3_client_t *client;
static etcd3_session_t *session, *another;
static etcd3_error_t *err;

static etcd3_lock_t *make(maker make_lock, etcd3_session_t *of, const char *name)
{
    etcd3_lock_t *lock = NULL;
    CHECK_OK(make_lock(of, name, ETCD3_NTS, &lock, &err), err);
    return lock;
}

static int key_starts_with(etcd3_lock_t *lock, const char *prefix)
{
    size_t len = 0;
    const uint8_t *key = etcd3_lock_key(lock, &len);
    return len > strlen(prefix) && memcmp(key, prefix, strlen(prefix)) == 0;
}

static void readers_and_writers(void)
{
    etcd3_lock_t *r1 = make(etcd3_lock_new_read, session, NAME "rw"), *r2 = make(etcd3_lock_new_read, session, NAME "rw"),
                 *r3 = make(etcd3_lock_new_read, another, NAME "rw"), *w1 = make(etcd3_lock_new_write, session, NAME "rw"),
                 *w2 = make(etcd3_lock_new_write, another, NAME "rw");
    struct holding w, r, x;
    CHECK(key_starts_with(r1, NAME "rw/read/"));
    CHECK(key_starts_with(w1, NAME "rw/write/"));
    acquire(r1);
    acquire(r2);
    CHECK(etcd3_lock_token(r2) > etcd3_lock_token(r1));
    CHECK_CODE(etcd3_lock_try(w1, &err), err, ETCD3_ERR_LOCKED, "holds");
    CHECK_CODE(etcd3_lock_try(r1, &err), err, ETCD3_ERR_LOCKED, "holds");
    CHECK_INT(count_keys(client, NAME "rw/"), 2);
    holding_prepare(&w);
    acquire_later(w1, -1, &w);
    AWAIT_KEYS(client, NAME "rw/", 3);
    /* A reader does not overtake a writer who waits. */
    CHECK_CODE(etcd3_lock_try(r3, &err), err, ETCD3_ERR_LOCKED, "holds");
    holding_prepare(&r);
    acquire_later(r3, -1, &r);
    AWAIT_KEYS(client, NAME "rw/", 4);
    holding_prepare(&x);
    acquire_later(w2, -1, &x);
    AWAIT_KEYS(client, NAME "rw/", 5);
    release(r1);
    CHECK_INT(count_of(&w, &w.acquired), 0);
    release(r2);
    AWAIT_HOLDING(&w, acquired, 1);
    CHECK_INT(count_of(&r, &r.acquired), 0);
    release(w1);
    ENDED(&w, ETCD3_OK);
    AWAIT_HOLDING(&r, acquired, 1);
    CHECK_INT(count_of(&x, &x.acquired), 0);
    release(r3);
    ENDED(&r, ETCD3_OK);
    AWAIT_HOLDING(&x, acquired, 1);
    release(w2);
    ENDED(&x, ETCD3_OK);
    CHECK_INT(count_keys(client, NAME "rw/"), 0);
    etcd3_lock_free(r1);
    etcd3_lock_free(r2);
    etcd3_lock_free(r3);
    etcd3_lock_free(w1);
    etcd3_lock_free(w2);
}

static void a_reader_is_lost_too(void)
{
    etcd3_lock_t *reader = make(etcd3_lock_new_read, session, NAME "lost"),
                 *writer = make(etcd3_lock_new_write, another, NAME "lost");
    struct holding h, w;
    size_t len = 0;
    const uint8_t *key = etcd3_lock_key(reader, &len);
    acquire(reader);
    holding_prepare(&h);
    CHECK_OK(etcd3_lock_watch_loss(reader, NULL, on_holding, &h, &err), err);
    holding_prepare(&w);
    acquire_later(writer, -1, &w);
    AWAIT_KEYS(client, NAME "lost/", 2);
    delete_key(client, key, len);
    ENDED(&h, ETCD3_ERR_LOCK_LOST);
    CHECK_INT(h.reason, ETCD3_LOST_DELETED);
    AWAIT_HOLDING(&w, acquired, 1);
    CHECK_CODE(etcd3_lock_release(reader, &err), err, ETCD3_ERR_LOCK_LOST, "deleted");
    release(writer);
    ENDED(&w, ETCD3_OK);
    etcd3_lock_free(reader);
    etcd3_lock_free(writer);
}

static void pythons(void)
{
    etcd3_lock_t *a = make(etcd3_lock_new_python, session, NAME "py"), *b = make(etcd3_lock_new_python, another, NAME "py");
    struct holding h;
    etcd3_result_t *r;
    size_t len = 0;
    const uint8_t *key = etcd3_lock_key(a, &len);
    CHECK(bytes_are(key, len, "/locks/" NAME "py", strlen("/locks/" NAME "py")));
    acquire(a);
    r = EXECUTE(client, etcd3_op_get(key, len));
    CHECK_INT(kv_at(r, 0)->value_len, 16);
    CHECK_INT(kv_at(r, 0)->create_revision, etcd3_lock_token(a));
    CHECK_INT(kv_at(r, 0)->lease, etcd3_session_lease_id(session));
    etcd3_result_free(r);
    CHECK_CODE(etcd3_lock_try(b, &err), err, ETCD3_ERR_LOCKED, "holds");
    CHECK_CODE(etcd3_lock_acquire(b, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "time");
    /* Whoever gave up has deleted nobody else's key. */
    CHECK_INT(etcd3_lock_is_acquired(a), 1);
    CHECK_INT(count_keys(client, "/locks/" NAME "py"), 1);
    holding_prepare(&h);
    acquire_later(b, -1, &h);
    release(a);
    AWAIT_HOLDING(&h, acquired, 1);
    release(b);
    ENDED(&h, ETCD3_OK);
    CHECK_INT(count_keys(client, "/locks/" NAME "py"), 0);
    /* Somebody else's key, without a lease. */
    CHECK_OK(etcd3_put(client, key, len, "somebody's", ETCD3_NTS, &err), err);
    holding_prepare(&h);
    acquire_later(a, -1, &h);
    CHECK_CODE(etcd3_lock_try(b, &err), err, ETCD3_ERR_LOCKED, "holds");
    delete_key(client, key, len);
    AWAIT_HOLDING(&h, acquired, 1);
    release(a);
    ENDED(&h, ETCD3_OK);
    etcd3_lock_free(a);
    etcd3_lock_free(b);
}

int main(void)
{
    client = open_client();
    session = open_session(client, 60);
    another = open_session(client, 60);
    RUN(readers_and_writers);
    RUN(a_reader_is_lost_too);
    RUN(pythons);
    close_session(session);
    close_session(another);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
