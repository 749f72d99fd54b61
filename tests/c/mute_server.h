/* A server of the test's own on a loopback port, which speaks just enough HTTP/2 never to answer a call. */
#ifndef MUTE_SERVER_H
#define MUTE_SERVER_H
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum mute {
    REFUSES, /* nobody listens, and nobody else can get the port */
    ACCEPTS, /* the connection is there, no byte ever comes */
    READS,   /* speaks HTTP/2, reads every request, answers none */
    DROPS,   /* the same, and closes the connection once it has a request */
    GREETS   /* speaks, but another protocol */
};

struct mute_server {
    enum mute kind;
    int listener;
    char endpoint[40];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int requests; /* whole requests read */
};

static inline int read_all(int fd, unsigned char *to, size_t n)
{
    while (n) {
        ssize_t got = recv(fd, to, n, 0);
        if (got <= 0)
            return 0;
        to += got;
        n -= (size_t)got;
    }
    return 1;
}

static inline void serve(struct mute_server *server, int fd)
{
    enum { DATA = 0, HEADERS = 1, SETTINGS = 4, PING = 6, END_STREAM = 1, ACK = 1 };
    static const unsigned char settings[9] = {0, 0, 0, SETTINGS, 0, 0, 0, 0, 0};
    static const unsigned char settings_ack[9] = {0, 0, 0, SETTINGS, ACK, 0, 0, 0, 0};
    unsigned char frame[9 + 16384], *payload = frame + 9;
    if (server->kind == GREETS) {
        static const char greeting[] = "220 mail.example.com ESMTP\r\n";
        if (send(fd, greeting, sizeof greeting - 1, MSG_NOSIGNAL) < 0)
            return;
        while (read_all(fd, frame, 1))
            ;
        return;
    }
    if (!read_all(fd, frame, 24) || send(fd, settings, 9, MSG_NOSIGNAL) != 9)
        return;
    while (read_all(fd, frame, 9)) {
        size_t len = (size_t)frame[0] << 16 | (size_t)frame[1] << 8 | frame[2];
        int type = frame[3], flags = frame[4];
        if (len > 16384 || !read_all(fd, payload, len))
            return;
        if (type == SETTINGS && !(flags & ACK) && send(fd, settings_ack, 9, MSG_NOSIGNAL) != 9)
            return;
        if (type == PING && !(flags & ACK)) {
            frame[4] = ACK;
            if (send(fd, frame, 9 + len, MSG_NOSIGNAL) != (ssize_t)(9 + len))
                return;
        }
        if ((type == DATA || type == HEADERS) && (flags & END_STREAM)) {
            pthread_mutex_lock(&server->lock);
            server->requests++;
            pthread_cond_broadcast(&server->changed);
            pthread_mutex_unlock(&server->lock);
            if (server->kind == DROPS)
                return;
        }
    }
}

struct mute_connection {
    struct mute_server *server;
    int fd;
};

static inline void *serve_connection(void *arg)
{
    struct mute_connection *connection = (struct mute_connection *)arg;
    serve(connection->server, connection->fd);
    close(connection->fd);
    return NULL;
}

/* Every connection has a thread; they are joined once the listener is shut down. */
static inline void *accept_all(void *arg)
{
    struct mute_server *server = (struct mute_server *)arg;
    enum { MOST = 2000 };
    pthread_t *threads = (pthread_t *)malloc(MOST * sizeof *threads);
    struct mute_connection *connections = (struct mute_connection *)malloc(MOST * sizeof *connections);
    int n = 0, i;
    while (n < MOST) {
        connections[n].server = server;
        connections[n].fd = accept(server->listener, NULL, NULL);
        if (connections[n].fd < 0)
            break;
        if (pthread_create(&threads[n], NULL, serve_connection, &connections[n]) != 0)
            break;
        n++;
    }
    for (i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    free(connections);
    free(threads);
    return NULL;
}

static inline void mute_start(struct mute_server *server, enum mute kind)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    memset(server, 0, sizeof *server);
    server->kind = kind;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(server->listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(getsockname(server->listener, (struct sockaddr *)&address, &len) == 0);
    snprintf(server->endpoint, sizeof server->endpoint, "127.0.0.1:%d", ntohs(address.sin_port));
    if (kind != REFUSES)
        CHECK(listen(server->listener, 100) == 0);
    if (kind != REFUSES && kind != ACCEPTS)
        CHECK_INT(pthread_create(&server->thread, NULL, accept_all, server), 0);
}

static inline int mute_requests(struct mute_server *server)
{
    int requests;
    pthread_mutex_lock(&server->lock);
    requests = server->requests;
    pthread_mutex_unlock(&server->lock);
    return requests;
}

static inline void mute_await_requests(struct mute_server *server, int number)
{
    pthread_mutex_lock(&server->lock);
    while (server->requests < number)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

static inline void mute_await_request(struct mute_server *server) { mute_await_requests(server, 1); }

/* To be called once the clients are closed, which ends their connections. */
static inline void mute_stop(struct mute_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    if (server->kind != REFUSES && server->kind != ACCEPTS)
        pthread_join(server->thread, NULL);
    close(server->listener);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
}

#endif
