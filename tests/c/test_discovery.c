/* Endpoints from service records: a name server on loopback has the zone, real etcd servers are what it names. */
#include "calls.h"

#define KEY "test_discovery", ETCD3_NTS

static const char *resolver;
static etcd3_error_t *err;

static void add_ca(etcd3_config_t *config)
{
    char path[500];
    snprintf(path, sizeof path, "%s/ca.pem", getenv("ETCD3_TLS_DIR"));
    etcd3_config_set_tls_files(config, path, NULL, NULL);
}

static void works(etcd3_config_t *config)
{
    etcd3_client_t *client = NULL;
    etcd3_config_set_timeout(config, PATIENCE_MS);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    CHECK_OK(etcd3_put(client, KEY, "v", 1, &err), err);
    etcd3_client_free(client);
    etcd3_config_free(config);
}

static void finds(const char *domain, const char *service)
{
    etcd3_config_t *config = etcd3_config_new();
    /* What was there before does not stay. */
    etcd3_config_add_endpoint(config, "127.0.0.1:1");
    CHECK_OK(etcd3_config_discover_srv(config, domain, service, resolver, PATIENCE_MS, &err), err);
    works(config);
}

static void fails(const char *domain, int64_t timeout_ms, etcd3_code_t code, const char *text)
{
    etcd3_config_t *config = etcd3_config_new();
    int64_t begun = now_ms();
    etcd3_config_add_endpoint(config, getenv("ETCD3_PLAIN"));
    CHECK_CODE(etcd3_config_discover_srv(config, domain, NULL, resolver, timeout_ms, &err), err, code, text);
    CHECK(now_ms() - begun < timeout_ms + 100 + SLACK_MS);
    /* The configuration is as it was. */
    works(config);
}

static void plain_ones(void)
{
    finds("plain.test", NULL);
    finds("plain.test.", NULL);
    finds("named.test", "blue");
    /* More than fits into a datagram; and behind an answer that is not meant for this question. */
    finds("big.test", NULL);
    finds("noisy.test", NULL);
    finds("alias.test", NULL);
}

/* The one without TLS leads nowhere: it is not used if there is one with TLS. */
static void those_with_tls_go_first(void)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    CHECK_OK(etcd3_config_discover_srv(config, "tls.test", NULL, resolver, PATIENCE_MS, &err), err);
    add_ca(config);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    CHECK_OK(etcd3_client_wait_connected(client, PATIENCE_MS, &err), err);
    etcd3_client_free(client);
    etcd3_config_free(config);
    /* Both, if that is wanted: the list then needs its permission. */
    config = etcd3_config_new();
    etcd3_config_allow_mixed_schemes(config);
    add_ca(config);
    CHECK_OK(etcd3_config_discover_srv(config, "tls.test", NULL, resolver, PATIENCE_MS, &err), err);
    works(config);
}

static void what_is_not_there(void)
{
    fails("none.test", PATIENCE_MS, ETCD3_ERR_UNAVAILABLE, "_etcd-client-ssl._tcp.none.test");
    fails("none.test", PATIENCE_MS, ETCD3_ERR_UNAVAILABLE, "_etcd-client._tcp.none.test");
    fails("empty.test", PATIENCE_MS, ETCD3_ERR_UNAVAILABLE, "there are no service records");
    fails("dot.test", PATIENCE_MS, ETCD3_ERR_UNAVAILABLE, "there are no service records");
}

static void servers_that_fail(void)
{
    etcd3_config_t *config = etcd3_config_new();
    fails("broken.test", PATIENCE_MS, ETCD3_ERR_UNAVAILABLE, resolver);
    fails("loop.test", PATIENCE_MS, ETCD3_ERR_UNAVAILABLE, "malformed");
    fails("spaced.test", PATIENCE_MS, ETCD3_ERR_UNAVAILABLE, "two words");
    /* A failed lookup of those with TLS is not that there are none. */
    fails("half.test", PATIENCE_MS, ETCD3_ERR_UNAVAILABLE, "_etcd-client-ssl._tcp.half.test");
    fails("silent.test", 400, ETCD3_ERR_TIMEOUT, "_etcd-client-ssl._tcp.silent.test");
    /* Nobody there. */
    CHECK_CODE(etcd3_config_discover_srv(config, "plain.test", NULL, "127.0.0.1:1", 5000, &err), err,
               ETCD3_ERR_UNAVAILABLE, "127.0.0.1:1");
    etcd3_config_free(config);
}

static void from_a_text(void)
{
    static const char *const services[] = {"discovery-srv: plain.test", "discovery-srv: named.test\ndiscovery-srv-name: blue"};
    char text[500];
    etcd3_config_t *config;
    etcd3_client_t *client = NULL;
    size_t i;
    for (i = 0; i < 2; i++) {
        config = etcd3_config_new();
        snprintf(text, sizeof text, "endpoints: 127.0.0.1:1\n%s\ndiscovery-resolver: %s\n", services[i], resolver);
        etcd3_config_load_text(config, text, ETCD3_NTS);
        works(config);
    }
    /* Only with TLS, and with a certificate for the domain: this one is for its host. */
    config = etcd3_config_new();
    snprintf(text, sizeof text, "discovery-srv: tls.test\ninsecure-discovery: false\ndiscovery-resolver: %s\ncacert: %s/ca.pem\n",
             resolver, getenv("ETCD3_TLS_DIR"));
    etcd3_config_load_text(config, text, ETCD3_NTS);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    CHECK_CODE(etcd3_client_wait_connected(client, PATIENCE_MS, &err), err, ETCD3_ERR_TLS, "tls.test");
    etcd3_client_free(client);
    etcd3_config_free(config);
    config = etcd3_config_new();
    client = NULL;
    snprintf(text, sizeof text, "discovery-srv: plain.test\ninsecure-discovery: false\ndiscovery-resolver: %s\n", resolver);
    etcd3_config_load_text(config, text, ETCD3_NTS);
    CHECK_CODE(etcd3_client_open(config, &client, &err), err, ETCD3_ERR_UNAVAILABLE, "_etcd-client-ssl._tcp.plain.test");
    etcd3_config_free(config);
}

int main(void)
{
    resolver = getenv("ETCD3_RESOLVER");
    if (!resolver)
        return 2;
    RUN(plain_ones);
    RUN(those_with_tls_go_first);
    RUN(what_is_not_there);
    RUN(servers_that_fail);
    RUN(from_a_text);
    return CHECK_DONE();
}
