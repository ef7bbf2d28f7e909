/*
 * link_tls.h - TLS for the generator's connections, where it was built with OpenSSL.
 *
 * Any certificate will do: the server's identity is not what is measured.
 */
#ifndef KVCACHED_SCRIPTS_LOAD_LINK_TLS_H
#define KVCACHED_SCRIPTS_LOAD_LINK_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct link_tls;

/* The client's side of a handshake on a connected, blocking socket; NULL, with a word on
 * stderr, when there is none. */
struct link_tls *link_tls_open(int fd);
/* Good for NULL. The socket stays open. */
void link_tls_close(struct link_tls *tls);

/* As send(2) and recv(2) on a non-blocking socket: -1 with EAGAIN when that must be tried
 * again, with bytes that begin as they did. A read takes all that there is. */
ssize_t link_tls_send(struct link_tls *tls, const char *bytes, size_t length);
ssize_t link_tls_recv(struct link_tls *tls, char *to, size_t size);

/* Bytes that wait inside, which no socket announces. */
bool link_tls_pending(const struct link_tls *tls);

#endif
