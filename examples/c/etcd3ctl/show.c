/* The answers to gets, puts, deletes and transactions, and what watches see. */
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum format format = SIMPLE;
int in_hex, values_only;

void need_simple_or_json(void)
{
    if (format == FIELDS || format == TABLE)
        die(EXIT_FEATURE, "%s not supported as output format", format == FIELDS ? "fields" : "table");
}

int show_done(void)
{
    if (format == TABLE)
        need_simple_or_json();
    if (format == JSON)
        puts("{}");
    return format != SIMPLE;
}

static const etcd3_header_t no_header;

void json_header_members(const etcd3_header_t *header)
{
    if (!header)
        header = &no_header;
    json_uint("cluster_id", header->cluster_id);
    json_uint("member_id", header->member_id);
    json_int("revision", header->revision);
    json_uint("raft_term", header->raft_term);
}

void json_header(const char *key, const etcd3_header_t *header)
{
    json_open(key, '{');
    json_header_members(header);
    json_close('}');
}

void fields_header(const etcd3_header_t *header)
{
    const char *ids = in_hex ? "\"ClusterID\" : %" PRIx64 "\n\"MemberID\" : %" PRIx64 "\n"
                             : "\"ClusterID\" : %" PRIu64 "\n\"MemberID\" : %" PRIu64 "\n";
    if (!header)
        header = &no_header;
    printf(ids, header->cluster_id, header->member_id);
    if (header->revision > 0)
        printf("\"Revision\" : %" PRId64 "\n", header->revision);
    printf("\"RaftTerm\" : %" PRIu64 "\n", header->raft_term);
}

static void bytes(const uint8_t *at, size_t len)
{
    size_t i;
    if (!in_hex)
        fwrite(at ? at : (const uint8_t *)"", 1, len, stdout);
    for (i = 0; in_hex && i < len; i++)
        printf("\\x%02x", at[i]);
    putchar('\n');
}

static void simple_kv(const etcd3_kv_t *kv)
{
    if (!values_only)
        bytes(kv->key, kv->key_len);
    bytes(kv->value, kv->value_len);
}

static void json_kv(const char *key, const etcd3_kv_t *kv)
{
    json_open(key, '{');
    json_bytes("key", kv->key, kv->key_len);
    json_int("create_revision", kv->create_revision);
    json_int("mod_revision", kv->mod_revision);
    json_int("version", kv->version);
    json_bytes("value", kv->value, kv->value_len);
    json_int("lease", kv->lease);
    json_close('}');
}

static void fields_kv(const char *prefix, const etcd3_kv_t *kv)
{
    printf("\"%sKey\" : ", prefix);
    out_quoted(kv->key, kv->key_len);
    printf("\n\"%sCreateRevision\" : %" PRId64 "\n", prefix, kv->create_revision);
    printf("\"%sModRevision\" : %" PRId64 "\n", prefix, kv->mod_revision);
    printf("\"%sVersion\" : %" PRId64 "\n\"%sValue\" : ", prefix, kv->version, prefix);
    out_quoted(kv->value, kv->value_len);
    if (in_hex)
        printf("\n\"%sLease\" : %016" PRIx64 "\n", prefix, (uint64_t)kv->lease);
    else
        printf("\n\"%sLease\" : %" PRId64 "\n", prefix, kv->lease);
}

typedef const etcd3_kv_t *kv_at(const etcd3_result_t *result, size_t index);

static void json_kvs(const char *key, const etcd3_result_t *result, size_t count, kv_at *at)
{
    size_t i;
    if (!count)
        return;
    json_open(key, '[');
    for (i = 0; i < count; i++)
        json_kv(NULL, at(result, i));
    json_close(']');
}

static void json_result(const char *key, const etcd3_result_t *result)
{
    static const char *const names[] = {"", "response_range", "response_put", "response_delete_range", "response_txn"};
    size_t i, prev = etcd3_result_prev_kv_count(result);
    json_open(key, '{');
    json_header("header", etcd3_result_header(result));
    switch (etcd3_result_kind(result)) {
    case ETCD3_RESULT_GET:
        json_kvs("kvs", result, etcd3_result_kv_count(result), etcd3_result_kv);
        json_bool("more", etcd3_result_more(result));
        json_int("count", etcd3_result_count(result));
        break;
    case ETCD3_RESULT_PUT:
        if (prev)
            json_kv("prev_kv", etcd3_result_prev_kv(result, 0));
        break;
    case ETCD3_RESULT_DELETE:
        json_int("deleted", etcd3_result_count(result));
        json_kvs("prev_kvs", result, prev, etcd3_result_prev_kv);
        break;
    case ETCD3_RESULT_TXN:
        json_bool("succeeded", etcd3_result_succeeded(result));
        if (etcd3_result_response_count(result)) {
            json_open("responses", '[');
            for (i = 0; i < etcd3_result_response_count(result); i++) {
                const etcd3_result_t *one = etcd3_result_response(result, i);
                json_open(NULL, '{');
                json_open("Response", '{');
                json_result(names[etcd3_result_kind(one)], one);
                json_close('}');
                json_close('}');
            }
            json_close(']');
        }
        break;
    }
    json_close('}');
}

static void simple_result(const etcd3_result_t *result)
{
    size_t i;
    switch (etcd3_result_kind(result)) {
    case ETCD3_RESULT_PUT:
        puts("OK");
        break;
    case ETCD3_RESULT_DELETE:
        printf("%" PRId64 "\n", etcd3_result_count(result));
        break;
    case ETCD3_RESULT_TXN:
        puts(etcd3_result_succeeded(result) ? "SUCCESS" : "FAILURE");
        break;
    }
    for (i = 0; i < etcd3_result_kv_count(result); i++)
        simple_kv(etcd3_result_kv(result, i));
    for (i = 0; i < etcd3_result_prev_kv_count(result); i++)
        simple_kv(etcd3_result_prev_kv(result, i));
    for (i = 0; i < etcd3_result_response_count(result); i++) {
        putchar('\n');
        simple_result(etcd3_result_response(result, i));
    }
}

static void fields_result(const etcd3_result_t *result)
{
    int32_t kind = etcd3_result_kind(result);
    size_t i;
    fields_header(etcd3_result_header(result));
    if (kind == ETCD3_RESULT_DELETE)
        printf("\"Deleted\" : %" PRId64 "\n", etcd3_result_count(result));
    if (kind == ETCD3_RESULT_TXN)
        printf("\"Succeeded\" : %s\n", etcd3_result_succeeded(result) ? "true" : "false");
    for (i = 0; i < etcd3_result_kv_count(result); i++)
        fields_kv("", etcd3_result_kv(result, i));
    for (i = 0; i < etcd3_result_prev_kv_count(result); i++)
        fields_kv("Prev", etcd3_result_prev_kv(result, i));
    for (i = 0; i < etcd3_result_response_count(result); i++)
        fields_result(etcd3_result_response(result, i));
    if (kind == ETCD3_RESULT_GET)
        printf("\"More\" : %s\n\"Count\" : %" PRId64 "\n", etcd3_result_more(result) ? "true" : "false",
               etcd3_result_count(result));
}

void show_result(const etcd3_result_t *result)
{
    if (format == TABLE)
        need_simple_or_json();
    if (format == JSON) {
        json_result(NULL, result);
        json_end();
    } else if (format == FIELDS) {
        fields_result(result);
    } else {
        simple_result(result);
    }
    fflush(stdout);
}

void show_kv(const etcd3_header_t *header, const etcd3_kv_t *kv)
{
    if (format == TABLE)
        need_simple_or_json();
    if (format == JSON) {
        json_open(NULL, '{');
        json_header("header", header);
        json_open("kvs", '[');
        json_kv(NULL, kv);
        json_close(']');
        json_close('}');
        json_end();
    } else if (format == FIELDS) {
        fields_header(header);
        fields_kv("", kv);
        printf("\"More\" : false\n\"Count\" : 0\n");
    } else {
        simple_kv(kv);
    }
    fflush(stdout);
}

static void json_watch(const etcd3_event_t *event)
{
    const etcd3_error_t *why = etcd3_event_error(event);
    size_t i, count = etcd3_event_change_count(event);
    json_open(NULL, '{');
    json_header("Header", etcd3_event_header(event));
    if (!count)
        json_raw("Events", why ? "null" : "[]");
    else
        json_open("Events", '[');
    for (i = 0; i < count; i++) {
        const etcd3_change_t *change = etcd3_event_change(event, i);
        json_open(NULL, '{');
        json_int("type", change->type);
        json_kv("kv", change->kv);
        if (change->prev_kv)
            json_kv("prev_kv", change->prev_kv);
        json_close('}');
    }
    if (count)
        json_close(']');
    json_number("CompactRevision", etcd3_event_compact_revision(event));
    json_raw("Canceled", why ? "true" : "false");
    json_raw("Created", "false");
    json_close('}');
    json_end();
}

void show_watch(const etcd3_event_t *event)
{
    size_t i;
    if (format == TABLE)
        need_simple_or_json();
    if (format == JSON)
        json_watch(event);
    if (format == FIELDS)
        fields_header(etcd3_event_header(event));
    for (i = 0; format != JSON && i < etcd3_event_change_count(event); i++) {
        const etcd3_change_t *change = etcd3_event_change(event, i);
        const char *type = change->type == ETCD3_CHANGE_PUT ? "PUT" : "DELETE";
        if (format == FIELDS) {
            printf("\"Type\" : %s\n", type);
            if (change->prev_kv)
                fields_kv("Prev", change->prev_kv);
            fields_kv("", change->kv);
        } else {
            puts(type);
            if (change->prev_kv)
                simple_kv(change->prev_kv);
            simple_kv(change->kv);
        }
    }
    fflush(stdout);
}
