/* Configurations: defaults, endpoint forms, timeouts, and mistakes that open reports. */
#include "check.h"

#define PREFIX "test_config/"

static void open_with(const char *endpoint, etcd3_code_t code, const char *text)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_add_endpoint(config, endpoint);
    if (code == ETCD3_OK) {
        CHECK_OK(etcd3_client_open(config, &client, &err), err);
        CHECK(client != NULL);
    } else {
        CHECK_CODE(etcd3_client_open(config, &client, &err), err, code, text);
        CHECK(client == NULL);
    }
    etcd3_client_free(client);
    etcd3_config_free(config);
}

static void defaults_open(void)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_open(NULL, &client, &err), err);
    etcd3_client_free(client);
    client = NULL;
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_client_free(client);
    etcd3_config_free(config);
    etcd3_config_free(NULL);
}

static void endpoint_forms(void)
{
    open_with("localhost:2379", ETCD3_OK, "");
    open_with("127.0.0.1:2379", ETCD3_OK, "");
    open_with("[::1]:2379", ETCD3_OK, "");
    open_with("etcd-0.example.com:2379", ETCD3_OK, "");
    open_with("http://localhost:2379", ETCD3_OK, "");
    open_with("http://[::1]:2379", ETCD3_OK, "");
}

static void bad_endpoints(void)
{
    open_with(NULL, ETCD3_ERR_INVALID_ARGUMENT, "endpoint");
    open_with("", ETCD3_ERR_INVALID_ARGUMENT, "endpoint");
    open_with("http://", ETCD3_ERR_INVALID_ARGUMENT, "endpoint");
    open_with(":2379", ETCD3_ERR_INVALID_ARGUMENT, "endpoint");
    open_with("localhost:", ETCD3_ERR_INVALID_ARGUMENT, "localhost:");
    open_with("localhost:70000", ETCD3_ERR_INVALID_ARGUMENT, "localhost:70000");
    open_with("localhost:port", ETCD3_ERR_INVALID_ARGUMENT, "localhost:port");
    open_with("ftp://localhost:2379", ETCD3_ERR_INVALID_ARGUMENT, "ftp://localhost:2379");
    open_with("local host:2379", ETCD3_ERR_INVALID_ARGUMENT, "local host:2379");
    open_with("\xff\xfe:2379", ETCD3_ERR_INVALID_ARGUMENT, "endpoint");
}

static void timeout_of(int64_t ms, int good)
{
    etcd3_config_t *config = env_config();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_set_timeout(config, ms);
    if (good) {
        CHECK_OK(etcd3_client_open(config, &client, &err), err);
        put(client, PREFIX "timeout", "v");
    } else {
        char number[30];
        snprintf(number, sizeof number, "%lld", (long long)ms);
        CHECK_CODE(etcd3_client_open(config, &client, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "timeout");
        etcd3_client_open(config, &client, &err);
        CHECK(strstr(etcd3_error_message(err), number) != NULL);
        etcd3_error_free(err);
    }
    etcd3_client_free(client);
    etcd3_config_free(config);
}

static void timeouts(void)
{
    timeout_of(PATIENCE_MS, 1);
    timeout_of(1000000000000, 1);
    timeout_of(0, 0);
    timeout_of(-1, 0);
    timeout_of(INT64_MIN, 0);
    timeout_of(INT64_MAX, 0);
}

static void the_first_mistake_is_the_one_reported(void)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_set_timeout(config, -7);
    etcd3_config_add_endpoint(config, "ftp://second.mistake:1");
    etcd3_config_set_timeout(config, 1000);
    CHECK_INT(etcd3_client_open(config, &client, &err), ETCD3_ERR_INVALID_ARGUMENT);
    CHECK(strstr(etcd3_error_message(err), "timeout") != NULL);
    CHECK(strstr(etcd3_error_message(err), "-7") != NULL);
    CHECK(strstr(etcd3_error_message(err), "second") == NULL);
    etcd3_error_free(err);
    etcd3_config_free(config);
}

static void one_config_opens_many_clients_and_may_go_first(void)
{
    etcd3_config_t *config = env_config();
    etcd3_client_t *a = NULL, *b = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_open(config, &a, &err), err);
    CHECK_OK(etcd3_client_open(config, &b, &err), err);
    etcd3_config_free(config);
    put(a, PREFIX "k", "a");
    put(b, PREFIX "k", "b");
    etcd3_client_free(a);
    put(b, PREFIX "k", "b");
    etcd3_client_free(b);
}

static void the_endpoint_text_is_copied(void)
{
    char endpoint[200];
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    snprintf(endpoint, sizeof endpoint, "http://%s", getenv("ETCD3_ENDPOINTS"));
    etcd3_config_add_endpoint(config, endpoint);
    memset(endpoint, 'x', sizeof endpoint - 1);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    put(client, PREFIX "k", "v");
    etcd3_client_free(client);
    etcd3_config_free(config);
}

int main(void)
{
    RUN(defaults_open);
    RUN(endpoint_forms);
    RUN(bad_endpoints);
    RUN(timeouts);
    RUN(the_first_mistake_is_the_one_reported);
    RUN(one_config_opens_many_clients_and_may_go_first);
    RUN(the_endpoint_text_is_copied);
    return CHECK_DONE();
}
