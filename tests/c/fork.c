/* A forked child: the parent's handles say so, freeing them does nothing, a client of its own works. */
#include "child.h"
#include "watching.h"

#define PREFIX "fork/"
#define CHILD_S (PATIENCE_MS / 1000)

static etcd3_client_t *client;
static etcd3_queue_t *queue;
static etcd3_op_t *op;
static etcd3_result_t *result;
static etcd3_watch_opts_t *opts;
static etcd3_call_t *call;

static void a_client_of_its_own(void)
{
    etcd3_client_t *own = open_client();
    etcd3_error_t *err = NULL;
    etcd3_result_t *r;
    put(own, PREFIX "child", "1");
    r = EXECUTE(own, etcd3_op_get(PREFIX "child", ETCD3_NTS));
    CHECK_KV(etcd3_result_kv(r, 0), PREFIX "child", "1");
    etcd3_result_free(r);
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    etcd3_client_free(own);
}

static struct watching on_thread, on_queue;

static void calls_on_what_is_the_parents(void)
{
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_event_t *event = NULL;
    etcd3_watch_t *watch = NULL;
    etcd3_call_t *another = NULL;
    etcd3_members_t *members = NULL;
    etcd3_status_t *status = NULL;
    etcd3_range_t *range = NULL;
    etcd3_client_t *own;
    const char *list[] = {"127.0.0.1:1"};
    int done = 0;
    int64_t n = 0;
    size_t ran = 0;
    CHECK_CODE(etcd3_get(client, "k", 1, &r, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_get_prefix(client, "k", 1, &r, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_get_all(client, &r, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_put(client, "k", 1, "v", 1, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_put_if_absent(client, "k", 1, "v", 1, &done, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_replace(client, "k", 1, "v", 1, "w", 1, &done, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_delete(client, "k", 1, &n, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_delete_prefix(client, "k", 1, &n, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_execute(client, op, &r, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_watch_start(client, opts, NULL, on_event, NULL, &watch, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_client_close(client, 1000, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_execute_async(client, op, NULL, on_event, NULL, &another, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_put_if_revision(client, "k", 1, 1, "v", 1, &done, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_client_wait_connected(client, 1000, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_client_set_endpoints(client, list, 1, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_client_sync(client, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_client_set_credentials(client, "u", "p", &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_client_set_token(client, "token", &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_client_reload_tls(client, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_member_list(client, 1, &members, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_status(client, NULL, &status, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_defragment_all(client, 0, NULL, on_event, NULL, &another, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_snapshot_to_fd(client, NULL, 2, -1, NULL, &n, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_snapshot_async(client, NULL, NULL, on_event, NULL, &another, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_user_add(client, "u", "p", &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_CODE(etcd3_range_open(client, op, 0, &range, &err), err, ETCD3_ERR_FORKED, "client");
    CHECK_INT(etcd3_client_counter(client, "calls"), -1);
    CHECK_CODE(etcd3_queue_dispatch(queue, 0, -1, &ran, &err), err, ETCD3_ERR_FORKED, "queue");
    CHECK_CODE(etcd3_queue_next(queue, -1, &event, &err), err, ETCD3_ERR_FORKED, "queue");
    CHECK_INT(etcd3_queue_fd(queue), -1);
    CHECK_INT(etcd3_queue_dup_fd(queue), -1);
    etcd3_queue_set_wakeup(queue, NULL, NULL);
    CHECK_CODE(etcd3_watch_join(on_thread.watch, 1000, &err), err, ETCD3_ERR_FORKED, "watch");
    CHECK_CODE(etcd3_watch_join(on_queue.watch, 1000, &err), err, ETCD3_ERR_FORKED, "watch");
    etcd3_watch_cancel(on_thread.watch);
    etcd3_watch_cancel(on_queue.watch);
    etcd3_call_cancel(call);
    CHECK(r == NULL && event == NULL && watch == NULL && another == NULL);
    CHECK(members == NULL && status == NULL && range == NULL);

    own = open_client();
    CHECK_CODE(etcd3_execute_async(own, op, queue, NULL, NULL, &another, &err), err, ETCD3_ERR_FORKED, "queue");
    CHECK_CODE(etcd3_watch_start(own, opts, queue, on_event, NULL, &watch, &err), err, ETCD3_ERR_FORKED, "queue");
    etcd3_client_free(own);

    etcd3_watch_free(on_thread.watch);
    etcd3_watch_free(on_queue.watch);
    etcd3_call_free(call);
    etcd3_queue_free(queue);
    etcd3_client_free(client);
    CHECK_INT(on_thread.closed, 0);
    CHECK_INT(on_queue.closed, 0);
}

/* Builders and results are plain memory: the child has its copy. */
static void what_is_only_memory(void)
{
    etcd3_client_t *own = open_client();
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    CHECK_KV(etcd3_result_kv(result, 0), PREFIX "k", "v");
    CHECK_OK(etcd3_execute(own, op, &r, &err), err);
    CHECK_KV(etcd3_result_kv(r, 0), PREFIX "k", "v");
    etcd3_result_free(r);
    etcd3_result_free(result);
    etcd3_op_free(op);
    etcd3_watch_opts_free(opts);
    etcd3_client_free(own);
}

static void a_watch_of_its_own(void)
{
    etcd3_client_t *own = open_client();
    struct watching w;
    prepare(&w, own, PREFIX);
    start(&w, etcd3_watch_opts_new(PREFIX "own", ETCD3_NTS), NULL);
    put(own, PREFIX "own", "1");
    AWAIT(&w, changes, 1);
    stop(&w);
    CHECK_CHANGES(&w, "+own=1");
    etcd3_client_free(own);
}

static void a_child_of_a_child(void)
{
    a_client_of_its_own();
    in_a_child(calls_on_what_is_the_parents, CHILD_S);
    in_a_child(a_client_of_its_own, CHILD_S);
}

static void exit_as_usual(void)
{
    exit(check_failed ? 1 : 0);
}

static void the_parent_goes_on(void)
{
    etcd3_error_t *err = NULL;
    put(client, PREFIX "w", "after");
    AWAIT(&on_thread, changes, 2);
    while (on_queue.changes < 2)
        if (!CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err))
            break;
    stop(&on_thread);
    etcd3_watch_cancel(on_queue.watch);
    while (!on_queue.closed)
        if (!CHECK_OK(etcd3_queue_dispatch(queue, 0, PATIENCE_MS, NULL, &err), err))
            break;
    finished(&on_queue);
    CHECK_CHANGES(&on_thread, "+w=before =w=after");
    CHECK_CHANGES(&on_queue, "+w=before =w=after");
}

static void ignore(const etcd3_event_t *event, void *user_data)
{
    (void)event;
    (void)user_data;
}

static void prepare_the_parent(void)
{
    etcd3_error_t *err = NULL;
    client = open_client();
    put(client, PREFIX "k", "v");
    op = etcd3_op_get(PREFIX "k", ETCD3_NTS);
    opts = etcd3_watch_opts_new(PREFIX "w", ETCD3_NTS);
    CHECK_OK(etcd3_execute(client, op, &result, &err), err);
    CHECK_OK(etcd3_execute_async(client, op, NULL, ignore, NULL, &call, &err), err);
    queue = new_queue();
    prepare(&on_thread, client, PREFIX);
    start(&on_thread, etcd3_watch_opts_new(PREFIX "w", ETCD3_NTS), NULL);
    prepare(&on_queue, client, PREFIX);
    start(&on_queue, etcd3_watch_opts_new(PREFIX "w", ETCD3_NTS), queue);
    put(client, PREFIX "w", "before");
    AWAIT(&on_thread, changes, 1);
}

struct busy {
    pthread_mutex_t lock;
    int end, done;
};

static void *put_all_the_time(void *arg)
{
    struct busy *busy = (struct busy *)arg;
    int end = 0;
    while (!end) {
        put(client, PREFIX "busy", "v");
        pthread_mutex_lock(&busy->lock);
        busy->done++;
        end = busy->end;
        pthread_mutex_unlock(&busy->lock);
    }
    return NULL;
}

/* Whatever locks the parent's threads hold at the moment of the fork. */
static void forks_in_the_middle_of_calls(void)
{
    struct busy busy = {PTHREAD_MUTEX_INITIALIZER, 0, 0};
    pthread_t threads[3];
    int times = (int)env_number("ETCD3_TEST_EVENTS", 15), i;
    for (i = 0; i < 3; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, put_all_the_time, &busy), 0);
    for (i = 0; i < times && i < 15; i++)
        in_a_child(a_client_of_its_own, CHILD_S);
    pthread_mutex_lock(&busy.lock);
    busy.end = 1;
    pthread_mutex_unlock(&busy.lock);
    for (i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK(busy.done >= 3);
}

/* As a server does that forks first and connects later. */
static void before_the_first_client(void)
{
    in_a_child(a_client_of_its_own, CHILD_S);
}

int main(void)
{
    etcd3_error_t *err = NULL;
    RUN(before_the_first_client);
    RUN(prepare_the_parent);
    check_section = "children";
    in_a_child(calls_on_what_is_the_parents, CHILD_S);
    in_a_child(what_is_only_memory, CHILD_S);
    in_a_child(a_client_of_its_own, CHILD_S);
    in_a_child(a_watch_of_its_own, CHILD_S);
    in_a_child(a_child_of_a_child, CHILD_S);
    if (!env_number("ETCD3_TEST_VALGRIND", 0))
        in_a_child(exit_as_usual, CHILD_S);
    RUN(forks_in_the_middle_of_calls);
    RUN(the_parent_goes_on);
    etcd3_result_free(result);
    etcd3_op_free(op);
    etcd3_watch_opts_free(opts);
    etcd3_call_free(call);
    etcd3_queue_free(queue);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    etcd3_client_free(client);
    return CHECK_DONE();
}
