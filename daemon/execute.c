/*
 * execute.c - one function for each verb, and a table that finds it.
 *
 * A function here knows what a request means and says what became of it; how
 * that is spelled is the protocol's affair, where records are is the store's.
 */
#include "daemon/execute.h"

#include <stdio.h>

#include "daemon/stats.h"
#include "protocol/glob.h"

enum {
    /* Records that LIST and ALL look at before others have their turn: about a
     * third of a millisecond. */
    LISTING_STEP = 512,
    LISTING_STEPS = 4,
    /* Keys of a long GET or DEL that are located before the first is read. */
    KEYS_AHEAD = 8,
};

/* --- refusals ------------------------------------------------------------- */

/* What a store's refusal is called. Where `after` is not NULL, the namespace's
 * name stands between the two. */
static const struct refusal {
    enum reply_kind kind;
    const char *before, *after;
} refusals[] = {
    [STORE_NOT_A_NUMBER] = {REPLY_CLIENT_ERROR,
                            "the value is not a number from 0 to 18446744073709551615", NULL},
    [STORE_OVERFLOW] = {REPLY_CLIENT_ERROR, "the sum would be above 18446744073709551615", NULL},
    [STORE_TTL_REQUIRED] = {REPLY_CLIENT_ERROR, "namespace \"",
                            "\" wants a ttl with every write, such as 30m"},
    [STORE_UNDECLARED] = {REPLY_CLIENT_ERROR, "namespace \"",
                          "\" is not declared; NAMESPACES lists those that are"},
    [STORE_TOO_MANY_NAMESPACES] = {REPLY_SERVER_ERROR, "too many namespaces to make \"", "\""},
    [STORE_TOO_LARGE] = {REPLY_SERVER_ERROR, "the record is larger than namespace \"",
                         "\" may hold"},
    [STORE_NO_MEMORY] = {REPLY_SERVER_ERROR, "out of memory, and nothing may be evicted", NULL},
};

static void refuse(struct executor *by, struct slice ns, enum store_status status)
{
    const struct refusal *refusal = &refusals[status];
    char text[REQUEST_NAMESPACE_MAX + 128];
    int length = snprintf(text, sizeof text, "%s", refusal->before);
    if (refusal->after != NULL) {
        length = snprintf(text, sizeof text, "%s%.*s%s", refusal->before, (int)ns.length, ns.bytes,
                          refusal->after);
    }
    metrics_add(by->metrics, METRIC_REQUESTS_REFUSED, 1);
    outbox_reply(by->outbox,
                 &(struct reply){.kind = refusal->kind, .text = {text, (size_t)length}});
}

/* For a status that is neither STORE_OK nor a refusal of the whole request. */
static void answer(struct executor *by, struct slice ns, enum store_status status)
{
    if (status == STORE_NOT_FOUND) {
        outbox_say(by->outbox, REPLY_NOT_FOUND);
    } else if (status == STORE_EXISTS) {
        outbox_say(by->outbox, REPLY_EXISTS);
    } else {
        refuse(by, ns, status);
    }
}

/* --- what a request means to the store ------------------------------------ */

struct slice execute_namespace(const struct executor *by, const struct request *request)
{
    bool is_default = request->ns.length == 1 && request->ns.bytes[0] == '-';
    return is_default ? by->default_namespace : request->ns;
}

struct store_ttl execute_ttl(const struct request *request)
{
    static const enum store_ttl_kind kinds[] = {
        [TTL_DEFAULT] = STORE_TTL_DEFAULT,
        [TTL_NEVER] = STORE_TTL_NEVER,
        [TTL_FOR] = STORE_TTL_FOR,
    };
    return (struct store_ttl){kinds[request->ttl_kind], request->ttl};
}

void execute_begin(struct execution *of)
{
    of->begun = false;
    of->located = STORE_OK;
    if (!request_next_key(&of->request.keys, &of->key)) {
        of->key.length = 0;
    }
}

void execute_locate(struct executor *by, struct execution *of)
{
    if (of->key.length > 0) {
        struct slice ns = execute_namespace(by, &of->request);
        of->located = store_locate(by->lane, ns, of->key, &of->at);
    }
}

/* --- records -------------------------------------------------------------- */

/* Locates and fetches the keys that come next; returns how many. */
static size_t look_ahead(struct executor *by, struct execution *of, struct store_key *ahead)
{
    struct slice ns = execute_namespace(by, &of->request);
    struct slice keys = of->request.keys;
    struct slice key;
    size_t count = 0;
    while (count < KEYS_AHEAD && request_next_key(&keys, &key)) {
        of->located = store_locate(by->lane, ns, key, &ahead[count]);
        if (of->located != STORE_OK) {
            break;
        }
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        store_fetch(by->lane, &ahead[i]);
    }
    return count;
}

/* Answers each key in turn with `one`, until there is none left or the peer has
 * to read first. */
static enum outcome each_key(struct executor *by, struct execution *of,
                             void (*one)(struct executor *, const struct store_key *))
{
    struct store_key ahead[KEYS_AHEAD];
    one(by, &of->at);
    while (of->request.keys.length > 0) {
        size_t count = look_ahead(by, of, ahead);
        if (count == 0) {
            refuse(by, execute_namespace(by, &of->request), of->located);
            break;
        }
        for (size_t i = 0; i < count; i++) {
            request_next_key(&of->request.keys, &of->key);
            if (outbox_is_full(by->outbox)) {
                return OUTCOME_LATER;
            }
            one(by, &ahead[i]);
        }
    }
    return OUTCOME_DONE;
}

static void get_one(struct executor *by, const struct store_key *at)
{
    struct store_view view;
    outbox_prepare(by->outbox);
    metrics_add(by->metrics, METRIC_CMD_GET, 1);
    if (store_get(by->lane, at, by->now, &view) != STORE_OK) {
        outbox_say(by->outbox, REPLY_NOT_FOUND);
        return;
    }
    outbox_value(by->outbox, &(struct reply){.kind = REPLY_VALUE, .value_length = view.length},
                 &view);
}

static enum outcome do_get(struct executor *by, struct execution *of)
{
    return each_key(by, of, get_one);
}

static void delete_one(struct executor *by, const struct store_key *at)
{
    bool deleted = store_delete(by->lane, at, by->now) == STORE_OK;
    metrics_add(by->metrics, deleted ? METRIC_DELETE_HITS : METRIC_DELETE_MISSES, 1);
    outbox_say(by->outbox, deleted ? REPLY_DELETED : REPLY_NOT_FOUND);
}

static enum outcome do_delete(struct executor *by, struct execution *of)
{
    return each_key(by, of, delete_one);
}

void execute_stored(struct executor *by, struct slice ns, enum store_status status)
{
    metrics_add(by->metrics, METRIC_CMD_SET, 1);
    if (status == STORE_OK) {
        outbox_say(by->outbox, REPLY_STORED);
    } else {
        answer(by, ns, status);
    }
}

static enum outcome do_put(struct executor *by, struct execution *of)
{
    enum store_mode mode = of->request.verb == VERB_ADD ? STORE_ADD : STORE_SET;
    enum store_status status = store_put(by->lane, &of->at, mode, execute_ttl(&of->request), 0,
                                         of->request.value, by->now);
    execute_stored(by, of->at.name, status);
    return OUTCOME_DONE;
}

static enum outcome do_ttl(struct executor *by, struct execution *of)
{
    uint64_t left;
    enum store_status status = store_ttl_left(by->lane, &of->at, by->now, &left);
    if (status != STORE_OK) {
        answer(by, of->at.name, status);
    } else if (left == STORE_NEVER) {
        outbox_say(by->outbox, REPLY_TTL_NEVER);
    } else {
        outbox_reply(by->outbox, &(struct reply){.kind = REPLY_TTL, .number = left});
    }
    return OUTCOME_DONE;
}

static enum outcome do_touch(struct executor *by, struct execution *of)
{
    enum store_status status = store_touch(by->lane, &of->at, execute_ttl(&of->request), by->now);
    metrics_add(by->metrics, METRIC_CMD_TOUCH, 1);
    if (status == STORE_OK) {
        metrics_add(by->metrics, METRIC_TOUCH_HITS, 1);
        outbox_say(by->outbox, REPLY_TOUCHED);
        return OUTCOME_DONE;
    }
    if (status == STORE_NOT_FOUND) {
        metrics_add(by->metrics, METRIC_TOUCH_MISSES, 1);
    }
    answer(by, of->at.name, status);
    return OUTCOME_DONE;
}

static enum outcome do_add_number(struct executor *by, struct execution *of)
{
    bool subtract = of->request.verb == VERB_DECR;
    uint64_t result;
    enum store_status status =
        store_add_number(by->lane, &of->at, of->request.number, subtract, by->now, &result);
    if (status == STORE_OK) {
        metrics_add(by->metrics, subtract ? METRIC_DECR_HITS : METRIC_INCR_HITS, 1);
        outbox_reply(by->outbox, &(struct reply){.kind = REPLY_NUMBER, .number = result});
        return OUTCOME_DONE;
    }
    if (status == STORE_NOT_FOUND) {
        metrics_add(by->metrics, subtract ? METRIC_DECR_MISSES : METRIC_INCR_MISSES, 1);
    }
    answer(by, of->at.name, status);
    return OUTCOME_DONE;
}

/* --- namespaces ----------------------------------------------------------- */

struct listing {
    struct outbox *outbox;
    struct slice pattern;
    bool with_values;
};

/* A store_visit. It asks for memory beforehand: a view that could not be kept
 * would have to be given back, which may not be done in here. */
static bool list_one(void *context, struct store_entry *entry)
{
    struct listing *listing = context;
    struct outbox *outbox = listing->outbox;
    if (listing->pattern.length > 0 && !glob_match(listing->pattern, entry->key)) {
        return true;
    }
    outbox_prepare(outbox);
    if (outbox_is_full(outbox)) {
        return false;
    }
    struct reply reply = {.kind = REPLY_KEY, .name = entry->key};
    if (!listing->with_values) {
        outbox_reply(outbox, &reply);
        return true;
    }
    reply.kind = REPLY_RECORD;
    reply.value_length = entry->value_length;
    if (entry->large == NULL) {
        outbox_value_copy(outbox, &reply, entry->value);
    } else {
        outbox_value(outbox, &reply, entry->large);
        entry->large = NULL;
    }
    return true;
}

static enum outcome do_list(struct executor *by, struct execution *of)
{
    struct slice ns = execute_namespace(by, &of->request);
    if (!of->begun) {
        metrics_add(by->metrics, METRIC_CMD_LIST, 1);
        enum store_status status = store_cursor_open(by->lane, ns, &of->place.cursor);
        if (status != STORE_OK) {
            refuse(by, ns, status);
            return OUTCOME_DONE;
        }
        of->begun = true;
    }
    struct listing listing = {by->outbox, of->request.pattern, of->request.verb == VERB_ALL};
    for (int step = 0; step < LISTING_STEPS && !outbox_is_full(by->outbox); step++) {
        if (store_cursor_step(by->lane, of->place.cursor, by->now, LISTING_STEP, list_one,
                              &listing)) {
            execute_abandon(of);
            outbox_say(by->outbox, REPLY_END);
            return OUTCOME_DONE;
        }
    }
    return OUTCOME_LATER;
}

static enum outcome do_flush(struct executor *by, struct execution *of)
{
    struct slice ns = execute_namespace(by, &of->request);
    uint64_t records = 0;
    metrics_add(by->metrics, METRIC_CMD_FLUSH, 1);
    enum store_status status = store_flush(by->lane, ns, by->now, &records);
    if (status != STORE_OK) {
        refuse(by, ns, status);
    } else {
        outbox_reply(by->outbox, &(struct reply){.kind = REPLY_FLUSHED, .number = records});
    }
    return OUTCOME_DONE;
}

static enum outcome do_namespaces(struct executor *by, struct execution *of)
{
    struct store_namespace_figures figures;
    if (!of->begun) {
        of->begun = true;
        of->place.next = 0;
    }
    while (!outbox_is_full(by->outbox)) {
        if (!store_namespace_next(by->lane, &of->place.next, &figures)) {
            outbox_say(by->outbox, REPLY_END);
            return OUTCOME_DONE;
        }
        outbox_reply(by->outbox, &(struct reply){.kind = REPLY_NAMESPACE,
                                                 .name = slice_of(figures.name),
                                                 .number = figures.items,
                                                 .bytes = figures.bytes});
    }
    return OUTCOME_LATER;
}

static enum outcome do_stats(struct executor *by, struct execution *of)
{
    if (of->request.ns.length == 0) {
        stats_daemon(by);
        outbox_say(by->outbox, REPLY_END);
        return OUTCOME_DONE;
    }
    struct slice ns = execute_namespace(by, &of->request);
    enum store_status status = stats_namespace(by, ns);
    if (status == STORE_OK) {
        outbox_say(by->outbox, REPLY_END);
    } else {
        answer(by, ns, status);
    }
    return OUTCOME_DONE;
}

/* --- the rest ------------------------------------------------------------- */

static enum outcome do_ping(struct executor *by, struct execution *of)
{
    (void)of;
    outbox_say(by->outbox, REPLY_PONG);
    return OUTCOME_DONE;
}

static enum outcome do_version(struct executor *by, struct execution *of)
{
    (void)of;
    outbox_reply(by->outbox,
                 &(struct reply){.kind = REPLY_VERSION, .text = slice_of(by->facts->version)});
    return OUTCOME_DONE;
}

static enum outcome do_help(struct executor *by, struct execution *of)
{
    (void)of;
    outbox_text(by->outbox, native_help());
    outbox_say(by->outbox, REPLY_END);
    return OUTCOME_DONE;
}

static enum outcome do_quit(struct executor *by, struct execution *of)
{
    (void)by;
    (void)of;
    return OUTCOME_QUIT;
}

/* --- the table ------------------------------------------------------------ */

typedef enum outcome executes(struct executor *, struct execution *);

static executes *const verbs[] = {
    [VERB_PUT] = do_put,         [VERB_ADD] = do_put,         [VERB_GET] = do_get,
    [VERB_DEL] = do_delete,      [VERB_TTL] = do_ttl,         [VERB_TOUCH] = do_touch,
    [VERB_INCR] = do_add_number, [VERB_DECR] = do_add_number, [VERB_LIST] = do_list,
    [VERB_ALL] = do_list,        [VERB_FLUSH] = do_flush,     [VERB_NAMESPACES] = do_namespaces,
    [VERB_STATS] = do_stats,     [VERB_PING] = do_ping,       [VERB_VERSION] = do_version,
    [VERB_HELP] = do_help,       [VERB_QUIT] = do_quit,
};

enum outcome execute(struct executor *by, struct execution *of)
{
    if (of->key.length > 0) {
        if (of->located == STORE_OK && of->at.ns == NULL) {
            execute_locate(by, of); /* a request before this one may have made it */
        }
        if (of->located != STORE_OK) {
            refuse(by, execute_namespace(by, &of->request), of->located);
            return OUTCOME_DONE;
        }
    }
    return verbs[of->request.verb](by, of);
}

void execute_abandon(struct execution *of)
{
    bool lists = of->request.verb == VERB_LIST || of->request.verb == VERB_ALL;
    if (of->begun && lists) {
        store_cursor_close(&of->place.cursor);
    }
    of->begun = false;
}
