/*
 * frame.h - what protocols with lines and counted values have in common.
 *
 * A protocol supplies functions that parse a line; the frame finds lines and values, waits for
 * missing bytes, drops refused values, leaves large values to the caller (PARSE_BODY) and returns
 * long lines of keys in pieces (frame_keys.c).
 */
#ifndef KVCACHED_PROTOCOL_FRAME_H
#define KVCACHED_PROTOCOL_FRAME_H

#include "protocol/bytes.h"
#include "protocol/protocol.h"

/* Where the parser stands: parser.state. */
enum frame_state {
    FRAME_LINE,       /* at a request line, or after one that waits for its value */
    FRAME_DROP_BYTES, /* in a refused value of parser.dropping bytes */
    FRAME_DROP_LINE,  /* in a line that is a refused value, or in refused keys */
    FRAME_KEYS,       /* after a key of a line that is returned in pieces */
};

/* What a line is, and what follows it on the wire. */
enum frame_line {
    FRAME_REQUEST,            /* a complete request */
    FRAME_REQUEST_IN_PIECES,  /* a complete line of keys, to be returned in pieces because one of
                                 the keys is escaped */
    FRAME_VALUE_LINE,         /* its value is the next line */
    FRAME_VALUE_BYTES,        /* its value is request->value_length bytes */
    FRAME_REFUSED,            /* parser.error says why; no value follows */
    FRAME_REFUSED_THEN_LINE,  /* refused, and the next line is its value */
    FRAME_REFUSED_THEN_BYTES, /* refused, and request->value_length bytes are its value */
    FRAME_FATAL,              /* refused, and it is unknown what follows */
    FRAME_FOREIGN,            /* a line of another protocol, parser.foreign: see PARSE_HANGUP */
};

/* A protocol's functions and constants. */
struct frame {
    /* Parses a line, given without its line end. The byte after it is readable. */
    enum frame_line (*read_line)(struct parser *parser, struct slice line, struct request *request);
    /* Whether a value of so many bytes is refused; then sets parser.error. */
    bool (*is_too_large)(struct parser *parser, uint64_t length);
    /* Bytes that begin with this one are of another protocol; -1: there is no such byte. */
    int foreign_byte;
    /* Sets parser.error for them. */
    void (*refuse_foreign)(struct parser *parser);
    /*
     * Parses the beginning of a line that is longer than REQUEST_LINE_MAX, up to the blank before
     * its first key. Returns how many bytes that is; 0: it is not a line of keys.
     */
    size_t (*begin_keys)(struct parser *parser, struct slice start, struct request *request);
    /* Whether a word of such a line is a key; else sets parser.error. *escaped: it has to be
     * decoded. */
    bool (*is_key)(struct parser *parser, struct slice word, bool *escaped);
    /* Decodes a key with REQUEST_WHOLE_KEY in place: the result is not longer. The frame does not
     * read its line again. */
    void (*decode_key)(struct slice *key);
    size_t key_max; /* bytes of an encoded key */
    /* Texts of CLIENT_ERROR. */
    const char *no_line_end;
    const char *line_too_long;
};

/* As protocol.parse, body_end and body_refused. */
enum parse_result frame_parse(struct parser *parser, const char *bytes, size_t length,
                              struct request *request, size_t *consumed, const struct frame *frame);
enum parse_result frame_body_end(const struct frame *frame, struct parser *parser,
                                 const char *bytes, size_t length, size_t *consumed);
void frame_body_refused(struct parser *parser, const struct request *request, uint64_t left);

/* As protocol.keys_refused. */
void frame_keys_refused(struct parser *parser);

/* --- for frame_parse.c: a line of keys in pieces (frame_keys.c) --------------------- */

/* Puts the parser before the first key of a line that begins like this request; copies its verb,
 * form, options, ttl and ns. */
void frame_keys_begin(struct parser *parser, const struct request *request);
/* As protocol.parse, for bytes that begin after a key of that line. */
enum parse_result frame_keys_read(const struct frame *frame, struct parser *parser,
                                  const char *bytes, size_t length, struct request *request,
                                  size_t *consumed);

/* --- for protocols -------------------------------------------------------------- */

/* Whether a line begins, of which nothing was seen yet. */
static inline bool frame_is_at_line(const struct parser *parser)
{
    return (parser->state | parser->line | parser->scanned) == 0;
}

/* The bytes of the line end that is at `at`; 0: none is, or not all of it. */
static inline size_t frame_line_end(const char *at, const char *end)
{
    if (end - at >= 2 && at[0] == '\r' && at[1] == '\n') {
        return 2;
    }
    return at < end && *at == '\n' ? 1 : 0;
}

/* Reads the blank that is at `at`, and a number of 1 to 7 digits, which begins 8 bytes before the
 * end or more: nearly all do. Returns where it ends; NULL: `at` is, there is none, or a longer
 * one. */
static inline const char *frame_short_number(const char *at, const char *end, uint64_t *number)
{
    if (at == NULL || end - at <= BYTES_WORD || *at != ' ') {
        return NULL;
    }
    uint64_t word = bytes_load(at + 1);
    size_t count = bytes_digits(word);
    if (count == 0 || count == BYTES_WORD) {
        return NULL;
    }
    *number = bytes_decimal(word, count);
    return at + 1 + count;
}

/* Takes the end of a write's line that is at `at`, and the value behind it. Returns where the
 * value's own line ends; NULL: not all of it has come, it has no line end, or it is to be read in
 * parts. */
static inline const char *frame_whole_value(const struct parser *parser, const char *start,
                                            const char *at, const char *end,
                                            struct request *request)
{
    size_t line_end = frame_line_end(at, end);
    uint64_t length = request->value_length;
    const char *value = at + line_end;
    if (line_end == 0 || length >= (size_t)(end - value)) {
        return NULL;
    }
    size_t value_end = frame_line_end(value + length, end);
    const char *behind = value + length + value_end;
    request->value = (struct slice){value, (size_t)length};
    return value_end > 0 && (size_t)(behind - start) <= parser->window ? behind : NULL;
}

/* Sets parser.error, with a text as by printf; a longer one than parser.message is truncated. */
void frame_refuse(struct parser *parser, enum reply_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds to the text of the last frame_refuse. */
void frame_refuse_more(struct parser *parser, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets parser.foreign. Whether that is another protocol: the line is FRAME_FOREIGN. */
bool frame_is_foreign(struct parser *parser, enum foreign foreign);

#endif
