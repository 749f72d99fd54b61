/* Wrong arguments to configurations, to clients, and to calls that do not block. In a forked child: fork.c. */
#include "calls.h"
#include "misuse.h"
#include "mute_server.h"

#define K "misuse_calls/k", ETCD3_NTS

static etcd3_queue_t *queue;

static void on_state(const etcd3_event_t *event, void *user_data)
{
    (void)event;
    ++*(int *)user_data;
}

static void on_line(int32_t level, const char *message, void *user_data)
{
    (void)level;
    (void)message;
    ++*(int *)user_data;
}

static void numbers_of_a_config(void)
{
    static const int64_t low[] = {0, -1, INT64_MIN, INT64_MAX};
    static const int64_t negative[] = {-1, INT64_MIN, INT64_MAX};
    static const int64_t frequent[] = {4999, 0, -1, INT64_MIN, INT64_MAX};
    static const int32_t levels[] = {0, 5, -1, INT32_MAX, INT32_MIN};
    static const int32_t versions[] = {11, 10, 0, 14, -1, 0x0303};
    static const int neither[] = {2, -1, 255};
    int n = 0, i;
    for (i = 0; i < 4; i++) {
        CONFIG_REFUSED(etcd3_config_set_timeout(config, low[i]), "timeout");
        CONFIG_REFUSED(etcd3_config_set_connect_timeout(config, low[i]), "timeout");
        CONFIG_REFUSED(etcd3_config_set_keepalive(config, 10000, low[i]), "timeout");
        CONFIG_REFUSED(etcd3_config_set_max_request_bytes(config, low[i]), "bytes");
    }
    for (i = 0; i < 3; i++) {
        CONFIG_REFUSED(etcd3_config_set_hedge_after(config, negative[i]), "time");
        CONFIG_REFUSED(etcd3_config_set_max_attempts(config, negative[i]), "attempts");
        CONFIG_REFUSED(etcd3_config_set_auto_sync(config, negative[i]), "interval");
        CONFIG_REFUSED(etcd3_config_set_require_leader(config, neither[i]), "yes");
    }
    for (i = 0; i < 5; i++) {
        CONFIG_REFUSED(etcd3_config_set_keepalive(config, frequent[i], 3000), "interval");
        CONFIG_REFUSED(etcd3_config_set_log(config, levels[i], on_line, &n), "level");
    }
    for (i = 0; i < 6; i++)
        CONFIG_REFUSED(etcd3_config_set_tls_min_version(config, versions[i]), "version");
    CONFIG_REFUSED(etcd3_config_set_max_request_bytes(config, (int64_t)1 << 31), "bytes");
    CONFIG_REFUSED(etcd3_config_set_keepalive(config, 4999, 3000), "4999");
    CONFIG_REFUSED(etcd3_config_set_max_attempts(config, -7), "-7");
    CONFIG_REFUSED(etcd3_config_set_tls_min_version(config, 11), "11");
    CHECK_INT(n, 0);
}

/* What the limits admit: a client is opened with it, and works. */
static void numbers_at_the_edge(void)
{
    etcd3_config_t *config = env_config();
    etcd3_client_t *opened = NULL;
    etcd3_config_set_timeout(config, 1000000);
    etcd3_config_set_connect_timeout(config, PATIENCE_MS);
    etcd3_config_set_keepalive(config, 5000, 1);
    etcd3_config_set_hedge_after(config, 0);
    etcd3_config_set_max_attempts(config, 0);
    etcd3_config_set_max_attempts(config, 1);
    etcd3_config_set_auto_sync(config, 0);
    etcd3_config_set_require_leader(config, 0);
    etcd3_config_set_require_leader(config, 1);
    etcd3_config_set_max_request_bytes(config, INT32_MAX);
    etcd3_config_allow_mixed_schemes(config);
    CHECK_OK(etcd3_client_open(config, &opened, &err), err);
    etcd3_config_free(config);
    put(opened, "misuse_calls/edge", "v");
    close_client(opened);
    last_revision++;
    still_works(__LINE__);
}

static void functions_of_a_config(void)
{
    int n = 0;
    CONFIG_REFUSED(etcd3_config_set_events(config, NULL, NULL, &n), "fn");
    CONFIG_REFUSED(etcd3_config_set_log(config, ETCD3_LOG_DEBUG, NULL, &n), "fn");
    QUIET(etcd3_config_set_events(NULL, queue, on_state, &n));
    QUIET(etcd3_config_set_log(NULL, ETCD3_LOG_DEBUG, on_line, &n));
    QUIET(etcd3_config_allow_mixed_schemes(NULL));
    QUIET(etcd3_config_set_connect_timeout(NULL, 1));
    QUIET(etcd3_config_set_keepalive(NULL, 5000, 1));
    QUIET(etcd3_config_set_hedge_after(NULL, 1));
    QUIET(etcd3_config_set_max_attempts(NULL, 1));
    QUIET(etcd3_config_set_max_request_bytes(NULL, 1));
    QUIET(etcd3_config_set_require_leader(NULL, 1));
    QUIET(etcd3_config_set_auto_sync(NULL, 1));
    QUIET(etcd3_config_set_credentials(NULL, "root", "secret"));
    QUIET(etcd3_config_set_token(NULL, "token"));
    QUIET(etcd3_config_set_tls_files(NULL, "ca.pem", NULL, NULL));
    QUIET(etcd3_config_set_tls_pem(NULL, "ca", 2, NULL, 0, NULL, 0));
    QUIET(etcd3_config_set_tls_system_roots(NULL));
    QUIET(etcd3_config_set_tls_server_name(NULL, "name"));
    QUIET(etcd3_config_set_tls_min_version(NULL, ETCD3_TLS_1_3));
    QUIET(etcd3_config_set_tls_skip_verify(NULL));
    CHECK_INT(n, 0);
}

static void credentials_of_a_config(void)
{
    CONFIG_REFUSED(etcd3_config_set_credentials(config, "", "secret"), "user");
    CONFIG_REFUSED(etcd3_config_set_credentials(config, NULL, "secret"), "user");
    CONFIG_REFUSED(etcd3_config_set_credentials(config, "\xff", "secret"), "user");
    CONFIG_REFUSED(etcd3_config_set_credentials(config, "root", NULL), "password");
    CONFIG_REFUSED(etcd3_config_set_credentials(config, "root", "\xff"), "password");
    CONFIG_REFUSED(etcd3_config_set_token(config, NULL), "token");
    CONFIG_REFUSED(etcd3_config_set_token(config, ""), "token");
    CONFIG_REFUSED(etcd3_config_set_token(config, "two words"), "token");
    CONFIG_REFUSED(etcd3_config_set_token(config, "line\nend"), "token");
    CONFIG_REFUSED(etcd3_config_set_token(config, "caf\xc3\xa9"), "token");
    CONFIG_REFUSED((etcd3_config_set_token(config, "token"), etcd3_config_set_credentials(config, "root", "secret")),
                   "password and a token");
    CONFIG_REFUSED((etcd3_config_set_credentials(config, "root", "secret"), etcd3_config_set_token(config, "token")),
                   "password and a token");
}

#define ABSENT "/nonexistent/misuse_calls.pem"

static void tls_of_a_config(void)
{
    CONFIG_REFUSED(etcd3_config_set_tls_files(config, NULL, "cert.pem", NULL), "key");
    CONFIG_REFUSED(etcd3_config_set_tls_files(config, NULL, NULL, "key.pem"), "cert");
    CONFIG_REFUSED(etcd3_config_set_tls_pem(config, NULL, 0, "cert", 4, NULL, 0), "key");
    CONFIG_REFUSED(etcd3_config_set_tls_pem(config, NULL, 0, NULL, 0, "key", 3), "cert");
    CONFIG_REFUSED(etcd3_config_set_tls_pem(config, NULL, 7, NULL, 0, NULL, 0), "ca");
    CONFIG_REFUSED(etcd3_config_set_tls_pem(config, NULL, ETCD3_NTS, NULL, 0, NULL, 0), "ca");
    CONFIG_REFUSED(etcd3_config_set_tls_server_name(config, NULL), "name");
    CONFIG_REFUSED(etcd3_config_set_tls_server_name(config, ""), "name");
    CONFIG_REFUSED(etcd3_config_set_tls_server_name(config, "two words"), "name");
    CONFIG_REFUSED(etcd3_config_set_tls_server_name(config, "\xff"), "name");
    CONFIG_REFUSED_AS(etcd3_config_set_tls_files(config, ABSENT, NULL, NULL), ETCD3_ERR_TLS, ABSENT);
    CONFIG_REFUSED_AS(etcd3_config_set_tls_files(config, NULL, ABSENT, "/dev/null"), ETCD3_ERR_TLS, ABSENT);
    CONFIG_REFUSED_AS(etcd3_config_set_tls_pem(config, "no PEM", 6, NULL, 0, NULL, 0), ETCD3_ERR_TLS, "ca");
    CONFIG_REFUSED_AS(etcd3_config_set_tls_pem(config, "", 0, "no PEM", 6, "no PEM", 6), ETCD3_ERR_TLS, "");
}

static void functions_of_a_client(void)
{
    const char *list[] = {"127.0.0.1:1"};
    etcd3_endpoints_t *endpoints = NULL;
    CHECK_INT(etcd3_client_counter(client, NULL), -1);
    CHECK_INT(etcd3_client_counter(NULL, "calls"), -1);
    REFUSED(etcd3_client_wait_connected(NULL, 1000, &err), "client");
    REFUSED(etcd3_client_wait_connected(client, 0, &err), "timeout");
    REFUSED(etcd3_client_wait_connected(client, -1, &err), "timeout");
    REFUSED(etcd3_client_wait_connected(client, INT64_MIN, &err), "timeout");
    REFUSED(etcd3_client_wait_connected(client, INT64_MAX, &err), "timeout");
    REFUSED(etcd3_client_close(client, -1, &err), "timeout");
    REFUSED(etcd3_client_set_endpoints(NULL, list, 1, &err), "client");
    REFUSED(etcd3_client_set_endpoints(client, NULL, 1, &err), "endpoints");
    REFUSED(etcd3_client_set_endpoints(client, list, 0, &err), "endpoints");
    REFUSED(etcd3_client_set_endpoints(client, list, (size_t)-1, &err), "endpoints");
    REFUSED(etcd3_client_endpoints(NULL, &endpoints, &err), "client");
    REFUSED(etcd3_client_endpoints(client, NULL, &err), "endpoints");
    CHECK(endpoints == NULL && etcd3_endpoints_count(NULL) == 0 && etcd3_endpoints_at(NULL, 0) == NULL);
    QUIET(etcd3_endpoints_free(NULL));
    REFUSED(etcd3_client_sync(NULL, &err), "client");
    REFUSED(etcd3_client_reload_tls(NULL, &err), "client");
    REFUSED(etcd3_client_reload_tls(client, &err), "TLS");
    REFUSED(etcd3_client_set_credentials(NULL, "root", "secret", &err), "client");
    REFUSED(etcd3_client_set_credentials(client, "", "secret", &err), "user");
    REFUSED(etcd3_client_set_credentials(client, NULL, "secret", &err), "user");
    REFUSED(etcd3_client_set_credentials(client, "root", NULL, &err), "password");
    REFUSED(etcd3_client_set_token(NULL, "token", &err), "client");
    REFUSED(etcd3_client_set_token(client, NULL, &err), "token");
    REFUSED(etcd3_client_set_token(client, "", &err), "token");
    REFUSED(etcd3_client_set_token(client, "two words", &err), "token");
    /* None is a choice too. */
    CHECK_OK(etcd3_client_set_credentials(client, NULL, NULL, &err), err);
    still_works(__LINE__);
}

static void put_if_revision(void)
{
    int done = 7;
    REFUSED(etcd3_put_if_revision(NULL, K, 0, "v", 1, &done, &err), "client");
    REFUSED(etcd3_put_if_revision(client, "", 0, 0, "v", 1, &done, &err), "key");
    REFUSED(etcd3_put_if_revision(client, NULL, 3, 0, "v", 1, &done, &err), "key");
    REFUSED(etcd3_put_if_revision(client, K, -1, "v", 1, &done, &err), "mod_revision");
    REFUSED(etcd3_put_if_revision(client, K, INT64_MIN, "v", 1, &done, &err), "mod_revision");
    REFUSED(etcd3_put_if_revision(client, K, 0, NULL, 1, &done, &err), "value");
    REFUSED(etcd3_put_if_revision(client, K, 0, "v", 1, NULL, &err), "succeeded");
    CHECK_INT(done, 7);
}

static void count(const etcd3_event_t *event, void *user_data)
{
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_DONE);
    ++*(int *)user_data;
}

static void calls(void)
{
    etcd3_op_t *op = etcd3_op_put(K, "v", 1), *bad = etcd3_op_get(K), *empty = etcd3_op_get("", 0);
    etcd3_call_t *call = NULL;
    size_t ran = 99;
    int done = 0;
    etcd3_op_set_limit(bad, -1);
    etcd3_op_set_timeout(bad, -1);
    REFUSED(etcd3_execute_async(NULL, op, queue, count, &done, &call, &err), "client");
    REFUSED(etcd3_execute_async(client, NULL, queue, count, &done, &call, &err), "op");
    REFUSED(etcd3_execute_async(client, op, NULL, NULL, &done, &call, &err), "fn");
    REFUSED(etcd3_execute_async(client, bad, queue, count, &done, &call, &err), "limit: must not be negative, got -1");
    REFUSED(etcd3_execute_async(client, bad, NULL, count, &done, NULL, &err), "limit");
    REFUSED(etcd3_execute_async(client, empty, queue, count, &done, &call, &err), "key");
    CHECK_INT(etcd3_execute_async(client, op, NULL, NULL, NULL, NULL, NULL), ETCD3_ERR_INVALID_ARGUMENT);
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, &ran, &err), err);
    CHECK_INT(ran, 0);
    CHECK_INT(done, 0);
    CHECK(call == NULL);
    QUIET(etcd3_call_cancel(NULL));
    QUIET(etcd3_call_free(NULL));
    CHECK(etcd3_event_result(NULL) == NULL);
    etcd3_op_free(op);
    etcd3_op_free(bad);
    etcd3_op_free(empty);
}

static void cancellations(void)
{
    etcd3_cancel_t *cancel = etcd3_cancel_new();
    etcd3_op_t *op = etcd3_op_get(K);
    QUIET(etcd3_cancel_trigger(NULL));
    QUIET(etcd3_cancel_free(NULL));
    QUIET(etcd3_op_set_cancel(NULL, cancel));
    QUIET(etcd3_op_set_require_leader(NULL));
    etcd3_op_set_cancel(op, NULL);
    OP_REFUSED(op, "cancel");
    etcd3_cancel_free(cancel);
}

static void after_close(void)
{
    etcd3_client_t *own = open_client();
    etcd3_op_t *op = etcd3_op_get(K);
    etcd3_call_t *call = NULL;
    const char *list[] = {"127.0.0.1:1"};
    int done = 0;
    size_t ran = 99;
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    REFUSED_AS(etcd3_execute_async(own, op, queue, count, &done, &call, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_execute_async(own, op, NULL, count, &done, NULL, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_client_wait_connected(own, 1000, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_client_set_endpoints(own, list, 1, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_client_sync(own, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_put_if_revision(own, K, 0, "v", 1, &done, &err), ETCD3_ERR_CLOSED, "closed");
    /* A wrong argument is named as such, closed or not. */
    REFUSED(etcd3_execute_async(own, op, NULL, NULL, NULL, &call, &err), "fn");
    REFUSED(etcd3_client_wait_connected(own, 0, &err), "timeout");
    REFUSED(etcd3_client_set_token(own, "two words", &err), "token");
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, &ran, &err), err);
    CHECK_INT(ran, 0);
    CHECK_INT(done, 0);
    CHECK(call == NULL);
    CHECK_INT(etcd3_client_counter(own, "calls"), 0);
    etcd3_op_free(op);
    etcd3_client_free(own);
}

/* Client, queue, call and op in several orders, before the outcome is there: still it comes, once. */
static void frees_in_any_order(void)
{
    static const char *const orders[] = {"kqco", "qcko", "ckqo", "okqc", "cqok", "qokc", "kcoq", "ocqk"};
    struct mute_server server;
    size_t i, j;
    mute_start(&server, READS);
    for (i = 0; i < sizeof orders / sizeof *orders; i++) {
        etcd3_client_t *own = client_of(server.endpoint, PATIENCE_MS);
        etcd3_queue_t *to = new_queue();
        etcd3_op_t *op = etcd3_op_get(K);
        etcd3_call_t *call = NULL;
        int done = 0;
        CHECK_OK(etcd3_execute_async(own, op, to, count, &done, &call, &err), err);
        mute_await_requests(&server, (int)i + 1);
        for (j = 0; j < 4; j++)
            switch (orders[i][j]) {
            case 'c': QUIET(etcd3_client_free(own)); break;
            case 'q': QUIET(etcd3_queue_free(to)); break;
            case 'k': QUIET(etcd3_call_free(call)); break;
            default: QUIET(etcd3_op_free(op)); break;
            }
        CHECK_INT(done, 1);
    }
    mute_stop(&server);
}

/* A client whose events nobody can be told any more goes on all the same. */
static void the_queue_of_a_clients_events_goes_first(void)
{
    etcd3_queue_t *to = new_queue();
    etcd3_config_t *config = env_config();
    etcd3_client_t *own = NULL;
    int told = 0;
    etcd3_config_set_events(config, to, on_state, &told);
    CHECK_OK(etcd3_client_open(config, &own, &err), err);
    etcd3_config_free(config);
    etcd3_queue_free(to);
    CHECK_INT(told, 1);
    put(own, "misuse_calls/told", "v");
    close_client(own);
    last_revision++;
    still_works(__LINE__);
    CHECK_INT(told, 1);
}

int main(void)
{
    client = open_client();
    queue = new_queue();
    RUN(numbers_of_a_config);
    RUN(numbers_at_the_edge);
    RUN(functions_of_a_config);
    RUN(credentials_of_a_config);
    RUN(tls_of_a_config);
    RUN(functions_of_a_client);
    RUN(put_if_revision);
    RUN(calls);
    RUN(cancellations);
    RUN(after_close);
    RUN(frees_in_any_order);
    RUN(the_queue_of_a_clients_events_goes_first);
    etcd3_queue_free(queue);
    etcd3_client_free(client);
    return CHECK_DONE();
}
