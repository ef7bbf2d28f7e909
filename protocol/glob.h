/*
 * glob.h - which keys a pattern means.
 *
 * `*` is any bytes, `?` is any one byte, `[a-z_]` one of a set, `[^a-z]` or
 * `[!a-z]` one that is not of it, and a backslash takes what follows as it is,
 * in a set too. A `]` that comes first in a set belongs to it. Bytes are
 * compared, not characters, and case counts.
 */
#ifndef KVCACHED_GLOB_H
#define KVCACHED_GLOB_H

#include <stdint.h>

#include "protocol/slice.h"

/* False where a set or a backslash is not complete, or a range runs backwards. */
bool glob_valid(struct slice pattern);

/*
 * True when the pattern matches the whole text. Takes at most about
 * pattern.length * text.length steps, whatever they hold. A pattern that is not
 * valid may match anything or nothing.
 */
bool glob_match(struct slice pattern, struct slice text);
/* The same; adds to *steps about how many it took, a nanosecond or two each. */
bool glob_match_counted(struct slice pattern, struct slice text, uint64_t *steps);

#endif
