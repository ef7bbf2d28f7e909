/*
 * native_frame.c - the native protocol: how its lines are framed, and its struct protocol.
 */
#include "protocol/native.h"

#include <inttypes.h>

#include "protocol/bytes.h"
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

/* Whether the bytes begin with GET and a space, in letters of either case. */
static inline bool is_get(const char *bytes)
{
    return (bytes_load_4(bytes) & ~bytes_load_4("\x20\x20\x20")) == bytes_load_4("GET ");
}

/* Reads a line that is GET, a namespace and one key: most are. The words are scanned as they come,
 * before it is known where the line ends. Returns the bytes of the line; 0: it is another one, or
 * has not come as a whole. */
static inline size_t read_get(const char *bytes, size_t length, struct request *request)
{
    const char *end = bytes + length;
    const char *ns = bytes + 4;
    if (length < 8 || !is_get(bytes)) {
        return 0;
    }
    const char *ns_end = token_span(ns, end, TOKEN_NAME);
    size_t ns_length = (size_t)(ns_end - ns);
    if (ns_length - 1 >= REQUEST_NAMESPACE_MAX || ns_end == end || *ns_end != ' ') {
        return 0;
    }
    const char *key = ns_end + 1;
    const char *key_end = token_span_behind(bytes, key, end, TOKEN_PLAIN);
    size_t key_length = (size_t)(key_end - key);
    size_t line_end = frame_line_end(key_end, end);
    if (key_length - 1 >= REQUEST_KEY_MAX || line_end == 0) {
        return 0;
    }
    *request = (struct request){.verb = VERB_GET,
                                .options = REQUEST_ONE_KEY,
                                .ns = {ns, ns_length},
                                .keys = {key, key_length}};
    return (size_t)(key_end - bytes) + line_end;
}

static enum parse_result parse(struct parser *parser, char *bytes, size_t length,
                               struct request *request, size_t *consumed)
{
    size_t line = frame_is_at_line(parser) ? read_get(bytes, length, request) : 0;
    if (line > 0) {
        *consumed = line;
        return PARSE_REQUEST;
    }
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
