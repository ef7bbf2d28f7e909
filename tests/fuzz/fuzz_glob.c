/*
 * fuzz_glob.c - random patterns and texts: the first byte is the pattern's length. Nothing may be
 * read beyond either, or written beyond glob_size. glob_model.h must give the same result. A key
 * with a backslash before each byte matches itself and nothing else, and a `*` around a pattern
 * loses no match.
 */
#include "protocol/glob.h"

#include <stdint.h>
#include <stdlib.h>

#include "tests/protocol/glob_model.h"

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* In a block of its own, so that a sanitizer detects an overrun. */
static struct slice copy(struct slice bytes)
{
    char *block = malloc(bytes.length > 0 ? bytes.length : 1);
    must(block != NULL);
    memcpy(block, bytes.bytes, bytes.length);
    return (struct slice){block, bytes.length};
}

static bool matches(struct slice pattern, struct slice text)
{
    void *memory = malloc(glob_size(pattern.length));
    must(memory != NULL);
    struct glob *glob = glob_compile(memory, pattern);
    bool matched = glob_match(glob, text);
    free(memory);
    return matched;
}

static void match_between_stars(struct slice pattern, struct slice text)
{
    char *bytes = malloc(pattern.length + 2);
    must(bytes != NULL);
    bytes[0] = '*';
    memcpy(bytes + 1, pattern.bytes, pattern.length);
    bytes[pattern.length + 1] = '*';
    struct slice wider = {bytes, pattern.length + 2};
    must(glob_valid(wider) && matches(wider, text));
    free(bytes);
}

/* The first bytes of the text: with a backslash each, they have to be a pattern. */
static void match_escaped(struct slice text)
{
    text.length = text.length < GLOB_MAX / 2 ? text.length : GLOB_MAX / 2;
    char *bytes = malloc(text.length * 2 + 1);
    must(bytes != NULL);
    for (size_t i = 0; i < text.length; i++) {
        bytes[2 * i] = '\\';
        bytes[2 * i + 1] = text.bytes[i];
    }
    struct slice pattern = {bytes, text.length * 2};
    must(glob_valid(pattern));
    must(matches(pattern, text));
    must(text.length == 0 || !matches(pattern, (struct slice){text.bytes, text.length - 1}));
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0) {
        return 0;
    }
    size_t cut = bytes[0] < length - 1 ? bytes[0] : length - 1;
    const char *rest = (const char *)bytes + 1;
    struct slice pattern = copy((struct slice){rest, cut});
    struct slice text = copy((struct slice){rest + cut, length - 1 - cut});
    bool matched = matches(pattern, text);
    must(glob_valid(pattern) == glob_model_valid(pattern));
    if (glob_valid(pattern)) {
        must(matched == glob_model_match(pattern, text));
    }
    if (glob_valid(pattern) && matched) {
        match_between_stars(pattern, text);
    }
    match_escaped(text);
    free((char *)pattern.bytes);
    free((char *)text.bytes);
    return 0;
}
