/*
 * pool.h - blocks of equal size that are allocated and freed often.
 *
 * A pool belongs to one thread, so nothing is locked. The block that was freed last is handed out
 * first: it is the one still in the processor's cache. Free blocks beyond `keep` go back to
 * malloc, so that after a rush of connections other allocations can use the memory.
 */
#ifndef KVCACHED_DAEMON_BASE_POOL_H
#define KVCACHED_DAEMON_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool_block;

struct pool {
    size_t size;   /* bytes of a block */
    unsigned keep; /* free blocks to keep at most */
    unsigned kept; /* free blocks kept now */
    struct pool_block *free;
};

void pool_init(struct pool *pool, size_t size, unsigned keep);
/* Every block must have been put back. */
void pool_deinit(struct pool *pool);

/* NULL: there is no memory. The content of the block is undefined. */
void *pool_get(struct pool *pool);
/* Makes the next pool_get succeed. False: there is no memory. */
bool pool_reserve(struct pool *pool);
void pool_put(struct pool *pool, void *block);

#endif
