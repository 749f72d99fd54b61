/* The endpoints that a client lists are those it has. */
#ifndef LISTED_H
#define LISTED_H
#include "check.h"

/* Status takes each, and the one named, over the connection there is, and another client too. */
#define CHECK_LISTED(client, also, count) check_listed((client), (also), (count), __FILE__, __LINE__)
static inline void check_listed(const etcd3_client_t *client, const char *also, size_t count, const char *file, int line)
{
    int64_t connects = etcd3_client_counter(client, "connects");
    etcd3_endpoints_t *endpoints = NULL;
    etcd3_client_t *next = NULL;
    etcd3_config_t *config = etcd3_config_new();
    etcd3_error_t *err = NULL;
    etcd3_status_t *status;
    size_t i;
    check_ok(etcd3_client_endpoints(client, &endpoints, &err), &err, "endpoints", file, line);
    check_int((long long)etcd3_endpoints_count(endpoints), (long long)count, "how many are listed", file, line);
    for (i = 0; i <= count; i++) {
        const char *endpoint = i < count ? etcd3_endpoints_at(endpoints, i) : also;
        status = NULL;
        check_ok(etcd3_status(client, endpoint, &status, &err), &err, endpoint, file, line);
        etcd3_status_free(status);
        if (i < count)
            etcd3_config_add_endpoint(config, endpoint);
    }
    check_int(etcd3_client_counter(client, "connects"), connects, "connects", file, line);
    check_ok(etcd3_client_open(config, &next, &err), &err, "a client of what is listed", file, line);
    status = NULL;
    check_ok(etcd3_status(next, also, &status, &err), &err, also, file, line);
    etcd3_status_free(status);
    check_int(etcd3_client_counter(next, "connects"), 1, "connects of the other client", file, line);
    etcd3_client_free(next);
    etcd3_config_free(config);
    etcd3_endpoints_free(endpoints);
}

#endif
