/*
 * pattern.c - values of which every byte follows from its place and a seed, so that a
 * large one need not be kept to be compared.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/store/fixture.h"

enum { PIECES_AT_ONCE = 5 };

/* splitmix64's finisher (Steele, Lea, Flood 2014): good enough to tell any two
 * values, and any two places of a value, apart. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t fixture_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(*state);
}

/* The eight bytes of a pattern around byte `at`. */
static uint64_t pattern_word(uint64_t at, uint64_t seed)
{
    return mix(seed * UINT64_C(0x9e3779b97f4a7c15) + at / 8);
}

void fixture_pattern(char *bytes, uint64_t from, size_t length, uint64_t seed)
{
    size_t i = 0;
    while (i < length) {
        uint64_t word = pattern_word(from + i, seed) >> ((from + i) % 8 * 8);
        size_t left_of_word = 8 - (size_t)((from + i) % 8);
        size_t count = left_of_word < length - i ? left_of_word : length - i;
        memcpy(bytes + i, &word, count);
        i += count;
    }
}

bool fixture_is_pattern(const char *bytes, uint64_t from, size_t length, uint64_t seed)
{
    char expected[256];
    for (size_t i = 0; i < length; i += sizeof expected) {
        size_t count = length - i < sizeof expected ? length - i : sizeof expected;
        fixture_pattern(expected, from + i, count, seed);
        if (memcmp(expected, bytes + i, count) != 0) {
            return false;
        }
    }
    return true;
}

bool fixture_view_is_pattern(const struct store_view *view, uint64_t seed)
{
    struct iovec pieces[PIECES_AT_ONCE];
    uint64_t from = 0;
    if (!view->pinned) {
        return fixture_is_pattern(view->bytes, 0, view->length, seed);
    }
    while (from < view->length) {
        size_t count = store_view_pieces(view, from, pieces, PIECES_AT_ONCE);
        if (count == 0 || count > PIECES_AT_ONCE) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (pieces[i].iov_len == 0 || pieces[i].iov_len > view->length - from ||
                !fixture_is_pattern(pieces[i].iov_base, from, pieces[i].iov_len, seed)) {
                return false;
            }
            from += pieces[i].iov_len;
        }
    }
    return true;
}

enum store_status fixture_put_pattern(struct fixture *fixture, const char *name, const char *key,
                                      struct store_ttl ttl, size_t length, uint64_t seed)
{
    char *bytes = malloc(length + 1);
    FIXTURE_THAT(bytes != NULL);
    fixture_pattern(bytes, 0, length, seed);
    enum store_status status = fixture_put_bytes(fixture, slice_of(name), slice_of(key), ttl,
                                                 (struct slice){bytes, length});
    free(bytes);
    return status;
}

void fixture_expect_pattern(struct fixture *fixture, const char *name, const char *key,
                            size_t length, uint64_t seed)
{
    struct store_view view;
    enum store_status status = fixture_get(fixture, name, key, &view);
    if (status != STORE_OK) {
        ck_abort_msg("%s %s at %ju: status %d", name, key, (uintmax_t)fixture->now, (int)status);
    }
    bool same = view.length == length && fixture_view_is_pattern(&view, seed);
    bool pinned = view.pinned;
    fixture_give_back(&view);
    if (!same) {
        ck_abort_msg("%s %s, %zu bytes of pattern %ju: wrong bytes", name, key, length,
                     (uintmax_t)seed);
    }
    FIXTURE_THAT(pinned || length <= STORE_COPY_MAX);
}

/* --- many of them --------------------------------------------------------- */

void fixture_pour(struct fixture *fixture, const char *name, size_t first, size_t count,
                  size_t length)
{
    char key[32];
    for (size_t i = first; i < first + count; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        FIXTURE_OK(fixture_put_pattern(fixture, name, key, TTL_NEVER, length, i));
        if (i % 64 == 0) {
            FIXTURE_THAT(fixture_is_within(fixture));
        }
    }
}

size_t fixture_count_alive(struct fixture *fixture, const char *name, size_t first, size_t count,
                           size_t length)
{
    size_t alive = 0;
    char key[32];
    for (size_t i = first; i < first + count; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        if (fixture_has(fixture, name, key)) {
            fixture_expect_pattern(fixture, name, key, length, i);
            alive++;
        }
    }
    return alive;
}

size_t fixture_fill(struct fixture *fixture, const char *name, size_t length)
{
    uint64_t before = fixture_figures(fixture).counters.evictions;
    size_t count = 0;
    while (fixture_figures(fixture).counters.evictions == before) {
        fixture_pour(fixture, name, count++, 1, length);
    }
    fixture_pour(fixture, name, count, count / 2, length);
    fixture_housekeep(fixture);
    return fixture_figures(fixture).items;
}
