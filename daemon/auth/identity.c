/*
 * identity.c - how connections authenticate, and stay authenticated over a reload.
 */
#include "daemon/auth/identity.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/auth/authenticator.h"

/* A login on its way to the authenticator and back. When its connection is closed it is withdrawn.
 * If it is being checked then, it has no identity any more, and identity_answered frees it. */
struct pending_login {
    struct login_request login; /* first: one is the other's address */
    struct authenticator *authenticator;
    struct identity *identity; /* NULL: its connection is closed */
};

static struct pending_login *pending_login_of(struct login_request *login)
{
    return (struct pending_login *)login;
}

static void pending_login_destroy(struct login_request **login)
{
    struct pending_login *pending = pending_login_of(*login);
    *login = NULL;
    users_put(&pending->login.users);
    free(pending);
}

/* --- states ----------------------------------------------------------------- */

static void become_unauthenticated(struct identity *identity, uint64_t now)
{
    identity->state = IDENTITY_UNAUTHENTICATED;
    identity->user = NULL;
    identity->received = 0;
    identity->unauthenticated_since = now;
}

static void become_authenticated(struct identity *identity, const struct user *user,
                                 enum identity_method method)
{
    identity->state = IDENTITY_AUTHENTICATED;
    identity->user = user;
    identity->method = method;
}

/* The kernel vouches for the user of the process at the other end of a Unix socket. */
static void try_socket(struct identity *identity, const struct auth_context *auth)
{
    struct peer_address address = peer_address_of(identity->fd);
    if (address.family == AF_UNIX) {
        const struct user *user = users_find_unix(auth->users, (uid_t)address.number);
        if (user != NULL) {
            become_authenticated(identity, user, IDENTITY_BY_SOCKET);
        }
    }
}

void identity_init(struct identity *identity, const struct auth_context *auth, int fd, uint64_t now)
{
    *identity =
        (struct identity){.state = IDENTITY_NOT_REQUIRED, .last_verb = VERB_UNUSED, .fd = fd};
    if (!users_is_empty(auth->users)) {
        become_unauthenticated(identity, now);
        try_socket(identity, auth);
    }
}

void identity_deinit(struct identity *identity)
{
    if (identity->login == NULL) {
        return;
    }
    if (identity->answered ||
        authenticator_withdraw(pending_login_of(identity->login)->authenticator, identity->login)) {
        pending_login_destroy(&identity->login);
    } else {
        pending_login_of(identity->login)->identity = NULL;
        identity->login = NULL;
    }
}

/* --- reload ------------------------------------------------------------------- */

/* Whether it stays authenticated as its user. */
static bool stays_authenticated(struct identity *identity, const struct auth_context *auth)
{
    const struct user *now = NULL;
    if (identity->method == IDENTITY_BY_CERTIFICATE) {
        return false; /* its connection calls identity_by_certificate again */
    }
    users_follow(auth->users, identity->user, identity->method == IDENTITY_BY_SECRET, &now);
    identity->user = now;
    return now != NULL;
}

void identity_follow(struct identity *identity, const struct auth_context *auth, uint64_t now)
{
    if (users_is_empty(auth->users)) {
        identity->state = IDENTITY_NOT_REQUIRED;
        identity->user = NULL;
        return;
    }
    if (identity->state == IDENTITY_AUTHENTICATED && stays_authenticated(identity, auth)) {
        return;
    }
    if (identity->state != IDENTITY_UNAUTHENTICATED) {
        become_unauthenticated(identity, now);
    }
    try_socket(identity, auth);
}

/* --- certificates -------------------------------------------------------------- */

void identity_by_certificate(struct identity *identity, const struct auth_context *auth,
                             struct slice name)
{
    const struct user *user =
        identity->state == IDENTITY_UNAUTHENTICATED ? users_find(auth->users, name) : NULL;
    if (user != NULL) {
        become_authenticated(identity, user, IDENTITY_BY_CERTIFICATE);
    }
}

/* --- secrets -------------------------------------------------------------------- */

static void write_pending_login(struct pending_login *pending, struct identity *identity,
                                const struct auth_context *auth, struct slice name,
                                struct slice secret)
{
    struct login_request *login = &pending->login;
    login->users = users_get(auth->users);
    login->address = peer_address_of(identity->fd);
    memcpy(login->name, name.bytes, name.length);
    login->name_length = name.length;
    memcpy(login->secret, secret.bytes, secret.length);
    login->secret_length = secret.length;
    login->answered = auth->answered;
    login->context = auth->context;
    pending->authenticator = auth->authenticator;
    pending->identity = identity;
}

enum identity_verdict identity_ask(struct identity *identity, const struct auth_context *auth,
                                   uint64_t now, struct slice name, struct slice secret)
{
    if (identity_is_overdue(identity, now)) {
        return IDENTITY_DENIED;
    }
    struct pending_login *pending = calloc(1, sizeof *pending);
    if (pending == NULL) {
        return IDENTITY_NO_MEMORY;
    }
    write_pending_login(pending, identity, auth, name, secret);
    identity->login = &pending->login;
    identity->answered = false;
    authenticator_submit(auth->authenticator, &pending->login);
    return IDENTITY_WAITS;
}

enum identity_verdict identity_take(struct identity *identity, const struct auth_context *auth,
                                    uint64_t now)
{
    const struct user *user = identity->login->user;
    const struct user *current = NULL;
    bool granted = user != NULL && users_follow(auth->users, user, true, &current) == USER_SAME;
    if (granted) {
        become_authenticated(identity, current, IDENTITY_BY_SECRET);
    } else if (identity->state == IDENTITY_AUTHENTICATED) {
        become_unauthenticated(identity, now); /* a failed login ends the one before */
    }
    pending_login_destroy(&identity->login);
    identity->answered = false;
    return granted ? IDENTITY_GRANTED : IDENTITY_DENIED;
}

struct identity *identity_answered(struct login_request *login)
{
    struct identity *identity = pending_login_of(login)->identity;
    if (identity == NULL) {
        pending_login_destroy(&login);
    } else {
        identity->answered = true;
    }
    return identity;
}
