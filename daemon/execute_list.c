/*
 * execute_list.c - requests about whole namespaces: LIST, ALL, NAMESPACES, FLUSH.
 */
#include "daemon/execute_verbs.h"

#include <stdlib.h>

enum {
    /* Records that LIST and ALL look at before they look at the time, and steps of comparing
     * their keys with a pattern (see glob_steps): some fifty microseconds of the one, and twenty
     * of the other. The last key may take as long once more. */
    LISTING_STEP = 128,
    LISTING_COMPARISONS = 1 << 14,
};

struct listing {
    struct outbox *outbox;
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
    struct outbox *outbox = listing->outbox;
    if (listing->compared >= LISTING_COMPARISONS) {
        return false;
    }
    if (!is_meant(listing, entry->key)) {
        return true;
    }
    outbox_prepare(outbox);
    if (outbox_is_full(outbox)) {
        return false;
    }
    struct reply reply = {.kind = REPLY_KEY, .name = entry->key};
    if (!listing->with_values) {
        outbox_reply(outbox, listing->request, &reply);
        return true;
    }
    reply.kind = REPLY_RECORD;
    reply.value_length = entry->value_length;
    if (entry->large == NULL) {
        outbox_value_copy(outbox, listing->request, &reply, entry->value);
    } else {
        outbox_value(outbox, listing->request, &reply, entry->large);
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

static enum store_status begin_listing(struct executor *by, struct execution *of, struct slice ns)
{
    struct glob *glob;
    if (!compile(of->request.pattern, &glob)) {
        return STORE_NO_MEMORY;
    }
    enum store_status status = store_cursor_open(by->lane, ns, &of->place.listing.cursor);
    if (status != STORE_OK) {
        free(glob);
        return status;
    }
    of->place.listing.glob = glob;
    of->begun = true;
    return STORE_OK;
}

enum outcome execute_list(struct executor *by, struct execution *of)
{
    struct slice ns = execute_namespace(by, &of->request);
    if (!of->begun) {
        metrics_add(by->metrics, METRIC_CMD_LIST, 1);
        enum store_status status = begin_listing(by, of, ns);
        if (status != STORE_OK) {
            execute_refuse(by, &of->request, ns, status);
            return OUTCOME_DONE;
        }
    }
    const struct glob *glob = of->place.listing.glob;
    struct listing listing = {.outbox = by->outbox,
                              .request = &of->request,
                              .glob = glob,
                              .steps = glob != NULL ? glob_steps(glob) : 0,
                              .with_values = of->request.verb == VERB_ALL};
    do {
        listing.compared = 0;
        if (store_cursor_step(by->lane, of->place.listing.cursor, by->now, LISTING_STEP, list_one,
                              &listing)) {
            execute_abandon(of);
            outbox_say(by->outbox, &of->request, REPLY_END);
            return OUTCOME_DONE;
        }
        by->crowded = store_cursor_is_crowded(of->place.listing.cursor);
    } while (!by->crowded && !outbox_is_full(by->outbox) && executor_has_time(by));
    return OUTCOME_LATER;
}

enum outcome execute_namespaces(struct executor *by, struct execution *of)
{
    struct store_namespace_figures figures;
    if (!of->begun) {
        of->begun = true;
        of->place.next = 0;
    }
    for (unsigned seen = 1; execute_may_see_next(by, seen); seen++) {
        if (!store_namespace_next(by->lane, &of->place.next, &figures)) {
            outbox_say(by->outbox, &of->request, REPLY_END);
            return OUTCOME_DONE;
        }
        if (execute_rights(by, slice_of(figures.name)) == 0) {
            continue; /* who has no right in it need not know of it */
        }
        outbox_reply(by->outbox, &of->request,
                     &(struct reply){.kind = REPLY_NAMESPACE,
                                     .name = slice_of(figures.name),
                                     .number = figures.items,
                                     .bytes = figures.bytes});
    }
    return OUTCOME_LATER;
}

/* --- FLUSH ------------------------------------------------------------------ */

/* Now, or when the request says. */
static enum store_status flush_one(struct executor *by, const struct request *request,
                                   struct slice name, uint64_t *records)
{
    struct store_ttl when = execute_lifetime(request->ttl);
    if (when.kind == STORE_TTL_FOR) {
        return store_flush_at(by->lane, name, by->now + when.milliseconds);
    }
    uint64_t held = 0;
    enum store_status status = store_flush(by->lane, name, by->now, &held);
    *records += held;
    return status;
}

/* Whether who asks may flush all that a door with a separator reaches. */
static bool may_flush_behind_door(struct executor *by, const struct request *request)
{
    struct store_namespace_figures figures;
    uint32_t next = 0;
    while (by->door->separator != '\0' && store_namespace_next(by->lane, &next, &figures)) {
        if (figures.declared && !execute_may(by, request, slice_of(figures.name))) {
            execute_refuse_declared(by, request); /* which one is nobody's business */
            return false;
        }
    }
    return true;
}

/* What a door reaches: its own namespace, and with a separator those that are
 * declared. A flush that was to come is taken back by one that comes now. */
static enum store_status flush_behind_door(struct executor *by, const struct request *request,
                                           uint64_t *records)
{
    struct slice own = execute_namespace(by, request);
    struct store_namespace_figures figures;
    uint32_t next = 0;
    store_flush_at(by->lane, own, 0);
    enum store_status status = flush_one(by, request, own, records);
    while (status == STORE_OK && by->door->separator != '\0' &&
           store_namespace_next(by->lane, &next, &figures)) {
        struct slice name = slice_of(figures.name);
        if (figures.declared && !slice_equal(name, own)) {
            store_flush_at(by->lane, name, 0);
            status = flush_one(by, request, name, records);
        }
    }
    return status;
}

enum outcome execute_flush(struct executor *by, struct execution *of)
{
    const struct request *request = &of->request;
    struct slice ns = execute_namespace(by, request);
    uint64_t records = 0;
    metrics_add(by->metrics, METRIC_CMD_FLUSH, 1);
    if (request->ns.length == 0 && !may_flush_behind_door(by, request)) {
        return OUTCOME_DONE;
    }
    enum store_status status = request->ns.length == 0
                                   ? flush_behind_door(by, request, &records)
                                   : store_flush(by->lane, ns, by->now, &records);
    if (status == STORE_OK || status == STORE_NOT_FOUND) {
        outbox_reply(by->outbox, request,
                     &(struct reply){.kind = REPLY_FLUSHED, .number = records});
    } else {
        execute_refuse(by, request, ns, status);
    }
    return OUTCOME_DONE;
}
