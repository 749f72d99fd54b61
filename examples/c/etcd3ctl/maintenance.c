/* compaction, defrag, move-leader, downgrade. */
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>

#define A_DAY_MS 86400000

static int physical, of_cluster;

static const struct flag compaction_flags[] = {
    {"physical", 0, FLAG_BOOL, &physical, "Wait for compaction to physically remove all old revisions"},
    {0},
};
static const struct flag defrag_flags[] = {
    {"cluster", 0, FLAG_BOOL, &of_cluster, "Use all endpoints from the cluster member list"},
    {0},
};

/* For with_progress, of either. */
static void cancel_calls(void *data)
{
    (void)data;
    etcd3_client_cancel_calls(client);
}

struct compaction {
    int64_t revision, limit, start;
    etcd3_code_t code;
};

static void compact(void *data)
{
    struct compaction *compaction = (struct compaction *)data;
    compaction->code = etcd3_compact(client, compaction->revision, physical, compaction->limit, &err);
}

static void show_compaction(void *data)
{
    struct compaction *compaction = (struct compaction *)data;
    progress_line("compacting up to revision %" PRId64 ": %" PRId64 " s", compaction->revision,
                  (now_ns() - compaction->start) / 1000000000);
}

static int compaction(const struct args *args)
{
    struct compaction compaction;
    int failed;
    if (args->count != 1)
        die(EXIT_ARGS, "compaction command needs 1 argument");
    compaction.revision = parse_int(args->at[0], 10, &failed);
    if (failed)
        die(EXIT_ERROR, "strconv.ParseInt: parsing \"%s\": invalid syntax", args->at[0]);
    connect_client();
    compaction.limit = command_timeout;
    if (physical && !command_timeout_is_given) { /* it takes as long as it takes, once there is a server */
        must(etcd3_client_wait_connected(client, command_timeout, &err));
        compaction.limit = A_DAY_MS;
    }
    compaction.start = now_ns();
    with_progress(compact, show_compaction, cancel_calls, &compaction);
    if (caught_signal() && compaction.code != ETCD3_OK) {
        fprintf(stderr, "Error: %s\n", etcd3_error_message(err));
        return 128 + caught_signal();
    }
    must(compaction.code);
    printf("compacted revision %" PRId64 "\n", compaction.revision);
    return 0;
}

struct defrag {
    const char *endpoint;
    int64_t start;
    etcd3_code_t code;
};

static void defragment(void *data)
{
    struct defrag *defrag = (struct defrag *)data;
    /* Without --command-timeout the library's own limit, which is long: a large database takes minutes. */
    defrag->code = etcd3_defragment(client, defrag->endpoint, command_timeout_is_given ? command_timeout : 0, &err);
}

static void show_defrag(void *data)
{
    struct defrag *defrag = (struct defrag *)data;
    progress_line("defragmenting %s: %" PRId64 " s", defrag->endpoint, (now_ns() - defrag->start) / 1000000000);
}

static int defrag(const struct args *args)
{
    size_t i, count, failures = 0;
    char **endpoints;
    (void)args;
    endpoints = list_endpoints(of_cluster, &count);
    connect_client();
    for (i = 0; i < count && !caught_signal(); i++) {
        struct defrag one;
        char took[32];
        one.endpoint = endpoints[i];
        one.start = now_ns();
        with_progress(defragment, show_defrag, cancel_calls, &one);
        duration_text(now_ns() - one.start, took);
        if (one.code == ETCD3_OK) {
            printf("Finished defragmenting etcd member[%s]. took %s\n", endpoints[i], took);
        } else {
            fprintf(stderr, "Failed to defragment etcd member[%s]. took %s. (%s)\n", endpoints[i], took,
                    etcd3_error_message(err));
            etcd3_error_free(err);
            err = NULL;
            failures++;
        }
    }
    free_endpoints(endpoints, count);
    return caught_signal() ? 128 + caught_signal() : failures ? EXIT_ERROR : 0;
}

static uint64_t leader(void)
{
    etcd3_status_t *status = NULL;
    uint64_t id;
    must(etcd3_status(client, NULL, &status, &err));
    id = etcd3_status_leader(status);
    etcd3_status_free(status);
    return id;
}

static int move_leader(const struct args *args)
{
    uint64_t from, to;
    int failed;
    if (args->count != 1)
        die(EXIT_ARGS, "move-leader command needs 1 argument");
    to = parse_id(args->at[0], &failed);
    if (failed)
        die(EXIT_ARGS, "strconv.ParseUint: parsing \"%s\": invalid syntax", args->at[0]);
    connect_client();
    from = leader();
    must(etcd3_move_leader(client, to, &err));
    if (!show_done())
        printf("Leadership transferred from %" PRIx64 " to %" PRIx64 "\n", from, to);
    return 0;
}

static const char *only_version(const struct args *args)
{
    if (args->count < 1)
        die(EXIT_ARGS, "TARGET_VERSION not provided");
    if (args->count > 1)
        die(EXIT_ARGS, "too many arguments");
    if (!*args->at[0])
        die(EXIT_ARGS, "target version not provided");
    return args->at[0];
}

static int show_downgrade(const char *what, etcd3_downgrade_t *answer)
{
    const etcd3_header_t *header = etcd3_downgrade_header(answer);
    const char *version = etcd3_downgrade_version(answer);
    need_simple_or_json();
    if (format == JSON) {
        json_open(NULL, '{');
        json_header("header", header);
        json_text("version", version);
        json_close('}');
        json_end();
    } else {
        printf("Downgrade %s success, cluster version %s\n", what, version);
    }
    etcd3_downgrade_free(answer);
    return 0;
}

static int validate(const struct args *args)
{
    const char *version = only_version(args);
    etcd3_downgrade_t *answer = NULL;
    connect_client();
    must(etcd3_downgrade_validate(client, version, &answer, &err));
    return show_downgrade("validate", answer);
}

static int enable(const struct args *args)
{
    const char *version = only_version(args);
    etcd3_downgrade_t *answer = NULL;
    connect_client();
    must(etcd3_downgrade_enable(client, version, &answer, &err));
    return show_downgrade("enable", answer);
}

static int cancel(const struct args *args)
{
    etcd3_downgrade_t *answer = NULL;
    (void)args;
    connect_client();
    must(etcd3_downgrade_cancel(client, &answer, &err));
    return show_downgrade("cancel", answer);
}

const struct command maintenance_commands[] = {
    {"compaction", NULL, "[options] <revision>", "Compacts the event history in etcd", compaction_flags, compaction},
    {"defrag", NULL, "[--cluster]", "Defragments the storage of the members with given endpoints", defrag_flags,
     defrag},
    {"move-leader", NULL, "<transferee-member-id>", "Transfers leadership to another cluster member", NULL,
     move_leader},
    {"downgrade", "validate", "<TARGET_VERSION>", "Validates downgrade capability before starting it", NULL, validate},
    {"downgrade", "enable", "<TARGET_VERSION>", "Starts a downgrade action to cluster", NULL, enable},
    {"downgrade", "cancel", "", "Cancels the ongoing downgrade action to cluster", NULL, cancel},
    {0},
};
