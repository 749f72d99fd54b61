/* Calls that end early: by their handle, with the queue, with the client. By a cancellation: test_cancel.c. */
#include "calls.h"
#include "mute_server.h"

#define K "test_call_end/k", ETCD3_NTS

static etcd3_op_t *a_get(void) { return etcd3_op_get(K); }
static etcd3_op_t *a_put(void) { return etcd3_op_put(K, "v", 1); }

static etcd3_op_t *a_txn(int writes)
{
    etcd3_op_t *txn = etcd3_op_txn(), *op = writes ? a_put() : a_get();
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    return txn;
}

/* To the own thread and to a queue, as the test has them. */
static void in_both_ways(void (*test)(etcd3_queue_t *queue))
{
    etcd3_queue_t *queue = new_queue();
    test(NULL);
    test(queue);
    etcd3_queue_free(queue);
}

/* Nothing was sent: not even a put is in doubt. */
static void while_connecting_to(enum mute kind, etcd3_queue_t *queue)
{
    struct mute_server server;
    struct calls calls;
    struct outcome some[2];
    etcd3_client_t *client;
    int64_t at;
    memset(some, 0, sizeof some);
    mute_start(&server, kind);
    client = client_of(server.endpoint, PATIENCE_MS);
    calls_prepare(&calls, client, queue);
    BEGIN(&calls, &some[0], a_get());
    BEGIN(&calls, &some[1], a_put());
    at = now_ms();
    etcd3_call_cancel(some[0].call);
    etcd3_call_cancel(some[1].call);
    AWAIT_CALLS(&calls, 2);
    CHECK(calls.when - at <= AT_ONCE_MS);
    SETTLE(&some[0], ETCD3_ERR_CANCELED);
    SETTLE(&some[1], ETCD3_ERR_CANCELED);
    calls_finish(&calls, 2);
    close_client(client);
    mute_stop(&server);
}

static void cancelled_connecting_in(etcd3_queue_t *queue)
{
    while_connecting_to(REFUSES, queue);
    while_connecting_to(ACCEPTS, queue);
}

static void cancelled_while_connecting(void) { in_both_ways(cancelled_connecting_in); }

/* The server has the whole requests. */
static void cancelled_in_flight_in(etcd3_queue_t *queue)
{
    struct mute_server server;
    struct calls calls;
    struct outcome some[4];
    etcd3_client_t *client;
    int64_t at;
    int i;
    memset(some, 0, sizeof some);
    mute_start(&server, READS);
    client = client_of(server.endpoint, PATIENCE_MS * 10);
    calls_prepare(&calls, client, queue);
    BEGIN(&calls, &some[0], a_get());
    BEGIN(&calls, &some[1], a_put());
    BEGIN(&calls, &some[2], a_txn(0));
    BEGIN(&calls, &some[3], a_txn(1));
    mute_await_requests(&server, 4);
    for (i = 0; i < 4; i++) {
        at = now_ms();
        etcd3_call_cancel(some[i].call);
        CHECK(now_ms() - at <= AT_ONCE_MS);
        AWAIT_CALLS(&calls, i + 1);
        CHECK(calls.when - at <= AT_ONCE_MS);
        etcd3_call_cancel(some[i].call);
    }
    SETTLE(&some[0], ETCD3_ERR_CANCELED);
    SETTLE(&some[1], ETCD3_ERR_AMBIGUOUS);
    SETTLE(&some[2], ETCD3_ERR_CANCELED);
    SETTLE(&some[3], ETCD3_ERR_AMBIGUOUS);
    calls_finish(&calls, 4);
    close_client(client);
    mute_stop(&server);
}

static void cancelled_in_flight(void) { in_both_ways(cancelled_in_flight_in); }

/* A call has its own limit, and the error says what the error of a call that blocks does. */
static void out_of_time(void)
{
    struct mute_server silent, nobody;
    struct calls calls, other;
    struct outcome some[3];
    etcd3_queue_t *queue = new_queue();
    etcd3_client_t *client, *lost;
    etcd3_op_t *get = a_get(), *write = a_put();
    int64_t limit = env_number("ETCD3_TEST_VALGRIND", 0) ? 2000 : 1000;
    memset(some, 0, sizeof some);
    mute_start(&silent, READS);
    mute_start(&nobody, REFUSES);
    client = client_of(silent.endpoint, PATIENCE_MS * 10);
    lost = client_of(nobody.endpoint, limit);
    etcd3_op_set_timeout(get, limit);
    etcd3_op_set_timeout(write, limit);
    calls_prepare(&calls, client, queue);
    calls_prepare(&other, lost, NULL);
    BEGIN(&calls, &some[0], get);
    BEGIN(&calls, &some[1], write);
    BEGIN(&other, &some[2], a_put());
    AWAIT_CALLS(&calls, 2);
    AWAIT_CALLS(&other, 1);
    CHECK(strstr(some[0].message, silent.endpoint) != NULL);
    CHECK(strstr(some[2].message, nobody.endpoint) != NULL);
    SETTLE(&some[0], ETCD3_ERR_TIMEOUT);
    SETTLE(&some[1], ETCD3_ERR_AMBIGUOUS);
    SETTLE(&some[2], ETCD3_ERR_UNAVAILABLE);
    calls_finish(&calls, 2);
    calls_finish(&other, 1);
    close_client(client);
    close_client(lost);
    etcd3_queue_free(queue);
    mute_stop(&silent);
    mute_stop(&nobody);
}

/* Many calls under way, every other one a put, when the client goes. */
enum { MANY = 256 };

static void begin_many(struct calls *calls, struct outcome *all, struct mute_server *server)
{
    int i;
    for (i = 0; i < MANY; i++)
        BEGIN(calls, &all[i], i % 2 ? a_put() : a_get());
    mute_await_requests(server, MANY);
}

static void settle_many(struct outcome *all, etcd3_code_t reads)
{
    int i;
    for (i = 0; i < MANY; i++)
        SETTLE(&all[i], i % 2 ? ETCD3_ERR_AMBIGUOUS : reads);
}

static void closed_under_way_in(etcd3_queue_t *queue)
{
    struct outcome *all = (struct outcome *)calloc(MANY, sizeof *all);
    struct mute_server server;
    struct calls calls;
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    int64_t at;
    mute_start(&server, READS);
    client = client_of(server.endpoint, PATIENCE_MS * 10);
    calls_prepare(&calls, client, queue);
    begin_many(&calls, all, &server);
    at = now_ms();
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    CHECK(now_ms() - at <= AT_ONCE_MS);
    /* On the own thread all has run when close returns. */
    if (!queue)
        CHECK_INT(calls.ended, MANY);
    AWAIT_CALLS(&calls, MANY);
    settle_many(all, ETCD3_ERR_CLOSED);
    calls_finish(&calls, MANY);
    etcd3_client_free(client);
    mute_stop(&server);
    free(all);
}

static void closed_under_way(void) { in_both_ways(closed_under_way_in); }

/* Freeing waits for no callback, but each still runs. */
static void client_freed_under_way_in(etcd3_queue_t *queue)
{
    struct outcome *all = (struct outcome *)calloc(MANY, sizeof *all);
    struct mute_server server;
    struct calls calls;
    etcd3_client_t *client;
    int64_t at;
    mute_start(&server, READS);
    client = client_of(server.endpoint, PATIENCE_MS * 10);
    calls_prepare(&calls, client, queue);
    begin_many(&calls, all, &server);
    at = now_ms();
    etcd3_client_free(client);
    CHECK(now_ms() - at <= AT_ONCE_MS);
    etcd3_call_cancel(all[0].call);
    AWAIT_CALLS(&calls, MANY);
    settle_many(all, ETCD3_ERR_CLOSED);
    calls_finish(&calls, MANY);
    mute_stop(&server);
    free(all);
}

static void client_freed_under_way(void) { in_both_ways(client_freed_under_way_in); }

/* The last events run inside etcd3_queue_free, on this thread; the client stays. */
static void queue_freed_under_way(void)
{
    struct outcome *all = (struct outcome *)calloc(MANY, sizeof *all);
    struct outcome last;
    etcd3_queue_t *queue = new_queue();
    struct mute_server server;
    struct calls calls;
    etcd3_client_t *client;
    memset(&last, 0, sizeof last);
    mute_start(&server, READS);
    client = client_of(server.endpoint, PATIENCE_MS * 10);
    calls_prepare(&calls, client, queue);
    begin_many(&calls, all, &server);
    etcd3_queue_free(queue);
    CHECK_INT(calls.ended, MANY);
    CHECK(pthread_equal(calls.thread, pthread_self()));
    settle_many(all, ETCD3_ERR_CANCELED);
    calls.queue = NULL;
    BEGIN(&calls, &last, a_get());
    mute_await_requests(&server, MANY + 1);
    etcd3_call_cancel(last.call);
    AWAIT_CALLS(&calls, MANY + 1);
    SETTLE(&last, ETCD3_ERR_CANCELED);
    close_client(client);
    calls_finish(&calls, MANY + 1);
    mute_stop(&server);
    free(all);
}

/* Nothing was sent yet: when the client goes, or the queue, not even a put is in doubt. */
static void gone_while_connecting(int with_the_queue)
{
    struct mute_server server;
    struct calls calls;
    struct outcome some[2];
    etcd3_queue_t *queue = new_queue();
    etcd3_client_t *client;
    memset(some, 0, sizeof some);
    mute_start(&server, ACCEPTS);
    client = client_of(server.endpoint, PATIENCE_MS);
    calls_prepare(&calls, client, queue);
    BEGIN(&calls, &some[0], a_get());
    BEGIN(&calls, &some[1], a_put());
    if (with_the_queue) {
        etcd3_queue_free(queue);
        close_client(client);
        calls.queue = NULL;
    } else {
        close_client(client);
        AWAIT_CALLS(&calls, 2);
        etcd3_queue_free(queue);
        calls.queue = NULL;
    }
    SETTLE(&some[0], with_the_queue ? ETCD3_ERR_CANCELED : ETCD3_ERR_CLOSED);
    SETTLE(&some[1], with_the_queue ? ETCD3_ERR_CANCELED : ETCD3_ERR_CLOSED);
    calls_finish(&calls, 2);
    mute_stop(&server);
}

static void client_closed_while_connecting(void) { gone_while_connecting(0); }
static void queue_freed_while_connecting(void) { gone_while_connecting(1); }

int main(void)
{
    RUN(cancelled_while_connecting);
    RUN(cancelled_in_flight);
    RUN(out_of_time);
    RUN(closed_under_way);
    RUN(client_freed_under_way);
    RUN(queue_freed_under_way);
    RUN(client_closed_while_connecting);
    RUN(queue_freed_while_connecting);
    return CHECK_DONE();
}
