/*
 * tls_context.h - what tls.c and transport_tls.c share. Nobody else includes OpenSSL's
 * headers, nor this.
 */
#ifndef KVCACHED_TLS_CONTEXT_H
#define KVCACHED_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "daemon/tls.h"

/* Any thread: what is in force, with a reference for the caller. */
SSL_CTX *tls_context(struct tls *tls);

#endif
