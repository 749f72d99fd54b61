/* The version of the header is the library's; the header needs nothing before it. */
#include "etcd3.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    int same = etcd3_version_number() == ETCD3_VERSION_NUMBER;
    same = same && strcmp(etcd3_version_string(), ETCD3_VERSION_STRING) == 0;
    same = same &&
           ETCD3_VERSION_NUMBER == ((ETCD3_VERSION_MAJOR << 16) | (ETCD3_VERSION_MINOR << 8) | ETCD3_VERSION_PATCH);
    puts(etcd3_version_string());
    return same ? 0 : 1;
}
