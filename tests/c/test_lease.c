/* Leases on a real server: calls, the handle that is kept alive, every way in which one is lost. */
#include "holding.h"

static etcd3_client_t *client;
static etcd3_error_t *err;

static void grants(void)
{
    int64_t id = 0, ttl = 0, same = 0;
    CHECK_OK(etcd3_lease_grant(client, 60, 0, &id, &ttl, &err), err);
    CHECK(id > 0);
    CHECK_INT(ttl, 60);
    CHECK_CODE(etcd3_lease_grant(client, 60, id, &same, NULL, &err), err, ETCD3_ERR_LEASE_EXISTS, "already exists");
    CHECK_INT(same, 0);
    CHECK_OK(etcd3_lease_revoke_id(client, id, &err), err);
    CHECK_OK(etcd3_lease_grant(client, 77, id, &same, &ttl, &err), err);
    CHECK(same == id);
    CHECK_INT(ttl, 77);
    CHECK_OK(etcd3_lease_revoke_id(client, id, &err), err);
    CHECK_CODE(etcd3_lease_revoke_id(client, id, &err), err, ETCD3_ERR_LEASE_NOT_FOUND, "not found");
    /* The server raises what is too short, and says so. */
    CHECK_OK(etcd3_lease_grant(client, 1, 0, &id, &ttl, &err), err);
    CHECK_INT(ttl, 2);
    CHECK_OK(etcd3_lease_revoke_id(client, id, &err), err);
    CHECK_OK(etcd3_lease_grant(client, 60, 0, NULL, NULL, &err), err);
}

static int has_key(const etcd3_lease_info_t *info, const char *key)
{
    size_t i, len = 0;
    for (i = 0; i < etcd3_lease_info_key_count(info); i++) {
        const uint8_t *found = etcd3_lease_info_key(info, i, &len);
        if (bytes_are(found, len, key, strlen(key)))
            return 1;
    }
    return 0;
}

static void asks_about_one(void)
{
    etcd3_lease_info_t *info = NULL;
    int64_t id = 0;
    CHECK_OK(etcd3_lease_grant(client, 100, 0, &id, NULL, &err), err);
    put_with(client, "lease/a", id);
    put_with(client, "lease/b", id);
    CHECK_OK(etcd3_lease_time_to_live(client, id, 1, &info, &err), err);
    CHECK(etcd3_lease_info_id(info) == id);
    CHECK(etcd3_lease_info_ttl(info) > 90 && etcd3_lease_info_ttl(info) <= 100);
    CHECK_INT(etcd3_lease_info_granted_ttl(info), 100);
    CHECK_INT(etcd3_lease_info_key_count(info), 2);
    CHECK(has_key(info, "lease/a") && has_key(info, "lease/b"));
    CHECK(etcd3_lease_info_key(info, 2, NULL) == NULL);
    etcd3_lease_info_free(info);
    info = NULL;
    CHECK_OK(etcd3_lease_time_to_live(client, id, 0, &info, &err), err);
    CHECK_INT(etcd3_lease_info_key_count(info), 0);
    etcd3_lease_info_free(info);
    info = NULL;
    CHECK_OK(etcd3_lease_revoke_id(client, id, &err), err);
    CHECK(!exists(client, "lease/a") && !exists(client, "lease/b"));
    CHECK_OK(etcd3_lease_time_to_live(client, id, 1, &info, &err), err);
    CHECK_INT(etcd3_lease_info_ttl(info), -1);
    CHECK_INT(etcd3_lease_info_key_count(info), 0);
    etcd3_lease_info_free(info);
}

static void lists(void)
{
    etcd3_lease_list_t *list = NULL;
    int64_t id = 0;
    size_t i;
    int found = 0;
    CHECK_OK(etcd3_lease_grant(client, 100, 0, &id, NULL, &err), err);
    CHECK_OK(etcd3_lease_list(client, &list, &err), err);
    for (i = 0; i < etcd3_lease_list_count(list); i++)
        found += etcd3_lease_list_id(list, i) == id;
    CHECK_INT(found, 1);
    CHECK_INT(etcd3_lease_list_id(list, etcd3_lease_list_count(list)), 0);
    etcd3_lease_list_free(list);
    CHECK_OK(etcd3_lease_revoke_id(client, id, &err), err);
}

static void renews_once(void)
{
    int64_t id = 0, ttl = 0;
    CHECK_OK(etcd3_lease_grant(client, 50, 0, &id, NULL, &err), err);
    CHECK_OK(etcd3_lease_keep_alive_once(client, id, &ttl, &err), err);
    CHECK_INT(ttl, 50);
    CHECK_OK(etcd3_lease_revoke_id(client, id, &err), err);
    CHECK_CODE(etcd3_lease_keep_alive_once(client, id, NULL, &err), err, ETCD3_ERR_LEASE_NOT_FOUND, "not found");
}

static void is_kept_alive(void)
{
    struct holding h;
    etcd3_lease_t *lease = open_lease(client, 3, &h);
    int64_t id = etcd3_lease_id(lease), before, begun = now_ms();
    before = etcd3_client_counter(client, "lease_renewals");
    CHECK(id > 0);
    CHECK_INT(etcd3_lease_ttl(lease), 3);
    put_with(client, "lease/kept", id);
    /* Longer than its time, through several renewals. */
    while (now_ms() < begun + 5000 || etcd3_client_counter(client, "lease_renewals") - before < 4) {
        int64_t left = etcd3_lease_remaining_ms(lease);
        if (!CHECK(left > 0 && left <= 2900) || !CHECK(exists(client, "lease/kept")))
            break;
    }
    CHECK_INT(etcd3_lease_is_alive(lease), 1);
    CHECK_INT(told(&h), 0);
    etcd3_lease_free(lease);
    ENDED(&h, 0, 0, ETCD3_OK);
    CHECK(exists(client, "lease/kept"));
    /* Nobody keeps it alive any more: it goes by itself. */
    begun = now_ms();
    while (exists(client, "lease/kept") && now_ms() < begun + PATIENCE_MS)
        ;
    CHECK(!exists(client, "lease/kept"));
}

static void is_revoked(void)
{
    struct holding h;
    etcd3_lease_t *lease = open_lease(client, 60, &h);
    put_with(client, "lease/revoked", etcd3_lease_id(lease));
    CHECK_OK(etcd3_lease_revoke(lease, &err), err);
    CHECK_INT(etcd3_lease_is_alive(lease), 0);
    CHECK_INT(etcd3_lease_remaining_ms(lease), 0);
    CHECK(!exists(client, "lease/revoked"));
    ENDED(&h, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
    CHECK_CODE(etcd3_lease_refresh(lease, &err), err, ETCD3_ERR_LEASE_LOST, "revoked");
    CHECK_CODE(etcd3_lease_revoke(lease, &err), err, ETCD3_ERR_LEASE_NOT_FOUND, "not found");
    etcd3_lease_free(lease);
    CHECK_INT(told(&h), 2);
}

/* By its id, in this client; and by another one, which the next renewal finds out. */
static void is_revoked_from_elsewhere(void)
{
    etcd3_client_t *other = open_client();
    struct holding here, there, bystander;
    etcd3_lease_t *a = open_lease(client, 60, &here), *b = open_lease(client, 3, &there);
    etcd3_lease_t *c = open_lease(client, 3, &bystander);
    int64_t lost = etcd3_client_counter(client, "leases_lost");
    CHECK_OK(etcd3_lease_revoke_id(client, etcd3_lease_id(a), &err), err);
    ENDED(&here, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
    CHECK_OK(etcd3_lease_revoke_id(other, etcd3_lease_id(b), &err), err);
    ENDED(&there, ETCD3_LOST_GONE, ETCD3_ERR_LEASE_LOST, ETCD3_ERR_LEASE_LOST);
    CHECK_INT(etcd3_lease_is_alive(b), 0);
    CHECK_INT(etcd3_lease_is_alive(c), 1);
    CHECK_INT(told(&bystander), 0);
    CHECK_INT(etcd3_client_counter(client, "leases_lost") - lost, 1);
    etcd3_lease_free(a);
    etcd3_lease_free(b);
    CHECK_OK(etcd3_lease_revoke(c, &err), err);
    etcd3_lease_free(c);
    ENDED(&bystander, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
    etcd3_client_free(other);
}

static void is_refreshed(void)
{
    struct holding h;
    etcd3_lease_t *lease = open_lease(client, 60, &h);
    int64_t before, wanted;
    CHECK_OK(etcd3_lease_refresh(lease, &err), err);
    wanted = etcd3_lease_remaining_ms(lease);
    /* Nothing is due for 19 s: only a refresh can set the clock back. */
    while ((before = etcd3_lease_remaining_ms(lease)) > wanted - 1000)
        ;
    CHECK_OK(etcd3_lease_refresh(lease, &err), err);
    CHECK(etcd3_lease_remaining_ms(lease) > before);
    CHECK_OK(etcd3_lease_revoke(lease, &err), err);
    etcd3_lease_free(lease);
    ENDED(&h, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
}

static void is_adopted(void)
{
    struct holding one, two;
    etcd3_lease_t *a = NULL, *b = NULL;
    int64_t id = 0, end;
    CHECK_OK(etcd3_lease_grant(client, 3, 0, &id, NULL, &err), err);
    hold(&one);
    hold(&two);
    CHECK_OK(etcd3_lease_adopt(client, id, NULL, on_holding, &one, &a, &err), err);
    CHECK_OK(etcd3_lease_adopt(client, id, NULL, on_holding, &two, &b, &err), err);
    CHECK(etcd3_lease_id(a) == id && etcd3_lease_id(b) == id);
    CHECK_INT(etcd3_lease_ttl(a), 3);
    etcd3_lease_free(a);
    ENDED(&one, 0, 0, ETCD3_OK);
    /* The other one still keeps it. */
    for (end = now_ms() + 5000; now_ms() < end;)
        if (!CHECK(etcd3_lease_is_alive(b) && left_of(client, id) >= 0))
            break;
    CHECK_OK(etcd3_lease_revoke(b, &err), err);
    ENDED(&two, ETCD3_LOST_REVOKED, ETCD3_OK, ETCD3_OK);
    etcd3_lease_free(b);
    CHECK_CODE(etcd3_lease_adopt(client, id, NULL, on_holding, &one, &a, &err), err, ETCD3_ERR_LEASE_NOT_FOUND,
               "not found");
}

/* The end of the client, and of the queue. */
static void ends_with_its_surroundings(void)
{
    etcd3_client_t *own = open_client();
    etcd3_queue_t *queue = NULL;
    etcd3_lease_t *a, *b = NULL, *silent = NULL;
    struct holding one, two;
    a = open_lease(own, 60, &one);
    hold(&two);
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_lease_open(own, 60, 0, queue, on_holding, &two, &b, &err), err);
    CHECK_OK(etcd3_lease_open(own, 60, 0, NULL, NULL, NULL, &silent, &err), err);
    CHECK_INT(etcd3_lease_is_alive(b), 1);
    etcd3_queue_free(queue);
    ENDED(&two, ETCD3_LOST_CLOSED, ETCD3_ERR_CANCELED, ETCD3_ERR_CANCELED);
    CHECK_INT(etcd3_lease_is_alive(b), 0);
    CHECK_INT(etcd3_lease_is_alive(a), 1);
    CHECK_INT(etcd3_lease_is_alive(silent), 1);
    CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
    ENDED(&one, ETCD3_LOST_CLOSED, ETCD3_ERR_CLOSED, ETCD3_ERR_CLOSED);
    CHECK_INT(etcd3_lease_is_alive(a), 0);
    CHECK_INT(etcd3_lease_is_alive(silent), 0);
    CHECK_CODE(etcd3_lease_refresh(a, &err), err, ETCD3_ERR_CLOSED, "closed");
    CHECK_CODE(etcd3_lease_revoke(a, &err), err, ETCD3_ERR_CLOSED, "closed");
    etcd3_client_free(own);
    CHECK(etcd3_lease_id(a) != 0);
    /* They were left to expire. */
    CHECK(left_of(client, etcd3_lease_id(a)) > 0);
    CHECK_OK(etcd3_lease_revoke_id(client, etcd3_lease_id(a), &err), err);
    CHECK_OK(etcd3_lease_revoke_id(client, etcd3_lease_id(b), &err), err);
    CHECK_OK(etcd3_lease_revoke_id(client, etcd3_lease_id(silent), &err), err);
    etcd3_lease_free(a);
    etcd3_lease_free(b);
    etcd3_lease_free(silent);
    CHECK_INT(told(&one), 2);
}

/* Whatever the client's task is at when it comes. */
static void closing_takes_no_time(void)
{
    int i;
    for (i = 0; i < 30; i++) {
        etcd3_client_t *own = open_client();
        etcd3_lease_t *lease = NULL;
        int64_t start;
        CHECK_OK(etcd3_lease_open(own, 20, 0, NULL, NULL, NULL, &lease, &err), err);
        start = now_ms();
        CHECK_OK(etcd3_client_close(own, PATIENCE_MS, &err), err);
        CHECK(now_ms() - start <= 400 + SLACK_MS);
        CHECK_OK(etcd3_lease_revoke_id(client, etcd3_lease_id(lease), &err), err);
        CHECK_CODE(etcd3_lease_refresh(lease, &err), err, ETCD3_ERR_CLOSED, "closed");
        etcd3_lease_free(lease);
        etcd3_client_free(own);
    }
}

/* For those who cannot be called back. */
static void is_told_by_the_queue(void)
{
    etcd3_queue_t *queue = NULL;
    etcd3_lease_t *lease = NULL;
    etcd3_event_t *event = NULL;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_lease_open(client, 60, 0, queue, NULL, &queue, &lease, &err), err);
    CHECK_OK(etcd3_lease_revoke(lease, &err), err);
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_LOST);
    CHECK_INT(etcd3_event_lost_reason(event), ETCD3_LOST_REVOKED);
    CHECK(etcd3_event_error(event) == NULL);
    CHECK(etcd3_event_user_data(event) == &queue);
    etcd3_event_free(event);
    event = NULL;
    /* What was queued before it was freed is told all the same. */
    etcd3_lease_free(lease);
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_CLOSED);
    etcd3_event_free(event);
    event = NULL;
    CHECK_OK(etcd3_queue_next(queue, 0, &event, &err), err);
    CHECK(event == NULL);
    etcd3_queue_free(queue);
}

static void await_renewals(int64_t number)
{
    int64_t end = now_ms() + PATIENCE_MS;
    while (etcd3_client_counter(client, "lease_renewals") < number && now_ms() < end) {
        struct timespec rest = {0, 5 * 1000000};
        nanosleep(&rest, NULL);
    }
    CHECK(etcd3_client_counter(client, "lease_renewals") >= number);
}

/* The next event, which is a renewal to `ttl` seconds. */
static void renewed(etcd3_queue_t *queue, int64_t ttl)
{
    etcd3_event_t *event = NULL;
    const etcd3_header_t *header;
    CHECK_OK(etcd3_queue_next(queue, PATIENCE_MS, &event, &err), err);
    CHECK_INT(etcd3_event_type(event), ETCD3_EVENT_RENEWED);
    CHECK_INT(etcd3_event_ttl(event), ttl);
    header = etcd3_event_header(event);
    if (CHECK(header != NULL)) {
        CHECK(header->cluster_id != 0 && header->member_id != 0 && header->revision > 0 && header->raft_term > 0);
        CHECK_INT(etcd3_event_revision(event), header->revision);
    }
    CHECK(etcd3_event_user_data(event) == queue && etcd3_event_error(event) == NULL);
    CHECK_INT(etcd3_event_lost_reason(event), 0);
    etcd3_event_free(event);
}

static int is_empty(etcd3_queue_t *queue)
{
    etcd3_event_t *event = NULL;
    CHECK_OK(etcd3_queue_next(queue, 0, &event, &err), err);
    etcd3_event_free(event);
    return event == NULL;
}

static void renewals_are_told(void)
{
    etcd3_queue_t *queue = NULL;
    etcd3_lease_t *lease = NULL, *other = NULL;
    int64_t before;
    int i;
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_lease_open(client, 2, 0, queue, NULL, queue, &lease, &err), err);
    CHECK_OK(etcd3_lease_tell_renewals(lease, 1, &err), err);
    renewed(queue, 2);
    renewed(queue, 2);
    CHECK_OK(etcd3_lease_revoke(lease, &err), err);
    etcd3_lease_free(lease);
    for (i = 0; !is_empty(queue); i++)
        ;
    CHECK(i == 2 || i == 3); /* a renewal in between, LOST, CLOSED */
    /* Whoever does not take them finds the newest; and who does not ask is told nothing. */
    CHECK_OK(etcd3_lease_open(client, 60, 0, queue, NULL, queue, &lease, &err), err);
    before = etcd3_client_counter(client, "lease_renewals");
    CHECK_OK(etcd3_lease_refresh(lease, &err), err);
    await_renewals(before + 1);
    CHECK(is_empty(queue));
    CHECK_OK(etcd3_lease_adopt(client, etcd3_lease_id(lease), NULL, NULL, NULL, &other, &err), err);
    CHECK_OK(etcd3_lease_tell_renewals(lease, 1, &err), err);
    before = etcd3_client_counter(client, "lease_renewals");
    for (i = 0; i < 20; i++)
        CHECK_OK(etcd3_lease_refresh(i % 2 ? lease : other, &err), err);
    await_renewals(before + 20);
    renewed(queue, 60);
    CHECK(is_empty(queue));
    /* One that is dropped, since it has no callback, does not stand before the next. */
    CHECK_OK(etcd3_lease_refresh(lease, &err), err);
    CHECK_OK(etcd3_queue_dispatch(queue, 1, PATIENCE_MS, NULL, &err), err);
    CHECK_OK(etcd3_lease_refresh(lease, &err), err);
    renewed(queue, 60);
    CHECK_OK(etcd3_lease_tell_renewals(lease, 0, &err), err);
    CHECK_OK(etcd3_lease_refresh(lease, &err), err);
    await_renewals(before + 23);
    CHECK(is_empty(queue));
    CHECK_OK(etcd3_lease_revoke(lease, &err), err);
    etcd3_lease_free(other);
    etcd3_lease_free(lease);
    etcd3_queue_free(queue);
}

/* Renewed in batches on one stream: all are alive after more than their time. */
static void many(void)
{
    enum { MOST = 1000 };
    static etcd3_lease_t *leases[MOST];
    int n = getenv("ETCD3_TEST_VALGRIND") ? 50 : MOST, i, alive = 0;
    int64_t start = now_ms(), opened, renewals;
    etcd3_client_t *own = open_client();
    for (i = 0; i < n; i++)
        CHECK_OK(etcd3_lease_open(own, 10, 0, NULL, NULL, NULL, &leases[i], &err), err);
    opened = now_ms();
    renewals = etcd3_client_counter(own, "lease_renewals");
    while (now_ms() < opened + 11000) {
        struct timespec rest = {0, 50 * 1000000};
        nanosleep(&rest, NULL);
    }
    for (i = 0; i < n; i++)
        alive += etcd3_lease_is_alive(leases[i]) && left_of(own, etcd3_lease_id(leases[i])) >= 3;
    CHECK_INT(alive, n);
    CHECK(etcd3_client_counter(own, "lease_renewals") - renewals >= 2 * n);
    CHECK_INT(etcd3_client_counter(own, "leases"), n);
    CHECK_INT(etcd3_client_counter(own, "leases_lost"), 0);
    printf("%d leases opened in %lld ms, %lld renewals in %lld ms\n", n, (long long)(opened - start),
           (long long)(etcd3_client_counter(own, "lease_renewals") - renewals), (long long)(now_ms() - opened));
    for (i = 0; i < n; i++) {
        CHECK_OK(etcd3_lease_revoke(leases[i], &err), err);
        etcd3_lease_free(leases[i]);
    }
    etcd3_client_free(own);
}

int main(void)
{
    client = open_client();
    RUN(grants);
    RUN(asks_about_one);
    RUN(lists);
    RUN(renews_once);
    RUN(is_kept_alive);
    RUN(is_revoked);
    RUN(is_revoked_from_elsewhere);
    RUN(is_refreshed);
    RUN(is_adopted);
    RUN(ends_with_its_surroundings);
    RUN(closing_takes_no_time);
    RUN(is_told_by_the_queue);
    RUN(renewals_are_told);
    RUN(many);
    /* Free alone does not wait for the thread of the callbacks, which valgrind then finds. */
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    etcd3_client_free(client);
    return CHECK_DONE();
}
