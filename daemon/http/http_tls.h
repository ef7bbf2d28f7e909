/*
 * http_tls.h - TLS for connections of evhttp: bufferevents of OpenSSL.
 *
 * The thread's that owns the base. Built without TLS there is none: see http_tls_none.c.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_TLS_H
#define KVCACHED_DAEMON_HTTP_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct event_base;
struct tls;

/* For a connection that will be accepted, with what is in force now. *trust_version: for
 * http_tls_user. NULL: no memory. */
struct bufferevent *http_tls_bufferevent(struct event_base *base, struct tls *tls,
                                         unsigned *trust_version);

/* Whether TLS is spoken through it. */
bool http_tls_is(struct bufferevent *bufferevent);

/* As transport_user. */
size_t http_tls_user(struct bufferevent *bufferevent, struct tls *tls, unsigned *trust_version,
                     char *name, size_t size);

/* Whether the certificate in force is for that name. */
bool http_tls_has_name(struct tls *tls, const char *name);

/* When the certificate in force expires, in seconds since 1970; 0: that cannot be said. */
uint64_t http_tls_expiry(struct tls *tls);

#endif
