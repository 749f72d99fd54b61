/* What a watch makes of servers that break, repeat, mix up and refuse: nothing is lost, nothing comes twice. */
#include "scripted.h"
#include "watching.h"

static struct scripted one;

static etcd3_watch_opts_t *from(const char *key, int64_t revision)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(key, ETCD3_NTS);
    etcd3_watch_opts_set_start_revision(opts, revision);
    return opts;
}

static etcd3_client_t *client_of_one(void) { return open_config(config_of(&one, NULL, 5000)); }

/* A watch of "k" from revision 5 on, on a client of its own, of a server that does as the rules say. */
static void begin(struct watching *w, const char *const *rules, etcd3_watch_opts_t *opts)
{
    forget(&one);
    ask("identity %d 77 1 100", one.number);
    for (; *rules; rules++)
        script(&one, *rules);
    prepare(w, client_of_one(), NULL);
    w->troubled = 1;
    start(w, opts ? opts : from("k", 5), NULL);
}

static void end(struct watching *w)
{
    etcd3_client_t *client = w->client;
    etcd3_watch_cancel(w->watch);
    finished(w);
    close_client(client);
}

/* The create request that came in the I-th Watch call as its J-th message holds this field, in hex. */
static int body_has(int call, const char *hex)
{
    ask("await %d Watch %d", one.number, call + 1);
    return strstr(ask("body %d Watch %d", one.number, call), hex) != NULL;
}

/* start_revision is field 3 of a create request: the byte 18 and a number below 128. */
static int started_from(int call, int revision)
{
    char hex[20];
    snprintf(hex, sizeof hex, "18%02x", revision);
    return body_has(call, hex);
}

static void goes_on_after_the_last_event(void)
{
    /* The header of the first response is far ahead of its event. */
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created revision=4 | message watch id=1 revision=90 put=k,a,6 | close",
        "Watch 1 headers | recv | message watch id=1 created revision=90 | message watch id=1 revision=90 put=k,a,6 "
        "put=k,b,7 | message watch id=1 revision=90 put=k,c,8 | never",
        NULL};
    struct watching w;
    begin(&w, rules, NULL);
    AWAIT(&w, changes, 3);
    CHECK(started_from(0, 5));
    CHECK(started_from(1, 7));
    CHECK_INT(w.disconnected, 1);
    CHECK_INT(w.resumed, 1);
    CHECK_INT(w.live, 1);
    CHECK_INT(etcd3_client_counter(w.client, "watch_resumes"), 1);
    CHECK_INT(etcd3_watch_revision(w.watch), 8);
    end(&w);
    CHECK_CHANGES(&w, "+k=a +k=b +k=c");
    CHECK_INT(w.resume_revision, 9);
}

static void every_kind_of_loss_is_survived(void)
{
    static const char *const losses[] = {
        "close", "abort", "reset INTERNAL_ERROR", "reset CANCEL", "reset REFUSED_STREAM", "goaway here NO_ERROR | close",
        "goaway below NO_ERROR | close", "trailers 0", "trailers 14 etcdserver: no leader",
        "trailers 14 etcdserver: server stopped", "trailers 13 internal", "trailers 2 whatever",
        "trailers 1 context canceled", "trailers 8 grpc: received message larger than max (3 vs. 2)",
        "trailers 14 etcdserver: rpc not supported for learner", "raw 0000000020ff | close", "raw 00000000020aff | never"};
    size_t i;
    for (i = 0; i < sizeof losses / sizeof *losses; i++) {
        char first[300];
        const char *rules[] = {first, "Watch 1 headers | recv | message watch id=1 created | message watch id=1 "
                                      "put=k,a,5 put=k,b,6 | never", NULL};
        struct watching w;
        snprintf(first, sizeof first, "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,a,5 | %s",
                 losses[i]);
        begin(&w, rules, NULL);
        if (!AWAIT(&w, changes, 2))
            fprintf(stderr, "after %s\n", losses[i]);
        end(&w);
        CHECK_CHANGES(&w, "+k=a +k=b");
    }
}

static void an_open_stream_is_tried_again_and_again(void)
{
    static const char *const rules[] = {
        "Watch 6 close", "Watch 6 headers | recv | trailers 14 etcdserver: no leader",
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,a,5 | never", NULL};
    struct watching w;
    begin(&w, rules, NULL);
    AWAIT(&w, changes, 1);
    end(&w);
    CHECK_CHANGES(&w, "+k=a");
    CHECK_INT(w.disconnected, 0);
}

static void repeated_events_are_dropped(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,a,5 put=k,b,6 | "
        "message watch id=1 put=k,a,5 put=k,b,6 | message watch id=1 put=k,b,6 put=k,c,7 | message watch id=1 put=k,x,3 | "
        "message watch id=1 put=k,d,8 | never",
        NULL};
    struct watching w;
    begin(&w, rules, NULL);
    AWAIT(&w, changes, 4);
    end(&w);
    CHECK_CHANGES(&w, "+k=a +k=b +k=c +k=d");
    CHECK_INT(w.changes, 4);
}

static void parts_are_put_together(void)
{
    static const char *const rules[] = {
        /* The first response stays in parts. */
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 fragment put=a,1,5 put=b,1,5 | close",
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 fragment put=a,1,5 put=b,1,5 | "
        "message watch id=1 fragment put=c,1,5 | message watch id=1 put=d,1,5 put=a,2,6 | never",
        NULL};
    struct watching w;
    etcd3_watch_opts_t *opts = from("a", 5);
    etcd3_watch_opts_set_prefix(opts);
    begin(&w, rules, opts);
    AWAIT(&w, changes, 5);
    CHECK(started_from(1, 5));
    end(&w);
    CHECK_INT(w.events, 1);
    CHECK_STR(w.text, "+a=1 +b=1 +c=1 +d=1 +a=2");
}

static void parts_out_of_order_are_asked_for_again(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 fragment put=a,2,7 | "
        "message watch id=1 put=a,1,6 | never",
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=a,1,6 put=a,2,7 | never", NULL};
    struct watching w;
    begin(&w, rules, from("a", 5));
    AWAIT(&w, changes, 2);
    end(&w);
    CHECK_CHANGES(&w, "+a=1 +a=2");
}

static void more_parts_than_may_be_held(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 fragment put=a,1,5 put=a,2,6 | "
        "message watch id=1 fragment put=a,3,7 put=b,1,7 | message watch id=1 fragment put=c,1,7 put=d,1,7 | never", NULL};
    struct watching w;
    etcd3_watch_opts_t *opts = from("a", 5);
    etcd3_client_t *client;
    /* About two changes: the revisions 5 and 6 are delivered, 7 is too large by itself. */
    etcd3_watch_opts_set_max_response_bytes(opts, 600);
    begin(&w, rules, opts);
    client = w.client;
    finished(&w);
    close_client(client);
    CHECK_INT(w.why, ETCD3_ERR_RESPONSE_TOO_LARGE);
    CHECK(strstr(w.why_text, "600") != NULL);
    CHECK_CHANGES(&w, "+a=1 +a=2");
    CHECK_INT(w.resume_revision, 7);
}

/* Two watches on a stream, told apart by the ids the server gives, whatever was asked for. */
static void strays_do_not_mix_watches_up(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | recv | message watch id=7 created | message watch id=7 created | "
        "message watch id=7 put=k,a,5 | message watch id=6 created | message watch id=9 created | "
        "message watch id=8 put=k,stray,5 | message watch id=6 put=l,b,5 | message watch id=8 put=k,stray,6 | recv | "
        "message watch id=6 put=l,c,6 | never",
        NULL};
    struct watching k, l;
    begin(&k, rules, NULL);
    prepare(&l, k.client, NULL);
    start(&l, from("l", 5), NULL);
    AWAIT(&k, changes, 1);
    AWAIT(&l, changes, 2);
    /* The unknown id was cancelled: 12 02 08 08. */
    CHECK(body_has(0, "12020808"));
    stop(&l);
    CHECK_CHANGES(&l, "+l=b +l=c");
    end(&k);
    CHECK_CHANGES(&k, "+k=a");
}

static void a_refused_watch_ends_alone(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | recv | message watch id=-1 created canceled reason=rpc error: code = PermissionDenied desc "
        "= etcdserver: permission denied | message watch id=2 created | message watch id=2 put=l,b,5 | never",
        NULL};
    struct watching k, l;
    begin(&k, rules, NULL);
    prepare(&l, k.client, NULL);
    start(&l, from("l", 5), NULL);
    AWAIT(&l, changes, 1);
    stop(&l);
    end(&k);
    CHECK_INT(k.why, ETCD3_ERR_PERMISSION_DENIED);
    CHECK_INT(k.live, 0);
    CHECK_CHANGES(&l, "+l=b");
}

static void the_servers_reasons(void)
{
    static const struct {
        const char *said;
        etcd3_code_t code;
        int64_t compacted;
    } reasons[] = {
        {"canceled compact=70", ETCD3_ERR_COMPACTED, 70},
        {"compact=71", ETCD3_ERR_COMPACTED, 71},
        {"canceled", ETCD3_ERR_WATCH_CANCELED, 0},
        {"canceled reason=mvcc: watcher range is empty", ETCD3_ERR_EMPTY_WATCH_RANGE, 0},
        {"canceled reason=etcdserver: mvcc: duplicate watch ID provided on the WatchStream", ETCD3_ERR_DUPLICATE_WATCH_ID, 0},
        {"canceled reason=rpc error: code = Unknown desc = something else", ETCD3_ERR_SERVER, 0},
    };
    size_t i;
    for (i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        char rule[300];
        const char *rules[] = {rule, NULL};
        struct watching w;
        snprintf(rule, sizeof rule, "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,a,5 | "
                                    "message watch id=1 %s | never", reasons[i].said);
        begin(&w, rules, NULL);
        AWAIT(&w, closed, 1);
        end(&w);
        CHECK_INT(w.why, reasons[i].code);
        CHECK_INT(w.compact_revision, reasons[i].compacted);
        CHECK_INT(w.resume_revision, 6);
        CHECK_CHANGES(&w, "+k=a");
    }
}

static void progress_moves_the_start_of_the_next_stream(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 revision=40 | close",
        "Watch 1 headers | recv | message watch id=1 created | message watch id=-1 revision=60 | close",
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,a,41 | never", NULL};
    struct watching w;
    begin(&w, rules, NULL);
    AWAIT(&w, changes, 1);
    CHECK(started_from(1, 41));
    /* That for all watches of a stream may come ahead of events. */
    CHECK(started_from(2, 41));
    end(&w);
    CHECK_INT(w.progress, 0);
    CHECK_CHANGES(&w, "+k=a");
}

static void progress_is_told_on_request(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created | recv | message watch id=-1 revision=60 | never", NULL};
    struct watching w;
    etcd3_error_t *err = NULL;
    etcd3_client_t *client;
    begin(&w, rules, NULL);
    client = w.client;
    CHECK_OK(etcd3_watch_request_progress(handle_of(&w), &err), err);
    AWAIT(&w, progress, 1);
    CHECK_INT(w.progress_revision, 60);
    CHECK_INT(etcd3_watch_revision(w.watch), 4);
    etcd3_watch_cancel(w.watch);
    AWAIT(&w, closed, 1);
    CHECK_CODE(etcd3_watch_request_progress(w.watch, &err), err, ETCD3_ERR_CANCELED, "watch");
    finished(&w);
    close_client(client);
}

static void the_last_watch_resets_the_stream(void)
{
    static const char *const rules[] = {"Watch 1 headers | recv | message watch id=1 created | recv | never", NULL};
    struct watching w;
    etcd3_client_t *client;
    begin(&w, rules, NULL);
    client = w.client;
    AWAIT(&w, live, 1);
    etcd3_watch_cancel(handle_of(&w));
    ask("await-resets %d Watch 1", one.number);
    finished(&w);
    close_client(client);
}

static void a_start_left_to_the_member(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created revision=30 | close",
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,a,31 | never", NULL};
    struct watching w;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("k", 1);
    etcd3_watch_opts_set_loose_start(opts);
    begin(&w, rules, opts);
    AWAIT(&w, changes, 1);
    CHECK_INT(asked(&one, "Range"), 0);
    CHECK(!started_from(0, 31));
    CHECK(started_from(1, 31));
    end(&w);
    CHECK_CHANGES(&w, "+k=a");
}

static void another_cluster(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,a,5 | hold | close", NULL};
    struct watching w;
    begin(&w, rules, NULL);
    AWAIT(&w, changes, 1);
    ask("identity %d 99 1 100", one.number);
    ask("release %d 1", one.number);
    AWAIT(&w, closed, 1);
    end(&w);
    CHECK_INT(w.why, ETCD3_ERR_CLUSTER_MISMATCH);
    CHECK_INT(w.resume_revision, 6);
}

/* A member that says a lower revision lags, or its store was restored from a backup; a read tells. */
static void a_store_that_was_set_back(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,a,50 | hold | close",
        "Watch 1 headers | recv | message watch id=1 created revision=20 | hold | close",
        "Watch 1 headers | recv | message watch id=1 created revision=20 | never", NULL};
    struct watching w;
    begin(&w, rules, NULL);
    AWAIT(&w, changes, 1);
    ask("identity %d 77 1 50", one.number);
    ask("release %d 1", one.number);
    AWAIT(&w, resumed, 1);
    ask("await %d Range 1", one.number);
    CHECK_INT(w.closed, 0);
    ask("identity %d 77 1 20", one.number);
    ask("release %d 1", one.number);
    AWAIT(&w, closed, 1);
    end(&w);
    CHECK_INT(w.why, ETCD3_ERR_REVISION_REGRESSED);
    CHECK(strstr(w.why_text, "20") != NULL && strstr(w.why_text, "50") != NULL);
}

static void an_outage_with_a_limit(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,a,5 | close",
        "Watch 1000 headers | recv | trailers 14 etcdserver: no leader", NULL};
    struct watching w;
    int64_t began;
    etcd3_watch_opts_t *opts = from("k", 5);
    etcd3_watch_opts_set_max_outage(opts, 500);
    began = now_ms();
    begin(&w, rules, opts);
    AWAIT(&w, closed, 1);
    CHECK(now_ms() - began >= 500);
    end(&w);
    CHECK_INT(w.why, ETCD3_ERR_NO_LEADER);
    CHECK(strstr(w.why_text, "500 ms") != NULL);
    CHECK_CHANGES(&w, "+k=a");
    CHECK_INT(w.resume_revision, 6);
}

/* It answers pings but says nothing on the stream: the watch goes to the other member. */
static void a_silent_stream_is_left(void)
{
    struct scripted other = serve("grpc");
    etcd3_config_t *config = config_of(&one, &other, 5000);
    struct watching w;
    etcd3_client_t *client;
    etcd3_config_set_watch_probe(config, 100, 100);
    forget(&one);
    ask("identity %d 77 1 100", one.number);
    ask("identity %d 77 2 100", other.number);
    script(&one, "Watch 1 headers | recv | message watch id=1 created | recv | never");
    script(&other, "Watch 1 headers | recv | message watch id=1 created | recv | never");
    prepare(&w, open_config(config), NULL);
    client = w.client;
    w.troubled = 1;
    start(&w, from("k", 5), NULL);
    /* Without a script the servers answer every question. */
    AWAIT(&w, resumed, 2);
    CHECK_INT(asked(&one, "Watch") + asked(&other, "Watch"), 3);
    CHECK(asked(&one, "Watch") >= 1 && asked(&other, "Watch") >= 1);
    etcd3_watch_cancel(w.watch);
    finished(&w);
    close_client(client);
}

/* So is one on which not even the creation is answered. */
static void a_stream_that_never_began_is_left(void)
{
    static const char *const rules[] = {"Watch 1 never", "Watch 1 headers | recv | never",
                                        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,a,5 | "
                                        "never", NULL};
    etcd3_config_t *config = config_of(&one, NULL, 5000);
    struct watching w;
    etcd3_client_t *client;
    size_t i;
    forget(&one);
    for (i = 0; rules[i]; i++)
        script(&one, rules[i]);
    etcd3_config_set_watch_probe(config, 100, 100);
    prepare(&w, open_config(config), NULL);
    client = w.client;
    w.troubled = 1;
    start(&w, from("k", 5), NULL);
    AWAIT(&w, changes, 1);
    CHECK_INT(w.disconnected, 0);
    etcd3_watch_cancel(w.watch);
    finished(&w);
    close_client(client);
}

static void what_is_asked_of_the_server_keeps_streams_apart(void)
{
    struct watching plain, alike, leaderless, marked;
    etcd3_watch_opts_t *opts;
    static const char *const none[] = {NULL};
    etcd3_client_t *client;
    begin(&plain, none, NULL);
    client = plain.client;
    prepare(&alike, client, NULL);
    opts = from("k", 5);
    etcd3_watch_opts_set_require_leader(opts, 1);
    start(&alike, opts, NULL);
    prepare(&leaderless, client, NULL);
    opts = from("k", 5);
    etcd3_watch_opts_set_require_leader(opts, 0);
    start(&leaderless, opts, NULL);
    AWAIT(&plain, live, 1);
    AWAIT(&alike, live, 1);
    AWAIT(&leaderless, live, 1);
    CHECK_INT(asked(&one, "Watch"), 2);
    prepare(&marked, client, NULL);
    opts = from("k", 5);
    etcd3_watch_opts_add_metadata(opts, "x-tenant", "blue");
    start(&marked, opts, NULL);
    AWAIT(&marked, live, 1);
    CHECK_INT(asked(&one, "Watch"), 3);
    CHECK_STR(ask("header %d Watch 2 x-tenant", one.number), "blue");
    CHECK_STR(ask("header %d Watch 0 x-tenant", one.number), "-");
    stop(&alike);
    stop(&leaderless);
    stop(&marked);
    end(&plain);
    /* One that has no watch any more is opened anew when it gets one. */
    CHECK_INT(plain.closed, 1);
}

int main(void)
{
    one = serve("grpc");
    RUN(goes_on_after_the_last_event);
    RUN(every_kind_of_loss_is_survived);
    RUN(an_open_stream_is_tried_again_and_again);
    RUN(repeated_events_are_dropped);
    RUN(parts_are_put_together);
    RUN(parts_out_of_order_are_asked_for_again);
    RUN(more_parts_than_may_be_held);
    RUN(strays_do_not_mix_watches_up);
    RUN(a_refused_watch_ends_alone);
    RUN(the_servers_reasons);
    RUN(progress_moves_the_start_of_the_next_stream);
    RUN(progress_is_told_on_request);
    RUN(the_last_watch_resets_the_stream);
    RUN(a_start_left_to_the_member);
    RUN(another_cluster);
    RUN(a_store_that_was_set_back);
    RUN(an_outage_with_a_limit);
    RUN(a_silent_stream_is_left);
    RUN(a_stream_that_never_began_is_left);
    RUN(what_is_asked_of_the_server_keeps_streams_apart);
    return CHECK_DONE();
}
