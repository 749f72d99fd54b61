/* Wrong arguments to metadata, ordering and raw calls, and to what a configuration is loaded from. */
#include "misuse.h"

#define K "misuse_config/k", ETCD3_NTS

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
    }
    for (i = 0; i < sizeof values / sizeof *values; i++) {
        etcd3_op_t *op = etcd3_op_put(K, "v", 1);
        CONFIG_REFUSED(etcd3_config_add_metadata(config, "x", values[i]), "value: ");
        etcd3_op_add_metadata(op, "x", values[i]);
        OP_REFUSED(op, "value: ");
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
    etcd3_client_free(client);
    return CHECK_DONE();
}
