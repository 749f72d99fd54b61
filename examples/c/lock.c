/* Two workers share a printer: a lock lets one at it at a time, and a fencing token keeps out who comes too late. */
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

/* What is protected and is not in etcd: it takes no order with a token lower than one it has seen. */
struct printer {
    int64_t highest;
};

static int print(struct printer *printer, int64_t token, const char *text)
{
    if (token < printer->highest)
        return 0;
    printer->highest = token;
    printf("  printed: %s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    etcd3_config_t *config = etcd3_config_new();
    struct printer printer = {0};
    etcd3_client_t *client;
    etcd3_session_t *alices, *bobs;
    etcd3_lock_t *alice, *bob;
    etcd3_code_t code;
    const uint8_t *key;
    size_t key_len;
    int64_t stale;

    if (endpoint)
        etcd3_config_add_endpoint(config, endpoint);
    must(etcd3_client_open(config, &client, &err));
    etcd3_config_free(config);

    /* A session is who holds the lock; in earnest each is in a process of its own. */
    must(etcd3_session_open(client, 10, 0, NULL, NULL, NULL, &alices, &err));
    must(etcd3_session_open(client, 10, 0, NULL, NULL, NULL, &bobs, &err));
    must(etcd3_lock_new(alices, "printer", ETCD3_NTS, &alice, &err));
    must(etcd3_lock_new(bobs, "printer", ETCD3_NTS, &bob, &err));

    printf("Alice acquires the lock:\n");
    must(etcd3_lock_acquire(alice, 5000, &err));
    print(&printer, etcd3_lock_token(alice), "Alice's letter");

    code = etcd3_lock_try(bob, &err);
    printf("Bob tries: %s\n", etcd3_code_name(code));
    etcd3_error_free(err);
    err = NULL;

    /* Alice's process is stopped for longer than her lease lasts. Here we just delete her key. */
    stale = etcd3_lock_token(alice);
    key = etcd3_lock_key(alice, &key_len);
    must(etcd3_delete(client, key, key_len, NULL, &err));
    printf("Alice loses the lock without knowing it, and Bob acquires it:\n");
    must(etcd3_lock_acquire(bob, 5000, &err));
    print(&printer, etcd3_lock_token(bob), "Bob's letter");

    /* Whatever she does now comes too late: in etcd the guard does not hold, outside the token is too low. */
    code = etcd3_lock_put(alice, "printer/last-user", ETCD3_NTS, "Alice", ETCD3_NTS, &err);
    printf("Alice writes down that she was the last: %s\n", code == ETCD3_OK ? "written" : "refused");
    etcd3_error_free(err);
    err = NULL;
    printf("Alice prints once more: %s\n", print(&printer, stale, "Alice's other letter") ? "printed" : "refused");
    must(etcd3_lock_put(bob, "printer/last-user", ETCD3_NTS, "Bob", ETCD3_NTS, &err));
    printf("Bob writes down that he was the last: written\n");

    must(etcd3_lock_release(bob, &err));
    etcd3_lock_free(alice);
    etcd3_lock_free(bob);
    must(etcd3_session_close(alices, 5000, &err));
    must(etcd3_session_close(bobs, 5000, &err));
    etcd3_session_free(alices);
    etcd3_session_free(bobs);
    etcd3_client_free(client);
    return 0;
}
