/* Where ranges end: prefixes, from-key and explicit ends, over keys of any bytes. */
#include "check.h"

#define PREFIX "test_op_range/"

static etcd3_client_t *client;

struct bytes {
    const char *at;
    size_t len;
};
#define BYTES(literal) {(literal), sizeof(literal) - 1}

/* The keys live at the top and the bottom of the key space, so this program needs a server of its own. */
static const struct bytes keys[] = {
    BYTES("\0"),      BYTES("\0a"),         BYTES("\1"),     BYTES("a"),        BYTES("a\xfe"),
    BYTES("a\xff"),   BYTES("a\xff\0"),     BYTES("a\xffz"), BYTES("a\xff\xff"), BYTES("b"),
    BYTES("fo"),      BYTES("foo"),         BYTES("foo\0"),  BYTES("foo\0bar"), BYTES("foobar"),
    BYTES("foo\xff"), BYTES("foo\xff\xff"), BYTES("fop"),    BYTES("\xff"),     BYTES("\xff\xfe"),
    BYTES("\xff\xff"), BYTES("\xff\xff\1"),  BYTES("\xff\xff\xff"),
};
enum { KEYS = sizeof keys / sizeof *keys };

static int starts_with(const struct bytes *key, const struct bytes *prefix)
{
    return key->len >= prefix->len && memcmp(key->at, prefix->at, prefix->len) == 0;
}

static int order(const struct bytes *a, const struct bytes *b)
{
    int d = memcmp(a->at, b->at, a->len < b->len ? a->len : b->len);
    return d ? d : a->len < b->len ? -1 : a->len > b->len;
}

/* The result holds exactly the wanted ones of `keys`, which are sorted. */
static void found(const etcd3_result_t *r, const char *wanted)
{
    size_t i, n = 0;
    for (i = 0; i < KEYS; i++)
        if (wanted[i]) {
            CHECK_KV_BYTES(etcd3_result_kv(r, n), keys[i].at, keys[i].len, keys[i].at, keys[i].len);
            n++;
        }
    CHECK_INT(etcd3_result_kv_count(r), n);
    CHECK_INT(etcd3_result_count(r), n);
}

static void fill(void)
{
    etcd3_error_t *err = NULL;
    size_t i;
    CHECK_OK(etcd3_delete_prefix(client, "", 0, NULL, &err), err);
    for (i = 0; i < KEYS; i++) {
        CHECK(i == 0 || order(&keys[i - 1], &keys[i]) < 0);
        CHECK_OK(etcd3_put(client, keys[i].at, keys[i].len, keys[i].at, keys[i].len, &err), err);
    }
}

static const struct bytes prefixes[] = {
    BYTES(""), BYTES("\0"), BYTES("a"), BYTES("a\xff"), BYTES("a\xff\xff"), BYTES("f"), BYTES("foo"),
    BYTES("foo\0"), BYTES("foo\xff"), BYTES("\xff"), BYTES("\xff\xfe"), BYTES("\xff\xff"),
    BYTES("\xff\xff\xff"), BYTES("\xff\xff\xff\xff"), BYTES("nothing"),
};
enum { PREFIXES = sizeof prefixes / sizeof *prefixes };

static void prefix_gets(void)
{
    size_t p, i;
    for (p = 0; p < PREFIXES; p++) {
        char wanted[KEYS];
        etcd3_op_t *op = etcd3_op_get(prefixes[p].at, prefixes[p].len);
        etcd3_result_t *r = NULL;
        etcd3_error_t *err = NULL;
        for (i = 0; i < KEYS; i++)
            wanted[i] = (char)starts_with(&keys[i], &prefixes[p]);
        etcd3_op_set_prefix(op);
        r = EXECUTE(client, op);
        found(r, wanted);
        etcd3_result_free(r);
        CHECK_OK(etcd3_get_prefix(client, prefixes[p].at, prefixes[p].len, &r, &err), err);
        found(r, wanted);
        etcd3_result_free(r);
    }
}

static void from_key_gets(void)
{
    size_t p, i;
    for (p = 0; p < PREFIXES; p++) {
        char wanted[KEYS];
        etcd3_op_t *op = etcd3_op_get(prefixes[p].at, prefixes[p].len);
        etcd3_result_t *r;
        for (i = 0; i < KEYS; i++)
            wanted[i] = order(&keys[i], &prefixes[p]) >= 0;
        etcd3_op_set_from_key(op);
        r = EXECUTE(client, op);
        found(r, wanted);
        etcd3_result_free(r);
    }
}

static void range_end_is_left_out(void)
{
    size_t from, to, i;
    for (from = 0; from < KEYS; from += 3)
        for (to = 1; to < KEYS; to += 4) {
            char wanted[KEYS];
            etcd3_op_t *op = etcd3_op_get(keys[from].at, keys[from].len);
            etcd3_result_t *r;
            for (i = 0; i < KEYS; i++)
                wanted[i] = i >= from && i < to;
            etcd3_op_set_range_end(op, keys[to].at, keys[to].len);
            r = EXECUTE(client, op);
            found(r, wanted);
            etcd3_result_free(r);
        }
}

static void no_range_is_one_key(void)
{
    size_t i, j;
    for (i = 0; i < KEYS; i++) {
        char wanted[KEYS];
        etcd3_result_t *r = EXECUTE(client, etcd3_op_get(keys[i].at, keys[i].len));
        for (j = 0; j < KEYS; j++)
            wanted[j] = i == j;
        found(r, wanted);
        etcd3_result_free(r);
    }
}

static int64_t deleted(const char *key, size_t len, void (*widen)(etcd3_op_t *))
{
    etcd3_op_t *op = etcd3_op_delete(key, len);
    etcd3_result_t *r;
    int64_t n;
    widen(op);
    r = EXECUTE(client, op);
    n = etcd3_result_count(r);
    etcd3_result_free(r);
    return n;
}

static void deletes_end_where_gets_do(void)
{
    etcd3_error_t *err = NULL;
    int64_t n = -1;
    CHECK_INT(deleted("a\xff", 2, etcd3_op_set_prefix), 4);
    CHECK_INT(deleted("foo\0", 4, etcd3_op_set_prefix), 2);
    CHECK_OK(etcd3_delete_prefix(client, "\xff\xff", 2, &n, &err), err);
    CHECK_INT(n, 3);
    CHECK_INT(deleted("\xff", 1, etcd3_op_set_from_key), 2);
    CHECK_OK(etcd3_delete_prefix(client, "\0", 1, &n, &err), err);
    CHECK_INT(n, 2);
    CHECK_INT(deleted("", 0, etcd3_op_set_prefix), KEYS - 13);
    CHECK_OK(etcd3_delete_prefix(client, NULL, 0, &n, &err), err);
    CHECK_INT(n, 0);
}

int main(void)
{
    client = open_client();
    RUN(fill);
    RUN(prefix_gets);
    RUN(from_key_gets);
    RUN(range_end_is_left_out);
    RUN(no_range_is_one_key);
    RUN(deletes_end_where_gets_do);
    etcd3_client_free(client);
    return CHECK_DONE();
}
