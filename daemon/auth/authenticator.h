/*
 * authenticator.h - a thread that checks secrets.
 *
 * Checking one takes as long as 10,000 requests, so workers leave it to the authenticator and
 * serve others meanwhile. It checks one secret at a time. Addresses are served in turn, so that a
 * client that tries 1,000 secrets delays clients at other addresses by a single check. Addresses
 * from which a secret was right before go first, then those that have not failed, then the others;
 * none of the three is starved (login_queue.h).
 *
 * Failures slow their address down: each one doubles the delay before its next check, from
 * LOGIN_DELAY_MS up to LOGIN_DELAY_MOST_MS, until there was none for LOGIN_FORGET_MS. The delay
 * comes before the check, so right and wrong secrets wait alike; other addresses do not wait. A
 * success does not clear failures. A login that has waited for LOGIN_PATIENCE_MS is denied
 * unchecked.
 *
 * A failure is a secret that was compared and found wrong for the first time. The same secret
 * again is no guess (wrong_secrets.h): it is denied without a check, and waits in a queue of its
 * own, beside that of its address. So a client that repeats an old secret does not delay a client
 * at the same address that has the new one.
 *
 * A login is withdrawn when its connection is closed. It then waits no more and is no failure,
 * since nothing was learned from it. If it was compared with the cache (below), something was
 * learned: it counts as a failure, but delays nothing by itself.
 *
 * A secret that was verified before is accepted from a cache (user_recalls), but only from an
 * address with no remembered failure and no login waiting. So every wrong guess costs its address
 * one failure, also when 1,000 are sent at once. Logins that are queued use the cache too, when
 * they are served: of 1,000 with the same right secret, one is checked.
 *
 * The secret of a user that does not exist, or has none, is checked against the hash of another
 * user (users_decoy), or against secret_of_no_user where no user has a secret. So the time of an
 * answer does not tell whether a user exists, although hashes of several kinds may take
 * differently long.
 *
 * Addresses are those of net/peer.h. At most LOGIN_ADDRESSES_MAX are remembered. Where all of them
 * have failed and have logins waiting, logins from further ones are denied at once: checking a
 * secret without remembering its address would be a way to guess.
 */
#ifndef KVCACHED_DAEMON_AUTH_AUTHENTICATOR_H
#define KVCACHED_DAEMON_AUTH_AUTHENTICATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/auth/login.h"

struct authenticator;

/* For tests. NULL means secret_matches and clock_now. */
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

/* Denies all logins that wait, ends the thread and frees. The login that is being checked is
 * answered by its check if that takes 100 ms at most. A thread that takes longer is detached: it
 * ends, and frees what is left, when the check does. Sets *authenticator to NULL. No worker may use
 * the authenticator any more. Good for NULL. */
void authenticator_destroy(struct authenticator **authenticator);

/* Any thread; takes microseconds. */
void authenticator_submit(struct authenticator *authenticator, struct login_request *login);

/* Any thread: the login's connection is closed. True: the login is the caller's again, and will not
 * be answered. False: it is being checked or was answered, and is the caller's when `answered` is
 * called. */
bool authenticator_withdraw(struct authenticator *authenticator, struct login_request *login);

/* Any thread: options.now has jumped ahead. The authenticator sleeps by the machine's clock, which
 * does not tell it. */
void authenticator_wake(struct authenticator *authenticator);

#endif
