/*
 * memcache_word.c - the words of a line, and how a line is refused.
 */
#include "protocol/memcache.h"

enum frame_line memcache_refuse(struct memcache_line *line, const char *text)
{
    frame_refuse(line->parser, REPLY_CLIENT_ERROR, "%s", text);
    return FRAME_REFUSED;
}

enum frame_line memcache_bad_format(struct memcache_line *line)
{
    return memcache_refuse(line, "bad command line format");
}

enum frame_line memcache_unknown(struct memcache_line *line)
{
    frame_refuse(line->parser, REPLY_ERROR, "%s", "");
    return FRAME_REFUSED;
}

bool memcache_key(struct memcache_line *line, struct slice word, struct slice *key)
{
    if (!memcache_fits_key(word)) {
        memcache_bad_format(line);
        return false;
    }
    *key = word;
    return true;
}

/* A decimal with an optional minus sign: from -most - 1 to most. */
static bool signed_number(struct slice word, uint64_t most, bool *negative, uint64_t *number)
{
    *negative = word.length > 1 && word.bytes[0] == '-';
    struct slice digits = {word.bytes + *negative, word.length - *negative};
    return token_number(digits, number) && *number <= most + *negative;
}

static struct ttl ttl_of(bool negative, uint64_t seconds)
{
    return negative && seconds > 0 ? (struct ttl){TTL_GONE, 0} : memcache_ttl(seconds);
}

bool memcache_exptime(struct slice word, struct ttl *ttl)
{
    bool negative;
    uint64_t seconds = 0;
    if (!signed_number(word, MEMCACHE_EXPTIME_MAX, &negative, &seconds)) {
        return false;
    }
    *ttl = ttl_of(negative, seconds);
    return true;
}

bool memcache_storing_exptime(struct slice word, struct ttl *ttl)
{
    bool negative;
    uint64_t seconds = 0;
    if (!signed_number(word, INT64_MAX, &negative, &seconds)) {
        return false;
    }
    *ttl = ttl_of(negative, seconds);
    return true;
}
