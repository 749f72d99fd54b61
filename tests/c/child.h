/* What runs in a forked child. */
#ifndef CHILD_H
#define CHILD_H
#include "check.h"
#include <sys/wait.h>
#include <unistd.h>

/* What the child inherits it cannot free, so it must not end where valgrind counts leaks: it execs. */
static inline void end_child(void)
{
    fflush(NULL);
    execl("/bin/sh", "sh", "-c", check_failed ? "exit 1" : "exit 0", (char *)NULL);
    _exit(9);
}

/* Runs `body` in a child, which has so long. */
static inline void in_a_child(void (*body)(void), unsigned seconds)
{
    int status = -1;
    pid_t child;
    fflush(NULL);
    /* Of the parent's threads only this one is in the child: nobody else may hold the checks' lock. */
    pthread_mutex_lock(&check_lock);
    child = fork();
    pthread_mutex_unlock(&check_lock);
    if (child == 0) {
        check_failed = 0;
        alarm(seconds);
        body();
        end_child();
    }
    CHECK(child > 0);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_INT(status, 0);
}

#endif
