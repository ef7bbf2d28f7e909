/*
 * memcache_limits.c - the command that says how much memory there may be.
 *
 * Whether so many megabytes can be had is not known here: what is a number of 32 bits is a
 * request, and what it comes to is answered when it is carried out.
 */
#include "protocol/memcache.h"

/* The last word is noreply: whatever becomes of the line, no answer is waited for. */
static bool is_noreply(struct slice last)
{
    return slice_equal(last, slice_of("noreply"));
}

/* <megabytes> [noreply]; what stands in between is not looked at, as with memcached. */
enum frame_line memcache_read_limit(struct memcache_line *line, struct request *request)
{
    struct slice first = {NULL, 0};
    struct slice last = {NULL, 0};
    memcache_word(line, &first);
    last = first;
    while (memcache_word(line, &last)) {
    }
    request->options = is_noreply(last) ? REQUEST_QUIET : 0;
    if (token_number(first, &request->number) && request->number <= UINT32_MAX) {
        return FRAME_REQUEST;
    }
    if ((request->options & REQUEST_QUIET) != 0) {
        request->verb = VERB_OK; /* which is not said */
        return FRAME_REQUEST;
    }
    frame_refuse(line->parser, REPLY_ERROR, "%s", "");
    return FRAME_REFUSED;
}
