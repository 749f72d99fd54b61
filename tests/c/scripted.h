/* Servers that answer by script; the driver runs them. ask() gives one command, see tests/scripted. */
#ifndef SCRIPTED_H
#define SCRIPTED_H
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

struct scripted {
    int number;
    char endpoint[40];
};

static int scripted_control = -1;
static char scripted_answer[65536];

static inline void scripted_connect(void)
{
    const char *control = getenv("ETCD3_SCRIPTED");
    struct sockaddr_in address;
    char host[40] = "";
    int port = 0;
    memset(&address, 0, sizeof address);
    if (!control || sscanf(control, "%39[0-9.]:%d", host, &port) != 2) {
        fprintf(stderr, "ETCD3_SCRIPTED names no host:port: run it by cargo test\n");
        exit(2);
    }
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = inet_addr(host);
    scripted_control = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(scripted_control, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("the scripted servers do not answer");
        exit(2);
    }
}

/* What the servers say to a command, after "ok "; lives until the next one. For one thread. */
static inline const char *ask(const char *format, ...)
{
    char line[4096];
    size_t length, got = 0;
    va_list arguments;
    if (scripted_control < 0)
        scripted_connect();
    va_start(arguments, format);
    length = (size_t)vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[length] = '\n';
    if (send(scripted_control, line, length + 1, MSG_NOSIGNAL) != (ssize_t)(length + 1))
        exit(2);
    while (got < sizeof scripted_answer - 1) {
        ssize_t n = recv(scripted_control, scripted_answer + got, sizeof scripted_answer - 1 - got, 0);
        if (n <= 0)
            exit(2);
        got += (size_t)n;
        if (scripted_answer[got - 1] == '\n')
            break;
    }
    scripted_answer[got - 1] = '\0';
    if (strncmp(scripted_answer, "ok", 2) != 0) {
        check_that(0, scripted_answer, "scripted", 0);
        return "";
    }
    return scripted_answer[2] ? scripted_answer + 3 : "";
}

static inline long long ask_number(const char *format, int server, const char *method)
{
    return strtoll(ask(format, server, method), NULL, 10);
}

/* How many whole requests of a method came. */
static inline long long asked(const struct scripted *server, const char *method)
{
    return ask_number("count %d %s", server->number, method);
}

/* Starts one: "grpc", "silent", "text", "dropping"; a number after it limits the calls at a time. */
static inline struct scripted serve(const char *kind)
{
    struct scripted server;
    memset(&server, 0, sizeof server);
    if (sscanf(ask("serve %s", kind), "%d %39s", &server.number, server.endpoint) != 2)
        exit(2);
    return server;
}

static inline void script(const struct scripted *server, const char *rule)
{
    ask("on %d %s", server->number, rule);
}

/* Forgets scripts and requests. */
static inline void forget(const struct scripted *server) { ask("forget %d", server->number); }

/* A port where nobody listens. */
static inline struct scripted serve_nothing(void)
{
    struct scripted server = serve("grpc");
    ask("stop %d", server.number);
    return server;
}

static inline etcd3_client_t *open_config(etcd3_config_t *config)
{
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    if (!client)
        exit(check_done(__FILE__));
    return client;
}

/* A configuration of up to two servers. */
static inline etcd3_config_t *config_of(const struct scripted *one, const struct scripted *two, int64_t timeout_ms)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_config_add_endpoint(config, one->endpoint);
    if (two)
        etcd3_config_add_endpoint(config, two->endpoint);
    etcd3_config_set_timeout(config, timeout_ms);
    return config;
}

static inline void close_client(etcd3_client_t *client)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    etcd3_client_free(client);
}

#endif
