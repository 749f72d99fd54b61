/* Users, roles and permissions on a real server: made, used, taken back. */
#include "check.h"

static etcd3_client_t *client;
static etcd3_error_t *err;
static int is_3_4;

static etcd3_client_t *as(const char *user, const char *password)
{
    etcd3_config_t *config = env_config();
    etcd3_client_t *made = NULL;
    etcd3_config_set_credentials(config, user, password);
    CHECK_OK(etcd3_client_open(config, &made, &err), err);
    etcd3_config_free(config);
    return made;
}

/* The names, with a space after each, and free them. */
static const char *joined(etcd3_names_t *names)
{
    static char text[500];
    size_t i, at = 0, n = etcd3_names_count(names);
    text[0] = '\0';
    for (i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s ", etcd3_names_at(names, i));
    CHECK(etcd3_names_at(names, n) == NULL);
    etcd3_names_free(names);
    return text;
}

static const char *roles_of(const char *user)
{
    etcd3_names_t *names = NULL;
    CHECK_OK(etcd3_user_get(client, user, &names, &err), err);
    return joined(names);
}

static void users(void)
{
    etcd3_names_t *names = NULL;
    CHECK_OK(etcd3_user_list(client, &names, &err), err);
    CHECK_STR(joined(names), "");
    CHECK_OK(etcd3_user_add(client, "root", "secret", &err), err);
    CHECK_OK(etcd3_user_add(client, "anna", "first", &err), err);
    CHECK_OK(etcd3_user_add_no_password(client, "by-certificate", &err), err);
    CHECK_CODE(etcd3_user_add(client, "anna", "other", &err), err, ETCD3_ERR_USER_EXISTS, "already exists");
    CHECK_CODE(etcd3_user_add_no_password(client, "anna", &err), err, ETCD3_ERR_USER_EXISTS, "already exists");
    CHECK_OK(etcd3_user_list(client, &names, &err), err);
    CHECK_STR(joined(names), "anna by-certificate root ");
    CHECK_STR(roles_of("anna"), "");
    names = NULL;
    CHECK_CODE(etcd3_user_get(client, "nobody", &names, &err), err, ETCD3_ERR_USER_NOT_FOUND, "not found");
    CHECK(names == NULL);
    CHECK_CODE(etcd3_user_delete(client, "nobody", &err), err, ETCD3_ERR_USER_NOT_FOUND, "not found");
    CHECK_CODE(etcd3_user_change_password(client, "nobody", "x", &err), err, ETCD3_ERR_USER_NOT_FOUND, "not found");
}

static void roles(void)
{
    etcd3_names_t *names = NULL;
    CHECK_OK(etcd3_role_list(client, &names, &err), err);
    CHECK_STR(joined(names), "");
    CHECK_OK(etcd3_role_add(client, "root", &err), err);
    CHECK_OK(etcd3_role_add(client, "writers", &err), err);
    CHECK_CODE(etcd3_role_add(client, "writers", &err), err, ETCD3_ERR_ROLE_EXISTS, "already exists");
    CHECK_OK(etcd3_role_list(client, &names, &err), err);
    CHECK_STR(joined(names), "root writers ");
    CHECK_CODE(etcd3_role_delete(client, "nothing", &err), err, ETCD3_ERR_ROLE_NOT_FOUND, "not found");
    CHECK_CODE(etcd3_user_grant_role(client, "anna", "nothing", &err), err, ETCD3_ERR_ROLE_NOT_FOUND, "not found");
    CHECK_CODE(etcd3_user_grant_role(client, "nobody", "root", &err), err, ETCD3_ERR_USER_NOT_FOUND, "not found");
    CHECK_CODE(etcd3_user_revoke_role(client, "anna", "writers", &err), err, ETCD3_ERR_ROLE_NOT_GRANTED, "not granted");
    CHECK_OK(etcd3_user_grant_role(client, "root", "root", &err), err);
    CHECK_OK(etcd3_user_grant_role(client, "anna", "writers", &err), err);
    CHECK_STR(roles_of("anna"), "writers ");
}

/* The permission that a role has for a range; its type, or -1. */
static int permission_of(const char *role, const void *key, size_t key_len, const void *end, size_t end_len)
{
    etcd3_role_t *permissions = NULL;
    size_t i, n;
    int type = -1;
    CHECK_OK(etcd3_role_get(client, role, &permissions, &err), err);
    n = etcd3_role_permission_count(permissions);
    for (i = 0; i < n; i++) {
        const etcd3_permission_t *one = etcd3_role_permission(permissions, i);
        if (bytes_are(one->key, one->key_len, key, key_len) &&
            bytes_are(one->range_end, one->range_end_len, end, end_len))
            type = one->type;
    }
    CHECK(etcd3_role_permission(permissions, n) == NULL);
    etcd3_role_free(permissions);
    return type;
}

static void permissions(void)
{
    etcd3_role_t *none = NULL;
    CHECK_OK(etcd3_role_grant(client, "writers", ETCD3_PERMISSION_READ, "one", ETCD3_NTS, &err), err);
    CHECK_OK(etcd3_role_grant_prefix(client, "writers", ETCD3_PERMISSION_READWRITE, "dir/", ETCD3_NTS, &err), err);
    CHECK_OK(etcd3_role_grant_range(client, "writers", ETCD3_PERMISSION_WRITE, "m\0", 2, "n\xff", 2, &err), err);
    CHECK_OK(etcd3_role_grant_from_key(client, "writers", ETCD3_PERMISSION_READ, "zz", ETCD3_NTS, &err), err);
    CHECK_INT(permission_of("writers", "one", 3, "", 0), ETCD3_PERMISSION_READ);
    CHECK_INT(permission_of("writers", "dir/", 4, "dir0", 4), ETCD3_PERMISSION_READWRITE);
    CHECK_INT(permission_of("writers", "m\0", 2, "n\xff", 2), ETCD3_PERMISSION_WRITE);
    CHECK_INT(permission_of("writers", "zz", 2, "\0", 1), ETCD3_PERMISSION_READ);
    /* In place of what there was. */
    CHECK_OK(etcd3_role_grant(client, "writers", ETCD3_PERMISSION_WRITE, "one", ETCD3_NTS, &err), err);
    CHECK_INT(permission_of("writers", "one", 3, "", 0), ETCD3_PERMISSION_WRITE);
    CHECK_CODE(etcd3_role_revoke_prefix(client, "writers", "one", ETCD3_NTS, &err), err,
               ETCD3_ERR_PERMISSION_NOT_GRANTED, "not granted");
    CHECK_OK(etcd3_role_revoke(client, "writers", "one", ETCD3_NTS, &err), err);
    CHECK_OK(etcd3_role_revoke_range(client, "writers", "m\0", 2, "n\xff", 2, &err), err);
    CHECK_OK(etcd3_role_revoke_from_key(client, "writers", "zz", ETCD3_NTS, &err), err);
    CHECK_INT(permission_of("writers", "one", 3, "", 0), -1);
    CHECK_INT(permission_of("writers", "m\0", 2, "n\xff", 2), -1);
    CHECK_INT(permission_of("writers", "zz", 2, "\0", 1), -1);
    CHECK_INT(permission_of("writers", "dir/", 4, "dir0", 4), ETCD3_PERMISSION_READWRITE);
    CHECK_CODE(etcd3_role_grant(client, "nothing", 0, "k", 1, &err), err, ETCD3_ERR_ROLE_NOT_FOUND, "not found");
    CHECK_CODE(etcd3_role_get(client, "nothing", &none, &err), err, ETCD3_ERR_ROLE_NOT_FOUND, "not found");
    CHECK(none == NULL);
    /* All keys there are. */
    CHECK_OK(etcd3_role_add(client, "all", &err), err);
    CHECK_OK(etcd3_role_grant_prefix(client, "all", ETCD3_PERMISSION_READ, NULL, 0, &err), err);
    CHECK_INT(permission_of("all", "\0", 1, "\0", 1), ETCD3_PERMISSION_READ);
    CHECK_OK(etcd3_role_revoke_prefix(client, "all", "", 0, &err), err);
    CHECK_INT(permission_of("all", "\0", 1, "\0", 1), -1);
    CHECK_OK(etcd3_role_delete(client, "all", &err), err);
}

static void is_enabled(int want)
{
    int enabled = -1;
    uint64_t revision = 0;
    if (is_3_4) {
        CHECK_CODE(etcd3_auth_status(client, &enabled, &revision, &err), err, ETCD3_ERR_UNIMPLEMENTED, "AuthStatus");
        return;
    }
    CHECK_OK(etcd3_auth_status(client, &enabled, &revision, &err), err);
    CHECK_INT(enabled, want);
    CHECK(revision > 1);
    CHECK_OK(etcd3_auth_status(client, &enabled, NULL, &err), err);
}

static void with_authentication_on(void)
{
    etcd3_client_t *anna;
    etcd3_names_t *names = NULL;
    etcd3_result_t *r = NULL;
    CHECK_OK(etcd3_auth_disable(client, &err), err);
    is_enabled(0);
    CHECK_OK(etcd3_auth_enable(client, &err), err);
    CHECK_CODE(etcd3_user_list(client, &names, &err), err, ETCD3_ERR_USER_EMPTY, "user name is empty");
    CHECK_OK(etcd3_client_set_credentials(client, "root", "secret", &err), err);
    is_enabled(1);
    CHECK_CODE(etcd3_user_delete(client, "root", &err), err, ETCD3_ERR_INVALID_AUTH_MANAGEMENT, "invalid auth");
    anna = as("anna", "first");
    put(anna, "dir/k", "v");
    CHECK_CODE(etcd3_put(anna, "other", ETCD3_NTS, "v", 1, &err), err, ETCD3_ERR_PERMISSION_DENIED, "denied");
    CHECK_CODE(etcd3_user_add(anna, "eve", "x", &err), err, ETCD3_ERR_PERMISSION_DENIED, "denied");
    CHECK_CODE(etcd3_role_grant(anna, "writers", 2, "other", ETCD3_NTS, &err), err, ETCD3_ERR_PERMISSION_DENIED, "denied");
    CHECK_OK(etcd3_user_change_password(client, "anna", "second", &err), err);
    CHECK_CODE(etcd3_get(anna, "dir/k", ETCD3_NTS, &r, &err), err, ETCD3_ERR_AUTH_FAILED, "authentication failed");
    etcd3_client_free(anna);
    anna = as("anna", "second");
    put(anna, "dir/k", "w");
    CHECK_OK(etcd3_user_revoke_role(client, "anna", "writers", &err), err);
    CHECK_CODE(etcd3_put(anna, "dir/k", ETCD3_NTS, "v", 1, &err), err, ETCD3_ERR_PERMISSION_DENIED, "denied");
    etcd3_client_free(anna);
    CHECK_STR(roles_of("anna"), "");
    CHECK_OK(etcd3_auth_disable(client, &err), err);
    is_enabled(0);
}

/* With a certificate it could log in; with a password never. */
static void a_user_without_a_password(void)
{
    etcd3_client_t *guess;
    etcd3_result_t *r = NULL;
    CHECK_OK(etcd3_auth_enable(client, &err), err);
    guess = as("by-certificate", "guess");
    CHECK_CODE(etcd3_get(guess, "dir/k", ETCD3_NTS, &r, &err), err, ETCD3_ERR_AUTH_FAILED, "authentication failed");
    etcd3_client_free(guess);
    CHECK_OK(etcd3_auth_disable(client, &err), err);
    CHECK_OK(etcd3_user_delete(client, "by-certificate", &err), err);
    CHECK_OK(etcd3_user_delete(client, "anna", &err), err);
    CHECK_OK(etcd3_role_delete(client, "writers", &err), err);
    CHECK_CODE(etcd3_user_delete(client, "anna", &err), err, ETCD3_ERR_USER_NOT_FOUND, "not found");
    CHECK_CODE(etcd3_role_delete(client, "writers", &err), err, ETCD3_ERR_ROLE_NOT_FOUND, "not found");
}

int main(void)
{
    const char *version = getenv("ETCD3_SERVER_VERSION");
    is_3_4 = version && strncmp(version, "3.4.", 4) == 0;
    client = open_client();
    RUN(users);
    CHECK_CODE(etcd3_auth_enable(client, &err), err, ETCD3_ERR_ROOT_ROLE_NOT_FOUND, "root role");
    RUN(roles);
    RUN(permissions);
    RUN(with_authentication_on);
    RUN(a_user_without_a_password);
    etcd3_client_free(client);
    return CHECK_DONE();
}
