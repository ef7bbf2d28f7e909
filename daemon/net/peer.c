/*
 * peer.c - getpeername and what is made of it; see peer.h.
 *
 * An IPv4 address mapped into IPv6 counts as IPv4 and is written so: an endpoint may listen for
 * both.
 */
#include "daemon/net/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

union socket_address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_storage room;
};

/* A mapped IPv4 address becomes one of IPv4. False: the connection is gone. */
static bool read_peer(int fd, union socket_address *peer)
{
    socklen_t length = sizeof *peer;
    if (getpeername(fd, &peer->any, &length) != 0) {
        return false;
    }
    if (peer->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer->ipv6.sin6_addr)) {
        struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = peer->ipv6.sin6_port};
        memcpy(&ipv4.sin_addr, peer->ipv6.sin6_addr.s6_addr + 12, sizeof ipv4.sin_addr);
        peer->ipv4 = ipv4;
    }
    return true;
}

static struct peer_address address_of_ipv6(const struct in6_addr *from)
{
    struct peer_address address = {.family = AF_INET6};
    for (int i = 0; i < 8; i++) {
        address.number = address.number << 8 | from->s6_addr[i];
    }
    return address;
}

static struct peer_address address_of_process(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
        return (struct peer_address){0};
    }
    return (struct peer_address){AF_UNIX, peer.uid};
}

struct peer_address peer_address_of(int fd)
{
    union socket_address peer;
    if (!read_peer(fd, &peer)) {
        return (struct peer_address){0};
    }
    switch (peer.any.sa_family) {
    case AF_INET:
        return (struct peer_address){AF_INET, ntohl(peer.ipv4.sin_addr.s_addr)};
    case AF_INET6:
        return address_of_ipv6(&peer.ipv6.sin6_addr);
    case AF_UNIX:
        return address_of_process(fd);
    default:
        return (struct peer_address){0};
    }
}

void peer_name(int fd, char *name, size_t size)
{
    union socket_address peer;
    char address[INET6_ADDRSTRLEN] = "";
    if (!read_peer(fd, &peer)) {
        snprintf(name, size, "a peer that is gone");
    } else if (peer.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &peer.ipv4.sin_addr, address, sizeof address);
        snprintf(name, size, "%s:%u", address, (unsigned)ntohs(peer.ipv4.sin_port));
    } else if (peer.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &peer.ipv6.sin6_addr, address, sizeof address);
        snprintf(name, size, "[%s]:%u", address, (unsigned)ntohs(peer.ipv6.sin6_port));
    } else {
        snprintf(name, size, "unix");
    }
}
