/* snapshot save: the file appears when it is whole and checked. */
#define _POSIX_C_SOURCE 200809L
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct save {
    const char *path;
    char *part;         /* where it is until then */
    uint64_t database;  /* how large it will be, about */
    etcd3_cancel_t *cancel;
    etcd3_code_t code;
};

static void fetch(void *data)
{
    struct save *save = (struct save *)data;
    int64_t limit = command_timeout_is_given ? command_timeout : -1;
    save->code = etcd3_snapshot_to_file(client, NULL, save->path, limit, save->cancel, NULL, &err);
}

static void show_save(void *data)
{
    struct save *save = (struct save *)data;
    struct stat file;
    char have[32], all[32];
    if (stat(save->part, &file) == 0)
        progress_line("snapshot: %s of about %s", size_text((uint64_t)file.st_size, have),
                      size_text(save->database, all));
}

static void cancel_save(void *data)
{
    etcd3_cancel_trigger(((struct save *)data)->cancel);
}

static int save(const struct args *args)
{
    struct save save;
    etcd3_status_t *status = NULL;
    if (args->count != 1)
        die(EXIT_ARGS, "snapshot save expects one argument <filename>");
    if (strchr(cluster.endpoints, ','))
        die(EXIT_INTERRUPTED, "snapshot must be requested to one selected node, not multiple [%s]", cluster.endpoints);
    connect_client();
    must_or(etcd3_status(client, NULL, &status, &err), EXIT_INTERRUPTED, "");
    save.path = args->at[0];
    save.part = (char *)allocate(strlen(save.path) + 6);
    sprintf(save.part, "%s.part", save.path);
    save.database = (uint64_t)etcd3_status_db_size(status);
    save.cancel = etcd3_cancel_new();
    with_progress(fetch, show_save, cancel_save, &save);
    if (caught_signal() && save.code != ETCD3_OK) {
        fprintf(stderr, "Error: %s\n", etcd3_error_message(err));
        return 128 + caught_signal();
    }
    must_or(save.code, EXIT_INTERRUPTED, "");
    printf("Snapshot saved at %s\n", save.path);
    if (*etcd3_status_storage_version(status))
        printf("Server version %s\n", etcd3_status_storage_version(status));
    etcd3_cancel_free(save.cancel);
    etcd3_status_free(status);
    free(save.part);
    return 0;
}

const struct command snapshot_commands[] = {
    {"snapshot", "save", "<filename>", "Stores a member's snapshot in a file", NULL, save},
    {0},
};
