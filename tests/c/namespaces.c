/* Handles of namespaces against servers that send keys of outside, what they send themselves, and what they share. */
#include "scripted.h"
#include "watching.h"
#include <sched.h>

#define K "k", ETCD3_NTS

static struct scripted server;
static etcd3_client_t *plain, *inside;
static etcd3_error_t *err;

static void open_both(void)
{
    server = serve("grpc");
    plain = open_config(config_of(&server, NULL, 5000));
    CHECK_OK(etcd3_namespace_open(plain, "n/", 2, &inside, &err), err);
}

static void close_both(void)
{
    etcd3_client_free(inside);
    close_client(plain);
}

static void a_key_of_outside_is_no_answer(void)
{
    /* The prefix alone, less than it, its neighbours; a foreign key after good ones. */
    static const char *const keys[] = {"n/", "n", "m", "n0", "o/k"};
    size_t i;
    open_both();
    for (i = 0; i < sizeof keys / sizeof *keys; i++) {
        char rule[100];
        etcd3_result_t *r = NULL;
        snprintf(rule, sizeof rule, "Range 1 headers | message kv %s v 7 | trailers 0", keys[i]);
        script(&server, rule);
        CHECK_CODE(etcd3_get(inside, K, &r, &err), err, ETCD3_ERR_PROTOCOL, "outside of the namespace");
        CHECK(r == NULL);
    }
    CHECK_INT(asked(&server, "Range"), (long long)(sizeof keys / sizeof *keys));
    close_both();
}

/* The messages are protobuf in hex: in a header the revision 9; a key-value is 0a, key, 28 and more. */
#define HEADER "0a021809"
#define INSIDE "0a036e2f6b"
#define FOREIGN "0a036d2f6b"

static void nor_is_one_in_an_answer_to_a_write(void)
{
    etcd3_op_t *put = etcd3_op_put(K, "v", 1), *del = etcd3_op_delete(K), *inner = etcd3_op_txn(), *outer = etcd3_op_txn();
    etcd3_op_t *get = etcd3_op_get(K);
    etcd3_result_t *r = NULL;
    open_both();
    etcd3_op_set_prev_kv(put);
    etcd3_op_set_prev_kv(del);
    script(&server, "Put 1 headers | message hex " HEADER "1205" FOREIGN " | trailers 0");
    CHECK_CODE(etcd3_execute(inside, put, &r, &err), err, ETCD3_ERR_AMBIGUOUS, "outside of the namespace");
    script(&server, "DeleteRange 1 headers | message hex " HEADER "10021a05" INSIDE "1a05" FOREIGN " | trailers 0");
    CHECK_CODE(etcd3_execute(inside, del, &r, &err), err, ETCD3_ERR_AMBIGUOUS, "outside of the namespace");
    CHECK_INT(asked(&server, "Put") + asked(&server, "DeleteRange"), 2);
    etcd3_txn_then(inner, get);
    etcd3_txn_then(outer, inner);
    /* A transaction's response in a transaction's: succeeded, and in it a get's with one key-value. */
    script(&server, "Txn 1 headers | message hex " HEADER "10011a0f220d10011a090a071205" FOREIGN " | trailers 0");
    CHECK_CODE(etcd3_execute(inside, outer, &r, &err), err, ETCD3_ERR_PROTOCOL, "outside of the namespace");
    script(&server, "Txn 1 headers | message hex " HEADER "10011a0f220d10011a090a071205" INSIDE " | trailers 0");
    CHECK_OK(etcd3_execute(inside, outer, &r, &err), err);
    CHECK_KV(etcd3_result_kv(etcd3_result_response(etcd3_result_response(r, 0), 0), 0), "k", "");
    etcd3_result_free(r);
    etcd3_op_free(put);
    etcd3_op_free(del);
    etcd3_op_free(get);
    etcd3_op_free(inner);
    etcd3_op_free(outer);
    close_both();
}

static void nor_in_a_stream_of_parts(void)
{
    etcd3_op_t *op = etcd3_op_get("", 0);
    etcd3_range_t *range = NULL;
    etcd3_result_t *r = NULL;
    open_both();
    etcd3_op_set_prefix(op);
    script(&server, "RangeStream 1 headers | message hex 0a071205" INSIDE " | message hex 0a0b" HEADER "1205" FOREIGN
                    " | trailers 0");
    CHECK_OK(etcd3_range_open(inside, op, 0, &range, &err), err);
    CHECK_OK(etcd3_range_next(range, &r, &err), err);
    CHECK_KV(etcd3_result_kv(r, 0), "k", "");
    etcd3_result_free(r);
    r = NULL;
    CHECK_CODE(etcd3_range_next(range, &r, &err), err, ETCD3_ERR_PROTOCOL, "outside of the namespace");
    CHECK(r == NULL);
    etcd3_range_free(range);
    etcd3_op_free(op);
    close_both();
}

/* It ends the watch that it came to and no other; of what came with it nothing is told. */
static void a_watch_ends_with_it(void)
{
    static const char *const events[] = {"put=m,v,7", "put=n/a,v,7 put=m,v,7", "delete=n/,7", "delete=n0,7"};
    size_t i;
    for (i = 0; i < sizeof events / sizeof *events; i++) {
        char rule[300];
        struct watching mine, outside;
        etcd3_watch_opts_t *opts = etcd3_watch_opts_new("", 0);
        open_both();
        snprintf(rule, sizeof rule,
                 "Watch 1 headers | recv | message watch id=1 created | recv | message watch id=2 created | message watch "
                 "id=1 put=n/k,v,6 | message watch id=1 %s | message watch id=2 put=m,v,8 | never",
                 events[i]);
        script(&server, rule);
        etcd3_watch_opts_set_prefix(opts);
        etcd3_watch_opts_set_start_revision(opts, 5);
        prepare(&mine, inside, NULL);
        start(&mine, opts, NULL);
        AWAIT(&mine, live, 1);
        opts = etcd3_watch_opts_new("m", 1);
        etcd3_watch_opts_set_start_revision(opts, 5);
        prepare(&outside, plain, NULL);
        start(&outside, opts, NULL);
        AWAIT(&outside, changes, 1);
        finished(&mine);
        CHECK_STR(etcd3_code_name(mine.why), etcd3_code_name(ETCD3_ERR_PROTOCOL));
        CHECK(strstr(mine.why_text, "outside of the namespace") != NULL);
        CHECK_CHANGES(&mine, "+k=v");
        stop(&outside);
        CHECK_CHANGES(&outside, "+m=v");
        /* Both were on one stream. */
        CHECK_INT(asked(&server, "Watch"), 1);
        close_both();
    }
}

/* So does one that reads its range anew. */
static void a_watch_that_reads_ends_with_it(void)
{
    struct watching w;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("", 0);
    open_both();
    script(&server, "Range 1 headers | message kv m v 7 | trailers 0");
    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_relist(opts);
    prepare(&w, inside, NULL);
    w.troubled = 1;
    start(&w, opts, NULL);
    finished(&w);
    CHECK_STR(etcd3_code_name(w.why), etcd3_code_name(ETCD3_ERR_PROTOCOL));
    CHECK_INT(w.changes, 0);
    /* It has asked for the namespace: 0a 03 "n/\0", 12 02 "n0". */
    CHECK(strstr(ask("body %d Range 0", server.number), "0a036e2f0012026e30") != NULL);
    close_both();
}

/* One connection for calls and one for streams, of which there is one for all watches and one for all leases. */
static void streams_and_connections_are_shared(void)
{
    etcd3_client_t *handles[4];
    etcd3_lease_t *leases[4] = {NULL, NULL, NULL, NULL};
    struct watching w[4];
    int64_t before;
    int i;
    open_both();
    handles[0] = plain;
    handles[1] = inside;
    CHECK_OK(etcd3_namespace_open(plain, "n/", 2, &handles[2], &err), err);
    CHECK_OK(etcd3_namespace_open(inside, "m/", 2, &handles[3], &err), err);
    script(&server, "Watch 1 headers | recv | message watch id=1 created | recv | message watch id=2 created | recv | message "
                    "watch id=3 created | recv | message watch id=4 created | never");
    script(&server, "LeaseGrant * headers | message granted 6 | trailers 0");
    script(&server, "LeaseKeepAlive * renew 60");
    for (i = 0; i < 4; i++) {
        etcd3_watch_opts_t *opts = etcd3_watch_opts_new("k", 1);
        etcd3_watch_opts_set_start_revision(opts, 5);
        prepare(&w[i], handles[i], NULL);
        start(&w[i], opts, NULL);
        put(handles[i], "k", "v");
        CHECK_OK(etcd3_lease_open(handles[i], 6, i + 1, NULL, NULL, NULL, &leases[i], &err), err);
        AWAIT(&w[i], live, 1);
    }
    CHECK_INT(asked(&server, "Watch"), 1);
    CHECK_INT(asked(&server, "Put"), 4);
    before = now_ms();
    while (etcd3_client_counter(plain, "lease_renewals") < 4 && now_ms() < before + PATIENCE_MS)
        sched_yield();
    CHECK_INT(etcd3_client_counter(handles[3], "lease_renewals"), 4);
    CHECK_INT(asked(&server, "LeaseKeepAlive"), 1);
    CHECK_INT(ask_number("connections %d%s", server.number, ""), 2);
    CHECK_INT(etcd3_client_counter(plain, "watches"), 4);
    CHECK_INT(etcd3_client_counter(plain, "leases"), 4);
    for (i = 0; i < 4; i++) {
        etcd3_lease_free(leases[i]);
        stop(&w[i]);
    }
    etcd3_client_free(handles[2]);
    etcd3_client_free(handles[3]);
    close_both();
}

/* A call that has no answer, and how it ended. */
struct calling {
    etcd3_queue_t *queue;
    etcd3_call_t *call;
};

static void begin(struct calling *c, etcd3_client_t *client)
{
    etcd3_op_t *op = etcd3_op_get(K);
    c->queue = new_queue();
    c->call = NULL;
    CHECK_OK(etcd3_execute_async(client, op, c->queue, NULL, NULL, &c->call, &err), err);
    etcd3_op_free(op);
}

static void ends(struct calling *c, etcd3_code_t code)
{
    etcd3_event_t *event = NULL;
    CHECK_OK(etcd3_queue_next(c->queue, PATIENCE_MS, &event, &err), err);
    CHECK_STR(etcd3_code_name(etcd3_error_code(etcd3_event_error(event))), etcd3_code_name(code));
    etcd3_event_free(event);
    etcd3_call_free(c->call);
    etcd3_queue_free(c->queue);
}

/* Whether it is still under way, as are all but so many of the requests that were made. */
static int goes_on(struct calling *c, int but)
{
    etcd3_event_t *event = NULL;
    ask("await-resets %d Range %d", server.number, but);
    CHECK_INT(ask_number("resets %d %s", server.number, "Range"), but);
    CHECK_OK(etcd3_queue_next(c->queue, 0, &event, &err), err);
    etcd3_event_free(event);
    return event == NULL;
}

static void calls_are_cancelled_with_those_of_the_client(void)
{
    struct calling outside, mine, deeper;
    etcd3_client_t *deep = NULL;
    etcd3_config_t *config;
    int round;
    server = serve("grpc");
    config = config_of(&server, NULL, PATIENCE_MS);
    etcd3_config_set_hedge_after(config, PATIENCE_MS);
    plain = open_config(config);
    CHECK_OK(etcd3_namespace_open(plain, "n/", 2, &inside, &err), err);
    CHECK_OK(etcd3_namespace_open(inside, "d/", 2, &deep, &err), err);
    script(&server, "Range * never");
    /* Twice: what was ended once is no hindrance to later calls. */
    for (round = 1; round <= 2; round++) {
        begin(&outside, plain);
        begin(&mine, inside);
        begin(&deeper, deep);
        ask("await %d Range %d", server.number, 5 * round - 2);
        etcd3_client_cancel_calls(inside);
        ends(&mine, ETCD3_ERR_CANCELED);
        ends(&deeper, ETCD3_ERR_CANCELED);
        CHECK(goes_on(&outside, 5 * round - 3));
        begin(&mine, inside);
        begin(&deeper, deep);
        ask("await %d Range %d", server.number, 5 * round);
        etcd3_client_cancel_calls(deep);
        ends(&deeper, ETCD3_ERR_CANCELED);
        CHECK(goes_on(&mine, 5 * round - 2));
        etcd3_client_cancel_calls(plain);
        ends(&mine, ETCD3_ERR_CANCELED);
        ends(&outside, ETCD3_ERR_CANCELED);
    }
    forget(&server);
    put(deep, "k", "v");
    put(inside, "k", "v");
    etcd3_client_free(deep);
    close_both();
}

/* What ordering has seen is the client's: a handle reads nothing older than the client has seen, and the other way round. */
static void ordering_is_that_of_the_client(void)
{
    etcd3_config_t *config;
    etcd3_result_t *r = NULL;
    etcd3_op_t *op = etcd3_op_get(K);
    server = serve("grpc");
    config = config_of(&server, NULL, 2000);
    etcd3_config_set_ordering(config, 1);
    plain = open_config(config);
    CHECK_OK(etcd3_namespace_open(plain, "n/", 2, &inside, &err), err);
    ask("identity %d 77 1 100", server.number);
    put(plain, "k", "v");
    ask("identity %d 77 1 99", server.number);
    CHECK_CODE(etcd3_execute(inside, op, &r, &err), err, ETCD3_ERR_NO_GREATER_REVISION, "");
    ask("identity %d 77 1 101", server.number);
    CHECK_OK(etcd3_execute(inside, op, &r, &err), err);
    etcd3_result_free(r);
    r = NULL;
    ask("identity %d 77 1 100", server.number);
    CHECK_CODE(etcd3_execute(plain, op, &r, &err), err, ETCD3_ERR_NO_GREATER_REVISION, "");
    etcd3_op_free(op);
    close_both();
}

int main(void)
{
    RUN(a_key_of_outside_is_no_answer);
    RUN(nor_is_one_in_an_answer_to_a_write);
    RUN(nor_in_a_stream_of_parts);
    RUN(a_watch_ends_with_it);
    RUN(a_watch_that_reads_ends_with_it);
    RUN(streams_and_connections_are_shared);
    RUN(calls_are_cancelled_with_those_of_the_client);
    RUN(ordering_is_that_of_the_client);
    return CHECK_DONE();
}
