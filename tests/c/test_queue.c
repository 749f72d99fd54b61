/* Queues: dispatch, the descriptor, the wakeup, one drainer at a time, freeing. next: test_event.c. */
#include "watching.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define PREFIX "test_queue/"

static etcd3_client_t *client;

/* A watch on `key` that reports to `queue` and is live. */
static void begin(struct watching *w, const char *key, etcd3_queue_t *queue)
{
    etcd3_error_t *err = NULL;
    prepare(w, client, PREFIX);
    start(w, etcd3_watch_opts_new(key, ETCD3_NTS), queue);
    while (!w->live)
        if (!CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err))
            break;
}

static void end(struct watching *w, etcd3_queue_t *queue)
{
    etcd3_error_t *err = NULL;
    etcd3_watch_cancel(w->watch);
    while (!w->closed)
        if (!CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err))
            break;
    finished(w);
}

static int readable(int fd, int timeout_ms)
{
    struct pollfd p;
    p.fd = fd;
    p.events = POLLIN;
    p.revents = 0;
    return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLIN);
}

static void an_empty_queue(void)
{
    etcd3_queue_t *queue = new_queue();
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    size_t ran = 9;
    int64_t before;
    CHECK(!readable(etcd3_queue_fd(queue), 0));
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, &ran, &err), err);
    CHECK_INT(ran, 0);
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, NULL, &err), err);
    CHECK_OK(etcd3_queue_next(queue, 0, &event, &err), err);
    CHECK(event == NULL);
    before = now_ms();
    CHECK_OK(etcd3_queue_next(queue, 50, &event, &err), err);
    CHECK(event == NULL);
    CHECK(now_ms() - before >= 49);
    before = now_ms();
    CHECK_OK(etcd3_queue_dispatch(queue, 1, 50, &ran, &err), err);
    CHECK_INT(ran, 0);
    CHECK(now_ms() - before >= 49);
    etcd3_queue_free(queue);
    etcd3_queue_free(NULL);
}

static void the_descriptor_is_a_pipe(void)
{
    etcd3_queue_t *queue = new_queue();
    int fd = etcd3_queue_fd(queue), copy = etcd3_queue_dup_fd(queue);
    struct stat a, b;
    CHECK(fd >= 0);
    CHECK(copy >= 0 && copy != fd);
    CHECK(fstat(fd, &a) == 0 && S_ISFIFO(a.st_mode));
    CHECK(fstat(copy, &b) == 0 && S_ISFIFO(b.st_mode) && a.st_ino == b.st_ino);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(copy, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_INT(etcd3_queue_fd(queue), fd);
    CHECK_INT(close(copy), 0);
    CHECK_INT(etcd3_queue_fd(NULL), -1);
    CHECK_INT(etcd3_queue_dup_fd(NULL), -1);
    etcd3_queue_free(queue);
    CHECK(fcntl(fd, F_GETFD) == -1);
}

static void readable_while_events_wait(void)
{
    etcd3_queue_t *queue = new_queue();
    int fd = etcd3_queue_fd(queue), copy = etcd3_queue_dup_fd(queue);
    struct watching w;
    etcd3_error_t *err = NULL;
    char bytes[64];
    size_t ran = 0;
    begin(&w, PREFIX "r", queue);
    CHECK(!readable(fd, 0));
    put(client, PREFIX "r", "1");
    CHECK(readable(fd, PATIENCE_MS));
    CHECK(readable(copy, 0));
    CHECK_INT(w.changes, 0);
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, &ran, &err), err);
    CHECK_INT(ran, 1);
    CHECK_INT(w.changes, 1);
    CHECK(!readable(fd, 0));

    /* Whoever reads the bytes himself, as Node's sockets do, loses no event. */
    put(client, PREFIX "r", "2");
    CHECK(readable(copy, PATIENCE_MS));
    while (read(copy, bytes, sizeof bytes) > 0)
        ;
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, &ran, &err), err);
    CHECK_INT(ran, 1);
    put(client, PREFIX "r", "3");
    CHECK(readable(fd, PATIENCE_MS));
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, &ran, &err), err);
    CHECK_INT(ran, 1);
    CHECK(!readable(fd, 0));
    end(&w, queue);
    CHECK_CHANGES(&w, "+r=1 =r=2 =r=3");
    close(copy);
    etcd3_queue_free(queue);
}

static void dispatch_runs_no_more_than_asked(void)
{
    etcd3_queue_t *queue = new_queue();
    struct watching w, last;
    etcd3_error_t *err = NULL;
    size_t ran = 0;
    int i;
    begin(&w, PREFIX "m", queue);
    for (i = 0; i < 5; i++)
        put(client, PREFIX "m", "v");
    /* The server tells both watches of the last put, on one stream and in order. */
    prepare(&last, client, PREFIX);
    start(&last, etcd3_watch_opts_new(PREFIX "m", ETCD3_NTS), NULL);
    put(client, PREFIX "m", "v");
    AWAIT(&last, changes, 1);
    stop(&last);
    for (i = 1; i <= 3; i++) {
        CHECK_OK(etcd3_queue_dispatch(queue, 1, PATIENCE_MS, &ran, &err), err);
        CHECK_INT(ran, 1);
        CHECK_INT(w.events, i);
    }
    CHECK(readable(etcd3_queue_fd(queue), 0));
    while (w.changes < 6 && CHECK_OK(etcd3_queue_dispatch(queue, 2, PATIENCE_MS, &ran, &err), err))
        CHECK(ran == 1 || ran == 2);
    CHECK_INT(w.changes, 6);
    end(&w, queue);
    etcd3_queue_free(queue);
}

struct woken {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int times;
};

static void wake(void *user_data)
{
    struct woken *woken = (struct woken *)user_data;
    pthread_mutex_lock(&woken->lock);
    woken->times++;
    pthread_cond_broadcast(&woken->changed);
    pthread_mutex_unlock(&woken->lock);
}

static void wakeup_in_place_of_the_descriptor(void)
{
    etcd3_queue_t *queue = new_queue();
    struct woken woken = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct watching w;
    etcd3_error_t *err = NULL;
    int before, after;
    begin(&w, PREFIX "w", queue);
    etcd3_queue_set_wakeup(queue, wake, &woken);
    CHECK_INT(woken.times, 0);
    put(client, PREFIX "w", "1");
    pthread_mutex_lock(&woken.lock);
    while (!woken.times)
        pthread_cond_wait(&woken.changed, &woken.lock);
    pthread_mutex_unlock(&woken.lock);
    CHECK_OK(etcd3_queue_dispatch(queue, 0, 0, NULL, &err), err);
    CHECK_INT(w.changes, 1);
    etcd3_queue_set_wakeup(queue, NULL, NULL);
    before = woken.times;
    put(client, PREFIX "w", "2");
    CHECK_OK(etcd3_queue_dispatch(queue, 1, PATIENCE_MS, NULL, &err), err);
    after = woken.times;
    CHECK_INT(after, before);

    /* Set while events wait, it is called at once. */
    put(client, PREFIX "w", "3");
    CHECK(readable(etcd3_queue_fd(queue), PATIENCE_MS));
    etcd3_queue_set_wakeup(queue, wake, &woken);
    CHECK_INT(woken.times, before + 1);
    etcd3_queue_set_wakeup(queue, NULL, NULL);
    end(&w, queue);
    etcd3_queue_free(queue);
}

static void *try_to_drain(void *arg)
{
    etcd3_queue_t *queue = (etcd3_queue_t *)arg;
    etcd3_event_t *next = NULL;
    etcd3_error_t *err = NULL;
    CHECK_CODE(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err, ETCD3_ERR_BUSY, "queue");
    CHECK_CODE(etcd3_queue_next(queue, PATIENCE_MS, &next, &err), err, ETCD3_ERR_BUSY, "queue");
    CHECK(next == NULL);
    return NULL;
}

static void try_here_and_elsewhere(struct watching *w, const etcd3_event_t *event)
{
    pthread_t thread;
    if (etcd3_event_type(event) == ETCD3_EVENT_WATCH) {
        try_to_drain(w->queue);
        CHECK_INT(pthread_create(&thread, NULL, try_to_drain, w->queue), 0);
        pthread_join(thread, NULL);
    }
}

static void one_drainer_at_a_time(void)
{
    etcd3_queue_t *queue = new_queue();
    struct watching w;
    etcd3_error_t *err = NULL;
    begin(&w, PREFIX "b", queue);
    w.hook = try_here_and_elsewhere;
    put(client, PREFIX "b", "1");
    CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err);
    CHECK_INT(w.changes, 1);
    put(client, PREFIX "b", "2");
    CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err);
    CHECK_INT(w.changes, 2);
    end(&w, queue);
    etcd3_queue_free(queue);
}

static void on_alarm(int signal) { (void)signal; }

/* A repeating alarm: whichever comes while the call waits ends it. */
static void a_signal_ends_the_wait(void)
{
    etcd3_queue_t *queue = new_queue();
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    struct sigaction action;
    struct itimerval every, never;
    size_t ran = 0;
    memset(&action, 0, sizeof action);
    memset(&every, 0, sizeof every);
    memset(&never, 0, sizeof never);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    every.it_interval.tv_usec = every.it_value.tv_usec = 20000;
    setitimer(ITIMER_REAL, &every, NULL);
    CHECK_CODE(etcd3_queue_dispatch(queue, 0, -1, &ran, &err), err, ETCD3_ERR_INTERRUPTED, "signal");
    CHECK_CODE(etcd3_queue_next(queue, -1, &event, &err), err, ETCD3_ERR_INTERRUPTED, "signal");
    CHECK_CODE(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err, ETCD3_ERR_INTERRUPTED, "signal");
    setitimer(ITIMER_REAL, &never, NULL);
    /* One may still be on its way, and by default it ends the process. */
    action.sa_handler = SIG_IGN;
    sigaction(SIGALRM, &action, NULL);
    CHECK_OK(etcd3_queue_next(queue, 0, &event, &err), err);
    etcd3_queue_free(queue);
}

static void freeing_ends_what_reports_here(void)
{
    etcd3_queue_t *queue = new_queue();
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(PREFIX "f", ETCD3_NTS);
    etcd3_watch_t *without = NULL, *late = NULL;
    struct watching first, second;
    etcd3_error_t *err = NULL;
    begin(&first, PREFIX "f", queue);
    begin(&second, PREFIX "f", queue);
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, NULL, &without, &err), err);
    put(client, PREFIX "f", "1");
    etcd3_queue_free(queue);
    CHECK_INT(first.closed, 1);
    CHECK_INT(second.closed, 1);
    CHECK_INT(first.why, ETCD3_ERR_CANCELED);
    CHECK(strstr(first.why_text, "queue") != NULL);
    CHECK_CHANGES(&first, "");
    put(client, PREFIX "f", "2");
    etcd3_watch_cancel(without);
    etcd3_watch_free(without);
    finished(&first);
    finished(&second);
    CHECK_INT(etcd3_watch_start(client, opts, NULL, NULL, NULL, &late, NULL), ETCD3_ERR_INVALID_ARGUMENT);
    etcd3_watch_opts_free(opts);
}

static void one_queue_for_two_clients(void)
{
    etcd3_client_t *other = open_client(), *kept = client;
    etcd3_queue_t *queue = new_queue();
    struct watching a, b;
    etcd3_error_t *err = NULL;
    begin(&a, PREFIX "two", queue);
    client = other;
    begin(&b, PREFIX "two", queue);
    client = kept;
    put(client, PREFIX "two", "1");
    while (!a.changes || !b.changes)
        if (!CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err))
            break;
    CHECK_OK(etcd3_client_close(other, PATIENCE_MS, &err), err);
    etcd3_client_free(other);
    put(client, PREFIX "two", "2");
    while (a.changes < 2 || !b.closed)
        if (!CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err))
            break;
    CHECK_INT(b.why, ETCD3_ERR_CLOSED);
    finished(&b);
    end(&a, queue);
    CHECK_CHANGES(&a, "+two=1 =two=2");
    etcd3_queue_free(queue);
}

static void free_the_queue(struct watching *w, const etcd3_event_t *event)
{
    if (etcd3_event_type(event) == ETCD3_EVENT_WATCH)
        etcd3_queue_free(w->queue);
}

/* As any other call: the last events come before the dispatch around the callback returns. */
static void freeing_inside_a_callback(void)
{
    etcd3_queue_t *queue = new_queue();
    struct watching w;
    begin(&w, PREFIX "inside", queue);
    w.hook = free_the_queue;
    put(client, PREFIX "inside", "1");
    CHECK_INT(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, NULL), ETCD3_OK);
    CHECK_INT(w.closed, 1);
    CHECK_INT(w.why, ETCD3_ERR_CANCELED);
    finished(&w);
    CHECK_CHANGES(&w, "+inside=1");
}

static void *free_it(void *arg)
{
    etcd3_queue_free((etcd3_queue_t *)arg);
    return NULL;
}

static void have_it_freed(struct watching *w, const etcd3_event_t *event)
{
    pthread_t thread;
    if (etcd3_event_type(event) == ETCD3_EVENT_WATCH) {
        CHECK_INT(pthread_create(&thread, NULL, free_it, w->queue), 0);
        pthread_join(thread, NULL);
        CHECK_INT(w->closed, 0);
    }
}

/* The other thread does not wait; the one that drains runs the last callbacks. */
static void freeing_while_another_thread_drains(void)
{
    etcd3_queue_t *queue = new_queue();
    struct watching w, other;
    begin(&w, PREFIX "drained", queue);
    begin(&other, PREFIX "other", queue);
    w.hook = have_it_freed;
    put(client, PREFIX "drained", "1");
    CHECK_INT(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, NULL), ETCD3_OK);
    CHECK_INT(w.closed, 1);
    CHECK_INT(w.why, ETCD3_ERR_CANCELED);
    CHECK_INT(other.why, ETCD3_ERR_CANCELED);
    finished(&w);
    finished(&other);
}

int main(void)
{
    client = open_client();
    RUN(an_empty_queue);
    RUN(the_descriptor_is_a_pipe);
    RUN(readable_while_events_wait);
    RUN(dispatch_runs_no_more_than_asked);
    RUN(wakeup_in_place_of_the_descriptor);
    RUN(one_drainer_at_a_time);
    RUN(a_signal_ends_the_wait);
    RUN(freeing_ends_what_reports_here);
    RUN(one_queue_for_two_clients);
    RUN(freeing_inside_a_callback);
    RUN(freeing_while_another_thread_drains);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
