/*
 * check_peer.c - addresses and names of the peers of sockets.
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/net/peer.h"
#include "tests/support/suite.h"

union any_address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

struct seen {
    struct peer_address address;
    char name[PEER_NAME_MAX];
    unsigned port; /* the peer's */
};

static unsigned port_of(int fd)
{
    union any_address at;
    socklen_t length = sizeof at;
    ck_assert_int_eq(getsockname(fd, &at.any, &length), 0);
    return ntohs(at.any.sa_family == AF_INET ? at.ipv4.sin_port : at.ipv6.sin6_port);
}

/* The peer of a socket of family `to`, connected to from `from`. */
static struct seen seen(int to, int from)
{
    union any_address at = {.any = {.sa_family = (sa_family_t)to}};
    socklen_t length = sizeof at;
    int endpoint = socket(to, SOCK_STREAM, 0);
    int off = 0;
    if (to == AF_INET6) {
        at.ipv6.sin6_addr = from == AF_INET6 ? in6addr_loopback : in6addr_any;
        ck_assert_int_eq(setsockopt(endpoint, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
    } else {
        at.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    if (to == AF_INET6 && from == AF_INET) {
        ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:127.0.0.1", &at.ipv6.sin6_addr), 1);
    }
    ck_assert_int_eq(bind(endpoint, &at.any, to == AF_INET ? sizeof at.ipv4 : sizeof at.ipv6), 0);
    ck_assert_int_eq(listen(endpoint, 1), 0);
    ck_assert_int_eq(getsockname(endpoint, &at.any, &length), 0);
    int client = socket(to, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, &at.any, length), 0);
    int served = accept(endpoint, NULL, NULL);
    ck_assert_int_ge(served, 0);
    struct seen seen = {.address = peer_address_of(served), .port = port_of(client)};
    peer_name(served, seen.name, sizeof seen.name);
    close(served);
    close(client);
    close(endpoint);
    return seen;
}

static void is_named(const struct seen *seen, const char *host)
{
    char name[PEER_NAME_MAX];
    snprintf(name, sizeof name, "%s:%u", host, seen->port);
    ck_assert_str_eq(seen->name, name);
}

START_TEST(an_ipv4_peer_is_its_address)
{
    struct seen peer = seen(AF_INET, AF_INET);
    ck_assert_uint_eq(peer.address.family, AF_INET);
    ck_assert_uint_eq(peer.address.number, INADDR_LOOPBACK);
    is_named(&peer, "127.0.0.1");
}
END_TEST

/* A machine without IPv6 has no such peers. */
START_TEST(an_ipv6_peer_is_its_network)
{
    union any_address loopback = {.ipv6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback}};
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    bool has_ipv6 = probe >= 0 && bind(probe, &loopback.any, sizeof loopback.ipv6) == 0;
    if (probe >= 0) {
        close(probe);
    }
    if (has_ipv6) {
        struct seen peer = seen(AF_INET6, AF_INET6);
        ck_assert_uint_eq(peer.address.family, AF_INET6);
        ck_assert_uint_eq(peer.address.number, 0); /* ::1 */
        is_named(&peer, "[::1]");
        peer = seen(AF_INET6, AF_INET);
        ck_assert_uint_eq(peer.address.family, AF_INET);
        ck_assert_uint_eq(peer.address.number, INADDR_LOOPBACK);
        is_named(&peer, "127.0.0.1");
    }
}
END_TEST

START_TEST(a_process_of_this_machine_is_its_user)
{
    char name[PEER_NAME_MAX];
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct peer_address address = peer_address_of(pair[0]);
    ck_assert_uint_eq(address.family, AF_UNIX);
    ck_assert_uint_eq(address.number, getuid());
    peer_name(pair[0], name, sizeof name);
    ck_assert_str_eq(name, "unix");
    close(pair[0]);
    close(pair[1]);

    ck_assert_int_eq(pipe(pair), 0);
    address = peer_address_of(pair[0]);
    ck_assert_uint_eq(address.family, 0);
    ck_assert_uint_eq(address.number, 0);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("peer");
    TCase *addresses = tcase_create("addresses");
    tcase_add_test(addresses, an_ipv4_peer_is_its_address);
    tcase_add_test(addresses, an_ipv6_peer_is_its_network);
    tcase_add_test(addresses, a_process_of_this_machine_is_its_user);
    suite_add_tcase(suite, addresses);

    return suite_run(suite);
}
