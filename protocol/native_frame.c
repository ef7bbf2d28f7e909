/*
 * native_frame.c - the native protocol: how its lines are framed, and its struct protocol.
 */
#include "protocol/native.h"

#include <inttypes.h>

#include "protocol/token.h"

static bool is_too_large(struct parser *parser, uint64_t length)
{
    if (length <= parser->max_value) {
        return false;
    }
    frame_refuse(parser, REPLY_CLIENT_ERROR,
                 "value of %" PRIu64 " bytes is larger than max_value, %" PRIu64 " bytes", length,
                 parser->max_value);
    parser->error.reason = REASON_TOO_LARGE;
    return true;
}

static void unescape(struct slice *key)
{
    char *bytes = (char *)(uintptr_t)key->bytes; /* of the buffer that parse was given */
    key->length = token_unescape(bytes, key->length);
}

static const struct frame frame = {
    .read_line = native_line_read,
    .is_too_large = is_too_large,
    .foreign_byte = -1,
    .begin_keys = native_begin_keys,
    .is_key = native_is_key,
    .decode_key = unescape,
    .key_max = REQUEST_KEY_MAX,
    .no_line_end = "no line end behind the value: <bytes> must count it exactly",
    .line_too_long = "line is longer than 65536 bytes: none but GET and DEL may be",
};

static enum parse_result parse(struct parser *parser, char *bytes, size_t length,
                               struct request *request, size_t *consumed)
{
    return frame_parse(parser, bytes, length, request, consumed, &frame);
}

static enum parse_result body_end(struct parser *parser, const char *bytes, size_t length,
                                  size_t *consumed)
{
    return frame_body_end(&frame, parser, bytes, length, consumed);
}

const struct protocol protocol_native = {
    .name = "native",
    .speaks = NATIVE_SPEAKS,
    .key_max = REQUEST_KEY_MAX,
    .help = native_help,
    .parse = parse,
    .body_end = body_end,
    .body_refused = frame_body_refused,
    .keys_refused = frame_keys_refused,
    .head = native_reply_head,
    .tail = native_reply_tail,
    .event = native_event,
    .skipped = native_skipped,
    .client = native_client,
};
