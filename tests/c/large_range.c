/* A million keys are read while others change, delete and add keys among them: it is what was there at one revision,
   and takes no more memory than a few pages. */
#include "memory.h"
#include <sys/mman.h>

/* Operations a transaction may have. */
enum { TXN = 128, FILLERS = 4, WRITERS = 3, CHANGES = 12, PAGE = 10000, MOST_GROWN_KB = 32 * 1024 };
/* Coprime to the number of a writer's keys: it comes to each before it comes to one again. */
enum { STEP = 7919 };

static etcd3_client_t *client;
static etcd3_error_t *err;
static int64_t keys;
/* Those of the transactions that put the keys, which the child writes. */
static int64_t *revisions;
static size_t revisions_size;

static etcd3_op_t *put_op(const char *key, const char *value)
{
    etcd3_op_t *op = etcd3_op_put(key, ETCD3_NTS, value, ETCD3_NTS);
    etcd3_op_set_timeout(op, PATIENCE_MS);
    return op;
}

static void key_at(char *key, size_t room, int64_t i) { snprintf(key, room, "large/%07ld", (long)i); }

static void value_at(char *value, size_t room, int64_t i)
{
    snprintf(value, room, "%08lx is the value of key %ld", (unsigned long)(i * 2654435761u & 0xffffffffu), (long)i);
}

/* Takes the op. */
static void then(etcd3_op_t *txn, etcd3_op_t *op)
{
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
}

static etcd3_op_t *new_txn(void)
{
    etcd3_op_t *txn = etcd3_op_txn();
    etcd3_op_set_timeout(txn, PATIENCE_MS);
    return txn;
}

struct filler {
    pthread_t thread;
    int64_t first;
};

static void *fill_some(void *argument)
{
    etcd3_client_t *own = open_client();
    int64_t batch, i;
    for (batch = ((struct filler *)argument)->first; batch * TXN < keys; batch += FILLERS) {
        etcd3_op_t *txn = new_txn();
        etcd3_result_t *result;
        for (i = batch * TXN; i < (batch + 1) * TXN && i < keys; i++) {
            char key[40], value[80];
            key_at(key, sizeof key, i);
            value_at(value, sizeof value, i);
            then(txn, put_op(key, value));
        }
        result = EXECUTE(own, txn);
        revisions[batch] = etcd3_result_revision(result);
        etcd3_result_free(result);
    }
    etcd3_client_free(own);
    return NULL;
}

static void fill(void)
{
    struct filler fillers[FILLERS];
    int64_t began = now_ms();
    int i;
    for (i = 0; i < FILLERS; i++) {
        fillers[i].first = i;
        CHECK(pthread_create(&fillers[i].thread, NULL, fill_some, &fillers[i]) == 0);
    }
    for (i = 0; i < FILLERS; i++)
        pthread_join(fillers[i].thread, NULL);
    printf("%ld keys put in %ld ms\n", (long)keys, (long)(now_ms() - began));
}

struct writer {
    pthread_t thread;
    int number;
    int64_t changed, deleted, added;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wrote = PTHREAD_COND_INITIALIZER;
static int stop, writing;

static int is_to_stop(int has_written)
{
    int told;
    pthread_mutex_lock(&lock);
    writing += has_written;
    pthread_cond_broadcast(&wrote);
    told = stop;
    pthread_mutex_unlock(&lock);
    return told;
}

/* Each changes a third of the keys it comes to, deletes a third, and adds one after each of the rest. */
static void *write_some(void *argument)
{
    struct writer *writer = (struct writer *)argument;
    etcd3_client_t *own = open_client();
    int64_t n = 0, mine = keys / WRITERS, i;
    do {
        etcd3_op_t *txn = new_txn();
        for (i = 0; i < CHANGES; i++, n++) {
            char key[40];
            key_at(key, sizeof key - 1, writer->number + WRITERS * (n * STEP % mine));
            if (n % 3 == 0) {
                then(txn, put_op(key, "changed"));
                writer->changed++;
            } else if (n % 3 == 1) {
                then(txn, etcd3_op_delete(key, ETCD3_NTS));
                writer->deleted++;
            } else {
                strcat(key, "+");
                then(txn, put_op(key, "added"));
                writer->added++;
            }
        }
        etcd3_result_free(EXECUTE(own, txn));
    } while (!is_to_stop(n == CHANGES) && n + CHANGES <= mine);
    etcd3_client_free(own);
    return NULL;
}

static etcd3_range_t *opened(int64_t revision)
{
    etcd3_op_t *op = etcd3_op_get("large/", ETCD3_NTS);
    etcd3_range_t *range = NULL;
    etcd3_op_set_prefix(op);
    etcd3_op_set_timeout(op, PATIENCE_MS);
    etcd3_op_set_revision(op, revision);
    CHECK_OK(etcd3_range_open(client, op, PAGE, &range, &err), err);
    etcd3_op_free(op);
    return range;
}

/* Whether it is as it was put. */
static int is_original(const etcd3_kv_t *kv, int64_t i)
{
    char key[40], value[80];
    key_at(key, sizeof key, i);
    value_at(value, sizeof value, i);
    return bytes_are(kv->key, kv->key_len, key, strlen(key)) &&
           bytes_are(kv->value, kv->value_len, value, strlen(value)) && kv->mod_revision == revisions[i / TXN] &&
           kv->create_revision == kv->mod_revision && kv->version == 1;
}

/* Reads all of it; how many parts came. */
static int read_all(etcd3_range_t *range)
{
    etcd3_result_t *result = NULL;
    int64_t wrong = 0, i = 0;
    int parts = 0;
    while (CHECK_OK(etcd3_range_next(range, &result, &err), err) && result) {
        size_t n, j;
        parts++;
        for (n = etcd3_result_kv_count(result), j = 0; j < n; j++, i++)
            wrong += i >= keys || !is_original(kv_at(result, j), i);
        etcd3_result_free(result);
        result = NULL;
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(i, keys);
    return parts;
}

static void a_million_keys_while_others_write(void)
{
    struct writer writers[WRITERS];
    int64_t filled = revision_now(client), before = memory_in_use(), began = now_ms(), took, grown;
    etcd3_range_t *range = opened(0), *again;
    int64_t changed = 0, deleted = 0, added = 0;
    int i, parts;
    CHECK_INT(etcd3_range_revision(range), filled);
    CHECK_INT(etcd3_range_total(range), keys);
    memset(writers, 0, sizeof writers);
    for (i = 0; i < WRITERS; i++) {
        writers[i].number = i;
        CHECK(pthread_create(&writers[i].thread, NULL, write_some, &writers[i]) == 0);
    }
    pthread_mutex_lock(&lock);
    while (writing < WRITERS)
        pthread_cond_wait(&wrote, &lock);
    pthread_mutex_unlock(&lock);
    parts = read_all(range);
    took = now_ms() - began;
    grown = memory_at_most() - before;
    etcd3_range_free(range);
    pthread_mutex_lock(&lock);
    stop = 1;
    pthread_mutex_unlock(&lock);
    for (i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        changed += writers[i].changed;
        deleted += writers[i].deleted;
        added += writers[i].added;
    }
    printf("%ld keys read in %d parts and %ld ms; the process grew by %ld kB\n", (long)keys, parts, (long)took,
           (long)grown);
    printf("meanwhile %ld keys changed, %ld deleted, %ld added\n", (long)changed, (long)deleted, (long)added);
    CHECK(parts > 10);
    CHECK(grown < MOST_GROWN_KB);
    /* They did change what was being read, and a revision of the past is read as well. */
    again = opened(0);
    CHECK_INT(etcd3_range_total(again), keys - deleted + added);
    CHECK(etcd3_range_revision(again) > filled + WRITERS);
    etcd3_range_free(again);
    again = opened(filled);
    CHECK_INT(etcd3_range_total(again), keys);
    etcd3_range_free(again);
}

int main(void)
{
    FILE *shared = tmpfile();
    keys = env_number("ETCD3_TEST_KEYS", 1000000);
    revisions_size = (size_t)(keys / TXN + 1) * sizeof *revisions;
    if (!shared || ftruncate(fileno(shared), (off_t)revisions_size) != 0)
        return 2;
    revisions = (int64_t *)mmap(NULL, revisions_size, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(shared), 0);
    if (revisions == MAP_FAILED)
        return 2;
    in_a_child(fill, 300);
    client = open_client();
    RUN(a_million_keys_while_others_write);
    etcd3_client_free(client);
    munmap(revisions, revisions_size);
    fclose(shared);
    return CHECK_DONE();
}
