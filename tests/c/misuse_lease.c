/* Wrong arguments to leases and sessions, use after close, and freeing in any order. */
#include "misuse.h"

static etcd3_queue_t *queue;
static size_t before_all;

static void count_closed(const etcd3_event_t *event, void *user_data)
{
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED)
        ++*(int *)user_data;
}

static size_t leases(void)
{
    etcd3_lease_list_t *list = NULL;
    size_t n;
    CHECK_OK(etcd3_lease_list(client, &list, &err), err);
    n = etcd3_lease_list_count(list);
    etcd3_lease_list_free(list);
    return n;
}

static void times(void)
{
    static const int64_t wrong[] = {0, -1, INT64_MIN};
    int64_t id = 5, ttl = 6;
    etcd3_lease_t *lease = NULL;
    etcd3_session_t *session = NULL;
    int i;
    for (i = 0; i < 3; i++) {
        REFUSED(etcd3_lease_grant(client, wrong[i], 0, &id, &ttl, &err), "ttl_s: must be above 0");
        REFUSED(etcd3_lease_open(client, wrong[i], 0, queue, NULL, NULL, &lease, &err), "ttl_s: must be above 0");
    }
    REFUSED(etcd3_session_open(client, -1, 0, queue, NULL, NULL, &session, &err), "ttl_s: must be above 0, got -1");
    REFUSED(etcd3_session_open(client, 10, 7, queue, NULL, NULL, &session, &err), "ttl_s: must be 0 with a lease_id");
    /* The most is the server's affair. */
    REFUSED_AS(etcd3_lease_grant(client, 9000000001, 0, &id, &ttl, &err), ETCD3_ERR_LEASE_TTL_TOO_LARGE, "too large");
    REFUSED_AS(etcd3_lease_open(client, INT64_MAX, 0, queue, NULL, NULL, &lease, &err), ETCD3_ERR_LEASE_TTL_TOO_LARGE,
               "too large");
    CHECK(id == 5 && ttl == 6 && lease == NULL && session == NULL);
    CHECK_OK(etcd3_lease_grant(client, 9000000000, 0, &id, &ttl, &err), err);
    CHECK(ttl == 9000000000);
    CHECK_OK(etcd3_lease_revoke_id(client, id, &err), err);
    CHECK_OK(etcd3_lease_open(client, 9000000000, 0, queue, NULL, NULL, &lease, &err), err);
    CHECK(etcd3_lease_remaining_ms(lease) > 8000000000000);
    CHECK_OK(etcd3_lease_revoke(lease, &err), err);
    etcd3_lease_free(lease);
}

static void ids(void)
{
    etcd3_lease_info_t *info = NULL;
    etcd3_lease_t *lease = NULL;
    etcd3_session_t *session = NULL;
    int64_t id = 0;
    REFUSED(etcd3_lease_grant(client, 10, -5, &id, NULL, &err), "lease_id: must not be negative, got -5");
    REFUSED(etcd3_lease_open(client, 10, INT64_MIN, queue, NULL, NULL, &lease, &err), "lease_id: must not be negative");
    REFUSED(etcd3_lease_revoke_id(client, 0, &err), "lease_id: must not be 0");
    REFUSED(etcd3_lease_keep_alive_once(client, 0, &id, &err), "lease_id");
    REFUSED(etcd3_lease_time_to_live(client, 0, 0, &info, &err), "lease_id");
    REFUSED(etcd3_lease_adopt(client, 0, queue, NULL, NULL, &lease, &err), "lease_id");
    REFUSED(etcd3_lease_time_to_live(client, 7, 2, &info, &err), "keys");
    /* Unknown, and any number may be one: somebody else can have granted it. */
    REFUSED_AS(etcd3_lease_revoke_id(client, -5, &err), ETCD3_ERR_LEASE_NOT_FOUND, "not found");
    REFUSED_AS(etcd3_lease_keep_alive_once(client, INT64_MIN, &id, &err), ETCD3_ERR_LEASE_NOT_FOUND, "not found");
    REFUSED_AS(etcd3_lease_adopt(client, 7, queue, NULL, NULL, &lease, &err), ETCD3_ERR_LEASE_NOT_FOUND, "not found");
    REFUSED_AS(etcd3_session_open(client, 0, 7, queue, NULL, NULL, &session, &err), ETCD3_ERR_LEASE_NOT_FOUND,
               "not found");
    CHECK(id == 0 && info == NULL && lease == NULL && session == NULL);
    CHECK_OK(etcd3_lease_time_to_live(client, INT64_MAX, 1, &info, &err), err);
    CHECK_INT(etcd3_lease_info_ttl(info), -1);
    etcd3_lease_info_free(info);
    CHECK_OK(etcd3_lease_open(client, 10, 12345, queue, NULL, NULL, &lease, &err), err);
    CHECK_INT(etcd3_lease_id(lease), 12345);
    id = 0;
    REFUSED_AS(etcd3_lease_grant(client, 10, 12345, &id, NULL, &err), ETCD3_ERR_LEASE_EXISTS, "already exists");
    CHECK_INT(etcd3_lease_is_alive(lease), 1);
    CHECK_OK(etcd3_lease_revoke(lease, &err), err);
    etcd3_lease_free(lease);
}

static void null_handles(void)
{
    etcd3_lease_info_t *info = NULL;
    etcd3_lease_list_t *list = NULL;
    etcd3_lease_t *lease = NULL;
    etcd3_session_t *session = NULL;
    size_t len = 9;
    int64_t id = 0;
    int closed = 0;
    REFUSED(etcd3_lease_grant(NULL, 10, 0, &id, NULL, &err), "client");
    REFUSED(etcd3_lease_revoke_id(NULL, 7, &err), "client");
    REFUSED(etcd3_lease_keep_alive_once(NULL, 7, &id, &err), "client");
    REFUSED(etcd3_lease_time_to_live(NULL, 7, 0, &info, &err), "client");
    REFUSED(etcd3_lease_time_to_live(client, 7, 0, NULL, &err), "info");
    REFUSED(etcd3_lease_list(NULL, &list, &err), "client");
    REFUSED(etcd3_lease_list(client, NULL, &err), "list");
    REFUSED(etcd3_lease_open(NULL, 10, 0, queue, NULL, NULL, &lease, &err), "client");
    REFUSED(etcd3_lease_open(client, 10, 0, queue, count_closed, &closed, NULL, &err), "lease");
    REFUSED(etcd3_lease_adopt(NULL, 7, queue, NULL, NULL, &lease, &err), "client");
    REFUSED(etcd3_lease_adopt(client, 7, queue, NULL, NULL, NULL, &err), "lease");
    REFUSED(etcd3_lease_refresh(NULL, &err), "lease");
    REFUSED(etcd3_lease_tell_renewals(NULL, 1, &err), "lease");
    REFUSED(etcd3_session_tell_renewals(NULL, 1, &err), "session");
    REFUSED(etcd3_lease_revoke(NULL, &err), "lease");
    REFUSED(etcd3_session_open(NULL, 0, 0, queue, NULL, NULL, &session, &err), "client");
    REFUSED(etcd3_session_open(client, 0, 0, queue, count_closed, &closed, NULL, &err), "session");
    REFUSED(etcd3_session_close(NULL, 100, &err), "session");
    CHECK(etcd3_lease_info_id(NULL) == 0 && etcd3_lease_info_ttl(NULL) == 0);
    CHECK(etcd3_lease_info_granted_ttl(NULL) == 0 && etcd3_lease_info_key_count(NULL) == 0);
    CHECK(etcd3_lease_info_key(NULL, 0, &len) == NULL && len == 9);
    CHECK(etcd3_lease_list_count(NULL) == 0 && etcd3_lease_list_id(NULL, 0) == 0);
    CHECK(etcd3_lease_id(NULL) == 0 && etcd3_lease_ttl(NULL) == 0 && etcd3_lease_remaining_ms(NULL) == 0);
    CHECK(etcd3_lease_is_alive(NULL) == 0 && etcd3_session_is_alive(NULL) == 0 && etcd3_session_lease_id(NULL) == 0);
    CHECK_INT(etcd3_event_lost_reason(NULL), 0);
    CHECK_INT(etcd3_event_ttl(NULL), 0);
    CHECK(etcd3_event_header(NULL) == NULL && etcd3_lease_info_header(NULL) == NULL);
    CHECK(etcd3_lease_list_header(NULL) == NULL);
    QUIET(etcd3_session_orphan(NULL));
    QUIET(etcd3_session_free(NULL));
    QUIET(etcd3_lease_free(NULL));
    QUIET(etcd3_lease_info_free(NULL));
    QUIET(etcd3_lease_list_free(NULL));
    CHECK_INT(closed, 0);
}

static void renewals(void)
{
    static const int bad[] = {-1, 2, INT32_MAX};
    etcd3_lease_t *lease = NULL, *mute = NULL;
    etcd3_session_t *session = NULL;
    int i;
    CHECK_OK(etcd3_lease_open(client, 60, 0, queue, NULL, NULL, &lease, &err), err);
    CHECK_OK(etcd3_lease_open(client, 60, 0, NULL, NULL, NULL, &mute, &err), err);
    CHECK_OK(etcd3_session_open(client, 60, 0, queue, NULL, NULL, &session, &err), err);
    for (i = 0; i < 3; i++) {
        REFUSED(etcd3_lease_tell_renewals(lease, bad[i], &err), "yes");
        REFUSED(etcd3_session_tell_renewals(session, bad[i], &err), "yes");
    }
    REFUSED(etcd3_lease_tell_renewals(mute, 1, &err), "lease: was opened without");
    CHECK_OK(etcd3_lease_revoke(lease, &err), err);
    CHECK_OK(etcd3_lease_revoke(mute, &err), err);
    CHECK_OK(etcd3_session_close(session, 5000, &err), err);
    REFUSED_AS(etcd3_lease_tell_renewals(lease, 1, &err), ETCD3_ERR_LEASE_LOST, "revoked");
    REFUSED_AS(etcd3_session_tell_renewals(session, 1, &err), ETCD3_ERR_LEASE_LOST, "revoked");
    etcd3_lease_free(lease);
    etcd3_lease_free(mute);
    etcd3_session_free(session);
}

static void session_times(void)
{
    etcd3_session_t *session = NULL;
    CHECK_OK(etcd3_session_open(client, 0, 0, NULL, NULL, NULL, &session, &err), err);
    REFUSED(etcd3_session_close(session, 0, &err), "timeout_ms");
    REFUSED(etcd3_session_close(session, -1, &err), "timeout_ms");
    CHECK_INT(etcd3_session_is_alive(session), 1);
    CHECK_OK(etcd3_session_close(session, 5000, &err), err);
    etcd3_session_free(session);
}

static void after_close(void)
{
    etcd3_client_t *own = open_client();
    etcd3_lease_t *lease = NULL, *none = NULL;
    etcd3_session_t *session = NULL;
    etcd3_lease_info_t *info = NULL;
    int64_t id = 0;
    CHECK_OK(etcd3_lease_open(own, 20, 0, NULL, NULL, NULL, &lease, &err), err);
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    REFUSED_AS(etcd3_lease_grant(own, 10, 0, &id, NULL, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_lease_revoke_id(own, 7, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_lease_keep_alive_once(own, 7, &id, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_lease_time_to_live(own, 7, 0, &info, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_lease_open(own, 10, 0, queue, NULL, NULL, &none, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_lease_adopt(own, 7, queue, NULL, NULL, &none, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_session_open(own, 0, 0, queue, NULL, NULL, &session, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_lease_refresh(lease, &err), ETCD3_ERR_CLOSED, "closed");
    REFUSED_AS(etcd3_lease_revoke(lease, &err), ETCD3_ERR_CLOSED, "closed");
    /* A wrong argument is named as such, closed or not. */
    REFUSED(etcd3_lease_grant(own, 0, 0, &id, NULL, &err), "ttl_s");
    CHECK(none == NULL && session == NULL && info == NULL);
    CHECK_OK(etcd3_lease_revoke_id(client, etcd3_lease_id(lease), &err), err);
    etcd3_client_free(own);
    etcd3_lease_free(lease);
}

/* Client, queue and lease in each of the six orders; every lease ends exactly once. */
static void frees_in_any_order(void)
{
    static const char *const orders[] = {"cql", "clq", "qcl", "qlc", "lcq", "lqc"};
    int i, j;
    for (i = 0; i < 6; i++) {
        etcd3_client_t *own = open_client();
        etcd3_queue_t *to = NULL;
        etcd3_lease_t *lease = NULL;
        int64_t id;
        int closed = 0;
        CHECK_OK(etcd3_queue_new(&to, &err), err);
        CHECK_OK(etcd3_lease_open(own, 20, 0, to, count_closed, &closed, &lease, &err), err);
        id = etcd3_lease_id(lease);
        for (j = 0; j < 3; j++)
            switch (orders[i][j]) {
            case 'c': QUIET(etcd3_client_free(own)); break;
            case 'q': QUIET(etcd3_queue_free(to)); break;
            default: QUIET(etcd3_lease_free(lease)); break;
            }
        CHECK_INT(closed, 1);
        CHECK_OK(etcd3_lease_revoke_id(client, id, &err), err);
    }
}

/* None of all this left a lease behind. */
static void leaves_none_behind(void)
{
    int64_t end = now_ms() + PATIENCE_MS;
    while (leases() != before_all && now_ms() < end)
        ;
    CHECK_INT(leases(), before_all);
}

int main(void)
{
    client = open_client();
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    before_all = leases();
    RUN(times);
    RUN(ids);
    RUN(null_handles);
    RUN(renewals);
    RUN(session_times);
    RUN(after_close);
    RUN(frees_in_any_order);
    RUN(leaves_none_behind);
    etcd3_queue_free(queue);
    etcd3_client_free(client);
    return CHECK_DONE();
}
