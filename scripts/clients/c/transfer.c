/*
 * transfer.c - a handle's bytes, out and in.
 *
 * While bytes are written, replies are taken in, so neither side waits for the other.
 */
#include "scripts/clients/c/transfer.h"

#include <poll.h>

#include "scripts/clients/c/clock.h"
#include "scripts/clients/c/parse.h"
#include "scripts/clients/c/stream.h"

enum { PIECE = 64 * 1024 };

static enum kvc_result fail_memory(struct kvc *kvc)
{
    return handle_fail(kvc, KVC_ERROR_MEMORY, "no memory");
}

/* --- waiting ---------------------------------------------------------------------- */

static enum kvc_result wait_for(struct kvc *kvc, short events)
{
    int left = kvc->until != 0 ? clock_left(kvc->until) : kvc->timeout;
    switch (link_wait(&kvc->link, events, left)) {
    case LINK_READY:
        return KVC_OK;
    case LINK_INTERRUPTED:
        return handle_fail(kvc, KVC_ERROR_STOPPED, "interrupted");
    case LINK_TIMED_OUT:
        break;
    }
    return handle_lose(kvc, KVC_ERROR_TIMEOUT, "no reply in time");
}

enum kvc_result transfer_take_in(struct kvc *kvc, enum link_result *state)
{
    size_t count = 0;
    char *to = buffer_reserve(&kvc->in, PIECE);
    *state = LINK_LATER;
    if (to == NULL) {
        kvc->in.failed = false;
        return fail_memory(kvc);
    }
    *state = stream_read(&kvc->link, to, kvc->in.room - kvc->in.length, &count);
    switch (*state) {
    case LINK_DONE:
        kvc->in.length += count;
        return KVC_OK;
    case LINK_LATER:
        return KVC_OK;
    case LINK_CLOSED:
        return handle_lose(kvc, KVC_ERROR_CLOSED, "the server closed the connection");
    case LINK_BROKEN:
        break;
    }
    return handle_lose(kvc, KVC_ERROR_CLOSED, kvc->link.error);
}

/* --- sending ---------------------------------------------------------------------- */

/* Nothing more can be written now: waits until it can, or until replies came. */
static enum kvc_result wait_to_write(struct kvc *kvc)
{
    enum link_result state;
    enum kvc_result result = wait_for(kvc, (short)(kvc->link.events | POLLIN));
    return result == KVC_OK ? transfer_take_in(kvc, &state) : result;
}

/* A server that has refused what came before closes without reading the rest; its reply may be
 * there to be read. */
static enum kvc_result write_failed(struct kvc *kvc, enum link_result state)
{
    return state == LINK_CLOSED ? KVC_OK : handle_lose(kvc, KVC_ERROR_CLOSED, kvc->link.error);
}

enum kvc_result transfer_flush(struct kvc *kvc, const struct buffer *out, size_t *sent)
{
    enum kvc_result result = KVC_OK;
    while (result == KVC_OK && *sent < out->length) {
        size_t count = 0;
        enum link_result state = stream_write(&kvc->link, buffer_rest(out, *sent), &count);
        if (state == LINK_DONE) {
            *sent += count;
        } else if (state == LINK_LATER) {
            result = wait_to_write(kvc);
        } else {
            *sent = out->length;
            return write_failed(kvc, state);
        }
    }
    bool can_read = kvc->in.length > kvc->in_taken;
    return result == KVC_ERROR_CLOSED && can_read ? KVC_OK : result;
}

enum kvc_result kvc_send(struct kvc *kvc, struct kvc_bytes bytes)
{
    if (kvc->out_sent == kvc->out.length) {
        buffer_reset(&kvc->out);
        kvc->out_sent = 0;
    }
    buffer_append(&kvc->out, (struct slice){bytes.bytes, bytes.length});
    if (kvc->out.failed) {
        kvc->out.failed = false;
        return fail_memory(kvc);
    }
    return KVC_OK;
}

enum kvc_result kvc_flush(struct kvc *kvc)
{
    if (kvc->out_sent == kvc->out.length) {
        return KVC_OK;
    }
    if (!kvc_is_connected(kvc)) {
        return handle_fail(kvc, KVC_ERROR_CLOSED, "there is no connection");
    }
    return transfer_flush(kvc, &kvc->out, &kvc->out_sent);
}

/* --- receiving -------------------------------------------------------------------- */

/* What is to be sent goes first. Of a connection that was lost, what has come is read. */
static enum kvc_result send_first(struct kvc *kvc)
{
    return kvc_is_connected(kvc) ? kvc_flush(kvc) : KVC_OK;
}

static struct kvc_bytes left_of(const struct kvc *kvc)
{
    struct slice left = buffer_rest(&kvc->in, kvc->in_taken);
    return (struct kvc_bytes){left.bytes, left.length};
}

/* Bytes that were returned are dropped once they are most of the buffer. */
static bool make_room(struct kvc *kvc, size_t wanted)
{
    size_t left = kvc->in.length - kvc->in_taken;
    if (left == 0) {
        buffer_reset(&kvc->in);
        kvc->in_taken = 0;
    } else if (kvc->in_taken > kvc->in.length / 2) {
        buffer_drop(&kvc->in, kvc->in_taken);
        kvc->in_taken = 0;
    }
    bool made = wanted <= left || buffer_reserve(&kvc->in, wanted - left) != NULL;
    kvc->in.failed = false;
    return made;
}

static enum kvc_result await(struct kvc *kvc, size_t wanted)
{
    enum kvc_result result = KVC_OK;
    if (!make_room(kvc, wanted)) {
        return fail_memory(kvc);
    }
    while (result == KVC_OK && kvc->in.length - kvc->in_taken < wanted) {
        enum link_result state;
        result = transfer_take_in(kvc, &state);
        if (result == KVC_OK && state == LINK_LATER) {
            result = wait_for(kvc, kvc->link.events);
        }
    }
    return result;
}

/* More bytes, or the error that the connection was lost with. */
static enum kvc_result need(struct kvc *kvc, size_t wanted)
{
    if (kvc_is_connected(kvc)) {
        return await(kvc, wanted);
    }
    return kvc->error.code >= KVC_ERROR_CLOSED
               ? kvc->error.code
               : handle_fail(kvc, KVC_ERROR_CLOSED, "there is no connection");
}

enum kvc_result transfer_cut(struct kvc *kvc, size_t from, enum kvc_values values,
                             struct kvc_reply *reply, size_t *taken)
{
    for (;;) {
        size_t wanted = 0;
        struct slice left = buffer_rest(&kvc->in, kvc->in_taken + from);
        switch (
            kvc_cut((struct kvc_bytes){left.bytes, left.length}, values, reply, taken, &wanted)) {
        case KVC_CUT_WHOLE:
            return KVC_OK;
        case KVC_CUT_BAD:
            return handle_lose(kvc, KVC_ERROR_PROTOCOL,
                               "the server does not speak kvcached's own protocol here");
        case KVC_CUT_PARTIAL:
            break;
        }
        enum kvc_result result = need(kvc, from + wanted);
        if (result != KVC_OK) {
            return result;
        }
    }
}

enum kvc_result kvc_read(struct kvc *kvc, enum kvc_values values, struct kvc_reply *reply)
{
    size_t taken = 0;
    enum kvc_result result = send_first(kvc);
    if (result == KVC_OK) {
        result = transfer_cut(kvc, 0, values, reply, &taken);
    }
    kvc->in_taken += result == KVC_OK ? taken : 0;
    return result;
}

enum kvc_result kvc_read_line(struct kvc *kvc, struct kvc_bytes *line)
{
    enum kvc_result result = send_first(kvc);
    while (result == KVC_OK) {
        struct kvc_bytes left = left_of(kvc);
        const char *end = left.length > 0 ? memchr(left.bytes, '\n', left.length) : NULL;
        if (end != NULL) {
            *line = (struct kvc_bytes){left.bytes, (size_t)(end - left.bytes)};
            kvc->in_taken += line->length + 1;
            line->length -= line->length > 0 && end[-1] == '\r';
            return KVC_OK;
        }
        result = left.length > PARSE_LINE_MAX
                     ? handle_lose(kvc, KVC_ERROR_PROTOCOL, "a line is longer than 1 MiB")
                     : need(kvc, left.length + 1);
    }
    return result;
}

enum kvc_result kvc_read_bytes(struct kvc *kvc, size_t length, struct kvc_bytes *bytes)
{
    enum kvc_result result = send_first(kvc);
    if (result == KVC_OK && kvc->in.length - kvc->in_taken < length) {
        result = need(kvc, length);
    }
    if (result == KVC_OK) {
        *bytes = (struct kvc_bytes){left_of(kvc).bytes, length};
        kvc->in_taken += length;
    }
    return result;
}
