/*
 * protocol.h - bytes to requests, replies to bytes: what every protocol is.
 *
 * A protocol does no input or output, allocates nothing, logs nothing and
 * knows no store. Adding one adds files to this room and a line to the table
 * in protocol_find.c.
 */
#ifndef KVCACHED_PROTOCOL_PROTOCOL_H
#define KVCACHED_PROTOCOL_PROTOCOL_H

#include "protocol/reply.h"
#include "protocol/request.h"

enum parse_result {
    PARSE_MORE,    /* no whole request is here yet. parser.wanted says how many
                      bytes, counted from behind *consumed, are the least that
                      could be one: with fewer a call is in vain, and waiting
                      for more may be for ever. *consumed may be above 0: bytes of a
                      refused value that were dropped. */
    PARSE_REQUEST, /* *request is whole; take *consumed bytes off the buffer
                      once it has been answered */
    PARSE_BODY,    /* *request is whole but for its value, which is too large to
                      wait for in a buffer: *consumed covers the line alone.
                      request->value_length bytes and a line end follow; the
                      caller takes the bytes, then calls body_end */
    PARSE_REFUSED, /* answer with parser.error; go on after *consumed */
    PARSE_FATAL,   /* answer with parser.error and close: where the next request
                      begins cannot be known */
    PARSE_HANGUP,  /* a browser that was lured here, or TLS: close without a word */
};

/* What stood before the keys of a line that is handed on in pieces. */
struct parser_keys {
    enum verb verb;
    unsigned form;
    uint32_t options;
    struct ttl ttl;
    size_t ns_length;
    char ns[REQUEST_NAMESPACE_MAX];
};

/*
 * One per connection. Zero is its starting state, and so is parser_init's; `max_value`,
 * `window` and `login` are the owner's to set, before any call.
 */
struct parser {
    uint64_t max_value; /* bytes; larger values are refused, read and dropped */
    bool login;         /* the client has to authenticate: where the protocol has no AUTH,
                           the first SET does that, whatever its words before the count */
    size_t window;      /* bytes that the caller can hold at once: a request
                           that fits with its value is waited for whole, a
                           larger one becomes PARSE_BODY. At least
                           REQUEST_LINE_MAX. A value whose length nobody says
                           beforehand, because it ends where its line ends, has
                           to be waited for: with one, `wanted` goes beyond the
                           window, up to a line and max_value + 2 bytes */
    /* the parser's own */
    size_t line;       /* bytes of the request line at the front, its line end
                          included, when it is whole and waits for its value */
    size_t scanned;    /* bytes at the front where the line end that is waited
                          for is known not to be, so that what comes byte by
                          byte is not searched again and again */
    uint64_t dropping; /* bytes of a refused value still to be dropped */
    uint8_t state;
    struct parser_keys keys; /* while a line of keys is handed on; its requests' ns is here */
    /* results */
    size_t wanted;      /* with PARSE_MORE */
    bool silent;        /* with PARSE_REFUSED: the client said that it waits for no answer */
    struct reply error; /* with PARSE_REFUSED and PARSE_FATAL; its text lives in
                           `said` or is constant */
    char said[256];
};

/* The starting state. What a refusal says is not cleared: a parser is made for every turn
 * of a connection that is mostly idle. */
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
    bool ends_keys;      /* wants a REPLY_KEYS_END behind the last key of a GET or LOOK */
    const char *version; /* of the server whose protocol this is, as numbers with points
                            between; NULL: kvcached's own */
    size_t key_max;      /* bytes of a key that can be asked for */
    /* HELP's text: whole lines. */
    struct slice (*help)(void);

    /*
     * The next request of bytes[0..length). *consumed is 0 unless said above,
     * and counts the dropped bytes of a refused value before the request too.
     * The next call begins behind it: between two calls the bytes that were
     * not consumed stay as they are, though they may move. What is consumed may
     * be changed in place (a key that is decoded). After a request with REQUEST_IN_PIECES
     * the next call is made when that one has been answered.
     */
    enum parse_result (*parse)(struct parser *, char *bytes, size_t length, struct request *request,
                               size_t *consumed);

    /* After the value of a PARSE_BODY: takes its line end. PARSE_REQUEST when
     * it was there (*consumed set), PARSE_MORE, or PARSE_FATAL. */
    enum parse_result (*body_end)(struct parser *, const char *bytes, size_t length,
                                  size_t *consumed);

    /* After a PARSE_BODY that cannot be stored (out of memory, a namespace that
     * is not declared): the parser drops its value and line end itself. */
    void (*body_refused)(struct parser *, const struct request *, uint64_t left);

    /* After a request with REQUEST_MORE_FOLLOW that was answered with an error: that ends the
     * answer to its line, so the parser drops the keys that are left. */
    void (*keys_refused)(struct parser *);

    /* Writes what comes before the value, or the whole of a reply without one;
     * at most REPLY_HEAD_MAX bytes. Returns how many: 0 where the client waits
     * for no such reply. `request` is what is answered; NULL: a line that was no
     * request, and REPLY_END behind a HELP. Not for REPLY_HELP, whose text the
     * caller sends as it is, followed by REPLY_END's head. */
    size_t (*head)(const struct request *request, const struct reply *, char *to);

    /* Writes what comes after the value; at most REPLY_TAIL_MAX bytes. */
    size_t (*tail)(const struct request *request, const struct reply *, char *to);
};

extern const struct protocol protocol_native;
extern const struct protocol protocol_memcache;

/* The protocol of that name, or NULL. */
const struct protocol *protocol_find(struct slice name);

#endif
