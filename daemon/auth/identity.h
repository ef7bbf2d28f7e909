/*
 * identity.h - the user that a connection has authenticated as, if any.
 *
 *     IDENTITY_NOT_REQUIRED      there are no users: every connection may do everything
 *     IDENTITY_UNAUTHENTICATED   may log in and nothing else, within UNAUTHENTICATED_MS and
 *                                UNAUTHENTICATED_BYTES
 *     IDENTITY_AUTHENTICATED     has the rights of its user
 *
 * A connection authenticates by a secret, which the authenticator checks and which may take a
 * while; by the user of the process at the other end of a Unix socket; or by a certificate. A
 * reload can make any connection unauthenticated again. Rights are asked for at every request, so
 * that a change holds from the next one on.
 *
 * An identity is part of its connection. All calls are for the thread of the connection, except
 * that auth_context.answered may be called on the authenticator's.
 */
#ifndef KVCACHED_DAEMON_AUTH_IDENTITY_H
#define KVCACHED_DAEMON_AUTH_IDENTITY_H

#include "daemon/auth/login.h"
#include "daemon/auth/users.h"

struct authenticator;
struct inspection;

enum {
    UNAUTHENTICATED_MS = 10000,
    UNAUTHENTICATED_BYTES = 4096, /* received before the connection has authenticated */
};

enum identity_state { IDENTITY_NOT_REQUIRED, IDENTITY_UNAUTHENTICATED, IDENTITY_AUTHENTICATED };

enum identity_method { IDENTITY_BY_SECRET, IDENTITY_BY_SOCKET, IDENTITY_BY_CERTIFICATE };

/* What the connections of a worker share to authenticate. */
struct auth_context {
    struct users *users;                 /* the current ones: a reference */
    struct authenticator *authenticator; /* NULL: in tests that submit no login */
    /* Tells the worker, which then calls identity_answered. Called on the authenticator's thread,
     * or inside of identity_ask. */
    void (*answered)(struct login_request *login);
    void *context; /* becomes the login's */
};

struct identity {
    enum identity_state state : 8;
    enum identity_method method : 8; /* by which it has authenticated */
    bool answered;                   /* `login` is back from the authenticator */
    uint8_t last_verb;               /* enum verb of its last request */
    int fd;                          /* of the connection's socket */
    const struct user *user;         /* IDENTITY_AUTHENTICATED: of the auth context's users */
    struct login_request *login;     /* at the authenticator, or back from there */
    unsigned received;               /* bytes, while unauthenticated */
    uint32_t opened;                 /* tenths of a second since the daemon started */
    uint64_t unauthenticated_since;  /* milliseconds */
    uint64_t id;                     /* of the connection: no other one has it, ever */
    struct inspection *inspection;   /* the connection's, for request/inspection.h; NULL: none */
};

/* For a new connection. */
void identity_init(struct identity *identity, const struct auth_context *auth, int fd,
                   uint64_t now);
/* Withdraws a login that is under way. */
void identity_deinit(struct identity *identity);

/* The auth context has other users now; the previous ones must still exist. A connection that has
 * authenticated by a certificate is unauthenticated until identity_by_certificate is called
 * again. */
void identity_follow(struct identity *identity, const struct auth_context *auth, uint64_t now);

/* The peer has shown a valid certificate of that name. */
void identity_by_certificate(struct identity *identity, const struct auth_context *auth,
                             struct slice name);

enum identity_verdict {
    IDENTITY_WAITS, /* identity_take gives the result, when the login is answered */
    IDENTITY_GRANTED,
    IDENTITY_DENIED,
    IDENTITY_NO_MEMORY,
};

/* Begins a login as the user of that name. None may be under way. A connection whose time to
 * authenticate is over is denied unchecked: logins that it sent in time, all at once, would keep it
 * for hours. */
enum identity_verdict identity_ask(struct identity *identity, const struct auth_context *auth,
                                   uint64_t now, struct slice name, struct slice secret);
/* The result; only after identity_ask returned IDENTITY_WAITS. */
enum identity_verdict identity_take(struct identity *identity, const struct auth_context *auth,
                                    uint64_t now);

/* The authenticator has answered, and the auth context's `answered` was called. Returns the
 * identity that waits, or NULL where its connection is closed; the login is not the caller's. */
struct identity *identity_answered(struct login_request *login);

/* Whether requests need rights, or a login is under way. */
static inline bool identity_is_required(const struct identity *identity)
{
    return identity->state != IDENTITY_NOT_REQUIRED || identity->login != NULL;
}

/* Whether a login waits for the authenticator. */
static inline bool identity_waits(const struct identity *identity)
{
    return identity->login != NULL && !identity->answered;
}

/* Whether the time to authenticate is over. */
static inline bool identity_is_overdue(const struct identity *identity, uint64_t now)
{
    return identity->state == IDENTITY_UNAUTHENTICATED &&
           now - identity->unauthenticated_since >= UNAUTHENTICATED_MS;
}

/* How many bytes more may be received before the connection has authenticated. */
static inline size_t identity_allowance(const struct identity *identity)
{
    if (identity->state != IDENTITY_UNAUTHENTICATED) {
        return SIZE_MAX;
    }
    return identity->received < UNAUTHENTICATED_BYTES ? UNAUTHENTICATED_BYTES - identity->received
                                                      : 0;
}

#endif
