/* How much memory this process has, in kB. What comes before has to happen in a child: freed memory stays with a process,
   and would then hide that it grows. */
#ifndef MEMORY_H
#define MEMORY_H
#include "child.h"

static inline int64_t memory_kb(const char *what)
{
    char line[200];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, what, strlen(what)) == 0 && sscanf(line + strlen(what), ": %ld", &kb) == 1)
            break;
    if (file)
        fclose(file);
    return kb;
}

/* Just now; from here on memory_at_most() is counted, if the kernel lets it be. */
static inline int64_t memory_in_use(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file) {
        fputs("5", file);
        fclose(file);
    }
    return memory_kb("VmRSS");
}

static inline int64_t memory_at_most(void) { return memory_kb("VmHWM"); }

#endif
