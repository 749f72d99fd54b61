/* Watches created, cancelled, joined and freed at random, on threads and in callbacks, while the connection comes and
   goes and clients are closed under them; what belongs to a watch is freed in its last event, once. Then clients whose
   servers answer nothing are closed. Meant for valgrind and the sanitizers. */
#include "forwarder.h"
#include "mute_server.h"

#define PREFIX "watch_storm/"

enum { OPERATIONS = 10000, SLOTS = 64, THREADS = 4, CLIENTS = 2, CLOSE_MS = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long operations, left_to_do, tickets_made, tickets_freed, wrong;

/* What a watch's user_data points to. */
struct ticket {
    int mark, closed;
};

static struct slot {
    pthread_mutex_t lock;
    etcd3_watch_t *watch;
} slots[SLOTS];

static struct place {
    pthread_rwlock_t lock; /* written when the client is another one */
    etcd3_client_t *client;
} places[CLIENTS];

static etcd3_queue_t *queue;
static struct forwarder line;
static int seed_of_thread;

static int next_random(unsigned *seed, int below)
{
    *seed = *seed * 1103515245u + 12345u;
    return (int)((*seed >> 16) % (unsigned)below);
}

static void add_to(long *counter, long n)
{
    pthread_mutex_lock(&lock);
    *counter += n;
    pthread_mutex_unlock(&lock);
}

static long value_of(const long *counter)
{
    long value;
    pthread_mutex_lock(&lock);
    value = *counter;
    pthread_mutex_unlock(&lock);
    return value;
}

static int take_one(void)
{
    int more;
    pthread_mutex_lock(&lock);
    more = left_to_do-- > 0;
    operations += more;
    pthread_mutex_unlock(&lock);
    return more;
}

static void on_event(const etcd3_event_t *event, void *user_data);

/* Starts a watch in an empty slot, whose lock is held. */
static void start_one(struct slot *slot, unsigned *seed)
{
    struct place *place = &places[next_random(seed, CLIENTS)];
    struct ticket *ticket;
    etcd3_watch_opts_t *opts;
    etcd3_code_t code;
    char key[60];
    /* In a callback nothing may wait for the one who closes the client, since he waits for callbacks. */
    if (pthread_rwlock_tryrdlock(&place->lock) != 0)
        return;
    ticket = (struct ticket *)malloc(sizeof *ticket);
    ticket->mark = 0x5ca1ab1e;
    ticket->closed = 0;
    snprintf(key, sizeof key, PREFIX "%d", next_random(seed, 10));
    opts = etcd3_watch_opts_new(key, ETCD3_NTS);
    etcd3_watch_opts_set_start_revision(opts, next_random(seed, 3) ? 1 : 0);
    switch (next_random(seed, 8)) {
    case 0:
    case 1: etcd3_watch_opts_set_relist(opts); break;
    case 2:
    case 3: etcd3_watch_opts_set_mirror(opts); break;
    default: break;
    }
    if (next_random(seed, 4) == 0)
        etcd3_watch_opts_set_buffer(opts, 5000, next_random(seed, 2));
    if (next_random(seed, 8) == 0)
        etcd3_watch_opts_set_require_leader(opts, 0);
    if (next_random(seed, 8) == 0)
        etcd3_watch_opts_set_max_outage(opts, 1 + next_random(seed, 50));
    add_to(&tickets_made, 1);
    code = etcd3_watch_start(place->client, opts, next_random(seed, 2) ? queue : NULL, on_event, ticket, &slot->watch,
                             NULL);
    if (code != ETCD3_OK) {
        /* The line may be cut before HTTP/2 is spoken. */
        if (code != ETCD3_ERR_CLOSED && code != ETCD3_ERR_UNAVAILABLE && code != ETCD3_ERR_TIMEOUT &&
            code != ETCD3_ERR_PROTOCOL) {
            fprintf(stderr, "a watch was refused with %s\n", etcd3_code_name(code));
            add_to(&wrong, 1);
        }
        /* Nothing was, and nothing will be, called. */
        add_to(&wrong, ticket->closed || slot->watch != NULL);
        free(ticket);
        add_to(&tickets_freed, 1);
    }
    etcd3_watch_opts_free(opts);
    pthread_rwlock_unlock(&place->lock);
}

static void put_one(unsigned *seed)
{
    struct place *place = &places[next_random(seed, CLIENTS)];
    char key[60];
    if (pthread_rwlock_tryrdlock(&place->lock) == 0) {
        snprintf(key, sizeof key, PREFIX "%d", next_random(seed, 10));
        etcd3_put(place->client, key, ETCD3_NTS, "v", 1, NULL);
        pthread_rwlock_unlock(&place->lock);
    }
}

static void do_something(unsigned *seed)
{
    struct slot *slot = &slots[next_random(seed, SLOTS)];
    etcd3_code_t code;
    if (next_random(seed, 10) == 0) {
        put_one(seed);
        return;
    }
    if (pthread_mutex_trylock(&slot->lock) != 0)
        return;
    if (!slot->watch) {
        start_one(slot, seed);
    } else {
        switch (next_random(seed, 6)) {
        case 0:
            etcd3_watch_cancel(slot->watch);
            break;
        case 1:
            code = etcd3_watch_join(slot->watch, next_random(seed, 3), NULL);
            add_to(&wrong, code != ETCD3_OK && code != ETCD3_ERR_TIMEOUT);
            break;
        case 2:
            code = etcd3_watch_request_progress(slot->watch, NULL);
            add_to(&wrong, code != ETCD3_OK && code != ETCD3_ERR_CANCELED);
            break;
        case 3:
            add_to(&wrong, etcd3_watch_pending_bytes(slot->watch) < 0 || etcd3_watch_pending_events(slot->watch) < 0);
            break;
        default:
            etcd3_watch_free(slot->watch);
            slot->watch = NULL;
        }
    }
    pthread_mutex_unlock(&slot->lock);
}

static void on_event(const etcd3_event_t *event, void *user_data)
{
    struct ticket *ticket = (struct ticket *)user_data;
    unsigned seed = (unsigned)(size_t)user_data ^ (unsigned)now_ms();
    add_to(&wrong, ticket->mark != 0x5ca1ab1e || ticket->closed);
    if (next_random(&seed, 3) == 0 && take_one())
        do_something(&seed);
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED) {
        ticket->closed = 1;
        ticket->mark = 0;
        free(ticket);
        add_to(&tickets_freed, 1);
    }
}

static void *work(void *arg)
{
    unsigned seed;
    (void)arg;
    pthread_mutex_lock(&lock);
    seed = (unsigned)(seed_of_thread += 7919);
    pthread_mutex_unlock(&lock);
    while (take_one())
        do_something(&seed);
    return NULL;
}

static void *drain(void *arg)
{
    (void)arg;
    while (value_of(&left_to_do) > 0 || value_of(&tickets_made) != value_of(&tickets_freed))
        CHECK(etcd3_queue_dispatch(queue, 0, 20, NULL, NULL) == ETCD3_OK);
    return NULL;
}

static etcd3_client_t *new_client(void)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_add_endpoint(config, line.endpoint);
    etcd3_config_set_timeout(config, 200);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    return client;
}

/* Closes a client under those who use it, and puts another in its place. */
static void replace(struct place *place)
{
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_client_close(place->client, PATIENCE_MS, &err), err);
    CHECK_INT(etcd3_client_close(place->client, 0, NULL), ETCD3_OK);
    pthread_rwlock_wrlock(&place->lock);
    etcd3_client_free(place->client);
    place->client = new_client();
    pthread_rwlock_unlock(&place->lock);
}

static void a_storm(void)
{
    pthread_t threads[THREADS], drainer;
    int i, round = 0;
    unsigned seed = (unsigned)env_number("ETCD3_TEST_SEED", (int64_t)now_ms());
    printf("seed %u\n", seed);
    seed_of_thread = (int)seed;
    left_to_do = (long)env_number("ETCD3_TEST_EVENTS", OPERATIONS);
    /* Under valgrind. */
    if (left_to_do < OPERATIONS)
        left_to_do *= 10;
    queue = NULL;
    CHECK_INT(etcd3_queue_new(&queue, NULL), ETCD3_OK);
    forwarder_start(&line);
    for (i = 0; i < SLOTS; i++)
        pthread_mutex_init(&slots[i].lock, NULL);
    for (i = 0; i < CLIENTS; i++) {
        pthread_rwlock_init(&places[i].lock, NULL);
        places[i].client = new_client();
    }
    for (i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, work, NULL), 0);
    CHECK_INT(pthread_create(&drainer, NULL, drain, NULL), 0);
    while (value_of(&left_to_do) > 0) {
        forwarder_stop(&line);
        replace(&places[round++ % CLIENTS]);
        CHECK(forwarder_again(&line));
        replace(&places[round++ % CLIENTS]);
        put_one(&seed);
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (i = 0; i < CLIENTS; i++) {
        CHECK_INT(etcd3_client_close(places[i].client, PATIENCE_MS, NULL), ETCD3_OK);
        etcd3_client_free(places[i].client);
        pthread_rwlock_destroy(&places[i].lock);
    }
    pthread_join(drainer, NULL);
    for (i = 0; i < SLOTS; i++) {
        etcd3_watch_free(slots[i].watch);
        pthread_mutex_destroy(&slots[i].lock);
    }
    etcd3_queue_free(queue);
    forwarder_end(&line);
    printf("%ld operations, %ld watches, %d clients closed\n", operations, tickets_made, round + CLIENTS);
    CHECK_INT(wrong, 0);
    CHECK_INT(tickets_freed, tickets_made);
}

static void count_closed(const etcd3_event_t *event, void *user_data)
{
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED)
        ++*(int *)user_data;
}

static void servers_that_answer_nothing(void)
{
    enum { WATCHES = 50 };
    static const enum mute kinds[] = {REFUSES, ACCEPTS, READS, DROPS};
    struct mute_server servers[4];
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_watch_t *watches[WATCHES];
    etcd3_error_t *err = NULL;
    int64_t began, took;
    int i, closed = 0;
    for (i = 0; i < 4; i++) {
        mute_start(&servers[i], kinds[i]);
        etcd3_config_add_endpoint(config, servers[i].endpoint);
    }
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    for (i = 0; i < WATCHES; i++) {
        etcd3_watch_opts_t *opts = etcd3_watch_opts_new("k", 1);
        etcd3_watch_opts_set_start_revision(opts, 1 + i % 2);
        if (i % 5 == 0)
            etcd3_watch_opts_set_relist(opts);
        if (i % 5 == 1)
            etcd3_watch_opts_set_mirror(opts);
        CHECK_OK(etcd3_watch_start(client, opts, NULL, count_closed, &closed, &watches[i], &err), err);
        etcd3_watch_opts_free(opts);
    }
    /* The stream has got as far as it gets. */
    mute_await_request(&servers[3]);
    etcd3_watch_cancel(watches[0]);
    etcd3_watch_free(watches[1]);
    began = now_ms();
    CHECK_OK(etcd3_client_close(client, CLOSE_MS, &err), err);
    took = now_ms() - began;
    printf("closed in %lld ms with servers that answer nothing\n", (long long)took);
    CHECK(took <= CLOSE_MS + SLACK_MS);
    CHECK_INT(closed, WATCHES);
    etcd3_client_free(client);
    for (i = 0; i < WATCHES; i++)
        if (i != 1)
            etcd3_watch_free(watches[i]);
    for (i = 0; i < 4; i++)
        mute_stop(&servers[i]);
}

int main(void)
{
    RUN(a_storm);
    RUN(servers_that_answer_nothing);
    return CHECK_DONE();
}
