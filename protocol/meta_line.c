/*
 * meta_line.c - the meta commands: a key and flags, each a letter that may have a
 * token behind it. Flags that ask for something to be returned are only checked
 * here; the reply is spelled from the words themselves (meta_reply.c).
 */
#include "protocol/memcache.h"

enum { FLAGS_MAX = 20 };

/* What a command makes of its flags. */
struct meta {
    struct memcache_line *line;
    struct request *request;
    const char *letters;     /* that the command knows */
    const char *invalid;     /* what is said of others, */
    const char *duplicate;   /* of those that come twice, */
    const char *bad_token;   /* and of tokens that are no numbers */
    enum frame_line refused; /* what a refusal is: a value may follow */
    uint64_t seen[2];        /* letters, by number */
    bool stale;              /* I */
};

static bool refuse(struct meta *meta, const char *text)
{
    memcache_refuse(meta->line, text);
    return false;
}

static bool number(struct meta *meta, struct slice token, uint64_t *to)
{
    return token_number(token, to) || refuse(meta, meta->bad_token);
}

static bool exptime(struct meta *meta, struct slice token, struct ttl *to)
{
    return memcache_exptime(token, to) || refuse(meta, meta->bad_token);
}

/* --- single flags --------------------------------------------------------- */

static bool take_client_flags(struct meta *meta, struct slice token)
{
    uint64_t flags = 0;
    if (!token_number(token, &flags) || flags > UINT32_MAX) {
        return refuse(meta, "bad command line format");
    }
    meta->request->client_flags = (uint32_t)flags;
    return true;
}

static bool take_set_mode(struct meta *meta, struct slice token)
{
    if (token.length != 1) {
        return refuse(meta, "incorrect length for M token");
    }
    switch (token.bytes[0] | ('a' - 'A')) {
    case 'e':
        meta->request->verb = VERB_ADD;
        return true;
    case 'a':
        meta->request->verb = VERB_APPEND;
        return true;
    case 'p':
        meta->request->verb = VERB_PREPEND;
        return true;
    case 'r':
        meta->request->verb = VERB_REPLACE;
        return true;
    case 's':
        return true;
    default:
        return refuse(meta, "invalid mode for ms M token");
    }
}

static bool take_arithmetic_mode(struct meta *meta, struct slice token)
{
    char mode = token.length == 1 ? token.bytes[0] : '\0';
    if (token.length > 1) {
        return refuse(meta, meta->invalid);
    }
    if (mode == 'D' || mode == 'd' || mode == '-') {
        meta->request->verb = VERB_DECR;
        return true;
    }
    return mode == 'I' || mode == 'i' || mode == '+' || refuse(meta, "invalid mode for ma M token");
}

static bool take_mode(struct meta *meta, struct slice token)
{
    return meta->request->form == MEMCACHE_MS ? take_set_mode(meta, token)
                                              : take_arithmetic_mode(meta, token);
}

static bool take_refresh(struct meta *meta, struct slice token)
{
    uint64_t seconds = 0;
    if (!number(meta, token, &seconds)) {
        return false;
    }
    meta->request->refresh = seconds < TOKEN_TIME_MAX ? seconds * 1000 : TOKEN_TIME_MAX;
    return true;
}

/* One flag. False: refused, with parser.error. */
static bool take_flag(struct meta *meta, char letter, struct slice token)
{
    struct request *request = meta->request;
    switch (letter) {
    case 'b':
        request->options |= REQUEST_BASE64;
        return true;
    case 'c':
        request->options |= REQUEST_VERSION;
        return true;
    case 'q':
        request->options |= REQUEST_QUIET;
        return true;
    case 'u':
        request->options |= request->form == MEMCACHE_MG ? REQUEST_PEEK : 0;
        return true;
    case 'v':
        request->options &= ~(uint32_t)REQUEST_NO_VALUE;
        return true;
    case 'C':
        request->options |= REQUEST_COMPARE;
        return number(meta, token, &request->compare);
    case 'D':
        return number(meta, token, &request->number);
    case 'E':
        return number(meta, token, &request->version);
    case 'F':
        return take_client_flags(meta, token);
    case 'I':
        meta->stale = true;
        return true;
    case 'J':
        return number(meta, token, &request->initial);
    case 'M':
        return take_mode(meta, token);
    case 'N':
        request->options |= REQUEST_MAKE;
        return exptime(meta, token, &request->make);
    case 'O':
        return token.length <= MEMCACHE_OPAQUE_MAX || refuse(meta, "opaque token too long");
    case 'R':
        return take_refresh(meta, token);
    case 'T':
        return exptime(meta, token, &request->ttl);
    default: /* only to be returned */
        return true;
    }
}

/* --- all flags ------------------------------------------------------------ */

static bool check_letter(struct meta *meta, char letter)
{
    unsigned bit = (unsigned)(unsigned char)letter;
    if (bit >= 128 || letter == '\0' || strchr(meta->letters, letter) == NULL) {
        return refuse(meta, meta->invalid);
    }
    if ((meta->seen[bit / 64] >> bit % 64 & 1) != 0) {
        return refuse(meta, meta->duplicate);
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
        return refuse(meta, meta->request->form == MEMCACHE_ME ? "bad command line format"
                                                               : "error decoding key");
    }
    return true;
}

/* The flags that are the rest of the line. */
static enum frame_line take_flags(struct meta *meta)
{
    struct memcache_line *line = meta->line;
    struct request *request = meta->request;
    struct slice word;
    const char *first = NULL;
    for (int count = 0; memcache_word(line, &word); count++) {
        first = first == NULL ? word.bytes : first;
        if (count == FLAGS_MAX || line->at - first > REQUEST_WORDS_MAX) {
            memcache_refuse(line, "options flags are too long");
            return meta->refused;
        }
        struct slice token = {word.bytes + 1, word.length - 1};
        if (!check_letter(meta, word.bytes[0]) || !take_flag(meta, word.bytes[0], token)) {
            return meta->refused;
        }
        request->words = (struct slice){first, (size_t)(line->at - first)};
    }
    return check_key(meta) ? FRAME_REQUEST : meta->refused;
}

/* The key; ERROR where there is none. */
static bool take_key(struct memcache_line *line, struct request *request)
{
    struct slice word;
    if (!memcache_word(line, &word)) {
        frame_refuse(line->parser, REPLY_ERROR, "%s", "");
        return false;
    }
    return memcache_key(line, word, &request->keys);
}

/* --- commands ------------------------------------------------------------- */

enum frame_line meta_read_get(struct memcache_line *line, struct request *request)
{
    struct meta meta = {.line = line,
                        .request = request,
                        .letters = "bcfhklOqstuvENRT",
                        .invalid = "invalid flag",
                        .duplicate = "duplicate flag",
                        .bad_token = "bad token in command line format",
                        .refused = FRAME_REFUSED};
    request->options = REQUEST_NO_VALUE | REQUEST_CONTEND;
    request->ttl.kind = TTL_KEEP;
    return take_key(line, request) ? take_flags(&meta) : FRAME_REFUSED;
}

enum frame_line meta_read_set(struct memcache_line *line, struct request *request)
{
    struct meta meta = {.line = line,
                        .request = request,
                        .letters = "bcCEFIkMNOqTsu",
                        .invalid = "invalid flag",
                        .duplicate = "duplicate flag",
                        .bad_token = "bad token in command line format",
                        .refused = FRAME_REFUSED_THEN_BYTES};
    struct slice key;
    struct slice word;
    request->options = REQUEST_NOTED;
    if (!memcache_word(line, &key)) {
        frame_refuse(line->parser, REPLY_ERROR, "%s", "");
        return FRAME_FATAL;
    }
    if (!memcache_word(line, &word) || !token_number(word, &request->value_length)) {
        memcache_refuse(line, "bad command line format");
        return FRAME_FATAL;
    }
    if (!memcache_key(line, key, &request->keys)) {
        return FRAME_REFUSED_THEN_BYTES;
    }
    enum frame_line result = take_flags(&meta);
    if (result != FRAME_REQUEST) {
        return result;
    }
    if (meta.stale && (request->options & REQUEST_COMPARE) != 0) {
        request->options |= REQUEST_OR_STALE;
    }
    if (request->verb == VERB_PUT) {
        request->options |= REQUEST_CLEAR;
    }
    return FRAME_VALUE_BYTES;
}

enum frame_line meta_read_delete(struct memcache_line *line, struct request *request)
{
    struct meta meta = {.line = line,
                        .request = request,
                        .letters = "bCEIkOqT",
                        .invalid = "invalid or duplicate flag",
                        .duplicate = "invalid or duplicate flag",
                        .bad_token = "invalid or duplicate flag",
                        .refused = FRAME_REFUSED};
    request->ttl.kind = TTL_KEEP;
    enum frame_line result = take_key(line, request) ? take_flags(&meta) : FRAME_REFUSED;
    if (meta.stale) {
        request->verb = VERB_STALE;
    }
    return result;
}

enum frame_line meta_read_arithmetic(struct memcache_line *line, struct request *request)
{
    struct meta meta = {.line = line,
                        .request = request,
                        .letters = "bcCDEJkMNOqtTv",
                        .invalid = "invalid or duplicate flag",
                        .duplicate = "invalid or duplicate flag",
                        .bad_token = "invalid or duplicate flag",
                        .refused = FRAME_REFUSED};
    request->options = REQUEST_WRAP | REQUEST_NO_VALUE | REQUEST_NOTED;
    request->ttl.kind = TTL_KEEP;
    request->number = 1;
    return take_key(line, request) ? take_flags(&meta) : FRAME_REFUSED;
}

enum frame_line meta_read_debug(struct memcache_line *line, struct request *request)
{
    struct meta meta = {.line = line,
                        .request = request,
                        .letters = "b",
                        .invalid = "bad command line format",
                        .duplicate = "bad command line format",
                        .bad_token = "bad command line format",
                        .refused = FRAME_REFUSED};
    struct slice word;
    request->options = REQUEST_NO_VALUE | REQUEST_PEEK | REQUEST_UNCOUNTED;
    request->ttl.kind = TTL_KEEP;
    if (!memcache_word(line, &word)) {
        return memcache_refuse(line, "bad command line format");
    }
    return memcache_key(line, word, &request->keys) ? take_flags(&meta) : FRAME_REFUSED;
}
