/* Transactions: comparisons, branches, nesting, and what etcd refuses. */
#include "check.h"

#define PREFIX "test_txn/"
#define KEY PREFIX "key"

static etcd3_client_t *client;

/* Executes and frees a transaction without branches: do its comparisons hold? */
static int holds(etcd3_op_t *txn)
{
    etcd3_result_t *r = EXECUTE(client, txn);
    int succeeded = etcd3_result_succeeded(r);
    CHECK_INT(etcd3_result_kind(r), ETCD3_RESULT_TXN);
    CHECK_INT(etcd3_result_response_count(r), 0);
    etcd3_result_free(r);
    return succeeded;
}

static int64_t value_version(const char *key, const char *value)
{
    etcd3_result_t *r = EXECUTE(client, etcd3_op_get(key, ETCD3_NTS));
    int64_t version = etcd3_result_count(r) ? kv_at(r, 0)->version : 0;
    CHECK_INT(etcd3_result_count(r), value ? 1 : 0);
    if (value)
        CHECK_KV(etcd3_result_kv(r, 0), key, value);
    etcd3_result_free(r);
    return version;
}

static void then_put(etcd3_op_t *txn, const char *key, const char *value)
{
    etcd3_op_t *op = etcd3_op_put(key, ETCD3_NTS, value, ETCD3_NTS);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
}

static void else_put(etcd3_op_t *txn, const char *key, const char *value)
{
    etcd3_op_t *op = etcd3_op_put(key, ETCD3_NTS, value, ETCD3_NTS);
    etcd3_txn_else(txn, op);
    etcd3_op_free(op);
}

/* What `etcd result other` must be where etcd's number is `sign` (-1, 0, 1) against the other. */
static int truth(int32_t cmp, int sign)
{
    switch (cmp) {
    case ETCD3_EQUAL: return sign == 0;
    case ETCD3_GREATER: return sign > 0;
    case ETCD3_LESS: return sign < 0;
    default: return sign != 0;
    }
}

static void every_target_and_comparison(void)
{
    typedef void if_number(etcd3_op_t *, const void *, size_t, int32_t, int64_t);
    static if_number *const targets[] = {etcd3_txn_if_version, etcd3_txn_if_create_revision,
                                         etcd3_txn_if_mod_revision, etcd3_txn_if_lease};
    static const char *const values[] = {"m\xff", "m", "ab\0"};
    int64_t lease = env_number("ETCD3_TEST_LEASE", 0), actual[4];
    etcd3_op_t *op;
    etcd3_result_t *r;
    int32_t cmp;
    int target, sign;
    put(client, KEY, "1");
    put(client, KEY, "2");
    op = etcd3_op_put(KEY, ETCD3_NTS, "m", 1);
    etcd3_op_set_lease(op, lease);
    etcd3_result_free(EXECUTE(client, op));
    r = EXECUTE(client, etcd3_op_get(KEY, ETCD3_NTS));
    actual[0] = kv_at(r, 0)->version;
    actual[1] = kv_at(r, 0)->create_revision;
    actual[2] = kv_at(r, 0)->mod_revision;
    actual[3] = kv_at(r, 0)->lease;
    etcd3_result_free(r);
    CHECK_INT(actual[0], 3);
    CHECK_INT(actual[2], actual[1] + 2);
    CHECK_INT(actual[3], lease);
    for (cmp = ETCD3_EQUAL; cmp <= ETCD3_NOT_EQUAL; cmp++)
        for (sign = -1; sign <= 1; sign++) {
            for (target = 0; target < 4; target++) {
                op = etcd3_op_txn();
                targets[target](op, KEY, ETCD3_NTS, cmp, actual[target] - sign);
                CHECK_INT(holds(op), truth(cmp, sign));
            }
            op = etcd3_op_txn();
            etcd3_txn_if_value(op, KEY, ETCD3_NTS, cmp, values[sign + 1], sign == 1 ? 3 : strlen(values[sign + 1]));
            CHECK_INT(holds(op), truth(cmp, sign));
        }
}

static void a_missing_key_compares_as_zero(void)
{
    etcd3_op_t *op = etcd3_op_txn();
    etcd3_txn_if_version(op, PREFIX "missing", ETCD3_NTS, ETCD3_EQUAL, 0);
    etcd3_txn_if_create_revision(op, PREFIX "missing", ETCD3_NTS, ETCD3_LESS, 1);
    etcd3_txn_if_mod_revision(op, PREFIX "missing", ETCD3_NTS, ETCD3_NOT_EQUAL, 5);
    etcd3_txn_if_lease(op, PREFIX "missing", ETCD3_NTS, ETCD3_EQUAL, 0);
    CHECK_INT(holds(op), 1);
    op = etcd3_op_txn();
    etcd3_txn_if_value(op, PREFIX "missing", ETCD3_NTS, ETCD3_EQUAL, "", 0);
    CHECK_INT(holds(op), 0);
}

static void comparisons_over_ranges(void)
{
    etcd3_op_t *op;
    put(client, PREFIX "r/a", "1");
    put(client, PREFIX "r/b", "1");
    put(client, PREFIX "r/c", "2");
    op = etcd3_op_txn();
    etcd3_txn_if_version(op, PREFIX "r/", ETCD3_NTS, ETCD3_EQUAL, 1);
    etcd3_txn_if_prefix(op);
    CHECK_INT(holds(op), 1);
    op = etcd3_op_txn();
    etcd3_txn_if_value(op, PREFIX "r/a", ETCD3_NTS, ETCD3_EQUAL, "1", 1);
    etcd3_txn_if_range_end(op, PREFIX "r/c", ETCD3_NTS);
    CHECK_INT(holds(op), 1);
    op = etcd3_op_txn();
    etcd3_txn_if_value(op, PREFIX "r/a", ETCD3_NTS, ETCD3_EQUAL, "1", 1);
    etcd3_txn_if_prefix(op);
    etcd3_txn_if_value(op, PREFIX "r/", ETCD3_NTS, ETCD3_EQUAL, "1", 1);
    etcd3_txn_if_prefix(op);
    CHECK_INT(holds(op), 0);
    op = etcd3_op_txn();
    etcd3_txn_if_value(op, PREFIX "r/b", ETCD3_NTS, ETCD3_LESS, "2", 1);
    etcd3_txn_if_from_key(op);
    CHECK_INT(holds(op), 0);
    op = etcd3_op_txn();
    etcd3_txn_if_value(op, PREFIX "r/c", ETCD3_NTS, ETCD3_EQUAL, "2", 1);
    etcd3_txn_if_from_key(op);
    CHECK_INT(holds(op), 1);
    op = etcd3_op_txn();
    etcd3_txn_if_version(op, PREFIX "r/nothing/", ETCD3_NTS, ETCD3_EQUAL, 0);
    etcd3_txn_if_prefix(op);
    CHECK_INT(holds(op), 1);
    op = etcd3_op_txn();
    etcd3_txn_if_value(op, PREFIX "r/nothing/", ETCD3_NTS, ETCD3_NOT_EQUAL, "x", 1);
    etcd3_txn_if_prefix(op);
    CHECK_INT(holds(op), 0);
    op = etcd3_op_txn();
    etcd3_txn_if_version(op, "", 0, ETCD3_GREATER, 0);
    etcd3_txn_if_prefix(op);
    CHECK_INT(holds(op), 1);
}

static etcd3_op_t *both_branches(const char *expected)
{
    etcd3_op_t *op = etcd3_op_txn();
    etcd3_txn_if_value(op, PREFIX "branch", ETCD3_NTS, ETCD3_EQUAL, expected, ETCD3_NTS);
    then_put(op, PREFIX "then", "t");
    then_put(op, PREFIX "then2", "t2");
    else_put(op, PREFIX "else", "e");
    return op;
}

static void one_branch_runs(void)
{
    etcd3_result_t *r;
    int64_t before;
    put(client, PREFIX "branch", "v");
    r = EXECUTE(client, both_branches("v"));
    CHECK_INT(etcd3_result_succeeded(r), 1);
    CHECK_INT(etcd3_result_response_count(r), 2);
    CHECK_INT(etcd3_result_kind(etcd3_result_response(r, 1)), ETCD3_RESULT_PUT);
    CHECK(etcd3_result_response(r, 2) == NULL);
    etcd3_result_free(r);
    CHECK_INT(value_version(PREFIX "then", "t"), 1);
    CHECK_INT(value_version(PREFIX "then2", "t2"), 1);
    CHECK_INT(value_version(PREFIX "else", NULL), 0);

    before = revision_now(client);
    r = EXECUTE(client, both_branches("other"));
    CHECK_INT(etcd3_result_succeeded(r), 0);
    CHECK_INT(etcd3_result_response_count(r), 1);
    CHECK_INT(etcd3_result_revision(r), before + 1);
    etcd3_result_free(r);
    CHECK_INT(value_version(PREFIX "then", "t"), 1);
    CHECK_INT(value_version(PREFIX "else", "e"), 1);
}

static void empty_ones(void)
{
    int64_t before = revision_now(client);
    etcd3_op_t *op;
    etcd3_result_t *r;
    CHECK_INT(holds(etcd3_op_txn()), 1);
    op = etcd3_op_txn();
    etcd3_txn_if_version(op, PREFIX "missing", ETCD3_NTS, ETCD3_EQUAL, 1);
    then_put(op, PREFIX "never", "v");
    r = EXECUTE(client, op);
    CHECK_INT(etcd3_result_succeeded(r), 0);
    CHECK_INT(etcd3_result_response_count(r), 0);
    CHECK(etcd3_result_response(r, 0) == NULL);
    etcd3_result_free(r);
    CHECK_INT(revision_now(client), before);
}

static void options_work_inside(void)
{
    etcd3_op_t *txn = etcd3_op_txn(), *op;
    etcd3_result_t *r;
    const etcd3_result_t *part;
    put(client, PREFIX "o/a", "1");
    put(client, PREFIX "o/b", "2");
    put(client, PREFIX "o/c", "3");
    op = etcd3_op_get(PREFIX "o/", ETCD3_NTS);
    etcd3_op_set_prefix(op);
    etcd3_op_set_sort(op, ETCD3_SORT_BY_VALUE, ETCD3_SORT_DESCENDING);
    etcd3_op_set_limit(op, 2);
    etcd3_op_set_keys_only(op);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    op = etcd3_op_put(PREFIX "o/a", ETCD3_NTS, "new", 3);
    etcd3_op_set_prev_kv(op);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    op = etcd3_op_delete(PREFIX "o/b", ETCD3_NTS);
    etcd3_op_set_from_key(op);
    etcd3_op_set_prev_kv(op);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    op = etcd3_op_get(PREFIX "o/", ETCD3_NTS);
    etcd3_op_set_prefix(op);
    etcd3_op_set_count_only(op);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);

    r = EXECUTE(client, txn);
    CHECK_INT(etcd3_result_response_count(r), 4);
    part = etcd3_result_response(r, 0);
    CHECK_INT(etcd3_result_kind(part), ETCD3_RESULT_GET);
    CHECK_INT(etcd3_result_more(part), 1);
    CHECK_INT(etcd3_result_kv_count(part), 2);
    CHECK_KV(etcd3_result_kv(part, 0), PREFIX "o/c", "");
    CHECK_KV(etcd3_result_kv(part, 1), PREFIX "o/b", "");
    part = etcd3_result_response(r, 1);
    CHECK_INT(etcd3_result_kind(part), ETCD3_RESULT_PUT);
    CHECK_KV(etcd3_result_prev_kv(part, 0), PREFIX "o/a", "1");
    part = etcd3_result_response(r, 2);
    CHECK_INT(etcd3_result_kind(part), ETCD3_RESULT_DELETE);
    CHECK(etcd3_result_count(part) >= 2);
    CHECK_KV(etcd3_result_prev_kv(part, 0), PREFIX "o/b", "2");
    CHECK_KV(etcd3_result_prev_kv(part, 1), PREFIX "o/c", "3");
    part = etcd3_result_response(r, 3);
    CHECK_INT(etcd3_result_count(part), 1);
    CHECK_INT(etcd3_result_kv_count(part), 0);
    etcd3_result_free(r);
}

static void three_levels_deep(void)
{
    etcd3_op_t *inner = etcd3_op_txn(), *middle = etcd3_op_txn(), *outer = etcd3_op_txn(), *get;
    etcd3_result_t *r;
    const etcd3_result_t *m, *i;
    put(client, PREFIX "deep", "0");
    get = etcd3_op_get(PREFIX "deep", ETCD3_NTS);
    etcd3_txn_if_value(inner, PREFIX "deep", ETCD3_NTS, ETCD3_EQUAL, "no", 2);
    etcd3_txn_else(inner, get);
    else_put(inner, PREFIX "deep/inner", "3");
    etcd3_txn_if_version(middle, PREFIX "deep", ETCD3_NTS, ETCD3_GREATER, 0);
    then_put(middle, PREFIX "deep/middle", "2");
    etcd3_txn_then(middle, inner);
    then_put(outer, PREFIX "deep/outer", "1");
    etcd3_txn_then(outer, middle);
    etcd3_txn_then(outer, get);
    etcd3_op_free(get);
    etcd3_op_free(inner);
    etcd3_op_free(middle);

    r = EXECUTE(client, outer);
    CHECK_INT(etcd3_result_succeeded(r), 1);
    CHECK_INT(etcd3_result_response_count(r), 3);
    CHECK_KV(etcd3_result_kv(etcd3_result_response(r, 2), 0), PREFIX "deep", "0");
    m = etcd3_result_response(r, 1);
    CHECK_INT(etcd3_result_kind(m), ETCD3_RESULT_TXN);
    CHECK_INT(etcd3_result_succeeded(m), 1);
    CHECK_INT(etcd3_result_response_count(m), 2);
    i = etcd3_result_response(m, 1);
    CHECK_INT(etcd3_result_kind(i), ETCD3_RESULT_TXN);
    CHECK_INT(etcd3_result_succeeded(i), 0);
    CHECK_INT(etcd3_result_response_count(i), 2);
    CHECK_INT(etcd3_result_kind(etcd3_result_response(i, 0)), ETCD3_RESULT_GET);
    CHECK_KV(etcd3_result_kv(etcd3_result_response(i, 0), 0), PREFIX "deep", "0");
    etcd3_result_free(r);
    CHECK_INT(value_version(PREFIX "deep/outer", "1"), 1);
    CHECK_INT(value_version(PREFIX "deep/middle", "2"), 1);
    CHECK_INT(value_version(PREFIX "deep/inner", "3"), 1);
}

static void refused(etcd3_op_t *txn, etcd3_code_t code, const char *text)
{
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    int64_t before = revision_now(client);
    CHECK_CODE(etcd3_execute(client, txn, &r, &err), err, code, text);
    etcd3_op_free(txn);
    CHECK(r == NULL);
    CHECK_INT(revision_now(client), before);
}

static void what_etcd_refuses(void)
{
    etcd3_op_t *op = etcd3_op_txn(), *part;
    int i;
    then_put(op, PREFIX "twice", "1");
    then_put(op, PREFIX "twice", "2");
    refused(op, ETCD3_ERR_DUPLICATE_KEY, "duplicate key");

    op = etcd3_op_txn();
    part = etcd3_op_delete(PREFIX "d/", ETCD3_NTS);
    etcd3_op_set_prefix(part);
    etcd3_txn_then(op, part);
    etcd3_op_free(part);
    then_put(op, PREFIX "d/x", "1");
    refused(op, ETCD3_ERR_DUPLICATE_KEY, "duplicate key");

    op = etcd3_op_txn();
    part = etcd3_op_txn();
    then_put(op, PREFIX "twice", "1");
    then_put(part, PREFIX "twice", "2");
    etcd3_txn_then(op, part);
    etcd3_op_free(part);
    refused(op, ETCD3_ERR_DUPLICATE_KEY, "duplicate key");

    op = etcd3_op_txn();
    then_put(op, PREFIX "rolled back", "1");
    part = etcd3_op_put(PREFIX "leased", ETCD3_NTS, "1", 1);
    etcd3_op_set_lease(part, INT64_MAX);
    etcd3_txn_then(op, part);
    etcd3_op_free(part);
    refused(op, ETCD3_ERR_LEASE_NOT_FOUND, "lease not found");
    value_version(PREFIX "rolled back", NULL);

    op = etcd3_op_txn();
    for (i = 0; i < 129; i++) {
        char key[40];
        snprintf(key, sizeof key, PREFIX "many/%d", i);
        then_put(op, key, "v");
        if (i == 127) {
            etcd3_result_t *r = NULL;
            etcd3_error_t *err = NULL;
            CHECK_OK(etcd3_execute(client, op, &r, &err), err);
            CHECK_INT(etcd3_result_response_count(r), 128);
            etcd3_result_free(r);
        }
    }
    refused(op, ETCD3_ERR_TOO_MANY_OPS, "too many operations");
}

static void a_branchs_mistake_is_named(void)
{
    etcd3_op_t *op = etcd3_op_txn(), *part = etcd3_op_get(PREFIX "k", ETCD3_NTS);
    etcd3_op_set_limit(part, -3);
    etcd3_txn_then(op, part);
    etcd3_op_free(part);
    then_put(op, "", "later mistake");
    refused(op, ETCD3_ERR_INVALID_ARGUMENT, "limit: must not be negative, got -3");
}

int main(void)
{
    client = open_client();
    RUN(every_target_and_comparison);
    RUN(a_missing_key_compares_as_zero);
    RUN(comparisons_over_ranges);
    RUN(one_branch_runs);
    RUN(empty_ones);
    RUN(options_work_inside);
    RUN(three_levels_deep);
    RUN(what_etcd_refuses);
    RUN(a_branchs_mistake_is_named);
    etcd3_client_free(client);
    return CHECK_DONE();
}
