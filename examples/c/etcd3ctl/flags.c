/* Flags as etcdctl has them: --name=value, --name value, -n value, switches, anywhere among the words until "--". */
#include "ctl.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t parse_int(const char *text, int base, int *failed)
{
    char *end;
    long long value;
    errno = 0;
    value = strtoll(text, &end, base);
    /* What strtoll takes beyond that: space before, 0x. */
    *failed = errno || *end || end == text || isspace((unsigned char)*text) || (base == 16 && strpbrk(text, "xX"));
    return value;
}

uint64_t parse_id(const char *text, int *failed)
{
    char *end;
    unsigned long long value;
    errno = 0;
    value = strtoull(text, &end, 16);
    *failed = errno || *end || end == text || !isxdigit((unsigned char)*text) || strpbrk(text, "xX");
    return value;
}

/* Go's durations: numbers with units, one after the other. */
static int64_t parse_duration(const char *text, int *failed)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}};
    double all = 0;
    *failed = *text == '\0';
    if (strcmp(text, "0") == 0)
        return 0;
    while (*text && !*failed) {
        char *end;
        double number = strtod(text, &end);
        size_t len, i, found = sizeof units / sizeof *units;
        *failed = end == text || !isdigit((unsigned char)*text);
        len = strspn(end, "hmnsu");
        for (i = 0; i < sizeof units / sizeof *units; i++)
            if (strlen(units[i].name) == len && strncmp(units[i].name, end, len) == 0)
                found = i;
        if (found == sizeof units / sizeof *units) {
            *failed = 1;
        } else {
            all += number * units[found].ms;
            text = end + len;
        }
    }
    if (all > 0 && all < 1)
        all = 1;
    return (int64_t)all;
}

/* Given twice it is one list. */
static void add_to_list(const char **list, const char *value)
{
    static char *own;
    char *longer;
    if (!own || *list != own) {
        longer = (char *)allocate(strlen(value) + 1);
        strcpy(longer, value);
    } else {
        longer = (char *)allocate(strlen(own) + strlen(value) + 2);
        sprintf(longer, "%s,%s", own, value);
        free(own);
    }
    *list = own = longer;
}

static int set(const struct flag *flag, const char *value, char *why, size_t why_size)
{
    int failed = 0;
    const char *what = "";
    switch (flag->kind) {
    case FLAG_BOOL:
        if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0 || strcmp(value, "t") == 0)
            *(int *)flag->to = 1;
        else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0 || strcmp(value, "f") == 0)
            *(int *)flag->to = 0;
        else
            failed = 1;
        what = "strconv.ParseBool: parsing";
        break;
    case FLAG_INT: {
        int64_t number = parse_int(value, 10, &failed);
        if (!failed)
            *(int64_t *)flag->to = number;
        what = "strconv.ParseInt: parsing";
        break;
    }
    case FLAG_DURATION: {
        int64_t ms = parse_duration(value, &failed);
        if (!failed)
            *(int64_t *)flag->to = ms;
        what = "time: invalid duration";
        break;
    }
    case FLAG_TEXT:
        *(const char **)flag->to = value;
        break;
    case FLAG_LIST:
        add_to_list((const char **)flag->to, value);
        break;
    }
    if (!failed)
        return 0;
    snprintf(why, why_size, "invalid argument \"%s\" for \"--%s\" flag: %s \"%s\"%s", value, flag->name, what, value,
             flag->kind == FLAG_DURATION ? "" : ": invalid syntax");
    return -1;
}

const struct flag *flag_by_word(const struct flag *flags, const char *word)
{
    size_t len = strcspn(word, "=");
    for (; flags && flags->name; flags++) {
        if (word[0] == '-' && word[1] == '-') {
            if (strlen(flags->name) == len - 2 && strncmp(flags->name, word + 2, len - 2) == 0)
                return flags;
        } else if (flags->letter && word[1] == flags->letter) {
            return flags;
        }
    }
    return NULL;
}

int flag_is_given(const char *name, int argc, char **argv)
{
    size_t len = strlen(name);
    int i;
    for (i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strncmp(argv[i], "--", 2) == 0 && strncmp(argv[i] + 2, name, len) == 0 &&
            (argv[i][2 + len] == '\0' || argv[i][2 + len] == '='))
            return 1;
    return 0;
}

int flags_parse(const struct flag *own, const struct flag *shared, int argc, char **argv, struct args *args, char *why,
                size_t why_size)
{
    int i;
    args->at = argv;
    args->count = 0;
    args->before_dashes = -1;
    for (i = 0; i < argc; i++) {
        char *word = argv[i];
        const char *value;
        const struct flag *flag;
        if (args->before_dashes >= 0 || word[0] != '-' || word[1] == '\0') {
            argv[args->count++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            args->before_dashes = args->count;
            continue;
        }
        flag = flag_by_word(own, word);
        if (!flag)
            flag = flag_by_word(shared, word);
        if (!flag) {
            if (word[1] == '-')
                snprintf(why, why_size, "unknown flag: %.*s", (int)strcspn(word, "="), word);
            else
                snprintf(why, why_size, "unknown shorthand flag: '%c' in %s", word[1], word);
            return -1;
        }
        value = word[1] == '-' ? strchr(word, '=') : word[2] ? word + 1 + (word[2] == '=') : NULL;
        if (value) {
            value++;
        } else if (flag->kind == FLAG_BOOL) {
            value = "true";
        } else if (i + 1 < argc) {
            value = argv[++i];
        } else {
            snprintf(why, why_size, "flag needs an argument: %s", word);
            return -1;
        }
        if (set(flag, value, why, why_size) != 0)
            return -1;
    }
    return 0;
}

int flags_from_env(const struct flag *flags, int argc, char **argv, char *why, size_t why_size)
{
    for (; flags->name; flags++) {
        char name[64] = "ETCDCTL_";
        const char *value;
        size_t i, start = strlen(name);
        for (i = 0; flags->name[i] && start + i + 1 < sizeof name; i++)
            name[start + i] = flags->name[i] == '-' ? '_' : (char)toupper((unsigned char)flags->name[i]);
        value = getenv(name);
        if (!value || !*value || flag_is_given(flags->name, argc, argv))
            continue;
        if (set(flags, value, why, why_size) != 0)
            return -1;
    }
    return 0;
}
