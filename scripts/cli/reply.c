/*
 * reply.c - replies of the native protocol, and the words that matter to commands.
 */
#include "scripts/cli/reply.h"

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

static struct slice slice_from(struct kvc_bytes bytes)
{
    return (struct slice){bytes.bytes, bytes.length};
}

struct reply reply_of(const struct kvc_reply *from)
{
    return (struct reply){.line = slice_from(from->line),
                          .word = slice_from(from->word),
                          .rest = slice_from(from->rest),
                          .value = slice_from(from->value),
                          .has_value = from->value.bytes != NULL};
}

enum reply_result reply_cut(struct slice bytes, enum reply_values values, struct reply *reply,
                            size_t *taken, size_t *wanted)
{
    struct kvc_reply cut = {.number = 0};
    struct kvc_bytes all = {bytes.bytes, bytes.length};
    enum kvc_cut result = kvc_cut(all, (enum kvc_values)values, &cut, taken, wanted);
    *reply = reply_of(&cut);
    return (enum reply_result)result;
}
