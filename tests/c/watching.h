/* What the watch tests share: a callback that writes down all it is told, and waits for it. */
#ifndef WATCHING_H
#define WATCHING_H
#include "check.h"

/* One watch and what it has told. Counters are read by await() or after the watch has ended. */
struct watching {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char text[4000]; /* "+key=value" created, "=key=value" changed, "-key" deleted; "~key=value" the previous; */
                     /* a space between changes, " | " between events; keys without `strip` */
    const char *strip;
    int events, changes, synthetic, live, other_states, disconnected, resumed, relisted, parked, progress, closed;
    int troubled; /* other states are what the test is about */
    int inside, overlapped, after_closed, backwards;
    int64_t revision, progress_revision, compact_revision, resume_revision, relist_revision;
    etcd3_code_t why;
    char why_text[200];
    etcd3_client_t *client;
    etcd3_queue_t *queue;
    etcd3_watch_t *watch;
    /* Runs in the callback, without the lock, once an event is written down. */
    void (*hook)(struct watching *w, const etcd3_event_t *event);
    int hooked;
};

static inline void append(struct watching *w, const char *mark, const etcd3_kv_t *kv, int with_value)
{
    size_t at = strlen(w->text), skip = w->strip ? strlen(w->strip) : 0;
    if (kv->key_len < skip || (skip && memcmp(kv->key, w->strip, skip) != 0))
        skip = 0;
    at += (size_t)snprintf(w->text + at, sizeof w->text - at, "%s%.*s", mark, (int)(kv->key_len - skip),
                           (const char *)kv->key + skip);
    if (with_value && at < sizeof w->text)
        snprintf(w->text + at, sizeof w->text - at, "=%.*s", (int)kv->value_len,
                 kv->value_len ? (const char *)kv->value : "");
}

static inline void write_down(struct watching *w, const etcd3_event_t *event)
{
    size_t i, n = etcd3_event_change_count(event);
    int64_t last = 0, resume = etcd3_event_resume_revision(event);
    int synthetic = n > 0 && etcd3_event_change(event, 0)->is_synthetic;
    if (w->events++)
        snprintf(w->text + strlen(w->text), sizeof w->text - strlen(w->text), " | ");
    for (i = 0; i < n; i++) {
        const etcd3_change_t *change = etcd3_event_change(event, i);
        int deleted = change->type == ETCD3_CHANGE_DELETE;
        if (i)
            snprintf(w->text + strlen(w->text), sizeof w->text - strlen(w->text), " ");
        append(w, deleted ? "-" : change->is_create ? "+" : "=", change->kv, !deleted);
        if (change->prev_kv)
            append(w, "~", change->prev_kv, 1);
        CHECK_INT(change->is_synthetic, synthetic);
        if (!synthetic)
            w->backwards += change->kv->mod_revision < last || (i == 0 && change->kv->mod_revision <= w->revision);
        last = change->kv->mod_revision;
        if (deleted)
            CHECK(change->kv->value_len == 0 && change->kv->create_revision == 0 && change->kv->version == 0);
        else
            CHECK_INT(change->is_create, change->kv->create_revision == change->kv->mod_revision);
    }
    CHECK(n > 0);
    CHECK(etcd3_event_change(event, n) == NULL);
    CHECK(etcd3_event_revision(event) >= last);
    if (synthetic)
        CHECK(resume == 0 || resume == etcd3_event_revision(event) + 1);
    else
        CHECK_INT(resume, last + 1);
    w->revision = synthetic ? w->relist_revision : last;
    w->changes += (int)n;
    w->synthetic += synthetic ? (int)n : 0;
}

static inline void write_state(struct watching *w, const etcd3_event_t *event)
{
    int state = etcd3_event_state(event);
    w->live += state == ETCD3_STATE_LIVE;
    w->other_states += state != ETCD3_STATE_LIVE;
    w->disconnected += state == ETCD3_STATE_DISCONNECTED;
    w->resumed += state == ETCD3_STATE_RESUMED;
    w->relisted += state == ETCD3_STATE_RELISTED;
    w->parked += state == ETCD3_STATE_PARKED;
    if (state == ETCD3_STATE_RELISTED)
        w->relist_revision = etcd3_event_revision(event);
    CHECK((etcd3_event_error(event) != NULL) == (state == ETCD3_STATE_DISCONNECTED));
}

static inline void on_event(const etcd3_event_t *event, void *user_data)
{
    struct watching *w = (struct watching *)user_data;
    pthread_mutex_lock(&w->lock);
    w->overlapped += w->inside++;
    w->after_closed += w->closed;
    CHECK(etcd3_event_user_data(event) == user_data);
    switch (etcd3_event_type(event)) {
    case ETCD3_EVENT_WATCH:
        write_down(w, event);
        break;
    case ETCD3_EVENT_PROGRESS:
        w->progress++;
        w->backwards += etcd3_event_revision(event) < w->progress_revision;
        w->progress_revision = etcd3_event_revision(event);
        break;
    case ETCD3_EVENT_STATE:
        write_state(w, event);
        break;
    case ETCD3_EVENT_CLOSED:
        w->closed++;
        w->why = etcd3_error_code(etcd3_event_error(event));
        w->compact_revision = etcd3_event_compact_revision(event);
        w->resume_revision = etcd3_event_resume_revision(event);
        snprintf(w->why_text, sizeof w->why_text, "%s", etcd3_error_message(etcd3_event_error(event)));
        break;
    default:
        CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_WATCH);
    }
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    if (w->hook)
        w->hook(w, event);
    pthread_mutex_lock(&w->lock);
    w->inside--;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static inline void prepare(struct watching *w, etcd3_client_t *client, const char *strip)
{
    pthread_condattr_t attr;
    memset(w, 0, sizeof *w);
    w->client = client;
    w->strip = strip;
    w->why = -1;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attr);
    pthread_condattr_destroy(&attr);
}

/* Starts the watch and frees the options. */
static inline void start(struct watching *w, etcd3_watch_opts_t *opts, etcd3_queue_t *queue)
{
    etcd3_watch_t *watch = NULL;
    etcd3_error_t *err = NULL;
    w->queue = queue;
    CHECK_OK(etcd3_watch_start(w->client, opts, queue, on_event, w, &watch, &err), err);
    etcd3_watch_opts_free(opts);
    pthread_mutex_lock(&w->lock);
    w->watch = watch;
    pthread_mutex_unlock(&w->lock);
}

static inline etcd3_watch_t *handle_of(struct watching *w)
{
    etcd3_watch_t *watch;
    pthread_mutex_lock(&w->lock);
    watch = w->watch;
    pthread_mutex_unlock(&w->lock);
    return watch;
}

static inline etcd3_queue_t *new_queue(void)
{
    etcd3_queue_t *queue = NULL;
    etcd3_error_t *err = NULL;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    return queue;
}

/* Waits until the counter, one of w's, has reached a number. */
#define AWAIT(w, counter, number) CHECK(await((w), &(w)->counter, (number)))
static inline int await(struct watching *w, const int *counter, int number)
{
    struct timespec limit;
    int reached, late = 0;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&w->lock);
    while (*counter < number && !late)
        late = pthread_cond_timedwait(&w->changed, &w->lock, &limit) != 0;
    reached = *counter >= number;
    pthread_mutex_unlock(&w->lock);
    return reached;
}

/* The changes, however many of them came in one event: the server groups revisions that it catches up with. */
#define CHECK_CHANGES(w, wanted) check_str(ungrouped(w), (wanted), #w, __FILE__, __LINE__)
static inline const char *ungrouped(struct watching *w)
{
    char *bar;
    while ((bar = strstr(w->text, " | ")) != NULL)
        memmove(bar + 1, bar + 3, strlen(bar + 3) + 1);
    return w->text;
}

/* Waits for the last event and for the callback that tells it; then every promise must have been kept. */
static inline void finished(struct watching *w)
{
    etcd3_error_t *err = NULL;
    AWAIT(w, closed, 1);
    CHECK_OK(etcd3_watch_join(w->watch, PATIENCE_MS, &err), err);
    CHECK_INT(w->closed, 1);
    CHECK_INT(w->inside, 0);
    CHECK_INT(w->after_closed, 0);
    CHECK_INT(w->overlapped, 0);
    CHECK_INT(w->backwards, 0);
    if (!w->troubled)
        CHECK_INT(w->other_states, 0);
    etcd3_watch_free(w->watch);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
}

/* Ends a watch whose callbacks run on the client's own thread. */
static inline void stop(struct watching *w)
{
    etcd3_watch_cancel(w->watch);
    finished(w);
    CHECK_INT(w->why, ETCD3_OK);
    CHECK_STR(w->why_text, "");
}

#endif
