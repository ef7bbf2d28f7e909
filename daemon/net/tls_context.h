/*
 * tls_context.h - what transport_tls.c and http_tls.c take from tls.c and from each other. No other
 * file includes this or the headers of OpenSSL. All functions may be called from any thread.
 */
#ifndef KVCACHED_DAEMON_NET_TLS_CONTEXT_H
#define KVCACHED_DAEMON_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

struct tls;

/* The context in force, with a reference for the caller (SSL_CTX_free), and the version of its
 * authorities: a number that changes whenever the authorities for clients do. */
SSL_CTX *tls_context(struct tls *tls, unsigned *trust_version);

/* That version alone. */
unsigned tls_trust_version(struct tls *tls);

/* As transport_user, for a connection that has no transport. *trust_version belongs to the
 * connection: at first that of its context, then that of the last call. */
size_t tls_peer_name(SSL *ssl, struct tls *tls, unsigned *trust_version, char *name, size_t size);

#endif
