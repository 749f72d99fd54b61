/* Wrong arguments to what concerns users and roles: nothing is sent, and nothing malformed can be. */
#include "misuse.h"

#define K "k", 1

static void null_handles(void)
{
    etcd3_names_t *names = NULL;
    etcd3_role_t *role = NULL;
    int enabled = -1;
    REFUSED(etcd3_auth_enable(NULL, &err), "client");
    REFUSED(etcd3_auth_disable(NULL, &err), "client");
    REFUSED(etcd3_auth_status(NULL, &enabled, NULL, &err), "client");
    REFUSED(etcd3_auth_status(client, NULL, NULL, &err), "enabled");
    REFUSED(etcd3_user_add(NULL, "u", "p", &err), "client");
    REFUSED(etcd3_user_add_no_password(NULL, "u", &err), "client");
    REFUSED(etcd3_user_delete(NULL, "u", &err), "client");
    REFUSED(etcd3_user_change_password(NULL, "u", "p", &err), "client");
    REFUSED(etcd3_user_grant_role(NULL, "u", "r", &err), "client");
    REFUSED(etcd3_user_revoke_role(NULL, "u", "r", &err), "client");
    REFUSED(etcd3_user_get(NULL, "u", &names, &err), "client");
    REFUSED(etcd3_user_get(client, "u", NULL, &err), "names");
    REFUSED(etcd3_user_list(NULL, &names, &err), "client");
    REFUSED(etcd3_user_list(client, NULL, &err), "names");
    REFUSED(etcd3_role_add(NULL, "r", &err), "client");
    REFUSED(etcd3_role_delete(NULL, "r", &err), "client");
    REFUSED(etcd3_role_list(NULL, &names, &err), "client");
    REFUSED(etcd3_role_list(client, NULL, &err), "names");
    REFUSED(etcd3_role_get(NULL, "r", &role, &err), "client");
    REFUSED(etcd3_role_get(client, "r", NULL, &err), "permissions");
    REFUSED(etcd3_role_grant(NULL, "r", 0, K, &err), "client");
    REFUSED(etcd3_role_grant_prefix(NULL, "r", 0, K, &err), "client");
    REFUSED(etcd3_role_grant_from_key(NULL, "r", 0, K, &err), "client");
    REFUSED(etcd3_role_grant_range(NULL, "r", 0, K, "l", 1, &err), "client");
    REFUSED(etcd3_role_revoke(NULL, "r", K, &err), "client");
    REFUSED(etcd3_role_revoke_prefix(NULL, "r", K, &err), "client");
    REFUSED(etcd3_role_revoke_from_key(NULL, "r", K, &err), "client");
    REFUSED(etcd3_role_revoke_range(NULL, "r", K, "l", 1, &err), "client");
    CHECK(names == NULL && role == NULL && enabled == -1);
    CHECK(etcd3_names_header(NULL) == NULL && etcd3_role_header(NULL) == NULL);
    CHECK_INT(etcd3_names_count(NULL), 0);
    CHECK(etcd3_names_at(NULL, 0) == NULL);
    QUIET(etcd3_names_free(NULL));
    CHECK_INT(etcd3_role_permission_count(NULL), 0);
    CHECK(etcd3_role_permission(NULL, 0) == NULL);
    QUIET(etcd3_role_free(NULL));
}

static void names(void)
{
    static const char *const bad[] = {NULL, "", "\xff\xfe"};
    etcd3_names_t *list = NULL;
    etcd3_role_t *role = NULL;
    int i;
    for (i = 0; i < 3; i++) {
        REFUSED(etcd3_user_add(client, bad[i], "p", &err), "name");
        REFUSED(etcd3_user_add(client, "u", bad[i], &err), "password");
        REFUSED(etcd3_user_add_no_password(client, bad[i], &err), "name");
        REFUSED(etcd3_user_delete(client, bad[i], &err), "name");
        REFUSED(etcd3_user_change_password(client, bad[i], "p", &err), "name");
        REFUSED(etcd3_user_change_password(client, "u", bad[i], &err), "password");
        REFUSED(etcd3_user_grant_role(client, bad[i], "r", &err), "name");
        REFUSED(etcd3_user_grant_role(client, "u", bad[i], &err), "role");
        REFUSED(etcd3_user_revoke_role(client, bad[i], "r", &err), "name");
        REFUSED(etcd3_user_revoke_role(client, "u", bad[i], &err), "role");
        REFUSED(etcd3_user_get(client, bad[i], &list, &err), "name");
        REFUSED(etcd3_role_add(client, bad[i], &err), "role");
        REFUSED(etcd3_role_delete(client, bad[i], &err), "role");
        REFUSED(etcd3_role_get(client, bad[i], &role, &err), "role");
        REFUSED(etcd3_role_grant(client, bad[i], 0, K, &err), "role");
        REFUSED(etcd3_role_revoke(client, bad[i], K, &err), "role");
    }
    CHECK(list == NULL && role == NULL);
}

static void permissions(void)
{
    static const int32_t unknown[] = {-1, 3, INT32_MAX, INT32_MIN};
    size_t huge = (size_t)INT32_MAX + 1;
    int i;
    for (i = 0; i < 4; i++) {
        REFUSED(etcd3_role_grant(client, "r", unknown[i], K, &err), "permission");
        REFUSED(etcd3_role_grant_prefix(client, "r", unknown[i], K, &err), "permission");
        REFUSED(etcd3_role_grant_from_key(client, "r", unknown[i], K, &err), "permission");
        REFUSED(etcd3_role_grant_range(client, "r", unknown[i], K, "l", 1, &err), "permission");
    }
    REFUSED(etcd3_role_grant(client, "r", 0, "", 0, &err), "key: must not be empty");
    REFUSED(etcd3_role_grant(client, "r", 0, NULL, 0, &err), "key: must not be empty");
    REFUSED(etcd3_role_grant(client, "r", 0, NULL, 2, &err), "key");
    REFUSED(etcd3_role_grant(client, "r", 0, "k", huge, &err), "key");
    REFUSED(etcd3_role_grant_prefix(client, "r", 0, NULL, 2, &err), "prefix");
    REFUSED(etcd3_role_grant_prefix(client, "r", 0, "k", huge, &err), "prefix");
    REFUSED(etcd3_role_grant_from_key(client, "r", 0, NULL, ETCD3_NTS, &err), "key");
    REFUSED(etcd3_role_grant_range(client, "r", 0, "", 0, "l", 1, &err), "key");
    REFUSED(etcd3_role_grant_range(client, "r", 0, K, "", 0, &err), "end");
    REFUSED(etcd3_role_grant_range(client, "r", 0, K, "\0", 1, &err), "end");
    REFUSED(etcd3_role_grant_range(client, "r", 0, K, NULL, 3, &err), "end");
    REFUSED(etcd3_role_revoke(client, "r", NULL, 0, &err), "key: must not be empty");
    REFUSED(etcd3_role_revoke_prefix(client, "r", NULL, 2, &err), "prefix");
    REFUSED(etcd3_role_revoke_from_key(client, "r", NULL, 2, &err), "key");
    REFUSED(etcd3_role_revoke_range(client, "r", K, "", 0, &err), "end");
    REFUSED(etcd3_role_revoke_range(client, "r", NULL, 3, "l", 1, &err), "key");
}

/* No message repeats a password. */
static void passwords_stay_secret(void)
{
    CHECK_INT(etcd3_user_add(client, "", "hush-hush", &err), ETCD3_ERR_INVALID_ARGUMENT);
    CHECK(strstr(etcd3_error_message(err), "hush") == NULL);
    etcd3_error_free(err);
    err = NULL;
    CHECK_INT(etcd3_user_change_password(client, "nobody", "hush-hush", &err), ETCD3_ERR_USER_NOT_FOUND);
    CHECK(strstr(etcd3_error_message(err), "hush") == NULL);
    etcd3_error_free(err);
    err = NULL;
    still_works(__LINE__);
}

int main(void)
{
    client = open_client();
    RUN(null_handles);
    RUN(names);
    RUN(permissions);
    RUN(passwords_stay_secret);
    etcd3_client_free(client);
    return CHECK_DONE();
}
