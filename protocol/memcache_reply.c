/*
 * memcache_reply.c - replies to memcached's text commands, and errors of all its commands. It
 * writes nothing where the command has no such reply.
 */
#include "protocol/memcache.h"

#include <string.h>

#define TEXT(words) ((struct slice){words, sizeof(words) - 1})

static const struct slice line_end = {"\r\n", 2};

/* Appends text as one line, truncated to leave room for what follows. */
static char *add_text(char *to, struct slice text)
{
    size_t length = text.length < REQUEST_KEY_MAX ? text.length : REQUEST_KEY_MAX;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        *to++ = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    return to;
}

/* --- errors --------------------------------------------------------------- */

/* memcached's text for an error; `reply` is one. */
static char *add_error(char *to, const struct reply *reply)
{
    if (reply->kind == REPLY_DENIED) {
        return memcache_add(to, TEXT("CLIENT_ERROR authentication failure"));
    }
    switch (reply->reason) {
    case REASON_NOT_A_NUMBER:
        return memcache_add(to,
                            TEXT("CLIENT_ERROR cannot increment or decrement non-numeric value"));
    case REASON_TOO_LARGE:
        return memcache_add(to, TEXT("SERVER_ERROR object too large for cache"));
    case REASON_NO_MEMORY:
        return memcache_add(to, TEXT("SERVER_ERROR out of memory storing object"));
    case REASON_UNAUTHENTICATED:
        return memcache_add(to, TEXT("CLIENT_ERROR unauthenticated"));
    case REASON_NO_SUCH_NUMBER:
        return memcache_add(to, TEXT("BADCLASS invalid class id"));
    case REASON_TOO_MANY_WATCHERS:
        return memcache_add(to, TEXT("WATCHER_TOO_MANY log watcher limit reached"));
    case REASON_OTHER:
    case REASON_MEMCACHE: /* of the native protocol alone */
        break;
    }
    if (reply->kind == REPLY_ERROR) {
        return memcache_add(to, TEXT("ERROR"));
    }
    to = memcache_add(to, reply->kind == REPLY_CLIENT_ERROR ? TEXT("CLIENT_ERROR ")
                                                            : TEXT("SERVER_ERROR "));
    return add_text(to, reply->text);
}

/* --- single replies ------------------------------------------------------- */

/* VALUE <key> <flags> <bytes> [<cas>] */
static char *add_value(char *to, const struct request *request, const struct reply *reply)
{
    to = memcache_add(to, TEXT("VALUE "));
    to = memcache_add(to, reply->name);
    *to++ = ' ';
    to = memcache_add_number(to, reply->client_flags);
    *to++ = ' ';
    to = memcache_add_number(to, reply->value_length);
    if ((request->options & REQUEST_VERSION) != 0) {
        *to++ = ' ';
        to = memcache_add_number(to, reply->version);
    }
    return to;
}

static char *add_named(char *to, struct slice word, const struct reply *reply)
{
    to = memcache_add(to, word);
    to = add_text(to, reply->name);
    *to++ = ' ';
    return add_text(to, reply->text);
}

static bool is_read(const struct request *request)
{
    return request->verb == VERB_GET || request->verb == VERB_LOOK;
}

static bool is_write(const struct request *request)
{
    return request->verb == VERB_PUT || request->verb == VERB_ADD ||
           request->verb == VERB_REPLACE || request->verb == VERB_APPEND ||
           request->verb == VERB_PREPEND;
}

/* There is no such record: nothing for a read; a write that needed the record was not done. */
static char *add_not_found(char *to, const struct request *request, const struct reply *reply)
{
    if (is_read(request)) {
        return reply->last ? memcache_add(to, TEXT("END")) : to;
    }
    bool compared = memcache_compares(request);
    return memcache_add(to,
                        is_write(request) && !compared ? TEXT("NOT_STORED") : TEXT("NOT_FOUND"));
}

/* All except the line end; nothing where the command has no such reply. */
static char *__attribute__((noinline))
add_words(char *to, const struct request *request, const struct reply *reply)
{
    switch (reply->kind) {
    case REPLY_STORED:
        return memcache_add(to, TEXT("STORED"));
    case REPLY_EXISTS:
        return memcache_add(to, TEXT("NOT_STORED"));
    case REPLY_CHANGED:
        return memcache_add(to, TEXT("EXISTS"));
    case REPLY_NOT_FOUND:
        return add_not_found(to, request, reply);
    case REPLY_DELETED:
        return memcache_add(to, TEXT("DELETED"));
    case REPLY_TOUCHED:
        return memcache_add(to, TEXT("TOUCHED"));
    case REPLY_VALUE: /* not here */
        break;
    case REPLY_FOUND:
        return add_value(to, request, reply);
    case REPLY_KEYS_END:
    case REPLY_END:
        return memcache_add(to, TEXT("END"));
    case REPLY_NUMBER:
        return memcache_add_number(to, reply->number);
    case REPLY_FLUSHED:
    case REPLY_OK:
        return memcache_add(to, TEXT("OK"));
    case REPLY_RESET:
        return memcache_add(to, TEXT("RESET"));
    case REPLY_MEMORY_TOO_SMALL:
        return memcache_add(to, TEXT("MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m"));
    case REPLY_MEMORY_FAILED:
        return add_text(memcache_add(to, TEXT("MEMLIMIT_ADJUST_FAILED ")), reply->text);
    case REPLY_STAT:
        return add_named(to, TEXT("STAT "), reply);
    case REPLY_DETAIL:
        return add_named(to, TEXT("PREFIX "), reply);
    case REPLY_PONG:
        return memcache_add(to, TEXT("MN"));
    case REPLY_VERSION:
        return add_text(memcache_add(to, TEXT("VERSION ")), reply->text);
    case REPLY_ERROR:
    case REPLY_CLIENT_ERROR:
    case REPLY_SERVER_ERROR:
    case REPLY_DENIED:
        return add_error(to, reply);
    case REPLY_TTL: /* no command of this protocol has these */
    case REPLY_TTL_NEVER:
    case REPLY_KEY:
    case REPLY_RECORD:
    case REPLY_REQUEST:
    case REPLY_SIZES:
    case REPLY_TIMES:
    case REPLY_LARGE:
    case REPLY_ENTRY: /* see memcache_dump_line */
    case REPLY_NAMESPACE:
    case REPLY_KILLED:
    case REPLY_SLOW:
    case REPLY_HELP:
        break;
    }
    return to;
}

size_t memcache_reply_head(const struct request *request, const struct reply *reply, char *to)
{
    char *end =
        reply->kind == REPLY_VALUE ? add_value(to, request, reply) : add_words(to, request, reply);
    return end == to ? 0 : (size_t)(memcache_add(end, line_end) - to);
}

size_t memcache_reply_tail(const struct request *request, const struct reply *reply, char *to)
{
    (void)request;
    if (reply->kind != REPLY_VALUE) {
        return 0;
    }
    static const char ends[] = "\r\nEND\r\n";
    memcpy(to, ends, sizeof ends - 1);
    return reply->last ? sizeof ends - 1 : line_end.length;
}
