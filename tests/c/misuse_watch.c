/* Wrong arguments to queues and watches, use after close, and freeing in any order. */
#include "misuse.h"

#define KEY "misuse_watch/k"

static etcd3_queue_t *queue;

static etcd3_queue_t *new_queue(void)
{
    etcd3_queue_t *made = NULL;
    CHECK_OK(etcd3_queue_new(&made, &err), err);
    return made;
}

static etcd3_watch_opts_t *a_watch(void) { return etcd3_watch_opts_new(KEY, ETCD3_NTS); }

static etcd3_watch_t *watch_of(etcd3_client_t *from, etcd3_queue_t *to, etcd3_event_fn fn, void *user_data)
{
    etcd3_watch_opts_t *opts = a_watch();
    etcd3_watch_t *watch = NULL;
    CHECK_OK(etcd3_watch_start(from, opts, to, fn, user_data, &watch, &err), err);
    etcd3_watch_opts_free(opts);
    return watch;
}

/* Starts, and frees, a watch that has to be refused for its argument `name`. */
#define WATCH_REFUSED(opts, name) watch_refused((opts), (name), __FILE__, __LINE__)
static void watch_refused(etcd3_watch_opts_t *opts, const char *name, const char *file, int line)
{
    etcd3_watch_t *watch = NULL;
    check_code(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err), &err, ETCD3_ERR_INVALID_ARGUMENT,
               name, "etcd3_watch_start", file, line);
    CHECK(watch == NULL);
    etcd3_watch_opts_free(opts);
    still_works(line);
}

static void count_closed(const etcd3_event_t *event, void *user_data)
{
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED)
        ++*(int *)user_data;
}

static void queues(void)
{
    etcd3_event_t *event = NULL;
    size_t ran = 0;
    REFUSED(etcd3_queue_new(NULL, &err), "queue");
    REFUSED(etcd3_queue_dispatch(NULL, 0, 0, &ran, &err), "queue");
    REFUSED(etcd3_queue_next(NULL, 0, &event, &err), "queue");
    REFUSED(etcd3_queue_next(queue, 0, NULL, &err), "event");
    REFUSED(etcd3_queue_dispatch(queue, 0, -2, &ran, &err), "timeout");
    REFUSED(etcd3_queue_dispatch(queue, 0, INT64_MIN, &ran, &err), "timeout");
    REFUSED(etcd3_queue_next(queue, -2, &event, &err), "timeout");
    CHECK_INT(etcd3_queue_fd(NULL), -1);
    CHECK_INT(etcd3_queue_dup_fd(NULL), -1);
    QUIET(etcd3_queue_set_wakeup(NULL, NULL, NULL));
    QUIET(etcd3_queue_free(NULL));
    QUIET(etcd3_event_free(NULL));
}

static void null_handles(void)
{
    etcd3_watch_opts_t *opts = a_watch();
    etcd3_watch_t *watch = NULL;
    int closed = 0;
    REFUSED(etcd3_watch_start(NULL, opts, queue, NULL, NULL, &watch, &err), "client");
    REFUSED(etcd3_watch_start(client, NULL, queue, NULL, NULL, &watch, &err), "opts");
    REFUSED(etcd3_watch_start(client, opts, queue, count_closed, &closed, NULL, &err), "watch");
    REFUSED(etcd3_watch_start(client, opts, NULL, NULL, NULL, &watch, &err), "fn");
    REFUSED(etcd3_watch_join(NULL, 0, &err), "watch");
    QUIET(etcd3_watch_cancel(NULL));
    QUIET(etcd3_watch_free(NULL));
    QUIET(etcd3_watch_opts_set_prefix(NULL));
    QUIET(etcd3_watch_opts_set_from_key(NULL));
    QUIET(etcd3_watch_opts_set_range_end(NULL, "z", 1));
    QUIET(etcd3_watch_opts_set_start_revision(NULL, 1));
    QUIET(etcd3_watch_opts_set_prev_kv(NULL));
    QUIET(etcd3_watch_opts_set_filter(NULL, ETCD3_FILTER_NOPUT));
    QUIET(etcd3_watch_opts_set_progress_notify(NULL));
    QUIET(etcd3_watch_opts_set_relist(NULL));
    QUIET(etcd3_watch_opts_set_mirror(NULL));
    QUIET(etcd3_watch_opts_set_loose_start(NULL));
    QUIET(etcd3_watch_opts_set_buffer(NULL, 1, ETCD3_OVERFLOW_PARK));
    QUIET(etcd3_watch_opts_set_max_response_bytes(NULL, 1));
    QUIET(etcd3_watch_opts_set_max_outage(NULL, 1));
    QUIET(etcd3_watch_opts_set_require_leader(NULL, 1));
    QUIET(etcd3_watch_opts_add_metadata(NULL, "name", "value"));
    REFUSED(etcd3_watch_request_progress(NULL, &err), "watch");
    CHECK_INT(etcd3_watch_pending_bytes(NULL), 0);
    CHECK_INT(etcd3_watch_pending_events(NULL), 0);
    CHECK_INT(etcd3_watch_revision(NULL), 0);
    CHECK_INT(etcd3_event_resume_revision(NULL), 0);
    QUIET(etcd3_watch_opts_free(NULL));
    CHECK(watch == NULL);
    CHECK_INT(closed, 0);
    etcd3_watch_opts_free(opts);
}

static void watch_options(void)
{
    static const int32_t unknown[] = {-1, 2, INT32_MAX, INT32_MIN};
    etcd3_watch_opts_t *opts;
    int i;
    WATCH_REFUSED(etcd3_watch_opts_new("", 0), "key");
    WATCH_REFUSED(etcd3_watch_opts_new(NULL, 0), "key");
    WATCH_REFUSED(etcd3_watch_opts_new(NULL, 3), "key");
    WATCH_REFUSED(etcd3_watch_opts_new(NULL, ETCD3_NTS), "key");
    WATCH_REFUSED(etcd3_watch_opts_new("k", (size_t)INT32_MAX + 1), "key");
    for (i = 0; i < 4; i++) {
        opts = a_watch();
        etcd3_watch_opts_set_filter(opts, unknown[i]);
        WATCH_REFUSED(opts, "filter");
    }
    opts = a_watch();
    etcd3_watch_opts_set_start_revision(opts, -1);
    WATCH_REFUSED(opts, "revision: must not be negative, got -1");
    opts = a_watch();
    etcd3_watch_opts_set_range_end(opts, "", 0);
    WATCH_REFUSED(opts, "end");
    opts = a_watch();
    etcd3_watch_opts_set_range_end(opts, "\0", 1);
    WATCH_REFUSED(opts, "end");
    opts = a_watch();
    etcd3_watch_opts_set_range_end(opts, NULL, 3);
    WATCH_REFUSED(opts, "end");
    opts = a_watch();
    etcd3_watch_opts_set_range_end(opts, KEY, ETCD3_NTS);
    WATCH_REFUSED(opts, "end");
    opts = a_watch();
    etcd3_watch_opts_set_range_end(opts, "a", 1);
    WATCH_REFUSED(opts, "end");
    opts = a_watch();
    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_from_key(opts);
    WATCH_REFUSED(opts, "range");
    opts = a_watch();
    etcd3_watch_opts_set_start_revision(opts, -3);
    etcd3_watch_opts_set_filter(opts, 9);
    etcd3_watch_opts_set_start_revision(opts, 1);
    WATCH_REFUSED(opts, "got -3");
}

static void limits_of_a_watch(void)
{
    static const int64_t sizes[] = {0, -1, INT64_MIN, INT64_MAX, ((int64_t)1 << 40) + 1};
    static const int32_t policies[] = {-1, 2, INT32_MIN, INT32_MAX};
    static const int64_t times[] = {-1, INT64_MIN, INT64_MAX};
    static const int yes[] = {-1, 2, INT32_MAX};
    etcd3_watch_opts_t *opts;
    size_t i;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        opts = a_watch();
        etcd3_watch_opts_set_buffer(opts, sizes[i], ETCD3_OVERFLOW_PARK);
        WATCH_REFUSED(opts, "max_bytes: must be 1 to ");
        opts = a_watch();
        etcd3_watch_opts_set_max_response_bytes(opts, sizes[i]);
        WATCH_REFUSED(opts, "max_bytes: must be 1 to ");
    }
    for (i = 0; i < sizeof policies / sizeof *policies; i++) {
        opts = a_watch();
        etcd3_watch_opts_set_buffer(opts, 1, policies[i]);
        WATCH_REFUSED(opts, "policy");
    }
    for (i = 0; i < sizeof times / sizeof *times; i++) {
        opts = a_watch();
        etcd3_watch_opts_set_max_outage(opts, times[i]);
        WATCH_REFUSED(opts, "time_ms");
    }
    for (i = 0; i < sizeof yes / sizeof *yes; i++) {
        opts = a_watch();
        etcd3_watch_opts_set_require_leader(opts, yes[i]);
        WATCH_REFUSED(opts, "yes");
    }
}

static void metadata_of_a_watch(void)
{
    static const char *const names[] = {"",      "Upper",        "a b",        "a\n",       "\xc3\xa4",   "token",
                                        "hasleader", "grpc-timeout", "content-type", "user-agent", "bytes-bin", ":path"};
    static const char *const values[] = {"a\n", "\x7f", "\xc3\xa4"};
    etcd3_watch_opts_t *opts;
    size_t i;
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        opts = a_watch();
        etcd3_watch_opts_add_metadata(opts, names[i], "v");
        WATCH_REFUSED(opts, "name");
    }
    for (i = 0; i < sizeof values / sizeof *values; i++) {
        opts = a_watch();
        etcd3_watch_opts_add_metadata(opts, "x-name", values[i]);
        WATCH_REFUSED(opts, "value");
    }
    opts = a_watch();
    etcd3_watch_opts_add_metadata(opts, NULL, "v");
    WATCH_REFUSED(opts, "name: must not be NULL");
    opts = a_watch();
    etcd3_watch_opts_add_metadata(opts, "x-name", NULL);
    WATCH_REFUSED(opts, "value: must not be NULL");
    opts = a_watch();
    etcd3_watch_opts_add_metadata(opts, "x-name", "\xff");
    WATCH_REFUSED(opts, "value: must be UTF-8");
}

static void watches_of_a_client(void)
{
    static const int64_t sizes[] = {0, -1, INT64_MIN, INT64_MAX};
    size_t i;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CONFIG_REFUSED(etcd3_config_set_watch_buffer(config, sizes[i]), "max_bytes");
    }
    CONFIG_REFUSED(etcd3_config_set_watch_probe(config, -1, 1000), "idle_ms");
    CONFIG_REFUSED(etcd3_config_set_watch_probe(config, INT64_MAX, 1000), "idle_ms");
    CONFIG_REFUSED(etcd3_config_set_watch_probe(config, 1000, 0), "answer_ms");
    CONFIG_REFUSED(etcd3_config_set_watch_probe(config, 0, -1), "answer_ms");
    QUIET(etcd3_config_set_watch_buffer(NULL, 1));
    QUIET(etcd3_config_set_watch_probe(NULL, 1, 1));
}

static void waiting_once(void)
{
    etcd3_event_t *event = NULL;
    REFUSED(etcd3_watch_once(NULL, "k", 1, 100, &event, &err), "client");
    REFUSED(etcd3_watch_once(client, "k", 1, 100, NULL, &err), "event");
    REFUSED(etcd3_watch_once(client, "", 0, 100, &event, &err), "key");
    REFUSED(etcd3_watch_once(client, NULL, 3, 100, &event, &err), "key");
    REFUSED(etcd3_watch_once(client, "k", 1, 0, &event, &err), "timeout_ms");
    REFUSED(etcd3_watch_once(client, "k", 1, -2, &event, &err), "timeout_ms");
    REFUSED(etcd3_watch_prefix_once(NULL, "k", 1, 100, &event, &err), "client");
    REFUSED(etcd3_watch_prefix_once(client, NULL, 3, 100, &event, &err), "prefix");
    REFUSED(etcd3_watch_prefix_once(client, "k", 1, INT64_MIN, &event, &err), "timeout_ms");
    REFUSED(etcd3_watch_prefix_once(client, "k", 1, 100, NULL, &err), "event");
    CHECK(event == NULL);
}

static void joins(void)
{
    int closed = 0;
    etcd3_watch_t *watch = watch_of(client, queue, count_closed, &closed);
    REFUSED(etcd3_watch_join(watch, -1, &err), "timeout");
    REFUSED(etcd3_watch_join(watch, INT64_MIN, &err), "timeout");
    QUIET(etcd3_watch_cancel(watch));
    QUIET(etcd3_watch_cancel(watch));
    REFUSED(etcd3_watch_join(watch, -1, &err), "timeout");
    etcd3_watch_free(watch);
    while (!closed)
        if (!CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err))
            break;
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, NULL, &err), err);
    CHECK_INT(closed, 1);
}

static void after_close(void)
{
    etcd3_client_t *own = open_client();
    int on_queue = 0, on_thread = 0;
    etcd3_watch_t *a = watch_of(own, queue, count_closed, &on_queue), *b = watch_of(own, NULL, count_closed, &on_thread);
    etcd3_watch_t *none = NULL;
    etcd3_event_t *event = NULL;
    etcd3_watch_opts_t *opts = a_watch();
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    CHECK_INT(on_thread, 1);
    REFUSED_AS(etcd3_put(own, "k", 1, "v", 1, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_watch_start(own, opts, queue, NULL, NULL, &none, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_watch_start(own, opts, NULL, count_closed, &on_thread, &none, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_watch_once(own, "k", 1, 100, &event, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_watch_request_progress(a, &err), ETCD3_ERR_CANCELED, "watch");
    /* A wrong argument is named as such, closed or not. */
    REFUSED(etcd3_put(own, "", 0, "v", 1, &err), "key");
    CHECK(none == NULL);
    QUIET(etcd3_watch_cancel(a));
    QUIET(etcd3_watch_cancel(b));
    CHECK_OK(etcd3_watch_join(b, PATIENCE_MS, &err), err);
    etcd3_watch_opts_free(opts);
    etcd3_client_free(own);
    etcd3_watch_free(a);
    etcd3_watch_free(b);
    while (!on_queue)
        if (!CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err))
            break;
    CHECK_INT(on_queue, 1);
    CHECK_INT(on_thread, 1);
}

/* Client, queue and watch in each of the six orders; every watch ends exactly once. */
static void frees_in_any_order(void)
{
    static const char *const orders[] = {"cqw", "cwq", "qcw", "qwc", "wcq", "wqc"};
    int i, j;
    for (i = 0; i < 6; i++) {
        etcd3_client_t *own = open_client();
        etcd3_queue_t *to = new_queue();
        int closed = 0;
        etcd3_watch_t *watch = watch_of(own, to, count_closed, &closed);
        CHECK_OK(etcd3_put(own, KEY, ETCD3_NTS, "v", 1, &err), err);
        last_revision++;
        for (j = 0; j < 3; j++)
            switch (orders[i][j]) {
            case 'c': QUIET(etcd3_client_free(own)); break;
            case 'q': QUIET(etcd3_queue_free(to)); break;
            default: QUIET(etcd3_watch_free(watch)); break;
            }
        CHECK_INT(closed, 1);
    }
}

/* What a builder or a result came from is of no matter to it. */
static void copies_outlive_their_originals(void)
{
    etcd3_op_t *inner = etcd3_op_get(KEY, ETCD3_NTS), *outer = etcd3_op_txn();
    etcd3_client_t *own = open_client();
    etcd3_result_t *r = NULL;
    const etcd3_result_t *part;
    etcd3_error_t *kept = NULL;
    etcd3_txn_then(outer, inner);
    etcd3_op_free(inner);
    CHECK_OK(etcd3_execute(own, outer, &r, &err), err);
    etcd3_op_free(outer);
    CHECK_INT(etcd3_get(own, "", 0, &r, &kept), ETCD3_ERR_INVALID_ARGUMENT);
    etcd3_client_free(own);
    part = etcd3_result_response(r, 0);
    CHECK_INT(etcd3_result_kind(part), ETCD3_RESULT_GET);
    CHECK_KV(etcd3_result_kv(part, 0), KEY, "v");
    CHECK(strstr(etcd3_error_message(kept), "key") != NULL);
    etcd3_result_free(r);
    etcd3_error_free(kept);
    still_works(__LINE__);
}

int main(void)
{
    client = open_client();
    queue = new_queue();
    RUN(queues);
    RUN(null_handles);
    RUN(watch_options);
    RUN(limits_of_a_watch);
    RUN(metadata_of_a_watch);
    RUN(watches_of_a_client);
    RUN(waiting_once);
    RUN(joins);
    RUN(after_close);
    RUN(frees_in_any_order);
    RUN(copies_outlive_their_originals);
    etcd3_queue_free(queue);
    etcd3_client_free(client);
    return CHECK_DONE();
}
