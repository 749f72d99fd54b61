/* Finds the command among the words, and its flags. */
#include "ctl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int version(const struct args *args)
{
    (void)args;
    printf("etcd3ctl version: %s\nAPI version: 3\n", etcd3_version_string());
    return 0;
}

static const struct command version_commands[] = {
    {"version", NULL, "", "Prints the version", NULL, version},
    {0},
};

static const struct command *const nouns[] = {
    kv_commands,       txn_commands,      watch_commands,       lease_commands,    lock_commands,
    elect_commands,    member_commands,   endpoint_commands,    alarm_commands,    maintenance_commands,
    snapshot_commands, mirror_commands,   auth_commands,        user_commands,     role_commands,
    version_commands,
};

static const char *output = "simple";
static int help, debug, insecure_discovery = 1;
static int64_t max_receive_bytes;

static const struct flag shared[] = {
    {"endpoints", 0, FLAG_LIST, &cluster.endpoints, "gRPC endpoints, separated by commas (127.0.0.1:2379)"},
    {"dial-timeout", 0, FLAG_DURATION, &dial_timeout, "Dial timeout for client connections (2s)"},
    {"command-timeout", 0, FLAG_DURATION, &command_timeout, "Timeout for short running command (5s)"},
    {"keepalive-time", 0, FLAG_DURATION, &keepalive_time, "Keepalive time for client connections, 5s or more (10s)"},
    {"keepalive-timeout", 0, FLAG_DURATION, &keepalive_timeout, "Keepalive timeout for client connections (6s)"},
    {"max-request-bytes", 0, FLAG_INT, &max_request_bytes, "Client-side request send limit in bytes (2 MiB)"},
    {"max-recv-bytes", 0, FLAG_INT, &max_receive_bytes, "Taken and not needed"},
    {"insecure-transport", 0, FLAG_BOOL, &cluster.insecure, "No TLS where the endpoint does not ask for it (true)"},
    {"insecure-skip-tls-verify", 0, FLAG_BOOL, &cluster.skip_verify, "Skip server certificate verification"},
    {"discovery-srv", 'd', FLAG_TEXT, &cluster.domain, "Domain whose SRV records name the endpoints"},
    {"discovery-srv-name", 0, FLAG_TEXT, &cluster.service_name, "Service name to query when using DNS discovery"},
    {"insecure-discovery", 0, FLAG_BOOL, &insecure_discovery, "Taken and not needed: see --insecure-transport"},
    {"cacert", 0, FLAG_TEXT, &cluster.ca, "Verify certificates of servers using this CA bundle"},
    {"cert", 0, FLAG_TEXT, &cluster.cert, "Identify the client using this TLS certificate file"},
    {"key", 0, FLAG_TEXT, &cluster.key, "Identify the client using this TLS key file"},
    {"user", 0, FLAG_TEXT, &cluster.user, "username[:password] (prompt if password is not supplied)"},
    {"password", 0, FLAG_TEXT, &cluster.password, "Password, if --user does not include it"},
    {"write-out", 'w', FLAG_TEXT, &output, "Output format: simple, json, fields, table (simple)"},
    {"hex", 0, FLAG_BOOL, &in_hex, "Print byte strings as hex encoded strings"},
    {"debug", 0, FLAG_BOOL, &debug, "Taken and not needed"},
    {"help", 'h', FLAG_BOOL, &help, "Print help"},
    {0},
};

static void list_flags(const struct flag *flag)
{
    for (; flag && flag->name; flag++) {
        if (flag->letter)
            printf("  -%c, ", flag->letter);
        else
            printf("      ");
        printf("--%-26s %s\n", flag->name, flag->help);
    }
}

/* All commands, or those of a noun, or the one. */
static void usage(const char *noun, const struct command *only)
{
    size_t i;
    const struct command *command;
    printf("USAGE:\n  etcd3ctl %s\n\n", only ? "" : noun ? noun : "[flags] <command> [arguments]");
    puts(only ? "COMMAND:" : "COMMANDS:");
    for (i = 0; i < sizeof nouns / sizeof *nouns; i++)
        for (command = nouns[i]; command->noun; command++) {
            char words[200];
            if ((only && command != only) || (noun && strcmp(noun, command->noun) != 0))
                continue;
            snprintf(words, sizeof words, "%s%s%s %s", command->noun, command->verb ? " " : "",
                     command->verb ? command->verb : "", command->args);
            printf("  %-52s %s\n", words, command->help);
        }
    if (only && only->flags) {
        puts("\nOPTIONS:");
        list_flags(only->flags);
    }
    puts("\nGLOBAL OPTIONS (in the environment too: ETCDCTL_ENDPOINTS and so on):");
    list_flags(shared);
}

/* The command's words, which are taken out; how many there were. */
static int take_words(int *argc, char **argv, const char **words)
{
    int i, found = 0, kept = 0;
    for (i = 0; i < *argc; i++) {
        char *word = argv[i];
        const struct flag *flag = word[0] == '-' && word[1] ? flag_by_word(shared, word) : NULL;
        if (strcmp(word, "--") == 0)
            break;
        if (word[0] == '-' || found == 2) {
            argv[kept++] = word;
            if (flag && flag->kind != FLAG_BOOL && !strchr(word, '=') && (word[1] == '-' || !word[2]) && i + 1 < *argc)
                argv[kept++] = argv[++i];
        } else {
            const struct command *command = NULL;
            size_t j;
            words[found++] = word;
            for (j = 0; found == 1 && j < sizeof nouns / sizeof *nouns; j++)
                for (command = nouns[j]; command->noun; command++)
                    if (strcmp(command->noun, word) == 0 && !command->verb)
                        found = 2;
        }
    }
    while (i < *argc)
        argv[kept++] = argv[i++];
    *argc = kept;
    return found;
}

static const struct command *find(const char *const *words)
{
    size_t i;
    const struct command *command;
    int known = 0;
    for (i = 0; words[0] && i < sizeof nouns / sizeof *nouns; i++)
        for (command = nouns[i]; command->noun; command++)
            if (strcmp(command->noun, words[0]) == 0) {
                known = 1;
                if (!command->verb || (words[1] && strcmp(command->verb, words[1]) == 0))
                    return command;
            }
    if (known && words[1]) { /* as etcdctl, which calls this no error */
        usage(words[0], NULL);
        exit(0);
    }
    if (words[0] && !known && strcmp(words[0], "help") != 0)
        die(EXIT_ERROR, "unknown command \"%s\" for \"etcd3ctl\"\nRun 'etcd3ctl --help' for usage.", words[0]);
    usage(known ? words[0] : NULL, NULL);
    exit(0);
}

static void choose_format(void)
{
    static const char *const names[] = {"simple", "json", "fields", "table"};
    int i;
    for (i = 0; i < 4; i++)
        if (strcmp(output, names[i]) == 0) {
            format = (enum format)i;
            return;
        }
    die(EXIT_FEATURE, "unsupported output format");
}

/* etcdctl takes none of these empty. */
static void check_files(int argc, char **argv)
{
    const char *names[] = {"cert", "key", "cacert"}, *values[3];
    int i;
    values[0] = cluster.cert;
    values[1] = cluster.key;
    values[2] = cluster.ca;
    for (i = 0; i < 3; i++)
        if (!*values[i] && flag_is_given(names[i], argc, argv))
            die(EXIT_ARGS, "empty string is passed to --%s option", names[i]);
}

int main(int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    const struct command *command;
    struct args args;
    char why[512], **copy;
    int code, i;
    argc--;
    argv++;
    reset_kv_flags();
    take_words(&argc, argv, words);
    command = find(words);
    copy = (char **)allocate(((size_t)argc + 1) * sizeof *copy);
    for (i = 0; i < argc; i++)
        copy[i] = argv[i];
    if (flags_from_env(shared, argc, copy, why, sizeof why) != 0 ||
        flags_parse(command->flags, shared, argc, argv, &args, why, sizeof why) != 0)
        die(EXIT_ERROR, "%s\nRun 'etcd3ctl --help' for usage.", why);
    if (help) {
        usage(NULL, command);
        return 0;
    }
    args.at[args.count] = NULL;
    check_files(argc, copy);
    command_timeout_is_given = flag_is_given("command-timeout", argc, copy) || getenv("ETCDCTL_COMMAND_TIMEOUT");
    free(copy);
    choose_format();
    code = command->run(&args);
    etcd3_client_free(client);
    return code;
}
