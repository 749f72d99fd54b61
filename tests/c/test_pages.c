/* Reads of any size against a real server: all of it, from one revision, whatever happens meanwhile. */
#include "scripted.h"

enum { KEYS = 2500 };

static etcd3_client_t *client;
static etcd3_error_t *err;
static int64_t filled;

static etcd3_op_t *all(void)
{
    etcd3_op_t *op = etcd3_op_get("pages/", ETCD3_NTS);
    etcd3_op_set_prefix(op);
    return op;
}

/* Opens and frees the op. */
static etcd3_range_t *opened(etcd3_op_t *op, int64_t page)
{
    etcd3_range_t *range = NULL;
    CHECK_OK(etcd3_range_open(client, op, page, &range, &err), err);
    etcd3_op_free(op);
    return range;
}

static etcd3_result_t *next(etcd3_range_t *range)
{
    etcd3_result_t *result = NULL;
    CHECK_OK(etcd3_range_next(range, &result, &err), err);
    return result;
}

static void fill(void)
{
    int i, j;
    for (i = 0; i < KEYS; i += 100) {
        etcd3_op_t *txn = etcd3_op_txn(), *op;
        for (j = i; j < i + 100; j++) {
            char key[30], value[30];
            snprintf(key, sizeof key, "pages/%05d", j);
            snprintf(value, sizeof value, "value %d", j);
            op = etcd3_op_put(key, ETCD3_NTS, value, ETCD3_NTS);
            etcd3_txn_then(txn, op);
            etcd3_op_free(op);
        }
        etcd3_result_free(EXECUTE(client, txn));
    }
    filled = revision_now(client);
}

/* Takes the rest of a read, whose keys go on at `from`; how many parts there were. */
static int take_rest(etcd3_range_t *range, int from, int to, size_t most)
{
    etcd3_result_t *result;
    int parts = 0;
    while ((result = next(range)) != NULL) {
        size_t i, n = etcd3_result_kv_count(result);
        parts++;
        CHECK(n > 0 && n <= most);
        CHECK_INT(etcd3_result_kind(result), ETCD3_RESULT_GET);
        for (i = 0; i < n; i++, from++) {
            char key[30], value[30];
            snprintf(key, sizeof key, "pages/%05d", from);
            snprintf(value, sizeof value, "value %d", from);
            CHECK_KV(kv_at(result, i), key, value);
        }
        etcd3_result_free(result);
    }
    CHECK_INT(from, to);
    CHECK(next(range) == NULL);
    return parts;
}

static void all_of_it_from_one_revision(void)
{
    static const int64_t pages[] = {0, 1000, 7, 100000};
    int i;
    for (i = 0; i < 4; i++) {
        etcd3_range_t *range = opened(all(), pages[i]);
        etcd3_result_t *first = next(range);
        size_t n = etcd3_result_kv_count(first);
        CHECK(etcd3_range_revision(range) >= filled);
        CHECK_INT(etcd3_range_total(range), KEYS);
        CHECK_KV(kv_at(first, 0), "pages/00000", "value 0");
        etcd3_result_free(first);
        /* What others do meanwhile is not seen. */
        put(client, "pages/00002+", "new");
        put(client, "pages/02400", "another");
        CHECK_OK(etcd3_delete(client, "pages/02499", ETCD3_NTS, NULL, &err), err);
        take_rest(range, (int)n, KEYS, KEYS);
        etcd3_range_free(range);
        CHECK_OK(etcd3_delete(client, "pages/00002+", ETCD3_NTS, NULL, &err), err);
        put(client, "pages/02400", "value 2400");
        put(client, "pages/02499", "value 2499");
    }
}

static void options(void)
{
    etcd3_op_t *op = all();
    etcd3_range_t *range;
    etcd3_result_t *result;
    etcd3_op_set_limit(op, 1234);
    range = opened(op, 100);
    take_rest(range, 0, 1234, KEYS);
    CHECK_INT(etcd3_range_total(range), KEYS);
    etcd3_range_free(range);
    op = all();
    etcd3_op_set_revision(op, filled);
    etcd3_op_set_serializable(op);
    range = opened(op, 0);
    CHECK_INT(etcd3_range_revision(range), filled);
    take_rest(range, 0, KEYS, KEYS);
    etcd3_range_free(range);
    op = all();
    etcd3_op_set_keys_only(op);
    etcd3_op_set_limit(op, 1);
    range = opened(op, 0);
    result = next(range);
    CHECK_KV(kv_at(result, 0), "pages/00000", "");
    etcd3_result_free(result);
    CHECK(next(range) == NULL);
    etcd3_range_free(range);
    op = etcd3_op_get("pages/00001", ETCD3_NTS);
    range = opened(op, 0);
    take_rest(range, 1, 2, 1);
    etcd3_range_free(range);
    op = etcd3_op_get("pages/00010", ETCD3_NTS);
    etcd3_op_set_range_end(op, "pages/00012", ETCD3_NTS);
    range = opened(op, 1);
    take_rest(range, 10, 12, 2);
    etcd3_range_free(range);
    op = etcd3_op_get("no such key", ETCD3_NTS);
    range = opened(op, 0);
    CHECK_INT(etcd3_range_total(range), 0);
    CHECK(next(range) == NULL);
    etcd3_range_free(range);
    /* With a filter the server has to be asked in pages. */
    op = all();
    etcd3_op_set_max_mod_revision(op, filled - KEYS / 200);
    range = opened(op, 10);
    CHECK(take_rest(range, 0, KEYS - 100 * (KEYS / 200), 10) > 100);
    etcd3_range_free(range);
}

static void compacted_on_the_way(void)
{
    etcd3_op_t *op = all();
    etcd3_range_t *range;
    etcd3_result_t *result = NULL;
    /* By pages, so that something is left to be read. */
    etcd3_op_set_min_create_revision(op, 1);
    range = opened(op, 10);
    result = next(range);
    CHECK_INT(etcd3_result_kv_count(result), 10);
    etcd3_result_free(result);
    put(client, "after", "it");
    CHECK_OK(etcd3_compact(client, revision_now(client), 1, 20000, &err), err);
    result = NULL;
    CHECK_CODE(etcd3_range_next(range, &result, &err), err, ETCD3_ERR_COMPACTED, "compacted after 10 keys");
    CHECK(result == NULL);
    CHECK_CODE(etcd3_range_next(range, &result, &err), err, ETCD3_ERR_COMPACTED, "start again");
    etcd3_range_free(range);
    op = all();
    etcd3_op_set_revision(op, filled);
    range = NULL;
    CHECK_CODE(etcd3_range_open(client, op, 0, &range, &err), err, ETCD3_ERR_COMPACTED, "compacted");
    CHECK(range == NULL);
    etcd3_op_free(op);
}

static void in_any_order_of_freeing(void)
{
    etcd3_client_t *own = open_client();
    etcd3_op_t *op = all();
    etcd3_range_t *range = NULL, *other = NULL;
    etcd3_result_t *first = NULL, *result = NULL;
    CHECK_OK(etcd3_range_open(own, op, 10, &range, &err), err);
    CHECK_OK(etcd3_range_open(own, op, 10, &other, &err), err);
    etcd3_op_free(op);
    CHECK_OK(etcd3_range_next(range, &first, &err), err);
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    CHECK_CODE(etcd3_range_next(other, &result, &err), err, ETCD3_ERR_CLOSED, "closed");
    etcd3_range_free(other);
    etcd3_client_free(own);
    CHECK_CODE(etcd3_range_next(range, &result, &err), err, ETCD3_ERR_CLOSED, "closed");
    etcd3_range_free(range);
    CHECK(result == NULL);
    CHECK_KV(kv_at(first, 0), "pages/00000", "value 0");
    etcd3_result_free(first);
}

/* A stream that breaks is gone on with where it stood; a server that has none is asked in pages. */
static void a_stream_that_breaks(void)
{
    struct scripted server = serve("grpc");
    etcd3_op_t *op = etcd3_op_get("a", 1);
    etcd3_range_t *range = NULL;
    etcd3_result_t *result = NULL;
    etcd3_op_set_from_key(op);
    etcd3_op_set_timeout(op, 5000);
    script(&server, "Range 1 headers | message hex 0a06080110011809 2002 | trailers 0");
    /* The key "a", then the end of the connection; "b" with a header. */
    script(&server, "RangeStream 1 headers | message hex 0a051203 0a0161 | abort");
    script(&server, "RangeStream 1 headers | message hex 0a0d0a06080110011809 1203 0a0162 | trailers 0");
    client = open_config(config_of(&server, NULL, 5000));
    CHECK_OK(etcd3_range_open(client, op, 0, &range, &err), err);
    CHECK_INT(etcd3_range_revision(range), 9);
    CHECK_INT(etcd3_range_total(range), 2);
    result = next(range);
    CHECK_KV(kv_at(result, 0), "a", "");
    CHECK_INT(etcd3_result_more(result), 1);
    CHECK_INT(etcd3_result_revision(result), 9);
    CHECK_INT(etcd3_result_count(result), 2);
    etcd3_result_free(result);
    result = next(range);
    CHECK_KV(kv_at(result, 0), "b", "");
    CHECK_INT(etcd3_result_more(result), 0);
    etcd3_result_free(result);
    CHECK(next(range) == NULL);
    CHECK_INT(asked(&server, "RangeStream"), 2);
    /* Key "a\0", all keys from it on, revision 9. */
    CHECK_STR(ask("body %d RangeStream 1", server.number), "0a0261001201002009");
    etcd3_range_free(range);
    forget(&server);
    script(&server, "Range 1 headers | message hex 0a06080110011809 2001 | trailers 0");
    script(&server, "RangeStream * status 12 unknown method RangeStream");
    script(&server, "Range 1 headers | message hex 0a06080110011809 1203 0a0161 2001 | trailers 0");
    CHECK_OK(etcd3_range_open(client, op, 0, &range, &err), err);
    result = next(range);
    CHECK_KV(kv_at(result, 0), "a", "");
    etcd3_result_free(result);
    CHECK(next(range) == NULL);
    CHECK_INT(asked(&server, "RangeStream"), 1);
    CHECK_INT(asked(&server, "Range"), 2);
    etcd3_range_free(range);
    etcd3_op_free(op);
    close_client(client);
}

int main(void)
{
    client = open_client();
    fill();
    RUN(all_of_it_from_one_revision);
    RUN(options);
    RUN(in_any_order_of_freeing);
    RUN(compacted_on_the_way);
    close_client(client);
    RUN(a_stream_that_breaks);
    return CHECK_DONE();
}
