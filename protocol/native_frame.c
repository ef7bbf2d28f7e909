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

/* Whether the bytes begin with these three capitals and a space, in letters of either case. */
static inline bool begins_with(const char *bytes, const char *word)
{
    return (bytes_load_4(bytes) & ~bytes_load_4("\x20\x20\x20")) == bytes_load_4(word);
}

/* Reads the namespace and the key behind such a verb, as they come. Returns where the key ends;
 * NULL: one of them is wrong, escaped or not there. */
static inline __attribute__((always_inline)) const char *
read_key(const char *bytes, const char *end, struct slice *namespace, struct slice *key)
{
    const char *ns = bytes + 4;
    const char *ns_end = token_span(ns, end, TOKEN_NAME);
    size_t ns_length = (size_t)(ns_end - ns);
    if (ns_length - 1 >= REQUEST_NAMESPACE_MAX || ns_end == end || *ns_end != ' ') {
        return NULL;
    }
    const char *from = ns_end + 1;
    const char *key_end = token_span_behind(bytes, from, end, TOKEN_PLAIN);
    *namespace = (struct slice){ns, ns_length};
    *key = (struct slice){from, (size_t)(key_end - from)};
    return key->length - 1 >= REQUEST_KEY_MAX ? NULL : key_end;
}

/* Reads a line that is GET, a namespace and one key: most are. The words are scanned before it is
 * known where the line ends. Returns the bytes of the line; 0: it is another one, or has not come
 * as a whole. */
static inline size_t read_get(const char *bytes, size_t length, struct request *request)
{
    const char *end = bytes + length;
    struct slice ns, key;
    const char *key_end = read_key(bytes, end, &ns, &key);
    size_t line_end = key_end != NULL ? frame_line_end(key_end, end) : 0;
    if (line_end == 0) {
        return 0;
    }
    *request =
        (struct request){.verb = VERB_GET, .options = REQUEST_ONE_KEY, .ns = ns, .keys = key};
    return (size_t)(key_end - bytes) + line_end;
}

/* Reads the blank and the ttl that are at `at`. Returns where they end; NULL: they are not there.
 */
static inline const char *read_ttl(const char *at, const char *end, struct ttl *ttl)
{
    if (at == end || *at != ' ') {
        return NULL;
    }
    const char *word = at + 1;
    const char *limit = end - word > NATIVE_TTL_MAX ? word + NATIVE_TTL_MAX : end;
    const char *word_end = bytes_find(word, word, limit, ' ');
    struct slice text = {word, (size_t)(word_end - word)};
    return native_is_time(native_ttl(text, ttl)) ? word_end : NULL;
}

/* The same for PUT with a ttl and a length, and the value behind it. Returns the bytes of both. */
static inline size_t read_put(const struct parser *parser, const char *bytes, size_t length,
                              struct request *request)
{
    const char *end = bytes + length;
    struct slice ns, key;
    const char *at = read_key(bytes, end, &ns, &key);
    if (at == NULL) {
        return 0;
    }
    *request =
        (struct request){.verb = VERB_PUT, .options = REQUEST_ONE_KEY, .ns = ns, .keys = key};
    at = read_ttl(at, end, &request->ttl);
    at = frame_short_number(at, end, &request->value_length);
    if (at == NULL || request->value_length > parser->max_value) {
        return 0;
    }
    const char *behind = frame_whole_value(parser, bytes, at, end, request);
    return behind != NULL ? (size_t)(behind - bytes) : 0;
}

/* Reads what most requests are. Returns its bytes; 0: it is something else, or has not come as a
 * whole. */
static inline size_t read_frequent(const struct parser *parser, const char *bytes, size_t length,
                                   struct request *request)
{
    enum { SHORTEST = 8 };
    if (length < SHORTEST || !frame_is_at_line(parser)) {
        return 0;
    }
    if (begins_with(bytes, "GET ")) {
        return read_get(bytes, length, request);
    }
    return begins_with(bytes, "PUT ") ? read_put(parser, bytes, length, request) : 0;
}

static enum parse_result parse(struct parser *parser, char *bytes, size_t length,
                               struct request *request, size_t *consumed)
{
    size_t whole = read_frequent(parser, bytes, length, request);
    if (whole > 0) {
        *consumed = whole;
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
