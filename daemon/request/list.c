/*
 * list.c - LIST, ALL, SURVEY and DUMP, which walk over the records of a namespace, and NAMESPACES.
 */
#include <stdlib.h>

#include "daemon/request/namespace_walk.h"
#include "daemon/request/remote.h"
#include "daemon/request/survey.h"
#include "daemon/request/verbs.h"

enum {
    /* Between two readings of the clock, LIST and ALL visit so many records (some 50 us), or take
     * so many steps of comparing their keys with a pattern (20 us; see glob_steps). The last key
     * may take as long once more. */
    LISTING_STEP = 128,
    LISTING_COMPARISONS = 1 << 14,
};

struct listing {
    struct reply_queue *replies;
    const struct request *request;
    struct slice ns;
    struct survey *survey;
    const struct glob *glob; /* NULL: everything */
    size_t steps;            /* of comparing one byte with it */
    size_t compared;         /* such steps, of all keys since the clock was read */
    uint64_t now;
};

/* Whether the record is listed. Counts as if its key were compared to the end: that is seldom so,
 * but costs nothing to know. */
static bool is_listed(struct listing *listing, struct slice key)
{
    listing->compared += key.length * listing->steps;
    return listing->glob == NULL || glob_match(listing->glob, key);
}

/* Adds the record as the verb has it. */
static void tell_record(struct listing *listing, struct store_entry *entry)
{
    struct reply_queue *replies = listing->replies;
    struct reply reply = {.kind = REPLY_KEY, .name = entry->key};
    if (listing->request->verb == VERB_LIST) {
        reply_queue_reply(replies, listing->request, &reply);
        return;
    }
    reply.kind = REPLY_RECORD;
    reply.value_length = entry->value_length;
    if (listing->request->verb == VERB_DUMP) {
        reply.kind = REPLY_REQUEST;
        reply.text = listing->ns;
        reply.left = command_left(entry->expires, listing->now);
        reply.client_flags = entry->client_flags;
    }
    if (entry->large == NULL) {
        reply_queue_value_copy(replies, listing->request, &reply, entry->value);
    } else {
        reply_queue_value(replies, listing->request, &reply, entry->large);
        entry->large = NULL;
    }
}

/* A store_visit. It reserves memory beforehand: a view that could not be kept would have to be
 * given back, which is not allowed during a visit. */
static bool list_one(void *context, struct store_entry *entry)
{
    struct listing *listing = context;
    if (listing->compared >= LISTING_COMPARISONS) {
        return false;
    }
    if (!is_listed(listing, entry->key)) {
        return true;
    }
    if (listing->survey != NULL) {
        survey_count(listing->survey, entry, listing->now);
        return true;
    }
    reply_queue_prepare(listing->replies);
    if (reply_queue_is_full(listing->replies)) {
        return false;
    }
    tell_record(listing, entry);
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

/* False: no memory; nothing is held then. */
static bool make_parts(struct command *cmd)
{
    cmd->place.listing.survey = NULL;
    if (!compile(cmd->request.pattern, &cmd->place.listing.glob)) {
        return false;
    }
    if (cmd->request.verb == VERB_SURVEY) {
        cmd->place.listing.survey = survey_create();
        if (cmd->place.listing.survey == NULL) {
            free(cmd->place.listing.glob);
            return false;
        }
    }
    return true;
}

static enum store_status begin_listing(struct command_context *ctx, struct command *cmd,
                                       struct slice ns)
{
    if (!make_parts(cmd)) {
        return STORE_NO_MEMORY;
    }
    enum store_status status = store_cursor_open(ctx->store_thread, ns, &cmd->place.listing.cursor);
    if (status != STORE_OK) {
        cmd->place.listing.cursor = NULL;
        verb_abandon_list(cmd);
        return status;
    }
    if (cmd->request.verb == VERB_LIST || cmd->request.verb == VERB_SURVEY) {
        store_cursor_skip_values(cmd->place.listing.cursor);
    }
    cmd->begun = true;
    return STORE_OK;
}

void verb_abandon_list(struct command *cmd)
{
    store_cursor_close(&cmd->place.listing.cursor);
    free(cmd->place.listing.glob);
    survey_destroy(&cmd->place.listing.survey);
    cmd->begun = false;
}

static void end_listing(struct command_context *ctx, struct command *cmd, struct slice ns)
{
    enum store_status status = store_cursor_status(cmd->place.listing.cursor);
    if (status == STORE_OK && cmd->place.listing.survey != NULL) {
        survey_tell(cmd->place.listing.survey, ctx->replies, &cmd->request);
    }
    verb_abandon_list(cmd);
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
    struct store_cursor *cursor = cmd->place.listing.cursor;
    const struct glob *glob = cmd->place.listing.glob;
    struct listing listing = {.replies = ctx->replies,
                              .request = &cmd->request,
                              .ns = store_cursor_namespace(cursor),
                              .survey = cmd->place.listing.survey,
                              .glob = glob,
                              .steps = glob != NULL ? glob_steps(glob) : 0};
    do {
        listing.compared = 0;
        listing.now = clock_now(); /* ctx->now may be some turns old, and times are told */
        if (store_cursor_step(ctx->store_thread, cursor, listing.now, LISTING_STEP, list_one,
                              &listing)) {
            end_listing(ctx, cmd, ns);
            return OUTCOME_DONE;
        }
        ctx->crowded = store_cursor_is_crowded(cursor);
    } while (!ctx->crowded && !reply_queue_is_full(ctx->replies) && command_has_time(ctx));
    return OUTCOME_LATER;
}

/* --- NAMESPACES --------------------------------------------------------------- */

static void tell_namespace(struct command_context *ctx, const struct request *request,
                           struct slice name, uint64_t records, uint64_t bytes)
{
    reply_queue_reply(
        ctx->replies, request,
        &(struct reply){.kind = REPLY_NAMESPACE, .name = name, .number = records, .bytes = bytes});
}

/* One whose records are in a cluster has its records counted there. */
static enum remote_progress tell_remote(struct command_context *ctx, struct command *cmd,
                                        struct slice name)
{
    uint64_t records = 0;
    enum remote_progress progress = remote_count(ctx, cmd, name, &records);
    if (progress == REMOTE_READY) {
        tell_namespace(ctx, &cmd->request, name, records, 0);
    }
    return progress;
}

/* Tells of the namespace that was found, where the client has a right in it: else it is hidden. */
static enum remote_progress tell_found(struct command_context *ctx, struct command *cmd,
                                       const struct namespace_walk *walk)
{
    if (command_rights(ctx, walk->name) == 0) {
        return REMOTE_READY;
    }
    if (ctx->remote != NULL && store_is_remote(ctx->store_thread, walk->name)) {
        return tell_remote(ctx, cmd, walk->name);
    }
    remote_end(&cmd->remote); /* of this namespace, until a reload has changed its engine */
    tell_namespace(ctx, &cmd->request, walk->name, walk->stats->items, walk->stats->bytes);
    return REMOTE_READY;
}

enum outcome verb_namespaces(struct command_context *ctx, struct command *cmd)
{
    struct store_namespace_stats stats;
    struct namespace_walk walk = {.next = &cmd->place.next, .every = true, .stats = &stats};
    enum walk_step step = WALK_ENDED;
    if (!cmd->begun) {
        cmd->begun = true;
        cmd->place.next = 0;
    }
    while ((step = namespace_walk_next(ctx, &walk)) == WALK_FOUND) {
        enum remote_progress progress = tell_found(ctx, cmd, &walk);
        if (progress != REMOTE_READY) {
            cmd->place.next = namespace_walk_number(&walk); /* the same once more */
            return remote_outcome(progress);
        }
    }
    if (step == WALK_PAUSED) {
        return OUTCOME_LATER;
    }
    reply_queue_status(ctx->replies, &cmd->request, REPLY_END);
    return OUTCOME_DONE;
}
