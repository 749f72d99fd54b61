/* A watch gets every one of 10,000 puts made by another thread, in order, and CLOSED exactly once. */
#include "check.h"
#include <poll.h>

#define PREFIX "test_watch_10k/"
#define EVENTS 10000

static int events;

/* What the callback has seen. Only it writes; the lock is for those who wait. */
struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int changes, wrong, closed, after_closed;
    etcd3_code_t why;
    int64_t revision;
};

static void on_event(const etcd3_event_t *event, void *user_data)
{
    struct seen *seen = (struct seen *)user_data;
    size_t i;
    pthread_mutex_lock(&seen->lock);
    seen->after_closed += seen->closed;
    for (i = 0; i < etcd3_event_change_count(event); i++) {
        const etcd3_change_t *change = etcd3_event_change(event, i);
        char expected[40];
        snprintf(expected, sizeof expected, "%d", seen->changes++);
        seen->wrong += change->type != ETCD3_CHANGE_PUT || change->kv->mod_revision <= seen->revision ||
                       !bytes_are(change->kv->value, change->kv->value_len, expected, strlen(expected));
        seen->revision = change->kv->mod_revision;
    }
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
        seen->closed++;
        seen->why = etcd3_error_code(etcd3_event_error(event));
    }
    pthread_cond_broadcast(&seen->changed);
    pthread_mutex_unlock(&seen->lock);
}

struct writing {
    etcd3_client_t *client;
    int failed;
};

static void *write_all(void *arg)
{
    struct writing *writing = (struct writing *)arg;
    int i;
    for (i = 0; i < events; i++) {
        char key[60], value[40];
        snprintf(key, sizeof key, PREFIX "%d", i % 100);
        snprintf(value, sizeof value, "%d", i);
        writing->failed +=
            etcd3_put(writing->client, key, ETCD3_NTS, value, ETCD3_NTS, NULL) != ETCD3_OK;
    }
    return NULL;
}

static etcd3_watch_t *watch(etcd3_client_t *client, etcd3_queue_t *queue, struct seen *seen)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(PREFIX, ETCD3_NTS);
    etcd3_watch_t *started = NULL;
    etcd3_error_t *err = NULL;
    etcd3_watch_opts_set_prefix(opts);
    memset(seen, 0, sizeof *seen);
    seen->why = -1;
    pthread_mutex_init(&seen->lock, NULL);
    pthread_cond_init(&seen->changed, NULL);
    CHECK_OK(etcd3_watch_start(client, opts, queue, on_event, seen, &started, &err), err);
    etcd3_watch_opts_free(opts);
    return started;
}

static void all_seen(struct seen *seen)
{
    CHECK_INT(seen->changes, events);
    CHECK_INT(seen->wrong, 0);
    CHECK_INT(seen->closed, 1);
    CHECK_INT(seen->after_closed, 0);
    CHECK_INT(seen->why, ETCD3_OK);
    pthread_cond_destroy(&seen->changed);
    pthread_mutex_destroy(&seen->lock);
}

/* Callbacks on the client's own thread: the program itself has nothing to do. */
static void without_a_queue(void)
{
    struct seen seen;
    struct writing writing = {open_client(), 0};
    etcd3_watch_t *w = watch(writing.client, NULL, &seen);
    etcd3_error_t *err = NULL;
    pthread_t writer;
    CHECK_INT(pthread_create(&writer, NULL, write_all, &writing), 0);
    pthread_join(writer, NULL);
    CHECK_INT(writing.failed, 0);
    pthread_mutex_lock(&seen.lock);
    while (seen.changes < events && !seen.closed)
        pthread_cond_wait(&seen.changed, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
    etcd3_watch_cancel(w);
    pthread_mutex_lock(&seen.lock);
    while (!seen.closed)
        pthread_cond_wait(&seen.changed, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
    etcd3_watch_free(w);
    CHECK_OK(etcd3_client_close(writing.client, PATIENCE_MS, &err), err);
    CHECK_INT(etcd3_client_close(writing.client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(writing.client);
    all_seen(&seen);
}

/* The program's own loop: poll the queue's descriptor, dispatch on this thread. */
static void with_a_queue(void)
{
    struct seen seen;
    struct writing writing = {open_client(), 0};
    etcd3_queue_t *queue = NULL;
    etcd3_watch_t *w;
    etcd3_error_t *err = NULL;
    struct pollfd p;
    pthread_t writer;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    w = watch(writing.client, queue, &seen);
    CHECK_INT(pthread_create(&writer, NULL, write_all, &writing), 0);
    p.fd = etcd3_queue_fd(queue);
    p.events = POLLIN;
    while (!seen.closed) {
        if (!CHECK(poll(&p, 1, PATIENCE_MS) == 1))
            break;
        CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, NULL, &err), err);
        if (seen.changes >= events)
            etcd3_watch_cancel(w);
    }
    pthread_join(writer, NULL);
    CHECK_INT(writing.failed, 0);
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 50, NULL, &err), err);
    etcd3_watch_free(w);
    CHECK_OK(etcd3_client_close(writing.client, PATIENCE_MS, &err), err);
    CHECK_INT(etcd3_client_close(writing.client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(writing.client);
    etcd3_queue_free(queue);
    all_seen(&seen);
}

int main(void)
{
    events = (int)env_number("ETCD3_TEST_EVENTS", EVENTS);
    RUN(without_a_queue);
    RUN(with_a_queue);
    return CHECK_DONE();
}
