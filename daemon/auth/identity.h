/*
 * identity.h - who a connection is, and what it may therefore do.
 *
 *     IDENTITY_NOT_REQUIRED       there are no users: everybody may do everything
 *     IDENTITY_UNAUTHENTICATED   may do nothing but say who it is, within UNAUTHENTICATED_MS and
 *                     UNAUTHENTICATED_BYTES
 *     IDENTITY_AUTHENTICATED      a user, with that user's rights
 *
 * A stranger becomes known by a secret, which the authenticator checks and which may take a while;
 * by the user of the process at the other end of a Unix socket; or by a certificate. A
 * reload can make anybody a stranger again, and what a user may do is asked at every
 * request, so that it holds from the next one on.
 *
 * A pass is its connection's, and all calls are for the thread of that, but for what the
 * auth context's `answered` does.
 */
#ifndef KVCACHED_DAEMON_AUTH_IDENTITY_H
#define KVCACHED_DAEMON_AUTH_IDENTITY_H

#include "daemon/auth/login.h"
#include "daemon/auth/users.h"

struct authenticator;

enum {
    UNAUTHENTICATED_MS = 10000,
    UNAUTHENTICATED_BYTES = 4096, /* received, before it is known */
};

enum identity_state { IDENTITY_NOT_REQUIRED, IDENTITY_UNAUTHENTICATED, IDENTITY_AUTHENTICATED };

enum identity_way { IDENTITY_BY_SECRET, IDENTITY_BY_SOCKET, IDENTITY_BY_CERTIFICATE };

/* What the connections of a worker have in common to prove who they are. */
struct auth_context {
    struct users *users;                 /* those of now: a reference */
    struct authenticator *authenticator; /* NULL: only in tests, where nobody asks */
    /* Tells the worker, which then calls identity_answered; on the authenticator's thread, or
     * inside of identity_ask. */
    void (*answered)(struct login_request *login);
    void *context; /* becomes the login's */
};

struct identity {
    enum identity_state state;
    enum identity_way way;       /* how it became known */
    const struct user *user;     /* IDENTITY_AUTHENTICATED: of the auth context's users */
    struct login_request *login; /* at the authenticator, or back from there with `answered` */
    bool answered;
    int fd;                         /* of its socket: from where it comes */
    unsigned received;              /* bytes, as a stranger */
    uint64_t unauthenticated_since; /* milliseconds */
};

/* For a connection that has just come by `fd`. */
void identity_init(struct identity *identity, const struct auth_context *auth, int fd,
                   uint64_t now);
/* What it asked is forgotten. */
void identity_deinit(struct identity *identity);

/* The auth context's users are others now, and those before still there. One that was known by a
 * certificate is a stranger, until identity_by_certificate is called again. */
void identity_follow(struct identity *identity, const struct auth_context *auth, uint64_t now);

/* A certificate of that name was shown, and is good. */
void identity_by_certificate(struct identity *identity, const struct auth_context *auth,
                             struct slice name);

enum identity_verdict {
    IDENTITY_WAITS, /* identity_take says what became of it, when it is answered */
    IDENTITY_GRANTED,
    IDENTITY_DENIED,
    IDENTITY_NO_MEMORY,
};

/* Somebody says to be this user. Nothing may be under way. A stranger whose time is over is
 * denied without a look: what he sent in time, all at once, would keep him for hours. */
enum identity_verdict identity_ask(struct identity *identity, const struct auth_context *auth,
                                   uint64_t now, struct slice name, struct slice secret);
/* What became of it; only after identity_ask said IDENTITY_WAITS. */
enum identity_verdict identity_take(struct identity *identity, const struct auth_context *auth,
                                    uint64_t now);

/* The authenticator has answered, and the auth context's `answered` was called. Returns the pass
 * that waits, or NULL where nobody does any more; the login is not the caller's. */
struct identity *identity_answered(struct login_request *login);

/* Whether a request needs more than to be understood. */
static inline bool identity_is_asked(const struct identity *identity)
{
    return identity->state != IDENTITY_NOT_REQUIRED || identity->login != NULL;
}

/* Whether it waits for the authenticator. */
static inline bool identity_waits(const struct identity *identity)
{
    return identity->login != NULL && !identity->answered;
}

/* Whether a stranger should be known by now, or gone. */
static inline bool identity_is_overdue(const struct identity *identity, uint64_t now)
{
    return identity->state == IDENTITY_UNAUTHENTICATED &&
           now - identity->unauthenticated_since >= UNAUTHENTICATED_MS;
}

/* How many bytes more it may send before it has to be known. */
static inline size_t identity_allowance(const struct identity *identity)
{
    if (identity->state != IDENTITY_UNAUTHENTICATED) {
        return SIZE_MAX;
    }
    return identity->received < UNAUTHENTICATED_BYTES ? UNAUTHENTICATED_BYTES - identity->received
                                                      : 0;
}

#endif
