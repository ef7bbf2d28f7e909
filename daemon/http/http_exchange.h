/*
 * http_exchange.h - a request and its answer.
 *
 * Before anything is answered the Host is held against this machine's names, and where there are
 * users, and the listener is not open for the path, the client has to be one that may see the
 * figures of all namespaces: by its certificate, by the user of its process at a Unix socket, or
 * by a name and a secret (Basic, RFC 7617), which the authenticator checks as it does AUTH's.
 *
 * The thread's that owns the base.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_EXCHANGE_H
#define KVCACHED_DAEMON_HTTP_HTTP_EXCHANGE_H

#include "daemon/http/http_site.h"

struct evhttp_request;

/* As evhttp_set_gencb wants it; the context is a struct http_port. */
void http_exchange_begin(struct evhttp_request *request, void *port);

/* The authenticator has answered; its auth context's `answered` was called. */
void http_exchange_answered(struct login_request *login);

/* The store and the authenticator go: what is under way is ended with 503. */
void http_exchange_end_all(struct http_port *port);

#endif
