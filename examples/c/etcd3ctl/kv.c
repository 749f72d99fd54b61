/* get, put, del; and the operations of a transaction, which are written the same way. */
#define _POSIX_C_SOURCE 200809L
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
    const char *consistency, *order, *sort_by;
    int64_t limit, rev, min_create_rev, max_create_rev, min_mod_rev, max_mod_rev;
    int prefix, from_key, keys_only, count_only, print_value_only;
    const char *lease;
    int prev_kv, ignore_value, ignore_lease, range;
} given;

void reset_kv_flags(void)
{
    memset(&given, 0, sizeof given);
    given.consistency = "l";
    given.order = given.sort_by = "";
    given.lease = "0";
}

const struct flag get_flags[] = {
    {"consistency", 0, FLAG_TEXT, &given.consistency, "Linearizable(l) or Serializable(s)"},
    {"order", 0, FLAG_TEXT, &given.order, "Order of results; ASCEND or DESCEND"},
    {"sort-by", 0, FLAG_TEXT, &given.sort_by, "Sort target; CREATE, KEY, MODIFY, VALUE, or VERSION"},
    {"limit", 0, FLAG_INT, &given.limit, "Maximum number of results"},
    {"prefix", 0, FLAG_BOOL, &given.prefix, "Get keys with matching prefix"},
    {"from-key", 0, FLAG_BOOL, &given.from_key, "Get keys from the given key on, by byte compare"},
    {"rev", 0, FLAG_INT, &given.rev, "Specify the kv revision"},
    {"keys-only", 0, FLAG_BOOL, &given.keys_only, "Get only the keys"},
    {"count-only", 0, FLAG_BOOL, &given.count_only, "Get only the count, with --write-out=fields"},
    {"print-value-only", 0, FLAG_BOOL, &given.print_value_only, "Only write values, with --write-out=simple"},
    {"min-create-rev", 0, FLAG_INT, &given.min_create_rev, "Minimum create revision"},
    {"max-create-rev", 0, FLAG_INT, &given.max_create_rev, "Maximum create revision"},
    {"min-mod-rev", 0, FLAG_INT, &given.min_mod_rev, "Minimum modification revision"},
    {"max-mod-rev", 0, FLAG_INT, &given.max_mod_rev, "Maximum modification revision"},
    {0},
};

const struct flag put_flags[] = {
    {"lease", 0, FLAG_TEXT, &given.lease, "Lease ID (in hexadecimal) to attach to the key"},
    {"prev-kv", 0, FLAG_BOOL, &given.prev_kv, "Return the previous key-value pair before modification"},
    {"ignore-value", 0, FLAG_BOOL, &given.ignore_value, "Update the key using its current value"},
    {"ignore-lease", 0, FLAG_BOOL, &given.ignore_lease, "Update the key using its current lease"},
    {0},
};

const struct flag del_flags[] = {
    {"prefix", 0, FLAG_BOOL, &given.prefix, "Delete keys with matching prefix"},
    {"prev-kv", 0, FLAG_BOOL, &given.prev_kv, "Return deleted key-value pairs"},
    {"from-key", 0, FLAG_BOOL, &given.from_key, "Delete keys from the given key on, by byte compare"},
    {"range", 0, FLAG_BOOL, &given.range, "Delete range of keys, without a delay"},
    {0},
};

int is_serializable(const char *consistency)
{
    if (strcmp(consistency, "s") != 0 && strcmp(consistency, "l") != 0)
        die(EXIT_FEATURE, "unknown consistency flag \"%s\"", consistency);
    return consistency[0] == 's';
}

static int same_letters(const char *a, const char *upper)
{
    for (; *a && *upper; a++, upper++)
        if ((*a >= 'a' && *a <= 'z' ? *a - 'a' + 'A' : *a) != *upper)
            return 0;
    return *a == *upper;
}

/* What the flags of get and del say of the range. */
static void set_range(etcd3_op_t *op, const struct args *args)
{
    if (given.prefix && given.from_key)
        die(EXIT_ARGS, "`--prefix` and `--from-key` cannot be set at the same time, choose one");
    if (args->count > 1) {
        if (given.prefix || given.from_key)
            die(EXIT_ARGS, "too many arguments, only accept one argument when `--prefix` or `--from-key` is set");
        etcd3_op_set_range_end(op, args->at[1], ETCD3_NTS);
    }
    if (given.prefix)
        etcd3_op_set_prefix(op);
    if (given.from_key)
        etcd3_op_set_from_key(op);
}

static int32_t sort_order(void)
{
    if (!*given.order)
        return ETCD3_SORT_NONE;
    if (same_letters(given.order, "ASCEND"))
        return ETCD3_SORT_ASCENDING;
    if (!same_letters(given.order, "DESCEND"))
        die(EXIT_FEATURE, "bad sort order %s", given.order);
    return ETCD3_SORT_DESCENDING;
}

static int32_t sort_target(void)
{
    static const struct {
        const char *name;
        int32_t target;
    } targets[] = {{"", ETCD3_SORT_BY_KEY},          {"KEY", ETCD3_SORT_BY_KEY},
                   {"CREATE", ETCD3_SORT_BY_CREATE_REVISION}, {"MODIFY", ETCD3_SORT_BY_MOD_REVISION},
                   {"VALUE", ETCD3_SORT_BY_VALUE},   {"VERSION", ETCD3_SORT_BY_VERSION}};
    size_t i;
    for (i = 0; i < sizeof targets / sizeof *targets; i++)
        if (same_letters(given.sort_by, targets[i].name))
            return targets[i].target;
    die(EXIT_FEATURE, "bad sort target %s", given.sort_by);
}

static void set_sort(etcd3_op_t *op)
{
    int32_t order = sort_order(), target = sort_target();
    /* By key, ascending: so the store answers anyway, and without reading the whole range before the limit. */
    if (target != ETCD3_SORT_BY_KEY || order == ETCD3_SORT_DESCENDING)
        etcd3_op_set_sort(op, target, order);
}

static void check_bounds(const char *what, int64_t min, int64_t max)
{
    if (max > 0 && min > max)
        die(EXIT_FEATURE, "getMin%s(=%" PRId64 ") > getMax%s(=%" PRId64 ")", what, min, what, max);
}

etcd3_op_t *get_op(const struct args *args)
{
    etcd3_op_t *op;
    int serializable;
    if (args->count == 0)
        die(EXIT_ARGS, "get command needs one argument as key and an optional argument as range_end");
    if (given.keys_only && given.count_only)
        die(EXIT_ARGS, "`--keys-only` and `--count-only` cannot be set at the same time, choose one");
    serializable = is_serializable(given.consistency);
    op = etcd3_op_get(args->at[0], ETCD3_NTS);
    set_range(op, args);
    etcd3_op_set_limit(op, given.limit);
    if (given.rev > 0)
        etcd3_op_set_revision(op, given.rev);
    set_sort(op);
    if (serializable)
        etcd3_op_set_serializable(op);
    if (given.keys_only)
        etcd3_op_set_keys_only(op);
    if (given.count_only)
        etcd3_op_set_count_only(op);
    check_bounds("CreateRev", given.min_create_rev, given.max_create_rev);
    check_bounds("ModRev", given.min_mod_rev, given.max_mod_rev);
    if (given.min_create_rev > 0)
        etcd3_op_set_min_create_revision(op, given.min_create_rev);
    if (given.max_create_rev > 0)
        etcd3_op_set_max_create_revision(op, given.max_create_rev);
    if (given.min_mod_rev > 0)
        etcd3_op_set_min_mod_revision(op, given.min_mod_rev);
    if (given.max_mod_rev > 0)
        etcd3_op_set_max_mod_revision(op, given.max_mod_rev);
    return op;
}

/* All of stdin, as it is. */
static char *all_input(size_t *len)
{
    size_t room = 4096, got;
    char *text = (char *)allocate(room);
    *len = 0;
    while ((got = fread(text + *len, 1, room - *len, stdin)) > 0) {
        *len += got;
        if (*len == room) {
            char *larger = (char *)allocate(room *= 2);
            memcpy(larger, text, *len);
            free(text);
            text = larger;
        }
    }
    return text;
}

etcd3_op_t *put_op(const struct args *args)
{
    static const char usage[] = "put command needs 1 argument and input from stdin or 2 arguments";
    etcd3_op_t *op;
    int64_t lease;
    int failed;
    if (args->count == 0)
        die(EXIT_ARGS, usage);
    if (given.ignore_value && args->count > 1)
        die(EXIT_ARGS, "put command needs only 1 argument when 'ignore-value' is set");
    lease = parse_int(given.lease, 16, &failed);
    if (failed)
        die(EXIT_ARGS, "bad lease ID (strconv.ParseInt: parsing \"%s\": invalid syntax), expecting ID in Hex",
            given.lease);
    if (given.ignore_value) {
        op = etcd3_op_put(args->at[0], ETCD3_NTS, NULL, 0);
        etcd3_op_set_ignore_value(op);
    } else if (args->count > 1) {
        op = etcd3_op_put(args->at[0], ETCD3_NTS, args->at[1], ETCD3_NTS);
    } else {
        size_t len;
        char *value = all_input(&len);
        if (!len)
            die(EXIT_ARGS, usage);
        op = etcd3_op_put(args->at[0], ETCD3_NTS, value, len);
        free(value);
    }
    if (lease)
        etcd3_op_set_lease(op, lease);
    if (given.prev_kv)
        etcd3_op_set_prev_kv(op);
    if (given.ignore_lease)
        etcd3_op_set_ignore_lease(op);
    return op;
}

etcd3_op_t *del_op(const struct args *args)
{
    etcd3_op_t *op;
    if (args->count == 0 || args->count > 2)
        die(EXIT_ARGS, "del command needs one argument as key and an optional argument as range_end");
    op = etcd3_op_delete(args->at[0], ETCD3_NTS);
    set_range(op, args);
    if (args->count > 1 && !given.range) {
        struct timespec two_seconds = {2, 0};
        fprintf(stderr,
                "Warning: Keys between \"%s\" and \"%s\" will be deleted. Please interrupt the command within next 2 "
                "seconds to cancel. You can provide `--range` flag to avoid the delay.\n",
                args->at[0], args->at[1]);
        nanosleep(&two_seconds, NULL);
    }
    if (given.prev_kv)
        etcd3_op_set_prev_kv(op);
    return op;
}

static etcd3_result_t *execute(etcd3_op_t *op)
{
    etcd3_result_t *result = NULL;
    connect_client();
    must(etcd3_execute(client, op, &result, &err));
    etcd3_op_free(op);
    return result;
}

static int get(const struct args *args)
{
    etcd3_result_t *result = execute(get_op(args));
    if (given.count_only && format != FIELDS)
        die(EXIT_ARGS, "--count-only is only for `--write-out=fields`");
    if (given.print_value_only && format != SIMPLE)
        die(EXIT_ARGS, "print-value-only is only for `--write-out=simple`");
    values_only = given.print_value_only;
    show_result(result);
    etcd3_result_free(result);
    return 0;
}

static int put(const struct args *args)
{
    etcd3_result_t *result = execute(put_op(args));
    show_result(result);
    etcd3_result_free(result);
    return 0;
}

static int del(const struct args *args)
{
    etcd3_result_t *result = execute(del_op(args));
    show_result(result);
    etcd3_result_free(result);
    return 0;
}

const struct command kv_commands[] = {
    {"get", NULL, "[options] <key> [range_end]", "Gets the key or a range of keys", get_flags, get},
    {"put", NULL, "[options] <key> <value> (<value> can also be given from stdin)", "Puts the given key into the store",
     put_flags, put},
    {"del", NULL, "[options] <key> [range_end]", "Removes the specified key or range of keys [key, range_end)",
     del_flags, del},
    {0},
};
