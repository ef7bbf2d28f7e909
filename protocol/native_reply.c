/*
 * native_reply.c - replies in the native protocol's words.
 *
 * A head is a word, the fields that the word implies, and a line end. Names and text are truncated
 * to keep it within REPLY_HEAD_MAX. Control characters in a text are replaced, so that it stays one
 * line and cannot forge the next reply.
 */
#include "protocol/digits.h"
#include "protocol/native.h"
#include "protocol/token.h"

/* Text leaves room for a line end, names for the fields after them. */
enum { TEXT_END = REPLY_HEAD_MAX - 2, NAME_END = REQUEST_KEY_MAX + 32 };

struct first_words {
    char bytes[17];
    uint8_t length;
};

#define WORDS(text)                                                                                \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

static const struct first_words first_words[] = {
    [REPLY_STORED] = WORDS("STORED"),
    [REPLY_EXISTS] = WORDS("EXISTS"),
    [REPLY_CHANGED] = WORDS("EXISTS"),
    [REPLY_NOT_FOUND] = WORDS("NOT_FOUND"),
    [REPLY_DELETED] = WORDS("DELETED"),
    [REPLY_TOUCHED] = WORDS("TOUCHED"),
    [REPLY_VALUE] = WORDS("VALUE"),
    [REPLY_FOUND] = WORDS("FOUND"),
    [REPLY_KEYS_END] = WORDS(""),
    [REPLY_TTL] = WORDS("TTL"),
    [REPLY_TTL_NEVER] = WORDS("TTL never"),
    [REPLY_NUMBER] = WORDS("NUMBER"),
    [REPLY_KEY] = WORDS("KEY"),
    [REPLY_RECORD] = WORDS("RECORD"),
    [REPLY_REQUEST] = WORDS("PUT"),
    [REPLY_SIZES] = WORDS("SIZE"),
    [REPLY_TIMES] = WORDS("TTL"),
    [REPLY_LARGE] = WORDS("LARGE"),
    [REPLY_ENTRY] = WORDS("KEY"),
    [REPLY_END] = WORDS("END"),
    [REPLY_FLUSHED] = WORDS("FLUSHED"),
    [REPLY_NAMESPACE] = WORDS("NAMESPACE"),
    [REPLY_STAT] = WORDS("STAT"),
    [REPLY_DETAIL] = WORDS("STAT"),
    [REPLY_OK] = WORDS("OK"),
    [REPLY_DENIED] = WORDS("DENIED"),
    [REPLY_KILLED] = WORDS("KILLED"),
    [REPLY_SLOW] = WORDS("SLOW"),
    [REPLY_RESET] = WORDS("RESET"),
    [REPLY_MEMORY_TOO_SMALL] = WORDS("CLIENT_ERROR"),
    [REPLY_MEMORY_FAILED] = WORDS("SERVER_ERROR"),
    [REPLY_PONG] = WORDS("PONG"),
    [REPLY_VERSION] = WORDS("VERSION kvcached"),
    [REPLY_HELP] = WORDS(""),
    [REPLY_ERROR] = WORDS("ERROR"),
    [REPLY_CLIENT_ERROR] = WORDS("CLIENT_ERROR"),
    [REPLY_SERVER_ERROR] = WORDS("SERVER_ERROR"),
};

/* Each of these appends to a head at `at` and returns the new end. */

static char *add_number(char *at, uint64_t number)
{
    *at = ' ';
    return digits_write(at + 1, number);
}

static char *add_text(char *at, const char *end, struct slice text)
{
    *at++ = ' ';
    for (size_t i = 0; i < text.length && at < end; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        *at++ = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    return at;
}

static char *add_words(char *at, const char *words)
{
    size_t length = strlen(words);
    memcpy(at, words, length);
    return at + length;
}

static char *add_key(char *at, const char *end, struct slice key)
{
    *at++ = ' ';
    return token_escape(at, (size_t)(end - at), key);
}

static char *add_seconds(char *at, uint64_t milliseconds)
{
    unsigned rest = (unsigned)(milliseconds % 1000);
    at = add_number(at, milliseconds / 1000);
    *at++ = '.';
    *at++ = (char)('0' + rest / 100);
    *at++ = (char)('0' + rest / 10 % 10);
    *at++ = (char)('0' + rest % 10);
    return at;
}

/* Within what PUT takes: 0 would mean never. */
static char *add_ttl(char *at, uint64_t left)
{
    if (left == REPLY_NEVER) {
        return add_words(at, " never");
    }
    left = left == 0 ? 1 : left < TOKEN_TIME_MAX ? left : TOKEN_TIME_MAX;
    return left % 1000 == 0 ? add_number(at, left / 1000) : add_words(add_number(at, left), "ms");
}

/* A PUT that makes the record again. */
static char *add_request(char *at, const struct reply *reply, const char *to)
{
    at = add_text(at, to + sizeof "PUT" + REQUEST_NAMESPACE_MAX, reply->text);
    at = add_key(at, at + 1 + REQUEST_KEY_MAX, reply->name);
    at = add_number(add_ttl(at, reply->left), reply->value_length);
    return reply->client_flags == 0 ? at : add_number(at, reply->client_flags);
}

/* Of DUMP and SURVEY. Not inlined, so that the replies of most requests take no longer. */
static char *__attribute__((noinline))
add_walked(char *at, const struct reply *reply, const char *to)
{
    switch (reply->kind) {
    case REPLY_REQUEST:
        return add_request(at, reply, to);
    case REPLY_SIZES:
        at = add_number(at, reply->value_length);
        return add_number(add_number(at, reply->number), reply->bytes);
    case REPLY_TIMES:
        return add_number(add_text(at, to + NAME_END, reply->text), reply->number);
    default:
        at = add_number(at, reply->value_length);
        return add_key(at, at + 1 + REQUEST_KEY_MAX, reply->name);
    }
}

/* The fields after the first words, but for VALUE. */
static char *__attribute__((noinline)) add_rest(char *at, const struct reply *reply, const char *to)
{
    switch (reply->kind) {
    case REPLY_TTL:
        return add_seconds(at, reply->number);
    case REPLY_NUMBER:
    case REPLY_FLUSHED:
        return add_number(at, reply->number);
    case REPLY_KEY:
    case REPLY_ENTRY:
        return add_key(at, to + NAME_END, reply->name);
    case REPLY_RECORD:
        return add_number(add_key(at, to + NAME_END, reply->name), reply->value_length);
    case REPLY_REQUEST:
    case REPLY_SIZES:
    case REPLY_TIMES:
    case REPLY_LARGE:
        return add_walked(at, reply, to);
    case REPLY_NAMESPACE:
        at = add_text(at, to + NAME_END, reply->name);
        return add_number(add_number(at, reply->number), reply->bytes);
    case REPLY_STAT:
    case REPLY_DETAIL:
        at = add_text(at, to + NAME_END, reply->name);
        return add_text(at, to + TEXT_END, reply->text);
    case REPLY_OK:
        return reply->text.length == 0 ? at : add_text(at, to + TEXT_END, reply->text);
    case REPLY_SLOW:
    case REPLY_VERSION:
    case REPLY_ERROR:
    case REPLY_CLIENT_ERROR:
    case REPLY_SERVER_ERROR:
    case REPLY_MEMORY_TOO_SMALL:
    case REPLY_MEMORY_FAILED:
        return add_text(at, to + TEXT_END, reply->text);
    case REPLY_VALUE: /* not here */
    case REPLY_STORED:
    case REPLY_EXISTS:
    case REPLY_CHANGED:
    case REPLY_FOUND:
    case REPLY_KEYS_END:
    case REPLY_DENIED:
    case REPLY_RESET:
    case REPLY_NOT_FOUND:
    case REPLY_DELETED:
    case REPLY_TOUCHED:
    case REPLY_KILLED:
    case REPLY_TTL_NEVER:
    case REPLY_END:
    case REPLY_PONG:
    case REPLY_HELP:
        break;
    }
    return at;
}

/* Most replies have a value. */
static inline size_t value_head(const struct reply *reply, char *to)
{
    static const char word[] = "VALUE ";
    memcpy(to, word, sizeof word - 1);
    char *at = digits_write(to + sizeof word - 1, reply->value_length);
    memcpy(at, "\r\n", 2);
    return (size_t)(at + 2 - to);
}

size_t native_reply_head(const struct request *request, const struct reply *reply, char *to)
{
    (void)request;
    if (reply->kind == REPLY_VALUE) {
        return value_head(reply, to);
    }
    if (reply->kind == REPLY_HELP || reply->kind == REPLY_KEYS_END) {
        return 0; /* clients expect nothing after the last key */
    }
    const struct first_words *words = &first_words[reply->kind];
    memcpy(to, words->bytes, sizeof words->bytes); /* a constant length is faster */
    char *at = add_rest(to + words->length, reply, to);
    memcpy(at, "\r\n", 2);
    return (size_t)(at + 2 - to);
}

size_t native_reply_tail(const struct request *request, const struct reply *reply, char *to)
{
    (void)request;
    if (reply->kind != REPLY_VALUE && reply->kind != REPLY_RECORD && reply->kind != REPLY_REQUEST) {
        return 0;
    }
    memcpy(to, "\r\n", 2);
    return 2;
}
