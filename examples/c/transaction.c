/* Money moves from one account to another, or it does not: read, then write only if nothing changed since. */
#include <etcd3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static etcd3_client_t *client;
static etcd3_error_t *err;

static void must(etcd3_code_t code)
{
    if (code != ETCD3_OK) {
        fprintf(stderr, "%s: %s\n", etcd3_code_name(code), etcd3_error_message(err));
        exit(1);
    }
}

static void put(const char *account, long amount)
{
    char text[30];
    snprintf(text, sizeof text, "%ld", amount);
    must(etcd3_put(client, account, ETCD3_NTS, text, ETCD3_NTS, &err));
}

/* The amount in an account, and the revision of its last change. */
static long get(const char *account, int64_t *changed_at)
{
    etcd3_result_t *result;
    const etcd3_kv_t *kv;
    char text[30] = "";
    must(etcd3_get(client, account, ETCD3_NTS, &result, &err));
    kv = etcd3_result_kv(result, 0);
    if (kv && kv->value_len < sizeof text)
        memcpy(text, kv->value, kv->value_len);
    *changed_at = kv ? kv->mod_revision : 0; /* 0: there is no such key */
    etcd3_result_free(result);
    return atol(text);
}

static void then_put(etcd3_op_t *txn, const char *account, long amount)
{
    char text[30];
    etcd3_op_t *op;
    snprintf(text, sizeof text, "%ld", amount);
    op = etcd3_op_put(account, ETCD3_NTS, text, ETCD3_NTS);
    etcd3_txn_then(txn, op);
    etcd3_op_free(op);
}

/* Somebody else, between our reading and our writing; once. */
static void interfere(void)
{
    static int done;
    int64_t any;
    if (!done++) {
        put("bank/bob", get("bank/bob", &any) + 5);
        printf("  meanwhile somebody gives Bob 5\n");
    }
}

static int try_to_move(const char *from, const char *to, long amount)
{
    int64_t from_changed, to_changed;
    long from_has = get(from, &from_changed), to_has = get(to, &to_changed);
    etcd3_op_t *txn = etcd3_op_txn();
    etcd3_result_t *result;
    int moved;
    interfere();
    etcd3_txn_if_mod_revision(txn, from, ETCD3_NTS, ETCD3_EQUAL, from_changed);
    etcd3_txn_if_mod_revision(txn, to, ETCD3_NTS, ETCD3_EQUAL, to_changed);
    then_put(txn, from, from_has - amount);
    then_put(txn, to, to_has + amount);
    must(etcd3_execute(client, txn, &result, &err));
    moved = etcd3_result_succeeded(result);
    etcd3_result_free(result);
    etcd3_op_free(txn);
    return moved;
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    etcd3_config_t *config = etcd3_config_new();
    int64_t any;

    if (endpoint)
        etcd3_config_add_endpoint(config, endpoint);
    must(etcd3_client_open(config, &client, &err));
    etcd3_config_free(config);

    put("bank/alice", 100);
    put("bank/bob", 20);
    printf("Alice has %ld, Bob has %ld\n", get("bank/alice", &any), get("bank/bob", &any));
    printf("Alice gives Bob 30:\n");
    while (!try_to_move("bank/alice", "bank/bob", 30))
        printf("  an account has changed: once more\n");
    printf("  done\n");
    printf("Alice has %ld, Bob has %ld\n", get("bank/alice", &any), get("bank/bob", &any));
    etcd3_client_free(client);
    return 0;
}
