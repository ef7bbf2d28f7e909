/*
 * native_inspect_line.c - the words of SLOW, WATCH and KILL.
 *
 * Several blanks may separate words: these lines are written by people.
 */
#include "protocol/native.h"
#include "protocol/token.h"

enum { SAMPLE_MAX = 1000000 };

/* What is left of a line. */
struct words {
    struct parser *parser;
    const char *usage;
    const char *at, *end;
};

static bool take(struct words *in, struct slice *word)
{
    while (in->at < in->end && *in->at == ' ') {
        in->at++;
    }
    const char *space = memchr(in->at, ' ', (size_t)(in->end - in->at));
    *word = (struct slice){in->at, (size_t)((space == NULL ? in->end : space) - in->at)};
    in->at += word->length;
    return word->length > 0;
}

static bool refuse(const struct words *in, const char *what, struct slice word, const char *right)
{
    char quoted[TOKEN_QUOTE_MAX];
    token_quote(word, quoted);
    frame_refuse(in->parser, REPLY_CLIENT_ERROR, "bad %s %s: write %s", what, quoted, right);
    return false;
}

static bool miss(const struct words *in, const char *what)
{
    frame_refuse(in->parser, REPLY_CLIENT_ERROR, "%s missing: write %s", what, in->usage);
    return false;
}

static bool ends(struct words *in)
{
    struct slice word;
    if (take(in, &word)) {
        frame_refuse(in->parser, REPLY_CLIENT_ERROR, "too many words: write %s", in->usage);
        return false;
    }
    return true;
}

/* In any case, as verbs are. */
static bool is_word(struct slice word, const char *letters)
{
    size_t length = strlen(letters);
    for (size_t i = 0; i < word.length && i < length; i++) {
        if ((word.bytes[i] | ('a' - 'A')) != letters[i]) {
            return false;
        }
    }
    return word.length == length;
}

/* --- SLOW and KILL -------------------------------------------------------------- */

static bool read_slow(struct words *in, struct request *request)
{
    struct slice word;
    if (!take(in, &word)) {
        return true;
    }
    if (is_word(word, "reset")) {
        request->topic = STATS_RESET;
    } else if (!token_number(word, &request->number) || request->number == 0) {
        return refuse(in, "number", word, "reset, or a number of requests from 1 on");
    }
    return ends(in);
}

static bool read_kill(struct words *in, struct request *request)
{
    struct slice word;
    if (!take(in, &word)) {
        return miss(in, "id");
    }
    if (!token_number(word, &request->number)) {
        return refuse(in, "id", word, "a number that CLIENTS lists");
    }
    return ends(in);
}

/* --- WATCH ----------------------------------------------------------------------- */

static bool is_namespace(struct slice word)
{
    const char *end = word.bytes + word.length;
    bool all = word.length == 1 && word.bytes[0] == '*';
    return all ||
           (word.length <= REQUEST_NAMESPACE_MAX && token_span(word.bytes, end, TOKEN_NAME) == end);
}

static bool find_events(struct slice word, uint32_t *events)
{
    static const struct {
        const char *word;
        uint32_t events;
    } kinds[] = {{"reads", EVENTS_READS},
                 {"writes", EVENTS_WRITES},
                 {"evictions", EVENTS_EVICTIONS},
                 {"expirations", EVENTS_EXPIRATIONS}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (is_word(word, kinds[i].word)) {
            *events |= kinds[i].events;
            return true;
        }
    }
    return false;
}

/* "1/16" */
static bool find_sample(struct slice word, uint64_t *number)
{
    return word.length > 2 && word.bytes[0] == '1' && word.bytes[1] == '/' &&
           token_number((struct slice){word.bytes + 2, word.length - 2}, number) && *number > 0 &&
           *number <= SAMPLE_MAX;
}

static bool read_watch(struct words *in, struct request *request)
{
    struct slice word;
    request->number = 1;
    if (!take(in, &request->ns)) {
        return miss(in, "namespace");
    }
    if (!is_namespace(request->ns)) {
        return refuse(in, "namespace", request->ns, "1 to 64 of A-Z a-z 0-9 _ . -, or * for all");
    }
    bool alone = !take(in, &word);
    if (alone && is_word(request->ns, "connections")) {
        request->ns = (struct slice){"*", 1};
        request->events = EVENTS_CONNECTIONS;
        return true;
    }
    for (bool more = !alone; more; more = take(in, &word)) {
        if (!find_events(word, &request->events) && !find_sample(word, &request->number)) {
            return refuse(in, "kind of event", word,
                          "reads, writes, evictions, expirations, or 1/<n> up to 1/1000000");
        }
    }
    if (request->events == 0) {
        request->events = EVENTS_RECORDS;
    }
    return true;
}

bool native_read_inspecting(struct parser *parser, const char *usage, struct slice rest,
                            struct request *request)
{
    struct words in = {parser, usage, rest.bytes, rest.bytes + rest.length};
    switch (request->verb) {
    case VERB_SLOW:
        return read_slow(&in, request);
    case VERB_KILL:
        return read_kill(&in, request);
    default:
        return read_watch(&in, request);
    }
}
