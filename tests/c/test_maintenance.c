/* Maintenance of a real cluster of three: each call to the member that is named, and what concerns all of them. */
#include "scripted.h"

static etcd3_client_t *client;
static etcd3_error_t *err;
static char endpoints[3][40];
static uint64_t ids[3];
static int is_3_4, is_3_6;

static void a_moment(void)
{
    struct timespec moment = {0, 20 * 1000 * 1000};
    nanosleep(&moment, NULL);
}

static etcd3_status_t *status_of(const char *endpoint)
{
    etcd3_status_t *status = NULL;
    CHECK_OK(etcd3_status(client, endpoint, &status, &err), err);
    return status;
}

/* Asks a member until its status is so: what a cluster has agreed upon, each member does in its own time. */
static void await_status(const char *endpoint, int (*is_so)(const etcd3_status_t *status, int64_t wanted), int64_t wanted)
{
    int64_t end = now_ms() + PATIENCE_MS;
    int so;
    do {
        etcd3_status_t *status = status_of(endpoint);
        so = is_so(status, wanted);
        etcd3_status_free(status);
        if (!so)
            a_moment();
    } while (!so && now_ms() < end);
    CHECK(so);
}

static int knows_its_storage(const etcd3_status_t *status, int64_t wanted)
{
    (void)wanted;
    return *etcd3_status_storage_version(status) != '\0';
}

static int has_errors(const etcd3_status_t *status, int64_t wanted)
{
    return (int64_t)etcd3_status_error_count(status) == wanted;
}

static int is_at(const etcd3_status_t *status, int64_t wanted) { return etcd3_status_revision(status) >= wanted; }

/* Has written so much, and compacted all but a little of it. */
static int is_hollow(const etcd3_status_t *status, int64_t wanted)
{
    /* Pages that were given up count as free with the next commit. */
    put(client, "maintained", "v");
    return etcd3_status_db_size(status) > wanted && etcd3_status_db_size_in_use(status) < wanted / 2;
}

static int is_being_downgraded(const etcd3_status_t *status, int64_t wanted)
{
    (void)wanted;
    return *etcd3_status_downgrade_target(status) != '\0';
}

static void await_all_at(int64_t revision)
{
    int i;
    for (i = 0; i < 3; i++)
        await_status(endpoints[i], is_at, revision);
}

static void find_members(void)
{
    const char *list = getenv("ETCD3_ENDPOINTS"), *version = getenv("ETCD3_SERVER_VERSION");
    int i;
    if (!list || !version || sscanf(list, "%39[^,],%39[^,],%39s", endpoints[0], endpoints[1], endpoints[2]) != 3)
        exit(2);
    is_3_4 = strncmp(version, "3.4.", 4) == 0;
    is_3_6 = !is_3_4 && strncmp(version, "3.5.", 4) != 0;
    for (i = 0; i < 3; i++) {
        etcd3_status_t *status = status_of(endpoints[i]);
        ids[i] = etcd3_status_member_id(status);
        etcd3_status_free(status);
    }
    CHECK(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
}

/* The place of the leader among the endpoints. */
static int leader_now(void)
{
    int64_t end = now_ms() + PATIENCE_MS;
    do {
        int i;
        for (i = 0; i < 3; i++) {
            etcd3_status_t *status = status_of(endpoints[i]);
            int leads = etcd3_status_is_leader(status);
            etcd3_status_free(status);
            if (leads)
                return i;
        }
        a_moment();
    } while (now_ms() < end);
    CHECK(0);
    return 0;
}

static void all_of_a_status(void)
{
    etcd3_status_t *status;
    int i, leaders = 0;
    put(client, "maintained", "v");
    for (i = 0; i < 3; i++) {
        if (is_3_6)
            await_status(endpoints[i], knows_its_storage, 0);
        status = status_of(endpoints[i]);
        CHECK_STR(etcd3_status_version(status), getenv("ETCD3_SERVER_VERSION"));
        CHECK(etcd3_status_cluster_id(status) != 0);
        CHECK(etcd3_status_member_id(status) == ids[i]);
        CHECK(etcd3_status_revision(status) >= 1);
        CHECK(etcd3_status_db_size(status) > 0);
        CHECK(etcd3_status_db_size_in_use(status) > 0);
        CHECK(etcd3_status_db_size_in_use(status) <= etcd3_status_db_size(status));
        CHECK(is_3_6 ? etcd3_status_db_size_quota(status) > 0 : etcd3_status_db_size_quota(status) == 0);
        CHECK(etcd3_status_leader(status) == ids[0] || etcd3_status_leader(status) == ids[1] ||
              etcd3_status_leader(status) == ids[2]);
        CHECK_INT(etcd3_status_is_leader(status), etcd3_status_leader(status) == ids[i]);
        leaders += etcd3_status_is_leader(status);
        CHECK(etcd3_status_raft_index(status) > 0 && etcd3_status_raft_term(status) > 0);
        CHECK(etcd3_status_raft_applied_index(status) > 0);
        CHECK(etcd3_status_raft_applied_index(status) <= etcd3_status_raft_index(status));
        CHECK_INT(etcd3_status_is_learner(status), 0);
        CHECK(is_3_6 ? strncmp(etcd3_status_storage_version(status), "3.", 2) == 0
                     : *etcd3_status_storage_version(status) == '\0');
        CHECK_STR(etcd3_status_downgrade_target(status), "");
        CHECK_INT(etcd3_status_error_count(status), 0);
        CHECK(etcd3_status_error(status, 0) == NULL);
        etcd3_status_free(status);
    }
    CHECK_INT(leaders, 1);
    status = status_of(NULL);
    CHECK(etcd3_status_member_id(status) == ids[0] || etcd3_status_member_id(status) == ids[1] ||
          etcd3_status_member_id(status) == ids[2]);
    etcd3_status_free(status);
}

/* A client of one member asks another one, which is none of its endpoints; and it never asks an other in its place. */
static void an_endpoint_that_is_not_on_the_list(void)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *narrow = NULL;
    etcd3_status_t *status = NULL;
    struct scripted nobody = serve_nothing();
    int64_t began, before;
    int i;
    etcd3_config_add_endpoint(config, endpoints[0]);
    etcd3_config_set_timeout(config, 3000);
    CHECK_OK(etcd3_client_open(config, &narrow, &err), err);
    etcd3_config_free(config);
    for (i = 0; i < 3; i++) {
        CHECK_OK(etcd3_status(narrow, endpoints[i], &status, &err), err);
        CHECK(etcd3_status_member_id(status) == ids[i]);
        etcd3_status_free(status);
        status = NULL;
    }
    /* Those connections ended with their calls. */
    before = now_ms() + PATIENCE_MS;
    while (etcd3_client_counter(narrow, "disconnects") < 2 && now_ms() < before)
        a_moment();
    CHECK_INT(etcd3_client_counter(narrow, "connects"), 3);
    CHECK_INT(etcd3_client_counter(narrow, "disconnects"), 2);
    began = now_ms();
    CHECK_CODE(etcd3_status(narrow, nobody.endpoint, &status, &err), err, ETCD3_ERR_UNAVAILABLE, nobody.endpoint);
    CHECK(now_ms() - began < 3000 + 100 + SLACK_MS);
    CHECK(status == NULL);
    put(narrow, "maintained", "still");
    close_client(narrow);
}

static size_t count_alarms(uint64_t member, int32_t kind)
{
    etcd3_alarms_t *alarms = NULL;
    size_t i, count;
    CHECK_OK(etcd3_alarm_list(client, member, kind, &alarms, &err), err);
    count = etcd3_alarms_count(alarms);
    for (i = 0; i < count; i++) {
        CHECK(member == 0 || etcd3_alarms_member_id(alarms, i) == member);
        CHECK(kind == 0 ? etcd3_alarms_kind(alarms, i) != 0 : etcd3_alarms_kind(alarms, i) == kind);
    }
    CHECK_INT(etcd3_alarms_member_id(alarms, count), 0);
    CHECK_INT(etcd3_alarms_kind(alarms, count), 0);
    etcd3_alarms_free(alarms);
    return count;
}

static void alarms(void)
{
    etcd3_alarms_t *list = NULL;
    etcd3_status_t *status;
    CHECK_INT(count_alarms(0, ETCD3_ALARM_NONE), 0);
    CHECK_OK(etcd3_alarm_raise(client, ids[0], ETCD3_ALARM_NOSPACE, &list, &err), err);
    CHECK_INT(etcd3_alarms_count(list), 1);
    CHECK(etcd3_alarms_member_id(list, 0) == ids[0]);
    CHECK_INT(etcd3_alarms_kind(list, 0), ETCD3_ALARM_NOSPACE);
    etcd3_alarms_free(list);
    list = NULL;
    CHECK_INT(etcd3_put(client, "maintained", ETCD3_NTS, "full", ETCD3_NTS, &err), ETCD3_ERR_NO_SPACE);
    etcd3_error_free(err);
    err = NULL;
    await_status(endpoints[0], has_errors, 1);
    status = status_of(endpoints[0]);
    CHECK_INT(etcd3_status_error_count(status), 1);
    CHECK(etcd3_status_error(status, 0) && strstr(etcd3_status_error(status, 0), "NOSPACE"));
    etcd3_status_free(status);
    CHECK_OK(etcd3_alarm_raise(client, 0, ETCD3_ALARM_CORRUPT, NULL, &err), err);
    CHECK_INT(count_alarms(0, ETCD3_ALARM_NONE), 4);
    CHECK_INT(count_alarms(0, ETCD3_ALARM_CORRUPT), 3);
    CHECK_INT(count_alarms(ids[0], ETCD3_ALARM_NONE), 2);
    CHECK_INT(count_alarms(ids[1], ETCD3_ALARM_NOSPACE), 0);
    CHECK_OK(etcd3_alarm_disarm(client, ids[1], ETCD3_ALARM_CORRUPT, &list, &err), err);
    CHECK_INT(etcd3_alarms_count(list), 1);
    CHECK(etcd3_alarms_member_id(list, 0) == ids[1]);
    etcd3_alarms_free(list);
    list = NULL;
    CHECK_INT(count_alarms(0, ETCD3_ALARM_NONE), 3);
    CHECK_OK(etcd3_alarm_disarm(client, 0, ETCD3_ALARM_NONE, &list, &err), err);
    CHECK_INT(etcd3_alarms_count(list), 3);
    etcd3_alarms_free(list);
    CHECK_INT(count_alarms(0, ETCD3_ALARM_NONE), 0);
    CHECK_OK(etcd3_alarm_disarm(client, 0, ETCD3_ALARM_NONE, NULL, &err), err);
    put(client, "maintained", "again");
}

static void compaction_and_defragmentation(void)
{
    etcd3_result_t *r = NULL;
    etcd3_op_t *op;
    etcd3_status_t *status;
    int64_t revision, size;
    char *value = (char *)malloc(100000);
    int i, target = (leader_now() + 1) % 3;
    memset(value, 'v', 100000);
    for (i = 0; i < 40; i++)
        CHECK_OK(etcd3_put(client, "large", ETCD3_NTS, value, 100000, &err), err);
    free(value);
    revision = revision_now(client);
    CHECK_OK(etcd3_compact(client, revision, 1, 20000, &err), err);
    op = etcd3_op_get("large", ETCD3_NTS);
    etcd3_op_set_revision(op, revision - 1);
    CHECK_CODE(etcd3_execute(client, op, &r, &err), err, ETCD3_ERR_COMPACTED, "compacted");
    etcd3_op_free(op);
    CHECK_CODE(etcd3_compact(client, revision, 0, 0, &err), err, ETCD3_ERR_COMPACTED, "compacted");
    CHECK_CODE(etcd3_compact(client, revision + 1000, 0, 0, &err), err, ETCD3_ERR_FUTURE_REVISION, "future");
    for (i = 0; i < 3; i++)
        await_status(endpoints[i], is_hollow, 4000000);
    status = status_of(endpoints[target]);
    size = etcd3_status_db_size(status);
    etcd3_status_free(status);
    CHECK(size > 4000000);
    CHECK_OK(etcd3_defragment(client, endpoints[target], 0, &err), err);
    status = status_of(endpoints[target]);
    CHECK(etcd3_status_db_size(status) < size);
    etcd3_status_free(status);
    /* That was the only one. */
    status = status_of(endpoints[(target + 1) % 3]);
    CHECK(etcd3_status_db_size(status) >= 4000000);
    etcd3_status_free(status);
}

struct progress {
    int notices, closed;
    etcd3_code_t why;
    char last[200];
    int64_t total, done;
};

static void note(const etcd3_event_t *event, void *user_data)
{
    struct progress *progress = (struct progress *)user_data;
    switch (etcd3_event_type(event)) {
    case ETCD3_EVENT_NOTICE:
        progress->notices++;
        CHECK_INT(progress->closed, 0);
        CHECK_INT(etcd3_event_done(event), progress->notices);
        progress->total = etcd3_event_total(event);
        snprintf(progress->last, sizeof progress->last, "%s", etcd3_event_notice(event));
        break;
    case ETCD3_EVENT_CLOSED:
        progress->closed++;
        progress->why = etcd3_error_code(etcd3_event_error(event));
        break;
    default:
        CHECK(0);
    }
}

static void run_to_the_end(etcd3_queue_t *queue, struct progress *progress)
{
    int64_t end = now_ms() + PATIENCE_MS;
    while (!progress->closed && now_ms() < end)
        CHECK_OK(etcd3_queue_dispatch(queue, 0, 1000, NULL, &err), err);
    CHECK_INT(progress->closed, 1);
}

static void defragments_all_the_leader_last(void)
{
    struct progress progress = {0, 0, 0, "", 0, 0}, cancelled = {0, 0, 0, "", 0, 0};
    etcd3_queue_t *queue = NULL;
    etcd3_call_t *call = NULL;
    int i, leader = leader_now();
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_defragment_all(client, 0, queue, note, &progress, NULL, &err), err);
    run_to_the_end(queue, &progress);
    CHECK_INT(progress.why, ETCD3_OK);
    CHECK_INT(progress.notices, 3);
    CHECK_INT(progress.total, 3);
    CHECK(strstr(progress.last, endpoints[leader]) != NULL);
    for (i = 0; i < 3; i++) {
        etcd3_status_t *status = status_of(endpoints[i]);
        CHECK(etcd3_status_db_size(status) < 4000000);
        etcd3_status_free(status);
    }
    CHECK_OK(etcd3_defragment_all(client, 0, queue, note, &cancelled, &call, &err), err);
    etcd3_call_cancel(call);
    run_to_the_end(queue, &cancelled);
    CHECK(cancelled.why == ETCD3_ERR_CANCELED || cancelled.why == ETCD3_ERR_AMBIGUOUS);
    etcd3_call_free(call);
    etcd3_queue_free(queue);
}

static uint32_t hash_at(const char *endpoint, int64_t revision, int64_t *compacted)
{
    etcd3_hashes_t *list = NULL;
    uint32_t hash;
    CHECK_OK(etcd3_hash_kv(client, endpoint, revision, &list, &err), err);
    hash = etcd3_hashes_hash(list, 0);
    *compacted = etcd3_hashes_compact_revision(list, 0);
    etcd3_hashes_free(list);
    return hash;
}

static void hashes(void)
{
    etcd3_hashes_t *list = NULL;
    uint32_t hash = 0, other;
    int64_t compacted = -1, revision;
    size_t i;
    put(client, "hashed", "v");
    revision = revision_now(client);
    CHECK_OK(etcd3_hash(client, endpoints[0], &hash, &err), err);
    CHECK(hash != 0);
    for (i = 0; i < 2; i++) {
        CHECK_OK(etcd3_hash_kv_compare(client, i ? revision : 0, &list, &err), err);
        CHECK_INT(etcd3_hashes_count(list), 3);
        CHECK_INT(etcd3_hashes_difference_count(list), 0);
        hash = hash_at(etcd3_hashes_endpoint(list, 1), etcd3_hashes_revision(list, 1), &compacted);
        CHECK(hash != 0 && hash == etcd3_hashes_hash(list, 0) && hash == etcd3_hashes_hash(list, 2));
        CHECK_INT(etcd3_hashes_revision(list, 2), revision);
        CHECK(compacted > 0 && compacted == etcd3_hashes_compact_revision(list, 0));
        CHECK(etcd3_hashes_member_id(list, 0) != etcd3_hashes_member_id(list, 1));
        CHECK_INT(etcd3_hashes_differs(list, 0), 0);
        CHECK_INT(etcd3_hashes_member_id(list, 3), 0);
        CHECK_STR(etcd3_hashes_endpoint(list, 3), "");
        etcd3_hashes_free(list);
        list = NULL;
    }
    put(client, "hashed", "w");
    await_all_at(revision + 1);
    CHECK_INT(hash_at(NULL, revision, &compacted), hash);
    other = hash_at(NULL, revision + 1, &compacted);
    CHECK(other != hash);
    CHECK_CODE(etcd3_hash_kv(client, endpoints[0], revision + 1000, &list, &err), err, ETCD3_ERR_FUTURE_REVISION,
               "future");
    for (i = 0; i < 2; i++) {
        CHECK_OK(etcd3_hash_kv(client, endpoints[2], i ? revision : 0, &list, &err), err);
        CHECK_INT(etcd3_hashes_count(list), 1);
        CHECK_INT(etcd3_hashes_revision(list, 0), i ? revision : revision + 1);
        CHECK(i ? etcd3_hashes_hash(list, 0) == hash : etcd3_hashes_hash(list, 0) == other);
        CHECK_INT(etcd3_hashes_compact_revision(list, 0), compacted);
        CHECK(etcd3_hashes_member_id(list, 0) == ids[2]);
        CHECK_STR(etcd3_hashes_endpoint(list, 0), endpoints[2]);
        CHECK_INT(etcd3_hashes_difference_count(list), 0);
        CHECK(etcd3_hashes_header(list, 0) && etcd3_hashes_header(list, 0)->member_id == ids[2]);
        CHECK(etcd3_hashes_header(list, 1) == NULL);
        etcd3_hashes_free(list);
        list = NULL;
    }
    CHECK_CODE(etcd3_hash_kv(client, NULL, 1, &list, &err), err, ETCD3_ERR_COMPACTED, "compacted");
    CHECK_CODE(etcd3_hash_kv_compare(client, 1, &list, &err), err, ETCD3_ERR_COMPACTED, "compacted");
    CHECK(list == NULL);
}

/* Members that really differ are hard to come by: servers that say so. Revision 2, hash `hash`, compacted to 1. */
static void members_that_differ(void)
{
    struct scripted servers[3];
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *asker;
    etcd3_hashes_t *list = NULL;
    char rule[250];
    int i;
    for (i = 0; i < 3; i++) {
        servers[i] = serve("grpc");
        etcd3_config_add_endpoint(config, servers[i].endpoint);
    }
    etcd3_config_set_timeout(config, 2000);
    snprintf(rule, sizeof rule, "MemberList * headers | message members http://%s http://%s http://%s | trailers 0",
             servers[0].endpoint, servers[1].endpoint, servers[2].endpoint);
    for (i = 0; i < 3; i++) {
        script(&servers[i], rule);
        script(&servers[i], i == 1 ? "HashKV * headers | message hex 10081801 | trailers 0"
                                   : "HashKV * headers | message hex 10071801 | trailers 0");
    }
    asker = open_config(config);
    CHECK_OK(etcd3_hash_kv_compare(asker, 0, &list, &err), err);
    CHECK_INT(etcd3_hashes_count(list), 3);
    CHECK_INT(etcd3_hashes_difference_count(list), 1);
    for (i = 0; i < 3; i++) {
        CHECK_INT(etcd3_hashes_differs(list, (size_t)i), i == 1);
        CHECK_INT(etcd3_hashes_hash(list, (size_t)i), i == 1 ? 8 : 7);
        CHECK_INT(etcd3_hashes_compact_revision(list, (size_t)i), 1);
        CHECK_STR(etcd3_hashes_endpoint(list, (size_t)i), servers[i].endpoint);
    }
    etcd3_hashes_free(list);
    list = NULL;
    /* One that does not answer leaves the comparison without a result. */
    forget(&servers[2]);
    script(&servers[2], rule);
    script(&servers[2], "HashKV * status 13 out of order");
    CHECK_CODE(etcd3_hash_kv_compare(asker, 0, &list, &err), err, ETCD3_ERR_SERVER, "out of order");
    CHECK(list == NULL);
    close_client(asker);
}

static void moves_the_leader(void)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *narrow = NULL;
    int i, leader = leader_now(), target = (leader + 1) % 3;
    CHECK_OK(etcd3_move_leader(client, ids[target], &err), err);
    CHECK_INT(leader_now(), target);
    CHECK_OK(etcd3_move_leader(client, ids[target], &err), err);
    /* Also if the leader is none of the endpoints. */
    etcd3_config_add_endpoint(config, endpoints[leader]);
    etcd3_config_set_timeout(config, 10000);
    CHECK_OK(etcd3_client_open(config, &narrow, &err), err);
    etcd3_config_free(config);
    CHECK_OK(etcd3_move_leader(narrow, ids[(target + 1) % 3], &err), err);
    CHECK_INT(leader_now(), (target + 1) % 3);
    close_client(narrow);
    CHECK_CODE(etcd3_move_leader(client, 12345, &err), err, ETCD3_ERR_BAD_LEADER_TRANSFEREE, "transferee");
    for (i = 0; i < 3; i++) {
        CHECK_OK(etcd3_move_leader(client, ids[i], &err), err);
        CHECK_INT(leader_now(), i);
    }
}

static void downgrades(void)
{
    const char *version = getenv("ETCD3_SERVER_VERSION");
    char lower[20];
    etcd3_downgrade_t *answer = NULL;
    if (is_3_4) {
        CHECK_CODE(etcd3_downgrade_validate(client, "3.3", NULL, &err), err, ETCD3_ERR_UNIMPLEMENTED, "Downgrade");
        return;
    }
    snprintf(lower, sizeof lower, "3.%d", atoi(version + 2) - 1);
    CHECK_CODE(etcd3_downgrade_validate(client, "3.0", NULL, &err), err, ETCD3_ERR_INVALID_DOWNGRADE_VERSION, "target version");
    /* Some servers find nothing wrong with that. */
    if (etcd3_downgrade_cancel(client, NULL, &err) != ETCD3_OK) {
        CHECK_INT(etcd3_error_code(err), ETCD3_ERR_NO_DOWNGRADE);
        etcd3_error_free(err);
        err = NULL;
    }
    CHECK_OK(etcd3_downgrade_validate(client, lower, &answer, &err), err);
    CHECK(strncmp(etcd3_downgrade_version(answer), version, 3) == 0);
    CHECK(etcd3_downgrade_header(answer) && etcd3_downgrade_header(answer)->member_id != 0);
    etcd3_downgrade_free(answer);
    if (!is_3_6)
        return;
    CHECK_OK(etcd3_downgrade_validate(client, lower, NULL, &err), err);
    answer = NULL;
    CHECK_OK(etcd3_downgrade_enable(client, lower, &answer, &err), err);
    CHECK(strncmp(etcd3_downgrade_version(answer), version, 3) == 0);
    etcd3_downgrade_free(answer);
    {
        const char *leader = endpoints[leader_now()];
        etcd3_status_t *status;
        await_status(leader, is_being_downgraded, 0);
        status = status_of(leader);
        CHECK(strncmp(etcd3_status_downgrade_target(status), lower, strlen(lower)) == 0);
        etcd3_status_free(status);
    }
    CHECK_CODE(etcd3_downgrade_enable(client, lower, NULL, &err), err, ETCD3_ERR_DOWNGRADE_IN_PROGRESS, "in progress");
    answer = NULL;
    CHECK_OK(etcd3_downgrade_cancel(client, &answer, &err), err);
    CHECK(etcd3_downgrade_header(answer) && etcd3_downgrade_header(answer)->member_id != 0);
    etcd3_downgrade_free(answer);
}

static void ends_with_the_client(void)
{
    struct progress progress = {0, 0, 0, "", 0, 0};
    struct scripted silent = serve("silent");
    etcd3_client_t *closing = open_config(config_of(&silent, NULL, PATIENCE_MS));
    etcd3_queue_t *queue = NULL;
    etcd3_status_t *status = NULL;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_defragment_all(closing, 0, queue, note, &progress, NULL, &err), err);
    CHECK_OK(etcd3_client_close(closing, PATIENCE_MS, &err), err);
    run_to_the_end(queue, &progress);
    CHECK_INT(progress.why, ETCD3_ERR_CLOSED);
    CHECK_CODE(etcd3_status(closing, endpoints[0], &status, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_defragment_all(closing, 0, queue, note, &progress, NULL, &err), err, ETCD3_ERR_CLOSED, "closed");
    etcd3_client_free(closing);
    etcd3_queue_free(queue);
}

int main(void)
{
    client = open_client();
    find_members();
    RUN(all_of_a_status);
    RUN(an_endpoint_that_is_not_on_the_list);
    RUN(alarms);
    RUN(compaction_and_defragmentation);
    RUN(defragments_all_the_leader_last);
    RUN(hashes);
    RUN(members_that_differ);
    RUN(moves_the_leader);
    RUN(downgrades);
    RUN(ends_with_the_client);
    close_client(client);
    return CHECK_DONE();
}
