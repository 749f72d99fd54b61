/* Two candidates and somebody who follows the election: all in one queue, with no thread but this one. */
#include <etcd3.h>
#include <stdio.h>
#include <stdlib.h>

static etcd3_error_t *err;

static void must(etcd3_code_t code)
{
    if (code != ETCD3_OK) {
        fprintf(stderr, "%s: %s\n", etcd3_code_name(code), etcd3_error_message(err));
        exit(1);
    }
}

struct candidate {
    const char *name;
    etcd3_session_t *session;
    etcd3_election_t *election;
    int elected, lost;
};

static int changes, ended;

/* The observer's: who leads, or that nobody does. */
static void on_leader(const etcd3_event_t *event, void *user_data)
{
    const etcd3_kv_t *leader = etcd3_event_leader(event);
    (void)user_data;
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED)
        ended++;
    if (etcd3_event_type(event) != ETCD3_EVENT_LEADER)
        return;
    changes++;
    if (leader)
        printf("observer: %.*s leads\n", (int)leader->value_len, (const char *)leader->value);
    else
        printf("observer: nobody leads\n");
}

/* A candidate's: won, lost, and the end. */
static void on_campaign(const etcd3_event_t *event, void *user_data)
{
    struct candidate *candidate = (struct candidate *)user_data;
    if (etcd3_event_type(event) == ETCD3_EVENT_ACQUIRED)
        candidate->elected = 1;
    if (etcd3_event_type(event) == ETCD3_EVENT_LOST)
        candidate->lost = 1;
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED)
        ended++;
}

static void open_candidate(etcd3_client_t *client, struct candidate *candidate)
{
    must(etcd3_session_open(client, 10, 0, NULL, NULL, NULL, &candidate->session, &err));
    must(etcd3_election_new(candidate->session, "chair", ETCD3_NTS, &candidate->election, &err));
}

/* Runs callbacks until the observer was told so many times, and so many other things have ended. */
static void until(etcd3_queue_t *queue, int told, int over)
{
    while (changes < told || ended < over)
        must(etcd3_queue_dispatch(queue, 1, 10000, NULL, &err));
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    etcd3_config_t *config = etcd3_config_new();
    struct candidate ann = {"Ann", NULL, NULL, 0, 0}, ben = {"Ben", NULL, NULL, 0, 0};
    etcd3_client_t *client;
    etcd3_queue_t *queue;
    etcd3_observer_t *observer;

    if (endpoint)
        etcd3_config_add_endpoint(config, endpoint);
    must(etcd3_client_open(config, &client, &err));
    etcd3_config_free(config);
    must(etcd3_queue_new(&queue, &err));

    must(etcd3_election_observe(client, "chair", ETCD3_NTS, queue, on_leader, NULL, &observer, &err));
    until(queue, 1, 0);

    open_candidate(client, &ann);
    must(etcd3_election_campaign(ann.election, "Ann", ETCD3_NTS, 5000, &err));
    until(queue, 2, 0);

    /* Ben waits for his turn, which takes no thread. */
    open_candidate(client, &ben);
    must(etcd3_election_campaign_async(ben.election, "Ben", ETCD3_NTS, -1, queue, on_campaign, &ben, NULL, &err));

    must(etcd3_election_proclaim(ann.election, "Ann, from room 7,", ETCD3_NTS, &err));
    until(queue, 3, 0);

    printf("Ann: resigns\n");
    must(etcd3_election_resign(ann.election, &err));
    until(queue, 4, 0);
    while (!ben.elected)
        must(etcd3_queue_dispatch(queue, 1, 10000, NULL, &err));
    printf("%s: elected\n", ben.name);

    /* Ben's session ends, and with it his leadership. */
    must(etcd3_session_close(ben.session, 5000, &err));
    until(queue, 5, 1);
    printf("%s: %s\n", ben.name, ben.lost ? "leadership lost" : "?");

    etcd3_observer_free(observer);
    until(queue, 5, 2);
    etcd3_election_free(ann.election);
    etcd3_election_free(ben.election);
    must(etcd3_session_close(ann.session, 5000, &err));
    etcd3_session_free(ann.session);
    etcd3_session_free(ben.session);
    etcd3_queue_free(queue);
    etcd3_client_free(client);
    return 0;
}
