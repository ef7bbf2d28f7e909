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
    if (of->request.verb == VERB_LIST) {
        store_cursor_skip_values(of->place.listing.cursor);
    }
    of->place.listing.glob = glob;
    of->begun = true;
    return STORE_OK;
}

static void end_listing(struct executor *by, struct execution *of, struct slice ns)
{
    enum store_status status = store_cursor_status(of->place.listing.cursor);
    execute_abandon(of);
    if (status == STORE_OK) {
        outbox_say(by->outbox, &of->request, REPLY_END);
    } else {
        execute_refuse(by, &of->request, ns, status);
    }
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
            end_listing(by, of, ns);
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

/* --- what a listener reaches -------------------------------------------------- */

bool execute_reaches(const struct executor *by, struct slice own, struct slice name, bool declared)
{
    char separator = by->endpoint->separator;
    if (slice_equal(own, name)) {
        return true;
    }
    return declared && separator != '\0' && memchr(name.bytes, separator, name.length) == NULL;
}

/* Whether the rights in one that the listener has to reach are there anyway. */
static bool may_behind_endpoint(const struct executor *by, const struct request *request)
{
    return by->endpoint->separator == '\0' || execute_may_everywhere(by, request);
}

bool execute_may_behind_endpoint(struct executor *by, const struct request *request)
{
    struct slice own = execute_namespace(by, request);
    struct slice name;
    bool declared = false;
    uint32_t next = 0;
    if (may_behind_endpoint(by, request)) {
        return true;
    }
    while (store_namespace_walk(by->lane, &next, &name, &declared)) {
        if (execute_reaches(by, own, name, declared) && !execute_may(by, request, name)) {
            execute_refuse_declared(by, request); /* which one is not told */
            return false;
        }
    }
    return true;
}

/* --- FLUSH ------------------------------------------------------------------ */

/* Now, or when the request says; what was set for later before is taken back. */
static enum store_status flush_one(struct executor *by, struct flushing *flushing,
                                   struct slice name)
{
    uint64_t held = 0;
    enum store_status status = store_flush_at(by->lane, name, flushing->when);
    if (flushing->when == 0) {
        status = store_flush(by->lane, name, by->now, &held);
        flushing->records += held;
    }
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static enum outcome answer_flush(struct executor *by, struct execution *of, struct slice name,
                                 enum store_status status, uint64_t records)
{
    of->begun = false;
    if (status == STORE_OK) {
        outbox_reply(by->outbox, &of->request,
                     &(struct reply){.kind = REPLY_FLUSHED, .number = records});
    } else {
        execute_refuse(by, &of->request, name, status);
    }
    return OUTCOME_DONE;
}

/* Looks at the namespaces that a endpoint with a separator reaches, for the right to flush them, as
 * far as a turn goes. OUTCOME_DONE: it is missing in one, which was answered. *all: it is there
 * in all. */
static enum outcome check_declared(struct executor *by, struct execution *of, bool *all)
{
    struct slice own = execute_namespace(by, &of->request);
    struct slice name;
    bool declared = false;
    *all = may_behind_endpoint(by, &of->request);
    for (unsigned seen = 1; !*all; seen++) {
        if (!execute_may_see_next(by, seen)) {
            return OUTCOME_LATER;
        }
        *all = !store_namespace_walk(by->lane, &of->place.flushing.next, &name, &declared);
        if (!*all && execute_reaches(by, own, name, declared) &&
            !execute_may(by, &of->request, name)) {
            of->begun = false;
            execute_refuse_declared(by, &of->request); /* without naming it */
            return OUTCOME_DONE;
        }
    }
    return OUTCOME_LATER;
}

/* The right is asked for again: it may be gone since it was checked. */
static enum outcome flush_declared(struct executor *by, struct execution *of, struct slice own)
{
    struct flushing *flushing = &of->place.flushing;
    enum store_status status = STORE_OK;
    struct slice name = own;
    bool declared = false;
    for (unsigned seen = 1; status == STORE_OK; seen++) {
        if (!execute_may_see_next(by, seen)) {
            return OUTCOME_LATER;
        }
        if (by->endpoint->separator == '\0' ||
            !store_namespace_walk(by->lane, &flushing->next, &name, &declared)) {
            break;
        }
        if (!slice_equal(name, own) && execute_reaches(by, own, name, declared) &&
            execute_may(by, &of->request, name)) {
            status = flush_one(by, flushing, name);
        }
    }
    return answer_flush(by, of, name, status, flushing->records);
}

/* What a endpoint reaches: its own namespace, and with a separator those that are declared. First
 * all are looked at, and then they are flushed, over as many turns as that takes. */
static enum outcome flush_behind_endpoint(struct executor *by, struct execution *of)
{
    struct flushing *flushing = &of->place.flushing;
    struct slice own = execute_namespace(by, &of->request);
    if (!flushing->checked) {
        enum outcome outcome = check_declared(by, of, &flushing->checked);
        if (!flushing->checked) {
            return outcome;
        }
        flushing->next = 0;
        enum store_status status = flush_one(by, flushing, own);
        if (status != STORE_OK) {
            return answer_flush(by, of, own, status, 0);
        }
    }
    return flush_declared(by, of, own);
}

/* On the store's clock; 0: now. */
static uint64_t flush_time(const struct executor *by, struct store_ttl when)
{
    switch (when.kind) {
    case STORE_TTL_FOR:
        return by->now + 1 + when.milliseconds; /* `now` was rounded down */
    case STORE_TTL_UNTIL:
        return when.milliseconds;
    default:
        return 0;
    }
}

static void begin_flush(struct executor *by, struct execution *of)
{
    struct store_ttl when = execute_lifetime(of->request.ttl);
    metrics_add(by->metrics, METRIC_CMD_FLUSH, 1);
    of->begun = true;
    of->place.flushing = (struct flushing){.when = flush_time(by, when)};
}

enum outcome execute_flush(struct executor *by, struct execution *of)
{
    if (!of->begun) {
        begin_flush(by, of);
    }
    if (of->request.ns.length == 0) {
        return flush_behind_endpoint(by, of);
    }
    uint64_t records = 0;
    struct slice ns = execute_namespace(by, &of->request);
    enum store_status status = store_flush(by->lane, ns, by->now, &records);
    return answer_flush(by, of, ns, status, records);
}
