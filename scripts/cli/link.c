/*
 * link.c - a socket that is connected, and waiting for it.
 *
 * A name may have several addresses: each is tried, within the time that is left.
 */
#include "scripts/cli/link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "scripts/cli/clock.h"
#include "scripts/cli/interrupt.h"

void link_fail(struct link *link, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(link->error, sizeof link->error, format, values);
    va_end(values);
}

enum link_wait_result link_wait(const struct link *link, short events, int timeout)
{
    int64_t until = clock_now() + timeout;
    for (;;) {
        int left = timeout < 0 ? -1 : clock_left(until);
        int count = interrupt_poll(link->fd, events, left);
        if (count > 0) {
            return LINK_READY;
        }
        if (count == 0) {
            return LINK_TIMED_OUT;
        }
        if (interrupt_noted()) {
            return LINK_INTERRUPTED;
        }
    }
}

/* --- connecting ------------------------------------------------------------------- */

/* False with link->error, which says why this address was not reached. */
static bool finish_connect(struct link *link, int timeout)
{
    int error = 0;
    socklen_t length = sizeof error;
    switch (link_wait(link, POLLOUT, timeout)) {
    case LINK_READY:
        break;
    case LINK_TIMED_OUT:
        link_fail(link, "no answer in time");
        return false;
    case LINK_INTERRUPTED:
        link_fail(link, "interrupted");
        return false;
    }
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
        link_fail(link, "%s", strerror(error != 0 ? error : errno));
        return false;
    }
    return true;
}

static void close_socket(struct link *link)
{
    if (link->fd >= 0) {
        close(link->fd);
        link->fd = -1;
    }
}

static bool connect_to(struct link *link, const struct sockaddr *address, socklen_t length,
                       int timeout)
{
    const int on = 1;
    link->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->fd < 0 || (connect(link->fd, address, length) != 0 && errno != EINPROGRESS)) {
        link_fail(link, "%s", strerror(errno));
        close_socket(link);
        return false;
    }
    if (!finish_connect(link, timeout)) {
        close_socket(link);
        return false;
    }
    if (address->sa_family != AF_UNIX) {
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return true;
}

static bool connect_path(struct link *link, const char *path, int timeout)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        link_fail(link, "the path is longer than a socket's may be");
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    return connect_to(link, (const struct sockaddr *)&address, sizeof address, timeout);
}

static bool connect_host(struct link *link, const struct endpoint *endpoint, int timeout)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[8];
    bool connected = false;
    int64_t until = clock_now() + timeout;
    snprintf(port, sizeof port, "%u", endpoint->port);
    int error = getaddrinfo(endpoint->host, port, &hints, &found);
    if (error != 0) {
        link_fail(link, "%s", error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
        return false;
    }
    for (struct addrinfo *one = found; one != NULL && !connected && !interrupt_noted();
         one = one->ai_next) {
        connected = connect_to(link, one->ai_addr, one->ai_addrlen, clock_left(until));
    }
    freeaddrinfo(found);
    return connected;
}

bool link_connect(struct link *link, const struct endpoint *endpoint, int timeout)
{
    *link = (struct link){.fd = -1};
    return endpoint->path != NULL ? connect_path(link, endpoint->path, timeout)
                                  : connect_host(link, endpoint, timeout);
}

void link_disconnect(struct link *link)
{
    close_socket(link);
}
