/* What an etcd server counts, by its /metrics page. */
#ifndef METRICS_H
#define METRICS_H
#include "gateway.h"

/* A number without labels; -1 if there is none of this name. */
static inline long long metric(const char *endpoint, const char *name)
{
    static char page[1 << 20];
    char request[200], line[200];
    const char *found;
    snprintf(request, sizeof request, "GET /metrics HTTP/1.0\r\nHost: %s\r\n\r\n", endpoint);
    http_exchange(endpoint, request, page, sizeof page);
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
