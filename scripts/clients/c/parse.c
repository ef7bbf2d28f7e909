/*
 * parse.c - replies of the native protocol, cut from the bytes that came.
 */
#include "scripts/clients/c/parse.h"

#include "protocol/token.h"

enum { DUMP_LENGTH = 3 }; /* the word of a PUT's rest with the length, from 0 */

#define VALUE_MAX (UINT64_C(1) << 40)

static struct slice slice_from(struct kvc_bytes bytes)
{
    return (struct slice){bytes.bytes, bytes.length};
}

bool parse_is(const struct kvc_reply *reply, const char *word)
{
    return slice_equal(slice_from(reply->word), slice_of(word));
}

struct kvc_bytes parse_word(struct kvc_bytes text, struct kvc_bytes *rest)
{
    const char *end = text.bytes + text.length;
    const char *blank = text.length > 0 ? memchr(text.bytes, ' ', text.length) : NULL;
    const char *to = blank != NULL ? blank : end;
    const char *next = blank != NULL ? blank + 1 : end;
    *rest = (struct kvc_bytes){next, (size_t)(end - next)};
    return (struct kvc_bytes){text.bytes, (size_t)(to - text.bytes)};
}

bool parse_number(struct kvc_bytes text, uint64_t *number)
{
    return token_number(slice_from(text), number);
}

bool parse_ttl(struct kvc_bytes text, int64_t *ttl)
{
    struct slice word = slice_from(text);
    uint64_t milliseconds = 0;
    if (slice_equal(word, slice_of("never"))) {
        *ttl = KVC_TTL_NEVER;
        return true;
    }
    if (word.length == 0 || word.bytes[word.length - 1] < '0' ||
        word.bytes[word.length - 1] > '9') {
        return false;
    }
    enum token_time time = token_time(word, &milliseconds); /* 0.000 counts as never there */
    *ttl = time == TOKEN_TIME_FOR ? (int64_t)milliseconds : 0;
    return time == TOKEN_TIME_FOR || time == TOKEN_TIME_NEVER;
}

/* --- cutting ---------------------------------------------------------------------- */

static struct kvc_bytes last_word(struct kvc_bytes line)
{
    const char *blank = memrchr(line.bytes, ' ', line.length);
    return blank == NULL
               ? line
               : (struct kvc_bytes){blank + 1, (size_t)(line.bytes + line.length - blank - 1)};
}

static struct kvc_bytes nth_word(struct kvc_bytes text, size_t number)
{
    struct kvc_bytes word = parse_word(text, &text);
    for (; number > 0; number--) {
        word = parse_word(text, &text);
    }
    return word;
}

/* The word that says how long the value behind the line is; its bytes are NULL where there is no
 * value. */
static struct kvc_bytes length_word(const struct kvc_reply *reply, enum kvc_values values)
{
    if (values != KVC_VALUES_NONE && (parse_is(reply, "VALUE") || parse_is(reply, "RECORD"))) {
        return last_word(reply->line);
    }
    if (values == KVC_VALUES_DUMP && parse_is(reply, "PUT")) {
        struct kvc_bytes word = nth_word(reply->rest, DUMP_LENGTH);
        return word.length > 0 ? word : (struct kvc_bytes){NULL, 0};
    }
    return (struct kvc_bytes){NULL, 0};
}

/* `from` is where the value begins. */
static enum kvc_cut cut_value(struct kvc_bytes bytes, size_t from, struct kvc_bytes length,
                              struct kvc_reply *reply, size_t *taken, size_t *wanted)
{
    uint64_t count;
    if (!parse_number(length, &count) || count > VALUE_MAX) {
        return KVC_CUT_BAD;
    }
    *wanted = from + (size_t)count + 2;
    if (bytes.length < *wanted) {
        return KVC_CUT_PARTIAL;
    }
    reply->value = (struct kvc_bytes){bytes.bytes + from, (size_t)count};
    *taken = *wanted;
    return memcmp(bytes.bytes + from + count, "\r\n", 2) == 0 ? KVC_CUT_WHOLE : KVC_CUT_BAD;
}

enum kvc_cut kvc_cut(struct kvc_bytes bytes, enum kvc_values values, struct kvc_reply *reply,
                     size_t *taken, size_t *wanted)
{
    const char *end = bytes.length > 0 ? memchr(bytes.bytes, '\n', bytes.length) : NULL;
    *wanted = bytes.length + 1;
    if (end == NULL) {
        return bytes.length > PARSE_LINE_MAX ? KVC_CUT_BAD : KVC_CUT_PARTIAL;
    }
    size_t length = (size_t)(end - bytes.bytes);
    if (length == 0 || end[-1] != '\r') {
        return KVC_CUT_BAD;
    }
    *reply = (struct kvc_reply){.line = {bytes.bytes, length - 1}};
    reply->word = parse_word(reply->line, &reply->rest);
    *taken = length + 1;
    struct kvc_bytes count = length_word(reply, values);
    return count.bytes == NULL ? KVC_CUT_WHOLE
                               : cut_value(bytes, *taken, count, reply, taken, wanted);
}
