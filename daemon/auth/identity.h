/*
 * identity.h - who a connection is, and what it may therefore do.
 *
 *     PASS_FREE       there are no users: everybody may do everything
 *     PASS_STRANGER   may do nothing but say who it is, within PASS_STRANGER_MS and
 *                     PASS_STRANGER_BYTES
 *     PASS_KNOWN      a user, with that user's rights
 *
 * A stranger becomes known by a secret, which the gate checks and which may take a while;
 * by the user of the process at the other end of a Unix socket; or by a certificate. A
 * reload can make anybody a stranger again, and what a user may do is asked at every
 * request, so that it holds from the next one on.
 *
 * A pass is its connection's, and all calls are for the thread of that, but for what the
 * porter's `answered` does.
 */
#ifndef KVCACHED_DAEMON_AUTH_IDENTITY_H
#define KVCACHED_DAEMON_AUTH_IDENTITY_H

#include "daemon/auth/authenticator.h"
#include "daemon/auth/users.h"

enum {
    PASS_STRANGER_MS = 10000,
    PASS_STRANGER_BYTES = 4096, /* received, before it is known */
};

enum pass_state { PASS_FREE, PASS_STRANGER, PASS_KNOWN };

enum pass_way { PASS_BY_SECRET, PASS_BY_SOCKET, PASS_BY_CERTIFICATE };

/* What the connections of a worker have in common to prove who they are. */
struct porter {
    struct users *users; /* those of now: a reference */
    struct gate *gate;   /* NULL: only in tests, where nobody asks */
    /* Tells the worker, which then calls pass_answered; on the gate's thread, or inside of
     * pass_ask. */
    void (*answered)(struct petition *petition);
    void *context; /* becomes the petition's */
};

struct pass {
    enum pass_state state;
    enum pass_way way;         /* how it became known */
    const struct user *user;   /* PASS_KNOWN: of the porter's users */
    struct petition *petition; /* at the gate, or back from there with `answered` */
    bool answered;
    int fd;                  /* of its socket: from where it comes */
    unsigned received;       /* bytes, as a stranger */
    uint64_t stranger_since; /* milliseconds */
};

/* For a connection that has just come by `fd`. */
void pass_init(struct pass *pass, const struct porter *porter, int fd, uint64_t now);
/* What it asked is forgotten. */
void pass_deinit(struct pass *pass);

/* The porter's users are others now, and those before still there. One that was known by a
 * certificate is a stranger, until pass_by_certificate is called again. */
void pass_follow(struct pass *pass, const struct porter *porter, uint64_t now);

/* A certificate of that name was shown, and is good. */
void pass_by_certificate(struct pass *pass, const struct porter *porter, struct slice name);

enum pass_verdict {
    PASS_WAITS, /* pass_take says what became of it, when it is answered */
    PASS_GRANTED,
    PASS_DENIED,
    PASS_NO_MEMORY,
};

/* Somebody says to be this user. Nothing may be under way. A stranger whose time is over is
 * denied without a look: what he sent in time, all at once, would keep him for hours. */
enum pass_verdict pass_ask(struct pass *pass, const struct porter *porter, uint64_t now,
                           struct slice name, struct slice secret);
/* What became of it; only after pass_ask said PASS_WAITS. */
enum pass_verdict pass_take(struct pass *pass, const struct porter *porter, uint64_t now);

/* The gate has answered, and the porter's `answered` was called. Returns the pass that
 * waits, or NULL where nobody does any more; the petition is not the caller's. */
struct pass *pass_answered(struct petition *petition);

/* Whether a request needs more than to be understood. */
static inline bool pass_is_asked(const struct pass *pass)
{
    return pass->state != PASS_FREE || pass->petition != NULL;
}

/* Whether it waits for the gate. */
static inline bool pass_waits(const struct pass *pass)
{
    return pass->petition != NULL && !pass->answered;
}

/* Whether a stranger should be known by now, or gone. */
static inline bool pass_is_overdue(const struct pass *pass, uint64_t now)
{
    return pass->state == PASS_STRANGER && now - pass->stranger_since >= PASS_STRANGER_MS;
}

/* How many bytes more it may send before it has to be known. */
static inline size_t pass_allowance(const struct pass *pass)
{
    if (pass->state != PASS_STRANGER) {
        return SIZE_MAX;
    }
    return pass->received < PASS_STRANGER_BYTES ? PASS_STRANGER_BYTES - pass->received : 0;
}

#endif
