/*
 * reply_queue.h - replies of a connection that the peer has not taken yet.
 *
 * Text and small values are copied into chunks, one after the other. A large
 * value is pinned: it stays in the store, and the reply queue remembers at which
 * point of the text it has to be sent from there. So a reply of 64 MiB takes no
 * more memory here than one of 64 bytes.
 *
 *     chunks:   VALUE 70000\r\n | \r\nVALUE 3\r\nabc\r\nVALUE 90000\r\n | \r\n
 *     pins:                     ^ the first value                       ^ the second
 *
 * A queue that has no memory for a reply takes none from then on, and is marked as `failed`. Its
 * connection must be closed, because replies are missing. So callers need not check every single
 * reply.
 *
 * For the thread of the connection.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REPLY_QUEUE_H
#define KVCACHED_DAEMON_REQUEST_REPLY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/pool.h"
#include "daemon/net/transport.h"
#include "daemon/store/store.h"
#include "protocol/protocol.h"

enum {
    /* The largest thing that must lie in one piece: a small value with its head
     * and tail. */
    REPLY_QUEUE_ROOM = REPLY_HEAD_MAX + STORE_COPY_MAX + REPLY_TAIL_MAX,
    REPLY_QUEUE_CHUNK = REPLY_QUEUE_ROOM + 2048, /* bytes of a chunk */
    REPLY_QUEUE_BOUND =
        128 * 1024, /* bytes unsent with which a queue is full: nothing more is executed */
    REPLY_QUEUE_PINS =
        REPLY_QUEUE_BOUND / STORE_COPY_MAX, /* with so many pins, it is full as well */
};

struct reply_queue_chunk;

struct reply_queue_pin {
    struct store_view view;
    char *own;   /* memory by malloc that holds the value, as view.bytes; NULL: it is the store's */
    uint64_t at; /* its position in the text, counted as `written` is */
    uint64_t sent; /* bytes of the value that were sent */
};

struct reply_queue {
    const struct protocol *protocol;
    struct pool *chunks;
    struct reply_queue_chunk *first, *last;
    uint64_t written; /* bytes of text ever appended */
    uint64_t sent;    /* bytes of text ever sent */
    uint64_t backlog; /* bytes of text and values still to be sent */
    unsigned pin_first, pin_count;
    bool failed;
    bool refused; /* the last request for keys was answered with an error */
    struct reply_queue_pin pins[REPLY_QUEUE_PINS]; /* a ring */
};

/* `chunks` holds blocks of REPLY_QUEUE_CHUNK bytes. */
void reply_queue_init(struct reply_queue *replies, const struct protocol *protocol,
                      struct pool *chunks);
/* Drops what is unsent. */
void reply_queue_deinit(struct reply_queue *replies);

static inline bool reply_queue_is_empty(const struct reply_queue *replies)
{
    return replies->backlog == 0;
}

/* Of one that is empty: whether it may have replies of another connection. */
static inline bool reply_queue_is_as_new(const struct reply_queue *replies)
{
    return replies->first == replies->last && replies->pin_count == 0 && !replies->failed;
}

/* Whether nothing more should be answered until the peer has taken some. */
static inline bool reply_queue_is_full(const struct reply_queue *replies)
{
    return replies->backlog >= REPLY_QUEUE_BOUND || replies->pin_count == REPLY_QUEUE_PINS ||
           replies->failed;
}

/* Whether the peer has taken so much that it is worth going on. */
static inline bool reply_queue_has_drained(const struct reply_queue *replies)
{
    return replies->backlog < REPLY_QUEUE_BOUND / 2 && replies->pin_count < REPLY_QUEUE_PINS;
}

/* Bytes of its chunks, and of values that it owns. */
size_t reply_queue_memory(const struct reply_queue *replies);

/* Whether a value that it pins keeps writers waiting for memory. */
bool reply_queue_presses(const struct reply_queue *replies, const struct store_pressure *pressure);

/* Adds a reply without a value. `request` is what it answers; NULL: a line that is no request. The
 * protocol may leave the reply out. */
void reply_queue_reply(struct reply_queue *replies, const struct request *request,
                       const struct reply *reply);
static inline void reply_queue_status(struct reply_queue *replies, const struct request *request,
                                      enum reply_kind kind)
{
    reply_queue_reply(replies, request, &(struct reply){.kind = kind});
}

/* Adds whole lines, as they are: HELP. */
void reply_queue_text(struct reply_queue *replies, struct slice text);

/* Must be called before a view is taken: reserves memory, so that a small value can be copied
 * without an allocation under the store's lock. */
void reply_queue_prepare(struct reply_queue *replies);

/* Adds a reply with the view's value. The queue owns the view from here on, and must not be full.
 */
void reply_queue_value(struct reply_queue *replies, const struct request *request,
                       const struct reply *reply, struct store_view *view);

/* Adds a reply with a value of at most STORE_COPY_MAX bytes. */
void reply_queue_value_copy(struct reply_queue *replies, const struct request *request,
                            const struct reply *reply, struct slice value);

/* Adds a reply with a value of any length; `own` is the memory by malloc in which it lies. The
 * queue owns that from here on, and must not be full. */
void reply_queue_value_own(struct reply_queue *replies, const struct request *request,
                           const struct reply *reply, struct slice value, char *own);

/* One write of at most `most` bytes, or of a chunk where that is more. *moved: bytes that were
 * sent, perhaps not all. */
enum transport_status reply_queue_send(struct reply_queue *replies, struct transport *transport,
                                       size_t most, size_t *moved);

#endif
