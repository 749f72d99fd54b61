/* Two teams share an etcd: each works in a namespace of its own, with the same keys and the same lock, and neither gets in
   the other's way. */
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

struct team {
    etcd3_session_t *session;
    etcd3_lock_t *lock;
};

/* All that a team does. It is given a client, and need not know that it is a part of another. */
static void deploy(struct team *team, etcd3_client_t *store, const char *version)
{
    must(etcd3_session_open(store, 10, 0, NULL, NULL, NULL, &team->session, &err));
    must(etcd3_lock_new(team->session, "deploy", ETCD3_NTS, &team->lock, &err));
    must(etcd3_lock_try(team->lock, &err));
    must(etcd3_lock_put(team->lock, "version", ETCD3_NTS, version, ETCD3_NTS, &err));
}

static void show(const char *who, etcd3_client_t *client)
{
    etcd3_op_t *op = etcd3_op_get("", 0);
    etcd3_result_t *result;
    size_t i;
    etcd3_op_set_prefix(op);
    must(etcd3_execute(client, op, &result, &err));
    etcd3_op_free(op);
    printf("%s:\n", who);
    for (i = 0; i < etcd3_result_kv_count(result); i++) {
        const etcd3_kv_t *kv = etcd3_result_kv(result, i);
        if (kv->lease == 0) /* else it is the key of a lock */
            printf("  %.*s = %.*s\n", (int)kv->key_len, (const char *)kv->key, (int)kv->value_len,
                   (const char *)kv->value);
    }
    etcd3_result_free(result);
}

static void leave(struct team *team)
{
    must(etcd3_lock_release(team->lock, &err));
    etcd3_lock_free(team->lock);
    must(etcd3_session_close(team->session, 5000, &err));
    etcd3_session_free(team->session);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client, *web, *mail;
    struct team webs, mails;
    etcd3_op_t *txn;
    etcd3_result_t *result;
    etcd3_code_t code;

    if (endpoint)
        etcd3_config_add_endpoint(config, endpoint);
    must(etcd3_client_open(config, &client, &err));
    etcd3_config_free(config);

    /* They go over the connection of the client, which may be freed before or after them. */
    must(etcd3_namespace_open(client, "web/", ETCD3_NTS, &web, &err));
    must(etcd3_namespace_open(client, "mail/", ETCD3_NTS, &mail, &err));

    deploy(&webs, web, "7");
    deploy(&mails, mail, "31");
    printf("Both hold a lock named deploy.\n");
    show("What web has", web);
    show("What mail has", mail);
    show("What there is", client);

    /* A lock guards what is in its own namespace. */
    txn = etcd3_op_txn();
    etcd3_txn_if_lock(txn, webs.lock);
    code = etcd3_execute(mail, txn, &result, &err);
    printf("A transaction in mail with web's lock as its guard: %s\n", code == ETCD3_OK ? "done" : etcd3_code_name(code));
    etcd3_error_free(err);
    err = NULL;
    etcd3_op_free(txn);

    leave(&webs);
    leave(&mails);
    etcd3_client_free(web);
    etcd3_client_free(mail);
    etcd3_client_free(client);
    return 0;
}
