/* Each argument of keys, transactions, raw calls, configurations, clients and queues, wrong in each way. */
#include "table.h"

#define K "misuse/k", ETCD3_NTS

static etcd3_result_t *no_result;
static etcd3_event_t *no_event;
static etcd3_range_t *no_range;
static etcd3_client_t *no_client, *no_namespaced;
static etcd3_endpoints_t *no_endpoints;
static etcd3_queue_t *no_queue;
static int no_succeeded;

static etcd3_config_t *config;
static etcd3_op_t *op;
static etcd3_cancel_t *cancel;
static etcd3_range_t *range;

static etcd3_op_t *a_get(void) { return etcd3_op_get(K); }
static etcd3_op_t *guarded(void)
{
    etcd3_op_t *txn = etcd3_op_txn();
    etcd3_txn_if_version(txn, K, ETCD3_EQUAL, 1);
    return txn;
}

static void on_line(int32_t level, const char *message, void *user_data)
{
    (void)level;
    (void)message;
    (void)user_data;
}

/* May be left out, but not be NULL with a length. */
#define PEM(x) bytes_of(#x, 4, NULL), length_of(#x, 0)
#define KEEPALIVE(x) number_of(#x, 5000, 4, not_a_limit)
#define RESOLVER(x) text_of(#x, 1, "127.0.0.1:1")
#define CMP(x) ONE_OF(x, ETCD3_EQUAL, ETCD3_EQUAL, ETCD3_NOT_EQUAL)

/* clang-format off */
#define ROWS(CALL, MAKE, SET) \
    CALL(etcd3_get, (HANDLE(client), KEY(key), OUT(result), &err)) \
    CALL(etcd3_get_prefix, (HANDLE(client), VALUE(prefix), OUT(result), &err)) \
    CALL(etcd3_get_all, (HANDLE(client), OUT(result), &err)) \
    CALL(etcd3_put, (HANDLE(client), KEY(key), VALUE(value), &err)) \
    CALL(etcd3_put_if_absent, (HANDLE(client), KEY(key), VALUE(value), OUT(succeeded), &err)) \
    CALL(etcd3_replace, (HANDLE(client), KEY(key), VALUE(initial), VALUE(new_value), OUT(succeeded), &err)) \
    CALL(etcd3_put_if_revision, (HANDLE(client), KEY(key), NOT_NEGATIVE(mod_revision), VALUE(value), OUT(succeeded), &err)) \
    CALL(etcd3_delete, (HANDLE(client), KEY(key), ANY(deleted, NULL), &err)) \
    CALL(etcd3_delete_prefix, (HANDLE(client), VALUE(prefix), ANY(deleted, NULL), &err)) \
    CALL(etcd3_execute, (HANDLE(client), HANDLE(op), OUT(result), &err)) \
    CALL(etcd3_execute_async, (HANDLE(client), HANDLE(op), QUEUE, ANY(call, NULL), &err)) \
    CALL(etcd3_call_raw, (HANDLE(client), TEXT(path, "/misuse.Misuse/Raw"), VALUE(request), \
                          ONE_OF(repeat, 0, ETCD3_REPEAT_NEVER, ETCD3_REPEAT_FREELY), LIMIT_OR_USUAL(timeout_ms), \
                          OUT(result), &err)) \
    MAKE(op, etcd3_op_raw, (TEXT(path, "/misuse.Misuse/Raw"), VALUE(request), \
                            ONE_OF(repeat, 0, ETCD3_REPEAT_NEVER, ETCD3_REPEAT_FREELY))) \
    MAKE(op, etcd3_op_get, (KEY(key))) \
    MAKE(op, etcd3_op_put, (KEY(key), VALUE(value))) \
    MAKE(op, etcd3_op_delete, (KEY(key))) \
    SET(op, etcd3_op_set_range_end, a_get(), (op, KEY_IS(end, "z"))) \
    SET(op, etcd3_op_set_limit, a_get(), (op, NOT_NEGATIVE(limit))) \
    SET(op, etcd3_op_set_revision, a_get(), (op, NOT_NEGATIVE(revision))) \
    SET(op, etcd3_op_set_sort, a_get(), (op, ONE_OF(target, 0, ETCD3_SORT_BY_KEY, ETCD3_SORT_BY_VALUE), \
                                         ONE_OF(order, 0, ETCD3_SORT_NONE, ETCD3_SORT_DESCENDING))) \
    SET(op, etcd3_op_set_min_mod_revision, a_get(), (op, NOT_NEGATIVE(revision))) \
    SET(op, etcd3_op_set_max_mod_revision, a_get(), (op, NOT_NEGATIVE(revision))) \
    SET(op, etcd3_op_set_min_create_revision, a_get(), (op, NOT_NEGATIVE(revision))) \
    SET(op, etcd3_op_set_max_create_revision, a_get(), (op, NOT_NEGATIVE(revision))) \
    SET(op, etcd3_op_set_timeout, a_get(), (op, LIMIT(timeout_ms))) \
    SET(op, etcd3_op_add_metadata, a_get(), (op, TEXT(name, "x-name"), ANY_TEXT(value, "v"))) \
    SET(op, etcd3_op_set_cancel, a_get(), (op, HANDLE(cancel))) \
    SET(txn, etcd3_txn_if_value, etcd3_op_txn(), (txn, KEY(key), CMP(cmp), VALUE(value))) \
    SET(txn, etcd3_txn_if_version, etcd3_op_txn(), (txn, KEY(key), CMP(cmp), NOT_NEGATIVE(version))) \
    SET(txn, etcd3_txn_if_create_revision, etcd3_op_txn(), (txn, KEY(key), CMP(cmp), NOT_NEGATIVE(revision))) \
    SET(txn, etcd3_txn_if_mod_revision, etcd3_op_txn(), (txn, KEY(key), CMP(cmp), NOT_NEGATIVE(revision))) \
    SET(txn, etcd3_txn_if_lease, etcd3_op_txn(), (txn, KEY(key), CMP(cmp), ANY(lease_id, 0))) \
    SET(txn, etcd3_txn_if_range_end, guarded(), (txn, KEY_IS(end, "z"))) \
    SET(txn, etcd3_txn_then, etcd3_op_txn(), (txn, HANDLE(op))) \
    SET(txn, etcd3_txn_else, etcd3_op_txn(), (txn, HANDLE(op))) \
    SET(config, etcd3_config_add_endpoint, etcd3_config_new(), (config, TEXT(endpoint, "localhost"))) \
    SET(config, etcd3_config_set_timeout, etcd3_config_new(), (config, LIMIT(timeout_ms))) \
    SET(config, etcd3_config_set_connect_timeout, etcd3_config_new(), (config, LIMIT(timeout_ms))) \
    SET(config, etcd3_config_set_keepalive, etcd3_config_new(), \
        (config, KEEPALIVE(interval_ms), LIMIT(timeout_ms))) \
    SET(config, etcd3_config_set_hedge_after, etcd3_config_new(), (config, WAIT(time_ms))) \
    SET(config, etcd3_config_set_max_attempts, etcd3_config_new(), (config, NOT_NEGATIVE(attempts))) \
    SET(config, etcd3_config_set_max_request_bytes, etcd3_config_new(), (config, SIZE(bytes))) \
    SET(config, etcd3_config_set_require_leader, etcd3_config_new(), (config, YES(yes))) \
    SET(config, etcd3_config_set_ordering, etcd3_config_new(), (config, YES(yes))) \
    SET(config, etcd3_config_set_watch_buffer, etcd3_config_new(), (config, SIZE(max_bytes))) \
    SET(config, etcd3_config_add_metadata, etcd3_config_new(), (config, TEXT(name, "x-name"), ANY_TEXT(value, "v"))) \
    SET(config, etcd3_config_set_watch_probe, etcd3_config_new(), (config, WAIT(idle_ms), LIMIT(answer_ms))) \
    SET(config, etcd3_config_set_auto_sync, etcd3_config_new(), (config, WAIT(interval_ms))) \
    SET(config, etcd3_config_set_events, etcd3_config_new(), (config, QUEUE)) \
    SET(config, etcd3_config_set_log, etcd3_config_new(), \
        (config, ONE_OF(level, ETCD3_LOG_INFO, ETCD3_LOG_ERROR, ETCD3_LOG_DEBUG), FUNCTION(fn, on_line), NULL)) \
    SET(config, etcd3_config_load_text, etcd3_config_new(), (config, VALUE(text))) \
    SET(config, etcd3_config_load_file, etcd3_config_new(), (config, TEXT(path, "misuse.yaml"))) \
    SET(config, etcd3_config_set_credentials, etcd3_config_new(), (config, TEXT(user, "u"), ANY_TEXT(password, "p"))) \
    SET(config, etcd3_config_set_token, etcd3_config_new(), (config, TEXT(token, "t"))) \
    SET(config, etcd3_config_set_tls_files, etcd3_config_new(), \
        (config, OPTIONAL_TEXT(ca), OPTIONAL_TEXT(cert), OPTIONAL_TEXT(key))) \
    SET(config, etcd3_config_set_tls_server_name, etcd3_config_new(), (config, TEXT(name, "n"))) \
    SET(config, etcd3_config_set_tls_min_version, etcd3_config_new(), \
        (config, ONE_OF(version, ETCD3_TLS_1_2, ETCD3_TLS_1_2, ETCD3_TLS_1_3))) \
    SET(config, etcd3_config_set_tls_pem, etcd3_config_new(), (config, PEM(ca), PEM(cert), PEM(key))) \
    CALL(etcd3_config_discover_srv, (HANDLE(config), TEXT(domain, "a.test"), OPTIONAL_TEXT(service_name), \
                                     RESOLVER(resolver), LIMIT(timeout_ms), &err)) \
    CALL(etcd3_client_open, (ANY(config, NULL), OUT(client), &err)) \
    CALL(etcd3_client_close, (HANDLE(client), WAIT(timeout_ms), &err)) \
    CALL(etcd3_client_wait_connected, (HANDLE(client), LIMIT(timeout_ms), &err)) \
    CALL(etcd3_client_sync, (HANDLE(client), &err)) \
    CALL(etcd3_client_set_endpoints, (HANDLE(client), URLS(endpoints), &err)) \
    CALL(etcd3_client_endpoints, (HANDLE(client), OUT(endpoints), &err)) \
    CALL(etcd3_client_set_credentials, (HANDLE(client), TEXT(user, "u"), ANY_TEXT(password, "p"), &err)) \
    CALL(etcd3_client_set_token, (HANDLE(client), TEXT(token, "t"), &err)) \
    CALL(etcd3_client_reload_tls, (HANDLE(client), &err)) \
    CALL(etcd3_namespace_open, (HANDLE(client), KEY(prefix), OUT(namespaced), &err)) \
    CALL(etcd3_queue_new, (OUT(queue), &err)) \
    CALL(etcd3_queue_next, (HANDLE(queue), WAIT_OR_FOR_EVER(timeout_ms), OUT(event), &err)) \
    CALL(etcd3_queue_dispatch, (HANDLE(queue), ANY(max, 0), WAIT_OR_FOR_EVER(timeout_ms), ANY(ran, NULL), &err)) \
    CALL(etcd3_range_open, (HANDLE(client), HANDLE(op), NOT_NEGATIVE(page), OUT(range), &err)) \
    CALL(etcd3_range_next, (HANDLE(range), OUT(result), &err))
/* clang-format on */

TABLE(ROWS)

/* What cannot complain does nothing, and what reads answers 0, NULL or "". */
static void nothing_takes_null_amiss(void)
{
    CHECK_INT(etcd3_error_code(NULL), ETCD3_OK);
    CHECK_STR(etcd3_error_message(NULL), "");
    CHECK_INT(etcd3_error_grpc_status(NULL), -1);
    CHECK_STR(etcd3_error_endpoint(NULL), "");
    CHECK_INT(etcd3_error_is_retryable(NULL), 0);
    CHECK_INT(etcd3_error_maybe_applied(NULL), 0);
    CHECK_INT(etcd3_result_kind(NULL), 0);
    CHECK_INT(etcd3_result_revision(NULL), 0);
    CHECK_INT(etcd3_result_cluster_id(NULL), 0);
    CHECK_INT(etcd3_result_member_id(NULL), 0);
    CHECK_INT(etcd3_result_raft_term(NULL), 0);
    CHECK(etcd3_result_header(NULL) == NULL);
    CHECK_INT(etcd3_result_count(NULL), 0);
    CHECK_INT(etcd3_result_more(NULL), 0);
    CHECK_INT(etcd3_result_kv_count(NULL), 0);
    CHECK(etcd3_result_kv(NULL, 0) == NULL);
    CHECK_INT(etcd3_result_prev_kv_count(NULL), 0);
    CHECK(etcd3_result_prev_kv(NULL, 0) == NULL);
    CHECK_INT(etcd3_result_succeeded(NULL), 0);
    CHECK_INT(etcd3_result_response_count(NULL), 0);
    CHECK(etcd3_result_response(NULL, 0) == NULL);
    CHECK(etcd3_result_data(NULL, NULL) == NULL);
    CHECK_INT(etcd3_event_type(NULL), 0);
    CHECK(etcd3_event_user_data(NULL) == NULL);
    CHECK_INT(etcd3_event_revision(NULL), 0);
    CHECK_INT(etcd3_event_change_count(NULL), 0);
    CHECK(etcd3_event_change(NULL, 0) == NULL);
    CHECK_INT(etcd3_event_state(NULL), 0);
    CHECK(etcd3_event_error(NULL) == NULL);
    CHECK_INT(etcd3_event_compact_revision(NULL), 0);
    etcd3_client_cancel_calls(NULL);
    etcd3_error_free(NULL);
    etcd3_result_free(NULL);
    etcd3_config_free(NULL);
    etcd3_client_free(NULL);
    etcd3_op_free(NULL);
}

int main(void)
{
    RUN(nothing_takes_null_amiss);
    table_start();
    op = a_get();
    cancel = etcd3_cancel_new();
    config = etcd3_config_new();
    CHECK_OK(etcd3_range_open(client, op, 0, &range, &err), err);
    RUN_TABLE();
    etcd3_range_free(range);
    etcd3_op_free(op);
    etcd3_cancel_free(cancel);
    etcd3_config_free(config);
    table_end();
    return CHECK_DONE();
}
