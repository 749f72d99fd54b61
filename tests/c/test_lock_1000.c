/* A thousand wait for a lock in one process: no thread more, and each has it once, in order. */
#include "locking.h"
#include <dirent.h>
#include <unistd.h>

#define NAME "test_lock_1000"

static etcd3_client_t *client;
static etcd3_error_t *err;

static int threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    if (!CHECK(tasks != NULL))
        return 0;
    while (readdir(tasks))
        count++;
    closedir(tasks);
    return count - 2; /* "." and ".." */
}

static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long total = 0, pages = 0;
    if (file) {
        CHECK_INT(fscanf(file, "%ld %ld", &total, &pages), 2);
        fclose(file);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

struct waiter {
    etcd3_session_t *session;
    etcd3_lock_t *lock;
    struct holding h;
};

static void wait_together(void)
{
    int count = (int)env_number("ETCD3_TEST_EVENTS", 1000), i, before, turns = 0;
    struct waiter *waiters = (struct waiter *)calloc((size_t)count, sizeof *waiters);
    etcd3_session_t *session = open_session(client, 60);
    etcd3_lock_t *holder = new_lock(session, NAME);
    long memory;
    int64_t began, last;
    struct holding first;
    if (!CHECK(waiters != NULL))
        return;
    acquire(holder);
    last = etcd3_lock_token(holder);
    /* The callback thread is there before it is counted; what is loaded with the first session and lock too. */
    holding_prepare(&first);
    CHECK_OK(etcd3_lock_watch_loss(holder, NULL, on_holding, &first, &err), err);
    for (i = 0; i < count; i++)
        waiters[i].session = open_session(client, 60);
    before = threads();
    memory = resident_kib();
    began = now_ms();
    for (i = 0; i < count; i++) {
        waiters[i].lock = new_lock(waiters[i].session, NAME);
        holding_prepare(&waiters[i].h);
        waiters[i].h.turns = &turns;
        acquire_later(waiters[i].lock, -1, &waiters[i].h);
        CHECK_INT(threads(), before);
    }
    AWAIT_KEYS(client, NAME "/", count + 1);
    CHECK_INT(threads(), before);
    printf("  %d waiters after %lld ms: %d threads as before, %ld KiB more, %ld bytes each\n", count,
           (long long)(now_ms() - began), before, resident_kib() - memory, (resident_kib() - memory) * 1024 / count);
    CHECK_INT(turns, 0);
    began = now_ms();
    release(holder);
    for (i = 0; i < count; i++) {
        int j, next = -1;
        /* In the order of their keys, which is not that of the calls: those do not wait for each other. */
        for (j = 0; j < count && next < 0; j++)
            if (etcd3_lock_is_acquired(waiters[j].lock))
                next = j;
        if (next < 0) {
            i--;
            continue;
        }
        AWAIT_HOLDING(&waiters[next].h, acquired, 1);
        CHECK(waiters[next].h.token > last);
        last = waiters[next].h.token;
        CHECK_INT(waiters[next].h.turn, i + 1);
        release(waiters[next].lock);
        if (now_ms() - began > 3 * PATIENCE_MS && !CHECK(!"in time"))
            break;
    }
    printf("  %d hand-overs in %lld ms\n", count, (long long)(now_ms() - began));
    CHECK_INT(threads(), before);
    for (i = 0; i < count; i++) {
        ENDED(&waiters[i].h, ETCD3_OK);
        etcd3_lock_free(waiters[i].lock);
        close_session(waiters[i].session);
    }
    ENDED(&first, ETCD3_OK);
    etcd3_lock_free(holder);
    close_session(session);
    free(waiters);
}

int main(void)
{
    client = open_client();
    RUN(wait_together);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    return CHECK_DONE();
}
