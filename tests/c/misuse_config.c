/* Wrong arguments to metadata, ordering and raw calls, and to what a configuration is loaded from. */
#include "misuse.h"

#define K "misuse_config/k", ETCD3_NTS

/* A watch with metadata that has to be refused when it is started. */
#define WATCH_REFUSED(name, value, text) watch_refused((name), (value), (text), __LINE__)
static void watch_refused(const char *name, const char *value, const char *text, int line)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(K);
    etcd3_queue_t *queue = NULL;
    etcd3_watch_t *watch = NULL;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    etcd3_watch_opts_add_metadata(opts, name, value);
    check_code(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err), &err, ETCD3_ERR_INVALID_ARGUMENT,
               text, "etcd3_watch_start", __FILE__, line);
    CHECK(watch == NULL);
    etcd3_watch_opts_free(opts);
    etcd3_queue_free(queue);
    still_works(line);
}

static void metadata_of_a_config(void)
{
    static const char *const names[] = {"",    "X-Tenant", ":path", "two words", "a:b", "caf\xc3\xa9", "\xff",
                                        "a\n", "token",    "te",    "hasleader", "user-agent", "content-type",
                                        "grpc-timeout", "grpc-", "host", "connection"};
    static const char *const values[] = {" x", "x ", "a\tb", "a\r\nb: c", "caf\xc3\xa9", "\xff"};
    static const char *const not_base64[] = {"A", "A===", "AA=", "AB-_", "AA AA", "=AAA"};
    static char large[8200];
    size_t i;
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        etcd3_op_t *op = etcd3_op_get(K);
        CONFIG_REFUSED(etcd3_config_add_metadata(config, names[i], "v"), "name: ");
        etcd3_op_add_metadata(op, names[i], "v");
        OP_REFUSED(op, "name: ");
        WATCH_REFUSED(names[i], "v", "name: ");
    }
    for (i = 0; i < sizeof values / sizeof *values; i++) {
        etcd3_op_t *op = etcd3_op_put(K, "v", 1);
        CONFIG_REFUSED(etcd3_config_add_metadata(config, "x", values[i]), "value: ");
        etcd3_op_add_metadata(op, "x", values[i]);
        OP_REFUSED(op, "value: ");
        WATCH_REFUSED("x", values[i], "value: ");
    }
    for (i = 0; i < sizeof not_base64 / sizeof *not_base64; i++)
        CONFIG_REFUSED(etcd3_config_add_metadata(config, "x-bin", not_base64[i]), "value: must be base64");
    memset(large, 'x', sizeof large - 1);
    CONFIG_REFUSED(etcd3_config_add_metadata(config, "x", large), "8192");
    CONFIG_REFUSED(etcd3_config_add_metadata(config, NULL, "v"), "name: must not be NULL");
    CONFIG_REFUSED(etcd3_config_add_metadata(config, "x", NULL), "value: must not be NULL");
    CONFIG_REFUSED(etcd3_config_add_metadata(config, "token", "v"), "etcd3_config_set_token");
    CONFIG_REFUSED(etcd3_config_add_metadata(config, "hasleader", "v"), "etcd3_op_set_require_leader");
    QUIET(etcd3_config_add_metadata(NULL, "x", "v"));
    QUIET(etcd3_op_add_metadata(NULL, "x", "v"));
    QUIET(etcd3_watch_opts_add_metadata(NULL, "x", "v"));
}

/* A server takes no offence at headers it does not know. */
static void metadata_that_a_server_sees(void)
{
    etcd3_op_t *op = etcd3_op_put(K, "v", 1);
    char value[8000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    etcd3_op_add_metadata(op, "x-long", value);
    etcd3_op_add_metadata(op, "x-long-bin", "AAEC");
    etcd3_result_free(EXECUTE(client, op));
    last_revision++;
    still_works(__LINE__);
}

static void ordering_of_a_config(void)
{
    static const int neither[] = {2, -1, 255, INT32_MIN};
    int i;
    for (i = 0; i < 4; i++)
        CONFIG_REFUSED(etcd3_config_set_ordering(config, neither[i]), "yes: must be 0 or 1");
    QUIET(etcd3_config_set_ordering(NULL, 1));
}

static void texts(void)
{
    static const char *const wrong[] = {"x", "[1]", "a: [", "endpoint: a", "endpoints: ftp://x", "a: 1\n---\nb: 2",
                                        "dial-timeout: 5", "dial-timeout: 5d", "require-leader: maybe", "cert: x",
                                        "username: u", "password: p", "secure: {a: {b: c}}", "max-recv-bytes: 1",
                                        "endpoints: a\nendpoints: b", "x: &a b\ny: *a", "metadata: {te: x}", "\xff"};
    static char large[(1 << 20) + 2];
    size_t i;
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CONFIG_REFUSED(etcd3_config_load_text(config, wrong[i], ETCD3_NTS), "text: ");
    memset(large, '#', sizeof large - 1);
    CONFIG_REFUSED(etcd3_config_load_text(config, large, ETCD3_NTS), "1048576");
    CONFIG_REFUSED(etcd3_config_load_text(config, NULL, 3), "text: must not be NULL");
    CONFIG_REFUSED(etcd3_config_load_text(config, NULL, ETCD3_NTS), "text: must not be NULL");
    CONFIG_REFUSED(etcd3_config_load_text(config, "a", (size_t)INT32_MAX + 1), "text_len: ");
    CONFIG_REFUSED(etcd3_config_load_text(config, "\n\nno-such: 1", ETCD3_NTS), "line 3: \"no-such\"");
    QUIET(etcd3_config_load_text(NULL, "endpoints: a", ETCD3_NTS));
}

static void files(void)
{
    CONFIG_REFUSED(etcd3_config_load_file(config, "/nonexistent/etcd3.yaml"), "path: /nonexistent/etcd3.yaml: ");
    CONFIG_REFUSED(etcd3_config_load_file(config, "/dev/zero"), "is not a file");
    CONFIG_REFUSED(etcd3_config_load_file(config, "/"), "is not a file");
    CONFIG_REFUSED(etcd3_config_load_file(config, "Cargo.toml"), "Cargo.toml: line ");
    CONFIG_REFUSED(etcd3_config_load_file(config, ""), "path: ");
    CONFIG_REFUSED(etcd3_config_load_file(config, NULL), "path: must not be NULL");
    CONFIG_REFUSED(etcd3_config_load_file(config, "\xff"), "path: must be UTF-8");
    QUIET(etcd3_config_load_file(NULL, "/nonexistent"));
}

static void environments(void)
{
    static const char *const wrong[][2] = {
        {"ETCDCTL_ENDPOINTS", "ftp://x"}, {"ETCDCTL_ENDPOINTS", "a,,b"}, {"ETCDCTL_DIAL_TIMEOUT", "5"},
        {"ETCDCTL_COMMAND_TIMEOUT", "soon"}, {"ETCDCTL_KEEPALIVE_TIME", "-5s"}, {"ETCDCTL_KEEPALIVE_TIMEOUT", "1"},
        {"ETCDCTL_MAX_REQUEST_BYTES", "many"}, {"ETCDCTL_MAX_RECV_BYTES", "1"}, {"ETCDCTL_INSECURE_TRANSPORT", "no"},
        {"ETCDCTL_INSECURE_SKIP_TLS_VERIFY", "2"}, {"ETCDCTL_INSECURE_DISCOVERY", "x"}, {"ETCDCTL_USER", "\xff"},
        {"ETCDCTL_USER", "root"}, {"ETCDCTL_PASSWORD", "secret"}, {"ETCDCTL_AUTH_JWT_TOKEN", "two words"},
        {"ETCDCTL_CERT", "x"}, {"ETCDCTL_KEY", "x"}, {"ETCDCTL_DISCOVERY_SRV", "two words"}};
    size_t i;
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv(wrong[i][0], wrong[i][1], 1);
        CONFIG_REFUSED(etcd3_config_load_env(config), "ETCDCTL_");
        unsetenv(wrong[i][0]);
    }
    setenv("ETCDCTL_DIAL_TIMEOUT", "5", 1);
    CONFIG_REFUSED(etcd3_config_load_env(config), "ETCDCTL_DIAL_TIMEOUT: must be a time");
    unsetenv("ETCDCTL_DIAL_TIMEOUT");
    QUIET(etcd3_config_load_env(NULL));
}

static void discovery(void)
{
    static const char *const domains[] = {"", ".", "a..b", "two words", "caf\xc3\xa9.test", "\xff", "a/b"};
    static const char *const services[] = {"", "a.b", "two words", "\xff"};
    static const char *const resolvers[] = {"", "localhost", "127.0.0.1:", "127.0.0.1:x", "1.2.3", "\xff"};
    static const int64_t times[] = {0, -1, INT64_MIN, INT64_MAX};
    etcd3_config_t *config = env_config(), *wrong = env_config();
    etcd3_client_t *own = NULL;
    size_t i;
#define DISCOVER(domain, service, resolver, time) etcd3_config_discover_srv(config, domain, service, resolver, time, &err)
    for (i = 0; i < sizeof domains / sizeof *domains; i++)
        REFUSED(DISCOVER(domains[i], NULL, "127.0.0.1:1", 1000), "domain: ");
    for (i = 0; i < sizeof services / sizeof *services; i++)
        REFUSED(DISCOVER("a.test", services[i], "127.0.0.1:1", 1000), "service_name: ");
    for (i = 0; i < sizeof resolvers / sizeof *resolvers; i++)
        REFUSED(DISCOVER("a.test", NULL, resolvers[i], 1000), "resolver: ");
    for (i = 0; i < sizeof times / sizeof *times; i++)
        REFUSED(DISCOVER("a.test", NULL, "127.0.0.1:1", times[i]), "timeout_ms: ");
    REFUSED(DISCOVER(NULL, NULL, "127.0.0.1:1", 1000), "domain: must not be NULL");
    REFUSED(etcd3_config_discover_srv(NULL, "a.test", NULL, "127.0.0.1:1", 1000, &err), "config: must not be NULL");
    etcd3_config_set_timeout(wrong, -7);
    REFUSED(etcd3_config_discover_srv(wrong, "a.test", NULL, "127.0.0.1:1", 1000, &err), "-7");
    /* It is as it was. */
    CHECK_OK(etcd3_client_open(config, &own, &err), err);
    put(own, "misuse_config/k", "v");
    etcd3_client_free(own);
    etcd3_config_free(config);
    etcd3_config_free(wrong);
    last_revision++;
    still_works(__LINE__);
}

static void raw_calls(void)
{
    static const char *const paths[] = {"", "/", "x", "a.B/C", "/a.B", "/a.B/", "//C", "/a.B/C/D", "/a..B/C", "/.a/C",
                                        "/a./C", "/a.B/C?d", "/a b/C", "/caf\xc3\xa9/C", "/a.B/C\n", "\xff"};
    static const char *const guarded[] = {"/etcdserverpb.KV/Range", "/etcdserverpb.KV/Txn",
                                          "/etcdserverpb.Maintenance/Alarm", "/etcdserverpb.Auth/RoleGrantPermission"};
    static const char *const streams[] = {"/etcdserverpb.Watch/Watch", "/etcdserverpb.Lease/LeaseKeepAlive",
                                          "/etcdserverpb.Maintenance/Snapshot", "/etcdserverpb.KV/RangeStream"};
    static const int32_t repeats[] = {-1, 2, INT32_MAX, INT32_MIN};
    static const int64_t times[] = {-1, INT64_MIN, INT64_MAX};
    static char large[(2 << 20) + 1];
    const char *health = "/grpc.health.v1.Health/Check";
    etcd3_result_t *r = NULL;
    etcd3_op_t *txn = etcd3_op_txn(), *op;
    size_t i;
#define RAW(path, request, len, repeat, time) etcd3_call_raw(client, path, request, len, repeat, time, &r, &err)
    for (i = 0; i < sizeof paths / sizeof *paths; i++)
        REFUSED(RAW(paths[i], "", 0, ETCD3_REPEAT_NEVER, 0), "path: ");
    for (i = 0; i < 4; i++) {
        REFUSED(RAW(guarded[i], "", 0, ETCD3_REPEAT_NEVER, 0), "own functions");
        REFUSED(RAW(streams[i], "", 0, ETCD3_REPEAT_NEVER, 0), "is a stream");
        REFUSED(RAW(health, "", 0, repeats[i], 0), "repeat: ");
        OP_REFUSED(etcd3_op_raw(guarded[i], "", 0, ETCD3_REPEAT_FREELY), "own functions");
        OP_REFUSED(etcd3_op_raw(health, "", 0, repeats[i]), "repeat: ");
    }
    for (i = 0; i < 3; i++)
        REFUSED(RAW(health, "", 0, ETCD3_REPEAT_NEVER, times[i]), "timeout_ms: ");
    REFUSED(RAW(NULL, "", 0, ETCD3_REPEAT_NEVER, 0), "path: must not be NULL");
    REFUSED(RAW(health, NULL, 1, ETCD3_REPEAT_NEVER, 0), "request: must not be NULL");
    REFUSED(RAW(health, "", (size_t)INT32_MAX + 1, ETCD3_REPEAT_NEVER, 0), "request_len: ");
    REFUSED_AS(RAW(health, large, sizeof large, ETCD3_REPEAT_NEVER, 0), ETCD3_ERR_REQUEST_TOO_LARGE, "2097153");
    REFUSED(etcd3_call_raw(NULL, health, "", 0, ETCD3_REPEAT_NEVER, 0, &r, &err), "client: ");
    REFUSED(etcd3_call_raw(client, health, "", 0, ETCD3_REPEAT_NEVER, 0, NULL, &err), "result: ");
    op = etcd3_op_raw(health, "", 0, ETCD3_REPEAT_NEVER);
    etcd3_txn_then(txn, op);
    OP_REFUSED(txn, "then is for a get");
    etcd3_op_set_limit(op, 1);
    OP_REFUSED(op, "limit is for a get, this is a raw call");
    OP_REFUSED(etcd3_op_raw(NULL, "", 0, ETCD3_REPEAT_NEVER), "path: must not be NULL");
    CHECK(r == NULL);
}

int main(void)
{
    client = open_client();
    RUN(metadata_of_a_config);
    RUN(metadata_that_a_server_sees);
    RUN(ordering_of_a_config);
    RUN(raw_calls);
    RUN(texts);
    RUN(files);
    RUN(environments);
    RUN(discovery);
    etcd3_client_free(client);
    return CHECK_DONE();
}
