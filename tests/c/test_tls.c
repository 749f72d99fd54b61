/* TLS: what works, and for each thing that is wrong an error that names the endpoint, or the file, and the reason. The
   driver makes the certificates, in ETCD3_TLS_DIR, and servers that use them. */
#include "listed.h"
#include "mute_server.h"

#define K "tls/k", ETCD3_NTS
enum { CONNECT_MS = 3000 };

static char places[8][400];

/* A file of the driver's; one of the last few asked for stays valid. */
static const char *file(const char *name)
{
    static int turn;
    const char *directory = getenv("ETCD3_TLS_DIR");
    char *place = places[turn++ % 8];
    if (!directory) {
        fprintf(stderr, "set ETCD3_TLS_DIR: run it by cargo test\n");
        exit(2);
    }
    snprintf(place, sizeof places[0], "%s/%s", directory, name);
    return place;
}

/* "127.0.0.1:port" of one of the driver's servers. */
static const char *at(const char *server)
{
    const char *endpoint = getenv(server);
    if (!endpoint) {
        fprintf(stderr, "set %s: run it by cargo test\n", server);
        exit(2);
    }
    return endpoint;
}

static etcd3_config_t *config_for(const char *scheme, const char *endpoint)
{
    etcd3_config_t *config = etcd3_config_new();
    char url[200];
    snprintf(url, sizeof url, "%s%s", scheme, endpoint);
    etcd3_config_add_endpoint(config, url);
    etcd3_config_set_timeout(config, 15000);
    etcd3_config_set_connect_timeout(config, CONNECT_MS);
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

static void closed(etcd3_client_t *client)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    etcd3_client_free(client);
}

#define WORKS(config) works((config), __LINE__)
static void works(etcd3_config_t *config, int line)
{
    etcd3_client_t *client = opened(config);
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    check_ok(etcd3_put(client, K, "v", 1, &err), &err, "put", __FILE__, line);
    check_ok(etcd3_get(client, K, &r, &err), &err, "get", __FILE__, line);
    etcd3_result_free(r);
    closed(client);
}

/* Connecting and calling fail with the code, in time, and the message has the endpoint and the reason. */
#define FAILS(config, code, endpoint, reason) fails((config), (code), (endpoint), (reason), __LINE__)
static void fails(etcd3_config_t *config, etcd3_code_t want, const char *endpoint, const char *reason, int line)
{
    etcd3_client_t *client = opened(config);
    int64_t began = now_ms();
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_code_t code = etcd3_client_wait_connected(client, 10000, &err);
    check_that(strstr(etcd3_error_message(err), endpoint) != NULL, etcd3_error_message(err), __FILE__, line);
    check_code(code, &err, want, reason, "wait_connected", __FILE__, line);
    check_that(now_ms() - began < CONNECT_MS + 100 + SLACK_MS, "wait_connected is over in time", __FILE__, line);
    began = now_ms();
    code = etcd3_put(client, K, "v", 1, &err);
    check_that(strstr(etcd3_error_message(err), endpoint) != NULL, etcd3_error_message(err), __FILE__, line);
    check_int(etcd3_error_maybe_applied(err), 0, "maybe_applied", __FILE__, line);
    check_code(code, &err, want, reason, "put", __FILE__, line);
    check_that(now_ms() - began < CONNECT_MS + 100 + SLACK_MS, "the put is over in time", __FILE__, line);
    check_code(etcd3_get(client, K, &r, &err), &err, want, reason, "get", __FILE__, line);
    closed(client);
}

static etcd3_config_t *trusting(const char *endpoint, const char *ca)
{
    etcd3_config_t *config = config_for("https://", endpoint);
    etcd3_config_set_tls_files(config, file(ca), NULL, NULL);
    return config;
}

static etcd3_config_t *as_client(const char *endpoint, const char *cert, const char *key)
{
    etcd3_config_t *config = config_for("https://", endpoint);
    etcd3_config_set_tls_files(config, file("ca.pem"), file(cert), file(key));
    return config;
}

static size_t contents(const char *name, char *text, size_t size)
{
    FILE *f = fopen(file(name), "r");
    size_t n = f ? fread(text, 1, size, f) : 0;
    if (f)
        fclose(f);
    CHECK(n > 0);
    return n;
}

static void good_ones(void)
{
    etcd3_config_t *config;
    char ca[4000], cert[4000], key[4000];
    size_t ca_len = contents("ca.pem", ca, sizeof ca), cert_len = contents("client.pem", cert, sizeof cert);
    size_t key_len = contents("client.key", key, sizeof key);
    WORKS(trusting(at("ETCD3_TLS"), "ca.pem"));
    WORKS(as_client(at("ETCD3_MTLS"), "client.pem", "client.key"));
    config = config_for("https://", at("ETCD3_MTLS"));
    etcd3_config_set_tls_pem(config, ca, ca_len, cert, cert_len, key, key_len);
    WORKS(config);
    config = config_for("", at("ETCD3_TLS")); /* TLS, since it is configured */
    etcd3_config_set_tls_files(config, file("ca.pem"), NULL, NULL);
    WORKS(config);
    config = trusting(at("ETCD3_TLS"), "ca.pem");
    etcd3_config_set_tls_min_version(config, ETCD3_TLS_1_3);
    WORKS(config);
    config = trusting(at("ETCD3_TLS_MISNAMED"), "ca.pem");
    etcd3_config_set_tls_server_name(config, "other.example");
    WORKS(config);
    config = config_for("http://", at("ETCD3_PLAIN")); /* plain, though TLS is configured */
    etcd3_config_set_tls_files(config, file("ca.pem"), NULL, NULL);
    WORKS(config);
}

static void keep_line(int32_t level, const char *message, void *user_data)
{
    char *line = (char *)user_data;
    if (level <= ETCD3_LOG_WARNING && !*line)
        snprintf(line, 200, "%s", message);
}

static void trusting_anyone_is_logged(void)
{
    etcd3_config_t *config = config_for("https://", at("ETCD3_TLS_EXPIRED"));
    char line[200] = "";
    etcd3_config_set_tls_skip_verify(config);
    etcd3_config_set_log(config, ETCD3_LOG_WARNING, keep_line, line);
    WORKS(config);
    CHECK(*line != '\0');
}

static void servers_that_cannot_be_trusted(void)
{
    etcd3_config_t *config;
    FAILS(trusting(at("ETCD3_TLS"), "other-ca.pem"), ETCD3_ERR_TLS, at("ETCD3_TLS"), "Issuer");
    FAILS(trusting(at("ETCD3_TLS_EXPIRED"), "ca.pem"), ETCD3_ERR_TLS, at("ETCD3_TLS_EXPIRED"), "expired");
    FAILS(trusting(at("ETCD3_TLS_MISNAMED"), "ca.pem"), ETCD3_ERR_TLS, at("ETCD3_TLS_MISNAMED"), "name");
    config = trusting(at("ETCD3_TLS"), "ca.pem");
    etcd3_config_set_tls_server_name(config, "other.example");
    FAILS(config, ETCD3_ERR_TLS, at("ETCD3_TLS"), "other.example");
    config = config_for("https://", at("ETCD3_TLS"));
    etcd3_config_set_tls_system_roots(config);
    FAILS(config, ETCD3_ERR_TLS, at("ETCD3_TLS"), "Issuer");
}

/* TLS because of the scheme alone: what the client lists of it stays protected, as does the address that errors name. */
static void named_without_a_configuration(void)
{
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    CHECK_INT(setenv("SSL_CERT_FILE", file("ca.pem"), 1), 0); /* the system's roots */
    client = opened(config_for("https://", at("ETCD3_TLS")));
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    CHECK_LISTED(client, at("ETCD3_TLS"), 1);
    closed(client);
    CHECK_INT(unsetenv("SSL_CERT_FILE"), 0);
}

/* The server says no: in TLS 1.3 after the client's end of the handshake. */
static void clients_that_are_not_trusted(void)
{
    etcd3_config_t *config;
    FAILS(trusting(at("ETCD3_MTLS"), "ca.pem"), ETCD3_ERR_TLS, at("ETCD3_MTLS"), "ertificate");
    FAILS(as_client(at("ETCD3_MTLS"), "foreign.pem", "foreign.key"), ETCD3_ERR_TLS, at("ETCD3_MTLS"), "TLS");
    FAILS(as_client(at("ETCD3_MTLS"), "old.pem", "old.key"), ETCD3_ERR_TLS, at("ETCD3_MTLS"), "TLS");
    config = trusting(at("ETCD3_MTLS"), "ca.pem");
    etcd3_config_set_tls_min_version(config, ETCD3_TLS_1_3);
    FAILS(config, ETCD3_ERR_TLS, at("ETCD3_MTLS"), "ertificate");
}

/* Plain to a TLS port: it may close without a word, which leaves no more to say than that. */
static void the_wrong_protocol(void)
{
    struct mute_server mute;
    char url[100];
    etcd3_config_t *config = config_for("http://", at("ETCD3_TLS"));
    etcd3_client_t *plain = opened(config);
    etcd3_error_t *refusal = NULL;
    etcd3_code_t code;
    int64_t since;
    FAILS(trusting(at("ETCD3_PLAIN"), "ca.pem"), ETCD3_ERR_TLS, at("ETCD3_PLAIN"), "TLS");
    since = now_ms();
    code = etcd3_client_wait_connected(plain, 10000, &refusal);
    CHECK_INT(code, ETCD3_ERR_PROTOCOL);
    CHECK(strstr(etcd3_error_message(refusal), at("ETCD3_TLS")) != NULL);
    CHECK(strstr(etcd3_error_message(refusal), "HTTP/2") != NULL);
    CHECK(now_ms() - since < CONNECT_MS + 100 + SLACK_MS);
    etcd3_error_free(refusal);
    closed(plain);
    mute_start(&mute, ACCEPTS);
    snprintf(url, sizeof url, "%s", mute.endpoint);
    config = trusting(url, "ca.pem");
    etcd3_config_set_connect_timeout(config, 300);
    etcd3_config_set_timeout(config, 1000);
    {
        etcd3_client_t *client = opened(config);
        etcd3_error_t *err = NULL;
        int64_t began = now_ms();
        CHECK(etcd3_client_wait_connected(client, 1000, &err) != ETCD3_OK);
        CHECK(strstr(etcd3_error_message(err), mute.endpoint) != NULL);
        CHECK(now_ms() - began < 1000 + 100 + SLACK_MS);
        etcd3_error_free(err);
        closed(client);
    }
    mute_stop(&mute);
}

/* A sick endpoint is no trouble while there is another one. */
static void one_good_endpoint_is_enough(void)
{
    etcd3_config_t *config = trusting(at("ETCD3_TLS_EXPIRED"), "ca.pem");
    char url[100];
    snprintf(url, sizeof url, "https://%s", at("ETCD3_TLS"));
    etcd3_config_add_endpoint(config, url);
    WORKS(config);
}

#define UNUSABLE(ca, cert, key, code, text) unusable((ca), (cert), (key), (code), (text), __LINE__)
static void unusable(const char *ca, const char *cert, const char *key, etcd3_code_t code, const char *text, int line)
{
    etcd3_config_t *config = config_for("https://", at("ETCD3_TLS"));
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_set_tls_files(config, ca ? file(ca) : NULL, cert ? file(cert) : NULL, key ? file(key) : NULL);
    check_code(etcd3_client_open(config, &client, &err), &err, code, text, text, __FILE__, line);
    check_that(client == NULL, "no client", __FILE__, line);
    etcd3_client_free(client);
    etcd3_config_free(config);
}

static void files_that_cannot_be_used(void)
{
    UNUSABLE("nowhere.pem", NULL, NULL, ETCD3_ERR_TLS, "nowhere.pem");
    UNUSABLE("ca.pem", "nowhere.pem", "client.key", ETCD3_ERR_TLS, "nowhere.pem");
    UNUSABLE("ca.pem", "client.pem", "nowhere.key", ETCD3_ERR_TLS, "nowhere.key");
    UNUSABLE("half-ca.pem", NULL, NULL, ETCD3_ERR_TLS, "half-ca.pem");
    UNUSABLE("empty.pem", NULL, NULL, ETCD3_ERR_TLS, "empty.pem");
    UNUSABLE("garbage.pem", NULL, NULL, ETCD3_ERR_TLS, "garbage.pem");
    UNUSABLE("ca.pem", "half.pem", "client.key", ETCD3_ERR_TLS, "half.pem");
    UNUSABLE("ca.pem", "client.pem", "half.key", ETCD3_ERR_TLS, "half.key");
    UNUSABLE("ca.pem", "client.pem", "foreign.key", ETCD3_ERR_TLS, "client.pem"); /* not this certificate's */
    UNUSABLE("ca.pem", "client.pem", NULL, ETCD3_ERR_INVALID_ARGUMENT, "key");
    UNUSABLE("ca.pem", NULL, "client.key", ETCD3_ERR_INVALID_ARGUMENT, "cert");
}

/* While a file is half written, what was read before stays in use. */
static void reading_files_again(void)
{
    etcd3_config_t *config = trusting(at("ETCD3_TLS"), "reloaded-ca.pem");
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    char ca[4000];
    size_t n = contents("reloaded-ca.pem", ca, sizeof ca);
    FILE *f;
    client = opened(config);
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    f = fopen(file("reloaded-ca.pem"), "w");
    CHECK_INT(fwrite(ca, 1, n / 2, f), n / 2);
    fclose(f);
    CHECK_CODE(etcd3_client_reload_tls(client, &err), err, ETCD3_ERR_TLS, "reloaded-ca.pem");
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    f = fopen(file("reloaded-ca.pem"), "w");
    CHECK_INT(fwrite(ca, 1, n, f), n);
    fclose(f);
    CHECK_OK(etcd3_client_reload_tls(client, &err), err);
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    closed(client);
    client = opened(config_for("http://", at("ETCD3_PLAIN")));
    CHECK_CODE(etcd3_client_reload_tls(client, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "TLS");
    closed(client);
}

static void overwrite(const char *name, const char *with)
{
    char text[4000];
    size_t n = contents(with, text, sizeof text);
    FILE *f = fopen(file(name), "w");
    CHECK_INT(fwrite(text, 1, n, f), n);
    fclose(f);
}

/* The same server by another name, to which there is no connection yet. */
static void move_to(etcd3_client_t *client, const char *host)
{
    etcd3_error_t *err = NULL;
    char url[100];
    const char *list[1];
    snprintf(url, sizeof url, "https://%s%s", host, strrchr(at("ETCD3_TLS"), ':'));
    list[0] = url;
    CHECK_OK(etcd3_client_set_endpoints(client, list, 1, &err), err);
}

/* Nobody says so, but each new connection is made with what the files hold then. */
static void files_that_change(void)
{
    etcd3_config_t *config = trusting(at("ETCD3_TLS"), "reloaded-ca.pem");
    etcd3_client_t *client = opened(config);
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    overwrite("reloaded-ca.pem", "other-ca.pem");
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    move_to(client, "localhost");
    CHECK_CODE(etcd3_put(client, K, "v", 1, &err), err, ETCD3_ERR_TLS, "localhost:");
    overwrite("reloaded-ca.pem", "ca.pem");
    move_to(client, "127.0.0.1");
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    closed(client);
}

#define WRONG(endpoint, another) wrong((endpoint), (another), __LINE__)
static void wrong(const char *endpoint, const char *another, int line)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_add_endpoint(config, endpoint);
    if (another)
        etcd3_config_add_endpoint(config, another);
    check_code(etcd3_client_open(config, &client, &err), &err, ETCD3_ERR_INVALID_ARGUMENT, "endpoint", endpoint,
               __FILE__, line);
    etcd3_client_free(client);
    etcd3_config_free(config);
}

static void endpoints_that_are_none(void)
{
    static const char *const malformed[] = {
        "", ":2379", "http://", "https://", "host:", "host:0", "host:65536", "host:-1", "host:port", "host:23 79",
        "ftp://host:2379", "http//host:2379", "http://host:2379/path", "http://host:2379?q", "http://user@host:2379",
        "[::1", "::1:2379", "[::1]2379", "http://[::g]:2379", "host name:2379", "unix:", "unixs://"};
    etcd3_config_t *config;
    char plain[100], secure[100];
    size_t i;
    for (i = 0; i < sizeof malformed / sizeof *malformed; i++)
        WRONG(malformed[i], NULL);
    snprintf(plain, sizeof plain, "http://%s", at("ETCD3_PLAIN"));
    snprintf(secure, sizeof secure, "https://%s", at("ETCD3_TLS"));
    WRONG(plain, secure);
    WRONG(secure, plain);
    config = trusting(at("ETCD3_TLS"), "ca.pem");
    etcd3_config_add_endpoint(config, plain);
    etcd3_config_allow_mixed_schemes(config);
    etcd3_config_set_timeout(config, 15000);
    {
        etcd3_client_t *client = opened(config);
        etcd3_error_t *err = NULL;
        CHECK_OK(etcd3_client_wait_connected(client, 10000, &err), err);
        closed(client);
    }
}

/* Authentication is on while `as_root` lives; it is root's client then. */
static void turn_on(etcd3_client_t *as_root, const char *password)
{
    etcd3_error_t *err = NULL;
    if (password)
        CHECK_OK(etcd3_user_add(as_root, "root", password, &err), err);
    else
        CHECK_OK(etcd3_user_add_no_password(as_root, "root", &err), err);
    CHECK_OK(etcd3_role_add(as_root, "root", &err), err);
    CHECK_OK(etcd3_user_grant_role(as_root, "root", "root", &err), err);
    CHECK_OK(etcd3_auth_enable(as_root, &err), err);
    if (password)
        CHECK_OK(etcd3_client_set_credentials(as_root, "root", password, &err), err);
}

static void turn_off(etcd3_client_t *as_root)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_auth_disable(as_root, &err), err);
    CHECK_OK(etcd3_user_delete(as_root, "root", &err), err);
    CHECK_OK(etcd3_role_delete(as_root, "root", &err), err);
    closed(as_root);
}

static void with_a_password_too(void)
{
    etcd3_client_t *root = opened(trusting(at("ETCD3_TLS"), "ca.pem")), *other;
    etcd3_config_t *config = trusting(at("ETCD3_TLS"), "ca.pem");
    etcd3_error_t *err = NULL;
    turn_on(root, "secret");
    etcd3_config_set_credentials(config, "root", "secret");
    other = opened(config);
    CHECK_OK(etcd3_put(other, K, "v", 1, &err), err);
    closed(other);
    config = trusting(at("ETCD3_TLS"), "ca.pem");
    etcd3_config_set_credentials(config, "root", "guess");
    other = opened(config);
    CHECK_CODE(etcd3_put(other, K, "v", 1, &err), err, ETCD3_ERR_AUTH_FAILED, "authentication failed");
    closed(other);
    turn_off(root);
}

/* The certificate's common name is "root". */
static void with_a_certificate_in_place_of_a_password(void)
{
    etcd3_client_t *root = opened(as_client(at("ETCD3_MTLS"), "client.pem", "client.key"));
    etcd3_error_t *err = NULL;
    turn_on(root, NULL);
    CHECK_OK(etcd3_put(root, K, "v", 1, &err), err);
    turn_off(root);
}

int main(void)
{
    RUN(named_without_a_configuration);
    RUN(good_ones);
    RUN(with_a_password_too);
    RUN(with_a_certificate_in_place_of_a_password);
    RUN(trusting_anyone_is_logged);
    RUN(servers_that_cannot_be_trusted);
    RUN(clients_that_are_not_trusted);
    RUN(the_wrong_protocol);
    RUN(one_good_endpoint_is_enough);
    RUN(files_that_cannot_be_used);
    RUN(reading_files_again);
    RUN(files_that_change);
    RUN(endpoints_that_are_none);
    return CHECK_DONE();
}
