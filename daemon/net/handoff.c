/*
 * handoff.c - see handoff.h.
 */
#include "daemon/net/handoff.h"

#include <stdlib.h>

#include "daemon/net/handoff_reject.h"

struct handoff *handoff_create(int fd, const struct endpoint *endpoint,
                               bool replaces_unauthenticated)
{
    struct handoff *handoff = malloc(sizeof *handoff);
    if (handoff != NULL) {
        *handoff = (struct handoff){.endpoint = endpoint,
                                    .replaces_unauthenticated = replaces_unauthenticated};
        transport_plain(&handoff->transport, fd);
    }
    return handoff;
}

static void destroy(struct handoff **handoff)
{
    (*handoff)->transport.ops->close(&(*handoff)->transport);
    free(*handoff);
    *handoff = NULL;
}

void handoff_close(struct handoff **handoff, struct instance *instance)
{
    instance_connection_closed(instance);
    destroy(handoff);
}

void handoffs_close(struct handoffs *handoffs, struct instance *instance)
{
    struct handoff *handoff;
    while ((handoff = STAILQ_FIRST(handoffs)) != NULL) {
        STAILQ_REMOVE_HEAD(handoffs, next);
        handoff_close(&handoff, instance);
    }
}

void handoff_reject(struct handoff **handoff, struct instance *instance)
{
    instance_connection_closed(instance);
    handoff_say_full((*handoff)->transport.fd, (*handoff)->endpoint);
    destroy(handoff);
}
