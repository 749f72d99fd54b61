/* Contends for a lock with libetcd3, against other clients, and writes down what it does in the store:
 *
 *     contender ENDPOINT KIND NAME COUNT WHO HISTORY
 *
 * Each time it has the lock it puts HISTORY/WHO-<n>/in and .../out, guarded by it, with the fencing token. KIND is "lock",
 * "read", "write" or "python". */
#include <etcd3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static etcd3_error_t *err;

static void must(etcd3_code_t code, const char *what)
{
    if (code != ETCD3_OK) {
        fprintf(stderr, "%s: %s: %s\n", what, etcd3_code_name(code), etcd3_error_message(err));
        exit(1);
    }
}

static etcd3_code_t make(const char *kind, etcd3_session_t *session, const char *name, etcd3_lock_t **lock)
{
    if (strcmp(kind, "python") == 0)
        return etcd3_lock_new_python(session, name, ETCD3_NTS, lock, &err);
    if (strcmp(kind, "read") == 0)
        return etcd3_lock_new_read(session, name, ETCD3_NTS, lock, &err);
    if (strcmp(kind, "write") == 0)
        return etcd3_lock_new_write(session, name, ETCD3_NTS, lock, &err);
    return etcd3_lock_new(session, name, ETCD3_NTS, lock, &err);
}

static void step(etcd3_lock_t *lock, const char *history, const char *who, int n, const char *what)
{
    char key[300], token[30];
    snprintf(key, sizeof key, "%s/%s-%d/%s", history, who, n, what);
    snprintf(token, sizeof token, "%lld", (long long)etcd3_lock_token(lock));
    must(etcd3_lock_put(lock, key, ETCD3_NTS, token, ETCD3_NTS, &err), key);
}

int main(int argc, char **argv)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client;
    etcd3_session_t *session;
    etcd3_lock_t *lock;
    int n;
    if (argc != 7)
        return 2;
    etcd3_config_add_endpoint(config, argv[1]);
    must(etcd3_client_open(config, &client, &err), "open");
    etcd3_config_free(config);
    must(etcd3_session_open(client, 30, 0, NULL, NULL, NULL, &session, &err), "session");
    must(make(argv[2], session, argv[3], &lock), "lock");
    for (n = 0; n < atoi(argv[4]); n++) {
        must(etcd3_lock_acquire(lock, 120000, &err), "acquire");
        step(lock, argv[6], argv[5], n, "in");
        step(lock, argv[6], argv[5], n, "out");
        must(etcd3_lock_release(lock, &err), "release");
    }
    etcd3_lock_free(lock);
    must(etcd3_session_close(session, 5000, &err), "close");
    etcd3_session_free(session);
    etcd3_client_free(client);
    return 0;
}
