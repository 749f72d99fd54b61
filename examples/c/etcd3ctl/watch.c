/* watch: prints changes as they come, or runs a command for each. */
#define _POSIX_C_SOURCE 200809L
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t rev;
static int prefix, prev_kv, progress_notify, interactive;

static const struct flag flags[] = {
    {"rev", 0, FLAG_INT, &rev, "Revision to start watching"},
    {"prefix", 0, FLAG_BOOL, &prefix, "Watch on a prefix"},
    {"prev-kv", 0, FLAG_BOOL, &prev_kv, "Get the previous key-value pair before the event happens"},
    {"progress-notify", 0, FLAG_BOOL, &progress_notify, "Get periodic watch progress notification from server"},
    {"interactive", 'i', FLAG_BOOL, &interactive, "Not supported"},
    {0},
};

/* Key and value as Go's %q, as etcdctl gives them; so that they may hold any byte. */
static void set_quoted(const char *name, const uint8_t *bytes, size_t len)
{
    char *text = (char *)allocate(4 * len + 3), *to = text;
    size_t i;
    *to++ = '"';
    for (i = 0; i < len; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            to += sprintf(to, "\\%c", bytes[i]);
        else if (bytes[i] < 0x20 || bytes[i] == 0x7f)
            to += sprintf(to, "\\x%02x", bytes[i]);
        else
            *to++ = (char)bytes[i];
    }
    *to++ = '"';
    *to = '\0';
    setenv(name, text, 1);
    free(text);
}

static void run_for_each(const etcd3_event_t *event, char **command)
{
    size_t i;
    for (i = 0; i < etcd3_event_change_count(event); i++) {
        const etcd3_change_t *change = etcd3_event_change(event, i);
        char text[24];
        snprintf(text, sizeof text, "%" PRId64, etcd3_event_revision(event));
        setenv("ETCD_WATCH_REVISION", text, 1);
        setenv("ETCD_WATCH_EVENT_TYPE", change->type == ETCD3_CHANGE_PUT ? "\"PUT\"" : "\"DELETE\"", 1);
        set_quoted("ETCD_WATCH_KEY", change->kv->key, change->kv->key_len);
        set_quoted("ETCD_WATCH_VALUE", change->kv->value, change->kv->value_len);
        if (run_command(command) != 0)
            exit(EXIT_ERROR);
    }
}

static etcd3_watch_opts_t *options(const struct args *args, int *used)
{
    const char *key = getenv("ETCDCTL_WATCH_KEY"), *end = getenv("ETCDCTL_WATCH_RANGE_END");
    int count = args->before_dashes >= 0 ? args->before_dashes : args->count;
    etcd3_watch_opts_t *opts;
    *used = count;
    if ((!key || !*key) && end && *end)
        die(EXIT_ARGS, "ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END=\"%s\"", end);
    if (key && *key && count)
        die(EXIT_ARGS, "bad number of arguments (found conflicting environment key)");
    if (!key || !*key) {
        key = count > 0 ? args->at[0] : NULL;
        end = count == 2 ? args->at[1] : NULL;
    }
    if (!key)
        die(EXIT_ARGS, "bad number of arguments");
    opts = etcd3_watch_opts_new(key, ETCD3_NTS);
    if (end && *end && prefix)
        die(EXIT_ARGS, "`range_end` and `--prefix` are mutually exclusive");
    if (end && *end)
        etcd3_watch_opts_set_range_end(opts, end, ETCD3_NTS);
    if (prefix)
        etcd3_watch_opts_set_prefix(opts);
    if (prev_kv)
        etcd3_watch_opts_set_prev_kv(opts);
    if (progress_notify)
        etcd3_watch_opts_set_progress_notify(opts);
    etcd3_watch_opts_set_start_revision(opts, rev);
    return opts;
}

static int watch(const struct args *args)
{
    etcd3_watch_opts_t *opts;
    etcd3_queue_t *queue;
    etcd3_watch_t *watch;
    etcd3_event_t *event;
    char **command;
    int used;
    if (interactive)
        die(EXIT_FEATURE, "watch -i is not supported");
    if (args->before_dashes == args->count)
        die(EXIT_ARGS, "bad number of arguments (found separator --, but no commands)");
    opts = options(args, &used);
    command = args->before_dashes >= 0 ? args->at + used : NULL;
    connect_client();
    catch_signals();
    must(etcd3_queue_new(&queue, &err));
    must(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err));
    etcd3_watch_opts_free(opts);
    while ((event = next_event(queue, -1)) != NULL) {
        int32_t type = etcd3_event_type(event);
        if (type == ETCD3_EVENT_PROGRESS)
            printf("progress notify: %" PRId64 "\n", etcd3_event_revision(event));
        if (type == ETCD3_EVENT_CLOSED)
            fprintf(stderr, "watch was canceled (%s)\n", etcd3_error_message(etcd3_event_error(event)));
        if (type != ETCD3_EVENT_STATE)
            show_watch(event);
        if (type == ETCD3_EVENT_WATCH && command)
            run_for_each(event, command);
        if (type == ETCD3_EVENT_CLOSED)
            die(EXIT_INTERRUPTED, "watch is canceled by the server");
        etcd3_event_free(event);
    }
    etcd3_watch_free(watch);
    etcd3_queue_free(queue);
    return 128 + caught_signal();
}

const struct command watch_commands[] = {
    {"watch", NULL, "[options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]",
     "Watches events stream on keys or prefixes", flags, watch},
    {0},
};
