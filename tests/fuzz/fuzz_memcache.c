/*
 * fuzz_memcache.c - bytes from anywhere, to memcached's protocol.
 *
 * The first three bytes choose the limits and the cuts, the rest is what comes
 * over the wire. What must hold, whatever comes: the parser keeps its contract
 * (transcript.c checks each call), what is understood depends neither on the
 * cuts nor on whether values are waited for or streamed, and what follows a set
 * or an add as its value is never executed.
 */
#include "tests/protocol/transcript.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEADER = 3 };

static const char command[] = "touch canary 1\r\n";
static const char executed[] = "TOUCH keys=canary";

static void must_be_the_same(const char *whole, const char *pieces, const char *how)
{
    if (strcmp(whole, pieces) != 0) {
        fprintf(stderr, "at once:\n%s\n%s:\n%s\n", whole, how, pieces);
        abort();
    }
}

static void compare(struct slice wire, const char *whole, struct feed feed, const char *how)
{
    char *pieces = transcript(&protocol_memcache, wire, &feed);
    must_be_the_same(whole, pieces, how);
    free(pieces);
}

static void cut_in_all_ways(struct slice wire, struct feed at_once, unsigned char cut)
{
    char *whole = transcript(&protocol_memcache, wire, &at_once);
    struct feed feed = at_once;
    feed.step = 1 + cut % 32;
    feed.seed = cut;
    compare(wire, whole, feed, "in pieces");
    feed.patient = true;
    compare(wire, whole, feed, "in pieces, patiently");
    feed.window = 0;
    compare(wire, whole, feed, "in pieces, streamed");
    feed = at_once;
    feed.first = cut;
    compare(wire, whole, feed, "in two pieces");
    feed.window = cut;
    compare(wire, whole, feed, "in two pieces, partly streamed");
    feed.refuse_bodies = true;
    free(transcript(&protocol_memcache, wire, &feed));
    free(whole);
}

/* printf would end it at a NUL as well. */
static size_t length_of_line(struct slice bytes)
{
    size_t length = 0;
    while (length < bytes.length && bytes.bytes[length] != '\n' && bytes.bytes[length] != '\0') {
        length++;
    }
    return length;
}

/* `words` is what a client may have got wrong, in a line that asks for a value;
 * the value behind it looks like commands. */
static void must_not_execute(const char *verb, struct slice words, const char *value,
                             const struct feed *feed)
{
    char *wire = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&wire, &length);
    if (out == NULL) {
        abort();
    }
    fprintf(out, "%s%.*s%s", verb, (int)words.length, words.bytes, value);
    fclose(out);
    char *text = transcript(&protocol_memcache, (struct slice){wire, length}, feed);
    if (strstr(text, executed) != NULL) {
        fprintf(stderr, "a value was executed:\n%s\n", text);
        abort();
    }
    free(text);
    free(wire);
}

static void hide_commands(struct slice words, const struct feed *feed)
{
    char with_length[80];
    snprintf(with_length, sizeof with_length, " %zu\n%s%s\r\n", 2 * strlen(command), command,
             command);
    words.length = length_of_line(words);
    must_not_execute("set ", words, with_length, feed);
    must_not_execute("append k 0 ", words, with_length, feed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < HEADER) {
        return 0;
    }
    struct slice wire = {(const char *)bytes + HEADER, length - HEADER};
    struct feed feed = {.max_value = bytes[0],
                        .window = REQUEST_LINE_MAX + (size_t)bytes[1] * 16,
                        .login = bytes[1] % 2 == 1};
    cut_in_all_ways(wire, feed, bytes[2]);
    feed.step = 1 + bytes[2] % 64;
    hide_commands(wire, &feed);
    return 0;
}
