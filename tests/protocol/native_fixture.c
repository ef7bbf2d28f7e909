/*
 * native_fixture.c - see native_fixture.h.
 */
#include "tests/protocol/native_fixture.h"

#include <check.h>
#include <stdlib.h>

const struct feed native_at_once = {.max_value = MAX_VALUE, .window = WINDOW};

void native_expect_bytes(struct slice wire, const struct feed *feed, const char *understood)
{
    char *text = transcript(&protocol_native, wire, feed);
    size_t same = 0;
    while (text[same] == understood[same] && text[same] != '\0') {
        same++;
    }
    ck_assert_msg(
        text[same] == understood[same],
        "%.200s (first %zu, step %zu, window %zu): after\n%.*s\ncomes\n%.200s\nnot\n%.200s",
        wire.bytes, feed->first, feed->step, feed->window, (int)(same < 200 ? same : 200),
        text + same - (same < 200 ? same : 200), text + same, understood + same);
    free(text);
}

void native_expect(const char *wire, const struct feed *feed, const char *understood)
{
    native_expect_bytes(slice_of(wire), feed, understood);
}
