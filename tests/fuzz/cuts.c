/*
 * cuts.c - what must hold for a protocol with any input, for fuzzers.
 */
#include "tests/fuzz/cuts.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/token.h"

static void must_be_the_same(const char *whole, const char *pieces, const char *how)
{
    if (strcmp(whole, pieces) != 0) {
        fprintf(stderr, "at once:\n%s\n%s:\n%s\n", whole, how, pieces);
        abort();
    }
}

static void compare(const struct protocol *protocol, struct slice wire, const char *whole,
                    struct feed feed, const char *how)
{
    char *pieces = transcript(protocol, wire, &feed);
    must_be_the_same(whole, pieces, how);
    free(pieces);
}

void cuts_compare(const struct protocol *protocol, struct slice wire, struct feed at_once,
                  unsigned char cut)
{
    char *whole = transcript(protocol, wire, &at_once);
    struct feed feed = at_once;
    feed.step = 1 + cut % 32;
    feed.seed = cut;
    compare(protocol, wire, whole, feed, "in pieces");
    feed.patient = true;
    compare(protocol, wire, whole, feed, "in pieces, patiently");
    feed.window = 0;
    compare(protocol, wire, whole, feed, "in pieces, streamed");
    feed = at_once;
    feed.first = cut;
    compare(protocol, wire, whole, feed, "in two pieces");
    feed.window = cut;
    compare(protocol, wire, whole, feed, "in two pieces, partly streamed");
    feed.refuse_bodies = true;
    free(transcript(protocol, wire, &feed));
    free(whole);
}

/* Up to a NUL too, at which printf would stop. */
static size_t length_of_line(struct slice bytes)
{
    size_t length = 0;
    while (length < bytes.length && bytes.bytes[length] != '\n' && bytes.bytes[length] != '\0') {
        length++;
    }
    return length;
}

/* Whether one of the words is the length of a line, without its line end or with its CR. */
static bool has_length_of(struct slice words, const char *line)
{
    size_t end = strlen(line) - strlen("\n");
    size_t from = 0;
    for (size_t at = 0; at <= words.length; at++) {
        if (at < words.length && strchr(" \t\r\v\f", words.bytes[at]) == NULL) {
            continue;
        }
        uint64_t number;
        if (token_number((struct slice){words.bytes + from, at - from}, &number) &&
            (number == end || number == end - strlen("\r"))) {
            return true;
        }
        from = at + 1;
    }
    return false;
}

static void write_value(FILE *out, const char *command, enum cuts_framing framing)
{
    if (framing == CUTS_LINE) {
        fprintf(out, "\n%s", command);
    } else {
        fprintf(out, " %zu\n%s%s\r\n", 2 * strlen(command), command, command);
    }
}

void cuts_hide(const struct cuts_canary *canary, const char *verb, struct slice words,
               enum cuts_framing framing, const struct feed *feed)
{
    words.length = length_of_line(words);
    if (framing == CUTS_BYTES && has_length_of(words, canary->command)) {
        return;
    }
    char *wire = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&wire, &length);
    if (out == NULL) {
        abort();
    }
    fprintf(out, "%s%.*s", verb, (int)words.length, words.bytes);
    write_value(out, canary->command, framing);
    fclose(out);
    char *text = transcript(canary->protocol, (struct slice){wire, length}, feed);
    if (strstr(text, canary->executed) != NULL) {
        fprintf(stderr, "a value was executed:\n%s\n", text);
        abort();
    }
    free(text);
    free(wire);
}
