/* Re-list watches: what they report of what they could not see. */
#include "forwarder.h"
#include "gateway.h"
#include "watching.h"

#define PREFIX "test_watch_relist/"

static etcd3_client_t *client; /* straight to the server */
static struct forwarder line;
static etcd3_client_t *cut_off; /* over the line */

static void put_key(const char *key, const char *value)
{
    char full[200];
    snprintf(full, sizeof full, PREFIX "%s", key);
    put(client, full, value);
}

static void del_key(const char *key)
{
    char full[200];
    etcd3_error_t *err = NULL;
    snprintf(full, sizeof full, PREFIX "%s", key);
    CHECK_OK(etcd3_delete(client, full, ETCD3_NTS, NULL, &err), err);
}

static int64_t compact(void)
{
    char body[100];
    int64_t revision;
    /* The revision itself is still to be had. */
    put_key("of no interest", "1");
    revision = revision_now(client);
    snprintf(body, sizeof body, "{\"revision\": %lld, \"physical\": true}", (long long)revision);
    gateway_post(getenv("ETCD3_ENDPOINTS"), "kv/compaction", body, NULL);
    return revision;
}

static etcd3_watch_opts_t *range(const char *prefix, int64_t start_revision)
{
    char full[200];
    etcd3_watch_opts_t *opts;
    snprintf(full, sizeof full, PREFIX "%s", prefix);
    opts = etcd3_watch_opts_new(full, ETCD3_NTS);
    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_start_revision(opts, start_revision);
    return opts;
}

static void begin(struct watching *w, etcd3_watch_opts_t *opts, const char *strip)
{
    prepare(w, cut_off, strip);
    w->troubled = 1;
    start(w, opts, NULL);
}

static void begin_relist(struct watching *w, etcd3_watch_opts_t *opts, const char *strip)
{
    etcd3_watch_opts_set_relist(opts);
    begin(w, opts, strip);
}

/* What has been written down so far; then the next begins. */
#define TOLD(w, want) (CHECK_CHANGES((w), (want)), forget_text(w))
static void forget_text(struct watching *w)
{
    pthread_mutex_lock(&w->lock);
    w->text[0] = '\0';
    w->events = 0;
    pthread_mutex_unlock(&w->lock);
}

/* The server takes the watch on, says that its start is gone, and takes it on again after the reading. */
static void back_again(struct watching *w)
{
    AWAIT(w, resumed, 2);
    CHECK_INT(w->disconnected, 1);
}

static void a_cache_stays_right(void)
{
    struct watching w, plain;
    int64_t revision, compacted;
    put_key("c/same", "1");
    put_key("c/changed", "1");
    put_key("c/deleted", "1");
    put_key("c/replaced", "1");
    revision = revision_now(client);
    begin_relist(&w, range("c/", 0), PREFIX "c/");
    AWAIT(&w, live, 1);
    CHECK_INT(w.relisted, 1);
    CHECK_INT(w.relist_revision, revision);
    CHECK_INT(w.synthetic, 4);
    CHECK_INT(etcd3_watch_revision(w.watch), revision);
    TOLD(&w, "+changed=1 +deleted=1 +replaced=1 +same=1");
    begin(&plain, range("c/", revision + 1), PREFIX "c/");
    AWAIT(&plain, live, 1);
    put_key("c/seen", "1");
    AWAIT(&w, changes, 5);
    AWAIT(&plain, changes, 1);
    CHECK_INT(w.synthetic, 4);
    TOLD(&w, "+seen=1");

    forwarder_stop(&line);
    AWAIT(&w, disconnected, 1);
    AWAIT(&plain, disconnected, 1);
    put_key("c/changed", "2");
    put_key("c/changed", "3");
    del_key("c/deleted");
    del_key("c/replaced");
    put_key("c/replaced", "2");
    put_key("c/new", "1");
    put_key("c/short", "1");
    del_key("c/short");
    compacted = compact();
    CHECK(forwarder_again(&line));
    back_again(&w);
    CHECK_INT(w.relisted, 2);
    CHECK_INT(w.synthetic, 8);
    TOLD(&w, "=changed=3 -deleted +new=1 +replaced=2");
    CHECK_INT(etcd3_client_counter(cut_off, "watch_relists"), 2);
    put_key("c/new", "2");
    AWAIT(&w, changes, 10);
    TOLD(&w, "=new=2");
    etcd3_watch_cancel(w.watch);
    finished(&w);

    /* Who did not ask for it is told, once, from where on there is history. */
    AWAIT(&plain, closed, 1);
    CHECK_INT(plain.why, ETCD3_ERR_COMPACTED);
    CHECK_INT(plain.compact_revision, compacted);
    finished(&plain);
    CHECK_INT(plain.changes, 1);
}

/* With a start revision nothing is told of before, and yet what disappears is known. */
static void from_a_revision(void)
{
    struct watching w, gone;
    int64_t revision;
    put_key("s/a", "1");
    put_key("s/b", "1");
    revision = revision_now(client);
    put_key("s/a", "2");
    begin_relist(&w, range("s/", revision + 1), PREFIX "s/");
    AWAIT(&w, changes, 1);
    CHECK_INT(w.relisted, 0);
    TOLD(&w, "=a=2");
    forwarder_stop(&line);
    AWAIT(&w, disconnected, 1);
    del_key("s/b");
    compact();
    CHECK(forwarder_again(&line));
    back_again(&w);
    TOLD(&w, "-b");
    etcd3_watch_cancel(w.watch);
    finished(&w);
    /* What was there before a revision that is compacted cannot be known. */
    begin_relist(&gone, range("s/", revision), PREFIX "s/");
    AWAIT(&gone, closed, 1);
    CHECK_INT(gone.why, ETCD3_ERR_COMPACTED);
    finished(&gone);
    CHECK_INT(gone.changes, 0);
}

static void from_the_beginning_and_from_the_future(void)
{
    struct watching w;
    int64_t revision = revision_now(client);
    put_key("f/a", "1");
    begin_relist(&w, range("f/", revision + 3), PREFIX "f/");
    put_key("f/b", "2");
    put_key("f/c", "3");
    AWAIT(&w, changes, 1);
    TOLD(&w, "+c=3");
    forwarder_stop(&line);
    AWAIT(&w, disconnected, 1);
    del_key("f/a");
    compact();
    CHECK(forwarder_again(&line));
    back_again(&w);
    TOLD(&w, "-a");
    etcd3_watch_cancel(w.watch);
    finished(&w);
}

/* Only deletes are wanted; which keys there are is known all the same. */
static void with_a_filter(void)
{
    struct watching w;
    etcd3_watch_opts_t *opts = range("n/", 0);
    etcd3_watch_opts_set_filter(opts, ETCD3_FILTER_NOPUT);
    put_key("n/a", "1");
    begin_relist(&w, opts, PREFIX "n/");
    AWAIT(&w, live, 1);
    put_key("n/b", "1");
    del_key("n/a");
    AWAIT(&w, changes, 1);
    forwarder_stop(&line);
    AWAIT(&w, disconnected, 1);
    del_key("n/b");
    put_key("n/c", "1");
    compact();
    CHECK(forwarder_again(&line));
    back_again(&w);
    TOLD(&w, "-a -b");
    etcd3_watch_cancel(w.watch);
    finished(&w);
}

/* More keys than a page holds, and a caller who has little room: every key once, in bounded pieces. */
static void page_by_page(void)
{
    enum { KEYS = 1500 };
    int keys = (int)env_number("ETCD3_TEST_EVENTS", KEYS) < KEYS ? 250 : KEYS, i;
    struct watching w;
    etcd3_watch_opts_t *opts = range("p/", 0);
    etcd3_error_t *err = NULL;
    char key[40];
    for (i = 0; i < keys; i++) {
        snprintf(key, sizeof key, "p/%05d", i);
        put_key(key, "1");
    }
    etcd3_watch_opts_set_buffer(opts, 20000, ETCD3_OVERFLOW_PARK);
    begin_relist(&w, opts, PREFIX "p/");
    AWAIT(&w, live, 1);
    CHECK_INT(w.changes, keys);
    CHECK(w.events > 1);
    forwarder_stop(&line);
    AWAIT(&w, disconnected, 1);
    for (i = 0; i < keys; i += 3) {
        snprintf(key, sizeof key, "p/%05d", i);
        del_key(key);
    }
    compact();
    CHECK(forwarder_again(&line));
    back_again(&w);
    CHECK_INT(w.changes, keys + (keys + 2) / 3);
    etcd3_watch_cancel(w.watch);
    finished(&w);
    CHECK_OK(etcd3_delete_prefix(client, PREFIX "p/", ETCD3_NTS, NULL, &err), err);
}

int main(void)
{
    client = open_client();
    forwarder_start(&line);
    cut_off = open_through(&line);
    RUN(a_cache_stays_right);
    RUN(from_a_revision);
    RUN(from_the_beginning_and_from_the_future);
    RUN(with_a_filter);
    RUN(page_by_page);
    CHECK_INT(etcd3_client_close(cut_off, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(cut_off);
    forwarder_end(&line);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
