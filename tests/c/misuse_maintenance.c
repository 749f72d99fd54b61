/* Wrong arguments to maintenance: nothing is sent. */
#include "misuse.h"

static etcd3_queue_t *queue;

static void null_handles(void)
{
    etcd3_status_t *status = NULL;
    etcd3_alarms_t *alarms = NULL;
    etcd3_hashes_t *hashes = NULL;
    etcd3_downgrade_t *answer = NULL;
    uint32_t hash = 0;
    REFUSED(etcd3_status(NULL, NULL, &status, &err), "client");
    REFUSED(etcd3_status(client, NULL, NULL, &err), "status");
    REFUSED(etcd3_alarm_list(NULL, 0, 0, &alarms, &err), "client");
    REFUSED(etcd3_alarm_list(client, 0, 0, NULL, &err), "alarms");
    REFUSED(etcd3_alarm_raise(NULL, 0, 1, &alarms, &err), "client");
    REFUSED(etcd3_alarm_disarm(NULL, 0, 1, &alarms, &err), "client");
    REFUSED(etcd3_compact(NULL, 1, 0, 0, &err), "client");
    REFUSED(etcd3_defragment(NULL, NULL, 0, &err), "client");
    REFUSED(etcd3_defragment_all(NULL, 0, queue, NULL, NULL, NULL, &err), "client");
    REFUSED(etcd3_defragment_all(client, 0, NULL, NULL, NULL, NULL, &err), "fn");
    REFUSED(etcd3_hash(NULL, NULL, &hash, &err), "client");
    REFUSED(etcd3_hash(client, NULL, NULL, &err), "hash");
    REFUSED(etcd3_hash_kv(NULL, NULL, 0, &hashes, &err), "client");
    REFUSED(etcd3_hash_kv(client, NULL, 0, NULL, &err), "hashes");
    REFUSED(etcd3_hash_kv_compare(NULL, 0, &hashes, &err), "client");
    REFUSED(etcd3_hash_kv_compare(client, 0, NULL, &err), "hashes");
    REFUSED(etcd3_move_leader(NULL, 1, &err), "client");
    REFUSED(etcd3_downgrade_validate(NULL, "3.5", &answer, &err), "client");
    REFUSED(etcd3_downgrade_enable(NULL, "3.5", &answer, &err), "client");
    REFUSED(etcd3_downgrade_cancel(NULL, &answer, &err), "client");
    CHECK(status == NULL && alarms == NULL && hashes == NULL && answer == NULL && hash == 0);
}

static void null_answers(void)
{
    CHECK(etcd3_status_header(NULL) == NULL);
    CHECK(etcd3_alarms_header(NULL) == NULL);
    CHECK(etcd3_hashes_header(NULL, 0) == NULL);
    CHECK(etcd3_downgrade_header(NULL) == NULL);
    CHECK_STR(etcd3_downgrade_version(NULL), "");
    QUIET(etcd3_downgrade_free(NULL));
    CHECK_INT(etcd3_status_cluster_id(NULL), 0);
    CHECK_INT(etcd3_status_member_id(NULL), 0);
    CHECK_INT(etcd3_status_revision(NULL), 0);
    CHECK_STR(etcd3_status_version(NULL), "");
    CHECK_INT(etcd3_status_db_size(NULL), 0);
    CHECK_INT(etcd3_status_db_size_in_use(NULL), 0);
    CHECK_INT(etcd3_status_db_size_quota(NULL), 0);
    CHECK_INT(etcd3_status_leader(NULL), 0);
    CHECK_INT(etcd3_status_is_leader(NULL), 0);
    CHECK_INT(etcd3_status_raft_index(NULL), 0);
    CHECK_INT(etcd3_status_raft_applied_index(NULL), 0);
    CHECK_INT(etcd3_status_raft_term(NULL), 0);
    CHECK_INT(etcd3_status_is_learner(NULL), 0);
    CHECK_STR(etcd3_status_storage_version(NULL), "");
    CHECK_STR(etcd3_status_downgrade_target(NULL), "");
    CHECK_INT(etcd3_status_error_count(NULL), 0);
    CHECK(etcd3_status_error(NULL, 0) == NULL);
    QUIET(etcd3_status_free(NULL));
    CHECK_INT(etcd3_alarms_count(NULL), 0);
    CHECK_INT(etcd3_alarms_member_id(NULL, 0), 0);
    CHECK_INT(etcd3_alarms_kind(NULL, 0), 0);
    QUIET(etcd3_alarms_free(NULL));
    CHECK_INT(etcd3_hashes_count(NULL), 0);
    CHECK_INT(etcd3_hashes_difference_count(NULL), 0);
    CHECK_INT(etcd3_hashes_member_id(NULL, 0), 0);
    CHECK_STR(etcd3_hashes_endpoint(NULL, 0), "");
    CHECK_INT(etcd3_hashes_hash(NULL, 0), 0);
    CHECK_INT(etcd3_hashes_revision(NULL, 0), 0);
    CHECK_INT(etcd3_hashes_compact_revision(NULL, 0), 0);
    CHECK_INT(etcd3_hashes_differs(NULL, 0), 0);
    QUIET(etcd3_hashes_free(NULL));
    CHECK_STR(etcd3_event_notice(NULL), "");
    CHECK_STR(etcd3_event_version(NULL), "");
    CHECK_INT(etcd3_event_done(NULL), 0);
    CHECK_INT(etcd3_event_total(NULL), 0);
}

static void endpoints(void)
{
    static const char *const bad[] = {"", "a:0", "a:b", "ftp://a", "::1", "a b", "\xff"};
    etcd3_status_t *status = NULL;
    etcd3_hashes_t *hashes = NULL;
    uint32_t hash = 0;
    size_t i;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSED(etcd3_status(client, bad[i], &status, &err), "endpoint");
        REFUSED(etcd3_defragment(client, bad[i], 0, &err), "endpoint");
        REFUSED(etcd3_hash(client, bad[i], &hash, &err), "endpoint");
        REFUSED(etcd3_hash_kv(client, bad[i], 0, &hashes, &err), "endpoint");
    }
    CHECK(status == NULL && hashes == NULL && hash == 0);
}

static void numbers(void)
{
    static const int32_t unknown[] = {-1, 3, INT32_MAX, INT32_MIN};
    static const int64_t bad_times[] = {-1, -1000, INT64_MIN, INT64_MAX};
    etcd3_alarms_t *alarms = NULL;
    etcd3_hashes_t *hashes = NULL;
    uint32_t hash = 0;
    int i;
    for (i = 0; i < 4; i++) {
        REFUSED(etcd3_alarm_list(client, 0, unknown[i], &alarms, &err), "alarm");
        REFUSED(etcd3_alarm_raise(client, 1, unknown[i], &alarms, &err), "alarm");
        REFUSED(etcd3_alarm_disarm(client, 0, unknown[i], &alarms, &err), "alarm");
        REFUSED(etcd3_compact(client, 1, unknown[i], 0, &err), "physical");
        REFUSED(etcd3_compact(client, 1, 0, bad_times[i], &err), "timeout_ms");
        REFUSED(etcd3_defragment(client, NULL, bad_times[i], &err), "timeout_ms");
        REFUSED(etcd3_defragment_all(client, bad_times[i], queue, NULL, NULL, NULL, &err), "timeout_ms");
    }
    REFUSED(etcd3_alarm_raise(client, 0, ETCD3_ALARM_NONE, &alarms, &err), "alarm: must not be ETCD3_ALARM_NONE");
    REFUSED(etcd3_compact(client, 0, 0, 0, &err), "revision");
    REFUSED(etcd3_compact(client, -1, 0, 0, &err), "revision");
    REFUSED(etcd3_compact(client, INT64_MIN, 0, 0, &err), "revision");
    REFUSED(etcd3_hash_kv(client, NULL, -1, &hashes, &err), "revision");
    REFUSED(etcd3_hash_kv_compare(client, INT64_MIN, &hashes, &err), "revision");
    REFUSED(etcd3_move_leader(client, 0, &err), "member_id");
    CHECK(alarms == NULL && hashes == NULL && hash == 0);
}

static void versions(void)
{
    static const char *const bad[] = {"", "3", "3.", ".5", "3.5.0", "v3.5", "3.x", "3. 5", "-3.5", "3.5\n", NULL};
    etcd3_downgrade_t *answer = NULL;
    size_t i;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSED(etcd3_downgrade_validate(client, bad[i], &answer, &err), "version");
        REFUSED(etcd3_downgrade_enable(client, bad[i], &answer, &err), "version");
    }
}

int main(void)
{
    client = open_client();
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    RUN(null_handles);
    RUN(null_answers);
    RUN(endpoints);
    RUN(numbers);
    RUN(versions);
    etcd3_queue_free(queue);
    etcd3_client_free(client);
    return CHECK_DONE();
}
