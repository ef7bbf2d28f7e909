/*
 * memcache_dump.c - listings of records in memcached's words: a line for each record, to be read
 * by programs, and the line after the last.
 *
 * A key may have any bytes. Among other words it is encoded as in a URI. Where the line is a
 * request, it is encoded in base64 if that is necessary.
 */
#include "protocol/base64.h"
#include "protocol/memcache.h"

#define TEXT(words) ((struct slice){words, sizeof(words) - 1})

/* Writes all bytes except letters, digits and - . _ ~ as %XX. */
static char *add_uri(char *to, struct slice key)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < key.length; i++) {
        unsigned char c = (unsigned char)key.bytes[i];
        if ((token_classes[c] & TOKEN_NAME) != 0 || c == '~') {
            *to++ = (char)c;
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    return to;
}

static char *add_expiry(char *to, uint64_t seconds, struct slice never)
{
    return seconds == REPLY_NEVER ? memcache_add(to, never) : memcache_add_number(to, seconds);
}

/* The line ends in a blank and a line feed without CR, as memcached's does. */
static char *add_details(char *to, const struct reply *reply)
{
    bool read = (reply->notes & REPLY_READ_BEFORE) != 0;
    to = add_uri(memcache_add(to, TEXT("key=")), reply->name);
    to = add_expiry(memcache_add(to, TEXT(" exp=")), reply->left, TEXT("-1"));
    to = memcache_add_number(memcache_add(to, TEXT(" la=")), reply->idle);
    to = memcache_add_number(memcache_add(to, TEXT(" cas=")), reply->version);
    to = memcache_add(to, read ? TEXT(" fetch=yes") : TEXT(" fetch=no"));
    to = memcache_add_number(memcache_add(to, TEXT(" cls=")), reply->number);
    to = memcache_add_number(memcache_add(to, TEXT(" size=")), reply->bytes);
    to = memcache_add_number(memcache_add(to, TEXT(" flags=")), reply->client_flags);
    return memcache_add(to, TEXT(" \n"));
}

/* Writes nothing where the key would be too long for a request. */
static char *add_request(char *to, struct slice key)
{
    const char *end = key.bytes + key.length;
    bool is_text = token_span(key.bytes, end, TOKEN_KEY) == end;
    if (!is_text && (key.length + 2) / 3 * 4 > MEMCACHE_KEY_MAX) {
        return to;
    }
    to = memcache_add(to, TEXT("mg "));
    to = is_text ? memcache_add(to, key) : base64_encode(to, key);
    return memcache_add(to, is_text ? TEXT("\r\n") : TEXT(" b\r\n"));
}

static char *add_item(char *to, const struct reply *reply)
{
    to = memcache_add(memcache_add(to, TEXT("ITEM ")), reply->name);
    to = memcache_add_number(memcache_add(to, TEXT(" [")), reply->value_length);
    to = add_expiry(memcache_add(to, TEXT(" b; ")), reply->left, TEXT("0"));
    return memcache_add(to, TEXT(" s]\r\n"));
}

static char *add_entry(char *to, const struct request *request, const struct reply *reply)
{
    switch (request->metadump) {
    case METADUMP_DETAILS:
        return add_details(to, reply);
    case METADUMP_REQUESTS:
        return add_request(to, reply->name);
    case METADUMP_ITEMS:
        return add_item(to, reply);
    case METADUMP_SIZES:
        break; /* no line for a record */
    }
    return to;
}

size_t memcache_dump_line(const struct request *request, const struct reply *reply, char *to)
{
    char *end = to;
    if (reply->kind == REPLY_ENTRY) {
        end = add_entry(to, request, reply);
    } else {
        end = memcache_add(to, request->metadump == METADUMP_REQUESTS ? TEXT("EN\r\n")
                                                                      : TEXT("END\r\n"));
    }
    return (size_t)(end - to);
}
