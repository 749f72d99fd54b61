/* Elections: who leads, what is proclaimed, how it ends, and who follows it all. */
#include "locking.h"

#define NAME "test_election/"

static etcd3_client_t *client, *other;
static etcd3_error_t *err;

static etcd3_election_t *candidate(etcd3_session_t *session, const char *name)
{
    etcd3_election_t *election = NULL;
    CHECK_OK(etcd3_election_new(session, name, ETCD3_NTS, &election, &err), err);
    return election;
}

static void campaign(etcd3_election_t *election, const char *value)
{
    CHECK_OK(etcd3_election_campaign(election, value, ETCD3_NTS, PATIENCE_MS, &err), err);
    CHECK_INT(etcd3_election_is_leader(election), 1);
    CHECK(etcd3_election_token(election) > 0);
}

static void check_leader(const char *name, etcd3_election_t *election, const char *value)
{
    etcd3_result_t *r = NULL;
    size_t len = 0;
    const uint8_t *key = etcd3_election_key(election, &len);
    CHECK_OK(etcd3_election_leader(client, name, ETCD3_NTS, &r, &err), err);
    CHECK_KV_BYTES(etcd3_result_kv(r, 0), key, len, value, strlen(value));
    CHECK_INT(kv_at(r, 0)->create_revision, etcd3_election_token(election));
    etcd3_result_free(r);
}

static void nobody_leads(const char *name)
{
    etcd3_result_t *r = NULL;
    CHECK_CODE(etcd3_election_leader(client, name, ETCD3_NTS, &r, &err), err, ETCD3_ERR_NO_ELECTED_LEADER, "nobody");
    CHECK(r == NULL);
}

static void delete_key_of(etcd3_election_t *election)
{
    size_t len = 0;
    const uint8_t *key = etcd3_election_key(election, &len);
    delete_key(other, key, len);
}

static void one_candidate(void)
{
    etcd3_session_t *session = open_session(client, 60);
    etcd3_election_t *election = candidate(session, NAME "one");
    char wanted[100];
    size_t len = 0;
    int64_t token;
    const uint8_t *key = etcd3_election_key(election, &len);
    int n = snprintf(wanted, sizeof wanted, NAME "one/%llx", (long long)etcd3_session_lease_id(session));
    CHECK(len == (size_t)n && memcmp(key, wanted, len) == 0);
    nobody_leads(NAME "one");
    CHECK_INT(etcd3_election_is_leader(election), 0);
    CHECK_CODE(etcd3_election_proclaim(election, "x", 1, &err), err, ETCD3_ERR_NOT_ELECTED, "not won");
    CHECK_OK(etcd3_election_resign(election, &err), err);
    campaign(election, "first");
    token = etcd3_election_token(election);
    check_leader(NAME "one", election, "first");
    CHECK_OK(etcd3_election_proclaim(election, "second", ETCD3_NTS, &err), err);
    check_leader(NAME "one", election, "second");
    CHECK_OK(etcd3_election_proclaim(election, "", 0, &err), err);
    check_leader(NAME "one", election, "");
    /* A leader who campaigns goes on leading. */
    campaign(election, "third");
    check_leader(NAME "one", election, "third");
    CHECK_INT(etcd3_election_token(election), token);
    /* Somebody else's word to the key does no harm. */
    CHECK_OK(etcd3_put(other, key, len, "strange", 7, &err), err);
    CHECK_OK(etcd3_election_proclaim(election, "fourth", ETCD3_NTS, &err), err);
    check_leader(NAME "one", election, "fourth");
    CHECK_OK(etcd3_election_resign(election, &err), err);
    nobody_leads(NAME "one");
    CHECK_INT(etcd3_election_is_leader(election), 0);
    CHECK_INT(etcd3_election_token(election), 0);
    CHECK_OK(etcd3_election_resign(election, &err), err);
    campaign(election, "again");
    CHECK(etcd3_election_token(election) > token);
    etcd3_election_free(election);
    AWAIT_KEYS(client, NAME "one/", 0);
    close_session(session);
}

static void one_after_another(void)
{
    etcd3_session_t *sessions[3];
    etcd3_election_t *elections[3];
    struct holding h[3];
    char value[2] = "a";
    int64_t before, last = 0;
    int i;
    for (i = 0; i < 3; i++) {
        sessions[i] = open_session(client, 60);
        elections[i] = candidate(sessions[i], NAME "next");
        holding_prepare(&h[i]);
        value[0] = (char)('a' + i);
        CHECK_OK(etcd3_election_campaign_async(elections[i], value, 1, -1, NULL, on_holding, &h[i], &h[i].call, &err),
                 err);
        AWAIT_KEYS(client, NAME "next/", i + 1);
    }
    for (i = 0; i < 3; i++) {
        AWAIT_HOLDING(&h[i], acquired, 1);
        value[0] = (char)('a' + i);
        check_leader(NAME "next", elections[i], value);
        CHECK(h[i].token > last);
        last = h[i].token;
        if (i < 2)
            CHECK_INT(count_of(&h[i + 1], &h[i + 1].acquired), 0);
        CHECK_OK(etcd3_election_resign(elections[i], &err), err);
        ENDED(&h[i], ETCD3_OK);
    }
    campaign(elections[0], "a");
    before = now_ms();
    CHECK_CODE(etcd3_election_campaign(elections[1], "b", 1, SHORT_MS, &err), err, ETCD3_ERR_TIMEOUT, "time");
    CHECK(now_ms() - before >= SHORT_MS && now_ms() - before <= SHORT_MS + SOON_MS);
    AWAIT_KEYS(client, NAME "next/", 1);
    for (i = 0; i < 3; i++) {
        etcd3_election_free(elections[i]);
        close_session(sessions[i]);
    }
}

/* No leadership after the session is lost, neither held nor won (§8.4, §8.10). */
static void lost(void)
{
    etcd3_session_t *leader_session = open_session(client, 60), *session = open_session(client, 60);
    etcd3_election_t *leader = candidate(leader_session, NAME "lost"), *waiter = candidate(session, NAME "lost");
    struct holding held, waits, none;
    etcd3_op_t *txn = etcd3_op_txn(), *op = etcd3_op_put(NAME "guarded", ETCD3_NTS, "v", 1);
    etcd3_result_t *r = NULL;
    etcd3_txn_if_leader(txn, leader);
    CHECK_CODE(etcd3_execute(client, txn, &r, &err), err, ETCD3_ERR_NOT_ELECTED, "not won");
    etcd3_op_free(txn);
    holding_prepare(&none);
    CHECK_CODE(etcd3_election_watch_loss(leader, NULL, on_holding, &none, &err), err, ETCD3_ERR_NOT_ELECTED, "not won");
    campaign(leader, "a");
    holding_prepare(&held);
    CHECK_OK(etcd3_election_watch_loss(leader, NULL, on_holding, &held, &err), err);
    txn = etcd3_op_txn();
    etcd3_txn_if_leader(txn, leader);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
    CHECK_OK(etcd3_execute(client, txn, &r, &err), err);
    CHECK_INT(etcd3_result_succeeded(r), 1);
    etcd3_result_free(r);
    holding_prepare(&waits);
    CHECK_OK(etcd3_election_campaign_async(waiter, "b", 1, -1, NULL, on_holding, &waits, &waits.call, &err), err);
    AWAIT_KEYS(client, NAME "lost/", 2);
    revoke_lease_of(other, session);
    ENDED(&waits, ETCD3_ERR_LEASE_LOST);
    CHECK_INT(waits.acquired, 0);
    CHECK_INT(etcd3_election_is_leader(waiter), 0);
    CHECK_CODE(etcd3_election_campaign(waiter, "b", 1, PATIENCE_MS, &err), err, ETCD3_ERR_LEASE_LOST, "");
    delete_key_of(leader);
    ENDED(&held, ETCD3_ERR_LOCK_LOST);
    CHECK_INT(held.lost, 1);
    CHECK_INT(held.reason, ETCD3_LOST_DELETED);
    CHECK_INT(etcd3_election_is_leader(leader), 0);
    CHECK_CODE(etcd3_election_proclaim(leader, "x", 1, &err), err, ETCD3_ERR_NOT_ELECTED, "deleted");
    CHECK_OK(etcd3_execute(client, txn, &r, &err), err);
    CHECK_INT(etcd3_result_succeeded(r), 0);
    etcd3_result_free(r);
    etcd3_op_free(txn);
    CHECK_OK(etcd3_election_resign(leader, &err), err);
    nobody_leads(NAME "lost");
    etcd3_election_free(leader);
    etcd3_election_free(waiter);
    close_session(leader_session);
    etcd3_session_free(session);
}

/* As after a restart: the lease is adopted, and the key and its revision were kept. */
static void resumed(void)
{
    etcd3_session_t *session = open_session(client, 60), *adopted = NULL;
    etcd3_election_t *former = candidate(session, NAME "resume"), *election = NULL;
    char key[200];
    size_t len = 0;
    int64_t token, lease = etcd3_session_lease_id(session);
    campaign(former, "before");
    token = etcd3_election_token(former);
    memcpy(key, etcd3_election_key(former, NULL), etcd3_election_key(former, &len) ? len : 0);
    CHECK_OK(etcd3_session_open(other, 0, lease, NULL, NULL, NULL, &adopted, &err), err);
    /* Its key stays with its lease, for whoever adopts that. */
    etcd3_session_orphan(session);
    CHECK_INT(etcd3_election_is_leader(former), 0);
    CHECK_CODE(etcd3_election_resume(adopted, NAME "resume", ETCD3_NTS, key, len, token + 1, &election, &err), err,
               ETCD3_ERR_NOT_ELECTED, "does not lead");
    CHECK_CODE(etcd3_election_resume(adopted, NAME "resume", ETCD3_NTS, key, len, 0, &election, &err), err,
               ETCD3_ERR_INVALID_ARGUMENT, "revision");
    CHECK_CODE(etcd3_election_resume(adopted, NAME "another", ETCD3_NTS, key, len, token, &election, &err), err,
               ETCD3_ERR_INVALID_ARGUMENT, "key");
    CHECK_OK(etcd3_election_resume(adopted, NAME "resume", ETCD3_NTS, key, len, token, &election, &err), err);
    CHECK_INT(etcd3_election_is_leader(election), 1);
    CHECK_INT(etcd3_election_token(election), token);
    CHECK_OK(etcd3_election_proclaim(election, "after", ETCD3_NTS, &err), err);
    check_leader(NAME "resume", election, "after");
    CHECK_OK(etcd3_election_resign(election, &err), err);
    nobody_leads(NAME "resume");
    etcd3_election_free(election);
    etcd3_election_free(former);
    close_session(adopted);
    etcd3_session_free(session);
}

/* What an observer was told: "name=value" without the prefix, or "-" for nobody. */
struct observing {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char text[1000];
    int told, closed, backwards, after_closed;
    int64_t revision;
    etcd3_code_t why;
    etcd3_observer_t *observer;
};

static void on_leader(const etcd3_event_t *event, void *user_data)
{
    struct observing *o = (struct observing *)user_data;
    const etcd3_kv_t *leader = etcd3_event_leader(event);
    size_t at;
    pthread_mutex_lock(&o->lock);
    o->after_closed += o->closed;
    at = strlen(o->text);
    if (etcd3_event_type(event) == ETCD3_EVENT_LEADER) {
        snprintf(o->text + at, sizeof o->text - at, "%s%.*s", at ? " " : "", leader ? (int)leader->value_len : 1,
                 leader ? (leader->value_len ? (const char *)leader->value : "") : "-");
        o->backwards += etcd3_event_revision(event) < o->revision;
        o->revision = etcd3_event_revision(event);
        CHECK(etcd3_event_header(event) && etcd3_event_header(event)->revision == o->revision &&
              etcd3_event_header(event)->member_id != 0);
        o->told++;
    } else if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
        o->closed++;
        o->why = etcd3_error_code(etcd3_event_error(event));
        CHECK(leader == NULL);
    }
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

static void observe(struct observing *o, etcd3_client_t *from, const char *name)
{
    memset(o, 0, sizeof *o);
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->changed, NULL);
    CHECK_OK(etcd3_election_observe(from, name, ETCD3_NTS, NULL, on_leader, o, &o->observer, &err), err);
}

#define TOLD(o, count, wanted) told((o), &(o)->told, (count), (wanted), __FILE__, __LINE__)
static void told(struct observing *o, const int *counter, int number, const char *wanted, const char *file, int line)
{
    struct timespec limit;
    int late = 0;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&o->lock);
    while (*counter < number && !late)
        late = pthread_cond_timedwait(&o->changed, &o->lock, &limit) != 0;
    check_str(o->text, wanted, "what was told", file, line);
    pthread_mutex_unlock(&o->lock);
}

static void observe_end(struct observing *o, const char *wanted)
{
    CHECK_OK(etcd3_observer_join(o->observer, PATIENCE_MS, &err), err);
    told(o, &o->closed, 1, wanted, __FILE__, __LINE__);
    CHECK_INT(o->closed, 1);
    CHECK_INT(o->why, ETCD3_OK);
    CHECK_INT(o->backwards + o->after_closed, 0);
    etcd3_observer_free(o->observer);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
}

static void followed(void)
{
    etcd3_session_t *a_session = open_session(client, 60), *b_session = open_session(client, 60);
    etcd3_election_t *a = candidate(a_session, NAME "followed"), *b = candidate(b_session, NAME "followed");
    struct observing early, late;
    struct holding h;
    observe(&early, other, NAME "followed");
    TOLD(&early, 1, "-");
    campaign(a, "a1");
    TOLD(&early, 2, "- a1");
    observe(&late, client, NAME "followed");
    TOLD(&late, 1, "a1");
    CHECK_OK(etcd3_election_proclaim(a, "a2", 2, &err), err);
    TOLD(&early, 3, "- a1 a2");
    TOLD(&late, 2, "a1 a2");
    /* Who waits is not told of. */
    holding_prepare(&h);
    CHECK_OK(etcd3_election_campaign_async(b, "b1", 2, -1, NULL, on_holding, &h, &h.call, &err), err);
    AWAIT_KEYS(client, NAME "followed/", 2);
    CHECK_OK(etcd3_election_resign(a, &err), err);
    AWAIT_HOLDING(&h, acquired, 1);
    TOLD(&early, 4, "- a1 a2 b1");
    TOLD(&late, 3, "a1 a2 b1");
    close_session(b_session);
    ENDED(&h, ETCD3_ERR_LOCK_LOST);
    TOLD(&early, 5, "- a1 a2 b1 -");
    TOLD(&late, 4, "a1 a2 b1 -");
    observe_end(&late, "a1 a2 b1 -");
    etcd3_election_free(b);
    campaign(a, "a3");
    TOLD(&early, 6, "- a1 a2 b1 - a3");
    observe_end(&early, "- a1 a2 b1 - a3");
    etcd3_election_free(a);
    close_session(a_session);
}

static void an_observer_ends_with_its_client(void)
{
    etcd3_client_t *own = open_client();
    struct observing o;
    observe(&o, own, NAME "ends");
    TOLD(&o, 1, "-");
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    told(&o, &o.closed, 1, "-", __FILE__, __LINE__);
    CHECK_INT(o.why, ETCD3_ERR_CLOSED);
    etcd3_client_free(own);
    etcd3_observer_cancel(o.observer);
    etcd3_observer_free(o.observer);
    CHECK_INT(o.closed, 1);
    pthread_cond_destroy(&o.changed);
    pthread_mutex_destroy(&o.lock);
}

int main(void)
{
    client = open_client();
    other = open_client();
    RUN(one_candidate);
    RUN(one_after_another);
    RUN(lost);
    RUN(resumed);
    RUN(followed);
    RUN(an_observer_ends_with_its_client);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    etcd3_client_free(other);
    return CHECK_DONE();
}
