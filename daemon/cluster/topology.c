/*
 * topology.c - nodes and slots, as the cluster has told them; topology_refresh.c asks for them.
 */
#include "daemon/cluster/topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"

enum { NAMED_MS = 60000 /* for which a node stays that was named last so long ago */ };

/* --- nodes ------------------------------------------------------------------ */

struct node *topology_node(const struct topology *topology, unsigned number)
{
    return number < topology->node_end ? topology->nodes[number] : NULL;
}

static unsigned number_at(const struct topology *topology, struct slice host, uint16_t port)
{
    for (unsigned i = 0; i < topology->node_end; i++) {
        const struct node *node = topology->nodes[i];
        if (node != NULL && node->port == port && slice_equal(slice_of(node->host), host)) {
            return i;
        }
    }
    return TOPOLOGY_NO_NODE;
}

static unsigned free_number(const struct topology *topology)
{
    for (unsigned i = 0; i < topology->node_end; i++) {
        if (topology->nodes[i] == NULL) {
            return i;
        }
    }
    return topology->node_end < TOPOLOGY_NODES_MAX ? topology->node_end : TOPOLOGY_NO_NODE;
}

static unsigned add_node(struct topology *topology, struct slice host, uint16_t port)
{
    unsigned number = free_number(topology);
    struct node *node = number == TOPOLOGY_NO_NODE ? NULL : calloc(1, sizeof *node);
    if (node == NULL) {
        return TOPOLOGY_NO_NODE;
    }
    node->host = strndup(host.bytes, host.length);
    node->port = port;
    node->gone_since = clock_now();
    if (node->host == NULL) {
        free(node);
        return TOPOLOGY_NO_NODE;
    }
    topology->nodes[number] = node;
    topology->node_end += number == topology->node_end;
    return number;
}

/* Makes its link, if it has none. */
static bool need(struct topology *topology, struct node *node)
{
    if (node->link == NULL) {
        node->link = link_create(topology->links, node->host, node->port, node);
    }
    return node->link != NULL;
}

unsigned topology_find(struct topology *topology, struct slice host, uint16_t port,
                       const struct link *from)
{
    host = host.length == 0 ? slice_of(link_host(from)) : host;
    unsigned number = number_at(topology, host, port);
    if (number == TOPOLOGY_NO_NODE) {
        number = add_node(topology, host, port);
    }
    if (number == TOPOLOGY_NO_NODE || !need(topology, topology->nodes[number])) {
        return TOPOLOGY_NO_NODE;
    }
    topology->nodes[number]->named = clock_now();
    return number;
}

/* No slot may lead to a number that another node gets. */
static void remove_node(struct topology *topology, unsigned number)
{
    struct node *node = topology->nodes[number];
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        if (topology->owners[slot] == number) {
            topology->owners[slot] = TOPOLOGY_NO_NODE;
            topology->slots_owned--;
        }
        if (topology->importers[slot] == number) {
            topology->importers[slot] = TOPOLOGY_NO_NODE;
        }
    }
    topology->nodes[number] = NULL;
    link_destroy(&node->link);
    free(node->host);
    free(node);
}

static bool any_listed_ready(const struct topology *topology)
{
    for (unsigned i = 0; i < topology->node_end; i++) {
        const struct node *node = topology->nodes[i];
        if (node != NULL && node->listed && node->gone_since == 0) {
            return true;
        }
    }
    return false;
}

/* A node that owns no slot yet is not told of: a redirection alone names it. */
static bool is_needed(const struct topology *topology, unsigned number, uint64_t now)
{
    if (now - topology->nodes[number]->named < NAMED_MS) {
        return true;
    }
    for (unsigned slot = 0; slot < CLUSTER_SLOTS; slot++) {
        if (topology->owners[slot] == number) {
            return true;
        }
    }
    return false;
}

void topology_tidy(struct topology *topology)
{
    bool well = any_listed_ready(topology);
    uint64_t now = clock_now();
    for (unsigned i = 0; i < topology->node_end; i++) {
        struct node *node = topology->nodes[i];
        if (node == NULL || node->listed) {
            continue;
        }
        if (node->configured && !well) {
            need(topology, node);
        } else if (node->link != NULL && well && link_is_idle(node->link) &&
                   !is_needed(topology, i, now)) {
            if (node->configured) {
                link_destroy(&node->link);
                node->gone_since = now;
            } else {
                remove_node(topology, i);
            }
        }
    }
}

/* --- slots ------------------------------------------------------------------ */

struct node *topology_owner(const struct topology *topology, unsigned slot)
{
    return topology_node(topology, topology->owners[slot]);
}

struct node *topology_replica(struct topology *topology, struct node *node, uint64_t now)
{
    for (unsigned i = 0; i < node->replica_count; i++) {
        unsigned at = (node->next_replica + i) % node->replica_count;
        struct node *replica = topology_node(topology, node->replicas[at]);
        if (replica != NULL && replica->link != NULL && link_is_ready(replica->link, now)) {
            node->next_replica = (unsigned char)((at + 1) % node->replica_count);
            return replica;
        }
    }
    return NULL;
}

void topology_moved(struct topology *topology, unsigned slot, unsigned number)
{
    topology->slots_owned += topology->owners[slot] == TOPOLOGY_NO_NODE;
    topology->owners[slot] = (uint16_t)number;
    topology->importers[slot] = TOPOLOGY_NO_NODE;
    topology->nodes[number]->owns = true;
    if (topology->nodes[number]->replica) {
        topology->nodes[number]->replica = false;
        link_set_replica(topology->nodes[number]->link, false);
    }
}

void topology_moves(struct topology *topology, unsigned slot, unsigned number)
{
    topology->importers[slot] = (uint16_t)number;
}

unsigned topology_importer(const struct topology *topology, unsigned slot)
{
    return topology->importers[slot];
}

/* --- a view of the cluster ---------------------------------------------------- */

static void forget_roles(struct topology *topology)
{
    for (unsigned i = 0; i < topology->node_end; i++) {
        struct node *node = topology->nodes[i];
        if (node != NULL) {
            node->listed = node->owns = node->replica = false;
            node->replica_count = 0;
        }
    }
    memset(topology->owners, 0xff, sizeof topology->owners);
    topology->slots_owned = 0;
}

static void add_replica(struct topology *topology, struct node *master, unsigned number)
{
    struct node *replica = topology_node(topology, number);
    if (replica == NULL || replica == master) {
        return;
    }
    replica->listed = replica->replica = true;
    for (unsigned i = 0; i < master->replica_count; i++) {
        if (master->replicas[i] == number) {
            return;
        }
    }
    if (master->replica_count < SLOTS_REPLICAS_MAX) {
        master->replicas[master->replica_count++] = (uint16_t)number;
    }
}

static void apply_range(struct topology *topology, const struct slots_range *range,
                        const struct link *from)
{
    unsigned number = range->master.port == 0
                          ? TOPOLOGY_NO_NODE
                          : topology_find(topology, range->master.host, range->master.port, from);
    struct node *master = topology_node(topology, number);
    if (master == NULL) {
        return;
    }
    master->listed = master->owns = true;
    for (unsigned slot = range->first; slot <= range->last; slot++) {
        topology->slots_owned += topology->owners[slot] == TOPOLOGY_NO_NODE;
        topology->owners[slot] = (uint16_t)number;
    }
    for (size_t i = 0; i < range->replica_count; i++) {
        add_replica(
            topology, master,
            topology_find(topology, range->replicas[i].host, range->replicas[i].port, from));
    }
}

static void set_roles(struct topology *topology)
{
    for (unsigned i = 0; i < topology->node_end; i++) {
        struct node *node = topology->nodes[i];
        if (node != NULL && node->link != NULL) {
            node->replica = node->replica && !node->owns;
            link_set_replica(node->link, node->replica);
        }
    }
}

/* What was told now is the answer for the nodes that it was asked about. */
static void end_doubts(struct topology *topology)
{
    for (unsigned i = 0; i < topology->node_end; i++) {
        struct node *node = topology->nodes[i];
        if (node != NULL && node->doubt == NODE_ASKED_ABOUT) {
            node->doubt = NODE_TRUSTED;
        }
    }
}

bool topology_apply(struct topology *topology, const struct cluster_reply *reply,
                    const struct link *from)
{
    struct slots_range range;
    if (!slots_check(reply)) {
        return false;
    }
    if (reply->count == 0) {
        return true; /* it belongs to no cluster, or not yet: others are asked */
    }
    forget_roles(topology);
    for (size_t i = 0; i < reply->count; i++) {
        if (slots_read(reply->elements[i], &range)) {
            apply_range(topology, &range, from);
        }
    }
    set_roles(topology);
    end_doubts(topology);
    topology->told = clock_now();
    if (topology->slots_owned == CLUSTER_SLOTS) {
        topology->uncovered_since = 0;
    } else if (topology->uncovered_since == 0) {
        topology->uncovered_since = topology->told;
    }
    return true;
}

/* --- making and unmaking ----------------------------------------------------- */

/* "host:port", or "[host]:port" where the host has colons. */
static bool split(const char *name, struct slice *host, uint16_t *port)
{
    const char *colon = strrchr(name, ':');
    char *end;
    if (colon == NULL || colon == name || colon[1] < '0' || colon[1] > '9') {
        return false;
    }
    unsigned long number = strtoul(colon + 1, &end, 10);
    *host = (struct slice){name, (size_t)(colon - name)};
    if (host->length > 2 && name[0] == '[' && colon[-1] == ']') {
        *host = (struct slice){name + 1, host->length - 2};
    }
    *port = (uint16_t)number;
    return *end == '\0' && number > 0 && number <= UINT16_MAX && slots_is_host(*host);
}

static bool add_configured(struct topology *topology, const char *name)
{
    struct slice host;
    uint16_t port;
    if (!split(name, &host, &port)) {
        errno = EINVAL;
        return false;
    }
    unsigned number = number_at(topology, host, port);
    if (number == TOPOLOGY_NO_NODE) {
        number = add_node(topology, host, port);
    }
    struct node *node = topology_node(topology, number);
    errno = ENOMEM;
    if (node == NULL || !need(topology, node)) {
        return false;
    }
    node->configured = true;
    return true;
}

bool topology_init(struct topology *topology, struct links *links, const char *const *nodes,
                   size_t count, const struct topology_listener *listener)
{
    memset(topology, 0, sizeof *topology);
    topology->links = links;
    topology->listener = *listener;
    memset(topology->owners, 0xff, sizeof topology->owners);
    memset(topology->importers, 0xff, sizeof topology->importers);
    topology->uncovered_since = clock_now();
    for (size_t i = 0; i < count; i++) {
        if (!add_configured(topology, nodes[i])) {
            return false;
        }
    }
    return true;
}

/* What a link loses may look at other nodes: they go when all links have gone. */
void topology_deinit(struct topology *topology)
{
    if (topology->links == NULL) {
        return;
    }
    for (unsigned i = 0; i < topology->node_end; i++) {
        if (topology->nodes[i] != NULL) {
            link_destroy(&topology->nodes[i]->link);
        }
    }
    for (unsigned i = 0; i < topology->node_end; i++) {
        if (topology->nodes[i] != NULL) {
            free(topology->nodes[i]->host);
            free(topology->nodes[i]);
        }
    }
    topology->links = NULL;
}

/* --- figures ---------------------------------------------------------------- */

void topology_state(const struct topology *topology, struct cluster_state *state)
{
    *state = (struct cluster_state){.slots = topology->slots_owned};
    for (unsigned i = 0; i < topology->node_end; i++) {
        const struct node *node = topology->nodes[i];
        if (node != NULL) {
            state->masters += node->owns;
            state->masters_ready += node->owns && node->gone_since == 0;
            state->replicas += node->replica;
        }
    }
}
