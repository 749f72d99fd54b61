/* Watches: what they see. How they are ended and used from everywhere: test_watch_calls.c. */
#include "watching.h"

#define PREFIX "test_watch/"

static etcd3_client_t *client;

static etcd3_watch_opts_t *watch_key(const char *key) { return etcd3_watch_opts_new(key, ETCD3_NTS); }

static etcd3_watch_opts_t *watch_prefix(const char *prefix)
{
    etcd3_watch_opts_t *opts = watch_key(prefix);
    etcd3_watch_opts_set_prefix(opts);
    return opts;
}

static void del(const char *key)
{
    etcd3_error_t *err = NULL;
    int64_t n = 0;
    CHECK_OK(etcd3_delete(client, key, ETCD3_NTS, &n, &err), err);
    CHECK_INT(n, 1);
}

static void one_key(void)
{
    struct watching w;
    int64_t revision;
    put(client, PREFIX "key", "before");
    prepare(&w, client, PREFIX);
    start(&w, watch_key(PREFIX "key"), NULL);
    put(client, PREFIX "key2", "not this one");
    put(client, PREFIX "key", "1");
    del(PREFIX "key");
    put(client, PREFIX "ke", "nor this");
    put(client, PREFIX "key", "2");
    revision = revision_now(client);
    AWAIT(&w, changes, 3);
    stop(&w);
    CHECK_INT(w.revision, revision);
    CHECK_INT(w.live, 1);
    CHECK_INT(w.progress, 0);
    CHECK_CHANGES(&w, "=key=1 -key +key=2");
}

static void prefix_range_and_from_key(void)
{
    struct watching prefix, range, from;
    etcd3_watch_opts_t *opts;
    prepare(&prefix, client, PREFIX);
    start(&prefix, watch_prefix(PREFIX "p/"), NULL);
    prepare(&range, client, PREFIX);
    opts = watch_key(PREFIX "p/b");
    etcd3_watch_opts_set_range_end(opts, PREFIX "p/d", ETCD3_NTS);
    start(&range, opts, NULL);
    prepare(&from, client, PREFIX);
    opts = watch_key(PREFIX "p/c");
    etcd3_watch_opts_set_from_key(opts);
    start(&from, opts, NULL);
    put(client, PREFIX "p", "no");
    put(client, PREFIX "p/a", "1");
    put(client, PREFIX "p/b", "2");
    put(client, PREFIX "p/c", "3");
    put(client, PREFIX "p/d", "4");
    put(client, PREFIX "p0", "5");
    del(PREFIX "p/c");
    AWAIT(&prefix, changes, 5);
    AWAIT(&range, changes, 3);
    AWAIT(&from, changes, 4);
    stop(&prefix);
    stop(&range);
    stop(&from);
    CHECK_CHANGES(&prefix, "+p/a=1 +p/b=2 +p/c=3 +p/d=4 -p/c");
    CHECK_CHANGES(&range, "+p/b=2 +p/c=3 -p/c");
    CHECK_CHANGES(&from, "+p/c=3 +p/d=4 +p0=5 -p/c");
}

static void from_a_revision(void)
{
    struct watching all, late, future;
    etcd3_watch_opts_t *opts;
    int64_t before = revision_now(client);
    put(client, PREFIX "s", "1");
    put(client, PREFIX "s", "2");
    del(PREFIX "s");
    put(client, PREFIX "s", "3");
    prepare(&all, client, PREFIX);
    opts = watch_key(PREFIX "s");
    etcd3_watch_opts_set_start_revision(opts, before + 1);
    start(&all, opts, NULL);
    prepare(&late, client, PREFIX);
    opts = watch_key(PREFIX "s");
    etcd3_watch_opts_set_start_revision(opts, before + 3);
    start(&late, opts, NULL);
    prepare(&future, client, PREFIX);
    opts = watch_key(PREFIX "s");
    etcd3_watch_opts_set_start_revision(opts, before + 6);
    start(&future, opts, NULL);
    put(client, PREFIX "s", "4");
    put(client, PREFIX "s", "5");
    put(client, PREFIX "s", "6");
    AWAIT(&all, changes, 7);
    AWAIT(&late, changes, 5);
    AWAIT(&future, changes, 2);
    stop(&all);
    stop(&late);
    stop(&future);
    CHECK_CHANGES(&all, "+s=1 =s=2 -s +s=3 =s=4 =s=5 =s=6");
    CHECK_CHANGES(&late, "-s +s=3 =s=4 =s=5 =s=6");
    CHECK_CHANGES(&future, "=s=5 =s=6");
}

/* More history than etcd sends in one response (1,000 revisions). */
static void a_long_history(void)
{
    enum { LONG = 2500 };
    int count = (int)env_number("ETCD3_TEST_EVENTS", LONG), i;
    struct watching w;
    etcd3_watch_opts_t *opts = watch_key(PREFIX "long");
    int64_t before = revision_now(client);
    count = count < LONG ? count : LONG;
    for (i = 0; i < count; i++)
        put(client, PREFIX "long", "");
    etcd3_watch_opts_set_start_revision(opts, before + 1);
    prepare(&w, client, PREFIX "long");
    start(&w, opts, NULL);
    put(client, PREFIX "long", "");
    AWAIT(&w, changes, count + 1);
    stop(&w);
    CHECK_INT(w.changes, count + 1);
    CHECK_INT(w.revision, before + count + 1);
}

static void previous_values(void)
{
    struct watching with, without;
    etcd3_watch_opts_t *opts = watch_key(PREFIX "v");
    etcd3_watch_opts_set_prev_kv(opts);
    prepare(&with, client, PREFIX);
    start(&with, opts, NULL);
    prepare(&without, client, PREFIX);
    start(&without, watch_key(PREFIX "v"), NULL);
    put(client, PREFIX "v", "1");
    put(client, PREFIX "v", "2");
    del(PREFIX "v");
    AWAIT(&with, changes, 3);
    AWAIT(&without, changes, 3);
    stop(&with);
    stop(&without);
    CHECK_CHANGES(&with, "+v=1 =v=2~v=1 -v~v=2");
    CHECK_CHANGES(&without, "+v=1 =v=2 -v");
}

static void filters(void)
{
    struct watching deletes, puts, neither, all;
    etcd3_watch_opts_t *opts = watch_key(PREFIX "f");
    etcd3_watch_opts_set_filter(opts, ETCD3_FILTER_NOPUT);
    prepare(&deletes, client, PREFIX);
    start(&deletes, opts, NULL);
    opts = watch_key(PREFIX "f");
    etcd3_watch_opts_set_filter(opts, ETCD3_FILTER_NODELETE);
    prepare(&puts, client, PREFIX);
    start(&puts, opts, NULL);
    opts = watch_key(PREFIX "f");
    etcd3_watch_opts_set_filter(opts, ETCD3_FILTER_NODELETE);
    etcd3_watch_opts_set_filter(opts, ETCD3_FILTER_NOPUT);
    prepare(&neither, client, PREFIX);
    start(&neither, opts, NULL);
    prepare(&all, client, PREFIX);
    start(&all, watch_key(PREFIX "f"), NULL);
    put(client, PREFIX "f", "1");
    del(PREFIX "f");
    put(client, PREFIX "f", "2");
    del(PREFIX "f");
    AWAIT(&deletes, changes, 2);
    AWAIT(&puts, changes, 2);
    AWAIT(&all, changes, 4);
    stop(&deletes);
    stop(&puts);
    stop(&neither);
    stop(&all);
    CHECK_CHANGES(&deletes, "-f -f");
    CHECK_CHANGES(&puts, "+f=1 +f=2");
    CHECK_CHANGES(&neither, "");
}

/* The driver lets the server tell its progress every 200 ms. */
static void progress(void)
{
    struct watching told, quiet;
    etcd3_watch_opts_t *opts = watch_key(PREFIX "idle");
    int64_t revision;
    etcd3_watch_opts_set_progress_notify(opts);
    prepare(&told, client, PREFIX);
    start(&told, opts, NULL);
    prepare(&quiet, client, PREFIX);
    start(&quiet, watch_key(PREFIX "idle"), NULL);
    put(client, PREFIX "other", "1");
    revision = revision_now(client);
    AWAIT(&told, progress, 3);
    stop(&told);
    CHECK_INT(told.progress_revision, revision);
    stop(&quiet);
    CHECK_INT(quiet.progress, 0);
    CHECK_INT(told.changes + quiet.changes, 0);
}

static void a_transaction_is_one_event(void)
{
    struct watching w;
    etcd3_op_t *txn = etcd3_op_txn(), *op;
    etcd3_result_t *r;
    prepare(&w, client, PREFIX);
    put(client, PREFIX "t/c", "0");
    start(&w, watch_prefix(PREFIX "t/"), NULL);
    op = etcd3_op_put(PREFIX "t/a", ETCD3_NTS, "1", 1);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    op = etcd3_op_put(PREFIX "t/b", ETCD3_NTS, "2", 1);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    op = etcd3_op_delete(PREFIX "t/c", ETCD3_NTS);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    r = EXECUTE(client, txn);
    put(client, PREFIX "t/d", "4");
    AWAIT(&w, changes, 4);
    stop(&w);
    CHECK(strncmp(w.text, "+t/a=1 +t/b=2 -t/c", 18) == 0);
    CHECK_CHANGES(&w, "+t/a=1 +t/b=2 -t/c +t/d=4");
    CHECK_INT(w.revision, etcd3_result_revision(r) + 1);
    etcd3_result_free(r);
}

static void binary_keys(void)
{
    static const char key[] = PREFIX "\0\xff";
    struct watching w;
    etcd3_error_t *err = NULL;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(key, sizeof key - 2);
    etcd3_watch_opts_set_prefix(opts);
    prepare(&w, client, NULL);
    start(&w, opts, NULL);
    put(client, PREFIX "text", "v");
    CHECK_OK(etcd3_put(client, key, sizeof key - 1, "v", 1, &err), err);
    AWAIT(&w, changes, 1);
    stop(&w);
    CHECK_INT(w.changes, 1);
}

static void everything(void)
{
    struct watching w;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(NULL, 0);
    etcd3_error_t *err = NULL;
    etcd3_watch_opts_set_prefix(opts);
    prepare(&w, client, PREFIX);
    start(&w, opts, NULL);
    CHECK_OK(etcd3_put(client, "\1", 1, "low", 3, &err), err);
    CHECK_OK(etcd3_put(client, "\xff\xff", 2, "high", 4, &err), err);
    put(client, PREFIX "e", "mid");
    AWAIT(&w, changes, 3);
    stop(&w);
    CHECK_CHANGES(&w, "+\1=low +\xff\xff=high +e=mid");
}

static void compacted_history(void)
{
    int64_t compacted = env_number("ETCD3_TEST_COMPACTED", 0);
    struct watching gone, fine;
    etcd3_watch_opts_t *opts = watch_key(PREFIX "c");
    CHECK(compacted > 1);
    etcd3_watch_opts_set_start_revision(opts, 1);
    prepare(&gone, client, PREFIX);
    start(&gone, opts, NULL);
    opts = watch_key(PREFIX "c");
    etcd3_watch_opts_set_start_revision(opts, compacted + 1);
    prepare(&fine, client, PREFIX);
    start(&fine, opts, NULL);
    finished(&gone);
    CHECK_INT(gone.why, ETCD3_ERR_COMPACTED);
    CHECK_INT(gone.compact_revision, compacted);
    CHECK(strstr(gone.why_text, "compacted") != NULL);
    put(client, PREFIX "c", "1");
    AWAIT(&fine, changes, 1);
    stop(&fine);
    CHECK_INT(fine.compact_revision, 0);
}

int main(void)
{
    client = open_client();
    RUN(one_key);
    RUN(prefix_range_and_from_key);
    RUN(from_a_revision);
    RUN(a_long_history);
    RUN(previous_values);
    RUN(filters);
    RUN(progress);
    RUN(a_transaction_is_one_event);
    RUN(binary_keys);
    RUN(everything);
    RUN(compacted_history);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
