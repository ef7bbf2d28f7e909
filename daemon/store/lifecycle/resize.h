/*
 * resize.h - a store whose memory becomes another while it is used.
 *
 * More memory is there at once. Less is a target: the budget's limit follows what is used down
 * to it, so that nothing is taken that was not given back before, and every step of housekeeping
 * gives some back. What costs no record goes first: free frames, free buckets of the index. Then
 * records are evicted, until the rest can be won from tables that have become sparse: these are
 * squeezed once, at the end, since what they hold has to be moved for it.
 *
 * Under store.reclaim_lock, but for what is marked.
 */
#ifndef KVCACHED_DAEMON_STORE_LIFECYCLE_RESIZE_H
#define KVCACHED_DAEMON_STORE_LIFECYCLE_RESIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_thread;
struct store;

struct resize {
    bool shrinks;          /* more is used than shall be */
    bool squeezes;         /* tables are squeezed; else records are evicted */
    uint64_t squeeze_from; /* bytes used above which it would be in vain */
    bool stuck;            /* nothing could be done, */
    uint64_t stuck_at;     /* and when that was, by `now` */
    size_t expire_hand;    /* the next entry of the heap */
    uint32_t number_hand;  /* the segment before this one is next */
    uint32_t name_hand;    /* the next namespace that may have to give */
};

/* Begins to shrink where more is used than store.memory. */
void resize_begin(struct store *store);

/* A step towards store.memory; the effort, or 0 when there is nothing to do. */
size_t resize_step(struct store_thread *thread, uint64_t now);

/* For a writer that has to make room: while the store shrinks it gives some back first, for what
 * writers make room for is used again at once. */
void resize_help(struct store_thread *thread, uint64_t now);

#endif
