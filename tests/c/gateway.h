/* What a test has an administrator do: over the JSON gateway of the server, since it is not what is tested. */
#ifndef GATEWAY_H
#define GATEWAY_H
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sends a request over HTTP and reads the whole answer, as far as there is room, into `answer`. */
static inline void http_exchange(const char *endpoint, const char *request, char *answer, size_t room)
{
    char host[40];
    struct sockaddr_in address;
    size_t got = 0, length = strlen(request);
    ssize_t n;
    int port = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    if (sscanf(endpoint, "%39[0-9.]:%d", host, &port) != 2)
        exit(2);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = inet_addr(host);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(send(fd, request, length, MSG_NOSIGNAL) == (ssize_t)length);
    while (got < room - 1 && (n = recv(fd, answer + got, room - 1 - got, 0)) > 0)
        got += (size_t)n;
    answer[got] = '\0';
    close(fd);
}

/* The server's answer with its headers; lives until the next one. NULL after a failed check. */
static inline const char *gateway_post(const char *endpoint, const char *path, const char *body, const char *token)
{
    static char answer[20000];
    char request[2000];
    snprintf(request, sizeof request,
             "POST /v3/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nConnection: close\r\n"
             "%s%s%sContent-Length: %lu\r\n\r\n%s",
             path, endpoint, token ? "Authorization: " : "", token ? token : "", token ? "\r\n" : "",
             (unsigned long)strlen(body), body);
    http_exchange(endpoint, request, answer, sizeof answer);
    if (!CHECK(strstr(answer, " 200 OK") != NULL)) {
        fprintf(stderr, "%s %s: %s\n", path, body, answer);
        return NULL;
    }
    return answer;
}

/* As root, whose password is "secret". */
static inline void administer(const char *endpoint, const char *path, const char *body)
{
    char token[300] = "";
    const char *answer =
        gateway_post(endpoint, "auth/authenticate", "{\"name\": \"root\", \"password\": \"secret\"}", NULL);
    const char *found = answer ? strstr(answer, "\"token\":\"") : NULL;
    if (CHECK(found != NULL)) {
        sscanf(found + 9, "%299[^\"]", token);
        gateway_post(endpoint, path, body, token);
    }
}

#endif
