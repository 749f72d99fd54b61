/* A mirror of a part of the store: all that is there, and then every change; here it is printed instead of kept. Where
   history was compacted while it could not look, it says that the copy is void and brings all of it again. */
#include <etcd3.h>
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

static void show_changes(const etcd3_event_t *event)
{
    size_t i;
    for (i = 0; i < etcd3_event_change_count(event); i++) {
        const etcd3_change_t *change = etcd3_event_change(event, i);
        printf("  %.*s", (int)change->kv->key_len, (const char *)change->kv->key);
        if (change->type == ETCD3_CHANGE_DELETE)
            printf(" is gone\n");
        else
            printf(" is %.*s\n", (int)change->kv->value_len, (const char *)change->kv->value);
    }
}

/* Takes events until there was one with this state, or, with 0, a change. */
static void show(etcd3_queue_t *queue, int until)
{
    int state;
    size_t changes;
    do {
        etcd3_event_t *event;
        must(etcd3_queue_next(queue, -1, &event, &err));
        if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
            fprintf(stderr, "the mirror has ended: %s\n", etcd3_error_message(etcd3_event_error(event)));
            exit(1);
        }
        state = etcd3_event_state(event);
        changes = etcd3_event_change_count(event);
        if (state == ETCD3_STATE_COPYING)
            printf(etcd3_event_error(event) ? "the copy is void, once more:\n" : "a copy:\n");
        if (state == ETCD3_STATE_COPIED)
            printf("that is all\n");
        show_changes(event);
        etcd3_event_free(event);
    } while (until ? state != until : changes == 0);
}

static void put(etcd3_client_t *client, const char *key, const char *value)
{
    must(etcd3_put(client, key, ETCD3_NTS, value, ETCD3_NTS, &err));
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    static const char *const nowhere[] = {"127.0.0.1:1"};
    const char *back[1];
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client, *others;
    etcd3_queue_t *queue;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("room/", ETCD3_NTS);
    etcd3_watch_t *mirror;
    etcd3_result_t *result;

    back[0] = endpoint ? endpoint : "127.0.0.1:2379";
    etcd3_config_add_endpoint(config, back[0]);
    must(etcd3_client_open(config, &client, &err));
    must(etcd3_client_open(config, &others, &err));
    etcd3_config_free(config);
    put(others, "room/hall", "warm");
    put(others, "room/kitchen", "hot");

    must(etcd3_queue_new(&queue, &err));
    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_mirror(opts);
    must(etcd3_watch_start(client, opts, queue, NULL, NULL, &mirror, &err));
    etcd3_watch_opts_free(opts);
    show(queue, ETCD3_STATE_LIVE);

    put(others, "room/kitchen", "warm");
    show(queue, 0);
    must(etcd3_delete(others, "room/hall", ETCD3_NTS, NULL, &err));
    show(queue, 0);

    /* Cut off, the mirror cannot see what happens; and by the time it is back, history is gone. */
    must(etcd3_client_set_endpoints(client, nowhere, 1, &err));
    show(queue, ETCD3_STATE_DISCONNECTED);
    must(etcd3_delete(others, "room/kitchen", ETCD3_NTS, NULL, &err));
    put(others, "room/cellar", "damp");
    must(etcd3_get(others, "room/cellar", ETCD3_NTS, &result, &err));
    must(etcd3_compact(others, etcd3_result_revision(result), 1, 0, &err));
    etcd3_result_free(result);
    must(etcd3_client_set_endpoints(client, back, 1, &err));
    show(queue, ETCD3_STATE_COPIED);

    put(others, "room/cellar", "dry");
    show(queue, 0);

    etcd3_watch_free(mirror);
    etcd3_queue_free(queue);
    etcd3_client_free(client);
    etcd3_client_free(others);
    return 0;
}
