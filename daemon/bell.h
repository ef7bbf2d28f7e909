/*
 * bell.h - how other threads wake one that waits in its event loop.
 *
 * What they want is said elsewhere, under a lock or in something atomic, before they ring.
 */
#ifndef KVCACHED_BELL_H
#define KVCACHED_BELL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>

struct bell {
    int fd; /* an eventfd */
    bool hangs;
    struct event event;
};

/* Hangs it up in the base of the thread that will hear it, by `heard`. False with errno; then,
 * and for a zeroed one, bell_deinit is legal. */
bool bell_init(struct bell *bell, struct event_base *base, event_callback_fn heard, void *context);
/* When the thread has ended, and before its base goes. */
void bell_deinit(struct bell *bell);

/* Any thread. */
void bell_ring(const struct bell *bell);

/* For `heard`, before it looks at what is wanted: who rings from now on is heard again. */
void bell_still(const struct bell *bell);

#endif
