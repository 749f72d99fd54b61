/* Leases, against servers that answer by script: lost answers, silent and broken streams, refusals. */
#include "holding.h"
#include "scripted.h"

static struct scripted one, two;
static etcd3_error_t *err;

/* How late a timer may be. */
#define LATE_MS (100 + SLACK_MS)
/* Long enough for a connection and a request, also where every instruction takes twenty. */
#define LIMIT_MS (env_number("ETCD3_TEST_VALGRIND", 0) ? 3000 : 800)

static long long asked_both(const char *method) { return asked(&one, method) + asked(&two, method); }

static void both(const char *rule)
{
    script(&one, rule);
    script(&two, rule);
}

static etcd3_client_t *client_of(const struct scripted *second, int64_t timeout_ms)
{
    forget(&one);
    forget(&two);
    return open_config(config_of(&one, second, timeout_ms));
}

static etcd3_lease_t *open_id(etcd3_client_t *client, int64_t ttl_s, int64_t id, struct holding *h)
{
    etcd3_lease_t *lease = NULL;
    hold(h);
    CHECK_OK(etcd3_lease_open(client, ttl_s, id, NULL, on_holding, h, &lease, &err), err);
    return lease;
}

/* Waits for a renewal that brings it back to all its time, or nearly. */
static void await_renewal(const etcd3_client_t *client, int64_t number)
{
    int64_t end = now_ms() + PATIENCE_MS;
    while (etcd3_client_counter(client, "lease_renewals") < number && now_ms() < end) {
        struct timespec rest = {0, 5 * 1000000};
        nanosleep(&rest, NULL);
    }
    CHECK(etcd3_client_counter(client, "lease_renewals") >= number);
}

/* The id in hex, as it stands in the request after a time to live below 128. */
static void id_in(const struct scripted *server, const char *method, int index, char *id)
{
    const char *body = ask("body %d %s %d", server->number, method, index);
    snprintf(id, 40, "%s", strcmp(method, "LeaseGrant") == 0 ? body + 6 : body + 2);
}

static void a_lost_grant_is_asked_for_again_and_found(void)
{
    etcd3_client_t *client = client_of(NULL, PATIENCE_MS);
    char first[40], second[40];
    int64_t id = 0, ttl = 0;
    script(&one, "LeaseGrant 1 close");
    script(&one, "LeaseGrant 1 status 9 etcdserver: lease already exists");
    script(&one, "LeaseTimeToLive 1 message lease 44 45");
    CHECK_OK(etcd3_lease_grant(client, 45, 0, &id, &ttl, &err), err);
    CHECK(id > 0);
    CHECK_INT(ttl, 45);
    CHECK_INT(asked(&one, "LeaseGrant"), 2);
    id_in(&one, "LeaseGrant", 0, first);
    id_in(&one, "LeaseGrant", 1, second);
    CHECK(strlen(first) > 10);
    CHECK_STR(first, second);
    close_client(client);
}

/* What may have been granted does not stay behind. */
static void a_failed_grant_is_cleaned_up_after(void)
{
    etcd3_client_t *client = client_of(NULL, LIMIT_MS);
    struct holding h;
    etcd3_lease_t *lease = NULL;
    char granted[40], revoked[40];
    hold(&h);
    script(&one, "LeaseGrant 1 never");
    CHECK_CODE(etcd3_lease_open(client, 45, 0, NULL, on_holding, &h, &lease, &err), err, ETCD3_ERR_TIMEOUT,
               one.endpoint);
    CHECK(lease == NULL);
    ask("await %d LeaseRevoke 1", one.number);
    id_in(&one, "LeaseGrant", 0, granted);
    id_in(&one, "LeaseRevoke", 0, revoked);
    CHECK_STR(revoked, granted);
    /* A refusal leaves nothing to clean up. */
    script(&one, "LeaseGrant 1 status 11 etcdserver: too large lease TTL");
    CHECK_CODE(etcd3_lease_grant(client, 45, 0, NULL, NULL, &err), err, ETCD3_ERR_LEASE_TTL_TOO_LARGE, "too large");
    CHECK_OK(etcd3_put(client, "k", 1, "v", 1, &err), err);
    CHECK_INT(asked(&one, "LeaseRevoke"), 1);
    CHECK_INT(told(&h), 0);
    close_client(client);
}

/* Whose it is cannot be known if the caller chose the id. */
static void a_lost_grant_of_a_chosen_id_is_ambiguous(void)
{
    etcd3_client_t *client = client_of(NULL, PATIENCE_MS);
    script(&one, "LeaseGrant 1 close");
    script(&one, "LeaseGrant 1 status 9 etcdserver: lease already exists");
    CHECK_CODE(etcd3_lease_grant(client, 45, 77, NULL, NULL, &err), err, ETCD3_ERR_AMBIGUOUS, "already exists");
    CHECK_OK(etcd3_put(client, "k", 1, "v", 1, &err), err);
    CHECK_INT(asked(&one, "LeaseRevoke"), 0);
    script(&one, "LeaseGrant 1 status 9 etcdserver: lease already exists");
    CHECK_CODE(etcd3_lease_grant(client, 45, 77, NULL, NULL, &err), err, ETCD3_ERR_LEASE_EXISTS, "already exists");
    close_client(client);
}

static void a_lost_revocation_is_tried_again(void)
{
    etcd3_client_t *client = client_of(NULL, PATIENCE_MS);
    script(&one, "LeaseRevoke 1 close");
    script(&one, "LeaseRevoke 1 status 5 etcdserver: requested lease not found");
    CHECK_OK(etcd3_lease_revoke_id(client, 77, &err), err);
    CHECK_INT(asked(&one, "LeaseRevoke"), 2);
    script(&one, "LeaseRevoke 1 status 5 etcdserver: requested lease not found");
    CHECK_CODE(etcd3_lease_revoke_id(client, 77, &err), err, ETCD3_ERR_LEASE_NOT_FOUND, "not found");
    close_client(client);
}

static void one_renewal_goes_elsewhere_too(void)
{
    etcd3_client_t *client;
    int64_t ttl = 0, start;
    client = client_of(&two, PATIENCE_MS);
    script(&one, "LeaseKeepAlive * never");
    script(&two, "LeaseKeepAlive 1 recv | status 14 etcdserver: no leader");
    script(&two, "LeaseKeepAlive * renew 33");
    start = now_ms();
    CHECK_OK(etcd3_lease_keep_alive_once(client, 77, &ttl, &err), err);
    CHECK_INT(ttl, 33);
    CHECK(now_ms() - start <= 1500 + LATE_MS);
    CHECK_STR(ask("header %d LeaseKeepAlive 0 hasleader", two.number), "true");
    close_client(client);
    client = client_of(NULL, LIMIT_MS);
    script(&one, "LeaseKeepAlive 1 renew 0");
    CHECK_CODE(etcd3_lease_keep_alive_once(client, 77, &ttl, &err), err, ETCD3_ERR_LEASE_NOT_FOUND, "not found");
    script(&one, "LeaseKeepAlive 1 renew 9 77");
    CHECK_CODE(etcd3_lease_keep_alive_once(client, 77, &ttl, &err), err, ETCD3_ERR_PERMISSION_DENIED, "denied");
    script(&one, "LeaseKeepAlive * recv | status 14 etcdserver: no leader");
    start = now_ms();
    CHECK_CODE(etcd3_lease_keep_alive_once(client, 77, &ttl, &err), err, ETCD3_ERR_TIMEOUT, "no leader");
    CHECK(now_ms() - start <= LIMIT_MS + LATE_MS);
    close_client(client);
}

static void an_unknown_lease_is_gone(void)
{
    etcd3_client_t *client = client_of(&two, PATIENCE_MS);
    struct holding h;
    etcd3_lease_t *lease;
    both("LeaseGrant * message granted 3");
    both("LeaseKeepAlive * renew 0");
    lease = open_id(client, 3, 0, &h);
    ENDED(&h, ETCD3_LOST_GONE, ETCD3_ERR_LEASE_LOST, ETCD3_ERR_LEASE_LOST);
    CHECK(strstr(h.why_text, "does not know it") != NULL);
    CHECK_INT(etcd3_lease_is_alive(lease), 0);
    CHECK_INT(etcd3_client_counter(client, "leases_lost"), 1);
    etcd3_lease_free(lease);
    close_client(client);
}

static void a_broken_stream_is_opened_elsewhere(void)
{
    etcd3_client_t *client = client_of(&two, PATIENCE_MS);
    struct holding h;
    etcd3_lease_t *lease;
    both("LeaseGrant * message granted 3");
    both("LeaseKeepAlive 1 recv | status 14 etcdserver: no leader");
    both("LeaseKeepAlive * renew 3");
    lease = open_id(client, 3, 0, &h);
    await_renewal(client, 2);
    CHECK(asked(&one, "LeaseKeepAlive") >= 1);
    CHECK(asked(&two, "LeaseKeepAlive") >= 1);
    CHECK_INT(asked_both("LeaseKeepAlive"), 3);
    CHECK_STR(ask("header %d LeaseKeepAlive 0 hasleader", one.number), "true");
    /* And a connection that is cut. */
    ask("abort %d", one.number);
    ask("abort %d", two.number);
    await_renewal(client, 4);
    CHECK_INT(etcd3_lease_is_alive(lease), 1);
    CHECK_INT(told(&h), 0);
    etcd3_lease_free(lease);
    close_client(client);
    ENDED(&h, 0, 0, ETCD3_OK);
}

static void a_silent_stream_is_left_for_another(void)
{
    etcd3_client_t *client = client_of(NULL, PATIENCE_MS);
    const char *endpoints[2];
    struct holding h;
    etcd3_lease_t *lease;
    both("LeaseGrant * message granted 6");
    script(&one, "LeaseKeepAlive * never");
    script(&two, "LeaseKeepAlive * renew 6");
    lease = open_id(client, 6, 0, &h);
    ask("await %d LeaseKeepAlive 1", one.number);
    endpoints[0] = one.endpoint;
    endpoints[1] = two.endpoint;
    CHECK_OK(etcd3_client_set_endpoints(client, endpoints, 2, &err), err);
    /* Asked after 2 s, and a second later there. */
    await_renewal(client, 1);
    CHECK(asked(&two, "LeaseKeepAlive") == 1);
    CHECK(etcd3_client_counter(client, "hedges") >= 1);
    ask("await-resets %d LeaseKeepAlive 1", one.number);
    /* There it stays. */
    await_renewal(client, 2);
    CHECK_INT(asked(&two, "LeaseKeepAlive"), 1);
    CHECK_INT(asked(&one, "LeaseKeepAlive"), 1);
    CHECK_INT(told(&h), 0);
    etcd3_lease_free(lease);
    close_client(client);
}

/* No other member, but a new stream: the old one may be stuck with a leader that is no more. */
static void a_silent_stream_is_replaced_where_there_is_one_server(void)
{
    etcd3_client_t *client = client_of(NULL, PATIENCE_MS);
    struct holding h;
    etcd3_lease_t *lease;
    script(&one, "LeaseGrant * message granted 6");
    script(&one, "LeaseKeepAlive 2 never");
    script(&one, "LeaseKeepAlive * renew 6");
    lease = open_id(client, 6, 0, &h);
    await_renewal(client, 1);
    CHECK_INT(asked(&one, "LeaseKeepAlive"), 3);
    ask("await-resets %d LeaseKeepAlive 2", one.number);
    CHECK_INT(told(&h), 0);
    etcd3_lease_free(lease);
    close_client(client);
}

static void nothing_answers(void)
{
    etcd3_client_t *client = client_of(&two, PATIENCE_MS);
    struct holding h, silent;
    etcd3_lease_t *lease, *other = NULL;
    int64_t before = now_ms(), end;
    both("LeaseGrant * message granted 3");
    both("LeaseKeepAlive * never");
    lease = open_id(client, 3, 0, &h);
    hold(&silent);
    CHECK_OK(etcd3_lease_open(client, 3, 0, NULL, NULL, NULL, &other, &err), err);
    ENDED(&h, ETCD3_LOST_EXPIRED, ETCD3_ERR_LEASE_LOST, ETCD3_ERR_LEASE_LOST);
    /* 3 s less 100 ms, from before the grant; the server would give it 3 s from after that. */
    CHECK(h.lost_at - before >= 2900 - 1);
    CHECK(h.lost_at - before <= 2900 + LATE_MS);
    end = now_ms() + PATIENCE_MS;
    while (etcd3_lease_is_alive(other) && now_ms() < end)
        ;
    CHECK_INT(etcd3_lease_is_alive(lease), 0);
    CHECK_INT(etcd3_lease_remaining_ms(lease), 0);
    CHECK_CODE(etcd3_lease_refresh(lease, &err), err, ETCD3_ERR_LEASE_LOST, "no renewal was answered in time");
    CHECK_INT(etcd3_client_counter(client, "leases_lost"), 2);
    CHECK_INT(etcd3_client_counter(client, "lease_renewals"), 0);
    etcd3_lease_free(lease);
    etcd3_lease_free(other);
    close_client(client);
    CHECK_INT(told(&h), 2);
}

static void a_late_answer_revives_nothing(void)
{
    etcd3_client_t *client = client_of(NULL, PATIENCE_MS);
    struct holding h, other;
    etcd3_lease_t *lease, *next;
    script(&one, "LeaseGrant 1 message granted 2");
    script(&one, "LeaseGrant 1 message granted 50");
    script(&one, "LeaseKeepAlive * hold | renew 50");
    lease = open_id(client, 2, 77, &h);
    /* Keeps the stream open beyond the end of the other one. */
    next = open_id(client, 50, 78, &other);
    ENDED(&h, ETCD3_LOST_EXPIRED, ETCD3_ERR_LEASE_LOST, ETCD3_ERR_LEASE_LOST);
    ask("release %d 100", one.number);
    /* Whatever was answered on the streams is read before this is. */
    CHECK_OK(etcd3_lease_refresh(next, &err), err);
    CHECK_INT(etcd3_lease_is_alive(lease), 0);
    CHECK_INT(etcd3_lease_remaining_ms(lease), 0);
    CHECK_INT(told(&h), 2);
    etcd3_lease_free(lease);
    etcd3_lease_free(next);
    close_client(client);
}

static void a_denied_lease_starves_no_other(void)
{
    enum { OTHERS = 20 };
    static struct holding others[OTHERS];
    etcd3_lease_t *leases[OTHERS];
    etcd3_client_t *client = client_of(&two, PATIENCE_MS);
    struct holding h;
    etcd3_lease_t *denied;
    int i, alive = 0;
    both("LeaseGrant * message granted 3");
    both("LeaseKeepAlive * renew 3 77");
    for (i = 0; i < OTHERS / 2; i++)
        leases[i] = open_id(client, 3, 100 + i, &others[i]);
    denied = open_id(client, 3, 77, &h);
    for (; i < OTHERS; i++)
        leases[i] = open_id(client, 3, 100 + i, &others[i]);
    ENDED(&h, ETCD3_LOST_PERMISSION, ETCD3_ERR_PERMISSION_DENIED, ETCD3_ERR_PERMISSION_DENIED);
    await_renewal(client, OTHERS * 4);
    for (i = 0; i < OTHERS; i++)
        alive += etcd3_lease_is_alive(leases[i]) && told(&others[i]) == 0;
    CHECK_INT(alive, OTHERS);
    CHECK_INT(etcd3_lease_is_alive(denied), 0);
    /* The shared stream ended once for it, and one stream was its own. */
    CHECK_INT(asked_both("LeaseKeepAlive"), 3);
    for (i = 0; i < OTHERS; i++)
        etcd3_lease_free(leases[i]);
    etcd3_lease_free(denied);
    close_client(client);
}

static void a_refused_token_is_renewed(void)
{
    etcd3_config_t *config;
    etcd3_client_t *client;
    struct holding h;
    etcd3_lease_t *lease;
    forget(&one);
    config = config_of(&one, NULL, PATIENCE_MS);
    etcd3_config_set_credentials(config, "root", "secret");
    client = open_config(config);
    script(&one, "LeaseGrant * token | message granted 3");
    script(&one, "LeaseKeepAlive * token | renew 3");
    lease = open_id(client, 3, 0, &h);
    await_renewal(client, 1);
    ask("revoke");
    ask("abort %d", one.number);
    await_renewal(client, 3);
    CHECK(asked(&one, "Authenticate") >= 2);
    CHECK_OK(etcd3_lease_refresh(lease, &err), err);
    ask("revoke");
    CHECK_OK(etcd3_lease_refresh(lease, &err), err);
    CHECK_INT(told(&h), 0);
    etcd3_lease_free(lease);
    close_client(client);
}

static void an_end_that_cannot_be_told_is_bounded(void)
{
    etcd3_client_t *client = client_of(NULL, PATIENCE_MS);
    etcd3_session_t *session = NULL;
    struct holding h;
    int64_t start;
    hold(&h);
    script(&one, "LeaseRevoke * never");
    CHECK_OK(etcd3_session_open(client, 0, 0, NULL, on_holding, &h, &session, &err), err);
    start = now_ms();
    CHECK_CODE(etcd3_session_close(session, 300, &err), err, ETCD3_ERR_AMBIGUOUS, one.endpoint);
    CHECK(now_ms() - start <= 300 + LATE_MS);
    CHECK_INT(etcd3_session_is_alive(session), 0);
    ENDED(&h, ETCD3_LOST_CLOSED, ETCD3_ERR_CLOSED, ETCD3_ERR_CLOSED);
    etcd3_session_free(session);
    close_client(client);
}

struct opening {
    etcd3_client_t *client;
    pthread_t thread;
    etcd3_code_t code;
};

static void *adopt(void *arg)
{
    struct opening *opening = (struct opening *)arg;
    etcd3_lease_t *lease = NULL;
    opening->code = etcd3_lease_adopt(opening->client, 77, NULL, NULL, NULL, &lease, NULL);
    return NULL;
}

static void *grant(void *arg)
{
    struct opening *opening = (struct opening *)arg;
    opening->code = etcd3_lease_grant(opening->client, 10, 0, NULL, NULL, NULL);
    return NULL;
}

static void closing_ends_what_waits(void)
{
    etcd3_client_t *client = client_of(NULL, PATIENCE_MS);
    struct opening a = {client, 0, 0}, b = {client, 0, 0};
    int64_t start;
    script(&one, "LeaseGrant * never");
    script(&one, "LeaseKeepAlive * never");
    CHECK_INT(pthread_create(&a.thread, NULL, adopt, &a), 0);
    CHECK_INT(pthread_create(&b.thread, NULL, grant, &b), 0);
    ask("await %d LeaseKeepAlive 1", one.number);
    ask("await %d LeaseGrant 1", one.number);
    start = now_ms();
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    pthread_join(a.thread, NULL);
    pthread_join(b.thread, NULL);
    CHECK(now_ms() - start <= LATE_MS);
    CHECK_INT(a.code, ETCD3_ERR_CLOSED);
    CHECK_INT(b.code, ETCD3_ERR_CLOSED);
    etcd3_client_free(client);
}

int main(void)
{
    one = serve("grpc");
    two = serve("grpc");
    RUN(a_lost_grant_is_asked_for_again_and_found);
    RUN(a_failed_grant_is_cleaned_up_after);
    RUN(a_lost_grant_of_a_chosen_id_is_ambiguous);
    RUN(a_lost_revocation_is_tried_again);
    RUN(one_renewal_goes_elsewhere_too);
    RUN(an_unknown_lease_is_gone);
    RUN(a_broken_stream_is_opened_elsewhere);
    RUN(a_silent_stream_is_left_for_another);
    RUN(a_silent_stream_is_replaced_where_there_is_one_server);
    RUN(nothing_answers);
    RUN(a_late_answer_revives_nothing);
    RUN(a_denied_lease_starves_no_other);
    RUN(a_refused_token_is_renewed);
    RUN(an_end_that_cannot_be_told_is_bounded);
    RUN(closing_ends_what_waits);
    return CHECK_DONE();
}
