/*
 * fake_transport.c - see fake_transport.h.
 */
#include "tests/request/fake_transport.h"

#include <stdint.h>
#include <stdlib.h>

static struct wire *wire_of(struct transport *transport)
{
    return (struct wire *)transport;
}

static enum transport_status wire_read(struct transport *transport, void *to, size_t size,
                                       size_t *moved)
{
    struct wire *wire = wire_of(transport);
    if (wire->in.length == 0) {
        return TRANSPORT_EOF;
    }
    size_t part = size < wire->in.length ? size : wire->in.length;
    if (wire->read_step != 0 && wire->read_step < part) {
        part = wire->read_step;
    }
    memcpy(to, wire->in.bytes, part);
    wire->in.bytes += part;
    wire->in.length -= part;
    *moved = part;
    return TRANSPORT_OK;
}

static void keep(struct wire *wire, const char *bytes, size_t size)
{
    if (wire->out_capacity - wire->out_length < size) {
        wire->out_capacity = 2 * (wire->out_capacity + size);
        wire->out = realloc(wire->out, wire->out_capacity);
        if (wire->out == NULL) {
            abort();
        }
    }
    memcpy(wire->out + wire->out_length, bytes, size);
    wire->out_length += size;
}

static enum transport_status wire_writev(struct transport *transport, struct iovec *pieces,
                                         size_t count, size_t *moved)
{
    struct wire *wire = wire_of(transport);
    size_t left = wire->write_step == 0 ? SIZE_MAX : wire->write_step;
    *moved = 0;
    if (wire->full) {
        return TRANSPORT_AGAIN;
    }
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t part = pieces[i].iov_len < left ? pieces[i].iov_len : left;
        keep(wire, pieces[i].iov_base, part);
        *moved += part;
        left -= part;
    }
    return *moved > 0 ? TRANSPORT_OK : TRANSPORT_AGAIN;
}

static void wire_end(struct transport *transport)
{
    (void)transport;
}

static const struct transport_ops ops = {
    .read = wire_read,
    .writev = wire_writev,
    .end = wire_end,
    .close = wire_end,
};

void wire_init(struct wire *wire, struct slice in)
{
    *wire = (struct wire){.transport = {.ops = &ops, .fd = -1}, .in = in};
}

void wire_deinit(struct wire *wire)
{
    free(wire->out);
    wire->out = NULL;
    wire->out_length = wire->out_capacity = 0;
}
