/*
 * native_line.c - one line of the native protocol: a verb and its words.
 *
 * Each word is scanned once: the run of bytes that it may have must end where the word ends. Only
 * if it does not, the mistake is determined; a line with several blanks between its words is read a
 * second time, so that the others pay nothing for it. Nothing is executed before the whole line has
 * been checked, and an error says what is wrong and what would be right.
 */
#include "protocol/native.h"

#include <inttypes.h>

#include "protocol/glob.h"
#include "protocol/token.h"

struct verb_entry {
    const char *usage;
    uint8_t length;
    char word[15];
};

static const struct verb_entry verbs[] = {
#define VERB(id, word, arguments, ...) [VERB_##id] = {word arguments, sizeof word - 1, word},
#include "protocol/verbs.def"
#undef VERB
};

/* What a word has to be, and the texts of errors. */
struct word_rule {
    const char *what;
    const char *right;
    size_t longest;
    enum token_class class;
    bool hidden; /* errors do not repeat the word */
};

static const struct word_rule rule_user = {"user", "1 to 64 of A-Z a-z 0-9 _ . -",
                                           REQUEST_NAMESPACE_MAX, TOKEN_NAME, false};
static const struct word_rule rule_secret = {
    "secret", "1 to 256 bytes without white space and control characters", REQUEST_SECRET_MAX,
    TOKEN_KEY, true};
static const struct word_rule rule_namespace = {"namespace", "1 to 64 of A-Z a-z 0-9 _ . -",
                                                REQUEST_NAMESPACE_MAX, TOKEN_NAME, false};
static const struct word_rule rule_key = {
    "key", "1 to 1024 bytes, white space and control characters as \\xNN", REQUEST_KEY_MAX,
    TOKEN_PLAIN, false};
static const struct word_rule rule_ttl = {
    "ttl", "90 or 1.5 (seconds), 500ms, 30m, 7d (ms s m h d w), 0 or never, - for the default",
    NATIVE_TTL_MAX, TOKEN_KEY, false};
static const struct word_rule rule_bytes = {"byte count", NATIVE_RIGHT_BYTES, 20, TOKEN_KEY, false};
static const struct word_rule rule_number = {"number", "a decimal from 0 to 18446744073709551615",
                                             20, TOKEN_KEY, false};
static const struct word_rule rule_flags = {"flags", "a decimal from 0 to 4294967295", 20,
                                            TOKEN_KEY, false};
static const struct word_rule rule_verb = {"verb", "one that HELP lists", 15, TOKEN_KEY, false};
static const struct word_rule rule_pattern = {
    "pattern", "* ? [a-z] [^a-z], and \\ before what is to be taken as it is", GLOB_MAX, TOKEN_KEY,
    false};

/* A line that is being parsed. */
struct reading {
    struct parser *parser;
    const struct verb_entry *verb;
    const char *start;
    const char *at; /* the space before the next word, or the end */
    const char *end;
    bool escaped;                  /* a key has an escape */
    bool lenient;                  /* several blanks may separate words */
    const struct word_rule *wrong; /* the rule that a word did not follow, or NULL */
};

/* --- verbs ---------------------------------------------------------------- */

/* Compares with a word of capital letters. */
static inline bool same_letters(const char *bytes, const char *capitals, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((bytes[i] & ~('a' - 'A')) != capitals[i]) {
            return false;
        }
    }
    return true;
}

static const struct verb_entry *find_verb(const char *bytes, size_t length)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (verbs[i].length == length && same_letters(bytes, verbs[i].word, length)) {
            return &verbs[i];
        }
    }
    return NULL;
}

/* --- words ---------------------------------------------------------------- */

static bool __attribute__((cold))
bad_word(struct reading *in, const struct word_rule *rule, struct slice word)
{
    char quoted[TOKEN_QUOTE_MAX];
    token_quote(word, quoted);
    in->wrong = rule;
    frame_refuse(in->parser, REPLY_CLIENT_ERROR, "bad %s%s%s: write %s", rule->what,
                 rule->hidden ? "" : " ", rule->hidden ? "" : quoted, rule->right);
    return false;
}

/* Sets parser.error: why the word that begins at `from` does not follow the rule. */
static bool __attribute__((cold))
wrong_word(struct reading *in, const struct word_rule *rule, const char *from)
{
    if (from > in->end) {
        frame_refuse(in->parser, REPLY_CLIENT_ERROR, "%s missing: write %s", rule->what,
                     in->verb->usage);
        return false;
    }
    const char *to = memchr(from, ' ', (size_t)(in->end - from));
    struct slice word = {from, (size_t)((to == NULL ? in->end : to) - from)};
    if (word.length == 0) {
        frame_refuse(in->parser, REPLY_CLIENT_ERROR,
                     "empty word: write single spaces between words, and none at the end");
        return false;
    }
    return bad_word(in, rule, word);
}

/* The end of a key with a backslash: of the run of bytes that keys may have. */
static const char *__attribute__((cold)) span_escaped(struct reading *in, const char *from)
{
    const char *to = token_span(from, in->end, TOKEN_KEY);
    in->escaped |= token_is_escaped((struct slice){from, (size_t)(to - from)});
    return to;
}

static struct slice wrong_or_later_word(struct reading *in, const struct word_rule *rule,
                                        const char *from);

/* Takes the next word. False with parser.error set when there is none or it is wrong. Inlined with
 * its rule, which is a constant, because words are most of a line. */
static inline __attribute__((always_inline)) bool
take(struct reading *in, const struct word_rule *rule, struct slice *word)
{
    const char *from = in->at + 1;
    const char *to = token_span_behind(in->start, from, in->end, rule->class);
    if (rule->class == TOKEN_PLAIN && to < in->end && *to == '\\') {
        to = span_escaped(in, from);
    }
    size_t length = (size_t)(to - from);
    if (from >= in->end || length == 0 || length > rule->longest || (to < in->end && *to != ' ')) {
        struct slice later = wrong_or_later_word(in, rule, from);
        *word = later;
        return later.length > 0;
    }
    in->at = to;
    *word = (struct slice){from, length};
    return true;
}

/* The word behind the blanks that begin at `from`, where these are allowed. Empty with parser.error
 * set when there is none or it is wrong. */
static struct slice __attribute__((cold, noinline))
wrong_or_later_word(struct reading *in, const struct word_rule *rule, const char *from)
{
    struct slice word = {NULL, 0};
    const char *to = from;
    while (in->lenient && to < in->end && *to == ' ') {
        to++;
    }
    if (to == from) {
        wrong_word(in, rule, from);
        return word;
    }
    in->at = to - 1;
    return take(in, rule, &word) ? word : (struct slice){NULL, 0};
}

static bool at_end(const struct reading *in)
{
    return in->at == in->end;
}

/* True when no word is left over. */
static inline bool done(struct reading *in)
{
    if (at_end(in)) {
        return true;
    }
    frame_refuse(in->parser, REPLY_CLIENT_ERROR, "too many words: write %s", in->verb->usage);
    return false;
}

/* A ttl that may be omitted. */
static bool take_ttl(struct reading *in, struct request *request)
{
    struct slice word;
    if (at_end(in)) {
        return true;
    }
    if (!take(in, &rule_ttl, &word)) {
        return false;
    }
    enum token_time time = native_ttl(word, &request->ttl);
    if (time == TOKEN_TIME_TOO_FAR) {
        frame_refuse(in->parser, REPLY_CLIENT_ERROR,
                     "ttl is longer than 36500d: write never for what is not to expire");
        return false;
    }
    return native_is_time(time) || bad_word(in, &rule_ttl, word);
}

static bool take_number(struct reading *in, const struct word_rule *rule, uint64_t *number)
{
    struct slice word;
    return take(in, rule, &word) && (token_number(word, number) || bad_word(in, rule, word));
}

static inline bool take_namespace_and_key(struct reading *in, struct request *request)
{
    if (!take(in, &rule_namespace, &request->ns) || !take(in, &rule_key, &request->keys)) {
        return false;
    }
    request->options |= (uint32_t)(in->escaped ? REQUEST_WHOLE_KEY : REQUEST_ONE_KEY);
    return true;
}

/* --- PUT and ADD ---------------------------------------------------------- */

/* A PUT was refused; parser.error says why. */
static enum frame_line __attribute__((cold))
refuse_with_value(struct reading *in, struct request *request)
{
    struct slice line = {in->start, (size_t)(in->end - in->start)};
    return native_refuse_with_value(in->parser, line, in->wrong == &rule_ttl,
                                    &request->value_length);
}

/* The sixth word, which few clients write: what memcached's clients store beside a value. */
static bool __attribute__((cold, noinline)) take_flags(struct reading *in, struct request *request)
{
    struct slice word;
    uint64_t flags = 0;
    if (!take(in, &rule_flags, &word)) {
        return false;
    }
    if (!token_number(word, &flags) || flags > UINT32_MAX) {
        return bad_word(in, &rule_flags, word);
    }
    request->client_flags = (uint32_t)flags;
    return done(in);
}

static enum frame_line read_storing(struct reading *in, struct request *request)
{
    if (!take_namespace_and_key(in, request) || !take_ttl(in, request)) {
        return refuse_with_value(in, request);
    }
    if (at_end(in)) {
        return FRAME_VALUE_LINE;
    }
    if (!take_number(in, &rule_bytes, &request->value_length) ||
        (!at_end(in) && !take_flags(in, request))) {
        return refuse_with_value(in, request);
    }
    return FRAME_VALUE_BYTES;
}

/* --- the other verbs ------------------------------------------------------ */

static enum frame_line read_keys(struct reading *in, struct request *request)
{
    if (!take(in, &rule_namespace, &request->ns)) {
        return FRAME_REFUSED;
    }
    const char *first = in->at + 1;
    struct slice key;
    do {
        if (!take(in, &rule_key, &key)) {
            return FRAME_REFUSED;
        }
    } while (!at_end(in));
    request->keys = (struct slice){first, (size_t)(in->end - first)};
    if (in->escaped) {
        return FRAME_REQUEST_IN_PIECES;
    }
    request->options = key.bytes == first ? REQUEST_ONE_KEY : 0;
    return FRAME_REQUEST;
}

static bool read_touch(struct reading *in, struct request *request)
{
    return take_namespace_and_key(in, request) && take_ttl(in, request) && done(in);
}

static bool read_counting(struct reading *in, struct request *request)
{
    request->number = 1;
    request->ttl.kind = TTL_KEEP;
    return take_namespace_and_key(in, request) &&
           (at_end(in) || take_number(in, &rule_number, &request->number)) && done(in);
}

static bool read_listing(struct reading *in, struct request *request)
{
    if (!take(in, &rule_namespace, &request->ns)) {
        return false;
    }
    if (at_end(in)) {
        return true;
    }
    if (!take(in, &rule_pattern, &request->pattern)) {
        return false;
    }
    if (!glob_valid(request->pattern)) {
        return bad_word(in, &rule_pattern, request->pattern);
    }
    return done(in);
}

static bool read_namespace(struct reading *in, struct request *request)
{
    return take(in, &rule_namespace, &request->ns) && done(in);
}

static bool read_auth(struct reading *in, struct request *request)
{
    return take(in, &rule_user, &request->ns) && take(in, &rule_secret, &request->value) &&
           done(in);
}

/* HELP's word is a verb. */
static bool read_help(struct reading *in, struct request *request)
{
    struct slice word;
    if (at_end(in)) {
        return true;
    }
    if (!take(in, &rule_verb, &word)) {
        return false;
    }
    const struct verb_entry *verb = find_verb(word.bytes, word.length);
    if (verb != NULL) {
        request->form = (unsigned)(verb - verbs) + 1;
        return done(in);
    }
    bad_word(in, &rule_verb, word);
    const char *meant = native_suggest(word);
    if (meant != NULL) {
        frame_refuse_more(in->parser, ", did you mean %s?", meant);
    }
    return false;
}

static enum frame_line whole(bool understood)
{
    return understood ? FRAME_REQUEST : FRAME_REFUSED;
}

static enum frame_line read_words(struct reading *in, struct request *request)
{
    switch (request->verb) {
    case VERB_PUT:
    case VERB_ADD:
        return read_storing(in, request);
    case VERB_GET:
    case VERB_DEL:
        return read_keys(in, request);
    case VERB_TTL:
        return whole(take_namespace_and_key(in, request) && done(in));
    case VERB_TOUCH:
        return whole(read_touch(in, request));
    case VERB_INCR:
    case VERB_DECR:
        return whole(read_counting(in, request));
    case VERB_LIST:
    case VERB_ALL:
    case VERB_SURVEY:
    case VERB_DUMP:
        return whole(read_listing(in, request));
    case VERB_FLUSH:
        return whole(read_namespace(in, request));
    case VERB_STATS:
        return whole(at_end(in) || read_namespace(in, request));
    case VERB_AUTH:
        return whole(read_auth(in, request));
    case VERB_SLOW:
    case VERB_WATCH:
    case VERB_KILL:
        return whole(native_read_inspecting(in->parser, in->verb->usage,
                                            (struct slice){in->at, (size_t)(in->end - in->at)},
                                            request));
    case VERB_CLIENTS:
    case VERB_NAMESPACES:
    case VERB_SETTINGS:
    case VERB_RELOAD:
    case VERB_PING:
    case VERB_VERSION:
    case VERB_QUIT:
        return whole(done(in));
    case VERB_HELP:
        return whole(read_help(in, request));
    case VERB_REPLACE: /* these have no word in the native protocol */
    case VERB_APPEND:
    case VERB_PREPEND:
    case VERB_LOOK:
    case VERB_STALE:
    case VERB_EMPTY:
    case VERB_METADUMP:
    case VERB_MEMORY:
    case VERB_OK:
    case VERB_UNUSED:
        break;
    }
    return FRAME_FATAL; /* no such verb is in the table */
}

/* --- a whole line ----------------------------------------------------------- */

/* Whether the line would be a PUT or an ADD without the blanks before it: then a value follows. */
static bool almost_storing(struct slice line)
{
    const char *end = line.bytes + line.length;
    const char *word = line.bytes;
    while (word < end && (token_classes[(unsigned char)*word] & TOKEN_KEY) == 0) {
        word++;
    }
    size_t length = (size_t)(token_span(word, end, TOKEN_KEY) - word);
    const struct verb_entry *verb = find_verb(word, length);
    return verb == &verbs[VERB_PUT] || verb == &verbs[VERB_ADD];
}

static enum frame_line __attribute__((cold)) unknown_verb(struct parser *parser, struct slice line)
{
    if (foreign_line(line) != FOREIGN_NONE || !almost_storing(line)) {
        return native_unknown_verb(parser, line);
    }
    frame_refuse(parser, REPLY_CLIENT_ERROR,
                 "no blank goes before the verb, and a space behind it: write %s",
                 verbs[VERB_PUT].usage);
    return native_refuse_unframed(parser);
}

/* The verb at the beginning of the line, with a space or the line's end after it, or NULL. Most
 * requests are GETs, so GET is compared first. */
static inline const struct verb_entry *verb_of(struct slice line, const char **at)
{
    if (line.length > 3 && same_letters(line.bytes, "GET", 3) && line.bytes[3] == ' ') {
        *at = line.bytes + 3;
        return &verbs[VERB_GET];
    }
    const char *end = line.bytes + line.length;
    *at = token_span(line.bytes, end, TOKEN_KEY);
    const struct verb_entry *verb = find_verb(line.bytes, (size_t)(*at - line.bytes));
    return *at < end && **at != ' ' ? NULL : verb;
}

/* Whether a line that was refused is to be read again, with several blanks for one; sets *in then.
 * If not, *result is what it is: HTTP perhaps, which has GET and PUT too, but whose paths begin
 * with a slash, as no namespace does. */
static bool __attribute__((cold, noinline))
read_again(struct reading *in, enum verb verb, enum frame_line *result)
{
    struct slice line = {in->start, (size_t)(in->end - in->start)};
    if (foreign_has_http_path(line)) {
        frame_is_foreign(in->parser, FOREIGN_HTTP);
        *result = FRAME_FOREIGN;
        return false;
    }
    if (in->lenient || !native_may_be_lenient(line, verb == VERB_PUT || verb == VERB_ADD)) {
        return false;
    }
    while (in->end[-1] == ' ') {
        in->end--;
    }
    in->at = in->start + in->verb->length;
    in->escaped = false;
    in->lenient = true;
    in->wrong = NULL;
    return true;
}

static bool is_refused(enum frame_line result)
{
    return result != FRAME_REQUEST && result != FRAME_REQUEST_IN_PIECES &&
           result != FRAME_VALUE_LINE && result != FRAME_VALUE_BYTES;
}

enum frame_line native_line_read(struct parser *parser, struct slice line, struct request *request)
{
    const char *at;
    const struct verb_entry *verb = verb_of(line, &at);
    if (verb == NULL) {
        return unknown_verb(parser, line);
    }
    struct reading in = {parser, verb,  line.bytes, at, line.bytes + line.length,
                         false,  false, NULL};
    enum frame_line result;
    do {
        *request = (struct request){.verb = (enum verb)(verb - verbs)};
        result = read_words(&in, request);
    } while (is_refused(result) && read_again(&in, request->verb, &result));
    return result;
}

/* --- lines of keys in pieces ------------------------------------------------- */

size_t native_begin_keys(struct parser *parser, struct slice start, struct request *request)
{
    const char *at;
    const struct verb_entry *verb = verb_of(start, &at);
    if (verb != &verbs[VERB_GET] && verb != &verbs[VERB_DEL]) {
        return 0;
    }
    struct reading in = {parser, verb, start.bytes, at, start.bytes + start.length,
                         false,  true, NULL};
    *request = (struct request){.verb = (enum verb)(verb - verbs)};
    return take(&in, &rule_namespace, &request->ns) ? (size_t)(in.at - start.bytes) : 0;
}

bool native_is_key(struct parser *parser, struct slice word, bool *escaped)
{
    const char *end = word.bytes + word.length;
    struct reading in = {parser, &verbs[VERB_GET], word.bytes, word.bytes - 1, end, false, false,
                         NULL};
    bool is_key = take(&in, &rule_key, &word);
    *escaped = in.escaped;
    return is_key;
}
