/*
 * http_exchange.h - a request and its answer.
 *
 * Host must name this machine. Where there are users, and the listener is not open for the path,
 * the client must authenticate as a user with the right "watch" everywhere: by its certificate, by
 * the user of its process at a Unix socket, or by a name and a secret (Basic, RFC 7617), which the
 * authenticator checks as for AUTH.
 *
 * All functions are for the HTTP thread.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_EXCHANGE_H
#define KVCACHED_DAEMON_HTTP_HTTP_EXCHANGE_H

#include "daemon/http/http_site.h"

struct evhttp_request;

/* For evhttp_set_gencb. `port` is a struct http_port. */
void http_exchange_begin(struct evhttp_request *request, void *port);

/* The authenticator has answered: `answered` of the auth context was called. */
void http_exchange_answered(struct login_request *login);

/* Ends all requests under way with 503, before the store and the authenticator are destroyed. */
void http_exchange_end_all(struct http_port *port);

#endif
