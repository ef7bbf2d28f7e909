/*
 * glob.h - which keys a pattern means.
 *
 * `*` is any bytes, `?` is any one byte, `[a-z_]` one of a set, `[^a-z]` or
 * `[!a-z]` one that is not of it, and a backslash takes what follows as it is,
 * in a set too. A `]` that comes first in a set belongs to it. Bytes are
 * compared, not characters, and case counts.
 *
 * A pattern is compiled once, and then held against as many texts as one likes.
 * Compiled, it is an automaton that takes one byte after the other, all of its
 * states at a time, 64 to a word: Shift-And, by R. Baeza-Yates and G. Gonnet, "A
 * New Approach to Text Searching", Communications of the ACM 35(10), 1992, with
 * states that stay for `*`, as in G. Navarro and M. Raffinot, "Flexible Pattern
 * Matching in Strings", Cambridge 2002, chapter 4. So no pattern is slow: it
 * takes at most one step for each byte of the text and each word.
 */
#ifndef KVCACHED_PROTOCOL_GLOB_H
#define KVCACHED_PROTOCOL_GLOB_H

#include "protocol/slice.h"

enum {
    GLOB_MAX = 1024, /* bytes of a pattern */
};

struct glob;

/* False where a set or a backslash is not complete, or a range runs backwards. */
bool glob_valid(struct slice pattern);

/* Bytes of memory, a multiple of 8, that are enough for any pattern of that length: some 400
 * for a short one, below 2 KiB for what is shorter than 64, and 35 KiB for GLOB_MAX. */
size_t glob_size(size_t length);

/*
 * Compiles a pattern of at most GLOB_MAX bytes into glob_size(pattern.length) bytes of the
 * caller's, aligned as malloc does, and returns where they begin. It keeps nothing of the
 * pattern's bytes. A pattern that is not valid may match anything or nothing then.
 */
struct glob *glob_compile(void *memory, struct slice pattern);

/* True when the pattern matches the whole text. Any thread. */
bool glob_match(const struct glob *glob, struct slice text);

/* How many steps of a nanosecond or so each byte of a text takes, at most: 1, and 17 where
 * the pattern has GLOB_MAX bytes. */
size_t glob_steps(const struct glob *glob);

#endif
