/*
 * reply_queue.c - a chain of chunks for the text, a ring of pins for large values.
 *
 * Both are sent in one order: the text up to the first pin's place, that pin's
 * value, the text up to the next one's, and so on. gather() and forget() walk
 * that order, one to say what comes next, the other to drop what was sent.
 */
#include "daemon/request/reply_queue.h"

struct outbox_chunk {
    struct outbox_chunk *next;
    uint32_t start; /* bytes before it are sent */
    uint32_t end;   /* bytes from it on are free */
    char bytes[];
};

enum {
    CHUNK_BYTES = OUTBOX_CHUNK - sizeof(struct outbox_chunk),
    PIECES_MAX = 64, /* of one write */
};

_Static_assert((size_t)CHUNK_BYTES >= (size_t)OUTBOX_ROOM, "a small value must fit a chunk");

void outbox_init(struct outbox *outbox, const struct protocol *protocol, struct pool *chunks)
{
    outbox->protocol = protocol;
    outbox->chunks = chunks;
    outbox->first = outbox->last = NULL;
    outbox->written = outbox->sent = outbox->backlog = 0;
    outbox->pin_first = outbox->pin_count = 0;
    outbox->failed = outbox->refused = false;
}

static struct outbox_pin *first_pin(struct outbox *outbox)
{
    return outbox->pin_count == 0 ? NULL : &outbox->pins[outbox->pin_first];
}

static void drop_pin(struct outbox *outbox)
{
    store_view_put(&outbox->pins[outbox->pin_first].view);
    outbox->pin_first = (outbox->pin_first + 1) % OUTBOX_PINS;
    outbox->pin_count--;
}

static void drop_chunk(struct outbox *outbox)
{
    struct outbox_chunk *chunk = outbox->first;
    outbox->first = chunk->next;
    if (outbox->first == NULL) {
        outbox->last = NULL;
    }
    pool_put(outbox->chunks, chunk);
}

void outbox_deinit(struct outbox *outbox)
{
    while (outbox->pin_count > 0) {
        drop_pin(outbox);
    }
    while (outbox->first != NULL) {
        drop_chunk(outbox);
    }
    outbox->backlog = 0;
}

size_t outbox_memory(const struct outbox *outbox)
{
    size_t bytes = 0;
    for (const struct outbox_chunk *chunk = outbox->first; chunk != NULL; chunk = chunk->next) {
        bytes += OUTBOX_CHUNK;
    }
    return bytes;
}

bool outbox_presses(const struct outbox *outbox, const struct store_pressure *pressure)
{
    for (unsigned i = 0; i < outbox->pin_count; i++) {
        const struct outbox_pin *pin = &outbox->pins[(outbox->pin_first + i) % OUTBOX_PINS];
        if (store_view_presses(&pin->view, pressure)) {
            return true;
        }
    }
    return false;
}

/* --- taking replies ------------------------------------------------------- */

static bool has_room(const struct outbox *outbox, size_t size)
{
    return outbox->last != NULL && CHUNK_BYTES - outbox->last->end >= size;
}

static bool add_chunk(struct outbox *outbox)
{
    struct outbox_chunk *chunk = pool_get(outbox->chunks);
    if (chunk == NULL) {
        outbox->failed = true;
        return false;
    }
    chunk->next = NULL;
    chunk->start = chunk->end = 0;
    if (outbox->last == NULL) {
        outbox->first = chunk;
    } else {
        outbox->last->next = chunk;
    }
    outbox->last = chunk;
    return true;
}

/* `size` bytes in one piece, or NULL. Taken with fill(). */
static char *room(struct outbox *outbox, size_t size)
{
    if (outbox->failed || (!has_room(outbox, size) && !add_chunk(outbox))) {
        return NULL;
    }
    return outbox->last->bytes + outbox->last->end;
}

static void fill(struct outbox *outbox, size_t size)
{
    outbox->last->end += (uint32_t)size;
    outbox->written += size;
    outbox->backlog += size;
}

void outbox_reply(struct outbox *outbox, const struct request *request, const struct reply *reply)
{
    char *to = room(outbox, REPLY_HEAD_MAX);
    if (to != NULL) {
        fill(outbox, outbox->protocol->head(request, reply, to));
    }
}

void outbox_text(struct outbox *outbox, struct slice text)
{
    while (text.length > 0) {
        char *to = room(outbox, 1);
        if (to == NULL) {
            return;
        }
        size_t free = CHUNK_BYTES - outbox->last->end;
        size_t size = text.length < free ? text.length : free;
        memcpy(to, text.bytes, size);
        fill(outbox, size);
        text.bytes += size;
        text.length -= size;
    }
}

void outbox_prepare(struct outbox *outbox)
{
    if (!has_room(outbox, OUTBOX_ROOM) && !pool_reserve(outbox->chunks)) {
        outbox->failed = true;
    }
}

void outbox_value_copy(struct outbox *outbox, const struct request *request,
                       const struct reply *reply, struct slice value)
{
    char *to = room(outbox, REPLY_HEAD_MAX + value.length + REPLY_TAIL_MAX);
    if (to == NULL) {
        return;
    }
    size_t size = outbox->protocol->head(request, reply, to);
    memcpy(to + size, value.bytes, value.length);
    size += value.length;
    size += outbox->protocol->tail(request, reply, to + size);
    fill(outbox, size);
}

void outbox_value(struct outbox *outbox, const struct request *request, const struct reply *reply,
                  struct store_view *view)
{
    if (!view->pinned) {
        outbox_value_copy(outbox, request, reply,
                          (struct slice){view->bytes, (size_t)view->length});
        store_view_put(view);
        return;
    }
    outbox_reply(outbox, request, reply);
    char *to = room(outbox, REPLY_TAIL_MAX);
    if (to == NULL) {
        store_view_put(view);
        return;
    }
    unsigned place = (outbox->pin_first + outbox->pin_count++) % OUTBOX_PINS;
    outbox->pins[place] = (struct outbox_pin){.view = *view, .at = outbox->written};
    outbox->backlog += view->length;
    fill(outbox, outbox->protocol->tail(request, reply, to));
}

/* --- sending them --------------------------------------------------------- */

/* What is to be sent next, as far as it fits; returns the number of pieces. */
static size_t gather(struct outbox *outbox, struct iovec *pieces)
{
    size_t count = 0;
    uint64_t position = outbox->sent;
    struct outbox_chunk *chunk = outbox->first;
    uint32_t start = chunk == NULL ? 0 : chunk->start;
    unsigned pin = 0;
    while (count < PIECES_MAX) {
        const struct outbox_pin *next =
            pin < outbox->pin_count ? &outbox->pins[(outbox->pin_first + pin) % OUTBOX_PINS] : NULL;
        if (next != NULL && next->at == position) {
            size_t filled =
                store_view_pieces(&next->view, next->sent, &pieces[count], PIECES_MAX - count);
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

/* So many bytes of the text at its front were sent. */
static void forget_text(struct outbox *outbox, size_t size)
{
    struct outbox_chunk *chunk = outbox->first;
    chunk->start += (uint32_t)size;
    outbox->sent += size;
    if (chunk->start < chunk->end) {
        return;
    }
    if (chunk->next == NULL) {
        chunk->start = chunk->end = 0; /* the last one is used again at once */
    } else {
        drop_chunk(outbox);
    }
}

/* So many bytes were sent. */
static void forget(struct outbox *outbox, size_t size)
{
    outbox->backlog -= size;
    while (size > 0) {
        struct outbox_pin *pin = first_pin(outbox);
        if (pin != NULL && pin->at == outbox->sent) {
            uint64_t left = pin->view.length - pin->sent;
            size_t part = left < size ? (size_t)left : size;
            pin->sent += part;
            size -= part;
            if (part == left) {
                drop_pin(outbox);
            }
            continue;
        }
        uint64_t text = outbox->first->end - outbox->first->start;
        if (pin != NULL && pin->at - outbox->sent < text) {
            text = pin->at - outbox->sent;
        }
        size_t part = text < size ? (size_t)text : size;
        forget_text(outbox, part);
        size -= part;
    }
}

/* Nothing but text, and all of it in one chunk: what most replies are. */
static enum transport_status send_chunk(struct outbox *outbox, struct transport *transport,
                                        size_t *moved)
{
    struct outbox_chunk *chunk = outbox->first;
    struct iovec piece = {chunk->bytes + chunk->start, chunk->end - chunk->start};
    enum transport_status status = transport->ops->writev(transport, &piece, 1, moved);
    if (status == TRANSPORT_OK) {
        outbox->backlog -= *moved;
        forget_text(outbox, *moved);
    }
    return status;
}

/* Cuts what is beyond so many bytes; returns the number of pieces that are left. */
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

static enum transport_status send_pieces(struct outbox *outbox, struct transport *transport,
                                         size_t most, size_t *moved)
{
    struct iovec pieces[PIECES_MAX];
    size_t count = cut(pieces, gather(outbox, pieces), most);
    enum transport_status status = transport->ops->writev(transport, pieces, count, moved);
    if (status == TRANSPORT_OK) {
        forget(outbox, *moved);
    }
    return status;
}

enum transport_status outbox_send(struct outbox *outbox, struct transport *transport, size_t most,
                                  size_t *moved)
{
    *moved = 0;
    return outbox->pin_count == 0 && outbox->first == outbox->last
               ? send_chunk(outbox, transport, moved)
               : send_pieces(outbox, transport, most, moved);
}
