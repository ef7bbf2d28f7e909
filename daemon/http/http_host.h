/*
 * http_host.h - whether a request's Host names this machine.
 *
 * Another site can let its name resolve to 127.0.0.1; then its pages may read what is served here
 * (DNS rebinding). Such requests have the site's name in Host. So Host must be an address,
 * localhost or a name in the listener's certificate.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_HOST_H
#define KVCACHED_DAEMON_HTTP_HTTP_HOST_H

#include <stdbool.h>

enum { HTTP_HOST_MAX = 256 };

/* The name in "name", "name:port" or "[::1]:port", without brackets. False: there is none. */
bool http_host_name(const char *host, char name[HTTP_HOST_MAX]);

/* A name that needs no certificate: a numeric address, localhost, or a name below localhost. */
bool http_host_is_local(const char *name);

#endif
