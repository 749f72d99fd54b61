/* member: list, add, update, promote, remove. */
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *peer_urls = "", *consistency = "l";
static int learner;

static const struct flag add_flags[] = {
    {"peer-urls", 0, FLAG_TEXT, &peer_urls, "Comma separated peer URLs for the new member"},
    {"learner", 0, FLAG_BOOL, &learner, "The new member is a raft learner"},
    {0},
};
static const struct flag update_flags[] = {
    {"peer-urls", 0, FLAG_TEXT, &peer_urls, "Comma separated peer URLs for the updated member"},
    {0},
};
static const struct flag list_flags[] = {
    {"consistency", 0, FLAG_TEXT, &consistency, "Linearizable(l) or Serializable(s)"},
    {0},
};

typedef const char *url_at(const etcd3_members_t *members, size_t index, size_t url_index);

/* With `hex` as etcdctl writes it by hand, for lists alone. */
static void json_urls(const char *key, const etcd3_members_t *members, size_t index, url_at *url, int hex)
{
    size_t i;
    if (!url(members, index, 0)) {
        if (hex)
            json_raw(key, "null");
        return;
    }
    json_open(key, '[');
    for (i = 0; url(members, index, i); i++)
        json_text(NULL, url(members, index, i));
    json_close(']');
}

static void json_hex(const char *key, uint64_t id)
{
    char text[24];
    snprintf(text, sizeof text, "\"%" PRIx64 "\"", id);
    json_raw(key, text);
}

static void json_member(const char *key, const etcd3_members_t *members, size_t index, int hex)
{
    json_open(key, '{');
    if (hex)
        json_hex("ID", etcd3_members_id(members, index));
    else
        json_uint("ID", etcd3_members_id(members, index));
    if (hex && !*etcd3_members_name(members, index))
        json_raw("name", "\"\"");
    json_text("name", etcd3_members_name(members, index));
    json_urls("peerURLs", members, index, etcd3_members_peer_url, hex);
    json_urls("clientURLs", members, index, etcd3_members_client_url, hex);
    if (!hex)
        json_bool("isLearner", etcd3_members_is_learner(members, index));
    json_close('}');
}

/* `one`: the member that was added, or none with the count of them. */
static void json_members(const etcd3_members_t *members, size_t one, int hex)
{
    const etcd3_header_t *header = etcd3_members_header(members);
    size_t i, count = etcd3_members_count(members);
    json_open(NULL, '{');
    if (hex) {
        json_open("header", '{');
        json_hex("cluster_id", header->cluster_id);
        json_hex("member_id", header->member_id);
        json_number("raft_term", (int64_t)header->raft_term);
        json_close('}');
    } else {
        json_header("header", header);
    }
    if (one < count)
        json_member("member", members, one, hex);
    if (count) {
        json_open("members", '[');
        for (i = 0; i < count; i++)
            json_member(NULL, members, i, hex);
        json_close(']');
    }
    json_close('}');
    json_end();
}

static void add_urls(struct table *table, const etcd3_members_t *members, size_t index, url_at *url)
{
    size_t i, room = 1;
    char *all;
    for (i = 0; url(members, index, i); i++)
        room += strlen(url(members, index, i)) + 1;
    all = (char *)allocate(room);
    *all = '\0';
    for (i = 0; url(members, index, i); i++) {
        strcat(all, i ? "," : "");
        strcat(all, url(members, index, i));
    }
    table_add(table, all);
    free(all);
}

static void show_members(const etcd3_members_t *members)
{
    static const char *const head[] = {"ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner"};
    struct table table = {6, 0, NULL};
    size_t i;
    for (i = 0; i < 6; i++)
        table_add(&table, head[i]);
    for (i = 0; i < etcd3_members_count(members); i++) {
        char id[24];
        snprintf(id, sizeof id, "%" PRIx64, etcd3_members_id(members, i));
        table_add(&table, id);
        table_add(&table, *etcd3_members_name(members, i) ? "started" : "unstarted");
        table_add(&table, etcd3_members_name(members, i));
        add_urls(&table, members, i, etcd3_members_peer_url);
        add_urls(&table, members, i, etcd3_members_client_url);
        table_add(&table, etcd3_members_is_learner(members, i) ? "true" : "false");
    }
    (format == TABLE ? show_table : show_simple)(&table);
    table_free(&table);
}

static void fields_urls(const char *name, const etcd3_members_t *members, size_t index, url_at *url)
{
    size_t i;
    for (i = 0; url(members, index, i); i++)
        printf("\"%s\" : \"%s\"\n", name, url(members, index, i));
}

static void fields_members(const etcd3_members_t *members)
{
    size_t i;
    fields_header(etcd3_members_header(members));
    for (i = 0; i < etcd3_members_count(members); i++) {
        printf(in_hex ? "\"ID\" : %" PRIx64 "\n" : "\"ID\" : %" PRIu64 "\n", etcd3_members_id(members, i));
        printf("\"Name\" : \"%s\"\n", etcd3_members_name(members, i));
        fields_urls("PeerURL", members, i, etcd3_members_peer_url);
        fields_urls("ClientURL", members, i, etcd3_members_client_url);
        printf("\"IsLearner\" : %s\n\n", etcd3_members_is_learner(members, i) ? "true" : "false");
    }
}

static int list(const struct args *args)
{
    etcd3_members_t *members = NULL;
    int linearizable = !is_serializable(consistency);
    (void)args;
    connect_client();
    must(etcd3_member_list(client, linearizable, &members, &err));
    if (format == JSON)
        json_members(members, etcd3_members_count(members), in_hex);
    else if (format == FIELDS)
        fields_members(members);
    else
        show_members(members);
    etcd3_members_free(members);
    return 0;
}

/* What a new member's own flags have to be. */
static void show_configuration(const char *name, uint64_t id, const etcd3_members_t *members)
{
    size_t i, j, shown = 0;
    printf("\nETCD_NAME=");
    out_quoted(name, strlen(name));
    printf("\nETCD_INITIAL_CLUSTER=\"");
    for (i = 0; i < etcd3_members_count(members); i++)
        for (j = 0; j < etcd3_members_peer_url_count(members, i); j++)
            printf("%s%s=%s", shown++ ? "," : "",
                   etcd3_members_id(members, i) == id ? name : etcd3_members_name(members, i),
                   etcd3_members_peer_url(members, i, j));
    printf("\"\nETCD_INITIAL_ADVERTISE_PEER_URLS=");
    out_quoted(peer_urls, strlen(peer_urls));
    printf("\nETCD_INITIAL_CLUSTER_STATE=\"existing\"\n");
}

static int add(const struct args *args)
{
    etcd3_members_t *members = NULL;
    char **urls;
    size_t count, one;
    uint64_t id = 0;
    if (args->count < 1)
        die(EXIT_ARGS, "member name not provided");
    if (args->count > 1)
        die(EXIT_ARGS, "too many arguments");
    if (!*peer_urls)
        die(EXIT_ARGS, "member peer urls not provided");
    urls = split(peer_urls, ',', &count);
    connect_client();
    must(etcd3_member_add(client, (const char *const *)urls, count, learner, &id, &members, &err));
    free_endpoints(urls, count);
    for (one = 0; one < etcd3_members_count(members) && etcd3_members_id(members, one) != id; one++) {
    }
    need_simple_or_json();
    if (format == JSON) {
        json_members(members, one, 0);
    } else {
        printf("Member %16" PRIx64 " added%sto cluster %16" PRIx64 "\n", id, learner ? " as learner " : " ",
               etcd3_members_header(members)->cluster_id);
        show_configuration(args->at[0], id, members);
    }
    etcd3_members_free(members);
    return 0;
}

static uint64_t only_id(const struct args *args)
{
    int failed;
    uint64_t id;
    if (args->count != 1)
        die(EXIT_ARGS, "member ID is not provided");
    id = parse_id(args->at[0], &failed);
    if (failed)
        die(EXIT_ARGS, "bad member ID arg (strconv.ParseUint: parsing \"%s\": invalid syntax), expecting ID in Hex",
            args->at[0]);
    return id;
}

static int changed(const char *what, uint64_t id, etcd3_members_t *members)
{
    need_simple_or_json();
    if (format == JSON)
        json_members(members, etcd3_members_count(members), 0);
    else
        printf("Member %16" PRIx64 " %s cluster %16" PRIx64 "\n", id, what,
               etcd3_members_header(members)->cluster_id);
    etcd3_members_free(members);
    return 0;
}

static int update(const struct args *args)
{
    uint64_t id = only_id(args);
    etcd3_members_t *members = NULL;
    char **urls;
    size_t count;
    if (!*peer_urls)
        die(EXIT_ARGS, "member peer urls not provided");
    urls = split(peer_urls, ',', &count);
    connect_client();
    must(etcd3_member_update(client, id, (const char *const *)urls, count, &members, &err));
    free_endpoints(urls, count);
    return changed("updated in", id, members);
}

static int promote(const struct args *args)
{
    uint64_t id = only_id(args);
    etcd3_members_t *members = NULL;
    connect_client();
    must(etcd3_member_promote(client, id, &members, &err));
    return changed("promoted in", id, members);
}

static int remove_member(const struct args *args)
{
    uint64_t id = only_id(args);
    etcd3_members_t *members = NULL;
    connect_client();
    must(etcd3_member_remove(client, id, &members, &err));
    return changed("removed from", id, members);
}

const struct command member_commands[] = {
    {"member", "list", "", "Lists all members in the cluster", list_flags, list},
    {"member", "add", "<memberName> [options]", "Adds a member into the cluster", add_flags, add},
    {"member", "update", "<memberID> [options]", "Updates a member in the cluster", update_flags, update},
    {"member", "promote", "<memberID>", "Promotes a non-voting member in the cluster", NULL, promote},
    {"member", "remove", "<memberID>", "Removes a member from the cluster", NULL, remove_member},
    {0},
};
