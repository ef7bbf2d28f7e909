/*
 * stream.c - a connection's bytes, with TLS or without.
 */
#include "scripts/clients/c/stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "scripts/clients/c/clock.h"
#include "scripts/clients/c/link_tls.h"

bool stream_open(struct link *link, int timeout)
{
    int64_t until = clock_now() + timeout;
    bool opened = link_connect(link, timeout);
    if (opened && link->settings->tls && !link_tls_start(link, clock_left(until))) {
        link_disconnect(link);
        opened = false;
    }
    return opened;
}

void stream_close(struct link *link)
{
    if (link->tls != NULL) {
        link_tls_end(link);
    }
    link_disconnect(link);
}

static enum link_result failed(struct link *link, short events)
{
    if (errno == EAGAIN || errno == EINTR) {
        link->events = events;
        return LINK_LATER;
    }
    if (errno == ECONNRESET || errno == EPIPE) {
        return LINK_CLOSED;
    }
    link_fail_errno(link, errno);
    return LINK_BROKEN;
}

enum link_result stream_read(struct link *link, char *to, size_t room, size_t *count)
{
    if (link->tls != NULL) {
        return link_tls_read(link, to, room, count);
    }
    ssize_t got = recv(link->fd, to, room, 0);
    if (got < 0) {
        return failed(link, POLLIN);
    }
    *count = (size_t)got;
    return got == 0 ? LINK_CLOSED : LINK_DONE;
}

enum link_result stream_write(struct link *link, struct slice bytes, size_t *count)
{
    if (link->tls != NULL) {
        return link_tls_write(link, bytes, count);
    }
    ssize_t sent = send(link->fd, bytes.bytes, bytes.length, MSG_NOSIGNAL);
    if (sent < 0) {
        return failed(link, POLLOUT);
    }
    *count = (size_t)sent;
    return LINK_DONE;
}
