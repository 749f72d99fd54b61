/* What becomes of a call whose answer is lost, late or garbled: reads are asked again, a write never twice unless it
   certainly was not executed. */
#include "scripted.h"

#define K "k", 1

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

/* The whole of what may have reached a server, and then nothing comes, or no answer that says what happened. */
static const char *const losses[] = {
    "close", "abort", "headers | close", "headers | raw 0000000020ff | close", "cut 3 | ok",
    "headers | cut 20 | message ok", "reset INTERNAL_ERROR", "reset CANCEL", "reset NO_ERROR",
    "headers | reset INTERNAL_ERROR", "goaway here NO_ERROR | close", "goaway here INTERNAL_ERROR | close",
    "status 14 etcdserver: request timed out", "status 14 etcdserver: server stopped",
    "status 14 etcdserver: leader changed", "status 14 upstream gone", "status 13 something internal",
    "status 1 context canceled", "http 503 text/html <p>proxy", "http 502 application/grpc",
    "headers | message ok | reset INTERNAL_ERROR"};
enum { LOSSES = sizeof losses / sizeof *losses };

static void a_write_is_sent_once(void)
{
    size_t i;
    for (i = 0; i < LOSSES; i++) {
        char rule[200];
        etcd3_error_t *err = NULL;
        int put_code, delete_code, applied;
        snprintf(rule, sizeof rule, "* * %s", losses[i]);
        both(rule);
        put_code = etcd3_put(client, K, "v", 1, &err);
        applied = etcd3_error_maybe_applied(err);
        etcd3_error_free(err);
        err = NULL;
        delete_code = etcd3_delete(client, K, NULL, &err);
        snprintf(rule, sizeof rule, "\"%s\": a put gave %s and came %lld times, a delete %s and %lld", losses[i],
                 etcd3_code_name(put_code), asked_both("Put"), etcd3_code_name(delete_code),
                 asked_both("DeleteRange"));
        check_that(put_code == ETCD3_ERR_AMBIGUOUS && applied && delete_code == ETCD3_ERR_AMBIGUOUS &&
                       etcd3_error_maybe_applied(err) && !etcd3_error_is_retryable(err) &&
                       asked_both("Put") == 1 && asked_both("DeleteRange") == 1,
                   rule, __FILE__, __LINE__);
        etcd3_error_free(err);
    }
}

static void a_write_without_an_answer_ends_at_its_limit(void)
{
    etcd3_op_t *op = etcd3_op_put(K, "v", 1);
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    int64_t began;
    both("* * never");
    etcd3_op_set_timeout(op, 300);
    began = now_ms();
    CHECK_CODE(etcd3_execute(client, op, &r, &err), err, ETCD3_ERR_AMBIGUOUS, "127.0.0.1:");
    CHECK(now_ms() - began >= 290 && now_ms() - began < 400 + SLACK_MS);
    CHECK_INT(asked_both("Put"), 1);
    etcd3_op_free(op);
}

/* No server has executed these. */
static const char *const refusals[] = {
    "reset REFUSED_STREAM", "goaway below NO_ERROR | never", "goaway below NO_ERROR | close",
    "goaway below ENHANCE_YOUR_CALM too_many_pings | close"};
enum { REFUSALS = sizeof refusals / sizeof *refusals };

static void a_refused_write_is_sent_again(void)
{
    size_t i;
    for (i = 0; i < REFUSALS; i++) {
        char rule[200];
        etcd3_error_t *err = NULL;
        int code;
        snprintf(rule, sizeof rule, "* 1 %s", refusals[i]);
        both(rule);
        code = etcd3_put(client, K, "v", 1, &err);
        snprintf(rule, sizeof rule, "\"%s\": a put gave %s (%s) and came %lld times", refusals[i],
                 etcd3_code_name(code), etcd3_error_message(err), asked_both("Put"));
        check_that(code == ETCD3_OK && asked_both("Put") >= 2 && asked_both("Put") <= 3, rule, __FILE__, __LINE__);
        etcd3_error_free(err);
    }
}

/* Calls until the first server was asked too, which refuses; the caller notices nothing. */
static void goes_elsewhere(const char *refusal, const char *method)
{
    char rule[200];
    int calls = 0;
    forget(&one);
    forget(&two);
    snprintf(rule, sizeof rule, "%s 1 %s", method, refusal);
    script(&one, rule);
    while (!asked(&one, method) && calls < 10) {
        etcd3_error_t *err = NULL;
        etcd3_result_t *r = NULL;
        if (strcmp(method, "Put") == 0) {
            CHECK_OK(etcd3_put(client, K, "v", 1, &err), err);
        } else {
            CHECK_OK(etcd3_get(client, K, &r, &err), err);
            etcd3_result_free(r);
        }
        calls++;
    }
    CHECK_INT(asked_both(method), calls + 1);
}

static void what_one_member_cannot_do_another_one_does(void)
{
    static const char *const limits[] = {
        "status 14 etcdserver: no leader", "status 14 etcdserver: rpc not supported for learner",
        "status 9 etcdserver: rpc not supported for learner", "trailers 9 etcdserver: rpc not supported for learner"};
    size_t i;
    for (i = 0; i < sizeof limits / sizeof *limits; i++) {
        /* The library keeps away from such a member for a while: each time with others. */
        struct scripted first = one, second = two;
        etcd3_client_t *former = client;
        one = serve("grpc");
        two = serve("grpc");
        client = open_config(config_of(&one, &two, 5000));
        goes_elsewhere(limits[i], "Put");
        close_client(client);
        client = open_config(config_of(&one, &two, 5000));
        goes_elsewhere(limits[i], "Range");
        close_client(client);
        one = first;
        two = second;
        client = former;
    }
}

static void a_refused_write_that_stays_refused_was_not_applied(void)
{
    etcd3_op_t *op = etcd3_op_put(K, "v", 1);
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    etcd3_code_t code;
    int64_t began;
    int tries = 0;
    etcd3_op_set_timeout(op, 500);
    both("* * status 14 etcdserver: no leader");
    /* If the limit comes not in a pause but while it has just been sent, nobody knows. */
    do {
        etcd3_error_free(err);
        err = NULL;
        began = now_ms();
        code = etcd3_execute(client, op, &r, &err);
    } while (code == ETCD3_ERR_AMBIGUOUS && ++tries < 10);
    CHECK_INT(code, ETCD3_ERR_NO_LEADER);
    CHECK_INT(etcd3_error_maybe_applied(err), 0);
    CHECK_INT(etcd3_error_is_retryable(err), 1);
    CHECK(now_ms() - began < 600 + SLACK_MS);
    etcd3_error_free(err);
    etcd3_op_free(op);
}

/* With nowhere else to go, what a learner says is the answer. */
static void a_lone_learner_is_not_asked_again(void)
{
    etcd3_client_t *lone = open_config(config_of(&one, NULL, 2000));
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    int grpc;
    for (grpc = 9; grpc <= 14; grpc += 5) { /* as 3.5 says it, and 3.4 */
        forget(&one);
        ask("on %d * * status %d etcdserver: rpc not supported for learner", one.number, grpc);
        CHECK_CODE(etcd3_put(lone, K, "v", 1, &err), err, ETCD3_ERR_NOT_SUPPORTED_FOR_LEARNER, "learner");
        CHECK_INT(asked(&one, "Put"), 1);
        CHECK_CODE(etcd3_get(lone, K, &r, &err), err, ETCD3_ERR_NOT_SUPPORTED_FOR_LEARNER, "learner");
        CHECK_INT(asked(&one, "Range"), 1);
    }
    close_client(lone);
}

/* A put that wants a revision is sent again; that it was done is then seen by the value, that it was not by the
   revision. */
static void a_guarded_write_is_sent_again(void)
{
    static const struct {
        const char *answer;
        etcd3_code_t code;
        int succeeded;
    } rows[] = {{"ok", ETCD3_OK, 1},
                {"message not-held k v 900 | trailers 0", ETCD3_OK, 1},
                {"message not-held k w 2 | trailers 0", ETCD3_OK, 0},
                {"message not-held k w 900 | trailers 0", ETCD3_ERR_AMBIGUOUS, -1},
                {"message not-held | trailers 0", ETCD3_ERR_AMBIGUOUS, -1}};
    static const char *const faults[] = {"close", "status 14 etcdserver: leader changed"};
    size_t i, j;
    ask("identity %d 1 1 10", one.number);
    ask("identity %d 1 2 10", two.number);
    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        for (j = 0; j < 2; j++) {
            char rule[200], text[300];
            int succeeded = -1;
            etcd3_error_t *err = NULL;
            long long before = etcd3_client_counter(client, "ambiguous");
            snprintf(rule, sizeof rule, "Txn 1 %s", faults[j]);
            both(rule);
            snprintf(rule, sizeof rule, "Txn * %s", rows[i].answer);
            script(&one, rule);
            script(&two, rule);
            etcd3_put_if_revision(client, K, 7, "v", 1, &succeeded, &err);
            snprintf(text, sizeof text, "%s, then %s: %s, succeeded %d, sent %lld times", faults[j], rows[i].answer,
                     etcd3_code_name(etcd3_error_code(err)), succeeded, asked_both("Txn"));
            check_that(etcd3_error_code(err) == rows[i].code && succeeded == rows[i].succeeded &&
                           etcd3_error_maybe_applied(err) == (rows[i].code != ETCD3_OK) && asked_both("Txn") >= 2 &&
                           asked_both("Txn") <= 3,
                       text, __FILE__, __LINE__);
            CHECK_INT(etcd3_client_counter(client, "ambiguous") - before, rows[i].code != ETCD3_OK);
            etcd3_error_free(err);
        }
    ask("identity %d 1 1 1", one.number);
    ask("identity %d 1 2 1", two.number);
}

static void synced(const char *urls, etcd3_client_t *lone, etcd3_code_t code, const char *text)
{
    etcd3_error_t *err = NULL;
    forget(&one);
    forget(&two);
    ask("on %d MemberList 1 message members %s | trailers 0", one.number, urls);
    if (code == ETCD3_OK)
        CHECK_OK(etcd3_client_sync(lone, &err), err);
    else
        CHECK_CODE(etcd3_client_sync(lone, &err), err, code, text);
    CHECK_INT(asked(&one, "MemberList"), 1);
}

/* Who has not started, or is a learner, is no endpoint; and a list without one changes nothing. */
static void a_sync_takes_started_members_that_vote(void)
{
    char urls[300];
    int i;
    etcd3_client_t *lone = open_config(config_of(&one, NULL, 3000));
    synced("-http://127.0.0.1:1 ~http://127.0.0.1:2", lone, ETCD3_ERR_PROTOCOL, "no member");
    snprintf(urls, sizeof urls, "-http://127.0.0.1:1 http://%s ~http://127.0.0.1:2", two.endpoint);
    synced(urls, lone, ETCD3_OK, "");
    for (i = 0; i < 3; i++) {
        etcd3_error_t *err = NULL;
        CHECK_OK(etcd3_put(lone, K, "v", 1, &err), err);
    }
    CHECK_INT(asked(&two, "Put"), 3);
    CHECK_INT(asked(&one, "Put"), 0);
    close_client(lone);
}

static void a_read_is_asked_again(void)
{
    size_t i;
    for (i = 0; i < LOSSES + REFUSALS; i++) {
        const char *fault = i < LOSSES ? losses[i] : refusals[i - LOSSES];
        char rule[200];
        etcd3_error_t *err = NULL;
        etcd3_result_t *r = NULL;
        int code;
        if (strstr(fault, "status 13") || strstr(fault, "status 1 ") || strstr(fault, "http"))
            continue; /* whether these pass by nobody knows */
        snprintf(rule, sizeof rule, "* 2 %s", fault);
        both(rule);
        code = etcd3_get(client, K, &r, &err);
        snprintf(rule, sizeof rule, "\"%s\" twice each: a get gave %s (%s) and came %lld times", fault,
                 etcd3_code_name(code), etcd3_error_message(err), asked_both("Range"));
        check_that(code == ETCD3_OK && asked_both("Range") >= 2 && asked_both("Range") <= 5, rule, __FILE__,
                   __LINE__);
        etcd3_error_free(err);
        etcd3_result_free(r);
    }
}

/* The limit ends a read in a pause, or during an attempt: the code names it, or what went before. */
static void check_stopped(etcd3_code_t code, etcd3_error_t **err)
{
    CHECK(code == ETCD3_ERR_LEADER_CHANGED || code == ETCD3_ERR_TIMEOUT);
    CHECK(strstr(etcd3_error_message(*err), "leader changed") != NULL);
    CHECK_INT(etcd3_error_is_retryable(*err), 1);
    etcd3_error_free(*err);
    *err = NULL;
}

static void a_read_is_asked_again_until_its_limit(void)
{
    etcd3_op_t *op = etcd3_op_get(K);
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    int64_t began = now_ms();
    both("* * status 14 etcdserver: leader changed");
    etcd3_op_set_timeout(op, 1000);
    check_stopped(etcd3_execute(client, op, &r, &err), &err);
    CHECK(now_ms() - began >= 400 && now_ms() - began < 1100 + SLACK_MS);
    CHECK(asked_both("Range") >= 4);
    CHECK(asked(&one, "Range") && asked(&two, "Range"));
    /* What no repetition mends is not repeated. */
    both("* * status 11 etcdserver: mvcc: required revision has been compacted");
    CHECK_CODE(etcd3_execute(client, op, &r, &err), err, ETCD3_ERR_COMPACTED, "compacted");
    CHECK_INT(asked_both("Range"), 1);
    etcd3_op_free(op);
}

static void no_more_attempts_than_allowed(void)
{
    etcd3_config_t *config = config_of(&one, &two, PATIENCE_MS);
    etcd3_client_t *few;
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_set_max_attempts(config, 3);
    few = open_config(config);
    both("* * close");
    CHECK_CODE(etcd3_get(few, K, &r, &err), err, ETCD3_ERR_UNAVAILABLE, "3 attempts");
    CHECK_INT(asked_both("Range"), 3);
    close_client(few);
}

static long long timeout_ms(const struct scripted *server, const char *method, long long i)
{
    char unit = 0;
    long long n = 0;
    if (sscanf(ask("header %d %s %lld grpc-timeout", server->number, method, i), "%lld%c", &n, &unit) != 2)
        return -1;
    return unit == 'n' ? n / 1000000 : unit == 'u' ? n / 1000 : unit == 'm' ? n : unit == 'S' ? n * 1000 : -1;
}

/* One limit for all attempts, and every server knows what is left of it. */
static void the_limit_is_told_and_shrinks(void)
{
    etcd3_client_t *lone = open_config(config_of(&one, NULL, 1500));
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    long long i, n, last;
    forget(&one);
    script(&one, "Range * delay 20 | status 14 etcdserver: leader changed");
    check_stopped(etcd3_get(lone, K, &r, &err), &err);
    n = asked(&one, "Range");
    CHECK(n >= 4);
    last = timeout_ms(&one, "Range", 0);
    CHECK(last > 500 && last <= 1500);
    for (i = 1; i < n; i++) {
        long long left = timeout_ms(&one, "Range", i);
        CHECK(left > 0 && left < last);
        last = left;
    }
    CHECK_OK(etcd3_put(lone, K, "v", 1, &err), err);
    last = timeout_ms(&one, "Put", 0);
    CHECK(last > 500 && last <= 1500);
    close_client(lone);
}

/* Nothing of this is an answer of etcd. */
static void garbled_answers(void)
{
    static const char *const garbled[] = {
        "headers | raw 0100000000 | trailers 0",       /* compressed */
        "headers | raw 0000000005ff | trailers 0",     /* shorter than it says */
        "headers | raw 0000000001ffff | trailers 0",   /* longer */
        "headers | raw 000000 | trailers 0",           /* no whole prefix */
        "headers | message hex ffffffffff | trailers 0", /* no protobuf */
        "message ok | message ok | trailers 0",        /* two for one */
        "headers | trailers 0", "status 0", "content-type text/html | message ok | trailers 0",
        "http 200 text/html <p>hello", "http 200 application/grpc"};
    size_t i;
    for (i = 0; i < sizeof garbled / sizeof *garbled; i++) {
        char rule[200];
        etcd3_error_t *err = NULL;
        etcd3_result_t *r = NULL;
        int read, write;
        snprintf(rule, sizeof rule, "* * %s", garbled[i]);
        both(rule);
        read = etcd3_get(client, K, &r, &err);
        check_that(read != ETCD3_ERR_PROTOCOL || strstr(etcd3_error_message(err), "127.0.0.1:"), garbled[i], __FILE__,
                   __LINE__);
        etcd3_error_free(err);
        err = NULL;
        write = etcd3_put(client, K, "v", 1, &err);
        snprintf(rule, sizeof rule, "\"%s\": a get gave %s, a put %s", garbled[i], etcd3_code_name(read),
                 etcd3_code_name(write));
        check_that(read == ETCD3_ERR_PROTOCOL && write == ETCD3_ERR_AMBIGUOUS && asked_both("Put") == 1, rule,
                   __FILE__, __LINE__);
        etcd3_error_free(err);
    }
}

/* A read that hangs goes to another endpoint, a write does not. */
static void only_reads_are_hedged(void)
{
    etcd3_config_t *config = config_of(&one, &two, 3000);
    etcd3_client_t *hedging;
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    int64_t end = now_ms() + PATIENCE_MS;
    etcd3_config_set_hedge_after(config, 100);
    hedging = open_config(config);
    forget(&one);
    forget(&two);
    script(&one, "* * never");
    /* One that took the client's limit would fail. */
    while (!asked(&one, "Range") && now_ms() < end) {
        CHECK_OK(etcd3_get(hedging, K, &r, &err), err);
        etcd3_result_free(r);
    }
    CHECK(asked(&one, "Range") >= 1);
    CHECK(etcd3_client_counter(hedging, "hedges") >= 1);
    both("* * never");
    CHECK_CODE(etcd3_put(hedging, K, "v", 1, &err), err, ETCD3_ERR_AMBIGUOUS, "127.0.0.1:");
    CHECK_INT(asked_both("Put"), 1);
    close_client(hedging);
}

static void a_client_survives_a_goodbye(void)
{
    etcd3_client_t *lone = open_config(config_of(&one, NULL, PATIENCE_MS));
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    forget(&one);
    CHECK_OK(etcd3_put(lone, K, "v", 1, &err), err);
    ask("goaway %d 2147483647 NO_ERROR", one.number);
    CHECK_OK(etcd3_put(lone, K, "v", 1, &err), err);
    ask("drop %d", one.number);
    CHECK_OK(etcd3_get(lone, K, &r, &err), err);
    etcd3_result_free(r);
    close_client(lone);
}

int main(void)
{
    etcd3_config_t *config;
    one = serve("grpc");
    two = serve("grpc");
    config = config_of(&one, &two, 5000);
    etcd3_config_set_hedge_after(config, 0);
    client = open_config(config);
    RUN(a_write_is_sent_once);
    RUN(a_write_without_an_answer_ends_at_its_limit);
    RUN(a_refused_write_is_sent_again);
    RUN(what_one_member_cannot_do_another_one_does);
    RUN(a_refused_write_that_stays_refused_was_not_applied);
    RUN(a_lone_learner_is_not_asked_again);
    RUN(a_guarded_write_is_sent_again);
    RUN(a_sync_takes_started_members_that_vote);
    RUN(a_read_is_asked_again);
    RUN(a_read_is_asked_again_until_its_limit);
    RUN(no_more_attempts_than_allowed);
    RUN(the_limit_is_told_and_shrinks);
    RUN(garbled_answers);
    RUN(only_reads_are_hedged);
    RUN(a_client_survives_a_goodbye);
    close_client(client);
    return CHECK_DONE();
}
