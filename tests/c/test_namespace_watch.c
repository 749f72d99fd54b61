/* Watches and leases in namespaces: changes of others are not told, nor keys of others that a lease has. */
#include "holding.h"
#include "spaces.h"
#include "watching.h"

#define NTS ETCD3_NTS

/* Changes of all kinds by both handles, with changes around them. */
static void change_all(void)
{
    touch_foreign();
    put(inside, "b", "1");
    put_there("k", "2");
    touch_foreign();
    put(inside, "kk", "3");
    CHECK_OK(etcd3_delete(inside, "k", 1, NULL, &err), err);
    touch_foreign();
    /* Whatever was wrongly sent to a watch comes before this. */
    put_there("l", "4");
}

static etcd3_watch_opts_t *watch_opts(const char *key, int kind)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(key, NTS);
    etcd3_watch_opts_set_prev_kv(opts);
    if (kind == 1)
        etcd3_watch_opts_set_prefix(opts);
    if (kind == 2)
        etcd3_watch_opts_set_from_key(opts);
    if (kind == 3)
        etcd3_watch_opts_set_range_end(opts, "l", 1);
    return opts;
}

static void watches(void)
{
    static const struct {
        const char *key;
        int kind, count;
        const char *text;
    } cases[] = {{"k", 0, 2, "+k=2 -k~k=2"},
                 {"k", 1, 3, "+k=2 +kk=3 -k~k=2"},
                 {"kk", 2, 2, "+kk=3 +l=4"},
                 {"k", 3, 3, "+k=2 +kk=3 -k~k=2"},
                 {"", 1, 5, "+b=1 +k=2 +kk=3 -k~k=2 +l=4"},
                 {"", 2, 5, "+b=1 +k=2 +kk=3 -k~k=2 +l=4"}};
    enum { COUNT = sizeof cases / sizeof *cases };
    struct watching w[COUNT];
    int i;
    for (i = 0; i < COUNT; i++) {
        prepare(&w[i], inside, NULL);
        start(&w[i], watch_opts(cases[i].key, cases[i].kind), NULL);
    }
    change_all();
    for (i = 0; i < COUNT; i++)
        AWAIT(&w[i], changes, cases[i].count);
    for (i = 0; i < COUNT; i++) {
        stop(&w[i]);
        CHECK_CHANGES(&w[i], cases[i].text);
    }
}

static void watches_that_read_their_range(void)
{
    struct watching w;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("", 0);
    put_there("a", "1");
    put(inside, "b", "2");
    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_relist(opts);
    prepare(&w, inside, NULL);
    w.troubled = 1;
    start(&w, opts, NULL);
    AWAIT(&w, changes, 2);
    AWAIT(&w, live, 1);
    change_all();
    AWAIT(&w, changes, 7);
    stop(&w);
    CHECK_CHANGES(&w, "+a=1 +b=2 =b=1 +k=2 +kk=3 -k +l=4");
    CHECK_INT(w.relisted, 1);
}

/* The base comes in pages, whose first keys are made of the last ones. */
static void mirrors(void)
{
    struct watching w;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("", 0);
    enum { KEYS = 250 };
    char key[10];
    int i;
    for (i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "m%03d", i);
        put_there(key, "1");
    }
    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_mirror(opts);
    prepare(&w, inside, NULL);
    w.troubled = 1;
    start(&w, opts, NULL);
    AWAIT(&w, changes, KEYS);
    AWAIT(&w, live, 1);
    CHECK_INT(w.synthetic, KEYS);
    change_all();
    AWAIT(&w, changes, KEYS + 5);
    stop(&w);
    CHECK_INT(w.changes, KEYS + 5);
    CHECK_INT(w.synthetic, KEYS);
}

/* Puts by the client until told to stop: the first one after a wait has begun ends it. */
struct putting {
    pthread_mutex_t lock;
    pthread_t thread;
    int stop;
};

static void *put_on(void *arg)
{
    struct putting *putting = (struct putting *)arg;
    int stop = 0;
    while (!stop) {
        etcd3_error_t *error = NULL;
        size_t len;
        const char *key = there("a/once", 6, &len);
        CHECK_OK(etcd3_put(plain, space->prefix, space->len, "foreign", 7, &error), error);
        CHECK_OK(etcd3_put(plain, key, len, "v", 1, &error), error);
        pthread_mutex_lock(&putting->lock);
        stop = putting->stop;
        pthread_mutex_unlock(&putting->lock);
    }
    return NULL;
}

static void waiting_for_one_change(void)
{
    struct putting putting;
    int kind;
    putting.stop = 0;
    pthread_mutex_init(&putting.lock, NULL);
    CHECK_INT(pthread_create(&putting.thread, NULL, put_on, &putting), 0);
    for (kind = 0; kind < 3; kind++) {
        etcd3_event_t *event = NULL;
        if (kind == 0)
            CHECK_OK(etcd3_watch_once(inside, "a/once", NTS, PATIENCE_MS, &event, &err), err);
        else
            CHECK_OK(etcd3_watch_prefix_once(inside, kind == 1 ? "a/" : "", NTS, PATIENCE_MS, &event, &err), err);
        if (CHECK(etcd3_event_change_count(event) > 0))
            CHECK_KV(etcd3_event_change(event, 0)->kv, "a/once", "v");
        etcd3_event_free(event);
    }
    pthread_mutex_lock(&putting.lock);
    putting.stop = 1;
    pthread_mutex_unlock(&putting.lock);
    pthread_join(putting.thread, NULL);
    pthread_mutex_destroy(&putting.lock);
    touch_foreign();
}

static void leases(void)
{
    etcd3_lease_info_t *info = NULL;
    struct holding h;
    etcd3_lease_t *lease = open_lease(inside, 60, &h), *adopted = NULL;
    const void *key;
    etcd3_op_t *op;
    size_t len = 0;
    op = etcd3_op_put("mine", 4, "v", 1);
    etcd3_op_set_lease(op, etcd3_lease_id(lease));
    etcd3_result_free(EXECUTE(inside, op));
    op = etcd3_op_put(space->prefix, space->len, "foreign", 7);
    etcd3_op_set_lease(op, etcd3_lease_id(lease));
    etcd3_result_free(EXECUTE(plain, op));
    op = etcd3_op_put("0another", 8, "v", 1);
    etcd3_op_set_lease(op, etcd3_lease_id(lease));
    etcd3_result_free(EXECUTE(plain, op));
    CHECK_OK(etcd3_lease_time_to_live(inside, etcd3_lease_id(lease), 1, &info, &err), err);
    CHECK_INT(etcd3_lease_info_key_count(info), 1);
    key = etcd3_lease_info_key(info, 0, &len);
    CHECK(bytes_are(key, len, "mine", 4));
    etcd3_lease_info_free(info);
    info = NULL;
    CHECK_OK(etcd3_lease_time_to_live(plain, etcd3_lease_id(lease), 1, &info, &err), err);
    CHECK_INT(etcd3_lease_info_key_count(info), 3);
    etcd3_lease_info_free(info);
    CHECK_OK(etcd3_lease_adopt(inside, etcd3_lease_id(lease), NULL, NULL, NULL, &adopted, &err), err);
    CHECK(etcd3_lease_id(adopted) == etcd3_lease_id(lease));
    etcd3_lease_free(adopted);
    touch_foreign();
    /* Revoked by the other handle: its owner is told at once, since both share a stream. */
    CHECK_OK(etcd3_lease_revoke_id(plain, etcd3_lease_id(lease), &err), err);
    ENDED(&h, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
    CHECK_BOTH("mine", NULL);
    etcd3_lease_free(lease);
}

/* Each test in each of the namespaces. */
#undef RUN
#define RUN(test) (check_section = #test, in_each(test))

int main(void)
{
    plain = open_client();
    RUN(watches);
    RUN(watches_that_read_their_range);
    RUN(mirrors);
    RUN(waiting_for_one_change);
    RUN(leases);
    etcd3_client_free(plain);
    return CHECK_DONE();
}
