/* Reads in order: an answer behind what was seen is dropped, and another member asked, up to a limit. */
#include "scripted.h"

static struct scripted ahead, behind;

static void revisions(long long of_ahead, long long of_behind)
{
    forget(&ahead);
    forget(&behind);
    ask("identity %d 7 1 %lld", ahead.number, of_ahead);
    ask("identity %d 7 2 %lld", behind.number, of_behind);
}

static etcd3_client_t *client_in_order(int yes)
{
    etcd3_config_t *config = config_of(&ahead, &behind, PATIENCE_MS);
    etcd3_config_set_ordering(config, yes);
    return open_config(config);
}

static etcd3_op_t *a_read(void)
{
    etcd3_op_t *op = etcd3_op_get("k", 1);
    etcd3_op_set_serializable(op);
    return op;
}

static int64_t read_revision(etcd3_client_t *client)
{
    etcd3_result_t *r = EXECUTE(client, a_read());
    int64_t revision = etcd3_result_revision(r);
    etcd3_result_free(r);
    return revision;
}

/* Reads until both members are connected and the newer revision was seen. */
static void see(etcd3_client_t *client, int64_t revision)
{
    int64_t end = now_ms() + PATIENCE_MS;
    int seen = 0;
    while (now_ms() < end && !(seen && asked(&ahead, "Range") && asked(&behind, "Range")))
        seen |= read_revision(client) == revision;
    CHECK(seen);
}

/* That the test can fail. */
static void without_it_reads_go_back(void)
{
    etcd3_client_t *client = client_in_order(0);
    int i, back = 0;
    revisions(10, 5);
    see(client, 10);
    for (i = 0; i < 20; i++)
        back += read_revision(client) == 5;
    CHECK(back > 0);
    close_client(client);
}

static void with_it_they_do_not(void)
{
    etcd3_client_t *client = client_in_order(1);
    long long dropped;
    int i;
    revisions(10, 5);
    see(client, 10);
    for (i = 0; i < 50; i++)
        CHECK_INT(read_revision(client), 10);
    dropped = asked(&behind, "Range");
    CHECK(asked(&ahead, "Range") >= 50);
    /* Who is behind is asked last for a while, not each time. */
    CHECK(dropped < 25);
    /* It catches up and goes ahead. */
    revisions(10, 12);
    for (i = 0; i < 1000 && read_revision(client) != 12; i++)
        ;
    for (i = 0; i < 20; i++)
        CHECK_INT(read_revision(client), 12);
    close_client(client);
}

/* What a write has shown counts too, and transactions of gets are reads. */
static void after_a_write_and_for_transactions(void)
{
    etcd3_client_t *client = client_in_order(1);
    int i;
    revisions(20, 20);
    see(client, 20);
    revisions(21, 15);
    for (i = 0; i < 4; i++)
        put(client, "k", "v");
    CHECK(asked(&ahead, "Put") > 0);
    for (i = 0; i < 20; i++) {
        etcd3_op_t *txn = etcd3_op_txn(), *get = a_read();
        etcd3_result_t *r;
        etcd3_txn_then(txn, get);
        etcd3_op_free(get);
        r = EXECUTE(client, txn);
        CHECK_INT(etcd3_result_revision(r), 21);
        etcd3_result_free(r);
    }
    close_client(client);
}

static void up_to_a_limit(void)
{
    etcd3_client_t *client = client_in_order(1);
    etcd3_op_t *op = a_read();
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    const char *list[1];
    int64_t begun;
    revisions(10, 5);
    see(client, 10);
    ask("stop %d", ahead.number);
    ask("drop %d", ahead.number);
    ask("await-open %d 0", ahead.number);
    forget(&behind);
    CHECK_INT(etcd3_execute(client, op, &r, &err), ETCD3_ERR_NO_GREATER_REVISION);
    CHECK(strstr(etcd3_error_message(err), "5") != NULL && strstr(etcd3_error_message(err), "10") != NULL);
    CHECK_INT(etcd3_error_is_retryable(err), 1);
    CHECK_INT(etcd3_error_maybe_applied(err), 0);
    etcd3_error_free(err);
    err = NULL;
    CHECK_INT(asked(&behind, "Range"), 10);
    /* Never beyond the time limit. */
    etcd3_op_set_timeout(op, 60);
    begun = now_ms();
    CHECK(etcd3_execute(client, op, &r, &err) != ETCD3_OK);
    CHECK(now_ms() - begun < 160 + SLACK_MS);
    etcd3_error_free(err);
    err = NULL;
    CHECK(r == NULL);
    /* Other endpoints may be of another cluster. */
    list[0] = behind.endpoint;
    CHECK_OK(etcd3_client_set_endpoints(client, list, 1, &err), err);
    CHECK_INT(read_revision(client), 5);
    etcd3_op_free(op);
    close_client(client);
    ask("start %d", ahead.number);
}

static void without_blocking(void)
{
    etcd3_client_t *client = client_in_order(1);
    etcd3_queue_t *queue = NULL;
    etcd3_error_t *err = NULL;
    etcd3_op_t *op = a_read();
    int i;
    revisions(10, 5);
    see(client, 10);
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    for (i = 0; i < 10; i++) {
        etcd3_event_t *event = NULL;
        CHECK_OK(etcd3_execute_async(client, op, queue, NULL, NULL, NULL, &err), err);
        CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
        CHECK_INT(etcd3_result_revision(etcd3_event_result(event)), 10);
        etcd3_event_free(event);
    }
    etcd3_op_free(op);
    etcd3_queue_free(queue);
    close_client(client);
}

int main(void)
{
    ahead = serve("grpc");
    behind = serve("grpc");
    RUN(without_it_reads_go_back);
    RUN(with_it_they_do_not);
    RUN(after_a_write_and_for_transactions);
    RUN(without_blocking);
    RUN(up_to_a_limit);
    return CHECK_DONE();
}
