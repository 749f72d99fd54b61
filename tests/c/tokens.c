/* Tokens: on every call but Authenticate, renewed once however many calls need it, unseen by the caller. */
#include "scripted.h"

#define K "k", 1
enum { CALLERS = 50 };

static struct scripted one, two;

static long long asked_both(const char *method) { return asked(&one, method) + asked(&two, method); }

static void both(const char *rule)
{
    script(&one, rule);
    script(&two, rule);
}

static void fresh(const char *rule)
{
    forget(&one);
    forget(&two);
    if (*rule)
        both(rule);
}

static etcd3_config_t *with_password(void)
{
    etcd3_config_t *config = config_of(&one, &two, 10000);
    etcd3_config_set_credentials(config, "root", "secret");
    return config;
}

/* Every request of a method but Authenticate has this token. */
static void has_token(const char *method, const char *token)
{
    const struct scripted *server = &one;
    for (;; server = &two) {
        long long i, n = asked(server, method);
        for (i = 0; i < n; i++)
            CHECK_STR(ask("header %d %s %lld token", server->number, method, i), token);
        if (server == &two)
            return;
    }
}

static void count_live(const etcd3_event_t *event, void *user_data)
{
    *(int *)user_data += etcd3_event_type(event) == ETCD3_EVENT_STATE && etcd3_event_state(event) == ETCD3_STATE_LIVE;
}

/* Starts a watch and waits until the server has it. */
static etcd3_watch_t *watch_live(etcd3_client_t *client, etcd3_queue_t *queue)
{
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(K);
    etcd3_watch_t *watch = NULL;
    etcd3_error_t *err = NULL;
    int live = 0;
    int64_t end = now_ms() + PATIENCE_MS;
    etcd3_watch_opts_set_start_revision(opts, 1);
    CHECK_OK(etcd3_watch_start(client, opts, queue, count_live, &live, &watch, &err), err);
    while (!live && now_ms() < end)
        CHECK_OK(etcd3_queue_dispatch(queue, 1, PATIENCE_MS, NULL, &err), err);
    CHECK_INT(live, 1);
    etcd3_watch_opts_free(opts);
    return watch;
}

static void every_call_has_it(void)
{
    static const char *const methods[] = {"Range", "Put", "DeleteRange", "Txn", "Watch"};
    etcd3_client_t *client;
    etcd3_queue_t *queue = NULL;
    etcd3_watch_t *watch;
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    char token[80];
    size_t i;
    int done = 0;
    fresh("");
    for (i = 0; i < sizeof methods / sizeof *methods - 1; i++) {
        char rule[60];
        snprintf(rule, sizeof rule, "%s * token | ok", methods[i]);
        both(rule);
    }
    client = open_config(with_password());
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_get(client, K, &r, &err), err);
    etcd3_result_free(r);
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    CHECK_OK(etcd3_delete(client, K, NULL, &err), err);
    CHECK_OK(etcd3_put_if_absent(client, K, "v", 1, &done, &err), err);
    watch = watch_live(client, queue);
    CHECK_INT(asked_both("Authenticate"), 1);
    has_token("Authenticate", "-");
    CHECK_STR(ask("body %d Authenticate 0", asked(&one, "Authenticate") ? one.number : two.number),
              "0a04726f6f741206736563726574");
    snprintf(token, sizeof token, "%s",
             ask("header %d Put 0 token", asked(&one, "Put") ? one.number : two.number));
    CHECK(strncmp(token, "token-", 6) == 0);
    for (i = 0; i < sizeof methods / sizeof *methods; i++) {
        CHECK(asked_both(methods[i]) >= 1);
        has_token(methods[i], token);
    }
    etcd3_watch_free(watch);
    etcd3_queue_free(queue);
    close_client(client);
}

/* Each of these means: a new token. None of them was executed, so a write goes again too. */
static void a_refused_token_is_renewed_once(void)
{
    static const char *const refusals[] = {
        "status 16 etcdserver: invalid auth token", "status 3 etcdserver: revision of auth store is old",
        "status 3 etcdserver: user name is empty", "status 2 auth: invalid auth token",
        "status 2 auth: revision in header is old",
        "status 2 rpc error: code = Unauthenticated desc = etcdserver: invalid auth token"};
    etcd3_client_t *client;
    size_t i;
    fresh("");
    client = open_config(with_password());
    for (i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        etcd3_error_t *err = NULL;
        etcd3_result_t *r = NULL;
        char rule[200];
        long long before;
        CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
        before = asked_both("Authenticate");
        /* One server refuses, and the other one does if it is asked first: twice at most. */
        snprintf(rule, sizeof rule, "Put 1 %s", refusals[i]);
        script(&one, rule);
        script(&two, rule);
        CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
        CHECK(asked_both("Authenticate") >= before + 1 && asked_both("Authenticate") <= before + 2);
        fresh("");
        snprintf(rule, sizeof rule, "Range 1 %s", refusals[i]);
        script(&one, rule);
        script(&two, rule);
        CHECK_OK(etcd3_get(client, K, &r, &err), err);
        etcd3_result_free(r);
        CHECK(asked_both("Authenticate") >= 1 && asked_both("Authenticate") <= 2);
        fresh("");
    }
    close_client(client);
}

struct caller {
    pthread_t thread;
    etcd3_client_t *client;
    int writes;
};

static void *call_once(void *arg)
{
    struct caller *caller = (struct caller *)arg;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    if (caller->writes) {
        CHECK_OK(etcd3_put(caller->client, K, "v", 1, &err), err);
    } else if (CHECK_OK(etcd3_get(caller->client, K, &r, &err), err)) {
        etcd3_result_free(r);
    }
    return NULL;
}

/* All of them find their token dead at the same time. */
static void many_calls_renew_it_once(void)
{
    struct caller callers[CALLERS];
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    int round, i;
    fresh("Authenticate * delay 50 | ok");
    both("Range * token | ok");
    both("Put * token | ok");
    client = open_config(with_password());
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    for (round = 0; round < 3; round++) {
        long long before = asked_both("Authenticate"), puts = asked_both("Put");
        ask("revoke");
        for (i = 0; i < CALLERS; i++) {
            callers[i].client = client;
            callers[i].writes = i % 2;
            CHECK_INT(pthread_create(&callers[i].thread, NULL, call_once, &callers[i]), 0);
        }
        for (i = 0; i < CALLERS; i++)
            pthread_join(callers[i].thread, NULL);
        CHECK(asked_both("Authenticate") >= before + 1);
        CHECK(asked_both("Authenticate") <= before + 3);
        CHECK(asked_both("Put") >= puts + CALLERS / 2 && asked_both("Put") <= puts + CALLERS);
    }
    close_client(client);
}

/* A server that never accepts the tokens it gives out. */
static void a_hopeless_token_is_given_up(void)
{
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    fresh("Put * status 16 etcdserver: invalid auth token");
    client = open_config(with_password());
    CHECK_CODE(etcd3_put(client, K, "v", 1, &err), err, ETCD3_ERR_INVALID_AUTH_TOKEN, "invalid auth token");
    CHECK(asked_both("Authenticate") <= 3);
    CHECK(asked_both("Put") >= 2 && asked_both("Put") <= 3);
    close_client(client);
}

static void a_wrong_password_is_told_and_kept_secret(void)
{
    etcd3_config_t *config;
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    int code;
    fresh("Authenticate * status 3 etcdserver: authentication failed, invalid user ID or password");
    config = with_password();
    code = etcd3_client_open(config, &client, &err);
    etcd3_config_free(config);
    if (client)
        code = etcd3_put(client, K, "v", 1, &err);
    CHECK(strstr(etcd3_error_message(err), "secret") == NULL);
    CHECK_CODE(code, err, ETCD3_ERR_AUTH_FAILED, "authentication failed");
    CHECK_INT(asked_both("Put"), 0);
    if (client)
        close_client(client);
}

/* A cluster whose authentication is off needs none. */
static void a_password_for_nothing_does_no_harm(void)
{
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    fresh("Authenticate * status 9 etcdserver: authentication is not enabled");
    client = open_config(with_password());
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    has_token("Put", "-");
    CHECK(asked_both("Authenticate") <= 2);
    close_client(client);
}

static void a_static_token_is_sent_as_it_is(void)
{
    etcd3_config_t *config = config_of(&one, &two, 5000);
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    etcd3_config_set_token(config, "jwt.of.mine");
    client = open_config(config);
    fresh("");
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    has_token("Put", "jwt.of.mine");
    fresh("Put * status 16 etcdserver: invalid auth token");
    CHECK_INT(etcd3_put(client, K, "v", 1, &err), ETCD3_ERR_INVALID_AUTH_TOKEN);
    CHECK(strstr(etcd3_error_message(err), "jwt.of.mine") == NULL);
    etcd3_error_free(err);
    err = NULL;
    CHECK_INT(asked_both("Authenticate"), 0);
    CHECK_INT(asked_both("Put"), 1);
    CHECK_OK(etcd3_client_set_token(client, "jwt.of.yours", &err), err);
    fresh("");
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    has_token("Put", "jwt.of.yours");
    close_client(client);
}

/* The token of a stream is dead, the stream is not: it answers a new watch so. */
static void a_watch_gets_a_new_stream_for_a_new_token(void)
{
    etcd3_client_t *client;
    etcd3_queue_t *queue = NULL;
    etcd3_watch_t *watch;
    etcd3_error_t *err = NULL;
    fresh("");
    both("Watch 1 recv | headers | message watch id=-1 created canceled reason=rpc error: code = Unauthenticated "
         "desc = etcdserver: invalid auth token | never");
    client = open_config(with_password());
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    watch = watch_live(client, queue);
    CHECK(asked_both("Watch") >= 2);
    CHECK(asked_both("Authenticate") >= 2 && asked_both("Authenticate") <= 3);
    etcd3_watch_free(watch);
    etcd3_queue_free(queue);
    close_client(client);
}

static void other_credentials_take_over(void)
{
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    fresh("Put * token | ok");
    client = open_config(with_password());
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    ask("revoke");
    fresh("Put * token | ok");
    CHECK_OK(etcd3_client_set_credentials(client, "other", "word", &err), err);
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    CHECK_INT(asked_both("Authenticate"), 1);
    CHECK_STR(ask("body %d Authenticate 0", asked(&one, "Authenticate") ? one.number : two.number),
              "0a056f746865721204776f7264");
    fresh("");
    CHECK_OK(etcd3_client_set_credentials(client, NULL, NULL, &err), err);
    CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
    has_token("Put", "-");
    close_client(client);
}

struct waiter {
    pthread_t thread;
    etcd3_client_t *client;
    etcd3_code_t code;
    char message[400];
};

static void *put_once(void *arg)
{
    struct waiter *waiter = (struct waiter *)arg;
    etcd3_error_t *err = NULL;
    waiter->code = etcd3_put(waiter->client, K, "v", 1, &err);
    snprintf(waiter->message, sizeof waiter->message, "%s", etcd3_error_message(err));
    etcd3_error_free(err);
    return NULL;
}

/* Also who waits for a token that another call asks for is told where the trouble is. */
static void waiting_for_a_token_in_vain(void)
{
    struct scripted nobody = serve_nothing();
    struct waiter waiters[2];
    int64_t limit = env_number("ETCD3_TEST_VALGRIND", 0) ? 3000 : 1000;
    int up, i;
    for (up = 0; up < 2; up++) {
        etcd3_config_t *config = config_of(up ? &one : &nobody, NULL, limit);
        fresh("Authenticate * never");
        etcd3_config_set_credentials(config, "root", "secret");
        waiters[0].client = waiters[1].client = open_config(config);
        for (i = 0; i < 2; i++)
            CHECK_INT(pthread_create(&waiters[i].thread, NULL, put_once, &waiters[i]), 0);
        for (i = 0; i < 2; i++) {
            pthread_join(waiters[i].thread, NULL);
            CHECK_INT(waiters[i].code, up ? ETCD3_ERR_TIMEOUT : ETCD3_ERR_UNAVAILABLE);
            CHECK(strstr(waiters[i].message, up ? one.endpoint : nobody.endpoint) != NULL);
        }
        close_client(waiters[0].client);
    }
}

/* Streams ask for a leader unless told not to. */
static void streams_require_a_leader(void)
{
    int require;
    for (require = 0; require < 2; require++) {
        etcd3_config_t *config = config_of(&one, NULL, 5000);
        etcd3_client_t *client;
        etcd3_queue_t *queue = NULL;
        etcd3_watch_t *watch;
        etcd3_error_t *err = NULL;
        fresh("");
        etcd3_config_set_require_leader(config, require);
        client = open_config(config);
        CHECK_OK(etcd3_queue_new(&queue, &err), err);
        watch = watch_live(client, queue);
        CHECK_STR(ask("header %d Watch 0 hasleader", one.number), require ? "true" : "-");
        etcd3_watch_free(watch);
        etcd3_queue_free(queue);
        close_client(client);
    }
}

int main(void)
{
    one = serve("grpc");
    two = serve("grpc");
    RUN(every_call_has_it);
    RUN(a_refused_token_is_renewed_once);
    RUN(many_calls_renew_it_once);
    RUN(a_hopeless_token_is_given_up);
    RUN(a_wrong_password_is_told_and_kept_secret);
    RUN(a_password_for_nothing_does_no_harm);
    RUN(a_static_token_is_sent_as_it_is);
    RUN(a_watch_gets_a_new_stream_for_a_new_token);
    RUN(other_credentials_take_over);
    RUN(waiting_for_a_token_in_vain);
    RUN(streams_require_a_leader);
    return CHECK_DONE();
}
