/*
 * inspect.h - what a client that looks into the daemon is told: events, connections, slow requests.
 *
 * Each has a line of words name=value, as in logfmt, which the native protocol and HTTP share.
 * Values are escaped as in the log, and blanks and quotation marks as well, so that a value is one
 * word. Values of records are never shown.
 */
#ifndef KVCACHED_PROTOCOL_INSPECT_H
#define KVCACHED_PROTOCOL_INSPECT_H

#include <stdint.h>

#include "protocol/request.h"

/* --- events ---------------------------------------------------------------------- */

enum event_kind {
    EVENT_READ,
    EVENT_WRITE,
    EVENT_TOUCH,
    EVENT_DELETE,
    EVENT_EVICTION,   /* a record was dropped before its time */
    EVENT_EXPIRATION, /* a record was removed because its time was over */
    EVENT_OPENED,     /* a connection */
    EVENT_CLOSED,
};

#define EVENT_BIT(kind) (1u << (kind))

/* Sets of kinds, as the words of WATCH name them. */
enum {
    EVENTS_READS = EVENT_BIT(EVENT_READ),
    EVENTS_WRITES = EVENT_BIT(EVENT_WRITE) | EVENT_BIT(EVENT_TOUCH) | EVENT_BIT(EVENT_DELETE),
    EVENTS_EVICTIONS = EVENT_BIT(EVENT_EVICTION),
    EVENTS_EXPIRATIONS = EVENT_BIT(EVENT_EXPIRATION),
    EVENTS_CONNECTIONS = EVENT_BIT(EVENT_OPENED) | EVENT_BIT(EVENT_CLOSED),
    EVENTS_RECORDS = EVENTS_READS | EVENTS_WRITES | EVENTS_EVICTIONS | EVENTS_EXPIRATIONS,
};

/* What a request came to. */
enum event_status {
    EVENT_FOUND,      /* READ, TOUCH, DELETE: there was such a record */
    EVENT_NOT_FOUND,  /* there was none */
    EVENT_STORED,     /* WRITE */
    EVENT_NOT_STORED, /* WRITE: there is, or is not, such a record */
    EVENT_CHANGED,    /* WRITE: the record has another version */
    EVENT_TOO_LARGE,  /* WRITE */
    EVENT_NO_MEMORY,  /* WRITE */
    EVENT_REFUSED,    /* for another reason */
};

struct watch_event {
    enum event_kind kind;
    enum event_status status; /* of a request */
    enum verb verb;           /* of a request */
    bool compares;            /* WRITE: only where the record had the expected version */
    bool was_read;            /* EVICTION: since it was written */
    int fd;                   /* of the connection; 0: none */
    uint32_t number;          /* of the namespace, where it is known */
    uint32_t ttl;             /* WRITE: seconds; 0: never, or not known */
    uint64_t us;              /* since the beginning of 1970 */
    uint64_t bytes;           /* of the value; EVICTION, EXPIRATION: of the record */
    uint64_t left;            /* EVICTION: milliseconds to live, or UINT64_MAX */
    uint64_t id;              /* of the connection; 0: none */
    struct slice ns, key;
    struct slice peer, user; /* of the connection; empty: none */
    struct slice listener;   /* OPENED, CLOSED */
    struct slice reason;     /* CLOSED: the word of close_reasons.def */
};

/* Bytes of its longest line: a key of which each byte takes 4. */
enum { EVENT_LINE_MAX = 4 * REQUEST_KEY_MAX + 1024 };

/* --- connections ------------------------------------------------------------------- */

enum { CLIENT_NAME_MAX = 128 };

enum client_state {
    CLIENT_IDLE,
    CLIENT_WORKING,   /* a request is being carried out */
    CLIENT_READING,   /* a part of a request has come */
    CLIENT_UPLOADING, /* a part of a large value has come */
    CLIENT_STALLED,   /* it has to take replies first */
    CLIENT_AWAITS_AUTH,
    CLIENT_AWAITS_MEMORY,
    CLIENT_WATCHING,
    CLIENT_LINGERING, /* closed on the daemon's side */
};

struct client {
    uint64_t id;
    char peer[64];
    char user[REQUEST_NAMESPACE_MAX + 1]; /* empty: none */
    char tls[12];                         /* version, as 1.3; empty: no TLS */
    const char *listener;                 /* its name, which outlives the workers */
    const char *protocol;
    enum client_state state;
    enum verb last; /* VERB_UNUSED: it has sent no request */
    int fd;
    uint64_t age, idle; /* milliseconds */
    uint64_t in, out;   /* bytes received and sent */
    uint64_t owes;      /* bytes of replies that it has not taken */
};

enum { CLIENT_LINE_MAX = 1024 };

/* --- slow requests -------------------------------------------------------------------- */

enum { SLOW_PATTERN_MAX = 64 /* bytes; what is longer is cut */ };

struct slow_request {
    uint64_t id;
    uint64_t us;     /* when it ended, since the beginning of 1970 */
    uint64_t took;   /* nanoseconds from its first turn to its end */
    uint64_t worked; /* of these, in its turns */
    uint64_t turns;
    uint64_t keys;
    enum verb verb;
    char peer[64];
    char user[REQUEST_NAMESPACE_MAX + 1];
    char listener[CLIENT_NAME_MAX];
    char ns[REQUEST_NAMESPACE_MAX + 1];
    uint8_t pattern_length;
    char pattern[SLOW_PATTERN_MAX];
};

enum { SLOW_LINE_MAX = 2048 };

/* --- lines ------------------------------------------------------------------------- */

/* Each writes the words of a line, without a line end, and returns how many bytes these are. */
size_t inspect_event(const struct watch_event *event, char to[EVENT_LINE_MAX]);
size_t inspect_client(const struct client *client, char to[CLIENT_LINE_MAX]);
size_t inspect_slow(const struct slow_request *slow, char to[SLOW_LINE_MAX]);

/* The word of a verb in those lines; "-" for VERB_UNUSED. */
const char *inspect_verb(enum verb verb);

#endif
