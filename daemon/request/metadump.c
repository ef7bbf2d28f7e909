/*
 * metadump.c - METADUMP: all records that an endpoint reaches, namespace by namespace.
 *
 * It walks as LIST does, in steps of a bounded number of records, and the answer is sent as it is
 * made. So neither the length of a turn nor memory depends on how many records there are.
 *
 * It holds the records that the endpoint's clients could ask for, under the keys that they would
 * use. Left out are keys that are too long for a request, and keys of the endpoint's own namespace
 * that begin with another namespace's name: a request would be about that other one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/request/authorize.h"
#include "daemon/request/namespace_walk.h"
#include "daemon/request/remote.h"
#include "daemon/request/stats_lines.h"
#include "daemon/request/verbs.h"
#include "protocol/token.h"

enum {
    METADUMP_STEP = 128,     /* records of a namespace between two readings of the clock */
    METADUMP_STEPS = 16,     /* shorter namespaces between two readings of the clock */
    METADUMP_KEY_MAX = 1024, /* bytes of a key with what stands before it */
    ITEM_WORDS = 64,         /* bytes of a line of METADUMP_ITEMS without its key, at most */
    ITEMS_MAX = 2 << 20,     /* bytes of all of them */
    SIZE_UNIT = 32,          /* bytes: the resolution of METADUMP_SIZES */
    SIZES_EXACT = 2048,      /* units up to which every size is counted by itself */
    SIZES_OF_DOUBLING = 64   /* counted above that, from a size to its double */
};
enum { SIZES_MAX = SIZES_EXACT + 16 * SIZES_OF_DOUBLING };

struct metadump {
    struct store_cursor *cursor; /* of the namespace that is being walked; NULL: between two */
    uint32_t next;               /* number from which namespaces are still to be walked */
    uint32_t last;               /* the highest that is asked for */
    bool checked;                /* the rights are there */
    bool walked;                 /* there are none left, or the answer is long enough */
    bool failed;                 /* the answer has ended with an error */
    bool is_own;                 /* the one that is being walked is the endpoint's */
    uint8_t prefix_length;
    char prefix[STORE_NAMESPACE_MAX + 1]; /* what its keys begin with */
    uint64_t records;                     /* in the answer so far */
    uint64_t bytes;                       /* of their lines, at most */
    int64_t wall_ahead;  /* milliseconds from the store's clock to the wall clock */
    unsigned sizes_sent; /* of `sizes` */
    uint64_t sizes[];    /* METADUMP_SIZES: records by their size */
};

/* --- sizes ------------------------------------------------------------------------ */

/* Up to SIZES_EXACT units there is a place for each size; above, a place is as wide as 1/64 of the
 * power of two below it. */
static unsigned size_place(uint64_t bytes)
{
    uint64_t units = (bytes + SIZE_UNIT - 1) / SIZE_UNIT;
    if (units < SIZES_EXACT) {
        return (unsigned)units;
    }
    unsigned doublings = (unsigned)(63 - __builtin_clzll(units / SIZES_EXACT));
    uint64_t width = (uint64_t)(SIZES_EXACT / SIZES_OF_DOUBLING) << doublings;
    uint64_t within = (units + width - 1) / width - SIZES_OF_DOUBLING;
    uint64_t place = SIZES_EXACT + (uint64_t)doublings * SIZES_OF_DOUBLING + within;
    return place < SIZES_MAX ? (unsigned)place : SIZES_MAX - 1;
}

/* The largest size of a place. */
static uint64_t size_of_place(unsigned place)
{
    if (place < SIZES_EXACT) {
        return (uint64_t)place * SIZE_UNIT;
    }
    unsigned doublings = (place - SIZES_EXACT) / SIZES_OF_DOUBLING;
    uint64_t within = (place - SIZES_EXACT) % SIZES_OF_DOUBLING;
    uint64_t width = (uint64_t)(SIZES_EXACT / SIZES_OF_DOUBLING) << doublings;
    return (SIZES_OF_DOUBLING + within) * width * SIZE_UNIT;
}

/* False: the reply queue is full. */
static bool send_sizes(struct command_context *ctx, const struct request *request,
                       struct metadump *dump)
{
    for (; dump->sizes_sent < SIZES_MAX && !reply_queue_is_full(ctx->replies); dump->sizes_sent++) {
        unsigned place = dump->sizes_sent;
        if (dump->sizes[place] > 0) {
            char name[24];
            snprintf(name, sizeof name, "%" PRIu64, size_of_place(place));
            stats_number(ctx, request, name, dump->sizes[place]);
        }
    }
    return dump->sizes_sent == SIZES_MAX;
}

/* --- records ---------------------------------------------------------------------- */

struct visit {
    struct command_context *ctx;
    const struct request *request;
    struct metadump *dump;
};

static uint64_t wall_seconds(const struct metadump *dump, uint64_t time, uint64_t rounds)
{
    return (uint64_t)((int64_t)(time + rounds) + dump->wall_ahead) / 1000;
}

/* Makes the key that the endpoint's clients use, in `room` if need be. False: they cannot ask for
 * the record. */
static bool key_of_clients(const struct visit *visit, struct slice *key,
                           char room[METADUMP_KEY_MAX])
{
    const struct metadump *dump = visit->dump;
    size_t length = dump->prefix_length + key->length;
    struct slice name;
    struct slice rest = *key;
    if (length > visit->ctx->replies->protocol->key_max || length > METADUMP_KEY_MAX) {
        return false;
    }
    if (dump->is_own) {
        return !command_split_key(visit->ctx, &name, &rest);
    }
    memcpy(room, dump->prefix, dump->prefix_length);
    memcpy(room + dump->prefix_length, key->bytes, key->length);
    *key = (struct slice){room, length};
    return true;
}

static bool is_text(struct slice key)
{
    const char *end = key.bytes + key.length;
    return token_span(key.bytes, end, TOKEN_KEY) == end;
}

/* Whether there is no room for a line with that key. */
static bool is_complete(const struct visit *visit, struct slice key)
{
    const struct metadump *dump = visit->dump;
    uint64_t most = visit->request->number;
    return (most != 0 && dump->records == most) ||
           dump->bytes + key.length + ITEM_WORDS > ITEMS_MAX;
}

/* A store_visit; see list_one in list.c. */
static bool metadump_one(void *context, struct store_entry *entry)
{
    struct visit *visit = context;
    struct metadump *dump = visit->dump;
    struct reply_queue *replies = visit->ctx->replies;
    enum metadump_form form = visit->request->metadump;
    char room[METADUMP_KEY_MAX];
    struct slice key = entry->key;
    if (form == METADUMP_SIZES) {
        dump->sizes[size_place(entry->size)]++;
        return true;
    }
    if (!key_of_clients(visit, &key, room) || (form == METADUMP_ITEMS && !is_text(key))) {
        return true;
    }
    if (form == METADUMP_ITEMS && is_complete(visit, key)) {
        dump->walked = true;
        return false;
    }
    reply_queue_prepare(replies);
    if (reply_queue_is_full(replies)) {
        return false;
    }
    uint64_t now = visit->ctx->now;
    reply_queue_reply(replies, visit->request,
                      &(struct reply){.kind = REPLY_ENTRY,
                                      .name = key,
                                      .number = dump->next - 1,
                                      .bytes = entry->size,
                                      .value_length = entry->value_length,
                                      .client_flags = entry->client_flags,
                                      .notes = entry->read_before ? REPLY_READ_BEFORE : 0,
                                      .version = entry->version,
                                      .left = entry->expires == STORE_NEVER
                                                  ? REPLY_NEVER
                                                  : wall_seconds(dump, entry->expires, 500),
                                      .idle = wall_seconds(dump, now - entry->idle, 0)});
    dump->records++;
    dump->bytes += key.length + ITEM_WORDS;
    return true;
}

/* --- namespaces ------------------------------------------------------------------- */

/* Takes the next number off a list with commas between. False: there is none left. */
static bool next_number(struct slice *list, uint32_t *number)
{
    const char *comma = memchr(list->bytes, ',', list->length);
    size_t length = comma == NULL ? list->length : (size_t)(comma - list->bytes);
    uint64_t read = 0;
    if (!token_number((struct slice){list->bytes, length}, &read)) {
        return false;
    }
    size_t taken = comma == NULL ? length : length + 1;
    *number = read < UINT32_MAX ? (uint32_t)read : UINT32_MAX;
    list->bytes += taken;
    list->length -= taken;
    return true;
}

static bool is_asked_for(const struct request *request, uint32_t number)
{
    struct slice list = request->pattern;
    uint32_t asked = 0;
    bool found = list.length == 0;
    while (!found && list.length > 0 && next_number(&list, &asked)) {
        found = asked == number;
    }
    return found;
}

/* Namespaces below the lowest number asked for and above the highest are not looked at. */
static void set_range(const struct request *request, struct metadump *dump)
{
    struct slice list = request->pattern;
    uint32_t number = 0;
    bool all = list.length == 0;
    dump->next = all ? 0 : UINT32_MAX;
    dump->last = all ? UINT32_MAX : 0;
    while (list.length > 0 && next_number(&list, &number)) {
        dump->next = number < dump->next ? number : dump->next;
        dump->last = number > dump->last ? number : dump->last;
    }
}

static void set_prefix(const struct command_context *ctx, struct metadump *dump, struct slice name)
{
    dump->prefix_length = 0;
    if (!dump->is_own) {
        memcpy(dump->prefix, name.bytes, name.length);
        dump->prefix[name.length] = ctx->endpoint->separator;
        dump->prefix_length = (uint8_t)(name.length + 1);
    }
}

/* Begins to walk a namespace. False: that was answered with an error. */
static bool enter(struct command_context *ctx, const struct request *request, struct metadump *dump,
                  struct slice name)
{
    if (!authorize_request(ctx, request, name)) {
        return false;
    }
    enum store_status status = store_cursor_open(ctx->store_thread, name, &dump->cursor);
    if (status == STORE_NO_MEMORY) {
        command_refuse(ctx, request, name, status);
        return false;
    }
    if (status == STORE_OK) { /* else it was removed just now */
        dump->is_own = slice_equal(name, command_namespace(ctx, request));
        set_prefix(ctx, dump, name);
        store_cursor_skip_values(dump->cursor);
        if (request->metadump == METADUMP_DETAILS) {
            store_cursor_want_notes(dump->cursor);
        }
    }
    return true;
}

/* Looks for the next namespace that is to be walked. False: the turn is over. */
static bool enter_next(struct command_context *ctx, const struct request *request,
                       struct metadump *dump, struct namespace_walk *walk)
{
    if (dump->next > dump->last) {
        dump->walked = true;
        return true;
    }
    switch (namespace_walk_next(ctx, walk)) {
    case WALK_PAUSED:
        return false;
    case WALK_ENDED:
        dump->walked = true;
        break;
    case WALK_FOUND:
        if (is_asked_for(request, namespace_walk_number(walk))) {
            dump->failed = !enter(ctx, request, dump, walk->name);
        }
        break;
    }
    return true;
}

/* Whether the namespace has ended, or the answer. */
static bool walk_on(struct command_context *ctx, const struct request *request,
                    struct metadump *dump)
{
    struct visit visit = {ctx, request, dump};
    if (!store_cursor_step(ctx->store_thread, dump->cursor, ctx->now, METADUMP_STEP, metadump_one,
                           &visit) &&
        !dump->walked) {
        return false;
    }
    store_cursor_close(&dump->cursor);
    return true;
}

/* --- the request ------------------------------------------------------------------- */

static bool begin(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    size_t sizes = request->metadump == METADUMP_SIZES ? SIZES_MAX : 0;
    struct metadump *dump = calloc(1, sizeof *dump + sizes * sizeof dump->sizes[0]);
    if (dump == NULL) {
        command_refuse(ctx, request, command_namespace(ctx, request), STORE_NO_MEMORY);
        return false;
    }
    cmd->place.metadump = dump;
    cmd->begun = true;
    return true;
}

void verb_abandon_metadump(struct command *cmd)
{
    store_cursor_close(&cmd->place.metadump->cursor);
    free(cmd->place.metadump);
    cmd->begun = false;
}

/* Whether none of the namespaces that are asked for has its records in a cluster, of which there is
 * no such answer. Names alone are looked at, so that takes one turn. */
static bool check_engines(struct command_context *ctx, const struct request *request)
{
    struct namespace_walk walk = {.next = &(uint32_t){0}, .own = command_namespace(ctx, request)};
    while (namespace_walk_next_remote(ctx, &walk)) {
        if (is_asked_for(request, namespace_walk_number(&walk))) {
            remote_refuse_verb(ctx, request, walk.name);
            return false;
        }
    }
    return true;
}

/* Whether the client has the rights in all namespaces that the endpoint reaches; then the answer
 * begins. If not, dump->failed says whether that was answered or takes longer. */
static bool check(struct command_context *ctx, const struct request *request, struct metadump *dump)
{
    enum walk_step step = authorize_reached(ctx, request, &dump->next);
    dump->failed = step == WALK_FOUND || (step == WALK_ENDED && !check_engines(ctx, request));
    dump->checked = step == WALK_ENDED && !dump->failed;
    if (dump->checked) {
        metrics_add(ctx->metrics, METRIC_CMD_LIST, 1);
        set_range(request, dump);
        if (request->metadump == METADUMP_DETAILS || request->metadump == METADUMP_REQUESTS) {
            reply_queue_status(ctx->replies, request, REPLY_OK);
        }
    }
    return dump->checked;
}

/* Walks over the namespaces for one turn. False: that takes longer, or has failed. */
static bool walk_all(struct command_context *ctx, const struct request *request,
                     struct metadump *dump)
{
    struct namespace_walk walk = {.next = &dump->next, .own = command_namespace(ctx, request)};
    for (unsigned steps = 1; !dump->walked; steps++) {
        bool is_long = steps % METADUMP_STEPS == 0;
        if (dump->cursor != NULL) {
            is_long |= !walk_on(ctx, request, dump);
        } else if (!enter_next(ctx, request, dump, &walk) || dump->failed) {
            return false;
        }
        if (reply_queue_is_full(ctx->replies) || (is_long && !command_has_time(ctx))) {
            return false;
        }
    }
    return true;
}

enum outcome verb_metadump(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    if (!cmd->begun && !begin(ctx, cmd)) {
        return OUTCOME_DONE;
    }
    struct metadump *dump = cmd->place.metadump;
    dump->wall_ahead = (int64_t)clock_wall() - (int64_t)clock_now();
    bool done = (dump->checked || check(ctx, request, dump)) && walk_all(ctx, request, dump);
    if (done && request->metadump == METADUMP_SIZES) {
        done = send_sizes(ctx, request, dump);
    }
    if (!done && !dump->failed) {
        return OUTCOME_LATER;
    }
    verb_abandon_metadump(cmd);
    if (done) { /* else the answer has ended with an error */
        reply_queue_status(ctx->replies, request, REPLY_END);
    }
    return OUTCOME_DONE;
}
