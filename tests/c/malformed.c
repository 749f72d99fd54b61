/* Answers that no etcd gives: an error that says so, and the client goes on. */
#include "scripted.h"

static struct scripted server;
static etcd3_client_t *client;
static etcd3_error_t *err;

/* The id in the request is the lease's. One that is not is nobody's to keep alive; the asked for one may be there. */
static void another_lease_than_asked_for(void)
{
    static const char *const rules[] = {"LeaseGrant 1 message hex 10b424183c", "LeaseGrant 1 message hex 183c",
                                        "LeaseGrant 1 message hex 10ffffffffffffffffff01183c", "LeaseGrant 1 message hex"};
    etcd3_lease_t *lease = NULL;
    int64_t id = 0;
    size_t i;
    for (i = 0; i < sizeof rules / sizeof *rules; i++) {
        forget(&server);
        script(&server, rules[i]);
        CHECK_CODE(etcd3_lease_open(client, 60, 0, NULL, NULL, NULL, &lease, &err), err, ETCD3_ERR_PROTOCOL, "granted");
        ask("await %d LeaseRevoke 1", server.number);
        script(&server, rules[i]);
        CHECK_INT(etcd3_lease_grant(client, 60, 7, &id, NULL, &err), ETCD3_ERR_PROTOCOL);
        CHECK_INT(etcd3_error_maybe_applied(err), 1);
        CHECK_STR(etcd3_error_endpoint(err), server.endpoint);
        etcd3_error_free(err);
        err = NULL;
        CHECK_INT(asked(&server, "LeaseKeepAlive"), 0);
        CHECK(lease == NULL && id == 0);
    }
    CHECK_OK(etcd3_lease_grant(client, 60, 7, &id, NULL, &err), err);
    CHECK_INT(id, 7);
}

int main(void)
{
    server = serve("grpc");
    client = open_config(config_of(&server, NULL, PATIENCE_MS));
    RUN(another_lease_than_asked_for);
    close_client(client);
    return CHECK_DONE();
}
