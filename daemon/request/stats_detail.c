/*
 * stats_detail.c - figures namespace by namespace, for those who ask memcached for
 * its slab classes and prefixes: a namespace is what comes closest to both. It is
 * numbered as the store does it; names and meanings are memcached's as far as
 * there is anything that they can mean. Programs that know the names want numbers behind them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/request/namespace_walk.h"
#include "daemon/request/stats_lines.h"
#include "daemon/request/verbs.h"

struct detail {
    struct command_context *ctx;
    const struct request *request;
    const char *prefix; /* of every name: "items:" or "" */
    uint32_t number;    /* of the namespace */
    struct store_stats totals;
};

static const char *name_of(const struct detail *detail, const char *what, char name[64])
{
    snprintf(name, 64, "%s%" PRIu32 ":%s", detail->prefix, detail->number, what);
    return name;
}

static void say(const struct detail *detail, const char *what, uint64_t value)
{
    char name[64];
    stats_number(detail->ctx, detail->request, name_of(detail, what, name), value);
}

/* Of those that hold something, since a client may ask for the items of each. */
static void items(struct detail *detail, const struct store_namespace_stats *figures)
{
    detail->prefix = "items:";
    if (figures->items == 0) {
        return;
    }
    say(detail, "number", figures->items);
    say(detail, "mem_requested", figures->bytes);
    say(detail, "evicted", figures->counters.evictions);
    say(detail, "reclaimed", figures->counters.expirations);
    say(detail, "outofmemory", figures->counters.full);
}

/* A page is a segment, and a chunk what a record takes in the mean. */
static void chunks(struct detail *detail, const struct store_namespace_stats *figures)
{
    uint64_t page = detail->totals.segment_size;
    uint64_t used = figures->items;
    uint64_t size = used == 0 ? detail->totals.grain : (figures->bytes + used - 1) / used;
    uint64_t all = figures->memory / size > used ? figures->memory / size : used;
    say(detail, "chunk_size", size);
    say(detail, "chunks_per_page", page > size ? page / size : 1);
    say(detail, "total_pages", (figures->memory + page - 1) / page);
    say(detail, "total_chunks", all);
    say(detail, "used_chunks", used);
    say(detail, "free_chunks", all - used);
    say(detail, "free_chunks_end", 0);
}

static void slabs(struct detail *detail, const struct store_namespace_stats *figures)
{
    const struct store_counters *counters = &figures->counters;
    chunks(detail, figures);
    say(detail, "mem_requested", figures->bytes);
    say(detail, "get_hits", counters->hits);
    say(detail, "cmd_set", counters->sets + counters->denied);
    say(detail, "delete_hits", counters->deletes);
    say(detail, "incr_hits", counters->increments);
    say(detail, "decr_hits", counters->decrements);
    say(detail, "cas_hits", counters->cas_hits);
    say(detail, "cas_badval", counters->cas_changed);
    say(detail, "touch_hits", counters->touches);
}

static void numbers(struct detail *detail, const struct store_namespace_stats *figures)
{
    char name[64];
    stats_text(detail->ctx, detail->request, name_of(detail, "name", name), figures->name);
}

static void reads_and_writes(struct detail *detail, const struct store_namespace_stats *figures)
{
    const struct store_counters *counters = &figures->counters;
    char text[128];
    int length = snprintf(
        text, sizeof text, "get %" PRIu64 " hit %" PRIu64 " set %" PRIu64 " del %" PRIu64,
        counters->hits + counters->misses, counters->hits, counters->sets, counters->deletes);
    reply_queue_reply(detail->ctx->replies, detail->request,
                      &(struct reply){.kind = REPLY_DETAIL,
                                      .name = slice_of(figures->name),
                                      .text = {text, (size_t)length}});
}

static void totals_of_slabs(struct command_context *ctx, const struct request *request,
                            const struct store_stats *totals)
{
    stats_number(ctx, request, "active_slabs", totals->namespaces);
    stats_number(ctx, request, "total_malloced", totals->memory_used);
}

typedef void describes(struct detail *, const struct store_namespace_stats *);

enum outcome stats_detail(struct command_context *ctx, struct command *cmd)
{
    static describes *const topics[] = {
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
