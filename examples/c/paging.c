/* Many keys, a page at a time, and all pages as of one moment, whatever is written meanwhile. */
#include <etcd3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4

static etcd3_client_t *client;
static etcd3_error_t *err;

static void must(etcd3_code_t code)
{
    if (code != ETCD3_OK) {
        fprintf(stderr, "%s: %s\n", etcd3_code_name(code), etcd3_error_message(err));
        exit(1);
    }
}

static void put(const char *key)
{
    must(etcd3_put(client, key, ETCD3_NTS, "", 0, &err));
}

/* Up to PAGE keys from `start` on, as they were at `revision` (0: as they are now). */
static etcd3_result_t *page(const void *start, size_t start_len, int64_t revision)
{
    etcd3_op_t *op = etcd3_op_get(start, start_len);
    etcd3_result_t *result;
    etcd3_op_set_range_end(op, "book0", ETCD3_NTS); /* the first key after all those with the prefix "book/" */
    etcd3_op_set_limit(op, PAGE);
    etcd3_op_set_revision(op, revision);
    etcd3_op_set_keys_only(op);
    must(etcd3_execute(client, op, &result, &err));
    etcd3_op_free(op);
    return result;
}

int main(int argc, char **argv)
{
    static const char *const titles[] = {"Dune", "Emma", "Hamlet", "Ivanhoe", "Kim",
                                         "Middlemarch", "Persuasion", "Ulysses", "Walden"};
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    etcd3_config_t *config = etcd3_config_new();
    char start[100] = "book/";
    size_t start_len = strlen(start), i;
    int64_t revision = 0;
    int number = 1, more = 1;

    if (endpoint)
        etcd3_config_add_endpoint(config, endpoint);
    must(etcd3_client_open(config, &client, &err));
    etcd3_config_free(config);
    must(etcd3_delete_prefix(client, "book/", ETCD3_NTS, NULL, &err));
    for (i = 0; i < sizeof titles / sizeof *titles; i++) {
        char key[100];
        snprintf(key, sizeof key, "book/%s", titles[i]);
        put(key);
    }

    while (more) {
        etcd3_result_t *result = page(start, start_len, revision);
        printf("page %d\n", number++);
        for (i = 0; i < etcd3_result_kv_count(result); i++) {
            const etcd3_kv_t *kv = etcd3_result_kv(result, i);
            printf("  %.*s\n", (int)kv->key_len, (const char *)kv->key);
            /* The next page starts right after this key: at the key itself and a NUL. */
            if (kv->key_len < sizeof start) {
                memcpy(start, kv->key, kv->key_len);
                start[kv->key_len] = '\0';
                start_len = kv->key_len + 1;
            }
        }
        more = etcd3_result_more(result);
        if (!revision) {
            revision = etcd3_result_revision(result);
            put("book/Oblomov");
            printf("(meanwhile book/Oblomov comes in)\n");
        }
        etcd3_result_free(result);
    }
    etcd3_client_free(client);
    return 0;
}
