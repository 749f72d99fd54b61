/* Codes, their names, error objects, and the library's version. */
#include "check.h"

#define PREFIX "test_error/"

static etcd3_client_t *client;

static void version_is_the_headers(void)
{
    CHECK_INT(etcd3_version_number(), ETCD3_VERSION_NUMBER);
    CHECK_STR(etcd3_version_string(), ETCD3_VERSION_STRING);
    CHECK_INT(ETCD3_VERSION_NUMBER, ETCD3_VERSION_MAJOR << 16 | ETCD3_VERSION_MINOR << 8 | ETCD3_VERSION_PATCH);
}

static void codes_have_names_and_frozen_numbers(void)
{
    static const struct {
        etcd3_code_t code, number;
        const char *name;
    } rows[] = {
        {ETCD3_OK, 0, "ETCD3_OK"},
        {ETCD3_ERR_INVALID_ARGUMENT, 1, "ETCD3_ERR_INVALID_ARGUMENT"},
        {ETCD3_ERR_TIMEOUT, 2, "ETCD3_ERR_TIMEOUT"},
        {ETCD3_ERR_CANCELED, 3, "ETCD3_ERR_CANCELED"},
        {ETCD3_ERR_UNAVAILABLE, 4, "ETCD3_ERR_UNAVAILABLE"},
        {ETCD3_ERR_CLOSED, 5, "ETCD3_ERR_CLOSED"},
        {ETCD3_ERR_FORKED, 6, "ETCD3_ERR_FORKED"},
        {ETCD3_ERR_INTERRUPTED, 7, "ETCD3_ERR_INTERRUPTED"},
        {ETCD3_ERR_BUSY, 8, "ETCD3_ERR_BUSY"},
        {ETCD3_ERR_AMBIGUOUS, 9, "ETCD3_ERR_AMBIGUOUS"},
        {ETCD3_ERR_PROTOCOL, 10, "ETCD3_ERR_PROTOCOL"},
        {ETCD3_ERR_SYSTEM, 11, "ETCD3_ERR_SYSTEM"},
        {ETCD3_ERR_SERVER, 98, "ETCD3_ERR_SERVER"},
        {ETCD3_ERR_INTERNAL, 99, "ETCD3_ERR_INTERNAL"},
    };
    size_t i;
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_INT(rows[i].code, rows[i].number);
        CHECK_STR(etcd3_code_name(rows[i].code), rows[i].name);
    }
    CHECK_STR(etcd3_code_name(ETCD3_ERR_KEY_NOT_FOUND), "ETCD3_ERR_KEY_NOT_FOUND");
    CHECK_STR(etcd3_code_name(ETCD3_ERR_DUPLICATE_KEY), "ETCD3_ERR_DUPLICATE_KEY");
    CHECK_STR(etcd3_code_name(ETCD3_ERR_COMPACTED), "ETCD3_ERR_COMPACTED");
    CHECK_STR(etcd3_code_name(ETCD3_ERR_LEASE_NOT_FOUND), "ETCD3_ERR_LEASE_NOT_FOUND");
    CHECK_STR(etcd3_code_name(-1), "ETCD3_ERR_?");
    CHECK_STR(etcd3_code_name(50), "ETCD3_ERR_?");
    CHECK_STR(etcd3_code_name(INT32_MAX), "ETCD3_ERR_?");
    CHECK_STR(etcd3_code_name(INT32_MIN), "ETCD3_ERR_?");
}

static void no_error_reads_as_ok(void)
{
    CHECK_INT(etcd3_error_code(NULL), ETCD3_OK);
    CHECK_STR(etcd3_error_message(NULL), "");
    CHECK_STR(etcd3_error_endpoint(NULL), "");
    CHECK_INT(etcd3_error_grpc_status(NULL), -1);
    CHECK_INT(etcd3_error_is_retryable(NULL), 0);
    CHECK_INT(etcd3_error_maybe_applied(NULL), 0);
    etcd3_error_free(NULL);
}

static void a_local_mistake_never_left_the_process(void)
{
    etcd3_error_t *err = NULL;
    CHECK_INT(etcd3_put(client, "", 0, "v", 1, &err), ETCD3_ERR_INVALID_ARGUMENT);
    CHECK_INT(etcd3_error_code(err), ETCD3_ERR_INVALID_ARGUMENT);
    CHECK(strncmp(etcd3_error_message(err), "key", 3) == 0);
    CHECK_INT(etcd3_error_grpc_status(err), -1);
    CHECK_STR(etcd3_error_endpoint(err), "");
    CHECK_INT(etcd3_error_is_retryable(err), 0);
    CHECK_INT(etcd3_error_maybe_applied(err), 0);
    etcd3_error_free(err);
}

/* Executes `op`, frees it and checks the whole error that etcd's refusal becomes. */
static void refused_by_etcd(etcd3_op_t *op, etcd3_code_t code, int32_t grpc_status, const char *text)
{
    etcd3_result_t *result = NULL;
    etcd3_error_t *err = NULL;
    CHECK_INT(etcd3_execute(client, op, &result, &err), code);
    CHECK(result == NULL);
    CHECK_INT(etcd3_error_code(err), code);
    CHECK(strstr(etcd3_error_message(err), text) != NULL);
    CHECK_INT(etcd3_error_grpc_status(err), grpc_status);
    CHECK(strstr(etcd3_error_endpoint(err), getenv("ETCD3_ENDPOINTS")) != NULL);
    CHECK_INT(etcd3_error_is_retryable(err), 0);
    CHECK_INT(etcd3_error_maybe_applied(err), 0);
    etcd3_error_free(err);
    CHECK_INT(etcd3_execute(client, op, &result, NULL), code);
    etcd3_op_free(op);
}

static void etcd_refusals_have_their_own_codes(void)
{
    etcd3_op_t *op = etcd3_op_put(PREFIX "missing", ETCD3_NTS, NULL, 0);
    etcd3_op_t *two;
    etcd3_op_set_ignore_value(op);
    refused_by_etcd(op, ETCD3_ERR_KEY_NOT_FOUND, 3, "key not found");

    op = etcd3_op_put(PREFIX "k", ETCD3_NTS, "v", 1);
    etcd3_op_set_lease(op, 0x7fffffffffffffff);
    refused_by_etcd(op, ETCD3_ERR_LEASE_NOT_FOUND, 5, "requested lease not found");

    op = etcd3_op_get(PREFIX "k", ETCD3_NTS);
    etcd3_op_set_revision(op, 0x7fffffffffffffff);
    refused_by_etcd(op, ETCD3_ERR_FUTURE_REVISION, 11, "future revision");

    op = etcd3_op_get(PREFIX "k", ETCD3_NTS);
    etcd3_op_set_revision(op, 1);
    CHECK(env_number("ETCD3_TEST_COMPACTED", 0) > 1);
    refused_by_etcd(op, ETCD3_ERR_COMPACTED, 11, "has been compacted");

    op = etcd3_op_txn();
    two = etcd3_op_put(PREFIX "twice", ETCD3_NTS, "v", 1);
    etcd3_txn_then(op, two);
    etcd3_txn_then(op, two);
    etcd3_op_free(two);
    refused_by_etcd(op, ETCD3_ERR_DUPLICATE_KEY, 3, "duplicate key");
}

static void outputs_are_left_alone(void)
{
    etcd3_error_t *err = NULL, *untouched = (etcd3_error_t *)(void *)&err;
    etcd3_result_t *result = (etcd3_result_t *)(void *)&err;
    etcd3_result_t *before = result;
    CHECK_CODE(etcd3_get(client, "", 0, &result, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "key");
    CHECK(result == before);
    CHECK_INT(etcd3_put(client, PREFIX "k", ETCD3_NTS, "v", 1, &untouched), ETCD3_OK);
    CHECK(untouched == (etcd3_error_t *)(void *)&err);
}

int main(void)
{
    RUN(version_is_the_headers);
    RUN(codes_have_names_and_frozen_numbers);
    RUN(no_error_reads_as_ok);
    client = open_client();
    RUN(a_local_mistake_never_left_the_process);
    RUN(etcd_refusals_have_their_own_codes);
    RUN(outputs_are_left_alone);
    etcd3_client_free(client);
    return CHECK_DONE();
}
