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

/* How many letters must be inserted, deleted, replaced or exchanged with the next one (the optimal
 * string alignment distance of Damerau and Levenshtein). `b` is not longer than
 * EDIT_DISTANCE_LONGEST. */
static inline size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][EDIT_DISTANCE_LONGEST + 1];
    size_t length = strlen(b), i = 0;
    for (size_t j = 0; j <= length; j++) {
        rows[0][j] = j;
    }
    for (; a[i] != '\0'; i++) {
        size_t *row = rows[(i + 1) % 3], *above = rows[i % 3], *second = rows[(i + 2) % 3];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t one_more = edit_distance_smaller(row[j], above[j + 1]) + 1;
            row[j + 1] = edit_distance_smaller(above[j] + (a[i] != b[j]), one_more);
            if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j]) {
                row[j + 1] = edit_distance_smaller(row[j + 1], second[j - 1] + 1);
            }
        }
    }
    return rows[i % 3][length];
}

#endif
