/* The plain calls: one line each for the everyday cases. */
#include "check.h"

#define PREFIX "test_kv/"

static etcd3_client_t *client;

static etcd3_result_t *get(const void *key, size_t key_len)
{
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_get(client, key, key_len, &r, &err), err);
    return r;
}

static void value_is(const char *key, const char *value)
{
    etcd3_result_t *r = get(key, ETCD3_NTS);
    CHECK_INT(etcd3_result_kv_count(r), value ? 1 : 0);
    if (value)
        CHECK_KV(etcd3_result_kv(r, 0), key, value);
    etcd3_result_free(r);
}

static void put_and_get(void)
{
    etcd3_result_t *r;
    int64_t first;
    put(client, PREFIX "a", "1");
    r = get(PREFIX "a", ETCD3_NTS);
    CHECK_INT(etcd3_result_count(r), 1);
    CHECK_INT(etcd3_result_more(r), 0);
    CHECK_KV(etcd3_result_kv(r, 0), PREFIX "a", "1");
    CHECK(etcd3_result_kv(r, 1) == NULL);
    first = kv_at(r, 0)->create_revision;
    CHECK_INT(kv_at(r, 0)->mod_revision, first);
    CHECK_INT(kv_at(r, 0)->version, 1);
    CHECK_INT(kv_at(r, 0)->lease, 0);
    etcd3_result_free(r);

    put(client, PREFIX "a", "2");
    r = get(PREFIX "a", ETCD3_NTS);
    CHECK_KV(etcd3_result_kv(r, 0), PREFIX "a", "2");
    CHECK_INT(kv_at(r, 0)->create_revision, first);
    CHECK_INT(kv_at(r, 0)->mod_revision, first + 1);
    CHECK_INT(kv_at(r, 0)->version, 2);
    CHECK_INT(etcd3_result_revision(r), first + 1);
    etcd3_result_free(r);
}

static void a_missing_key_is_no_error(void)
{
    etcd3_result_t *r = get(PREFIX "missing", ETCD3_NTS);
    CHECK(r != NULL);
    CHECK_INT(etcd3_result_count(r), 0);
    CHECK_INT(etcd3_result_kv_count(r), 0);
    CHECK(etcd3_result_kv(r, 0) == NULL);
    etcd3_result_free(r);
}

static void any_bytes(void)
{
    static const char key[] = PREFIX "bin\0\xff\xfe\0";
    static const char value[] = "\0\x80zero\0\xff";
    etcd3_error_t *err = NULL;
    etcd3_result_t *r;
    char all[256];
    int i;
    CHECK_OK(etcd3_put(client, key, sizeof key - 1, value, sizeof value - 1, &err), err);
    r = get(key, sizeof key - 1);
    CHECK_KV_BYTES(etcd3_result_kv(r, 0), key, sizeof key - 1, value, sizeof value - 1);
    etcd3_result_free(r);
    value_is(PREFIX "bin", NULL);

    for (i = 0; i < 256; i++)
        all[i] = (char)i;
    CHECK_OK(etcd3_put(client, PREFIX "all", ETCD3_NTS, all, sizeof all, &err), err);
    r = get(PREFIX "all", ETCD3_NTS);
    CHECK_KV_BYTES(etcd3_result_kv(r, 0), PREFIX "all", strlen(PREFIX "all"), all, sizeof all);
    etcd3_result_free(r);
}

static void empty_values(void)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_put(client, PREFIX "empty", ETCD3_NTS, NULL, 0, &err), err);
    value_is(PREFIX "empty", "");
    put(client, PREFIX "empty", "full");
    value_is(PREFIX "empty", "full");
    CHECK_OK(etcd3_put(client, PREFIX "empty", ETCD3_NTS, "", ETCD3_NTS, &err), err);
    value_is(PREFIX "empty", "");
    CHECK_OK(etcd3_put(client, PREFIX "part", ETCD3_NTS, "whole", 2, &err), err);
    value_is(PREFIX "part", "wh");
}

static void inputs_are_copied(void)
{
    char key[] = PREFIX "copied", value[] = "before";
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_put(client, key, ETCD3_NTS, value, ETCD3_NTS, &err), err);
    memset(key, 'x', sizeof key - 1);
    memset(value, 'x', sizeof value - 1);
    value_is(PREFIX "copied", "before");
}

static void big_values(void)
{
    size_t big = 1024 * 1024, too_big = 1600 * 1024, i;
    char *bytes = (char *)malloc(too_big);
    etcd3_error_t *err = NULL;
    etcd3_result_t *r;
    for (i = 0; i < too_big; i++)
        bytes[i] = (char)(i * 31 + i / 256);
    CHECK_OK(etcd3_put(client, PREFIX "big", ETCD3_NTS, bytes, big, &err), err);
    r = get(PREFIX "big", ETCD3_NTS);
    CHECK(bytes_are(kv_at(r, 0)->value, kv_at(r, 0)->value_len, bytes, big));
    etcd3_result_free(r);
    CHECK_CODE(etcd3_put(client, PREFIX "big", ETCD3_NTS, bytes, too_big, &err), err, ETCD3_ERR_REQUEST_TOO_LARGE,
               "too large");
    r = get(PREFIX "big", ETCD3_NTS);
    CHECK_INT(kv_at(r, 0)->value_len, big);
    etcd3_result_free(r);
    free(bytes);
}

static void prefixes(void)
{
    etcd3_result_t *r = NULL, *all = NULL;
    etcd3_error_t *err = NULL;
    size_t i, found = 0;
    put(client, PREFIX "dir/b", "2");
    put(client, PREFIX "dir/a", "1");
    put(client, PREFIX "dir0", "outside");
    put(client, PREFIX "dir", "outside");
    CHECK_OK(etcd3_get_prefix(client, PREFIX "dir/", ETCD3_NTS, &r, &err), err);
    CHECK_INT(etcd3_result_count(r), 2);
    CHECK_INT(etcd3_result_kv_count(r), 2);
    CHECK_KV(etcd3_result_kv(r, 0), PREFIX "dir/a", "1");
    CHECK_KV(etcd3_result_kv(r, 1), PREFIX "dir/b", "2");
    etcd3_result_free(r);
    CHECK_OK(etcd3_get_prefix(client, PREFIX "nothing", ETCD3_NTS, &r, &err), err);
    CHECK_INT(etcd3_result_count(r), 0);
    etcd3_result_free(r);

    CHECK_OK(etcd3_get_all(client, &all, &err), err);
    CHECK_OK(etcd3_get_prefix(client, NULL, 0, &r, &err), err);
    CHECK(etcd3_result_count(all) > 4);
    CHECK_INT(etcd3_result_count(r), etcd3_result_count(all));
    CHECK_INT(etcd3_result_kv_count(all), etcd3_result_count(all));
    for (i = 0; i < etcd3_result_kv_count(all); i++) {
        const etcd3_kv_t *kv = etcd3_result_kv(all, i);
        found += bytes_are(kv->key, kv->key_len, PREFIX "dir0", strlen(PREFIX "dir0"));
    }
    CHECK_INT(found, 1);
    etcd3_result_free(all);
    etcd3_result_free(r);
}

static void put_if_absent(void)
{
    etcd3_error_t *err = NULL;
    int done = -1;
    CHECK_OK(etcd3_put_if_absent(client, PREFIX "once", ETCD3_NTS, "first", ETCD3_NTS, &done, &err), err);
    CHECK_INT(done, 1);
    CHECK_OK(etcd3_put_if_absent(client, PREFIX "once", ETCD3_NTS, "second", ETCD3_NTS, &done, &err), err);
    CHECK_INT(done, 0);
    value_is(PREFIX "once", "first");
}

static int replace(const char *key, const char *from, const char *to)
{
    etcd3_error_t *err = NULL;
    int done = -1;
    CHECK_OK(etcd3_replace(client, key, ETCD3_NTS, from, ETCD3_NTS, to, ETCD3_NTS, &done, &err), err);
    return done;
}

static void replace_compares(void)
{
    put(client, PREFIX "swap", "old");
    CHECK_INT(replace(PREFIX "swap", "other", "new"), 0);
    value_is(PREFIX "swap", "old");
    CHECK_INT(replace(PREFIX "swap", "ol", "new"), 0);
    CHECK_INT(replace(PREFIX "swap", "old", "new"), 1);
    value_is(PREFIX "swap", "new");
    CHECK_INT(replace(PREFIX "swap", "new", ""), 1);
    value_is(PREFIX "swap", "");
    CHECK_INT(replace(PREFIX "swap", "", "again"), 1);
    value_is(PREFIX "swap", "again");
    CHECK_INT(replace(PREFIX "never", "", "x"), 0);
    value_is(PREFIX "never", NULL);
}

/* 0 stands for a key that is not there; any other revision for the very put that the caller has seen. */
static void put_if_revision(void)
{
    etcd3_error_t *err = NULL;
    etcd3_result_t *r;
    int64_t first, second;
    int done = -1;
    etcd3_delete(client, PREFIX "rev", ETCD3_NTS, NULL, NULL);
    CHECK_OK(etcd3_put_if_revision(client, PREFIX "rev", ETCD3_NTS, 1, "0", 1, &done, &err), err);
    CHECK_INT(done, 0);
    value_is(PREFIX "rev", NULL);
    CHECK_OK(etcd3_put_if_revision(client, PREFIX "rev", ETCD3_NTS, 0, "1", 1, &done, &err), err);
    CHECK_INT(done, 1);
    CHECK_OK(etcd3_put_if_revision(client, PREFIX "rev", ETCD3_NTS, 0, "x", 1, &done, &err), err);
    CHECK_INT(done, 0);
    r = get(PREFIX "rev", ETCD3_NTS);
    first = kv_at(r, 0)->mod_revision;
    etcd3_result_free(r);
    CHECK_OK(etcd3_put_if_revision(client, PREFIX "rev", ETCD3_NTS, first, "2", 1, &done, &err), err);
    CHECK_INT(done, 1);
    value_is(PREFIX "rev", "2");
    CHECK_OK(etcd3_put_if_revision(client, PREFIX "rev", ETCD3_NTS, first, "stale", 5, &done, &err), err);
    CHECK_INT(done, 0);
    CHECK_OK(etcd3_put_if_revision(client, PREFIX "rev", ETCD3_NTS, first + 1000, "future", 6, &done, &err), err);
    CHECK_INT(done, 0);
    value_is(PREFIX "rev", "2");
    /* The same value put again is another revision. */
    r = get(PREFIX "rev", ETCD3_NTS);
    second = kv_at(r, 0)->mod_revision;
    CHECK(second > first);
    etcd3_result_free(r);
    put(client, PREFIX "rev", "2");
    CHECK_OK(etcd3_put_if_revision(client, PREFIX "rev", ETCD3_NTS, second, "3", 1, &done, &err), err);
    CHECK_INT(done, 0);
    /* A key that was deleted is not there, whatever revision it had; a value may be empty. */
    CHECK_OK(etcd3_delete(client, PREFIX "rev", ETCD3_NTS, NULL, &err), err);
    CHECK_OK(etcd3_put_if_revision(client, PREFIX "rev", ETCD3_NTS, second + 1, "3", 1, &done, &err), err);
    CHECK_INT(done, 0);
    CHECK_OK(etcd3_put_if_revision(client, PREFIX "rev", ETCD3_NTS, 0, NULL, 0, &done, &err), err);
    CHECK_INT(done, 1);
    value_is(PREFIX "rev", "");
}

static void deletes(void)
{
    etcd3_error_t *err = NULL;
    int64_t n = -1;
    put(client, PREFIX "gone", "1");
    CHECK_OK(etcd3_delete(client, PREFIX "gone", ETCD3_NTS, &n, &err), err);
    CHECK_INT(n, 1);
    value_is(PREFIX "gone", NULL);
    CHECK_OK(etcd3_delete(client, PREFIX "gone", ETCD3_NTS, &n, &err), err);
    CHECK_INT(n, 0);
    put(client, PREFIX "gone", "1");
    CHECK_OK(etcd3_delete(client, PREFIX "gone", ETCD3_NTS, NULL, &err), err);
    value_is(PREFIX "gone", NULL);

    put(client, PREFIX "tree/1", "1");
    put(client, PREFIX "tree/2", "2");
    put(client, PREFIX "tree", "stays");
    CHECK_OK(etcd3_delete_prefix(client, PREFIX "tree/", ETCD3_NTS, &n, &err), err);
    CHECK_INT(n, 2);
    CHECK_OK(etcd3_delete_prefix(client, PREFIX "tree/", ETCD3_NTS, &n, &err), err);
    CHECK_INT(n, 0);
    value_is(PREFIX "tree", "stays");
    CHECK_OK(etcd3_delete_prefix(client, PREFIX "tree", ETCD3_NTS, NULL, &err), err);
    value_is(PREFIX "tree", NULL);
}

enum { THREADS = 8, TURNS = 25 };

/* Adds 1 to one counter TURNS times by compare-and-swap, against the other threads. */
static void *count_up(void *arg)
{
    int won = 0;
    (void)arg;
    while (won < TURNS) {
        etcd3_result_t *r = get(PREFIX "counter", ETCD3_NTS);
        const etcd3_kv_t *kv = etcd3_result_kv(r, 0);
        char from[30] = "", to[30];
        if (!CHECK(kv && kv->value_len < sizeof from)) {
            etcd3_result_free(r);
            return NULL;
        }
        memcpy(from, kv->value, kv->value_len);
        snprintf(to, sizeof to, "%d", atoi(from) + 1);
        won += replace(PREFIX "counter", from, to);
        etcd3_result_free(r);
    }
    return NULL;
}

static void one_client_serves_many_threads(void)
{
    pthread_t threads[THREADS];
    char total[30];
    int i;
    put(client, PREFIX "counter", "0");
    for (i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    snprintf(total, sizeof total, "%d", THREADS * TURNS);
    value_is(PREFIX "counter", total);
}

static void errors_may_be_ignored(void)
{
    etcd3_result_t *r = NULL;
    int done;
    CHECK_INT(etcd3_put(client, PREFIX "quiet", ETCD3_NTS, "v", 1, NULL), ETCD3_OK);
    CHECK_INT(etcd3_put(client, NULL, 0, "v", 1, NULL), ETCD3_ERR_INVALID_ARGUMENT);
    CHECK_INT(etcd3_get(client, PREFIX "quiet", ETCD3_NTS, &r, NULL), ETCD3_OK);
    etcd3_result_free(r);
    CHECK_INT(etcd3_put_if_absent(client, PREFIX "quiet", ETCD3_NTS, "w", 1, &done, NULL), ETCD3_OK);
    CHECK_INT(etcd3_delete(client, PREFIX "quiet", ETCD3_NTS, NULL, NULL), ETCD3_OK);
}

int main(void)
{
    client = open_client();
    RUN(put_and_get);
    RUN(a_missing_key_is_no_error);
    RUN(any_bytes);
    RUN(empty_values);
    RUN(inputs_are_copied);
    RUN(big_values);
    RUN(prefixes);
    RUN(put_if_absent);
    RUN(replace_compares);
    RUN(put_if_revision);
    RUN(deletes);
    RUN(one_client_serves_many_threads);
    RUN(errors_may_be_ignored);
    etcd3_client_free(client);
    return CHECK_DONE();
}
