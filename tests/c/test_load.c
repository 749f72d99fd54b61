/* Configurations from a text, a file and the environment: what they say arrives in the client. */
#include "check.h"
#include <unistd.h>

#define KEY "test_load", ETCD3_NTS

static const char *endpoint;
static etcd3_error_t *err;

static etcd3_config_t *loaded(const char *format)
{
    char text[2000];
    etcd3_config_t *config = etcd3_config_new();
    snprintf(text, sizeof text, format, endpoint);
    etcd3_config_load_text(config, text, ETCD3_NTS);
    memset(text, 'x', sizeof text);
    return config;
}

static etcd3_client_t *opened(etcd3_config_t *config)
{
    etcd3_client_t *client = NULL;
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    return client;
}

static void works(etcd3_config_t *config)
{
    etcd3_client_t *client = opened(config);
    CHECK_OK(etcd3_put(client, KEY, "v", 1, &err), err);
    etcd3_client_free(client);
}

static void in_yaml_and_in_json(void)
{
    works(loaded("endpoints: [%s]"));
    works(loaded("# of the Go client\nendpoints:\n  - http://%s\ndial-timeout: 5000000000\nrequest-timeout: 1m30s\n"));
    works(loaded("endpoints: %s,127.0.0.1:1\n"));
    works(loaded("{\"endpoints\": [\"%s\"], \"dial-timeout\": 5000000000, \"keepalive-time\": \"2s\",\n"
                 " \"secure\": {\"insecure-transport\": true}, \"auth\": null, \"max-recv-bytes\": 0,\n"
                 " \"metadata\": {\"x-tenant\": \"blue\"}, \"require-leader\": true}\n"));
    works(loaded("{\n\t\"endpoints\": [\n\t\t\"%s\"\n\t]\n}\n"));
}

static void of_a_length(void)
{
    char text[300];
    size_t length = (size_t)snprintf(text, sizeof text, "endpoints: [%s]\n", endpoint);
    etcd3_config_t *config = etcd3_config_new();
    strcpy(text + length, "nonsense: [");
    etcd3_config_load_text(config, text, length);
    /* Nothing says nothing. */
    etcd3_config_load_text(config, "", 0);
    etcd3_config_load_text(config, NULL, 0);
    etcd3_config_load_text(config, "# a comment\n", ETCD3_NTS);
    works(config);
}

static void limits_arrive(void)
{
    static char large[3000];
    etcd3_client_t *client = opened(loaded("endpoints: [%s]\nmax-request-bytes: 2000\nordering: true\n"));
    etcd3_config_t *config = etcd3_config_new();
    int64_t begun;
    CHECK_CODE(etcd3_put(client, KEY, large, sizeof large, &err), err, ETCD3_ERR_REQUEST_TOO_LARGE, "2000");
    CHECK_OK(etcd3_put(client, KEY, large, 1000, &err), err);
    etcd3_client_free(client);
    etcd3_config_load_text(config, "endpoints: 127.0.0.1:1\ncommand-timeout: 200ms", ETCD3_NTS);
    client = opened(config);
    begun = now_ms();
    CHECK_CODE(etcd3_put(client, KEY, "v", 1, &err), err, ETCD3_ERR_UNAVAILABLE, "127.0.0.1:1");
    CHECK(now_ms() - begun >= 200 && now_ms() - begun < 3000 + SLACK_MS);
    etcd3_client_free(client);
}

static void tls_arrives(void)
{
    static const char *const forms[] = {
        "cacert: /nonexistent/ca.pem", "trusted-ca-file: /nonexistent/ca.pem", "ca-file: /nonexistent/ca.pem",
        "secure: {cacert: /nonexistent/ca.pem}", "{\"cert\": \"/nonexistent/ca.pem\", \"key\": \"/nonexistent/key\"}",
        "secure: {cert: /nonexistent/ca.pem, key: x, insecure-skip-tls-verify: true}"};
    etcd3_client_t *client = NULL;
    size_t i;
    for (i = 0; i < sizeof forms / sizeof *forms; i++) {
        etcd3_config_t *config = etcd3_config_new();
        etcd3_config_load_text(config, forms[i], ETCD3_NTS);
        CHECK_CODE(etcd3_client_open(config, &client, &err), err, ETCD3_ERR_TLS, "/nonexistent/ca.pem");
        etcd3_config_free(config);
    }
    /* The server speaks none. */
    client = opened(loaded("endpoints: %s\ninsecure-transport: false\ninsecure-skip-tls-verify: true\n"));
    CHECK_CODE(etcd3_client_wait_connected(client, PATIENCE_MS, &err), err, ETCD3_ERR_TLS, endpoint);
    etcd3_client_free(client);
}

static void from_a_file(void)
{
    char path[] = "/tmp/etcd3-test-load-XXXXXX", text[300];
    int fd = mkstemp(path), length = snprintf(text, sizeof text, "endpoints: [\"%s\"]\nusername: u\npassword: p\n", endpoint);
    etcd3_config_t *config = etcd3_config_new();
    CHECK(fd >= 0 && write(fd, text, (size_t)length) == length);
    etcd3_config_load_file(config, path);
    /* It was read, once. */
    CHECK_INT(unlink(path), 0);
    close(fd);
    works(config);
}

static void from_the_environment(void)
{
    etcd3_config_t *config;
    etcd3_client_t *client;
    setenv("ETCDCTL_ENDPOINTS", "127.0.0.1:1, 127.0.0.1:2", 1);
    setenv("ETCDCTL_COMMAND_TIMEOUT", "150ms", 1);
    setenv("ETCDCTL_DIAL_TIMEOUT", "2s", 1);
    setenv("ETCDCTL_USER", "root:secret", 1);
    setenv("ETCDCTL_CACERT", "", 1);
    setenv("ETCDCTL_WRITE_OUT", "json", 1);
    setenv("ETCDCTL_API", "3", 1);
    setenv("ETCDCTL_WHATEVER", "x", 1);
    config = loaded("endpoints: %s");
    etcd3_config_load_env(config);
    client = opened(config);
    /* What is loaded later counts. */
    CHECK_CODE(etcd3_put(client, KEY, "v", 1, &err), err, ETCD3_ERR_UNAVAILABLE, "127.0.0.1:2");
    etcd3_client_free(client);
    setenv("ETCDCTL_ENDPOINTS", endpoint, 1);
    unsetenv("ETCDCTL_COMMAND_TIMEOUT");
    config = etcd3_config_new();
    etcd3_config_load_env(config);
    works(config);
    /* Setters add to what was loaded. */
    setenv("ETCDCTL_ENDPOINTS", "127.0.0.1:1", 1);
    config = etcd3_config_new();
    etcd3_config_load_env(config);
    etcd3_config_add_endpoint(config, endpoint);
    works(config);
}

int main(void)
{
    endpoint = getenv("ETCD3_ENDPOINTS");
    if (!endpoint)
        return 2;
    RUN(in_yaml_and_in_json);
    RUN(of_a_length);
    RUN(limits_arrive);
    RUN(tls_arrives);
    RUN(from_a_file);
    RUN(from_the_environment);
    return CHECK_DONE();
}
