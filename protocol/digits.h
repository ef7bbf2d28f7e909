/*
 * digits.h - decimal numbers into replies.
 */
#ifndef KVCACHED_PROTOCOL_DIGITS_H
#define KVCACHED_PROTOCOL_DIGITS_H

#include <stdint.h>

/* The same as digits_write, of any length. */
char *digits_write_long(char *to, uint64_t number);

/* Writes the number at `to`; returns where it ends. Most numbers of replies are short. */
static inline char *digits_write(char *to, uint64_t number)
{
    if (number >= 1000) {
        return digits_write_long(to, number);
    }
    unsigned small = (unsigned)number, tens = small / 10;
    if (small >= 100) {
        *to++ = (char)('0' + tens / 10);
    }
    if (small >= 10) {
        *to++ = (char)('0' + tens % 10);
    }
    *to++ = (char)('0' + (small - tens * 10));
    return to;
}

#endif
