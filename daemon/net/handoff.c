/*
 * handoff.c - see handoff.h.
 */
#include "daemon/net/handoff.h"

#include <stdlib.h>
#include <sys/socket.h>

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

/* What the peer has sent already is read and dropped: closing over unread bytes would reset the
 * connection, and the reset might overtake the answer. */
void handoff_say_full(int fd, const struct endpoint *endpoint)
{
    static const char answer[] = "SERVER_ERROR too many connections\r\n";
    char dropped[4096];
    if (endpoint->tls == NULL) {
        send(fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    shutdown(fd, SHUT_WR);
    recv(fd, dropped, sizeof dropped, MSG_DONTWAIT);
}
