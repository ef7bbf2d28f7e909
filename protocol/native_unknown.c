/*
 * native_unknown.c - lines of the native protocol that begin with no verb: what was meant.
 *
 * Most of them come from clients and users of memcached and Redis, whose words are known here.
 * Nothing is guessed for the parser: whatever the answer suggests, the line is refused, and the
 * next line is read as a request.
 */
#include "protocol/native.h"

#include "protocol/edit_distance.h"
#include "protocol/token.h"

enum { WORD_MAX = 15 }; /* bytes of a word for which a verb is suggested */

static const char *const verbs[] = {
#define VERB(id, word, ...) word,
#include "protocol/verbs.def"
#undef VERB
};

/* Words of other systems, and the verb that comes closest. */
static const struct {
    const char *word, *verb;
} others[] = {
    {"SET", "PUT"},        {"SETEX", "PUT"},         {"PSETEX", "PUT"},      {"MSET", "PUT"},
    {"GETSET", "PUT"},     {"REPLACE", "PUT"},       {"CAS", "PUT"},         {"SETNX", "ADD"},
    {"GETS", "GET"},       {"MGET", "GET"},          {"EXISTS", "GET"},      {"GETEX", "GET"},
    {"DELETE", "DEL"},     {"UNLINK", "DEL"},        {"GETDEL", "DEL"},      {"EXPIRE", "TOUCH"},
    {"PEXPIRE", "TOUCH"},  {"EXPIREAT", "TOUCH"},    {"PERSIST", "TOUCH"},   {"PTTL", "TTL"},
    {"INCRBY", "INCR"},    {"DECRBY", "DECR"},       {"KEYS", "LIST"},       {"SCAN", "LIST"},
    {"FLUSHALL", "FLUSH"}, {"FLUSHDB", "FLUSH"},     {"FLUSH_ALL", "FLUSH"}, {"INFO", "STATS"},
    {"DBSIZE", "STATS"},   {"SELECT", "NAMESPACES"}, {"LOGIN", "AUTH"},      {"ECHO", "PING"},
    {"RESTORE", "PUT"},    {"BGSAVE", "DUMP"},       {"CONFIG", "SETTINGS"}, {"COMMAND", "HELP"},
    {"MAN", "HELP"},       {"EXIT", "QUIT"},         {"BYE", "QUIT"},
};

/* Commands that only memcached has, whatever words follow. */
static const char *const of_memcached[] = {
    "MG",
    "MS",
    "MD",
    "MA",
    "MN",
    "ME",
    "GAT",
    "GATS",
    "VERBOSITY",
    "LRU",
    "LRU_CRAWLER",
    "SLABS",
    "CACHE_MEMLIMIT",
};

/* In capital letters, with a NUL. False: it is too long to be meant for a verb. */
static bool copy_word(struct slice word, char to[WORD_MAX + 1])
{
    if (word.length > WORD_MAX) {
        return false;
    }
    for (size_t i = 0; i < word.length; i++) {
        char c = word.bytes[i];
        to[i] = c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
    }
    to[word.length] = '\0';
    return true;
}

/* Of short words a single letter may differ: most have a verb at two. */
static const char *nearest_verb(const char *word)
{
    size_t best = strlen(word) < 6 ? 2 : 3;
    const char *nearest = NULL;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        size_t far = edit_distance(word, verbs[i]);
        if (far < best) {
            best = far;
            nearest = verbs[i];
        }
    }
    return nearest;
}

const char *native_suggest(struct slice word)
{
    char capitals[WORD_MAX + 1];
    if (!copy_word(word, capitals)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(others[i].word, capitals) == 0) {
            return others[i].verb;
        }
    }
    return nearest_verb(capitals);
}

/* --- memcached's requests ----------------------------------------------------- */

/* The next word of a line; empty at its end. */
static struct slice next_word(struct slice *line)
{
    struct slice word = {line->bytes, 0};
    request_next_key(line, &word);
    return word;
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the words behind the command are <key> <flags> <exptime> <bytes>. */
static bool stores(struct slice words)
{
    uint64_t number;
    next_word(&words);
    for (int i = 0; i < 3; i++) {
        struct slice word = next_word(&words);
        if (i == 1 && word.length > 1 && word.bytes[0] == '-') {
            word = (struct slice){word.bytes + 1, word.length - 1};
        }
        if (!token_number(word, &number)) {
            return false;
        }
    }
    return true;
}

/* Whether the line is a request of memcached's protocol; *data: lines of data follow it. ADD and
 * what it has in common with the native protocol's verbs is not for this file. */
static bool is_memcached(struct slice line, bool *data)
{
    static const char *const storing[] = {"SET", "REPLACE", "APPEND", "PREPEND", "CAS"};
    char word[WORD_MAX + 1];
    if (!copy_word(next_word(&line), word)) {
        return false;
    }
    *data = strcmp(word, "MS") == 0;
    if (is_one_of(word, storing, sizeof storing / sizeof *storing)) {
        *data = true;
        return stores(line);
    }
    return is_one_of(word, of_memcached, sizeof of_memcached / sizeof *of_memcached);
}

static void refuse_memcached(struct parser *parser, bool data)
{
    frame_refuse(parser, REPLY_ERROR, "this listener speaks %s%s", NATIVE_SPEAKS,
                 data ? ", and reads the next line as a request" : "");
    parser->error.reason = REASON_MEMCACHE;
}

/* --- the answer ------------------------------------------------------------------ */

static void refuse_word(struct parser *parser, struct slice line)
{
    struct slice word = next_word(&line);
    const char *verb = native_suggest(word);
    char quoted[TOKEN_QUOTE_MAX];
    token_quote(word, quoted);
    frame_refuse(parser, REPLY_ERROR, "unknown verb %s, ", quoted);
    if (verb != NULL) {
        frame_refuse_more(parser, "did you mean %s? ", verb);
    }
    frame_refuse_more(parser, "try HELP");
}

enum frame_line native_unknown_verb(struct parser *parser, struct slice line)
{
    bool data = false;
    if (frame_is_foreign(parser, foreign_is_redis(line) ? FOREIGN_REDIS : foreign_line(line))) {
        return FRAME_FOREIGN;
    }
    if (line.length == 0) {
        frame_refuse(parser, REPLY_ERROR, "the line is empty, try HELP");
    } else if (line.bytes[0] == ' ') {
        frame_refuse(parser, REPLY_CLIENT_ERROR,
                     "empty word: write the verb at the line's beginning, without spaces");
    } else if (is_memcached(line, &data)) {
        refuse_memcached(parser, data);
    } else {
        refuse_word(parser, line);
    }
    return FRAME_REFUSED;
}
