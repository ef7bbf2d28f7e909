/*
 * slow_timer.h - times requests that may take long, and notes those that did.
 *
 * Which may is known beforehand: requests that walk over records, or have many keys or a large
 * value, and writes that have to make room. No other one is timed, so that the clock is not read
 * for each. A request is timed from its first turn on; that of a value which came in parts from
 * when it is whole.
 *
 * For the thread of the context.
 */
#ifndef KVCACHED_DAEMON_REQUEST_SLOW_TIMER_H
#define KVCACHED_DAEMON_REQUEST_SLOW_TIMER_H

#include "daemon/request/command.h"

enum {
    SLOW_TIMER_KEYS = 100,        /* a request with more is timed */
    SLOW_TIMER_VALUE = 64 * 1024, /* bytes; the same */
};

/* The request that is executed may take long. A second call for it does nothing. */
void slow_timer_begin(struct command_context *ctx);

/* It has these keys, of which the first is gone already: begins if they are many. */
void slow_timer_count(struct command_context *ctx, struct slice keys);

/* Its turn is over, and it is not. Moves the timer to `saved`. */
void slow_timer_pause(struct command_context *ctx, struct slow_timer *saved);

/* Goes on, where `saved` has one that was begun. */
void slow_timer_continue(struct command_context *ctx, struct slow_timer *saved);
static inline void slow_timer_resume(struct command_context *ctx, struct slow_timer *saved)
{
    ctx->timer.began = 0;
    if (saved->began != 0) {
        slow_timer_continue(ctx, saved);
    }
}

/* It has been answered: notes it, where it was timed and took long. `ns` is its namespace; empty:
 * none. */
void slow_timer_note(struct command_context *ctx, const struct request *request, struct slice ns);

#endif
