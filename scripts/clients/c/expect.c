/*
 * expect.c - which replies are awaited.
 */
#include "scripts/clients/c/expect.h"

#include <stdlib.h>

#include "protocol/token.h"
#include "scripts/clients/c/parse.h"

enum { FIRST_ROOM = 16 };

/* What stands behind the first word. */
enum rest {
    REST_NONE,
    REST_LENGTH,
    REST_NUMBER,
    REST_TTL,
    REST_KEY,
    REST_RECORD,
    REST_STAT,
    REST_TEXT
};

static const struct rules {
    const char *word; /* of the reply, or of a row of the listing */
    enum rest rest;
    bool writes;
    bool lists;
    bool misses; /* NOT_FOUND can come */
} rules_of[] = {
    [EXPECT_PUT] = {.word = "STORED", .writes = true},
    [EXPECT_ADD] = {.word = "STORED", .writes = true},
    [EXPECT_GET] = {.word = "VALUE", .rest = REST_LENGTH, .misses = true},
    [EXPECT_DELETE] = {.word = "DELETED", .writes = true, .misses = true},
    [EXPECT_TOUCH] = {.word = "TOUCHED", .writes = true, .misses = true},
    [EXPECT_TTL] = {.word = "TTL", .rest = REST_TTL, .misses = true},
    [EXPECT_NUMBER] = {.word = "NUMBER", .rest = REST_NUMBER, .writes = true, .misses = true},
    [EXPECT_LIST] = {.word = "KEY", .rest = REST_KEY, .lists = true},
    [EXPECT_ALL] = {.word = "RECORD", .rest = REST_RECORD, .lists = true},
    [EXPECT_STATS] = {.word = "STAT", .rest = REST_STAT, .lists = true, .misses = true},
    [EXPECT_FLUSH] = {.word = "FLUSHED", .rest = REST_NUMBER, .writes = true},
    [EXPECT_PING] = {.word = "PONG"},
    [EXPECT_VERSION] = {.word = "VERSION", .rest = REST_TEXT},
    [EXPECT_AUTH] = {.word = "OK"},
};

/* --- the queue -------------------------------------------------------------------- */

void expect_deinit(struct expect_queue *queue)
{
    free(queue->at);
    *queue = (struct expect_queue){.at = NULL};
}

void expect_clear(struct expect_queue *queue)
{
    queue->first = queue->count = 0;
}

/* Room for one more, behind the last. */
static bool make_room(struct expect_queue *queue)
{
    if (queue->first + queue->count < queue->room) {
        return true;
    }
    if (queue->first > queue->room / 2) {
        memmove(queue->at, queue->at + queue->first, queue->count * sizeof *queue->at);
        queue->first = 0;
        return true;
    }
    size_t room = queue->room > 0 ? queue->room * 2 : FIRST_ROOM;
    struct expected *at = reallocarray(queue->at, room, sizeof *at);
    if (at != NULL) {
        queue->at = at;
        queue->room = room;
    }
    return at != NULL;
}

bool expect_push(struct expect_queue *queue, enum expect_kind kind, size_t replies)
{
    bool pushed = make_room(queue);
    if (pushed) {
        queue->at[queue->first + queue->count++] = (struct expected){kind, replies, false};
    }
    return pushed;
}

void expect_pop_last(struct expect_queue *queue)
{
    queue->count--;
}

static void pop_first(struct expect_queue *queue)
{
    queue->first = --queue->count > 0 ? queue->first + 1 : 0;
}

const struct expected *expect_first(const struct expect_queue *queue)
{
    return &queue->at[queue->first];
}

bool expect_writes(enum expect_kind kind)
{
    return rules_of[kind].writes;
}

bool expect_any_writes(const struct expect_queue *queue)
{
    for (size_t i = 0; i < queue->count; i++) {
        if (expect_writes(queue->at[queue->first + i].kind)) {
            return true;
        }
    }
    return false;
}

/* --- what a reply says ------------------------------------------------------------ */

/* Whether the line is this word and no more. */
static bool is_bare(const struct kvc_reply *reply, const char *word)
{
    return parse_is(reply, word) && reply->line.length == reply->word.length;
}

/* KVC_OK: it is no error. */
static enum kvc_result error_of(const struct kvc_reply *reply)
{
    static const struct {
        const char *word;
        enum kvc_result result;
    } errors[] = {{"CLIENT_ERROR", KVC_ERROR_CLIENT},
                  {"SERVER_ERROR", KVC_ERROR_SERVER},
                  {"ERROR", KVC_ERROR_UNKNOWN}};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (parse_is(reply, errors[i].word)) {
            return errors[i].result;
        }
    }
    return KVC_OK;
}

static bool decode_key(struct kvc_bytes word, struct kvc_reply *reply, struct buffer *key)
{
    buffer_reset(key);
    buffer_append(key, (struct slice){word.bytes, word.length});
    if (word.length == 0 || key->failed) {
        return false;
    }
    reply->key = (struct kvc_bytes){key->at, token_unescape(key->at, word.length)};
    return true;
}

/* Of a RECORD, whose length was read when it was cut: two words. */
static bool read_record(struct kvc_reply *reply, struct buffer *key)
{
    struct kvc_bytes length;
    struct kvc_bytes word = parse_word(reply->rest, &length);
    return length.length > 0 && memchr(length.bytes, ' ', length.length) == NULL &&
           decode_key(word, reply, key);
}

static bool read_stat(struct kvc_reply *reply)
{
    reply->key = parse_word(reply->rest, &reply->value);
    return reply->key.length > 0;
}

static bool read_rest(enum rest rest, struct kvc_reply *reply, struct buffer *key)
{
    struct kvc_bytes text = reply->rest;
    switch (rest) {
    case REST_NONE:
        return reply->line.length == reply->word.length;
    case REST_LENGTH:
        return memchr(text.bytes, ' ', text.length) == NULL;
    case REST_NUMBER:
        return parse_number(text, &reply->number);
    case REST_TTL:
        return parse_ttl(text, &reply->ttl);
    case REST_KEY:
        return memchr(text.bytes, ' ', text.length) == NULL && decode_key(text, reply, key);
    case REST_RECORD:
        return read_record(reply, key);
    case REST_STAT:
        return read_stat(reply);
    case REST_TEXT:
        reply->value = text;
        return text.length > 0;
    }
    return false;
}

/* Of a reply that is no error. */
static enum kvc_result read_reply(struct expected *expected, struct kvc_reply *reply,
                                  struct buffer *key)
{
    const struct rules *rules = &rules_of[expected->kind];
    reply->is_last = !rules->lists && expected->left == 1;
    if (parse_is(reply, rules->word) && read_rest(rules->rest, reply, key)) {
        return KVC_OK;
    }
    if (rules->lists && is_bare(reply, "END")) {
        reply->is_last = 1;
        return KVC_OK;
    }
    if (rules->misses && is_bare(reply, "NOT_FOUND") && !(rules->lists && expected->begun)) {
        reply->is_last |= rules->lists;
        return KVC_NOT_FOUND;
    }
    if (expected->kind == EXPECT_ADD && is_bare(reply, "EXISTS")) {
        return KVC_EXISTS;
    }
    return expected->kind == EXPECT_AUTH && is_bare(reply, "DENIED") ? KVC_ERROR_DENIED
                                                                     : KVC_ERROR_PROTOCOL;
}

enum kvc_result expect_take(struct expect_queue *queue, struct kvc_reply *reply, struct buffer *key)
{
    struct expected *expected = &queue->at[queue->first];
    enum kvc_result result = error_of(reply);
    if (result != KVC_OK) {
        reply->is_last = 1;
    } else {
        result = read_reply(expected, reply, key);
    }
    expected->begun = true;
    expected->left -= !rules_of[expected->kind].lists;
    if (reply->is_last != 0) {
        pop_first(queue);
    }
    return key->failed ? KVC_ERROR_MEMORY : result;
}
