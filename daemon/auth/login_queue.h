/*
 * login_queue.h - the logins that wait for the authenticator, and which of them is checked next.
 *
 * A table of addresses, each with a queue of logins and a count of failures. Addresses are served
 * in turn, one login of each. There are three kinds of addresses, which are queued separately:
 *
 *     known    a secret was right there before
 *     fresh    none was, and no failure is remembered
 *     failed   none was, and a failure is remembered
 *
 * Of four checks two are for known addresses, one for a fresh one and one for a failed one. The
 * share of a kind with no login waiting goes to the others, in this order. Of the fresh addresses
 * the last is served as often as the first: a client that comes after a crowd of hundreds is served
 * soon. The queue of one address is served from the front, until the address has failed; then from
 * the back, since clients that have waited for long have mostly given up.
 *
 * An address is in the table while a login waits there, a failure is remembered or it is known.
 * Where there is no room for one more, the one that has been quiet for longest goes. A known
 * address goes only where there are more than KNOWN_MAX of them. Where none is quiet, the fresh
 * address that has waited for longest goes.
 *
 * Each failure delays the next check of its address by LOGIN_DELAY_MS, then by twice as much, four
 * times and so on up to LOGIN_DELAY_MOST_MS. After LOGIN_FORGET_MS without a further failure all
 * are forgotten at once. Pausing to be forgotten gains an attacker one guess: eight instead of
 * seven in 73 s. Decaying failures one by one would gain nothing more, and would make a user who
 * mistyped wait for minutes. A success does not reset the delay: an attacker with an account of
 * their own could reset it at will.
 *
 * Owns no lock, no thread and no clock; `now` is in milliseconds, and does not go back.
 */
#ifndef KVCACHED_DAEMON_AUTH_LOGIN_QUEUE_H
#define KVCACHED_DAEMON_AUTH_LOGIN_QUEUE_H

#include "daemon/auth/login.h"

TAILQ_HEAD(logins, login_request);

struct login_queue;

/* NULL with errno. */
struct login_queue *login_queue_create(void);
/* No login may wait. Sets *queue to NULL. Good for NULL. */
void login_queue_destroy(struct login_queue **queue);

/* Whether a secret from that address may be looked up in the cache before it is queued: no login
 * waits there, no failure is remembered, and there is room to remember one. */
bool login_queue_may_recall(const struct login_queue *queue, const struct peer_address *address,
                            uint64_t now);

/* A secret from that address was right: the address is known from now on, if there is room. */
void login_queue_know(struct login_queue *queue, const struct peer_address *address, uint64_t now);

/* Counts a failure of that address, and delays its next check. */
void login_queue_fail(struct login_queue *queue, const struct peer_address *address, uint64_t now);

/* False: there is no room. Logins that lose their place to this one are appended to `out`. */
bool login_queue_add(struct login_queue *queue, struct login_request *login, uint64_t now,
                     struct logins *out);

/* Takes a login out unchecked. False: it was not waiting. One that was `compared` counts as a
 * failure, which delays nothing by itself. */
bool login_queue_withdraw(struct login_queue *queue, struct login_request *login, uint64_t now);

/* Takes out all that have waited for LOGIN_PATIENCE_MS, and appends them to `out`. */
void login_queue_expire(struct login_queue *queue, uint64_t now, struct logins *out);

/* Takes out the login that is to be checked next; login_queue_settle must follow before the next
 * call. NULL: there is nothing to do before *due, neither a check nor for login_queue_expire;
 * UINT64_MAX is never. */
struct login_request *login_queue_next(struct login_queue *queue, uint64_t now, uint64_t *due);

enum login_result {
    LOGIN_RIGHT,
    LOGIN_WRONG,
    LOGIN_KNOWN_WRONG, /* it was no guess, and is no failure */
};

/* The result of the login that login_queue_next gave. */
void login_queue_settle(struct login_queue *queue, enum login_result result, uint64_t now);

/* Takes out all that wait, and appends them to `out`. Failures stay remembered. */
void login_queue_drain(struct login_queue *queue, struct logins *out);

#endif
