/*
 * frame.h - what protocols of lines and counted values have in common.
 *
 * A protocol says how it reads a line; the frame finds lines and values, waits for
 * what is not there yet, drops what was refused, and hands on large values in
 * parts.
 */
#ifndef KVCACHED_FRAME_H
#define KVCACHED_FRAME_H

#include "protocol/protocol.h"

/* What a line turned out to be, and what follows it on the wire. */
enum frame_line {
    FRAME_REQUEST,            /* a whole request */
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

/* Sets parser.error, as printf does; what is too long is cut. */
void frame_refuse(struct parser *parser, enum reply_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether a whole line is what only a browser would send. */
bool frame_is_browser(struct slice line);

#endif
