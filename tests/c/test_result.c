/* Results: what they hold, how long, and what their readers say of nothing. */
#include "check.h"

#define PREFIX "test_result/"

static etcd3_client_t *client;

static void readers_take_null(void)
{
    CHECK_INT(etcd3_result_kind(NULL), 0);
    CHECK_INT(etcd3_result_revision(NULL), 0);
    CHECK(etcd3_result_header(NULL) == NULL);
    CHECK(etcd3_result_cluster_id(NULL) == 0);
    CHECK(etcd3_result_member_id(NULL) == 0);
    CHECK(etcd3_result_raft_term(NULL) == 0);
    CHECK_INT(etcd3_result_count(NULL), 0);
    CHECK_INT(etcd3_result_more(NULL), 0);
    CHECK_INT(etcd3_result_kv_count(NULL), 0);
    CHECK(etcd3_result_kv(NULL, 0) == NULL);
    CHECK_INT(etcd3_result_prev_kv_count(NULL), 0);
    CHECK(etcd3_result_prev_kv(NULL, 0) == NULL);
    CHECK_INT(etcd3_result_succeeded(NULL), 0);
    CHECK_INT(etcd3_result_response_count(NULL), 0);
    CHECK(etcd3_result_response(NULL, 0) == NULL);
    etcd3_result_free(NULL);
}

static void header(void)
{
    etcd3_result_t *a = EXECUTE(client, etcd3_op_put(PREFIX "h", ETCD3_NTS, "1", 1));
    etcd3_result_t *b = EXECUTE(client, etcd3_op_put(PREFIX "h", ETCD3_NTS, "2", 1));
    etcd3_result_t *c = EXECUTE(client, etcd3_op_get(PREFIX "h", ETCD3_NTS));
    CHECK(etcd3_result_revision(a) > 0);
    CHECK_INT(etcd3_result_revision(b), etcd3_result_revision(a) + 1);
    CHECK_INT(etcd3_result_revision(c), etcd3_result_revision(b));
    CHECK(etcd3_result_cluster_id(a) != 0);
    CHECK(etcd3_result_cluster_id(a) == etcd3_result_cluster_id(c));
    CHECK(etcd3_result_member_id(a) == (uint64_t)strtoull(getenv("ETCD3_TEST_MEMBER"), NULL, 10));
    CHECK(etcd3_result_member_id(a) == etcd3_result_member_id(c));
    CHECK(etcd3_result_raft_term(a) > 0);
    CHECK(etcd3_result_raft_term(a) == etcd3_result_raft_term(b));
    etcd3_result_free(a);
    etcd3_result_free(b);
    etcd3_result_free(c);
}

/* Everything that a result of `kind` does not have reads as nothing. */
static void only(const etcd3_result_t *r, int32_t kind)
{
    CHECK_INT(etcd3_result_kind(r), kind);
    if (kind != ETCD3_RESULT_GET) {
        CHECK_INT(etcd3_result_more(r), 0);
        CHECK_INT(etcd3_result_kv_count(r), 0);
        CHECK(etcd3_result_kv(r, 0) == NULL);
    }
    if (kind == ETCD3_RESULT_GET || kind == ETCD3_RESULT_TXN) {
        CHECK_INT(etcd3_result_prev_kv_count(r), 0);
        CHECK(etcd3_result_prev_kv(r, 0) == NULL);
    }
    if (kind != ETCD3_RESULT_TXN) {
        CHECK_INT(etcd3_result_succeeded(r), 0);
        CHECK_INT(etcd3_result_response_count(r), 0);
        CHECK(etcd3_result_response(r, 0) == NULL);
    }
    CHECK(etcd3_result_kv(r, SIZE_MAX) == NULL);
    CHECK(etcd3_result_prev_kv(r, SIZE_MAX) == NULL);
    CHECK(etcd3_result_response(r, SIZE_MAX) == NULL);
}

static void kinds(void)
{
    etcd3_op_t *ops[4];
    static const int32_t kinds[] = {ETCD3_RESULT_GET, ETCD3_RESULT_PUT, ETCD3_RESULT_DELETE, ETCD3_RESULT_TXN};
    etcd3_op_t *txn = etcd3_op_txn();
    etcd3_result_t *r;
    int i;
    put(client, PREFIX "kind", "1");
    ops[0] = etcd3_op_get(PREFIX "kind", ETCD3_NTS);
    ops[1] = etcd3_op_put(PREFIX "kind", ETCD3_NTS, "2", 1);
    etcd3_op_set_prev_kv(ops[1]);
    ops[2] = etcd3_op_delete(PREFIX "other", ETCD3_NTS);
    etcd3_op_set_prev_kv(ops[2]);
    ops[3] = etcd3_op_txn();
    for (i = 0; i < 4; i++) {
        etcd3_txn_then(txn, ops[i]);
        r = EXECUTE(client, ops[i]);
        only(r, kinds[i]);
        etcd3_result_free(r);
    }
    r = EXECUTE(client, txn);
    only(r, ETCD3_RESULT_TXN);
    CHECK_INT(etcd3_result_response_count(r), 4);
    for (i = 0; i < 4; i++)
        only(etcd3_result_response(r, (size_t)i), kinds[i]);
    CHECK_KV(etcd3_result_prev_kv(etcd3_result_response(r, 1), 0), PREFIX "kind", "2");
    etcd3_result_free(r);
}

static void outlives_its_client(void)
{
    etcd3_client_t *other = open_client();
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL, *kept = NULL;
    const etcd3_kv_t *kv;
    put(other, PREFIX "lives", "on");
    CHECK_OK(etcd3_get(other, PREFIX "lives", ETCD3_NTS, &r, &err), err);
    CHECK_INT(etcd3_put(other, "", 0, "", 0, &kept), ETCD3_ERR_INVALID_ARGUMENT);
    kv = etcd3_result_kv(r, 0);
    CHECK_OK(etcd3_client_close(other, PATIENCE_MS, &err), err);
    etcd3_client_free(other);
    CHECK_KV(kv, PREFIX "lives", "on");
    CHECK(etcd3_result_kv(r, 0) == kv);
    CHECK(etcd3_result_revision(r) > 0);
    etcd3_result_free(r);
    CHECK(strstr(etcd3_error_message(kept), "key") != NULL);
    etcd3_error_free(kept);
}

enum { THREADS = 4, KEYS = 50 };

static void *read_all(void *arg)
{
    const etcd3_result_t *r = (const etcd3_result_t *)arg;
    char key[40], value[40];
    int turn, i;
    for (turn = 0; turn < 20; turn++)
        for (i = 0; i < KEYS; i++) {
            snprintf(key, sizeof key, PREFIX "many/%02d", i);
            snprintf(value, sizeof value, "value %d", i);
            CHECK_KV(etcd3_result_kv(r, (size_t)i), key, value);
        }
    return NULL;
}

static void many_threads_read_one_result(void)
{
    pthread_t threads[THREADS];
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    char key[40], value[40];
    int i;
    for (i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, PREFIX "many/%02d", i);
        snprintf(value, sizeof value, "value %d", i);
        put(client, key, value);
    }
    CHECK_OK(etcd3_get_prefix(client, PREFIX "many/", ETCD3_NTS, &r, &err), err);
    for (i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, read_all, r), 0);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    etcd3_result_free(r);
}

static void large_results_come_whole(void)
{
    enum { BIG = 600 * 1024, N = 10 };
    char *bytes = (char *)malloc(BIG), key[40];
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    int i, same = 0;
    for (i = 0; i < N; i++) {
        snprintf(key, sizeof key, PREFIX "large/%02d", i);
        memset(bytes, 'a' + i, BIG);
        CHECK_OK(etcd3_put(client, key, ETCD3_NTS, bytes, BIG, &err), err);
    }
    CHECK_OK(etcd3_get_prefix(client, PREFIX "large/", ETCD3_NTS, &r, &err), err);
    CHECK_INT(etcd3_result_kv_count(r), N);
    for (i = 0; i < N; i++) {
        const etcd3_kv_t *kv = kv_at(r, (size_t)i);
        memset(bytes, 'a' + i, BIG);
        same += bytes_are(kv->value, kv->value_len, bytes, BIG);
    }
    CHECK_INT(same, N);
    etcd3_result_free(r);
    free(bytes);
}

int main(void)
{
    client = open_client();
    RUN(readers_take_null);
    RUN(header);
    RUN(kinds);
    RUN(outlives_its_client);
    RUN(many_threads_read_one_result);
    RUN(large_results_come_whole);
    etcd3_client_free(client);
    return CHECK_DONE();
}
