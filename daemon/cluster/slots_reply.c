/*
 * slots_reply.c - nothing of the reply is used before all of it was looked at.
 */
#include "daemon/cluster/slots_reply.h"

#include "daemon/cluster/link.h"

enum { FIRST, LAST, MASTER, REPLICAS }; /* elements of a range */
enum { HOST, PORT, NODE_MIN };          /* elements of a node */

bool slots_is_host(struct slice host)
{
    for (size_t i = 0; i < host.length; i++) {
        unsigned char byte = (unsigned char)host.bytes[i];
        if (byte <= ' ' || byte >= 0x7f) {
            return false;
        }
    }
    return host.length <= LINK_HOST_MAX;
}

/* A node that was told to announce a name and has none says "?". */
static bool read_node(const struct cluster_reply *reply, struct slots_node *node)
{
    if (reply->type != CLUSTER_ARRAY || reply->count < NODE_MIN) {
        return false;
    }
    const struct cluster_reply *host = reply->elements[HOST], *port = reply->elements[PORT];
    if ((host->type != CLUSTER_STRING && host->type != CLUSTER_NIL) ||
        port->type != CLUSTER_INTEGER || port->integer < 0 || port->integer > UINT16_MAX ||
        !slots_is_host(host->text)) {
        return false;
    }
    bool unknown = slice_equal(host->text, slice_of("?"));
    *node = (struct slots_node){host->text, unknown ? 0 : (uint16_t)port->integer};
    return true;
}

static bool read_slot(const struct cluster_reply *reply, unsigned *slot)
{
    if (reply->type != CLUSTER_INTEGER || reply->integer < 0 || reply->integer >= CLUSTER_SLOTS) {
        return false;
    }
    *slot = (unsigned)reply->integer;
    return true;
}

bool slots_read(const struct cluster_reply *element, struct slots_range *range)
{
    range->replica_count = 0;
    if (element->type != CLUSTER_ARRAY || element->count < REPLICAS ||
        !read_slot(element->elements[FIRST], &range->first) ||
        !read_slot(element->elements[LAST], &range->last) || range->first > range->last ||
        !read_node(element->elements[MASTER], &range->master)) {
        return false;
    }
    for (size_t i = REPLICAS; i < element->count; i++) {
        struct slots_node replica;
        if (!read_node(element->elements[i], &replica)) {
            return false;
        }
        if (replica.port != 0 && range->replica_count < SLOTS_REPLICAS_MAX) {
            range->replicas[range->replica_count++] = replica;
        }
    }
    return true;
}

bool slots_check(const struct cluster_reply *reply)
{
    struct slots_range range;
    if (reply->type != CLUSTER_ARRAY || reply->count > CLUSTER_SLOTS) {
        return false;
    }
    for (size_t i = 0; i < reply->count; i++) {
        if (!slots_read(reply->elements[i], &range)) {
            return false;
        }
    }
    return true;
}
