/*
 * ttl.h - classes of time to live.
 *
 * Records of one segment should expire at about the same time, so that whole
 * segments expire. A class is a quarter of an octave wide: 2.0 to 2.4 s, 2.4 to
 * 2.8 s, and so on; all below a second are one class, and so are all that never
 * expire. Smaller namespaces take several classes as one: see append.c.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_TTL_H
#define KVCACHED_DAEMON_STORE_RECORDS_TTL_H

#include <stdint.h>

enum {
    TTL_CLASS_MIXED = 0,
    TTL_CLASS_NEVER = 1,
    TTL_CLASS_FIRST = 2, /* and on from here, the shortest first */
};

/* Which quarter of which octave, counted from 0, for so many milliseconds. All below
 * a second are the first. */
static inline uint8_t ttl_class(uint64_t left)
{
    if (left < 1024) {
        return 0;
    }
    unsigned octave = 63 - (unsigned)__builtin_clzll(left);
    unsigned quarter = (unsigned)(left >> (octave - 2)) & 3;
    return (uint8_t)(1 + (octave - 10) * 4 + quarter);
}

#endif
