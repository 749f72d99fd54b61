/* An event loop of one thread: a watch through its queue's descriptor, beside a descriptor of the program's own. */
#include <etcd3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static etcd3_error_t *err;

static void must(etcd3_code_t code)
{
    if (code != ETCD3_OK) {
        fprintf(stderr, "%s: %s\n", etcd3_code_name(code), etcd3_error_message(err));
        exit(1);
    }
}

struct loop {
    etcd3_client_t *client;
    etcd3_watch_t *watch;
    int work[2]; /* a pipe: each byte in it is a piece of work to be done */
    int done, ended;
};

static void ask_for_work(struct loop *loop)
{
    if (write(loop->work[1], "w", 1) != 1)
        exit(1);
}

static void work(struct loop *loop)
{
    char byte, value[30];
    if (read(loop->work[0], &byte, 1) != 1)
        exit(1);
    snprintf(value, sizeof value, "%d", ++loop->done);
    printf("work %s\n", value);
    must(etcd3_put(loop->client, "loop/done", ETCD3_NTS, value, ETCD3_NTS, &err));
}

/* Runs inside etcd3_queue_dispatch, on the loop's own thread: no locks. */
static void on_event(const etcd3_event_t *event, void *user_data)
{
    struct loop *loop = (struct loop *)user_data;
    size_t i;
    for (i = 0; i < etcd3_event_change_count(event); i++) {
        const etcd3_kv_t *kv = etcd3_event_change(event, i)->kv;
        printf("seen %.*s\n", (int)kv->value_len, (const char *)kv->value);
        if (loop->done < 3)
            ask_for_work(loop);
        else
            etcd3_watch_cancel(loop->watch);
    }
    if (etcd3_event_type(event) == ETCD3_EVENT_CLOSED)
        loop->ended = 1;
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : getenv("ETCD3_ENDPOINTS");
    etcd3_config_t *config = etcd3_config_new();
    etcd3_watch_opts_t *opts = etcd3_watch_opts_new("loop/done", ETCD3_NTS);
    etcd3_queue_t *queue;
    struct loop loop = {NULL, NULL, {-1, -1}, 0, 0};
    struct pollfd ready[2];

    if (endpoint)
        etcd3_config_add_endpoint(config, endpoint);
    must(etcd3_client_open(config, &loop.client, &err));
    etcd3_config_free(config);
    must(etcd3_queue_new(&queue, &err));
    must(etcd3_watch_start(loop.client, opts, queue, on_event, &loop, &loop.watch, &err));
    etcd3_watch_opts_free(opts);
    if (pipe(loop.work) != 0)
        return 1;
    ask_for_work(&loop);

    ready[0].fd = loop.work[0];
    ready[1].fd = etcd3_queue_fd(queue); /* readable while events wait */
    ready[0].events = ready[1].events = POLLIN;
    while (!loop.ended && poll(ready, 2, -1) > 0) {
        if (ready[0].revents)
            work(&loop);
        if (ready[1].revents)
            must(etcd3_queue_dispatch(queue, 0, 0, NULL, &err));
    }
    printf("the watch has ended\n");

    etcd3_watch_free(loop.watch);
    etcd3_queue_free(queue);
    etcd3_client_free(loop.client);
    close(loop.work[0]);
    close(loop.work[1]);
    return 0;
}
