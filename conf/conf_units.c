/*
 * conf_units.c - `30m` to milliseconds, `64M` to bytes, and back.
 *
 * All arithmetic is on whole numbers: no floating point, no rounding of sizes, and every overflow
 * is detected. A time with a fraction of a millisecond is rounded up, so that a small one never
 * becomes 0, which is CONF_NEVER.
 */
#include "conf/conf_units.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* Larger units first, for writing. A time without a unit is in seconds. */
static const struct unit time_units[] = {
    {"w", 7ull * 24 * 3600 * 1000},
    {"d", 24ull * 3600 * 1000},
    {"h", 3600ull * 1000},
    {"m", 60ull * 1000},
    {"s", 1000},
    {"", 1000},
    {"ms", 1},
    {NULL, 0},
};

static const struct unit size_units[] = {
    {"T", 1ull << 40}, {"G", 1ull << 30}, {"M", 1ull << 20}, {"K", 1ull << 10}, {"", 1},
    {"t", 1ull << 40}, {"g", 1ull << 30}, {"m", 1ull << 20}, {"k", 1ull << 10}, {NULL, 0},
};

/* A decimal number as whole + part / scale. */
struct decimal {
    uint64_t whole;
    uint64_t part;
    uint64_t scale;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads `12` or `1.5`, with at most 6 decimals, and returns what follows; NULL when there is no
 * such number. */
static const char *parse_decimal(const char *text, struct decimal *number)
{
    const uint64_t longest = 1000000;
    *number = (struct decimal){.scale = 1};
    if (!is_digit(*text)) {
        return NULL;
    }
    for (; is_digit(*text); text++) {
        if (__builtin_mul_overflow(number->whole, 10u, &number->whole) ||
            __builtin_add_overflow(number->whole, (uint64_t)(*text - '0'), &number->whole)) {
            return NULL;
        }
    }
    if (*text != '.') {
        return text;
    }
    if (!is_digit(*++text)) {
        return NULL;
    }
    for (; is_digit(*text); text++) {
        if (number->scale == longest) {
            return NULL;
        }
        number->scale *= 10;
        number->part = number->part * 10 + (uint64_t)(*text - '0');
    }
    return text;
}

/* The number in the smallest unit; *rest is not 0 where a fraction of it is left. part is below
 * 2^20 and no factor is above 2^40, so that their product fits. */
static bool convert(const char *text, const struct unit *units, uint64_t *value, uint64_t *rest)
{
    struct decimal number;
    const char *name = parse_decimal(text, &number);
    if (name == NULL) {
        return false;
    }
    for (; units->name != NULL; units++) {
        if (strcmp(units->name, name) != 0) {
            continue;
        }
        uint64_t part = number.part * units->factor;
        *rest = part % number.scale;
        return !__builtin_mul_overflow(number.whole, units->factor, value) &&
               !__builtin_add_overflow(*value, part / number.scale, value);
    }
    return false;
}

bool conf_units_parse_duration(const char *text, uint64_t *milliseconds)
{
    uint64_t value, rest;
    if (strcmp(text, "never") == 0) {
        *milliseconds = CONF_NEVER;
        return true;
    }
    if (!convert(text, time_units, &value, &rest)) {
        return false;
    }
    if (rest != 0 && __builtin_add_overflow(value, 1u, &value)) {
        return false;
    }
    *milliseconds = value;
    return true;
}

bool conf_units_parse_size(const char *text, uint64_t *bytes)
{
    uint64_t value, rest;
    if (!convert(text, size_units, &value, &rest) || rest != 0) {
        return false;
    }
    *bytes = value;
    return true;
}

static struct conf_units_text write_in(uint64_t value, const struct unit *units)
{
    struct conf_units_text text;
    while (value % units->factor != 0) {
        units++;
    }
    snprintf(text.bytes, sizeof text.bytes, "%" PRIu64 "%s", value / units->factor, units->name);
    return text;
}

struct conf_units_text conf_units_duration(uint64_t milliseconds)
{
    if (milliseconds == CONF_NEVER) {
        return (struct conf_units_text){"never"};
    }
    return write_in(milliseconds, time_units);
}

struct conf_units_text conf_units_size(uint64_t bytes)
{
    if (bytes == 0) {
        return (struct conf_units_text){"0"};
    }
    return write_in(bytes, size_units);
}
