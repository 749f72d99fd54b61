/* user: add, delete, get, list, passwd, grant-role, revoke-role. */
#include "ctl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int interactive = 1, no_password, detail;
static const char *new_password = "";

static const struct flag add_flags[] = {
    {"interactive", 0, FLAG_BOOL, &interactive, "false: read the password from stdin, without asking twice"},
    {"new-user-password", 0, FLAG_TEXT, &new_password, "Supply password from the command line flag"},
    {"no-password", 0, FLAG_BOOL, &no_password, "Create a user without password (CN based auth only)"},
    {0},
};
static const struct flag passwd_flags[] = {
    {"interactive", 0, FLAG_BOOL, &interactive, "false: read the password from stdin, without asking twice"},
    {0},
};
static const struct flag get_user_flags[] = {
    {"detail", 0, FLAG_BOOL, &detail, "Show permissions of roles granted to the user"},
    {0},
};

static void need(const struct args *args, int count, const char *usage)
{
    if (args->count != count)
        die(EXIT_ARGS, "%s", usage);
}

/* From the terminal, twice; or the first word of a line. */
static char *password_for(const char *user)
{
    char prompt[300], *first, *second;
    if (!interactive) {
        first = read_line();
        if (!first)
            return (char *)memset(allocate(1), 0, 1);
        first[strcspn(first, " \t\r")] = '\0';
        return first;
    }
    snprintf(prompt, sizeof prompt, "Password of %s: ", user);
    first = ask_password(prompt);
    if (!*first)
        die(EXIT_ARGS, "empty password");
    snprintf(prompt, sizeof prompt, "Type password of %s again for confirmation: ", user);
    second = ask_password(prompt);
    if (strcmp(first, second) != 0)
        die(EXIT_ARGS, "given passwords are different");
    free(second);
    return first;
}

static int add(const struct args *args)
{
    char *user, *colon, *password = NULL;
    need(args, 1, "user add command requires user name as its argument");
    user = args->at[0];
    colon = strchr(user, ':');
    if (!no_password && !*new_password) {
        if (colon) {
            *colon = '\0';
            if (!*user)
                die(EXIT_ARGS, "empty user name is not allowed");
        } else {
            password = password_for(user);
        }
    }
    connect_client();
    if (no_password)
        must(etcd3_user_add_no_password(client, user, &err));
    else
        must(etcd3_user_add(client, user, *new_password ? new_password : colon ? colon + 1 : password, &err));
    free(password);
    if (!show_done())
        printf("User %s created\n", user);
    return 0;
}

static int delete_user(const struct args *args)
{
    need(args, 1, "user delete command requires user name as its argument");
    connect_client();
    must(etcd3_user_delete(client, args->at[0], &err));
    if (!show_done())
        printf("User %s deleted\n", args->at[0]);
    return 0;
}

static void json_names(const char *key, const etcd3_names_t *names)
{
    size_t i, count = etcd3_names_count(names);
    json_open(NULL, '{');
    json_header("header", etcd3_names_header(names));
    if (count)
        json_open(key, '[');
    for (i = 0; i < count; i++)
        json_text(NULL, etcd3_names_at(names, i));
    if (count)
        json_close(']');
    json_close('}');
    json_end();
}

void show_names(const char *key, const etcd3_names_t *names)
{
    size_t i;
    need_simple_or_json();
    if (format == JSON)
        json_names(key, names);
    for (i = 0; format == SIMPLE && i < etcd3_names_count(names); i++)
        puts(etcd3_names_at(names, i));
}

static void show_detail(const etcd3_names_t *roles)
{
    size_t i;
    for (i = 0; i < etcd3_names_count(roles); i++) {
        etcd3_role_t *role = NULL;
        must(etcd3_role_get(client, etcd3_names_at(roles, i), &role, &err));
        putchar('\n');
        show_role(etcd3_names_at(roles, i), role);
        etcd3_role_free(role);
    }
}

static int get(const struct args *args)
{
    etcd3_names_t *roles = NULL;
    size_t i;
    need(args, 1, "user get command requires user name as its argument");
    connect_client();
    must(etcd3_user_get(client, args->at[0], &roles, &err));
    if (detail) {
        printf("User: %s\n", args->at[0]);
        show_detail(roles);
    } else {
        need_simple_or_json();
        if (format == JSON) {
            json_names("roles", roles);
        } else {
            printf("User: %s\nRoles:", args->at[0]);
            for (i = 0; i < etcd3_names_count(roles); i++)
                printf(" %s", etcd3_names_at(roles, i));
            putchar('\n');
        }
    }
    etcd3_names_free(roles);
    return 0;
}

static int list(const struct args *args)
{
    etcd3_names_t *users = NULL;
    need(args, 0, "user list command requires no arguments");
    connect_client();
    must(etcd3_user_list(client, &users, &err));
    show_names("users", users);
    etcd3_names_free(users);
    return 0;
}

static int passwd(const struct args *args)
{
    char *password;
    need(args, 1, "user passwd command requires user name as its argument");
    password = password_for(args->at[0]);
    connect_client();
    must(etcd3_user_change_password(client, args->at[0], password, &err));
    free(password);
    if (!show_done())
        puts("Password updated");
    return 0;
}

static int grant_role(const struct args *args)
{
    need(args, 2, "user grant command requires user name and role name as its argument");
    connect_client();
    must(etcd3_user_grant_role(client, args->at[0], args->at[1], &err));
    if (!show_done())
        printf("Role %s is granted to user %s\n", args->at[1], args->at[0]);
    return 0;
}

static int revoke_role(const struct args *args)
{
    need(args, 2, "user revoke-role requires user name and role name as its argument");
    connect_client();
    must(etcd3_user_revoke_role(client, args->at[0], args->at[1], &err));
    if (!show_done())
        printf("Role %s is revoked from user %s\n", args->at[1], args->at[0]);
    return 0;
}

const struct command user_commands[] = {
    {"user", "add", "<user name or user:password> [options]", "Adds a new user", add_flags, add},
    {"user", "delete", "<user name>", "Deletes a user", NULL, delete_user},
    {"user", "get", "<user name> [options]", "Gets detailed information of a user", get_user_flags, get},
    {"user", "list", "", "Lists all users", NULL, list},
    {"user", "passwd", "<user name> [options]", "Changes password of user", passwd_flags, passwd},
    {"user", "grant-role", "<user name> <role name>", "Grants a role to a user", NULL, grant_role},
    {"user", "revoke-role", "<user name> <role name>", "Revokes a role from a user", NULL, revoke_role},
    {0},
};
