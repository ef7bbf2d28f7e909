/*
 * transport.h - how bytes get through a descriptor.
 *
 * A connection reads and writes through these few operations and never asks
 * what is beneath. Nothing here blocks: where a transport would have to wait it
 * says TRANSPORT_AGAIN. No operation raises SIGPIPE.
 */
#ifndef KVCACHED_TRANSPORT_H
#define KVCACHED_TRANSPORT_H

#include <stddef.h>
#include <sys/uio.h>

enum transport_status {
    TRANSPORT_OK,    /* *moved bytes, at least one */
    TRANSPORT_AGAIN, /* not now: wait until the descriptor is ready */
    TRANSPORT_EOF,   /* reading only: the peer will send nothing more */
    TRANSPORT_FAILED /* the connection is gone */
};

struct transport;

struct transport_ops {
    enum transport_status (*read)(struct transport *, void *to, size_t size, size_t *moved);
    enum transport_status (*writev)(struct transport *, struct iovec *pieces, size_t count,
                                    size_t *moved);
    /* Says to the peer that nothing more will come; reading goes on. */
    void (*end)(struct transport *);
    void (*close)(struct transport *);
};

struct transport {
    const struct transport_ops *ops;
    int fd;
};

/* Takes a connected stream socket and makes it non-blocking. */
void transport_plain(struct transport *transport, int fd);

/* Who is at the other end, for the log: "192.0.2.1:4711", "[::1]:4711" or
 * "unix". At most `size` bytes, terminated. */
void transport_peer(int fd, char *name, size_t size);

enum { TRANSPORT_PEER_MAX = 64 };

#endif
