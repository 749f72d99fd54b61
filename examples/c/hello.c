#include <etcd3.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    etcd3_config_t *config = etcd3_config_new();
    if (argc > 1) etcd3_config_add_endpoint(config, argv[1]); /* else localhost:2379 */
    etcd3_client_t *client = NULL;
    etcd3_result_t *result = NULL;
    etcd3_error_t *err = NULL;
    if (!etcd3_client_open(config, &client, &err) &&
        !etcd3_put(client, "greeting", ETCD3_NTS, "hello, etcd", ETCD3_NTS, &err) &&
        !etcd3_get(client, "greeting", ETCD3_NTS, &result, &err)) {
        const etcd3_kv_t *kv = etcd3_result_kv(result, 0);
        printf("%.*s = %.*s\n", (int)kv->key_len, (const char *)kv->key, (int)kv->value_len, (const char *)kv->value);
    }
    if (err) fprintf(stderr, "%s: %s\n", etcd3_code_name(etcd3_error_code(err)), etcd3_error_message(err));
    int failed = err != NULL;
    etcd3_error_free(err);
    etcd3_result_free(result);
    etcd3_client_free(client);
    etcd3_config_free(config);
    return failed;
}
