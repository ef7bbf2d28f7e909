/*
 * closing.h - why connections end: counted and logged in one place.
 */
#ifndef KVCACHED_CLOSING_H
#define KVCACHED_CLOSING_H

#include "daemon/door.h"
#include "daemon/metrics.h"

enum conn_close {
#define CLOSE(id, name, level, text) CONN_CLOSE_##id,
#include "daemon/closes.def"
#undef CLOSE
};

/* The connection with this socket is going to be closed. `metrics` are the thread's own. */
void closing_note(struct metrics *metrics, int fd, const struct door *door, enum conn_close why);

#endif
