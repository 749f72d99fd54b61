/* The op builder: every option of get, put and delete against real data. Ranges: test_op_range.c. */
#include "check.h"

#define PREFIX "test_op/"
#define SORTED PREFIX "sort/"

static etcd3_client_t *client;
static int64_t start; /* the revision before the sort data */

/* The last byte of each key found, in order: "a01" for ".../a", ".../0", ".../1". */
static const char *names(const etcd3_result_t *r)
{
    static char text[64];
    size_t i, n = etcd3_result_kv_count(r);
    for (i = 0; i < n && i < sizeof text - 1; i++)
        text[i] = (char)kv_at(r, i)->key[kv_at(r, i)->key_len - 1];
    text[i] = '\0';
    return text;
}

static etcd3_op_t *get_sorted_keys(void)
{
    etcd3_op_t *op = etcd3_op_get(SORTED, ETCD3_NTS);
    etcd3_op_set_prefix(op);
    return op;
}

/* Four keys whose order is another one for each sort target. */
static void put_sort_data(void)
{
    static const char *const puts[][2] = {
        {SORTED "2", "x"}, {SORTED "0", "x"}, {SORTED "3", "x"},  {SORTED "1", "v1"}, {SORTED "2", "x"},
        {SORTED "2", "x"}, {SORTED "3", "x"}, {SORTED "3", "v2"}, {SORTED "2", "v0"}, {SORTED "0", "v3"},
    };
    size_t i;
    start = revision_now(client);
    for (i = 0; i < sizeof puts / sizeof *puts; i++)
        put(client, puts[i][0], puts[i][1]);
}

static void sort_targets_and_orders(void)
{
    static const struct {
        int32_t target;
        const char *ascending, *descending;
    } rows[] = {
        {ETCD3_SORT_BY_KEY, "0123", "3210"},
        {ETCD3_SORT_BY_VERSION, "1032", "2301"},
        {ETCD3_SORT_BY_CREATE_REVISION, "2031", "1302"},
        {ETCD3_SORT_BY_MOD_REVISION, "1320", "0231"},
        {ETCD3_SORT_BY_VALUE, "2130", "0312"},
    };
    static const int32_t orders[] = {ETCD3_SORT_NONE, ETCD3_SORT_ASCENDING, ETCD3_SORT_DESCENDING};
    size_t i, j;
    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        for (j = 0; j < 3; j++) {
            etcd3_op_t *op = get_sorted_keys();
            etcd3_result_t *r;
            etcd3_op_set_sort(op, rows[i].target, orders[j]);
            r = EXECUTE(client, op);
            CHECK_STR(names(r), orders[j] == ETCD3_SORT_DESCENDING ? rows[i].descending : rows[i].ascending);
            etcd3_result_free(r);
        }
}

static void limits(void)
{
    static const struct {
        int64_t limit;
        const char *found;
        int more;
    } rows[] = {{0, "0123", 0}, {1, "0", 1}, {3, "012", 1}, {4, "0123", 0}, {INT64_MAX, "0123", 0}};
    size_t i;
    etcd3_result_t *r;
    etcd3_op_t *op;
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        op = get_sorted_keys();
        etcd3_op_set_limit(op, rows[i].limit);
        r = EXECUTE(client, op);
        CHECK_STR(names(r), rows[i].found);
        CHECK_INT(etcd3_result_more(r), rows[i].more);
        CHECK_INT(etcd3_result_count(r), 4);
        etcd3_result_free(r);
    }
    op = get_sorted_keys();
    etcd3_op_set_limit(op, 2);
    etcd3_op_set_sort(op, ETCD3_SORT_BY_VALUE, ETCD3_SORT_DESCENDING);
    r = EXECUTE(client, op);
    CHECK_STR(names(r), "03");
    etcd3_result_free(r);
}

static void revision_reads_the_past(void)
{
    static const struct {
        int64_t after;
        const char *found, *value;
    } rows[] = {{1, "2", "x"}, {2, "02", "x"}, {4, "0123", "x"}, {9, "0123", "x"}, {10, "0123", "v3"}};
    size_t i;
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        etcd3_op_t *op = get_sorted_keys();
        etcd3_result_t *r;
        etcd3_op_set_revision(op, start + rows[i].after);
        r = EXECUTE(client, op);
        CHECK_STR(names(r), rows[i].found);
        CHECK(bytes_are(kv_at(r, 0)->value, kv_at(r, 0)->value_len, rows[i].value, strlen(rows[i].value)));
        CHECK(etcd3_result_revision(r) >= start + 10);
        etcd3_result_free(r);
    }
}

static const char *found_between(void (*set)(etcd3_op_t *, int64_t), int64_t revision)
{
    etcd3_op_t *op = get_sorted_keys();
    etcd3_result_t *r;
    const char *found;
    set(op, revision);
    r = EXECUTE(client, op);
    found = names(r);
    etcd3_result_free(r);
    return found;
}

static void revision_filters(void)
{
    /* modified at: 0 +10, 1 +4, 2 +9, 3 +8; created at: 0 +2, 1 +4, 2 +1, 3 +3 */
    CHECK_STR(found_between(etcd3_op_set_min_mod_revision, start + 9), "02");
    CHECK_STR(found_between(etcd3_op_set_max_mod_revision, start + 8), "13");
    CHECK_STR(found_between(etcd3_op_set_min_create_revision, start + 3), "13");
    CHECK_STR(found_between(etcd3_op_set_max_create_revision, start + 2), "02");
    CHECK_STR(found_between(etcd3_op_set_min_mod_revision, start + 11), "");
    CHECK_STR(found_between(etcd3_op_set_min_mod_revision, 0), "0123");
}

static void keys_only_and_count_only(void)
{
    etcd3_op_t *op = get_sorted_keys();
    etcd3_result_t *r;
    etcd3_op_set_keys_only(op);
    r = EXECUTE(client, op);
    CHECK_STR(names(r), "0123");
    CHECK_KV(etcd3_result_kv(r, 0), SORTED "0", "");
    CHECK_INT(kv_at(r, 0)->mod_revision, start + 10);
    etcd3_result_free(r);

    op = get_sorted_keys();
    etcd3_op_set_count_only(op);
    r = EXECUTE(client, op);
    CHECK_INT(etcd3_result_count(r), 4);
    CHECK_INT(etcd3_result_kv_count(r), 0);
    etcd3_result_free(r);
}

static void serializable_and_own_timeout(void)
{
    etcd3_op_t *op = get_sorted_keys();
    etcd3_result_t *r;
    etcd3_op_set_serializable(op);
    etcd3_op_set_timeout(op, PATIENCE_MS);
    r = EXECUTE(client, op);
    CHECK_STR(names(r), "0123");
    etcd3_result_free(r);
}

static void get_kv(const char *key, const char *value, int64_t version, int64_t lease)
{
    etcd3_result_t *r = EXECUTE(client, etcd3_op_get(key, ETCD3_NTS));
    CHECK_KV(etcd3_result_kv(r, 0), key, value);
    CHECK_INT(kv_at(r, 0)->version, version);
    CHECK_INT(kv_at(r, 0)->lease, lease);
    etcd3_result_free(r);
}

static void put_options(void)
{
    int64_t lease = env_number("ETCD3_TEST_LEASE", 0);
    etcd3_op_t *op;
    CHECK(lease != 0);
    op = etcd3_op_put(PREFIX "put", ETCD3_NTS, "one", 3);
    etcd3_op_set_lease(op, lease);
    etcd3_result_free(EXECUTE(client, op));
    get_kv(PREFIX "put", "one", 1, lease);

    op = etcd3_op_put(PREFIX "put", ETCD3_NTS, "two", 3);
    etcd3_op_set_ignore_lease(op);
    etcd3_result_free(EXECUTE(client, op));
    get_kv(PREFIX "put", "two", 2, lease);

    op = etcd3_op_put(PREFIX "put", ETCD3_NTS, NULL, 0);
    etcd3_op_set_ignore_value(op);
    etcd3_result_free(EXECUTE(client, op));
    get_kv(PREFIX "put", "two", 3, 0);

    op = etcd3_op_put(PREFIX "put", ETCD3_NTS, NULL, 0);
    etcd3_op_set_ignore_value(op);
    etcd3_op_set_lease(op, lease);
    etcd3_result_free(EXECUTE(client, op));
    get_kv(PREFIX "put", "two", 4, lease);
}

static void put_gives_the_previous(void)
{
    etcd3_op_t *op = etcd3_op_put(PREFIX "prev", ETCD3_NTS, "new", 3);
    etcd3_result_t *r;
    etcd3_op_set_prev_kv(op);
    r = EXECUTE(client, op);
    CHECK_INT(etcd3_result_prev_kv_count(r), 0);
    CHECK(etcd3_result_prev_kv(r, 0) == NULL);
    etcd3_result_free(r);

    op = etcd3_op_put(PREFIX "prev", ETCD3_NTS, "newer", 5);
    etcd3_op_set_prev_kv(op);
    r = EXECUTE(client, op);
    CHECK_INT(etcd3_result_prev_kv_count(r), 1);
    CHECK_KV(etcd3_result_prev_kv(r, 0), PREFIX "prev", "new");
    CHECK_INT(etcd3_result_kv_count(r), 0);
    etcd3_result_free(r);

    r = EXECUTE(client, etcd3_op_put(PREFIX "prev", ETCD3_NTS, "newest", 6));
    CHECK_INT(etcd3_result_prev_kv_count(r), 0);
    etcd3_result_free(r);
}

static void delete_options(void)
{
    etcd3_op_t *op;
    etcd3_result_t *r;
    put(client, PREFIX "del/a", "1");
    put(client, PREFIX "del/b", "2");
    put(client, PREFIX "del/c", "3");
    put(client, PREFIX "del/d", "4");

    op = etcd3_op_delete(PREFIX "del/a", ETCD3_NTS);
    etcd3_op_set_range_end(op, PREFIX "del/c", ETCD3_NTS);
    etcd3_op_set_prev_kv(op);
    r = EXECUTE(client, op);
    CHECK_INT(etcd3_result_count(r), 2);
    CHECK_INT(etcd3_result_prev_kv_count(r), 2);
    CHECK_KV(etcd3_result_prev_kv(r, 0), PREFIX "del/a", "1");
    CHECK_KV(etcd3_result_prev_kv(r, 1), PREFIX "del/b", "2");
    CHECK(etcd3_result_prev_kv(r, 2) == NULL);
    etcd3_result_free(r);

    r = EXECUTE(client, etcd3_op_delete(PREFIX "del/", ETCD3_NTS));
    CHECK_INT(etcd3_result_count(r), 0);
    etcd3_result_free(r);

    op = etcd3_op_delete(PREFIX "del/", ETCD3_NTS);
    etcd3_op_set_prefix(op);
    r = EXECUTE(client, op);
    CHECK_INT(etcd3_result_count(r), 2);
    CHECK_INT(etcd3_result_prev_kv_count(r), 0);
    etcd3_result_free(r);
}

static void one_op_runs_many_times_and_forgets_its_inputs(void)
{
    char key[] = PREFIX "again", value[] = "same";
    etcd3_op_t *op = etcd3_op_put(key, ETCD3_NTS, value, ETCD3_NTS);
    etcd3_error_t *err = NULL;
    int i;
    memset(key, 'x', sizeof key - 1);
    memset(value, 'x', sizeof value - 1);
    for (i = 1; i <= 3; i++) {
        etcd3_result_t *r = NULL;
        CHECK_OK(etcd3_execute(client, op, &r, &err), err);
        CHECK_INT(etcd3_result_kind(r), ETCD3_RESULT_PUT);
        etcd3_result_free(r);
        get_kv(PREFIX "again", "same", i, 0);
    }
    etcd3_op_free(op);
    etcd3_op_free(NULL);
}

int main(void)
{
    client = open_client();
    put_sort_data();
    RUN(sort_targets_and_orders);
    RUN(limits);
    RUN(revision_reads_the_past);
    RUN(revision_filters);
    RUN(keys_only_and_count_only);
    RUN(serializable_and_own_timeout);
    RUN(put_options);
    RUN(put_gives_the_previous);
    RUN(delete_options);
    RUN(one_op_runs_many_times_and_forgets_its_inputs);
    etcd3_client_free(client);
    return CHECK_DONE();
}
