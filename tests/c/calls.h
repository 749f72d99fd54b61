/* What the tests of calls that do not block share: a callback that writes down each outcome, and waits for them. */
#ifndef CALLS_H
#define CALLS_H
#include "check.h"

/* What has to happen at once. */
#define AT_ONCE_MS (100 + SLACK_MS)

/* Calls that are awaited together. With a queue, that thread dispatches which waits for them. */
struct calls {
    etcd3_client_t *client;
    etcd3_queue_t *queue;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int ended, inside, overlapped;
    int64_t when;     /* the last callback */
    pthread_t thread; /* of it */
};

/* One call and what became of it. */
struct outcome {
    struct calls *calls;
    etcd3_call_t *call;
    int done, others; /* how often it was told DONE, and anything else */
    etcd3_code_t code;
    int maybe_applied;
    int32_t kind;
    int64_t revision;
    char value[100], message[200];
    /* Runs in the callback, without the lock. */
    void (*hook)(struct outcome *outcome, const etcd3_event_t *event);
};

static inline void calls_prepare(struct calls *calls, etcd3_client_t *client, etcd3_queue_t *queue)
{
    pthread_condattr_t attr;
    memset(calls, 0, sizeof *calls);
    calls->client = client;
    calls->queue = queue;
    pthread_mutex_init(&calls->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&calls->changed, &attr);
    pthread_condattr_destroy(&attr);
}

static inline etcd3_queue_t *new_queue(void)
{
    etcd3_queue_t *queue = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    return queue;
}

static inline void write_down(struct outcome *o, const etcd3_event_t *event)
{
    const etcd3_result_t *result = etcd3_event_result(event);
    const etcd3_error_t *error = etcd3_event_error(event);
    const etcd3_kv_t *kv = etcd3_result_kv(result, 0);
    if (etcd3_event_type(event) == ETCD3_EVENT_DONE) {
        o->done++;
        CHECK((result == NULL) != (error == NULL));
    } else {
        o->others++;
    }
    CHECK(etcd3_event_change(event, 0) == NULL);
    CHECK_INT(etcd3_event_state(event), 0);
    CHECK_INT(etcd3_event_change_count(event), 0);
    CHECK_INT(etcd3_event_compact_revision(event), 0);
    o->code = etcd3_error_code(error);
    o->maybe_applied = etcd3_error_maybe_applied(error);
    o->kind = etcd3_result_kind(result);
    o->revision = etcd3_result_revision(result);
    snprintf(o->message, sizeof o->message, "%s", etcd3_error_message(error));
    if (kv)
        snprintf(o->value, sizeof o->value, "%.*s", (int)kv->value_len, kv->value_len ? (const char *)kv->value : "");
}

static inline void on_done(const etcd3_event_t *event, void *user_data)
{
    struct outcome *o = (struct outcome *)user_data;
    struct calls *calls = o->calls;
    pthread_mutex_lock(&calls->lock);
    calls->overlapped += calls->inside++;
    CHECK(etcd3_event_user_data(event) == user_data);
    write_down(o, event);
    calls->when = now_ms();
    calls->thread = pthread_self();
    pthread_mutex_unlock(&calls->lock);
    if (o->hook)
        o->hook(o, event);
    pthread_mutex_lock(&calls->lock);
    calls->inside--;
    calls->ended++;
    pthread_cond_broadcast(&calls->changed);
    pthread_mutex_unlock(&calls->lock);
}

/* Starts a call, and frees the op. Its handle is in the outcome: to be given to settle(). */
#define BEGIN(calls, outcome, op) begin_call((calls), (outcome), (op), #op, __FILE__, __LINE__)
static inline void begin_call(struct calls *calls, struct outcome *o, etcd3_op_t *op, const char *what,
                              const char *file, int line)
{
    etcd3_error_t *err = NULL;
    void (*hook)(struct outcome *, const etcd3_event_t *) = o->hook;
    memset(o, 0, sizeof *o);
    o->calls = calls;
    o->hook = hook;
    o->code = -1;
    check_ok(etcd3_execute_async(calls->client, op, calls->queue, on_done, o, &o->call, &err), &err, what, file, line);
    check_that(o->call != NULL, "a call came", file, line);
    etcd3_op_free(op);
}

/* Waits until `number` callbacks have returned, running them here if there is a queue. */
#define AWAIT_CALLS(calls, number) CHECK(await_calls((calls), (number)))
static inline int await_calls(struct calls *calls, int number)
{
    struct timespec limit;
    int ended, late = 0;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&calls->lock);
    while (calls->ended < number && !late) {
        if (calls->queue) {
            etcd3_error_t *err = NULL;
            size_t ran = 0;
            pthread_mutex_unlock(&calls->lock);
            CHECK_OK(etcd3_queue_dispatch(calls->queue, 0, PATIENCE_MS, &ran, &err), err);
            late = ran == 0;
            pthread_mutex_lock(&calls->lock);
        } else {
            late = pthread_cond_timedwait(&calls->changed, &calls->lock, &limit) != 0;
        }
    }
    ended = calls->ended;
    pthread_mutex_unlock(&calls->lock);
    return ended >= number;
}

/* Frees the handle. The call has ended: once, by DONE, with this code, and no word of it but that. */
#define SETTLE(outcome, code) settle((outcome), (code), __FILE__, __LINE__)
static inline void settle(struct outcome *o, etcd3_code_t code, const char *file, int line)
{
    char text[500];
    pthread_mutex_lock(&o->calls->lock);
    snprintf(text, sizeof text, "told DONE %d times, else %d times; %s (%s), wanted %s", o->done, o->others,
             etcd3_code_name(o->code), o->message, etcd3_code_name(code));
    check_that(o->done == 1 && o->others == 0 && o->code == code, text, file, line);
    check_int(o->maybe_applied, code == ETCD3_ERR_AMBIGUOUS, "maybe_applied", file, line);
    pthread_mutex_unlock(&o->calls->lock);
    etcd3_call_free(o->call);
    o->call = NULL;
}

/* Nothing comes any more to a queue; and callbacks ran one at a time. */
static inline void calls_finish(struct calls *calls, int ended)
{
    if (calls->queue) {
        etcd3_error_t *err = NULL;
        size_t ran = 99;
        CHECK_OK(etcd3_queue_dispatch(calls->queue, 0, 0, &ran, &err), err);
        CHECK_INT(ran, 0);
    }
    pthread_mutex_lock(&calls->lock);
    CHECK_INT(calls->ended, ended);
    CHECK_INT(calls->overlapped, 0);
    pthread_mutex_unlock(&calls->lock);
    pthread_cond_destroy(&calls->changed);
    pthread_mutex_destroy(&calls->lock);
}

/* A client of one endpoint, with the limit for calls that have none of their own. */
static inline etcd3_client_t *client_of(const char *endpoint, int64_t timeout_ms)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *opened = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_add_endpoint(config, endpoint);
    etcd3_config_set_timeout(config, timeout_ms);
    CHECK_OK(etcd3_client_open(config, &opened, &err), err);
    etcd3_config_free(config);
    return opened;
}

static inline void close_client(etcd3_client_t *client)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    etcd3_client_free(client);
}

#endif
