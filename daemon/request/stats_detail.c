/*
 * stats_detail.c - STATS of each namespace, for clients that ask memcached for its slab classes and
 * prefixes: a namespace is what comes closest to both.
 *
 * Namespaces have the store's numbers. Names and meanings are memcached's as far as they apply.
 * Programs that know a name expect a number, so none is left out.
 */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/request/namespace_walk.h"
#include "daemon/request/stats_lines.h"
#include "daemon/request/verbs.h"

struct detail {
    struct command_context *ctx;
    const struct request *request;
    const char *prefix; /* "items:" or "", before every name */
    uint32_t number;    /* of the namespace */
    struct store_stats totals;
};

static const char *name_of(const struct detail *detail, const char *what, char name[64])
{
    snprintf(name, 64, "%s%" PRIu32 ":%s", detail->prefix, detail->number, what);
    return name;
}

static void add(const struct detail *detail, const char *what, uint64_t value)
{
    char name[64];
    stats_number(detail->ctx, detail->request, name_of(detail, what, name), value);
}

/* Of namespaces that are not empty, since a client may ask for the items of each. */
static void items(struct detail *detail, const struct store_namespace_stats *stats)
{
    detail->prefix = "items:";
    if (stats->items == 0) {
        return;
    }
    add(detail, "number", stats->items);
    add(detail, "mem_requested", stats->bytes);
    add(detail, "evicted", stats->counters.evictions);
    add(detail, "reclaimed", stats->counters.expirations);
    add(detail, "outofmemory", stats->counters.full);
}

/* A page is a segment, and a chunk is as large as the mean record. */
static void chunks(struct detail *detail, const struct store_namespace_stats *stats)
{
    uint64_t page = detail->totals.segment_size;
    uint64_t used = stats->items;
    uint64_t size = used == 0 ? detail->totals.grain : (stats->bytes + used - 1) / used;
    uint64_t all = stats->memory / size > used ? stats->memory / size : used;
    add(detail, "chunk_size", size);
    add(detail, "chunks_per_page", page > size ? page / size : 1);
    add(detail, "total_pages", (stats->memory + page - 1) / page);
    add(detail, "total_chunks", all);
    add(detail, "used_chunks", used);
    add(detail, "free_chunks", all - used);
    add(detail, "free_chunks_end", 0);
}

static void slabs(struct detail *detail, const struct store_namespace_stats *stats)
{
    const struct store_counters *counters = &stats->counters;
    chunks(detail, stats);
    add(detail, "mem_requested", stats->bytes);
    add(detail, "get_hits", counters->hits);
    add(detail, "cmd_set", counters->sets + counters->denied);
    add(detail, "delete_hits", counters->deletes);
    add(detail, "incr_hits", counters->increments);
    add(detail, "decr_hits", counters->decrements);
    add(detail, "cas_hits", counters->cas_hits);
    add(detail, "cas_badval", counters->cas_changed);
    add(detail, "touch_hits", counters->touches);
}

static void numbers(struct detail *detail, const struct store_namespace_stats *stats)
{
    char name[64];
    stats_text(detail->ctx, detail->request, name_of(detail, "name", name), stats->name);
}

static void reads_and_writes(struct detail *detail, const struct store_namespace_stats *stats)
{
    const struct store_counters *counters = &stats->counters;
    char text[128];
    int length = snprintf(
        text, sizeof text, "get %" PRIu64 " hit %" PRIu64 " set %" PRIu64 " del %" PRIu64,
        counters->hits + counters->misses, counters->hits, counters->sets, counters->deletes);
    reply_queue_reply(detail->ctx->replies, detail->request,
                      &(struct reply){.kind = REPLY_DETAIL,
                                      .name = slice_of(stats->name),
                                      .text = {text, (size_t)length}});
}

static void totals_of_slabs(struct command_context *ctx, const struct request *request,
                            const struct store_stats *totals)
{
    stats_number(ctx, request, "active_slabs", totals->namespaces);
    stats_number(ctx, request, "total_malloced", totals->memory_used);
}

typedef void stats_topic(struct detail *, const struct store_namespace_stats *);

enum outcome stats_detail(struct command_context *ctx, struct command *cmd)
{
    static stats_topic *const topics[] = {
        [STATS_ITEMS] = items,
        [STATS_SLABS] = slabs,
        [STATS_NAMESPACES] = reads_and_writes,
        [STATS_NUMBERS] = numbers,
    };
    const struct request *request = &cmd->request;
    struct store_namespace_stats stats;
    struct namespace_walk walk = {
        .next = &cmd->place.next, .own = command_namespace(ctx, request), .stats = &stats};
    struct detail detail = {.ctx = ctx, .request = request, .prefix = ""};
    enum walk_step step = WALK_ENDED;
    store_stats(ctx->store_thread, &detail.totals);
    if (!cmd->begun) {
        cmd->begun = true;
        cmd->place.next = 0;
    }
    while ((step = namespace_walk_next(ctx, &walk)) == WALK_FOUND) {
        detail.number = namespace_walk_number(&walk);
        topics[request->topic](&detail, &stats);
    }
    if (step == WALK_PAUSED) {
        return OUTCOME_LATER;
    }
    if (request->topic == STATS_SLABS) {
        totals_of_slabs(ctx, request, &detail.totals);
    }
    reply_queue_status(ctx->replies, request, REPLY_END);
    return OUTCOME_DONE;
}
