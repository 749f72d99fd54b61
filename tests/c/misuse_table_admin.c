/* Each argument of members, maintenance, snapshots, users and roles, wrong in each way. */
#include "table.h"

static etcd3_members_t *no_members;
static etcd3_status_t *no_status;
static etcd3_alarms_t *no_alarms;
static etcd3_hashes_t *no_hashes;
static etcd3_names_t *no_names;
static etcd3_role_t *no_permissions;
static uint32_t no_hash;
static int no_enabled;

static int descriptor_of(const char *name)
{
    static const int none[] = {-1, 987654};
    int way = wrong(name, 2);
    return way < 0 ? 2 : none[way];
}
#define DESCRIPTOR(x) descriptor_of(#x)
#define ALARM(x) ONE_OF(x, ETCD3_ALARM_NOSPACE, ETCD3_ALARM_NONE, ETCD3_ALARM_CORRUPT)
#define PERMISSION(x) ONE_OF(x, 0, ETCD3_PERMISSION_READ, ETCD3_PERMISSION_READWRITE)

/* clang-format off */
#define ROWS(CALL, MAKE, SET) \
    CALL(etcd3_member_list, (HANDLE(client), YES(linearizable), OUT(members), &err)) \
    CALL(etcd3_member_add, (HANDLE(client), URLS(peer_urls), YES(is_learner), ANY(member_id, NULL), ANY(members, NULL), \
                            &err)) \
    CALL(etcd3_member_update, (HANDLE(client), NOT_ZERO(member_id), URLS(peer_urls), ANY(members, NULL), &err)) \
    CALL(etcd3_member_promote, (HANDLE(client), NOT_ZERO(member_id), ANY(members, NULL), &err)) \
    CALL(etcd3_member_remove, (HANDLE(client), NOT_ZERO(member_id), ANY(members, NULL), &err)) \
    CALL(etcd3_status, (HANDLE(client), ENDPOINT(endpoint), OUT(status), &err)) \
    CALL(etcd3_alarm_list, (HANDLE(client), ANY(member_id, 0), ALARM(alarm), OUT(alarms), &err)) \
    CALL(etcd3_alarm_raise, (HANDLE(client), ANY(member_id, 1), ALARM(alarm), ANY(alarms, NULL), &err)) \
    CALL(etcd3_alarm_disarm, (HANDLE(client), ANY(member_id, 1), ALARM(alarm), ANY(alarms, NULL), &err)) \
    CALL(etcd3_compact, (HANDLE(client), POSITIVE(revision), YES(physical), LIMIT_OR_USUAL(timeout_ms), &err)) \
    CALL(etcd3_defragment, (HANDLE(client), ENDPOINT(endpoint), LIMIT_OR_USUAL(timeout_ms), &err)) \
    CALL(etcd3_defragment_all, (HANDLE(client), LIMIT_OR_USUAL(timeout_ms), QUEUE, ANY(call, NULL), &err)) \
    CALL(etcd3_hash, (HANDLE(client), ENDPOINT(endpoint), OUT(hash), &err)) \
    CALL(etcd3_hash_kv, (HANDLE(client), ENDPOINT(endpoint), NOT_NEGATIVE(revision), OUT(hashes), &err)) \
    CALL(etcd3_hash_kv_compare, (HANDLE(client), NOT_NEGATIVE(revision), OUT(hashes), &err)) \
    CALL(etcd3_move_leader, (HANDLE(client), NOT_ZERO(member_id), &err)) \
    CALL(etcd3_downgrade_validate, (HANDLE(client), TEXT(version, "3.5"), ANY(answer, NULL), &err)) \
    CALL(etcd3_downgrade_enable, (HANDLE(client), TEXT(version, "3.5"), ANY(answer, NULL), &err)) \
    CALL(etcd3_downgrade_cancel, (HANDLE(client), ANY(answer, NULL), &err)) \
    CALL(etcd3_snapshot_to_file, (HANDLE(client), ENDPOINT(endpoint), TEXT(path, "misuse_table"), \
                                  LIMIT_OR_NONE(timeout_ms), ANY(cancel, NULL), ANY(bytes, NULL), &err)) \
    CALL(etcd3_snapshot_to_fd, (HANDLE(client), ENDPOINT(endpoint), DESCRIPTOR(fd), LIMIT_OR_NONE(timeout_ms), \
                                ANY(cancel, NULL), ANY(bytes, NULL), &err)) \
    CALL(etcd3_snapshot_async, (HANDLE(client), ENDPOINT(endpoint), QUEUE, ANY(call, NULL), &err)) \
    CALL(etcd3_auth_enable, (HANDLE(client), &err)) \
    CALL(etcd3_auth_disable, (HANDLE(client), &err)) \
    CALL(etcd3_auth_status, (HANDLE(client), OUT(enabled), ANY(revision, NULL), &err)) \
    CALL(etcd3_user_add, (HANDLE(client), TEXT(name, "u"), TEXT(password, "p"), &err)) \
    CALL(etcd3_user_add_no_password, (HANDLE(client), TEXT(name, "u"), &err)) \
    CALL(etcd3_user_delete, (HANDLE(client), TEXT(name, "u"), &err)) \
    CALL(etcd3_user_change_password, (HANDLE(client), TEXT(name, "u"), TEXT(password, "p"), &err)) \
    CALL(etcd3_user_grant_role, (HANDLE(client), TEXT(name, "u"), TEXT(role, "r"), &err)) \
    CALL(etcd3_user_revoke_role, (HANDLE(client), TEXT(name, "u"), TEXT(role, "r"), &err)) \
    CALL(etcd3_user_get, (HANDLE(client), TEXT(name, "u"), OUT(names), &err)) \
    CALL(etcd3_user_list, (HANDLE(client), OUT(names), &err)) \
    CALL(etcd3_role_add, (HANDLE(client), TEXT(role, "r"), &err)) \
    CALL(etcd3_role_delete, (HANDLE(client), TEXT(role, "r"), &err)) \
    CALL(etcd3_role_grant, (HANDLE(client), TEXT(role, "r"), PERMISSION(permission), KEY(key), &err)) \
    CALL(etcd3_role_grant_prefix, (HANDLE(client), TEXT(role, "r"), PERMISSION(permission), VALUE(prefix), &err)) \
    CALL(etcd3_role_grant_from_key, (HANDLE(client), TEXT(role, "r"), PERMISSION(permission), VALUE(key), &err)) \
    CALL(etcd3_role_grant_range, (HANDLE(client), TEXT(role, "r"), PERMISSION(permission), KEY(key), KEY_IS(end, "z"), \
                                  &err)) \
    CALL(etcd3_role_revoke, (HANDLE(client), TEXT(role, "r"), KEY(key), &err)) \
    CALL(etcd3_role_revoke_prefix, (HANDLE(client), TEXT(role, "r"), VALUE(prefix), &err)) \
    CALL(etcd3_role_revoke_from_key, (HANDLE(client), TEXT(role, "r"), VALUE(key), &err)) \
    CALL(etcd3_role_revoke_range, (HANDLE(client), TEXT(role, "r"), KEY(key), KEY_IS(end, "z"), &err)) \
    CALL(etcd3_role_list, (HANDLE(client), OUT(names), &err)) \
    CALL(etcd3_role_get, (HANDLE(client), TEXT(role, "r"), OUT(permissions), &err))
/* clang-format on */

TABLE(ROWS)

int main(void)
{
    table_start();
    RUN_TABLE();
    CHECK(access("misuse_table", F_OK) != 0 && access("misuse_table.part", F_OK) != 0);
    table_end();
    return CHECK_DONE();
}
