/* What the C tests share. A check is counted; a failed one prints its place and the test goes on. */
#ifndef CHECK_H
#define CHECK_H
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <etcd3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* No test waits longer than this for anything; nothing that works comes near it. */
#define PATIENCE_MS 60000

/* How late after its bound a thing may come on a machine that does other things too. */
#define SLACK_MS env_number("ETCD3_TEST_SLACK_MS", 1000)

#define RUN(test) (check_section = #test, test())
#define CHECK(cond) check_that((cond) ? 1 : 0, #cond, __FILE__, __LINE__)
#define CHECK_INT(got, want) check_int((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
#define CHECK_STR(got, want) check_str((got), (want), #got, __FILE__, __LINE__)
#define CHECK_KV(kv, key, value) check_kv((kv), (key), strlen(key), (value), strlen(value), #kv, __FILE__, __LINE__)
#define CHECK_KV_BYTES(kv, key, klen, value, vlen) \
    check_kv((kv), (key), (klen), (value), (vlen), #kv, __FILE__, __LINE__)
/* The call succeeds and leaves `err` (an etcd3_error_t *, NULL before) alone. */
#define CHECK_OK(call, err) check_ok((call), &(err), #call, __FILE__, __LINE__)
/* The call fails with `code` and a message that holds `text`; `err` is freed. */
#define CHECK_CODE(call, err, code, text) check_code((call), &(err), (code), (text), #call, __FILE__, __LINE__)
/* Runs and frees the op; the result, or NULL after a failed check. */
#define EXECUTE(client, op) check_execute((client), (op), #op, __FILE__, __LINE__)
#define CHECK_DONE() check_done(__FILE__)

static pthread_mutex_t check_lock = PTHREAD_MUTEX_INITIALIZER;
static const char *check_section = "";
static int check_count, check_failed;

static inline int check_that(int ok, const char *what, const char *file, int line)
{
    pthread_mutex_lock(&check_lock);
    check_count++;
    if (!ok) {
        check_failed++;
        fprintf(stderr, "FAIL %s:%d in %s: %s\n", file, line, check_section, what);
        fflush(stderr);
    }
    pthread_mutex_unlock(&check_lock);
    return ok;
}

static inline int check_int(long long got, long long want, const char *what, const char *file, int line)
{
    char text[400];
    snprintf(text, sizeof text, "%s is %lld, wanted %lld", what, got, want);
    return check_that(got == want, text, file, line);
}

static inline int check_str(const char *got, const char *want, const char *what, const char *file, int line)
{
    char text[1000];
    snprintf(text, sizeof text, "%s is \"%s\", wanted \"%s\"", what, got ? got : "(null)", want);
    return check_that(got && strcmp(got, want) == 0, text, file, line);
}

static inline int bytes_are(const void *got, size_t got_len, const void *want, size_t want_len)
{
    return got_len == want_len && (want_len == 0 || (got && memcmp(got, want, want_len) == 0));
}

static inline int check_kv(const etcd3_kv_t *kv, const void *key, size_t key_len, const void *value,
                           size_t value_len, const char *what, const char *file, int line)
{
    char text[600];
    if (!kv) {
        snprintf(text, sizeof text, "%s is NULL", what);
        return check_that(0, text, file, line);
    }
    snprintf(text, sizeof text, "%s is \"%.*s\" = \"%.*s\"", what, (int)(kv->key_len < 200 ? kv->key_len : 200),
             kv->key_len ? (const char *)kv->key : "", (int)(kv->value_len < 200 ? kv->value_len : 200),
             kv->value_len ? (const char *)kv->value : "");
    return check_that(bytes_are(kv->key, kv->key_len, key, key_len) &&
                          bytes_are(kv->value, kv->value_len, value, value_len),
                      text, file, line);
}

/* The i-th key-value, or an empty one: fields can be read after a failed check. */
static inline const etcd3_kv_t *kv_at(const etcd3_result_t *result, size_t i)
{
    static const etcd3_kv_t none = {NULL, 0, NULL, 0, -1, -1, -1, -1};
    const etcd3_kv_t *kv = etcd3_result_kv(result, i);
    return kv ? kv : &none;
}

static inline int check_ok(etcd3_code_t code, etcd3_error_t **err, const char *what, const char *file, int line)
{
    char text[1000];
    int ok = code == ETCD3_OK && *err == NULL;
    snprintf(text, sizeof text, "%s gave %s: %s", what, etcd3_code_name(code), etcd3_error_message(*err));
    etcd3_error_free(*err);
    *err = NULL;
    return check_that(ok, text, file, line);
}

static inline int check_code(etcd3_code_t code, etcd3_error_t **err, etcd3_code_t want, const char *want_text,
                             const char *what, const char *file, int line)
{
    char text[1000];
    int ok = code == want && etcd3_error_code(*err) == want && etcd3_error_message(*err)[0] != '\0' &&
             strstr(etcd3_error_message(*err), want_text) != NULL;
    snprintf(text, sizeof text, "%s gave %s (its error says %s: \"%s\"), wanted %s with \"%s\"", what,
             etcd3_code_name(code), etcd3_code_name(etcd3_error_code(*err)), etcd3_error_message(*err),
             etcd3_code_name(want), want_text);
    etcd3_error_free(*err);
    *err = NULL;
    return check_that(ok, text, file, line);
}

static inline etcd3_result_t *check_execute(etcd3_client_t *client, etcd3_op_t *op, const char *what,
                                            const char *file, int line)
{
    etcd3_result_t *result = NULL;
    etcd3_error_t *err = NULL;
    etcd3_code_t code = etcd3_execute(client, op, &result, &err);
    etcd3_op_free(op);
    check_ok(code, &err, what, file, line);
    return result;
}

static inline int check_done(const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    const char *version = getenv("ETCD3_SERVER_VERSION");
    printf("C %.*s etcd %s: %d checks", (int)strcspn(name, "."), name, version ? version : "?", check_count);
    if (check_failed)
        printf(", %d FAILED", check_failed);
    printf("\n");
    fflush(stdout);
    return check_failed ? 1 : 0;
}

static inline int64_t env_number(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? (int64_t)strtoll(text, NULL, 10) : otherwise;
}

/* A configuration with the endpoints of ETCD3_ENDPOINTS. */
static inline etcd3_config_t *env_config(void)
{
    const char *from = getenv("ETCD3_ENDPOINTS");
    etcd3_config_t *config = etcd3_config_new();
    if (!from || !*from) {
        fprintf(stderr, "set ETCD3_ENDPOINTS to the host:port of an etcd to test against\n");
        exit(2);
    }
    while (*from) {
        char one[200];
        size_t n = strcspn(from, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, from);
        etcd3_config_add_endpoint(config, one);
        from += n + (from[n] == ',');
    }
    return config;
}

static inline etcd3_client_t *open_client(void)
{
    etcd3_config_t *config = env_config();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    if (etcd3_client_open(config, &client, &err) != ETCD3_OK) {
        fprintf(stderr, "cannot open a client: %s\n", etcd3_error_message(err));
        exit(2);
    }
    etcd3_config_free(config);
    return client;
}

static inline void put(etcd3_client_t *client, const char *key, const char *value)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_put(client, key, ETCD3_NTS, value, ETCD3_NTS, &err), err);
}

static inline int64_t revision_now(etcd3_client_t *client)
{
    etcd3_result_t *r = EXECUTE(client, etcd3_op_get("revision", ETCD3_NTS));
    int64_t revision = etcd3_result_revision(r);
    etcd3_result_free(r);
    return revision;
}

static inline int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
