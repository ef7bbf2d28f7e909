/*
 * cuts.h - what must hold for a protocol with any input, for fuzzers.
 *
 * Both functions print the transcript and abort where it does not hold.
 */
#ifndef KVCACHED_TESTS_FUZZ_CUTS_H
#define KVCACHED_TESTS_FUZZ_CUTS_H

#include "tests/protocol/transcript.h"

/* The transcript is the same however the input is split and whether values are buffered or
 * streamed. `cut` chooses the pieces. */
void cuts_compare(const struct protocol *protocol, struct slice wire, struct feed at_once,
                  unsigned char cut);

/* A command that is the value of a storage command: it must never be executed, whatever the words
 * before the value. */
struct cuts_canary {
    const struct protocol *protocol;
    const char *command;  /* a line, with CR LF */
    const char *executed; /* what the transcript would say of it */
};

enum cuts_framing {
    CUTS_LINE,  /* the command is the line after the words */
    CUTS_BYTES, /* the length of the value is the last word, and the value is the command twice */
};

/* Sends `verb`, the words up to a line end or NUL, and the value. Words that hold a length with
 * which the first line of the value is a whole value are passed over: there the second command is
 * what the client asked for. */
void cuts_hide(const struct cuts_canary *canary, const char *verb, struct slice words,
               enum cuts_framing framing, const struct feed *feed);

#endif
