/* What the mirror tests share: a copy of a range, kept from events alone, that checks each promise on the way. */
#ifndef MIRRORING_H
#define MIRRORING_H
#include "check.h"

enum { MOST_KEYS = 5100, KEY_ROOM = 40 };

struct copied {
    char key[KEY_ROOM];
    char value[24];
    int64_t mod_revision;
};

/* Counters are read by AWAIT or after the mirror has ended. */
struct mirroring {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct copied *entries; /* in the order of the keys */
    int count, copying, copied, live, resumed, disconnected, pages, changes, closed;
    int reading; /* from COPYING to COPIED */
    int headers; /* of real servers, with COPYING, COPIED and RESUMED */
    int wrong, after_closed, inside;
    int dense; /* nobody writes but into the range: each revision comes, without a gap */
    int64_t base, revision, closed_resume, compact_revision;
    etcd3_code_t restart, why; /* why the copy was begun anew; why the mirror ended */
    etcd3_watch_t *watch;
    void (*hook)(struct mirroring *m, const etcd3_event_t *event); /* runs in the callback, without the lock */
    int hooked;
};

/* Where the key is, or would be. */
static inline int place_of(const struct mirroring *m, const char *key)
{
    int low = 0, high = m->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (strcmp(m->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline void apply(struct mirroring *m, const etcd3_change_t *change)
{
    char key[KEY_ROOM];
    int at, there;
    snprintf(key, sizeof key, "%.*s", (int)change->kv->key_len, (const char *)change->kv->key);
    at = place_of(m, key);
    there = at < m->count && strcmp(m->entries[at].key, key) == 0;
    if (change->is_synthetic) {
        /* All of it is new, in the order of the keys, and none younger than the base. */
        m->wrong += !m->reading || there || at < m->count || change->type != ETCD3_CHANGE_PUT;
        m->wrong += change->kv->mod_revision > m->base;
    } else {
        int64_t step = change->kv->mod_revision - m->revision;
        m->wrong += m->reading || step < 0 || (m->dense && step > 1);
        m->revision = change->kv->mod_revision;
        m->changes++;
    }
    if (change->type == ETCD3_CHANGE_DELETE) {
        m->wrong += !there;
        if (there)
            memmove(m->entries + at, m->entries + at + 1, (size_t)(--m->count - at) * sizeof *m->entries);
        return;
    }
    if (!there) {
        if (m->count == MOST_KEYS) {
            m->wrong++;
            return;
        }
        memmove(m->entries + at + 1, m->entries + at, (size_t)(m->count++ - at) * sizeof *m->entries);
    }
    snprintf(m->entries[at].key, KEY_ROOM, "%s", key);
    snprintf(m->entries[at].value, sizeof m->entries[at].value, "%.*s", (int)change->kv->value_len,
             change->kv->value_len ? (const char *)change->kv->value : "");
    m->entries[at].mod_revision = change->kv->mod_revision;
}

static inline void note_changes(struct mirroring *m, const etcd3_event_t *event)
{
    size_t i, n = etcd3_event_change_count(event);
    int64_t resume = etcd3_event_resume_revision(event);
    m->wrong += n == 0;
    /* A revision is in one event. */
    m->wrong += !m->reading && etcd3_event_change(event, 0)->kv->mod_revision <= m->revision;
    m->pages += m->reading;
    for (i = 0; i < n; i++)
        apply(m, etcd3_event_change(event, i));
    m->wrong += m->reading ? resume != 0 && resume != m->base + 1 : resume != m->revision + 1;
    m->wrong += etcd3_event_revision(event) < m->revision;
}

/* The server's word for how far its store is. */
static inline void note_header(struct mirroring *m, const etcd3_event_t *event)
{
    const etcd3_header_t *header = etcd3_event_header(event);
    m->headers += header != NULL && header->member_id != 0 && header->revision >= etcd3_event_revision(event);
}

static inline void note_state(struct mirroring *m, const etcd3_event_t *event)
{
    const etcd3_error_t *error = etcd3_event_error(event);
    int64_t revision = etcd3_event_revision(event), resume = etcd3_event_resume_revision(event);
    switch (etcd3_event_state(event)) {
    case ETCD3_STATE_COPYING:
        note_header(m, event);
        m->copying++;
        m->count = m->pages = 0;
        m->reading = 1;
        m->restart = etcd3_error_code(error);
        m->compact_revision = etcd3_event_compact_revision(event);
        m->wrong += revision < m->revision || resume != 0;
        m->base = revision;
        break;
    case ETCD3_STATE_COPIED:
        note_header(m, event);
        m->copied++;
        m->wrong += !m->reading || revision != m->base || resume != m->base + 1 || error != NULL;
        m->reading = 0;
        m->revision = m->base;
        break;
    case ETCD3_STATE_LIVE: m->live++; break;
    case ETCD3_STATE_RESUMED:
        note_header(m, event);
        m->resumed++;
        break;
    case ETCD3_STATE_DISCONNECTED: m->disconnected++; break;
    case ETCD3_STATE_PARKED: break;
    default: m->wrong++;
    }
}

static inline void on_mirror(const etcd3_event_t *event, void *user_data)
{
    struct mirroring *m = (struct mirroring *)user_data;
    pthread_mutex_lock(&m->lock);
    m->wrong += m->inside++;
    m->after_closed += m->closed;
    switch (etcd3_event_type(event)) {
    case ETCD3_EVENT_WATCH: note_changes(m, event); break;
    case ETCD3_EVENT_STATE: note_state(m, event); break;
    case ETCD3_EVENT_CLOSED:
        m->closed++;
        m->why = etcd3_error_code(etcd3_event_error(event));
        m->closed_resume = etcd3_event_resume_revision(event);
        break;
    default: m->wrong++;
    }
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    if (m->hook)
        m->hook(m, event);
    pthread_mutex_lock(&m->lock);
    m->inside--;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static inline void prepare_mirror(struct mirroring *m)
{
    pthread_condattr_t attr;
    memset(m, 0, sizeof *m);
    m->entries = (struct copied *)calloc(MOST_KEYS + 1, sizeof *m->entries);
    m->restart = m->why = -1;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->changed, &attr);
    pthread_condattr_destroy(&attr);
}

/* Starts the mirror and frees the options; `watch` is set before the callback looks at it. */
static inline void start_mirror(struct mirroring *m, etcd3_client_t *client, etcd3_watch_opts_t *opts,
                                etcd3_queue_t *queue)
{
    etcd3_error_t *err = NULL;
    etcd3_watch_opts_set_mirror(opts);
    pthread_mutex_lock(&m->lock);
    CHECK_OK(etcd3_watch_start(client, opts, queue, on_mirror, m, &m->watch, &err), err);
    pthread_mutex_unlock(&m->lock);
    etcd3_watch_opts_free(opts);
}

#define AWAIT(m, counter, number) CHECK(await_mirror((m), &(m)->counter, NULL, (number)))
/* Until the copy is as far as a revision. */
#define AWAIT_REVISION(m, number) CHECK(await_mirror((m), NULL, &(m)->revision, (number)))
static inline int await_mirror(struct mirroring *m, const int *counter, const int64_t *revision, int64_t number)
{
    struct timespec limit;
    int late = 0, reached;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&m->lock);
    while ((counter ? *counter : *revision) < number && !m->closed && !late)
        late = pthread_cond_timedwait(&m->changed, &m->lock, &limit) != 0;
    reached = (counter ? *counter : *revision) >= number;
    pthread_mutex_unlock(&m->lock);
    return reached;
}

/* The copy is, key for key, what the server has; `op`, which is freed, reads all of the range. */
static inline void same_as_the_server(struct mirroring *m, etcd3_client_t *client, etcd3_op_t *op)
{
    etcd3_result_t *r = EXECUTE(client, op);
    int i, different = 0;
    pthread_mutex_lock(&m->lock);
    CHECK_INT(m->wrong, 0);
    CHECK_INT(m->reading, 0);
    CHECK_INT(m->count, (int64_t)etcd3_result_kv_count(r));
    for (i = 0; i < m->count && (size_t)i < etcd3_result_kv_count(r); i++) {
        const etcd3_kv_t *kv = etcd3_result_kv(r, (size_t)i);
        const struct copied *entry = &m->entries[i];
        different += !bytes_are(kv->key, kv->key_len, entry->key, strlen(entry->key)) ||
                     !bytes_are(kv->value, kv->value_len, entry->value, strlen(entry->value)) ||
                     kv->mod_revision != entry->mod_revision;
    }
    CHECK_INT(different, 0);
    pthread_mutex_unlock(&m->lock);
    etcd3_result_free(r);
}

/* After the last event: everything was promised and kept. Frees all but the client. */
static inline void finish_mirror(struct mirroring *m, etcd3_code_t why)
{
    etcd3_error_t *err = NULL;
    AWAIT(m, closed, 1);
    if (m->watch)
        CHECK_OK(etcd3_watch_join(m->watch, PATIENCE_MS, &err), err);
    /* One that was freed cannot be joined. */
    pthread_mutex_lock(&m->lock);
    while (m->inside)
        pthread_cond_wait(&m->changed, &m->lock);
    pthread_mutex_unlock(&m->lock);
    CHECK_INT(m->closed, 1);
    CHECK_INT(m->after_closed, 0);
    CHECK_INT(m->wrong, 0);
    CHECK_STR(etcd3_code_name(m->why), etcd3_code_name(why));
    etcd3_watch_free(m->watch);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    free(m->entries);
}

static inline void end_mirror(struct mirroring *m)
{
    etcd3_watch_cancel(m->watch);
    finish_mirror(m, ETCD3_OK);
}

#endif
