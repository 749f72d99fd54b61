/* Administration whose answers are lost, late or refused: what is asked again, what is sent once, and what is in the
   requests that a careless client could kill a server with. */
#include "scripted.h"

static struct scripted server;
static etcd3_client_t *client;
static etcd3_error_t *err;
static const char *const urls[] = {"http://127.0.0.1:9"};

/* The call gets a lost connection instead of its answer: it is sent once, and says so. */
#define WRITE(method, call) do { \
        forget(&server); \
        script(&server, method " 1 recv | abort"); \
        CHECK_CODE((call), err, ETCD3_ERR_AMBIGUOUS, "may have been applied"); \
        CHECK_INT(asked(&server, method), 1); \
    } while (0)
/* The same of a call that is made again until it is answered. */
#define AGAIN(method, call) do { \
        forget(&server); \
        script(&server, method " 1 recv | abort"); \
        script(&server, method " 1 status 14 etcdserver: server stopped"); \
        CHECK_OK((call), err); \
        CHECK(asked(&server, method) >= 3); \
    } while (0)

static void writes_are_sent_once(void)
{
    WRITE("MemberAdd", etcd3_member_add(client, urls, 1, 0, NULL, NULL, &err));
    WRITE("MemberUpdate", etcd3_member_update(client, 7, urls, 1, NULL, &err));
    WRITE("MemberPromote", etcd3_member_promote(client, 7, NULL, &err));
    WRITE("MemberRemove", etcd3_member_remove(client, 7, NULL, &err));
    WRITE("Compact", etcd3_compact(client, 7, 0, 0, &err));
    WRITE("Defragment", etcd3_defragment(client, NULL, 0, &err));
    WRITE("Defragment", etcd3_defragment(client, server.endpoint, 0, &err));
    WRITE("Downgrade", etcd3_downgrade_enable(client, "3.5", NULL, &err));
    WRITE("Downgrade", etcd3_downgrade_cancel(client, NULL, &err));
    WRITE("AuthEnable", etcd3_auth_enable(client, &err));
    WRITE("AuthDisable", etcd3_auth_disable(client, &err));
    WRITE("UserAdd", etcd3_user_add(client, "u", "p", &err));
    WRITE("UserAdd", etcd3_user_add_no_password(client, "u", &err));
    WRITE("UserDelete", etcd3_user_delete(client, "u", &err));
    WRITE("UserChangePassword", etcd3_user_change_password(client, "u", "p", &err));
    WRITE("UserGrantRole", etcd3_user_grant_role(client, "u", "r", &err));
    WRITE("UserRevokeRole", etcd3_user_revoke_role(client, "u", "r", &err));
    WRITE("RoleAdd", etcd3_role_add(client, "r", &err));
    WRITE("RoleDelete", etcd3_role_delete(client, "r", &err));
    WRITE("RoleGrantPermission", etcd3_role_grant(client, "r", 0, "k", 1, &err));
    WRITE("RoleRevokePermission", etcd3_role_revoke(client, "r", "k", 1, &err));
}

static void reads_are_asked_again(void)
{
    etcd3_members_t *members = NULL;
    etcd3_status_t *status = NULL;
    etcd3_alarms_t *alarms = NULL;
    etcd3_hashes_t *hashes = NULL;
    etcd3_names_t *names = NULL;
    etcd3_role_t *role = NULL;
    uint32_t hash;
    AGAIN("MemberList", etcd3_member_list(client, 1, &members, &err));
    AGAIN("Status", etcd3_status(client, NULL, &status, &err));
    etcd3_status_free(status);
    AGAIN("Status", etcd3_status(client, server.endpoint, &status, &err));
    AGAIN("Alarm", etcd3_alarm_list(client, 0, 0, &alarms, &err));
    AGAIN("Hash", etcd3_hash(client, NULL, &hash, &err));
    AGAIN("HashKV", etcd3_hash_kv(client, NULL, 0, &hashes, &err));
    AGAIN("UserGet", etcd3_user_get(client, "u", &names, &err));
    etcd3_names_free(names);
    AGAIN("UserList", etcd3_user_list(client, &names, &err));
    etcd3_names_free(names);
    AGAIN("RoleList", etcd3_role_list(client, &names, &err));
    AGAIN("RoleGet", etcd3_role_get(client, "r", &role, &err));
    etcd3_members_free(members);
    etcd3_status_free(status);
    etcd3_alarms_free(alarms);
    etcd3_hashes_free(hashes);
    etcd3_names_free(names);
    etcd3_role_free(role);
}

/* What does the same when done twice is asked again, but is not said not to have been done. */
static void what_may_be_done_twice(void)
{
    AGAIN("Alarm", etcd3_alarm_raise(client, 7, ETCD3_ALARM_NOSPACE, NULL, &err));
    forget(&server);
    script(&server, "Alarm * status 14 etcdserver: server stopped");
    CHECK_CODE(etcd3_alarm_raise(client, 7, ETCD3_ALARM_NOSPACE, NULL, &err), err, ETCD3_ERR_AMBIGUOUS, "server stopped");
    CHECK(asked(&server, "Alarm") >= 2);
}

/* A refusal from before anything was proposed is no unknown outcome. */
static void an_unhealthy_cluster(void)
{
    forget(&server);
    script(&server, "MemberAdd * status 14 etcdserver: unhealthy cluster");
    CHECK_INT(etcd3_member_add(client, urls, 1, 0, NULL, NULL, &err), ETCD3_ERR_UNHEALTHY);
    CHECK_INT(etcd3_error_maybe_applied(err), 0);
    CHECK_INT(etcd3_error_is_retryable(err), 1);
    etcd3_error_free(err);
    err = NULL;
}

/* To the limit and not beyond; and ended by the client's end. */
static void without_an_answer(void)
{
    etcd3_config_t *config = config_of(&server, NULL, 300);
    etcd3_client_t *hasty = open_config(config);
    etcd3_status_t *status = NULL;
    int64_t slack = 100 + SLACK_MS, began;
    forget(&server);
    script(&server, "Status * never");
    script(&server, "Defragment * never");
    script(&server, "MemberAdd * never");
    script(&server, "Snapshot * never");
    CHECK_OK(etcd3_client_wait_connected(hasty, 5000, &err), err);
    began = now_ms();
    CHECK_CODE(etcd3_status(hasty, server.endpoint, &status, &err), err, ETCD3_ERR_TIMEOUT, server.endpoint);
    CHECK(now_ms() - began >= 300 && now_ms() - began <= 300 + slack);
    began = now_ms();
    CHECK_CODE(etcd3_member_add(hasty, urls, 1, 0, NULL, NULL, &err), err, ETCD3_ERR_AMBIGUOUS, server.endpoint);
    CHECK(now_ms() - began <= 300 + slack);
    /* Its own limits, not the client's. */
    began = now_ms();
    CHECK_CODE(etcd3_defragment(hasty, server.endpoint, 700, &err), err, ETCD3_ERR_AMBIGUOUS, server.endpoint);
    CHECK(now_ms() - began >= 700 && now_ms() - began <= 700 + slack);
    began = now_ms();
    CHECK_CODE(etcd3_snapshot_to_fd(hasty, NULL, 2, 700, NULL, NULL, &err), err, ETCD3_ERR_TIMEOUT, "");
    CHECK(now_ms() - began >= 700 && now_ms() - began <= 700 + slack);
    CHECK(status == NULL);
    close_client(hasty);
}

static void what_is_in_the_requests(void)
{
    forget(&server);
    CHECK_OK(etcd3_role_grant(client, "r", ETCD3_PERMISSION_READ, "k", 1, &err), err);
    /* Also the kind that is 0 on the wire has a permission around it. */
    CHECK_STR(ask("body %d RoleGrantPermission 0", server.number), "0a0172120312016b");
    CHECK_OK(etcd3_role_grant_prefix(client, "r", ETCD3_PERMISSION_READWRITE, "a\xff", 2, &err), err);
    CHECK_STR(ask("body %d RoleGrantPermission 1", server.number), "0a01721209080212026" "1ff1a0162");
    CHECK_OK(etcd3_role_grant_from_key(client, "r", ETCD3_PERMISSION_WRITE, "k", 1, &err), err);
    CHECK_STR(ask("body %d RoleGrantPermission 2", server.number), "0a017212080801" "12016b1a0100");
    CHECK_OK(etcd3_alarm_raise(client, 7, ETCD3_ALARM_CORRUPT, NULL, &err), err);
    CHECK_STR(ask("body %d Alarm 0", server.number), "080110071802");
    CHECK_OK(etcd3_user_add_no_password(client, "u", &err), err);
    CHECK_STR(ask("body %d UserAdd 0", server.number), "0a01751a020801");
    CHECK_OK(etcd3_member_add(client, urls, 1, 1, NULL, NULL, &err), err);
    CHECK_STR(ask("body %d MemberAdd 0", server.number), "0a12687474703a2f2f3132372e302e302e313a391001");
    CHECK_OK(etcd3_compact(client, 9, 1, 0, &err), err);
    CHECK_STR(ask("body %d Compact 0", server.number), "08091001");
}

int main(void)
{
    server = serve("grpc");
    client = open_config(config_of(&server, NULL, 2000));
    RUN(writes_are_sent_once);
    RUN(reads_are_asked_again);
    RUN(what_may_be_done_twice);
    RUN(an_unhealthy_cluster);
    RUN(without_an_answer);
    RUN(what_is_in_the_requests);
    close_client(client);
    return CHECK_DONE();
}
