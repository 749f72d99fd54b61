/* What goes along with requests, which are sent again, and which are not sent at all. */
#include "scripted.h"

#define K "k", ETCD3_NTS

static etcd3_error_t *err;

/* A transaction without a write is a read; with one it is sent once. */
static void a_transaction_of_reads_is_asked_again(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, 5000));
    etcd3_op_t *reads = etcd3_op_txn(), *writes = etcd3_op_txn();
    etcd3_op_t *get = etcd3_op_get(K), *put = etcd3_op_put(K, "v", 1);
    etcd3_result_t *r = NULL;
    etcd3_txn_then(reads, get);
    etcd3_txn_then(writes, put);
    etcd3_op_free(get);
    etcd3_op_free(put);
    script(&server, "Txn 2 status 14 etcdserver: server stopped");
    CHECK_OK(etcd3_execute(client, reads, &r, &err), err);
    etcd3_result_free(r);
    r = NULL;
    CHECK_INT(asked(&server, "Txn"), 3);
    script(&server, "Txn 2 status 14 etcdserver: server stopped");
    CHECK_CODE(etcd3_execute(client, writes, &r, &err), err, ETCD3_ERR_AMBIGUOUS, "server stopped");
    CHECK_INT(asked(&server, "Txn"), 4);
    etcd3_op_free(reads);
    etcd3_op_free(writes);
    close_client(client);
}

static void streams_ask_for_a_leader_unless_told_not_to(void)
{
    int yes;
    for (yes = 0; yes <= 1; yes++) {
        struct scripted server = serve("grpc");
        etcd3_config_t *config = config_of(&server, NULL, 5000);
        etcd3_watch_opts_t *opts = etcd3_watch_opts_new(K);
        etcd3_queue_t *queue = NULL;
        etcd3_watch_t *watch = NULL;
        etcd3_client_t *client;
        etcd3_config_set_require_leader(config, yes);
        client = open_config(config);
        CHECK_OK(etcd3_queue_new(&queue, &err), err);
        CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err), err);
        CHECK_STR(ask("await %d Watch 1", server.number), "1");
        CHECK_STR(ask("header %d Watch 0 hasleader", server.number), yes ? "true" : "-");
        etcd3_watch_free(watch);
        etcd3_watch_opts_free(opts);
        close_client(client);
        etcd3_queue_free(queue);
    }
}

static void a_request_above_the_limit_is_not_sent(void)
{
    static char value[2000];
    struct scripted server = serve("grpc");
    etcd3_config_t *config = config_of(&server, NULL, 5000);
    etcd3_client_t *client;
    etcd3_config_set_max_request_bytes(config, 1000);
    client = open_config(config);
    CHECK_OK(etcd3_put(client, K, value, 900, &err), err);
    CHECK_CODE(etcd3_put(client, K, value, sizeof value, &err), err, ETCD3_ERR_REQUEST_TOO_LARGE, "limit is 1000");
    CHECK_INT(asked(&server, "Put"), 1);
    close_client(client);
}

int main(void)
{
    RUN(a_transaction_of_reads_is_asked_again);
    RUN(streams_ask_for_a_leader_unless_told_not_to);
    RUN(a_request_above_the_limit_is_not_sent);
    return CHECK_DONE();
}
