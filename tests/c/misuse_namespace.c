/* Wrong arguments to namespaces: nothing is sent, and a handle of one refuses what a client refuses. */
#include "misuse.h"

static etcd3_client_t *inside;

#define PREFIX "misuse/namespace/"
#define NTS ETCD3_NTS

static void of_the_handle(void)
{
    etcd3_client_t *none = NULL;
    REFUSED(etcd3_namespace_open(NULL, "p", 1, &none, &err), "client: must not be NULL");
    REFUSED(etcd3_namespace_open(client, "p", 1, NULL, &err), "namespaced: must not be NULL");
    REFUSED(etcd3_namespace_open(client, "", 0, &none, &err), "prefix: must not be empty");
    REFUSED(etcd3_namespace_open(client, "p", 0, &none, &err), "prefix: must not be empty");
    REFUSED(etcd3_namespace_open(client, "", NTS, &none, &err), "prefix: must not be empty");
    REFUSED(etcd3_namespace_open(client, NULL, 0, &none, &err), "prefix: must not be empty");
    REFUSED(etcd3_namespace_open(client, NULL, 1, &none, &err), "prefix: must not be NULL");
    REFUSED(etcd3_namespace_open(client, NULL, NTS, &none, &err), "prefix: must not be NULL");
    REFUSED(etcd3_namespace_open(client, "p", (size_t)INT32_MAX + 1, &none, &err), "prefix_len");
    REFUSED(etcd3_namespace_open(inside, "", 0, &none, &err), "prefix: must not be empty");
    CHECK_INT(etcd3_namespace_open(client, "", 0, &none, NULL), ETCD3_ERR_INVALID_ARGUMENT);
    CHECK(none == NULL);
}

/* An empty key is no key of a namespace either. */
static void of_what_is_made_with_it(void)
{
    etcd3_result_t *r = NULL;
    etcd3_event_t *event = NULL;
    etcd3_watch_t *watch = NULL;
    etcd3_range_t *range = NULL;
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("", 0);
    etcd3_op_t *op = etcd3_op_get("", 0), *txn = etcd3_op_txn();
    etcd3_queue_t *queue = NULL;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    REFUSED(etcd3_get(inside, "", 0, &r, &err), "key: must not be empty");
    REFUSED(etcd3_put(inside, NULL, 0, "v", 1, &err), "key: must not be empty");
    REFUSED(etcd3_delete(inside, "", 0, NULL, &err), "key: must not be empty");
    REFUSED(etcd3_execute(inside, op, &r, &err), "key: must not be empty");
    REFUSED(etcd3_range_open(inside, op, 0, &range, &err), "key: must not be empty");
    etcd3_txn_if_version(txn, "", 0, ETCD3_EQUAL, 0);
    REFUSED(etcd3_execute(inside, txn, &r, &err), "key: must not be empty");
    REFUSED(etcd3_watch_start(inside, opts, queue, NULL, NULL, &watch, &err), "key: must not be empty");
    REFUSED(etcd3_watch_once(inside, "", 0, 1000, &event, &err), "key: must not be empty");
    REFUSED(etcd3_barrier_hold(inside, "", 0, &err), "name: must not be empty");
    REFUSED(etcd3_fifo_enqueue(inside, "", 0, "v", 1, &err), "name: must not be empty");
    etcd3_watch_opts_free(opts);
    etcd3_op_free(op);
    etcd3_op_free(txn);
    opts = etcd3_watch_opts_new("b", 1);
    etcd3_watch_opts_set_range_end(opts, "a", 1);
    REFUSED(etcd3_watch_start(inside, opts, queue, NULL, NULL, &watch, &err), "end: must be above the key");
    etcd3_watch_opts_free(opts);
    op = etcd3_op_get("a", 1);
    etcd3_op_set_range_end(op, "\0", 1);
    REFUSED(etcd3_execute(inside, op, &r, &err), "end: must not be a NUL byte");
    etcd3_op_free(op);
    etcd3_queue_free(queue);
    CHECK(!r && !event && !watch && !range);
}

/* Nothing is there of it, and it may have gone before the client or be there after it. */
static void of_its_end(void)
{
    etcd3_client_t *one = NULL, *other = NULL;
    CHECK_OK(etcd3_namespace_open(inside, "a", 1, &one, &err), err);
    CHECK_OK(etcd3_client_close(one, 1000, &err), err);
    CHECK_OK(etcd3_client_close(one, 0, &err), err);
    REFUSED_AS(etcd3_put(one, "k", 1, "v", 1, &err), ETCD3_ERR_CLOSED, "");
    REFUSED_AS(etcd3_namespace_open(one, "b", 1, &other, &err), ETCD3_ERR_CLOSED, "");
    REFUSED(etcd3_client_close(one, -1, &err), "timeout_ms");
    QUIET(etcd3_client_cancel_calls(one));
    etcd3_client_free(one);
    CHECK(other == NULL);
}

int main(void)
{
    client = open_client();
    CHECK_OK(etcd3_namespace_open(client, PREFIX, NTS, &inside, &err), err);
    RUN(of_the_handle);
    RUN(of_what_is_made_with_it);
    RUN(of_its_end);
    etcd3_client_free(inside);
    etcd3_client_free(client);
    return CHECK_DONE();
}
