/* Clients: opening, closing, freeing, many threads, and what is left behind (nothing). */
#include "check.h"
#include <dirent.h>
#include <unistd.h>

#define PREFIX "test_client/"

static int entries(const char *directory)
{
    DIR *dir = opendir(directory);
    int n = 0;
    if (!dir)
        return -1;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static int threads(void) { return entries("/proc/self/task"); }
static int descriptors(void) { return entries("/proc/self/fd"); }

/* A thread that ended may be listed for another moment. */
static int settles(int (*count)(void), int wanted)
{
    int64_t limit = now_ms() + PATIENCE_MS;
    while (count() >= 0 && count() != wanted && now_ms() < limit)
        sched_yield();
    return count();
}

static void open_does_not_connect(void)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_add_endpoint(config, "127.0.0.1:1");
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    CHECK(client != NULL);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    etcd3_client_free(client);
    etcd3_config_free(config);
}

static void closed_is_closed(void)
{
    etcd3_client_t *client = open_client();
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_watch_t *watch = NULL;
    etcd3_queue_t *queue = NULL;
    etcd3_op_t *op = etcd3_op_get(PREFIX "k", ETCD3_NTS);
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(PREFIX "k", ETCD3_NTS);
    int done = 0;
    int64_t n = 0;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    put(client, PREFIX "k", "v");
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    CHECK_OK(etcd3_client_close(client, 0, &err), err);
    CHECK_CODE(etcd3_get(client, "k", 1, &r, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_get_prefix(client, "k", 1, &r, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_get_all(client, &r, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_put(client, "k", 1, "v", 1, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_put_if_absent(client, "k", 1, "v", 1, &done, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_replace(client, "k", 1, "v", 1, "w", 1, &done, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_delete(client, "k", 1, &n, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_delete_prefix(client, "k", 1, &n, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_execute(client, op, &r, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK(watch == NULL);
    etcd3_op_free(op);
    etcd3_watch_opts_free(opts);
    etcd3_queue_free(queue);
    etcd3_client_free(client);
    etcd3_client_free(NULL);
}

struct last {
    int changes, closed;
    etcd3_code_t why;
};

static void count(const etcd3_event_t *event, void *user_data)
{
    struct last *last = (struct last *)user_data;
    if (etcd3_event_type(event) == ETCD3_EVENT_WATCH)
        last->changes++;
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
        last->closed++;
        last->why = etcd3_error_code(etcd3_event_error(event));
    }
}

/* close() waits for the callback thread, so what it wrote can be read afterwards. */
static void close_ends_watches(void)
{
    etcd3_client_t *client = open_client();
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(PREFIX "w", ETCD3_NTS);
    etcd3_error_t *err = NULL;
    etcd3_queue_t *queue = NULL;
    etcd3_watch_t *a = NULL, *b = NULL;
    struct last on_thread = {0, 0, -1}, on_queue = {0, 0, -1};
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_watch_start(client, opts, NULL, count, &on_thread, &a, &err), err);
    CHECK_OK(etcd3_watch_start(client, opts, queue, count, &on_queue, &b, &err), err);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    CHECK_INT(on_thread.closed, 1);
    CHECK_INT(on_thread.why, ETCD3_ERR_CLOSED);
    CHECK_INT(on_queue.closed, 0);
    while (!on_queue.closed)
        if (!CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err))
            break;
    CHECK_INT(on_queue.closed, 1);
    CHECK_INT(on_queue.why, ETCD3_ERR_CLOSED);
    etcd3_watch_cancel(a);
    etcd3_watch_free(a);
    etcd3_watch_free(b);
    etcd3_client_free(client);
    etcd3_queue_free(queue);
    etcd3_watch_opts_free(opts);
    CHECK_INT(on_thread.closed, 1);
    CHECK_INT(on_queue.closed, 1);
}

static void *use_a_client_of_its_own(void *arg)
{
    int i;
    (void)arg;
    for (i = 0; i < 5; i++) {
        etcd3_client_t *client = open_client();
        put(client, PREFIX "own", "v");
        etcd3_client_free(client);
    }
    return NULL;
}

static void clients_come_and_go_in_many_threads(void)
{
    pthread_t all[6];
    int i;
    for (i = 0; i < 6; i++)
        CHECK_INT(pthread_create(&all[i], NULL, use_a_client_of_its_own, NULL), 0);
    for (i = 0; i < 6; i++)
        pthread_join(all[i], NULL);
}

struct closing {
    etcd3_client_t *client;
    pthread_barrier_t *ready;
    int done, maybe;
};

/* Puts until the client is closed under it; any other outcome is wrong. */
static void *work_until_closed(void *arg)
{
    struct closing *closing = (struct closing *)arg;
    etcd3_error_t *err = NULL;
    etcd3_code_t code = etcd3_put(closing->client, PREFIX "busy", ETCD3_NTS, "v", 1, &err);
    pthread_barrier_wait(closing->ready);
    while (code == ETCD3_OK) {
        closing->done++;
        code = etcd3_put(closing->client, PREFIX "busy", ETCD3_NTS, "v", 1, &err);
    }
    CHECK(code == ETCD3_ERR_CLOSED || code == ETCD3_ERR_AMBIGUOUS);
    CHECK(code == ETCD3_ERR_CLOSED || etcd3_error_maybe_applied(err));
    closing->maybe = etcd3_error_maybe_applied(err);
    etcd3_error_free(err);
    return NULL;
}

/* The calls under way end at once, and no put that was applied says that it was not. */
static void close_while_others_work(void)
{
    enum { N = 4 };
    etcd3_client_t *client = open_client(), *other = open_client();
    pthread_t all[N];
    pthread_barrier_t ready;
    struct closing closing[N];
    etcd3_error_t *err = NULL;
    etcd3_result_t *r;
    int i, done = 0, maybe = 0;
    pthread_barrier_init(&ready, NULL, N + 1);
    for (i = 0; i < N; i++) {
        closing[i].client = client;
        closing[i].ready = &ready;
        closing[i].done = closing[i].maybe = 0;
        CHECK_INT(pthread_create(&all[i], NULL, work_until_closed, &closing[i]), 0);
    }
    pthread_barrier_wait(&ready);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    for (i = 0; i < N; i++) {
        pthread_join(all[i], NULL);
        done += closing[i].done;
        maybe += closing[i].maybe;
    }
    etcd3_client_free(client);
    pthread_barrier_destroy(&ready);
    r = EXECUTE(other, etcd3_op_get(PREFIX "busy", ETCD3_NTS));
    CHECK(kv_at(r, 0)->version >= done);
    CHECK(kv_at(r, 0)->version <= done + maybe);
    etcd3_result_free(r);
    etcd3_client_free(other);
}

/* Its threads carry the library's name and leave every signal to the program's own. */
static void threads_are_named_and_take_no_signals(void)
{
    int others = settles(threads, 3), own = 0, named = 0, blocking = 0;
    etcd3_client_t *client = open_client();
    DIR *dir;
    struct dirent *entry;
    put(client, PREFIX "k", "v");
    dir = opendir("/proc/self/task");
    while (dir && (entry = readdir(dir)) != NULL) {
        char path[300], line[200];
        FILE *file;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        file = fopen(path, "r");
        if (!file)
            continue;
        if (atol(entry->d_name) == (long)getpid())
            own++;
        else
            while (fgets(line, sizeof line, file)) {
                named += strncmp(line, "Name:\tetcd3-", 12) == 0;
                /* SIGINT, SIGTERM and SIGPIPE among them */
                if (strncmp(line, "SigBlk:\t", 8) == 0)
                    blocking += (strtoull(line + 8, NULL, 16) & 0x5002) == 0x5002;
            }
        fclose(file);
    }
    if (dir) {
        closedir(dir);
        CHECK_INT(own, 1);
        CHECK(named > 0);
        CHECK_INT(others, 3); /* ".", ".." and the program's own */
        CHECK_INT(named, threads() - others);
        CHECK_INT(blocking, named);
    }
    etcd3_client_free(client);
}

static void nothing_is_left(int threads_before, int descriptors_before)
{
    int i;
    for (i = 0; i < 10; i++) {
        etcd3_client_t *client = open_client();
        put(client, PREFIX "k", "v");
        if (i % 2) {
            etcd3_error_t *err = NULL;
            CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
        }
        etcd3_client_free(client);
    }
    CHECK_INT(settles(threads, threads_before), threads_before);
    CHECK_INT(settles(descriptors, descriptors_before), descriptors_before);
}

int main(void)
{
    int threads_before = threads(), descriptors_before = descriptors();
    RUN(open_does_not_connect);
    RUN(closed_is_closed);
    RUN(close_ends_watches);
    RUN(clients_come_and_go_in_many_threads);
    RUN(close_while_others_work);
    RUN(threads_are_named_and_take_no_signals);
    check_section = "nothing_is_left";
    nothing_is_left(threads_before, descriptors_before);
    return CHECK_DONE();
}
