/* A call is cancelled from another thread: wherever it is, it ends at once, and says what it may have done. */
#include "scripted.h"

#define K "k", 1

/* Cancelling is over in this time. */
#define AT_ONCE_MS (100 + SLACK_MS)

struct call {
    etcd3_client_t *client;
    etcd3_op_t *op;
    etcd3_cancel_t *cancel;
    pthread_t thread;
    etcd3_code_t code;
    int applied;
    char message[300];
    int64_t ended;
};

static void *run_call(void *arg)
{
    struct call *call = (struct call *)arg;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    call->code = etcd3_execute(call->client, call->op, &r, &err);
    call->ended = now_ms();
    call->applied = etcd3_error_maybe_applied(err);
    snprintf(call->message, sizeof call->message, "%s", etcd3_error_message(err));
    etcd3_error_free(err);
    etcd3_result_free(r);
    return NULL;
}

static void begin(struct call *call, etcd3_client_t *client, etcd3_op_t *op)
{
    memset(call, 0, sizeof *call);
    call->client = client;
    call->op = op;
    call->cancel = etcd3_cancel_new();
    etcd3_op_set_cancel(op, call->cancel);
    CHECK_INT(pthread_create(&call->thread, NULL, run_call, call), 0);
}

static void cancel_and_check(struct call *call, etcd3_code_t code, const char *what)
{
    int64_t at = now_ms();
    char text[500];
    etcd3_cancel_trigger(call->cancel);
    pthread_join(call->thread, NULL);
    snprintf(text, sizeof text, "%s ended %lld ms after its cancellation with %s (%s), maybe_applied %d", what,
             (long long)(call->ended - at), etcd3_code_name(call->code), call->message, call->applied);
    check_that(call->code == code && call->applied == (code == ETCD3_ERR_AMBIGUOUS) &&
                   call->ended - at <= AT_ONCE_MS,
               text, __FILE__, __LINE__);
    etcd3_cancel_free(call->cancel);
    etcd3_op_free(call->op);
}

static void in_flight(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    struct call call;
    script(&server, "* * never");
    begin(&call, client, etcd3_op_get(K));
    ask("await %d Range 1", server.number);
    cancel_and_check(&call, ETCD3_ERR_CANCELED, "a get");
    ask("await-resets %d Range 1", server.number);
    begin(&call, client, etcd3_op_put(K, "v", 1));
    ask("await %d Put 1", server.number);
    cancel_and_check(&call, ETCD3_ERR_AMBIGUOUS, "a put");
    /* The server is told to stop working on it. */
    ask("await-resets %d Put 1", server.number);
    close_client(client);
}

/* All calls of a client at once, and none that comes later. */
static void all_of_a_client(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_client_t *other = open_config(config_of(&server, NULL, PATIENCE_MS));
    struct call read, write, waiting, foreign;
    etcd3_error_t *err = NULL;
    int64_t at;
    script(&server, "* * never");
    begin(&read, client, etcd3_op_get(K));
    begin(&write, client, etcd3_op_put(K, "v", 1));
    begin(&waiting, client, etcd3_op_get(K));
    begin(&foreign, other, etcd3_op_get(K));
    ask("await %d Range 3", server.number);
    ask("await %d Put 1", server.number);
    at = now_ms();
    etcd3_client_cancel_calls(client);
    pthread_join(read.thread, NULL);
    pthread_join(write.thread, NULL);
    pthread_join(waiting.thread, NULL);
    CHECK(now_ms() - at <= AT_ONCE_MS);
    CHECK_INT(read.code, ETCD3_ERR_CANCELED);
    CHECK_INT(waiting.code, ETCD3_ERR_CANCELED);
    CHECK_INT(write.code, ETCD3_ERR_AMBIGUOUS);
    forget(&server);
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    cancel_and_check(&foreign, ETCD3_ERR_CANCELED, "another client's get");
    etcd3_cancel_free(read.cancel);
    etcd3_op_free(read.op);
    etcd3_cancel_free(write.cancel);
    etcd3_op_free(write.op);
    etcd3_cancel_free(waiting.cancel);
    etcd3_op_free(waiting.op);
    close_client(other);
    close_client(client);
    etcd3_client_cancel_calls(NULL);
}

static void in_the_middle_of_the_answer(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    struct call call;
    script(&server, "* * headers | raw 0000000020ff | never");
    begin(&call, client, etcd3_op_get(K));
    ask("await %d Range 1", server.number);
    cancel_and_check(&call, ETCD3_ERR_CANCELED, "a get");
    close_client(client);
}

static void connecting(void)
{
    struct scripted silent = serve("silent");
    etcd3_client_t *client = open_config(config_of(&silent, NULL, PATIENCE_MS));
    struct call call;
    etcd3_op_t *op = etcd3_op_get(K);
    begin(&call, client, op);
    ask("await-connections %d 1", silent.number);
    cancel_and_check(&call, ETCD3_ERR_CANCELED, "a get");
    close_client(client);
}

static void waiting_to_try_again(void)
{
    struct scripted nobody = serve_nothing(), unwell = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&nobody, NULL, PATIENCE_MS));
    struct call call;
    begin(&call, client, etcd3_op_put(K, "v", 1));
    cancel_and_check(&call, ETCD3_ERR_CANCELED, "a put to nobody");
    close_client(client);
    client = open_config(config_of(&unwell, NULL, PATIENCE_MS));
    script(&unwell, "* * status 14 etcdserver: leader changed");
    begin(&call, client, etcd3_op_get(K));
    ask("await %d Range 5", unwell.number);
    cancel_and_check(&call, ETCD3_ERR_CANCELED, "a get between its attempts");
    close_client(client);
}

/* The connection takes one call at a time, and another one is under way. */
static void queued(void)
{
    struct scripted server = serve("grpc 1");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    struct call first, second;
    script(&server, "* * hold | ok");
    begin(&first, client, etcd3_op_get("first", ETCD3_NTS));
    ask("await %d Range 1", server.number);
    begin(&second, client, etcd3_op_get("second", ETCD3_NTS));
    cancel_and_check(&second, ETCD3_ERR_CANCELED, "a queued get");
    ask("release %d 100", server.number);
    pthread_join(first.thread, NULL);
    CHECK_INT(first.code, ETCD3_OK);
    etcd3_cancel_free(first.cancel);
    etcd3_op_free(first.op);
    close_client(client);
}

/* While the client asks for a token. */
static void authenticating(void)
{
    struct scripted server = serve("grpc");
    etcd3_config_t *config = config_of(&server, NULL, PATIENCE_MS);
    etcd3_client_t *client;
    struct call call;
    script(&server, "Authenticate * never");
    etcd3_config_set_credentials(config, "root", "secret");
    client = open_config(config);
    begin(&call, client, etcd3_op_put(K, "v", 1));
    ask("await %d Authenticate 1", server.number);
    cancel_and_check(&call, ETCD3_ERR_CANCELED, "a put");
    CHECK_INT(asked(&server, "Put"), 0);
    close_client(client);
}

/* One cancellation ends all the calls that share it, and those that come later. */
static void many_at_once(void)
{
    enum { MANY = 20 };
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_cancel_t *cancel = etcd3_cancel_new();
    struct call calls[MANY];
    int64_t at;
    int i;
    script(&server, "* * never");
    memset(calls, 0, sizeof calls);
    for (i = 0; i < MANY; i++) {
        calls[i].client = client;
        calls[i].op = etcd3_op_get(K);
        etcd3_op_set_cancel(calls[i].op, cancel);
        CHECK_INT(pthread_create(&calls[i].thread, NULL, run_call, &calls[i]), 0);
    }
    ask("await %d Range %d", server.number, (int)MANY);
    at = now_ms();
    etcd3_cancel_trigger(cancel);
    etcd3_cancel_trigger(cancel);
    for (i = 0; i < MANY; i++) {
        pthread_join(calls[i].thread, NULL);
        CHECK_INT(calls[i].code, ETCD3_ERR_CANCELED);
        CHECK(calls[i].ended - at <= AT_ONCE_MS);
    }
    run_call(&calls[0]);
    CHECK_INT(calls[0].code, ETCD3_ERR_CANCELED);
    CHECK_INT(asked(&server, "Range"), MANY);
    for (i = 0; i < MANY; i++)
        etcd3_op_free(calls[i].op);
    etcd3_cancel_free(cancel);
    close_client(client);
}

/* An asynchronous call by its handle: one event, DONE, with the error. */
static void an_asynchronous_call(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_op_t *op = etcd3_op_put(K, "v", 1);
    etcd3_queue_t *queue = NULL;
    etcd3_event_t *event = NULL;
    etcd3_call_t *call = NULL;
    etcd3_error_t *err = NULL;
    int64_t at;
    script(&server, "Put 1 never");
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_execute_async(client, op, queue, NULL, &server, &call, &err), err);
    ask("await %d Put 1", server.number);
    at = now_ms();
    etcd3_call_cancel(call);
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK(now_ms() - at <= AT_ONCE_MS);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_DONE);
    CHECK(etcd3_event_user_data(event) == (void *)&server);
    CHECK(etcd3_event_result(event) == NULL);
    CHECK_INT(etcd3_error_code(etcd3_event_error(event)), ETCD3_ERR_AMBIGUOUS);
    etcd3_event_free(event);
    event = NULL;
    etcd3_call_cancel(call);
    etcd3_call_free(call);
    call = NULL;
    /* Freeing the handle cancels nothing. */
    CHECK_OK(etcd3_execute_async(client, op, queue, NULL, NULL, &call, &err), err);
    etcd3_call_free(call);
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_DONE);
    CHECK_INT(etcd3_result_kind(etcd3_event_result(event)), ETCD3_RESULT_PUT);
    CHECK(etcd3_event_error(event) == NULL);
    etcd3_event_free(event);
    etcd3_op_free(op);
    etcd3_queue_free(queue);
    close_client(client);
}

int main(void)
{
    RUN(in_flight);
    RUN(all_of_a_client);
    RUN(in_the_middle_of_the_answer);
    RUN(connecting);
    RUN(waiting_to_try_again);
    RUN(queued);
    RUN(authenticating);
    RUN(many_at_once);
    RUN(an_asynchronous_call);
    return CHECK_DONE();
}
