/* make-mirror: copies a prefix to another cluster, then every change of it, until Ctrl-C. */
#include "ctl.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often it says on stdout how much it has copied, as etcdctl does. */
#define REPORT_MS 30000

/* What one transaction may have, well below the server's limit for a request. */
#define BATCH_BYTES (512 * 1024)

static struct access there = {"", "", "", "", "", "", 1, 0, "", "", "Destination Password: "};
static const char *prefix = "", *dest_prefix = "";
static int no_dest_prefix;
static int64_t rev, max_txn_ops = 128;

static const struct flag flags[] = {
    {"prefix", 0, FLAG_TEXT, &prefix, "Key-value prefix to mirror"},
    {"rev", 0, FLAG_INT, &rev, "Specify the kv revision to start to mirror"},
    {"max-txn-ops", 0, FLAG_INT, &max_txn_ops, "Maximum number of operations of a transaction (128)"},
    {"dest-prefix", 0, FLAG_TEXT, &dest_prefix, "Prefix in the destination cluster, in place of --prefix"},
    {"no-dest-prefix", 0, FLAG_BOOL, &no_dest_prefix, "Mirror key-values to the root of the destination cluster"},
    {"dest-cert", 0, FLAG_TEXT, &there.cert, "Identify the client using this TLS certificate file at the destination"},
    {"dest-key", 0, FLAG_TEXT, &there.key, "Identify the client using this TLS key file"},
    {"dest-cacert", 0, FLAG_TEXT, &there.ca, "Verify certificates of the destination using this CA bundle"},
    {"dest-insecure-transport", 0, FLAG_BOOL, &there.insecure, "No TLS where the destination does not ask for it"},
    {"dest-user", 0, FLAG_TEXT, &there.user, "Destination username[:password]"},
    {"dest-password", 0, FLAG_TEXT, &there.password, "Destination password, if --dest-user does not include it"},
    {0},
};

static etcd3_client_t *destination;
static int64_t copied, reported_at;

/* Operations that are still to be sent. */
static struct {
    etcd3_op_t *txn;
    int64_t count;
    size_t bytes;
} batch;

static void report(void)
{
    progress_line("mirrored %" PRId64, copied);
    if (now_ns() - reported_at < (int64_t)REPORT_MS * 1000000)
        return;
    printf("%" PRId64 "\n", copied);
    fflush(stdout);
    reported_at = now_ns();
}

static void flush(void)
{
    etcd3_result_t *result = NULL;
    if (!batch.count)
        return;
    must(etcd3_execute(destination, batch.txn, &result, &err));
    etcd3_result_free(result);
    etcd3_op_free(batch.txn);
    copied += batch.count;
    memset(&batch, 0, sizeof batch);
    report();
}

/* The put or the delete of one key, under its name there. */
static void mirror(const etcd3_kv_t *kv, int deleted)
{
    size_t cut = strlen(prefix), put_before = strlen(dest_prefix), len = put_before + kv->key_len - cut;
    char *key = (char *)allocate(len);
    etcd3_op_t *op;
    memcpy(key, dest_prefix, put_before);
    memcpy(key + put_before, kv->key + cut, kv->key_len - cut);
    if (batch.count == max_txn_ops || batch.bytes + len + kv->value_len > BATCH_BYTES)
        flush();
    if (!batch.txn)
        batch.txn = etcd3_op_txn();
    op = deleted ? etcd3_op_delete(key, len) : etcd3_op_put(key, len, kv->value, kv->value_len);
    etcd3_txn_then(batch.txn, op);
    etcd3_op_free(op);
    free(key);
    batch.count++;
    batch.bytes += len + kv->value_len;
}

/* One transaction for the changes of one revision, as far as max_txn_ops allows; and for as much as it allows of what is
   there at the start. */
static void follow(const etcd3_event_t *event)
{
    int64_t revision = 0;
    size_t i;
    for (i = 0; i < etcd3_event_change_count(event); i++) {
        const etcd3_change_t *change = etcd3_event_change(event, i);
        if (change->kv->mod_revision != revision && !change->is_synthetic)
            flush();
        revision = change->kv->mod_revision;
        mirror(change->kv, change->type == ETCD3_CHANGE_DELETE);
    }
    flush();
}

static int make_mirror(const struct args *args)
{
    etcd3_watch_opts_t *opts;
    etcd3_queue_t *queue;
    etcd3_watch_t *watch;
    if (args->count != 1)
        die(EXIT_ARGS, "make-mirror takes one destination argument");
    if (no_dest_prefix && *dest_prefix)
        die(EXIT_ARGS, "`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time, choose one");
    if (max_txn_ops < 1)
        die(EXIT_ARGS, "--max-txn-ops must be above 0");
    if (!no_dest_prefix && !*dest_prefix)
        dest_prefix = prefix;
    there.endpoints = args->at[0];
    destination = open_client(&there, NULL);
    connect_client();
    catch_signals();
    reported_at = now_ns();
    opts = etcd3_watch_opts_new(prefix, ETCD3_NTS);
    etcd3_watch_opts_set_prefix(opts);
    if (rev <= 1)
        etcd3_watch_opts_set_mirror(opts);
    else
        etcd3_watch_opts_set_start_revision(opts, rev);
    must(etcd3_queue_new(&queue, &err));
    must(etcd3_watch_start(client, opts, queue, NULL, NULL, &watch, &err));
    etcd3_watch_opts_free(opts);
    while (!caught_signal()) {
        etcd3_event_t *event = next_event(queue, 1000);
        /* The end, or history that is lost: what was deleted meanwhile would stay there for ever. */
        if (event && etcd3_event_error(event) && etcd3_event_state(event) != ETCD3_STATE_DISCONNECTED)
            die(EXIT_ERROR, "%s", etcd3_error_message(etcd3_event_error(event)));
        follow(event);
        report();
        etcd3_event_free(event);
    }
    etcd3_watch_free(watch);
    etcd3_queue_free(queue);
    etcd3_client_free(destination);
    return 128 + caught_signal();
}

const struct command mirror_commands[] = {
    {"make-mirror", NULL, "[options] <destination>", "Makes a mirror at the destination etcd cluster", flags,
     make_mirror},
    {0},
};
