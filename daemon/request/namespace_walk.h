/*
 * namespace_walk.h - a walk over the namespaces of the store, which may take several turns.
 *
 * Of all namespaces, an endpoint reaches its own and, if it has a separator, those declared ones
 * that can stand before a key: their names hold no separator.
 */
#ifndef KVCACHED_DAEMON_REQUEST_NAMESPACE_WALK_H
#define KVCACHED_DAEMON_REQUEST_NAMESPACE_WALK_H

#include "daemon/request/command.h"

enum walk_step {
    WALK_FOUND,
    WALK_ENDED,  /* there are no more */
    WALK_PAUSED, /* the reply queue is full, or the turn is over: to be called again later */
};

/* One turn of a walk. The caller sets `next`, and either `own` or `every`. */
struct namespace_walk {
    uint32_t *next;   /* the lowest number that was not seen; 0 at first, kept between turns */
    struct slice own; /* the endpoint's own namespace: those that the endpoint reaches are found */
    bool every;       /* all are found */
    struct store_namespace_stats *stats; /* filled in for each that is found; or NULL */

    struct slice name; /* of the one that was found; good until the next step or store_leave */
    unsigned seen;     /* namespaces so far, in this turn */
};

/* Goes on to the next namespace. */
enum walk_step namespace_walk_next(const struct command_context *ctx, struct namespace_walk *walk);

/* The number of the namespace that was found. */
static inline uint32_t namespace_walk_number(const struct namespace_walk *walk)
{
    return *walk->next - 1;
}

/* Looks for the next one whose records are in a cluster, without regard to the turn: for walks over
 * names alone, which are short. False: there is none. */
bool namespace_walk_next_remote(const struct command_context *ctx, struct namespace_walk *walk);

#endif
