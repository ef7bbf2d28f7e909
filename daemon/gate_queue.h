/*
 * gate_queue.h - who waits at the gate, and whose turn it is.
 *
 * A table of addresses, each with its line of petitions and its failures. The turn goes
 * round by address: one petition of each that waits, in the order in which they came. An
 * address is in the table while somebody waits there or a failure is remembered, and gate.h
 * says how many there can be.
 *
 * Failures. Each makes the next turn of its address come GATE_DELAY_MS later, then twice,
 * four times and so on up to GATE_DELAY_MOST_MS; after GATE_FORGET_MS without another one
 * all are forgotten at once. So whoever guesses, and rests in time to be forgotten, has
 * eight guesses in 73 seconds, where one that does not rest has seven: forgetting them one
 * by one would win nothing and make who only mistyped wait for minutes. A success takes
 * nothing back: a user of his own would give an attacker back his first delay.
 *
 * Owns no lock, no thread and no clock; `now` is in milliseconds, and does not go back.
 */
#ifndef KVCACHED_GATE_QUEUE_H
#define KVCACHED_GATE_QUEUE_H

#include "daemon/gate.h"

TAILQ_HEAD(petitions, petition);

struct gate_queue;

/* NULL with errno. */
struct gate_queue *gate_queue_create(void);
/* Nobody waits any more. Sets *queue to NULL. Good for NULL. */
void gate_queue_destroy(struct gate_queue **queue);

/* Whether nothing speaks against an address: nobody waits there and no failure is
 * remembered, and there is room for one to be. */
bool gate_queue_trusts(const struct gate_queue *queue, const struct gate_address *address,
                       uint64_t now);

/* False: too many wait, there or, at other addresses, everywhere. */
bool gate_queue_add(struct gate_queue *queue, struct petition *petition, uint64_t now);

/* Whose turn it is: taken out, and to be settled before anybody else's turn comes. NULL:
 * nobody's before *due; UINT64_MAX is never. */
struct petition *gate_queue_next(struct gate_queue *queue, uint64_t now, uint64_t *due);

/* Whether a failure is remembered of the address whose turn it is. */
bool gate_queue_has_failed(const struct gate_queue *queue, uint64_t now);

/* What became of the turn. Of an address that fails, those that came last lose their places,
 * and are appended to `out`: no more than GATE_WAITING_MAX stay. */
void gate_queue_settle(struct gate_queue *queue, bool failed, uint64_t now, struct petitions *out);

/* Appends all that wait to `out`, whatever they wait for. Failures stay remembered. */
void gate_queue_drain(struct gate_queue *queue, struct petitions *out);

#endif
