/*
 * list.c - requests about whole namespaces: LIST, ALL, NAMESPACES, FLUSH.
 */
#include "daemon/request/verbs.h"

#include <stdlib.h>

enum {
    /* Records that LIST and ALL look at before they look at the time, and steps of comparing
     * their keys with a pattern (see glob_steps): some fifty microseconds of the one, and twenty
     * of the other. The last key may take as long once more. */
    LISTING_STEP = 128,
    LISTING_COMPARISONS = 1 << 14,
};

struct listing {
    struct reply_queue *replies;
    const struct request *request;
    const struct glob *glob; /* NULL: everything */
    size_t steps;            /* of comparing one byte with it */
    size_t compared;         /* the same, of all keys since the time was looked at */
    bool with_values;
};

/* Whether the record is listed. Its key counts as compared to its end, which is seldom so, but
 * known without a look. */
static bool is_meant(struct listing *listing, struct slice key)
{
    listing->compared += key.length * listing->steps;
    return listing->glob == NULL || glob_match(listing->glob, key);
}

/* A store_visit. It asks for memory beforehand: a view that could not be kept
 * would have to be given back, which may not be done in here. */
static bool list_one(void *context, struct store_entry *entry)
{
    struct listing *listing = context;
    struct reply_queue *replies = listing->replies;
    if (listing->compared >= LISTING_COMPARISONS) {
        return false;
    }
    if (!is_meant(listing, entry->key)) {
        return true;
    }
    reply_queue_prepare(replies);
    if (reply_queue_is_full(replies)) {
        return false;
    }
    struct reply reply = {.kind = REPLY_KEY, .name = entry->key};
    if (!listing->with_values) {
        reply_queue_reply(replies, listing->request, &reply);
        return true;
    }
    reply.kind = REPLY_RECORD;
    reply.value_length = entry->value_length;
    if (entry->large == NULL) {
        reply_queue_value_copy(replies, listing->request, &reply, entry->value);
    } else {
        reply_queue_value(replies, listing->request, &reply, entry->large);
        entry->large = NULL;
    }
    return true;
}

/* Compiles the pattern, if there is one. False: no memory. */
static bool compile(struct slice pattern, struct glob **glob)
{
    *glob = NULL;
    if (pattern.length == 0) {
        return true;
    }
    void *memory = malloc(glob_size(pattern.length));
    if (memory == NULL) {
        return false;
    }
    *glob = glob_compile(memory, pattern);
    return true;
}

static enum store_status begin_listing(struct command_context *ctx, struct command *cmd,
                                       struct slice ns)
{
    struct glob *glob;
    if (!compile(cmd->request.pattern, &glob)) {
        return STORE_NO_MEMORY;
    }
    enum store_status status = store_cursor_open(ctx->store_thread, ns, &cmd->place.listing.cursor);
    if (status != STORE_OK) {
        free(glob);
        return status;
    }
    if (cmd->request.verb == VERB_LIST) {
        store_cursor_skip_values(cmd->place.listing.cursor);
    }
    cmd->place.listing.glob = glob;
    cmd->begun = true;
    return STORE_OK;
}

static void end_listing(struct command_context *ctx, struct command *cmd, struct slice ns)
{
    enum store_status status = store_cursor_status(cmd->place.listing.cursor);
    command_abandon(cmd);
    if (status == STORE_OK) {
        reply_queue_status(ctx->replies, &cmd->request, REPLY_END);
    } else {
        command_refuse(ctx, &cmd->request, ns, status);
    }
}

enum outcome verb_list(struct command_context *ctx, struct command *cmd)
{
    struct slice ns = command_namespace(ctx, &cmd->request);
    if (!cmd->begun) {
        metrics_add(ctx->metrics, METRIC_CMD_LIST, 1);
        enum store_status status = begin_listing(ctx, cmd, ns);
        if (status != STORE_OK) {
            command_refuse(ctx, &cmd->request, ns, status);
            return OUTCOME_DONE;
        }
    }
    const struct glob *glob = cmd->place.listing.glob;
    struct listing listing = {.replies = ctx->replies,
                              .request = &cmd->request,
                              .glob = glob,
                              .steps = glob != NULL ? glob_steps(glob) : 0,
                              .with_values = cmd->request.verb == VERB_ALL};
    do {
        listing.compared = 0;
        if (store_cursor_step(ctx->store_thread, cmd->place.listing.cursor, ctx->now, LISTING_STEP,
                              list_one, &listing)) {
            end_listing(ctx, cmd, ns);
            return OUTCOME_DONE;
        }
        ctx->crowded = store_cursor_is_crowded(cmd->place.listing.cursor);
    } while (!ctx->crowded && !reply_queue_is_full(ctx->replies) && command_has_time(ctx));
    return OUTCOME_LATER;
}

enum outcome verb_namespaces(struct command_context *ctx, struct command *cmd)
{
    struct store_namespace_stats figures;
    if (!cmd->begun) {
        cmd->begun = true;
        cmd->place.next = 0;
    }
    for (unsigned seen = 1; command_may_see_next(ctx, seen); seen++) {
        if (!store_namespace_next(ctx->store_thread, &cmd->place.next, &figures)) {
            reply_queue_status(ctx->replies, &cmd->request, REPLY_END);
            return OUTCOME_DONE;
        }
        if (authorize_rights(ctx, slice_of(figures.name)) == 0) {
            continue; /* who has no right in it need not know of it */
        }
        reply_queue_reply(ctx->replies, &cmd->request,
                          &(struct reply){.kind = REPLY_NAMESPACE,
                                          .name = slice_of(figures.name),
                                          .number = figures.items,
                                          .bytes = figures.bytes});
    }
    return OUTCOME_LATER;
}

/* --- what a listener reaches -------------------------------------------------- */

bool command_reaches(const struct command_context *ctx, struct slice own, struct slice name,
                     bool declared)
{
    char separator = ctx->endpoint->separator;
    if (slice_equal(own, name)) {
        return true;
    }
    return declared && separator != '\0' && memchr(name.bytes, separator, name.length) == NULL;
}

/* Whether the rights in one that the listener has to reach are there anyway. */
static bool may_behind_endpoint(const struct command_context *ctx, const struct request *request)
{
    return ctx->endpoint->separator == '\0' || authorize_may_everywhere(ctx, request);
}

bool authorize_may_behind_endpoint(struct command_context *ctx, const struct request *request)
{
    struct slice own = command_namespace(ctx, request);
    struct slice name;
    bool declared = false;
    uint32_t next = 0;
    if (may_behind_endpoint(ctx, request)) {
        return true;
    }
    while (store_namespace_walk(ctx->store_thread, &next, &name, &declared)) {
        if (command_reaches(ctx, own, name, declared) && !authorize_may(ctx, request, name)) {
            authorize_refuse_declared(ctx, request); /* which one is not told */
            return false;
        }
    }
    return true;
}

/* --- FLUSH ------------------------------------------------------------------ */

/* Now, or when the request says; what was set for later before is taken back. */
static enum store_status flush_one(struct command_context *ctx, struct flushing *flushing,
                                   struct slice name)
{
    uint64_t held = 0;
    enum store_status status = store_flush_at(ctx->store_thread, name, flushing->when);
    if (flushing->when == 0) {
        status = store_flush(ctx->store_thread, name, ctx->now, &held);
        flushing->records += held;
    }
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static enum outcome answer_flush(struct command_context *ctx, struct command *cmd,
                                 struct slice name, enum store_status status, uint64_t records)
{
    cmd->begun = false;
    if (status == STORE_OK) {
        reply_queue_reply(ctx->replies, &cmd->request,
                          &(struct reply){.kind = REPLY_FLUSHED, .number = records});
    } else {
        command_refuse(ctx, &cmd->request, name, status);
    }
    return OUTCOME_DONE;
}

/* Looks at the namespaces that a endpoint with a separator reaches, for the right to flush them, as
 * far as a turn goes. OUTCOME_DONE: it is missing in one, which was answered. *all: it is there
 * in all. */
static enum outcome check_declared(struct command_context *ctx, struct command *cmd, bool *all)
{
    struct slice own = command_namespace(ctx, &cmd->request);
    struct slice name;
    bool declared = false;
    *all = may_behind_endpoint(ctx, &cmd->request);
    for (unsigned seen = 1; !*all; seen++) {
        if (!command_may_see_next(ctx, seen)) {
            return OUTCOME_LATER;
        }
        *all =
            !store_namespace_walk(ctx->store_thread, &cmd->place.flushing.next, &name, &declared);
        if (!*all && command_reaches(ctx, own, name, declared) &&
            !authorize_may(ctx, &cmd->request, name)) {
            cmd->begun = false;
            authorize_refuse_declared(ctx, &cmd->request); /* without naming it */
            return OUTCOME_DONE;
        }
    }
    return OUTCOME_LATER;
}

/* The right is asked for again: it may be gone since it was checked. */
static enum outcome flush_declared(struct command_context *ctx, struct command *cmd,
                                   struct slice own)
{
    struct flushing *flushing = &cmd->place.flushing;
    enum store_status status = STORE_OK;
    struct slice name = own;
    bool declared = false;
    for (unsigned seen = 1; status == STORE_OK; seen++) {
        if (!command_may_see_next(ctx, seen)) {
            return OUTCOME_LATER;
        }
        if (ctx->endpoint->separator == '\0' ||
            !store_namespace_walk(ctx->store_thread, &flushing->next, &name, &declared)) {
            break;
        }
        if (!slice_equal(name, own) && command_reaches(ctx, own, name, declared) &&
            authorize_may(ctx, &cmd->request, name)) {
            status = flush_one(ctx, flushing, name);
        }
    }
    return answer_flush(ctx, cmd, name, status, flushing->records);
}

/* What a endpoint reaches: its own namespace, and with a separator those that are declared. First
 * all are looked at, and then they are flushed, over as many turns as that takes. */
static enum outcome flush_behind_endpoint(struct command_context *ctx, struct command *cmd)
{
    struct flushing *flushing = &cmd->place.flushing;
    struct slice own = command_namespace(ctx, &cmd->request);
    if (!flushing->checked) {
        enum outcome outcome = check_declared(ctx, cmd, &flushing->checked);
        if (!flushing->checked) {
            return outcome;
        }
        flushing->next = 0;
        enum store_status status = flush_one(ctx, flushing, own);
        if (status != STORE_OK) {
            return answer_flush(ctx, cmd, own, status, 0);
        }
    }
    return flush_declared(ctx, cmd, own);
}

/* On the store's clock; 0: now. */
static uint64_t flush_time(const struct command_context *ctx, struct store_ttl when)
{
    switch (when.kind) {
    case STORE_TTL_FOR:
        return ctx->now + 1 + when.milliseconds; /* `now` was rounded down */
    case STORE_TTL_UNTIL:
        return when.milliseconds;
    default:
        return 0;
    }
}

static void begin_flush(struct command_context *ctx, struct command *cmd)
{
    struct store_ttl when = command_lifetime(cmd->request.ttl);
    metrics_add(ctx->metrics, METRIC_CMD_FLUSH, 1);
    cmd->begun = true;
    cmd->place.flushing = (struct flushing){.when = flush_time(ctx, when)};
}

enum outcome verb_flush(struct command_context *ctx, struct command *cmd)
{
    if (!cmd->begun) {
        begin_flush(ctx, cmd);
    }
    if (cmd->request.ns.length == 0) {
        return flush_behind_endpoint(ctx, cmd);
    }
    uint64_t records = 0;
    struct slice ns = command_namespace(ctx, &cmd->request);
    enum store_status status = store_flush(ctx->store_thread, ns, ctx->now, &records);
    return answer_flush(ctx, cmd, ns, status, records);
}
