/* Callers who do not keep up: their watches are parked or end, lose nothing, and stop nobody else. */
#include "watching.h"
#include <sched.h>

#define PREFIX "test_watch_buffer/"

enum { VALUE = 16384, PUTS = 60, ROOM = 100000 };

static etcd3_client_t *client;

static void put_many(const char *key, int n)
{
    static char value[VALUE];
    etcd3_error_t *err = NULL;
    int i;
    memset(value, 'v', sizeof value);
    for (i = 0; i < n; i++)
        CHECK_OK(etcd3_put(client, key, ETCD3_NTS, value, sizeof value, &err), err);
}

/* Told only the numbers: the values are large. */
static void count(const etcd3_event_t *event, void *user_data)
{
    struct watching *w = (struct watching *)user_data;
    size_t i, n = etcd3_event_change_count(event);
    pthread_mutex_lock(&w->lock);
    w->after_closed += w->closed;
    for (i = 0; i < n; i++) {
        int64_t revision = etcd3_event_change(event, i)->kv->mod_revision;
        w->backwards += w->revision && revision != w->revision + 1;
        w->revision = revision;
        w->changes++;
    }
    if (etcd3_event_type(event) == ETCD3_EVENT_STATE)
        write_state(w, event);
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
        w->closed++;
        w->why = etcd3_error_code(etcd3_event_error(event));
        w->resume_revision = etcd3_event_resume_revision(event);
    }
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    if (w->hook)
        w->hook(w, event);
}

static void begin(struct watching *w, etcd3_client_t *on, const char *key, int64_t start_revision, int64_t room,
                  int32_t policy, etcd3_queue_t *queue)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(key, ETCD3_NTS);
    etcd3_error_t *err = NULL;
    etcd3_watch_opts_set_start_revision(opts, start_revision);
    etcd3_watch_opts_set_buffer(opts, room, policy);
    prepare(w, on, NULL);
    w->troubled = 1;
    CHECK_OK(etcd3_watch_start(on, opts, queue, count, w, &w->watch, &err), err);
    etcd3_watch_opts_free(opts);
}

static void drain(etcd3_queue_t *queue, struct watching *w, const int *counter, int number)
{
    etcd3_error_t *err = NULL;
    int64_t limit = now_ms() + PATIENCE_MS;
    while (*counter < number && CHECK(now_ms() < limit) && !w->after_closed)
        CHECK_OK(etcd3_queue_dispatch(queue, 1, PATIENCE_MS, NULL, &err), err);
}

/* On the client's own thread: what it has seen, the stream has carried. */
static void witness(struct watching *w, const char *key)
{
    begin(w, client, key, 0, (int64_t)1 << 30, ETCD3_OVERFLOW_PARK, NULL);
    AWAIT(w, live, 1);
}

/* Until so many have been parked. What one watch has heard says nothing of another: each has responses of its own, which
   the server sends in any order. */
static void await_parks(const etcd3_client_t *of, int64_t number)
{
    int64_t end = now_ms() + PATIENCE_MS;
    while (etcd3_client_counter(of, "watch_parks") < number && now_ms() < end)
        sched_yield();
}

static void a_full_watch_is_parked_and_goes_on(void)
{
    struct watching slow, seen;
    etcd3_queue_t *queue = new_queue();
    int64_t parks = etcd3_client_counter(client, "watch_parks"), before = revision_now(client);
    witness(&seen, PREFIX "park");
    begin(&slow, client, PREFIX "park", before + 1, ROOM, ETCD3_OVERFLOW_PARK, queue);
    drain(queue, &slow, &slow.live, 1);
    CHECK_INT(etcd3_watch_revision(slow.watch), before);
    put_many(PREFIX "park", PUTS);
    AWAIT(&seen, changes, PUTS);
    await_parks(client, parks + 1);
    CHECK_INT(etcd3_client_counter(client, "watch_parks"), parks + 1);
    CHECK(etcd3_watch_pending_bytes(slow.watch) > ROOM / 2);
    CHECK(etcd3_watch_pending_bytes(slow.watch) < ROOM + 4096);
    CHECK(etcd3_watch_pending_events(slow.watch) >= 2);
    CHECK_INT(etcd3_watch_revision(slow.watch), before);
    drain(queue, &slow, &slow.changes, PUTS);
    CHECK_INT(etcd3_watch_revision(slow.watch), before + PUTS);
    CHECK(slow.parked >= 1);
    CHECK(slow.resumed >= 1);
    CHECK_INT(slow.disconnected, 0);
    stop(&seen);
    etcd3_watch_cancel(slow.watch);
    drain(queue, &slow, &slow.closed, 1);
    finished(&slow);
    etcd3_queue_free(queue);
}

static void a_full_watch_ends_if_it_asked_to(void)
{
    struct watching slow, seen, next;
    etcd3_queue_t *queue = new_queue();
    int64_t before = revision_now(client);
    witness(&seen, PREFIX "fail");
    begin(&slow, client, PREFIX "fail", before + 1, ROOM, ETCD3_OVERFLOW_FAIL, queue);
    put_many(PREFIX "fail", PUTS);
    AWAIT(&seen, changes, PUTS);
    drain(queue, &slow, &slow.closed, 1);
    CHECK_INT(slow.why, ETCD3_ERR_SLOW_CONSUMER);
    CHECK(slow.changes > 0 && slow.changes < PUTS);
    CHECK_INT(slow.resume_revision, before + 1 + slow.changes);
    /* With it the next one gets the rest. */
    begin(&next, client, PREFIX "fail", slow.resume_revision, ROOM, ETCD3_OVERFLOW_PARK, NULL);
    AWAIT(&next, changes, PUTS - slow.changes);
    stop(&next);
    CHECK_INT(next.revision, before + PUTS);
    finished(&slow);
    stop(&seen);
    etcd3_queue_free(queue);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void stand_still(struct watching *w, const etcd3_event_t *event)
{
    if (etcd3_event_type(event) == ETCD3_EVENT_WATCH && !w->hooked++) {
        pthread_mutex_lock(&gate);
        pthread_mutex_unlock(&gate);
    }
}

static void *dispatch_all(void *arg)
{
    struct watching *w = (struct watching *)arg;
    while (!w->closed && etcd3_queue_dispatch(w->queue, 1, PATIENCE_MS, NULL, NULL) == ETCD3_OK)
        ;
    return NULL;
}

/* One callback does not return; the client's buffer is smaller than what waits for it. */
static void a_stuck_callback_stops_nobody_else(void)
{
    struct watching stuck, other, twin;
    etcd3_config_t *config = env_config();
    etcd3_client_t *own = NULL;
    etcd3_error_t *err = NULL;
    etcd3_queue_t *queue = new_queue();
    pthread_t thread;
    etcd3_config_set_watch_buffer(config, ROOM);
    CHECK_OK(etcd3_client_open(config, &own, &err), err);
    etcd3_config_free(config);
    pthread_mutex_lock(&gate);
    begin(&stuck, own, PREFIX "stuck", 0, (int64_t)1 << 30, ETCD3_OVERFLOW_PARK, queue);
    stuck.hook = stand_still;
    stuck.queue = queue;
    begin(&twin, own, PREFIX "stuck", 0, (int64_t)1 << 30, ETCD3_OVERFLOW_PARK, queue);
    begin(&other, own, PREFIX "stuck", 0, (int64_t)1 << 30, ETCD3_OVERFLOW_PARK, NULL);
    CHECK_INT(pthread_create(&thread, NULL, dispatch_all, &stuck), 0);
    AWAIT(&other, live, 1);
    put_many(PREFIX "stuck", PUTS);
    AWAIT(&other, changes, PUTS);
    await_parks(own, 2);
    CHECK(etcd3_client_counter(own, "watch_parks") >= 2);
    CHECK(etcd3_watch_pending_bytes(stuck.watch) + etcd3_watch_pending_bytes(twin.watch) < 2 * ROOM);
    CHECK(stuck.changes < PUTS && twin.changes < PUTS);
    pthread_mutex_unlock(&gate);
    AWAIT(&stuck, changes, PUTS);
    AWAIT(&twin, changes, PUTS);
    stop(&other);
    etcd3_watch_cancel(twin.watch);
    AWAIT(&twin, closed, 1);
    etcd3_watch_cancel(stuck.watch);
    pthread_join(thread, NULL);
    finished(&twin);
    finished(&stuck);
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    etcd3_client_free(own);
    etcd3_queue_free(queue);
}

static void a_parked_watch_can_be_ended(void)
{
    struct watching slow[3], seen;
    etcd3_client_t *own = open_client();
    etcd3_queue_t *queue = new_queue();
    etcd3_error_t *err = NULL;
    int i;
    int64_t before = revision_now(client);
    for (i = 0; i < 3; i++)
        begin(&slow[i], own, PREFIX "end", before + 1, ROOM, ETCD3_OVERFLOW_PARK, queue);
    begin(&seen, own, PREFIX "end", before + 1, (int64_t)1 << 30, ETCD3_OVERFLOW_PARK, NULL);
    /* Created last, so all are: what is put before comes in one response, which is always taken. */
    AWAIT(&seen, live, 1);
    put_many(PREFIX "end", PUTS);
    AWAIT(&seen, changes, PUTS);
    await_parks(own, 3);
    CHECK_INT(etcd3_client_counter(own, "watch_parks"), 3);
    etcd3_watch_cancel(slow[0].watch);
    etcd3_watch_free(slow[1].watch);
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    etcd3_client_free(own);
    for (i = 0; i < 3; i++) {
        drain(queue, &slow[i], &slow[i].closed, 1);
        CHECK_INT(slow[i].closed, 1);
        CHECK_INT(slow[i].changes, 0);
        CHECK_INT(slow[i].why, i == 2 ? ETCD3_ERR_CLOSED : ETCD3_OK);
        /* What was dropped counts as not delivered. */
        CHECK_INT(slow[i].resume_revision, before + 1);
    }
    slow[1].watch = NULL;
    etcd3_watch_free(slow[0].watch);
    etcd3_watch_free(slow[2].watch);
    AWAIT(&seen, closed, 1);
    etcd3_watch_free(seen.watch);
    etcd3_queue_free(queue);
}

int main(void)
{
    client = open_client();
    RUN(a_full_watch_is_parked_and_goes_on);
    RUN(a_full_watch_ends_if_it_asked_to);
    RUN(a_stuck_callback_stops_nobody_else);
    RUN(a_parked_watch_can_be_ended);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
