/* A put, a new watch and a cancel inside a watch's callback, with the callbacks run by a thread of the program's; and
   the same between the events that etcd3_queue_next hands out. With the library's own thread: test_watch_calls.c. */
#include "watching.h"

#define PREFIX "test_watch_queue/"

static etcd3_client_t *client;
static etcd3_queue_t *queue;

static void begin(struct watching *w, const char *key, void (*hook)(struct watching *, const etcd3_event_t *))
{
    prepare(w, client, PREFIX);
    w->hook = hook;
    start(w, etcd3_watch_opts_new(key, ETCD3_NTS), queue);
}

static void drain(const int *counter, int number)
{
    etcd3_error_t *err = NULL;
    int64_t limit = now_ms() + PATIENCE_MS;
    while (*counter < number && CHECK(now_ms() < limit))
        CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err);
}

static int is_change(const etcd3_event_t *event) { return etcd3_event_type(event) == ETCD3_EVENT_WATCH; }

static void end(struct watching *w)
{
    etcd3_watch_cancel(w->watch);
    drain(&w->closed, 1);
    finished(w);
}

static void put_inside(struct watching *w, const etcd3_event_t *event)
{
    if (is_change(event) && w->hooked++ < 2)
        put(client, PREFIX "put", w->hooked == 1 ? "2" : "3");
}

static void a_put_inside(void)
{
    struct watching w;
    begin(&w, PREFIX "put", put_inside);
    drain(&w.live, 1);
    put(client, PREFIX "put", "1");
    drain(&w.changes, 3);
    end(&w);
    CHECK_CHANGES(&w, "+put=1 =put=2 =put=3");
}

static struct watching inner;

static void watch_inside(struct watching *w, const etcd3_event_t *event)
{
    if (is_change(event) && !w->hooked++) {
        begin(&inner, PREFIX "inner", NULL);
        put(client, PREFIX "inner", "1");
    }
}

static void a_watch_inside(void)
{
    struct watching w;
    begin(&w, PREFIX "outer", watch_inside);
    put(client, PREFIX "outer", "1");
    drain(&w.changes, 1);
    drain(&inner.changes, 1);
    put(client, PREFIX "inner", "2");
    drain(&inner.changes, 2);
    end(&inner);
    end(&w);
    CHECK_CHANGES(&inner, "+inner=1 =inner=2");
}

static void cancel_inside(struct watching *w, const etcd3_event_t *event)
{
    etcd3_error_t *err = NULL;
    if (is_change(event)) {
        etcd3_watch_cancel(handle_of(w));
        CHECK_OK(etcd3_watch_join(handle_of(w), 0, &err), err);
        put(client, PREFIX "cancel", "2");
    }
}

static void a_cancel_inside(void)
{
    struct watching w;
    begin(&w, PREFIX "cancel", cancel_inside);
    drain(&w.live, 1);
    put(client, PREFIX "cancel", "1");
    drain(&w.closed, 1);
    finished(&w);
    CHECK_INT(w.why, ETCD3_OK);
    CHECK_CHANGES(&w, "+cancel=1");
}

/* The next event of a kind; those of the watch before it are passed over. */
static etcd3_event_t *next(int32_t type)
{
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    for (;;) {
        CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
        if (!CHECK(event != NULL) || etcd3_event_type(event) == type)
            return event;
        etcd3_event_free(event);
    }
}

static void between_the_events_of_a_pull(void)
{
    int first, second;
    etcd3_watch_t *one = NULL, *two = NULL;
    etcd3_error_t *err = NULL;
    etcd3_event_t *event;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(PREFIX "pull", ETCD3_NTS);
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, &first, &one, &err), err);
    put(client, PREFIX "pull", "1");
    event = next(ETCD3_EVENT_WATCH);
    CHECK(etcd3_event_user_data(event) == &first);
    /* It stays whole while other things go on. */
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, &second, &two, &err), err);
    etcd3_watch_cancel(one);
    put(client, PREFIX "pull", "2");
    CHECK_KV(etcd3_event_change(event, 0)->kv, PREFIX "pull", "1");
    etcd3_event_free(event);
    event = next(ETCD3_EVENT_CLOSED);
    CHECK(etcd3_event_user_data(event) == &first);
    etcd3_event_free(event);
    event = next(ETCD3_EVENT_WATCH);
    CHECK(etcd3_event_user_data(event) == &second);
    CHECK_KV(etcd3_event_change(event, 0)->kv, PREFIX "pull", "2");
    CHECK_INT(etcd3_event_resume_revision(event), etcd3_event_change(event, 0)->kv->mod_revision + 1);
    etcd3_event_free(event);
    etcd3_watch_free(two);
    etcd3_event_free(next(ETCD3_EVENT_CLOSED));
    etcd3_watch_free(one);
    etcd3_watch_opts_free(opts);
}

int main(void)
{
    client = open_client();
    queue = new_queue();
    RUN(a_put_inside);
    RUN(a_watch_inside);
    RUN(a_cancel_inside);
    RUN(between_the_events_of_a_pull);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    etcd3_queue_free(queue);
    return CHECK_DONE();
}
