/* A forwarder of connections to the etcd of the test, on one thread: to be stopped and started again at will, and to
   listen where etcd does not. */
#ifndef FORWARDER_H
#define FORWARDER_H
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FORWARDS_MOST = 64 };

struct forwarder {
    int family;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } at;
    socklen_t len;
    char directory[60], endpoint[120];
    int holder; /* keeps the port while nobody listens */
    int listener, control[2];
    int pairs[2 * FORWARDS_MOST], n; /* the ends of a connection are neighbours */
    pthread_t thread;
    pthread_mutex_t lock;
    int accepted;
};

static inline int connect_to_etcd(void)
{
    struct sockaddr_in to;
    const char *endpoint = getenv("ETCD3_ENDPOINTS"), *colon = strchr(endpoint, ':');
    char host[100];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons((uint16_t)atoi(colon + 1));
    snprintf(host, sizeof host, "%.*s", (int)(colon - endpoint), endpoint);
    CHECK_INT(inet_pton(AF_INET, host, &to.sin_addr), 1);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline void drop_pair(struct forwarder *f, int i)
{
    i -= i % 2;
    close(f->pairs[i]);
    close(f->pairs[i + 1]);
    f->n -= 2;
    f->pairs[i] = f->pairs[f->n];
    f->pairs[i + 1] = f->pairs[f->n + 1];
}

static inline void take_on(struct forwarder *f)
{
    int fd = accept(f->listener, NULL, NULL), to = fd >= 0 ? connect_to_etcd() : -1;
    if (to < 0 || f->n == 2 * FORWARDS_MOST) {
        close(fd);
        close(to);
        return;
    }
    f->pairs[f->n++] = fd;
    f->pairs[f->n++] = to;
    pthread_mutex_lock(&f->lock);
    f->accepted++;
    pthread_mutex_unlock(&f->lock);
}

/* Hands on what has come at one end; 0 if the connection is over. */
static inline int hand_on(struct forwarder *f, int i)
{
    char bytes[65536];
    ssize_t n = recv(f->pairs[i], bytes, sizeof bytes, 0), sent = 0, more;
    while (sent < n) {
        more = send(f->pairs[i ^ 1], bytes + sent, (size_t)(n - sent), MSG_NOSIGNAL);
        if (more <= 0)
            return 0;
        sent += more;
    }
    return n > 0;
}

static inline void *forward_all(void *arg)
{
    struct forwarder *f = (struct forwarder *)arg;
    struct pollfd fds[2 + 2 * FORWARDS_MOST];
    int i;
    for (;;) {
        int n = f->n;
        fds[0].fd = f->control[0];
        fds[1].fd = f->listener;
        for (i = 0; i < n; i++)
            fds[2 + i].fd = f->pairs[i];
        for (i = 0; i < 2 + n; i++)
            fds[i].events = POLLIN;
        if (poll(fds, (nfds_t)(2 + n), -1) < 0)
            continue;
        if (fds[0].revents)
            break;
        /* From the back: the last pair takes the place of one that is dropped. */
        for (i = n - 2; i >= 0; i -= 2)
            if ((fds[2 + i].revents && !hand_on(f, i)) || (fds[3 + i].revents && !hand_on(f, i + 1)))
                drop_pair(f, i);
        if (fds[1].revents)
            take_on(f);
    }
    while (f->n)
        drop_pair(f, 0);
    close(f->listener);
    return NULL;
}

static inline int bound(struct forwarder *f)
{
    int fd = socket(f->family, SOCK_STREAM, 0), on = 1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, &f->at.any, f->len) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Listens at its address; 0 if that cannot be. */
static inline int forwarder_again(struct forwarder *f)
{
    f->listener = bound(f);
    if (f->listener < 0 || listen(f->listener, 100) != 0) {
        close(f->listener);
        return 0;
    }
    CHECK_INT(pipe(f->control), 0);
    CHECK_INT(pthread_create(&f->thread, NULL, forward_all, f), 0);
    return 1;
}

/* Ends all connections; from then on the address refuses. */
static inline void forwarder_stop(struct forwarder *f)
{
    CHECK_INT(write(f->control[1], "x", 1), 1);
    pthread_join(f->thread, NULL);
    close(f->control[0]);
    close(f->control[1]);
    if (f->family == AF_UNIX)
        unlink(f->at.local.sun_path);
}

/* Takes an address of the family, with `port` that one, but listens only from forwarder_again on; 0 if it has none. */
static inline int forwarder_hold(struct forwarder *f, int family, int port)
{
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    f->family = family;
    f->holder = -1;
    if (family == AF_UNIX) {
        snprintf(f->directory, sizeof f->directory, "%s/forwarderXXXXXX", P_tmpdir);
        CHECK(mkdtemp(f->directory) != NULL);
        f->at.local.sun_family = AF_UNIX;
        snprintf(f->at.local.sun_path, sizeof f->at.local.sun_path, "%s/etcd", f->directory);
        f->len = sizeof f->at.local;
        snprintf(f->endpoint, sizeof f->endpoint, "unix:%.100s", f->at.local.sun_path);
        return 1;
    }
    if (family == AF_INET6) {
        f->at.v6.sin6_family = AF_INET6;
        f->at.v6.sin6_addr = in6addr_loopback;
        f->at.v6.sin6_port = htons((uint16_t)port);
        f->len = sizeof f->at.v6;
    } else {
        f->at.v4.sin_family = AF_INET;
        f->at.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        f->at.v4.sin_port = htons((uint16_t)port);
        f->len = sizeof f->at.v4;
    }
    f->holder = bound(f);
    if (f->holder < 0 || getsockname(f->holder, &f->at.any, &f->len) != 0)
        return 0;
    if (family == AF_INET6)
        snprintf(f->endpoint, sizeof f->endpoint, "[::1]:%d", ntohs(f->at.v6.sin6_port));
    else
        snprintf(f->endpoint, sizeof f->endpoint, "127.0.0.1:%d", ntohs(f->at.v4.sin_port));
    return 1;
}

static inline void forwarder_release(struct forwarder *f)
{
    if (f->holder >= 0)
        close(f->holder);
    if (f->family == AF_UNIX)
        rmdir(f->directory);
    pthread_mutex_destroy(&f->lock);
}

static inline void forwarder_start(struct forwarder *f)
{
    CHECK(forwarder_hold(f, AF_INET, 0));
    CHECK(forwarder_again(f));
}

/* A client that knows no other way to etcd. */
static inline etcd3_client_t *open_through(const struct forwarder *f)
{
    etcd3_config_t *config = etcd3_config_new();
    etcd3_client_t *client = NULL;
    etcd3_error_t *err = NULL;
    etcd3_config_add_endpoint(config, f->endpoint);
    CHECK_OK(etcd3_client_open(config, &client, &err), err);
    etcd3_config_free(config);
    return client;
}

/* Stops it for good. */
static inline void forwarder_end(struct forwarder *f)
{
    forwarder_stop(f);
    forwarder_release(f);
}

/* How many connections it has taken on so far. */
static inline int forwarder_accepted(struct forwarder *f)
{
    int accepted;
    pthread_mutex_lock(&f->lock);
    accepted = f->accepted;
    pthread_mutex_unlock(&f->lock);
    return accepted;
}

#endif
