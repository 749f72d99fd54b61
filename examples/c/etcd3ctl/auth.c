/* auth: enable, disable, status. */
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>

/* Gives the user root the role root where that is all that is missing. */
static int enable(const struct args *args)
{
    etcd3_code_t code;
    if (args->count)
        die(EXIT_ARGS, "auth enable command does not accept any arguments");
    connect_client();
    code = etcd3_auth_enable(client, &err);
    if (code == ETCD3_ERR_ROOT_ROLE_NOT_FOUND) {
        etcd3_error_free(err);
        err = NULL;
        code = etcd3_role_add(client, "root", &err);
        if (code == ETCD3_OK)
            code = etcd3_user_grant_role(client, "root", "root", &err);
        if (code == ETCD3_OK)
            code = etcd3_auth_enable(client, &err);
    }
    must(code);
    puts("Authentication Enabled");
    return 0;
}

static int disable(const struct args *args)
{
    if (args->count)
        die(EXIT_ARGS, "auth disable command does not accept any arguments");
    connect_client();
    must(etcd3_auth_disable(client, &err));
    puts("Authentication Disabled");
    return 0;
}

static int status(const struct args *args)
{
    int enabled = 0;
    uint64_t revision = 0;
    if (args->count)
        die(EXIT_ARGS, "auth status command does not accept any arguments");
    connect_client();
    must(etcd3_auth_status(client, &enabled, &revision, &err));
    need_simple_or_json();
    if (format == JSON) {
        json_open(NULL, '{');
        json_bool("enabled", enabled);
        json_uint("authRevision", revision);
        json_close('}');
        json_end();
    } else {
        printf("Authentication Status: %s\nAuthRevision: %" PRIu64 "\n", enabled ? "true" : "false", revision);
    }
    return 0;
}

const struct command auth_commands[] = {
    {"auth", "enable", "", "Enables authentication", NULL, enable},
    {"auth", "disable", "", "Disables authentication", NULL, disable},
    {"auth", "status", "", "Returns authentication status", NULL, status},
    {0},
};
