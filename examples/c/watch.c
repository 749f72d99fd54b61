/* A watch with a callback and nothing else: it runs on a thread of the library's. */
#include <etcd3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static etcd3_error_t *err;

static void must(etcd3_code_t code)
{
    if (code != ETCD3_OK) {
        fprintf(stderr, "%s: %s\n", etcd3_code_name(code), etcd3_error_message(err));
        exit(1);
    }
}

/* What callback and program share. */
struct lamps {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int changes, closed;
};

static void print(const etcd3_kv_t *kv)
{
    if (kv && kv->value_len)
        printf("%.*s", (int)kv->value_len, (const char *)kv->value);
    else
        printf("nothing");
}

static void on_event(const etcd3_event_t *event, void *user_data)
{
    struct lamps *lamps = (struct lamps *)user_data;
    size_t i;
    pthread_mutex_lock(&lamps->lock);
    switch (etcd3_event_type(event)) {
    case ETCD3_EVENT_WATCH: /* all changes of one revision together, and maybe of several */
        for (i = 0; i < etcd3_event_change_count(event); i++) {
            const etcd3_change_t *change = etcd3_event_change(event, i);
            printf("%.*s: ", (int)change->kv->key_len, (const char *)change->kv->key);
            print(change->prev_kv);
            printf(" -> ");
            print(change->type == ETCD3_CHANGE_DELETE ? NULL : change->kv);
            printf("\n");
            lamps->changes++;
        }
        break;
    case ETCD3_EVENT_CLOSED: /* always the last one: nothing uses `lamps` after it */
        if (etcd3_event_error(event))
            printf("the watch failed: %s\n", etcd3_error_message(etcd3_event_error(event)));
        else
            printf("the watch has ended\n");
        lamps->closed = 1;
        break;
    default: /* connection lost or back: the watch goes on by itself, without a gap */
        break;
    }
    pthread_cond_signal(&lamps->changed);
    pthread_mutex_unlock(&lamps->lock);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    struct lamps lamps = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
    etcd3_config_t *config = etcd3_config_new();
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("lamp/", ETCD3_NTS);
    etcd3_client_t *client;
    etcd3_watch_t *watch;

    if (endpoint)
        etcd3_config_add_endpoint(config, endpoint);
    must(etcd3_client_open(config, &client, &err));
    etcd3_config_free(config);

    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_prev_kv(opts);
    must(etcd3_watch_start(client, opts, NULL, on_event, &lamps, &watch, &err));
    etcd3_watch_opts_free(opts);

    /* Whatever is changed from here on is seen. */
    must(etcd3_put(client, "lamp/kitchen", ETCD3_NTS, "on", ETCD3_NTS, &err));
    must(etcd3_put(client, "lamp/hall", ETCD3_NTS, "on", ETCD3_NTS, &err));
    must(etcd3_put(client, "lamp/kitchen", ETCD3_NTS, "dimmed", ETCD3_NTS, &err));
    must(etcd3_delete_prefix(client, "lamp/", ETCD3_NTS, NULL, &err));

    pthread_mutex_lock(&lamps.lock);
    while (lamps.changes < 5 && !lamps.closed)
        pthread_cond_wait(&lamps.changed, &lamps.lock);
    pthread_mutex_unlock(&lamps.lock);

    etcd3_watch_cancel(watch);
    pthread_mutex_lock(&lamps.lock);
    while (!lamps.closed)
        pthread_cond_wait(&lamps.changed, &lamps.lock);
    pthread_mutex_unlock(&lamps.lock);
    /* The callback has told us of its last event, but may not have returned yet. */
    must(etcd3_watch_join(watch, 1000, &err));
    etcd3_watch_free(watch);
    etcd3_client_free(client);
    return 0;
}
