/* Sessions on a real server: a lease of their own or an adopted one, and each way to end. */
#include "holding.h"

static etcd3_client_t *client;
static etcd3_error_t *err;

static etcd3_session_t *open_session(int64_t ttl_s, int64_t lease_id, struct holding *h)
{
    etcd3_session_t *session = NULL;
    hold(h);
    CHECK_OK(etcd3_session_open(client, ttl_s, lease_id, NULL, on_holding, h, &session, &err), err);
    return session;
}

static int64_t granted_to(int64_t lease_id)
{
    etcd3_lease_info_t *info = NULL;
    int64_t granted;
    CHECK_OK(etcd3_lease_time_to_live(client, lease_id, 0, &info, &err), err);
    granted = etcd3_lease_info_granted_ttl(info);
    etcd3_lease_info_free(info);
    return granted;
}

static void has_a_lease(void)
{
    struct holding h;
    etcd3_session_t *session = open_session(0, 0, &h);
    int64_t id = etcd3_session_lease_id(session);
    CHECK(id > 0);
    CHECK_INT(granted_to(id), 60);
    CHECK_INT(etcd3_session_is_alive(session), 1);
    put_with(client, "session/key", id);
    CHECK_OK(etcd3_session_close(session, 5000, &err), err);
    CHECK_INT(etcd3_session_is_alive(session), 0);
    CHECK(!exists(client, "session/key"));
    CHECK_INT(left_of(client, id), -1);
    ENDED(&h, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
    CHECK_CODE(etcd3_session_close(session, 5000, &err), err, ETCD3_ERR_LEASE_LOST, "revoked");
    CHECK(etcd3_session_lease_id(session) == id);
    etcd3_session_free(session);
    session = open_session(33, 0, &h);
    CHECK_INT(granted_to(etcd3_session_lease_id(session)), 33);
    CHECK_OK(etcd3_session_close(session, 5000, &err), err);
    etcd3_session_free(session);
    ENDED(&h, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
}

static void is_kept_alive(void)
{
    struct holding h;
    etcd3_session_t *session = open_session(3, 0, &h);
    int64_t end = now_ms() + 5000;
    while (now_ms() < end)
        if (!CHECK(left_of(client, etcd3_session_lease_id(session)) >= 0))
            break;
    CHECK_INT(etcd3_session_is_alive(session), 1);
    CHECK_INT(told(&h), 0);
    CHECK_OK(etcd3_session_tell_renewals(session, 1, &err), err);
    for (end = now_ms() + PATIENCE_MS; told(&h) < 2 && now_ms() < end;)
        CHECK(left_of(client, etcd3_session_lease_id(session)) >= 0);
    CHECK(h.renewed >= 2);
    CHECK_OK(etcd3_session_close(session, 5000, &err), err);
    etcd3_session_free(session);
    ENDED(&h, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
}

static void adopts_and_is_orphaned(void)
{
    struct holding h;
    etcd3_session_t *session;
    int64_t id = 0;
    CHECK_OK(etcd3_lease_grant(client, 40, 0, &id, NULL, &err), err);
    session = open_session(0, id, &h);
    CHECK(etcd3_session_lease_id(session) == id);
    put_with(client, "session/orphan", id);
    etcd3_session_orphan(session);
    CHECK_INT(etcd3_session_is_alive(session), 0);
    etcd3_session_orphan(session);
    ENDED(&h, 0, 0, ETCD3_OK);
    CHECK_CODE(etcd3_session_close(session, 5000, &err), err, ETCD3_ERR_LEASE_LOST, "let go");
    etcd3_session_free(session);
    /* What it left is there for the next one. */
    CHECK(exists(client, "session/orphan"));
    session = open_session(0, id, &h);
    CHECK_OK(etcd3_session_close(session, 5000, &err), err);
    CHECK(!exists(client, "session/orphan"));
    etcd3_session_free(session);
    ENDED(&h, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
    session = NULL;
    CHECK_CODE(etcd3_session_open(client, 0, id, NULL, NULL, NULL, &session, &err), err, ETCD3_ERR_LEASE_NOT_FOUND,
               "not found");
    CHECK(session == NULL);
}

static void is_freed_alive(void)
{
    struct holding h;
    etcd3_session_t *session = open_session(0, 0, &h);
    int64_t id = etcd3_session_lease_id(session);
    etcd3_session_free(session);
    ENDED(&h, 0, 0, ETCD3_OK);
    CHECK(left_of(client, id) > 0);
    CHECK_OK(etcd3_lease_revoke_id(client, id, &err), err);
}

/* Closing a session that somebody else ended is no failure. */
static void is_lost_and_closed(void)
{
    struct holding h;
    etcd3_session_t *session = open_session(3, 0, &h);
    etcd3_client_t *other = open_client();
    CHECK_OK(etcd3_lease_revoke_id(other, etcd3_session_lease_id(session), &err), err);
    ENDED(&h, ETCD3_LOST_GONE, ETCD3_ERR_LEASE_LOST, ETCD3_ERR_LEASE_LOST);
    CHECK_INT(etcd3_session_is_alive(session), 0);
    CHECK_OK(etcd3_session_close(session, 5000, &err), err);
    etcd3_session_free(session);
    etcd3_client_free(other);
}

static void ends_with_its_client(void)
{
    etcd3_client_t *own = open_client();
    etcd3_session_t *session = NULL;
    struct holding h;
    hold(&h);
    CHECK_OK(etcd3_session_open(own, 0, 0, NULL, on_holding, &h, &session, &err), err);
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    etcd3_client_free(own);
    ENDED(&h, ETCD3_LOST_CLOSED, ETCD3_ERR_CLOSED, ETCD3_ERR_CLOSED);
    CHECK_INT(etcd3_session_is_alive(session), 0);
    CHECK_CODE(etcd3_session_close(session, 5000, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_OK(etcd3_lease_revoke_id(client, etcd3_session_lease_id(session), &err), err);
    etcd3_session_free(session);
}

int main(void)
{
    client = open_client();
    RUN(has_a_lease);
    RUN(is_kept_alive);
    RUN(adopts_and_is_orphaned);
    RUN(is_freed_alive);
    RUN(is_lost_and_closed);
    RUN(ends_with_its_client);
    etcd3_client_free(client);
    return CHECK_DONE();
}
