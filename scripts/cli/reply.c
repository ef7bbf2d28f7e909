/*
 * reply.c - replies of the native protocol, cut from the bytes that came.
 */
#include "scripts/cli/reply.h"

#include "protocol/token.h"

enum {
    LINE_MAX_BYTES = 1 << 20, /* a longer line is of another protocol */
    DUMP_LENGTH = 4,          /* the word of a PUT with the length, from 0 */
};

#define VALUE_MAX (UINT64_C(1) << 40)

bool reply_is(const struct reply *reply, const char *word)
{
    return slice_equal(reply->word, slice_of(word));
}

bool reply_is_error(const struct reply *reply)
{
    return reply_is(reply, "CLIENT_ERROR") || reply_is(reply, "SERVER_ERROR") ||
           reply_is(reply, "ERROR");
}

bool reply_is_mistake(const struct reply *reply)
{
    return reply_is(reply, "CLIENT_ERROR") && reply->rest.length > 0 && reply->rest.bytes[0] == '/';
}

struct slice reply_nth(struct slice text, size_t number)
{
    const char *at = text.bytes, *end = text.bytes + text.length;
    for (;;) {
        const char *blank = at < end ? memchr(at, ' ', (size_t)(end - at)) : NULL;
        if (number == 0 || blank == NULL) {
            const char *to = blank != NULL ? blank : end;
            return number == 0 ? (struct slice){at, (size_t)(to - at)} : (struct slice){end, 0};
        }
        at = blank + 1;
        number--;
    }
}

static struct slice last_word(struct slice line)
{
    const char *blank = memrchr(line.bytes, ' ', line.length);
    return blank == NULL
               ? line
               : (struct slice){blank + 1, (size_t)(line.bytes + line.length - blank - 1)};
}

static void cut_words(struct reply *reply)
{
    struct slice line = reply->line;
    reply->word = reply_nth(line, 0);
    size_t skipped = reply->word.length < line.length ? reply->word.length + 1 : line.length;
    reply->rest = (struct slice){line.bytes + skipped, line.length - skipped};
}

/* The word that says how long the value behind the line is; empty: there is no value. */
static struct slice length_word(const struct reply *reply, enum reply_values values)
{
    if (values != REPLY_NONE && (reply_is(reply, "VALUE") || reply_is(reply, "RECORD"))) {
        return last_word(reply->line);
    }
    if (values == REPLY_DUMP && reply_is(reply, "PUT")) {
        return reply_nth(reply->line, DUMP_LENGTH);
    }
    return (struct slice){reply->line.bytes, 0};
}

/* `from` is where the value begins. */
static enum reply_result cut_value(struct slice bytes, size_t from, struct slice length,
                                   struct reply *reply, size_t *taken, size_t *wanted)
{
    uint64_t count;
    if (!token_number(length, &count) || count > VALUE_MAX) {
        return REPLY_BAD;
    }
    *wanted = from + (size_t)count + 2;
    if (bytes.length < *wanted) {
        return REPLY_PARTIAL;
    }
    reply->has_value = true;
    reply->value = (struct slice){bytes.bytes + from, (size_t)count};
    *taken = *wanted;
    return memcmp(bytes.bytes + from + count, "\r\n", 2) == 0 ? REPLY_WHOLE : REPLY_BAD;
}

enum reply_result reply_cut(struct slice bytes, enum reply_values values, struct reply *reply,
                            size_t *taken, size_t *wanted)
{
    const char *end = bytes.length > 0 ? memchr(bytes.bytes, '\n', bytes.length) : NULL;
    *wanted = bytes.length + 1;
    if (end == NULL) {
        return bytes.length > LINE_MAX_BYTES ? REPLY_BAD : REPLY_PARTIAL;
    }
    size_t length = (size_t)(end - bytes.bytes);
    if (length == 0 || end[-1] != '\r') {
        return REPLY_BAD;
    }
    *reply = (struct reply){.line = {bytes.bytes, length - 1}};
    cut_words(reply);
    *taken = length + 1;
    struct slice count = length_word(reply, values);
    return count.length == 0 ? REPLY_WHOLE : cut_value(bytes, *taken, count, reply, taken, wanted);
}
