/* Barriers and queues of work. */
#include "locking.h"

#define NAME "test_recipes/"

static etcd3_client_t *client;
static etcd3_error_t *err;

/* A call on a thread of its own, and whether it has returned. */
struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    int done;
    etcd3_code_t code;
    etcd3_code_t (*work)(struct worker *);
    etcd3_double_barrier_t *barrier;
    char value[50];
};

static void *run_worker(void *data)
{
    struct worker *w = (struct worker *)data;
    etcd3_code_t code = w->work(w);
    pthread_mutex_lock(&w->lock);
    w->done = 1;
    w->code = code;
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void begin(struct worker *w, etcd3_code_t (*work)(struct worker *))
{
    w->done = 0;
    w->code = -1;
    w->work = work;
    pthread_mutex_init(&w->lock, NULL);
    CHECK_INT(pthread_create(&w->thread, NULL, run_worker, w), 0);
}

static int is_done(struct worker *w)
{
    int done;
    pthread_mutex_lock(&w->lock);
    done = w->done;
    pthread_mutex_unlock(&w->lock);
    return done;
}

static etcd3_code_t end(struct worker *w)
{
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    return w->code;
}

static etcd3_code_t wait_at_barrier(struct worker *w)
{
    (void)w;
    return etcd3_barrier_wait(client, NAME "barrier", ETCD3_NTS, PATIENCE_MS, NULL);
}

static void barriers(void)
{
    struct worker w[3];
    int64_t before;
    int i;
    CHECK_OK(etcd3_barrier_wait(client, NAME "barrier", ETCD3_NTS, 1000, &err), err);
    CHECK_OK(etcd3_barrier_hold(client, NAME "barrier", ETCD3_NTS, &err), err);
    CHECK_INT(count_keys(client, NAME "barrier"), 1);
    CHECK_CODE(etcd3_barrier_hold(client, NAME "barrier", ETCD3_NTS, &err), err, ETCD3_ERR_LOCKED, "barrier");
    before = now_ms();
    CHECK_CODE(etcd3_barrier_wait(client, NAME "barrier", ETCD3_NTS, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "");
    CHECK(now_ms() - before <= SHORT_MS + SOON_MS);
    for (i = 0; i < 3; i++)
        begin(&w[i], wait_at_barrier);
    for (i = 0; i < 3; i++)
        CHECK_INT(is_done(&w[i]), 0);
    CHECK_OK(etcd3_barrier_release(client, NAME "barrier", ETCD3_NTS, &err), err);
    for (i = 0; i < 3; i++)
        CHECK_INT(end(&w[i]), ETCD3_OK);
    CHECK_OK(etcd3_barrier_release(client, NAME "barrier", ETCD3_NTS, &err), err);
}

static etcd3_code_t enter(struct worker *w) { return etcd3_double_barrier_enter(w->barrier, PATIENCE_MS, NULL); }

static etcd3_code_t leave(struct worker *w) { return etcd3_double_barrier_leave(w->barrier, PATIENCE_MS, NULL); }

static void double_barriers(void)
{
    enum { COUNT = 3 };
    etcd3_session_t *sessions[COUNT + 1];
    struct worker w[COUNT + 1];
    int i, round;
    for (i = 0; i <= COUNT; i++) {
        sessions[i] = open_session(client, 60);
        memset(&w[i], 0, sizeof w[i]);
        CHECK_OK(etcd3_double_barrier_new(sessions[i], NAME "double", ETCD3_NTS, COUNT, &w[i].barrier, &err), err);
    }
    CHECK_CODE(etcd3_double_barrier_leave(w[0].barrier, 1000, &err), err, ETCD3_ERR_NOT_HELD, "barrier");
    CHECK_CODE(etcd3_double_barrier_enter(w[0].barrier, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "");
    AWAIT_KEYS(client, NAME "double/waiters/", 0);
    for (round = 0; round < 2; round++) {
        for (i = 0; i < COUNT - 1; i++) {
            begin(&w[i], enter);
            AWAIT_KEYS(client, NAME "double/waiters/", i + 1);
        }
        for (i = 0; i < COUNT - 1; i++)
            CHECK_INT(is_done(&w[i]), 0);
        begin(&w[COUNT - 1], enter);
        for (i = 0; i < COUNT; i++)
            CHECK_INT(end(&w[i]), ETCD3_OK);
        CHECK_CODE(etcd3_double_barrier_enter(w[0].barrier, 1000, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "barrier");
        CHECK_CODE(etcd3_double_barrier_enter(w[COUNT].barrier, 1000, &err), err, ETCD3_ERR_CONFLICT, "3 members");
        CHECK_INT(count_keys(client, NAME "double/waiters/"), COUNT);
        for (i = 0; i < COUNT - 1; i++)
            begin(&w[i], leave);
        /* All but the first of them have gone, and wait for the last. */
        AWAIT_KEYS(client, NAME "double/waiters/", 2);
        for (i = 0; i < COUNT - 1; i++)
            CHECK_INT(is_done(&w[i]), 0);
        begin(&w[COUNT - 1], leave);
        for (i = 0; i < COUNT; i++)
            CHECK_INT(end(&w[i]), ETCD3_OK);
        CHECK_INT(count_keys(client, NAME "double"), 0);
    }
    for (i = 0; i <= COUNT; i++) {
        etcd3_double_barrier_free(w[i].barrier);
        close_session(sessions[i]);
    }
}

static void taken(etcd3_code_t (*dequeue)(const etcd3_client_t *, const void *, size_t, int64_t, etcd3_result_t **,
                                          etcd3_error_t **),
                  const char *name, const char *wanted)
{
    etcd3_result_t *r = NULL;
    CHECK_OK(dequeue(client, name, ETCD3_NTS, PATIENCE_MS, &r, &err), err);
    CHECK(bytes_are(kv_at(r, 0)->value, kv_at(r, 0)->value_len, wanted, strlen(wanted)));
    CHECK(kv_at(r, 0)->mod_revision > 0);
    etcd3_result_free(r);
}

static etcd3_code_t take(struct worker *w)
{
    etcd3_result_t *r = NULL;
    etcd3_code_t code = etcd3_fifo_dequeue(client, NAME "fifo", ETCD3_NTS, PATIENCE_MS, &r, NULL);
    snprintf(w->value, sizeof w->value, "%.*s", (int)kv_at(r, 0)->value_len,
             kv_at(r, 0)->value_len ? (const char *)kv_at(r, 0)->value : "");
    etcd3_result_free(r);
    return code;
}

static void first_in_first_out(void)
{
    enum { MANY = 8 };
    struct worker w[MANY];
    etcd3_result_t *r = NULL;
    char value[20];
    int i, seen[MANY] = {0};
    CHECK_CODE(etcd3_fifo_dequeue(client, NAME "fifo", ETCD3_NTS, SHORT_MS, &r, &err), err, ETCD3_ERR_TIMEOUT, "");
    CHECK(r == NULL);
    CHECK_OK(etcd3_fifo_enqueue(client, NAME "fifo", ETCD3_NTS, "one", 3, &err), err);
    CHECK_OK(etcd3_fifo_enqueue(client, NAME "fifo", ETCD3_NTS, "two", 3, &err), err);
    CHECK_OK(etcd3_fifo_enqueue(client, NAME "fifo", ETCD3_NTS, "", 0, &err), err);
    CHECK_INT(count_keys(client, NAME "fifo/"), 3);
    taken(etcd3_fifo_dequeue, NAME "fifo", "one");
    taken(etcd3_fifo_dequeue, NAME "fifo", "two");
    taken(etcd3_fifo_dequeue, NAME "fifo", "");
    CHECK_INT(count_keys(client, NAME "fifo/"), 0);
    /* Several who wait: each item is one's alone. */
    for (i = 0; i < MANY; i++)
        begin(&w[i], take);
    for (i = 0; i < MANY; i++) {
        snprintf(value, sizeof value, "%d", i);
        CHECK_OK(etcd3_fifo_enqueue(client, NAME "fifo", ETCD3_NTS, value, ETCD3_NTS, &err), err);
    }
    for (i = 0; i < MANY; i++) {
        CHECK_INT(end(&w[i]), ETCD3_OK);
        if (CHECK(w[i].value[0] >= '0' && w[i].value[0] < '0' + MANY))
            seen[w[i].value[0] - '0']++;
    }
    for (i = 0; i < MANY; i++)
        CHECK_INT(seen[i], 1);
}

static void lowest_number_first(void)
{
    static const struct {
        int32_t priority;
        const char *value;
    } items[] = {{5, "c"}, {70, "e"}, {5, "d"}, {0, "a"}, {65535, "f"}, {1, "b"}};
    etcd3_result_t *r;
    size_t i;
    for (i = 0; i < 6; i++)
        CHECK_OK(etcd3_pqueue_enqueue(client, NAME "pq", ETCD3_NTS, items[i].priority, items[i].value, 1, &err), err);
    /* As clientv3 writes them. */
    r = EXECUTE(client, etcd3_op_get(NAME "pq/00005/0000000000000001", ETCD3_NTS));
    CHECK_KV(etcd3_result_kv(r, 0), NAME "pq/00005/0000000000000001", "d");
    etcd3_result_free(r);
    taken(etcd3_pqueue_dequeue, NAME "pq", "a");
    taken(etcd3_pqueue_dequeue, NAME "pq", "b");
    taken(etcd3_pqueue_dequeue, NAME "pq", "c");
    CHECK_OK(etcd3_pqueue_enqueue(client, NAME "pq", ETCD3_NTS, 2, "now", 3, &err), err);
    taken(etcd3_pqueue_dequeue, NAME "pq", "now");
    taken(etcd3_pqueue_dequeue, NAME "pq", "d");
    taken(etcd3_pqueue_dequeue, NAME "pq", "e");
    taken(etcd3_pqueue_dequeue, NAME "pq", "f");
    CHECK_INT(count_keys(client, NAME "pq/"), 0);
    put(client, NAME "odd/00001/nine", "");
    CHECK_CODE(etcd3_pqueue_enqueue(client, NAME "odd", ETCD3_NTS, 1, "x", 1, &err), err, ETCD3_ERR_INVALID_ARGUMENT,
               "00001/nine");
}

int main(void)
{
    client = open_client();
    RUN(barriers);
    RUN(double_barriers);
    RUN(first_in_first_out);
    RUN(lowest_number_first);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
