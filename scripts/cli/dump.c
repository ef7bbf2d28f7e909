/*
 * dump.c - a namespace's records as they are kept in a file.
 */
#include "scripts/cli/dump.h"

#include <inttypes.h>

#include "protocol/token.h"

static const char head_begin[] = "# kvcached dump, time ";

void dump_head(struct bytes *head, uint64_t time)
{
    bytes_print(head, "%s%" PRIu64 ".%03u\r\n", head_begin, time / 1000, (unsigned)(time % 1000));
}

bool dump_read_head(struct slice line, uint64_t *time)
{
    size_t skipped = sizeof head_begin - 1;
    uint64_t seconds, part;
    if (line.length <= skipped || memcmp(line.bytes, head_begin, skipped) != 0) {
        return false;
    }
    struct slice number = {line.bytes + skipped, line.length - skipped};
    const char *point = memchr(number.bytes, '.', number.length);
    if (point == NULL) {
        return false;
    }
    struct slice whole = {number.bytes, (size_t)(point - number.bytes)};
    struct slice rest = {point + 1, number.length - whole.length - 1};
    if (!token_number(whole, &seconds) || rest.length != 3 || !token_number(rest, &part) ||
        seconds > UINT64_MAX / 2000) {
        return false;
    }
    *time = seconds * 1000 + part;
    return true;
}

/* A ttl less the age of the dump. */
static bool read_ttl(struct slice word, uint64_t age, uint64_t *ttl)
{
    uint64_t left;
    switch (token_time(word, &left)) {
    case TOKEN_TIME_NEVER:
        *ttl = LOADER_NEVER;
        return true;
    case TOKEN_TIME_FOR:
        *ttl = left > age ? left - age : 0;
        return true;
    default:
        return false;
    }
}

bool dump_record(const struct reply *reply, uint64_t age, struct loader_record *record)
{
    if (!reply_is(reply, "PUT") || !reply->has_value) {
        return false;
    }
    struct slice flags = reply_nth(reply->rest, 4);
    *record = (struct loader_record){
        .ns = reply_nth(reply->rest, 0), .key = reply_nth(reply->rest, 1), .value = reply->value};
    return record->ns.length > 0 && record->key.length > 0 &&
           read_ttl(reply_nth(reply->rest, 2), age, &record->ttl) &&
           (flags.length == 0 || token_number(flags, &record->flags));
}
