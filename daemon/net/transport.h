/*
 * transport.h - byte streams over a connected socket, plain or encrypted.
 *
 * A connection reads and writes through these few operations and does not know which kind it has.
 * Nothing here blocks: where a transport would have to wait it returns TRANSPORT_AGAIN. No
 * operation raises SIGPIPE. A transport is used by one thread at a time.
 */
#ifndef KVCACHED_DAEMON_NET_TRANSPORT_H
#define KVCACHED_DAEMON_NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

enum transport_status {
    TRANSPORT_OK,    /* *moved bytes, at least one */
    TRANSPORT_AGAIN, /* nothing moved: wait until the descriptor is ready */
    TRANSPORT_EOF,   /* reading only: the peer will send nothing more */
    TRANSPORT_FAILED /* the connection is gone */
};

struct tls;
struct transport;

/* The result of a handshake, for counters and the log. The strings are not to be freed, and last
 * until the next call for this transport. */
struct transport_handshake {
    const char *version, *cipher; /* with TRANSPORT_OK */
    bool resumed;                 /* likewise: an earlier session goes on */
    const char *failure;          /* with TRANSPORT_FAILED: the cause */
};

struct transport_ops {
    /* What must be done before any byte moves; NULL: nothing. To be called until it returns
     * something else than TRANSPORT_AGAIN. With that, wait for the descriptor to be readable, or
     * writable where TRANSPORT_READ_WRITES is set. */
    enum transport_status (*handshake)(struct transport *, struct transport_handshake *);
    /* See transport_user; NULL: peers of this transport prove no name. */
    size_t (*user)(const struct transport *, char *name, size_t size);
    /* The version of TLS, as "TLSv1.3"; NULL: there is no TLS. */
    const char *(*version)(const struct transport *);
    enum transport_status (*read)(struct transport *, void *to, size_t size, size_t *moved);
    enum transport_status (*writev)(struct transport *, struct iovec *pieces, size_t count,
                                    size_t *moved);
    /* Tells the peer that nothing more will come; reading goes on. */
    void (*end)(struct transport *);
    /* Closes the descriptor and frees what the transport holds. */
    void (*close)(struct transport *);
};

/* Exceptions to "wait for the descriptor to be readable, then read". Bits. */
enum transport_wants {
    /* More can be read at once, although the descriptor may never become readable again. */
    TRANSPORT_PENDING = 1 << 0,
    TRANSPORT_READ_WRITES = 1 << 1, /* reading goes on when the descriptor is writable */
    TRANSPORT_WRITE_READS = 1 << 2, /* writing goes on when the descriptor is readable */
};

struct transport {
    const struct transport_ops *ops;
    int fd;
    unsigned char wants; /* of enum transport_wants; a plain transport's is 0 */
    void *own;           /* the implementation's */
};

/* Takes over a connected stream socket and makes it non-blocking. */
void transport_plain(struct transport *transport, int fd);

/* Turns a plain transport, through which no byte has gone yet, into one with TLS. `tls` must
 * outlive it. False: there is no memory, or this kvcached has no TLS; the transport is as it was.
 */
bool transport_tls(struct transport *transport, struct tls *tls);

/* The same for the side that has connected; `tls` is of tls_create_client. `host` is the name of
 * the peer, which its certificate must have; NULL: the peer is known by its address alone, and any
 * certificate of the authorities will do. */
bool transport_tls_client(struct transport *transport, struct tls *tls, const char *host);

/* The name that the peer has proved in its handshake: the common name in its certificate, as long
 * as that is valid and issued by an authority that is trusted now. Writes at most `size` bytes,
 * not terminated, and returns how many; 0: there is no such name, or it is longer. */
size_t transport_user(const struct transport *transport, char *name, size_t size);

/* Bytes that were written to a socket and that the peer's side has not taken yet; 0 where that is
 * unknown. */
size_t transport_queued(int fd);

#endif
