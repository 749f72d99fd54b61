/* Reads in order against a real member that is cut off from its cluster: it has "old", the others "new". */
#include "calls.h"

#define KEY "test_ordering", ETCD3_NTS

static etcd3_client_t *both(int in_order)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_add_endpoint(config, getenv("ETCD3_TEST_AHEAD"));
    etcd3_config_add_endpoint(config, getenv("ETCD3_TEST_BEHIND"));
    etcd3_config_set_ordering(config, in_order);
    etcd3_config_set_timeout(config, PATIENCE_MS);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    return client;
}

/* 'o' or 'n'. */
static char serializable(etcd3_client_t *client)
{
    etcd3_op_t *op = etcd3_op_get(KEY);
    etcd3_result_t *r;
    char first;
    etcd3_op_set_serializable(op);
    r = EXECUTE(client, op);
    first = kv_at(r, 0)->value_len == 3 ? (char)kv_at(r, 0)->value[0] : '?';
    etcd3_result_free(r);
    return first;
}

/* Reads until the new value is there: then both members can be connected. */
static int reads_until_new(etcd3_client_t *client)
{
    int old = 0;
    int64_t end = now_ms() + PATIENCE_MS;
    char value;
    while ((value = serializable(client)) == 'o' && now_ms() < end)
        old++;
    CHECK_INT(value, 'n');
    return old;
}

static void the_member_is_behind(void)
{
    etcd3_client_t *client = client_of(getenv("ETCD3_TEST_BEHIND"), PATIENCE_MS);
    CHECK_INT(serializable(client), 'o');
    close_client(client);
}

static void without_it_reads_go_back(void)
{
    etcd3_client_t *client = both(0);
    int64_t end = now_ms() + PATIENCE_MS;
    int back = 0;
    reads_until_new(client);
    while (!back && now_ms() < end)
        back = serializable(client) == 'o';
    CHECK(back);
    close_client(client);
}

static void with_it_they_do_not(void)
{
    etcd3_client_t *client = both(1);
    etcd3_error_t *err = NULL;
    int64_t begun;
    int i;
    CHECK_OK(etcd3_client_wait_connected(client, PATIENCE_MS, &err), err);
    reads_until_new(client);
    /* Long enough for the other one to be asked again and again. */
    begun = now_ms();
    for (i = 0; i < 100 || now_ms() - begun < 1000; i++)
        CHECK_INT(serializable(client), 'n');
    close_client(client);
}

int main(void)
{
    RUN(the_member_is_behind);
    RUN(without_it_reads_go_back);
    RUN(with_it_they_do_not);
    return CHECK_DONE();
}
