/*
 * conf_listen.c - what a listener's address means: which machines can reach it, and which other
 * listeners it excludes.
 */
#include "conf/conf_listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "conf/conf.h"

/* --- localhost ------------------------------------------------------------------- */

static bool is_localhost(const char *address)
{
    return strcmp(address, CONF_LOCALHOST) == 0;
}

/* --- reach ----------------------------------------------------------------------- */

/* Whether only this machine can connect to that address. */
static bool is_loopback(const char *address)
{
    struct in6_addr six;
    struct in_addr four;
    if (is_localhost(address)) {
        return true;
    }
    if (inet_pton(AF_INET, address, &four) == 1) {
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (inet_pton(AF_INET6, address, &six) != 1) {
        return false;
    }
    return IN6_IS_ADDR_LOOPBACK(&six) ||
           (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == IN_LOOPBACKNET);
}

bool conf_listen_is_remote(const struct conf_listen *listen)
{
    return listen->address != NULL && !is_loopback(listen->address);
}

const struct conf_listen *conf_exposed(const struct conf *listening, const struct conf *next)
{
    for (size_t i = 0; i < listening->listen_count && !next->insecure; i++) {
        const struct conf_listen *listen = &listening->listen[i];
        if (conf_listen_is_remote(listen) &&
            (next->user_count == 0 || listen->tls_certificate == NULL)) {
            return listen;
        }
    }
    return NULL;
}

/* --- addresses ------------------------------------------------------------------- */

/* For numeric addresses. Also true where one of the two is the wildcard address of its family: the
 * kernel refuses such a pair too. */
static bool same_numeric(const char *a, const char *b)
{
    static const struct in6_addr all = {0};
    struct in6_addr one = {0}, other = {0};
    int family = strchr(a, ':') != NULL ? AF_INET6 : AF_INET;
    return inet_pton(family, a, &one) == 1 && inet_pton(family, b, &other) == 1 &&
           (memcmp(&one, &other, sizeof one) == 0 || memcmp(&one, &all, sizeof one) == 0 ||
            memcmp(&other, &all, sizeof other) == 0);
}

static bool same_address(const char *a, const char *b)
{
    if (is_localhost(a)) {
        return is_localhost(b) || same_numeric("127.0.0.1", b) || same_numeric("::1", b);
    }
    return is_localhost(b) ? same_address(b, a) : same_numeric(a, b);
}

bool conf_listen_same(const struct conf_listen *a, const struct conf_listen *b)
{
    if (a->path != NULL || b->path != NULL) {
        return a->path != NULL && b->path != NULL && strcmp(a->path, b->path) == 0;
    }
    return a->port == b->port && a->port != 0 && a->address != NULL && b->address != NULL &&
           same_address(a->address, b->address);
}

static bool is_ipv6(const struct conf_listen *listen)
{
    return listen->address != NULL && strchr(listen->address, ':') != NULL;
}

static bool is_dual_stack(const struct conf *conf, const struct conf_listen *listen)
{
    struct in6_addr address;
    if (!is_ipv6(listen) || inet_pton(AF_INET6, listen->address, &address) != 1 ||
        !IN6_IS_ADDR_UNSPECIFIED(&address)) {
        return false;
    }
    for (size_t i = 0; i < conf->listen_count && listen->port != 0; i++) {
        const struct conf_listen *other = &conf->listen[i];
        if (other->address != NULL && !is_ipv6(other) && other->port == listen->port) {
            return false;
        }
    }
    return true;
}

void conf_listen_settle(struct conf *conf)
{
    for (size_t i = 0; i < conf->listen_count; i++) {
        conf->listen[i].dual_stack = is_dual_stack(conf, &conf->listen[i]);
    }
}
