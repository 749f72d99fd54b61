/* What a client tells of itself: events of its connections, lines of a log, counters. */
#include "calls.h"
#include "forwarder.h"
#include "mute_server.h"

#define K "test_client_events/k"
#define LIMIT_MS (env_number("ETCD3_TEST_VALGRIND", 0) ? 2000 : 1000)

/* What was told: C connected, D disconnected, X closed, ? anything else. */
struct told {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char text[100];
    int n, reasons;
    etcd3_code_t why;
    pthread_t thread;
};

static void write_state(struct told *told, const etcd3_event_t *event)
{
    const etcd3_error_t *error = etcd3_event_error(event);
    char mark = '?';
    pthread_mutex_lock(&told->lock);
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
        mark = 'X';
        told->why = etcd3_error_code(error);
    } else if (etcd3_event_type(event) == ETCD3_EVENT_STATE) {
        mark = etcd3_event_state(event) == ETCD3_STATE_CONNECTED      ? 'C'
               : etcd3_event_state(event) == ETCD3_STATE_DISCONNECTED ? 'D'
                                                                      : '?';
        if (mark == 'D')
            told->reasons += error != NULL && etcd3_error_message(error)[0];
        else
            CHECK(error == NULL);
    }
    CHECK(etcd3_event_user_data(event) == told);
    CHECK(etcd3_event_result(event) == NULL);
    if (told->n < 99)
        told->text[told->n++] = mark;
    told->thread = pthread_self();
    pthread_cond_broadcast(&told->changed);
    pthread_mutex_unlock(&told->lock);
}

static void on_state(const etcd3_event_t *event, void *user_data) { write_state((struct told *)user_data, event); }

static void await_told(struct told *told, int n, etcd3_queue_t *queue, int by_next)
{
    pthread_mutex_lock(&told->lock);
    while (told->n < n) {
        etcd3_event_t *event = NULL;
        etcd3_error_t *err = NULL;
        size_t ran = 0;
        int64_t began = now_ms();
        if (!queue) {
            pthread_cond_wait(&told->changed, &told->lock);
            continue;
        }
        pthread_mutex_unlock(&told->lock);
        if (by_next) {
            CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
            if (event)
                write_state(told, event);
            etcd3_event_free(event);
        } else {
            CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, &ran, &err), err);
        }
        pthread_mutex_lock(&told->lock);
        if (!CHECK(now_ms() - began < PATIENCE_MS))
            break;
    }
    pthread_mutex_unlock(&told->lock);
}

/* It connects when first asked to; then by itself, as often as the server comes back. */
static void states(etcd3_queue_t *queue, int by_next)
{
    struct told told = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, "", 0, 0, -1, pthread_self()};
    struct forwarder f;
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    forwarder_start(&f);
    etcd3_config_add_endpoint(config, f.endpoint);
    etcd3_config_set_timeout(config, PATIENCE_MS);
    etcd3_config_set_events(config, queue, by_next ? NULL : on_state, &told);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    CHECK_OK(etcd3_client_wait_connected(client, PATIENCE_MS, &err), err);
    await_told(&told, 1, queue, by_next);
    CHECK_STR(told.text, "C");
    put(client, K, "v");
    forwarder_stop(&f);
    await_told(&told, 2, queue, by_next);
    CHECK_STR(told.text, "CD");
    CHECK(forwarder_again(&f));
    await_told(&told, 3, queue, by_next);
    CHECK_STR(told.text, "CDC");
    put(client, K, "w");
    forwarder_stop(&f);
    await_told(&told, 4, queue, by_next);
    CHECK(forwarder_again(&f));
    await_told(&told, 5, queue, by_next);
    CHECK_INT(etcd3_client_counter(client, "connects"), 3);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    await_told(&told, 6, queue, by_next);
    CHECK_STR(told.text, "CDCDCX");
    CHECK_INT(told.why, ETCD3_ERR_CLOSED);
    CHECK_INT(told.reasons, 2);
    if (queue) {
        CHECK_OK(etcd3_queue_next(queue, 0, &event, &err), err);
        CHECK(event == NULL);
    } else {
        CHECK(!pthread_equal(told.thread, pthread_self()));
    }
    etcd3_client_free(client);
    forwarder_end(&f);
    CHECK_INT(told.n, 6);
}

static void connections_come_and_go(void)
{
    etcd3_queue_t *queue = new_queue();
    states(NULL, 0);
    states(queue, 0);
    states(queue, 1);
    etcd3_queue_free(queue);
}

/* A client that never had a connection has nothing to tell but its end; one config may be of several clients. */
static void only_the_end(void)
{
    struct told told = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, "", 0, 0, -1, pthread_self()};
    struct mute_server nobody;
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    int i;
    mute_start(&nobody, REFUSES);
    etcd3_config_add_endpoint(config, nobody.endpoint);
    etcd3_config_set_timeout(config, LIMIT_MS);
    etcd3_config_set_events(config, NULL, on_state, &told);
    for (i = 0; i < 2; i++) {
        CHECK_OK(etcd3_client_open(config, &client, &err), err);
        CHECK_CODE(etcd3_put(client, K, ETCD3_NTS, "v", 1, &err), err, ETCD3_ERR_UNAVAILABLE, nobody.endpoint);
        close_client(client);
    }
    etcd3_config_free(config);
    CHECK_STR(told.text, "XX");
    mute_stop(&nobody);
}

struct lines {
    pthread_mutex_t lock;
    int of_level[6], late, freed, connected, refused;
};

static void on_line(int32_t level, const char *message, void *user_data)
{
    static const char *const never[] = {"hunter2", "quite-secret", "the-key", "the-value", "\n"};
    struct lines *lines = (struct lines *)user_data;
    size_t i;
    pthread_mutex_lock(&lines->lock);
    CHECK(message && message[0]);
    CHECK(level >= ETCD3_LOG_ERROR && level <= ETCD3_LOG_DEBUG);
    lines->of_level[level >= 1 && level <= 4 ? level : 0]++;
    lines->late += lines->freed;
    lines->connected += strstr(message, "connected") != NULL;
    lines->refused += level == ETCD3_LOG_WARNING && strstr(message, "refused") != NULL;
    for (i = 0; message && i < sizeof never / sizeof *never; i++)
        if (strstr(message, never[i]))
            check_that(0, message, __FILE__, __LINE__);
    pthread_mutex_unlock(&lines->lock);
}

/* Connections that come, go and cannot be, attempts that fail, a call that fails: lines of every sort. */
static void some_life(struct lines *lines, int32_t level)
{
    struct forwarder f;
    struct mute_server nobody, drops;
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    const char *list[1];
    forwarder_start(&f);
    mute_start(&nobody, REFUSES);
    mute_start(&drops, DROPS);
    etcd3_config_add_endpoint(config, nobody.endpoint);
    etcd3_config_add_endpoint(config, f.endpoint);
    etcd3_config_set_timeout(config, PATIENCE_MS);
    etcd3_config_set_credentials(config, "root", "hunter2");
    etcd3_config_set_log(config, level, on_line, lines);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    CHECK_OK(etcd3_client_wait_connected(client, PATIENCE_MS, &err), err);
    CHECK_OK(etcd3_put(client, "the-key", ETCD3_NTS, "the-value", ETCD3_NTS, &err), err);
    forwarder_stop(&f);
    CHECK(forwarder_again(&f));
    CHECK_OK(etcd3_get(client, "the-key", ETCD3_NTS, &r, &err), err);
    etcd3_result_free(r);
    CHECK_OK(etcd3_client_set_credentials(client, "root", "quite-secret", &err), err);
    CHECK_OK(etcd3_put(client, "the-key", ETCD3_NTS, "the-value", ETCD3_NTS, &err), err);
    CHECK_OK(etcd3_client_set_token(client, "quite-secret.hunter2", &err), err);
    CHECK_OK(etcd3_get(client, "the-key", ETCD3_NTS, &r, &err), err);
    etcd3_result_free(r);
    list[0] = drops.endpoint;
    CHECK_OK(etcd3_client_set_endpoints(client, list, 1, &err), err);
    CHECK(etcd3_put(client, "the-key", ETCD3_NTS, "the-value", ETCD3_NTS, &err) != ETCD3_OK);
    CHECK(strstr(etcd3_error_message(err), "quite-secret") == NULL);
    etcd3_error_free(err);
    close_client(client);
    forwarder_end(&f);
    mute_stop(&nobody);
    mute_stop(&drops);
}

static void log_lines(void)
{
    int32_t level, above;
    for (level = ETCD3_LOG_ERROR; level <= ETCD3_LOG_DEBUG; level++) {
        struct lines lines;
        memset(&lines, 0, sizeof lines);
        pthread_mutex_init(&lines.lock, NULL);
        some_life(&lines, level);
        pthread_mutex_lock(&lines.lock);
        for (above = level + 1; above <= ETCD3_LOG_DEBUG; above++)
            CHECK_INT(lines.of_level[above], 0);
        CHECK_INT(lines.of_level[0], 0);
        CHECK_INT(lines.refused > 0, level >= ETCD3_LOG_WARNING);
        CHECK_INT(lines.of_level[ETCD3_LOG_INFO] > 0, level >= ETCD3_LOG_INFO);
        CHECK_INT(lines.connected > 0, level >= ETCD3_LOG_INFO);
        CHECK_INT(lines.of_level[ETCD3_LOG_DEBUG] > 0, level >= ETCD3_LOG_DEBUG);
        pthread_mutex_unlock(&lines.lock);
    }
}

/* What the function is given may go with the client, though another one keeps the library's thread. */
static void no_line_after_the_client(void)
{
    struct lines lines;
    struct mute_server silent, mute;
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL, *other;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_op_t *op = etcd3_op_get(K, ETCD3_NTS);
    memset(&lines, 0, sizeof lines);
    pthread_mutex_init(&lines.lock, NULL);
    mute_start(&silent, ACCEPTS);
    mute_start(&mute, READS);
    other = client_of(mute.endpoint, PATIENCE_MS);
    etcd3_config_add_endpoint(config, silent.endpoint);
    etcd3_config_add_endpoint(config, getenv("ETCD3_ENDPOINTS"));
    etcd3_config_set_connect_timeout(config, LIMIT_MS);
    etcd3_config_set_log(config, ETCD3_LOG_DEBUG, on_line, &lines);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    put(client, K, "v");
    /* The attempt to connect to the silent one has its limit ahead of it. */
    close_client(client);
    pthread_mutex_lock(&lines.lock);
    CHECK(lines.connected > 0);
    lines.freed = 1;
    pthread_mutex_unlock(&lines.lock);
    etcd3_op_set_timeout(op, 2 * LIMIT_MS);
    CHECK_CODE(etcd3_execute(other, op, &r, &err), err, ETCD3_ERR_TIMEOUT, mute.endpoint);
    etcd3_op_free(op);
    close_client(other);
    pthread_mutex_lock(&lines.lock);
    CHECK_INT(lines.late, 0);
    pthread_mutex_unlock(&lines.lock);
    mute_stop(&silent);
    mute_stop(&mute);
}

static void names_of_counters(void)
{
    static const char *const names[] = {"calls", "retries", "hedges", "ambiguous", "connects", "connect_failures",
                                        "disconnects", "bytes_sent", "bytes_received", "token_refreshes", "watches",
                                        "watch_resumes"};
    enum { N = sizeof names / sizeof *names };
    etcd3_client_t *client = open_client();
    size_t i, j, found;
    for (i = 0; etcd3_counter_name(i); i++) {
        CHECK_INT(etcd3_client_counter(client, etcd3_counter_name(i)), 0);
        CHECK_INT(etcd3_client_counter(NULL, etcd3_counter_name(i)), -1);
    }
    CHECK(i >= N);
    CHECK(etcd3_counter_name(i + 1) == NULL);
    CHECK(etcd3_counter_name((size_t)-1) == NULL);
    for (j = 0; j < N; j++) {
        for (found = i = 0; etcd3_counter_name(i); i++)
            found += strcmp(etcd3_counter_name(i), names[j]) == 0;
        check_int((long long)found, 1, names[j], __FILE__, __LINE__);
    }
    CHECK_INT(etcd3_client_counter(client, "no such"), -1);
    CHECK_INT(etcd3_client_counter(client, ""), -1);
    CHECK_INT(etcd3_client_counter(client, "Calls"), -1);
    CHECK_INT(etcd3_client_counter(client, "\xff"), -1);
    CHECK_INT(etcd3_client_counter(client, NULL), -1);
    close_client(client);
}

#define COUNTED(name) etcd3_client_counter(client, (name))

static void counters_count(void)
{
    char value[3000];
    struct forwarder f;
    struct mute_server nobody, drops;
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    const char *list[1];
    int64_t before;
    memset(value, 'v', sizeof value);
    forwarder_start(&f);
    mute_start(&nobody, REFUSES);
    mute_start(&drops, DROPS);
    client = client_of(f.endpoint, LIMIT_MS);
    put(client, K, "v");
    CHECK_INT(COUNTED("calls"), 1);
    CHECK_INT(COUNTED("connects"), 1);
    CHECK_INT(COUNTED("disconnects"), 0);
    CHECK_INT(COUNTED("retries"), 0);
    before = COUNTED("bytes_sent");
    CHECK(before > 0);
    CHECK_OK(etcd3_put(client, K, ETCD3_NTS, value, sizeof value, &err), err);
    CHECK(COUNTED("bytes_sent") >= before + (int64_t)sizeof value);
    CHECK(COUNTED("bytes_sent") < before + 2 * (int64_t)sizeof value);
    before = COUNTED("bytes_received");
    CHECK_OK(etcd3_get(client, K, ETCD3_NTS, &r, &err), err);
    etcd3_result_free(r);
    CHECK(COUNTED("bytes_received") >= before + (int64_t)sizeof value);
    CHECK(COUNTED("bytes_received") < before + 2 * (int64_t)sizeof value);
    CHECK_INT(COUNTED("calls"), 3);
    /* Refused before it is sent: no call. */
    CHECK_INT(etcd3_put(client, "", 0, "v", 1, NULL), ETCD3_ERR_INVALID_ARGUMENT);
    CHECK_INT(COUNTED("calls"), 3);
    CHECK_INT(COUNTED("connect_failures"), 0);
    list[0] = drops.endpoint;
    CHECK_OK(etcd3_client_set_endpoints(client, list, 1, &err), err);
    CHECK_CODE(etcd3_put(client, K, ETCD3_NTS, "v", 1, &err), err, ETCD3_ERR_AMBIGUOUS, drops.endpoint);
    CHECK_INT(COUNTED("ambiguous"), 1);
    CHECK_INT(COUNTED("retries"), 0);
    CHECK(etcd3_get(client, K, ETCD3_NTS, &r, &err) != ETCD3_OK);
    etcd3_error_free(err);
    err = NULL;
    CHECK(COUNTED("retries") > 0);
    CHECK(COUNTED("disconnects") > 0);
    CHECK_INT(COUNTED("ambiguous"), 1);
    list[0] = nobody.endpoint;
    CHECK_OK(etcd3_client_set_endpoints(client, list, 1, &err), err);
    CHECK_CODE(etcd3_put(client, K, ETCD3_NTS, "v", 1, &err), err, ETCD3_ERR_UNAVAILABLE, nobody.endpoint);
    CHECK(COUNTED("connect_failures") > 0);
    CHECK_INT(COUNTED("ambiguous"), 1);
    CHECK_INT(COUNTED("calls"), 6);
    CHECK_INT(COUNTED("hedges"), 0);
    CHECK_INT(COUNTED("token_refreshes"), 0);
    CHECK_INT(COUNTED("watches"), 0);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    CHECK_INT(COUNTED("calls"), 6);
    etcd3_client_free(client);
    forwarder_end(&f);
    mute_stop(&nobody);
    mute_stop(&drops);
}

int main(void)
{
    RUN(connections_come_and_go);
    RUN(only_the_end);
    RUN(log_lines);
    RUN(no_line_after_the_client);
    RUN(names_of_counters);
    RUN(counters_count);
    return CHECK_DONE();
}
