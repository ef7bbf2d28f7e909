/*
 * resolver.h - addresses of names, without waiting for them.
 *
 * getaddrinfo waits, for seconds where a name server is silent, but it is what knows /etc/hosts and
 * the other sources of this machine. So each lookup has a thread for as long as it lasts.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_RESOLVER_H
#define KVCACHED_DAEMON_CLUSTER_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct event_base;
struct lookup;

struct address {
    struct sockaddr_storage of;
    socklen_t length; /* 0: there is none */
};

/* False: the host is no numeric IPv4 or IPv6 address. */
bool address_numeric(struct address *address, const char *host, uint16_t port);

/* Called once, on the thread of the base. NULL: the name has no address, or none was found. */
typedef void lookup_done(void *context, const struct address *address);

/* Where the name has several addresses, `number` says which, from the first one again after the
 * last. The host is copied. NULL: no memory, or no thread. */
struct lookup *lookup_begin(struct event_base *base, const char *host, uint16_t port,
                            unsigned number, lookup_done *done, void *context);

/* Forgets it: `done` is not called any more. To be called after `done` as well. Sets *lookup to
 * NULL; NULL is legal. */
void lookup_end(struct lookup **lookup);

#endif
