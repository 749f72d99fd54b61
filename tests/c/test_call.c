/* Calls that do not block: one outcome each, where it was asked for. Their early end: test_call_end.c. */
#include "calls.h"

#define KEY(name) "test_call/" name, ETCD3_NTS

static etcd3_client_t *client;

static void dispatched_on_this_thread(void)
{
    struct calls calls;
    struct outcome one, two;
    etcd3_queue_t *queue = new_queue();
    memset(&one, 0, sizeof one);
    memset(&two, 0, sizeof two);
    calls_prepare(&calls, client, queue);
    BEGIN(&calls, &one, etcd3_op_put(KEY("a"), "1", 1));
    AWAIT_CALLS(&calls, 1);
    CHECK_INT(one.kind, ETCD3_RESULT_PUT);
    CHECK(one.revision > 0);
    CHECK(pthread_equal(calls.thread, pthread_self()));
    BEGIN(&calls, &two, etcd3_op_get(KEY("a")));
    AWAIT_CALLS(&calls, 2);
    CHECK_INT(two.kind, ETCD3_RESULT_GET);
    CHECK_INT(two.revision, one.revision);
    CHECK_STR(two.value, "1");
    SETTLE(&one, ETCD3_OK);
    SETTLE(&two, ETCD3_OK);
    calls_finish(&calls, 2);
    etcd3_queue_free(queue);
}

static void on_the_clients_own_thread(void)
{
    struct calls calls;
    struct outcome some[20];
    char key[40];
    int i;
    memset(some, 0, sizeof some);
    calls_prepare(&calls, client, NULL);
    for (i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "test_call/own/%d", i % 3);
        BEGIN(&calls, &some[i], etcd3_op_put(key, ETCD3_NTS, "v", 1));
    }
    AWAIT_CALLS(&calls, 20);
    CHECK(!pthread_equal(calls.thread, pthread_self()));
    for (i = 0; i < 20; i++) {
        CHECK_INT(some[i].kind, ETCD3_RESULT_PUT);
        SETTLE(&some[i], ETCD3_OK);
    }
    calls_finish(&calls, 20);
}

/* No function, and no handle: the event is all there is, and it keeps what it holds. */
static void taken_out_as_events(void)
{
    etcd3_queue_t *queue = new_queue();
    etcd3_client_t *own = open_client();
    etcd3_op_t *op = etcd3_op_get(KEY("taken"));
    etcd3_event_t *event = NULL, *none = NULL;
    etcd3_error_t *err = NULL;
    int mark = 0;
    put(own, "test_call/taken", "what is there");
    CHECK_OK(etcd3_execute_async(own, op, queue, NULL, &mark, NULL, &err), err);
    etcd3_op_free(op);
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK_OK(etcd3_queue_next(queue, 0, &none, &err), err);
    CHECK(none == NULL);
    close_client(own);
    etcd3_queue_free(queue);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_DONE);
    CHECK(etcd3_event_user_data(event) == &mark);
    CHECK(etcd3_event_error(event) == NULL);
    CHECK_INT(etcd3_event_revision(event), 0);
    CHECK_INT(etcd3_result_kind(etcd3_event_result(event)), ETCD3_RESULT_GET);
    CHECK_KV(etcd3_result_kv(etcd3_event_result(event), 0), "test_call/taken", "what is there");
    etcd3_event_free(event);
}

/* The outcome is an event like others: the descriptor tells, and so does the wakeup function. */
static void wake(void *user_data)
{
    struct calls *calls = (struct calls *)user_data;
    pthread_mutex_lock(&calls->lock);
    calls->ended++;
    pthread_cond_broadcast(&calls->changed);
    pthread_mutex_unlock(&calls->lock);
}

static void the_queue_wakes_up(void)
{
    struct calls woken;
    etcd3_queue_t *queue = new_queue();
    etcd3_op_t *op = etcd3_op_get(KEY("a"));
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    calls_prepare(&woken, client, NULL);
    etcd3_queue_set_wakeup(queue, wake, &woken);
    CHECK_OK(etcd3_execute_async(client, op, queue, NULL, NULL, NULL, &err), err);
    AWAIT_CALLS(&woken, 1);
    CHECK_OK(etcd3_queue_next(queue, 0, &event, &err), err);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_DONE);
    etcd3_event_free(event);
    etcd3_queue_set_wakeup(queue, NULL, NULL);
    calls_finish(&woken, 1);
    etcd3_op_free(op);
    etcd3_queue_free(queue);
}

/* Every kind of op, and the arguments are the caller's again at once. */
static void every_kind(void)
{
    struct calls calls;
    struct outcome some[4];
    etcd3_queue_t *queue = new_queue();
    etcd3_op_t *txn = etcd3_op_txn(), *inner = etcd3_op_put(KEY("kind"), "2", 1);
    char key[] = "test_call/kind", value[] = "1";
    etcd3_op_t *op = etcd3_op_put(key, ETCD3_NTS, value, 1);
    memset(some, 0, sizeof some);
    memset(key, 'x', sizeof key - 1);
    memset(value, 'x', sizeof value - 1);
    etcd3_txn_if_value(txn, KEY("kind"), ETCD3_EQUAL, "1", 1);
    etcd3_txn_then(txn, inner);
    etcd3_op_free(inner);
    calls_prepare(&calls, client, queue);
    BEGIN(&calls, &some[0], op);
    AWAIT_CALLS(&calls, 1);
    BEGIN(&calls, &some[1], txn);
    AWAIT_CALLS(&calls, 2);
    BEGIN(&calls, &some[2], etcd3_op_get(KEY("kind")));
    AWAIT_CALLS(&calls, 3);
    BEGIN(&calls, &some[3], etcd3_op_delete(KEY("kind")));
    AWAIT_CALLS(&calls, 4);
    CHECK_INT(some[1].kind, ETCD3_RESULT_TXN);
    CHECK_STR(some[2].value, "2");
    CHECK_INT(some[3].kind, ETCD3_RESULT_DELETE);
    SETTLE(&some[0], ETCD3_OK);
    SETTLE(&some[1], ETCD3_OK);
    SETTLE(&some[2], ETCD3_OK);
    SETTLE(&some[3], ETCD3_OK);
    calls_finish(&calls, 4);
    etcd3_queue_free(queue);
}

static void an_error_of_the_server(void)
{
    struct calls calls;
    struct outcome one, two;
    etcd3_queue_t *queue = new_queue();
    etcd3_op_t *op = etcd3_op_put(KEY("lease"), "v", 1), *future = etcd3_op_get(KEY("lease"));
    memset(&one, 0, sizeof one);
    memset(&two, 0, sizeof two);
    etcd3_op_set_lease(op, 12345);
    etcd3_op_set_revision(future, revision_now(client) + 1000000);
    calls_prepare(&calls, client, queue);
    BEGIN(&calls, &one, op);
    BEGIN(&calls, &two, future);
    AWAIT_CALLS(&calls, 2);
    SETTLE(&one, ETCD3_ERR_LEASE_NOT_FOUND);
    SETTLE(&two, ETCD3_ERR_FUTURE_REVISION);
    CHECK_INT(one.kind, 0);
    CHECK(one.message[0] != '\0');
    calls_finish(&calls, 2);
    etcd3_queue_free(queue);
}

/* The same op many times, all under way at once; each has its own outcome. */
static void many_in_flight(etcd3_queue_t *queue)
{
    enum { MANY = 256 };
    struct calls calls;
    struct outcome *all = (struct outcome *)calloc(MANY, sizeof *all);
    etcd3_result_t *r;
    char key[40], value[40];
    int i;
    calls_prepare(&calls, client, queue);
    for (i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "test_call/many/%03d", i);
        snprintf(value, sizeof value, "%d", i);
        BEGIN(&calls, &all[i], etcd3_op_put(key, ETCD3_NTS, value, ETCD3_NTS));
    }
    AWAIT_CALLS(&calls, MANY);
    for (i = 0; i < MANY; i++) {
        CHECK_INT(all[i].kind, ETCD3_RESULT_PUT);
        SETTLE(&all[i], ETCD3_OK);
    }
    calls.ended = 0;
    for (i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "test_call/many/%03d", i);
        BEGIN(&calls, &all[i], etcd3_op_get(key, ETCD3_NTS));
    }
    AWAIT_CALLS(&calls, MANY);
    for (i = 0; i < MANY; i++) {
        snprintf(value, sizeof value, "%d", i);
        CHECK_STR(all[i].value, value);
        SETTLE(&all[i], ETCD3_OK);
    }
    calls_finish(&calls, MANY);
    r = EXECUTE(client, etcd3_op_get(KEY("many/128")));
    CHECK_KV(etcd3_result_kv(r, 0), "test_call/many/128", "128");
    etcd3_result_free(r);
    free(all);
}

static void many_in_flight_to_a_queue(void)
{
    etcd3_queue_t *queue = new_queue();
    many_in_flight(queue);
    etcd3_queue_free(queue);
}

static void many_in_flight_to_the_own_thread(void) { many_in_flight(NULL); }

struct beginner {
    struct calls *calls;
    struct outcome some[32];
};

static void *begin_some(void *arg)
{
    struct beginner *beginner = (struct beginner *)arg;
    int i;
    for (i = 0; i < 32; i++)
        BEGIN(beginner->calls, &beginner->some[i], etcd3_op_put(KEY("threads"), "v", 1));
    return NULL;
}

static void begun_on_many_threads(void)
{
    enum { THREADS = 6 };
    struct calls calls;
    struct beginner *all = (struct beginner *)calloc(THREADS, sizeof *all);
    pthread_t threads[THREADS];
    etcd3_queue_t *queue = new_queue();
    int i, j;
    calls_prepare(&calls, client, queue);
    for (i = 0; i < THREADS; i++) {
        all[i].calls = &calls;
        CHECK_INT(pthread_create(&threads[i], NULL, begin_some, &all[i]), 0);
    }
    AWAIT_CALLS(&calls, THREADS * 32);
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        for (j = 0; j < 32; j++)
            SETTLE(&all[i].some[j], ETCD3_OK);
    }
    calls_finish(&calls, THREADS * 32);
    etcd3_queue_free(queue);
    free(all);
}

/* In a callback: calls that block, and the next one that does not, three times over. */
static struct outcome links[4];

static void go_on(struct outcome *o, const etcd3_event_t *event)
{
    struct calls *calls = o->calls;
    struct outcome *next = o + 1;
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    size_t ran = 0;
    put(calls->client, "test_call/chain", "blocking");
    CHECK_OK(etcd3_get(calls->client, KEY("chain"), &r, &err), err);
    CHECK_KV(etcd3_result_kv(r, 0), "test_call/chain", "blocking");
    etcd3_result_free(r);
    if (calls->queue)
        CHECK_CODE(etcd3_queue_dispatch(calls->queue, 0, 0, &ran, &err), err, ETCD3_ERR_BUSY, "queue");
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_DONE);
    CHECK_INT(etcd3_result_kind(etcd3_event_result(event)), ETCD3_RESULT_PUT);
    if (next < links + 4) {
        next->hook = go_on;
        BEGIN(calls, next, etcd3_op_put(KEY("chain"), "async", 5));
    }
}

static void calls_in_a_callback_of(etcd3_queue_t *queue)
{
    struct calls calls;
    int i;
    memset(links, 0, sizeof links);
    calls_prepare(&calls, client, queue);
    links[0].hook = go_on;
    BEGIN(&calls, &links[0], etcd3_op_put(KEY("chain"), "async", 5));
    AWAIT_CALLS(&calls, 4);
    for (i = 0; i < 4; i++)
        SETTLE(&links[i], ETCD3_OK);
    calls_finish(&calls, 4);
}

static void calls_in_a_callback(void)
{
    etcd3_queue_t *queue = new_queue();
    calls_in_a_callback_of(NULL);
    calls_in_a_callback_of(queue);
    etcd3_queue_free(queue);
}

/* The handle ends with it, the call does not; before its outcome, or after. */
static void freeing_is_not_cancelling(void)
{
    enum { TIMES = 50 };
    struct calls calls;
    struct outcome some[TIMES];
    etcd3_queue_t *queue = new_queue();
    etcd3_result_t *r;
    int64_t before = 0;
    int i;
    memset(some, 0, sizeof some);
    put(client, "test_call/freed", "v");
    r = EXECUTE(client, etcd3_op_get(KEY("freed")));
    before = kv_at(r, 0)->version;
    etcd3_result_free(r);
    calls_prepare(&calls, client, queue);
    for (i = 0; i < TIMES; i++) {
        BEGIN(&calls, &some[i], etcd3_op_put(KEY("freed"), "w", 1));
        etcd3_call_free(some[i].call);
        some[i].call = NULL;
    }
    AWAIT_CALLS(&calls, TIMES);
    for (i = 0; i < TIMES; i++)
        SETTLE(&some[i], ETCD3_OK);
    calls_finish(&calls, TIMES);
    r = EXECUTE(client, etcd3_op_get(KEY("freed")));
    CHECK_INT(kv_at(r, 0)->version, before + TIMES);
    etcd3_result_free(r);
    etcd3_queue_free(queue);
}

/* What came is what happened: the end of a call that is over changes nothing. */
static void cancelling_after_the_end(void)
{
    struct calls calls;
    struct outcome one;
    etcd3_queue_t *queue = new_queue();
    memset(&one, 0, sizeof one);
    calls_prepare(&calls, client, queue);
    BEGIN(&calls, &one, etcd3_op_put(KEY("late"), "v", 1));
    AWAIT_CALLS(&calls, 1);
    etcd3_call_cancel(one.call);
    etcd3_call_cancel(one.call);
    SETTLE(&one, ETCD3_OK);
    calls_finish(&calls, 1);
    etcd3_queue_free(queue);
}

int main(void)
{
    client = open_client();
    RUN(dispatched_on_this_thread);
    RUN(on_the_clients_own_thread);
    RUN(taken_out_as_events);
    RUN(the_queue_wakes_up);
    RUN(every_kind);
    RUN(an_error_of_the_server);
    RUN(many_in_flight_to_a_queue);
    RUN(many_in_flight_to_the_own_thread);
    RUN(begun_on_many_threads);
    RUN(calls_in_a_callback);
    RUN(freeing_is_not_cancelling);
    RUN(cancelling_after_the_end);
    close_client(client);
    return CHECK_DONE();
}
