/*
 * frame.h - what protocols of lines and counted values have in common.
 *
 * A protocol says how it reads a line; the frame finds lines and values, waits for
 * what is not there yet, drops what was refused, and hands on large values in
 * parts, and long lines of keys in pieces (frame_keys.c).
 */
#ifndef KVCACHED_PROTOCOL_FRAME_H
#define KVCACHED_PROTOCOL_FRAME_H

#include "protocol/protocol.h"

/* Where the parser stands: parser.state. */
enum frame_state {
    FRAME_LINE,       /* at a request line, or behind one that waits for its value */
    FRAME_DROP_BYTES, /* in a refused value of parser.dropping bytes */
    FRAME_DROP_LINE,  /* in a line that is a refused value, or keys that were refused */
    FRAME_KEYS,       /* behind a key of a line that is handed on in pieces */
};

/* What a line turned out to be, and what follows it on the wire. */
enum frame_line {
    FRAME_REQUEST,            /* a whole request */
    FRAME_REQUEST_IN_PIECES,  /* a whole line of keys, to be handed on in pieces since one of
                                 them is escaped */
    FRAME_VALUE_LINE,         /* its value is the next line */
    FRAME_VALUE_BYTES,        /* its value is request->value_length bytes */
    FRAME_REFUSED,            /* parser.error says why; nothing follows */
    FRAME_REFUSED_THEN_LINE,  /* the next line is its value, to be dropped */
    FRAME_REFUSED_THEN_BYTES, /* so are request->value_length bytes */
    FRAME_FATAL,              /* refused, and nobody knows what follows */
    FRAME_BROWSER,
};

struct frame {
    /* Reads a line, given without its line end. The byte behind it is readable. */
    enum frame_line (*read_line)(struct parser *parser, struct slice line, struct request *request);
    /* Whether a value of so many bytes is to be dropped unseen; sets parser.error. */
    bool (*is_too_large)(struct parser *parser, uint64_t length);
    /* Whether what begins with this byte is no line but another protocol's; sets
     * parser.error. NULL: nothing is. */
    bool (*is_foreign)(struct parser *parser, char first);
    /*
     * Reads the start of a line that is longer than REQUEST_LINE_MAX, where it is one of keys:
     * all that stands before them. Returns how many bytes that is, up to the blank before the
     * first key; 0: it is no such line.
     */
    size_t (*begin_keys)(struct parser *parser, struct slice start, struct request *request);
    /* Whether a word of such a line is a key; sets parser.error. *escaped: it stands for
     * other bytes. */
    bool (*is_key)(struct parser *parser, struct slice word, bool *escaped);
    /* Writes the bytes that a key with REQUEST_WHOLE_KEY stands for in its place: they are no
     * more than it has. Its line is done with. */
    void (*decode_key)(struct slice *key);
    size_t key_max;   /* bytes of a key as it is written */
    bool many_blanks; /* may stand between keys, and behind the last; else just one */
    /* What is said, as CLIENT_ERROR. */
    const char *no_line_end;
    const char *line_too_long;
};

/* As protocol.parse, body_end and body_refused. */
enum parse_result frame_parse(const struct frame *frame, struct parser *parser, const char *bytes,
                              size_t length, struct request *request, size_t *consumed);
enum parse_result frame_body_end(const struct frame *frame, struct parser *parser,
                                 const char *bytes, size_t length, size_t *consumed);
void frame_body_refused(struct parser *parser, const struct request *request, uint64_t left);

/* As protocol.keys_refused. */
void frame_keys_refused(struct parser *parser);

/* --- for frame_parse.c: a line of keys in pieces (frame_keys.c) --------------------- */

/* From now on the parser stands before the first key of a line that began like this request;
 * only verb, form, options, ttl and ns of it are kept. */
void frame_keys_begin(struct parser *parser, const struct request *request);
/* As protocol.parse, for bytes that begin behind a key of that line. */
enum parse_result frame_keys_read(const struct frame *frame, struct parser *parser,
                                  const char *bytes, size_t length, struct request *request,
                                  size_t *consumed);

/* --- for protocols -------------------------------------------------------------- */

/* Sets parser.error, as printf does; what is too long is cut. */
void frame_refuse(struct parser *parser, enum reply_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether a whole line that begins with no verb of the protocol is what only a browser would
 * send. */
bool frame_is_browser(struct slice line);
/* The same of a line whose verb HTTP has too: what it asks for begins with a slash. */
bool frame_is_http(struct slice line);

#endif
