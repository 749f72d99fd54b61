/* Users, passwords and tokens against a real server: what works, and an error for each thing that does not. */
#include "gateway.h"
#include "watching.h"

#define K "auth/k", ETCD3_NTS

static char logged[200000];
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void keep(int32_t level, const char *message, void *user_data)
{
    size_t at;
    (void)level;
    (void)user_data;
    pthread_mutex_lock(&log_lock);
    at = strlen(logged);
    snprintf(logged + at, sizeof logged - at, "%s\n", message);
    pthread_mutex_unlock(&log_lock);
}

static const char *at(const char *server)
{
    const char *endpoint = getenv(server);
    if (!endpoint) {
        fprintf(stderr, "set %s: run it by cargo test\n", server);
        exit(2);
    }
    return endpoint;
}

static etcd3_config_t *config_for(const char *server)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_config_add_endpoint(config, at(server));
    etcd3_config_set_timeout(config, 10000);
    etcd3_config_set_log(config, ETCD3_LOG_DEBUG, keep, NULL);
    return config;
}

static etcd3_client_t *opened(etcd3_config_t *config)
{
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    return client;
}

static etcd3_client_t *as(const char *user, const char *password)
{
    etcd3_config_t *config = config_for("ETCD3_AUTH");
    etcd3_config_set_credentials(config, user, password);
    return opened(config);
}

static void closed(etcd3_client_t *client)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    etcd3_client_free(client);
}

static void writes_and_reads(etcd3_client_t *client, const char *key)
{
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    CHECK_OK(etcd3_put(client, key, ETCD3_NTS, "v", 1, &err), err);
    CHECK_OK(etcd3_get(client, key, ETCD3_NTS, &r, &err), err);
    CHECK_KV(kv_at(r, 0), key, "v");
    etcd3_result_free(r);
}

static void the_right_password(void)
{
    etcd3_client_t *client = as("root", "secret");
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_wait_connected(client, 5000, &err), err);
    writes_and_reads(client, "auth/k");
    closed(client);
}

/* The client fails with the code, and its message has the text; nothing was written. */
#define FAILS(client, code, text) fails((client), (code), (text), __LINE__)
static void fails(etcd3_client_t *client, etcd3_code_t want, const char *text, int line)
{
    int64_t began = now_ms();
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_code_t code = etcd3_put(client, K, "v", 1, &err);
    check_int(etcd3_error_maybe_applied(err), 0, "maybe_applied", __FILE__, line);
    check_int(etcd3_error_is_retryable(err), 0, "is_retryable", __FILE__, line);
    check_str(etcd3_error_endpoint(err), at("ETCD3_AUTH"), "endpoint", __FILE__, line);
    check_that(etcd3_error_grpc_status(err) > 0, "a gRPC status", __FILE__, line);
    check_code(code, &err, want, text, "put", __FILE__, line);
    check_code(etcd3_get(client, K, &r, &err), &err, want, text, "get", __FILE__, line);
    check_that(now_ms() - began < 5000 + SLACK_MS, "in time", __FILE__, line);
    closed(client);
}

static void wrong_ones(void)
{
    etcd3_client_t *client = as("root", "guess");
    etcd3_config_t *config;
    etcd3_error_t *err = NULL;
    CHECK_CODE(etcd3_client_wait_connected(client, 5000, &err), err, ETCD3_ERR_AUTH_FAILED, "invalid user ID");
    FAILS(client, ETCD3_ERR_AUTH_FAILED, "authentication failed");
    FAILS(as("nobody", "secret"), ETCD3_ERR_AUTH_FAILED, "authentication failed");
    FAILS(opened(config_for("ETCD3_AUTH")), ETCD3_ERR_USER_EMPTY, "user name is empty");
    config = config_for("ETCD3_AUTH");
    etcd3_config_set_token(config, "made-up-token.1");
    FAILS(opened(config), ETCD3_ERR_INVALID_AUTH_TOKEN, "invalid auth token");
    FAILS(as("guest", "guest"), ETCD3_ERR_PERMISSION_DENIED, "permission denied");
}

static void where_no_authentication_is_on(void)
{
    etcd3_config_t *config = config_for("ETCD3_PLAIN");
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    etcd3_config_set_credentials(config, "root", "secret");
    client = opened(config);
    CHECK_OK(etcd3_client_wait_connected(client, 5000, &err), err);
    writes_and_reads(client, "auth/k");
    closed(client);
    config = config_for("ETCD3_PLAIN");
    etcd3_config_set_token(config, "made-up-token.1");
    client = opened(config);
    writes_and_reads(client, "auth/k");
    closed(client);
}

static void only_one_way_to_say_who_it_is(void)
{
    etcd3_config_t *config = config_for("ETCD3_AUTH");
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_set_credentials(config, "root", "secret");
    etcd3_config_set_token(config, "token");
    CHECK_CODE(etcd3_client_open(config, &client, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "token");
    etcd3_config_free(config);
}

static void what_a_reader_may(void)
{
    etcd3_client_t *root = as("root", "secret"), *reader = as("reader", "reader");
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    writes_and_reads(root, "auth/k");
    CHECK_OK(etcd3_get(reader, K, &r, &err), err);
    etcd3_result_free(r);
    CHECK_CODE(etcd3_put(reader, K, "v", 1, &err), err, ETCD3_ERR_PERMISSION_DENIED, "permission denied");
    CHECK_CODE(etcd3_get(reader, "other", ETCD3_NTS, &r, &err), err, ETCD3_ERR_PERMISSION_DENIED, "denied");
    closed(root);
    closed(reader);
}

static void watch_from_now(struct watching *watching, etcd3_client_t *client, const char *key, int64_t revision)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(key, ETCD3_NTS);
    prepare(watching, client, NULL);
    etcd3_watch_opts_set_start_revision(opts, revision);
    start(watching, opts, NULL);
}

/* It may have moved to another stream meanwhile, which `finished` would not allow. */
static void unwatch(struct watching *watching)
{
    etcd3_error_t *err = NULL;
    etcd3_watch_cancel(watching->watch);
    AWAIT(watching, closed, 1);
    CHECK_OK(etcd3_watch_join(watching->watch, PATIENCE_MS, &err), err);
    etcd3_watch_free(watching->watch);
    pthread_cond_destroy(&watching->changed);
    pthread_mutex_destroy(&watching->lock);
}

/* A refused watch ends, and no other one on the same stream. */
static void watches_of_a_reader(void)
{
    etcd3_client_t *root = as("root", "secret"), *reader = as("reader", "reader");
    struct watching allowed, refused;
    watch_from_now(&allowed, reader, "auth/k", revision_now(root) + 1);
    AWAIT(&allowed, live, 1);
    watch_from_now(&refused, reader, "other", 1);
    AWAIT(&refused, closed, 1);
    CHECK_INT(refused.why, ETCD3_ERR_PERMISSION_DENIED);
    put(root, "auth/k", "watched");
    AWAIT(&allowed, changes, 1);
    CHECK_INT(allowed.closed, 0);
    unwatch(&allowed);
    unwatch(&refused);
    closed(reader);
    closed(root);
}

/* The token dies with the old password. */
static void a_changed_password(void)
{
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    administer(at("ETCD3_AUTH"), "auth/user/add", "{\"name\": \"mover\", \"password\": \"first\"}");
    administer(at("ETCD3_AUTH"), "auth/user/grant", "{\"user\": \"mover\", \"role\": \"root\"}");
    client = as("mover", "first");
    writes_and_reads(client, "auth/k");
    administer(at("ETCD3_AUTH"), "auth/user/changepw", "{\"name\": \"mover\", \"password\": \"second\"}");
    CHECK_CODE(etcd3_get(client, K, &r, &err), err, ETCD3_ERR_AUTH_FAILED, "authentication failed");
    CHECK_OK(etcd3_client_set_credentials(client, "mover", "second", &err), err);
    writes_and_reads(client, "auth/k");
    administer(at("ETCD3_AUTH"), "auth/user/delete", "{\"name\": \"mover\"}");
    CHECK_CODE(etcd3_put(client, K, "v", 1, &err), err, ETCD3_ERR_AUTH_FAILED, "authentication failed");
    CHECK_OK(etcd3_client_set_credentials(client, "root", "secret", &err), err);
    writes_and_reads(client, "auth/k");
    closed(client);
}

static void a_revoked_role(void)
{
    etcd3_client_t *client = as("reader", "reader");
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    CHECK_OK(etcd3_get(client, K, &r, &err), err);
    etcd3_result_free(r);
    administer(at("ETCD3_AUTH"), "auth/user/revoke", "{\"name\": \"reader\", \"role\": \"reads\"}");
    CHECK_CODE(etcd3_get(client, K, &r, &err), err, ETCD3_ERR_PERMISSION_DENIED, "permission denied");
    administer(at("ETCD3_AUTH"), "auth/user/grant", "{\"user\": \"reader\", \"role\": \"reads\"}");
    CHECK_OK(etcd3_get(client, K, &r, &err), err);
    etcd3_result_free(r);
    closed(client);
}

/* Nobody notices, and a watch goes on. */
static void authentication_off_and_on(void)
{
    etcd3_client_t *client = as("root", "secret");
    struct watching watching;
    int round;
    watch_from_now(&watching, client, "auth/k", revision_now(client) + 1);
    for (round = 0; round < 3; round++) {
        writes_and_reads(client, "auth/k");
        administer(at("ETCD3_AUTH"), "auth/disable", "{}");
        writes_and_reads(client, "auth/k");
        gateway_post(at("ETCD3_AUTH"), "auth/enable", "{}", NULL);
        writes_and_reads(client, "auth/k");
    }
    AWAIT(&watching, changes, 9);
    CHECK_INT(watching.closed, 0);
    unwatch(&watching);
    closed(client);
}

static void nothing_secret_was_logged(void)
{
    static const char *const secrets[] = {"secret", "guess", "first", "second", "made-up-token"};
    size_t i;
    CHECK(*logged != '\0');
    for (i = 0; i < sizeof secrets / sizeof *secrets; i++)
        CHECK(strstr(logged, secrets[i]) == NULL);
}

int main(void)
{
    RUN(the_right_password);
    RUN(wrong_ones);
    RUN(where_no_authentication_is_on);
    RUN(only_one_way_to_say_who_it_is);
    RUN(what_a_reader_may);
    RUN(watches_of_a_reader);
    RUN(a_changed_password);
    RUN(a_revoked_role);
    RUN(authentication_off_and_on);
    RUN(nothing_secret_was_logged);
    return CHECK_DONE();
}
