/*
 * memcache_frame.c - memcached's protocol: how its lines are framed, which file writes a reply, and
 * its struct protocol.
 *
 * The store limits the size of values, because a set that it refuses has to remove the old record.
 * Only a value that no store could hold is refused here.
 */
#include "protocol/base64.h"
#include "protocol/bytes.h"
#include "protocol/memcache.h"

static bool is_too_large(struct parser *parser, uint64_t length)
{
    if (length <= MEMCACHE_VALUE_MAX) {
        return false;
    }
    frame_refuse(parser, REPLY_SERVER_ERROR, "object too large for cache");
    parser->error.reason = REASON_TOO_LARGE;
    return true;
}

/* The first byte of every request of memcached's old binary protocol. Its clients get an error at
 * once, instead of waiting for a reply. */
enum { BINARY_REQUEST = 0x80 };

static void refuse_binary(struct parser *parser)
{
    frame_refuse(parser, REPLY_CLIENT_ERROR,
                 "the binary protocol is not spoken here: use the text or the meta commands");
}

static void decode_base64(struct slice *key)
{
    char *bytes = (char *)(uintptr_t)key->bytes; /* of the buffer that parse was given */
    base64_decode(bytes, &key->length);
}

static const struct frame frame = {
    .read_line = memcache_line_read,
    .is_too_large = is_too_large,
    .foreign_byte = BINARY_REQUEST,
    .refuse_foreign = refuse_binary,
    .begin_keys = memcache_begin_keys,
    .is_key = memcache_is_key,
    .decode_key = decode_base64,
    .key_max = MEMCACHE_KEY_MAX,
    .no_line_end = "bad data chunk",
    .line_too_long = "line too long",
};

/* Reads a line that is get and one key without control characters: most are. The key is scanned as
 * it comes, before it is known where the line ends. Returns the bytes of the line; 0: it is another
 * one, or has not come as a whole. */
static inline size_t read_get(const char *bytes, size_t length, struct request *request)
{
    const char *end = bytes + length;
    const char *key = bytes + 4;
    if (length < 6 || bytes_load_4(bytes) != bytes_load_4("get ")) {
        return 0;
    }
    const char *key_end = token_span_behind(bytes, key, end, TOKEN_KEY);
    size_t key_length = (size_t)(key_end - key);
    size_t line_end = frame_line_end(key_end, end);
    if (key_length - 1 >= MEMCACHE_KEY_MAX || line_end == 0) {
        return 0;
    }
    *request = (struct request){.verb = VERB_GET,
                                .form = MEMCACHE_GET,
                                .options = REQUEST_ONE_KEY,
                                .keys = {key, key_length}};
    return (size_t)(key_end - bytes) + line_end;
}

/* The same for a line that is set with four words, and the value behind it. Returns the bytes of
 * both. It takes a quarter of the instructions of the way by frame_parse. */
static inline size_t read_set(const struct parser *parser, const char *bytes, size_t length,
                              struct request *request)
{
    const char *end = bytes + length;
    const char *key = bytes + 4;
    uint64_t flags = 0, seconds = 0;
    if (length < 16 || bytes_load_4(bytes) != bytes_load_4("set ") || parser->login) {
        return 0;
    }
    const char *at = token_span_behind(bytes, key, end, TOKEN_KEY);
    size_t key_length = (size_t)(at - key);
    *request = (struct request){.verb = VERB_PUT,
                                .form = MEMCACHE_SET,
                                .options = REQUEST_NOTED | REQUEST_CLEAR | REQUEST_ONE_KEY,
                                .keys = {key, key_length}};
    at = frame_short_number(at, end, &flags);
    at = frame_short_number(at, end, &seconds);
    at = frame_short_number(at, end, &request->value_length);
    if (key_length - 1 >= MEMCACHE_KEY_MAX || at == NULL || flags > UINT32_MAX) {
        return 0;
    }
    request->client_flags = (uint32_t)flags;
    request->ttl = memcache_ttl(seconds);
    const char *behind = frame_whole_value(parser, bytes, at, end, request);
    return behind != NULL ? (size_t)(behind - bytes) : 0;
}

static enum parse_result parse(struct parser *parser, char *bytes, size_t length,
                               struct request *request, size_t *consumed)
{
    size_t whole = 0;
    if (frame_is_at_line(parser)) {
        whole = read_get(bytes, length, request);
        whole = whole > 0 ? whole : read_set(parser, bytes, length, request);
    }
    if (whole > 0) {
        parser->silent = false;
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

/* The command decides which file writes a reply; errors are the same for all. */
static size_t write_head(const struct request *request, const struct reply *reply, char *to)
{
    if (request == NULL) {
        return memcache_reply_head(request, reply, to);
    }
    if (memcache_is_meta(request)) {
        return reply_is_error(reply) ? memcache_reply_head(request, reply, to)
                                     : meta_reply_head(request, reply, to);
    }
    if ((request->options & REQUEST_QUIET) != 0) {
        return 0;
    }
    if (request->verb == VERB_METADUMP &&
        (reply->kind == REPLY_ENTRY || reply->kind == REPLY_END)) {
        return memcache_dump_line(request, reply, to);
    }
    return memcache_reply_head(request, reply, to);
}

const struct protocol protocol_memcache = {
    .name = "memcache",
    .speaks = "memcached's protocol",
    .version = "1.6.45",
    .key_max = MEMCACHE_KEY_MAX,
    .help = memcache_help,
    .ends_keys = true,
    .parse = parse,
    .body_end = body_end,
    .body_refused = frame_body_refused,
    .keys_refused = frame_keys_refused,
    .head = write_head,
    .tail = memcache_reply_tail,
    .event = memcache_event,
    .skipped = memcache_skipped,
    .client = memcache_client,
    .whole_keys = true,
};
