/* etcd3ctl: what etcdctl does, on the C interface of libetcd3 alone. One file for each noun; this is what they share. */
#ifndef ETCD3CTL_H
#define ETCD3CTL_H

#include <etcd3.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Commands and flags (main.c, flags.c) ---- */

/* How a program ends: etcdctl's numbers. */
#define EXIT_ERROR 1
#define EXIT_CONNECTION 2
#define EXIT_INPUT 3
#define EXIT_FEATURE 4
#define EXIT_INTERRUPTED 5
#define EXIT_ARGS 128

enum flag_kind {
    FLAG_BOOL,    /* int */
    FLAG_INT,     /* int64_t */
    FLAG_TEXT,    /* const char * */
    FLAG_LIST,    /* the same, separated by commas; there is one such flag */
    FLAG_DURATION /* int64_t, milliseconds; text as Go takes it: 5s, 1m30s, 200ms */
};

/* What the flag sets is its default until then. A list of flags ends with a name of NULL. */
struct flag {
    const char *name;
    char letter; /* 0: none */
    enum flag_kind kind;
    void *to;
    const char *help;
};

/* The arguments that are no flags. */
struct args {
    int count;
    char **at;
    int before_dashes; /* how many came before a "--"; -1 without one */
};

/* Returns how to exit. A list of commands ends with a noun of NULL. */
struct command {
    const char *noun, *verb; /* verb NULL: there is none */
    const char *args, *help;
    const struct flag *flags;
    int (*run)(const struct args *args);
};

/* The flags of both lists out of argc words; what is left goes to `args`. 0, or -1 and `why`. */
int flags_parse(const struct flag *own, const struct flag *shared, int argc, char **argv, struct args *args, char *why,
                size_t why_size);
/* ETCDCTL_COMMAND_TIMEOUT for --command-timeout, and so on, for flags that are not given. 0, or -1 and `why`. */
int flags_from_env(const struct flag *flags, int argc, char **argv, char *why, size_t why_size);
const struct flag *flag_by_word(const struct flag *flags, const char *word);
/* Whether it is given among the words. */
int flag_is_given(const char *name, int argc, char **argv);

int64_t parse_int(const char *text, int base, int *failed);
uint64_t parse_id(const char *text, int *failed); /* a member's, in hex */

/* ---- The client (client.c) ---- */

/* How to reach a cluster. */
struct access {
    const char *endpoints; /* separated by commas */
    const char *domain, *service_name; /* in place of them: where their SRV records are */
    const char *ca, *cert, *key;
    int insecure, skip_verify;
    const char *user, *password;
    const char *password_prompt;
};

extern struct access cluster;
extern int64_t dial_timeout, command_timeout, keepalive_time, keepalive_timeout, max_request_bytes;
extern int command_timeout_is_given;
extern etcd3_client_t *client; /* see connect_client */
extern etcd3_error_t *err;     /* for all calls of the main thread: every error ends the program, or is freed */

/* Opens `client`. */
void connect_client(void);
/* A client of its own; with `endpoint` for that one alone. */
etcd3_client_t *open_client(const struct access *access, const char *endpoint);
/* The endpoints one by one, of the flag or with `of_cluster` of the members; freed with free_endpoints. */
char **list_endpoints(int of_cluster, size_t *count);
void free_endpoints(char **endpoints, size_t count);
char **split(const char *text, char separator, size_t *count); /* freed with free_endpoints */

/* "Error: ..." and the end. */
void die(int exit_code, const char *format, ...)
#ifdef __GNUC__
    __attribute__((noreturn, format(printf, 2, 3)))
#endif
    ;
/* Dies with `err` unless the code is ETCD3_OK. */
void must(etcd3_code_t code);
/* The same with another exit code and words before the message. */
void must_or(etcd3_code_t code, int exit_code, const char *words);
void *allocate(size_t size);
/* A line without echo from the terminal, or from stdin if that is none; freed by the caller. */
char *ask_password(const char *prompt);
char *read_line(void); /* from stdin, without its end; NULL at the end of the file; freed by the caller */

/* ---- Output (out.c, json.c, table.c, show.c) ---- */

enum format { SIMPLE, JSON, FIELDS, TABLE };
extern enum format format;
extern int in_hex, values_only;

/* Dies if the format is FIELDS or TABLE, for which there is no output of this kind. */
void need_simple_or_json(void);
/* An answer that says nothing but that it is done: shown, and 1, unless the format is SIMPLE. */
int show_done(void);

void out_quoted(const void *bytes, size_t len); /* as Go's %q */
char *duration_text(int64_t nanoseconds, char text[32]); /* as Go prints one */
char *size_text(uint64_t bytes, char text[32]);
int64_t now_ns(void);

/* JSON as Go's encoding/json writes it. Values of 0, "" and no bytes are left out, as `omitempty` does. The key NULL is
 * for elements of arrays. */
void json_open(const char *key, char bracket);
void json_close(char bracket);
void json_int(const char *key, int64_t value);
void json_uint(const char *key, uint64_t value);
void json_bool(const char *key, int value);
void json_number(const char *key, int64_t value); /* also if it is 0 */
void json_bytes(const char *key, const void *bytes, size_t len);
void json_text(const char *key, const char *text);
void json_raw(const char *key, const char *value); /* as it is, never left out */
void json_end(void);                               /* the line's end */

/* A row of cells, the first one being the head; all rows are freed by show_table. */
struct table {
    size_t columns, rows;
    char **cells;
};
void table_add(struct table *table, const char *cell);
void table_free(struct table *table);
void show_table(struct table *table);  /* framed, as etcdctl does for -w table */
void show_simple(struct table *table); /* the rows without the head, cells separated by ", " */

/* All 0 for NULL, as of a watch that is over. */
void json_header(const char *key, const etcd3_header_t *header);
void json_header_members(const etcd3_header_t *header); /* without an object of their own */
void fields_header(const etcd3_header_t *header);

void show_result(const etcd3_result_t *result);
void show_kv(const etcd3_header_t *header, const etcd3_kv_t *kv); /* as etcdctl shows a leader: a get without a count */
void show_watch(const etcd3_event_t *event); /* also PROGRESS, and CLOSED by the server */

/* ---- Waiting (wait.c) ---- */

/* From here on SIGINT and SIGTERM end no program but next_event. */
void catch_signals(void);
int caught_signal(void); /* 0: none */
/* The next event, the caller's; NULL after a signal, or after `timeout_ms` (-1: never). */
etcd3_event_t *next_event(const etcd3_queue_t *queue, int64_t timeout_ms);
void pause_for(int64_t ms); /* or until a signal */
/* Runs `work` with `argument` on a thread. Until it is done calls `show` four times a second, and `cancel` after a
 * signal. */
void with_progress(void (*work)(void *), void (*show)(void *), void (*cancel)(void *), void *argument);
void progress_line(const char *format, ...); /* on stderr, if that is a terminal, in place of the last one */
/* Runs a command to its end; its exit status, 255 if a signal ended it; -1 if it cannot be run, and that is said. */
int run_command(char **argv);

/* ---- Nouns ---- */

/* The flags of get, put and del, and the op that they and the words make; txn takes the same. Dies if that is nothing. */
extern const struct flag get_flags[], put_flags[], del_flags[];
void reset_kv_flags(void);
etcd3_op_t *get_op(const struct args *args);
etcd3_op_t *put_op(const struct args *args);
etcd3_op_t *del_op(const struct args *args);
int is_serializable(const char *consistency);

/* After an acquisition or a campaign was started: 1 once it is held, 0 after a signal. (lock.c) */
int wait_to_hold(const etcd3_queue_t *queue);
/* Shows what is held and waits for a signal; dies with `lost` if it is lost. */
void hold(const etcd3_queue_t *queue, const void *key, size_t key_len, const char *lost);

void show_names(const char *key, const etcd3_names_t *names); /* user.c */
void show_role(const char *name, const etcd3_role_t *role); /* role.c */

extern const struct command kv_commands[], txn_commands[], watch_commands[], lease_commands[], lock_commands[],
    elect_commands[], member_commands[], endpoint_commands[], alarm_commands[], maintenance_commands[],
    snapshot_commands[], mirror_commands[], auth_commands[], user_commands[], role_commands[];

#endif
