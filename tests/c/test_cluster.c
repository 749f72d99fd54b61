/* The members of a real cluster: listed, added, moved, made voters, removed. */
#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static etcd3_client_t *client;
static etcd3_error_t *err;

static const char *env_text(const char *name)
{
    const char *text = getenv(name);
    if (!text) {
        fprintf(stderr, "set %s: run it by cargo test\n", name);
        exit(2);
    }
    return text;
}

static void a_moment(void)
{
    struct timespec moment = {0, 20 * 1000 * 1000};
    nanosleep(&moment, NULL);
}

static etcd3_members_t *listed(int linearizable)
{
    etcd3_members_t *members = NULL;
    CHECK_OK(etcd3_member_list(client, linearizable, &members, &err), err);
    return members;
}

/* The place of a member in a list; -1 if it is not there. */
static int place_of(const etcd3_members_t *members, uint64_t id)
{
    size_t i;
    for (i = 0; i < etcd3_members_count(members); i++)
        if (etcd3_members_id(members, i) == id)
            return (int)i;
    return -1;
}

/* Whether to ask again: a cluster that has just started, or whose members have just changed, takes no change for some
   seconds. */
static int is_settled(etcd3_code_t code, etcd3_code_t again, int64_t end)
{
    if ((code != ETCD3_ERR_UNHEALTHY && (code == ETCD3_OK || code != again)) || now_ms() > end)
        return 1;
    CHECK_INT(etcd3_error_maybe_applied(err), 0);
    etcd3_error_free(err);
    err = NULL;
    a_moment();
    return 0;
}
/* The code of a call once the cluster is healthy, and it gives another than `again`. */
#define SETTLED(code, call, again) do { \
        int64_t end_ = now_ms() + PATIENCE_MS; \
        do \
            (code) = (call); \
        while (!is_settled((code), (again), end_)); \
    } while (0)
#define UNTIL_HEALTHY(call, again) do { \
        etcd3_code_t code_; \
        SETTLED(code_, call, again); \
        CHECK_OK(code_, err); \
    } while (0)

static void lists(void)
{
    int linearizable;
    for (linearizable = 0; linearizable <= 1; linearizable++) {
        etcd3_members_t *members = listed(linearizable);
        size_t i;
        CHECK_INT(etcd3_members_count(members), 3);
        for (i = 0; i < 3; i++) {
            CHECK(etcd3_members_id(members, i) != 0);
            CHECK(*etcd3_members_name(members, i) != '\0');
            CHECK_INT(etcd3_members_is_started(members, i), 1);
            CHECK_INT(etcd3_members_is_learner(members, i), 0);
            CHECK_INT(etcd3_members_peer_url_count(members, i), 1);
            CHECK(strncmp(etcd3_members_peer_url(members, i, 0), "http://127.0.0.1:", 17) == 0);
            CHECK(etcd3_members_peer_url(members, i, 1) == NULL);
            CHECK_INT(etcd3_members_client_url_count(members, i), 1);
            CHECK(strstr(env_text("ETCD3_ENDPOINTS"), etcd3_members_client_url(members, i, 0) + 7) != NULL);
            CHECK(etcd3_members_client_url(members, i, 1) == NULL);
            CHECK_INT(place_of(members, etcd3_members_id(members, i)), i);
        }
        CHECK_INT(etcd3_members_id(members, 3), 0);
        CHECK_STR(etcd3_members_name(members, 3), "");
        CHECK(etcd3_members_peer_url(members, 3, 0) == NULL && etcd3_members_client_url(members, 3, 0) == NULL);
        etcd3_members_free(members);
    }
}

static void a_voter_that_never_comes(void)
{
    const char *urls[] = {"http://127.0.0.1:9", "http://localhost:9"}, *others[] = {"http://127.0.0.1:11"};
    const char *nonsense[] = {"http://127.0.0.1:9/path"}, *taken[1];
    etcd3_members_t *members = NULL;
    etcd3_code_t code;
    uint64_t id = 0;
    int i;
    members = listed(1);
    taken[0] = etcd3_members_peer_url(members, 1, 0);
    SETTLED(code, etcd3_member_add(client, taken, 1, 0, NULL, NULL, &err), ETCD3_OK);
    CHECK_CODE(code, err, ETCD3_ERR_PEER_URL_EXISTS, "Peer URLs");
    etcd3_members_free(members);
    members = NULL;
    UNTIL_HEALTHY(etcd3_member_add(client, urls, 2, 0, &id, &members, &err), ETCD3_OK);
    CHECK(id != 0);
    CHECK_INT(etcd3_members_count(members), 4);
    i = place_of(members, id);
    CHECK(i >= 0);
    CHECK_STR(etcd3_members_name(members, (size_t)i), "");
    CHECK_INT(etcd3_members_is_started(members, (size_t)i), 0);
    CHECK_INT(etcd3_members_is_learner(members, (size_t)i), 0);
    CHECK_INT(etcd3_members_peer_url_count(members, (size_t)i), 2);
    CHECK_INT(etcd3_members_client_url_count(members, (size_t)i), 0);
    etcd3_members_free(members);
    members = NULL;
    CHECK_CODE(etcd3_member_add(client, nonsense, 1, 0, NULL, &members, &err), err, ETCD3_ERR_INVALID_ARGUMENT,
               "peer_urls");
    CHECK(members == NULL);
    CHECK_OK(etcd3_member_update(client, id, others, 1, &members, &err), err);
    i = place_of(members, id);
    CHECK_STR(etcd3_members_peer_url(members, (size_t)i, 0), others[0]);
    CHECK(etcd3_members_peer_url(members, (size_t)i, 1) == NULL);
    etcd3_members_free(members);
    members = NULL;
    UNTIL_HEALTHY(etcd3_member_remove(client, id, &members, &err), ETCD3_OK);
    CHECK_INT(etcd3_members_count(members), 3);
    CHECK_INT(place_of(members, id), -1);
    etcd3_members_free(members);
    SETTLED(code, etcd3_member_remove(client, id, NULL, &err), ETCD3_OK);
    CHECK_CODE(code, err, ETCD3_ERR_MEMBER_NOT_FOUND, "not found");
    CHECK_CODE(etcd3_member_update(client, id, urls, 1, NULL, &err), err, ETCD3_ERR_MEMBER_NOT_FOUND, "not found");
    members = listed(0);
    CHECK_CODE(etcd3_member_promote(client, etcd3_members_id(members, 0), NULL, &err), err,
               ETCD3_ERR_MEMBER_NOT_LEARNER, "learner");
    etcd3_members_free(members);
    CHECK_CODE(etcd3_member_promote(client, 12345, NULL, &err), err, ETCD3_ERR_MEMBER_NOT_FOUND, "not found");
}

/* Starts the member that was added under the name "late". */
static pid_t start_member(const etcd3_members_t *members)
{
    const char *peer = env_text("ETCD3_TEST_PEER_PORT"), *client_port = env_text("ETCD3_TEST_CLIENT_PORT");
    char directory[500], clients[100], advertise[100], peers[100], advertise_peers[100], cluster[1000];
    size_t i, at;
    pid_t child;
    snprintf(directory, sizeof directory, "--data-dir=%s/late", env_text("ETCD3_TEST_DIRECTORY"));
    snprintf(clients, sizeof clients, "--listen-client-urls=http://127.0.0.1:%s", client_port);
    snprintf(advertise, sizeof advertise, "--advertise-client-urls=http://127.0.0.1:%s", client_port);
    snprintf(peers, sizeof peers, "--listen-peer-urls=http://127.0.0.1:%s", peer);
    snprintf(advertise_peers, sizeof advertise_peers, "--initial-advertise-peer-urls=http://127.0.0.1:%s", peer);
    at = (size_t)snprintf(cluster, sizeof cluster, "--initial-cluster=");
    for (i = 0; i < etcd3_members_count(members); i++) {
        const char *name = etcd3_members_name(members, i);
        at += (size_t)snprintf(cluster + at, sizeof cluster - at, "%s%s=%s", i ? "," : "", *name ? name : "late",
                               etcd3_members_peer_url(members, i, 0));
    }
    child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(nowhere, 1);
        dup2(nowhere, 2);
        execl(env_text("ETCD3_TEST_ETCD"), "etcd", "--name=late", "--initial-cluster-state=existing", directory, clients,
              advertise, peers, advertise_peers, cluster, (char *)NULL);
        _exit(127);
    }
    return child;
}

static void a_learner_that_becomes_a_voter(void)
{
    char url[60], endpoint[60];
    const char *urls[1], *others[] = {"http://127.0.0.1:13"};
    etcd3_members_t *members = NULL;
    etcd3_status_t *status = NULL;
    etcd3_code_t code;
    uint64_t id = 0;
    int64_t end = now_ms() + PATIENCE_MS;
    pid_t child;
    int i, started = 0;
    snprintf(url, sizeof url, "http://127.0.0.1:%s", env_text("ETCD3_TEST_PEER_PORT"));
    snprintf(endpoint, sizeof endpoint, "127.0.0.1:%s", env_text("ETCD3_TEST_CLIENT_PORT"));
    urls[0] = url;
    UNTIL_HEALTHY(etcd3_member_add(client, urls, 1, 1, &id, &members, &err), ETCD3_OK);
    i = place_of(members, id);
    CHECK_INT(etcd3_members_is_learner(members, (size_t)i), 1);
    CHECK_INT(etcd3_members_is_started(members, (size_t)i), 0);
    CHECK_CODE(etcd3_member_promote(client, id, NULL, &err), err, ETCD3_ERR_LEARNER_NOT_READY, "in sync");
    SETTLED(code, etcd3_member_add(client, others, 1, 1, NULL, NULL, &err), ETCD3_OK);
    CHECK_CODE(code, err, ETCD3_ERR_TOO_MANY_LEARNERS, "too many learner");
    child = start_member(members);
    CHECK(child > 0);
    etcd3_members_free(members);
    while (!started && now_ms() < end) {
        members = listed(1);
        i = place_of(members, id);
        started = i >= 0 && etcd3_members_is_started(members, (size_t)i);
        etcd3_members_free(members);
        if (!started)
            a_moment();
    }
    CHECK_INT(started, 1);
    /* It is none of the client's endpoints. */
    CHECK_OK(etcd3_status(client, endpoint, &status, &err), err);
    CHECK_INT(etcd3_status_is_learner(status), 1);
    CHECK_INT(etcd3_status_is_leader(status), 0);
    CHECK(etcd3_status_member_id(status) == id);
    etcd3_status_free(status);
    members = NULL;
    UNTIL_HEALTHY(etcd3_member_promote(client, id, &members, &err), ETCD3_ERR_LEARNER_NOT_READY);
    i = place_of(members, id);
    CHECK_INT(etcd3_members_is_learner(members, (size_t)i), 0);
    CHECK_STR(etcd3_members_name(members, (size_t)i), "late");
    etcd3_members_free(members);
    UNTIL_HEALTHY(etcd3_member_remove(client, id, NULL, &err), ETCD3_OK);
    members = listed(1);
    CHECK_INT(place_of(members, id), -1);
    etcd3_members_free(members);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

int main(void)
{
    client = open_client();
    RUN(lists);
    RUN(a_voter_that_never_comes);
    RUN(a_learner_that_becomes_a_voter);
    CHECK_OK(etcd3_client_close(client, PATIENCE_MS, &err), err);
    CHECK_CODE(etcd3_member_remove(client, 1, NULL, &err), err, ETCD3_ERR_CLOSED, "closed");
    etcd3_client_free(client);
    return CHECK_DONE();
}
