/* How handles of namespaces end: each with all that was made with it, with those it was made from, and in any order. */
#include "holding.h"
#include "spaces.h"
#include "watching.h"

#define NTS ETCD3_NTS
#define PREFIX "test_namespace_end/"
/* What has to happen within 100 ms, on a machine that does other things too. */
#define SOON_MS (100 + SLACK_MS)

static void open_both(void)
{
    plain = open_client();
    inside = namespace_of(plain, PREFIX, NTS);
}

static void begin_watch(struct watching *w, etcd3_client_t *client, etcd3_queue_t *queue)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(client == plain ? PREFIX "k" : "k", NTS);
    etcd3_watch_opts_set_prefix(opts);
    prepare(w, client, NULL);
    start(w, opts, queue);
}

static void close_handle(etcd3_client_t *client)
{
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
}

static void check_closed(etcd3_client_t *client)
{
    etcd3_client_t *none = NULL;
    etcd3_result_t *r = NULL;
    etcd3_session_t *session = NULL;
    etcd3_event_t *event = NULL;
    CHECK_CODE(etcd3_put(client, "k", 1, "v", 1, &err), err, ETCD3_ERR_CLOSED, "");
    CHECK_CODE(etcd3_get(client, "k", 1, &r, &err), err, ETCD3_ERR_CLOSED, "");
    CHECK_CODE(etcd3_watch_once(client, "k", 1, 1000, &event, &err), err, ETCD3_ERR_CLOSED, "");
    CHECK_CODE(etcd3_session_open(client, 60, 0, NULL, NULL, NULL, &session, &err), err, ETCD3_ERR_CLOSED, "");
    CHECK_CODE(etcd3_namespace_open(client, "p", 1, &none, &err), err, ETCD3_ERR_CLOSED, "");
    CHECK_CODE(etcd3_client_sync(client, &err), err, ETCD3_ERR_CLOSED, "");
    CHECK(!none && !r && !session && !event);
}

/* A thread that waits for a lock that is held, which nothing but its end ends. */
struct waiter {
    pthread_t thread;
    etcd3_lock_t *held, *wanted;
    etcd3_code_t code;
    int64_t ended;
};

static void *wait_on(void *data)
{
    struct waiter *w = (struct waiter *)data;
    w->code = etcd3_lock_acquire(w->wanted, -1, NULL);
    w->ended = now_ms();
    return NULL;
}

/* Returns once it stands in the line. */
static void begin_wait(struct waiter *w, etcd3_client_t *client)
{
    int64_t count = 0, limit = now_ms() + PATIENCE_MS;
    w->code = -1;
    w->held = w->wanted = NULL;
    CHECK_OK(etcd3_lock_open(client, "lock", NTS, 60, &w->held, &err), err);
    CHECK_OK(etcd3_lock_open(client, "lock", NTS, 60, &w->wanted, &err), err);
    CHECK_OK(etcd3_lock_acquire(w->held, PATIENCE_MS, &err), err);
    CHECK_INT(pthread_create(&w->thread, NULL, wait_on, w), 0);
    while (count < 2 && now_ms() < limit) {
        etcd3_result_t *r = NULL;
        CHECK_OK(etcd3_get_prefix(client, "lock/", NTS, &r, &err), err);
        count = etcd3_result_count(r);
        etcd3_result_free(r);
    }
    CHECK_INT(count, 2);
}

static void end_wait(struct waiter *w, etcd3_code_t code, int64_t since)
{
    pthread_join(w->thread, NULL);
    CHECK_STR(etcd3_code_name(w->code), etcd3_code_name(code));
    CHECK(w->ended - since <= SOON_MS);
    etcd3_lock_free(w->held);
    etcd3_lock_free(w->wanted);
}

/* The end of a handle is that of its watches, leases and calls; the client and its other handles go on. */
static void a_handle_ends_alone(void)
{
    struct watching mine, others, outside;
    struct holding lease, other_lease;
    struct waiter wait;
    etcd3_client_t *beside;
    etcd3_lease_t *leases[3];
    int64_t before;
    open_both();
    beside = namespace_of(plain, PREFIX, NTS);
    begin_watch(&mine, inside, NULL);
    begin_watch(&others, beside, NULL);
    begin_watch(&outside, plain, NULL);
    leases[0] = open_lease(inside, 60, &lease);
    leases[1] = open_lease(beside, 60, &other_lease);
    CHECK_OK(etcd3_lease_open(inside, 2, 0, NULL, NULL, NULL, &leases[2], &err), err);
    begin_wait(&wait, inside);
    put(inside, "k1", "v");
    AWAIT(&mine, changes, 1);
    before = now_ms();
    close_handle(inside);
    /* Told before close has returned: the callbacks are those of the handle's own thread. */
    CHECK_INT(mine.closed, 1);
    CHECK_INT(told(&lease), 2);
    end_wait(&wait, ETCD3_ERR_CLOSED, before);
    finished(&mine);
    CHECK_INT(mine.why, ETCD3_ERR_CLOSED);
    ENDED(&lease, ETCD3_LOST_CLOSED, ETCD3_ERR_CLOSED, ETCD3_ERR_CLOSED);
    CHECK_INT(etcd3_lease_is_alive(leases[2]), 0);
    CHECK_CODE(etcd3_lease_refresh(leases[2], &err), err, ETCD3_ERR_CLOSED, "");
    check_closed(inside);
    put(beside, "k2", "v");
    AWAIT(&others, changes, 2);
    AWAIT(&outside, changes, 2);
    CHECK_INT(etcd3_lease_is_alive(leases[1]), 1);
    CHECK_OK(etcd3_lease_refresh(leases[1], &err), err);
    /* Nobody keeps those of the handle alive any more, though the client has the stream. */
    before = now_ms();
    while (left_of(plain, etcd3_lease_id(leases[2])) >= 0 && now_ms() < before + PATIENCE_MS)
        ;
    CHECK_INT(left_of(plain, etcd3_lease_id(leases[2])), -1);
    stop(&others);
    stop(&outside);
    CHECK_CHANGES(&others, "+k1=v +k2=v");
    CHECK_CHANGES(&outside, "+" PREFIX "k1=v +" PREFIX "k2=v");
    CHECK_OK(etcd3_lease_revoke(leases[1], &err), err);
    ENDED(&other_lease, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
    etcd3_lease_free(leases[0]);
    etcd3_lease_free(leases[1]);
    etcd3_lease_free(leases[2]);
    etcd3_client_free(inside);
    etcd3_client_free(beside);
    wipe();
    close_handle(plain);
    etcd3_client_free(plain);
}

/* The end of the client is that of all handles, those of handles too. */
static void a_client_ends_all(void)
{
    struct watching w[3];
    struct holding h;
    struct waiter waits[2];
    etcd3_client_t *deeper;
    etcd3_lease_t *lease;
    etcd3_range_t *range = NULL;
    etcd3_result_t *r = NULL;
    etcd3_op_t *op = etcd3_op_get("k", 1);
    int64_t before;
    int i;
    open_both();
    deeper = namespace_of(inside, "deeper/", NTS);
    put(deeper, "k", "v");
    begin_watch(&w[0], plain, NULL);
    begin_watch(&w[1], inside, NULL);
    begin_watch(&w[2], deeper, NULL);
    lease = open_lease(deeper, 60, &h);
    CHECK_OK(etcd3_range_open(deeper, op, 0, &range, &err), err);
    etcd3_op_free(op);
    begin_wait(&waits[0], inside);
    begin_wait(&waits[1], deeper);
    before = now_ms();
    close_handle(plain);
    for (i = 0; i < 3; i++)
        CHECK_INT(w[i].closed, 1);
    CHECK_INT(told(&h), 2);
    end_wait(&waits[0], ETCD3_ERR_CLOSED, before);
    end_wait(&waits[1], ETCD3_ERR_CLOSED, before);
    for (i = 0; i < 3; i++) {
        finished(&w[i]);
        CHECK_INT(w[i].why, ETCD3_ERR_CLOSED);
    }
    ENDED(&h, ETCD3_LOST_CLOSED, ETCD3_ERR_CLOSED, ETCD3_ERR_CLOSED);
    etcd3_client_free(plain);
    check_closed(inside);
    check_closed(deeper);
    CHECK_CODE(etcd3_range_next(range, &r, &err), err, ETCD3_ERR_CLOSED, "");
    CHECK_CODE(etcd3_lease_revoke(lease, &err), err, ETCD3_ERR_CLOSED, "");
    close_handle(inside);
    etcd3_range_free(range);
    etcd3_lease_free(lease);
    etcd3_client_free(deeper);
    etcd3_client_free(inside);
}

/* Frees the client, a handle of it, one of that handle and what hangs on each in every order. */
static void freed_in_any_order(void)
{
    static const int orders[][6] = {{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {2, 1, 0, 5, 4, 3}, {1, 2, 0, 3, 5, 4},
                                    {3, 0, 4, 1, 5, 2}, {1, 0, 2, 4, 3, 5}, {0, 2, 1, 5, 3, 4}, {4, 1, 3, 2, 0, 5}};
    size_t i;
    int j;
    for (i = 0; i < sizeof orders / sizeof *orders; i++) {
        etcd3_client_t *deeper;
        etcd3_session_t *session = NULL;
        etcd3_lock_t *lock = NULL;
        etcd3_watch_t *watch = NULL;
        etcd3_watch_opts_t *opts = etcd3_watch_opts_new("k", 1);
        etcd3_queue_t *queue = new_queue();
        char name[20];
        open_both();
        deeper = namespace_of(inside, "deeper/", NTS);
        CHECK_OK(etcd3_session_open(inside, 60, 0, queue, NULL, NULL, &session, &err), err);
        /* The key of one that is freed after its client stays until its lease ends. */
        snprintf(name, sizeof name, "order %d", (int)i);
        CHECK_OK(etcd3_lock_open(deeper, name, NTS, 60, &lock, &err), err);
        CHECK_OK(etcd3_lock_acquire(lock, PATIENCE_MS, &err), err);
        CHECK_OK(etcd3_watch_start(deeper, opts, queue, NULL, NULL, &watch, &err), err);
        etcd3_watch_opts_free(opts);
        for (j = 0; j < 6; j++) {
            switch (orders[i][j]) {
            case 0:
                etcd3_client_free(plain);
                break;
            case 1:
                etcd3_client_free(inside);
                break;
            case 2:
                etcd3_client_free(deeper);
                break;
            case 3:
                etcd3_session_free(session);
                break;
            case 4:
                etcd3_lock_free(lock);
                break;
            default:
                etcd3_watch_free(watch);
            }
        }
        etcd3_queue_free(queue);
    }
    /* What was left to expire. */
    open_both();
    wipe();
    etcd3_client_free(inside);
    etcd3_client_free(plain);
}

int main(void)
{
    RUN(a_handle_ends_alone);
    RUN(a_client_ends_all);
    RUN(freed_in_any_order);
    return CHECK_DONE();
}
