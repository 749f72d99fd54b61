/* 10,000 watches on one client: how long they take to be there and to be back, what they weigh, what the server has. */
#include "forwarder.h"
#include "metrics.h"

#define PREFIX "test_watch_many/"
#define WATCHERS "etcd_debugging_mvcc_watcher_total"
#define STREAMS "etcd_debugging_mvcc_watch_stream_total"

enum { MANY = 10000, SAMPLE = 100 };

static int many;
static int live, resumed, closed, changes, wrong;
static etcd3_queue_t *queue;

static void on_event(const etcd3_event_t *event, void *user_data)
{
    size_t i;
    char key[60];
    switch (etcd3_event_type(event)) {
    case ETCD3_EVENT_STATE:
        live += etcd3_event_state(event) == ETCD3_STATE_LIVE;
        resumed += etcd3_event_state(event) == ETCD3_STATE_RESUMED;
        break;
    case ETCD3_EVENT_WATCH:
        snprintf(key, sizeof key, PREFIX "%d", *(int *)user_data);
        for (i = 0; i < etcd3_event_change_count(event); i++) {
            const etcd3_kv_t *kv = etcd3_event_change(event, i)->kv;
            wrong += !bytes_are(kv->key, kv->key_len, key, strlen(key));
            changes++;
        }
        break;
    case ETCD3_EVENT_CLOSED:
        closed++;
        wrong += etcd3_event_error(event) != NULL;
        break;
    }
}

static int dispatch_until(const int *counter, int number)
{
    etcd3_error_t *err = NULL;
    int64_t limit = now_ms() + PATIENCE_MS;
    while (*counter < number && now_ms() < limit)
        CHECK_OK(etcd3_queue_dispatch(queue, 0, 1000, NULL, &err), err);
    return *counter;
}

/* Bytes of memory in use, as the system sees it. */
static long long resident(void)
{
    long long size = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%lld %lld", &size, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static etcd3_watch_t *watch_of(etcd3_client_t *client, int64_t revision, int *number)
{
    char key[60];
    etcd3_watch_opts_t *opts;
    etcd3_watch_t *watch = NULL;
    etcd3_error_t *err = NULL;
    snprintf(key, sizeof key, PREFIX "%d", *number);
    opts = etcd3_watch_opts_new(key, ETCD3_NTS);
    etcd3_watch_opts_set_start_revision(opts, revision);
    CHECK_OK(etcd3_watch_start(client, opts, queue, on_event, number, &watch, &err), err);
    etcd3_watch_opts_free(opts);
    return watch;
}

static void put_samples(etcd3_client_t *client)
{
    char key[60];
    int i;
    for (i = 0; i < SAMPLE; i++) {
        snprintf(key, sizeof key, PREFIX "%d", (int)((long long)i * many / SAMPLE));
        put(client, key, "v");
    }
}

int main(void)
{
    const char *endpoint = getenv("ETCD3_ENDPOINTS");
    int valgrind = getenv("ETCD3_TEST_VALGRIND") != NULL, i;
    int64_t began, there, revision;
    long long before, grown;
    struct forwarder line;
    etcd3_client_t *client = NULL, *direct = open_client();
    etcd3_watch_t **watches;
    int *numbers;
    etcd3_error_t *err = NULL;

    check_section = "many";
    many = (int)env_number("ETCD3_TEST_EVENTS", MANY);
    watches = (etcd3_watch_t **)malloc((size_t)many * sizeof *watches);
    numbers = (int *)malloc((size_t)many * sizeof *numbers);
    for (i = 0; i < many; i++) {
        numbers[i] = i;
        watches[i] = NULL;
    }
    forwarder_start(&line);
    client = open_through(&line);
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    revision = revision_now(client) + 1;

    /* The connection, the stream and the thread are there before the weighing. */
    watches[0] = watch_of(client, revision, &numbers[0]);
    CHECK_INT(dispatch_until(&live, 1), 1);
    before = resident();

    began = now_ms();
    for (i = 1; i < many; i++)
        watches[i] = watch_of(client, revision, &numbers[i]);
    CHECK_INT(dispatch_until(&live, many), many);
    there = now_ms() - began;
    grown = resident() - before;
    printf("%d watches: created in %lld ms, %lld bytes each\n", many, (long long)there, grown / many);
    CHECK(there <= 20000 + SLACK_MS);
    if (!valgrind)
        CHECK(grown / many <= 2048);
    CHECK_INT(metric_becomes(endpoint, WATCHERS, many), many);
    CHECK_INT(metric_becomes(endpoint, STREAMS, 1), 1);

    forwarder_stop(&line);
    began = now_ms();
    CHECK(forwarder_again(&line));
    CHECK_INT(dispatch_until(&resumed, many), many);
    there = now_ms() - began;
    printf("%d watches: resumed in %lld ms, %lld bytes each\n", many, (long long)there, (resident() - before) / many);
    CHECK(there <= 30000 + SLACK_MS);
    CHECK_INT(metric_becomes(endpoint, WATCHERS, many), many);
    CHECK_INT(metric_becomes(endpoint, STREAMS, 1), 1);
    CHECK_INT(etcd3_client_counter(client, "watch_resumes"), many);

    put_samples(direct);
    CHECK_INT(dispatch_until(&changes, SAMPLE), SAMPLE);

    for (i = 0; i < many; i++)
        etcd3_watch_free(watches[i]);
    CHECK_INT(dispatch_until(&closed, many), many);
    CHECK_INT(wrong, 0);
    CHECK_INT(metric_becomes(endpoint, WATCHERS, 0), 0);
    CHECK_INT(metric_becomes(endpoint, STREAMS, 0), 0);

    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    etcd3_client_free(direct);
    etcd3_queue_free(queue);
    forwarder_end(&line);
    free(watches);
    free(numbers);
    return CHECK_DONE();
}
