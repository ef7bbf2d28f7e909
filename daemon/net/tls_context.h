/*
 * tls_context.h - what tls.c, transport_tls.c and http_tls.c share. No other file includes
 * OpenSSL's headers, nor this.
 */
#ifndef KVCACHED_DAEMON_NET_TLS_CONTEXT_H
#define KVCACHED_DAEMON_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "daemon/net/tls.h"

/* Any thread: what is in force, with a reference for the caller, and whom it trusts: a number
 * that is another one after the authorities for clients have changed. */
SSL_CTX *tls_context(struct tls *tls, unsigned *trust);

/* Any thread: the number alone. */
unsigned tls_trust(struct tls *tls);

/* As transport_user, for a connection that is no transport's. *trust: the number when it was
 * made; it is a later one when this returns. */
size_t tls_peer_name(SSL *ssl, struct tls *tls, unsigned *trust, char *name, size_t size);

#endif
