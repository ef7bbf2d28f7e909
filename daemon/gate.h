/*
 * gate.h - a thread that checks secrets.
 *
 * To check one takes as long as ten thousand requests, so workers leave it to the gate and
 * serve others meanwhile. One secret is checked at a time. Whose turn it is goes round by
 * address, so that one that tries a thousand secrets delays another by a single check.
 *
 * Failures slow their address down: each one makes its next check wait twice as long, from
 * GATE_DELAY_MS up to GATE_DELAY_MOST_MS, and is forgotten after GATE_FORGET_MS; what waits
 * answers late, and nobody else waits with it. An address that has more than
 * GATE_WAITING_MAX waiting is denied at once, without a look. A secret that was right before
 * is known at once (user_recalls), but for an address that has failed: nobody can try many
 * secrets in that way.
 *
 * An address is a peer's IPv4 address, the first 64 bits of its IPv6 address, or the user
 * of the process at the other end of a Unix socket.
 */
#ifndef KVCACHED_GATE_H
#define KVCACHED_GATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/secret.h"
#include "daemon/users.h"
#include "protocol/request.h"

enum {
    GATE_DELAY_MS = 100,
    GATE_DELAY_MOST_MS = 10000,
    GATE_FORGET_MS = 60000,
    GATE_WAITING_MAX = 16,
    GATE_ADDRESSES_MAX = 4096, /* the one that was quiet for longest is forgotten first */
};

struct gate;

/* From where somebody comes. */
struct gate_address {
    uint64_t family; /* AF_INET, AF_INET6, AF_UNIX; 0: not known */
    uint64_t number;
};

/* Of a connected socket. */
struct gate_address gate_address_of(int fd);

/* Somebody who says who he is. The caller's to fill in and to free; the gate's between
 * gate_ask and `answered`. */
struct petition {
    TAILQ_ENTRY(petition) next; /* the gate's */
    struct users *users;        /* a reference */
    struct gate_address address;
    char name[REQUEST_NAMESPACE_MAX];
    size_t name_length;
    char secret[SECRET_MAX]; /* wiped before `answered` */
    size_t secret_length;
    /* Called once, on the gate's thread or inside of gate_ask. */
    void (*answered)(struct petition *petition);
    void *context;           /* the caller's */
    const struct user *user; /* set: who it is, of `users`; NULL: denied */
};

/* Starts the thread, with every signal blocked. NULL with errno. */
struct gate *gate_create(void);

/* Denies all that wait, ends the thread and frees. Sets *gate to NULL. Workers must be gone:
 * nobody asks any more. */
void gate_destroy(struct gate **gate);

/* Any thread; returns at once. */
void gate_ask(struct gate *gate, struct petition *petition);

#endif
