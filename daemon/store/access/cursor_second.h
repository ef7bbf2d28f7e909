/*
 * cursor_second.h - the second round of a listing; see cursor.c.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_CURSOR_SECOND_H
#define KVCACHED_DAEMON_STORE_ACCESS_CURSOR_SECOND_H

#include "daemon/store/access/cursor_visit.h"

/* Goes on with the second round, under the namespace's lock. False: the visitor wants to stop.
 * *ended: no key is left to be revisited. */
bool cursor_second_step(struct cursor_step *step, bool *ended);

#endif
