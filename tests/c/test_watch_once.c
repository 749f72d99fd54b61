/* Waiting for one change, and asking a watch how far it is. */
#include "mute_server.h"
#include "watching.h"

#define PREFIX "test_watch_once/"

static etcd3_client_t *client;

/* Puts a key again and again until told to stop: the first put after the wait has begun ends it. */
struct putting {
    const char *key;
    pthread_mutex_t lock;
    int stop;
    pthread_t thread;
};

static void *put_on(void *arg)
{
    struct putting *putting = (struct putting *)arg;
    int stop = 0;
    while (!stop) {
        put(client, putting->key, "v");
        pthread_mutex_lock(&putting->lock);
        stop = putting->stop;
        pthread_mutex_unlock(&putting->lock);
    }
    return NULL;
}

static void begin_putting(struct putting *putting, const char *key)
{
    putting->key = key;
    putting->stop = 0;
    pthread_mutex_init(&putting->lock, NULL);
    CHECK_INT(pthread_create(&putting->thread, NULL, put_on, putting), 0);
}

static void end_putting(struct putting *putting)
{
    pthread_mutex_lock(&putting->lock);
    putting->stop = 1;
    pthread_mutex_unlock(&putting->lock);
    pthread_join(putting->thread, NULL);
    pthread_mutex_destroy(&putting->lock);
}

static void check_event(etcd3_event_t *event, const char *key, int64_t after)
{
    const etcd3_change_t *change = etcd3_event_change(event, 0);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_WATCH);
    CHECK(etcd3_event_user_data(event) == NULL);
    if (CHECK(change != NULL)) {
        CHECK_KV(change->kv, key, "v");
        CHECK(change->kv->mod_revision > after);
        CHECK_INT(change->type, ETCD3_CHANGE_PUT);
    }
    etcd3_event_free(event);
}

static void the_next_change(void)
{
    struct putting putting;
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    int64_t before;
    begin_putting(&putting, PREFIX "a/key");
    before = revision_now(client);
    CHECK_OK(etcd3_watch_once(client, PREFIX "a/key", ETCD3_NTS, PATIENCE_MS, &event, &err), err);
    check_event(event, PREFIX "a/key", before);
    event = NULL;
    before = revision_now(client);
    CHECK_OK(etcd3_watch_prefix_once(client, PREFIX "a/", ETCD3_NTS, -1, &event, &err), err);
    check_event(event, PREFIX "a/key", before);
    event = NULL;
    before = revision_now(client);
    CHECK_OK(etcd3_watch_prefix_once(client, NULL, 0, PATIENCE_MS, &event, &err), err);
    check_event(event, PREFIX "a/key", before);
    end_putting(&putting);
}

static void in_time(int64_t took, int64_t limit)
{
    CHECK(took <= limit + 100 + SLACK_MS);
}

static void no_change(void)
{
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    int64_t began;
    put(client, PREFIX "never", "before");
    began = now_ms();
    CHECK_CODE(etcd3_watch_once(client, PREFIX "never", ETCD3_NTS, 300, &event, &err), err, ETCD3_ERR_TIMEOUT, "");
    CHECK(now_ms() - began >= 300);
    in_time(now_ms() - began, 300);
    CHECK(event == NULL);
}

static void no_server(void)
{
    static const enum mute kinds[] = {ACCEPTS, READS, DROPS};
    size_t i;
    for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct mute_server server;
        etcd3_config_t *config = etcd3_config_new();
        etcd3_client_t *own = NULL;
        etcd3_event_t *event = NULL;
        etcd3_error_t *err = NULL;
        int64_t began;
        etcd3_code_t code;
        mute_start(&server, kinds[i]);
        etcd3_config_add_endpoint(config, server.endpoint);
        CHECK_OK(etcd3_client_open(config, &own, &err), err);
        etcd3_config_free(config);
        began = now_ms();
        code = etcd3_watch_once(own, "k", 1, 300, &event, &err);
        in_time(now_ms() - began, 300);
        CHECK(code == ETCD3_ERR_TIMEOUT || code == ETCD3_ERR_UNAVAILABLE);
        CHECK_INT(etcd3_error_code(err), code);
        etcd3_error_free(err);
        etcd3_client_free(own);
        mute_stop(&server);
    }
}

struct waiting {
    etcd3_client_t *client;
    etcd3_code_t code;
    int64_t returned;
};

static void *wait_once(void *arg)
{
    struct waiting *waiting = (struct waiting *)arg;
    etcd3_event_t *event = NULL;
    waiting->code = etcd3_watch_once(waiting->client, PREFIX "closed", ETCD3_NTS, -1, &event, NULL);
    waiting->returned = now_ms();
    return NULL;
}

static void close_ends_the_wait(void)
{
    struct waiting waiting;
    pthread_t thread;
    int64_t began;
    waiting.client = open_client();
    CHECK_INT(pthread_create(&thread, NULL, wait_once, &waiting), 0);
    /* Counted when it has begun. */
    while (etcd3_client_counter(waiting.client, "watches") < 1)
        put(client, PREFIX "other", "v");
    began = now_ms();
    CHECK_INT(etcd3_client_close(waiting.client, PATIENCE_MS, NULL), ETCD3_OK);
    pthread_join(thread, NULL);
    CHECK(waiting.returned - began <= 100 + SLACK_MS);
    CHECK_INT(waiting.code, ETCD3_ERR_CLOSED);
    etcd3_client_free(waiting.client);
}

static void progress_on_request(void)
{
    struct watching w, quiet;
    etcd3_error_t *err = NULL;
    int64_t revision;
    prepare(&w, client, PREFIX);
    start(&w, etcd3_watch_opts_new(PREFIX "idle", ETCD3_NTS), NULL);
    prepare(&quiet, client, PREFIX);
    start(&quiet, etcd3_watch_opts_new(PREFIX "idle", ETCD3_NTS), NULL);
    AWAIT(&w, live, 1);
    AWAIT(&quiet, live, 1);
    put(client, PREFIX "other", "v");
    revision = revision_now(client);
    CHECK_OK(etcd3_watch_request_progress(w.watch, &err), err);
    AWAIT(&w, progress, 1);
    CHECK(w.progress_revision >= revision);
    stop(&w);
    stop(&quiet);
    CHECK_INT(quiet.progress, 0);
}

/* Without a read before it: the member tells where it starts. */
static void a_loose_start(void)
{
    struct watching w;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(PREFIX "loose", ETCD3_NTS);
    int64_t calls = etcd3_client_counter(client, "calls"), revision;
    etcd3_watch_opts_set_loose_start(opts);
    prepare(&w, client, PREFIX);
    start(&w, opts, NULL);
    CHECK_INT(etcd3_client_counter(client, "calls"), calls);
    AWAIT(&w, live, 1);
    put(client, PREFIX "loose", "v");
    revision = revision_now(client);
    AWAIT(&w, changes, 1);
    CHECK_INT(etcd3_watch_revision(w.watch), revision);
    stop(&w);
    CHECK_CHANGES(&w, "+loose=v");
}

int main(void)
{
    client = open_client();
    RUN(the_next_change);
    RUN(no_change);
    RUN(no_server);
    RUN(close_ends_the_wait);
    RUN(progress_on_request);
    RUN(a_loose_start);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
