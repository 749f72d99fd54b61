/* elect: leads an election until Ctrl-C, or tells who does. */
#include "ctl.h"
#include <stdio.h>

static int listen;

static const struct flag flags[] = {
    {"listen", 'l', FLAG_BOOL, &listen, "Observation mode"},
    {0},
};

static int observe(const char *name)
{
    etcd3_observer_t *observer;
    etcd3_queue_t *queue;
    etcd3_event_t *event;
    must(etcd3_queue_new(&queue, &err));
    must(etcd3_election_observe(client, name, ETCD3_NTS, queue, NULL, NULL, &observer, &err));
    while ((event = next_event(queue, -1)) != NULL) {
        const etcd3_kv_t *leader = etcd3_event_leader(event);
        if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED)
            die(EXIT_ERROR, "elect: observer lost: %s", etcd3_error_message(etcd3_event_error(event)));
        if (leader)
            show_kv(etcd3_event_header(event), leader);
        etcd3_event_free(event);
    }
    etcd3_observer_free(observer);
    etcd3_queue_free(queue);
    return 0;
}

static int campaign(const char *name, const char *proposal)
{
    etcd3_session_t *session;
    etcd3_queue_t *queue;
    etcd3_election_t *election;
    etcd3_call_t *call;
    int code = 0;
    must(etcd3_queue_new(&queue, &err));
    must(etcd3_session_open(client, 0, 0, NULL, NULL, NULL, &session, &err));
    must(etcd3_election_new(session, name, ETCD3_NTS, &election, &err));
    must(etcd3_election_campaign_async(election, proposal, ETCD3_NTS, -1, queue, NULL, NULL, &call, &err));
    if (!wait_to_hold(queue)) {
        fputs("Error: interrupted while waiting to be elected\n", stderr);
        code = EXIT_ERROR;
    } else {
        size_t len;
        const uint8_t *key = etcd3_election_key(election, &len);
        hold(queue, key, len, "elect: session expired");
        must(etcd3_election_resign(election, &err));
    }
    must(etcd3_session_close(session, command_timeout, &err));
    etcd3_call_free(call);
    etcd3_election_free(election);
    etcd3_session_free(session);
    etcd3_queue_free(queue);
    return code;
}

static int elect(const struct args *args)
{
    if (args->count != 1 && args->count != 2)
        die(EXIT_ARGS, "elect takes one election name argument and an optional proposal argument");
    if (args->count == 1 && !listen)
        die(EXIT_ARGS, "no proposal argument but -l not set");
    if (args->count == 2 && listen)
        die(EXIT_ARGS, "proposal given but -l is set");
    connect_client();
    catch_signals();
    return listen ? observe(args->at[0]) : campaign(args->at[0], args->at[1]);
}

const struct command elect_commands[] = {
    {"elect", NULL, "<election-name> [proposal]", "Observes and participates in leader election", flags, elect},
    {0},
};
