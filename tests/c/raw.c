/* Raw calls: the bytes go and come as they are, and the rest is as for all calls. */
#include "scripted.h"

#define PATH "/some.package.Service/Do"
#define REQUEST "\x0a\x03" "abc", 5
#define REQUEST_HEX "0a03616263"

static struct scripted one, two;
static etcd3_client_t *client;

static long long asked_both(const char *method) { return asked(&one, method) + asked(&two, method); }

static void both(const char *rule)
{
    forget(&one);
    forget(&two);
    script(&one, rule);
    script(&two, rule);
}

static etcd3_code_t call(int32_t repeat, int64_t timeout_ms, etcd3_result_t **r, etcd3_error_t **err)
{
    return etcd3_call_raw(client, PATH, REQUEST, repeat, timeout_ms, r, err);
}

static void bytes_go_and_come(void)
{
    static const unsigned char answer[] = {0x00, 0xff, 0x08, 0x07};
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    size_t len = 99;
    const uint8_t *data;
    const struct scripted *at;
    both("Do * headers | message hex 00ff0807");
    CHECK_OK(call(ETCD3_REPEAT_NEVER, 0, &r, &err), err);
    data = etcd3_result_data(r, &len);
    CHECK(bytes_are(data, len, answer, sizeof answer));
    CHECK(etcd3_result_data(r, NULL) == data);
    CHECK_INT(etcd3_result_kind(r), ETCD3_RESULT_RAW);
    CHECK_INT(etcd3_result_revision(r), 0);
    CHECK_INT(etcd3_result_kv_count(r), 0);
    etcd3_result_free(r);
    at = asked(&one, "Do") ? &one : &two;
    CHECK_STR(ask("body %d Do 0", at->number), REQUEST_HEX);
    both("Do * headers | message hex");
    r = NULL;
    CHECK_OK(etcd3_call_raw(client, PATH, NULL, 0, ETCD3_REPEAT_FREELY, 0, &r, &err), err);
    len = 99;
    etcd3_result_data(r, &len);
    CHECK_INT(len, 0);
    etcd3_result_free(r);
    len = 99;
    CHECK(etcd3_result_data(NULL, &len) == NULL);
    CHECK_INT(len, 0);
}

static void only_a_raw_result_has_data(void)
{
    etcd3_result_t *r = EXECUTE(client, etcd3_op_get("k", 1));
    size_t len = 99;
    CHECK(etcd3_result_data(r, &len) == NULL);
    CHECK_INT(len, 0);
    etcd3_result_free(r);
}

static void a_write_is_sent_once_a_read_again(void)
{
    static const char *const losses[] = {"close", "status 14 etcdserver: leader changed", "reset INTERNAL_ERROR"};
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    size_t i;
    for (i = 0; i < 3; i++) {
        char rule[100];
        snprintf(rule, sizeof rule, "Do 1 %s", losses[i]);
        both(rule);
        CHECK_INT(call(ETCD3_REPEAT_NEVER, PATIENCE_MS, &r, &err), ETCD3_ERR_AMBIGUOUS);
        CHECK_INT(etcd3_error_maybe_applied(err), 1);
        CHECK_INT(asked_both("Do"), 1);
        etcd3_error_free(err);
        err = NULL;
        both(rule);
        CHECK_OK(call(ETCD3_REPEAT_FREELY, PATIENCE_MS, &r, &err), err);
        CHECK(asked_both("Do") >= 2);
        etcd3_result_free(r);
        r = NULL;
    }
    /* Who did not look at it did not do it. */
    both("Do 1 reset REFUSED_STREAM");
    CHECK_OK(call(ETCD3_REPEAT_NEVER, PATIENCE_MS, &r, &err), err);
    CHECK(asked_both("Do") >= 2);
    etcd3_result_free(r);
}

static void it_ends_at_its_limit(void)
{
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    int64_t begun;
    both("Do * never");
    begun = now_ms();
    CHECK_CODE(call(ETCD3_REPEAT_NEVER, 300, &r, &err), err, ETCD3_ERR_AMBIGUOUS, "no answer");
    CHECK_CODE(call(ETCD3_REPEAT_FREELY, 300, &r, &err), err, ETCD3_ERR_TIMEOUT, "no answer");
    CHECK(now_ms() - begun >= 600 && now_ms() - begun < 5000 + SLACK_MS);
    CHECK(r == NULL);
}

/* The server's word, with a code where it is one of etcd's. */
static void errors_of_the_server(void)
{
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    both("Do * status 12 unknown service some.package.Service");
    CHECK_CODE(call(ETCD3_REPEAT_NEVER, 0, &r, &err), err, ETCD3_ERR_UNIMPLEMENTED, "some.package");
    both("Do * status 9 not today");
    CHECK_INT(call(ETCD3_REPEAT_NEVER, 0, &r, &err), ETCD3_ERR_SERVER);
    CHECK_INT(etcd3_error_grpc_status(err), 9);
    CHECK_INT(etcd3_error_maybe_applied(err), 0);
    etcd3_error_free(err);
    err = NULL;
    both("Do * status 7 etcdserver: permission denied");
    CHECK_CODE(call(ETCD3_REPEAT_NEVER, 0, &r, &err), err, ETCD3_ERR_PERMISSION_DENIED, "permission denied");
    both("Do * headers | message hex 00 | message hex 01");
    CHECK_INT(call(ETCD3_REPEAT_FREELY, 0, &r, &err), ETCD3_ERR_PROTOCOL);
    etcd3_error_free(err);
}

static void token_and_metadata_go_along(void)
{
    etcd3_config_t *config = config_of(&one, NULL, PATIENCE_MS);
    etcd3_op_t *op = etcd3_op_raw(PATH, REQUEST, ETCD3_REPEAT_NEVER);
    etcd3_client_t *own;
    etcd3_result_t *r;
    etcd3_config_set_credentials(config, "root", "secret");
    own = open_config(config);
    forget(&one);
    script(&one, "Do * token | ok");
    /* The first token is no longer good when the call comes. */
    etcd3_result_free(EXECUTE(own, etcd3_op_get("k", 1)));
    ask("revoke");
    etcd3_op_add_metadata(op, "x-trace", "1");
    r = EXECUTE(own, op);
    CHECK_INT(etcd3_result_kind(r), ETCD3_RESULT_RAW);
    CHECK_INT(asked(&one, "Do"), 2);
    CHECK_STR(ask("header %d Do 1 x-trace", one.number), "1");
    CHECK_STR(ask("header %d Do 1 content-type", one.number), "application/grpc");
    etcd3_result_free(r);
    close_client(own);
}

static void without_blocking(void)
{
    etcd3_client_t *own = open_config(config_of(&one, NULL, PATIENCE_MS));
    etcd3_op_t *op = etcd3_op_raw(PATH, REQUEST, ETCD3_REPEAT_NEVER);
    etcd3_queue_t *queue = NULL;
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    etcd3_call_t *call_ = NULL;
    size_t len = 0;
    both("Do 1 headers | message hex 05");
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_execute_async(own, op, queue, NULL, NULL, NULL, &err), err);
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK(etcd3_result_data(etcd3_event_result(event), &len) != NULL);
    CHECK_INT(len, 1);
    etcd3_event_free(event);
    /* Cancelled after it was sent, it may have been done. */
    both("Do * never");
    event = NULL;
    CHECK_OK(etcd3_execute_async(own, op, queue, NULL, NULL, &call_, &err), err);
    ask("await %d Do 1", one.number);
    etcd3_call_cancel(call_);
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK_INT(etcd3_error_code(etcd3_event_error(event)), ETCD3_ERR_AMBIGUOUS);
    etcd3_event_free(event);
    etcd3_call_free(call_);
    etcd3_op_free(op);
    etcd3_queue_free(queue);
    close_client(own);
}

int main(void)
{
    one = serve("grpc");
    two = serve("grpc");
    client = open_config(config_of(&one, &two, PATIENCE_MS));
    RUN(bytes_go_and_come);
    RUN(only_a_raw_result_has_data);
    RUN(a_write_is_sent_once_a_read_again);
    RUN(it_ends_at_its_limit);
    RUN(errors_of_the_server);
    RUN(token_and_metadata_go_along);
    RUN(without_blocking);
    close_client(client);
    return CHECK_DONE();
}
