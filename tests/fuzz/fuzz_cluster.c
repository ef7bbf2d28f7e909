/*
 * fuzz_cluster.c - what a node of a cluster may send, which is anything. The first byte says in
 * which pieces it comes. The same replies must come out of pieces as out of the whole. Each is then
 * taken for what a node says of the topology, and for a redirection: nothing but nodes that there
 * are may own a slot afterwards.
 */
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon/base/metrics.h"
#include "daemon/base/thread.h"
#include "daemon/cluster/reply.h"
#include "daemon/cluster/resp.h"
#include "daemon/cluster/topology.h"
#include "daemon/cluster/verdict.h"

enum { REPLY_MAX = 1 << 16, REPLIES_MAX = 256 };

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* --- replies ---------------------------------------------------------------- */

struct replies {
    struct cluster_reply *of[REPLIES_MAX];
    size_t count;
    bool broken;
};

static void read_replies(struct replies *replies, const char *bytes, size_t length, size_t part)
{
    struct resp_reader *reader = resp_reader_create(REPLY_MAX);
    must(reader != NULL);
    *replies = (struct replies){.count = 0};
    for (size_t at = 0; at < length && !replies->broken; at += part) {
        enum resp_status status = RESP_BROKEN;
        struct cluster_reply *reply;
        size_t now = part < length - at ? part : length - at;
        if (resp_reader_feed(reader, (struct slice){bytes + at, now})) {
            while ((status = resp_reader_next(reader, &reply)) == RESP_REPLY) {
                if (replies->count < REPLIES_MAX) {
                    replies->of[replies->count++] = reply;
                } else {
                    reply_free(&reply);
                }
            }
        }
        replies->broken = status == RESP_BROKEN;
    }
    resp_reader_destroy(&reader);
}

static void free_replies(struct replies *replies)
{
    for (size_t i = 0; i < replies->count; i++) {
        reply_free(&replies->of[i]);
    }
}

static void must_be_the_same(const struct cluster_reply *a, const struct cluster_reply *b)
{
    must(a->type == b->type && a->integer == b->integer && slice_equal(a->text, b->text));
    must(a->text.bytes == NULL || a->text.bytes[a->text.length] == '\0');
    must(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        must_be_the_same(a->elements[i], b->elements[i]);
    }
}

/* --- topology --------------------------------------------------------------- */

/* Links begin to connect when the event loop runs, which it never does here. */
static void nothing(void *context)
{
    (void)context;
}

static void no_link(void *context, struct link *link)
{
    (void)context;
    (void)link;
}

static void must_hold_together(const struct topology *topology)
{
    unsigned owned = 0;
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        unsigned owner = topology->owners[slot];
        if (owner != TOPOLOGY_NO_NODE) {
            must(topology_node(topology, owner) != NULL && topology_owner(topology, slot)->owns);
            owned++;
        }
    }
    must(owned == topology->slots_owned);
}

static void believe(struct topology *topology, const struct cluster_reply *reply)
{
    struct redirection to;
    const struct link *from = topology->nodes[0]->link;
    enum verdict verdict = verdict_of(reply, &to);
    if (verdict == VERDICT_MOVED || verdict == VERDICT_ASK) {
        unsigned number = topology_find(topology, to.host, to.port, from);
        must(to.slot < CLUSTER_SLOTS && to.port > 0);
        if (number != TOPOLOGY_NO_NODE && verdict == VERDICT_MOVED) {
            topology_moved(topology, to.slot, number);
        } else if (number != TOPOLOGY_NO_NODE) {
            topology_moves(topology, to.slot, number);
        }
    } else {
        topology_apply(topology, reply, from);
    }
    must_hold_together(topology);
}

static void believe_all(const struct replies *replies)
{
    static struct event_base *base;
    static struct metrics metrics;
    static struct topology topology;
    static const char *const nodes[] = {"127.0.0.1:6379"};
    struct links links;
    base = base == NULL ? thread_base(0) : base;
    struct links_options options = {
        .base = base,
        .metrics = &metrics,
        .deadline = 250,
        .reply_max = REPLY_MAX,
        .listener = {.ready = no_link, .broke = no_link, .round = nothing},
    };
    must(links_init(&links, &options));
    must(topology_init(&topology, &links, nodes, 1,
                       &(struct topology_listener){.changed = nothing}));
    for (size_t i = 0; i < replies->count; i++) {
        believe(&topology, replies->of[i]);
    }
    topology_deinit(&topology);
    links_deinit(&links);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct replies whole, parts;
    if (length < 2) {
        return 0;
    }
    read_replies(&whole, (const char *)bytes + 1, length - 1, length);
    read_replies(&parts, (const char *)bytes + 1, length - 1, 1 + (size_t)bytes[0] % 32);
    must(whole.count == parts.count && whole.broken == parts.broken);
    for (size_t i = 0; i < whole.count; i++) {
        must_be_the_same(whole.of[i], parts.of[i]);
    }
    believe_all(&parts);
    free_replies(&whole);
    free_replies(&parts);
    return 0;
}
