/* What the tests of namespaces share: prefixes that are hard to get right, each with keys of others all around it. */
#ifndef SPACES_H
#define SPACES_H
#include "check.h"

struct space {
    const char *prefix;
    size_t len;
};

static const struct space spaces[] = {{"plain/", 6}, {"a\xff", 2}, {"\xff\xff", 2}, {"n\0s", 3}};

/* The handle of the namespace under test, and the client that it was made from. */
static etcd3_client_t *plain, *inside;
static const struct space *space;
static etcd3_error_t *err;

/* Keys that are not in the namespace, and when they were put last. */
static struct foreign {
    char key[16];
    size_t len;
    int64_t revision;
} foreign[10];
static size_t foreigners;

static inline etcd3_client_t *namespace_of(etcd3_client_t *client, const void *prefix, size_t len)
{
    etcd3_client_t *namespaced = NULL;
    CHECK_OK(etcd3_namespace_open(client, prefix, len, &namespaced, &err), err);
    return namespaced;
}

/* The key as it stands in the store; lives until the next but three. */
static inline const char *there(const char *key, size_t len, size_t *whole_len)
{
    static char whole[4][300];
    static int turn;
    char *to = whole[turn = (turn + 1) % 4];
    memcpy(to, space->prefix, space->len);
    memcpy(to + space->len, key, len);
    *whole_len = space->len + len;
    return to;
}

static inline int64_t put_bytes(etcd3_client_t *client, const void *key, size_t len, const char *value)
{
    etcd3_result_t *r = EXECUTE(client, etcd3_op_put(key, len, value, ETCD3_NTS));
    int64_t revision = etcd3_result_revision(r);
    etcd3_result_free(r);
    return revision;
}

static inline void put_there(const char *key, const char *value)
{
    size_t len;
    const char *whole = there(key, strlen(key), &len);
    put_bytes(plain, whole, len, value);
}

/* By this client the key has this value; NULL: is not there. */
#define CHECK_VALUE(client, key, len, value) check_value((client), (key), (len), (value), __FILE__, __LINE__)
static inline void check_value(etcd3_client_t *client, const void *key, size_t len, const char *value, const char *file,
                               int line)
{
    etcd3_result_t *r = EXECUTE(client, etcd3_op_get(key, len));
    if (value)
        check_kv(etcd3_result_kv(r, 0), key, len, value, strlen(value), "the value", file, line);
    else
        check_int((long long)etcd3_result_kv_count(r), 0, "the number of keys", file, line);
    etcd3_result_free(r);
}

/* The key of the namespace has this value, whichever handle is asked. */
#define CHECK_BOTH(key, value) check_both((key), strlen(key), (value), __FILE__, __LINE__)
static inline void check_both(const char *key, size_t len, const char *value, const char *file, int line)
{
    size_t whole_len;
    const char *whole = there(key, len, &whole_len);
    check_value(inside, key, len, value, file, line);
    check_value(plain, whole, whole_len, value, file, line);
}

/* Changes all of them, so that whoever looks where he should not has something to see. */
static inline void touch_foreign(void)
{
    size_t i;
    for (i = 0; i < foreigners; i++)
        foreign[i].revision = put_bytes(plain, foreign[i].key, foreign[i].len, "foreign");
}

static inline void add_foreign(const void *key, size_t len)
{
    if (len == 0 || (len > space->len && memcmp(key, space->prefix, space->len) == 0))
        return;
    memcpy(foreign[foreigners].key, key, len);
    foreign[foreigners++].len = len;
}

/* Directly before the namespace, directly after it, and far away. */
static inline void plant(void)
{
    char key[16];
    size_t len = space->len;
    foreigners = 0;
    add_foreign("\x01", 1);
    add_foreign("0far", 4);
    add_foreign("zfar", 4);
    add_foreign(space->prefix, len);
    add_foreign(space->prefix, len - 1);
    memcpy(key, space->prefix, len);
    memcpy(key + len, "\xff\xff\xff", 3);
    key[len - 1]--;
    add_foreign(key, len + 3);
    /* The first key after all that start with the prefix, if there is one. */
    memcpy(key, space->prefix, len);
    while (len > 0 && key[len - 1] == '\xff')
        len--;
    if (len > 0) {
        key[len - 1]++;
        add_foreign(key, len);
        key[len] = '\0';
        add_foreign(key, len + 1);
    }
    touch_foreign();
}

static inline void check_unharmed(void)
{
    size_t i;
    for (i = 0; i < foreigners; i++) {
        etcd3_result_t *r = EXECUTE(plain, etcd3_op_get(foreign[i].key, foreign[i].len));
        CHECK_KV_BYTES(etcd3_result_kv(r, 0), foreign[i].key, foreign[i].len, "foreign", 7);
        CHECK_INT(kv_at(r, 0)->mod_revision, foreign[i].revision);
        etcd3_result_free(r);
    }
}

static inline void wipe(void) { CHECK_OK(etcd3_delete_prefix(plain, "", 0, NULL, &err), err); }

/* Runs a test in each of the namespaces, with keys of others around it. */
static inline void in_each(void (*test)(void))
{
    for (space = spaces; space < spaces + sizeof spaces / sizeof *spaces; space++) {
        int failed = check_failed;
        plant();
        inside = namespace_of(plain, space->prefix, space->len);
        test();
        check_unharmed();
        etcd3_client_free(inside);
        wipe();
        if (check_failed > failed)
            fprintf(stderr, "in the namespace %d\n", (int)(space - spaces));
    }
}

#endif
