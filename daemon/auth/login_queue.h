/*
 * login_queue.h - which logins wait at the authenticator, and whose turn it is.
 *
 * A table of addresses, each with its line of logins and its failures. The turn goes
 * round by address: one login of each that waits. Three kinds of addresses wait apart from
 * one another:
 *
 *     known    a secret was right there before
 *     fresh    none was, and no failure is remembered
 *     failed   neither
 *
 * Of four turns two are for the known, one for the fresh and one for the failed; the turns of
 * a kind that does not wait are the others', in this order. Of the fresh the last is served
 * as often as the first: where hundreds came at once, the one that comes after them is served
 * soon. In the line of an address the first is first, until the address has failed; then the
 * last is, since those that have waited for long have mostly given up.
 *
 * An address is in the table while a login waits there, a failure is remembered or it is
 * known. Where there is no room for one more, the one that was quiet for longest goes; of the
 * known ones only where there are more than KNOWN_MAX of them; and where none is quiet, the
 * fresh one that waits for longest.
 *
 * Failures. Each makes the next turn of its address come LOGIN_DELAY_MS later, then twice,
 * four times and so on up to LOGIN_DELAY_MOST_MS; after LOGIN_FORGET_MS without another one
 * all are forgotten at once. So whoever guesses, and rests in time to be forgotten, has
 * eight guesses in 73 seconds, where one that does not rest has seven: forgetting them one
 * by one would win nothing and make who only mistyped wait for minutes. A success takes
 * nothing back: a user of his own would give an attacker back his first delay.
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
/* No login waits any more. Sets *queue to NULL. Good for NULL. */
void login_queue_destroy(struct login_queue **queue);

/* Whether nothing speaks against an address: no login waits there and no failure is
 * remembered, and there is room for one to be. */
bool login_queue_trusts(const struct login_queue *queue, const struct peer_address *address,
                        uint64_t now);

/* A secret was right there: the address is known from now on, if there is room. */
void login_queue_know(struct login_queue *queue, const struct peer_address *address, uint64_t now);

/* One of that address has failed, without a turn of its own. */
void login_queue_fail(struct login_queue *queue, const struct peer_address *address, uint64_t now);

/* False: there is no room. Those that lose theirs for it are appended to `out`. */
bool login_queue_add(struct login_queue *queue, struct login_request *login, uint64_t now,
                     struct logins *out);

/* It waits no more. False: it did not. One that was `compared` is a failure, which delays
 * nothing by itself but counts for the next. */
bool login_queue_withdraw(struct login_queue *queue, struct login_request *login, uint64_t now);

/* Those that have waited for LOGIN_PATIENCE_MS wait no more, and are appended to `out`. */
void login_queue_expire(struct login_queue *queue, uint64_t now, struct logins *out);

/* Whose turn it is: taken out, and to be settled before another turn comes. NULL: there is
 * nothing to do before *due, neither a turn nor for login_queue_expire; UINT64_MAX is never. */
struct login_request *login_queue_next(struct login_queue *queue, uint64_t now, uint64_t *due);

enum login_result {
    LOGIN_RIGHT,
    LOGIN_WRONG,
    LOGIN_KNOWN_WRONG, /* it was no guess, and is no failure */
};

/* What became of the turn. */
void login_queue_settle(struct login_queue *queue, enum login_result end, uint64_t now);

/* Appends all that wait to `out`, whatever they wait for. Failures stay remembered. */
void login_queue_drain(struct login_queue *queue, struct logins *out);

#endif
