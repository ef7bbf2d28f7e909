/*
 * digits.h - decimal numbers into replies.
 */
#ifndef KVCACHED_PROTOCOL_DIGITS_H
#define KVCACHED_PROTOCOL_DIGITS_H

#include <stdint.h>

enum { DIGITS_MAX = 20 /* bytes of a number of 64 bits */ };

static inline unsigned digits_count(uint64_t number)
{
    unsigned count = 1;
    for (; number >= 10000; number /= 10000) {
        count += 4;
    }
    return count + (number >= 10) + (number >= 100) + (number >= 1000);
}

/* Writes the number at `to`; returns where it ends. Most numbers of replies are short. */
static inline char *digits_write(char *to, uint64_t number)
{
    if (number < 10) {
        *to = (char)('0' + number);
        return to + 1;
    }
    char *end = to + digits_count(number);
    for (char *at = end - 1; at > to; at--, number /= 10) {
        *at = (char)('0' + number % 10);
    }
    *to = (char)('0' + number);
    return end;
}

#endif
