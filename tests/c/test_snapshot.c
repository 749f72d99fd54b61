/* Snapshots of a real server, in each of the three ways, and of servers that send something else. */
#include "memory.h"
#include "scripted.h"
#include <sched.h>
#include <sys/stat.h>

static etcd3_client_t *client;
static etcd3_error_t *err;
static char directory[400];

static const char *in_directory(const char *name)
{
    static char path[8][500];
    static int which;
    which = (which + 1) % 8;
    snprintf(path[which], sizeof path[which], "%s/%s", directory, name);
    return path[which];
}

static int64_t size_of(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (int64_t)about.st_size : -1;
}

/* Whether the last 32 bytes of a file are the SHA-256 of those before, as another program sees it. */
static int is_checked(const char *path)
{
    char command[700], sum[65] = "", tail[65] = "";
    unsigned char bytes[32];
    FILE *pipe, *file = fopen(path, "r");
    int i;
    snprintf(command, sizeof command, "head -c -32 '%s' | sha256sum", path);
    pipe = popen(command, "r");
    if (!pipe || !file || fscanf(pipe, "%64s", sum) != 1 || fseek(file, -32, SEEK_END) != 0 || fread(bytes, 1, 32, file) != 32)
        return 0;
    for (i = 0; i < 32; i++)
        sprintf(tail + 2 * i, "%02x", bytes[i]);
    pclose(pipe);
    fclose(file);
    return strcmp(sum, tail) == 0;
}

/* What the server's format is called, which it writes down seconds after it has started; "" before 3.6. */
static const char *storage_version(void)
{
    static char version[20];
    int64_t end = now_ms() + PATIENCE_MS;
    int has_one;
    do {
        etcd3_status_t *status = NULL;
        CHECK_OK(etcd3_status(client, NULL, &status, &err), err);
        has_one = strcmp(etcd3_status_version(status), "3.6") > 0;
        snprintf(version, sizeof version, "%s", etcd3_status_storage_version(status));
        etcd3_status_free(status);
    } while (has_one && !version[0] && now_ms() < end);
    return version;
}

static void fill(void)
{
    enum { EACH = 1000000 };
    etcd3_client_t *own = open_client();
    char *value = (char *)malloc(EACH), key[30];
    int64_t bytes = env_number("ETCD3_TEST_SNAPSHOT_MB", 20) * 1000000, i;
    for (i = 0; i < EACH; i++)
        value[i] = (char)(i * 2654435761u >> 13);
    for (i = 0; i * EACH < bytes; i++) {
        snprintf(key, sizeof key, "fill/%06ld", (long)i);
        CHECK_OK(etcd3_put(own, key, ETCD3_NTS, value, EACH, &err), err);
    }
    free(value);
    close_client(own);
}

static void to_a_file(void)
{
    const char *path = in_directory("whole");
    struct stat about;
    int64_t bytes = 0, before, grown;
    char old[] = "what was there before";
    FILE *file = fopen(path, "w");
    fputs(old, file);
    fclose(file);
    CHECK(chmod(path, 0644) == 0);
    before = memory_in_use();
    CHECK_OK(etcd3_snapshot_to_file(client, getenv("ETCD3_ENDPOINTS"), path, -1, NULL, &bytes, &err), err);
    grown = memory_at_most() - before;
    CHECK(bytes > env_number("ETCD3_TEST_SNAPSHOT_MB", 20) * 1000000);
    CHECK_INT(bytes % 512, 32);
    CHECK_INT(size_of(path), bytes);
    CHECK(is_checked(path));
    CHECK(stat(path, &about) == 0 && (about.st_mode & 0777) == 0600);
    CHECK_INT(size_of(in_directory("whole.part")), -1);
    printf("a snapshot of %ld bytes; the process grew by %ld kB\n", (long)bytes, (long)grown);
    if (!getenv("ETCD3_TEST_VALGRIND"))
        CHECK(grown < 32 * 1024);
}

/* What a process that died left there is taken over; what another one is writing is not. */
static void part_files(void)
{
    const char *path = in_directory("again");
    FILE *file = fopen(in_directory("again.part"), "w");
    fputs("left over", file);
    fclose(file);
    CHECK(chmod(in_directory("again.part"), 0666) == 0);
    CHECK_OK(etcd3_snapshot_to_file(client, NULL, path, 60000, NULL, NULL, &err), err);
    CHECK(is_checked(path));
    CHECK_INT(size_of(in_directory("again.part")), -1);
    CHECK_CODE(etcd3_snapshot_to_file(client, NULL, in_directory("no/such/directory"), 60000, NULL, NULL, &err), err,
               ETCD3_ERR_SYSTEM, "path");
}

struct reader {
    int fd;
    int64_t bytes, pause_at;
};

static void *read_all(void *argument)
{
    struct reader *reader = (struct reader *)argument;
    static char buffer[65536];
    ssize_t n;
    while ((n = read(reader->fd, buffer, sizeof buffer)) > 0)
        reader->bytes += n;
    return NULL;
}

struct writing {
    etcd3_client_t *client;
    const char *path;
    etcd3_code_t code;
};

static void *write_it(void *argument)
{
    struct writing *writing = (struct writing *)argument;
    writing->code = etcd3_snapshot_to_file(writing->client, NULL, writing->path, 60000, NULL, NULL, NULL);
    return NULL;
}

/* Two at the same file: the second is told, and does the first no harm. */
static void one_at_a_time(void)
{
    struct scripted server = serve("grpc");
    struct writing writing = {NULL, NULL, ETCD3_OK};
    char path[500];
    int64_t end = now_ms() + PATIENCE_MS;
    pthread_t thread;
    snprintf(path, sizeof path, "%s/shared", directory);
    writing.path = path;
    writing.client = open_config(config_of(&server, NULL, 5000));
    script(&server, "Snapshot * headers | message hex 1a0161 | hold | trailers 0");
    CHECK(pthread_create(&thread, NULL, write_it, &writing) == 0);
    while (size_of(in_directory("shared.part")) != 1 && now_ms() < end)
        sched_yield();
    CHECK_CODE(etcd3_snapshot_to_file(client, NULL, writing.path, 60000, NULL, NULL, &err), err, ETCD3_ERR_BUSY,
               "shared.part");
    CHECK_INT(size_of(in_directory("shared.part")), 1);
    ask("release %d 1", server.number);
    pthread_join(thread, NULL);
    CHECK_INT(writing.code, ETCD3_ERR_SNAPSHOT_CORRUPT);
    CHECK_INT(size_of(in_directory("shared.part")), -1);
    close_client(writing.client);
}

static void to_pipes_and_sockets(void)
{
    int kind;
    for (kind = 0; kind < 2; kind++) {
        int ends[2];
        int64_t bytes = 0;
        struct reader reader;
        pthread_t thread;
        CHECK(kind ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 : pipe(ends) == 0);
        memset(&reader, 0, sizeof reader);
        reader.fd = ends[0];
        CHECK(pthread_create(&thread, NULL, read_all, &reader) == 0);
        CHECK_OK(etcd3_snapshot_to_fd(client, NULL, ends[1], 60000, NULL, &bytes, &err), err);
        close(ends[1]);
        pthread_join(thread, NULL);
        close(ends[0]);
        CHECK(bytes > 0);
        CHECK_INT(reader.bytes, bytes);
        /* Nobody reads it: an error, and no signal, which would end this process. */
        CHECK(kind ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 : pipe(ends) == 0);
        close(ends[0]);
        CHECK_CODE(etcd3_snapshot_to_fd(client, NULL, ends[1], 60000, NULL, NULL, &err), err, ETCD3_ERR_SYSTEM, "fd");
        close(ends[1]);
    }
}

struct ender {
    etcd3_client_t *client;
    etcd3_cancel_t *cancel;
};

static void *end_it(void *argument)
{
    struct ender *ender = (struct ender *)argument;
    struct timespec moment = {0, 300 * 1000 * 1000};
    etcd3_error_t *why = NULL;
    nanosleep(&moment, NULL);
    if (ender->cancel)
        etcd3_cancel_trigger(ender->cancel);
    else
        CHECK_OK(etcd3_client_close(ender->client, PATIENCE_MS, &why), why);
    return NULL;
}

/* A pipe that nobody empties blocks the call, which can be ended all the same: by its limit, by another thread. */
static void ends_early(void)
{
    static const etcd3_code_t codes[] = {ETCD3_ERR_TIMEOUT, ETCD3_ERR_CANCELED, ETCD3_ERR_CLOSED};
    int way;
    for (way = 0; way < 3; way++) {
        etcd3_client_t *own = open_client();
        etcd3_cancel_t *cancel = way == 1 ? etcd3_cancel_new() : NULL;
        struct ender ender = {own, cancel};
        int64_t began = now_ms();
        pthread_t thread;
        int ends[2];
        CHECK(pipe(ends) == 0);
        if (way > 0)
            CHECK(pthread_create(&thread, NULL, end_it, &ender) == 0);
        CHECK_CODE(etcd3_snapshot_to_fd(own, NULL, ends[1], way ? -1 : 500, cancel, NULL, &err), err, codes[way], "");
        CHECK(now_ms() - began < 600 + SLACK_MS);
        if (way > 0)
            pthread_join(thread, NULL);
        etcd3_cancel_free(cancel);
        etcd3_client_free(own);
        close(ends[0]);
        close(ends[1]);
    }
}

struct taken {
    int64_t bytes, total;
    int closed, out_of_order;
    char version[20];
    etcd3_code_t why;
    FILE *file;
};

static void take(const etcd3_event_t *event, void *user_data)
{
    struct taken *taken = (struct taken *)user_data;
    size_t len = 0;
    const void *data;
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
        taken->closed++;
        taken->why = etcd3_error_code(etcd3_event_error(event));
        return;
    }
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_DATA);
    data = etcd3_event_data(event, &len);
    CHECK(data && len > 0);
    snprintf(taken->version, sizeof taken->version, "%s", etcd3_event_version(event));
    CHECK_STR(etcd3_event_notice(event), "");
    taken->bytes += (int64_t)len;
    taken->total = etcd3_event_total(event);
    taken->out_of_order += etcd3_event_done(event) != taken->bytes || taken->bytes > taken->total;
    if (taken->file)
        fwrite(data, 1, len, taken->file);
}

static void dispatch_until_closed(etcd3_queue_t *queue, struct taken *taken)
{
    int64_t end = now_ms() + PATIENCE_MS;
    while (!taken->closed && now_ms() < end)
        CHECK_OK(etcd3_queue_dispatch(queue, 0, 1000, NULL, &err), err);
    CHECK_INT(taken->closed, 1);
}

static void as_events(void)
{
    struct taken taken;
    etcd3_queue_t *queue = NULL;
    const char *version = storage_version();
    memset(&taken, 0, sizeof taken);
    taken.file = fopen(in_directory("events"), "w");
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_snapshot_async(client, NULL, queue, take, &taken, NULL, &err), err);
    dispatch_until_closed(queue, &taken);
    fclose(taken.file);
    CHECK_INT(taken.why, ETCD3_OK);
    CHECK_INT(taken.out_of_order, 0);
    CHECK_INT(taken.bytes, taken.total);
    CHECK(is_checked(in_directory("events")));
    CHECK_STR(taken.version, version);
    etcd3_queue_free(queue);
}

/* Only so much comes as is taken: what is not taken stays at the server. */
static void waits_for_whoever_takes_it(void)
{
    struct taken taken;
    etcd3_queue_t *queue = NULL;
    etcd3_call_t *call = NULL;
    int64_t received, before, end = now_ms() + PATIENCE_MS;
    size_t ran = 0;
    memset(&taken, 0, sizeof taken);
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    before = etcd3_client_counter(client, "bytes_received");
    CHECK_OK(etcd3_snapshot_async(client, NULL, queue, take, &taken, &call, &err), err);
    do {
        struct timespec moment = {0, 200 * 1000 * 1000};
        received = etcd3_client_counter(client, "bytes_received");
        nanosleep(&moment, NULL);
    } while ((received == before || received != etcd3_client_counter(client, "bytes_received")) && now_ms() < end);
    CHECK(received - before <= (1 << 20) + (1 << 17));
    CHECK_OK(etcd3_queue_dispatch(queue, 1, PATIENCE_MS, &ran, &err), err);
    CHECK_INT(ran, 1);
    etcd3_call_cancel(call);
    etcd3_call_cancel(call);
    end = now_ms();
    dispatch_until_closed(queue, &taken);
    CHECK(now_ms() - end < 100 + SLACK_MS);
    CHECK_INT(taken.why, ETCD3_ERR_CANCELED);
    CHECK(taken.bytes < taken.total);
    etcd3_call_free(call);
    etcd3_queue_free(queue);
    /* The other calls have gone on. */
    put(client, "after", "all");
}

static void with_the_client_s_own_thread_and_end(void)
{
    struct taken taken;
    etcd3_client_t *own = open_client();
    int64_t end = now_ms() + PATIENCE_MS;
    memset(&taken, 0, sizeof taken);
    CHECK_OK(etcd3_snapshot_async(own, NULL, NULL, take, &taken, NULL, &err), err);
    while (etcd3_client_counter(own, "bytes_received") == 0 && now_ms() < end)
        sched_yield();
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    CHECK_INT(taken.closed, 1);
    CHECK(taken.why == ETCD3_ERR_CLOSED || taken.why == ETCD3_OK);
    etcd3_client_free(own);
}

/* The message of a snapshot with these bytes, in hex: 0x1a, a length, the bytes; 512 times 'a', and a checksum. */
static void append_blob(char *text, const char *hex_bytes, size_t bytes)
{
    size_t at = strlen(text);
    at += (size_t)sprintf(text + at, " | message hex 1a");
    if (bytes < 128)
        at += (size_t)sprintf(text + at, "%02x", (unsigned)bytes);
    else
        at += (size_t)sprintf(text + at, "%02x%02x", (unsigned)(bytes & 127) | 128, (unsigned)(bytes >> 7));
    strcpy(text + at, hex_bytes);
}

/* SHA-256 of 512 times 'a'. */
#define RIGHT "471be6558b665e4f6dd49f1184814d1491b0315d466beea768c153cc5500c836"

static void what_else_a_server_may_send(void)
{
    static const struct {
        const char *name, *sum, *end, *text;
        size_t data;
    } cases[] = {
        {"right", RIGHT, " | trailers 0", NULL, 512},
        {"another checksum", "00" RIGHT, " | trailers 0", "checksum", 512},
        {"no checksum", "", " | trailers 0", "not whole", 512},
        {"cut short", RIGHT, " | trailers 0", "not whole", 500},
        {"nothing", "", " | trailers 0", "not whole", 0},
        {"an error before the checksum", "", " | trailers 13 disk on fire", "disk on fire", 512},
        {"an error after it", RIGHT, " | trailers 13 disk on fire", "disk on fire", 512},
        {"a lost connection", "", " | abort", "ended early", 512},
    };
    struct scripted server = serve("grpc");
    etcd3_client_t *asker = open_config(config_of(&server, NULL, 5000));
    size_t i, j;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        char rule[3000], data[1100] = "", sum[80];
        const char *path = in_directory("damaged");
        etcd3_code_t code;
        check_section = cases[i].name;
        for (j = 0; j < cases[i].data; j++)
            strcpy(data + 2 * j, "61");
        snprintf(sum, sizeof sum, "%.64s", cases[i].sum);
        strcpy(rule, "Snapshot * headers");
        append_blob(rule, data, cases[i].data);
        append_blob(rule, sum, strlen(sum) / 2);
        strcat(rule, cases[i].end);
        forget(&server);
        script(&server, rule);
        code = etcd3_snapshot_to_file(asker, NULL, path, 5000, NULL, NULL, &err);
        if (!cases[i].text) {
            CHECK_OK(code, err);
            CHECK_INT(size_of(path), 544);
            CHECK(remove(path) == 0);
        } else {
            CHECK_STR(etcd3_error_endpoint(err), server.endpoint);
            CHECK_CODE(code, err, ETCD3_ERR_SNAPSHOT_CORRUPT, cases[i].text);
            CHECK_INT(asked(&server, "Snapshot"), 1);
            CHECK_INT(size_of(path), -1);
        }
        CHECK_INT(size_of(in_directory("damaged.part")), -1);
    }
    close_client(asker);
}

/* Before the first byte another server may be asked, and after it none. */
static void another_attempt_before_the_first_byte(void)
{
    struct scripted one = serve("grpc"), two = serve("grpc");
    etcd3_client_t *asker = open_config(config_of(&one, &two, 5000));
    char rule[3000] = "Snapshot * headers", data[1100] = "";
    size_t j;
    for (j = 0; j < 512; j++)
        strcpy(data + 2 * j, "61");
    append_blob(rule, data, 512);
    append_blob(rule, RIGHT, 32);
    strcat(rule, " | trailers 0");
    script(&one, "Snapshot * status 14 etcdserver: server stopped");
    script(&two, rule);
    for (j = 0; j < 3; j++)
        CHECK_OK(etcd3_snapshot_to_file(asker, NULL, in_directory("other"), 5000, NULL, NULL, &err), err);
    CHECK(asked(&one, "Snapshot") >= 1);
    CHECK_INT(asked(&two, "Snapshot"), 3);
    CHECK_CODE(etcd3_snapshot_to_file(asker, one.endpoint, in_directory("other2"), 2000, NULL, NULL, &err), err,
               ETCD3_ERR_STOPPED, "server stopped");
    CHECK_INT(asked(&two, "Snapshot"), 3);
    /* A member that has no leader can be saved too. */
    CHECK_STR(ask("header %d Snapshot 0 hasleader", two.number), "-");
    close_client(asker);
}

int main(void)
{
    in_a_child(fill, 300);
    client = open_client();
    snprintf(directory, sizeof directory, "%s", getenv("ETCD3_TEST_DIRECTORY") ? getenv("ETCD3_TEST_DIRECTORY") : ".");
    RUN(to_a_file);
    RUN(part_files);
    RUN(one_at_a_time);
    RUN(to_pipes_and_sockets);
    RUN(ends_early);
    RUN(as_events);
    RUN(waits_for_whoever_takes_it);
    RUN(with_the_client_s_own_thread_and_end);
    RUN(what_else_a_server_may_send);
    RUN(another_attempt_before_the_first_byte);
    close_client(client);
    return CHECK_DONE();
}
