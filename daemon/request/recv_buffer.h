/*
 * recv_buffer.h - bytes that were received on a connection, and are not answered yet.
 *
 * They lie in one piece, so that requests are slices of it. It begins as a block that holds many
 * requests of the usual size, and grows where a single request needs more: to a block that holds
 * the longest line, and beyond that, for a value that ends where its line ends, as far as its bytes
 * have come.
 */
#ifndef KVCACHED_DAEMON_REQUEST_RECV_BUFFER_H
#define KVCACHED_DAEMON_REQUEST_RECV_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/pool.h"
#include "protocol/request.h"

enum {
    RECV_BUFFER_SMALL = 16 * 1024,
    RECV_BUFFER_LARGE = REQUEST_LINE_MAX + 4096,
};

struct recv_buffer_pools {
    struct pool small, large; /* of RECV_BUFFER_SMALL and RECV_BUFFER_LARGE bytes */
};

struct recv_buffer {
    char *bytes; /* NULL: no block */
    size_t capacity;
    size_t start; /* bytes before it are answered */
    size_t end;   /* bytes from it on are free */
};

static inline struct slice recv_buffer_slice(const struct recv_buffer *input)
{
    return (struct slice){input->bytes + input->start, input->end - input->start};
}

/* The same bytes, to be changed in place. */
static inline char *recv_buffer_bytes(const struct recv_buffer *input)
{
    return input->bytes + input->start;
}

static inline size_t recv_buffer_length(const struct recv_buffer *input)
{
    return input->end - input->start;
}

void recv_buffer_init(struct recv_buffer *input);
void recv_buffer_deinit(struct recv_buffer *input, struct recv_buffer_pools *pools);

/* The same as recv_buffer_make_room, where the bytes may have to move. */
bool recv_buffer_move(struct recv_buffer *input, struct recv_buffer_pools *pools, size_t wanted);

/*
 * Makes room for `wanted` bytes at once, and for at least one more than there are. False: no
 * memory. Slices of the buffer are not good any more.
 */
static inline bool recv_buffer_make_room(struct recv_buffer *input, struct recv_buffer_pools *pools,
                                         size_t wanted)
{
    bool is_unused = input->end == 0 && input->capacity >= wanted && input->capacity > 0;
    return is_unused || recv_buffer_move(input, pools, wanted);
}

/* The free bytes; recv_buffer_fill says how many of them were filled. */
static inline char *recv_buffer_free(const struct recv_buffer *input, size_t *size)
{
    *size = input->capacity - input->end;
    return input->bytes + input->end;
}

static inline void recv_buffer_fill(struct recv_buffer *input, size_t size)
{
    input->end += size;
}

/* The first `size` bytes are answered. */
static inline void recv_buffer_drop(struct recv_buffer *input, size_t size)
{
    input->start += size;
    if (input->start == input->end) {
        input->start = input->end = 0;
    }
}

#endif
