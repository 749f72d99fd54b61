/* Wrong arguments to the client's calls and to ops. Queues and watches: misuse_watch.c. */
#include "misuse.h"

#define K "misuse/k", ETCD3_NTS
#define V "v", 1
#define TOO_LONG ((size_t)INT32_MAX + 1)

static etcd3_op_t *a_get(void) { return etcd3_op_get(K); }
static etcd3_op_t *a_put(void) { return etcd3_op_put(K, V); }
static etcd3_op_t *a_delete(void) { return etcd3_op_delete(K); }
typedef etcd3_op_t *maker(void);

static void null_client(void)
{
    etcd3_result_t *r = NULL;
    etcd3_op_t *op = a_get();
    int done = 0;
    int64_t n = 0;
    REFUSED(etcd3_get(NULL, K, &r, &err), "client");
    REFUSED(etcd3_get_prefix(NULL, K, &r, &err), "client");
    REFUSED(etcd3_get_all(NULL, &r, &err), "client");
    REFUSED(etcd3_put(NULL, K, V, &err), "client");
    REFUSED(etcd3_put_if_absent(NULL, K, V, &done, &err), "client");
    REFUSED(etcd3_replace(NULL, K, V, V, &done, &err), "client");
    REFUSED(etcd3_delete(NULL, K, &n, &err), "client");
    REFUSED(etcd3_delete_prefix(NULL, K, &n, &err), "client");
    REFUSED(etcd3_execute(NULL, op, &r, &err), "client");
    REFUSED(etcd3_client_close(NULL, 0, &err), "client");
    CHECK(r == NULL);
    etcd3_op_free(op);
}

static void null_outputs(void)
{
    etcd3_op_t *op = a_put();
    REFUSED(etcd3_get(client, K, NULL, &err), "result");
    REFUSED(etcd3_get_prefix(client, K, NULL, &err), "result");
    REFUSED(etcd3_get_all(client, NULL, &err), "result");
    REFUSED(etcd3_put_if_absent(client, K, V, NULL, &err), "succeeded");
    REFUSED(etcd3_replace(client, K, V, V, NULL, &err), "succeeded");
    REFUSED(etcd3_execute(client, op, NULL, &err), "result");
    REFUSED(etcd3_client_open(NULL, NULL, &err), "client");
    CHECK_INT(etcd3_execute(client, op, NULL, NULL), ETCD3_ERR_INVALID_ARGUMENT);
    still_works(__LINE__);
    etcd3_op_free(op);
}

static void null_builders(void)
{
    etcd3_result_t *r = NULL;
    etcd3_op_t *op;
    REFUSED(etcd3_execute(client, NULL, &r, &err), "op");
    QUIET(etcd3_config_add_endpoint(NULL, "localhost:2379"));
    QUIET(etcd3_config_set_timeout(NULL, 1));
    QUIET(etcd3_op_set_prefix(NULL));
    QUIET(etcd3_op_set_from_key(NULL));
    QUIET(etcd3_op_set_range_end(NULL, "x", 1));
    QUIET(etcd3_op_set_limit(NULL, 1));
    QUIET(etcd3_op_set_revision(NULL, 1));
    QUIET(etcd3_op_set_sort(NULL, ETCD3_SORT_BY_KEY, ETCD3_SORT_NONE));
    QUIET(etcd3_op_set_serializable(NULL));
    QUIET(etcd3_op_set_keys_only(NULL));
    QUIET(etcd3_op_set_count_only(NULL));
    QUIET(etcd3_op_set_min_mod_revision(NULL, 1));
    QUIET(etcd3_op_set_max_mod_revision(NULL, 1));
    QUIET(etcd3_op_set_min_create_revision(NULL, 1));
    QUIET(etcd3_op_set_max_create_revision(NULL, 1));
    QUIET(etcd3_op_set_lease(NULL, 1));
    QUIET(etcd3_op_set_ignore_value(NULL));
    QUIET(etcd3_op_set_ignore_lease(NULL));
    QUIET(etcd3_op_set_prev_kv(NULL));
    QUIET(etcd3_op_set_timeout(NULL, 1));
    QUIET(etcd3_txn_if_value(NULL, K, ETCD3_EQUAL, V));
    QUIET(etcd3_txn_if_version(NULL, K, ETCD3_EQUAL, 1));
    QUIET(etcd3_txn_if_create_revision(NULL, K, ETCD3_EQUAL, 1));
    QUIET(etcd3_txn_if_mod_revision(NULL, K, ETCD3_EQUAL, 1));
    QUIET(etcd3_txn_if_lease(NULL, K, ETCD3_EQUAL, 1));
    QUIET(etcd3_txn_if_range_end(NULL, "x", 1));
    QUIET(etcd3_txn_if_prefix(NULL));
    QUIET(etcd3_txn_if_from_key(NULL));
    op = a_get();
    QUIET(etcd3_txn_then(NULL, op));
    QUIET(etcd3_txn_else(NULL, op));
    etcd3_op_free(op);
    op = etcd3_op_txn();
    etcd3_txn_then(op, NULL);
    OP_REFUSED(op, "op");
    op = etcd3_op_txn();
    etcd3_txn_else(op, NULL);
    OP_REFUSED(op, "op");
}

static void keys_and_values(void)
{
    etcd3_result_t *r = NULL;
    etcd3_op_t *op;
    int done = 0;
    int64_t n = 0;
    REFUSED(etcd3_get(client, "", 0, &r, &err), "key");
    REFUSED(etcd3_get(client, "", ETCD3_NTS, &r, &err), "key");
    REFUSED(etcd3_get(client, NULL, 0, &r, &err), "key");
    REFUSED(etcd3_get(client, NULL, 3, &r, &err), "key");
    REFUSED(etcd3_get(client, NULL, ETCD3_NTS, &r, &err), "key");
    REFUSED(etcd3_get(client, "k", TOO_LONG, &r, &err), "key");
    REFUSED(etcd3_get(client, "k", SIZE_MAX - 1, &r, &err), "key");
    REFUSED(etcd3_get_prefix(client, NULL, 1, &r, &err), "prefix");
    REFUSED(etcd3_get_prefix(client, "k", TOO_LONG, &r, &err), "prefix");
    REFUSED(etcd3_put(client, "", 0, V, &err), "key");
    REFUSED(etcd3_put(client, K, NULL, 1, &err), "value");
    REFUSED(etcd3_put(client, K, NULL, ETCD3_NTS, &err), "value");
    REFUSED(etcd3_put(client, K, "v", TOO_LONG, &err), "value");
    REFUSED(etcd3_put_if_absent(client, "", 0, V, &done, &err), "key");
    REFUSED(etcd3_put_if_absent(client, K, NULL, 1, &done, &err), "value");
    REFUSED(etcd3_replace(client, "", 0, V, V, &done, &err), "key");
    REFUSED(etcd3_replace(client, K, NULL, 1, V, &done, &err), "initial");
    REFUSED(etcd3_replace(client, K, V, NULL, 1, &done, &err), "new");
    REFUSED(etcd3_delete(client, "", 0, &n, &err), "key");
    REFUSED(etcd3_delete(client, "k", SIZE_MAX / 2, &n, &err), "key");
    REFUSED(etcd3_delete_prefix(client, NULL, 7, &n, &err), "prefix");
    OP_REFUSED(etcd3_op_get("", 0), "key");
    OP_REFUSED(etcd3_op_get(NULL, ETCD3_NTS), "key");
    OP_REFUSED(etcd3_op_get("k", TOO_LONG), "key");
    OP_REFUSED(etcd3_op_put("", 0, V), "key");
    OP_REFUSED(etcd3_op_put(NULL, 2, V), "key");
    OP_REFUSED(etcd3_op_put(K, NULL, 2), "value");
    OP_REFUSED(etcd3_op_put(K, "v", TOO_LONG), "value");
    OP_REFUSED(etcd3_op_delete("", 0), "key");
    OP_REFUSED(etcd3_op_delete(NULL, 2), "key");
    op = a_get();
    etcd3_op_set_range_end(op, "", 0);
    OP_REFUSED(op, "end");
    op = a_get();
    etcd3_op_set_range_end(op, NULL, 5);
    OP_REFUSED(op, "end");
    op = a_get();
    etcd3_op_set_range_end(op, "\0", 1); /* on the wire: no end */
    OP_REFUSED(op, "end");
    op = a_delete();
    etcd3_op_set_range_end(op, "z", TOO_LONG);
    OP_REFUSED(op, "end");
    op = etcd3_op_get("", 0);
    etcd3_op_set_range_end(op, "z", 1);
    OP_REFUSED(op, "key");
}

static void with_number(void (*set)(etcd3_op_t *, int64_t), maker *make, int64_t number, const char *name)
{
    char text[100];
    etcd3_op_t *op = make();
    set(op, number);
    snprintf(text, sizeof text, "got %lld", (long long)number);
    OP_REFUSED(op, name);
    op = make();
    set(op, number);
    OP_REFUSED(op, text);
}

static void numbers(void)
{
    static const int64_t negative[] = {-1, INT64_MIN};
    int i;
    for (i = 0; i < 2; i++) {
        with_number(etcd3_op_set_limit, a_get, negative[i], "limit");
        with_number(etcd3_op_set_revision, a_get, negative[i], "revision");
        with_number(etcd3_op_set_min_mod_revision, a_get, negative[i], "revision");
        with_number(etcd3_op_set_max_mod_revision, a_get, negative[i], "revision");
        with_number(etcd3_op_set_min_create_revision, a_get, negative[i], "revision");
        with_number(etcd3_op_set_max_create_revision, a_get, negative[i], "revision");
        with_number(etcd3_op_set_timeout, a_get, negative[i], "timeout");
        with_number(etcd3_op_set_timeout, etcd3_op_txn, negative[i], "timeout");
    }
    with_number(etcd3_op_set_timeout, a_put, 0, "timeout");
    with_number(etcd3_op_set_timeout, a_put, INT64_MAX, "timeout");
    REFUSED(etcd3_client_close(client, -1, &err), "timeout");
    REFUSED(etcd3_client_close(client, INT64_MIN, &err), "timeout");
}

/* Some of these, sent, would kill an etcd 3.4; others would make it skip the comparison. */
static void unknown_numbers(void)
{
    static const int32_t unknown[] = {-1, 5, 99, INT32_MAX, INT32_MIN};
    etcd3_op_t *op;
    int i;
    for (i = 0; i < 5; i++) {
        op = a_get();
        etcd3_op_set_sort(op, unknown[i], ETCD3_SORT_ASCENDING);
        OP_REFUSED(op, "target");
        op = a_get();
        etcd3_op_set_sort(op, ETCD3_SORT_BY_KEY, unknown[i]);
        OP_REFUSED(op, "order");
        op = etcd3_op_txn();
        etcd3_txn_if_value(op, K, unknown[i], V);
        OP_REFUSED(op, "cmp");
        op = etcd3_op_txn();
        etcd3_txn_if_version(op, K, unknown[i], 1);
        OP_REFUSED(op, "cmp");
        op = etcd3_op_txn();
        etcd3_txn_if_lease(op, K, unknown[i], 1);
        OP_REFUSED(op, "cmp");
    }
    op = a_get();
    etcd3_op_set_sort(op, ETCD3_SORT_BY_KEY, 3);
    OP_REFUSED(op, "order");
    op = etcd3_op_txn();
    etcd3_txn_if_mod_revision(op, K, 4, 1);
    OP_REFUSED(op, "cmp");
}

static void comparisons(void)
{
    etcd3_op_t *op = etcd3_op_txn();
    etcd3_txn_if_value(op, "", 0, ETCD3_EQUAL, V);
    OP_REFUSED(op, "key");
    op = etcd3_op_txn();
    etcd3_txn_if_value(op, NULL, 4, ETCD3_EQUAL, V);
    OP_REFUSED(op, "key");
    op = etcd3_op_txn();
    etcd3_txn_if_value(op, K, ETCD3_EQUAL, NULL, 4);
    OP_REFUSED(op, "value");
    op = etcd3_op_txn();
    etcd3_txn_if_version(op, K, ETCD3_EQUAL, -1);
    OP_REFUSED(op, "version");
    op = etcd3_op_txn();
    etcd3_txn_if_create_revision(op, K, ETCD3_LESS, INT64_MIN);
    OP_REFUSED(op, "revision");
    op = etcd3_op_txn();
    etcd3_txn_if_mod_revision(op, K, ETCD3_LESS, -5);
    OP_REFUSED(op, "revision");
    op = etcd3_op_txn();
    etcd3_txn_if_prefix(op);
    OP_REFUSED(op, "comparison");
    op = etcd3_op_txn();
    etcd3_txn_if_version(op, K, ETCD3_EQUAL, 1);
    etcd3_txn_if_from_key(op);
    etcd3_txn_if_prefix(op);
    OP_REFUSED(op, "range");
    op = etcd3_op_txn();
    etcd3_txn_if_version(op, K, ETCD3_EQUAL, 1);
    etcd3_txn_if_range_end(op, NULL, 9);
    OP_REFUSED(op, "end");
}

static void wrong_kind(void (*set)(etcd3_op_t *), const char *name, maker *first, maker *second, maker *third)
{
    maker *makers[3];
    int i;
    makers[0] = first;
    makers[1] = second;
    makers[2] = third;
    for (i = 0; i < 3; i++)
        if (makers[i]) {
            etcd3_op_t *op = makers[i]();
            set(op);
            OP_REFUSED(op, name);
        }
}

static void a_limit(etcd3_op_t *op) { etcd3_op_set_limit(op, 1); }
static void a_revision(etcd3_op_t *op) { etcd3_op_set_revision(op, 1); }
static void a_sort(etcd3_op_t *op) { etcd3_op_set_sort(op, ETCD3_SORT_BY_KEY, ETCD3_SORT_ASCENDING); }
static void a_min_mod(etcd3_op_t *op) { etcd3_op_set_min_mod_revision(op, 1); }
static void a_max_mod(etcd3_op_t *op) { etcd3_op_set_max_mod_revision(op, 1); }
static void a_min_create(etcd3_op_t *op) { etcd3_op_set_min_create_revision(op, 1); }
static void a_max_create(etcd3_op_t *op) { etcd3_op_set_max_create_revision(op, 1); }
static void a_lease(etcd3_op_t *op) { etcd3_op_set_lease(op, 1); }
static void an_end(etcd3_op_t *op) { etcd3_op_set_range_end(op, "z", 1); }
static void a_comparison(etcd3_op_t *op) { etcd3_txn_if_version(op, K, ETCD3_EQUAL, 1); }
static void a_branch(etcd3_op_t *op)
{
    etcd3_op_t *get = a_get();
    etcd3_txn_then(op, get);
    etcd3_op_free(get);
}
static void another_branch(etcd3_op_t *op)
{
    etcd3_op_t *get = a_get();
    etcd3_txn_else(op, get);
    etcd3_op_free(get);
}

static void options_on_the_wrong_kind(void)
{
    wrong_kind(etcd3_op_set_prefix, "prefix", a_put, etcd3_op_txn, NULL);
    wrong_kind(etcd3_op_set_from_key, "from_key", a_put, etcd3_op_txn, NULL);
    wrong_kind(an_end, "range_end", a_put, etcd3_op_txn, NULL);
    wrong_kind(a_limit, "limit", a_put, a_delete, etcd3_op_txn);
    wrong_kind(a_revision, "revision", a_put, a_delete, etcd3_op_txn);
    wrong_kind(a_sort, "sort", a_put, a_delete, etcd3_op_txn);
    wrong_kind(etcd3_op_set_serializable, "serializable", a_put, a_delete, etcd3_op_txn);
    wrong_kind(etcd3_op_set_keys_only, "keys_only", a_put, a_delete, etcd3_op_txn);
    wrong_kind(etcd3_op_set_count_only, "count_only", a_put, a_delete, etcd3_op_txn);
    wrong_kind(a_min_mod, "min_mod_revision", a_put, a_delete, etcd3_op_txn);
    wrong_kind(a_max_mod, "max_mod_revision", a_put, a_delete, etcd3_op_txn);
    wrong_kind(a_min_create, "min_create_revision", a_put, a_delete, etcd3_op_txn);
    wrong_kind(a_max_create, "max_create_revision", a_put, a_delete, etcd3_op_txn);
    wrong_kind(a_lease, "lease", a_get, a_delete, etcd3_op_txn);
    wrong_kind(etcd3_op_set_ignore_value, "ignore_value", a_get, a_delete, etcd3_op_txn);
    wrong_kind(etcd3_op_set_ignore_lease, "ignore_lease", a_get, a_delete, etcd3_op_txn);
    wrong_kind(etcd3_op_set_prev_kv, "prev_kv", a_get, etcd3_op_txn, NULL);
    wrong_kind(a_comparison, "comparison", a_get, a_put, a_delete);
    wrong_kind(a_branch, "then", a_get, a_put, a_delete);
    wrong_kind(another_branch, "else", a_get, a_put, a_delete);
}

static void options_that_exclude_each_other(void)
{
    etcd3_op_t *op = a_get();
    etcd3_op_set_prefix(op);
    etcd3_op_set_from_key(op);
    OP_REFUSED(op, "range");
    op = a_delete();
    etcd3_op_set_range_end(op, "z", 1);
    etcd3_op_set_prefix(op);
    OP_REFUSED(op, "range");
    op = a_put();
    etcd3_op_set_ignore_value(op);
    OP_REFUSED(op, "value");
    op = etcd3_op_put(K, V);
    etcd3_op_set_lease(op, 1);
    etcd3_op_set_ignore_lease(op);
    OP_REFUSED(op, "lease");
}

static void the_first_mistake_is_kept(void)
{
    etcd3_op_t *op = a_get(), *outer;
    etcd3_result_t *r = NULL;
    etcd3_op_set_limit(op, -1);
    etcd3_op_set_revision(op, -2);
    etcd3_op_set_limit(op, 10);
    etcd3_op_set_lease(op, 1);
    REFUSED(etcd3_execute(client, op, &r, &err), "limit: must not be negative, got -1");
    REFUSED(etcd3_execute(client, op, &r, &err), "limit: must not be negative, got -1");
    outer = etcd3_op_txn();
    etcd3_txn_else(outer, op);
    etcd3_txn_if_version(outer, K, 99, 1);
    OP_REFUSED(outer, "limit: must not be negative, got -1");
    etcd3_op_free(op);
}

int main(void)
{
    client = open_client();
    RUN(null_client);
    RUN(null_outputs);
    RUN(null_builders);
    RUN(keys_and_values);
    RUN(numbers);
    RUN(unknown_numbers);
    RUN(comparisons);
    RUN(options_on_the_wrong_kind);
    RUN(options_that_exclude_each_other);
    RUN(the_first_mistake_is_kept);
    etcd3_client_free(client);
    return CHECK_DONE();
}
