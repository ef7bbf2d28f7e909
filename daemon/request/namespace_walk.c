/*
 * namespace_walk.c - see namespace_walk.h.
 */
#include "daemon/request/namespace_walk.h"

/* Whether the turn goes on. The clock is read once in a few dozen namespaces. */
static bool goes_on(const struct command_context *ctx, struct namespace_walk *walk)
{
    enum { TIMED = 32 };
    walk->seen++;
    return !reply_queue_is_full(ctx->replies) && (walk->seen % TIMED != 0 || command_has_time(ctx));
}

/* False: there are no more. */
static bool step(const struct command_context *ctx, struct namespace_walk *walk, bool *declared)
{
    if (walk->stats == NULL) {
        return store_namespace_walk(ctx->store_thread, walk->next, &walk->name, declared);
    }
    if (!store_namespace_next(ctx->store_thread, walk->next, walk->stats)) {
        return false;
    }
    walk->name = slice_of(walk->stats->name);
    *declared = walk->stats->declared;
    return true;
}

static bool is_reached(const struct command_context *ctx, const struct namespace_walk *walk,
                       bool declared)
{
    char separator = ctx->endpoint->separator;
    if (walk->every || slice_equal(walk->own, walk->name)) {
        return true;
    }
    return declared && separator != '\0' &&
           memchr(walk->name.bytes, separator, walk->name.length) == NULL;
}

enum walk_step namespace_walk_next(const struct command_context *ctx, struct namespace_walk *walk)
{
    bool declared = false;
    while (goes_on(ctx, walk)) {
        if (!step(ctx, walk, &declared)) {
            return WALK_ENDED;
        }
        if (is_reached(ctx, walk, declared)) {
            return WALK_FOUND;
        }
    }
    return WALK_PAUSED;
}

bool namespace_walk_next_remote(const struct command_context *ctx, struct namespace_walk *walk)
{
    bool declared = false;
    while (ctx->remote != NULL && step(ctx, walk, &declared)) {
        if (is_reached(ctx, walk, declared) && store_is_remote(ctx->store_thread, walk->name)) {
            return true;
        }
    }
    return false;
}
