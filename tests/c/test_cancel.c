/* Cancellations: one for several calls, of both sorts, before them or while they wait. */
#include "calls.h"
#include "mute_server.h"

#define K "test_cancel/k", ETCD3_NTS

static etcd3_op_t *a_get(void) { return etcd3_op_get(K); }
static etcd3_op_t *a_put(void) { return etcd3_op_put(K, "v", 1); }

struct blocking {
    etcd3_client_t *client;
    etcd3_op_t *op;
    etcd3_code_t code;
    int maybe_applied;
    int64_t ended;
    pthread_t thread;
};

static void *execute(void *arg)
{
    struct blocking *call = (struct blocking *)arg;
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    call->code = etcd3_execute(call->client, call->op, &r, &err);
    call->ended = now_ms();
    call->maybe_applied = etcd3_error_maybe_applied(err);
    CHECK_INT(etcd3_error_code(err), call->code);
    etcd3_error_free(err);
    etcd3_result_free(r);
    return NULL;
}

static etcd3_op_t *with(etcd3_op_t *op, const etcd3_cancel_t *cancel)
{
    etcd3_op_set_cancel(op, cancel);
    return op;
}

/* One cancellation for calls of both sorts, of two clients; a call that does not have it goes on. */
static void one_for_many(void)
{
    enum { N = 4 };
    struct mute_server server;
    struct blocking blocking[N];
    struct calls calls, own;
    struct outcome some[2], bystander;
    etcd3_queue_t *queue = new_queue();
    etcd3_cancel_t *cancel = etcd3_cancel_new();
    etcd3_client_t *client, *other;
    int64_t at;
    int i;
    memset(some, 0, sizeof some);
    memset(&bystander, 0, sizeof bystander);
    mute_start(&server, READS);
    client = client_of(server.endpoint, PATIENCE_MS * 10);
    other = client_of(server.endpoint, PATIENCE_MS * 10);
    calls_prepare(&calls, client, queue);
    calls_prepare(&own, other, NULL);
    for (i = 0; i < N; i++) {
        blocking[i].client = i < N / 2 ? client : other;
        blocking[i].op = with(i % 2 ? a_put() : a_get(), cancel);
        CHECK_INT(pthread_create(&blocking[i].thread, NULL, execute, &blocking[i]), 0);
    }
    BEGIN(&calls, &some[0], with(a_get(), cancel));
    BEGIN(&own, &some[1], with(a_put(), cancel));
    BEGIN(&own, &bystander, a_get());
    mute_await_requests(&server, N + 3);
    at = now_ms();
    etcd3_cancel_trigger(cancel);
    etcd3_cancel_trigger(cancel);
    CHECK(now_ms() - at <= AT_ONCE_MS);
    etcd3_cancel_free(cancel);
    for (i = 0; i < N; i++) {
        pthread_join(blocking[i].thread, NULL);
        CHECK(blocking[i].ended - at <= AT_ONCE_MS);
        CHECK_INT(blocking[i].code, i % 2 ? ETCD3_ERR_AMBIGUOUS : ETCD3_ERR_CANCELED);
        CHECK_INT(blocking[i].maybe_applied, i % 2);
        etcd3_op_free(blocking[i].op);
    }
    AWAIT_CALLS(&calls, 1);
    AWAIT_CALLS(&own, 1);
    SETTLE(&some[0], ETCD3_ERR_CANCELED);
    SETTLE(&some[1], ETCD3_ERR_AMBIGUOUS);
    close_client(client);
    close_client(other);
    SETTLE(&bystander, ETCD3_ERR_CLOSED);
    calls_finish(&calls, 1);
    calls_finish(&own, 2);
    etcd3_queue_free(queue);
    mute_stop(&server);
}

/* Triggered before there is a call: nothing is sent. */
static void triggered_before(void)
{
    struct mute_server server;
    struct blocking blocking;
    struct calls calls;
    struct outcome some[2];
    etcd3_cancel_t *cancel = etcd3_cancel_new();
    etcd3_client_t *client = open_client(), *mute;
    etcd3_queue_t *queue = new_queue();
    int64_t before = revision_now(client), at;
    int i;
    memset(some, 0, sizeof some);
    mute_start(&server, READS);
    mute = client_of(server.endpoint, PATIENCE_MS * 10);
    etcd3_cancel_trigger(cancel);
    for (i = 0; i < 4; i++) {
        blocking.client = i < 2 ? client : mute;
        blocking.op = with(i % 2 ? a_put() : a_get(), cancel);
        at = now_ms();
        execute(&blocking);
        CHECK(now_ms() - at <= AT_ONCE_MS);
        CHECK_INT(blocking.code, ETCD3_ERR_CANCELED);
        CHECK_INT(blocking.maybe_applied, 0);
        etcd3_op_free(blocking.op);
    }
    calls_prepare(&calls, mute, queue);
    BEGIN(&calls, &some[0], with(a_get(), cancel));
    BEGIN(&calls, &some[1], with(a_put(), cancel));
    AWAIT_CALLS(&calls, 2);
    SETTLE(&some[0], ETCD3_ERR_CANCELED);
    SETTLE(&some[1], ETCD3_ERR_CANCELED);
    calls_finish(&calls, 2);
    CHECK_INT(mute_requests(&server), 0);
    CHECK_INT(revision_now(client), before);
    etcd3_cancel_free(cancel);
    etcd3_queue_free(queue);
    close_client(mute);
    close_client(client);
    mute_stop(&server);
}

/* Freed, or triggered too late, or given to an op inside a transaction, it ends nothing. */
static void of_no_effect(void)
{
    etcd3_client_t *client = open_client();
    etcd3_cancel_t *cancel = etcd3_cancel_new(), *freed = etcd3_cancel_new(), *inside = etcd3_cancel_new();
    etcd3_op_t *op = with(a_put(), cancel), *txn = etcd3_op_txn(), *part = with(a_get(), inside);
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_execute(client, op, &r, &err), err);
    etcd3_cancel_trigger(cancel);
    CHECK_INT(etcd3_result_kind(r), ETCD3_RESULT_PUT);
    etcd3_result_free(r);
    CHECK_CODE(etcd3_execute(client, op, &r, &err), err, ETCD3_ERR_CANCELED, "cancel");
    etcd3_op_free(op);
    etcd3_cancel_free(cancel);
    op = with(a_get(), freed);
    etcd3_cancel_free(freed);
    r = EXECUTE(client, op);
    CHECK_KV(etcd3_result_kv(r, 0), "test_cancel/k", "v");
    etcd3_result_free(r);
    etcd3_cancel_trigger(inside);
    etcd3_cancel_free(inside);
    etcd3_txn_then(txn, part);
    etcd3_op_free(part);
    r = EXECUTE(client, txn);
    CHECK_INT(etcd3_result_kind(r), ETCD3_RESULT_TXN);
    etcd3_result_free(r);
    etcd3_cancel_free(NULL);
    close_client(client);
}

int main(void)
{
    RUN(one_for_many);
    RUN(triggered_before);
    RUN(of_no_effect);
    return CHECK_DONE();
}
