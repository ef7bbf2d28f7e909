/*
 * native.h - what the files of the native protocol share, and nobody else needs.
 *
 *   native.c        the buffer: where a line, a value and a refused value end
 *   native_line.c   one line: verb and words to a request
 *   native_reply.c  a reply to bytes
 *   native_help.c   HELP's text
 */
#ifndef KVCACHED_NATIVE_H
#define KVCACHED_NATIVE_H

#include "protocol/protocol.h"

/* What a line turned out to be, and what follows it on the wire. */
enum native_line {
    NATIVE_LINE_REQUEST,            /* a whole request */
    NATIVE_LINE_VALUE_LINE,         /* its value is the next line */
    NATIVE_LINE_VALUE_BYTES,        /* its value is request->value_length bytes */
    NATIVE_LINE_REFUSED,            /* parser.error says why; nothing follows */
    NATIVE_LINE_REFUSED_THEN_LINE,  /* the next line is its value, to be dropped */
    NATIVE_LINE_REFUSED_THEN_BYTES, /* so are request->value_length bytes */
    NATIVE_LINE_FATAL,              /* refused, and nobody knows what follows */
    NATIVE_LINE_BROWSER,
};

/* Reads a line, given without its line end. The byte behind it must be readable. */
enum native_line native_line_read(struct parser *parser, struct slice line,
                                  struct request *request);

/* Whether what begins with these bytes is what only a browser would send. */
bool native_line_from_browser(struct slice start);

/* Sets parser.error, as printf does; what is too long is cut. */
void native_refuse(struct parser *parser, enum reply_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

size_t native_reply_head(const struct reply *reply, char *to);
size_t native_reply_tail(const struct reply *reply, char *to);

#endif
