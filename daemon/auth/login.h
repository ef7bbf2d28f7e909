/*
 * login.h - a client's claim to be a user, with its secret; and the limits that logins have.
 *
 * Written by a connection, kept in the queue of the authenticator while it waits, checked on the
 * authenticator's thread, and given back by a call of `answered`.
 */
#ifndef KVCACHED_DAEMON_AUTH_LOGIN_H
#define KVCACHED_DAEMON_AUTH_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/auth/users.h"
#include "daemon/base/siphash.h"
#include "daemon/net/peer.h"
#include "daemon/secret/secret.h"
#include "protocol/request.h"

enum {
    LOGIN_DELAY_MS = 100, /* after the first failure of an address; each further one doubles it */
    LOGIN_DELAY_MOST_MS = 10000,
    LOGIN_FORGET_MS = 60000, /* without a failure, after which those of an address are forgotten */
    LOGIN_PATIENCE_MS = 30000,  /* in the queue: three of the longest delays */
    LOGIN_ADDRESSES_MAX = 4096, /* remembered; login_queue.h says which goes for one more */
};

/* The caller fills it in and frees it; the authenticator owns it between authenticator_submit and
 * `answered`. */
struct login_request {
    /* The authenticator's own. */
    TAILQ_ENTRY(login_request) next; /* in the queue of its address */
    TAILQ_ENTRY(login_request) age;  /* among all that wait */
    struct login_queue_entry *entry; /* where it waits; NULL: it does not */
    uint64_t since;                  /* milliseconds: when it began to wait */
    struct siphash_hash token;       /* see wrong_secrets.h */
    bool compared;                   /* with the secret that was proved before, and differed */

    struct users *users; /* a reference */
    struct peer_address address;
    char name[REQUEST_NAMESPACE_MAX];
    size_t name_length;
    char secret[SECRET_MAX]; /* wiped before `answered` is called */
    size_t secret_length;
    /* Called once, on the authenticator's thread or inside of authenticator_submit, with no lock
     * held: it may free the login, and submit it again. */
    void (*answered)(struct login_request *login);
    void *context;           /* the caller's */
    const struct user *user; /* set before `answered`: of `users`; NULL: denied */
};

#endif
