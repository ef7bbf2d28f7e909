/*
 * protocol.h - what every protocol does: it turns bytes into requests and replies into bytes.
 *
 * A protocol does no input or output, allocates nothing, logs nothing and does not know the store.
 * A new one needs files in this directory and a line in the table of protocol_find.c.
 */
#ifndef KVCACHED_PROTOCOL_PROTOCOL_H
#define KVCACHED_PROTOCOL_PROTOCOL_H

#include "protocol/foreign.h"
#include "protocol/reply.h"
#include "protocol/request.h"

enum parse_result {
    PARSE_MORE,    /* the request is incomplete. It needs at least parser.wanted bytes after
                      *consumed: a call with fewer is useless, and waiting for more may never
                      end. *consumed may be above 0: bytes of a refused value were dropped. */
    PARSE_REQUEST, /* *request is complete; remove *consumed bytes from the buffer after it has
                      been executed */
    PARSE_BODY,    /* *request is complete except for its value, which is too large to buffer:
                      *consumed covers the line only. request->value_length bytes and a line end
                      follow; the caller reads the bytes, then calls body_end */
    PARSE_REFUSED, /* reply with parser.error; go on after *consumed */
    PARSE_FATAL,   /* reply with parser.error and close: the beginning of the next request is
                      unknown */
    PARSE_HANGUP,  /* another protocol, parser.foreign, such as an HTTP request, which a web page
                      may have made a browser send: reply with foreign_answer and close */
};

/* What a line of keys that is parsed in pieces has before its keys. */
struct parser_keys {
    enum verb verb;
    unsigned form;
    uint32_t options;
    struct ttl ttl;
    size_t ns_length;
    char ns[REQUEST_NAMESPACE_MAX];
};

/*
 * The state of one connection's parser. All zeros is the initial state, as parser_init sets it.
 * The caller sets `max_value`, `window` and `login` before the first call.
 */
struct parser {
    uint64_t max_value; /* bytes; larger values are refused, read and dropped */
    bool login;         /* the client has to authenticate: in a protocol without AUTH the first
                           SET does that, whatever its words before the count */
    size_t window;      /* bytes that the caller can buffer, at least REQUEST_LINE_MAX: a request
                           that fits with its value is returned whole, a larger one as
                           PARSE_BODY. A value that is a line has no length in advance and has to
                           be buffered: for it `wanted` exceeds the window, up to the request
                           line and max_value + 2 bytes */
    /* private */
    size_t line;       /* bytes of the request line at the front with its line end, when it is
                          complete and its value is not */
    size_t scanned;    /* bytes at the front that have no line end, so that a line that comes byte
                          by byte is not searched from its beginning each time */
    uint64_t dropping; /* bytes of a refused value still to be dropped */
    uint8_t state;
    struct parser_keys keys; /* while a line of keys is parsed in pieces; the ns of its requests
                                points here */
    /* results */
    size_t wanted;        /* with PARSE_MORE */
    bool silent;          /* with PARSE_REFUSED: the client expects no reply */
    struct reply error;   /* with PARSE_REFUSED and PARSE_FATAL; its text points into `message` or
                             is constant */
    enum foreign foreign; /* with PARSE_HANGUP */
    char message[256];
};

/* The initial state. `message` is not cleared, because a parser is initialised each time that a
 * mostly idle connection becomes active. */
static inline void parser_init(struct parser *parser, size_t window)
{
    parser->window = window;
    parser->max_value = parser->dropping = 0;
    parser->line = parser->scanned = parser->wanted = 0;
    parser->state = 0;
    parser->login = parser->silent = false;
}

struct protocol {
    const char *name;    /* as in the configuration */
    const char *speaks;  /* the same for messages, as in "this listener speaks ..." */
    bool ends_keys;      /* needs a REPLY_KEYS_END after the last key of a GET or LOOK */
    const char *version; /* of the server that the protocol comes from, as "x.y.z"; NULL:
                            kvcached's own */
    size_t key_max;      /* bytes of a key in a request */
    /* HELP's text: whole lines. */
    struct slice (*help)(const struct request *);

    /*
     * Parses the next request of bytes[0..length). *consumed is 0 except as enum parse_result
     * says, and includes the dropped bytes of a refused value before the request. The next call
     * begins after it: the bytes that were not consumed must be unchanged then, but may have
     * moved. Consumed bytes may be changed in place (a key is decoded). After a request with
     * REQUEST_IN_PIECES the caller must execute it before the next call.
     */
    enum parse_result (*parse)(struct parser *, char *bytes, size_t length, struct request *request,
                               size_t *consumed);

    /* After the value of a PARSE_BODY: parses its line end. PARSE_REQUEST when it was there
     * (*consumed set), PARSE_MORE, or PARSE_FATAL. */
    enum parse_result (*body_end)(struct parser *, const char *bytes, size_t length,
                                  size_t *consumed);

    /* After a PARSE_BODY that cannot be stored (out of memory, a namespace that is not declared):
     * the parser drops the `left` bytes of its value that are to come, and its line end. */
    void (*body_refused)(struct parser *, const struct request *, uint64_t left);

    /* After a request with REQUEST_MORE_FOLLOW that failed: the error ends the replies to its
     * line, so the parser drops the other keys. */
    void (*keys_refused)(struct parser *);

    /* Writes what precedes the value, or all of a reply without a value: at most REPLY_HEAD_MAX
     * bytes. Returns how many; 0 where the client expects no such reply. `request` is NULL for a
     * line that was refused, and for REPLY_END after a HELP. Not for REPLY_HELP: the caller sends
     * its text as it is, and then REPLY_END's head. */
    size_t (*head)(const struct request *request, const struct reply *, char *to);

    /* Writes what follows the value: at most REPLY_TAIL_MAX bytes. Returns how many. */
    size_t (*tail)(const struct request *request, const struct reply *, char *to);
};

extern const struct protocol protocol_native;
extern const struct protocol protocol_memcache;

/* The protocol of that name, or NULL. */
const struct protocol *protocol_find(struct slice name);

#endif
