/* The codes that the library finds by itself: how to get each. */
#ifndef CODES_LOCAL_H
#define CODES_LOCAL_H
#include "scripted.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#define K "k", ETCD3_NTS

/* The last event of a watch of all history of "k"; to be freed. Nothing is taken until `waiting` events are there. */
static etcd3_event_t *end_of(etcd3_client_t *client, etcd3_watch_opts_t *opts, const struct scripted *server, int waiting)
{
    etcd3_queue_t *queue = NULL;
    etcd3_watch_t *watch = NULL;
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    int64_t end = now_ms() + PATIENCE_MS;
    etcd3_watch_opts_set_start_revision(opts, 1);
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err), err);
    while (etcd3_watch_pending_events(watch) < waiting && now_ms() < end)
        asked(server, "Watch");
    do {
        etcd3_event_free(event);
        event = NULL;
        CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    } while (event && etcd3_event_type(event) != ETCD3_EVENT_CLOSED && now_ms() < end);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_CLOSED);
    etcd3_watch_opts_free(opts);
    etcd3_watch_free(watch);
    etcd3_queue_free(queue);
    return event;
}

static etcd3_event_t *end_of_a_watch(etcd3_client_t *client)
{
    return end_of(client, etcd3_watch_opts_new(K), NULL, 0);
}

static void invalid_argument(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_error_t *err = NULL;
    CHECK_CODE(etcd3_put(client, NULL, 1, "v", 1, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "key");
    CHECK_INT(asked(&server, "*"), 0);
    close_client(client);
}

/* A read, and a write, that get what the rule says; the endpoint is named. */
static void shows(const char *kind, const char *rule, etcd3_code_t read, etcd3_code_t write, int64_t timeout_ms)
{
    struct scripted server = serve(kind);
    etcd3_config_t *config = config_of(&server, NULL, timeout_ms);
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_config_set_max_attempts(config, 1);
    client = open_config(config);
    if (rule)
        script(&server, rule);
    CHECK_INT(etcd3_put(client, K, "v", 1, &err), write);
    CHECK_INT(etcd3_error_maybe_applied(err), write == ETCD3_ERR_AMBIGUOUS);
    CHECK(strstr(etcd3_error_message(err), server.endpoint) != NULL);
    etcd3_error_free(err);
    err = NULL;
    CHECK_CODE(etcd3_get(client, K, &r, &err), err, read, server.endpoint);
    close_client(client);
}

static void timeout(void)
{
    /* Long enough for a connection and a request, also where every instruction takes twenty. */
    int64_t limit = env_number("ETCD3_TEST_VALGRIND", 0) ? 3000 : 800;
    shows("grpc", "* * never", ETCD3_ERR_TIMEOUT, ETCD3_ERR_AMBIGUOUS, limit);
}

static void unavailable(void)
{
    struct scripted nobody = serve_nothing();
    etcd3_client_t *client = open_config(config_of(&nobody, NULL, 300));
    etcd3_error_t *err = NULL;
    CHECK_CODE(etcd3_client_wait_connected(client, 300, &err), err, ETCD3_ERR_UNAVAILABLE, nobody.endpoint);
    CHECK_CODE(etcd3_put(client, K, "v", 1, &err), err, ETCD3_ERR_UNAVAILABLE, nobody.endpoint);
    close_client(client);
}

static void ambiguous(void) { shows("grpc", "* * close", ETCD3_ERR_UNAVAILABLE, ETCD3_ERR_AMBIGUOUS, PATIENCE_MS); }

static void protocol(void)
{
    shows("grpc", "* * http 200 text/html <p>hello", ETCD3_ERR_PROTOCOL, ETCD3_ERR_AMBIGUOUS, PATIENCE_MS);
}

static void canceled(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_cancel_t *cancel = etcd3_cancel_new();
    etcd3_op_t *op = etcd3_op_get(K);
    etcd3_error_t *err = NULL;
    etcd3_result_t *r = NULL;
    etcd3_op_set_cancel(op, cancel);
    etcd3_cancel_trigger(cancel);
    CHECK_CODE(etcd3_execute(client, op, &r, &err), err, ETCD3_ERR_CANCELED, "cancel");
    etcd3_op_free(op);
    etcd3_cancel_free(cancel);
    close_client(client);
}

static void closed(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    CHECK_CODE(etcd3_put(client, K, "v", 1, &err), err, ETCD3_ERR_CLOSED, "closed");
    etcd3_client_free(client);
}

static void forked(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_error_t *err = NULL;
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        /* Whatever it inherited must not count as its leak. */
        execl("/bin/sh", "sh", "-c",
              etcd3_put(client, K, "v", 1, &err) == ETCD3_ERR_FORKED && etcd3_error_message(err)[0] ? "exit 0" : "exit 1",
              (char *)NULL);
        _exit(9);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    close_client(client);
}

static void on_alarm(int number) { (void)number; }

static void interrupted(void)
{
    struct sigaction action;
    /* Again and again: the first may come before the wait. */
    struct itimerval soon = {{0, 10000}, {0, 10000}}, never = {{0, 0}, {0, 0}};
    etcd3_queue_t *queue = NULL;
    etcd3_event_t *event = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    CHECK_CODE(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err, ETCD3_ERR_INTERRUPTED, "signal");
    setitimer(ITIMER_REAL, &never, NULL);
    /* One may still be on its way, and by default it ends the process. */
    action.sa_handler = SIG_IGN;
    sigaction(SIGALRM, &action, NULL);
    etcd3_queue_free(queue);
}

static void dispatch_within(const etcd3_event_t *event, void *user_data)
{
    etcd3_queue_t *queue = (etcd3_queue_t *)user_data;
    etcd3_error_t *err = NULL;
    if (etcd3_event_type(event) != ETCD3_EVENT_CLOSED)
        CHECK_CODE(etcd3_queue_dispatch(queue, 0, 0, NULL, &err), err, ETCD3_ERR_BUSY, "queue");
}

static void busy(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(K);
    etcd3_queue_t *queue = NULL;
    etcd3_watch_t *watch = NULL;
    etcd3_error_t *err = NULL;
    size_t ran = 0;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_watch_start(client, opts, queue, dispatch_within, queue, &watch, &err), err);
    CHECK_OK(etcd3_queue_dispatch(queue, 1, PATIENCE_MS, &ran, &err), err);
    CHECK_INT(ran, 1);
    etcd3_watch_opts_free(opts);
    etcd3_watch_free(watch);
    etcd3_queue_free(queue);
    close_client(client);
}

static void no_descriptor_left(void)
{
    struct rlimit before, none;
    etcd3_queue_t *queue = NULL;
    etcd3_error_t *err = NULL;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK_CODE(etcd3_queue_new(&queue, &err), err, ETCD3_ERR_SYSTEM, "");
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* The peer answers a TLS greeting with something else. */
static void no_tls_there(void)
{
    struct scripted server = serve("grpc");
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client;
    etcd3_error_t *err = NULL;
    char url[60];
    snprintf(url, sizeof url, "https://%s", server.endpoint);
    etcd3_config_add_endpoint(config, url);
    etcd3_config_set_timeout(config, PATIENCE_MS);
    client = open_config(config);
    CHECK_CODE(etcd3_client_wait_connected(client, PATIENCE_MS, &err), err, ETCD3_ERR_TLS, server.endpoint);
    CHECK_CODE(etcd3_put(client, K, "v", 1, &err), err, ETCD3_ERR_TLS, server.endpoint);
    close_client(client);
}

static void another_cluster(void)
{
    struct scripted one = serve("grpc"), two = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&one, &two, PATIENCE_MS));
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    ask("identity %d 77 7 2", two.number);
    ask("stop %d", two.number);
    CHECK_OK(etcd3_get(client, K, &r, &err), err);
    etcd3_result_free(r);
    ask("start %d", two.number);
    ask("stop %d", one.number);
    CHECK_CODE(etcd3_get(client, K, &r, &err), err, ETCD3_ERR_CLUSTER_MISMATCH, two.endpoint);
    close_client(client);
}

/* A server that ends a snapshot before its checksum. */
static void half_a_snapshot(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_error_t *err = NULL;
    int null = open("/dev/null", O_WRONLY);
    script(&server, "Snapshot * headers | message hex 1a03616263 | trailers 0");
    CHECK_CODE(etcd3_snapshot_to_fd(client, NULL, null, -1, NULL, NULL, &err), err, ETCD3_ERR_SNAPSHOT_CORRUPT,
               server.endpoint);
    close(null);
    close_client(client);
}

static void fallen_behind(void)
{
    struct scripted server = serve("grpc");
    etcd3_config_t *config = config_of(&server, NULL, PATIENCE_MS);
    etcd3_client_t *client;
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_set_ordering(config, 1);
    client = open_config(config);
    ask("identity %d 7 1 10", server.number);
    put(client, "k", "v");
    ask("identity %d 7 1 9", server.number);
    CHECK_CODE(etcd3_get(client, K, &r, &err), err, ETCD3_ERR_NO_GREATER_REVISION, "10");
    close_client(client);
}

static void lease_lost(void)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_lease_t *lease = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_lease_open(client, 60, 0, NULL, NULL, NULL, &lease, &err), err);
    CHECK_OK(etcd3_lease_revoke(lease, &err), err);
    CHECK_CODE(etcd3_lease_refresh(lease, &err), err, ETCD3_ERR_LEASE_LOST, "revoked");
    etcd3_lease_free(lease);
    close_client(client);
}

/* A lock and an election of a session, with a server that first says yes to all. */
struct contest {
    struct scripted server;
    etcd3_client_t *client;
    etcd3_session_t *session;
    etcd3_lock_t *lock;
    etcd3_election_t *election;
};

static void contest_begin(struct contest *c)
{
    etcd3_error_t *err = NULL;
    c->server = serve("grpc");
    c->client = open_config(config_of(&c->server, NULL, PATIENCE_MS));
    CHECK_OK(etcd3_session_open(c->client, 60, 0, NULL, NULL, NULL, &c->session, &err), err);
    CHECK_OK(etcd3_lock_new(c->session, K, &c->lock, &err), err);
    CHECK_OK(etcd3_election_new(c->session, K, &c->election, &err), err);
}

static void contest_end(struct contest *c)
{
    etcd3_lock_free(c->lock);
    etcd3_election_free(c->election);
    etcd3_session_free(c->session);
    close_client(c->client);
}

static void lock_lost(void)
{
    struct contest c;
    etcd3_error_t *err = NULL;
    contest_begin(&c);
    CHECK_OK(etcd3_lock_acquire(c.lock, PATIENCE_MS, &err), err);
    script(&c.server, "Txn * message not-held");
    CHECK_CODE(etcd3_lock_put(c.lock, K, "v", 1, &err), err, ETCD3_ERR_LOCK_LOST, "deleted");
    contest_end(&c);
}

static void locked(void)
{
    struct contest c;
    etcd3_error_t *err = NULL;
    contest_begin(&c);
    script(&c.server, "Txn * message not-held");
    CHECK_CODE(etcd3_barrier_hold(c.client, K, &err), err, ETCD3_ERR_LOCKED, "barrier");
    contest_end(&c);
}

static void not_held(void)
{
    struct contest c;
    etcd3_error_t *err = NULL;
    contest_begin(&c);
    CHECK_CODE(etcd3_lock_release(c.lock, &err), err, ETCD3_ERR_NOT_HELD, "lock");
    contest_end(&c);
}

static void not_elected(void)
{
    struct contest c;
    etcd3_error_t *err = NULL;
    contest_begin(&c);
    CHECK_CODE(etcd3_election_proclaim(c.election, "v", 1, &err), err, ETCD3_ERR_NOT_ELECTED, "election");
    contest_end(&c);
}

static void nobody_elected(void)
{
    struct contest c;
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    contest_begin(&c);
    CHECK_CODE(etcd3_election_leader(c.client, K, &r, &err), err, ETCD3_ERR_NO_ELECTED_LEADER, "nobody");
    contest_end(&c);
}

static int32_t read_then(etcd3_stm_t *stm, void *decision)
{
    const uint8_t *value = NULL;
    size_t len = 0;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_stm_get(stm, K, &value, &len, &err), err);
    return *(const int32_t *)decision;
}

static void conflict(void)
{
    struct contest c;
    int32_t decision = ETCD3_STM_COMMIT;
    etcd3_error_t *err = NULL;
    contest_begin(&c);
    script(&c.server, "Txn * message not-held");
    CHECK_CODE(etcd3_stm_run(c.client, 0, 3, 0, read_then, &decision, NULL, &err), err, ETCD3_ERR_CONFLICT, "3 times");
    CHECK_INT(asked(&c.server, "Txn"), 3);
    contest_end(&c);
}

static void aborted(void)
{
    struct contest c;
    int32_t decision = ETCD3_STM_ABORT;
    etcd3_error_t *err = NULL;
    contest_begin(&c);
    CHECK_CODE(etcd3_stm_run(c.client, 0, 3, 0, read_then, &decision, NULL, &err), err, ETCD3_ERR_ABORTED, "fn");
    CHECK_INT(asked(&c.server, "Txn"), 0);
    contest_end(&c);
}

/* The watch ends as the rules make it. */
static void ends_a_watch(etcd3_watch_opts_t *opts, const char *const *rules, int waiting, etcd3_code_t code)
{
    struct scripted server = serve("grpc");
    etcd3_client_t *client = open_config(config_of(&server, NULL, PATIENCE_MS));
    etcd3_event_t *event;
    for (; *rules; rules++)
        script(&server, *rules);
    event = end_of(client, opts, &server, waiting);
    CHECK_INT(etcd3_error_code(etcd3_event_error(event)), code);
    CHECK(etcd3_event_resume_revision(event) > 0);
    etcd3_event_free(event);
    close_client(client);
}

static void slow_consumer(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 put=k,v,5 put=k,v,6 put=k,v,7 put=k,v,8 "
        "put=k,v,9 put=k,v,10 put=k,v,11 put=k,v,12 put=k,v,13 put=k,v,14 put=k,v,15 put=k,v,16 put=k,v,17 put=k,v,18 "
        "put=k,v,19 put=k,v,20 put=k,v,21 put=k,v,22 put=k,v,23 put=k,v,24 put=k,v,25 put=k,v,26 put=k,v,27 put=k,v,28 "
        "put=k,v,29 put=k,v,30 | message watch id=1 put=k,v,31 | never", NULL};
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(K);
    etcd3_watch_opts_set_buffer(opts, 1, ETCD3_OVERFLOW_FAIL);
    ends_a_watch(opts, rules, 3, ETCD3_ERR_SLOW_CONSUMER);
}

static void response_too_large(void)
{
    static const char *const rules[] = {
        "Watch 1 headers | recv | message watch id=1 created | message watch id=1 fragment put=k,v,5 | never", NULL};
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(K);
    etcd3_watch_opts_set_max_response_bytes(opts, 1);
    ends_a_watch(opts, rules, 0, ETCD3_ERR_RESPONSE_TOO_LARGE);
}

/* The header of a plain answer to a read says revision 1. */
static void revision_regressed(void)
{
    static const char *const rules[] = {
        "Range * headers | message hex 0a0418012004 | trailers 0",
        "Watch 1 headers | recv | message watch id=1 created revision=50 | message watch id=1 put=k,v,50 revision=50 | close",
        "Watch 1 headers | recv | message watch id=1 created revision=20 | never", NULL};
    ends_a_watch(etcd3_watch_opts_new(K), rules, 0, ETCD3_ERR_REVISION_REGRESSED);
}

static const struct local_row {
    etcd3_code_t code;
    const char *name;
    void (*show)(void);
} local_rows[] = {
#define LOCAL(code, show) {code, #code, show}
    LOCAL(ETCD3_ERR_INVALID_ARGUMENT, invalid_argument),
    LOCAL(ETCD3_ERR_TIMEOUT, timeout),
    LOCAL(ETCD3_ERR_CANCELED, canceled),
    LOCAL(ETCD3_ERR_UNAVAILABLE, unavailable),
    LOCAL(ETCD3_ERR_CLOSED, closed),
    LOCAL(ETCD3_ERR_FORKED, forked),
    LOCAL(ETCD3_ERR_INTERRUPTED, interrupted),
    LOCAL(ETCD3_ERR_BUSY, busy),
    LOCAL(ETCD3_ERR_AMBIGUOUS, ambiguous),
    LOCAL(ETCD3_ERR_PROTOCOL, protocol),
    LOCAL(ETCD3_ERR_SYSTEM, no_descriptor_left),
    LOCAL(ETCD3_ERR_TLS, no_tls_there),
    LOCAL(ETCD3_ERR_CLUSTER_MISMATCH, another_cluster),
    LOCAL(ETCD3_ERR_LEASE_LOST, lease_lost),
    LOCAL(ETCD3_ERR_SNAPSHOT_CORRUPT, half_a_snapshot),
    LOCAL(ETCD3_ERR_NO_GREATER_REVISION, fallen_behind),
    LOCAL(ETCD3_ERR_LOCK_LOST, lock_lost),
    LOCAL(ETCD3_ERR_LOCKED, locked),
    LOCAL(ETCD3_ERR_NOT_HELD, not_held),
    LOCAL(ETCD3_ERR_NOT_ELECTED, not_elected),
    LOCAL(ETCD3_ERR_NO_ELECTED_LEADER, nobody_elected),
    LOCAL(ETCD3_ERR_CONFLICT, conflict),
    LOCAL(ETCD3_ERR_ABORTED, aborted),
    LOCAL(ETCD3_ERR_SLOW_CONSUMER, slow_consumer),
    LOCAL(ETCD3_ERR_RESPONSE_TOO_LARGE, response_too_large),
    LOCAL(ETCD3_ERR_REVISION_REGRESSED, revision_regressed),
    /* Would be a bug: nothing may show it. */
    LOCAL(ETCD3_ERR_INTERNAL, NULL),
};

enum { LOCAL_ROWS = sizeof local_rows / sizeof *local_rows };

#endif
