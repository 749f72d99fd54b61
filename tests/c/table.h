/* A table of calls, each of whose arguments is broken in each way: the call has to be refused for it by name, nothing
 * may be sent, and the client has to go on.
 *
 *   #define ROWS(CALL, MAKE, SET) \
 *       CALL(etcd3_put, (HANDLE(client), KEY(key), VALUE(value), &err)) \
 *       SET(op, etcd3_op_set_limit, a_get(), (op, NOT_NEGATIVE(limit)))
 *   TABLE(ROWS)
 *
 * The macros stand for the arguments of these names. tests/misuse.rs demands one for every argument of the header. */
#ifndef TABLE_H
#define TABLE_H
#include "scripted.h"

/* One that must not be NULL, and is a variable of this name; or a place for one, no_NAME, that stays empty. */
#define HANDLE(x) (wrong(#x, 1) < 0 ? (x) : NULL)
#define OUT(x) (out_of(#x, &no_##x, sizeof no_##x) < 0 ? &no_##x : NULL)
/* Bytes with their length: some, or also none. */
#define KEY(x) bytes_of(#x, 7, "misuse/k"), length_of(#x, 8)
#define KEY_IS(x, good) bytes_of(#x, 7, (good)), length_of(#x, sizeof(good) - 1)
#define VALUE(x) bytes_of(#x, 4, "v"), length_of(#x, 1)
/* Text: not empty; any; any or NULL. */
#define TEXT(x, good) text_of(#x, 3, (good))
#define ANY_TEXT(x, good) text_of(#x, 2, (good))
#define OPTIONAL_TEXT(x) text_of(#x, 1, NULL)
#define ENDPOINT(x) endpoint_of(#x)
/* URLs with their count. */
#define URLS(x) list_of(#x), count_of(#x)
/* Milliseconds: above 0; or 0 for the usual; or -1 for ever; 0 for no wait; or -1 for ever. */
#define LIMIT(x) number_of(#x, PATIENCE_MS, 4, not_a_limit)
#define LIMIT_OR_USUAL(x) number_of(#x, 0, 3, not_a_limit + 1)
#define LIMIT_OR_NONE(x) number_of(#x, -1, 4, not_a_limit_nor_for_ever)
#define WAIT(x) number_of(#x, 0, 3, not_a_limit + 1)
#define WAIT_OR_FOR_EVER(x) number_of(#x, 0, 3, not_a_limit_nor_for_ever + 1)
/* Numbers. */
#define NOT_NEGATIVE(x) number_of(#x, 0, 2, below_0)
#define POSITIVE(x) number_of(#x, 1, 3, not_above_0)
#define NOT_ZERO(x) number_of(#x, 1, 1, not_above_0)
#define SIZE(x) number_of(#x, 1, 4, not_a_limit)
#define ONE_OF(x, good, first, last) choice_of(#x, (good), (first), (last))
#define YES(x) choice_of(#x, 0, 0, 1)
/* What is told of events: a queue, no function, no data for it. Not both may be NULL. */
#define QUEUE (wrong("fn", 1) < 0 ? queue : NULL), NULL, NULL
/* A function that must not be NULL. */
#define FUNCTION(x, good) (wrong(#x, 1) < 0 ? (good) : NULL)
/* One that cannot be wrong. */
#define ANY(x, good) (good)

typedef struct {
    const char *function;
    etcd3_code_t (*call)(void);
} row;

#define TABLE(rows) \
    rows(TABLE_CALL, TABLE_MAKE, TABLE_SET) static const row table[] = {rows(TABLE_ROW, TABLE_ROW_MADE, TABLE_ROW_SET)};
#define TABLE_CALL(f, args) static etcd3_code_t table_##f(void) { return f args; }
#define TABLE_MAKE(kind, f, args) static etcd3_code_t table_##f(void) { return use_##kind(f args); }
#define TABLE_SET(kind, f, made, args) \
    static etcd3_code_t table_##f(void) \
    { \
        TYPE_##kind *kind = made; \
        f args; \
        return use_##kind(kind); \
    }
#define TABLE_ROW(f, args) {#f, table_##f},
#define TABLE_ROW_MADE(kind, f, args) {#f, table_##f},
#define TABLE_ROW_SET(kind, f, made, args) {#f, table_##f},
#define RUN_TABLE() run_table(table, sizeof table / sizeof *table)

#define TYPE_op etcd3_op_t
#define TYPE_txn etcd3_op_t
#define TYPE_opts etcd3_watch_opts_t
#define TYPE_config etcd3_config_t

static struct scripted server;
static etcd3_client_t *client;
static etcd3_queue_t *queue;
static etcd3_error_t *err;

static struct {
    const char *name;
    int ways;
    /* What must not be written to. */
    const void *out;
    size_t size;
} arguments[16];
static int argument_count, is_noting, breaks_way;
static const char *breaks = "";

static const int64_t not_a_limit[] = {0, -1, INT64_MIN, INT64_MAX};
static const int64_t not_a_limit_nor_for_ever[] = {0, -2, INT64_MIN, INT64_MAX};
static const int64_t below_0[] = {-1, INT64_MIN};
static const int64_t not_above_0[] = {0, -1, INT64_MIN};

/* The way in which an argument is to be wrong now, -1 if it is to be right. All are wrong in the call that finds out
 * what there is. */
static inline int wrong(const char *name, int ways)
{
    if (!is_noting)
        return strcmp(name, breaks) == 0 ? breaks_way : -1;
    arguments[argument_count].name = name;
    arguments[argument_count++].ways = ways;
    return 0;
}

static inline int out_of(const char *name, const void *out, size_t size)
{
    if (is_noting) {
        arguments[argument_count].out = out;
        arguments[argument_count].size = size;
    }
    return wrong(name, 1);
}

static const struct {
    const char *data;
    size_t length;
} no_bytes[] = {{NULL, 1},        {NULL, ETCD3_NTS}, {"k", (size_t)INT32_MAX + 1}, {"k", (size_t)-2},
                {"", ETCD3_NTS}, {"", 0},           {NULL, 0}};

static inline const void *bytes_of(const char *name, int ways, const char *good)
{
    int way = wrong(name, ways);
    return way < 0 ? good : no_bytes[way].data;
}

static inline size_t length_of(const char *name, size_t good)
{
    int way = is_noting ? 0 : wrong(name, 0);
    return way < 0 ? good : no_bytes[way].length;
}

static inline const char *text_of(const char *name, int ways, const char *good)
{
    static const char *const no_text[] = {"\xff\xfe", NULL, ""};
    int way = wrong(name, ways);
    return way < 0 ? good : no_text[way];
}

static inline const char *endpoint_of(const char *name)
{
    static const char *const none[] = {"", "a:0", "a:b", "a b", "\xff"};
    int way = wrong(name, 5);
    return way < 0 ? NULL : none[way];
}

static const char *const urls[] = {"http://localhost:2380"};
static const char *const no_urls[] = {"http://localhost:2380", "ftp://a:1", NULL};

/* NULL with a count, none, one that is none, one that is NULL, too many. */
static const struct {
    const char *const *list;
    size_t count;
} no_lists[] = {{NULL, 1}, {urls, 0}, {no_urls, 2}, {no_urls + 1, 2}, {urls, (size_t)-1}};

static inline const char *const *list_of(const char *name)
{
    int way = wrong(name, 5);
    return way < 0 ? urls : no_lists[way].list;
}

static inline size_t count_of(const char *name)
{
    int way = is_noting ? 0 : wrong(name, 0);
    return way < 0 ? 1 : no_lists[way].count;
}

static inline int64_t number_of(const char *name, int64_t good, int ways, const int64_t *list)
{
    int way = wrong(name, ways);
    return way < 0 ? good : list[way];
}

static inline int32_t choice_of(const char *name, int32_t good, int32_t first, int32_t last)
{
    const int32_t unknown[] = {first - 1, last + 1, INT32_MAX, INT32_MIN};
    int way = wrong(name, 4);
    return way < 0 ? good : unknown[way];
}

static inline etcd3_code_t use_op(etcd3_op_t *op)
{
    etcd3_result_t *none = NULL;
    etcd3_code_t code = etcd3_execute(client, op, &none, &err);
    CHECK(none == NULL);
    etcd3_op_free(op);
    return code;
}

static inline etcd3_code_t use_txn(etcd3_op_t *txn) { return use_op(txn); }

static inline etcd3_code_t use_opts(etcd3_watch_opts_t *opts)
{
    etcd3_watch_t *none = NULL;
    etcd3_code_t code = etcd3_watch_start(client, opts, queue, NULL, NULL, &none, &err);
    CHECK(none == NULL);
    etcd3_watch_opts_free(opts);
    return code;
}

static inline etcd3_code_t use_config(etcd3_config_t *config)
{
    etcd3_client_t *none = NULL;
    etcd3_code_t code;
    etcd3_config_add_endpoint(config, server.endpoint);
    code = etcd3_client_open(config, &none, &err);
    CHECK(none == NULL);
    etcd3_config_free(config);
    return code;
}

static inline void one_wrong_call(const row *of, int argument)
{
    long long before = asked(&server, "*"), calls = etcd3_client_counter(client, "calls");
    char what[200];
    size_t i;
    int other;
    snprintf(what, sizeof what, "%s with %s wrong in way %d", of->function, breaks, breaks_way);
    check_code(of->call(), &err, ETCD3_ERR_INVALID_ARGUMENT, breaks, what, "table", argument);
    for (other = 0; other < argument_count; other++)
        for (i = 0; i < arguments[other].size; i++)
            if (((const char *)arguments[other].out)[i])
                check_that(0, what, "written to", other);
    check_int(asked(&server, "*"), before, what, "sent", argument);
    check_int(etcd3_client_counter(client, "calls"), calls, what, "counted", argument);
    breaks = "";
    CHECK_OK(etcd3_put(client, "misuse/alive", ETCD3_NTS, what, ETCD3_NTS, &err), err);
    check_int(asked(&server, "*"), before + 1, what, "sent after it", argument);
}

static inline void run_table(const row *rows, size_t count)
{
    size_t i;
    int argument;
    for (i = 0; i < count; i++) {
        memset(arguments, 0, sizeof arguments);
        argument_count = 0;
        is_noting = 1;
        check_code(rows[i].call(), &err, ETCD3_ERR_INVALID_ARGUMENT, "", rows[i].function, "table", 0);
        is_noting = 0;
        check_that(argument_count > 0, rows[i].function, "no argument to break", 0);
        for (argument = 0; argument < argument_count; argument++)
            for (breaks_way = 0; breaks_way < arguments[argument].ways; breaks_way++) {
                breaks = arguments[argument].name;
                one_wrong_call(&rows[i], argument);
            }
    }
}

/* The client's limit is one that no call reaches. */
static inline void table_start(void)
{
    server = serve("grpc");
    client = open_config(config_of(&server, NULL, PATIENCE_MS));
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
}

static inline void table_end(void)
{
    etcd3_queue_free(queue);
    close_client(client);
}

#endif
