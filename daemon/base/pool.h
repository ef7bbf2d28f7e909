/*
 * pool.h - blocks of one size that are used again and again.
 *
 * Every worker has its own pools, so nothing is locked. The block given back
 * last is handed out first: it is the one that the processor still holds. What
 * is beyond `keep` goes back to malloc, so that after a rush of connections
 * others can have it.
 */
#ifndef KVCACHED_DAEMON_BASE_POOL_H
#define KVCACHED_DAEMON_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool_block;

struct pool {
    size_t size; /* bytes of a block */
    unsigned keep;
    unsigned kept;
    struct pool_block *free;
};

void pool_init(struct pool *pool, size_t size, unsigned keep);
/* Every block must be back. */
void pool_deinit(struct pool *pool);

/* NULL when there is no memory. What is in the block is undefined. */
void *pool_get(struct pool *pool);
/* Sees to it that the next pool_get does not fail. False: no memory. */
bool pool_reserve(struct pool *pool);
void pool_put(struct pool *pool, void *block);

#endif
