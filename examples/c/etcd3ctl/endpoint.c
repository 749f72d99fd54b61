/* endpoint: status, hashkv, health; of the endpoints given, or of all that the cluster has. */
#define _POSIX_C_SOURCE 200809L
#include "ctl.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int of_cluster;
static int64_t rev;

static const struct flag flags[] = {
    {"cluster", 0, FLAG_BOOL, &of_cluster, "Use all endpoints from the cluster member list"},
    {0},
};
static const struct flag hashkv_flags[] = {
    {"cluster", 0, FLAG_BOOL, &of_cluster, "Use all endpoints from the cluster member list"},
    {"rev", 0, FLAG_INT, &rev, "Maximum revision to hash (default: latest revision)"},
    {0},
};

char **list_endpoints(int all, size_t *count)
{
    struct access anonymous = cluster; /* listing takes no password, so none is asked for */
    etcd3_members_t *members = NULL;
    etcd3_client_t *asking;
    char **endpoints;
    size_t i, j, room = 1;
    if (!all)
        return split(cluster.endpoints, ',', count);
    anonymous.user = "";
    asking = open_client(&anonymous, NULL);
    must_or(etcd3_member_list(asking, 1, &members, &err), EXIT_ERROR,
            "failed to fetch endpoints from etcd cluster member list");
    for (i = 0; i < etcd3_members_count(members); i++)
        room += etcd3_members_client_url_count(members, i);
    endpoints = (char **)allocate(room * sizeof *endpoints);
    *count = 0;
    for (i = 0; i < etcd3_members_count(members); i++)
        for (j = 0; j < etcd3_members_client_url_count(members, i); j++) {
            const char *url = etcd3_members_client_url(members, i, j);
            endpoints[*count] = (char *)allocate(strlen(url) + 1);
            strcpy(endpoints[(*count)++], url);
        }
    etcd3_members_free(members);
    etcd3_client_free(asking);
    return endpoints;
}

/* What servers from 3.6 on say of a downgrade. */
static const char *is_downgrading(const etcd3_status_t *status)
{
    return *etcd3_status_downgrade_target(status) ? "true" : "false";
}

static void json_status(const char *endpoint, const etcd3_status_t *status)
{
    size_t i;
    json_open(NULL, '{');
    json_text("Endpoint", endpoint);
    json_open("Status", '{');
    json_header("header", etcd3_status_header(status));
    json_text("version", etcd3_status_version(status));
    json_int("dbSize", etcd3_status_db_size(status));
    json_uint("leader", etcd3_status_leader(status));
    json_uint("raftIndex", etcd3_status_raft_index(status));
    json_uint("raftTerm", etcd3_status_raft_term(status));
    json_uint("raftAppliedIndex", etcd3_status_raft_applied_index(status));
    if (etcd3_status_error_count(status)) {
        json_open("errors", '[');
        for (i = 0; i < etcd3_status_error_count(status); i++)
            json_text(NULL, etcd3_status_error(status, i));
        json_close(']');
    }
    json_int("dbSizeInUse", etcd3_status_db_size_in_use(status));
    json_bool("isLearner", etcd3_status_is_learner(status));
    json_text("storageVersion", etcd3_status_storage_version(status));
    json_int("dbSizeQuota", etcd3_status_db_size_quota(status));
    if (*etcd3_status_storage_version(status)) {
        json_open("downgradeInfo", '{');
        json_bool("enabled", *etcd3_status_downgrade_target(status));
        json_text("targetVersion", etcd3_status_downgrade_target(status));
        json_close('}');
    }
    json_close('}');
    json_close('}');
}

static void fields_status(const char *endpoint, const etcd3_status_t *status)
{
    size_t i;
    fields_header(etcd3_status_header(status));
    printf("\"Version\" : \"%s\"\n\"StorageVersion\" : \"%s\"\n", etcd3_status_version(status),
           etcd3_status_storage_version(status));
    printf("\"DBSize\" : %" PRId64 "\n\"DBSizeInUse\" : %" PRId64 "\n", etcd3_status_db_size(status),
           etcd3_status_db_size_in_use(status));
    printf("\"Leader\" : %" PRIu64 "\n\"IsLearner\" : %s\n", etcd3_status_leader(status),
           etcd3_status_is_learner(status) ? "true" : "false");
    printf("\"RaftIndex\" : %" PRIu64 "\n\"RaftTerm\" : %" PRIu64 "\n\"RaftAppliedIndex\" : %" PRIu64 "\n\"Errors\" : [",
           etcd3_status_raft_index(status), etcd3_status_raft_term(status), etcd3_status_raft_applied_index(status));
    for (i = 0; i < etcd3_status_error_count(status); i++)
        printf("%s%s", i ? " " : "", etcd3_status_error(status, i));
    printf("]\n\"Endpoint\" : \"%s\"\n\"DowngradeTargetVersion\" : \"%s\"\n\"DowngradeEnabled\" : %s\n\n", endpoint,
           etcd3_status_downgrade_target(status), is_downgrading(status));
}

static void add_number(struct table *table, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    table_add(table, text);
}

static void add_status(struct table *table, const char *endpoint, const etcd3_status_t *status)
{
    int64_t size = etcd3_status_db_size(status), used = etcd3_status_db_size_in_use(status);
    char text[512];
    size_t i, len = 0;
    table_add(table, endpoint);
    snprintf(text, sizeof text, "%" PRIx64, etcd3_status_member_id(status));
    table_add(table, text);
    table_add(table, etcd3_status_version(status));
    table_add(table, etcd3_status_storage_version(status));
    table_add(table, size_text((uint64_t)size, text));
    table_add(table, size_text((uint64_t)used, text));
    snprintf(text, sizeof text, "%" PRId64 "%%", size ? 100 - used * 100 / size : 0);
    table_add(table, text);
    table_add(table, size_text((uint64_t)etcd3_status_db_size_quota(status), text));
    table_add(table, etcd3_status_is_leader(status) ? "true" : "false");
    table_add(table, etcd3_status_is_learner(status) ? "true" : "false");
    add_number(table, etcd3_status_raft_term(status));
    add_number(table, etcd3_status_raft_index(status));
    add_number(table, etcd3_status_raft_applied_index(status));
    *text = '\0';
    for (i = 0; i < etcd3_status_error_count(status) && len < sizeof text; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? ", " : "", etcd3_status_error(status, i));
    table_add(table, text);
    table_add(table, etcd3_status_downgrade_target(status));
    table_add(table, is_downgrading(status));
}

/* The status of an endpoint; or NULL, and that is said. */
static etcd3_status_t *ask(const char *endpoint)
{
    etcd3_status_t *status = NULL;
    if (etcd3_status(client, endpoint, &status, &err) != ETCD3_OK) {
        fprintf(stderr, "Failed to get the status of endpoint %s (%s)\n", endpoint, etcd3_error_message(err));
        etcd3_error_free(err);
        err = NULL;
    }
    return status;
}

/* For each endpoint of the list, a row, a JSON object or fields. */
static void show_rows(struct table *table, size_t shown)
{
    if (format == JSON) {
        if (shown)
            json_close(']');
        else
            json_raw(NULL, "null");
        json_end();
    } else if (format != FIELDS) {
        (format == TABLE ? show_table : show_simple)(table);
    }
    table_free(table);
}

static void add_head(struct table *table, const char *const *head)
{
    size_t i;
    for (i = 0; i < table->columns; i++)
        table_add(table, head[i]);
}

static int status(const struct args *args)
{
    static const char *const head[] = {
        "endpoint", "ID", "version", "storage version", "db size", "in use", "percentage not in use", "quota",
        "is leader", "is learner", "raft term", "raft index", "raft applied index", "errors",
        "downgrade target version", "downgrade enabled"};
    struct table table = {16, 0, NULL};
    size_t i, count, shown = 0;
    char **endpoints;
    (void)args;
    endpoints = list_endpoints(of_cluster, &count);
    connect_client();
    add_head(&table, head);
    for (i = 0; i < count; i++) {
        etcd3_status_t *one = ask(endpoints[i]);
        if (!one)
            continue;
        if (format == JSON) {
            if (!shown)
                json_open(NULL, '[');
            json_status(endpoints[i], one);
        } else if (format == FIELDS) {
            fields_status(endpoints[i], one);
        } else {
            add_status(&table, endpoints[i], one);
        }
        shown++;
        etcd3_status_free(one);
    }
    show_rows(&table, shown);
    free_endpoints(endpoints, count);
    return shown == count ? 0 : EXIT_ERROR;
}

static void show_hash(struct table *table, size_t shown, const char *endpoint, const etcd3_hashes_t *hash)
{
    const etcd3_header_t *header = etcd3_hashes_header(hash, 0);
    int64_t revision = etcd3_hashes_revision(hash, 0);
    if (format == JSON) {
        if (!shown)
            json_open(NULL, '[');
        json_open(NULL, '{');
        json_text("Endpoint", endpoint);
        json_open("HashKV", '{');
        json_header("header", header);
        json_uint("hash", etcd3_hashes_hash(hash, 0));
        json_int("compact_revision", etcd3_hashes_compact_revision(hash, 0));
        json_int("hash_revision", revision);
        json_close('}');
        json_close('}');
    } else if (format == FIELDS) {
        fields_header(header);
        printf("\"Endpoint\" : \"%s\"\n\"Hash\" : %" PRIu32 "\n\"HashRevision\" : %" PRId64 "\n\n", endpoint,
               etcd3_hashes_hash(hash, 0), revision);
    } else {
        table_add(table, endpoint);
        add_number(table, etcd3_hashes_hash(hash, 0));
        add_number(table, (uint64_t)revision);
    }
}

static int hashkv(const struct args *args)
{
    static const char *const head[] = {"endpoint", "hash", "hash_revision"};
    struct table table = {3, 0, NULL};
    size_t i, count, shown = 0;
    char **endpoints;
    (void)args;
    endpoints = list_endpoints(of_cluster, &count);
    connect_client();
    add_head(&table, head);
    for (i = 0; i < count; i++) {
        etcd3_hashes_t *one = NULL;
        if (etcd3_hash_kv(client, endpoints[i], rev, &one, &err) == ETCD3_OK) {
            show_hash(&table, shown++, endpoints[i], one);
        } else {
            fprintf(stderr, "Failed to get the hash of endpoint %s (%s)\n", endpoints[i], etcd3_error_message(err));
            etcd3_error_free(err);
            err = NULL;
        }
        etcd3_hashes_free(one);
    }
    show_rows(&table, shown);
    free_endpoints(endpoints, count);
    if (shown < count)
        die(EXIT_ERROR, "not all endpoints have told their hash");
    return 0;
}

struct health {
    const char *endpoint;
    etcd3_client_t *client;
    pthread_t thread;
    char took[32], trouble[512];
};

static void *check(void *data)
{
    struct health *health = (struct health *)data;
    etcd3_result_t *result = NULL;
    etcd3_alarms_t *alarms = NULL;
    etcd3_error_t *error = NULL;
    int64_t start = now_ns();
    /* Any key: to read it takes a majority. That it may not be read was found out by one. */
    etcd3_code_t code = etcd3_get(health->client, "health", ETCD3_NTS, &result, &error);
    duration_text(now_ns() - start, health->took);
    etcd3_result_free(result);
    if (code != ETCD3_OK && code != ETCD3_ERR_PERMISSION_DENIED) {
        snprintf(health->trouble, sizeof health->trouble, "%s", etcd3_error_message(error));
    } else if (etcd3_alarm_list(health->client, 0, ETCD3_ALARM_NONE, &alarms, NULL) != ETCD3_OK) {
        snprintf(health->trouble, sizeof health->trouble, "Unable to fetch the alarm list");
    } else if (etcd3_alarms_count(alarms)) {
        size_t i;
        strcpy(health->trouble, "Active Alarm(s): ");
        for (i = 0; i < etcd3_alarms_count(alarms) && i < 20; i++)
            strcat(health->trouble, etcd3_alarms_kind(alarms, i) == ETCD3_ALARM_NOSPACE ? "NOSPACE " : "CORRUPT ");
    }
    etcd3_error_free(error);
    etcd3_alarms_free(alarms);
    return NULL;
}

static void show_health(struct table *table, const struct health *health)
{
    const char *healthy = *health->trouble ? "false" : "true";
    if (format == JSON) {
        json_open(NULL, '{');
        json_text("endpoint", health->endpoint);
        json_raw("health", healthy);
        json_text("took", health->took);
        json_text("error", health->trouble);
        json_close('}');
    } else if (format == FIELDS) {
        printf("\"Endpoint\" : \"%s\"\n\"Health\" : %s\n\"Took\" : %s\n\"Error\" : %s\n\n", health->endpoint, healthy,
               health->took, health->trouble);
    } else if (format == TABLE) {
        table_add(table, health->endpoint);
        table_add(table, healthy);
        table_add(table, health->took);
        table_add(table, health->trouble);
    } else if (*health->trouble) {
        fprintf(stderr, "%s is unhealthy: failed to commit proposal: %s\n", health->endpoint, health->trouble);
    } else {
        printf("%s is healthy: successfully committed proposal: took = %s\n", health->endpoint, health->took);
    }
}

static int health(const struct args *args)
{
    static const char *const head[] = {"endpoint", "health", "took", "error"};
    struct table table = {4, 0, NULL};
    struct health *all;
    size_t i, count, healthy = 0;
    char **endpoints;
    (void)args;
    endpoints = list_endpoints(of_cluster, &count);
    all = (struct health *)allocate(count * sizeof *all);
    memset(all, 0, count * sizeof *all);
    for (i = 0; i < count; i++) {
        all[i].endpoint = endpoints[i];
        all[i].client = open_client(&cluster, endpoints[i]);
        if (pthread_create(&all[i].thread, NULL, check, &all[i]) != 0)
            die(EXIT_ERROR, "no thread");
    }
    add_head(&table, head);
    if (format == JSON)
        json_open(NULL, '[');
    for (i = 0; i < count; i++) {
        pthread_join(all[i].thread, NULL);
        show_health(&table, &all[i]);
        healthy += !*all[i].trouble;
        etcd3_client_free(all[i].client);
    }
    if (format == SIMPLE)
        table_free(&table);
    else
        show_rows(&table, count);
    free(all);
    free_endpoints(endpoints, count);
    if (healthy < count)
        die(EXIT_ERROR, "unhealthy cluster");
    return 0;
}

const struct command endpoint_commands[] = {
    {"endpoint", "health", "[--cluster]", "Checks the healthiness of endpoints", flags, health},
    {"endpoint", "status", "[--cluster]", "Prints out the status of endpoints", flags, status},
    {"endpoint", "hashkv", "[options]", "Prints the KV history hash for each endpoint", hashkv_flags, hashkv},
    {0},
};
