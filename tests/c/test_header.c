/* Headers: of every answer that is an object, and of events, all from one server. */
#include "watching.h"

#define PREFIX "test_header/"

static etcd3_client_t *client;
static etcd3_error_t *err;
static uint64_t cluster, member;
static int is_3_4;

static void is_of_the_server(const etcd3_header_t *header, int line)
{
    if (!check_that(header != NULL, "there is a header", __FILE__, line))
        return;
    check_that(header->cluster_id == cluster, "the cluster", __FILE__, line);
    check_that(header->member_id == member, "the member", __FILE__, line);
    check_that(header->raft_term > 0, "the term", __FILE__, line);
}
#define HEADER(header, revision) at_revision((header), (revision), __LINE__)
static void at_revision(const etcd3_header_t *header, int64_t revision, int line)
{
    is_of_the_server(header, line);
    if (header)
        check_int(header->revision, revision, "the revision", __FILE__, line);
}

static void of_results(void)
{
    etcd3_op_t *txn = etcd3_op_txn(), *get = etcd3_op_get(PREFIX "k", ETCD3_NTS);
    etcd3_result_t *result;
    etcd3_txn_then(txn, get);
    etcd3_op_free(get);
    result = EXECUTE(client, txn);
    CHECK(etcd3_result_header(etcd3_result_response(result, 0)) != NULL);
    CHECK_INT(etcd3_result_header(etcd3_result_response(result, 0))->cluster_id, 0);
    CHECK_INT(etcd3_result_header(result)->revision, etcd3_result_revision(result));
    HEADER(etcd3_result_header(result), revision_now(client));
    etcd3_result_free(result);
    result = NULL;
    CHECK_OK(etcd3_get(client, PREFIX "k", ETCD3_NTS, &result, &err), err);
    HEADER(etcd3_result_header(result), revision_now(client));
    etcd3_result_free(result);
    result = NULL;
}

/* Servers of 3.4 send these without one. */
static void of_alarms(etcd3_alarms_t *alarms)
{
    const etcd3_header_t *header = etcd3_alarms_header(alarms);
    if (!is_3_4)
        is_of_the_server(header, __LINE__);
    else if (CHECK(header != NULL))
        CHECK(header->cluster_id == 0 && header->member_id == 0 && header->revision == 0 && header->raft_term == 0);
    etcd3_alarms_free(alarms);
}

static void of_the_cluster(void)
{
    etcd3_members_t *members = NULL;
    etcd3_status_t *status = NULL;
    etcd3_alarms_t *alarms = NULL;
    etcd3_hashes_t *hashes = NULL;
    CHECK_OK(etcd3_member_list(client, 1, &members, &err), err);
    HEADER(etcd3_members_header(members), 0);
    etcd3_members_free(members);
    members = NULL;
    CHECK_OK(etcd3_status(client, NULL, &status, &err), err);
    HEADER(etcd3_status_header(status), revision_now(client));
    etcd3_status_free(status);
    status = NULL;
    CHECK_OK(etcd3_alarm_list(client, 0, ETCD3_ALARM_NONE, &alarms, &err), err);
    of_alarms(alarms);
    alarms = NULL;
    CHECK_OK(etcd3_alarm_raise(client, member, ETCD3_ALARM_CORRUPT, &alarms, &err), err);
    of_alarms(alarms);
    alarms = NULL;
    CHECK_OK(etcd3_alarm_disarm(client, 0, ETCD3_ALARM_NONE, &alarms, &err), err);
    CHECK_INT(etcd3_alarms_count(alarms), 1);
    of_alarms(alarms);
    CHECK_OK(etcd3_hash_kv(client, NULL, 0, &hashes, &err), err);
    is_of_the_server(etcd3_hashes_header(hashes, 0), __LINE__);
    CHECK(etcd3_hashes_member_id(hashes, 0) == member);
    CHECK_INT(etcd3_hashes_revision(hashes, 0), revision_now(client));
    etcd3_hashes_free(hashes);
}

static void of_leases(void)
{
    etcd3_lease_info_t *info = NULL;
    etcd3_lease_list_t *list = NULL;
    int64_t id = 0;
    CHECK_OK(etcd3_lease_grant(client, 60, 0, &id, NULL, &err), err);
    CHECK_OK(etcd3_lease_time_to_live(client, id, 0, &info, &err), err);
    HEADER(etcd3_lease_info_header(info), revision_now(client));
    etcd3_lease_info_free(info);
    info = NULL;
    CHECK_OK(etcd3_lease_list(client, &list, &err), err);
    HEADER(etcd3_lease_list_header(list), revision_now(client));
    etcd3_lease_list_free(list);
    list = NULL;
    CHECK_OK(etcd3_lease_revoke_id(client, id, &err), err);
}

static void of_users_and_roles(void)
{
    etcd3_names_t *names = NULL;
    etcd3_role_t *role = NULL;
    CHECK_OK(etcd3_user_add(client, "test_header", "secret", &err), err);
    CHECK_OK(etcd3_role_add(client, "test_header", &err), err);
    CHECK_OK(etcd3_user_get(client, "test_header", &names, &err), err);
    HEADER(etcd3_names_header(names), revision_now(client));
    etcd3_names_free(names);
    names = NULL;
    CHECK_OK(etcd3_user_list(client, &names, &err), err);
    HEADER(etcd3_names_header(names), revision_now(client));
    etcd3_names_free(names);
    names = NULL;
    CHECK_OK(etcd3_role_list(client, &names, &err), err);
    HEADER(etcd3_names_header(names), revision_now(client));
    etcd3_names_free(names);
    names = NULL;
    CHECK_OK(etcd3_role_get(client, "test_header", &role, &err), err);
    HEADER(etcd3_role_header(role), revision_now(client));
    etcd3_role_free(role);
    role = NULL;
    CHECK_OK(etcd3_user_delete(client, "test_header", &err), err);
    CHECK_OK(etcd3_role_delete(client, "test_header", &err), err);
}

/* The next event, of this type and with a header of the server; NULL in its place for one that has none. */
static void next_is(etcd3_queue_t *queue, int32_t type, int32_t state, int with_header)
{
    etcd3_event_t *event = NULL;
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK_INT(etcd3_event_type(event), type);
    CHECK_INT(etcd3_event_state(event), state);
    if (with_header) {
        is_of_the_server(etcd3_event_header(event), __LINE__);
        CHECK_INT(etcd3_event_header(event)->revision, revision_now(client));
    } else {
        CHECK(etcd3_event_header(event) == NULL);
    }
    etcd3_event_free(event);
}

static void of_events(void)
{
    etcd3_queue_t *queue = new_queue();
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new(PREFIX, ETCD3_NTS);
    etcd3_watch_t *watch = NULL;
    put(client, PREFIX "a", "1");
    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_relist(opts);
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err), err);
    etcd3_watch_opts_free(opts);
    next_is(queue, ETCD3_EVENT_STATE, ETCD3_STATE_RELISTED, 1);
    next_is(queue, ETCD3_EVENT_WATCH, 0, 1);
    next_is(queue, ETCD3_EVENT_STATE, ETCD3_STATE_LIVE, 1);
    put(client, PREFIX "a", "2");
    next_is(queue, ETCD3_EVENT_WATCH, 0, 1);
    CHECK_OK(etcd3_watch_request_progress(watch, &err), err);
    next_is(queue, ETCD3_EVENT_PROGRESS, 0, 1);
    etcd3_watch_cancel(watch);
    next_is(queue, ETCD3_EVENT_CLOSED, 0, 0);
    etcd3_watch_free(watch);
    watch = NULL;
    opts = etcd3_watch_opts_new(PREFIX, ETCD3_NTS);
    etcd3_watch_opts_set_prefix(opts);
    etcd3_watch_opts_set_mirror(opts);
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err), err);
    etcd3_watch_opts_free(opts);
    next_is(queue, ETCD3_EVENT_STATE, ETCD3_STATE_COPYING, 1);
    next_is(queue, ETCD3_EVENT_WATCH, 0, 1);
    next_is(queue, ETCD3_EVENT_STATE, ETCD3_STATE_COPIED, 1);
    next_is(queue, ETCD3_EVENT_STATE, ETCD3_STATE_LIVE, 1);
    etcd3_watch_free(watch);
    next_is(queue, ETCD3_EVENT_CLOSED, 0, 0);
    etcd3_queue_free(queue);
}

int main(void)
{
    etcd3_status_t *status = NULL;
    client = open_client();
    CHECK_OK(etcd3_status(client, NULL, &status, &err), err);
    cluster = etcd3_status_cluster_id(status);
    member = etcd3_status_member_id(status);
    CHECK(cluster != 0 && member == (uint64_t)strtoull(getenv("ETCD3_TEST_MEMBER"), NULL, 10));
    is_3_4 = strncmp(etcd3_status_version(status), "3.4.", 4) == 0;
    etcd3_status_free(status);
    RUN(of_results);
    RUN(of_the_cluster);
    RUN(of_leases);
    RUN(of_users_and_roles);
    RUN(of_events);
    etcd3_client_free(client);
    return CHECK_DONE();
}
