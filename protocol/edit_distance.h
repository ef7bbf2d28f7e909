/*
 * edit_distance.h - how alike two words are, for messages that ask "did you mean".
 *
 * Inline: conf/ includes this header and links nothing of protocol/.
 */
#ifndef KVCACHED_PROTOCOL_EDIT_DISTANCE_H
#define KVCACHED_PROTOCOL_EDIT_DISTANCE_H

#include <stddef.h>
#include <string.h>

enum { EDIT_DISTANCE_LONGEST = 32 }; /* bytes of the second word */

static inline size_t edit_distance_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance: how many letters must be inserted, deleted or replaced. `b` is not longer
 * than EDIT_DISTANCE_LONGEST. */
static inline size_t edit_distance(const char *a, const char *b)
{
    size_t row[EDIT_DISTANCE_LONGEST + 1];
    size_t length = strlen(b);
    for (size_t j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t replaced = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] =
                edit_distance_smaller(replaced, edit_distance_smaller(row[j], diagonal) + 1);
        }
    }
    return row[length];
}

#endif
