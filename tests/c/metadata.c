/* What the caller adds to the headers: the client's on every call and stream, the op's on its own call. */
#include "scripted.h"

#define K "k", 1

static struct scripted server;

static etcd3_config_t *with_metadata(void)
{
    etcd3_config_t *config = config_of(&server, NULL, PATIENCE_MS);
    etcd3_config_add_metadata(config, "x-tenant", "blue team");
    etcd3_config_add_metadata(config, "x-many", "1");
    etcd3_config_add_metadata(config, "x-many", "2");
    etcd3_config_add_metadata(config, "x-raw-bin", "AAEC/w==");
    return config;
}

#define HEADER(method, i, name, want) \
    CHECK_STR(ask("header %d %s %d %s", server.number, method, i, name), want)

static void has_the_clients(const char *method, int i)
{
    HEADER(method, i, "x-tenant", "blue team");
    HEADER(method, i, "x-many", "1");
    HEADER(method, i, "x-raw-bin", "AAEC/w==");
}

static void on_every_call(void)
{
    etcd3_client_t *client = open_config(with_metadata());
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    int done = 0;
    char agent[40];
    forget(&server);
    CHECK_OK(etcd3_get(client, K, &r, &err), err);
    etcd3_result_free(r);
    put(client, "k", "v");
    CHECK_OK(etcd3_delete(client, K, NULL, &err), err);
    CHECK_OK(etcd3_put_if_absent(client, K, "v", 1, &done, &err), err);
    has_the_clients("Range", 0);
    has_the_clients("Put", 0);
    has_the_clients("DeleteRange", 0);
    has_the_clients("Txn", 0);
    /* Who asks is named on each, and cannot be renamed. */
    snprintf(agent, sizeof agent, "libetcd3/%s", etcd3_version_string());
    HEADER("Range", 0, "user-agent", agent);
    HEADER("Put", 0, "user-agent", agent);
    /* Both values of a name. */
    CHECK(strstr(ask("dump %d", server.number), "\"x-many\":\"1\",\"x-many\":\"2\"") != NULL);
    close_client(client);
}

static void on_calls_that_ask_for_a_token(void)
{
    etcd3_config_t *config = with_metadata();
    etcd3_client_t *client;
    etcd3_op_t *op = etcd3_op_put(K, "v", 1);
    etcd3_config_set_credentials(config, "root", "secret");
    client = open_config(config);
    etcd3_op_add_metadata(op, "x-trace", "7");
    forget(&server);
    etcd3_result_free(EXECUTE(client, op));
    has_the_clients("Authenticate", 0);
    HEADER("Authenticate", 0, "x-trace", "-");
    has_the_clients("Put", 0);
    HEADER("Put", 0, "x-trace", "7");
    CHECK(strcmp(ask("header %d Put 0 token", server.number), "-") != 0);
    close_client(client);
}

static void of_an_op_on_its_call_alone(void)
{
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_op_t *op = etcd3_op_get(K), *txn = etcd3_op_txn(), *inner = etcd3_op_get(K);
    forget(&server);
    /* Sent again with the call that is sent again. */
    script(&server, "Range 1 status 14 etcdserver: leader changed");
    etcd3_op_add_metadata(op, "x-trace", "42");
    etcd3_op_set_require_leader(op);
    etcd3_result_free(EXECUTE(client, op));
    etcd3_result_free(EXECUTE(client, etcd3_op_get(K)));
    etcd3_op_add_metadata(inner, "x-trace", "inside");
    etcd3_txn_then(txn, inner);
    etcd3_op_free(inner);
    etcd3_result_free(EXECUTE(client, txn));
    HEADER("Range", 0, "x-trace", "42");
    HEADER("Range", 1, "x-trace", "42");
    HEADER("Range", 1, "hasleader", "true");
    HEADER("Range", 2, "x-trace", "-");
    HEADER("Txn", 0, "x-trace", "-");
    CHECK_INT(asked(&server, "Range"), 3);
    close_client(client);
}

static void of_a_call_that_does_not_block(void)
{
    etcd3_client_t *client = open_config(with_metadata());
    etcd3_op_t *op = etcd3_op_get(K);
    etcd3_queue_t *queue = NULL;
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    forget(&server);
    etcd3_op_add_metadata(op, "x-trace", "async");
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_execute_async(client, op, queue, NULL, NULL, NULL, &err), err);
    etcd3_op_free(op);
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK(etcd3_event_error(event) == NULL);
    etcd3_event_free(event);
    has_the_clients("Range", 0);
    HEADER("Range", 0, "x-trace", "async");
    etcd3_queue_free(queue);
    close_client(client);
}

static void on_streams(void)
{
    etcd3_client_t *client = open_config(with_metadata());
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(K);
    etcd3_queue_t *queue = NULL;
    etcd3_watch_t *watch = NULL;
    etcd3_error_t *err = NULL;
    forget(&server);
    etcd3_watch_opts_set_start_revision(opts, 1);
    etcd3_watch_opts_add_metadata(opts, "x-own-bin", "AAE=");
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err), err);
    ask("await %d Watch 1", server.number);
    has_the_clients("Watch", 0);
    HEADER("Watch", 0, "x-own-bin", "AAE=");
    HEADER("Watch", 0, "hasleader", "true");
    CHECK(strncmp(ask("header %d Watch 0 user-agent", server.number), "libetcd3/", 9) == 0);
    etcd3_watch_opts_free(opts);
    etcd3_watch_free(watch);
    etcd3_queue_free(queue);
    close_client(client);
}

int main(void)
{
    server = serve("grpc");
    RUN(on_every_call);
    RUN(on_calls_that_ask_for_a_token);
    RUN(of_an_op_on_its_call_alone);
    RUN(of_a_call_that_does_not_block);
    RUN(on_streams);
    return CHECK_DONE();
}
