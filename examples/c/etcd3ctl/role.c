/* role: add, delete, get, list, grant-permission, revoke-permission. */
#include "ctl.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int prefix, from_key;

static const struct flag flags[] = {
    {"prefix", 0, FLAG_BOOL, &prefix, "The permission is for a prefix"},
    {"from-key", 0, FLAG_BOOL, &from_key, "The permission is for keys from the given key on, by byte compare"},
    {0},
};

static const char *only_name(const struct args *args, const char *usage)
{
    if (args->count != 1)
        die(EXIT_ARGS, "%s", usage);
    return args->at[0];
}

static int add(const struct args *args)
{
    const char *name = only_name(args, "role add command requires role name as its argument");
    connect_client();
    must(etcd3_role_add(client, name, &err));
    if (!show_done())
        printf("Role %s created\n", name);
    return 0;
}

static int delete_role(const struct args *args)
{
    const char *name = only_name(args, "role delete command requires role name as its argument");
    connect_client();
    must(etcd3_role_delete(client, name, &err));
    if (!show_done())
        printf("Role %s deleted\n", name);
    return 0;
}

static int list(const struct args *args)
{
    etcd3_names_t *roles = NULL;
    if (args->count)
        die(EXIT_ARGS, "role list command requires no arguments");
    connect_client();
    must(etcd3_role_list(client, &roles, &err));
    show_names("roles", roles);
    etcd3_names_free(roles);
    return 0;
}

/* Whether the range is that of all keys which start with its key. */
static int is_prefix(const etcd3_permission_t *permission)
{
    size_t len = permission->key_len;
    while (len && permission->key[len - 1] == 0xff)
        len--;
    if (!len)
        return permission->key_len && permission->range_end_len == 1 && permission->range_end[0] == 0;
    return permission->range_end_len == len && memcmp(permission->key, permission->range_end, len - 1) == 0 &&
           permission->range_end[len - 1] == permission->key[len - 1] + 1;
}

static void simple_permission(const etcd3_permission_t *permission)
{
    int key_len = (int)permission->key_len, end_len = (int)permission->range_end_len;
    const char *key = (const char *)permission->key, *end = (const char *)permission->range_end;
    if (end_len == 0)
        printf("\t%.*s", key_len, key);
    else if (end_len == 1 && *end == '\0') {
        /* Go prints the NUL that stands for an empty key. */
        printf("\t[");
        fwrite(key, 1, permission->key_len, stdout);
        printf(", <open ended>");
    } else
        printf("\t[%.*s, %.*s)", key_len, key, end_len, end);
    if (end_len && is_prefix(permission))
        printf(" (prefix %.*s)", key_len, key);
    putchar('\n');
}

static void simple_permissions(const char *title, const etcd3_role_t *role, int32_t kind)
{
    size_t i;
    puts(title);
    for (i = 0; i < etcd3_role_permission_count(role); i++) {
        const etcd3_permission_t *permission = etcd3_role_permission(role, i);
        if (permission->type == kind || permission->type == ETCD3_PERMISSION_READWRITE)
            simple_permission(permission);
    }
}

static void json_role(const etcd3_role_t *role)
{
    size_t i, count = etcd3_role_permission_count(role);
    json_open(NULL, '{');
    json_header("header", etcd3_role_header(role));
    if (count)
        json_open("perm", '[');
    for (i = 0; i < count; i++) {
        const etcd3_permission_t *permission = etcd3_role_permission(role, i);
        json_open(NULL, '{');
        json_int("permType", permission->type);
        json_bytes("key", permission->key, permission->key_len);
        json_bytes("range_end", permission->range_end, permission->range_end_len);
        json_close('}');
    }
    if (count)
        json_close(']');
    json_close('}');
    json_end();
}

static void fields_role(const etcd3_role_t *role)
{
    static const char *const types[] = {"READ", "WRITE", "READWRITE"};
    size_t i;
    fields_header(etcd3_role_header(role));
    for (i = 0; i < etcd3_role_permission_count(role); i++) {
        const etcd3_permission_t *permission = etcd3_role_permission(role, i);
        printf("\"PermType\" :  %s\n\"Key\" : ", types[permission->type]);
        out_quoted(permission->key, permission->key_len);
        printf("\n\"RangeEnd\" : ");
        out_quoted(permission->range_end, permission->range_end_len);
        putchar('\n');
    }
}

void show_role(const char *name, const etcd3_role_t *role)
{
    if (format == JSON) {
        json_role(role);
    } else if (format == FIELDS) {
        fields_role(role);
    } else if (strcmp(name, "root") == 0 && !etcd3_role_permission_count(role)) {
        printf("Role root\nKV Read:\n\t[, <open ended>\nKV Write:\n\t[, <open ended>\n");
    } else {
        need_simple_or_json();
        printf("Role %s\n", name);
        simple_permissions("KV Read:", role, ETCD3_PERMISSION_READ);
        simple_permissions("KV Write:", role, ETCD3_PERMISSION_WRITE);
    }
}

static int get(const struct args *args)
{
    const char *name = only_name(args, "role get command requires role name as its argument");
    etcd3_role_t *role = NULL;
    connect_client();
    must(etcd3_role_get(client, name, &role, &err));
    show_role(name, role);
    etcd3_role_free(role);
    return 0;
}

/* The key and maybe the end, from the words at `first`; the end is NULL where there is none. */
static const char *range(const struct args *args, int first, const char **key)
{
    const char *end = args->count > first + 1 ? args->at[first + 1] : NULL;
    *key = args->at[first];
    if (prefix && from_key)
        die(EXIT_ARGS, "--from-key and --prefix flags are mutually exclusive");
    if (!**key)
        return NULL;
    if (end && (prefix || from_key))
        die(EXIT_ARGS, "unexpected endkey argument with %s flag", prefix ? "--prefix" : "--from-key");
    return end;
}

static int32_t permission_type(const char *text)
{
    static const char *const types[] = {"READ", "WRITE", "READWRITE"};
    int32_t i;
    for (i = 0; i < 3; i++) {
        size_t j;
        for (j = 0; text[j] && toupper((unsigned char)text[j]) == types[i][j]; j++) {
        }
        if (!text[j] && !types[i][j])
            return i;
    }
    die(EXIT_ARGS, "invalid permission type: %s", text);
}

static int grant(const struct args *args)
{
    const char *role, *key, *end;
    int32_t type;
    if (args->count < 3)
        die(EXIT_ARGS,
            "role grant command requires role name, permission type, and key [endkey] as its argument");
    role = args->at[0];
    type = permission_type(args->at[1]);
    end = range(args, 2, &key);
    connect_client();
    if (prefix)
        must(etcd3_role_grant_prefix(client, role, type, key, ETCD3_NTS, &err));
    else if (from_key)
        must(etcd3_role_grant_from_key(client, role, type, key, ETCD3_NTS, &err));
    else if (end)
        must(etcd3_role_grant_range(client, role, type, key, ETCD3_NTS, end, ETCD3_NTS, &err));
    else /* etcdctl takes the key of one NUL for an empty one */
        must(etcd3_role_grant(client, role, type, key, *key ? ETCD3_NTS : 1, &err));
    if (!show_done())
        printf("Role %s updated\n", role);
    return 0;
}

/* Where the range of a prefix ends, as text. */
static void prefix_end(const char *key, char *end, size_t size)
{
    size_t len;
    snprintf(end, size, "%s", key);
    for (len = strlen(end); len && (unsigned char)end[len - 1] == 0xff; len--) {
    }
    end[len] = '\0';
    if (len)
        end[len - 1]++;
}

static int revoke(const struct args *args)
{
    const char *role, *key, *end;
    char prefixed[1024];
    if (args->count < 2)
        die(EXIT_ARGS, "role revoke-permission command requires role name and key [endkey] as its argument");
    role = args->at[0];
    end = range(args, 1, &key);
    connect_client();
    if (prefix)
        must(etcd3_role_revoke_prefix(client, role, key, ETCD3_NTS, &err));
    else if (from_key)
        must(etcd3_role_revoke_from_key(client, role, key, ETCD3_NTS, &err));
    else if (end)
        must(etcd3_role_revoke_range(client, role, key, ETCD3_NTS, end, ETCD3_NTS, &err));
    else
        must(etcd3_role_revoke(client, role, key, *key ? ETCD3_NTS : 1, &err));
    if (show_done())
        return 0;
    prefix_end(prefix ? key : "", prefixed, sizeof prefixed);
    if (prefix && *prefixed)
        end = prefixed;
    if (end)
        printf("Permission of range [%s, %s) is revoked from role %s\n", key, end, role);
    else if (prefix || from_key)
        printf("Permission of range [%s, <open ended> is revoked from role %s\n", key, role);
    else
        printf("Permission of key %s is revoked from role %s\n", key, role);
    return 0;
}

const struct command role_commands[] = {
    {"role", "add", "<role name>", "Adds a new role", NULL, add},
    {"role", "delete", "<role name>", "Deletes a role", NULL, delete_role},
    {"role", "get", "<role name>", "Gets detailed information of a role", NULL, get},
    {"role", "list", "", "Lists all roles", NULL, list},
    {"role", "grant-permission", "[options] <role name> <permission type> <key> [endkey]", "Grants a key to a role",
     flags, grant},
    {"role", "revoke-permission", "[options] <role name> <key> [endkey]", "Revokes a key from a role", flags, revoke},
    {0},
};
