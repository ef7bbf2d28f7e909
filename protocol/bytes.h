/*
 * bytes.h - 8 bytes at a time: what is looked for in lines and keys.
 *
 * A word of 8 bytes has the first byte lowest on every machine. Runs of bytes are checked 16 at a
 * time, with what the processor has for vectors of that length. A mask has the top bit of each byte
 * that is meant; only its lowest bit is to be relied on, since a borrow may set others above it.
 */
#ifndef KVCACHED_PROTOCOL_BYTES_H
#define KVCACHED_PROTOCOL_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BYTES_WORD = sizeof(uint64_t) };

#define BYTES_EACH UINT64_C(0x0101010101010101)

static inline uint64_t bytes_load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

/* The last `left` bytes before `end`, 1 to 8, and zeros above them. The 8 bytes before `end` are
 * readable. */
static inline uint64_t bytes_load_last(const char *end, size_t left)
{
    return bytes_load(end - BYTES_WORD) >> 8 * (BYTES_WORD - left);
}

/* The bytes below `bound`, which is 0x80 at most. */
static inline uint64_t bytes_below(uint64_t word, unsigned char bound)
{
    return (word - BYTES_EACH * bound) & ~word & (BYTES_EACH * 0x80);
}

/* The bytes that are this one. */
static inline uint64_t bytes_equal(uint64_t word, unsigned char byte)
{
    return bytes_below(word ^ (BYTES_EACH * byte), 1);
}

/* The number of the first byte of a mask that is not 0. */
static inline size_t bytes_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) / 8;
}

/* Where the byte is, from `at` on; `end` if nowhere. From `start` on the bytes are readable, too.
 * For words of a line, which are short: memchr is faster from some 40 bytes on. */
static inline const char *bytes_find(const char *start, const char *at, const char *end, char byte)
{
    for (; end - at >= BYTES_WORD; at += BYTES_WORD) {
        uint64_t there = bytes_equal(bytes_load(at), (unsigned char)byte);
        if (there != 0) {
            return at + bytes_first(there);
        }
    }
    if (at < end && end - start >= BYTES_WORD) {
        uint64_t there = bytes_equal(bytes_load_last(end, (size_t)(end - at)), (unsigned char)byte);
        return there != 0 ? at + bytes_first(there) : end;
    }
    while (at < end && *at != byte) {
        at++;
    }
    return at;
}

/* How many digits a word begins with; 8: it is nothing else. */
static inline size_t bytes_digits(uint64_t word)
{
    uint64_t digits = word ^ (BYTES_EACH * '0');
    uint64_t others = (((digits & (BYTES_EACH * 0x7f)) + BYTES_EACH * 0x76) | digits) &
                      (BYTES_EACH * 0x80); /* no sum goes beyond its byte */
    return others == 0 ? BYTES_WORD : bytes_first(others);
}

/* The decimal number that the first `count` bytes are, 1 to 8 digits: sums of two, of four and of
 * all digits, each in one multiplication. (Lemire, "Quickly parsing eight digits", 2018.) */
static inline uint64_t bytes_decimal(uint64_t word, size_t count)
{
    uint64_t digits = (word ^ (BYTES_EACH * '0')) << 8 * (BYTES_WORD - count);
    digits = (digits * (10 * (1 << 8) + 1)) >> 8 & UINT64_C(0x00ff00ff00ff00ff);
    digits = (digits * (100 * (1 << 16) + 1)) >> 16 & UINT64_C(0x0000ffff0000ffff);
    return (digits * (10000 * (UINT64_C(1) << 32) + 1)) >> 32;
}

/* 16 bytes, and for each of them 0xff or 0. */
typedef uint8_t bytes_16 __attribute__((vector_size(16)));

static inline bytes_16 bytes_load_16(const char *at)
{
    bytes_16 bytes;
    memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

/* The number of the first byte that is not 0; 16: there is none. */
static inline size_t bytes_first_16(bytes_16 bytes)
{
    uint64_t words[2];
    memcpy(words, &bytes, sizeof words);
    if (words[0] != 0) {
        return bytes_first(le64toh(words[0]));
    }
    return words[1] != 0 ? BYTES_WORD + bytes_first(le64toh(words[1])) : sizeof bytes;
}

static inline uint32_t bytes_load_4(const char *at)
{
    uint32_t half;
    memcpy(&half, at, sizeof half);
    return half;
}

/* Whether both are the same. Most keys and names are short: of up to 16 bytes the first and the
 * last 8 are compared, or 4, which may overlap. */
static inline bool bytes_same(const char *a, const char *b, size_t length)
{
    enum { WORD = BYTES_WORD, HALF = BYTES_WORD / 2 };
    if (length > (size_t)2 * WORD) {
        return memcmp(a, b, length) == 0;
    }
    if (length >= WORD) {
        size_t last = length - WORD;
        return bytes_load(a) == bytes_load(b) && bytes_load(a + last) == bytes_load(b + last);
    }
    if (length >= HALF) {
        size_t last = length - HALF;
        return bytes_load_4(a) == bytes_load_4(b) &&
               bytes_load_4(a + last) == bytes_load_4(b + last);
    }
    size_t same = 0; /* of nothing there may be no address */
    while (same < length && a[same] == b[same]) {
        same++;
    }
    return same == length;
}

/* Copies a key or the like, in the same way; returns where it ends. The two do not overlap. */
static inline char *bytes_copy(char *to, const char *from, size_t length)
{
    if (length < BYTES_WORD || length > (size_t)2 * BYTES_WORD) {
        memcpy(to, from, length);
        return to + length;
    }
    char *last = to + length - BYTES_WORD;
    memcpy(to, from, BYTES_WORD);
    memcpy(last, from + length - BYTES_WORD, BYTES_WORD);
    return to + length;
}

#endif
