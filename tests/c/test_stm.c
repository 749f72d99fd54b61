/* Software transactional memory: what is committed, what conflicts, and what each isolation level lets through. */
#include "check.h"

#define NAME "test_stm/"

static etcd3_client_t *client, *other;
static etcd3_error_t *err;

/* What a function is to do, and what became of it. */
struct job {
    int runs;
    /* Somebody else's put, after this attempt's reads, in the first so many runs. */
    const char *disturbed;
    int disturb;
    int32_t decision;
    char value[50], again[50];
    int64_t revision;
};

/* Reads a key into text; "-" if there is none. */
static void read_key(etcd3_stm_t *stm, const char *key, char *text, size_t size)
{
    const uint8_t *value = NULL;
    size_t len = 0;
    CHECK_OK(etcd3_stm_get(stm, key, ETCD3_NTS, &value, &len, &err), err);
    snprintf(text, size, "%.*s", value ? (int)len : 1, value ? (const char *)value : "-");
}

static void disturb(struct job *job)
{
    if (job->disturbed && job->runs <= job->disturb)
        put(other, job->disturbed, "disturbed");
}

static int run(etcd3_stm_fn fn, struct job *job, int32_t isolation, int32_t attempts, int64_t *revision)
{
    job->runs = 0;
    return etcd3_stm_run(client, isolation, attempts, 0, fn, job, revision, &err);
}

static void check_value(const char *key, const char *wanted)
{
    etcd3_result_t *r = EXECUTE(client, etcd3_op_get(key, ETCD3_NTS));
    if (wanted)
        CHECK_KV(etcd3_result_kv(r, 0), key, wanted);
    else
        CHECK_INT(etcd3_result_count(r), 0);
    etcd3_result_free(r);
}

static int32_t read_and_write(etcd3_stm_t *stm, void *data)
{
    struct job *job = (struct job *)data;
    char text[50];
    job->runs++;
    read_key(stm, NAME "a", job->value, sizeof job->value);
    CHECK_OK(etcd3_stm_mod_revision(stm, NAME "a", ETCD3_NTS, &job->revision, &err), err);
    disturb(job);
    /* The same again, whatever others do; and what was written reads as written. */
    read_key(stm, NAME "a", text, sizeof text);
    CHECK_STR(text, job->value);
    CHECK_OK(etcd3_stm_put(stm, NAME "b", ETCD3_NTS, job->value, ETCD3_NTS, &err), err);
    read_key(stm, NAME "b", text, sizeof text);
    CHECK_STR(text, job->value);
    CHECK_OK(etcd3_stm_put(stm, NAME "gone", ETCD3_NTS, "", 0, &err), err);
    CHECK_OK(etcd3_stm_delete(stm, NAME "gone", ETCD3_NTS, &err), err);
    read_key(stm, NAME "gone", text, sizeof text);
    CHECK_STR(text, "-");
    return job->decision;
}

static void committed(void)
{
    struct job job = {0, NULL, 0, ETCD3_STM_COMMIT, "", "", 0};
    int64_t revision = 0;
    put(client, NAME "gone", "here");
    CHECK_OK(run(read_and_write, &job, ETCD3_STM_SERIALIZABLE_SNAPSHOT, 0, &revision), err);
    CHECK_INT(job.runs, 1);
    CHECK_STR(job.value, "-");
    CHECK_INT(job.revision, 0);
    check_value(NAME "b", "-");
    check_value(NAME "gone", NULL);
    CHECK_INT(revision, revision_now(client));
    put(client, NAME "a", "1");
    CHECK_OK(run(read_and_write, &job, ETCD3_STM_SERIALIZABLE_SNAPSHOT, 1, NULL), err);
    CHECK_STR(job.value, "1");
    check_value(NAME "b", "1");
}

static void conflicts(void)
{
    static const int32_t checked[] = {ETCD3_STM_SERIALIZABLE_SNAPSHOT, ETCD3_STM_SERIALIZABLE,
                                      ETCD3_STM_REPEATABLE_READS};
    struct job job = {0, NAME "a", 1, ETCD3_STM_COMMIT, "", "", 0};
    int i;
    for (i = 0; i < 3; i++) {
        put(client, NAME "a", "before");
        job.disturb = 1;
        CHECK_OK(run(read_and_write, &job, checked[i], 0, NULL), err);
        CHECK_INT(job.runs, 2);
        CHECK_STR(job.value, "disturbed");
        check_value(NAME "b", "disturbed");
        put(client, NAME "b", "old");
        job.disturb = 1000;
        CHECK_CODE(run(read_and_write, &job, checked[i], 4, NULL), err, ETCD3_ERR_CONFLICT, "4 times");
        CHECK_INT(job.runs, 4);
        check_value(NAME "b", "old");
    }
    put(client, NAME "a", "before");
    CHECK_OK(run(read_and_write, &job, ETCD3_STM_READ_COMMITTED, 0, NULL), err);
    CHECK_INT(job.runs, 1);
    check_value(NAME "b", "before");
}

/* Only the strictest level minds what happens to a key that is written and was not read. */
static int32_t write_unread(etcd3_stm_t *stm, void *data)
{
    struct job *job = (struct job *)data;
    job->runs++;
    read_key(stm, NAME "a", job->value, sizeof job->value);
    disturb(job);
    CHECK_OK(etcd3_stm_put(stm, NAME "c", ETCD3_NTS, "mine", ETCD3_NTS, &err), err);
    return job->decision;
}

static void unread_writes(void)
{
    struct job job = {0, NAME "c", 1, ETCD3_STM_COMMIT, "", "", 0};
    CHECK_OK(run(write_unread, &job, ETCD3_STM_SERIALIZABLE_SNAPSHOT, 0, NULL), err);
    CHECK_INT(job.runs, 2);
    CHECK_OK(run(write_unread, &job, ETCD3_STM_SERIALIZABLE, 0, NULL), err);
    CHECK_INT(job.runs, 1);
    check_value(NAME "c", "mine");
}

/* Two keys that somebody changes in between: one revision, or not. */
static int32_t read_two(etcd3_stm_t *stm, void *data)
{
    struct job *job = (struct job *)data;
    job->runs++;
    read_key(stm, NAME "x", job->value, sizeof job->value);
    disturb(job);
    read_key(stm, NAME "y", job->again, sizeof job->again);
    return job->decision;
}

static void one_revision(void)
{
    struct job job = {0, NAME "y", 1000, ETCD3_STM_COMMIT, "", "", 0};
    put(client, NAME "x", "1");
    put(client, NAME "y", "1");
    CHECK_CODE(run(read_two, &job, ETCD3_STM_SERIALIZABLE, 1, NULL), err, ETCD3_ERR_CONFLICT, "1 times");
    CHECK_STR(job.again, "1");
    put(client, NAME "y", "1");
    CHECK_OK(run(read_two, &job, ETCD3_STM_READ_COMMITTED, 1, NULL), err);
    CHECK_STR(job.again, "disturbed");
    /* With nothing written what was read is checked all the same. */
    job.disturb = 1;
    put(client, NAME "y", "1");
    CHECK_OK(run(read_two, &job, ETCD3_STM_SERIALIZABLE_SNAPSHOT, 0, NULL), err);
    CHECK_INT(job.runs, 2);
    CHECK_STR(job.again, "disturbed");
}

static void aborted(void)
{
    struct job job = {0, NULL, 0, ETCD3_STM_ABORT, "", "", 0};
    int64_t revision = -7;
    put(client, NAME "b", "kept");
    CHECK_CODE(run(read_and_write, &job, ETCD3_STM_SERIALIZABLE, 0, &revision), err, ETCD3_ERR_ABORTED, "fn");
    CHECK_INT(job.runs, 1);
    CHECK_INT(revision, -7);
    job.decision = 5;
    CHECK_CODE(run(read_and_write, &job, ETCD3_STM_SERIALIZABLE, 0, &revision), err, ETCD3_ERR_INVALID_ARGUMENT, "5");
    check_value(NAME "b", "kept");
}

static int32_t make_mistakes(etcd3_stm_t *stm, void *data)
{
    struct job *job = (struct job *)data;
    const uint8_t *value = NULL;
    size_t len = 0;
    int64_t revision = 0;
    job->runs++;
    CHECK_CODE(etcd3_stm_get(stm, "", 0, &value, &len, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "key");
    CHECK_CODE(etcd3_stm_get(stm, "k", 1, NULL, &len, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "value");
    CHECK_CODE(etcd3_stm_get(stm, "k", 1, &value, NULL, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "value_len");
    CHECK_CODE(etcd3_stm_get(NULL, "k", 1, &value, &len, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "stm");
    CHECK_CODE(etcd3_stm_mod_revision(stm, "k", 1, NULL, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "revision");
    CHECK_CODE(etcd3_stm_mod_revision(stm, NULL, 1, &revision, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "key");
    CHECK_CODE(etcd3_stm_put(stm, "", 0, "v", 1, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "key");
    CHECK_CODE(etcd3_stm_put(stm, "k", 1, NULL, 1, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "value");
    CHECK_CODE(etcd3_stm_delete(stm, "", 0, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "key");
    /* The attempt is as good as before. */
    CHECK_OK(etcd3_stm_put(stm, NAME "mistakes", ETCD3_NTS, "none", ETCD3_NTS, &err), err);
    return ETCD3_STM_COMMIT;
}

static void mistakes(void)
{
    struct job job = {0, NULL, 0, ETCD3_STM_COMMIT, "", "", 0};
    CHECK_OK(run(make_mistakes, &job, ETCD3_STM_SERIALIZABLE_SNAPSHOT, 0, NULL), err);
    CHECK_INT(job.runs, 1);
    check_value(NAME "mistakes", "none");
    CHECK_CODE(run(make_mistakes, &job, 4, 0, NULL), err, ETCD3_ERR_INVALID_ARGUMENT, "isolation");
    CHECK_CODE(run(make_mistakes, &job, -1, 0, NULL), err, ETCD3_ERR_INVALID_ARGUMENT, "isolation");
    CHECK_CODE(run(make_mistakes, &job, 0, -1, NULL), err, ETCD3_ERR_INVALID_ARGUMENT, "max_attempts");
    CHECK_CODE(run(NULL, &job, 0, 0, NULL), err, ETCD3_ERR_INVALID_ARGUMENT, "fn");
    CHECK_CODE(etcd3_stm_run(client, 0, 0, -1, make_mistakes, &job, NULL, &err), err, ETCD3_ERR_INVALID_ARGUMENT,
               "timeout_ms");
    CHECK_CODE(etcd3_stm_run(NULL, 0, 0, 0, make_mistakes, &job, NULL, &err), err, ETCD3_ERR_INVALID_ARGUMENT, "client");
    CHECK_INT(job.runs, 0);
}

/* Eight threads that move money: none is made, none is lost. */
enum { ACCOUNTS = 4, THREADS = 4 };

static void account(char *key, size_t size, int i) { snprintf(key, size, NAME "account/%d", i); }

static int32_t move_money(etcd3_stm_t *stm, void *data)
{
    int *seed = (int *)data, i;
    for (i = 0; i < 2; i++) {
        char key[50], text[50] = "";
        const uint8_t *value = NULL;
        size_t len = 0;
        account(key, sizeof key, (*seed + i) % ACCOUNTS);
        if (etcd3_stm_get(stm, key, ETCD3_NTS, &value, &len, NULL) != ETCD3_OK)
            return ETCD3_STM_ABORT;
        if (value && len < sizeof text)
            memcpy(text, value, len);
        snprintf(text, sizeof text, "%d", atoi(text) + (i ? 7 : -7));
        etcd3_stm_put(stm, key, ETCD3_NTS, text, ETCD3_NTS, NULL);
    }
    return ETCD3_STM_COMMIT;
}

static void *move_often(void *data)
{
    int seed = *(int *)data, i, times = (int)env_number("ETCD3_TEST_EVENTS", 50) / 5 * 2;
    for (i = 0; i < times; i++, seed++) {
        etcd3_code_t code = etcd3_stm_run(client, ETCD3_STM_SERIALIZABLE, 1000, PATIENCE_MS, move_money, &seed, NULL, NULL);
        CHECK_INT(code, ETCD3_OK);
    }
    return NULL;
}

static void money_is_conserved(void)
{
    pthread_t threads[THREADS];
    int seeds[THREADS], i, sum = 0;
    char key[50];
    for (i = 0; i < ACCOUNTS; i++) {
        account(key, sizeof key, i);
        put(client, key, "100");
    }
    for (i = 0; i < THREADS; i++) {
        seeds[i] = i;
        CHECK_INT(pthread_create(&threads[i], NULL, move_often, &seeds[i]), 0);
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (i = 0; i < ACCOUNTS; i++) {
        etcd3_result_t *r;
        char text[50] = "";
        account(key, sizeof key, i);
        r = EXECUTE(client, etcd3_op_get(key, ETCD3_NTS));
        snprintf(text, sizeof text, "%.*s", (int)kv_at(r, 0)->value_len, (const char *)kv_at(r, 0)->value);
        sum += atoi(text);
        etcd3_result_free(r);
    }
    CHECK_INT(sum, 100 * ACCOUNTS);
}

int main(void)
{
    client = open_client();
    other = open_client();
    RUN(committed);
    RUN(conflicts);
    RUN(unread_writes);
    RUN(one_revision);
    RUN(aborted);
    RUN(mistakes);
    RUN(money_is_conserved);
    CHECK_INT(etcd3_client_close(client, PATIENCE_MS, NULL), ETCD3_OK);
    etcd3_client_free(client);
    etcd3_client_free(other);
    return CHECK_DONE();
}
