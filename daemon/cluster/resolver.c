/*
 * resolver.c - a thread for each lookup.
 *
 * The thread and the caller share the lookup, and the last of them frees it: a lookup that was
 * ended may go on for as long as the name server is silent. The result is written before the
 * eventfd is, and read after it.
 */
#include "daemon/cluster/resolver.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/base/thread.h"

struct lookup {
    atomic_uint holders;
    int fd; /* an eventfd */
    /* The caller's. */
    struct event event;
    lookup_done *done;
    void *context;
    /* The thread's. */
    unsigned number;
    struct address address;
    char port[8];
    char host[];
};

static const struct addrinfo *choose(const struct addrinfo *found, unsigned number)
{
    unsigned count = 0;
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
        count++;
    }
    for (number %= count; number > 0; number--) {
        found = found->ai_next;
    }
    return found;
}

static bool find(struct address *address, const char *host, const char *port, int flags,
                 unsigned number)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    address->length = 0;
    if (getaddrinfo(host, port, &wanted, &found) != 0) {
        return false;
    }
    const struct addrinfo *chosen = choose(found, number);
    if (chosen->ai_addrlen <= sizeof address->of) {
        memcpy(&address->of, chosen->ai_addr, chosen->ai_addrlen);
        address->length = chosen->ai_addrlen;
    }
    freeaddrinfo(found);
    return address->length > 0;
}

bool address_numeric(struct address *address, const char *host, uint16_t port)
{
    char text[8];
    snprintf(text, sizeof text, "%u", (unsigned)port);
    return find(address, host, text, AI_NUMERICHOST, 0);
}

static void let_go(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->holders, 1) == 1) {
        close(lookup->fd);
        free(lookup);
    }
}

static void *run(void *context)
{
    struct lookup *lookup = context;
    find(&lookup->address, lookup->host, lookup->port, AI_ADDRCONFIG, lookup->number);
    eventfd_write(lookup->fd, 1);
    let_go(lookup);
    return NULL;
}

static void on_found(evutil_socket_t fd, short what, void *context)
{
    struct lookup *lookup = context;
    eventfd_t count;
    (void)what;
    eventfd_read(fd, &count);
    lookup->done(lookup->context, lookup->address.length > 0 ? &lookup->address : NULL);
}

static bool start(struct lookup *lookup)
{
    pthread_t thread;
    if (event_add(&lookup->event, NULL) != 0) {
        return false;
    }
    atomic_store(&lookup->holders, 2);
    if (thread_start(&thread, run, lookup) != 0) {
        event_del(&lookup->event);
        atomic_store(&lookup->holders, 1);
        return false;
    }
    pthread_detach(thread);
    return true;
}

struct lookup *lookup_begin(struct event_base *base, const char *host, uint16_t port,
                            unsigned number, lookup_done *done, void *context)
{
    size_t length = strlen(host);
    struct lookup *lookup = calloc(1, sizeof *lookup + length + 1);
    if (lookup == NULL) {
        return NULL;
    }
    memcpy(lookup->host, host, length);
    snprintf(lookup->port, sizeof lookup->port, "%u", (unsigned)port);
    lookup->number = number;
    lookup->done = done;
    lookup->context = context;
    lookup->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (lookup->fd < 0) {
        free(lookup);
        return NULL;
    }
    atomic_store(&lookup->holders, 1);
    event_assign(&lookup->event, base, lookup->fd, EV_READ, on_found, lookup);
    if (!start(lookup)) {
        let_go(lookup);
        return NULL;
    }
    return lookup;
}

void lookup_end(struct lookup **place)
{
    struct lookup *lookup = *place;
    *place = NULL;
    if (lookup != NULL) {
        event_del(&lookup->event);
        let_go(lookup);
    }
}
