/*
 * words.c - a line that was typed, cut into words.
 *
 * The bytes of all words lie in one buffer, which may move while it grows: until the line has been
 * read, words hold how long they are, and are pointed to their bytes at the end.
 */
#include "scripts/cli/words.h"

#include <stdint.h>
#include <stdlib.h>

#include "protocol/token.h"

/* A line that is being read. */
struct reading {
    const char *at;
    const char *end;
    struct words *words;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static struct word *begin_word(struct words *words)
{
    words->of = memory_resize(words->of, words->count + 1, sizeof *words->of);
    struct word *word = &words->of[words->count++];
    *word = (struct word){.bytes = {.length = 0}};
    return word;
}

static void add(struct words *words, char byte)
{
    bytes_append_byte(&words->store, byte);
    words->of[words->count - 1].bytes.length++;
}

/* The byte that the backslash at in->at stands for; takes it from the line. */
static bool read_escape(struct reading *in, char *byte)
{
    static const char letters[] = "ntr\"\\", bytes[] = "\n\t\r\"\\";
    unsigned char number;
    if (token_escape_at(in->at, in->end, &number)) {
        *byte = (char)number;
        in->at += TOKEN_ESCAPE;
        return true;
    }
    const char *letter =
        in->end - in->at > 1 ? memchr(letters, in->at[1], sizeof letters - 1) : NULL;
    if (letter == NULL) {
        return false;
    }
    *byte = bytes[letter - letters];
    in->at += 2;
    return true;
}

/* in->at is behind the opening quotation mark. */
static enum words_error read_quoted(struct reading *in, char quote)
{
    while (in->at < in->end && *in->at != quote) {
        char byte = *in->at;
        if (quote == '"' && byte == '\\') {
            if (!read_escape(in, &byte)) {
                return in->end - in->at > 1 ? WORDS_BAD_ESCAPE : WORDS_OPEN_QUOTE;
            }
        } else {
            in->at++;
        }
        add(in->words, byte);
    }
    if (in->at == in->end) {
        return WORDS_OPEN_QUOTE;
    }
    in->at++;
    return in->at == in->end || is_blank(*in->at) ? WORDS_GOOD : WORDS_JOINED;
}

static enum words_error read_word(struct reading *in)
{
    struct word *word = begin_word(in->words);
    if (*in->at == '"' || *in->at == '\'') {
        word->quoted = true;
        in->at++;
        return read_quoted(in, in->at[-1]);
    }
    while (in->at < in->end && !is_blank(*in->at)) {
        add(in->words, *in->at++);
    }
    return WORDS_GOOD;
}

static void point_at_bytes(struct words *words)
{
    const char *at = words->store.at;
    for (size_t i = 0; i < words->count; i++) {
        words->of[i].bytes.bytes = at;
        at += words->of[i].bytes.length + 1;
    }
}

enum words_error words_split(struct slice line, struct words *words)
{
    struct reading in = {.at = line.bytes, .end = line.bytes + line.length, .words = words};
    enum words_error error = WORDS_GOOD;
    *words = (struct words){.of = NULL};
    while (error == WORDS_GOOD) {
        while (in.at < in.end && is_blank(*in.at)) {
            in.at++;
        }
        if (in.at == in.end) {
            break;
        }
        error = read_word(&in);
        bytes_append_byte(&words->store, '\0');
    }
    point_at_bytes(words);
    return error;
}

const char *words_error_text(enum words_error error)
{
    switch (error) {
    case WORDS_GOOD:
        break;
    case WORDS_OPEN_QUOTE:
        return "a quotation mark is missing at the end";
    case WORDS_BAD_ESCAPE:
        return "between double quotation marks write \\n \\t \\r \\xNN \\\" \\\\";
    case WORDS_JOINED:
        return "a blank is missing behind a quotation mark";
    }
    return "";
}

void words_from(struct words *words, int count, char **arguments)
{
    *words = (struct words){.of = NULL};
    for (int i = 0; i < count; i++) {
        struct word *word = begin_word(words);
        word->bytes.length = strlen(arguments[i]);
        bytes_append(&words->store, (struct slice){arguments[i], word->bytes.length + 1});
    }
    point_at_bytes(words);
}

void words_deinit(struct words *words)
{
    free(words->of);
    if (words->store.at != NULL) {
        explicit_bzero(words->store.at, words->store.room); /* a secret may be among them */
    }
    bytes_deinit(&words->store);
    *words = (struct words){.of = NULL};
}
