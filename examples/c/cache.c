/* A copy of a part of the store that stays right, whatever happens: a re-list watch, and nothing else to write. Here the
   connection is cut, and history compacted meanwhile. `cache follow PREFIX ENDPOINT...` keeps such a copy of a cluster's. */
#include <etcd3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static etcd3_error_t *err;

static void must(etcd3_code_t code)
{
    if (code != ETCD3_OK) {
        fprintf(stderr, "%s: %s\n", etcd3_code_name(code), etcd3_error_message(err));
        exit(1);
    }
}

/* ---- The cache: a list of keys and values, and how far it is. ------------------------------------------------------- */

enum { MOST = 100 };

static struct cache {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct entry {
        char key[40], value[40];
    } entries[MOST];
    int count, relisted, disconnected, closed;
    int64_t revision;
} cache = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {{"", ""}}, 0, 0, 0, 0, 0};

static void apply(const etcd3_change_t *change)
{
    char key[40];
    int i = 0;
    snprintf(key, sizeof key, "%.*s", (int)change->kv->key_len, (const char *)change->kv->key);
    while (i < cache.count && strcmp(cache.entries[i].key, key) != 0)
        i++;
    if (change->type == ETCD3_CHANGE_DELETE) {
        if (i < cache.count)
            cache.entries[i] = cache.entries[--cache.count];
    } else if (i < MOST) {
        snprintf(cache.entries[i].key, sizeof key, "%s", key);
        snprintf(cache.entries[i].value, sizeof cache.entries[i].value, "%.*s", (int)change->kv->value_len,
                 (const char *)change->kv->value);
        cache.count += i == cache.count;
    }
}

static void on_event(const etcd3_event_t *event, void *user_data)
{
    size_t i;
    (void)user_data;
    pthread_mutex_lock(&cache.lock);
    for (i = 0; i < etcd3_event_change_count(event); i++)
        apply(etcd3_event_change(event, i));
    /* 0 in the middle of a reading of the range: until its end the copy is not that of one revision. */
    if (etcd3_event_resume_revision(event) > 0)
        cache.revision = etcd3_event_resume_revision(event) - 1;
    cache.relisted += etcd3_event_state(event) == ETCD3_STATE_RELISTED;
    cache.disconnected += etcd3_event_state(event) == ETCD3_STATE_DISCONNECTED;
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
        cache.closed = 1;
        if (etcd3_event_error(event))
            fprintf(stderr, "the watch has ended: %s\n", etcd3_error_message(etcd3_event_error(event)));
    }
    pthread_cond_signal(&cache.changed);
    pthread_mutex_unlock(&cache.lock);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

/* Waits until the cache is as far as `revision`, and shows it. */
static void show(const char *when, int64_t revision)
{
    int i;
    pthread_mutex_lock(&cache.lock);
    while (cache.revision < revision && !cache.closed)
        pthread_cond_wait(&cache.changed, &cache.lock);
    qsort(cache.entries, (size_t)cache.count, sizeof *cache.entries, by_key);
    printf("%s:", when);
    for (i = 0; i < cache.count; i++)
        printf(" %s=%s", cache.entries[i].key, cache.entries[i].value);
    printf("\n");
    pthread_mutex_unlock(&cache.lock);
}

static void await(const int *counter, int number)
{
    pthread_mutex_lock(&cache.lock);
    while (*counter < number && !cache.closed)
        pthread_cond_wait(&cache.changed, &cache.lock);
    pthread_mutex_unlock(&cache.lock);
}

/* ---- The store, as others change it. -------------------------------------------------------------------------------- */

static etcd3_client_t *others;

static void put(const char *key, const char *value) { must(etcd3_put(others, key, ETCD3_NTS, value, ETCD3_NTS, &err)); }

static int64_t revision_of_the_store(void)
{
    etcd3_result_t *result;
    int64_t revision;
    must(etcd3_get(others, "any", ETCD3_NTS, &result, &err));
    revision = etcd3_result_revision(result);
    etcd3_result_free(result);
    return revision;
}

/* ---- A cache to be asked: for each revision on stdin it shows what it holds then, or later. ------------------------- */

static void watch_range(etcd3_client_t *client, const char *prefix, etcd3_watch_t **watch)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(prefix, ETCD3_NTS);
    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_relist(opts);
    must(etcd3_watch_start(client, opts, NULL, on_event, NULL, watch, &err));
    etcd3_watch_opts_free(opts);
}

static int follow(const char *prefix, char **endpoints, int count)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client;
    etcd3_watch_t *watch;
    char line[40];
    int i;
    for (i = 0; i < count; i++)
        etcd3_config_add_endpoint(config, endpoints[i]);
    /* A member that hangs is left within seconds. */
    etcd3_config_set_keepalive(config, 5000, 2000);
    must(etcd3_client_open(config, &client, &err));
    etcd3_config_free(config);
    watch_range(client, prefix, &watch);
    while (fgets(line, sizeof line, stdin)) {
        show("cache", strtoll(line, NULL, 10));
        fflush(stdout);
    }
    etcd3_watch_free(watch);
    etcd3_client_free(client);
    return 0;
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    static const char *const nowhere[] = {"127.0.0.1:1"};
    const char *back[1];
    etcd3_config_t *config;
    etcd3_client_t *client;
    etcd3_watch_t *watch;
    int64_t revision;

    if (argc > 3 && strcmp(argv[1], "follow") == 0)
        return follow(argv[2], argv + 3, argc - 3);
    config = etcd3_config_new();
    back[0] = endpoint ? endpoint : "127.0.0.1:2379";
    etcd3_config_add_endpoint(config, back[0]);
    must(etcd3_client_open(config, &others, &err));
    must(etcd3_client_open(config, &client, &err));
    etcd3_config_free(config);
    put("room/hall", "warm");
    put("room/kitchen", "hot");
    put("room/attic", "cold");
    revision = revision_of_the_store();

    watch_range(client, "room/", &watch);
    show("begun", revision);

    put("room/kitchen", "warm");
    show("changed", revision_of_the_store());

    /* Cut off, the cache cannot see what happens; and by the time it is back, history is gone. */
    must(etcd3_client_set_endpoints(client, nowhere, 1, &err));
    await(&cache.disconnected, 1);
    put("room/hall", "cold");
    put("room/cellar", "damp");
    must(etcd3_delete(others, "room/attic", ETCD3_NTS, NULL, &err));
    put("window", "open");
    revision = revision_of_the_store();
    must(etcd3_compact(others, revision, 1, 0, &err));
    show("cut off", 0);
    must(etcd3_client_set_endpoints(client, back, 1, &err));
    await(&cache.relisted, 2);
    show("back again", revision);

    put("room/cellar", "dry");
    show("and on", revision_of_the_store());

    etcd3_watch_free(watch);
    await(&cache.closed, 1);
    etcd3_client_free(client);
    etcd3_client_free(others);
    return 0;
}
