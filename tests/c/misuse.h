/* What the misuse programs share: a wrong call gives its code and names the argument, and nothing else happens. */
#ifndef MISUSE_H
#define MISUSE_H
#include "check.h"

#define REFUSED(call, text) REFUSED_AS(call, ETCD3_ERR_INVALID_ARGUMENT, text)
#define REFUSED_AS(call, code, text) (CHECK_CODE(call, err, code, text), still_works(__LINE__))
/* A call that has no way to complain. */
#define QUIET(call) ((call), still_works(__LINE__))

static etcd3_client_t *client;
static etcd3_error_t *err;
static int64_t last_revision;

/* The client goes on, and since the last time nothing was written but its own put. */
static inline void still_works(int line)
{
    char value[30];
    etcd3_result_t *r = NULL;
    snprintf(value, sizeof value, "line %d", line);
    CHECK_OK(etcd3_put(client, "misuse/alive", ETCD3_NTS, value, ETCD3_NTS, &err), err);
    CHECK_OK(etcd3_get(client, "misuse/alive", ETCD3_NTS, &r, &err), err);
    CHECK_KV(etcd3_result_kv(r, 0), "misuse/alive", value);
    if (last_revision && kv_at(r, 0)->mod_revision != last_revision + 1)
        check_int(kv_at(r, 0)->mod_revision, last_revision + 1, "the revision", __FILE__, line);
    last_revision = kv_at(r, 0)->mod_revision;
    etcd3_result_free(r);
}

/* Executes and frees an op that has to be refused for its argument `name`. */
#define OP_REFUSED(op, name) op_refused((op), (name), __FILE__, __LINE__)
static inline void op_refused(etcd3_op_t *op, const char *name, const char *file, int line)
{
    etcd3_result_t *r = NULL;
    check_code(etcd3_execute(client, op, &r, &err), &err, ETCD3_ERR_INVALID_ARGUMENT, name, "etcd3_execute", file,
               line);
    CHECK(r == NULL);
    etcd3_op_free(op);
    still_works(line);
}

/* A setter, of `config`, that opening a client has to complain about. */
#define CONFIG_REFUSED(set, text) CONFIG_REFUSED_AS(set, ETCD3_ERR_INVALID_ARGUMENT, text)
#define CONFIG_REFUSED_AS(set, code, text) \
    do { \
        etcd3_config_t *config = env_config(); \
        set; \
        config_refused(config, (code), (text), __LINE__); \
    } while (0)
static inline void config_refused(etcd3_config_t *config, etcd3_code_t code, const char *text, int line)
{
    etcd3_client_t *none = NULL;
    check_code(etcd3_client_open(config, &none, &err), &err, code, text, "etcd3_client_open", __FILE__, line);
    CHECK(none == NULL);
    etcd3_config_free(config);
    still_works(line);
}

#endif
