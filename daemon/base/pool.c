/*
 * pool.c - a list of free blocks, linked through the blocks themselves.
 */
#include "daemon/base/pool.h"

#include <stdlib.h>

struct pool_block {
    struct pool_block *next;
};

void pool_init(struct pool *pool, size_t size, unsigned keep)
{
    *pool = (struct pool){.size = size, .keep = keep};
}

void pool_deinit(struct pool *pool)
{
    while (pool->free != NULL) {
        struct pool_block *block = pool->free;
        pool->free = block->next;
        free(block);
    }
    pool->kept = 0;
}

void *pool_get(struct pool *pool)
{
    struct pool_block *block = pool->free;
    if (block == NULL) {
        return malloc(pool->size);
    }
    pool->free = block->next;
    pool->kept--;
    return block;
}

bool pool_reserve(struct pool *pool)
{
    if (pool->free != NULL) {
        return true;
    }
    struct pool_block *block = malloc(pool->size);
    if (block == NULL) {
        return false;
    }
    block->next = NULL;
    pool->free = block;
    pool->kept++;
    return true;
}

void pool_put(struct pool *pool, void *freed)
{
    if (pool->kept >= pool->keep) {
        free(freed);
        return;
    }
    struct pool_block *block = freed;
    block->next = pool->free;
    pool->free = block;
    pool->kept++;
}
