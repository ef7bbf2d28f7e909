/*
 * conf.h - kvcached.conf, read, checked and compared.
 *
 * The one list of options is options.def: name, type, range, default, whether a reload can change
 * it, help. The loader, `-t`, the manual page's tables and the sample file are made from it.
 *
 * A struct conf belongs to the caller of conf_load, and to those that hold references. It does not
 * change after that, so any thread may read it. Durations are in milliseconds, sizes in bytes.
 */
#ifndef KVCACHED_CONF_CONF_H
#define KVCACHED_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#define CONF_NEVER 0 /* a ttl or max_ttl without an end */

/* Bytes of memory that an empty namespace takes, at most. */
enum { CONF_NAMESPACE_COST = 640 };

/* With a tls_client_ca: whether a client may connect without a certificate. */
enum conf_tls_client { CONF_TLS_OPTIONAL, CONF_TLS_REQUIRED };

/* What an HTTP listener answers to clients that have not authenticated, where there are users. */
enum conf_open_pages { CONF_OPEN_HEALTH, CONF_OPEN_METRICS, CONF_OPEN_ALL };

/* Which namespaces have series of their own in /metrics. */
enum conf_series { CONF_SERIES_DECLARED, CONF_SERIES_ALL, CONF_SERIES_NONE };

/* An address that stands for 127.0.0.1, and for ::1 too where the machine has IPv6. */
#define CONF_LOCALHOST "localhost"

struct conf_listen {
    char *address;           /* numeric IPv4 or IPv6, or CONF_LOCALHOST, or NULL with path */
    bool dual_stack;         /* "::" that takes IPv4 too: no other group has that with its port */
    uint16_t port;           /* 0: the kernel picks one */
    char *path;              /* Unix socket, or NULL */
    char *owner;             /* of the socket: "user" or "user:group", or NULL */
    mode_t mode;             /* of the socket */
    char *protocol;          /* "native", "memcache" or "http" */
    char *default_namespace; /* of keys without a namespace, or NULL: conf's own */
    char *prefix;            /* one character that ends a namespace's name in a key, or NULL */
    char *tls_certificate;   /* a chain in PEM; NULL: no TLS here */
    char *tls_key;           /* its key in PEM */
    char *tls_client_ca;     /* authorities of clients' certificates, in PEM; NULL: clients are not
                                asked for a certificate */
    enum conf_tls_client tls_client;
    enum conf_open_pages open; /* with "http" */
    int line;                  /* in the file, for messages; 0: the default listener */
};

/* Where the records of a namespace are. */
enum conf_engine { CONF_ENGINE_MEMORY, CONF_ENGINE_CLUSTER };

struct conf_namespace {
    char *name;
    uint64_t ttl;     /* of a write without a ttl */
    bool ttl_set;     /* false: conf's ttl instead */
    uint64_t max_ttl; /* CONF_NEVER: no bound */
    uint64_t memory;  /* quota in bytes; 0: shares what no quota claims */
    bool require_ttl; /* a write without a ttl is refused unless ttl is set here; a write with
                         `never` is always refused */
    enum conf_engine engine; /* if engine_set; else conf's engine */
    bool engine_set;
};

/* Several strings of one option: globs of namespaces' names, or nodes of a cluster. */
struct conf_patterns {
    char **of;
    size_t count;
};

struct conf_user {
    char *name;
    char *secret;    /* its hash by crypt(3); NULL: no secret authenticates this user */
    char *unix_user; /* user of this machine: its processes need no secret on a Unix socket. NULL:
                        none */
    struct conf_patterns read, write, watch, admin; /* namespaces in which it has that right */
};

enum conf_policy { CONF_OPEN, CONF_DECLARED };

struct conf_origins;

struct conf {
    unsigned references;          /* conf/'s own: besides the first one */
    struct conf_origins *origins; /* the same: where its options were set */
    char *file;                   /* where it was read, or NULL: built-in defaults */
    struct conf_listen *listen;
    size_t listen_count;
    char *default_namespace;
    uint64_t ttl;
    struct conf_namespace *namespaces;
    size_t namespace_count;
    enum conf_policy policy;
    unsigned undeclared_namespaces; /* at most so many at once */
    enum conf_engine engine;        /* of namespaces that do not say it themselves */
    struct {
        struct conf_patterns nodes;      /* "host:port"; none: there is no cluster */
        char *user;                      /* or NULL */
        char *secret_file;               /* or NULL */
        char *tls_ca;                    /* PEM; NULL: no TLS to the nodes */
        char *tls_certificate, *tls_key; /* or NULL */
        uint64_t patience;
    } cluster;
    struct conf_user *users; /* none: every client may do everything */
    size_t user_count;
    bool users_given; /* the file has the option `users`, perhaps with an empty list */
    bool empty;       /* the file has no setting at all */
    bool insecure;    /* other machines may connect without users and TLS */
    uint64_t memory;
    uint64_t max_value;
    unsigned threads; /* at least 1: a 0 in the file has been resolved */
    unsigned max_connections;
    uint64_t buffers;      /* bytes, of all connections */
    uint64_t idle_timeout; /* 0: never */
    uint64_t purge_interval;
    char *user;      /* to become after listening, or NULL */
    char *pid_file;  /* or NULL */
    bool core_dumps; /* a core file may be written; it has records and secrets in it */
    struct {
        enum conf_series namespaces;
        bool latency;
    } metrics;
    struct {
        uint64_t threshold; /* milliseconds; 0: never */
        unsigned entries;
    } slow_log;
    struct {
        char *file; /* NULL: the process's own memory */
    } arena;
    struct {
        char *to;  /* "stderr", "syslog" or a file's path */
        int level; /* syslog's numbers: LOG_ERR .. LOG_DEBUG */
    } log;
};

/* All mistakes of a file, one a line: `FILE:LINE: option: what is wrong, what would be right`.
 * Where that is long, what would be right is a line of its own after it. */
struct conf_errors {
    char *text;   /* whole lines; NULL: there is no mistake, or no memory for the text */
    size_t count; /* of lines */
};

/* Where a configuration is read from. */
struct conf_source {
    const char *file;            /* NULL: there is none */
    const char *const *settings; /* of the command line, which win over the file, and later ones
                                    over earlier ones; NULL where there is none */
    size_t setting_count;
};

/*
 * Reads a configuration; what its source does not say is the default. On success *conf is the
 * caller's, to be freed with conf_destroy. On failure *conf is NULL and *errors has every mistake
 * of the file. In both cases errors->text is the caller's, to be freed with conf_errors_deinit. One
 * thread at a time: it looks up users and groups with getpwnam and getgrnam.
 */
bool conf_load(const struct conf_source *source, struct conf **conf, struct conf_errors *errors);
/* The same from bytes, as if they were the contents of `file`. */
bool conf_load_text(const char *file, const char *bytes, size_t length, struct conf **conf,
                    struct conf_errors *errors);
/* One more reference to it, which conf_destroy gives back. Any thread. */
struct conf *conf_get(struct conf *conf);
/* Gives a reference back, and frees it with the last one. Sets *conf to NULL; NULL is legal. Any
 * thread. */
void conf_destroy(struct conf **conf);
void conf_errors_deinit(struct conf_errors *errors);

/* Whether the records of a namespace that is declared so are in the cluster. */
static inline bool conf_is_remote(const struct conf *conf, const struct conf_namespace *space)
{
    return (space->engine_set ? space->engine : conf->engine) == CONF_ENGINE_CLUSTER;
}

/* Whether its address is CONF_LOCALHOST. */
static inline bool conf_is_localhost(const struct conf_listen *listen)
{
    return listen->address != NULL && strcmp(listen->address, CONF_LOCALHOST) == 0;
}

/* How many sockets the listeners of the configuration are at most. Inline, so that rooms which do
 * not link this one can ask. */
static inline size_t conf_listen_sockets(const struct conf *conf)
{
    size_t sockets = conf->listen_count;
    for (size_t i = 0; i < conf->listen_count; i++) {
        sockets += conf_is_localhost(&conf->listen[i]);
    }
    return sockets;
}

/*
 * Writes the names of the options that differ between the two and need a restart to change, as
 * "listen, threads"; an empty string when there is none. At most `size` bytes, always terminated.
 */
void conf_needs_restart(const struct conf *now, const struct conf *next, char *names, size_t size);
/* The same for the options that differ and that a reload changes. */
void conf_changes(const struct conf *before, const struct conf *next, char *names, size_t size);

/*
 * Writes what differs between the two and is applied by a reload, as
 * "ttl 10m (was 5m), namespace pages: memory 2M (was 1M), user web added"; an empty string when
 * that is nothing. What does not fit into `size` bytes is counted: " and 3 more". Always
 * terminated. Has no secrets in it. Takes some milliseconds for thousands of namespaces.
 */
void conf_changes(const struct conf *now, const struct conf *next, char *text, size_t size);

/*
 * Returns a listener of `listening` that other machines could use without users or without TLS
 * if the options that a reload applies were those of `next`: a reload replaces users, but not
 * listeners. NULL when there is none.
 */
const struct conf_listen *conf_exposed(const struct conf *listening, const struct conf *next);

#endif
