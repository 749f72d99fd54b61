/* alarm: list, disarm. */
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>

/* `header` is NULL for none: etcdctl, which disarms one alarm after the other, has none then. Nor have servers of 3.4. */
static void show_alarms(const etcd3_alarms_t *alarms, const etcd3_header_t *header)
{
    static const char *const kinds[] = {"NONE", "NOSPACE", "CORRUPT"};
    size_t i, count = etcd3_alarms_count(alarms);
    if (format == JSON) {
        json_open(NULL, '{');
        if (header && header->cluster_id)
            json_header("header", header);
        if (count)
            json_open("alarms", '[');
    } else if (format == FIELDS) {
        fields_header(header);
    }
    for (i = 0; i < count; i++) {
        uint64_t id = etcd3_alarms_member_id(alarms, i);
        int32_t kind = etcd3_alarms_kind(alarms, i);
        if (format == JSON) {
            json_open(NULL, '{');
            json_uint("memberID", id);
            json_int("alarm", kind);
            json_close('}');
        } else if (format == FIELDS) {
            printf(in_hex ? "\"MemberID\" : %" PRIx64 "\n" : "\"MemberID\" : %" PRIu64 "\n", id);
            printf("\"AlarmType\" : %s\n\n", kinds[kind]);
        } else {
            need_simple_or_json();
            printf("memberID:%" PRIu64 " alarm:%s \n", id, kinds[kind]);
        }
    }
    if (format == JSON) {
        if (count)
            json_close(']');
        json_close('}');
        json_end();
    }
}

static int list(const struct args *args)
{
    etcd3_alarms_t *alarms = NULL;
    if (args->count)
        die(EXIT_ARGS, "alarm list command accepts no arguments");
    connect_client();
    must(etcd3_alarm_list(client, 0, ETCD3_ALARM_NONE, &alarms, &err));
    show_alarms(alarms, etcd3_alarms_header(alarms));
    etcd3_alarms_free(alarms);
    return 0;
}

static int disarm(const struct args *args)
{
    etcd3_alarms_t *alarms = NULL;
    if (args->count)
        die(EXIT_ARGS, "alarm disarm command accepts no arguments");
    connect_client();
    must(etcd3_alarm_disarm(client, 0, ETCD3_ALARM_NONE, &alarms, &err));
    show_alarms(alarms, NULL);
    etcd3_alarms_free(alarms);
    return 0;
}

const struct command alarm_commands[] = {
    {"alarm", "list", "", "Lists all alarms", NULL, list},
    {"alarm", "disarm", "", "Disarms all alarms", NULL, disarm},
    {0},
};
