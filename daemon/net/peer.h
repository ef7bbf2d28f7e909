/*
 * peer.h - the other end of a connected socket: its address for rate limits, its name for the log.
 *
 * Both are read from the kernel at each call. Any thread.
 */
#ifndef KVCACHED_DAEMON_NET_PEER_H
#define KVCACHED_DAEMON_NET_PEER_H

#include <stddef.h>
#include <stdint.h>

/* As much of an address as is the same for all connections of one client: an IPv4 address, the
 * first 64 bits of an IPv6 address, or the user of the process at the other end of a Unix
 * socket. */
struct peer_address {
    uint64_t family; /* AF_INET, AF_INET6, AF_UNIX; 0: unknown */
    uint64_t number; /* in host byte order */
};

enum { PEER_NAME_MAX = 64 /* bytes, its NUL included */ };

/* All zeros where the address is unknown: such peers share one address. */
struct peer_address peer_address_of(int fd);

/* "192.0.2.1:4711", "[::1]:4711" or "unix". At most `size` bytes, terminated. */
void peer_name(int fd, char *name, size_t size);

#endif
