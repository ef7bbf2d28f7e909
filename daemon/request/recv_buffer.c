/*
 * recv_buffer.c - moving an inbox's bytes where there is room for more.
 */
#include "daemon/request/recv_buffer.h"

#include <stdlib.h>

/* The pool that blocks of that size are of, or NULL: malloc's. */
static struct pool *pool_of(struct inbox_pools *pools, size_t capacity)
{
    if (capacity == INBOX_SMALL) {
        return &pools->small;
    }
    return capacity == INBOX_LARGE ? &pools->large : NULL;
}

static char *block_get(struct inbox_pools *pools, size_t capacity)
{
    struct pool *pool = pool_of(pools, capacity);
    return pool == NULL ? malloc(capacity) : pool_get(pool);
}

static void block_put(struct inbox_pools *pools, char *block, size_t capacity)
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
    if (wanted <= INBOX_LARGE) {
        return wanted <= INBOX_SMALL ? INBOX_SMALL : INBOX_LARGE;
    }
    size_t capacity = 2 * INBOX_LARGE;
    while (capacity < wanted) {
        capacity *= 2;
    }
    return capacity;
}

void inbox_init(struct inbox *inbox)
{
    *inbox = (struct inbox){0};
}

void inbox_deinit(struct inbox *inbox, struct inbox_pools *pools)
{
    if (inbox->bytes != NULL) {
        block_put(pools, inbox->bytes, inbox->capacity);
    }
    inbox_init(inbox);
}

bool inbox_make_room(struct inbox *inbox, struct inbox_pools *pools, size_t wanted)
{
    size_t length = inbox_length(inbox);
    if (wanted <= length) {
        wanted = length + 1;
    }
    bool worth_a_read = inbox->start == 0 || inbox->capacity - inbox->end >= inbox->capacity / 4;
    if (worth_a_read && inbox->capacity - inbox->start >= wanted) {
        return true;
    }
    if (inbox->capacity >= wanted) {
        memmove(inbox->bytes, inbox->bytes + inbox->start, length);
    } else {
        size_t capacity = capacity_for(wanted);
        char *bytes = block_get(pools, capacity);
        if (bytes == NULL) {
            return false;
        }
        if (inbox->bytes != NULL) {
            memcpy(bytes, inbox->bytes + inbox->start, length);
            block_put(pools, inbox->bytes, inbox->capacity);
        }
        inbox->bytes = bytes;
        inbox->capacity = capacity;
    }
    inbox->start = 0;
    inbox->end = length;
    return true;
}
