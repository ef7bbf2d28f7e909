/*
 * frame_parse.c - finds where requests, values and refused values end in a connection's buffer.
 * What a line means is up to the protocol: see frame.h.
 *
 * The first rule is that a value is never executed as commands. So after a refused write the
 * parser drops the value, however it is split into packets, and where its length is unknown the
 * connection is closed.
 *
 *   at the front of the buffer          state
 *   ----------------------------------  -------------------------------------
 *   a request line, perhaps incomplete  FRAME_LINE, parser.line is 0
 *   a write's line before its value     FRAME_LINE, parser.line is its length
 *   bytes of a refused value            FRAME_DROP_BYTES, parser.dropping left
 *   a line that is a refused value      FRAME_DROP_LINE
 *   the next key of a long line         FRAME_KEYS: see frame_keys.c
 *
 * A line that waits for its value is parsed again when more bytes have come: it is short, and its
 * slices must point into the current buffer anyway. `wanted` and `scanned` prevent that long input
 * is scanned twice.
 */
#include "protocol/frame.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Writes the text behind the bytes that the message has already. */
static void write_message(struct parser *parser, size_t from, const char *format, va_list arguments)
{
    size_t space = sizeof parser->message - from;
    int length = vsnprintf(parser->message + from, space, format, arguments);
    size_t kept = length < 0 ? 0 : (size_t)length;
    if (kept >= space) {
        kept = space - 1;
    }
    parser->error.text = (struct slice){parser->message, from + kept};
}

void frame_refuse(struct parser *parser, enum reply_kind kind, const char *format, ...)
{
    va_list arguments;
    parser->error = (struct reply){.kind = kind};
    va_start(arguments, format);
    write_message(parser, 0, format, arguments);
    va_end(arguments);
}

void frame_refuse_more(struct parser *parser, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_message(parser, parser->error.text.length, format, arguments);
    va_end(arguments);
}

bool frame_is_foreign(struct parser *parser, enum foreign foreign)
{
    parser->foreign = foreign;
    return foreign != FOREIGN_NONE;
}

/* --- line ends ------------------------------------------------------------ */

static enum parse_result need_more(struct parser *parser, size_t wanted)
{
    parser->wanted = wanted;
    return PARSE_MORE;
}

/* Takes the line end that these bytes must begin with. PARSE_REQUEST when it was there. */
static enum parse_result take_line_end(const struct frame *frame, struct parser *parser,
                                       const char *bytes, size_t length, size_t *taken)
{
    *taken = 0;
    if (length > 0 && bytes[0] == '\n') {
        *taken = 1;
        return PARSE_REQUEST;
    }
    if (length == 0 || (length == 1 && bytes[0] == '\r')) {
        return need_more(parser, length + 1);
    }
    if (bytes[0] == '\r' && bytes[1] == '\n') {
        *taken = 2;
        return PARSE_REQUEST;
    }
    frame_refuse(parser, REPLY_CLIENT_ERROR, "%s", frame->no_line_end);
    return PARSE_FATAL;
}

/* --- refused values ------------------------------------------------------- */

static void drop_line(struct parser *parser)
{
    parser->state = FRAME_DROP_LINE;
}

static void drop_bytes(struct parser *parser, uint64_t length)
{
    parser->state = FRAME_DROP_BYTES;
    parser->dropping = length;
}

/* PARSE_REQUEST when all of it is dropped. */
static enum parse_result drop_rest_of_line(struct parser *parser, const char *bytes, size_t length,
                                           size_t *dropped)
{
    const char *line_end = memchr(bytes, '\n', length);
    if (line_end == NULL) {
        *dropped = length;
        return need_more(parser, 1);
    }
    *dropped = (size_t)(line_end - bytes) + 1;
    parser->state = FRAME_LINE;
    return PARSE_REQUEST;
}

/* The same, for a value whose length is known. */
static enum parse_result drop_rest_of_bytes(const struct frame *frame, struct parser *parser,
                                            const char *bytes, size_t length, size_t *dropped)
{
    if (length < parser->dropping) {
        *dropped = length;
        parser->dropping -= length;
        return need_more(parser, 1);
    }
    size_t rest = (size_t)parser->dropping;
    size_t line_end;
    enum parse_result result = take_line_end(frame, parser, bytes + rest, length - rest, &line_end);
    *dropped = rest + line_end;
    parser->dropping = 0;
    if (result == PARSE_REQUEST) {
        parser->state = FRAME_LINE;
    }
    return result;
}

static enum parse_result drop(const struct frame *frame, struct parser *parser, const char *bytes,
                              size_t length, size_t *dropped)
{
    *dropped = 0;
    if (length == 0) {
        return need_more(parser, 1);
    }
    return parser->state == FRAME_DROP_LINE
               ? drop_rest_of_line(parser, bytes, length, dropped)
               : drop_rest_of_bytes(frame, parser, bytes, length, dropped);
}

/* --- values --------------------------------------------------------------- */

/* The next call begins at the next request. */
static enum parse_result finish(struct parser *parser, enum parse_result result)
{
    parser->line = 0;
    parser->scanned = 0;
    return result;
}

/* The same for a request that is returned: its line is not parsed again, so its key may change. */
static enum parse_result finish_request(const struct frame *frame, struct parser *parser,
                                        struct request *request, enum parse_result result)
{
    if ((request->options & REQUEST_WHOLE_KEY) != 0) {
        frame->decode_key(&request->keys);
    }
    return finish(parser, result);
}

/* The value is the line after the request's line. */
static enum parse_result read_value_line(const struct frame *frame, struct parser *parser,
                                         const char *bytes, size_t length, struct request *request,
                                         size_t *consumed)
{
    size_t line = parser->line;
    size_t from = parser->scanned > line ? parser->scanned : line;
    const char *line_end = memchr(bytes + from, '\n', length - from);
    size_t value = line_end == NULL ? length - line : (size_t)(line_end - bytes) - line;
    bool ends_in_cr = value > 0 && bytes[line + value - 1] == '\r';
    if (value - ends_in_cr > parser->max_value) {
        frame_refuse(parser, REPLY_CLIENT_ERROR,
                     "value is larger than max_value, %" PRIu64 " bytes", parser->max_value);
        parser->error.reason = REASON_TOO_LARGE;
        drop_line(parser);
        *consumed = line;
        return finish(parser, PARSE_REFUSED);
    }
    if (value >= REQUEST_LINE_MAX) {
        frame_refuse(parser, REPLY_CLIENT_ERROR,
                     "value on a line of its own is longer than %d bytes: give <bytes>",
                     REQUEST_LINE_MAX - 1);
        return finish(parser, PARSE_FATAL);
    }
    if (line_end == NULL) {
        parser->scanned = length;
        return need_more(parser, length + 1);
    }
    *consumed = line + value + 1;
    request->value = (struct slice){bytes + line, value - ends_in_cr};
    request->value_length = request->value.length;
    return finish_request(frame, parser, request, PARSE_REQUEST);
}

/* The value has request->value_length bytes. */
static enum parse_result read_value_bytes(const struct frame *frame, struct parser *parser,
                                          const char *bytes, size_t length, struct request *request,
                                          size_t *consumed)
{
    size_t line = parser->line;
    uint64_t value = request->value_length;
    *consumed = line;
    if (frame->is_too_large(parser, value)) {
        drop_bytes(parser, value);
        return finish(parser, PARSE_REFUSED);
    }
    if (value > parser->window || parser->window - (size_t)value < line + 2) {
        return finish_request(frame, parser, request, PARSE_BODY);
    }
    *consumed = 0;
    size_t end = line + (size_t)value;
    if (length <= end) {
        return need_more(parser, end + 1);
    }
    size_t line_end;
    enum parse_result result = take_line_end(frame, parser, bytes + end, length - end, &line_end);
    if (result == PARSE_MORE) {
        return need_more(parser, end + 2);
    }
    if (result != PARSE_REQUEST) {
        return finish(parser, result);
    }
    *consumed = end + line_end;
    request->value = (struct slice){bytes + line, (size_t)value};
    return finish_request(frame, parser, request, result);
}

/* --- lines ---------------------------------------------------------------- */

/* A line of more than REQUEST_LINE_MAX bytes: allowed for keys only. */
static enum parse_result read_long_line(const struct frame *frame, struct parser *parser,
                                        const char *bytes, size_t length, struct request *request,
                                        size_t *consumed)
{
    size_t begun = frame->begin_keys(parser, (struct slice){bytes, REQUEST_LINE_MAX}, request);
    if (begun == 0) {
        frame_refuse(parser, REPLY_CLIENT_ERROR, "%s", frame->line_too_long);
        return PARSE_FATAL;
    }
    frame_keys_begin(parser, request);
    enum parse_result result =
        frame_keys_read(frame, parser, bytes + begun, length - begun, request, consumed);
    *consumed += begun;
    return result;
}

/* The line end was not found: PARSE_BODY when the line is too long. */
static enum parse_result __attribute__((noinline))
await_line(const struct frame *frame, struct parser *parser, const char *bytes, size_t length)
{
    if (length > 0 && (unsigned char)bytes[0] == frame->foreign_byte) {
        frame->refuse_foreign(parser);
        return PARSE_FATAL;
    }
    if (frame_is_foreign(parser, foreign_start((struct slice){bytes, length}))) {
        return PARSE_HANGUP;
    }
    if (length >= REQUEST_LINE_MAX) {
        return PARSE_BODY;
    }
    parser->scanned = length;
    return need_more(parser, length + 1);
}

/* Finds the end of the request line. PARSE_REQUEST when it is found and parser.line is set;
 * PARSE_BODY when the line is too long. */
static inline enum parse_result find_line(const struct frame *frame, struct parser *parser,
                                          const char *bytes, size_t length)
{
    size_t from = parser->scanned;
    size_t end = length < REQUEST_LINE_MAX ? length : REQUEST_LINE_MAX;
    const char *line_end = from < end ? memchr(bytes + from, '\n', end - from) : NULL;
    if (line_end == NULL || (unsigned char)bytes[0] == frame->foreign_byte) {
        return await_line(frame, parser, bytes, length);
    }
    parser->line = (size_t)(line_end - bytes) + 1;
    return PARSE_REQUEST;
}

static struct slice without_line_end(const char *bytes, size_t line)
{
    size_t length = line - 1;
    length -= length > 0 && bytes[length - 1] == '\r';
    return (struct slice){bytes, length};
}

/* A complete line with a key that has to be decoded. */
static enum parse_result read_in_pieces(const struct frame *frame, struct parser *parser,
                                        const char *bytes, size_t length, struct request *request,
                                        size_t *consumed)
{
    size_t begun = (size_t)(request->keys.bytes - bytes) - 1;
    frame_keys_begin(parser, request);
    enum parse_result result =
        frame_keys_read(frame, parser, bytes + begun, length - begun, request, consumed);
    *consumed += begun;
    return result;
}

/* What follows a line that is not a whole request, or answers it. */
static enum parse_result __attribute__((noinline))
read_behind_line(const struct frame *frame, struct parser *parser, struct slice in,
                 enum frame_line kind, struct request *request, size_t *consumed)
{
    switch (kind) {
    case FRAME_REQUEST_IN_PIECES:
        return read_in_pieces(frame, parser, in.bytes, in.length, request, consumed);
    case FRAME_VALUE_LINE:
        return read_value_line(frame, parser, in.bytes, in.length, request, consumed);
    case FRAME_VALUE_BYTES:
        return read_value_bytes(frame, parser, in.bytes, in.length, request, consumed);
    case FRAME_REFUSED_THEN_LINE:
        drop_line(parser);
        break;
    case FRAME_REFUSED_THEN_BYTES:
        drop_bytes(parser, request->value_length);
        break;
    case FRAME_REFUSED:
    case FRAME_REQUEST: /* not here */
        break;
    case FRAME_FATAL:
        return finish(parser, PARSE_FATAL);
    case FRAME_FOREIGN:
        return finish(parser, PARSE_HANGUP);
    }
    *consumed = parser->line;
    return finish(parser, PARSE_REFUSED);
}

static enum parse_result read_request(struct parser *parser, const char *bytes, size_t length,
                                      struct request *request, size_t *consumed,
                                      const struct frame *frame)
{
    if (parser->line == 0) {
        enum parse_result result = find_line(frame, parser, bytes, length);
        if (result == PARSE_BODY) {
            return read_long_line(frame, parser, bytes, length, request, consumed);
        }
        if (result != PARSE_REQUEST) {
            return result;
        }
    } else if (length < parser->wanted) {
        return PARSE_MORE;
    }
    enum frame_line kind = frame->read_line(parser, without_line_end(bytes, parser->line), request);
    if (kind != FRAME_REQUEST) {
        return read_behind_line(frame, parser, (struct slice){bytes, length}, kind, request,
                                consumed);
    }
    *consumed = parser->line;
    return finish_request(frame, parser, request, PARSE_REQUEST);
}

/* --- entry points --------------------------------------------------------- */

/* In a refused value, or in a line of keys. */
static enum parse_result __attribute__((noinline))
read_rest(struct parser *parser, const char *bytes, size_t length, struct request *request,
          size_t *consumed, const struct frame *frame)
{
    if (parser->state == FRAME_KEYS) {
        return frame_keys_read(frame, parser, bytes, length, request, consumed);
    }
    size_t dropped;
    enum parse_result result = drop(frame, parser, bytes, length, &dropped);
    if (result == PARSE_REQUEST) {
        result = read_request(parser, bytes + dropped, length - dropped, request, consumed, frame);
    }
    *consumed += dropped;
    return result;
}

enum parse_result frame_parse(struct parser *parser, const char *bytes, size_t length,
                              struct request *request, size_t *consumed, const struct frame *frame)
{
    *consumed = 0;
    return parser->state == FRAME_LINE
               ? read_request(parser, bytes, length, request, consumed, frame)
               : read_rest(parser, bytes, length, request, consumed, frame);
}

enum parse_result frame_body_end(const struct frame *frame, struct parser *parser,
                                 const char *bytes, size_t length, size_t *consumed)
{
    return take_line_end(frame, parser, bytes, length, consumed);
}

void frame_body_refused(struct parser *parser, const struct request *request, uint64_t left)
{
    (void)request;
    drop_bytes(parser, left);
}
