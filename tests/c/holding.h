/* What the lease tests share: who writes down what he is told of a lease. */
#ifndef HOLDING_H
#define HOLDING_H
#include "check.h"

struct holding {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int lost, closed, renewed, others, reason, lost_after_closed;
    int64_t lost_at;
    etcd3_code_t why, end;
    char why_text[300];
};

static inline void on_holding(const etcd3_event_t *event, void *user_data)
{
    struct holding *h = (struct holding *)user_data;
    etcd3_code_t code = etcd3_error_code(etcd3_event_error(event));
    pthread_mutex_lock(&h->lock);
    CHECK(etcd3_event_user_data(event) == user_data);
    switch (etcd3_event_type(event)) {
    case ETCD3_EVENT_LOST:
        h->lost++;
        h->lost_after_closed += h->closed;
        h->lost_at = now_ms();
        h->reason = etcd3_event_lost_reason(event);
        h->why = code;
        snprintf(h->why_text, sizeof h->why_text, "%s", etcd3_error_message(etcd3_event_error(event)));
        break;
    case ETCD3_EVENT_CLOSED:
        h->closed++;
        h->end = code;
        CHECK_INT(etcd3_event_lost_reason(event), 0);
        break;
    case ETCD3_EVENT_RENEWED:
        h->renewed++;
        break;
    default:
        h->others++;
    }
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static inline void hold(struct holding *h)
{
    pthread_condattr_t attr;
    memset(h, 0, sizeof *h);
    h->why = h->end = -1;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->changed, &attr);
    pthread_condattr_destroy(&attr);
}

/* Waits for the last event; then all there was is this loss (0: none) with this code, and this code at the end. */
#define ENDED(h, reason, why, end) ended((h), (reason), (why), (end), __FILE__, __LINE__)
static inline void ended(struct holding *h, int reason, etcd3_code_t why, etcd3_code_t end, const char *file, int line)
{
    struct timespec limit;
    int late = 0;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&h->lock);
    while (!h->closed && !late)
        late = pthread_cond_timedwait(&h->changed, &h->lock, &limit) != 0;
    pthread_mutex_unlock(&h->lock);
    check_int(h->closed, 1, "closed", file, line);
    check_int(h->lost, reason != 0, "lost", file, line);
    check_int(h->reason, reason, "the reason", file, line);
    check_int(h->others, 0, "other events", file, line);
    check_int(h->lost_after_closed, 0, "losses after the end", file, line);
    if (reason)
        check_str(etcd3_code_name(h->why), etcd3_code_name(why), "the loss", file, line);
    check_str(etcd3_code_name(h->end), etcd3_code_name(end), "the end", file, line);
}

static inline int told(struct holding *h)
{
    int n;
    pthread_mutex_lock(&h->lock);
    n = h->lost + h->closed + h->renewed + h->others;
    pthread_mutex_unlock(&h->lock);
    return n;
}

/* Opens a lease whose events run on the client's own thread. */
static inline etcd3_lease_t *open_lease(etcd3_client_t *client, int64_t ttl_s, struct holding *h)
{
    etcd3_lease_t *lease = NULL;
    etcd3_error_t *err = NULL;
    hold(h);
    CHECK_OK(etcd3_lease_open(client, ttl_s, 0, NULL, on_holding, h, &lease, &err), err);
    return lease;
}

static inline void put_with(etcd3_client_t *client, const char *key, int64_t lease_id)
{
    etcd3_op_t *op = etcd3_op_put(key, ETCD3_NTS, "held", ETCD3_NTS);
    etcd3_op_set_lease(op, lease_id);
    etcd3_result_free(EXECUTE(client, op));
}

static inline int exists(etcd3_client_t *client, const char *key)
{
    etcd3_result_t *r = EXECUTE(client, etcd3_op_get(key, ETCD3_NTS));
    int there = etcd3_result_kv(r, 0) != NULL;
    etcd3_result_free(r);
    return there;
}

/* What the server says is left of it; -1 if it is not there. */
static inline int64_t left_of(etcd3_client_t *client, int64_t lease_id)
{
    etcd3_lease_info_t *info = NULL;
    etcd3_error_t *err = NULL;
    int64_t left;
    CHECK_OK(etcd3_lease_time_to_live(client, lease_id, 0, &info, &err), err);
    left = etcd3_lease_info_ttl(info);
    etcd3_lease_info_free(info);
    return left;
}

#endif
