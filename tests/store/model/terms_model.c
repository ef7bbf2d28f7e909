/*
 * terms_model.c - plain comparisons over plain structs; see terms_model.h.
 */
#include "tests/store/model/terms_model.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct fixture fixture;
struct record records[KEYS];
struct record *record; /* the one that this step is about */
struct store_key at;
char key[16];
char *value; /* VALUE_MAX bytes */
uint64_t seed, chance, step, asked;

void differ_at(int line, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    ck_abort_msg("MODEL_SEED=%" PRIu64 " step %" PRIu64 " %s, line %d: %s", seed, step, key, line,
                 what);
}

uint64_t below(uint64_t bound)
{
    return fixture_random(&chance) % bound;
}

bool once_in(uint64_t times)
{
    return below(times) == 0;
}

bool lives(void)
{
    return record->there && (record->expires == STORE_NEVER || fixture.now < record->expires);
}

uint64_t ends(struct store_ttl ttl)
{
    if (ttl.kind == STORE_TTL_KEEP && lives()) {
        return record->expires;
    }
    if (ttl.kind == STORE_TTL_GONE) {
        return fixture.now;
    }
    return ttl.kind == STORE_TTL_FOR ? fixture.now + 1 + ttl.milliseconds : STORE_NEVER;
}

static bool was_told(uint64_t version)
{
    for (unsigned i = 0; i < record->count && i < KNOWN; i++) {
        if (record->known[i] == version) {
            return true;
        }
    }
    return false;
}

void learn_new(uint64_t version, uint64_t asked_for, uint64_t before)
{
    if (asked_for != 0 ? version != asked_for : was_told(version)) {
        differ("version %" PRIu64 " is not a new one", version);
    }
    if (asked_for == 0 && before < EXPLICIT && version <= before) {
        differ("version %" PRIu64 " is not above %" PRIu64, version, before);
    }
    record->known[record->count++ % KNOWN] = version;
    record->version = version;
    record->told = true;
}

void write_value(const char *before, size_t before_length, const char *after, size_t after_length)
{
    char *bytes = malloc(before_length + after_length + 1);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, before, before_length);
    memcpy(bytes + before_length, after, after_length);
    free(record->bytes);
    record->bytes = bytes;
    record->length = before_length + after_length;
    record->there = true;
    record->told = record->stale = record->won = record->read = record->large = false;
    record->touched = fixture.now;
}

void touch_notes(void)
{
    record->read = true;
    record->touched = fixture.now;
}

struct store_ttl some_ttl(bool may_keep)
{
    switch (below(6)) {
    case 0:
        return may_keep ? TTL_KEEP : TTL_DEFAULT;
    case 1:
        return TTL_DEFAULT;
    case 2:
        return TTL_NEVER;
    case 3:
        return (struct store_ttl){once_in(4) ? STORE_TTL_GONE : STORE_TTL_NEVER, 0};
    default:
        return TTL_FOR(1 + below(UINT64_C(1) << (4 + below(16))));
    }
}

struct slice some_value(void)
{
    size_t length = below(60);
    if (once_in(4)) {
        length = (size_t)snprintf(value, VALUE_MAX, "%" PRIu64, below(1000));
        return (struct slice){value, length};
    }
    if (once_in(30)) {
        length = below(once_in(4) ? VALUE_MAX : 20000);
    }
    fixture_pattern(value, 0, length, fixture_random(&chance));
    return (struct slice){value, length};
}

uint64_t some_version(void)
{
    if (record->told && below(3)) {
        return record->version;
    }
    if (record->count > 0 && below(2)) {
        return record->known[below(record->count < KNOWN ? record->count : KNOWN)];
    }
    return 1 + below(1000);
}

enum store_status compared(const struct store_terms *terms, bool *stale)
{
    *stale = false;
    if (!terms->compares || terms->mode == STORE_ADD || (terms->makes && !lives())) {
        return STORE_OK;
    }
    if (!lives()) {
        return STORE_NOT_FOUND;
    }
    *stale = terms->or_stale && terms->expected < record->version;
    return *stale || terms->expected == record->version ? STORE_OK : STORE_CHANGED;
}

enum store_status expected_put(const struct store_terms *terms, bool *stale)
{
    enum store_status status = compared(terms, stale);
    if (status != STORE_OK || terms->mode == STORE_SET) {
        return status;
    }
    if (terms->mode == STORE_ADD) {
        return lives() ? STORE_EXISTS : STORE_OK;
    }
    bool makes = terms->makes && terms->mode != STORE_REPLACE;
    return lives() || makes ? STORE_OK : STORE_NOT_FOUND;
}

void put_in_model(const struct store_terms *terms, struct slice added, bool stale, uint64_t version)
{
    bool joins = terms->mode == STORE_APPEND || terms->mode == STORE_PREPEND;
    bool lived = lives();
    bool won = stale && record->won;
    struct store_ttl ttl = stale || (joins && lived) ? TTL_KEEP : terms->ttl;
    uint64_t expires = ends(joins && !lived ? terms->make : ttl);
    uint32_t flags = joins && lived ? record->flags : terms->client_flags;
    uint64_t before = lived && record->told ? record->version : 0;
    if (joins && lived && terms->mode == STORE_APPEND) {
        write_value(record->bytes, record->length, added.bytes, added.length);
    } else if (joins && lived) {
        write_value(added.bytes, added.length, record->bytes, record->length);
    } else {
        write_value(added.bytes, added.length, "", 0);
    }
    record->unsure = record->noted || record->unsure;
    record->noted = terms->noted || terms->tells_version || terms->version != 0 || stale;
    record->flags = flags;
    record->expires = expires;
    record->stale = stale;
    record->won = won;
    if (terms->tells_version) {
        learn_new(version, terms->version, before);
    }
}

bool number_of(bool blanks, uint64_t *number)
{
    const char *from = record->bytes;
    const char *to = from + record->length;
    while (blanks && from < to && *from == ' ') {
        from++;
    }
    while (blanks && from < to && to[-1] == ' ') {
        to--;
    }
    *number = 0;
    for (const char *at_digit = from; at_digit < to; at_digit++) {
        unsigned digit = (unsigned)(unsigned char)*at_digit - '0';
        if (digit > 9 || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, digit, number)) {
            return false;
        }
    }
    return from < to && to - from <= 20 && !record->large;
}
