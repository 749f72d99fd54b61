/* A tour through what there is, step by step: what `make demo` runs. */
#include <etcd3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static etcd3_client_t *client;
static etcd3_error_t *err;

/* Every call that can fail returns a code; the error object has the whole story. */
static void must(etcd3_code_t code)
{
    if (code != ETCD3_OK) {
        fprintf(stderr, "%s: %s\n", etcd3_code_name(code), etcd3_error_message(err));
        exit(1);
    }
}

static void step(const char *title)
{
    static int number;
    printf("\n%d. %s\n", ++number, title);
}

/* Keys and values are any bytes with a length; here they are text. */
static void show(const char *before, const etcd3_kv_t *kv)
{
    printf("   %s%.*s = %.*s (version %lld, revision %lld)\n", before, (int)kv->key_len, (const char *)kv->key,
           (int)kv->value_len, (const char *)kv->value, (long long)kv->version, (long long)kv->mod_revision);
}

static void put(const char *key, const char *value)
{
    printf("   put %s = %s\n", key, value);
    must(etcd3_put(client, key, ETCD3_NTS, value, ETCD3_NTS, &err));
}

static void put_and_get(void)
{
    etcd3_result_t *result;
    step("Put a value and get it back");
    put("tour/greeting", "hello");
    must(etcd3_get(client, "tour/greeting", ETCD3_NTS, &result, &err));
    show("got ", etcd3_result_kv(result, 0));
    etcd3_result_free(result);
    must(etcd3_get(client, "tour/nothing", ETCD3_NTS, &result, &err));
    printf("   got tour/nothing: %lld keys, which is no error\n", (long long)etcd3_result_count(result));
    etcd3_result_free(result);
}

static void prefix(void)
{
    etcd3_result_t *result;
    size_t i;
    step("Get all keys with a prefix");
    put("tour/fruit/pear", "3");
    put("tour/fruit/apple", "5");
    put("tour/fruit/cherry", "40");
    must(etcd3_get_prefix(client, "tour/fruit/", ETCD3_NTS, &result, &err));
    for (i = 0; i < etcd3_result_kv_count(result); i++)
        show("got ", etcd3_result_kv(result, i));
    etcd3_result_free(result);
}

static void put_if_absent(void)
{
    const char *const names[] = {"Ada", "Grace"};
    int i, succeeded;
    step("Put only what is not there yet: one of two becomes the leader");
    for (i = 0; i < 2; i++) {
        must(etcd3_put_if_absent(client, "tour/leader", ETCD3_NTS, names[i], ETCD3_NTS, &succeeded, &err));
        printf("   %s %s the leader\n", names[i], succeeded ? "is" : "came too late to be");
    }
}

/* If the apples are still as many as we think, there is one less; else tell how many there are. */
static void take_an_apple(const char *think, const char *one_less)
{
    etcd3_op_t *txn = etcd3_op_txn();
    etcd3_op_t *write = etcd3_op_put("tour/fruit/apple", ETCD3_NTS, one_less, ETCD3_NTS);
    etcd3_op_t *read = etcd3_op_get("tour/fruit/apple", ETCD3_NTS);
    etcd3_result_t *result;
    etcd3_txn_if_value(txn, "tour/fruit/apple", ETCD3_NTS, ETCD3_EQUAL, think, ETCD3_NTS);
    etcd3_txn_then(txn, write);
    etcd3_txn_else(txn, read);
    must(etcd3_execute(client, txn, &result, &err));
    printf("   if it is %s then make it %s: %s\n", think, one_less, etcd3_result_succeeded(result) ? "done" : "no,");
    if (!etcd3_result_succeeded(result))
        show("it is ", etcd3_result_kv(etcd3_result_response(result, 0), 0));
    etcd3_result_free(result);
    etcd3_op_free(read);
    etcd3_op_free(write);
    etcd3_op_free(txn);
}

static void compare_and_swap(void)
{
    step("Compare and swap, in a transaction");
    take_an_apple("5", "4");
    take_an_apple("5", "4");
}

/* What the callback, on a thread of the library's, has to tell this one. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int seen, closed;

static void on_event(const etcd3_event_t *event, void *user_data)
{
    size_t i;
    (void)user_data;
    pthread_mutex_lock(&lock);
    for (i = 0; i < etcd3_event_change_count(event); i++) {
        const etcd3_change_t *change = etcd3_event_change(event, i);
        if (change->type == ETCD3_CHANGE_DELETE)
            printf("   the watch saw that %.*s is gone\n", (int)change->kv->key_len, (const char *)change->kv->key);
        else
            show("the watch saw ", change->kv);
        seen++;
    }
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
        printf("   the watch has ended: its last event, once\n");
        closed = 1;
    }
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(const int *what, int number)
{
    pthread_mutex_lock(&lock);
    while (*what < number)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void watch(void)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("tour/fruit/", ETCD3_NTS);
    etcd3_watch_t *started;
    step("Watch a prefix: a callback is told of every change");
    etcd3_watch_opts_set_prefix(opts);
    must(etcd3_watch_start(client, opts, NULL, on_event, NULL, &started, &err));
    etcd3_watch_opts_free(opts);
    put("tour/fruit/plum", "7");
    wait_for(&seen, 1);
    put("tour/fruit/plum", "6");
    wait_for(&seen, 2);
    printf("   delete tour/fruit/cherry\n");
    must(etcd3_delete(client, "tour/fruit/cherry", ETCD3_NTS, NULL, &err));
    wait_for(&seen, 3);
    printf("   cancel the watch\n");
    etcd3_watch_cancel(started);
    wait_for(&closed, 1);
    etcd3_watch_free(started);
}

static void errors(void)
{
    etcd3_op_t *op = etcd3_op_get("tour/greeting", ETCD3_NTS);
    etcd3_result_t *result;
    etcd3_code_t code;
    step("Two mistakes, on purpose");
    etcd3_op_set_revision(op, 1000000000);
    code = etcd3_execute(client, op, &result, &err);
    printf("   reading the future: %s\n      %s\n", etcd3_code_name(code), etcd3_error_message(err));
    etcd3_error_free(err);
    etcd3_op_set_limit(op, -1);
    code = etcd3_execute(client, op, &result, &err);
    printf("   a limit of -1: %s\n      %s\n", etcd3_code_name(code), etcd3_error_message(err));
    etcd3_error_free(err);
    etcd3_op_free(op);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    etcd3_config_t *config = etcd3_config_new();
    int64_t deleted;

    /* So that the callback's lines and ours come in order on a pipe, too. */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    printf("A tour of libetcd3\n");
    if (endpoint)
        etcd3_config_add_endpoint(config, endpoint);
    must(etcd3_client_open(config, &client, &err));
    etcd3_config_free(config);
    must(etcd3_delete_prefix(client, "tour/", ETCD3_NTS, NULL, &err));

    put_and_get();
    prefix();
    put_if_absent();
    compare_and_swap();
    watch();
    errors();

    step("Clean up");
    must(etcd3_delete_prefix(client, "tour/", ETCD3_NTS, &deleted, &err));
    printf("   deleted %lld keys\n", (long long)deleted);
    must(etcd3_client_close(client, 1000, &err));
    etcd3_client_free(client);
    return 0;
}
