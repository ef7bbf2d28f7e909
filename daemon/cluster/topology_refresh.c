/*
 * topology_refresh.c - asks CLUSTER SLOTS; see topology_refresh.h.
 */
#include "daemon/cluster/topology_refresh.h"

#include <event2/event.h>
#include <stddef.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/thread.h"
#include "daemon/cluster/reply.h"

enum {
    REFRESH_AT_ONCE = 10,  /* ms, while a node is doubted */
    REFRESH_SOON = 100,    /* ms between two questions at least, and while a master is gone */
    REFRESH_OFTEN = 500,   /* ms, while a master has no replica, and others have */
    REFRESH_SELDOM = 3000, /* ms, while all is well */
};

/* --- when --------------------------------------------------------------------- */

static void wake_in(struct topology *topology, uint64_t ms)
{
    struct timeval in = thread_timeval(ms);
    topology->wakes = clock_now() + ms;
    event_add(&topology->timer, &in);
}

static bool is_well(const struct topology *topology)
{
    if (topology->told == 0 || topology->slots_owned < CLUSTER_SLOTS) {
        return false;
    }
    for (unsigned i = 0; i < topology->node_end; i++) {
        const struct node *node = topology->nodes[i];
        if (node != NULL && node->owns && node->gone_since != 0) {
            return false;
        }
    }
    return true;
}

static bool has_ready_replica(const struct topology *topology, const struct node *node)
{
    for (unsigned i = 0; i < node->replica_count; i++) {
        const struct node *replica = topology_node(topology, node->replicas[i]);
        if (replica != NULL && replica->gone_since == 0) {
            return true;
        }
    }
    return false;
}

/* Whether each master has a replica that is ready, or none has: then the cluster has no replicas.
 */
static bool has_spares(const struct topology *topology)
{
    unsigned with = 0, without = 0;
    for (unsigned i = 0; i < topology->node_end; i++) {
        const struct node *node = topology->nodes[i];
        if (node != NULL && node->owns) {
            bool has_one = has_ready_replica(topology, node);
            with += has_one;
            without += !has_one;
        }
    }
    return with == 0 || without == 0;
}

static bool is_doubted(const struct node *node)
{
    return node->gone_since == 0 && node->doubt != NODE_TRUSTED;
}

static bool any_doubted(const struct topology *topology)
{
    for (unsigned i = 0; i < topology->node_end; i++) {
        if (topology->nodes[i] != NULL && is_doubted(topology->nodes[i])) {
            return true;
        }
    }
    return false;
}

static void answered(struct topology *topology)
{
    topology->asking = false;
    wake_in(topology, any_doubted(topology)  ? REFRESH_AT_ONCE
                      : !is_well(topology)   ? REFRESH_SOON
                      : has_spares(topology) ? REFRESH_SELDOM
                                             : REFRESH_OFTEN);
}

/* --- asking ------------------------------------------------------------------- */

static struct topology *of_request(struct link_request *request)
{
    return (struct topology *)((char *)request - offsetof(struct topology, request));
}

static void warn_of(const struct link *link, const struct cluster_reply *reply)
{
    static struct log_limit limit = LOG_LIMIT("nodes that do not tell the slots");
    if (log_admits(&limit, LOG_WARNING)) {
        log_warning("cluster: node %s does not tell who owns which slot: %.*s", link_name(link),
                    (int)(reply->text.length < 100 ? reply->text.length : 100), reply->text.bytes);
    }
}

static bool on_replied(struct link *link, struct link_request *request, struct cluster_reply *reply)
{
    struct topology *topology = of_request(request);
    bool good = true;
    if (reply->type == CLUSTER_ERROR) {
        warn_of(link, reply);
    } else {
        good = topology_apply(topology, reply, link);
    }
    reply_free(&reply);
    answered(topology);
    topology->listener.changed(topology->listener.context);
    return good;
}

static void on_lost(struct link *link, struct link_request *request, bool sent)
{
    (void)link;
    (void)sent;
    answered(of_request(request));
}

static const struct link_request_ops ops = {.replied = on_replied, .lost = on_lost};

/* Each of those that are ready in turn: a single one may be cut off from the others. NULL: none
 * is, or with `trusted` none that is not doubted. */
static struct node *next_ready(struct topology *topology, uint64_t now, bool trusted)
{
    for (unsigned i = 1; i <= topology->node_end; i++) {
        unsigned number = (topology->asked + i) % topology->node_end;
        struct node *node = topology->nodes[number];
        if (node != NULL && node->link != NULL && link_is_ready(node->link, now) &&
            !(trusted && is_doubted(node))) {
            topology->asked = number;
            return node;
        }
    }
    return NULL;
}

static struct node *choose_node(struct topology *topology)
{
    uint64_t now = clock_now();
    struct node *node = next_ready(topology, now, true);
    return node != NULL ? node : next_ready(topology, now, false);
}

static void ask_about_doubted(struct topology *topology)
{
    for (unsigned i = 0; i < topology->node_end; i++) {
        if (topology->nodes[i] != NULL && is_doubted(topology->nodes[i])) {
            topology->nodes[i]->doubt = NODE_ASKED_ABOUT;
        }
    }
}

static void ask(struct topology *topology)
{
    static const char command[] = "*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";
    struct node *node = choose_node(topology);
    if (node == NULL) {
        wake_in(topology, REFRESH_SOON);
        return;
    }
    topology->request = (struct link_request){
        .ops = &ops,
        .pieces = {{(char *)command, sizeof command - 1}},
        .count = 1,
        .replies = 1,
    };
    topology->asking = true;
    ask_about_doubted(topology);
    link_send(node->link, &topology->request);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct topology *topology = context;
    (void)fd;
    (void)what;
    topology_tidy(topology);
    if (!topology->asking) {
        ask(topology);
    }
}

void topology_refresh_begin(struct topology *topology)
{
    event_assign(&topology->timer, topology->links->options.base, -1, 0, on_timer, topology);
    wake_in(topology, REFRESH_SOON);
}

void topology_refresh_end(struct topology *topology)
{
    if (event_initialized(&topology->timer)) {
        event_del(&topology->timer);
    }
}

void topology_refresh(struct topology *topology)
{
    uint64_t now = clock_now();
    uint64_t at = topology->told == 0 ? now : topology->told + REFRESH_SOON;
    at = at < now ? now : at;
    if (!topology->asking && topology->wakes > at) {
        wake_in(topology, at - now);
    }
}

/* --- what links tell ------------------------------------------------------------ */

static bool any_other_ready(const struct topology *topology, const struct node *node)
{
    for (unsigned i = 0; i < topology->node_end; i++) {
        const struct node *other = topology->nodes[i];
        if (other != NULL && other != node && other->gone_since == 0) {
            return true;
        }
    }
    return false;
}

void topology_ready(struct topology *topology, struct link *link)
{
    struct node *node = link_owner(link);
    node->gone_since = 0;
    if (!any_other_ready(topology, node)) {
        node->doubt = NODE_TRUSTED;
    }
    if (is_doubted(node) && !topology->asking) {
        wake_in(topology, 0);
    }
    if (topology->told == 0 || topology->slots_owned < CLUSTER_SLOTS) {
        topology_refresh(topology);
    }
}

void topology_broke(struct topology *topology, struct link *link)
{
    struct node *node = link_owner(link);
    node->gone_since = clock_now();
    if (node->owns || node->doubt != NODE_TRUSTED) {
        node->doubt = NODE_DOUBTED;
    }
    topology_refresh(topology);
}
