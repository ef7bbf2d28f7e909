/*
 * authenticator.h - a thread that checks secrets.
 *
 * To check one takes as long as ten thousand requests, so workers leave it to the authenticator and
 * serve others meanwhile. One secret is checked at a time. Whose turn it is goes round by
 * address, so that one that tries a thousand secrets delays another by a single check.
 * Addresses from which a secret was right before go first, then those that have not failed,
 * then the others; none of the three is ever left out (login_queue.h).
 *
 * Failures slow their address down: each one makes its next check wait twice as long, from
 * LOGIN_DELAY_MS up to LOGIN_DELAY_MOST_MS, until there was none for LOGIN_FORGET_MS. The delay
 * comes before a check, and right and wrong secrets wait alike; no other address waits with
 * them. A success takes nothing back. A login that has waited for LOGIN_PATIENCE_MS is
 * denied without a look.
 *
 * A failure is a secret that was compared and found wrong for the first time. The same one
 * again is no guess (wrong_secrets.h): it is denied without a check, and waits in a line of its
 * own, beside that of its address. So a client that goes on with an old secret keeps none out
 * that has the new one.
 *
 * A login is withdrawn where its connection is gone: it waits no more and is no failure,
 * since nothing was learned from it. For the same reason it is one where it was compared with
 * what is remembered (below); then it delays nothing by itself.
 *
 * A secret that was right before is known at once (user_recalls), but only to an address
 * that has neither failed nor a login waiting of which it is not known yet whether it
 * fails: so each wrong guess costs its address a failure, and a thousand guesses at once are
 * no way around that. Those that wait are recalled in their turn: of a thousand with the
 * same right secret one is checked.
 *
 * Who is unknown, or has no secret, is checked against the hash of somebody else
 * (users_decoy), or secret_of_nobody where there is none: the time of an answer does not say
 * who exists, though hashes of several kinds may take differently long.
 *
 * An address is a peer's IPv4 address, the first 64 bits of its IPv6 address, or the user
 * of the process at the other end of a Unix socket. No more than LOGIN_ADDRESSES_MAX are
 * remembered; where all of them have failed and wait, further ones are denied at once: to
 * remember nothing of them and to look nevertheless would be a way to guess.
 */
#ifndef KVCACHED_DAEMON_AUTH_AUTHENTICATOR_H
#define KVCACHED_DAEMON_AUTH_AUTHENTICATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/auth/login.h"

struct authenticator;

/* What the daemon never needs to say: NULL means secret_matches and clock_now. */
struct authenticator_options {
    /* On the authenticator's thread. */
    bool (*check)(void *context, struct slice secret, const char *hash);
    /* Milliseconds, and never back; any thread, with the authenticator's lock held. */
    uint64_t (*now)(void *context);
    void *context;
};

/* Starts the thread, with every signal blocked. NULL with errno. */
struct authenticator *authenticator_create(void);
struct authenticator *authenticator_create_with(const struct authenticator_options *options);

/* Denies all that wait, but answers as it should the one that is being checked if that takes a
 * tenth of a second at most; ends the thread and frees. A thread that is checking for longer is
 * left behind: it ends, and frees what is left, when the check does. Sets *authenticator to NULL.
 * Workers must be gone: nobody asks any more. Good for NULL. */
void authenticator_destroy(struct authenticator **authenticator);

/* Any thread; takes microseconds. */
void authenticator_submit(struct authenticator *authenticator, struct login_request *login);

/* Any thread: its connection is gone. True: it is the caller's again, and will not be
 * answered. False: it is being checked or was answered, and is the caller's when `answered`
 * is called. */
bool authenticator_withdraw(struct authenticator *authenticator, struct login_request *login);

/* Any thread: options.now has jumped ahead. The authenticator sleeps by the machine's clock, and
 * does not see that for itself. */
void authenticator_wake(struct authenticator *authenticator);

#endif
