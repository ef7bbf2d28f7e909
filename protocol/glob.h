/*
 * glob.h - patterns, and whether they match a text.
 *
 * `*` matches any bytes, `?` any single byte, `[a-z_]` one byte of a set, `[^a-z]` or `[!a-z]` one
 * that is not in the set. A backslash quotes the next byte, in a set too; `\xNN` is the byte of
 * that hexadecimal number. A `]` that comes first in a set belongs to it. Bytes are compared, not
 * characters; case matters.
 *
 * A pattern is compiled once and then matched against any number of texts. Compiled, it is a
 * nondeterministic automaton whose states are bits, 64 to a word, and all advance at once:
 * Shift-And, by R. Baeza-Yates and G. Gonnet, "A New Approach to Text Searching", Communications
 * of the ACM 35(10), 1992, with states that stay for `*`, as in G. Navarro and M. Raffinot,
 * "Flexible Pattern Matching in Strings", Cambridge 2002, chapter 4. So no pattern is slow: a
 * match takes at most one step for each byte of the text and each word of states.
 */
#ifndef KVCACHED_PROTOCOL_GLOB_H
#define KVCACHED_PROTOCOL_GLOB_H

#include "protocol/slice.h"

enum {
    GLOB_MAX = 1024, /* bytes of a pattern */
};

struct glob;

/* False where a set or a backslash is incomplete, or a range runs backwards. */
bool glob_valid(struct slice pattern);

/* Bytes of memory, a multiple of 8, that any pattern of that length needs at most: about 400 for
 * a short one, below 2 KiB for less than 64 bytes, and 35 KiB for GLOB_MAX. */
size_t glob_size(size_t length);

/*
 * Compiles a pattern of at most GLOB_MAX bytes into the caller's `memory`, which has
 * glob_size(pattern.length) bytes aligned as by malloc; returns `memory`. The pattern's bytes are
 * not needed any more. A pattern that is not valid matches something unspecified.
 */
struct glob *glob_compile(void *memory, struct slice pattern);

/* True when the pattern matches the whole text. Any thread. */
bool glob_match(const struct glob *glob, struct slice text);

/* The most steps, of about a nanosecond, for each byte of a text: from 1 to 17, which a pattern of
 * GLOB_MAX bytes may take. */
size_t glob_steps(const struct glob *glob);

#endif
