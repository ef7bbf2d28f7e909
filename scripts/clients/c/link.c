/*
 * link.c - a socket that is connected, and waiting for it.
 *
 * A name may have several addresses: each is tried, within the time that is left.
 */
#include "scripts/clients/c/link.h"

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

#include "scripts/clients/c/clock.h"

void link_fail(struct link *link, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(link->error, sizeof link->error, format, values);
    va_end(values);
}

void link_fail_errno(struct link *link, int error)
{
    char text[128];
    link_fail(link, "%s", strerror_r(error, text, sizeof text));
}

/* What poll cannot wait for is ready: the call that follows says what is wrong. */
enum link_wait_result link_wait(const struct link *link, short events, int timeout)
{
    const struct settings *settings = link->settings;
    int count = settings->poll(settings->poll_context, link->fd, events, timeout);
    if (count == 0) {
        return LINK_TIMED_OUT;
    }
    return count < 0 && errno == EINTR ? LINK_INTERRUPTED : LINK_READY;
}

/* --- connecting ------------------------------------------------------------------- */

/* False with link->error, which says why this address was not reached. */
static bool finish_connect(struct link *link, int timeout, bool *stopped)
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
        *stopped = true;
        return false;
    }
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
        link_fail_errno(link, error != 0 ? error : errno);
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
                       int timeout, bool *stopped)
{
    const int on = 1;
    link->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->fd < 0 || (connect(link->fd, address, length) != 0 && errno != EINPROGRESS)) {
        link_fail_errno(link, errno);
        close_socket(link);
        return false;
    }
    if (!finish_connect(link, timeout, stopped)) {
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
    bool stopped;
    return connect_to(link, (const struct sockaddr *)&address, sizeof address, timeout, &stopped);
}

static bool fail_lookup(struct link *link, int error)
{
    if (error == EAI_SYSTEM) {
        link_fail_errno(link, errno);
    } else {
        link_fail(link, "%s", gai_strerror(error));
    }
    return false;
}

static bool connect_host(struct link *link, int timeout)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[8];
    bool connected = false, stopped = false;
    int64_t until = clock_now() + timeout;
    snprintf(port, sizeof port, "%u", link->settings->port);
    int error = getaddrinfo(link->settings->host, port, &hints, &found);
    if (error != 0) {
        return fail_lookup(link, error);
    }
    for (struct addrinfo *one = found; one != NULL && !connected && !stopped; one = one->ai_next) {
        connected = connect_to(link, one->ai_addr, one->ai_addrlen, clock_left(until), &stopped);
    }
    freeaddrinfo(found);
    return connected;
}

bool link_connect(struct link *link, int timeout)
{
    return link->settings->path != NULL ? connect_path(link, link->settings->path, timeout)
                                        : connect_host(link, timeout);
}

void link_disconnect(struct link *link)
{
    close_socket(link);
}
