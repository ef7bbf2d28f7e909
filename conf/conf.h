/*
 * conf.h - kvcached.conf, read, checked and compared.
 *
 * The one list of options is options.def: name, type, range, default, whether a
 * reload can change it, help. Loader, `-t`, the manual page's table and the
 * sample file's comments come from it.
 *
 * Owned by the caller of conf_load; read by everybody, written by nobody after
 * that. Durations are milliseconds, sizes are bytes.
 */
#ifndef KVCACHED_CONF_CONF_H
#define KVCACHED_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONF_NEVER 0 /* a ttl or max_ttl that does not end */

/* Bytes of memory that a namespace takes before anything is in it, at most. */
enum { CONF_NAMESPACE_COST = 640 };

/* With a tls_client_ca: whether a client may come without a certificate. */
enum conf_tls_client { CONF_TLS_OPTIONAL, CONF_TLS_REQUIRED };

/* What an HTTP listener answers to clients that have not authenticated, where there are users. */
enum conf_open_pages { CONF_OPEN_HEALTH, CONF_OPEN_METRICS, CONF_OPEN_ALL };

/* Which namespaces have series of their own in /metrics. */
enum conf_series { CONF_SERIES_DECLARED, CONF_SERIES_ALL, CONF_SERIES_NONE };

struct conf_listen {
    char *address;           /* numeric IPv4 or IPv6, or NULL with path */
    bool both;               /* "::" that takes IPv4 too: no other group has that with its port */
    uint16_t port;           /* 0: the kernel picks */
    char *path;              /* Unix socket, or NULL */
    char *owner;             /* of the socket: "user" or "user:group", or NULL */
    mode_t mode;             /* of the socket */
    char *protocol;          /* "native", "memcache" or "http" */
    char *default_namespace; /* where keys without a namespace live, or NULL: conf's own */
    char *prefix;            /* one character that ends a namespace's name in a key, or NULL */
    char *tls_certificate;   /* a chain in PEM; NULL: no TLS here */
    char *tls_key;           /* its key in PEM */
    char *tls_client_ca;     /* who vouches for clients' certificates; NULL: none is asked for */
    enum conf_tls_client tls_client;
    enum conf_open_pages open; /* with "http" */
    int line;                  /* in the file, for messages; 0 for a default */
};

struct conf_namespace {
    char *name;
    uint64_t ttl;     /* CONF_NEVER: records of this namespace stay unless told */
    bool ttl_set;     /* false: the daemon's ttl */
    uint64_t max_ttl; /* CONF_NEVER: no bound */
    uint64_t memory;  /* quota in bytes; 0: shares what no quota claims */
    bool require_ttl; /* a write must say its ttl, unless ttl is set here; and
                         one that says `never` is refused always */
};

/* Globs of namespaces' names. */
struct conf_patterns {
    char **of;
    size_t count;
};

struct conf_user {
    char *name;
    char *secret;    /* its salted hash, as crypt(3) has them; NULL: no secret opens */
    char *unix_user; /* of this machine: whose processes need no secret at a Unix socket;
                        NULL: nobody's */
    struct conf_patterns read, write, watch, admin; /* where it may do what */
};

enum conf_policy { CONF_OPEN, CONF_DECLARED };

struct conf {
    char *file; /* where it came from, or NULL: built-in defaults */
    struct conf_listen *listen;
    size_t listen_count;
    char *default_namespace;
    uint64_t ttl;
    struct conf_namespace *namespaces;
    size_t namespace_count;
    enum conf_policy policy;
    unsigned undeclared_namespaces; /* the most there may be */
    struct conf_user *users;        /* none: whoever connects may do everything */
    size_t user_count;
    bool users_given; /* the file says which users there are, be it none */
    bool blank;       /* the file says nothing at all */
    bool insecure;    /* others than this machine may connect without users and TLS */
    uint64_t memory;
    uint64_t max_value;
    unsigned threads; /* 0 in the file means one a core; resolved here */
    unsigned max_connections;
    uint64_t buffers;      /* bytes, of all connections */
    uint64_t idle_timeout; /* 0: never */
    uint64_t purge_interval;
    char *user;
    char *pid_file;
    bool core_dumps; /* a core file may be written, with records and secrets in it */
    struct {
        enum conf_series namespaces;
    } metrics;
    struct {
        char *file; /* NULL: the process's own memory */
    } arena;
    struct {
        char *to;  /* "stderr", "syslog" or a file's path */
        int level; /* syslog's numbers: LOG_ERR .. LOG_DEBUG */
    } log;
};

/* All that is wrong, a line each: `FILE:LINE: option: what is wrong, what would
 * be right`. */
struct conf_errors {
    char *text; /* whole lines; NULL when there is none, or no memory for it */
    size_t count;
};

/*
 * Reads `file`, or takes the defaults where it is NULL. On success *conf is the
 * caller's, to be freed with conf_destroy. On failure *conf is NULL and *errors
 * holds every mistake that the file has, not the first only. errors->text is
 * the caller's in either case: free it with conf_errors_deinit. Looks users and
 * groups up, so call it from one thread at a time.
 */
bool conf_load(const char *file, struct conf **conf, struct conf_errors *errors);
/* The same from bytes, which are taken for those of `file`. */
bool conf_load_text(const char *file, const char *bytes, size_t length, struct conf **conf,
                    struct conf_errors *errors);
void conf_destroy(struct conf **conf);
void conf_errors_deinit(struct conf_errors *errors);

/*
 * Which options differ between the two and need a restart to change, as
 * "listen, threads"; an empty string when there is none. Writes at most `size`
 * bytes, always terminated.
 */
void conf_needs_restart(const struct conf *now, const struct conf *next, char *names, size_t size);

/*
 * A listener of `listening` that others than this machine could use freely if the
 * users were those of `next`: a reload takes users, but leaves listeners as they
 * are. NULL when there is none.
 */
const struct conf_listen *conf_exposed(const struct conf *listening, const struct conf *next);

/* `30m`, `500ms`, `1.5h`, a plain number of seconds: milliseconds. `64M`: bytes.
 * False when it is neither. Exposed for tests. */
bool conf_parse_duration(const char *text, uint64_t *milliseconds);
bool conf_parse_size(const char *text, uint64_t *bytes);

#endif
