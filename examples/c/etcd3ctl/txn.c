/* txn: comparisons and operations, a line each, in three blocks that end with an empty line. */
#include "ctl.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int interactive;

static const struct flag flags[] = {
    {"interactive", 'i', FLAG_BOOL, &interactive, "Input transaction in interactive mode"},
    {0},
};

/* The next line without space around it; freed by the caller. */
static char *trimmed_line(void)
{
    char *line = read_line(), *at = line, *end;
    if (!line)
        die(EXIT_INPUT, "EOF");
    while (isspace((unsigned char)*at))
        at++;
    end = at + strlen(at);
    while (end > at && isspace((unsigned char)end[-1]))
        end--;
    memmove(line, at, (size_t)(end - at));
    line[end - at] = '\0';
    return line;
}

static char *put_utf8(char *to, unsigned long which)
{
    if (which < 0x80) {
        *to++ = (char)which;
    } else {
        int more = which < 0x800 ? 1 : which < 0x10000 ? 2 : 3;
        *to++ = (char)((0xff00 >> (more + 1) & 0xff) | which >> 6 * more);
        while (more--)
            *to++ = (char)(0x80 | (which >> 6 * more & 0x3f));
    }
    return to;
}

/* A string in double quotes with Go's escapes, or in back quotes, in place; where it ends, or NULL. */
static char *unquote(char *at, char **text, size_t *len)
{
    static const char letters[] = "abfnrtv\\'\"", meant[] = "\a\b\f\n\r\t\v\\'\"";
    char quote = *at, *to = *text = ++at;
    if (quote != '"' && quote != '`')
        return NULL;
    while (*at && *at != quote) {
        const char *letter;
        if (*at != '\\' || quote == '`') {
            *to++ = *at++;
        } else if ((letter = at[1] ? strchr(letters, at[1]) : NULL) != NULL) {
            *to++ = meant[letter - letters];
            at += 2;
        } else {
            char digits[9] = "", *end;
            int octal = at[1] >= '0' && at[1] <= '7';
            size_t n = octal ? 3 : at[1] == 'x' ? 2 : at[1] == 'u' ? 4 : at[1] == 'U' ? 8 : 0;
            unsigned long which;
            at += octal ? 1 : 2;
            if (!n || strlen(at) < n)
                return NULL;
            memcpy(digits, at, n);
            which = strtoul(digits, &end, octal ? 8 : 16);
            if (*end || which > (n < 4 ? 0xffu : 0x10fffful))
                return NULL;
            at += n;
            if (n < 4)
                *to++ = (char)which;
            else
                to = put_utf8(to, which);
        }
    }
    if (*at != quote)
        return NULL;
    *len = (size_t)(to - *text);
    return at + 1;
}

static char *skip_space(char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static int32_t comparison(const char *text, size_t len)
{
    if (len == 2 && memcmp(text, "!=", 2) == 0)
        return ETCD3_NOT_EQUAL;
    if (len == 1 && strchr("=<>", *text))
        return *text == '=' ? ETCD3_EQUAL : *text == '<' ? ETCD3_LESS : ETCD3_GREATER;
    return -1;
}

/* target("key") op "value", target being one of value, version, create, mod, lease. */
static void add_comparison(etcd3_op_t *txn, const char *line)
{
    static const char *const targets[][2] = {{"val", "value"}, {"ver", "version"}, {"c", "create"}, {"m", "mod"},
                                             {"lease", "lease"}};
    static void (*const numbers[])(etcd3_op_t *, const void *, size_t, int32_t, int64_t) = {
        NULL, etcd3_txn_if_version, etcd3_txn_if_create_revision, etcd3_txn_if_mod_revision, etcd3_txn_if_lease};
    char *copy = (char *)allocate(strlen(line) + 1), *at, *key, *value = NULL, *op;
    size_t key_len, value_len = 0, op_len = 0, target = 5, i;
    int32_t compared = -1;
    strcpy(copy, line);
    at = strchr(copy, '(');
    if (at) {
        *at = '\0';
        for (i = 0; i < 5; i++)
            if (strcmp(copy, targets[i][0]) == 0 || strcmp(copy, targets[i][1]) == 0)
                target = i;
        if (target == 5)
            die(EXIT_INPUT, "malformed comparison: %s (unknown target %s)", line, copy);
        at = unquote(skip_space(at + 1), &key, &key_len);
    }
    if (at && *at == ')') {
        op = at = skip_space(at + 1);
        op_len = strcspn(at, " \t");
        compared = comparison(op, op_len);
        at = unquote(skip_space(at + op_len), &value, &value_len);
    }
    if (!at || !value || compared < 0)
        die(EXIT_INPUT, "malformed comparison: %s", line);
    if (target == 0) {
        etcd3_txn_if_value(txn, key, key_len, compared, value, value_len);
    } else {
        int failed;
        int64_t number;
        value[value_len] = '\0';
        number = parse_int(value, target == 4 ? 16 : 10, &failed);
        if (failed)
            die(EXIT_INPUT, "invalid txn compare request: %s", line);
        numbers[target](txn, key, key_len, compared, number);
    }
    free(copy);
}

/* Splits a line into words, in place: some are in quotes. */
static int split_words(char *line, char **words, int room)
{
    char *at = skip_space(line);
    int count = 0;
    while (*at && count < room) {
        char *end;
        size_t len;
        if (*at == '"') {
            end = unquote(at, &words[count], &len);
            if (!end)
                return 0;
            words[count][len] = '\0';
        } else if (*at == '\'' && (end = strchr(at + 1, '\'')) != NULL) {
            words[count] = at + 1;
            *end++ = '\0';
        } else {
            words[count] = at;
            end = at + strcspn(at, " \t");
            if (*end)
                *end++ = '\0';
        }
        count++;
        at = skip_space(end);
    }
    return count;
}

static etcd3_op_t *parse_op(const char *line)
{
    char *copy = (char *)allocate(strlen(line) + 1), *words[256], why[512];
    struct args args;
    etcd3_op_t *op = NULL;
    int count;
    strcpy(copy, line);
    count = split_words(copy, words, 256);
    if (count < 2)
        die(EXIT_INPUT, "invalid txn compare request: %s", line);
    reset_kv_flags();
    if (strcmp(words[0], "get") == 0 && flags_parse(get_flags, NULL, count - 1, words + 1, &args, why, sizeof why) == 0)
        op = get_op(&args);
    if (strcmp(words[0], "put") == 0 && flags_parse(put_flags, NULL, count - 1, words + 1, &args, why, sizeof why) == 0)
        op = put_op(&args);
    if (strcmp(words[0], "del") == 0 && flags_parse(del_flags, NULL, count - 1, words + 1, &args, why, sizeof why) == 0)
        op = del_op(&args);
    if (!op)
        die(EXIT_INPUT, "invalid txn request: %s", line);
    free(copy);
    return op;
}

static void prompt(const char *text)
{
    if (interactive) {
        puts(text);
        fflush(stdout);
    }
}

static void read_ops(etcd3_op_t *txn, void (*add)(etcd3_op_t *, const etcd3_op_t *))
{
    char *line;
    for (line = trimmed_line(); *line; line = trimmed_line()) {
        etcd3_op_t *op = parse_op(line);
        add(txn, op);
        etcd3_op_free(op);
        free(line);
    }
    free(line);
}

static int txn(const struct args *args)
{
    etcd3_op_t *txn = etcd3_op_txn();
    etcd3_result_t *result = NULL;
    char *line;
    if (args->count)
        die(EXIT_ARGS, "txn command does not accept argument");
    connect_client();
    prompt("compares:");
    for (line = trimmed_line(); *line; line = trimmed_line()) {
        add_comparison(txn, line);
        free(line);
    }
    free(line);
    prompt("success requests (get, put, del):");
    read_ops(txn, etcd3_txn_then);
    prompt("failure requests (get, put, del):");
    read_ops(txn, etcd3_txn_else);
    must(etcd3_execute(client, txn, &result, &err));
    etcd3_op_free(txn);
    show_result(result);
    etcd3_result_free(result);
    return 0;
}

const struct command txn_commands[] = {
    {"txn", NULL, "[options]", "Processes all the requests of standard input in one transaction", flags, txn},
    {0},
};
