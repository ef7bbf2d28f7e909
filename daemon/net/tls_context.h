/*
 * tls_context.h - what tls.c and transport_tls.c share. Nobody else includes OpenSSL's
 * headers, nor this.
 */
#ifndef KVCACHED_DAEMON_NET_TLS_CONTEXT_H
#define KVCACHED_DAEMON_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

struct tls;

/* Any thread: what is in force, with a reference for the caller, and whom it trusts: a number
 * that is another one after the authorities for clients have changed. */
SSL_CTX *tls_context(struct tls *tls, unsigned *trust);

/* Any thread: the number alone. */
unsigned tls_trust(struct tls *tls);

#endif
