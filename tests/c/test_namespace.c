/* Calls and reads in pages in namespaces: all of it is inside, and nothing else. */
#include "spaces.h"

#define NTS ETCD3_NTS

/* The keys of a result, "a b c". */
static const char *keys_of(const etcd3_result_t *r)
{
    static char text[1000];
    size_t i, at = 0;
    text[0] = '\0';
    for (i = 0; i < etcd3_result_kv_count(r); i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", i ? " " : "", (int)kv_at(r, i)->key_len,
                               (const char *)kv_at(r, i)->key);
    return text;
}

/* Executes and frees the op; its keys. */
static const char *found(etcd3_op_t *op)
{
    etcd3_result_t *r = EXECUTE(inside, op);
    const char *keys = keys_of(r);
    CHECK_INT(etcd3_result_count(r), etcd3_result_kv_count(r));
    etcd3_result_free(r);
    return keys;
}

static void plain_calls(void)
{
    etcd3_result_t *r = NULL;
    int applied = -1;
    int64_t deleted = -1;
    put(inside, "k", "v");
    CHECK_BOTH("k", "v");
    put_there("l", "w");
    CHECK_BOTH("l", "w");
    check_both("\0\xff", 2, NULL, __FILE__, __LINE__);
    put_bytes(inside, "\0\xff", 2, "bytes");
    check_both("\0\xff", 2, "bytes", __FILE__, __LINE__);
    CHECK_OK(etcd3_put_if_absent(inside, "k", NTS, "x", 1, &applied, &err), err);
    CHECK_INT(applied, 0);
    CHECK_OK(etcd3_put_if_absent(inside, "m", NTS, "x", 1, &applied, &err), err);
    CHECK_INT(applied, 1);
    CHECK_OK(etcd3_replace(inside, "m", NTS, "x", 1, "y", 1, &applied, &err), err);
    CHECK_INT(applied, 1);
    CHECK_BOTH("m", "y");
    CHECK_OK(etcd3_get(inside, "m", NTS, &r, &err), err);
    CHECK_KV(etcd3_result_kv(r, 0), "m", "y");
    CHECK_OK(etcd3_put_if_revision(inside, "m", NTS, kv_at(r, 0)->mod_revision, "z", 1, &applied, &err), err);
    CHECK_INT(applied, 1);
    CHECK_BOTH("m", "z");
    etcd3_result_free(r);
    CHECK_OK(etcd3_delete(inside, "m", NTS, &deleted, &err), err);
    CHECK_INT(deleted, 1);
    CHECK_BOTH("m", NULL);
    CHECK_OK(etcd3_get_all(inside, &r, &err), err);
    CHECK_INT(etcd3_result_count(r), 3);
    CHECK_KV_BYTES(etcd3_result_kv(r, 0), "\0\xff", 2, "bytes", 5);
    CHECK_KV(etcd3_result_kv(r, 1), "k", "v");
    CHECK_KV(etcd3_result_kv(r, 2), "l", "w");
    etcd3_result_free(r);
    CHECK_OK(etcd3_delete_prefix(inside, "", 0, &deleted, &err), err);
    CHECK_INT(deleted, 3);
}

/* Makes the op one over a range: a prefix, from a key on, or up to an end. */
static etcd3_op_t *ranged(etcd3_op_t *op, int kind)
{
    if (kind == 1)
        etcd3_op_set_prefix(op);
    if (kind == 2)
        etcd3_op_set_from_key(op);
    if (kind == 3)
        etcd3_op_set_range_end(op, "l", 1);
    if (kind == 4)
        etcd3_op_set_range_end(op, "\xff\xff", 2);
    return op;
}

static void ranges(void)
{
    static const struct {
        const char *key;
        int kind, count;
        const char *keys;
    } cases[] = {{"k", 0, 1, "k"}, {"k", 1, 2, "k kk"}, {"kk", 2, 2, "kk l"}, {"k", 3, 2, "k kk"},
                 {"a", 4, 4, "b k kk l"}, {"", 1, 4, "b k kk l"}, {"", 2, 4, "b k kk l"}, {"m", 2, 0, ""}, {"z", 1, 0, ""}};
    size_t i;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        etcd3_op_t *op;
        etcd3_result_t *r;
        put(inside, "b", "1");
        put(inside, "k", "2");
        put_there("kk", "3");
        put_there("l", "4");
        CHECK_STR(found(ranged(etcd3_op_get(cases[i].key, NTS), cases[i].kind)), cases[i].keys);
        op = ranged(etcd3_op_get(cases[i].key, NTS), cases[i].kind);
        etcd3_op_set_keys_only(op);
        CHECK_STR(found(op), cases[i].keys);
        op = ranged(etcd3_op_delete(cases[i].key, NTS), cases[i].kind);
        etcd3_op_set_prev_kv(op);
        r = EXECUTE(inside, op);
        CHECK_INT(etcd3_result_count(r), cases[i].count);
        CHECK_INT(etcd3_result_prev_kv_count(r), cases[i].count);
        if (etcd3_result_prev_kv_count(r))
            CHECK(bytes_are(etcd3_result_prev_kv(r, 0)->key, etcd3_result_prev_kv(r, 0)->key_len, cases[i].keys,
                            strcspn(cases[i].keys, " ")));
        etcd3_result_free(r);
    }
    CHECK_OK(etcd3_delete_prefix(inside, "", 0, NULL, &err), err);
}

static void options_and_refusals(void)
{
    etcd3_op_t *op;
    etcd3_result_t *r = NULL;
    int64_t old;
    put(inside, "a", "2");
    old = revision_now(plain);
    put(inside, "a", "3");
    put(inside, "b", "1");
    op = etcd3_op_put("a", 1, "4", 1);
    etcd3_op_set_prev_kv(op);
    r = EXECUTE(inside, op);
    CHECK_KV(etcd3_result_prev_kv(r, 0), "a", "3");
    etcd3_result_free(r);
    op = ranged(etcd3_op_get("", 0), 1);
    etcd3_op_set_sort(op, ETCD3_SORT_BY_VALUE, ETCD3_SORT_ASCENDING);
    etcd3_op_set_limit(op, 1);
    r = EXECUTE(inside, op);
    CHECK_STR(keys_of(r), "b");
    CHECK_INT(etcd3_result_count(r), 2);
    CHECK_INT(etcd3_result_more(r), 1);
    etcd3_result_free(r);
    op = ranged(etcd3_op_get("", 0), 2);
    etcd3_op_set_revision(op, old);
    CHECK_STR(found(op), "a");
    op = ranged(etcd3_op_get("", 0), 2);
    etcd3_op_set_count_only(op);
    r = EXECUTE(inside, op);
    CHECK_INT(etcd3_result_count(r), 2);
    etcd3_result_free(r);
    r = NULL;
    CHECK_CODE(etcd3_get(inside, "", 0, &r, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "key: must not be empty");
    CHECK_CODE(etcd3_put(inside, "", 0, "v", 1, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "key: must not be empty");
    CHECK_CODE(etcd3_delete(inside, "", 0, NULL, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "key: must not be empty");
}

static void then_and_free(etcd3_op_t *txn, etcd3_op_t *op)
{
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
}

/* A transaction in a transaction, with every kind of operation and comparison in both. */
static void transactions(void)
{
    int round;
    int64_t first;
    put(inside, "a", "1");
    first = revision_now(plain);
    put(inside, "b", "1");
    for (round = 0; round < 2; round++) {
        etcd3_op_t *outer = etcd3_op_txn(), *inner = etcd3_op_txn(), *op;
        etcd3_result_t *r;
        const etcd3_result_t *nested;
        etcd3_txn_if_value(outer, "a", 1, ETCD3_EQUAL, "1", 1);
        /* True of the whole namespace, and of no key around it. */
        etcd3_txn_if_create_revision(outer, "", 0, ETCD3_GREATER, first - 1);
        etcd3_txn_if_prefix(outer);
        etcd3_txn_if_create_revision(outer, "b", 1, ETCD3_GREATER, first);
        etcd3_txn_if_from_key(outer);
        etcd3_txn_if_version(outer, "a", 1, ETCD3_GREATER, 0);
        etcd3_txn_if_range_end(outer, "c", 1);
        /* In the second round a key of the namespace makes it false. */
        etcd3_txn_if_version(inner, "new", 3, ETCD3_EQUAL, 0);
        then_and_free(inner, etcd3_op_put("new", 3, "inner", 5));
        op = ranged(etcd3_op_get("", 0), 1);
        then_and_free(inner, op);
        op = etcd3_op_delete("new", 3);
        etcd3_op_set_prev_kv(op);
        etcd3_txn_else(inner, op);
        etcd3_op_free(op);
        then_and_free(outer, ranged(etcd3_op_get("a", 1), 2));
        op = etcd3_op_put("b", 1, "2", 1);
        etcd3_op_set_prev_kv(op);
        then_and_free(outer, op);
        then_and_free(outer, inner);
        r = EXECUTE(inside, outer);
        CHECK_INT(etcd3_result_succeeded(r), 1);
        CHECK_STR(keys_of(etcd3_result_response(r, 0)), round ? "a b new" : "a b");
        CHECK_KV(etcd3_result_prev_kv(etcd3_result_response(r, 1), 0), "b", round ? "2" : "1");
        nested = etcd3_result_response(r, 2);
        CHECK_INT(etcd3_result_succeeded(nested), !round);
        if (round)
            CHECK_KV(etcd3_result_prev_kv(etcd3_result_response(nested, 0), 0), "new", "inner");
        else
            CHECK_STR(keys_of(etcd3_result_response(nested, 1)), "a b new");
        etcd3_result_free(r);
        CHECK_BOTH("b", "2");
        CHECK_BOTH("new", round ? NULL : "inner");
    }
}

static void calls_that_do_not_block(void)
{
    etcd3_queue_t *queue = NULL;
    etcd3_op_t *op = ranged(etcd3_op_get("", 0), 1);
    etcd3_call_t *call = NULL;
    etcd3_event_t *event = NULL;
    put_there("k", "v");
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_execute_async(inside, op, queue, NULL, NULL, &call, &err), err);
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_DONE);
    CHECK_INT(etcd3_result_count(etcd3_event_result(event)), 1);
    CHECK_KV(etcd3_result_kv(etcd3_event_result(event), 0), "k", "v");
    etcd3_event_free(event);
    etcd3_call_free(call);
    etcd3_op_free(op);
    etcd3_queue_free(queue);
}

/* With a filter it is read in pages by every server, without one by a stream where there is that. */
static void pages(void)
{
    enum { KEYS = 25 };
    int i, filtered;
    for (i = 0; i < KEYS; i++) {
        char key[10];
        snprintf(key, sizeof key, "p%02d", i);
        if (i % 2)
            put(inside, key, "v");
        else
            put_there(key, "v");
    }
    for (filtered = 0; filtered < 2; filtered++) {
        etcd3_op_t *op = ranged(etcd3_op_get("", 0), filtered ? 1 : 2);
        etcd3_range_t *range = NULL;
        etcd3_result_t *r = NULL;
        int next = 0;
        if (filtered)
            etcd3_op_set_min_mod_revision(op, 1);
        CHECK_OK(etcd3_range_open(inside, op, 7, &range, &err), err);
        etcd3_op_free(op);
        CHECK_INT(etcd3_range_total(range), KEYS);
        while (CHECK_OK(etcd3_range_next(range, &r, &err), err) && r) {
            size_t j;
            for (j = 0; j < etcd3_result_kv_count(r); j++) {
                char key[10];
                snprintf(key, sizeof key, "p%02d", next++);
                CHECK_KV(kv_at(r, j), key, "v");
            }
            etcd3_result_free(r);
            r = NULL;
        }
        CHECK_INT(next, KEYS);
        etcd3_range_free(range);
    }
}

static void namespaces_in_namespaces(void)
{
    etcd3_client_t *deeper = namespace_of(inside, "d\xff", 2), *deepest = namespace_of(deeper, "e", 1);
    etcd3_result_t *r = NULL;
    put(deepest, "k", "v");
    CHECK_VALUE(deeper, "ek", 2, "v");
    CHECK_BOTH("d\xff" "ek", "v");
    put(inside, "e", "no part of it");
    put(inside, "d\xff", "no part of it");
    put(deeper, "e", "no part of it");
    put(deeper, "f", "no part of it");
    CHECK_OK(etcd3_get_all(deepest, &r, &err), err);
    CHECK_STR(keys_of(r), "k");
    etcd3_result_free(r);
    r = NULL;
    CHECK_OK(etcd3_get_all(deeper, &r, &err), err);
    CHECK_STR(keys_of(r), "e ek f");
    etcd3_result_free(r);
    etcd3_client_free(deeper);
    CHECK_CODE(etcd3_put(deepest, "k", 1, "v", 1, &err), err, ETCD3_ERR_CLOSED, "");
    etcd3_client_free(deepest);
    put(inside, "goes", "on");
}

/* What is the cluster's stays so: it goes through the handle as through the client. */
static void not_concerned(void)
{
    etcd3_result_t *r = NULL;
    etcd3_members_t *members = NULL;
    size_t len = 0, whole_len;
    const char *whole = there("raw", 3, &whole_len);
    /* A put of the key "raw" as protobuf has it. */
    CHECK_OK(etcd3_call_raw(inside, "/etcdserverpb.KV/Put", "\x0a\x03raw\x12\x01v", 8, ETCD3_REPEAT_NEVER, 0, &r, &err), err);
    CHECK(etcd3_result_data(r, &len) != NULL);
    etcd3_result_free(r);
    CHECK_VALUE(plain, "raw", 3, "v");
    CHECK_VALUE(plain, whole, whole_len, NULL);
    CHECK_OK(etcd3_member_list(inside, 1, &members, &err), err);
    CHECK_INT(etcd3_members_count(members), 1);
    etcd3_members_free(members);
    CHECK_OK(etcd3_compact(inside, revision_now(inside), 0, 0, &err), err);
}

/* Each test in each of the namespaces. */
#undef RUN
#define RUN(test) (check_section = #test, in_each(test))

int main(void)
{
    plain = open_client();
    RUN(plain_calls);
    RUN(ranges);
    RUN(options_and_refusals);
    RUN(transactions);
    RUN(calls_that_do_not_block);
    RUN(pages);
    RUN(namespaces_in_namespaces);
    RUN(not_concerned);
    etcd3_client_free(plain);
    return CHECK_DONE();
}
