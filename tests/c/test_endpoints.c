/* Endpoints: in all their forms, dead ones beside a live one, and waiting for a connection. */
#include "calls.h"
#include "forwarder.h"
#include "mute_server.h"

#define K "test_endpoints/k", ETCD3_NTS
#define LIMIT_MS (env_number("ETCD3_TEST_VALGRIND", 0) ? 2000 : 500)

static const char *etcd(void) { return getenv("ETCD3_ENDPOINTS"); }

static etcd3_config_t *config_of(const char *one, const char *two, const char *three)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_config_add_endpoint(config, one);
    if (two)
        etcd3_config_add_endpoint(config, two);
    if (three)
        etcd3_config_add_endpoint(config, three);
    etcd3_config_set_timeout(config, PATIENCE_MS);
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

/* Through this client to the etcd of the test, and soon. */
#define SERVES(client) serves((client), __LINE__)
static void serves(etcd3_client_t *client, int line)
{
    char value[30];
    etcd3_client_t *direct = open_client();
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    int64_t began = now_ms();
    snprintf(value, sizeof value, "line %d", line);
    check_ok(etcd3_put(client, K, value, ETCD3_NTS, &err), &err, "the put", __FILE__, line);
    check_that(now_ms() - began <= AT_ONCE_MS, "the put is soon done", __FILE__, line);
    check_ok(etcd3_get(direct, K, &r, &err), &err, "the get", __FILE__, line);
    check_kv(etcd3_result_kv(r, 0), "test_endpoints/k", strlen("test_endpoints/k"), value, strlen(value), "the key",
             __FILE__, line);
    etcd3_result_free(r);
    close_client(direct);
}

static void connects(void)
{
    etcd3_client_t *client = open_client();
    etcd3_error_t *err = NULL;
    int64_t began = now_ms();
    CHECK_OK(etcd3_client_wait_connected(client, PATIENCE_MS, &err), err);
    CHECK(now_ms() - began <= AT_ONCE_MS);
    CHECK_INT(etcd3_client_counter(client, "connects"), 1);
    CHECK_OK(etcd3_client_wait_connected(client, 1, &err), err);
    CHECK_INT(etcd3_client_counter(client, "connects"), 1);
    SERVES(client);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    CHECK_CODE(etcd3_client_wait_connected(client, PATIENCE_MS, &err), err, ETCD3_ERR_CLOSED, "closed");
    etcd3_client_free(client);
}

/* Credentials are no hindrance where nobody asks for them. */
static void connects_with_credentials(void)
{
    etcd3_config_t *config = config_of(etcd(), NULL, NULL);
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    etcd3_config_set_credentials(config, "root", "secret");
    client = opened(config);
    CHECK_OK(etcd3_client_wait_connected(client, PATIENCE_MS, &err), err);
    SERVES(client);
    close_client(client);
}

/* Waits as long as it may, then names each endpoint and what is the matter with it. */
static void waits_in_vain(void)
{
    struct mute_server nobody, silent;
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    int64_t began;
    mute_start(&nobody, REFUSES);
    mute_start(&silent, ACCEPTS);
    client = opened(config_of(nobody.endpoint, silent.endpoint, NULL));
    began = now_ms();
    CHECK_INT(etcd3_client_wait_connected(client, LIMIT_MS, &err), ETCD3_ERR_UNAVAILABLE);
    CHECK(now_ms() - began >= LIMIT_MS - 1);
    CHECK(now_ms() - began <= LIMIT_MS + 100 + SLACK_MS);
    CHECK(strstr(etcd3_error_message(err), nobody.endpoint) != NULL);
    CHECK(strstr(etcd3_error_message(err), silent.endpoint) != NULL);
    CHECK(strstr(etcd3_error_message(err), "refused") != NULL);
    CHECK_INT(etcd3_error_is_retryable(err), 1);
    CHECK_INT(etcd3_error_maybe_applied(err), 0);
    etcd3_error_free(err);
    close_client(client);
    mute_stop(&nobody);
    mute_stop(&silent);
}

/* Each attempt to connect has its limit, and the next one follows: the error says so. */
static void attempts_have_a_limit(void)
{
    struct mute_server silent;
    etcd3_config_t *config;
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    mute_start(&silent, ACCEPTS);
    config = config_of(silent.endpoint, NULL, NULL);
    etcd3_config_set_connect_timeout(config, 50);
    client = opened(config);
    CHECK_CODE(etcd3_client_wait_connected(client, LIMIT_MS, &err), err, ETCD3_ERR_UNAVAILABLE, silent.endpoint);
    CHECK(etcd3_client_counter(client, "connect_failures") >= 1);
    CHECK_INT(etcd3_client_counter(client, "connects"), 0);
    close_client(client);
    mute_stop(&silent);
}

static void *wait_for_connection(void *arg)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_wait_connected((etcd3_client_t *)arg, PATIENCE_MS, &err), err);
    return NULL;
}

static void *wait_till_closed(void *arg)
{
    etcd3_error_t *err = NULL;
    CHECK_CODE(etcd3_client_wait_connected((etcd3_client_t *)arg, PATIENCE_MS * 10, &err), err, ETCD3_ERR_CLOSED, "");
    return NULL;
}

static void await_a_failure(etcd3_client_t *client)
{
    int64_t limit = now_ms() + PATIENCE_MS;
    while (etcd3_client_counter(client, "connect_failures") == 0 && now_ms() < limit)
        sched_yield();
    CHECK(etcd3_client_counter(client, "connect_failures") > 0);
}

/* It comes while it is waited for; or the client goes. */
static void the_wait_ends(void)
{
    struct forwarder f;
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    pthread_t thread;
    CHECK(forwarder_hold(&f, AF_INET, 0));
    client = client_of(f.endpoint, PATIENCE_MS);
    CHECK_INT(pthread_create(&thread, NULL, wait_for_connection, client), 0);
    await_a_failure(client);
    CHECK(forwarder_again(&f));
    pthread_join(thread, NULL);
    SERVES(client);
    close_client(client);
    forwarder_stop(&f);
    client = client_of(f.endpoint, PATIENCE_MS);
    CHECK_INT(pthread_create(&thread, NULL, wait_till_closed, client), 0);
    await_a_failure(client);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    pthread_join(thread, NULL);
    etcd3_client_free(client);
    forwarder_release(&f);
}

static void reaches(const char *endpoint)
{
    etcd3_client_t *client = client_of(endpoint, PATIENCE_MS);
    SERVES(client);
    close_client(client);
}

static void forms_of_an_endpoint(void)
{
    struct forwarder f;
    char url[200];
    forwarder_start(&f);
    reaches(f.endpoint);
    snprintf(url, sizeof url, "http://%s", f.endpoint);
    reaches(url);
    /* Which may be an IPv6 address first, where nobody listens. */
    snprintf(url, sizeof url, "localhost:%s", strchr(f.endpoint, ':') + 1);
    reaches(url);
    snprintf(url, sizeof url, "http://localhost:%s", strchr(f.endpoint, ':') + 1);
    reaches(url);
    CHECK(forwarder_accepted(&f) >= 4);
    forwarder_end(&f);
}

static void ipv6(void)
{
    struct forwarder f;
    char url[200];
    if (!forwarder_hold(&f, AF_INET6, 0)) {
        printf("SKIPPED ipv6: no address ::1\n");
        forwarder_release(&f);
        return;
    }
    CHECK(forwarder_again(&f));
    reaches(f.endpoint);
    snprintf(url, sizeof url, "http://%s", f.endpoint);
    reaches(url);
    CHECK_INT(forwarder_accepted(&f), 2);
    forwarder_end(&f);
}

static void unix_sockets(void)
{
    struct forwarder f;
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    char url[200];
    CHECK(forwarder_hold(&f, AF_UNIX, 0));
    CHECK(forwarder_again(&f));
    reaches(f.endpoint);
    snprintf(url, sizeof url, "unix://%s", f.at.local.sun_path);
    reaches(url);
    CHECK_INT(forwarder_accepted(&f), 2);
    forwarder_stop(&f);
    client = client_of(f.endpoint, PATIENCE_MS);
    CHECK_CODE(etcd3_client_wait_connected(client, LIMIT_MS, &err), err, ETCD3_ERR_UNAVAILABLE, f.endpoint);
    CHECK(forwarder_again(&f));
    SERVES(client);
    close_client(client);
    forwarder_end(&f);
}

/* Where another server has the port, only that it is the one tried can be seen. */
static void the_default_is_localhost(void)
{
    struct forwarder f;
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    int ours = forwarder_hold(&f, AF_INET, 2379) && forwarder_again(&f);
    CHECK_OK(etcd3_client_open(NULL, &client, &err), err);
    if (ours) {
        SERVES(client);
        CHECK_INT(forwarder_accepted(&f), 1);
        forwarder_stop(&f);
    } else {
        etcd3_code_t code = etcd3_client_wait_connected(client, LIMIT_MS, &err);
        CHECK(code == ETCD3_OK || strstr(etcd3_error_message(err), "localhost:2379") != NULL);
        etcd3_error_free(err);
    }
    forwarder_release(&f);
    close_client(client);
}

/* Some refuse, some never say a word: calls go to the one that lives, the first one too. */
static void a_live_one_among_the_dead(void)
{
    enum { CALLS = 40 };
    struct mute_server nobody, silent;
    const char *ends[3];
    int turn, i;
    mute_start(&nobody, REFUSES);
    mute_start(&silent, ACCEPTS);
    ends[0] = nobody.endpoint;
    ends[1] = silent.endpoint;
    ends[2] = etcd();
    for (turn = 0; turn < 3; turn++) {
        etcd3_client_t *client = opened(config_of(ends[turn], ends[(turn + 1) % 3], ends[(turn + 2) % 3]));
        SERVES(client);
        for (i = 0; i < CALLS; i++) {
            int64_t began = now_ms();
            etcd3_result_t *r = NULL;
            etcd3_error_t *err = NULL;
            put(client, "test_endpoints/many", "v");
            CHECK_OK(etcd3_get(client, K, &r, &err), err);
            CHECK(now_ms() - began <= 2 * AT_ONCE_MS);
            etcd3_result_free(r);
        }
        close_client(client);
    }
    mute_stop(&nobody);
    mute_stop(&silent);
}

/* One takes requests and never answers: reads go to another one as well, after a while. */
static void reads_are_hedged(void)
{
    struct mute_server mute;
    etcd3_config_t *config;
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    int i;
    mute_start(&mute, READS);
    config = config_of(mute.endpoint, etcd(), NULL);
    etcd3_config_set_hedge_after(config, 50);
    client = opened(config);
    for (i = 0; i < 200 && (i < 5 || mute_requests(&mute) == 0); i++) {
        int64_t began = now_ms();
        etcd3_result_t *r = NULL;
        CHECK_OK(etcd3_get(client, K, &r, &err), err);
        CHECK(now_ms() - began <= AT_ONCE_MS);
        etcd3_result_free(r);
    }
    CHECK(mute_requests(&mute) > 0);
    CHECK(etcd3_client_counter(client, "hedges") > 0);
    close_client(client);
    mute_stop(&mute);
}

/* Refused, since what is meant for https could go out over http; unless that is wanted. */
static void mixed_schemes(void)
{
    struct mute_server nobody;
    etcd3_config_t *config;
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    char plain[200], protected_one[200];
    int allow;
    mute_start(&nobody, REFUSES);
    snprintf(plain, sizeof plain, "http://%s", etcd());
    snprintf(protected_one, sizeof protected_one, "https://%s", nobody.endpoint);
    for (allow = 0; allow < 2; allow++) {
        config = config_of(protected_one, plain, NULL);
        etcd3_config_set_tls_skip_verify(config);
        if (allow) {
            const char *mixed[2];
            etcd3_config_allow_mixed_schemes(config);
            client = opened(config);
            SERVES(client);
            mixed[0] = plain;
            mixed[1] = protected_one;
            CHECK_OK(etcd3_client_set_endpoints(client, mixed, 2, &err), err);
            SERVES(client);
            close_client(client);
        } else {
            CHECK_INT(etcd3_client_open(config, &client, &err), ETCD3_ERR_INVALID_ARGUMENT);
            CHECK(strstr(etcd3_error_message(err), etcd()) != NULL);
            CHECK(strstr(etcd3_error_message(err), nobody.endpoint) != NULL);
            etcd3_error_free(err);
            err = NULL;
            CHECK(client == NULL);
            etcd3_config_free(config);
        }
    }
    mute_stop(&nobody);
}

int main(void)
{
    RUN(connects);
    RUN(connects_with_credentials);
    RUN(waits_in_vain);
    RUN(attempts_have_a_limit);
    RUN(the_wait_ends);
    RUN(forms_of_an_endpoint);
    RUN(ipv6);
    RUN(unix_sockets);
    RUN(the_default_is_localhost);
    RUN(a_live_one_among_the_dead);
    RUN(reads_are_hedged);
    RUN(mixed_schemes);
    return CHECK_DONE();
}
