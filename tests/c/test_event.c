/* Events as etcd3_queue_next hands them out: what they hold, and for how long. */
#include "watching.h"

#define PREFIX "test_event/"

static etcd3_client_t *client;

static etcd3_event_t *next(etcd3_queue_t *queue)
{
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK(event != NULL);
    return event;
}

static etcd3_watch_t *watch(const char *key, etcd3_queue_t *queue, void *user_data)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(key, ETCD3_NTS);
    etcd3_watch_t *watch = NULL;
    etcd3_error_t *err = NULL;
    etcd3_watch_opts_set_prev_kv(opts);
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, user_data, &watch, &err), err);
    etcd3_watch_opts_free(opts);
    return watch;
}

static void every_kind_in_turn(void)
{
    etcd3_queue_t *queue = new_queue();
    etcd3_event_t *event;
    etcd3_error_t *err = NULL;
    int mark = 0;
    int64_t before = revision_now(client);
    etcd3_watch_t *w = watch(PREFIX "n", queue, &mark);
    event = next(queue);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_STATE);
    CHECK_INT(etcd3_event_state(event), ETCD3_STATE_LIVE);
    CHECK(etcd3_event_user_data(event) == &mark);
    CHECK(etcd3_event_error(event) == NULL);
    CHECK_INT(etcd3_event_change_count(event), 0);
    CHECK(etcd3_event_change(event, 0) == NULL);
    etcd3_event_free(event);

    put(client, PREFIX "n", "v");
    CHECK_OK(etcd3_queue_next(queue, -1, &event, &err), err);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_WATCH);
    CHECK(etcd3_event_user_data(event) == &mark);
    CHECK_INT(etcd3_event_revision(event), before + 1);
    CHECK_INT(etcd3_event_change_count(event), 1);
    CHECK_INT(etcd3_event_state(event), 0);
    CHECK(etcd3_event_error(event) == NULL);
    CHECK_INT(etcd3_event_compact_revision(event), 0);
    etcd3_event_free(event);

    etcd3_watch_cancel(w);
    event = next(queue);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_CLOSED);
    CHECK(etcd3_event_user_data(event) == &mark);
    CHECK(etcd3_event_error(event) == NULL);
    CHECK_INT(etcd3_event_change_count(event), 0);
    etcd3_event_free(event);
    CHECK_OK(etcd3_queue_next(queue, 20, &event, &err), err);
    CHECK(event == NULL);
    etcd3_watch_free(w);
    etcd3_queue_free(queue);
}

static const etcd3_change_t *change(const etcd3_event_t *event, size_t i)
{
    static const etcd3_change_t none = {-1, -1, NULL, NULL, -1};
    const etcd3_change_t *found = etcd3_event_change(event, i);
    CHECK(found != NULL);
    return found ? found : &none;
}

/* An event is its owner's until freed, whatever became of queue, watch and client. */
static void outlives_everything(void)
{
    etcd3_client_t *kept = client;
    etcd3_queue_t *queue = new_queue();
    etcd3_event_t *created, *deleted, *closed;
    etcd3_error_t *err = NULL;
    etcd3_watch_t *w;
    client = open_client();
    w = watch(PREFIX "o", queue, NULL);
    etcd3_event_free(next(queue));
    put(client, PREFIX "o", "v");
    CHECK_OK(etcd3_delete(client, PREFIX "o", ETCD3_NTS, NULL, &err), err);
    created = next(queue);
    deleted = next(queue);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    closed = next(queue);
    etcd3_watch_free(w);
    etcd3_queue_free(queue);
    client = kept;

    CHECK_INT(etcd3_event_change_count(created), 1);
    CHECK_INT(change(created, 0)->type, ETCD3_CHANGE_PUT);
    CHECK_INT(change(created, 0)->is_create, 1);
    CHECK_KV(change(created, 0)->kv, PREFIX "o", "v");
    CHECK(change(created, 0)->prev_kv == NULL);
    CHECK(change(created, 0) == etcd3_event_change(created, 0));
    CHECK(etcd3_event_change(created, 1) == NULL);
    CHECK(etcd3_event_change(created, SIZE_MAX) == NULL);
    CHECK_INT(change(deleted, 0)->type, ETCD3_CHANGE_DELETE);
    CHECK_INT(change(deleted, 0)->is_create, 0);
    CHECK_KV(change(deleted, 0)->kv, PREFIX "o", "");
    CHECK_KV(change(deleted, 0)->prev_kv, PREFIX "o", "v");
    CHECK_INT(etcd3_event_type(closed), ETCD3_EVENT_CLOSED);
    CHECK_INT(etcd3_error_code(etcd3_event_error(closed)), ETCD3_ERR_CLOSED);
    etcd3_event_free(created);
    etcd3_event_free(deleted);
    etcd3_event_free(closed);
}

static void an_event_on_the_way_may_be_left_to_the_queue(void)
{
    etcd3_queue_t *queue = new_queue();
    etcd3_watch_t *w = watch(PREFIX "l", queue, NULL);
    etcd3_event_free(next(queue));
    put(client, PREFIX "l", "v");
    etcd3_watch_free(w);
    etcd3_queue_free(queue);
}

static void readers_take_null(void)
{
    CHECK_INT(etcd3_event_type(NULL), 0);
    CHECK(etcd3_event_user_data(NULL) == NULL);
    CHECK_INT(etcd3_event_revision(NULL), 0);
    CHECK_INT(etcd3_event_change_count(NULL), 0);
    CHECK(etcd3_event_change(NULL, 0) == NULL);
    CHECK_INT(etcd3_event_state(NULL), 0);
    CHECK(etcd3_event_error(NULL) == NULL);
    CHECK_INT(etcd3_event_compact_revision(NULL), 0);
    etcd3_event_free(NULL);
}

int main(void)
{
    client = open_client();
    RUN(every_kind_in_turn);
    RUN(outlives_everything);
    RUN(an_event_on_the_way_may_be_left_to_the_queue);
    RUN(readers_take_null);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
