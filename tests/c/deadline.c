/* Endpoints that refuse, and some that never answer: an error that names them, in time, and what became of a write. */
#include "mute_server.h"

#define K "deadline/k", ETCD3_NTS
/* Long enough for a connection and a request, also where every instruction takes twenty. */
#define LIMIT_MS (env_number("ETCD3_TEST_VALGRIND", 0) ? 2000 : 500)

static etcd3_client_t *client;
static int64_t started;

static etcd3_client_t *open_with(int64_t timeout_ms, const char *endpoint, const char *another)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *opened = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_add_endpoint(config, endpoint);
    if (another)
        etcd3_config_add_endpoint(config, another);
    etcd3_config_set_timeout(config, timeout_ms);
    CHECK_OK(etcd3_client_open(config, &opened, &err), err);
    etcd3_config_free(config);
    return opened;
}

static void close_client(void)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    etcd3_client_free(client);
    client = NULL;
}

static void begin(void) { started = now_ms(); }

/* The call that began at begin() took no longer than its limit. */
#define IN_TIME() CHECK(now_ms() - started < LIMIT_MS + 100 + SLACK_MS)

#define FAILED(call, code, endpoint, applied) \
    (begin(), failed((call), &err, (code), (endpoint), (applied), #call, __FILE__, __LINE__))
static void failed(etcd3_code_t code, etcd3_error_t **err, etcd3_code_t want, const char *endpoint, int applied,
                   const char *what, const char *file, int line)
{
    IN_TIME();
    check_int(etcd3_error_maybe_applied(*err), applied, "maybe_applied", file, line);
    check_int(etcd3_error_is_retryable(*err), !applied, "is_retryable", file, line);
    check_that(strstr(etcd3_error_endpoint(*err), endpoint) != NULL || !*etcd3_error_endpoint(*err), what, file, line);
    check_code(code, err, want, endpoint, what, file, line);
}

static etcd3_op_t *a_txn(int writes)
{
    etcd3_op_t *txn = etcd3_op_txn(), *op = writes ? etcd3_op_put(K, "v", 1) : etcd3_op_get(K);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    return txn;
}

/* Nothing could be sent: every call says so, writes too. */
static void refused(void)
{
    struct mute_server server;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_op_t *txn = a_txn(1);
    int done = 0;
    int64_t n = 0;
    mute_start(&server, REFUSES);
    client = open_with(LIMIT_MS, server.endpoint, NULL);
    FAILED(etcd3_get(client, K, &r, &err), ETCD3_ERR_UNAVAILABLE, server.endpoint, 0);
    FAILED(etcd3_get_prefix(client, K, &r, &err), ETCD3_ERR_UNAVAILABLE, server.endpoint, 0);
    FAILED(etcd3_put(client, K, "v", 1, &err), ETCD3_ERR_UNAVAILABLE, server.endpoint, 0);
    FAILED(etcd3_put_if_absent(client, K, "v", 1, &done, &err), ETCD3_ERR_UNAVAILABLE, server.endpoint, 0);
    FAILED(etcd3_delete(client, K, &n, &err), ETCD3_ERR_UNAVAILABLE, server.endpoint, 0);
    FAILED(etcd3_execute(client, txn, &r, &err), ETCD3_ERR_UNAVAILABLE, server.endpoint, 0);
    begin();
    CHECK_CODE(etcd3_put(client, K, "v", 1, &err), err, ETCD3_ERR_UNAVAILABLE, "refused");
    IN_TIME();
    etcd3_op_free(txn);
    close_client();
    mute_stop(&server);
}

static void both_refused(void)
{
    struct mute_server one, two;
    etcd3_error_t *err = NULL;
    mute_start(&one, REFUSES);
    mute_start(&two, REFUSES);
    client = open_with(LIMIT_MS, one.endpoint, two.endpoint);
    begin();
    CHECK_INT(etcd3_put(client, K, "v", 1, &err), ETCD3_ERR_UNAVAILABLE);
    IN_TIME();
    CHECK(strstr(etcd3_error_message(err), one.endpoint) != NULL);
    CHECK(strstr(etcd3_error_message(err), two.endpoint) != NULL);
    etcd3_error_free(err);
    close_client();
    mute_stop(&one);
    mute_stop(&two);
}

/* The kernel accepts, nobody speaks. Whether a request counts as sent is the library's to know. */
static void accepted_and_ignored(void)
{
    struct mute_server server;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_code_t code;
    mute_start(&server, ACCEPTS);
    client = open_with(LIMIT_MS, server.endpoint, NULL);
    begin();
    code = etcd3_get(client, K, &r, &err);
    IN_TIME();
    CHECK(code == ETCD3_ERR_TIMEOUT || code == ETCD3_ERR_UNAVAILABLE);
    CHECK(strstr(etcd3_error_message(err), server.endpoint) != NULL);
    CHECK_INT(etcd3_error_maybe_applied(err), 0);
    etcd3_error_free(err);
    err = NULL;
    begin();
    code = etcd3_put(client, K, "v", 1, &err);
    IN_TIME();
    CHECK(code == ETCD3_ERR_AMBIGUOUS || code == ETCD3_ERR_TIMEOUT || code == ETCD3_ERR_UNAVAILABLE);
    CHECK(strstr(etcd3_error_message(err), server.endpoint) != NULL);
    CHECK_INT(etcd3_error_maybe_applied(err), code == ETCD3_ERR_AMBIGUOUS);
    etcd3_error_free(err);
    close_client();
    mute_stop(&server);
}

/* Not etcd at all. A write can have done nothing to it, but that is not known for sure. */
static void another_protocol(void)
{
    struct mute_server server;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_code_t code;
    mute_start(&server, GREETS);
    client = open_with(LIMIT_MS, server.endpoint, NULL);
    begin();
    code = etcd3_get(client, K, &r, &err);
    IN_TIME();
    CHECK(code == ETCD3_ERR_PROTOCOL || code == ETCD3_ERR_UNAVAILABLE || code == ETCD3_ERR_TIMEOUT);
    CHECK(strstr(etcd3_error_message(err), server.endpoint) != NULL);
    etcd3_error_free(err);
    err = NULL;
    begin();
    code = etcd3_put(client, K, "v", 1, &err);
    IN_TIME();
    CHECK(code == ETCD3_ERR_PROTOCOL || code == ETCD3_ERR_UNAVAILABLE || code == ETCD3_ERR_AMBIGUOUS);
    CHECK(strstr(etcd3_error_message(err), server.endpoint) != NULL);
    etcd3_error_free(err);
    close_client();
    mute_stop(&server);
}

/* Where every connection breaks, the time may be over while the last one still stands. */
#define READ_FAILED(call, kind, endpoint) (begin(), read_failed((call), &err, (kind), (endpoint), #call, __LINE__))
static void read_failed(etcd3_code_t code, etcd3_error_t **err, enum mute kind, const char *endpoint, const char *what,
                        int line)
{
    int broke = kind == DROPS && code == ETCD3_ERR_UNAVAILABLE;
    failed(code, err, broke ? ETCD3_ERR_UNAVAILABLE : ETCD3_ERR_TIMEOUT, endpoint, 0, what, __FILE__, line);
}

/* The server has the whole request: a read may be asked again, a write is sent once and is ambiguous. */
static void read_and_never_answered(enum mute kind)
{
    struct mute_server server;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_op_t *reads = a_txn(0), *writes = a_txn(1);
    int64_t n = 0;
    int done = 0, before;
    mute_start(&server, kind);
    client = open_with(LIMIT_MS, server.endpoint, NULL);
    FAILED(etcd3_put(client, K, "v", 1, &err), ETCD3_ERR_AMBIGUOUS, server.endpoint, 1);
    CHECK_INT(mute_requests(&server), 1);
    FAILED(etcd3_delete(client, K, &n, &err), ETCD3_ERR_AMBIGUOUS, server.endpoint, 1);
    CHECK_INT(mute_requests(&server), 2);
    FAILED(etcd3_execute(client, writes, &r, &err), ETCD3_ERR_AMBIGUOUS, server.endpoint, 1);
    CHECK_INT(mute_requests(&server), 3);
    FAILED(etcd3_put_if_absent(client, K, "v", 1, &done, &err), ETCD3_ERR_AMBIGUOUS, server.endpoint, 1);
    before = mute_requests(&server);
    CHECK(before >= 4);
    READ_FAILED(etcd3_get(client, K, &r, &err), kind, server.endpoint);
    CHECK(mute_requests(&server) > before);
    READ_FAILED(etcd3_execute(client, reads, &r, &err), kind, server.endpoint);
    etcd3_op_free(reads);
    etcd3_op_free(writes);
    close_client();
    mute_stop(&server);
}

static void never_answered(void) { read_and_never_answered(READS); }
static void dropped_after_the_request(void) { read_and_never_answered(DROPS); }

static void an_ops_own_limit_counts(void)
{
    struct mute_server server;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_op_t *op = etcd3_op_get(K), *write = etcd3_op_put(K, "v", 1);
    mute_start(&server, READS);
    client = open_with(PATIENCE_MS, server.endpoint, NULL);
    etcd3_op_set_timeout(op, LIMIT_MS);
    etcd3_op_set_timeout(write, LIMIT_MS);
    FAILED(etcd3_execute(client, op, &r, &err), ETCD3_ERR_TIMEOUT, server.endpoint, 0);
    FAILED(etcd3_execute(client, write, &r, &err), ETCD3_ERR_AMBIGUOUS, server.endpoint, 1);
    etcd3_op_free(op);
    etcd3_op_free(write);
    close_client();
    mute_stop(&server);
}

static void count_closed(const etcd3_event_t *event, void *user_data)
{
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_CLOSED);
    ++*(int *)user_data;
}

/* From now on means asking the server first; from a revision on needs nobody yet. */
static void watches(enum mute kind, etcd3_code_t code)
{
    struct mute_server server;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(K);
    etcd3_watch_t *watch = NULL;
    etcd3_error_t *err = NULL;
    int closed = 0;
    mute_start(&server, kind);
    client = open_with(LIMIT_MS, server.endpoint, NULL);
    FAILED(etcd3_watch_start(client, opts, NULL, count_closed, &closed, &watch, &err), code, server.endpoint, 0);
    CHECK(watch == NULL);
    etcd3_watch_opts_set_start_revision(opts, 1);
    CHECK_OK(etcd3_watch_start(client, opts, NULL, count_closed, &closed, &watch, &err), err);
    etcd3_watch_opts_free(opts);
    begin();
    etcd3_watch_cancel(watch);
    etcd3_watch_free(watch);
    close_client();
    IN_TIME();
    CHECK_INT(closed, 1);
    mute_stop(&server);
}

static void watches_of_nobody(void)
{
    watches(REFUSES, ETCD3_ERR_UNAVAILABLE);
    watches(READS, ETCD3_ERR_TIMEOUT);
}

static void *wait_long(void *arg)
{
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    (void)arg;
    CHECK_CODE(etcd3_get(client, K, &r, &err), err, ETCD3_ERR_CLOSED, "closed");
    return NULL;
}

static void close_ends_a_waiting_call(void)
{
    struct mute_server server;
    etcd3_error_t *err = NULL;
    pthread_t thread;
    mute_start(&server, READS);
    client = open_with(PATIENCE_MS * 10, server.endpoint, NULL);
    CHECK_INT(pthread_create(&thread, NULL, wait_long, NULL), 0);
    mute_await_request(&server);
    begin();
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    pthread_join(thread, NULL);
    IN_TIME();
    etcd3_client_free(client);
    mute_stop(&server);
}

static void *write_long(void *arg)
{
    etcd3_error_t *err = NULL;
    (void)arg;
    CHECK(etcd3_put(client, K, "v", 1, &err) != ETCD3_OK);
    CHECK_INT(etcd3_error_maybe_applied(err), 1);
    etcd3_error_free(err);
    return NULL;
}

/* The server has the write, and nobody waits for its answer any more. */
static void close_leaves_a_sent_write_ambiguous(void)
{
    struct mute_server server;
    etcd3_error_t *err = NULL;
    pthread_t thread;
    mute_start(&server, READS);
    client = open_with(PATIENCE_MS * 10, server.endpoint, NULL);
    CHECK_INT(pthread_create(&thread, NULL, write_long, NULL), 0);
    mute_await_request(&server);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    pthread_join(thread, NULL);
    etcd3_client_free(client);
    mute_stop(&server);
}

int main(void)
{
    RUN(refused);
    RUN(both_refused);
    RUN(accepted_and_ignored);
    RUN(another_protocol);
    RUN(never_answered);
    RUN(dropped_after_the_request);
    RUN(an_ops_own_limit_counts);
    RUN(watches_of_nobody);
    RUN(close_ends_a_waiting_call);
    RUN(close_leaves_a_sent_write_ambiguous);
    return CHECK_DONE();
}
