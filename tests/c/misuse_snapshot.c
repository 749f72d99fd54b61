/* Wrong arguments to snapshots: nothing is sent, no file is left. */
#include "misuse.h"
#include <unistd.h>

static etcd3_queue_t *queue;

static void arguments(void)
{
    static const char *const bad[] = {"", "a:0", "ftp://a", "\xff"};
    static const int64_t bad_times[] = {0, -2, INT64_MIN, INT64_MAX};
    int i;
    REFUSED(etcd3_snapshot_to_file(NULL, NULL, "misuse_snapshot", -1, NULL, NULL, &err), "client");
    REFUSED(etcd3_snapshot_to_file(client, NULL, NULL, -1, NULL, NULL, &err), "path");
    REFUSED(etcd3_snapshot_to_file(client, NULL, "", -1, NULL, NULL, &err), "path");
    REFUSED(etcd3_snapshot_to_file(client, NULL, "/", -1, NULL, NULL, &err), "path");
    REFUSED(etcd3_snapshot_to_file(client, NULL, "/tmp/..", -1, NULL, NULL, &err), "path");
    REFUSED(etcd3_snapshot_to_file(client, NULL, "/tmp", -1, NULL, NULL, &err), "path");
    REFUSED(etcd3_snapshot_to_file(client, NULL, "\xff\xfe", -1, NULL, NULL, &err), "path");
    REFUSED(etcd3_snapshot_to_fd(NULL, NULL, 2, -1, NULL, NULL, &err), "client");
    REFUSED(etcd3_snapshot_to_fd(client, NULL, -1, -1, NULL, NULL, &err), "fd");
    REFUSED(etcd3_snapshot_to_fd(client, NULL, 1 << 20, -1, NULL, NULL, &err), "fd");
    REFUSED(etcd3_snapshot_async(NULL, NULL, queue, NULL, NULL, NULL, &err), "client");
    REFUSED(etcd3_snapshot_async(client, NULL, NULL, NULL, NULL, NULL, &err), "fn");
    for (i = 0; i < 4; i++) {
        REFUSED(etcd3_snapshot_to_file(client, bad[i], "misuse_snapshot", -1, NULL, NULL, &err), "endpoint");
        REFUSED(etcd3_snapshot_to_fd(client, bad[i], 2, -1, NULL, NULL, &err), "endpoint");
        REFUSED(etcd3_snapshot_async(client, bad[i], queue, NULL, NULL, NULL, &err), "endpoint");
        REFUSED(etcd3_snapshot_to_file(client, NULL, "misuse_snapshot", bad_times[i], NULL, NULL, &err), "timeout_ms");
        REFUSED(etcd3_snapshot_to_fd(client, NULL, 2, bad_times[i], NULL, NULL, &err), "timeout_ms");
    }
    CHECK(access("misuse_snapshot", F_OK) != 0 && access("misuse_snapshot.part", F_OK) != 0);
}

static void events(void)
{
    size_t len = 7;
    CHECK(etcd3_event_data(NULL, &len) == NULL);
    CHECK_INT(len, 0);
    CHECK(etcd3_event_data(NULL, NULL) == NULL);
}

static void cancelled_before(void)
{
    etcd3_cancel_t *cancel = etcd3_cancel_new();
    etcd3_cancel_trigger(cancel);
    REFUSED_AS(etcd3_snapshot_to_fd(client, NULL, 2, -1, cancel, NULL, &err), ETCD3_ERR_CANCELED, "cancelled");
    etcd3_cancel_free(cancel);
}

static void a_queue_that_is_freed(void)
{
    etcd3_queue_t *other = NULL;
    etcd3_call_t *call = NULL;
    CHECK_OK(etcd3_queue_new(&other, &err), err);
    CHECK_OK(etcd3_snapshot_async(client, NULL, other, NULL, NULL, &call, &err), err);
    etcd3_queue_free(other);
    etcd3_call_cancel(call);
    etcd3_call_free(call);
    still_works(__LINE__);
}

int main(void)
{
    client = open_client();
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    RUN(arguments);
    RUN(events);
    RUN(cancelled_before);
    RUN(a_queue_that_is_freed);
    etcd3_queue_free(queue);
    etcd3_client_free(client);
    return CHECK_DONE();
}
