/* Raw calls to real servers: of methods that the library has no function for, and of one that it has. */
#include "check.h"

static etcd3_client_t *client;

/* grpc.health.v1: no service named; the answer is field 1 = 1, SERVING. */
static void a_service_beside_etcds(void)
{
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    size_t len = 0;
    const uint8_t *data;
    CHECK_OK(etcd3_call_raw(client, "/grpc.health.v1.Health/Check", NULL, 0, ETCD3_REPEAT_FREELY, 0, &r, &err), err);
    data = etcd3_result_data(r, &len);
    CHECK(bytes_are(data, len, "\x08\x01", 2));
    etcd3_result_free(r);
}

/* etcdserverpb.PutRequest: key = field 1, value = field 2. */
static void a_write(void)
{
    static const char request[] = "\x0a\x0ctest_raw/key\x12\x05value";
    etcd3_op_t *op = etcd3_op_raw("/etcdserverpb.KV/Put", request, sizeof request - 1, ETCD3_REPEAT_NEVER);
    etcd3_result_t *r = EXECUTE(client, op);
    size_t len = 0;
    /* It begins with a header. */
    const uint8_t *data = etcd3_result_data(r, &len);
    CHECK(len > 2 && data && data[0] == 0x0a);
    etcd3_result_free(r);
    r = EXECUTE(client, etcd3_op_get("test_raw/key", ETCD3_NTS));
    CHECK_KV(etcd3_result_kv(r, 0), "test_raw/key", "value");
    etcd3_result_free(r);
}

/* The header of a call that brings no object: field 1 of each answer; cluster_id = 1, member_id = 2, revision = 3,
   raft_term = 4, all as varints. */
static uint64_t header_field(const etcd3_result_t *r, int field)
{
    size_t len = 0, at = 2;
    const uint8_t *data = etcd3_result_data(r, &len);
    if (!CHECK(len > 2 && data[0] == 0x0a && data[1] + (size_t)2 <= len))
        return 0;
    for (len = data[1] + (size_t)2; at < len;) {
        int number = data[at++] >> 3, shift = 0;
        uint64_t value = 0;
        do
            value |= (uint64_t)(data[at] & 0x7f) << shift, shift += 7;
        while (data[at++] & 0x80);
        if (number == field)
            return value;
    }
    return 0;
}

static void the_header_of_a_compaction(void)
{
    char request[20] = "\x08";
    etcd3_op_t *op;
    etcd3_result_t *r;
    int64_t revision;
    size_t n = 1;
    uint64_t left;
    put(client, "test_raw/key", "compacted");
    revision = revision_now(client);
    /* etcdserverpb.CompactionRequest: revision = field 1. */
    for (left = (uint64_t)revision; left > 0x7f; left >>= 7)
        request[n++] = (char)(left | 0x80);
    request[n++] = (char)left;
    op = etcd3_op_raw("/etcdserverpb.KV/Compact", request, n, ETCD3_REPEAT_NEVER);
    r = EXECUTE(client, op);
    CHECK(header_field(r, 1) != 0 && header_field(r, 4) != 0);
    CHECK(header_field(r, 2) == (uint64_t)strtoull(getenv("ETCD3_TEST_MEMBER"), NULL, 10));
    CHECK_INT(header_field(r, 3), revision);
    etcd3_result_free(r);
}

/* v3electionpb.LeaderRequest: name = field 1. */
static void a_recipe_of_the_server(void)
{
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    CHECK_INT(etcd3_call_raw(client, "/v3electionpb.Election/Leader", "\x0a\x04none", 6, ETCD3_REPEAT_FREELY, 0, &r,
                             &err), ETCD3_ERR_SERVER);
    CHECK(strstr(etcd3_error_message(err), "no leader") != NULL);
    etcd3_error_free(err);
}

static void what_the_server_does_not_have(void)
{
    static const char *const paths[] = {"/etcdserverpb.KV/Nothing", "/no.Service/Nothing", "/Service/Nothing"};
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    size_t i;
    for (i = 0; i < 3; i++)
        CHECK_CODE(etcd3_call_raw(client, paths[i], "", 0, ETCD3_REPEAT_NEVER, 0, &r, &err), err,
                   ETCD3_ERR_UNIMPLEMENTED, "unknown");
    CHECK(r == NULL);
}

/* What is no message of the method's is the server's to refuse; it lives on. */
static void garbage(void)
{
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    CHECK(etcd3_call_raw(client, "/etcdserverpb.KV/Put", "\xff\xff\xff", 3, ETCD3_REPEAT_NEVER, 0, &r, &err) != ETCD3_OK);
    CHECK(etcd3_error_grpc_status(err) > 0);
    etcd3_error_free(err);
    put(client, "test_raw/alive", "yes");
}

int main(void)
{
    client = open_client();
    RUN(a_service_beside_etcds);
    RUN(a_write);
    RUN(the_header_of_a_compaction);
    RUN(a_recipe_of_the_server);
    RUN(what_the_server_does_not_have);
    RUN(garbage);
    etcd3_client_free(client);
    return CHECK_DONE();
}
