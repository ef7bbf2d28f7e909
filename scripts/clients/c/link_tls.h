/*
 * link_tls.h - TLS on a connected socket: link_tls.c, or link_tls_none.c where OpenSSL is not
 * there.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_LINK_TLS_H
#define KVCACHED_SCRIPTS_CLIENTS_C_LINK_TLS_H

#include "scripts/clients/c/link.h"

/* Shakes hands, and checks the server's certificate. False with link->error. */
bool link_tls_start(struct link *link, int timeout);
void link_tls_end(struct link *link);
enum link_result link_tls_read(struct link *link, char *to, size_t room, size_t *count);
enum link_result link_tls_write(struct link *link, struct slice bytes, size_t *count);

#endif
