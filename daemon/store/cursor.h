/*
 * cursor.h - where a listing stands; shared with those who unlink segments.
 */
#ifndef KVCACHED_CURSOR_H
#define KVCACHED_CURSOR_H

#include <stdint.h>

struct generation;

/* Every listing of the generation that stands on segment `from` goes to the
 * beginning of `to` (0: it has ended). Under the namespace's lock. */
void cursors_leave(struct generation *generation, uint32_t from, uint32_t to);

#endif
