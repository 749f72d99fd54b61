/* Mirrors, against servers that answer by script: what each refusal makes of the copy, and that nothing is sent for wrong
   arguments. */
#include "scripted.h"

/* The answers to a Range: at revision 30 the first of two pages, with k; at 40 all there is, kk; at 70 nothing. */
#define FIRST_OF_TWO "headers | message hex 0a02181e 120c 0a016b 1003 1803 2001 2a0176 1801 2002 | trailers 0"
#define ANOTHER "headers | message hex 0a021828 120d 0a026b6b 1005 1805 2001 2a0177 2001 | trailers 0"
#define NOTHING "headers | message hex 0a021846 | trailers 0"
#define COMPACTED "status 11 etcdserver: mvcc: required revision has been compacted"

static char text[2000];

static void note(const char *format, ...)
{
    size_t at = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + at, sizeof text - at, format, arguments);
    va_end(arguments);
}

/* Takes events and writes them down until one that ends it: a put at this revision, or the last. */
static void take(etcd3_queue_t *queue, int64_t until)
{
    etcd3_error_t *err = NULL;
    int done = 0;
    while (!done) {
        etcd3_event_t *event = NULL;
        const etcd3_change_t *change;
        CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
        if (!CHECK(event != NULL))
            return;
        change = etcd3_event_change(event, 0);
        switch (etcd3_event_type(event)) {
        case ETCD3_EVENT_WATCH:
            note(" %s%.*s@%d", change->is_synthetic ? "*" : "", (int)change->kv->key_len, (const char *)change->kv->key,
                 (int)change->kv->mod_revision);
            done = change->kv->mod_revision == until;
            break;
        case ETCD3_EVENT_STATE:
            note(" state%d@%d", (int)etcd3_event_state(event), (int)etcd3_event_revision(event));
            break;
        case ETCD3_EVENT_CLOSED:
            note(" closed");
            done = 1;
            break;
        default: note(" ?");
        }
        if (etcd3_event_error(event))
            note("(%s %d)", etcd3_code_name(etcd3_error_code(etcd3_event_error(event))),
                 (int)etcd3_event_compact_revision(event));
        etcd3_event_free(event);
    }
}

static etcd3_watch_opts_t *mirror_of(const char *prefix)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(prefix, ETCD3_NTS);
    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_mirror(opts);
    return opts;
}

/* What a mirror tells whose server follows these rules. */
static void tells(const char *const *rules, int64_t until, const char *wanted)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_watch_opts_t *opts = mirror_of("k");
    etcd3_watch_t *mirror = NULL;
    etcd3_queue_t *queue = NULL;
    etcd3_error_t *err = NULL;
    for (; *rules; rules++)
        script(&server, *rules);
    text[0] = '\0';
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, NULL, &mirror, &err), err);
    etcd3_watch_opts_free(opts);
    take(queue, until);
    CHECK_STR(text, wanted);
    etcd3_watch_free(mirror);
    close_client(client);
    etcd3_queue_free(queue);
}

static void begins_from_scratch_after_compactions(void)
{
    static const char *const rules[] = {
        "Range 1 " FIRST_OF_TWO, "Range 1 " COMPACTED, "Range 1 " ANOTHER, "Range 1 " NOTHING,
        "Watch 1 headers | recv | message watch id=1 created revision=40 | message watch id=1 put=k,v,41 revision=41 | "
        "message watch id=1 canceled compact=60 | recv | message watch id=2 created revision=70 | "
        "message watch id=2 put=k,x,71 revision=71 | never",
        NULL};
    tells(rules, 71,
          " state7@30 *k@3 state7@40(ETCD3_ERR_COMPACTED 0) *kk@5 state8@40 state1@40 k@41"
          " state7@70(ETCD3_ERR_COMPACTED 60) state8@70 state3@70 k@71");
}

/* No leader, and a broken stream: no reason to begin again. */
static void goes_on_after_all_else(void)
{
    static const char *const rules[] = {
        "Range 1 " FIRST_OF_TWO, "Range 1 status 14 etcdserver: no leader", "Range 1 " ANOTHER,
        "Watch 1 headers | recv | message watch id=1 created revision=30 | message watch id=1 put=k,v,31 revision=31 | "
        "trailers 14 etcdserver: no leader",
        "Watch 1 headers | recv | message watch id=1 created revision=31 | message watch id=1 put=k,v,32 revision=32 | "
        "never",
        NULL};
    tells(rules, 32,
          " state7@30 *k@3 *kk@5 state8@30 state1@30 k@31 state2@31(ETCD3_ERR_NO_LEADER 0) state3@31 k@32");
}

static void ends_where_nothing_helps(void)
{
    static const char *const at_once[] = {"Range * status 7 etcdserver: permission denied", NULL};
    static const char *const later[] = {"Range 1 " FIRST_OF_TWO, "Range * status 7 etcdserver: permission denied", NULL};
    tells(at_once, 0, " closed(ETCD3_ERR_PERMISSION_DENIED 0)");
    tells(later, 0, " state7@30 *k@3 closed(ETCD3_ERR_PERMISSION_DENIED 0)");
}

static void refused(etcd3_client_t *client, etcd3_queue_t *queue, etcd3_watch_opts_t *opts, const char *name)
{
    etcd3_watch_t *mirror = NULL;
    etcd3_error_t *err = NULL;
    CHECK_CODE(etcd3_watch_start(client, opts, queue, NULL, NULL, &mirror, &err), err, ETCD3_ERR_INVALID_ARGUMENT, name);
    CHECK(mirror == NULL);
    etcd3_watch_opts_free(opts);
}

static void wrong_arguments(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_watch_opts_t *opts;
    etcd3_watch_t *mirror = NULL;
    etcd3_queue_t *queue = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    etcd3_watch_opts_set_mirror(NULL);
    opts = mirror_of("k");
    etcd3_watch_opts_set_relist(opts);
    refused(client, queue, opts, "mirror: ");
    opts = mirror_of("k");
    etcd3_watch_opts_set_filter(opts, ETCD3_FILTER_NODELETE);
    refused(client, queue, opts, "filter: ");
    opts = etcd3_watch_opts_new("k", 1);
    etcd3_watch_opts_set_filter(opts, ETCD3_FILTER_NOPUT);
    etcd3_watch_opts_set_mirror(opts);
    refused(client, queue, opts, "filter: ");
    opts = mirror_of("k");
    etcd3_watch_opts_set_start_revision(opts, -1);
    refused(client, queue, opts, "revision: ");
    opts = mirror_of("k");
    etcd3_watch_opts_set_buffer(opts, 0, ETCD3_OVERFLOW_PARK);
    refused(client, queue, opts, "max_bytes: ");
    opts = mirror_of("k");
    etcd3_watch_opts_set_from_key(opts);
    refused(client, queue, opts, "range: ");
    opts = etcd3_watch_opts_new("", 0);
    etcd3_watch_opts_set_mirror(opts);
    refused(client, queue, opts, "key: ");
    opts = etcd3_watch_opts_new("k", 1);
    etcd3_watch_opts_set_mirror(opts);
    etcd3_watch_opts_set_range_end(opts, "j", 1);
    refused(client, queue, opts, "end: ");
    opts = mirror_of("k");
    CHECK_CODE(etcd3_watch_start(NULL, opts, queue, NULL, NULL, &mirror, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "client: ");
    CHECK_CODE(etcd3_watch_start(client, opts, NULL, NULL, NULL, &mirror, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "fn: ");
    CHECK_CODE(etcd3_watch_start(client, opts, queue, NULL, NULL, NULL, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "watch: ");
    /* What is asked after all these is the first to be asked. */
    CHECK_INT(asked(&server, "Range"), 0);
    CHECK_INT(asked(&server, "Watch"), 0);
    script(&server, "Range 1 " NOTHING);
    text[0] = '\0';
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, NULL, &mirror, &err), err);
    ask("await %d Watch 1", server.number);
    CHECK_INT(asked(&server, "Range"), 1);
    etcd3_watch_opts_free(opts);
    etcd3_watch_free(mirror);
    close_client(client);
    etcd3_queue_free(queue);
}

int main(void)
{
    RUN(begins_from_scratch_after_compactions);
    RUN(goes_on_after_all_else);
    RUN(ends_where_nothing_helps);
    RUN(wrong_arguments);
    return CHECK_DONE();
}
