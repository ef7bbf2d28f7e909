/*
 * stats_detail.c - figures namespace by namespace, for those who ask memcached for
 * its slab classes and prefixes: a namespace is what comes closest to both. It is
 * numbered as the store does it; names and meanings are memcached's as far as
 * there is anything that they can mean.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/execute_verbs.h"
#include "daemon/stats.h"

struct detail {
    struct executor *by;
    const struct request *request;
    const char *prefix; /* of every name: "items:" or "" */
    uint32_t number;    /* of the namespace */
};

static const char *name_of(const struct detail *detail, const char *what, char name[64])
{
    snprintf(name, 64, "%s%" PRIu32 ":%s", detail->prefix, detail->number, what);
    return name;
}

static void say(const struct detail *detail, const char *what, uint64_t value)
{
    char name[64];
    stats_number(detail->by, detail->request, name_of(detail, what, name), value);
}

static void say_name(const struct detail *detail, const char *value)
{
    char name[64];
    stats_text(detail->by, detail->request, name_of(detail, "namespace", name), value);
}

static void items(struct detail *detail, const struct store_namespace_figures *figures)
{
    detail->prefix = "items:";
    say_name(detail, figures->name);
    say(detail, "number", figures->items);
    say(detail, "mem_requested", figures->bytes);
    say(detail, "evicted", figures->counters.evictions);
    say(detail, "reclaimed", figures->counters.expirations);
}

static void slabs(struct detail *detail, const struct store_namespace_figures *figures)
{
    detail->prefix = "";
    say_name(detail, figures->name);
    say(detail, "used_chunks", figures->items);
    say(detail, "mem_requested", figures->bytes);
    say(detail, "total_malloced", figures->memory);
    say(detail, "get_hits", figures->counters.hits);
    say(detail, "cmd_set", figures->counters.sets);
    say(detail, "delete_hits", figures->counters.deletes);
    say(detail, "touch_hits", figures->counters.touches);
}

static void reads_and_writes(struct detail *detail, const struct store_namespace_figures *figures)
{
    const struct store_counters *counters = &figures->counters;
    char text[128];
    int length = snprintf(
        text, sizeof text, "get %" PRIu64 " hit %" PRIu64 " set %" PRIu64 " del %" PRIu64,
        counters->hits + counters->misses, counters->hits, counters->sets, counters->deletes);
    outbox_reply(detail->by->outbox, detail->request,
                 &(struct reply){.kind = REPLY_DETAIL,
                                 .name = slice_of(figures->name),
                                 .text = {text, (size_t)length}});
}

static void totals_of_slabs(struct executor *by, const struct request *request)
{
    struct store_figures figures;
    store_figures(by->lane, &figures);
    stats_number(by, request, "active_slabs", figures.namespaces);
    stats_number(by, request, "total_malloced", figures.memory_used);
}

static bool is_reached(const struct executor *by, struct slice own,
                       const struct store_namespace_figures *figures)
{
    return slice_equal(own, slice_of(figures->name)) ||
           (figures->declared && by->door->separator != '\0');
}

typedef void describes(struct detail *, const struct store_namespace_figures *);

enum outcome stats_by_namespace(struct executor *by, struct execution *of)
{
    static describes *const topics[] = {
        [STATS_ITEMS] = items, [STATS_SLABS] = slabs, [STATS_NAMESPACES] = reads_and_writes};
    const struct request *request = &of->request;
    struct slice own = execute_namespace(by, request);
    struct store_namespace_figures figures;
    if (!of->begun) {
        of->begun = true;
        of->place.next = 0;
    }
    for (unsigned seen = 1; execute_may_see_next(by, seen); seen++) {
        if (!store_namespace_next(by->lane, &of->place.next, &figures)) {
            if (request->topic == STATS_SLABS) {
                totals_of_slabs(by, request);
            }
            outbox_say(by->outbox, request, REPLY_END);
            return OUTCOME_DONE;
        }
        if (is_reached(by, own, &figures)) {
            struct detail detail = {by, request, "", of->place.next - 1};
            topics[request->topic](&detail, &figures);
        }
    }
    return OUTCOME_LATER;
}
