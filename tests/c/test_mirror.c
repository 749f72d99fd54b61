/* Mirrors: the copy that is kept from their events is the server's range, whatever happens. */
#include "forwarder.h"
#include "mirroring.h"
#include <sched.h>

#define PREFIX "test_mirror/"

enum { ROOM = 20000 }; /* less than a page */

static etcd3_client_t *client; /* straight to the server */
static struct forwarder line;
static etcd3_client_t *cut_off; /* over the line */
static int keys;                /* as many as make several pages */

/* ---- What others do. -------------------------------------------------------------------------------------------------- */

static const char *key_of(int number)
{
    static char key[KEY_ROOM]; /* for one thread at a time */
    snprintf(key, sizeof key, PREFIX "%05d", number);
    return key;
}

static void delete_all(const char *prefix)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_delete_prefix(client, prefix, strlen(prefix), NULL, &err), err);
}

static void del(const char *key)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_delete(client, key, ETCD3_NTS, NULL, &err), err);
}

static int64_t compact(void)
{
    etcd3_error_t *err = NULL;
    int64_t revision = revision_now(client);
    CHECK_OK(etcd3_compact(client, revision, 1, 0, &err), err);
    return revision;
}

static void put_group(int first, int n, const char *value)
{
    etcd3_op_t *txn = etcd3_op_txn();
    int i;
    for (i = first; i < first + n; i++) {
        etcd3_op_t *op = etcd3_op_put(key_of(i), ETCD3_NTS, value, ETCD3_NTS);
        etcd3_txn_then(txn, op);
        etcd3_op_free(op);
    }
    etcd3_result_free(EXECUTE(client, txn));
}

static void fill(void)
{
    int i;
    delete_all(PREFIX);
    for (i = 0; i < keys; i += 100)
        put_group(i, 100, "filled");
}

static etcd3_op_t *all_of(const char *prefix)
{
    etcd3_op_t *op = etcd3_op_get(prefix, ETCD3_NTS);
    etcd3_op_set_prefix(op);
    return op;
}

static etcd3_watch_opts_t *range(const char *prefix)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(prefix, ETCD3_NTS);
    etcd3_watch_opts_set_prefix(opts);
    return opts;
}

static etcd3_watch_opts_t *little_room(void)
{
    etcd3_watch_opts_t *opts = range(PREFIX);
    etcd3_watch_opts_set_buffer(opts, ROOM, ETCD3_OVERFLOW_PARK);
    return opts;
}

/* Until the copy is as far as the store; then they are the same. */
static void agrees(struct mirroring *m)
{
    AWAIT(m, copied, 1);
    AWAIT_REVISION(m, revision_now(client));
    same_as_the_server(m, client, all_of(PREFIX));
}

/* Stands in the first page until the test lets it go on. */
static void stand_in_the_first_page(struct mirroring *m, const etcd3_event_t *event)
{
    if (etcd3_event_type(event) != ETCD3_EVENT_WATCH)
        return;
    pthread_mutex_lock(&m->lock);
    if (!m->hooked)
        m->hooked = 1;
    pthread_cond_broadcast(&m->changed);
    while (m->hooked == 1)
        pthread_cond_wait(&m->changed, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

static void go_on(struct mirroring *m)
{
    pthread_mutex_lock(&m->lock);
    m->hooked = 2;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

/* Takes the next event out of the queue. */
static void pull(etcd3_queue_t *queue)
{
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    if (CHECK(event != NULL))
        on_mirror(event, etcd3_event_user_data(event));
    etcd3_event_free(event);
}

/* ---- A writer who does not stop. -------------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    int done, stop;
} writer = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0};

static void *write_on(void *unused)
{
    unsigned random = 12345;
    char value[24];
    int stop = 0, i;
    for (i = 0; !stop; i++) {
        int number;
        random = random * 1103515245u + 12345u;
        number = (int)(random / 65536u) % (keys - 10);
        snprintf(value, sizeof value, "w%d", i);
        if (i % 5 == 0)
            put_group(number, 3, value);
        else if (i % 5 == 1)
            del(key_of(number));
        else
            put(client, key_of(number), value);
        pthread_mutex_lock(&writer.lock);
        writer.done++;
        stop = writer.stop;
        pthread_cond_signal(&writer.changed);
        pthread_mutex_unlock(&writer.lock);
    }
    return unused;
}

static void await_writes(int more)
{
    pthread_mutex_lock(&writer.lock);
    for (more += writer.done; writer.done < more;)
        pthread_cond_wait(&writer.changed, &writer.lock);
    pthread_mutex_unlock(&writer.lock);
}

static void others_write_all_the_time(void)
{
    struct mirroring m;
    int64_t started;
    fill();
    CHECK_INT(pthread_create(&writer.thread, NULL, write_on, NULL), 0);
    await_writes(10);
    prepare_mirror(&m);
    m.dense = 1;
    m.hook = stand_in_the_first_page;
    start_mirror(&m, client, little_room(), NULL);
    AWAIT(&m, hooked, 1);
    await_writes(keys / 20);
    /* Not the whole range waits for the one who has not taken the first page yet: at most the next one does. */
    CHECK(etcd3_watch_pending_events(m.watch) <= 1);
    CHECK_INT(etcd3_watch_revision(m.watch), 0);
    started = now_ms();
    go_on(&m);
    AWAIT(&m, live, 1);
    printf("mirror: %d keys in %d pages, the rest in %d ms\n", keys, m.pages, (int)(now_ms() - started));
    await_writes(keys / 10);
    pthread_mutex_lock(&writer.lock);
    writer.stop = 1;
    pthread_mutex_unlock(&writer.lock);
    pthread_join(writer.thread, NULL);
    agrees(&m);
    CHECK_INT(m.copying, 1);
    CHECK_INT(m.copied, 1);
    CHECK(m.pages > 1);
    CHECK(m.changes > keys / 20 + keys / 10);
    CHECK_INT(etcd3_watch_revision(m.watch), m.revision);
    end_mirror(&m);
}

/* ---- What goes wrong. ------------------------------------------------------------------------------------------------- */

static void a_compaction_between_two_pages(void)
{
    struct mirroring m;
    etcd3_queue_t *queue = NULL;
    etcd3_error_t *err = NULL;
    int64_t base;
    int round;
    fill();
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    prepare_mirror(&m);
    m.dense = 1;
    start_mirror(&m, client, little_room(), queue);
    pull(queue);
    CHECK_INT(m.copying, 1);
    CHECK_INT(m.restart, ETCD3_OK);
    for (round = 1; round <= 3; round++) {
        /* The first page waits, so that the second has not been asked for. */
        del(key_of(round));
        put(client, PREFIX "new", "1");
        base = compact();
        while (m.copying == round)
            pull(queue);
        CHECK_INT(m.copied, 0);
        CHECK_INT(m.restart, ETCD3_ERR_COMPACTED);
        CHECK_INT(m.base, base);
        CHECK_INT(m.count, 0);
    }
    while (!m.live)
        pull(queue);
    CHECK_INT(m.copying, 4);
    CHECK_INT(m.copied, 1);
    put(client, PREFIX "new", "2");
    while (!m.changes)
        pull(queue);
    agrees(&m);
    etcd3_watch_cancel(m.watch);
    while (!m.closed)
        pull(queue);
    finish_mirror(&m, ETCD3_OK);
    etcd3_queue_free(queue);
}

static void a_lost_connection(void)
{
    struct mirroring m;
    int64_t compacted;
    fill();
    prepare_mirror(&m);
    m.dense = 1;
    m.hook = stand_in_the_first_page;
    start_mirror(&m, cut_off, little_room(), NULL);
    AWAIT(&m, hooked, 1);
    forwarder_stop(&line);
    put(client, key_of(2), "cut off in the base");
    go_on(&m);
    CHECK(forwarder_again(&line));
    AWAIT(&m, live, 1);
    CHECK_INT(m.copying, 1);
    agrees(&m);
    CHECK_INT(m.changes, 1);

    /* Later a lost connection is no reason to begin again. */
    forwarder_stop(&line);
    AWAIT(&m, disconnected, 1);
    put_group(0, 20, "cut off later");
    del(key_of(5));
    CHECK(forwarder_again(&line));
    agrees(&m);
    CHECK_INT(m.copying, 1);
    CHECK_INT(m.resumed, 1);
    CHECK_INT(m.headers, 3);
    CHECK_INT(m.changes, 22);

    /* But if history is gone the copy has keys that nobody will ever report as deleted. */
    forwarder_stop(&line);
    AWAIT(&m, disconnected, 2);
    del(key_of(7));
    /* The revision that history is compacted at is itself still to be had. */
    del(key_of(8));
    compacted = compact();
    CHECK(forwarder_again(&line));
    AWAIT(&m, copied, 2);
    CHECK_INT(m.copying, 2);
    CHECK_INT(m.restart, ETCD3_ERR_COMPACTED);
    CHECK_INT(m.compact_revision, compacted);
    agrees(&m);
    put(client, key_of(7), "and on");
    agrees(&m);
    end_mirror(&m);
}

static void a_copy_that_is_there_already(void)
{
    struct mirroring m;
    etcd3_watch_opts_t *opts = range(PREFIX "kept/");
    int64_t revision;
    put(client, PREFIX "kept/a", "1");
    revision = revision_now(client);
    put(client, PREFIX "kept/b", "2");
    prepare_mirror(&m);
    m.revision = revision;
    etcd3_watch_opts_set_start_revision(opts, revision + 1);
    start_mirror(&m, client, opts, NULL);
    AWAIT(&m, changes, 1);
    CHECK_INT(m.copying, 0);
    end_mirror(&m);
    CHECK_INT(m.closed_resume, revision + 2);

    /* It was away for too long. */
    put(client, PREFIX "kept/c", "3");
    del(PREFIX "kept/a");
    compact();
    prepare_mirror(&m);
    m.revision = revision;
    opts = range(PREFIX "kept/");
    etcd3_watch_opts_set_start_revision(opts, revision + 1);
    start_mirror(&m, client, opts, NULL);
    AWAIT(&m, copied, 1);
    CHECK_INT(m.restart, ETCD3_ERR_COMPACTED);
    same_as_the_server(&m, client, all_of(PREFIX "kept/"));
    end_mirror(&m);
}

/* ---- What there may be to mirror. ------------------------------------------------------------------------------------- */

static void nothing(void)
{
    static const char *const ranges[] = {PREFIX "nothing/", ""};
    struct mirroring m;
    int i;
    for (i = 0; i < 2; i++) {
        int64_t revision;
        /* Of the second one the whole store. */
        delete_all(ranges[i]);
        revision = revision_now(client);
        prepare_mirror(&m);
        m.dense = 1;
        start_mirror(&m, client, range(ranges[i]), NULL);
        AWAIT(&m, live, 1);
        CHECK_INT(m.copying, 1);
        CHECK_INT(m.copied, 1);
        CHECK_INT(m.pages, 0);
        CHECK_INT(m.base, revision);
        put(client, PREFIX "nothing/a", "1");
        AWAIT_REVISION(&m, revision + 1);
        same_as_the_server(&m, client, all_of(ranges[i]));
        end_mirror(&m);
    }
}

static void every_kind_of_range(void)
{
    static const char *const names[] = {"r/a", "r/ab", "r/b", "r/c"};
    int kind, i;
    for (i = 0; i < 4; i++)
        put(client, names[i], "1");
    for (kind = 0; kind < 4; kind++) {
        static const int wanted[] = {1, 2, 2, 3};
        const char *key = kind == 3 ? "r/ab" : "r/a";
        etcd3_watch_opts_t *opts = etcd3_watch_opts_new(key, ETCD3_NTS);
        etcd3_op_t *op = etcd3_op_get(key, ETCD3_NTS);
        struct mirroring m;
        switch (kind) {
        case 1:
            etcd3_watch_opts_set_prefix(opts);
            etcd3_op_set_prefix(op);
            break;
        case 2:
            etcd3_watch_opts_set_range_end(opts, "r/b", 3);
            etcd3_op_set_range_end(op, "r/b", 3);
            break;
        case 3:
            del(PREFIX "nothing/a"); /* after "r/…" there is nothing else in the store */
            etcd3_watch_opts_set_from_key(opts);
            etcd3_op_set_from_key(op);
            break;
        default: break;
        }
        prepare_mirror(&m);
        start_mirror(&m, client, opts, NULL);
        AWAIT(&m, live, 1);
        CHECK_INT(m.count, wanted[kind]);
        put(client, "r/ab", "not in the first");
        put(client, key, "2");
        AWAIT_REVISION(&m, revision_now(client));
        same_as_the_server(&m, client, op);
        end_mirror(&m);
    }
}

/* ---- How it ends. ----------------------------------------------------------------------------------------------------- */

static void cancel_it(struct mirroring *m, const etcd3_event_t *event)
{
    if (etcd3_event_type(event) == ETCD3_EVENT_WATCH)
        etcd3_watch_cancel(m->watch);
}

static void free_it(struct mirroring *m, const etcd3_event_t *event)
{
    if (etcd3_event_type(event) == ETCD3_EVENT_WATCH) {
        etcd3_watch_free(m->watch);
        m->watch = NULL;
    }
}

static void ended_in_the_callback(void)
{
    int i;
    fill();
    for (i = 0; i < 2; i++) {
        struct mirroring m;
        prepare_mirror(&m);
        m.hook = i ? free_it : cancel_it;
        start_mirror(&m, client, little_room(), NULL);
        AWAIT(&m, closed, 1);
        CHECK_INT(m.pages, 1);
        CHECK_INT(m.copied, 0);
        CHECK_INT(m.closed_resume, 0);
        finish_mirror(&m, ETCD3_OK);
    }
}

static void who_does_not_keep_up_may_choose_the_end(void)
{
    etcd3_watch_opts_t *opts = range(PREFIX);
    etcd3_queue_t *queue = NULL;
    etcd3_error_t *err = NULL;
    struct mirroring m;
    int64_t end = now_ms() + PATIENCE_MS;
    etcd3_watch_opts_set_buffer(opts, ROOM, ETCD3_OVERFLOW_FAIL);
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    prepare_mirror(&m);
    start_mirror(&m, client, opts, queue);
    /* Nothing is taken before it has ended. */
    while (etcd3_watch_request_progress(m.watch, NULL) == ETCD3_OK && now_ms() < end)
        sched_yield();
    while (!m.closed)
        pull(queue);
    finish_mirror(&m, ETCD3_ERR_SLOW_CONSUMER);
    etcd3_queue_free(queue);
    CHECK_INT(m.copied, 0);
    CHECK_INT(m.closed_resume, 0);
}

static void without_a_server(void)
{
    etcd3_watch_opts_t *opts = range(PREFIX);
    etcd3_client_t *own = open_through(&line);
    etcd3_error_t *err = NULL;
    struct mirroring m, waits;
    prepare_mirror(&m);
    m.hook = stand_in_the_first_page;
    start_mirror(&m, own, little_room(), NULL);
    AWAIT(&m, hooked, 1);
    forwarder_stop(&line);
    go_on(&m);
    etcd3_watch_opts_set_max_outage(opts, 100);
    prepare_mirror(&waits);
    start_mirror(&waits, own, opts, NULL);
    finish_mirror(&waits, ETCD3_ERR_UNAVAILABLE);
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    finish_mirror(&m, ETCD3_ERR_CLOSED);
    CHECK_INT(m.copied, 0);
    etcd3_client_free(own);
    CHECK(forwarder_again(&line));
}

int main(void)
{
    keys = env_number("ETCD3_TEST_EVENTS", MOST_KEYS) < MOST_KEYS ? 600 : 5000;
    client = open_client();
    forwarder_start(&line);
    cut_off = open_through(&line);
    RUN(others_write_all_the_time);
    RUN(a_compaction_between_two_pages);
    RUN(a_lost_connection);
    RUN(a_copy_that_is_there_already);
    RUN(ended_in_the_callback);
    RUN(who_does_not_keep_up_may_choose_the_end);
    RUN(without_a_server);
    RUN(nothing);
    RUN(every_kind_of_range);
    CHECK_INT(etcd3_client_close(cut_off, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(cut_off);
    forwarder_end(&line);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
