/*
 * fuzz_native.c - random input for the native protocol.
 *
 * The first 3 bytes choose the limits and where the input is split, the rest is the input. For any
 * input the parser keeps its contract (transcript.c checks each call), the requests depend neither
 * on the splits nor on whether values are buffered or streamed, and the value of a PUT or an ADD
 * is never executed.
 */
#include "tests/fuzz/cuts.h"

enum { HEADER = 3 };

static const struct cuts_canary canary = {&protocol_native, "FLUSH canary\r\n",
                                          "FLUSH ns=canary\n"};

static void hide_commands(struct slice words, const struct feed *feed)
{
    cuts_hide(&canary, "PUT ", words, CUTS_LINE, feed);
    cuts_hide(&canary, "add ns ", words, CUTS_LINE, feed);
    cuts_hide(&canary, "PUT ns k ", words, CUTS_BYTES, feed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < HEADER) {
        return 0;
    }
    struct slice wire = {(const char *)bytes + HEADER, length - HEADER};
    struct feed feed = {.max_value = bytes[0], .window = REQUEST_LINE_MAX + (size_t)bytes[1] * 16};
    cuts_compare(&protocol_native, wire, feed, bytes[2]);
    feed.step = 1 + bytes[2] % 64;
    hide_commands(wire, &feed);
    return 0;
}
