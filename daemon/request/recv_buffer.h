/*
 * recv_buffer.h - the bytes of a connection that nobody has answered yet.
 *
 * They lie in one piece, so that requests are slices of it. It begins as a
 * block that holds many requests of the usual size, and grows where a single
 * request needs more: to a block that holds the longest line, and beyond that,
 * for a value that ends where its line ends, as far as its bytes have come.
 */
#ifndef KVCACHED_DAEMON_REQUEST_RECV_BUFFER_H
#define KVCACHED_DAEMON_REQUEST_RECV_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/pool.h"
#include "protocol/request.h"

enum {
    INBOX_SMALL = 16 * 1024,
    INBOX_LARGE = REQUEST_LINE_MAX + 4096,
};

struct inbox_pools {
    struct pool small, large; /* of INBOX_SMALL and INBOX_LARGE bytes */
};

struct inbox {
    char *bytes; /* NULL: no block */
    size_t capacity;
    size_t start; /* what is before it is answered */
    size_t end;   /* what is from it on is free */
};

static inline struct slice inbox_slice(const struct inbox *inbox)
{
    return (struct slice){inbox->bytes + inbox->start, inbox->end - inbox->start};
}

/* Where those bytes are, to be changed in place. */
static inline char *inbox_bytes(const struct inbox *inbox)
{
    return inbox->bytes + inbox->start;
}

static inline size_t inbox_length(const struct inbox *inbox)
{
    return inbox->end - inbox->start;
}

void inbox_init(struct inbox *inbox);
void inbox_deinit(struct inbox *inbox, struct inbox_pools *pools);

/*
 * Makes room for so many bytes to be held at once, and for at least one more
 * than there are. False: no memory. Slices of it are no longer good after this.
 */
bool inbox_make_room(struct inbox *inbox, struct inbox_pools *pools, size_t wanted);

/* The free bytes, and how many of them are filled now. */
static inline char *inbox_free(const struct inbox *inbox, size_t *size)
{
    *size = inbox->capacity - inbox->end;
    return inbox->bytes + inbox->end;
}

static inline void inbox_fill(struct inbox *inbox, size_t size)
{
    inbox->end += size;
}

/* So many bytes at the front are answered. */
static inline void inbox_drop(struct inbox *inbox, size_t size)
{
    inbox->start += size;
    if (inbox->start == inbox->end) {
        inbox->start = inbox->end = 0;
    }
}

#endif
