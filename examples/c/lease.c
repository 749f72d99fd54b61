/* A service registers itself: a key that is there as long as the service is, kept by a lease. */
#include <etcd3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static etcd3_error_t *err;

static void must(etcd3_code_t code)
{
    if (code != ETCD3_OK) {
        fprintf(stderr, "%s: %s\n", etcd3_code_name(code), etcd3_error_message(err));
        exit(1);
    }
}

struct service {
    etcd3_client_t *client;
    etcd3_queue_t *queue;
    etcd3_lease_t *lease;
    int lost;
};

/* The lease is lost: told before the server deletes the key. Who must not go on without it stops here. */
static void on_event(const etcd3_event_t *event, void *user_data)
{
    struct service *service = (struct service *)user_data;
    if (etcd3_event_type(event) != ETCD3_EVENT_LOST)
        return; /* ETCD3_EVENT_CLOSED: nothing uses `service` after it */
    service->lost = 1;
    switch (etcd3_event_lost_reason(event)) {
    case ETCD3_LOST_EXPIRED:
        printf("lost: the servers were out of reach for too long\n");
        break;
    case ETCD3_LOST_GONE:
        printf("lost: somebody has revoked the lease\n");
        break;
    case ETCD3_LOST_REVOKED:
        printf("deregistered\n");
        break;
    default:
        printf("lost: %s\n", etcd3_error_message(etcd3_event_error(event)));
    }
}

/* From now on the key is there until the lease ends; the library renews it. */
static void register_it(struct service *service)
{
    etcd3_op_t *put = etcd3_op_put("service/web/1", ETCD3_NTS, "10.0.0.1:8080", ETCD3_NTS);
    etcd3_result_t *result;
    service->lost = 0;
    must(etcd3_lease_open(service->client, 2, 0, service->queue, on_event, service, &service->lease, &err));
    etcd3_op_set_lease(put, etcd3_lease_id(service->lease));
    must(etcd3_execute(service->client, put, &result, &err));
    etcd3_result_free(result);
    etcd3_op_free(put);
    printf("registered for %d seconds at a time\n", (int)etcd3_lease_ttl(service->lease));
}

/* The service's loop; an event loop would poll this descriptor beside its own. */
static void serve(struct service *service, int ms)
{
    struct pollfd events = {etcd3_queue_fd(service->queue), POLLIN, 0};
    while (!service->lost && poll(&events, 1, ms) > 0)
        must(etcd3_queue_dispatch(service->queue, 0, 0, NULL, &err));
}

static void look(etcd3_client_t *client)
{
    etcd3_result_t *result;
    must(etcd3_get_prefix(client, "service/web/", ETCD3_NTS, &result, &err));
    printf("instances: %d\n", (int)etcd3_result_count(result));
    etcd3_result_free(result);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *user; /* of the service, somewhere else */
    struct service service;

    if (endpoint)
        etcd3_config_add_endpoint(config, endpoint);
    must(etcd3_client_open(config, &service.client, &err));
    must(etcd3_client_open(config, &user, &err));
    etcd3_config_free(config);
    must(etcd3_queue_new(&service.queue, &err));

    register_it(&service);
    serve(&service, 3000); /* longer than the lease has at a time */
    look(user);

    /* An administrator takes it away: the next renewal finds out, and the service comes back with a new lease. */
    must(etcd3_lease_revoke_id(user, etcd3_lease_id(service.lease), &err));
    look(user);
    serve(&service, 60000);
    etcd3_lease_free(service.lease);
    register_it(&service);
    look(user);

    must(etcd3_lease_revoke(service.lease, &err)); /* deletes the key at once; free alone would leave it to expire */
    serve(&service, 60000);
    look(user);
    etcd3_lease_free(service.lease);
    etcd3_queue_free(service.queue);
    etcd3_client_free(service.client);
    etcd3_client_free(user);
    return 0;
}
