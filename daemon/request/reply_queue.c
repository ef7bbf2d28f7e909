/*
 * reply_queue.c - a chain of chunks for the text, a ring of pins for large values.
 *
 * Both are sent in one order: the text up to the first pin's place, that pin's
 * value, the text up to the next one's, and so on. gather() and forget() walk in that
 * order: the one collects what comes next, the other drops what was sent.
 */
#include "daemon/request/reply_queue.h"

#include <stdlib.h>

struct reply_queue_chunk {
    struct reply_queue_chunk *next;
    uint32_t start; /* bytes before it are sent */
    uint32_t end;   /* bytes from it on are free */
    char bytes[];
};

enum {
    CHUNK_BYTES = REPLY_QUEUE_CHUNK - sizeof(struct reply_queue_chunk),
    PIECES_MAX = 64, /* of one write */
};

_Static_assert((size_t)CHUNK_BYTES >= (size_t)REPLY_QUEUE_ROOM, "a small value must fit a chunk");

void reply_queue_init(struct reply_queue *replies, const struct protocol *protocol,
                      struct pool *chunks)
{
    replies->protocol = protocol;
    replies->chunks = chunks;
    replies->first = replies->last = NULL;
    replies->written = replies->sent = replies->backlog = 0;
    replies->pin_first = replies->pin_count = 0;
    replies->failed = replies->refused = false;
}

static const struct reply_queue_pin *pin_at(const struct reply_queue *replies, unsigned number)
{
    return &replies->pins[(replies->pin_first + number) % REPLY_QUEUE_PINS];
}

static struct reply_queue_pin *first_pin(struct reply_queue *replies)
{
    return replies->pin_count == 0 ? NULL : &replies->pins[replies->pin_first];
}

static void drop_pin(struct reply_queue *replies)
{
    struct reply_queue_pin *pin = &replies->pins[replies->pin_first];
    if (pin->own != NULL) {
        free(pin->own);
    } else {
        store_view_put(&pin->view);
    }
    replies->pin_first = (replies->pin_first + 1) % REPLY_QUEUE_PINS;
    replies->pin_count--;
}

static void drop_chunk(struct reply_queue *replies)
{
    struct reply_queue_chunk *chunk = replies->first;
    replies->first = chunk->next;
    if (replies->first == NULL) {
        replies->last = NULL;
    }
    pool_put(replies->chunks, chunk);
}

void reply_queue_deinit(struct reply_queue *replies)
{
    while (replies->pin_count > 0) {
        drop_pin(replies);
    }
    while (replies->first != NULL) {
        drop_chunk(replies);
    }
    replies->backlog = 0;
}

size_t reply_queue_memory(const struct reply_queue *replies)
{
    size_t bytes = 0;
    for (const struct reply_queue_chunk *chunk = replies->first; chunk != NULL;
         chunk = chunk->next) {
        bytes += REPLY_QUEUE_CHUNK;
    }
    for (unsigned i = 0; i < replies->pin_count; i++) {
        const struct reply_queue_pin *pin = pin_at(replies, i);
        bytes += pin->own != NULL ? pin->view.length : 0;
    }
    return bytes;
}

bool reply_queue_presses(const struct reply_queue *replies, const struct store_pressure *pressure)
{
    for (unsigned i = 0; i < replies->pin_count; i++) {
        const struct reply_queue_pin *pin = pin_at(replies, i);
        if (pin->own == NULL && store_view_presses(&pin->view, pressure)) {
            return true;
        }
    }
    return false;
}

/* --- taking replies ------------------------------------------------------- */

static bool has_room(const struct reply_queue *replies, size_t size)
{
    return replies->last != NULL && CHUNK_BYTES - replies->last->end >= size;
}

static bool __attribute__((noinline)) add_chunk(struct reply_queue *replies)
{
    struct reply_queue_chunk *chunk = pool_get(replies->chunks);
    if (chunk == NULL) {
        replies->failed = true;
        return false;
    }
    chunk->next = NULL;
    chunk->start = chunk->end = 0;
    if (replies->last == NULL) {
        replies->first = chunk;
    } else {
        replies->last->next = chunk;
    }
    replies->last = chunk;
    return true;
}

/* `size` free bytes in one piece, or NULL; fill() says how many of them were written. */
static inline char *room(struct reply_queue *replies, size_t size)
{
    if (replies->failed || (!has_room(replies, size) && !add_chunk(replies))) {
        return NULL;
    }
    return replies->last->bytes + replies->last->end;
}

static inline void fill(struct reply_queue *replies, size_t size)
{
    replies->last->end += (uint32_t)size;
    replies->written += size;
    replies->backlog += size;
}

void reply_queue_reply(struct reply_queue *replies, const struct request *request,
                       const struct reply *reply)
{
    char *to = room(replies, REPLY_HEAD_MAX);
    if (to != NULL) {
        fill(replies, replies->protocol->head(request, reply, to));
    }
}

void reply_queue_text(struct reply_queue *replies, struct slice text)
{
    while (text.length > 0) {
        char *to = room(replies, 1);
        if (to == NULL) {
            return;
        }
        size_t free = CHUNK_BYTES - replies->last->end;
        size_t size = text.length < free ? text.length : free;
        memcpy(to, text.bytes, size);
        fill(replies, size);
        text.bytes += size;
        text.length -= size;
    }
}

void reply_queue_prepare(struct reply_queue *replies)
{
    if (!has_room(replies, REPLY_QUEUE_ROOM) && !pool_reserve(replies->chunks)) {
        replies->failed = true;
    }
}

static inline void copy_value(struct reply_queue *replies, const struct request *request,
                              const struct reply *reply, struct slice value)
{
    const struct protocol *protocol = replies->protocol;
    char *to = room(replies, REPLY_HEAD_MAX + value.length + REPLY_TAIL_MAX);
    if (to != NULL) {
        char *end = to + protocol->head(request, reply, to);
        memcpy(end, value.bytes, value.length);
        end += value.length;
        end += protocol->tail(request, reply, end);
        fill(replies, (size_t)(end - to));
    }
}

void reply_queue_value_copy(struct reply_queue *replies, const struct request *request,
                            const struct reply *reply, struct slice value)
{
    copy_value(replies, request, reply, value);
}

static void add_pin(struct reply_queue *replies, const struct reply_queue_pin *pin)
{
    replies->pins[(replies->pin_first + replies->pin_count++) % REPLY_QUEUE_PINS] = *pin;
    replies->backlog += pin->view.length;
}

static void __attribute__((noinline))
pin_value(struct reply_queue *replies, const struct request *request, const struct reply *reply,
          struct store_view *view)
{
    reply_queue_reply(replies, request, reply);
    char *to = room(replies, REPLY_TAIL_MAX);
    if (to == NULL) {
        store_view_put(view);
        return;
    }
    add_pin(replies, &(struct reply_queue_pin){.view = *view, .at = replies->written});
    fill(replies, replies->protocol->tail(request, reply, to));
}

void reply_queue_value_own(struct reply_queue *replies, const struct request *request,
                           const struct reply *reply, struct slice value, char *own)
{
    reply_queue_reply(replies, request, reply);
    char *to = room(replies, REPLY_TAIL_MAX);
    if (to == NULL) {
        free(own);
        return;
    }
    add_pin(replies,
            &(struct reply_queue_pin){.view = {.bytes = value.bytes, .length = value.length},
                                      .own = own,
                                      .at = replies->written});
    fill(replies, replies->protocol->tail(request, reply, to));
}

void reply_queue_value(struct reply_queue *replies, const struct request *request,
                       const struct reply *reply, struct store_view *view)
{
    if (view->pinned) {
        pin_value(replies, request, reply, view);
        return;
    }
    copy_value(replies, request, reply, (struct slice){view->bytes, (size_t)view->length});
    store_view_put(view);
}

/* --- sending them --------------------------------------------------------- */

/* The pieces of a pinned value that are to be sent next, `count` at most; returns how many. */
static size_t pin_pieces(const struct reply_queue_pin *pin, struct iovec *pieces, size_t count)
{
    if (pin->own == NULL) {
        return store_view_pieces(&pin->view, pin->sent, pieces, count);
    }
    pieces[0].iov_base = (char *)(uintptr_t)pin->view.bytes + pin->sent;
    pieces[0].iov_len = (size_t)(pin->view.length - pin->sent);
    return 1;
}

/* Collects what is to be sent next, as far as it fits. Returns the number of pieces. */
static size_t gather(struct reply_queue *replies, struct iovec *pieces)
{
    size_t count = 0;
    uint64_t position = replies->sent;
    struct reply_queue_chunk *chunk = replies->first;
    uint32_t start = chunk == NULL ? 0 : chunk->start;
    unsigned pin = 0;
    while (count < PIECES_MAX) {
        const struct reply_queue_pin *next = pin < replies->pin_count ? pin_at(replies, pin) : NULL;
        if (next != NULL && next->at == position) {
            size_t filled = pin_pieces(next, &pieces[count], PIECES_MAX - count);
            count += filled;
            if (count == PIECES_MAX) {
                break; /* perhaps not to its end */
            }
            pin++;
            continue;
        }
        if (chunk == NULL) {
            break;
        }
        uint64_t size = chunk->end - start;
        if (next != NULL && next->at - position < size) {
            size = next->at - position;
        }
        if (size > 0) {
            pieces[count++] = (struct iovec){chunk->bytes + start, (size_t)size};
            position += size;
            start += (uint32_t)size;
        }
        if (start == chunk->end) {
            chunk = chunk->next;
            start = chunk == NULL ? 0 : chunk->start;
        }
    }
    return count;
}

/* `size` bytes of the text at the front were sent. */
static void forget_text(struct reply_queue *replies, size_t size)
{
    struct reply_queue_chunk *chunk = replies->first;
    chunk->start += (uint32_t)size;
    replies->sent += size;
    if (chunk->start < chunk->end) {
        return;
    }
    if (chunk->next == NULL) {
        chunk->start = chunk->end = 0; /* the last one is used again at once */
    } else {
        drop_chunk(replies);
    }
}

/* `size` bytes were sent. */
static void forget(struct reply_queue *replies, size_t size)
{
    replies->backlog -= size;
    while (size > 0) {
        struct reply_queue_pin *pin = first_pin(replies);
        if (pin != NULL && pin->at == replies->sent) {
            uint64_t left = pin->view.length - pin->sent;
            size_t part = left < size ? (size_t)left : size;
            pin->sent += part;
            size -= part;
            if (part == left) {
                drop_pin(replies);
            }
            continue;
        }
        uint64_t text = replies->first->end - replies->first->start;
        if (pin != NULL && pin->at - replies->sent < text) {
            text = pin->at - replies->sent;
        }
        size_t part = text < size ? (size_t)text : size;
        forget_text(replies, part);
        size -= part;
    }
}

/* Only text, and all of it in one chunk, as most replies are. */
static enum transport_status send_chunk(struct reply_queue *replies, struct transport *transport,
                                        size_t *moved)
{
    struct reply_queue_chunk *chunk = replies->first;
    struct iovec piece = {chunk->bytes + chunk->start, chunk->end - chunk->start};
    enum transport_status status = transport->ops->writev(transport, &piece, 1, moved);
    if (status == TRANSPORT_OK) {
        replies->backlog -= *moved;
        forget_text(replies, *moved);
    }
    return status;
}

/* Cuts the pieces to `most` bytes together. Returns the number of those that are left. */
static size_t cut(struct iovec *pieces, size_t count, size_t most)
{
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].iov_len >= most) {
            pieces[i].iov_len = most;
            return i + 1;
        }
        most -= pieces[i].iov_len;
    }
    return count;
}

static enum transport_status send_pieces(struct reply_queue *replies, struct transport *transport,
                                         size_t most, size_t *moved)
{
    struct iovec pieces[PIECES_MAX];
    size_t count = cut(pieces, gather(replies, pieces), most);
    enum transport_status status = transport->ops->writev(transport, pieces, count, moved);
    if (status == TRANSPORT_OK) {
        forget(replies, *moved);
    }
    return status;
}

enum transport_status reply_queue_send(struct reply_queue *replies, struct transport *transport,
                                       size_t most, size_t *moved)
{
    *moved = 0;
    return replies->pin_count == 0 && replies->first == replies->last
               ? send_chunk(replies, transport, moved)
               : send_pieces(replies, transport, most, moved);
}
