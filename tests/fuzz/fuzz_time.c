/*
 * fuzz_time.c - random words, parsed as times to live and as numbers. An accepted one must be
 * within its bounds, and the same when it is written in milliseconds or digits and parsed again.
 */
#include "protocol/token.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void read_time(struct slice word)
{
    uint64_t milliseconds = 0;
    if (token_time(word, &milliseconds) != TOKEN_TIME_FOR) {
        return;
    }
    must(milliseconds >= 1 && milliseconds <= TOKEN_TIME_MAX);
    char again[32];
    uint64_t same = 0;
    snprintf(again, sizeof again, "%" PRIu64 "ms", milliseconds);
    must(token_time(slice_of(again), &same) == TOKEN_TIME_FOR && same == milliseconds);
    snprintf(again, sizeof again, "%" PRIu64 ".%03" PRIu64, milliseconds / 1000,
             milliseconds % 1000);
    must(token_time(slice_of(again), &same) == TOKEN_TIME_FOR && same == milliseconds);
}

static void read_number(struct slice word)
{
    uint64_t number = 0;
    if (!token_number(word, &number)) {
        return;
    }
    char again[32];
    uint64_t same = 0;
    snprintf(again, sizeof again, "%" PRIu64, number);
    must(token_number(slice_of(again), &same) && same == number);
    while (word.length > 1 && word.bytes[0] == '0') {
        word.bytes++;
        word.length--;
    }
    must(slice_equal(word, slice_of(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct slice word = {(const char *)bytes, length};
    char quoted[TOKEN_QUOTE_MAX];
    if (length == 0) {
        return 0;
    }
    read_time(word);
    read_number(word);
    token_quote(word, quoted);
    must(strnlen(quoted, sizeof quoted) < sizeof quoted);
    return 0;
}
