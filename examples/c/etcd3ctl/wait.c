/* Waiting for events, for a thread that works, for a command; and for Ctrl-C, which ends all that in an orderly way. */
#define _POSIX_C_SOURCE 200809L
#include "ctl.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static volatile sig_atomic_t caught;
static int wake[2] = {-1, -1}; /* a pipe: readable once a signal came */

static void on_signal(int number)
{
    int kept = errno;
    caught = number;
    if (write(wake[1], "", 1) < 0) {
        /* It is full, and so readable. */
    }
    errno = kept;
}

void catch_signals(void)
{
    struct sigaction action;
    int i;
    if (wake[0] >= 0)
        return;
    if (pipe(wake) != 0)
        die(EXIT_ERROR, "pipe: %s", strerror(errno));
    for (i = 0; i < 2; i++) {
        fcntl(wake[i], F_SETFL, O_NONBLOCK);
        fcntl(wake[i], F_SETFD, FD_CLOEXEC);
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int caught_signal(void)
{
    return caught;
}

etcd3_event_t *next_event(const etcd3_queue_t *queue, int64_t timeout_ms)
{
    int64_t until = now_ns() + timeout_ms * 1000000;
    while (!caught) {
        etcd3_event_t *event = NULL;
        struct pollfd ready[2];
        int64_t left = -1;
        must(etcd3_queue_next(queue, 0, &event, &err));
        if (event)
            return event;
        if (timeout_ms >= 0 && (left = (until - now_ns()) / 1000000) <= 0)
            return NULL;
        ready[0].fd = etcd3_queue_fd(queue);
        ready[1].fd = wake[0];
        ready[0].events = ready[1].events = POLLIN;
        poll(ready, 2, left > 60000 ? 60000 : (int)left);
    }
    return NULL;
}

void pause_for(int64_t ms)
{
    struct pollfd ready = {wake[0], POLLIN, 0};
    if (!caught)
        poll(&ready, 1, (int)ms);
}

struct job {
    void (*work)(void *);
    void *argument;
    int done[2]; /* a pipe: closed when it is done */
};

static void *run_job(void *data)
{
    struct job *job = (struct job *)data;
    job->work(job->argument);
    close(job->done[1]);
    return NULL;
}

void with_progress(void (*work)(void *), void (*show)(void *), void (*cancel)(void *), void *argument)
{
    struct job job;
    struct pollfd ready[2];
    pthread_t thread;
    int cancelled = 0;
    catch_signals();
    job.work = work;
    job.argument = argument;
    if (pipe(job.done) != 0 || pthread_create(&thread, NULL, run_job, &job) != 0)
        die(EXIT_ERROR, "a thread: %s", strerror(errno));
    ready[0].fd = job.done[0];
    ready[1].fd = wake[0];
    ready[0].events = ready[1].events = POLLIN;
    while (poll(ready, cancelled ? 1 : 2, 250) <= 0 || !ready[0].revents) {
        if (caught && !cancelled) {
            cancel(argument);
            cancelled = 1;
        }
        show(argument);
    }
    pthread_join(thread, NULL);
    close(job.done[0]);
    progress_line("%s", "");
}

void progress_line(const char *format, ...)
{
    va_list values;
    if (!isatty(STDERR_FILENO))
        return;
    fputs("\r\033[K", stderr);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fflush(stderr);
}

int run_command(char **argv)
{
    pid_t child;
    int status, failed;
    fflush(stdout);
    failed = posix_spawnp(&child, argv[0], NULL, NULL, argv, environ);
    if (failed) {
        fprintf(stderr, "Error: exec: \"%s\": %s\n", argv[0], strerror(failed));
        return -1;
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            die(EXIT_ERROR, "waitpid: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}
