/* Campaigns with libetcd3: says "elected" once it leads, and resigns when its input ends. ENDPOINT NAME VALUE. */
#include <etcd3.h>
#include <stdio.h>
#include <stdlib.h>

static etcd3_error_t *err;

static void must(etcd3_code_t code, const char *what)
{
    if (code != ETCD3_OK) {
        fprintf(stderr, "%s: %s: %s\n", what, etcd3_code_name(code), etcd3_error_message(err));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client;
    etcd3_session_t *session;
    etcd3_election_t *election;
    if (argc != 4)
        return 2;
    etcd3_config_add_endpoint(config, argv[1]);
    must(etcd3_client_open(config, &client, &err), "open");
    etcd3_config_free(config);
    must(etcd3_session_open(client, 30, 0, NULL, NULL, NULL, &session, &err), "session");
    must(etcd3_election_new(session, argv[2], ETCD3_NTS, &election, &err), "election");
    must(etcd3_election_campaign(election, argv[3], ETCD3_NTS, 120000, &err), "campaign");
    puts("elected");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    must(etcd3_election_resign(election, &err), "resign");
    etcd3_election_free(election);
    must(etcd3_session_close(session, 5000, &err), "close");
    etcd3_session_free(session);
    etcd3_client_free(client);
    return 0;
}
