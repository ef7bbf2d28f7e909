/*
 * memcache_line.c - one line of memcached's protocol: a command and its words. Commands that are
 * not about a record are in memcache_admin.c.
 *
 * Errors have memcached's own texts, since clients compare them. The value of a refused storage
 * command still follows: its length is taken from the line, and without one the connection is
 * closed.
 */
#include "protocol/memcache.h"

enum { WORDS_MAX = 8 };

/* Takes up to WORDS_MAX words; returns how many there are. */
static size_t take_words(struct memcache_line *line, struct slice words[WORDS_MAX])
{
    size_t count = 0;
    while (count < WORDS_MAX && memcache_word(line, &words[count])) {
        count++;
    }
    return count;
}

static bool is_noreply(struct slice word)
{
    return slice_equal(word, slice_of("noreply"));
}

/* --- reading -------------------------------------------------------------- */

/* The rest of the line is keys. */
static enum frame_line take_keys(struct memcache_line *line, struct request *request)
{
    const char *first = NULL;
    struct slice word, last = {NULL, 0};
    while (memcache_word(line, &word)) {
        if (!memcache_fits_key(word)) {
            return memcache_bad_format(line);
        }
        first = first == NULL ? word.bytes : first;
        last = word;
    }
    if (first == NULL) {
        return memcache_bad_format(line);
    }
    request->options |= first == last.bytes ? (uint32_t)REQUEST_ONE_KEY : 0;
    request->keys = (struct slice){first, (size_t)(last.bytes + last.length - first)};
    return FRAME_REQUEST;
}

/* The exptime before the keys of gat and gats. */
static bool take_touch(struct memcache_line *line, struct request *request)
{
    struct slice word;
    if (!memcache_word(line, &word)) {
        memcache_bad_format(line);
        return false;
    }
    if (!memcache_exptime(word, &request->ttl)) {
        memcache_refuse(line, "invalid exptime argument");
        return false;
    }
    return true;
}

/* Parses and sets all of a form of get except its keys. False: refused. */
static inline bool begin_reading(struct memcache_line *line, struct request *request)
{
    switch (request->form) {
    case MEMCACHE_GETS:
        request->ttl.kind = TTL_KEEP;
        request->options = REQUEST_VERSION;
        return true;
    case MEMCACHE_GATS:
        request->options = REQUEST_VERSION;
        return take_touch(line, request);
    case MEMCACHE_GAT:
        return take_touch(line, request);
    default:
        return true;
    }
}

static inline enum frame_line read_keys(struct memcache_line *line, struct request *request)
{
    return begin_reading(line, request) ? take_keys(line, request) : FRAME_REFUSED;
}

/* The words of a storage command: <key> <flags> <exptime> <bytes> [<cas>] [noreply] */
enum storing_word { KEY, FLAGS, EXPTIME, BYTES, CAS };

/*
 * Whether the words after those of a storage command may be ignored, such as a misspelled
 * noreply. With a number among them the key may contain a blank, and then another word was meant
 * as the count.
 */
static bool is_surplus_harmless(const struct slice *words, size_t from, size_t count)
{
    uint64_t number;
    for (size_t i = from; i < count; i++) {
        if (token_number(words[i], &number)) {
            return false;
        }
    }
    return count < WORDS_MAX;
}

static bool take_storing(struct request *request, const struct slice *words)
{
    uint64_t flags = 0;
    bool compares = request->form == MEMCACHE_CAS;
    if (!memcache_fits_key(words[KEY]) || !token_number(words[FLAGS], &flags) ||
        flags > UINT32_MAX || !memcache_storing_exptime(words[EXPTIME], &request->ttl) ||
        (compares && !token_number(words[CAS], &request->compare))) {
        return false;
    }
    request->keys = words[KEY];
    request->options |= REQUEST_ONE_KEY;
    request->client_flags = (uint32_t)flags;
    request->options |= compares ? REQUEST_COMPARE : 0;
    return true;
}

static enum frame_line read_storing(struct memcache_line *line, struct request *request)
{
    struct slice words[WORDS_MAX];
    size_t count = take_words(line, words);
    size_t least = request->form == MEMCACHE_CAS ? CAS + 1 : BYTES + 1;
    request->options = REQUEST_NOTED;
    if (request->form == MEMCACHE_SET) {
        request->options |= REQUEST_CLEAR | (line->parser->login ? REQUEST_LOGIN : 0);
    }
    bool counted = count > BYTES && token_number(words[BYTES], &request->value_length);
    if (!counted || (count > least && !is_surplus_harmless(words, least, count))) {
        memcache_bad_format(line);
        return FRAME_FATAL;
    }
    if (count >= least && take_storing(request, words)) {
        return FRAME_VALUE_BYTES;
    }
    if ((request->options & REQUEST_LOGIN) != 0) {
        request->options |= REQUEST_ONLY_LOGIN;
        return FRAME_VALUE_BYTES;
    }
    memcache_bad_format(line);
    bool is_surplus = count > least + is_noreply(words[count - 1]);
    return is_surplus ? FRAME_FATAL : FRAME_REFUSED_THEN_BYTES;
}

/* Old clients send a time after the key, and a misspelled noreply is ignored. With more words the
 * line has several keys, and delete takes one. */
static bool is_delete(const struct slice *words, size_t count)
{
    uint64_t time;
    return count <= 2 || (count == 3 && token_number(words[1], &time));
}

static enum frame_line read_delete(struct memcache_line *line, struct request *request)
{
    struct slice words[WORDS_MAX];
    size_t count = take_words(line, words);
    if (count == 0) {
        return memcache_bad_format(line);
    }
    if (!memcache_key(line, words[0], &request->keys)) {
        return FRAME_REFUSED;
    }
    if (!is_delete(words, count)) {
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
        return memcache_bad_format(line);
    }
    if (!memcache_key(line, words[0], &request->keys)) {
        return FRAME_REFUSED;
    }
    if (!token_number(words[1], &request->number)) {
        return memcache_refuse(line, "invalid numeric delta argument");
    }
    return FRAME_REQUEST;
}

static enum frame_line read_touch(struct memcache_line *line, struct request *request)
{
    struct slice words[WORDS_MAX];
    size_t count = take_words(line, words);
    if (count < 2) {
        return memcache_bad_format(line);
    }
    if (!memcache_key(line, words[0], &request->keys)) {
        return FRAME_REFUSED;
    }
    if (!memcache_exptime(words[1], &request->ttl)) {
        return memcache_refuse(line, "invalid exptime argument");
    }
    return FRAME_REQUEST;
}

static enum frame_line read_flush(struct memcache_line *line, struct request *request)
{
    struct slice words[WORDS_MAX];
    size_t count = take_words(line, words);
    bool at_once = count == 0 || (count == 1 && is_noreply(words[0]));
    if (!at_once && !memcache_exptime(words[0], &request->ttl)) {
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
    memcache_reader *read;
};

static const struct command commands[] = {
#define COMMAND(id, word, reader, verb) [MEMCACHE_##id] = {word, sizeof word - 1, verb, reader},
#include "protocol/memcache.def"
#undef COMMAND
};

/* The most frequent commands are first in the list. */
static const struct command *__attribute__((noinline)) find_command(struct memcache_line *line)
{
    struct slice word;
    if (!memcache_word(line, &word)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].length == word.length &&
            bytes_same(commands[i].word, word.bytes, word.length)) {
            return &commands[i];
        }
    }
    return NULL;
}

/* Most requests are gets, so get is compared first. */
static inline const struct command *take_command(struct memcache_line *line,
                                                 struct request *request)
{
    const struct command *command = &commands[MEMCACHE_GET];
    if (line->end - line->at > 3 && memcmp(line->at, "get ", 4) == 0) {
        line->at += 3;
    } else {
        command = find_command(line);
    }
    if (command != NULL) {
        *request = (struct request){.verb = command->verb, .form = (unsigned)(command - commands)};
    }
    return command;
}

/* Whether noreply as the last word suppresses the reply, of commands that do not read keys. The
 * meta commands have the flag q instead. */
static bool takes_noreply(const struct command *command)
{
    switch ((enum memcache_form)(command - commands)) {
    case MEMCACHE_VERSION:
    case MEMCACHE_STATS:
    case MEMCACHE_WATCH:
    case MEMCACHE_HELP:
    case MEMCACHE_QUIT:
    case MEMCACHE_MG:
    case MEMCACHE_MS:
    case MEMCACHE_MD:
    case MEMCACHE_MA:
    case MEMCACHE_ME:
    case MEMCACHE_MN:
        return false;
    default:
        return true;
    }
}

static bool ends_in_noreply(struct slice line)
{
    static const char noreply[] = " noreply";
    enum { LENGTH = sizeof noreply - 1 };
    while (line.length > 0 && line.bytes[line.length - 1] == ' ') {
        line.length--;
    }
    return line.length >= LENGTH && memcmp(line.bytes + line.length - LENGTH, noreply, LENGTH) == 0;
}

enum { SHORTEST = 2 }; /* bytes of a command */

static enum frame_line read_unknown(struct memcache_line *line, struct slice text)
{
    if (frame_is_foreign(line->parser, foreign_line(text))) {
        return FRAME_FOREIGN;
    }
    line->parser->silent = ends_in_noreply(text);
    return text.length < SHORTEST ? memcache_bad_format(line) : memcache_unknown(line);
}

static enum frame_line __attribute__((noinline))
read_words(struct memcache_line *line, const struct command *command, struct request *request)
{
    struct slice text = {line->start, (size_t)(line->end - line->start)};
    enum frame_line result = command->read(line, request);
    line->parser->silent = takes_noreply(command) && ends_in_noreply(text);
    request->options |= line->parser->silent ? (uint32_t)REQUEST_QUIET : 0;
    return result;
}

/* Commands that read keys take noreply as a key. */
enum frame_line memcache_line_read(struct parser *parser, struct slice text,
                                   struct request *request)
{
    struct memcache_line line = {parser, text.bytes, text.bytes, text.bytes + text.length};
    const struct command *command = take_command(&line, request);
    if (command == NULL) {
        return read_unknown(&line, text);
    }
    if (command->read == read_keys) {
        parser->silent = false;
        return read_keys(&line, request);
    }
    return read_words(&line, command, request);
}

/* --- lines of keys in pieces ----------------------------------------------- */

size_t memcache_begin_keys(struct parser *parser, struct slice start, struct request *request)
{
    struct memcache_line line = {parser, start.bytes, start.bytes, start.bytes + start.length};
    const struct command *command = take_command(&line, request);
    bool reads = command != NULL && command->read == read_keys;
    return reads && begin_reading(&line, request) ? (size_t)(line.at - start.bytes) : 0;
}

bool memcache_is_key(struct parser *parser, struct slice word, bool *escaped)
{
    struct memcache_line line = {.parser = parser};
    *escaped = false;
    return memcache_key(&line, word, &word);
}
