/*
 * http_tls.h - TLS for connections of evhttp, by libevent's bufferevents for OpenSSL.
 *
 * All functions are for the HTTP thread. Built without TLS: http_tls_none.c.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_TLS_H
#define KVCACHED_DAEMON_HTTP_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct event_base;
struct tls;

/* For a connection that is about to be accepted, with the TLS context in force. *trust_version
 * becomes that for http_tls_user. NULL: no memory. Freed by its owner, evhttp. */
struct bufferevent *http_tls_bufferevent(struct event_base *base, struct tls *tls,
                                         unsigned *trust_version);

/* Whether it has TLS. */
bool http_tls_is(struct bufferevent *bufferevent);

/* As transport_user (daemon/net/transport.h). */
size_t http_tls_user(struct bufferevent *bufferevent, struct tls *tls, unsigned *trust_version,
                     char *name, size_t size);

/* Whether the certificate in force is for that name. */
bool http_tls_has_name(struct tls *tls, const char *name);

/* When the certificate in force expires, in seconds since 1970; 0: unknown. */
uint64_t http_tls_expiry(struct tls *tls);

#endif
