/*
 * transcript.c - a connection without a socket: it owns a buffer's bounds, the
 * pieces that have arrived and the value that is being streamed.
 */
#include "tests/protocol/transcript.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct session {
    const struct protocol *protocol;
    const struct feed *feed;
    struct parser parser;
    struct slice bytes;
    size_t arrived; /* bytes that have come */
    size_t at;      /* of them, bytes that were consumed */
    uint64_t chance;
    bool in_pieces; /* a line of keys has been begun, and written down up to here */
    FILE *out;
};

/* A violation of the parser's contract aborts the program, for tests and fuzzers alike. */
static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "transcript: %s\n", what);
        abort();
    }
}

static const char *const verb_words[] = {
#define VERB(id, word, ...) [VERB_##id] = word,
#include "protocol/verbs.def"
#undef VERB
    [VERB_REPLACE] = "REPLACE",   [VERB_APPEND] = "APPEND", [VERB_PREPEND] = "PREPEND",
    [VERB_LOOK] = "LOOK",         [VERB_STALE] = "STALE",   [VERB_EMPTY] = "EMPTY",
    [VERB_METADUMP] = "METADUMP", [VERB_OK] = "OK",         [VERB_MEMORY] = "MEMORY",
};

/* --- writing down --------------------------------------------------------- */

static void write_bytes(FILE *out, struct slice bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char c = (unsigned char)bytes.bytes[i];
        if (c >= 0x20 && c < 0x7f) {
            fputc(c, out);
        } else {
            fprintf(out, "\\x%02x", c);
        }
    }
}

static void write_ttl(FILE *out, const char *name, struct ttl ttl)
{
    static const char *const kinds[] = {
        [TTL_DEFAULT] = "default", [TTL_NEVER] = "never", [TTL_FOR] = "",
        [TTL_UNTIL] = "until:",    [TTL_GONE] = "gone",   [TTL_KEEP] = "keep"};
    bool timed = ttl.kind == TTL_FOR || ttl.kind == TTL_UNTIL;
    must(!timed || ttl.milliseconds > 0, "a ttl of no time");
    fprintf(out, " %s=%s", name, kinds[ttl.kind]);
    if (timed) {
        fprintf(out, "%" PRIu64, ttl.milliseconds);
    }
}

/* Fields that only memcached's protocol sets. */
static void write_options(FILE *out, const struct request *request)
{
    static const char *const names[] = {"quiet",    "novalue",    "version", "noted", "compare",
                                        "or-stale", "peek",       "make",    "wrap",  "clear",
                                        "base64",   "contend",    NULL,      NULL,    NULL,
                                        "login",    "only-login", "mark",    "length"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i] != NULL && (request->options >> i & 1) != 0) {
            fprintf(out, " %s", names[i]);
        }
    }
    if ((request->options & REQUEST_UNCOUNTED) != 0) {
        fprintf(out, " uncounted");
    }
    if ((request->options & REQUEST_COMPARE) != 0) {
        fprintf(out, "=%" PRIu64, request->compare);
    }
    if ((request->options & REQUEST_MAKE) != 0) {
        write_ttl(out, "make", request->make);
    }
    if (request->client_flags != 0) {
        fprintf(out, " flags=%u", request->client_flags);
    }
    if (request->version != 0) {
        fprintf(out, " becomes=%" PRIu64, request->version);
    }
    if (request->refresh.kind != TTL_DEFAULT) {
        write_ttl(out, "refresh", request->refresh);
    }
    if (request->initial != 0) {
        fprintf(out, " initial=%" PRIu64, request->initial);
    }
    if (request->topic != STATS_ALL) {
        fprintf(out, " topic=%d", (int)request->topic);
    }
    if (request->verb == VERB_METADUMP) {
        static const char *const forms[] = {"details", "requests", "items", "sizes"};
        fprintf(out, " %s most=%" PRIu64, forms[request->metadump], request->number);
    }
    if (request->verb == VERB_WATCH) {
        fprintf(out, " events=%x sample=%" PRIu64, request->events, request->number);
    }
    if (request->verb == VERB_SLOW || request->verb == VERB_KILL) {
        fprintf(out, " %" PRIu64, request->number);
    }
    if (request->words.length > 0) {
        fprintf(out, " words=");
        write_bytes(out, request->words);
    }
}

static bool is_storing(const struct request *request)
{
    return request->verb == VERB_PUT || request->verb == VERB_ADD ||
           request->verb == VERB_REPLACE || request->verb == VERB_APPEND ||
           request->verb == VERB_PREPEND;
}

/* Keys of a line that comes in pieces: they are one line of the transcript, however the input was
 * split. */
static void write_pieces(struct session *session, const struct request *request)
{
    struct slice keys = request->keys;
    struct slice key = keys;
    bool is_whole = (request->options & REQUEST_WHOLE_KEY) != 0;
    if (!session->in_pieces) {
        fprintf(session->out, "%s in pieces ns=", verb_words[request->verb]);
        write_bytes(session->out, request->ns);
        write_ttl(session->out, "ttl", request->ttl);
        write_options(session->out, request);
        session->in_pieces = true;
    }
    while (is_whole ? key.length > 0 : request_next_key(&keys, &key)) {
        fputs(" key=", session->out);
        write_bytes(session->out, key);
        if (is_whole) {
            break;
        }
    }
    if ((request->options & REQUEST_MORE_FOLLOW) == 0) {
        fputc('\n', session->out);
        session->in_pieces = false;
    }
}

static void write_request(FILE *out, const struct request *request, struct slice value)
{
    bool storing = is_storing(request);
    bool counting = request->verb == VERB_INCR || request->verb == VERB_DECR;
    bool ttl_matters = request->ttl.kind != TTL_DEFAULT &&
                       !(counting && (request->options & ~(uint32_t)REQUEST_ONE_KEY) == 0);
    fprintf(out, "%s", verb_words[request->verb]);
    if (request->ns.length > 0) {
        fprintf(out, " ns=");
        write_bytes(out, request->ns);
    }
    if (request->keys.length > 0) {
        fprintf(out, " keys=");
        write_bytes(out, request->keys);
    }
    if (request->pattern.length > 0) {
        fprintf(out, " pattern=");
        write_bytes(out, request->pattern);
    }
    if (storing || request->verb == VERB_TOUCH || ttl_matters) {
        write_ttl(out, "ttl", request->ttl);
    }
    write_options(out, request);
    if (counting || request->verb == VERB_MEMORY) {
        fprintf(out, " number=%" PRIu64, request->number);
    }
    if (storing) {
        must(value.length == request->value_length, "a value of another length than was said");
        fprintf(out, " value=%zu:", value.length);
        write_bytes(out, value);
    }
    if (request->verb == VERB_AUTH) {
        fprintf(out, " secret=");
        write_bytes(out, request->value);
    }
    fputc('\n', out);
}

static void write_error(struct session *session, const char *before)
{
    const struct reply *error = &session->parser.error;
    const char *word = error->kind == REPLY_ERROR          ? "ERROR"
                       : error->kind == REPLY_CLIENT_ERROR ? "CLIENT_ERROR"
                       : error->kind == REPLY_SERVER_ERROR ? "SERVER_ERROR"
                                                           : NULL;
    must(word != NULL, "an error that is none of a parser's");
    must(error->text.length < sizeof session->parser.message - 1, "an error that is no short line");
    for (size_t i = 0; i < error->text.length; i++) {
        must(error->text.bytes[i] >= 0x20 && error->text.bytes[i] < 0x7f,
             "an error with bytes that are not fit to be shown");
    }
    fprintf(session->out, "%s%s%s%s %.*s\n", session->in_pieces ? " but\n" : "",
            session->parser.silent && before[0] == '\0' ? "silent " : "", before, word,
            (int)error->text.length, error->text.bytes);
    session->in_pieces = false;
}

/* What request.h promises about every request. */
static void check_words(const struct session *session, const struct request *request)
{
    bool is_native = session->protocol == &protocol_native;
    struct slice keys = request->keys;
    struct slice key;
    must(request->ns.length <= REQUEST_NAMESPACE_MAX, "a namespace that is too long");
    must(request->verb != VERB_AUTH || request->value.length <= REQUEST_SECRET_MAX,
         "a secret that is too long");
    if ((request->options & REQUEST_ONLY_LOGIN) != 0) {
        must(keys.length == 0, "a key of what is only a login");
    }
    if ((request->options & REQUEST_WHOLE_KEY) != 0) {
        must(keys.length >= 1 && keys.length <= REQUEST_KEY_MAX, "a key that is too long");
        return; /* of bytes of any kind */
    }
    must((request->options & REQUEST_ONE_KEY) == 0 || memchr(keys.bytes, ' ', keys.length) == NULL,
         "one key that has a space");
    while (request_next_key(&keys, &key)) {
        must(key.length >= 1 && key.length <= REQUEST_KEY_MAX, "a key that is too long or empty");
        for (size_t i = 0; i < key.length; i++) {
            unsigned char c = (unsigned char)key.bytes[i];
            must(is_native ? c > ' ' && c != 0x7f : c != '\n', "a key with bytes that end words");
        }
    }
}

/* --- bytes that arrive ---------------------------------------------------- */

static size_t by_chance(struct session *session, size_t below)
{
    session->chance ^= session->chance << 13;
    session->chance ^= session->chance >> 7;
    session->chance ^= session->chance << 17;
    return (size_t)(session->chance % below);
}

/* False when there are no more. */
static bool arrive(struct session *session)
{
    const struct feed *feed = session->feed;
    size_t left = session->bytes.length - session->arrived;
    size_t piece = feed->step == 0 ? left : feed->step;
    if (session->arrived == 0 && feed->first > 0) {
        piece = feed->first;
    } else if (feed->seed != 0 && feed->step > 0) {
        piece = 1 + by_chance(session, feed->step);
    }
    session->arrived += piece < left ? piece : left;
    return left > 0;
}

/* Until there are so many that were not consumed. */
static bool arrive_up_to(struct session *session, size_t wanted)
{
    do {
        if (!arrive(session)) {
            return false;
        }
    } while (session->feed->patient && session->arrived - session->at < wanted);
    return true;
}

/* The bytes that are there, in a block of their own. To be freed. */
static char *copy_of_rest(const struct session *session, size_t *length)
{
    *length = session->arrived - session->at;
    char *copy = malloc(*length);
    must(copy != NULL || *length == 0, "out of memory");
    if (*length > 0) {
        memcpy(copy, session->bytes.bytes + session->at, *length);
    }
    return copy;
}

/* --- a streamed value ----------------------------------------------------- */

/* Takes the value's bytes as they come. False when they end too early. */
static bool take_body(struct session *session, size_t length)
{
    while (length > 0) {
        size_t there = session->arrived - session->at;
        size_t taken = there < length ? there : length;
        session->at += taken;
        length -= taken;
        if (length > 0 && !arrive(session)) {
            return false;
        }
    }
    return true;
}

/* Lets the parser take the value's line end. False when the connection has to be closed. */
static bool take_body_end(struct session *session)
{
    for (;;) {
        size_t length;
        size_t consumed;
        char *copy = copy_of_rest(session, &length);
        enum parse_result result =
            session->protocol->body_end(&session->parser, copy, length, &consumed);
        free(copy);
        must(consumed <= length, "more consumed than was there");
        session->at += consumed;
        if (result == PARSE_REQUEST) {
            return true;
        }
        if (result == PARSE_FATAL) {
            write_error(session, "FATAL ");
            return false;
        }
        must(result == PARSE_MORE && consumed == 0, "body_end answers what it may not");
        must(session->parser.wanted > length, "more was wanted than is there, by its own word");
        if (!arrive_up_to(session, session->parser.wanted)) {
            return false;
        }
    }
}

/* The request's slices are valid until the next bytes arrive: so it is written into `line` first,
 * which is kept only when the value was complete. */
static bool stream_body(struct session *session, const struct request *request)
{
    char *line = NULL;
    size_t line_length = 0;
    size_t length = (size_t)request->value_length;
    struct slice value = {session->bytes.bytes + session->at, length};
    if (session->feed->refuse_bodies) {
        fprintf(session->out, "REFUSED BODY\n");
        if (!take_body(session, length / 2)) {
            return false;
        }
        session->protocol->body_refused(&session->parser, request, length - length / 2);
        return true;
    }
    if (length > session->bytes.length - session->at) {
        return false;
    }
    FILE *out = open_memstream(&line, &line_length);
    must(out != NULL, "out of memory");
    write_request(out, request, value);
    fclose(out);
    bool whole = take_body(session, length) && take_body_end(session);
    if (whole) {
        fputs(line, session->out);
    }
    free(line);
    return whole;
}

/* --- the conversation ----------------------------------------------------- */

/* One call of the parser and what follows from it. False at the end. */
static bool turn(struct session *session)
{
    struct request request;
    size_t length;
    size_t consumed = SIZE_MAX;
    char *copy = copy_of_rest(session, &length);
    enum parse_result result =
        session->protocol->parse(&session->parser, copy, length, &request, &consumed);
    bool goes_on = true;
    must(consumed <= length, "more consumed than was there");
    must(consumed > 0 || result == PARSE_MORE || result == PARSE_FATAL || result == PARSE_HANGUP,
         "no progress");
    session->at += consumed;
    switch (result) {
    case PARSE_MORE:
        must(session->parser.wanted > length - consumed, "what was wanted is there");
        goes_on = arrive_up_to(session, session->parser.wanted);
        break;
    case PARSE_REQUEST:
        check_words(session, &request);
        if ((request.options & REQUEST_IN_PIECES) != 0) {
            write_pieces(session, &request);
        } else {
            write_request(session->out, &request, request.value);
        }
        break;
    case PARSE_BODY:
        check_words(session, &request);
        goes_on = stream_body(session, &request);
        break;
    case PARSE_REFUSED:
        write_error(session, "");
        break;
    case PARSE_FATAL:
        write_error(session, "FATAL ");
        goes_on = false;
        break;
    case PARSE_HANGUP:
        fputs("HANGUP\n", session->out);
        goes_on = false;
        break;
    }
    free(copy);
    return goes_on;
}

char *transcript(const struct protocol *protocol, struct slice bytes, const struct feed *feed)
{
    char *text = NULL;
    size_t length = 0;
    struct session session = {
        .protocol = protocol,
        .feed = feed,
        .parser = {.max_value = feed->max_value, .window = feed->window, .login = feed->login},
        .bytes = bytes,
        .chance = feed->seed,
        .out = open_memstream(&text, &length),
    };
    must(session.out != NULL, "out of memory");
    while (turn(&session)) {
    }
    fclose(session.out);
    return text;
}
