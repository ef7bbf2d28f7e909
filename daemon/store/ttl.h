/*
 * ttl.h - classes of time to live.
 *
 * Records of one segment should expire at about the same time, so that whole
 * segments expire. A class is a quarter of an octave wide: 2.0 to 2.4 s, 2.4 to
 * 2.8 s, and so on; all below a second are one class, and so are all that never
 * expire. A namespace that is still tiny does without classes.
 */
#ifndef KVCACHED_TTL_H
#define KVCACHED_TTL_H

#include <stdint.h>

enum {
    TTL_CLASS_MIXED = 0,
    TTL_CLASS_NEVER = 1,
    TTL_CLASS_SHORT = 2, /* below 1024 ms */
    TTL_CLASS_FIRST = 3,
};

/* The class of a record that has so many milliseconds left; UINT64_MAX: never. */
static inline uint8_t ttl_class(uint64_t left)
{
    if (left == UINT64_MAX) {
        return TTL_CLASS_NEVER;
    }
    if (left < 1024) {
        return TTL_CLASS_SHORT;
    }
    unsigned octave = 63 - (unsigned)__builtin_clzll(left);
    unsigned quarter = (unsigned)(left >> (octave - 2)) & 3;
    return (uint8_t)(TTL_CLASS_FIRST + (octave - 10) * 4 + quarter);
}

#endif
