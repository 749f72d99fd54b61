/* lock: holds a lock until Ctrl-C, or while a command runs. */
#define _POSIX_C_SOURCE 200809L
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t ttl = 10;

static const struct flag flags[] = {
    {"ttl", 0, FLAG_INT, &ttl, "Timeout for session, in seconds"},
    {0},
};

static void show_key(const void *key, size_t key_len, const char *gone)
{
    etcd3_result_t *result = NULL;
    must(etcd3_get(client, key, key_len, &result, &err));
    if (etcd3_result_kv_count(result) == 0)
        die(EXIT_ERROR, "%s", gone);
    show_result(result);
    etcd3_result_free(result);
}

int wait_to_hold(const etcd3_queue_t *queue)
{
    etcd3_event_t *event;
    int held = 0;
    while (!held && (event = next_event(queue, -1)) != NULL) {
        if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED)
            die(EXIT_ERROR, "%s", etcd3_error_message(etcd3_event_error(event)));
        held = etcd3_event_type(event) == ETCD3_EVENT_ACQUIRED;
        etcd3_event_free(event);
    }
    return held;
}

void hold(const etcd3_queue_t *queue, const void *key, size_t key_len, const char *lost)
{
    etcd3_event_t *event;
    show_key(key, key_len, lost);
    event = next_event(queue, -1);
    if (event) /* LOST */
        die(EXIT_ERROR, "%s", lost);
}

/* With the lock held. */
static int run(const etcd3_lock_t *lock, char **command)
{
    char text[24];
    size_t len;
    const uint8_t *key = etcd3_lock_key(lock, &len);
    char *name = (char *)allocate(len + 1);
    int code;
    snprintf(name, len + 1, "%.*s", (int)len, (const char *)key);
    setenv("ETCD_LOCK_KEY", name, 1);
    free(name);
    snprintf(text, sizeof text, "%" PRId64, etcd3_lock_token(lock));
    setenv("ETCD_LOCK_REV", text, 1);
    code = run_command(command);
    must(etcd3_lock_release(lock, &err));
    if (code > 0)
        fprintf(stderr, "Error: exit status %d\n", code);
    return code < 0 ? EXIT_ERROR : code;
}

static int lock_command(const struct args *args)
{
    etcd3_session_t *session;
    etcd3_queue_t *queue;
    etcd3_lock_t *lock;
    etcd3_call_t *call;
    int code = 0;
    if (args->count == 0)
        die(EXIT_ARGS, "lock takes a lock name argument and an optional command to execute");
    connect_client();
    catch_signals();
    must(etcd3_queue_new(&queue, &err));
    must(etcd3_session_open(client, ttl, 0, NULL, NULL, NULL, &session, &err));
    must(etcd3_lock_new(session, args->at[0], ETCD3_NTS, &lock, &err));
    must(etcd3_lock_acquire_async(lock, -1, queue, NULL, NULL, &call, &err));
    if (!wait_to_hold(queue)) {
        fputs("Error: interrupted while waiting for the lock\n", stderr);
        code = EXIT_ERROR;
    } else if (args->count > 1) {
        code = run(lock, args->at + 1);
    } else {
        size_t len;
        const uint8_t *key = etcd3_lock_key(lock, &len);
        hold(queue, key, len, "session expired");
        must(etcd3_lock_release(lock, &err));
    }
    /* With its lease all that is left of it goes: a key that still waits. */
    must(etcd3_session_close(session, command_timeout, &err));
    etcd3_call_free(call);
    etcd3_lock_free(lock);
    etcd3_session_free(session);
    etcd3_queue_free(queue);
    return code;
}

const struct command lock_commands[] = {
    {"lock", NULL, "<lockname> [exec-command arg1 arg2 ...]", "Acquires a named lock", flags, lock_command},
    {0},
};
