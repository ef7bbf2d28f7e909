/*
 * native_value.c - where the value of a PUT or an ADD ends when its line is refused, or has several
 * blanks between words.
 *
 * The value follows in any case, and nothing of it may be taken for a request, whatever the client
 * meant. The fifth word is the length of the value, also where a sixth follows; with fewer words
 * the value is a line. A program that leaves a word empty writes two blanks, so blanks count: each
 * ends a word. Only a line that has five or six words without the empty ones, or fewer than five
 * with them, means the same in both views. A line of five words may be one of six of which one is
 * empty, or has a tab before it: where its fifth word would be another length then, the line means
 * nothing.
 */
#include "protocol/native.h"

#include <inttypes.h>

#include "protocol/token.h"

enum { WORDS_WITH_COUNT = 5, WORDS_MOST = 6 };

/* What ends a word. */
enum split {
    AT_EACH_BLANK,  /* words may be empty */
    AT_BLANKS,      /* none is empty */
    AT_WHITE_SPACE, /* the same with tabs and the like for blanks */
};

struct words {
    size_t count;
    struct slice fifth;
};

static bool is_other_space(char c)
{
    return c >= '\t' && c <= '\r';
}

static struct words split(struct slice line, enum split how)
{
    struct words words = {0};
    const char *end = line.bytes + line.length;
    const char *from = line.bytes;
    for (const char *at = from; at <= end; at++) {
        bool ends = at == end || *at == ' ' || (how == AT_WHITE_SPACE && is_other_space(*at));
        if (!ends) {
            continue;
        }
        if (at == from && how != AT_EACH_BLANK) {
            from++;
            continue;
        }
        if (++words.count == WORDS_WITH_COUNT) {
            words.fifth = (struct slice){from, (size_t)(at - from)};
        }
        from = at + 1;
    }
    return words;
}

static bool has_other_space(struct slice line)
{
    for (size_t i = 0; i < line.length; i++) {
        if (is_other_space(line.bytes[i])) {
            return true;
        }
    }
    return false;
}

static struct slice without_blanks_at_end(struct slice line)
{
    while (line.length > 0 && line.bytes[line.length - 1] == ' ') {
        line.length--;
    }
    return line;
}

/* Whether that split has six words, of which the fifth is a length other than this. */
static bool has_other_length(struct slice line, enum split how, uint64_t length)
{
    struct words words = split(line, how);
    uint64_t other;
    return words.count == WORDS_MOST && token_number(words.fifth, &other) && other != length;
}

/* Of a line of five words without the empty ones. */
static bool is_ambiguous(struct slice line, uint64_t length)
{
    line = without_blanks_at_end(line);
    return has_other_length(line, AT_EACH_BLANK, length) ||
           has_other_length(line, AT_WHITE_SPACE, length);
}

bool native_may_be_lenient(struct slice line, bool has_value)
{
    size_t places = split(line, AT_EACH_BLANK).count;
    struct words words = split(line, AT_BLANKS);
    uint64_t length;
    if (places == words.count) {
        return false;
    }
    if (has_value && words.count == WORDS_WITH_COUNT) {
        return !token_number(words.fifth, &length) || !is_ambiguous(line, length);
    }
    return !has_value || words.count == WORDS_MOST || places < WORDS_WITH_COUNT;
}

/* How the value is framed. A tab may be a client's mistake for a space: then there may be a length
 * as well. */
static enum frame_line frame_value(struct parser *parser, struct slice line, uint64_t *length)
{
    struct words words = split(line, AT_BLANKS);
    if (words.count < WORDS_WITH_COUNT) {
        words = split(line, AT_EACH_BLANK);
        if (words.count > WORDS_WITH_COUNT ||
            (words.count < WORDS_WITH_COUNT && has_other_space(line))) {
            return FRAME_FATAL;
        }
    }
    if (words.count > WORDS_MOST) {
        return FRAME_FATAL;
    }
    if (words.count < WORDS_WITH_COUNT) {
        return FRAME_REFUSED_THEN_LINE;
    }
    if (token_number(words.fifth, length)) {
        bool ambiguous = words.count == WORDS_WITH_COUNT && is_ambiguous(line, *length);
        return ambiguous ? FRAME_FATAL : FRAME_REFUSED_THEN_BYTES;
    }
    if (words.count == WORDS_MOST) {
        return FRAME_FATAL; /* likely a value on the line, of which another text says more */
    }
    char quoted[TOKEN_QUOTE_MAX];
    token_quote(words.fifth, quoted);
    frame_refuse(parser, REPLY_CLIENT_ERROR, "bad byte count %s: write %s", quoted,
                 NATIVE_RIGHT_BYTES);
    return FRAME_FATAL;
}

enum frame_line native_refuse_unframed(struct parser *parser)
{
    frame_refuse_more(parser, "; where the value ends is unknown: the connection is closed");
    return FRAME_FATAL;
}

enum frame_line native_refuse_with_value(struct parser *parser, struct slice line, bool no_time,
                                         uint64_t *length)
{
    enum frame_line result = frame_value(parser, line, length);
    if (no_time) {
        frame_refuse_more(parser, "; a value goes onto the next line");
    }
    if (result == FRAME_FATAL) {
        return native_refuse_unframed(parser);
    }
    if (result == FRAME_REFUSED_THEN_LINE) {
        frame_refuse_more(parser, "; the next line counts as the value and is dropped");
    } else {
        frame_refuse_more(parser, "; the value, %" PRIu64 " bytes, is dropped", *length);
    }
    return result;
}
