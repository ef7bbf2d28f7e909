/*
 * memcache_line.c - one line of memcached's protocol: a command and its words. Those of
 * commands that are about no record are in memcache_admin.c.
 *
 * What is wrong is said in memcached's own words, since clients look at them. Where
 * a storage command is refused, its value is still to come: its extent is taken from
 * the line, and if it does not say, the connection ends.
 */
#include "protocol/memcache.h"

enum { WORDS_MAX = 8 };

/* --- words ---------------------------------------------------------------- */

bool memcache_word(struct memcache_line *line, struct slice *word)
{
    while (line->at < line->end && *line->at == ' ') {
        line->at++;
    }
    const char *from = line->at;
    if (from == line->end) {
        return false;
    }
    const char *space = memchr(from, ' ', (size_t)(line->end - from));
    line->at = space == NULL ? line->end : space;
    *word = (struct slice){from, (size_t)(line->at - from)};
    return true;
}

enum frame_line memcache_refuse(struct memcache_line *line, const char *text)
{
    frame_refuse(line->parser, REPLY_CLIENT_ERROR, "%s", text);
    return FRAME_REFUSED;
}

static enum frame_line bad_format(struct memcache_line *line)
{
    return memcache_refuse(line, "bad command line format");
}

/* The command is known, but its words are too few to be it. */
static enum frame_line too_few(struct memcache_line *line)
{
    frame_refuse(line->parser, REPLY_ERROR, "%s", "");
    return FRAME_REFUSED;
}

static bool is_key(struct slice word)
{
    const char *end = word.bytes + word.length;
    return word.length <= MEMCACHE_KEY_MAX && token_span(word.bytes, end, TOKEN_KEY) == end;
}

bool memcache_key(struct memcache_line *line, struct slice word, struct slice *key)
{
    if (!is_key(word)) {
        bad_format(line);
        return false;
    }
    *key = word;
    return true;
}

bool memcache_exptime(struct slice word, struct ttl *ttl)
{
    bool negative = word.length > 1 && word.bytes[0] == '-';
    struct slice digits = {word.bytes + negative, word.length - negative};
    uint64_t seconds = 0;
    if (!token_number(digits, &seconds) || seconds > TOKEN_TIME_MAX) {
        return false;
    }
    *ttl = (struct ttl){TTL_DEFAULT, seconds * 1000};
    if (negative && seconds > 0) {
        ttl->kind = TTL_GONE;
    } else if (seconds > 0) {
        ttl->kind = seconds <= MEMCACHE_RELATIVE_MAX ? TTL_FOR : TTL_UNTIL;
    }
    return true;
}

/* Takes up to WORDS_MAX words; returns how many there are. */
static size_t take_words(struct memcache_line *line, struct slice words[WORDS_MAX])
{
    size_t count = 0;
    while (count < WORDS_MAX && memcache_word(line, &words[count])) {
        count++;
    }
    return count;
}

static void note_noreply(struct request *request, struct slice last)
{
    if (slice_equal(last, slice_of("noreply"))) {
        request->options |= REQUEST_QUIET;
    }
}

/* --- reading -------------------------------------------------------------- */

/* The keys that are the rest of the line. */
static enum frame_line take_keys(struct memcache_line *line, struct request *request)
{
    const char *first = NULL;
    struct slice word;
    struct slice key;
    while (memcache_word(line, &word)) {
        if (!memcache_key(line, word, &key)) {
            return FRAME_REFUSED;
        }
        first = first == NULL ? key.bytes : first;
        request->keys = (struct slice){first, (size_t)(line->at - first)};
    }
    return FRAME_REQUEST;
}

static enum frame_line read_get(struct memcache_line *line, struct request *request)
{
    if (request->form == MEMCACHE_GETS) {
        request->ttl.kind = TTL_KEEP;
        request->options = REQUEST_VERSION;
    }
    enum frame_line result = take_keys(line, request);
    return request->keys.length > 0 || result != FRAME_REQUEST ? result : too_few(line);
}

static enum frame_line read_gat(struct memcache_line *line, struct request *request)
{
    struct slice word;
    if (!memcache_word(line, &word)) {
        return too_few(line);
    }
    if (!memcache_exptime(word, &request->ttl)) {
        return memcache_refuse(line, "invalid exptime argument");
    }
    if (request->form == MEMCACHE_GATS) {
        request->options = REQUEST_VERSION;
    }
    enum frame_line result = take_keys(line, request);
    return request->keys.length > 0 || result != FRAME_REQUEST ? result : too_few(line);
}

/* The words of a storage command: <key> <flags> <exptime> <bytes> [<cas>] [noreply] */
static enum frame_line read_storing(struct memcache_line *line, struct request *request)
{
    enum { KEY, FLAGS, EXPTIME, BYTES, CAS };
    struct slice words[WORDS_MAX];
    bool compares = request->form == MEMCACHE_CAS;
    size_t count = take_words(line, words);
    size_t least = compares ? CAS + 1 : BYTES + 1;
    uint64_t flags = 0;
    request->options = REQUEST_NOTED;
    if (request->form == MEMCACHE_SET) {
        request->options |= REQUEST_CLEAR;
    }
    bool counted = count > BYTES && token_number(words[BYTES], &request->value_length);
    if (count > least) {
        note_noreply(request, words[count - 1]);
    }
    /* With a word too many nobody knows which one was meant for the count. */
    bool surplus = count > least + ((request->options & REQUEST_QUIET) != 0);
    enum frame_line refused = counted && !surplus ? FRAME_REFUSED_THEN_BYTES : FRAME_FATAL;
    if (count < least) {
        too_few(line);
        return refused;
    }
    if (!counted || surplus || !is_key(words[KEY]) || !token_number(words[FLAGS], &flags) ||
        flags > UINT32_MAX || !memcache_exptime(words[EXPTIME], &request->ttl) ||
        (compares && !token_number(words[CAS], &request->compare))) {
        bad_format(line);
        return refused;
    }
    request->keys = words[KEY];
    request->client_flags = (uint32_t)flags;
    request->options |= compares ? REQUEST_COMPARE : 0;
    return FRAME_VALUE_BYTES;
}

static enum frame_line read_delete(struct memcache_line *line, struct request *request)
{
    struct slice words[WORDS_MAX];
    size_t count = take_words(line, words);
    if (count == 0) {
        return too_few(line);
    }
    if (!memcache_key(line, words[0], &request->keys)) {
        return FRAME_REFUSED;
    }
    note_noreply(request, words[count - 1]);
    bool quiet = (request->options & REQUEST_QUIET) != 0;
    bool zero = count > 1 && slice_equal(words[1], slice_of("0")); /* a time, once */
    size_t known = 1 + (size_t)zero + (size_t)(quiet && count > 1);
    if (count > known) {
        return memcache_refuse(line, "bad command line format.  Usage: delete <key> [noreply]");
    }
    return FRAME_REQUEST;
}

static enum frame_line read_counting(struct memcache_line *line, struct request *request)
{
    struct slice words[WORDS_MAX];
    size_t count = take_words(line, words);
    request->options = REQUEST_WRAP;
    request->ttl.kind = TTL_KEEP;
    if (count < 2) {
        return too_few(line);
    }
    if (!memcache_key(line, words[0], &request->keys)) {
        return FRAME_REFUSED;
    }
    if (!token_number(words[1], &request->number)) {
        return memcache_refuse(line, "invalid numeric delta argument");
    }
    note_noreply(request, words[count - 1]);
    return FRAME_REQUEST;
}

static enum frame_line read_touch(struct memcache_line *line, struct request *request)
{
    struct slice words[WORDS_MAX];
    size_t count = take_words(line, words);
    if (count < 2) {
        return too_few(line);
    }
    if (!memcache_key(line, words[0], &request->keys)) {
        return FRAME_REFUSED;
    }
    if (!memcache_exptime(words[1], &request->ttl)) {
        return memcache_refuse(line, "invalid exptime argument");
    }
    note_noreply(request, words[count - 1]);
    return FRAME_REQUEST;
}

static enum frame_line read_flush(struct memcache_line *line, struct request *request)
{
    struct slice words[WORDS_MAX];
    size_t count = take_words(line, words);
    if (count > 2) {
        return too_few(line);
    }
    if (count > 0) {
        note_noreply(request, words[count - 1]);
    }
    bool only_quiet = count == 1 && (request->options & REQUEST_QUIET) != 0;
    if (count > 0 && !only_quiet && !memcache_exptime(words[0], &request->ttl)) {
        return memcache_refuse(line, "invalid exptime argument");
    }
    return FRAME_REQUEST;
}

static enum frame_line read_nothing(struct memcache_line *line, struct request *request)
{
    (void)line;
    (void)request;
    return FRAME_REQUEST;
}

/* --- commands ------------------------------------------------------------- */

struct command {
    const char *word;
    uint8_t length;
    enum verb verb;
    memcache_reads *read;
};

static const struct command commands[] = {
#define COMMAND(id, word, reader, verb) [MEMCACHE_##id] = {word, sizeof word - 1, verb, reader},
#include "protocol/memcache.def"
#undef COMMAND
};

/* The first that is asked for most often stands first in the list. */
static const struct command *find_command(struct slice word)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].length == word.length &&
            memcmp(commands[i].word, word.bytes, word.length) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

enum frame_line memcache_line_read(struct parser *parser, struct slice text,
                                   struct request *request)
{
    if (frame_is_browser(text)) {
        return FRAME_BROWSER;
    }
    struct memcache_line line = {parser, text.bytes, text.bytes + text.length};
    struct slice word = {NULL, 0};
    memcache_word(&line, &word);
    const struct command *command = word.length == 0 ? NULL : find_command(word);
    if (command == NULL) {
        return too_few(&line);
    }
    *request = (struct request){.verb = command->verb, .form = (unsigned)(command - commands)};
    return command->read(&line, request);
}
