/* How the cluster is reached, and what happens when it is not. */
#define _POSIX_C_SOURCE 200809L
#include "ctl.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct access cluster = {"127.0.0.1:2379", "", "", "", "", "", 1, 0, "", "", "Password: "};
int64_t dial_timeout = 2000, command_timeout = 5000, keepalive_time, keepalive_timeout = 6000, max_request_bytes;
int command_timeout_is_given;
etcd3_client_t *client;
etcd3_error_t *err;

void die(int exit_code, const char *text, ...)
{
    va_list values;
    fflush(stdout);
    fputs("Error: ", stderr);
    va_start(values, text);
    vfprintf(stderr, text, values);
    va_end(values);
    fputc('\n', stderr);
    exit(exit_code);
}

void must_or(etcd3_code_t code, int exit_code, const char *words)
{
    if (code == ETCD3_OK)
        return;
    if (*words)
        die(exit_code, "%s (%s)", words, etcd3_error_message(err));
    die(code == ETCD3_ERR_AUTH_FAILED ? EXIT_CONNECTION : exit_code, "%s", etcd3_error_message(err));
}

void must(etcd3_code_t code)
{
    must_or(code, EXIT_ERROR, "");
}

void *allocate(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory)
        die(EXIT_ERROR, "out of memory");
    return memory;
}

char *read_line(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len = getline(&line, &room, stdin);
    if (len <= 0 || line[len - 1] != '\n') {
        free(line);
        return NULL;
    }
    line[len - 1] = '\0';
    return line;
}

char *ask_password(const char *prompt)
{
    struct termios before, silent;
    int on_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    char *line;
    fputs(prompt, stderr);
    fflush(stderr);
    if (on_terminal) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    line = read_line();
    if (on_terminal)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    if (!line)
        die(EXIT_ARGS, "failed to ask password: EOF");
    return line;
}

char **split(const char *text, char separator, size_t *count)
{
    char **parts = (char **)allocate((strlen(text) + 2) * sizeof *parts);
    for (*count = 0; text; (*count)++) {
        const char *end = strchr(text, separator), *stop = end ? end : text + strlen(text);
        size_t len;
        while (text < stop && *text == ' ')
            text++;
        while (stop > text && stop[-1] == ' ')
            stop--;
        len = (size_t)(stop - text);
        parts[*count] = (char *)allocate(len + 1);
        memcpy(parts[*count], text, len);
        parts[*count][len] = '\0';
        text = end ? end + 1 : NULL;
    }
    return parts;
}

void free_endpoints(char **endpoints, size_t count)
{
    while (count--)
        free(endpoints[count]);
    free(endpoints);
}

/* The user, and the password that is given with it, beside it, or by hand. */
static void set_credentials(etcd3_config_t *config, const struct access *access)
{
    const char *colon = strchr(access->user, ':');
    if (*access->password) {
        etcd3_config_set_credentials(config, access->user, access->password);
    } else if (colon) {
        size_t len = (size_t)(colon - access->user);
        char *name = (char *)allocate(len + 1);
        memcpy(name, access->user, len);
        name[len] = '\0';
        etcd3_config_set_credentials(config, name, colon + 1);
        free(name);
    } else {
        static char *asked; /* once, for all clients */
        if (!asked)
            asked = ask_password(access->password_prompt);
        etcd3_config_set_credentials(config, access->user, asked);
    }
}

/* What is not given, as the library takes it. */
static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

etcd3_client_t *open_client(const struct access *access, const char *endpoint)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *opened = NULL;
    size_t count, i;
    char **endpoints = split(endpoint ? endpoint : access->endpoints, ',', &count);
    int tls = !access->insecure || *access->ca || *access->cert || *access->key;
    for (i = 0; i < count; i++) {
        etcd3_config_add_endpoint(config, endpoints[i]);
        tls |= strncmp(endpoints[i], "https:", 6) == 0;
    }
    free_endpoints(endpoints, count);
    if (*access->ca || *access->cert || *access->key)
        etcd3_config_set_tls_files(config, or_null(access->ca), or_null(access->cert), or_null(access->key));
    else if (!access->insecure)
        etcd3_config_set_tls_system_roots(config);
    if (tls && access->skip_verify)
        etcd3_config_set_tls_skip_verify(config);
    if (*access->user)
        set_credentials(config, access);
    if (!endpoint && *access->domain)
        must(etcd3_config_discover_srv(config, access->domain, or_null(access->service_name), NULL, dial_timeout, &err));
    etcd3_config_set_connect_timeout(config, dial_timeout);
    etcd3_config_set_timeout(config, command_timeout);
    if (keepalive_time) /* the library's own default is better than etcdctl's; below 5 s it takes none */
        etcd3_config_set_keepalive(config, keepalive_time < 5000 ? 5000 : keepalive_time, keepalive_timeout);
    if (max_request_bytes)
        etcd3_config_set_max_request_bytes(config, max_request_bytes);
    must_or(etcd3_client_open(config, &opened, &err), EXIT_ARGS, "");
    etcd3_config_free(config);
    return opened;
}

void connect_client(void)
{
    client = open_client(&cluster, NULL);
}
