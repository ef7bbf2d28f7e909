/*
 * recv_buffer.c - moves the bytes to where there is room for more.
 */
#include "daemon/request/recv_buffer.h"

#include <stdlib.h>

/* The pool of blocks of that size; NULL: malloc. */
static struct pool *pool_of(struct recv_buffer_pools *pools, size_t capacity)
{
    if (capacity == RECV_BUFFER_SMALL) {
        return &pools->small;
    }
    return capacity == RECV_BUFFER_LARGE ? &pools->large : NULL;
}

static char *block_get(struct recv_buffer_pools *pools, size_t capacity)
{
    struct pool *pool = pool_of(pools, capacity);
    return pool == NULL ? malloc(capacity) : pool_get(pool);
}

static void block_put(struct recv_buffer_pools *pools, char *block, size_t capacity)
{
    struct pool *pool = pool_of(pools, capacity);
    if (pool == NULL) {
        free(block);
    } else {
        pool_put(pool, block);
    }
}

static size_t capacity_for(size_t wanted)
{
    if (wanted <= RECV_BUFFER_LARGE) {
        return wanted <= RECV_BUFFER_SMALL ? RECV_BUFFER_SMALL : RECV_BUFFER_LARGE;
    }
    size_t capacity = 2 * RECV_BUFFER_LARGE;
    while (capacity < wanted) {
        capacity *= 2;
    }
    return capacity;
}

void recv_buffer_init(struct recv_buffer *input)
{
    *input = (struct recv_buffer){0};
}

void recv_buffer_deinit(struct recv_buffer *input, struct recv_buffer_pools *pools)
{
    if (input->bytes != NULL) {
        block_put(pools, input->bytes, input->capacity);
    }
    recv_buffer_init(input);
}

bool recv_buffer_move(struct recv_buffer *input, struct recv_buffer_pools *pools, size_t wanted)
{
    size_t length = recv_buffer_length(input);
    if (wanted <= length) {
        wanted = length + 1;
    }
    bool worth_a_read = input->start == 0 || input->capacity - input->end >= input->capacity / 4;
    if (worth_a_read && input->capacity - input->start >= wanted) {
        return true;
    }
    if (input->capacity >= wanted) {
        memmove(input->bytes, input->bytes + input->start, length);
    } else {
        size_t capacity = capacity_for(wanted);
        char *bytes = block_get(pools, capacity);
        if (bytes == NULL) {
            return false;
        }
        if (input->bytes != NULL) {
            memcpy(bytes, input->bytes + input->start, length);
            block_put(pools, input->bytes, input->capacity);
        }
        input->bytes = bytes;
        input->capacity = capacity;
    }
    input->start = 0;
    input->end = length;
    return true;
}
