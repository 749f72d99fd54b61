/* The codes that real servers can be made to give, each with the text and the status that its version sends. What the
   library refuses itself (an empty key, a value with ignore_value, an empty watch) no server gets to see. */
#include "check.h"

#define K "codes/k", ETCD3_NTS

static etcd3_client_t *client;

static etcd3_client_t *open_at(const char *variable, void (*more)(etcd3_config_t *))
{
    const char *endpoint = getenv(variable);
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *opened = NULL;
    etcd3_error_t *err = NULL;
    if (!endpoint) {
        fprintf(stderr, "set %s\n", variable);
        exit(2);
    }
    etcd3_config_add_endpoint(config, endpoint);
    etcd3_config_set_timeout(config, 20000);
    etcd3_config_set_max_attempts(config, 1);
    if (more)
        more(config);
    CHECK_OK(etcd3_client_open(config, &opened, &err), err);
    etcd3_config_free(config);
    return opened;
}

static void close_it(void)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    etcd3_client_free(client);
    client = NULL;
}

/* The op, which is freed, fails with the code and text, and a write with it is known not to be applied. */
#define REFUSED(op, code, text) refused((op), (code), (text), #op, __LINE__)
static void refused(etcd3_op_t *op, etcd3_code_t want, const char *text, const char *what, int line)
{
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    etcd3_code_t code = etcd3_execute(client, op, &r, &err);
    /* It may be the write that crossed the quota, which was applied. */
    int open = want == ETCD3_ERR_AMBIGUOUS || want == ETCD3_ERR_NO_SPACE;
    check_int(etcd3_error_maybe_applied(err), open, "maybe_applied", __FILE__, line);
    check_that(etcd3_error_grpc_status(err) > 0 && *etcd3_error_endpoint(err), what, __FILE__, line);
    check_code(code, &err, want, text, what, __FILE__, line);
    etcd3_result_free(r);
    etcd3_op_free(op);
}

static etcd3_op_t *a_put(void) { return etcd3_op_put(K, "v", 1); }

static etcd3_op_t *put_of(size_t size)
{
    char *value = (char *)calloc(size, 1);
    etcd3_op_t *op = etcd3_op_put(K, value, size);
    free(value);
    return op;
}

static etcd3_op_t *ignoring(void (*option)(etcd3_op_t *))
{
    etcd3_op_t *op = etcd3_op_put("codes/none", ETCD3_NTS, NULL, 0);
    option(op);
    return op;
}

static etcd3_op_t *at_revision(int64_t revision)
{
    etcd3_op_t *op = etcd3_op_get(K);
    etcd3_op_set_revision(op, revision);
    return op;
}

static etcd3_op_t *of_many_ops(int n, int same_key)
{
    etcd3_op_t *txn = etcd3_op_txn();
    int i;
    for (i = 0; i < n; i++) {
        char key[40];
        etcd3_op_t *op;
        snprintf(key, sizeof key, "codes/%d", same_key ? 0 : i);
        op = etcd3_op_put(key, ETCD3_NTS, "v", 1);
        etcd3_txn_then(txn, op);
        etcd3_op_free(op);
    }
    return txn;
}

static void of_the_store(void)
{
    etcd3_op_t *leased = a_put();
    client = open_at("ETCD3_ENDPOINTS", NULL);
    etcd3_op_set_lease(leased, 0x7fffffff);
    REFUSED(ignoring(etcd3_op_set_ignore_value), ETCD3_ERR_KEY_NOT_FOUND, "key not found");
    REFUSED(ignoring(etcd3_op_set_ignore_lease), ETCD3_ERR_KEY_NOT_FOUND, "key not found");
    REFUSED(leased, ETCD3_ERR_LEASE_NOT_FOUND, "requested lease not found");
    REFUSED(of_many_ops(129, 0), ETCD3_ERR_TOO_MANY_OPS, "too many operations in txn request");
    REFUSED(of_many_ops(2, 1), ETCD3_ERR_DUPLICATE_KEY, "duplicate key given in txn request");
    REFUSED(put_of(1600000), ETCD3_ERR_REQUEST_TOO_LARGE, "request is too large");
    REFUSED(at_revision(env_number("ETCD3_TEST_COMPACTED", 1) - 1), ETCD3_ERR_COMPACTED, "has been compacted");
    REFUSED(at_revision(INT64_MAX), ETCD3_ERR_FUTURE_REVISION, "is a future revision");
    close_it();
}

/* Reads and deletes work there. */
static void of_a_full_store(void)
{
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    client = open_at("ETCD3_TEST_FULL", NULL);
    REFUSED(a_put(), ETCD3_ERR_NO_SPACE, "database space exceeded");
    CHECK_OK(etcd3_get(client, K, &r, &err), err);
    etcd3_result_free(r);
    CHECK_OK(etcd3_delete(client, K, NULL, &err), err);
    close_it();
}

static void of_a_corrupt_store(void)
{
    client = open_at("ETCD3_TEST_CORRUPT", NULL);
    REFUSED(a_put(), ETCD3_ERR_CORRUPT, "corrupt cluster");
    close_it();
}

static void as_guest(etcd3_config_t *config) { etcd3_config_set_credentials(config, "guest", "guest"); }
static void with_a_token(etcd3_config_t *config) { etcd3_config_set_token(config, "made.up"); }

static void of_authentication(void)
{
    client = open_at("ETCD3_TEST_AUTH", NULL);
    REFUSED(a_put(), ETCD3_ERR_USER_EMPTY, "user name is empty");
    REFUSED(etcd3_op_get(K), ETCD3_ERR_USER_EMPTY, "user name is empty");
    close_it();
    client = open_at("ETCD3_TEST_AUTH", as_guest);
    REFUSED(a_put(), ETCD3_ERR_PERMISSION_DENIED, "permission denied");
    REFUSED(etcd3_op_get(K), ETCD3_ERR_PERMISSION_DENIED, "permission denied");
    close_it();
    client = open_at("ETCD3_TEST_AUTH", with_a_token);
    REFUSED(a_put(), ETCD3_ERR_INVALID_AUTH_TOKEN, "invalid auth token");
    close_it();
}

static etcd3_op_t *with_a_leader(etcd3_op_t *op)
{
    etcd3_op_set_require_leader(op);
    return op;
}

/* One member of three, alone: what asks for a leader fails at once, the rest after the server's own limit. */
static void of_a_minority(void)
{
    int64_t began = now_ms();
    client = open_at("ETCD3_TEST_MINORITY", NULL);
    REFUSED(with_a_leader(a_put()), ETCD3_ERR_NO_LEADER, "no leader");
    REFUSED(with_a_leader(etcd3_op_get(K)), ETCD3_ERR_NO_LEADER, "no leader");
    CHECK(now_ms() - began < 2000 + SLACK_MS);
    /* "request timed out"; from 3.7 on "context deadline exceeded". */
    REFUSED(a_put(), ETCD3_ERR_AMBIGUOUS, "the write may have been applied: ");
    CHECK(now_ms() - began >= 5000);
    close_it();
}

int main(void)
{
    RUN(of_the_store);
    RUN(of_a_full_store);
    RUN(of_a_corrupt_store);
    RUN(of_authentication);
    RUN(of_a_minority);
    return CHECK_DONE();
}
