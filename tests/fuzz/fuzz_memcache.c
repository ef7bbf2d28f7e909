/*
 * fuzz_memcache.c - random input for memcached's protocol.
 *
 * The first 3 bytes choose the limits and where the input is split, the rest is the input. For any
 * input the parser keeps its contract (transcript.c checks each call), the requests depend neither
 * on the splits nor on whether values are buffered or streamed, and the value of a storage command
 * is never executed.
 */
#include "tests/fuzz/cuts.h"

enum { HEADER = 3 };

static const struct cuts_canary canary = {&protocol_memcache, "touch canary 1\r\n",
                                          "TOUCH keys=canary"};

static void hide_commands(struct slice words, const struct feed *feed)
{
    cuts_hide(&canary, "set ", words, CUTS_BYTES, feed);
    cuts_hide(&canary, "append k 0 ", words, CUTS_BYTES, feed);
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
    cuts_compare(&protocol_memcache, wire, feed, bytes[2]);
    feed.step = 1 + bytes[2] % 64;
    hide_commands(wire, &feed);
    return 0;
}
