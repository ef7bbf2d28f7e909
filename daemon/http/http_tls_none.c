/*
 * http_tls_none.c - for a build without OpenSSL: no listener has TLS then.
 */
#include "daemon/http/http_tls.h"

struct bufferevent *http_tls_bufferevent(struct event_base *base, struct tls *tls,
                                         unsigned *trust_version)
{
    (void)base;
    (void)tls;
    (void)trust_version;
    return NULL;
}

bool http_tls_is(struct bufferevent *bufferevent)
{
    (void)bufferevent;
    return false;
}

size_t http_tls_user(struct bufferevent *bufferevent, struct tls *tls, unsigned *trust_version,
                     char *name, size_t size)
{
    (void)bufferevent;
    (void)tls;
    (void)trust_version;
    (void)name;
    (void)size;
    return 0;
}

bool http_tls_has_name(struct tls *tls, const char *name)
{
    (void)tls;
    (void)name;
    return false;
}

uint64_t http_tls_expiry(struct tls *tls)
{
    (void)tls;
    return 0;
}
