/*
 * transport.h - how bytes get through a descriptor.
 *
 * A connection reads and writes through these few operations and never asks
 * what is beneath. Nothing here blocks: where a transport would have to wait it
 * says TRANSPORT_AGAIN. No operation raises SIGPIPE.
 */
#ifndef KVCACHED_DAEMON_NET_TRANSPORT_H
#define KVCACHED_DAEMON_NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

enum transport_status {
    TRANSPORT_OK,    /* *moved bytes, at least one */
    TRANSPORT_AGAIN, /* not now: wait until the descriptor is ready */
    TRANSPORT_EOF,   /* reading only: the peer will send nothing more */
    TRANSPORT_FAILED /* the connection is gone */
};

struct tls;
struct transport;

/* What came of a greeting; for counters and the log. The words are not to be freed. */
struct transport_greeting {
    const char *version, *cipher; /* when it is done */
    bool resumed;
    const char *failure; /* when it failed */
};

struct transport_ops {
    /* What must be done before any byte moves; NULL where that is nothing. To be called
     * until it says something else than TRANSPORT_AGAIN, which waits for the descriptor
     * to be readable, or where TRANSPORT_READ_WRITES is set to be writable. */
    enum transport_status (*greet)(struct transport *, struct transport_greeting *);
    /* See transport_user; NULL where nobody is known. */
    size_t (*user)(const struct transport *, char *name, size_t size);
    enum transport_status (*read)(struct transport *, void *to, size_t size, size_t *moved);
    enum transport_status (*writev)(struct transport *, struct iovec *pieces, size_t count,
                                    size_t *moved);
    /* Says to the peer that nothing more will come; reading goes on. */
    void (*end)(struct transport *);
    void (*close)(struct transport *);
};

/* Where waiting for the descriptor is not as simple as it seems. Bits. */
enum transport_wants {
    /* More can be read at once, though the descriptor may never become readable again. */
    TRANSPORT_PENDING = 1 << 0,
    TRANSPORT_READ_WRITES = 1 << 1, /* reading goes on when there is room to write */
    TRANSPORT_WRITE_READS = 1 << 2, /* writing goes on when something has come */
};

struct transport {
    const struct transport_ops *ops;
    int fd;
    unsigned char wants; /* of enum transport_wants; a plain one never wants anything */
    void *own;           /* the implementation's */
};

/* Takes a connected stream socket and makes it non-blocking. */
void transport_plain(struct transport *transport, int fd);

/* Makes TLS of a plain one, through which nothing has gone yet. False: no memory, and it is
 * as it was. `tls` must outlive it. */
bool transport_tls(struct transport *transport, struct tls *tls);

/* Who the peer has proved to be, once it has greeted: the common name in its certificate, as
 * long as that is good and of an authority that is trusted now.
 * At most `size` bytes, not terminated; returns how many, 0 where there is no name, or none
 * of that size. */
size_t transport_user(const struct transport *transport, char *name, size_t size);

/* Bytes that were written and that the peer's side has not taken yet. 0 where it is unknown. */
size_t transport_queued(int fd);

#endif
