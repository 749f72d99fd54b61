/* What a loaded configuration makes a client send: user, token, metadata, attempts. */
#include "scripted.h"

static struct scripted server;
static etcd3_error_t *err;

/* A client of what the text says beside the endpoint. */
static etcd3_client_t *client_of_text(const char *text)
{
    char whole[1000];
    etcd3_config_t *config = etcd3_config_new();
    snprintf(whole, sizeof whole, "endpoints: [\"%s\"]\ncommand-timeout: 60s\n%s\n", server.endpoint, text);
    etcd3_config_load_text(config, whole, ETCD3_NTS);
    forget(&server);
    return open_config(config);
}

#define HEADER(method, name, want) CHECK_STR(ask("header %d %s 0 %s", server.number, method, name), want)

static void users(void)
{
    static const char *const forms[] = {"username: root\npassword: 's:cret'", "auth: {username: root, password: 's:cret'}",
                                        "user: root:s:cret"};
    size_t i;
    for (i = 0; i < 3; i++) {
        etcd3_client_t *client = client_of_text(forms[i]);
        put(client, "k", "v");
        /* AuthenticateRequest: name = 1, password = 2. */
        CHECK_STR(ask("body %d Authenticate 0", server.number), "0a04726f6f741206733a63726574");
        CHECK(strncmp(ask("header %d Put 0 token", server.number), "token-", 6) == 0);
        close_client(client);
    }
}

static void tokens(void)
{
    static const char *const forms[] = {"token: a.b.c", "auth-jwt-token: a.b.c", "auth: {token: a.b.c}"};
    size_t i;
    for (i = 0; i < 3; i++) {
        etcd3_client_t *client = client_of_text(forms[i]);
        put(client, "k", "v");
        HEADER("Put", "token", "a.b.c");
        CHECK_INT(asked(&server, "Authenticate"), 0);
        close_client(client);
    }
}

static void from_the_environment(void)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client;
    setenv("ETCDCTL_ENDPOINTS", server.endpoint, 1);
    setenv("ETCDCTL_USER", "root", 1);
    setenv("ETCDCTL_PASSWORD", "s:cret", 1);
    etcd3_config_load_env(config);
    unsetenv("ETCDCTL_ENDPOINTS");
    unsetenv("ETCDCTL_USER");
    unsetenv("ETCDCTL_PASSWORD");
    forget(&server);
    client = open_config(config);
    put(client, "k", "v");
    CHECK_STR(ask("body %d Authenticate 0", server.number), "0a04726f6f741206733a63726574");
    close_client(client);
}

static void metadata(void)
{
    etcd3_client_t *client = client_of_text("metadata:\n  x-one: a b\n  x-two: [1, '2']\n");
    put(client, "k", "v");
    HEADER("Put", "x-one", "a b");
    CHECK(strstr(ask("dump %d", server.number), "\"x-two\":\"1\",\"x-two\":\"2\"") != NULL);
    close_client(client);
}

static void attempts(void)
{
    etcd3_client_t *client = client_of_text("max-unary-retries: 3\nhedge-after: 0");
    etcd3_result_t *r = NULL;
    script(&server, "Range * status 14 etcdserver: leader changed");
    CHECK_CODE(etcd3_get(client, "k", 1, &r, &err), err, ETCD3_ERR_LEADER_CHANGED, "after 3 attempts");
    CHECK_INT(asked(&server, "Range"), 3);
    close_client(client);
}

static void streams(const char *text, const char *hasleader)
{
    etcd3_client_t *client = client_of_text(text);
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("k", 1);
    etcd3_queue_t *queue = NULL;
    etcd3_watch_t *watch = NULL;
    etcd3_watch_opts_set_start_revision(opts, 1);
    CHECK_OK(etcd3_queue_new(&queue, &err), err);
    CHECK_OK(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err), err);
    ask("await %d Watch 1", server.number);
    HEADER("Watch", "hasleader", hasleader);
    etcd3_watch_opts_free(opts);
    etcd3_watch_free(watch);
    etcd3_queue_free(queue);
    close_client(client);
}

static void leaders(void)
{
    streams("", "true");
    streams("require-leader: false", "-");
}

static void syncs(void)
{
    etcd3_client_t *client = client_of_text("auto-sync-interval: 20ms");
    ask("await %d MemberList 2", server.number);
    close_client(client);
}

int main(void)
{
    server = serve("grpc");
    RUN(users);
    RUN(tokens);
    RUN(from_the_environment);
    RUN(metadata);
    RUN(attempts);
    RUN(leaders);
    RUN(syncs);
    return CHECK_DONE();
}
