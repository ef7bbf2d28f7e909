/*
 * link.h - one connection of the generator: bytes out, bytes in.
 *
 * It knows no dialect. What the kernel would not take is kept here until it
 * does, and so is the front of a reply that has not come whole; both are rare,
 * so that ten thousand links cost little.
 */
#ifndef KVCACHED_SCRIPTS_LOAD_LINK_H
#define KVCACHED_SCRIPTS_LOAD_LINK_H

#include "scripts/load/dialect.h"
#include "scripts/load/link_tls.h"

struct link_asked {
    uint64_t sent; /* process_clock */
    uint32_t record;
    bool put;
};

struct link {
    int fd;
    struct link_tls *tls; /* NULL: bytes go as they are */
    int epoll;
    bool writable_awaited;
    /* what was asked and not yet answered: a ring of the plan's pipeline */
    struct link_asked *asked;
    uint32_t asked_from, asked_count;
    /* the reply that is being skipped */
    enum verdict verdict;
    size_t rest;
    /* the front of a reply */
    char *carry;
    size_t carry_length;
    /* composed, not taken by the kernel */
    char *unsent;
    size_t unsent_length, unsent_from;
};

enum link_result { LINK_DONE, LINK_LATER, LINK_CLOSED };

/* Connects to a numeric address, watched by `epoll` with the link as its data. */
bool link_open(struct link *l, int epoll, const char *host, const char *port, unsigned pipeline,
               bool tls);
void link_close(struct link *l);

/* Sends, keeping a copy of what the kernel does not take now. */
enum link_result link_send(struct link *l, const char *bytes, size_t length);

/* Sends on what was kept, when the socket has become writable. */
enum link_result link_flush(struct link *l);

/* What has come, up to `size` bytes, at `to`. LINK_LATER: nothing now. */
enum link_result link_read(struct link *l, char *to, size_t size, size_t *length);

/* There is more to be read, though the socket may be silent. */
static inline bool link_has_more(const struct link *l)
{
    return l->tls && link_tls_pending(l->tls);
}

/* A blocking connection, for programs that ask one thing at a time; -1 with
 * errno set when there is none. */
int link_connect(const char *host, const char *port);

#endif
