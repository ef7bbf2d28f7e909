/*
 * meta_reply.c - replies to meta commands: 2 letters, and what the flags ask for, in the order of
 * the flags.
 */
#include "protocol/base64.h"
#include "protocol/memcache.h"

#define TEXT(words) ((struct slice){words, sizeof(words) - 1})

/* Seconds, rounded up: a record that was just given 30 has 30 left. */
static uint64_t seconds_left(uint64_t milliseconds)
{
    return milliseconds / 1000 + (milliseconds % 1000 != 0);
}

static char *add_left(char *to, const struct reply *reply)
{
    return reply->left == REPLY_NEVER ? memcache_add(to, TEXT("-1"))
                                      : memcache_add_number(to, seconds_left(reply->left));
}

static char *add_key(char *to, const struct request *request, struct slice key)
{
    return (request->options & REQUEST_BASE64) != 0 ? base64_encode(to, key)
                                                    : memcache_add(to, key);
}

/* --- return flags --------------------------------------------------------- */

/* Whether the reply is about an existing record. */
static bool has_record(const struct reply *reply)
{
    return reply->kind == REPLY_VALUE || reply->kind == REPLY_FOUND || reply->kind == REPLY_NUMBER;
}

/* The value's length; for a set that was not done, of the value in the request. */
static uint64_t length_of(const struct request *request, const struct reply *reply)
{
    bool is_sent = request->form == MEMCACHE_MS && reply->kind != REPLY_STORED;
    return is_sent ? request->value_length : reply->value_length;
}

static char *add_of_record(char *to, char letter, const struct request *request,
                           const struct reply *reply)
{
    *to++ = ' ';
    *to++ = letter;
    switch (letter) {
    case 'c':
        return memcache_add_number(to, reply->version);
    case 'f':
        return memcache_add_number(to, reply->client_flags);
    case 'h':
        *to++ = (reply->notes & REPLY_READ_BEFORE) != 0 ? '1' : '0';
        return to;
    case 'l':
        return memcache_add_number(to, reply->idle / 1000);
    case 's':
        return memcache_add_number(to, length_of(request, reply));
    default:
        return add_left(to, reply);
    }
}

/* Whether the reply to that command returns that flag of a record. */
static bool returns(const struct request *request, const struct reply *reply, char letter)
{
    switch (request->form) {
    case MEMCACHE_MG:
        return has_record(reply) && strchr("cfhlst", letter) != NULL;
    case MEMCACHE_MS:
        return letter == 'c' || letter == 's';
    case MEMCACHE_MA:
        return has_record(reply) && (letter == 'c' || letter == 't');
    default:
        return false;
    }
}

static char *add_flag(char *to, struct slice word, const struct request *request,
                      const struct reply *reply, struct slice key)
{
    char letter = word.bytes[0];
    switch (letter) {
    case 'O':
        *to++ = ' ';
        return memcache_add(to, word);
    case 'k':
        *to++ = ' ';
        *to++ = 'k';
        to = add_key(to, request, key);
        return (request->options & REQUEST_BASE64) != 0 ? memcache_add(to, TEXT(" b")) : to;
    default:
        return returns(request, reply, letter) ? add_of_record(to, letter, request, reply) : to;
    }
}

static char *add_flags(char *to, const struct request *request, const struct reply *reply)
{
    struct slice words = request->words;
    struct slice key = request->key;
    struct slice word;
    if (words.length == 0) {
        return to;
    }
    struct memcache_line line = {NULL, words.bytes, words.bytes, words.bytes + words.length};
    while (memcache_word(&line, &word)) {
        to = add_flag(to, word, request, reply, key);
    }
    return to;
}

/* Marks that every reply has, without a flag that asks for them. */
static char *add_notes(char *to, uint32_t notes)
{
    if ((notes & REPLY_TAKEN) != 0) {
        to = memcache_add(to, TEXT(" Z"));
    }
    if ((notes & REPLY_STALE) != 0) {
        to = memcache_add(to, TEXT(" X"));
    }
    if ((notes & REPLY_WON) != 0) {
        to = memcache_add(to, TEXT(" W"));
    }
    return to;
}

/* --- replies -------------------------------------------------------------- */

static char *add_debug(char *to, const struct request *request, const struct reply *reply)
{
    to = memcache_add(to, TEXT("ME "));
    to = add_key(to, request, request->key);
    to = add_left(memcache_add(to, TEXT(" exp=")), reply);
    to = memcache_add_number(memcache_add(to, TEXT(" la=")), reply->idle / 1000);
    to = memcache_add_number(memcache_add(to, TEXT(" cas=")), reply->version);
    bool read = (reply->notes & REPLY_READ_BEFORE) != 0;
    to = memcache_add(to, read ? TEXT(" fetch=yes") : TEXT(" fetch=no"));
    to = memcache_add_number(memcache_add(to, TEXT(" cls=")), reply->number);
    return memcache_add_number(memcache_add(to, TEXT(" size=")), reply->bytes);
}

/* VA <bytes> <flags>, and the number as the value. */
static char *add_number_value(char *to, const struct request *request, const struct reply *reply)
{
    char digits[20];
    size_t length = (size_t)(memcache_add_number(digits, reply->number) - digits);
    to = memcache_add_number(memcache_add(to, TEXT("VA ")), length);
    to = memcache_add(add_flags(to, request, reply), TEXT("\r\n"));
    return memcache_add(to, (struct slice){digits, length});
}

static bool is_write(const struct request *request)
{
    return request->form == MEMCACHE_MS;
}

/* The 2 letters; empty where the client expects no reply. */
static struct slice letters_of(const struct request *request, const struct reply *reply)
{
    static const struct slice nothing = {"", 0};
    bool quiet = (request->options & REQUEST_QUIET) != 0;
    bool compared = memcache_compares(request);
    switch (reply->kind) {
    case REPLY_STORED:
    case REPLY_DELETED:
    case REPLY_NUMBER:
        return quiet ? nothing : TEXT("HD");
    case REPLY_FOUND:
        return TEXT("HD");
    case REPLY_EXISTS:
        return TEXT("NS");
    case REPLY_CHANGED:
        return TEXT("EX");
    case REPLY_NOT_FOUND:
        if (request->verb == VERB_LOOK) {
            return quiet ? nothing : TEXT("EN");
        }
        return is_write(request) && !compared ? TEXT("NS") : TEXT("NF");
    case REPLY_PONG:
        return TEXT("MN");
    default: /* REPLY_KEYS_END: one key is all there is */
        return nothing;
    }
}

/* All except the line end. */
static char *add_reply(char *to, const struct request *request, const struct reply *reply)
{
    bool with_value = (request->options & REQUEST_NO_VALUE) == 0;
    bool quiet = (request->options & REQUEST_QUIET) != 0;
    if (reply->kind == REPLY_VALUE) {
        to = memcache_add_number(memcache_add(to, TEXT("VA ")), reply->value_length);
        return add_notes(add_flags(to, request, reply), reply->notes);
    }
    if (reply->kind == REPLY_NUMBER && with_value && !quiet) {
        return add_number_value(to, request, reply);
    }
    if (reply->kind == REPLY_FOUND && request->form == MEMCACHE_ME) {
        return add_debug(to, request, reply);
    }
    struct slice letters = letters_of(request, reply);
    if (letters.length == 0 || reply->kind == REPLY_PONG || request->form == MEMCACHE_ME) {
        return memcache_add(to, letters);
    }
    to = memcache_add(to, letters);
    return add_notes(add_flags(to, request, reply), reply->notes);
}

size_t meta_reply_head(const struct request *request, const struct reply *reply, char *to)
{
    char *end = add_reply(to, request, reply);
    return end == to ? 0 : (size_t)(memcache_add(end, TEXT("\r\n")) - to);
}
