/* Watches: ending them, and calling the library from inside and beside their callbacks. */
#include "watching.h"

#define PREFIX "test_watch_calls/"

static etcd3_client_t *client;

static void begin(struct watching *w, const char *key, void (*hook)(struct watching *, const etcd3_event_t *))
{
    prepare(w, client, PREFIX);
    w->hook = hook;
    start(w, etcd3_watch_opts_new(key, ETCD3_NTS), NULL);
}

/* Changes made once a watch is live come one revision an event. */
static int is_change(const etcd3_event_t *event) { return etcd3_event_type(event) == ETCD3_EVENT_WATCH; }

/* Lets a callback stop at a place until the test has gone on. */
static struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int reached, open;
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};

static void gate_set(int *flag, int value)
{
    pthread_mutex_lock(&gate.lock);
    *flag = value;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void gate_wait(const int *flag)
{
    pthread_mutex_lock(&gate.lock);
    while (!*flag)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void stop_at_gate(struct watching *w, const etcd3_event_t *event)
{
    if (is_change(event) && !w->hooked++) {
        gate_set(&gate.reached, 1);
        gate_wait(&gate.open);
    }
}

static void close_gate(void)
{
    gate_set(&gate.reached, 0);
    gate_set(&gate.open, 0);
}

static void cancel_twice(struct watching *w, const etcd3_event_t *event)
{
    etcd3_watch_t *watch = handle_of(w);
    etcd3_error_t *err = NULL;
    if (is_change(event)) {
        etcd3_watch_cancel(watch);
        etcd3_watch_cancel(watch);
        CHECK_OK(etcd3_watch_join(watch, 0, &err), err);
    }
}

static void cancel_inside_the_callback(void)
{
    struct watching w;
    begin(&w, PREFIX "ci", cancel_twice);
    AWAIT(&w, live, 1);
    put(client, PREFIX "ci", "1");
    put(client, PREFIX "ci", "2");
    finished(&w);
    CHECK_INT(w.why, ETCD3_OK);
    CHECK_CHANGES(&w, "+ci=1");
}

static void *cancel_it(void *arg)
{
    etcd3_watch_cancel((etcd3_watch_t *)arg);
    return NULL;
}

static void cancel_from_another_thread(void)
{
    struct watching w;
    pthread_t thread;
    begin(&w, PREFIX "ct", NULL);
    put(client, PREFIX "ct", "1");
    AWAIT(&w, changes, 1);
    CHECK_INT(pthread_create(&thread, NULL, cancel_it, handle_of(&w)), 0);
    pthread_join(thread, NULL);
    put(client, PREFIX "ct", "2");
    stop(&w);
    CHECK_CHANGES(&w, "+ct=1");
}

/* One callback runs and more changes wait; whoever cancels now sees only that one and the end. */
static void cancel_drops_what_waits(void)
{
    struct watching w, other;
    etcd3_error_t *err = NULL;
    close_gate();
    begin(&other, PREFIX "cd", NULL);
    begin(&w, PREFIX "cd", stop_at_gate);
    AWAIT(&w, live, 1);
    put(client, PREFIX "cd", "1");
    put(client, PREFIX "cd", "2");
    gate_wait(&gate.reached);
    etcd3_watch_cancel(handle_of(&w));
    CHECK_CODE(etcd3_watch_join(handle_of(&w), 0, &err), err, ETCD3_ERR_TIMEOUT, "callback");
    CHECK_CODE(etcd3_watch_join(handle_of(&w), 20, &err), err, ETCD3_ERR_TIMEOUT, "callback");
    gate_set(&gate.open, 1);
    CHECK_OK(etcd3_watch_join(handle_of(&w), PATIENCE_MS, &err), err);
    finished(&w);
    CHECK_CHANGES(&w, "+cd=1");
    AWAIT(&other, changes, 2);
    stop(&other);
    CHECK_CHANGES(&other, "+cd=1 =cd=2");
}

static void cancel_at_once(void)
{
    int i;
    for (i = 0; i < 20; i++) {
        struct watching w;
        begin(&w, PREFIX "never", NULL);
        stop(&w);
        CHECK_INT(w.changes, 0);
    }
}

/* Without a handle to join, the callback may still be on its way out: w has to stay. */
static void free_cancels(void)
{
    static struct watching w;
    begin(&w, PREFIX "fc", NULL);
    put(client, PREFIX "fc", "1");
    AWAIT(&w, changes, 1);
    etcd3_watch_free(handle_of(&w));
    put(client, PREFIX "fc", "2");
    AWAIT(&w, closed, 1);
    CHECK_CHANGES(&w, "+fc=1");
    CHECK_INT(w.closed, 1);
    CHECK_INT(w.why, ETCD3_OK);
}

static void free_it_at_the_end(struct watching *w, const etcd3_event_t *event)
{
    etcd3_watch_t *watch = handle_of(w);
    if (is_change(event))
        etcd3_watch_cancel(watch);
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
        etcd3_watch_free(watch);
        gate_set(&gate.reached, 1);
    }
}

static void free_inside_the_callback(void)
{
    static struct watching w;
    close_gate();
    begin(&w, PREFIX "fi", free_it_at_the_end);
    AWAIT(&w, live, 1);
    put(client, PREFIX "fi", "1");
    gate_wait(&gate.reached);
    CHECK_CHANGES(&w, "+fi=1");
}

/* Every call is allowed in a callback, those that wait for the server included. */
static void call_everything(struct watching *w, const etcd3_event_t *event)
{
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    int done = 0;
    int64_t n = 0;
    if (!is_change(event) || w->hooked++)
        return;
    put(w->client, PREFIX "inside", "1");
    CHECK_OK(etcd3_get(w->client, PREFIX "inside", ETCD3_NTS, &r, &err), err);
    CHECK_KV(etcd3_result_kv(r, 0), PREFIX "inside", "1");
    etcd3_result_free(r);
    CHECK_OK(etcd3_replace(w->client, PREFIX "inside", ETCD3_NTS, "1", 1, "2", 1, &done, &err), err);
    CHECK_INT(done, 1);
    CHECK_OK(etcd3_delete(w->client, PREFIX "inside", ETCD3_NTS, &n, &err), err);
    CHECK_INT(n, 1);
    put(w->client, PREFIX "in", "again");
}

static void calls_inside_the_callback(void)
{
    struct watching w;
    begin(&w, PREFIX "in", call_everything);
    put(client, PREFIX "in", "first");
    AWAIT(&w, changes, 2);
    stop(&w);
    CHECK_CHANGES(&w, "+in=first =in=again");
}

static struct watching inner;

static void watch_more(struct watching *w, const etcd3_event_t *event)
{
    if (is_change(event) && !w->hooked++) {
        begin(&inner, PREFIX "inner", NULL);
        put(w->client, PREFIX "inner", "1");
        gate_set(&gate.reached, 1);
    }
}

static void a_new_watch_inside_the_callback(void)
{
    struct watching w;
    close_gate();
    begin(&w, PREFIX "outer", watch_more);
    put(client, PREFIX "outer", "1");
    gate_wait(&gate.reached);
    put(client, PREFIX "inner", "2");
    AWAIT(&inner, changes, 2);
    stop(&inner);
    stop(&w);
    CHECK_CHANGES(&inner, "+inner=1 =inner=2");
}

static void many_watches_on_one_client(void)
{
    enum { MANY = 300 };
    struct watching *all = (struct watching *)malloc(MANY * sizeof *all);
    int many = (int)env_number("ETCD3_TEST_EVENTS", MANY), i;
    char key[60], text[60];
    many = many < MANY ? many : MANY;
    for (i = 0; i < many; i++) {
        snprintf(key, sizeof key, PREFIX "many/%d", i);
        begin(&all[i], key, NULL);
    }
    for (i = many - 1; i >= 0; i--) {
        snprintf(key, sizeof key, PREFIX "many/%d", i);
        put(client, key, "v");
    }
    for (i = 0; i < many; i++) {
        snprintf(text, sizeof text, "+many/%d=v", i);
        AWAIT(&all[i], changes, 1);
        stop(&all[i]);
        CHECK_CHANGES(&all[i], text);
    }
    free(all);
}

static void *come_and_go(void *arg)
{
    char key[60];
    int i;
    for (i = 0; i < 20; i++) {
        struct watching w;
        snprintf(key, sizeof key, PREFIX "storm/%d/%d", *(int *)arg, i);
        begin(&w, key, NULL);
        put(client, key, "v");
        if (i % 2)
            AWAIT(&w, changes, 1);
        stop(&w);
        CHECK(w.changes <= 1);
    }
    return NULL;
}

static void watches_come_and_go_in_many_threads(void)
{
    pthread_t threads[6];
    int numbers[6], i;
    for (i = 0; i < 6; i++) {
        numbers[i] = i;
        CHECK_INT(pthread_create(&threads[i], NULL, come_and_go, &numbers[i]), 0);
    }
    for (i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
}

static void close_the_client(struct watching *w, const etcd3_event_t *event)
{
    etcd3_error_t *err = NULL;
    if (is_change(event))
        CHECK_OK(etcd3_client_close(w->client, PATIENCE_MS, &err), err);
}

static void close_inside_the_callback(void)
{
    struct watching w, other;
    etcd3_client_t *own = open_client();
    etcd3_error_t *err = NULL;
    prepare(&other, own, PREFIX);
    start(&other, etcd3_watch_opts_new(PREFIX "other", ETCD3_NTS), NULL);
    prepare(&w, own, PREFIX);
    w.hook = close_the_client;
    start(&w, etcd3_watch_opts_new(PREFIX "close", ETCD3_NTS), NULL);
    put(client, PREFIX "close", "1");
    put(client, PREFIX "close", "2");
    finished(&w);
    finished(&other);
    CHECK_INT(w.why, ETCD3_ERR_CLOSED);
    CHECK_INT(other.why, ETCD3_ERR_CLOSED);
    CHECK_CODE(etcd3_put(own, "k", 1, "v", 1, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    CHECK_INT(etcd3_client_close(own, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(own);
}

static void close_waits_for_a_callback(void)
{
    struct watching w;
    etcd3_client_t *own = open_client();
    etcd3_error_t *err = NULL;
    close_gate();
    prepare(&w, own, PREFIX);
    w.hook = stop_at_gate;
    start(&w, etcd3_watch_opts_new(PREFIX "slow", ETCD3_NTS), NULL);
    put(client, PREFIX "slow", "1");
    gate_wait(&gate.reached);
    CHECK_CODE(etcd3_client_close(own, 20, &err), err, ETCD3_ERR_TIMEOUT, "callback");
    CHECK_CODE(etcd3_put(own, "k", 1, "v", 1, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_OK(etcd3_client_close(own, 0, &err), err);
    gate_set(&gate.open, 1);
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    CHECK_INT(w.closed, 1);
    CHECK_INT(w.inside, 0);
    finished(&w);
    CHECK_INT(w.why, ETCD3_ERR_CLOSED);
    CHECK_INT(etcd3_client_close(own, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(own);
}

/* The watch holds on to what it needs: its client may be freed before it. */
static void the_client_goes_first(void)
{
    struct watching w;
    etcd3_client_t *own = open_client();
    prepare(&w, own, PREFIX);
    start(&w, etcd3_watch_opts_new(PREFIX "first", ETCD3_NTS), NULL);
    CHECK_INT(etcd3_client_close(own, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(own);
    finished(&w);
    CHECK_INT(w.why, ETCD3_ERR_CLOSED);
}

int main(void)
{
    client = open_client();
    RUN(cancel_inside_the_callback);
    RUN(cancel_from_another_thread);
    RUN(cancel_drops_what_waits);
    RUN(cancel_at_once);
    RUN(free_cancels);
    RUN(free_inside_the_callback);
    RUN(calls_inside_the_callback);
    RUN(a_new_watch_inside_the_callback);
    RUN(many_watches_on_one_client);
    RUN(watches_come_and_go_in_many_threads);
    RUN(close_inside_the_callback);
    RUN(close_waits_for_a_callback);
    RUN(the_client_goes_first);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
