/* lease: grant, revoke, timetolive, list, keep-alive. */
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int keys, once;

static const struct flag timetolive_flags[] = {
    {"keys", 0, FLAG_BOOL, &keys, "Get keys attached to this lease"},
    {0},
};
static const struct flag keep_alive_flags[] = {
    {"once", 0, FLAG_BOOL, &once, "Renew once and exit"},
    {0},
};

/* The one argument: a lease's id. */
static int64_t only_id(const struct args *args, const char *usage)
{
    int failed;
    int64_t id;
    if (args->count != 1)
        die(EXIT_ARGS, "%s", usage);
    id = parse_int(args->at[0], 16, &failed);
    if (failed)
        die(EXIT_ARGS, "bad lease ID arg (strconv.ParseInt: parsing \"%s\": invalid syntax), expecting ID in Hex",
            args->at[0]);
    return id;
}

static void field_id(int64_t id)
{
    printf(in_hex ? "\"ID\" : %016" PRIx64 "\n" : "\"ID\" : %" PRId64 "\n", id);
}

static int grant(const struct args *args)
{
    int64_t ttl, id = 0;
    int failed;
    if (args->count != 1)
        die(EXIT_ARGS, "lease grant command needs TTL argument");
    ttl = parse_int(args->at[0], 10, &failed);
    if (failed)
        die(EXIT_ARGS, "bad TTL (strconv.ParseInt: parsing \"%s\": invalid syntax)", args->at[0]);
    connect_client();
    must_or(etcd3_lease_grant(client, ttl, 0, &id, &ttl, &err), EXIT_ERROR, "failed to grant lease");
    if (format == JSON) {
        json_open(NULL, '{');
        json_number("ID", id);
        json_number("TTL", ttl);
        json_raw("Error", "\"\"");
        json_close('}');
        json_end();
    } else if (format == FIELDS) {
        field_id(id);
        printf("\"TTL\" : %" PRId64 "\n", ttl);
    } else {
        need_simple_or_json();
        printf("lease %016" PRIx64 " granted with TTL(%" PRId64 "s)\n", (uint64_t)id, ttl);
    }
    return 0;
}

static int revoke(const struct args *args)
{
    int64_t id = only_id(args, "lease revoke command needs 1 argument");
    connect_client();
    must_or(etcd3_lease_revoke_id(client, id, &err), EXIT_ERROR, "failed to revoke lease");
    if (!show_done())
        printf("lease %016" PRIx64 " revoked\n", (uint64_t)id);
    return 0;
}

static void json_keys(const etcd3_lease_info_t *info)
{
    size_t i, len, count = etcd3_lease_info_key_count(info);
    if (!count) {
        json_raw("keys", "null");
        return;
    }
    json_open("keys", '[');
    for (i = 0; i < count; i++) {
        const uint8_t *key = etcd3_lease_info_key(info, i, &len);
        json_bytes(NULL, key, len);
    }
    json_close(']');
}

static void simple_info(const etcd3_lease_info_t *info)
{
    uint64_t id = (uint64_t)etcd3_lease_info_id(info);
    int64_t ttl = etcd3_lease_info_ttl(info);
    size_t i, len;
    if (ttl == -1) {
        printf("lease %016" PRIx64 " already expired\n", id);
        return;
    }
    printf("lease %016" PRIx64 " granted with TTL(%" PRId64 "s), remaining(%" PRId64 "s)", id,
           etcd3_lease_info_granted_ttl(info), ttl);
    if (keys) {
        printf(", attached keys([");
        for (i = 0; i < etcd3_lease_info_key_count(info); i++) {
            const uint8_t *key = etcd3_lease_info_key(info, i, &len);
            printf(i ? " " : "");
            fwrite(key, 1, len, stdout);
        }
        printf("])");
    }
    putchar('\n');
}

static int timetolive(const struct args *args)
{
    int64_t id = only_id(args, "lease timetolive command needs lease ID as argument");
    etcd3_lease_info_t *info = NULL;
    size_t i, len;
    connect_client();
    must_or(etcd3_lease_time_to_live(client, id, keys, &info, &err), EXIT_CONNECTION, "");
    if (format == JSON) {
        json_open(NULL, '{');
        json_header_members(etcd3_lease_info_header(info));
        json_number("id", etcd3_lease_info_id(info));
        json_number("ttl", etcd3_lease_info_ttl(info));
        json_number("granted-ttl", etcd3_lease_info_granted_ttl(info));
        json_keys(info);
        json_close('}');
        json_end();
    } else if (format == FIELDS) {
        fields_header(etcd3_lease_info_header(info));
        field_id(etcd3_lease_info_id(info));
        printf("\"TTL\" : %" PRId64 "\n\"GrantedTTL\" : %" PRId64 "\n", etcd3_lease_info_ttl(info),
               etcd3_lease_info_granted_ttl(info));
        for (i = 0; i < etcd3_lease_info_key_count(info); i++) {
            const uint8_t *key = etcd3_lease_info_key(info, i, &len);
            printf("\"Key\" : ");
            out_quoted(key, len);
            putchar('\n');
        }
    } else {
        need_simple_or_json();
        simple_info(info);
    }
    etcd3_lease_info_free(info);
    return 0;
}

static int list(const struct args *args)
{
    etcd3_lease_list_t *leases = NULL;
    size_t i, count;
    (void)args;
    connect_client();
    must_or(etcd3_lease_list(client, &leases, &err), EXIT_CONNECTION, "");
    count = etcd3_lease_list_count(leases);
    if (format == JSON) {
        json_open(NULL, '{');
        json_header_members(etcd3_lease_list_header(leases));
        json_open("leases", '[');
        for (i = 0; i < count; i++) {
            json_open(NULL, '{');
            json_number("id", etcd3_lease_list_id(leases, i));
            json_close('}');
        }
        json_close(']');
        json_close('}');
        json_end();
    } else if (format == FIELDS) {
        fields_header(etcd3_lease_list_header(leases));
        for (i = 0; i < count; i++)
            field_id(etcd3_lease_list_id(leases, i));
    } else {
        need_simple_or_json();
        printf("found %zu leases\n", count);
        for (i = 0; i < count; i++)
            printf("%016" PRIx64 "\n", (uint64_t)etcd3_lease_list_id(leases, i));
    }
    etcd3_lease_list_free(leases);
    return 0;
}

static void show_renewal(int64_t id, int64_t ttl)
{
    if (format == JSON) {
        json_open(NULL, '{');
        json_number("ID", id);
        json_number("TTL", ttl);
        json_close('}');
        json_end();
    } else if (format == FIELDS) {
        field_id(id);
        printf("\"TTL\" : %" PRId64 "\n", ttl);
    } else {
        need_simple_or_json();
        printf("lease %016" PRIx64 " keepalived with TTL(%" PRId64 ")\n", (uint64_t)id, ttl);
    }
    fflush(stdout);
}

/* Renews after a third of the time, until the lease is gone. */
static int keep_alive(const struct args *args)
{
    int64_t id = only_id(args, "lease keep-alive command needs lease ID as argument"), ttl = 0, until = 0;
    connect_client();
    if (once) {
        must_or(etcd3_lease_keep_alive_once(client, id, &ttl, &err), EXIT_CONNECTION, "");
        show_renewal(id, ttl);
        return 0;
    }
    catch_signals();
    while (!caught_signal()) {
        etcd3_code_t code = etcd3_lease_keep_alive_once(client, id, &ttl, &err);
        if (code == ETCD3_OK) {
            show_renewal(id, ttl);
            until = now_ns() + ttl * 1000000000;
            pause_for(ttl * 1000 / 3);
        } else if (code == ETCD3_ERR_LEASE_NOT_FOUND || (ttl && now_ns() > until)) {
            if (format == SIMPLE)
                printf("lease %016" PRIx64 " expired or revoked.\n", (uint64_t)id);
            etcd3_error_free(err);
            return 0;
        } else if (!ttl || !etcd3_error_is_retryable(err)) {
            must_or(code, EXIT_CONNECTION, "");
        } else {
            etcd3_error_free(err);
            err = NULL;
            pause_for(100);
        }
    }
    return 128 + caught_signal();
}

const struct command lease_commands[] = {
    {"lease", "grant", "<ttl>", "Creates leases", NULL, grant},
    {"lease", "revoke", "<leaseID>", "Revokes leases", NULL, revoke},
    {"lease", "timetolive", "<leaseID> [options]", "Gets lease information", timetolive_flags, timetolive},
    {"lease", "list", "", "Lists all active leases", NULL, list},
    {"lease", "keep-alive", "[options] <leaseID>", "Keeps leases alive (renew)", keep_alive_flags, keep_alive},
    {0},
};
