/* What an etcd server counts, by its /metrics page. */
#ifndef METRICS_H
#define METRICS_H
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* A number without labels; -1 if there is none of this name. */
static inline long long metric(const char *endpoint, const char *name)
{
    static char page[1 << 20];
    char request[200], host[40], line[200];
    const char *found;
    struct sockaddr_in address;
    size_t got = 0;
    ssize_t n;
    int port = 0, fd = socket(AF_INET, SOCK_STREAM, 0), length;
    memset(&address, 0, sizeof address);
    if (sscanf(endpoint, "%39[0-9.]:%d", host, &port) != 2)
        exit(2);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = inet_addr(host);
    length = snprintf(request, sizeof request, "GET /metrics HTTP/1.0\r\nHost: %s\r\n\r\n", endpoint);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(send(fd, request, (size_t)length, MSG_NOSIGNAL) == length);
    while (got < sizeof page - 1 && (n = recv(fd, page + got, sizeof page - 1 - got, 0)) > 0)
        got += (size_t)n;
    page[got] = '\0';
    close(fd);
    snprintf(line, sizeof line, "\n%s ", name);
    found = strstr(page, line);
    return found ? (long long)strtod(found + strlen(line), NULL) : -1;
}

/* Waits until it is so; the last value. */
static inline long long metric_becomes(const char *endpoint, const char *name, long long wanted)
{
    int64_t limit = now_ms() + PATIENCE_MS;
    long long value;
    do
        value = metric(endpoint, name);
    while (value != wanted && now_ms() < limit);
    return value;
}

#endif
