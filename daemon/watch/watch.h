/*
 * watch.h - events, from the threads in which they happen to the connections that watch.
 *
 * A source is a thread in which events happen: a worker, or the housekeeper. A watcher is a
 * connection, and belongs to the source that is its worker. Between each watcher and each source
 * there is a ring. No thread waits for another one: a watcher that is too slow loses events, and
 * learns how many.
 *
 * While none watches, an event costs a look at a number (watch_wants).
 *
 * The calls for a source are for its thread, and those for a watcher for the thread of its owner.
 */
#ifndef KVCACHED_DAEMON_WATCH_WATCH_H
#define KVCACHED_DAEMON_WATCH_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "protocol/inspect.h"

enum { WATCH_MAX = 8 /* watchers at a time */ };

struct watch;
struct watcher;

struct watch_source {
    struct watch *watch;
    unsigned number;
    unsigned unsent;         /* bits of watchers that were not woken since their last event */
    void (*plan)(void *own); /* calls watch_flush soon, on the source's thread: called with the
                                first event after one; NULL: it is called in any case */
    uint64_t chance;         /* the state of a generator of random numbers, for samples */
    void (*wake)(void *own); /* any thread calls it: calls watch_woken soon, on the source's
                                thread; NULL: the source has no watchers */
    void *own;
    /* The peer of the last event's connection, so that the kernel is asked once a turn. */
    uint64_t peer_id;
    char peer[64];
};

/* `wanted` gets the kinds of events that are watched, as bits. Both outlive the watch. NULL: no
 * memory. */
struct watch *watch_create(unsigned sources, atomic_uint *wanted);
/* No source may be in use. Sets *watch to NULL; NULL is legal. */
void watch_destroy(struct watch **watch);

/* The source of that number. Its `wake` is to be set before its thread uses it. */
struct watch_source *watch_source(struct watch *watch, unsigned number);

/* Whether an event of these kinds is to be published. Any thread. */
static inline bool watch_wants(const atomic_uint *wanted, unsigned kinds)
{
    return (atomic_load_explicit(wanted, memory_order_relaxed) & kinds) != 0;
}

/* Copies the event to all that watch such events. */
void watch_publish(struct watch_source *source, const struct watch_event *event);

/* Wakes the watchers of what was published since the last call. */
void watch_wake(struct watch_source *source);
static inline void watch_flush(struct watch_source *source)
{
    if (source->unsent != 0) {
        watch_wake(source);
    }
}

/* --- watchers ------------------------------------------------------------------------- */

struct watch_terms {
    unsigned kinds;  /* of events, as bits */
    uint64_t sample; /* one of so many events is wanted; at least 1 */
    struct slice ns; /* the namespace; empty: all of them */
};

enum watch_status {
    WATCH_OK,
    WATCH_TOO_MANY,
    WATCH_NO_MEMORY,
};

/* Events that happen after the call are not missed. `context` is for watch_woken. */
enum watch_status watch_join(struct watch_source *owner, const struct watch_terms *terms,
                             void *context, struct watcher **watcher);
/* Sets *watcher to NULL; NULL is legal. */
void watch_leave(struct watcher **watcher);

/* The next event, whose slices are good until watcher_drop; events of one source are in order.
 * False: there is none. */
bool watcher_peek(struct watcher *watcher, struct watch_event *event);
void watcher_drop(struct watcher *watcher);

/* How many events it has lost since the last call. */
uint64_t watcher_take_lost(struct watcher *watcher);

/* Calls `each` with the context of every watcher of this source that has events. For the wakeup of
 * a source. */
void watch_woken(struct watch_source *source, void (*each)(void *context));

#endif
