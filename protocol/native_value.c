/*
 * native_value.c - where the value of a PUT or an ADD ends when its line is refused, or has several
 * blanks between words.
 *
 * The value follows in any case, and nothing of it may be taken for a request, whatever the client
 * meant. The fifth word is the length of the value; with fewer words the value is a line. A program
 * that leaves a word empty writes two blanks, so blanks count: each ends a word. Only a line that
 * has five words without the empty ones, or fewer than five with them, means the same in both
 * views.
 */
#include "protocol/native.h"

#include <inttypes.h>

#include "protocol/token.h"

enum { WORDS_WITH_COUNT = 5 };

/* The words of a line, counted in two ways. */
struct word_count {
    size_t places; /* where each blank ends a word, which may be empty */
    size_t words;  /* where several blanks are one, and those at the end none */
    bool others;   /* it has white space other than blanks */
};

static struct word_count count_words(struct slice line)
{
    struct word_count count = {.places = 1};
    char before = ' ';
    for (size_t i = 0; i < line.length; i++) {
        char c = line.bytes[i];
        count.places += c == ' ';
        count.words += c != ' ' && before == ' ';
        count.others |= c >= '\t' && c <= '\r';
        before = c;
    }
    return count;
}

bool native_may_be_lenient(struct slice line, bool has_value)
{
    struct word_count count = count_words(line);
    if (count.places == count.words) {
        return false;
    }
    return !has_value || count.words == WORDS_WITH_COUNT || count.places < WORDS_WITH_COUNT;
}

/* The last word of a line of five. */
static struct slice last_word(struct slice line, const struct word_count *count)
{
    while (count->words == WORDS_WITH_COUNT && line.bytes[line.length - 1] == ' ') {
        line.length--;
    }
    const char *word = (const char *)memrchr(line.bytes, ' ', line.length) + 1;
    return (struct slice){word, (size_t)(line.bytes + line.length - word)};
}

/* How the value is framed. A tab may be a client's mistake for a space: then there may be a length
 * as well. */
static enum frame_line frame_value(struct parser *parser, struct slice line, uint64_t *length)
{
    struct word_count count = count_words(line);
    size_t words = count.words == WORDS_WITH_COUNT ? count.words : count.places;
    if (words > WORDS_WITH_COUNT || (words < WORDS_WITH_COUNT && count.others)) {
        return FRAME_FATAL;
    }
    if (words < WORDS_WITH_COUNT) {
        return FRAME_REFUSED_THEN_LINE;
    }
    struct slice word = last_word(line, &count);
    if (token_number(word, length)) {
        return FRAME_REFUSED_THEN_BYTES;
    }
    char quoted[TOKEN_QUOTE_MAX];
    token_quote(word, quoted);
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
