/* What the tests of locks and elections share: sessions, and a callback that writes down what it is told of a holding. */
#ifndef LOCKING_H
#define LOCKING_H
#include "check.h"

/* What has to happen at once. */
#define SOON_MS (100 + SLACK_MS)

/* What is too short for what is waited for, and long enough to ask a server. */
#define SHORT_MS (env_number("ETCD3_TEST_VALGRIND", 0) ? 1200 : 400)

/* One acquisition, or one holding, and what has been told of it. Counters are read by await_holding(). */
struct holding {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int acquired, lost, closed, others, after_closed;
    int64_t token;
    int32_t reason;
    etcd3_code_t why;
    char why_text[200];
    etcd3_call_t *call;
    /* Numbers acquisitions in the order in which they are told; NULL if nobody asks. */
    int *turns;
    int turn;
};

static inline void holding_prepare(struct holding *h)
{
    pthread_condattr_t attr;
    memset(h, 0, sizeof *h);
    h->why = -1;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->changed, &attr);
    pthread_condattr_destroy(&attr);
}

static inline void on_holding(const etcd3_event_t *event, void *user_data)
{
    struct holding *h = (struct holding *)user_data;
    pthread_mutex_lock(&h->lock);
    h->after_closed += h->closed;
    switch (etcd3_event_type(event)) {
    case ETCD3_EVENT_ACQUIRED:
        h->acquired++;
        h->token = etcd3_event_revision(event);
        if (h->turns)
            h->turn = ++*h->turns;
        break;
    case ETCD3_EVENT_LOST:
        h->lost++;
        h->reason = etcd3_event_lost_reason(event);
        break;
    case ETCD3_EVENT_CLOSED:
        h->closed++;
        h->why = etcd3_error_code(etcd3_event_error(event));
        snprintf(h->why_text, sizeof h->why_text, "%s", etcd3_error_message(etcd3_event_error(event)));
        break;
    default:
        h->others++;
    }
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

/* Waits until the counter, one of h's, has reached a number. */
#define AWAIT_HOLDING(h, counter, number) CHECK(await_holding((h), &(h)->counter, (number)))
static inline int await_holding(struct holding *h, const int *counter, int number)
{
    struct timespec limit;
    int reached, late = 0;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&h->lock);
    while (*counter < number && !late)
        late = pthread_cond_timedwait(&h->changed, &h->lock, &limit) != 0;
    reached = *counter >= number;
    pthread_mutex_unlock(&h->lock);
    return reached;
}

static inline int count_of(struct holding *h, const int *counter)
{
    int value;
    pthread_mutex_lock(&h->lock);
    value = *counter;
    pthread_mutex_unlock(&h->lock);
    return value;
}

/* Waits for the end: told once, with this code, and nothing after it. */
#define ENDED(h, code) ended((h), (code), __FILE__, __LINE__)
static inline void ended(struct holding *h, etcd3_code_t code, const char *file, int line)
{
    char text[500];
    AWAIT_HOLDING(h, closed, 1);
    pthread_mutex_lock(&h->lock);
    snprintf(text, sizeof text, "ended %d times with %s (%s), wanted %s; %d other events", h->closed,
             etcd3_code_name(h->why), h->why_text, etcd3_code_name(code), h->others);
    check_that(h->closed == 1 && h->why == code && !h->others && !h->after_closed, text, file, line);
    pthread_mutex_unlock(&h->lock);
    etcd3_call_free(h->call);
    h->call = NULL;
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
}

static inline etcd3_session_t *open_session(etcd3_client_t *client, int64_t ttl_s)
{
    etcd3_session_t *session = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_session_open(client, ttl_s, 0, NULL, NULL, NULL, &session, &err), err);
    return session;
}

static inline void close_session(etcd3_session_t *session)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_session_close(session, PATIENCE_MS, &err), err);
    etcd3_session_free(session);
}

static inline etcd3_lock_t *new_lock(etcd3_session_t *session, const char *name)
{
    etcd3_lock_t *lock = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_lock_new(session, name, ETCD3_NTS, &lock, &err), err);
    return lock;
}

static inline void acquire(etcd3_lock_t *lock)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_lock_acquire(lock, PATIENCE_MS, &err), err);
    CHECK_INT(etcd3_lock_is_acquired(lock), 1);
    CHECK(etcd3_lock_token(lock) > 0);
}

static inline void release(etcd3_lock_t *lock)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_lock_release(lock, &err), err);
    CHECK_INT(etcd3_lock_is_acquired(lock), 0);
    CHECK_INT(etcd3_lock_token(lock), 0);
}

/* Starts to acquire. What comes of it is told to h. */
static inline void acquire_later(etcd3_lock_t *lock, int64_t timeout_ms, struct holding *h)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_lock_acquire_async(lock, timeout_ms, NULL, on_holding, h, &h->call, &err), err);
}

static inline int64_t count_keys(etcd3_client_t *client, const char *prefix)
{
    etcd3_op_t *get = etcd3_op_get(prefix, ETCD3_NTS);
    etcd3_result_t *r;
    int64_t count;
    etcd3_op_set_prefix(get);
    etcd3_op_set_count_only(get);
    r = EXECUTE(client, get);
    count = etcd3_result_count(r);
    etcd3_result_free(r);
    return count;
}

/* Asks the server, again and again, until so many keys have the prefix. */
#define AWAIT_KEYS(client, prefix, count) await_keys((client), (prefix), (count), __FILE__, __LINE__)
static inline void await_keys(etcd3_client_t *client, const char *prefix, int64_t count, const char *file, int line)
{
    int64_t limit = now_ms() + PATIENCE_MS, found;
    do
        found = count_keys(client, prefix);
    while (found != count && now_ms() < limit);
    check_int(found, count, prefix, file, line);
}

static inline void delete_key(etcd3_client_t *client, const void *key, size_t len)
{
    etcd3_error_t *err = NULL;
    int64_t deleted = 0;
    CHECK_OK(etcd3_delete(client, key, len, &deleted, &err), err);
    CHECK_INT(deleted, 1);
}

static inline void revoke_lease_of(etcd3_client_t *client, etcd3_session_t *session)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_lease_revoke_id(client, etcd3_session_lease_id(session), &err), err);
}

#endif
