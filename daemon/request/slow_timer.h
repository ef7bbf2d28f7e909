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

#include "daemon/request/verbs.h"

enum {
    SLOW_TIMER_KEYS = 100,        /* a request with more keys is timed */
    SLOW_TIMER_VALUE = 64 * 1024, /* bytes; one with a larger value as well */
};

/* Carries out a command, or goes on with it, and notes it when it is done and took long. */
enum outcome slow_timer_run(struct command_context *ctx, struct command *cmd, verb_function *run);

/* Before and after a turn of a request; `ends`: it has been answered. `ns` is its namespace; empty:
 * none. */
void slow_timer_start(struct command_context *ctx, struct slow_timer *timer);
void slow_timer_stop(struct command_context *ctx, struct slow_timer *timer, bool ends,
                     const struct request *request, struct slice ns);

/* A write begins to make room. */
void slow_timer_reclaims(struct command_context *ctx);
/* A write is done which had to: notes it, if that took long. */
void slow_timer_reclaimed(struct command_context *ctx, const struct command *cmd);

#endif
