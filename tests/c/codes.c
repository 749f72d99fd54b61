/* Every code of the header, got through the C interface from a server that answers by script. With an argument it
   only names the codes that it has a row for. */
#include "codes.h"
#include "codes_local.h"

static struct scripted server;
static etcd3_client_t *client;

enum shape { PLAIN, PREFIXED, RAW, SHAPES };

/* The text in one of the shapes in which servers send it, and the status that comes with it; 0 if there is none. */
static int shaped(const struct row *row, enum shape shape, char *text, size_t size)
{
    int by_text = row->grpc != UNIMPLEMENTED;
    if (shape == PLAIN) {
        snprintf(text, size, "%s", row->text);
        return (int)row->grpc;
    }
    if (shape == PREFIXED) {
        snprintf(text, size, "rpc error: code = %s desc = %s", grpc_names[row->grpc], row->text);
        return by_text ? UNKNOWN : 0;
    }
    snprintf(text, size, "%s", strncmp(row->text, S, strlen(S)) == 0 ? row->text + strlen(S) : row->text);
    return by_text ? UNKNOWN : 0;
}

static void answered(const struct row *row, int grpc, const char *text, etcd3_code_t code, int writes,
                     etcd3_error_t **failure)
{
    etcd3_error_t *err = *failure;
    int applied = writes && row->write != NOT_APPLIED, open = writes && row->write == OPEN;
    char what[400];
    snprintf(what, sizeof what, "a %s answered with %d \"%s\" gave %s (%s), maybe_applied %d, retryable %d, status %d",
             writes ? "write" : "read", grpc, text, etcd3_code_name(code), etcd3_error_message(err),
             etcd3_error_maybe_applied(err), etcd3_error_is_retryable(err), (int)etcd3_error_grpc_status(err));
    check_that(code == (open ? ETCD3_ERR_AMBIGUOUS : row->code) && etcd3_error_code(err) == code &&
                   strcmp(etcd3_code_name(row->code), row->name) == 0 &&
                   etcd3_error_maybe_applied(err) == applied &&
                   etcd3_error_is_retryable(err) == (applied ? 0 : row->retryable) &&
                   etcd3_error_grpc_status(err) == grpc && strstr(etcd3_error_message(err), text) &&
                   strstr(etcd3_error_endpoint(err), server.endpoint),
               what, __FILE__, __LINE__);
    etcd3_error_free(err);
    *failure = NULL;
}

static void every_answer_has_its_code(void)
{
    size_t i;
    int shape;
    for (i = 0; i < ROWS; i++) {
        for (shape = PLAIN; shape < SHAPES; shape++) {
            char text[300];
            int grpc = shaped(&rows[i], (enum shape)shape, text, sizeof text);
            etcd3_error_t *err = NULL;
            etcd3_result_t *r = NULL;
            if (!grpc)
                continue;
            forget(&server);
            /* Alone, and after headers: both are legal. */
            ask("on %d * * %s %d %s", server.number, shape == RAW ? "trailers" : "status", grpc, text);
            answered(&rows[i], grpc, text, etcd3_get(client, "k", 1, &r, &err), 0, &err);
            answered(&rows[i], grpc, text, etcd3_put(client, "k", 1, "v", 1, &err), 1, &err);
            answered(&rows[i], grpc, text, etcd3_delete(client, "k", 1, NULL, &err), 1, &err);
            /* Who has no password has nothing to renew, but the server may catch up. */
            if (rows[i].code != ETCD3_ERR_AUTH_OLD_REVISION)
                CHECK_INT(asked(&server, "*"), 3);
        }
    }
}

/* A transaction is a write if it may write, however deep. */
static void a_transaction_of_gets_is_a_read(void)
{
    etcd3_op_t *reads = etcd3_op_txn(), *writes = etcd3_op_txn(), *get = etcd3_op_get("k", 1);
    etcd3_op_t *put_ = etcd3_op_put("k", 1, "v", 1), *outer = etcd3_op_txn();
    etcd3_result_t *r = NULL;
    etcd3_error_t *err = NULL;
    etcd3_txn_then(reads, get);
    etcd3_txn_else(writes, put_);
    etcd3_txn_then(outer, writes);
    forget(&server);
    script(&server, "Txn * status 14 " S "leader changed");
    CHECK_INT(etcd3_execute(client, reads, &r, &err), ETCD3_ERR_LEADER_CHANGED);
    CHECK_INT(etcd3_error_maybe_applied(err), 0);
    etcd3_error_free(err);
    err = NULL;
    CHECK_INT(etcd3_execute(client, writes, &r, &err), ETCD3_ERR_AMBIGUOUS);
    CHECK_INT(etcd3_error_maybe_applied(err), 1);
    etcd3_error_free(err);
    err = NULL;
    CHECK_CODE(etcd3_execute(client, outer, &r, &err), err, ETCD3_ERR_AMBIGUOUS, "leader changed");
    etcd3_op_free(reads);
    etcd3_op_free(writes);
    etcd3_op_free(outer);
    etcd3_op_free(get);
    etcd3_op_free(put_);
}

/* A watch is told in its response why it ends. */
static void every_end_of_a_watch_has_its_code(void)
{
    static const etcd3_code_t some[] = {ETCD3_ERR_EMPTY_WATCH_RANGE, ETCD3_ERR_DUPLICATE_WATCH_ID,
                                        ETCD3_ERR_PERMISSION_DENIED, ETCD3_ERR_FUTURE_REVISION, ETCD3_ERR_CORRUPT};
    etcd3_event_t *compacted;
    size_t i, j;
    int shape;
    for (i = 0; i < ROWS; i++) {
        for (j = 0; j < sizeof some / sizeof *some && some[j] != rows[i].code; j++)
            ;
        for (shape = PLAIN; shape < SHAPES && j < sizeof some / sizeof *some; shape++) {
            char text[300];
            const etcd3_error_t *err;
            etcd3_event_t *end;
            shaped(&rows[i], (enum shape)shape, text, sizeof text);
            forget(&server);
            ask("on %d Watch * recv | headers | message watch id=-1 created canceled reason=%s | never",
                server.number, text);
            end = end_of_a_watch(client);
            err = etcd3_event_error(end);
            if (!CHECK_INT(etcd3_error_code(err), rows[i].code) ||
                !CHECK(strstr(etcd3_error_message(err), text) != NULL))
                fprintf(stderr, "  for \"%s\": %s\n", text, etcd3_error_message(err));
            etcd3_event_free(end);
        }
    }
    forget(&server);
    script(&server, "Watch * recv | headers | message watch id=0 created canceled compact=7 | never");
    compacted = end_of_a_watch(client);
    CHECK_INT(etcd3_error_code(etcd3_event_error(compacted)), ETCD3_ERR_COMPACTED);
    CHECK_INT(etcd3_event_compact_revision(compacted), 7);
    etcd3_event_free(compacted);
}

static int only_names(void)
{
    size_t i;
    for (i = 0; i < ROWS; i++)
        printf("%s\n", rows[i].name);
    for (i = 0; i < LOCAL_ROWS; i++)
        printf("%s\n", local_rows[i].name);
    return 0;
}

int main(int argc, char **argv)
{
    etcd3_config_t *config;
    size_t i;
    (void)argv;
    if (argc > 1)
        return only_names();
    server = serve("grpc");
    config = config_of(&server, NULL, PATIENCE_MS);
    /* What is repeated, and how often, is the matter of outcome.c. */
    etcd3_config_set_max_attempts(config, 1);
    client = open_config(config);
    RUN(every_answer_has_its_code);
    RUN(a_transaction_of_gets_is_a_read);
    RUN(every_end_of_a_watch_has_its_code);
    close_client(client);
    for (i = 0; i < LOCAL_ROWS; i++) {
        check_section = local_rows[i].name;
        CHECK_STR(etcd3_code_name(local_rows[i].code), local_rows[i].name);
        if (local_rows[i].show)
            local_rows[i].show();
    }
    return CHECK_DONE();
}
