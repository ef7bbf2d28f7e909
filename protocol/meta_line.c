/*
 * meta_line.c - the meta commands: a key and flags, each a letter that may have a token after it.
 * Flags that return something are only checked here; meta_reply.c makes the reply from the words
 * themselves.
 */
#include "protocol/base64.h"
#include "protocol/memcache.h"

enum { FLAGS_MAX = 20 };

/* Options that every command takes, except that ME ignores QUIET. */
enum { ANY_COMMAND = REQUEST_QUIET | REQUEST_BASE64 | REQUEST_WHOLE_KEY };

/* How the commands differ. */
static const struct meta_rules {
    uint32_t options;        /* of a request without flags */
    uint32_t known;          /* options that the command has: others that flags set or clear are
                                ignored */
    enum ttl_kind ttl;       /* of a request without the flag T */
    enum frame_line refused; /* the result of a refusal: a value may follow */
    const char *bad_flag;    /* the error for every bad flag; NULL: it depends on the flag */
    const char *bad_base64;  /* the error for a bad key */
} rules[] = {
    [MEMCACHE_MG - MEMCACHE_MG] = {.options = REQUEST_NO_VALUE | REQUEST_CONTEND,
                                   .known = ANY_COMMAND | REQUEST_NO_VALUE | REQUEST_CONTEND |
                                            REQUEST_VERSION | REQUEST_PEEK | REQUEST_MAKE |
                                            REQUEST_COMPARE | REQUEST_HISTORY | REQUEST_LEFT,
                                   .ttl = TTL_KEEP,
                                   .refused = FRAME_REFUSED,
                                   .bad_base64 = "error decoding key"},
    [MEMCACHE_MS - MEMCACHE_MG] = {.options = REQUEST_NOTED,
                                   .known = ANY_COMMAND | REQUEST_NOTED | REQUEST_VERSION |
                                            REQUEST_COMPARE | REQUEST_LENGTH | REQUEST_MAKE,
                                   .ttl = TTL_DEFAULT,
                                   .refused = FRAME_REFUSED_THEN_BYTES,
                                   .bad_base64 = "error decoding key"},
    [MEMCACHE_MD - MEMCACHE_MG] = {.known = ANY_COMMAND | REQUEST_COMPARE,
                                   .ttl = TTL_KEEP,
                                   .refused = FRAME_REFUSED,
                                   .bad_base64 = "error decoding key"},
    [MEMCACHE_MA - MEMCACHE_MG] = {.options = REQUEST_WRAP | REQUEST_NO_VALUE | REQUEST_NOTED,
                                   .known = ANY_COMMAND | REQUEST_WRAP | REQUEST_NO_VALUE |
                                            REQUEST_NOTED | REQUEST_VERSION | REQUEST_MAKE |
                                            REQUEST_COMPARE,
                                   .ttl = TTL_KEEP,
                                   .refused = FRAME_REFUSED,
                                   .bad_flag = "invalid or duplicate flag",
                                   .bad_base64 = "invalid or duplicate flag"},
    [MEMCACHE_ME - MEMCACHE_MG] = {.options = REQUEST_PEEK,
                                   .known = REQUEST_BASE64 | REQUEST_WHOLE_KEY | REQUEST_PEEK,
                                   .ttl = TTL_KEEP,
                                   .refused = FRAME_REFUSED,
                                   .bad_base64 = "bad command line format"},
};

/* A command that is being parsed. */
struct meta {
    struct memcache_line *line;
    struct request *request;
    const struct meta_rules *rules;
    uint64_t seen[2];  /* letters, by number */
    struct slice mode; /* M's token */
    bool has_mode;
    bool stale;   /* I */
    bool empties; /* x */
};

static struct meta begin(struct memcache_line *line, struct request *request)
{
    struct meta meta = {
        .line = line, .request = request, .rules = &rules[request->form - MEMCACHE_MG]};
    request->options = meta.rules->options;
    request->ttl.kind = meta.rules->ttl;
    return meta;
}

/* Every command takes every flag: one without a meaning for the command is ignored, but its token
 * is checked all the same. */
static const char letters[] = "bcfhklqstuvxCDEFIJLMNOPRT";

static bool refuse(struct meta *meta, const char *text)
{
    memcache_refuse(meta->line, meta->rules->bad_flag != NULL ? meta->rules->bad_flag : text);
    return false;
}

static bool number(struct meta *meta, struct slice token, uint64_t *to, const char *text)
{
    return token_number(token, to) || refuse(meta, text);
}

/* --- single flags --------------------------------------------------------- */

static const char bad_token[] = "bad token in command line format";

static bool exptime(struct meta *meta, struct slice token, struct ttl *to)
{
    return memcache_exptime(token, to) || refuse(meta, bad_token);
}

static bool take_client_flags(struct meta *meta, struct slice token)
{
    uint64_t flags = 0;
    if (!token_number(token, &flags) || flags > UINT32_MAX) {
        return refuse(meta, "bad command line format");
    }
    meta->request->client_flags = (uint32_t)flags;
    return true;
}

static bool take_opaque(struct meta *meta, struct slice token)
{
    if (token.length <= MEMCACHE_OPAQUE_MAX) {
        return true;
    }
    memcache_refuse(meta->line, "opaque token too long");
    return false;
}

/* A flag for writing, with a token. */
static bool take_writing_flag(struct meta *meta, char letter, struct slice token)
{
    struct request *request = meta->request;
    switch (letter) {
    case 'C':
        request->options |= REQUEST_COMPARE;
        return number(meta, token, &request->compare, bad_token);
    case 'D':
        return number(meta, token, &request->number, "invalid numeric delta value");
    case 'E':
        return number(meta, token, &request->version, bad_token);
    case 'F':
        return take_client_flags(meta, token);
    case 'J':
        return number(meta, token, &request->initial, "invalid numeric initial value");
    case 'M':
        meta->mode = token;
        meta->has_mode = true;
        return true;
    case 'N':
        request->options |= REQUEST_MAKE;
        return exptime(meta, token, &request->make);
    case 'R':
        return exptime(meta, token, &request->refresh);
    default:
        return exptime(meta, token, &request->ttl); /* T */
    }
}

/* One flag. False: refused, with parser.error. */
static bool take_flag(struct meta *meta, char letter, struct slice token)
{
    struct request *request = meta->request;
    switch (letter) {
    case 'b':
        request->options |= REQUEST_BASE64 | REQUEST_WHOLE_KEY;
        return true;
    case 'c':
        request->options |= REQUEST_VERSION;
        return true;
    case 'h':
    case 'l':
        request->options |= REQUEST_HISTORY;
        return true;
    case 't':
        request->options |= REQUEST_LEFT;
        return true;
    case 'q':
        request->options |= REQUEST_QUIET;
        return true;
    case 's':
        request->options |= REQUEST_LENGTH;
        return true;
    case 'u':
        request->options |= REQUEST_PEEK;
        return true;
    case 'v':
        request->options &= ~(uint32_t)REQUEST_NO_VALUE;
        return true;
    case 'x':
        meta->empties = true;
        return true;
    case 'I':
        meta->stale = true;
        return true;
    case 'O':
        return take_opaque(meta, token);
    case 'C':
    case 'D':
    case 'E':
    case 'F':
    case 'J':
    case 'M':
    case 'N':
    case 'R':
    case 'T':
        return take_writing_flag(meta, letter, token);
    default: /* flags that return something, and L and P, which are for proxies */
        return true;
    }
}

/* --- all flags ------------------------------------------------------------ */

static bool check_letter(struct meta *meta, char letter)
{
    unsigned bit = (unsigned)(unsigned char)letter;
    if (bit >= 128 || letter == '\0' || strchr(letters, letter) == NULL) {
        return refuse(meta, "invalid flag");
    }
    if ((meta->seen[bit / 64] >> bit % 64 & 1) != 0) {
        return refuse(meta, "duplicate flag");
    }
    meta->seen[bit / 64] |= UINT64_C(1) << bit % 64;
    return true;
}

static bool check_key(struct meta *meta)
{
    struct slice key = meta->request->keys;
    size_t decoded = 0;
    if ((meta->request->options & REQUEST_BASE64) == 0) {
        return true;
    }
    if (!base64_check(key, &decoded)) {
        return refuse(meta, meta->rules->bad_base64);
    }
    return true;
}

/* The rest of the line is flags. */
static enum frame_line take_flags(struct meta *meta)
{
    struct memcache_line *line = meta->line;
    struct request *request = meta->request;
    struct slice word;
    const char *first = NULL;
    for (int count = 0; memcache_word(line, &word); count++) {
        first = first == NULL ? word.bytes : first;
        if (count == FLAGS_MAX || line->at - first > REQUEST_WORDS_MAX) {
            refuse(meta, "options flags are too long");
            return meta->rules->refused;
        }
        struct slice token = {word.bytes + 1, word.length - 1};
        if (!check_letter(meta, word.bytes[0]) || !take_flag(meta, word.bytes[0], token)) {
            return meta->rules->refused;
        }
        request->words = (struct slice){first, (size_t)(line->at - first)};
    }
    request->options &= meta->rules->known;
    return check_key(meta) ? FRAME_REQUEST : meta->rules->refused;
}

/* The key and the flags after it. */
static enum frame_line take_key_and_flags(struct meta *meta)
{
    struct slice word;
    if (!memcache_word(meta->line, &word)) {
        return memcache_bad_format(meta->line);
    }
    if (!memcache_key(meta->line, word, &meta->request->keys)) {
        refuse(meta, "bad command line format");
        return FRAME_REFUSED;
    }
    return take_flags(meta);
}

/* --- commands ------------------------------------------------------------- */

enum frame_line meta_read_get(struct memcache_line *line, struct request *request)
{
    struct meta meta = begin(line, request);
    enum frame_line result = take_key_and_flags(&meta);
    request->client_flags = 0; /* a record that N creates has none */
    if ((request->options & REQUEST_COMPARE) != 0) {
        request->options |= REQUEST_VERSION;
    }
    return result;
}

/* The mode of a set, by M's first letter. */
static bool take_set_mode(struct meta *meta)
{
    switch (meta->mode.length == 0 ? '\0' : meta->mode.bytes[0]) {
    case 'E':
        meta->request->verb = VERB_ADD;
        return true;
    case 'A':
        meta->request->verb = VERB_APPEND;
        return true;
    case 'P':
        meta->request->verb = VERB_PREPEND;
        return true;
    case 'R':
        meta->request->verb = VERB_REPLACE;
        return true;
    case 'S':
        return true;
    default:
        memcache_refuse(meta->line, "invalid mode for ms M token");
        return false;
    }
}

enum frame_line meta_read_set(struct memcache_line *line, struct request *request)
{
    struct meta meta = begin(line, request);
    struct slice key;
    struct slice word;
    if (!memcache_word(line, &key) || !memcache_word(line, &word) ||
        !token_number(word, &request->value_length)) {
        memcache_bad_format(line);
        return FRAME_FATAL;
    }
    if (!memcache_key(line, key, &request->keys)) {
        return FRAME_REFUSED_THEN_BYTES;
    }
    enum frame_line result = take_flags(&meta);
    if (result != FRAME_REQUEST) {
        return result;
    }
    if (meta.has_mode && !take_set_mode(&meta)) {
        return FRAME_REFUSED_THEN_BYTES;
    }
    bool joins = request->verb == VERB_APPEND || request->verb == VERB_PREPEND;
    bool replaces = request->verb == VERB_PUT || request->verb == VERB_REPLACE;
    if (!joins) {
        request->options &= ~(uint32_t)REQUEST_MAKE;
    }
    if (meta.stale && replaces && (request->options & REQUEST_COMPARE) != 0) {
        request->options |= REQUEST_OR_STALE;
    }
    if (request->verb == VERB_PUT) {
        request->options |= REQUEST_CLEAR;
    }
    return FRAME_VALUE_BYTES;
}

/* x makes a new record: without the flag T it has the default time to live. */
enum frame_line meta_read_delete(struct memcache_line *line, struct request *request)
{
    struct meta meta = begin(line, request);
    enum frame_line result = take_key_and_flags(&meta);
    if (meta.empties) {
        request->verb = VERB_EMPTY;
        request->options |= meta.stale ? (uint32_t)REQUEST_MARK : 0;
        request->ttl.kind = request->ttl.kind == TTL_KEEP ? TTL_DEFAULT : request->ttl.kind;
    } else if (meta.stale) {
        request->verb = VERB_STALE;
    }
    return result;
}

/* The direction, by M's first letter. */
static bool take_arithmetic_mode(struct meta *meta)
{
    char mode = meta->mode.length == 0 ? '\0' : meta->mode.bytes[0];
    if (mode == 'D' || mode == '-') {
        meta->request->verb = VERB_DECR;
        return true;
    }
    if (mode != 'I' && mode != '+') {
        memcache_refuse(meta->line, "invalid mode for ma M token");
        return false;
    }
    return true;
}

enum frame_line meta_read_arithmetic(struct memcache_line *line, struct request *request)
{
    struct meta meta = begin(line, request);
    request->number = 1;
    enum frame_line result = take_key_and_flags(&meta);
    request->client_flags = 0; /* a record that N creates has none */
    if (result == FRAME_REQUEST && meta.has_mode && !take_arithmetic_mode(&meta)) {
        return FRAME_REFUSED;
    }
    return result;
}

enum frame_line meta_read_debug(struct memcache_line *line, struct request *request)
{
    struct meta meta = begin(line, request);
    enum frame_line result = take_key_and_flags(&meta);
    request->options |= REQUEST_NO_VALUE | REQUEST_UNCOUNTED;
    request->ttl.kind = TTL_KEEP;
    request->refresh.kind = TTL_DEFAULT;
    return result;
}
