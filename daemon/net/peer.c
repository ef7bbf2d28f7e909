/*
 * peer.c - from where somebody comes, as far as the authenticator tells people apart.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/auth/authenticator.h"

static struct peer_address address_of_ipv4(const struct in_addr *from)
{
    return (struct peer_address){AF_INET, ntohl(from->s_addr)};
}

/* IPv4 in the clothes of IPv6 is IPv4: a endpoint may listen for both. */
static struct peer_address address_of_ipv6(const struct in6_addr *from)
{
    struct peer_address address = {.family = AF_INET6};
    struct in_addr within;

    if (IN6_IS_ADDR_V4MAPPED(from)) {
        memcpy(&within, from->s6_addr + 12, sizeof within);
        return address_of_ipv4(&within);
    }
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
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_storage room;
    } peer;
    socklen_t length = sizeof peer;

    if (getpeername(fd, &peer.any, &length) != 0) {
        return (struct peer_address){0};
    }
    switch (peer.any.sa_family) {
    case AF_INET:
        return address_of_ipv4(&peer.ipv4.sin_addr);
    case AF_INET6:
        return address_of_ipv6(&peer.ipv6.sin6_addr);
    case AF_UNIX:
        return address_of_process(fd);
    default:
        return (struct peer_address){0};
    }
}
