/* Wrong arguments to what concerns members: nothing is sent. */
#include "misuse.h"

static const char *const good[] = {"http://127.0.0.1:9"};

static void null_handles(void)
{
    etcd3_members_t *members = NULL;
    REFUSED(etcd3_member_list(NULL, 1, &members, &err), "client");
    REFUSED(etcd3_member_list(client, 1, NULL, &err), "members");
    REFUSED(etcd3_member_add(NULL, good, 1, 0, NULL, &members, &err), "client");
    REFUSED(etcd3_member_update(NULL, 1, good, 1, &members, &err), "client");
    REFUSED(etcd3_member_promote(NULL, 1, &members, &err), "client");
    REFUSED(etcd3_member_remove(NULL, 1, &members, &err), "client");
    CHECK(members == NULL);
    CHECK(etcd3_members_header(NULL) == NULL);
    CHECK_INT(etcd3_members_count(NULL), 0);
    CHECK_INT(etcd3_members_id(NULL, 0), 0);
    CHECK_STR(etcd3_members_name(NULL, 0), "");
    CHECK_INT(etcd3_members_is_started(NULL, 0), 0);
    CHECK_INT(etcd3_members_is_learner(NULL, 0), 0);
    CHECK_INT(etcd3_members_peer_url_count(NULL, 0), 0);
    CHECK_INT(etcd3_members_client_url_count(NULL, 0), 0);
    CHECK(etcd3_members_peer_url(NULL, 0, 0) == NULL);
    CHECK(etcd3_members_client_url(NULL, 0, 0) == NULL);
    QUIET(etcd3_members_free(NULL));
}

static void ids_and_flags(void)
{
    static const int flags[] = {-1, 2, INT32_MAX, INT32_MIN};
    etcd3_members_t *members = NULL;
    int i;
    for (i = 0; i < 4; i++) {
        REFUSED(etcd3_member_list(client, flags[i], &members, &err), "linearizable: must be 0 or 1");
        REFUSED(etcd3_member_add(client, good, 1, flags[i], NULL, &members, &err), "is_learner: must be 0 or 1");
    }
    REFUSED(etcd3_member_update(client, 0, good, 1, &members, &err), "member_id");
    REFUSED(etcd3_member_promote(client, 0, &members, &err), "member_id");
    REFUSED(etcd3_member_remove(client, 0, &members, &err), "member_id");
    CHECK(members == NULL);
}

static void urls(void)
{
    static const char *const bad[] = {"", "localhost:2380", "ftp://a:1", "http://", "http://a:0", "http://a:b",
                                      "http://a b:1", "http://a:1/path", "\xff\xfe", NULL};
    const char *list[2];
    etcd3_members_t *members = NULL;
    size_t i;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        list[0] = good[0];
        list[1] = bad[i];
        REFUSED(etcd3_member_add(client, list, 2, 0, NULL, &members, &err), "peer_urls");
        REFUSED(etcd3_member_update(client, 1, list + 1, 1, &members, &err), "peer_urls");
    }
    REFUSED(etcd3_member_add(client, NULL, 0, 0, NULL, &members, &err), "peer_urls: must not be empty");
    REFUSED(etcd3_member_add(client, good, 0, 1, NULL, &members, &err), "peer_urls: must not be empty");
    REFUSED(etcd3_member_add(client, NULL, 1, 0, NULL, &members, &err), "peer_urls");
    REFUSED(etcd3_member_add(client, good, (size_t)-1, 0, NULL, &members, &err), "peer_urls");
    REFUSED(etcd3_member_update(client, 1, NULL, 0, &members, &err), "peer_urls: must not be empty");
    REFUSED(etcd3_member_update(client, 1, NULL, 1, &members, &err), "peer_urls");
    CHECK(members == NULL);
}

static void without_an_error(void)
{
    CHECK_INT(etcd3_member_remove(client, 0, NULL, NULL), ETCD3_ERR_INVALID_ARGUMENT);
    CHECK_INT(etcd3_member_add(client, NULL, 0, 0, NULL, NULL, NULL), ETCD3_ERR_INVALID_ARGUMENT);
    still_works(__LINE__);
}

int main(void)
{
    client = open_client();
    RUN(null_handles);
    RUN(ids_and_flags);
    RUN(urls);
    RUN(without_an_error);
    etcd3_client_free(client);
    return CHECK_DONE();
}
