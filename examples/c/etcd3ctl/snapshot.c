/* snapshot save: the file appears when it is whole and checked. */
#define _POSIX_C_SOURCE 200809L
#include "ctl.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the snapshot is until it is whole; NULL once it is not to be removed. */
static char *part;
static char version[32];

static void remove_part(void)
{
    if (part)
        unlink(part);
    free(part);
    part = NULL;
}

static void failed(const char *path)
{
    die(EXIT_INTERRUPTED, "%s: %s", path, strerror(errno));
}

static int create_part(const char *path)
{
    int file;
    char *name = (char *)allocate(strlen(path) + 6);
    sprintf(name, "%s.part", path);
    file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        failed(name);
    part = name;
    atexit(remove_part);
    return file;
}

static void write_piece(int file, const etcd3_event_t *event)
{
    size_t len;
    const char *at = (const char *)etcd3_event_data(event, &len);
    while (len) {
        ssize_t written = write(file, at, len);
        if (written < 0 && errno != EINTR)
            failed(part);
        if (written > 0) {
            at += written;
            len -= (size_t)written;
        }
    }
}

static void show_progress(const etcd3_event_t *event)
{
    char have[32], all[32];
    progress_line("snapshot: %s of %s", size_text((uint64_t)etcd3_event_done(event), have),
                  size_text((uint64_t)etcd3_event_total(event), all));
}

/* The pieces as they come: 1 if they were all, 0 after a signal. */
static int fetch(int file)
{
    int64_t began = now_ns(), left = -1;
    etcd3_queue_t *queue;
    etcd3_call_t *call;
    etcd3_event_t *event;
    int whole = 0;
    must(etcd3_queue_new(&queue, &err));
    must_or(etcd3_snapshot_async(client, NULL, queue, NULL, NULL, &call, &err), EXIT_INTERRUPTED, "");
    while (!whole) {
        if (command_timeout_is_given && (left = command_timeout - (now_ns() - began) / 1000000) < 0)
            left = 0;
        event = next_event(queue, left);
        if (!event)
            break;
        if (etcd3_event_error(event))
            die(EXIT_INTERRUPTED, "%s", etcd3_error_message(etcd3_event_error(event)));
        whole = etcd3_event_type(event) == ETCD3_EVENT_CLOSED;
        if (!whole) {
            write_piece(file, event);
            show_progress(event);
            snprintf(version, sizeof version, "%s", etcd3_event_version(event));
        }
        etcd3_event_free(event);
    }
    progress_line("%s", "");
    if (!whole && !caught_signal())
        die(EXIT_INTERRUPTED, "the snapshot is not whole after --command-timeout");
    etcd3_call_cancel(call);
    etcd3_call_free(call);
    etcd3_queue_free(queue);
    return whole;
}

static int save(const struct args *args)
{
    const char *path;
    int file;
    if (args->count != 1)
        die(EXIT_ARGS, "snapshot save expects one argument <filename>");
    if (strchr(cluster.endpoints, ','))
        die(EXIT_INTERRUPTED, "snapshot must be requested to one selected node, not multiple [%s]", cluster.endpoints);
    path = args->at[0];
    connect_client();
    must_or(etcd3_client_wait_connected(client, command_timeout, &err), EXIT_INTERRUPTED, "");
    catch_signals();
    file = create_part(path);
    if (!fetch(file)) {
        fputs("Error: interrupted while saving the snapshot\n", stderr);
        return 128 + caught_signal();
    }
    if (fsync(file) != 0 || close(file) != 0)
        failed(part);
    if (rename(part, path) != 0)
        failed(path);
    free(part);
    part = NULL;
    printf("Snapshot saved at %s\n", path);
    if (*version)
        printf("Server version %s\n", version);
    return 0;
}

const struct command snapshot_commands[] = {
    {"snapshot", "save", "<filename>", "Stores a member's snapshot in a file", NULL, save},
    {0},
};
