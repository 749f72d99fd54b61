/* Other endpoints while the client lives: given by hand, or as the cluster lists them. */
#include "calls.h"
#include "forwarder.h"
#include "listed.h"
#include "mute_server.h"

#define K "test_set_endpoints/k", ETCD3_NTS
#define LIMIT_MS (env_number("ETCD3_TEST_VALGRIND", 0) ? 2000 : 500)

static const char *etcd(void) { return getenv("ETCD3_ENDPOINTS"); }

static void move_to(etcd3_client_t *client, const char *endpoint)
{
    etcd3_error_t *err = NULL;
    char copy[200];
    const char *list[1];
    snprintf(copy, sizeof copy, "%s", endpoint);
    list[0] = copy;
    CHECK_OK(etcd3_client_set_endpoints(client, list, 1, &err), err);
    memset(copy, 'x', sizeof copy - 1);
}

/* The client has this one endpoint, and says so. */
static void has_one(const etcd3_client_t *client, const char *endpoint)
{
    etcd3_endpoints_t *endpoints = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_endpoints(client, &endpoints, &err), err);
    CHECK_INT(etcd3_endpoints_count(endpoints), 1);
    CHECK_STR(etcd3_endpoints_at(endpoints, 0), endpoint);
    CHECK(etcd3_endpoints_at(endpoints, 1) == NULL);
    etcd3_endpoints_free(endpoints);
}

/* What is listed has the scheme that it was given with; errors and calls do without. */
static void what_is_listed_can_be_named(void)
{
    static const char *const schemes[] = {"", "http://"};
    char url[200];
    size_t i;
    for (i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        etcd3_client_t *client;
        etcd3_error_t *err = NULL;
        snprintf(url, sizeof url, "%s%s", schemes[i], etcd());
        client = client_of(url, PATIENCE_MS);
        put(client, "test_set_endpoints/k", "v");
        has_one(client, url);
        CHECK_LISTED(client, etcd(), 1);
        CHECK_OK(etcd3_client_sync(client, &err), err);
        put(client, "test_set_endpoints/k", "v");
        snprintf(url, sizeof url, "http://%s", etcd());
        has_one(client, url);
        CHECK_LISTED(client, etcd(), 1);
        close_client(client);
    }
}

/* What is wrong with a list is said, and the former endpoints stay. */
static void a_bad_list_changes_nothing(void)
{
    static const char *const bad[] = {"", "ftp://localhost:1", "localhost:0", ":1", "[::1", "unix:", "a b:1"};
    etcd3_client_t *client = client_of(etcd(), PATIENCE_MS);
    etcd3_error_t *err = NULL;
    const char *list[2];
    size_t i;
    list[0] = "127.0.0.1:1";
    list[1] = NULL;
    CHECK_CODE(etcd3_client_set_endpoints(client, NULL, 1, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "endpoints");
    CHECK_CODE(etcd3_client_set_endpoints(client, NULL, 0, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "endpoints");
    CHECK_CODE(etcd3_client_set_endpoints(client, list, 0, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "endpoints");
    CHECK_CODE(etcd3_client_set_endpoints(client, list, 2, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "endpoints");
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        list[1] = bad[i];
        CHECK_CODE(etcd3_client_set_endpoints(client, list, 2, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "endpoint");
        put(client, "test_set_endpoints/k", "v");
    }
    list[0] = "http://127.0.0.1:1";
    list[1] = "https://127.0.0.1:2";
    CHECK_CODE(etcd3_client_set_endpoints(client, list, 2, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "127.0.0.1:2");
    put(client, "test_set_endpoints/k", "v");
    CHECK_INT(etcd3_client_counter(client, "connects"), 1);
    CHECK_INT(etcd3_client_counter(client, "connect_failures"), 0);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    list[0] = list[1] = etcd();
    CHECK_CODE(etcd3_client_set_endpoints(client, list, 2, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_client_sync(client, &err), err, ETCD3_ERR_CLOSED, "closed");
    etcd3_client_free(client);
}

/* An endpoint that wants TLS is never spoken to without it, also if the client has had no use for TLS before. */
static void no_downgrade(void)
{
    etcd3_client_t *client = client_of(etcd(), 5000);
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    char url[200];
    const char *list[1];
    put(client, "test_set_endpoints/k", "v");
    snprintf(url, sizeof url, "https://%s", etcd());
    list[0] = url;
    /* Without certificates on this machine it is the list that is refused. */
    if (etcd3_client_set_endpoints(client, list, 1, &err) == ETCD3_OK)
        CHECK_CODE(etcd3_get(client, K, &r, &err), err, ETCD3_ERR_TLS, "TLS");
    else
        CHECK_CODE(etcd3_error_code(err), err, ETCD3_ERR_TLS, "root certificates");
    close_client(client);
}

/* From where nobody is, or nobody answers, to where etcd is: the next call gets through, at once. */
static void from_the_dead_to_the_living(enum mute kind)
{
    struct mute_server dead;
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_op_t *op = etcd3_op_get(K);
    int64_t at;
    int i;
    mute_start(&dead, kind);
    client = client_of(dead.endpoint, PATIENCE_MS);
    etcd3_op_set_timeout(op, LIMIT_MS);
    for (i = 0; i < 2; i++) {
        CHECK(etcd3_execute(client, op, &r, &err) != ETCD3_OK);
        CHECK(strstr(etcd3_error_message(err), dead.endpoint) != NULL);
        etcd3_error_free(err);
        err = NULL;
        move_to(client, etcd());
        at = now_ms();
        put(client, "test_set_endpoints/k", "moved");
        CHECK(now_ms() - at <= AT_ONCE_MS);
        move_to(client, dead.endpoint);
    }
    etcd3_op_free(op);
    close_client(client);
    mute_stop(&dead);
}

static void the_next_call_gets_through(void)
{
    from_the_dead_to_the_living(REFUSES);
    from_the_dead_to_the_living(ACCEPTS);
    from_the_dead_to_the_living(READS);
}

/* A call that the former endpoint has is not ended, nor made again elsewhere. */
static void what_is_under_way_goes_on(void)
{
    struct mute_server mute;
    struct calls calls;
    struct outcome one;
    etcd3_queue_t *queue = new_queue();
    etcd3_client_t *client, *direct = open_client();
    etcd3_error_t *err = NULL;
    etcd3_result_t *r;
    size_t ran = 0;
    memset(&one, 0, sizeof one);
    mute_start(&mute, READS);
    client = client_of(mute.endpoint, PATIENCE_MS * 10);
    calls_prepare(&calls, client, queue);
    BEGIN(&calls, &one, etcd3_op_put("test_set_endpoints/mute", ETCD3_NTS, "v", 1));
    mute_await_request(&mute);
    move_to(client, etcd());
    put(client, "test_set_endpoints/k", "v");
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, &ran, &err), err);
    CHECK_INT(ran, 0);
    etcd3_call_cancel(one.call);
    AWAIT_CALLS(&calls, 1);
    SETTLE(&one, ETCD3_ERR_AMBIGUOUS);
    CHECK_INT(mute_requests(&mute), 1);
    r = EXECUTE(direct, etcd3_op_get("test_set_endpoints/mute", ETCD3_NTS));
    CHECK_INT(etcd3_result_kv_count(r), 0);
    etcd3_result_free(r);
    calls_finish(&calls, 1);
    close_client(client);
    close_client(direct);
    etcd3_queue_free(queue);
    mute_stop(&mute);
}

/* A watch that checks itself: values are 1, 2, 3 and so on, none missing, none twice. */
struct counted {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int last, wrong, live, resumed, closed;
};

static void count(const etcd3_event_t *event, void *user_data)
{
    struct counted *c = (struct counted *)user_data;
    size_t i;
    pthread_mutex_lock(&c->lock);
    for (i = 0; i < etcd3_event_change_count(event); i++) {
        const etcd3_kv_t *kv = etcd3_event_change(event, i)->kv;
        char value[20];
        snprintf(value, sizeof value, "%.*s", (int)kv->value_len, (const char *)kv->value);
        c->wrong += atoi(value) != ++c->last;
    }
    c->live += etcd3_event_state(event) == ETCD3_STATE_LIVE;
    c->resumed += etcd3_event_state(event) == ETCD3_STATE_RESUMED;
    c->closed += etcd3_event_type(event) == ETCD3_EVENT_CLOSED;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void await_at_least(struct counted *c, const int *what, int number)
{
    pthread_mutex_lock(&c->lock);
    while (*what < number && !c->closed)
        pthread_cond_wait(&c->changed, &c->lock);
    CHECK(*what >= number);
    pthread_mutex_unlock(&c->lock);
}

struct writer {
    etcd3_client_t *client;
    pthread_mutex_t lock;
    int end, done;
};

static void *write_on(void *arg)
{
    struct writer *w = (struct writer *)arg;
    int end = 0;
    while (!end) {
        char value[20];
        snprintf(value, sizeof value, "%d", w->done + 1);
        put(w->client, "test_set_endpoints/watched", value);
        pthread_mutex_lock(&w->lock);
        w->done++;
        end = w->end;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* Somebody else writes all the time, and the endpoint changes under the watch, to and fro. */
static void watches_move(void)
{
    enum { MOVES = 6 };
    struct forwarder places[2];
    struct counted counted = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0, 0};
    struct writer writer = {NULL, PTHREAD_MUTEX_INITIALIZER, 0, 0};
    etcd3_client_t *client;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("test_set_endpoints/watched", ETCD3_NTS);
    etcd3_watch_t *watch = NULL;
    etcd3_error_t *err = NULL;
    pthread_t thread;
    int i;
    forwarder_start(&places[0]);
    forwarder_start(&places[1]);
    client = client_of(places[0].endpoint, PATIENCE_MS);
    writer.client = open_client();
    CHECK_OK(etcd3_watch_start(client, opts, NULL, count, &counted, &watch, &err), err);
    await_at_least(&counted, &counted.live, 1);
    CHECK_INT(pthread_create(&thread, NULL, write_on, &writer), 0);
    await_at_least(&counted, &counted.last, 5);
    for (i = 1; i <= MOVES; i++) {
        int before = forwarder_accepted(&places[i % 2]), reached;
        move_to(client, places[i % 2].endpoint);
        await_at_least(&counted, &counted.resumed, i);
        CHECK(forwarder_accepted(&places[i % 2]) > before);
        /* It is not the former place that still serves it. */
        forwarder_stop(&places[(i + 1) % 2]);
        pthread_mutex_lock(&counted.lock);
        reached = counted.last;
        pthread_mutex_unlock(&counted.lock);
        await_at_least(&counted, &counted.last, reached + 3);
        CHECK(forwarder_again(&places[(i + 1) % 2]));
    }
    pthread_mutex_lock(&writer.lock);
    writer.end = 1;
    pthread_mutex_unlock(&writer.lock);
    pthread_join(thread, NULL);
    await_at_least(&counted, &counted.last, writer.done);
    CHECK_INT(etcd3_client_counter(client, "watches"), 1);
    CHECK_INT(etcd3_client_counter(client, "watch_resumes"), MOVES);
    etcd3_watch_free(watch);
    etcd3_watch_opts_free(opts);
    close_client(client);
    close_client(writer.client);
    CHECK_INT(counted.last, writer.done);
    CHECK_INT(counted.wrong, 0);
    CHECK_INT(counted.live, 1);
    CHECK_INT(counted.resumed, MOVES);
    CHECK_INT(counted.closed, 1);
    forwarder_end(&places[0]);
    forwarder_end(&places[1]);
}

/* The cluster knows its own addresses: once it was asked, the way to it is not needed any more. */
static void synced(void)
{
    struct forwarder way;
    struct mute_server nobody;
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    char found[200];
    int64_t at;
    int before;
    forwarder_start(&way);
    client = client_of(way.endpoint, PATIENCE_MS);
    has_one(client, way.endpoint);
    CHECK_OK(etcd3_client_sync(client, &err), err);
    snprintf(found, sizeof found, "http://%s", etcd());
    has_one(client, found);
    before = forwarder_accepted(&way);
    CHECK(before > 0);
    forwarder_stop(&way);
    at = now_ms();
    put(client, "test_set_endpoints/k", "synced");
    CHECK(now_ms() - at <= AT_ONCE_MS);
    CHECK_OK(etcd3_client_sync(client, &err), err);
    close_client(client);
    CHECK_INT(forwarder_accepted(&way), before);
    forwarder_release(&way);
    mute_start(&nobody, REFUSES);
    client = client_of(nobody.endpoint, LIMIT_MS);
    CHECK_CODE(etcd3_client_sync(client, &err), err, ETCD3_ERR_UNAVAILABLE, nobody.endpoint);
    close_client(client);
    mute_stop(&nobody);
}

/* The same by itself. It begins once the way to the cluster is there, and has found its own when calls go there. */
static void synced_by_itself(void)
{
    struct forwarder way;
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    int64_t limit = now_ms() + PATIENCE_MS, at;
    int before;
    forwarder_start(&way);
    etcd3_config_add_endpoint(config, way.endpoint);
    etcd3_config_set_auto_sync(config, 50);
    etcd3_config_set_timeout(config, PATIENCE_MS);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    put(client, "test_set_endpoints/k", "first");
    CHECK_INT(forwarder_accepted(&way), 1);
    while (etcd3_client_counter(client, "connects") < 2 && now_ms() < limit)
        put(client, "test_set_endpoints/k", "more");
    CHECK_INT(etcd3_client_counter(client, "connects"), 2);
    before = forwarder_accepted(&way);
    forwarder_stop(&way);
    at = now_ms();
    put(client, "test_set_endpoints/k", "synced");
    CHECK(now_ms() - at <= AT_ONCE_MS);
    close_client(client);
    CHECK_INT(forwarder_accepted(&way), before);
    forwarder_release(&way);
}

int main(void)
{
    RUN(what_is_listed_can_be_named);
    RUN(a_bad_list_changes_nothing);
    RUN(no_downgrade);
    RUN(the_next_call_gets_through);
    RUN(what_is_under_way_goes_on);
    RUN(watches_move);
    RUN(synced);
    RUN(synced_by_itself);
    return CHECK_DONE();
}
