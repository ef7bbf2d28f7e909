/*
 * slice.h - a pointer to bytes, and their length.
 *
 * A slice owns nothing: it points into a buffer that outlives it. Bytes from the network are never
 * terminated by a NUL, so they never travel without their length.
 */
#ifndef KVCACHED_PROTOCOL_SLICE_H
#define KVCACHED_PROTOCOL_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "protocol/bytes.h"

struct slice {
    const char *bytes;
    size_t length;
};

/* A slice of a string literal, or of any NUL-terminated string of our own. */
static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.length == b.length && bytes_same(a.bytes, b.bytes, a.length);
}

#endif
