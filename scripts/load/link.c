/*
 * link.c - sockets of the generator.
 */
#include "scripts/load/link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int link_connect(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *address;
    if (getaddrinfo(host, port, &hints, &address) != 0) {
        errno = EINVAL;
        return -1;
    }
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        fd = -1;
    }
    freeaddrinfo(address);
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return fd;
}

bool link_open(struct link *l, int epoll, const char *host, const char *port, unsigned pipeline,
               bool tls)
{
    *l = (struct link){.epoll = epoll};
    l->fd = link_connect(host, port);
    if (l->fd < 0) {
        return false;
    }
    if (tls) {
        l->tls = link_tls_open(l->fd);
        if (!l->tls) {
            return false;
        }
    }
    l->asked = calloc(pipeline, sizeof *l->asked);
    l->carry = malloc(DIALECT_HEAD_MAX);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = l};
    return l->asked && l->carry && fcntl(l->fd, F_SETFL, O_NONBLOCK) == 0 &&
           epoll_ctl(epoll, EPOLL_CTL_ADD, l->fd, &event) == 0;
}

void link_close(struct link *l)
{
    link_tls_close(l->tls);
    if (l->fd >= 0) {
        close(l->fd);
    }
    free(l->asked);
    free(l->carry);
    free(l->unsent);
    *l = (struct link){.fd = -1};
}

static void await_writable(struct link *l, bool wanted)
{
    if (l->writable_awaited == wanted) {
        return;
    }
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0u), .data.ptr = l};
    epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->fd, &event);
    l->writable_awaited = wanted;
}

static enum link_result write_some(struct link *l, const char *bytes, size_t length, size_t *taken)
{
    ssize_t n =
        l->tls ? link_tls_send(l->tls, bytes, length) : send(l->fd, bytes, length, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        return LINK_CLOSED;
    }
    *taken = n > 0 ? (size_t)n : 0;
    return *taken == length ? LINK_DONE : LINK_LATER;
}

enum link_result link_send(struct link *l, const char *bytes, size_t length)
{
    size_t taken = 0;
    if (!l->unsent_length) {
        enum link_result result = write_some(l, bytes, length, &taken);
        if (result != LINK_LATER) {
            return result;
        }
    }
    size_t left = l->unsent_length - l->unsent_from;
    char *kept = malloc(left + length - taken);
    if (!kept) {
        return LINK_CLOSED;
    }
    if (left) {
        memcpy(kept, l->unsent + l->unsent_from, left);
    }
    memcpy(kept + left, bytes + taken, length - taken);
    free(l->unsent);
    l->unsent = kept;
    l->unsent_length = left + length - taken;
    l->unsent_from = 0;
    await_writable(l, true);
    return LINK_LATER;
}

enum link_result link_flush(struct link *l)
{
    size_t taken = 0;
    enum link_result result =
        write_some(l, l->unsent + l->unsent_from, l->unsent_length - l->unsent_from, &taken);
    l->unsent_from += taken;
    if (result != LINK_DONE) {
        return result;
    }
    free(l->unsent);
    l->unsent = NULL;
    l->unsent_length = l->unsent_from = 0;
    await_writable(l, false);
    return LINK_DONE;
}

enum link_result link_read(struct link *l, char *to, size_t size, size_t *length)
{
    ssize_t n = l->tls ? link_tls_recv(l->tls, to, size) : recv(l->fd, to, size, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return LINK_LATER;
    }
    if (n <= 0) {
        return LINK_CLOSED;
    }
    *length = (size_t)n;
    return LINK_DONE;
}
