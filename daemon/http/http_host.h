/*
 * http_host.h - whether a request's Host names this machine.
 *
 * A page of another site can have its name resolve to 127.0.0.1 and then read what is here as
 * its own (DNS rebinding). Its requests say its name in Host, so only an address, localhost and
 * names in the listener's certificate are taken.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_HOST_H
#define KVCACHED_DAEMON_HTTP_HTTP_HOST_H

#include <stdbool.h>

enum { HTTP_HOST_MAX = 256 };

/* The name in "name", "name:port", "[::1]:port", without brackets. False: it is none. */
bool http_host_name(const char *host, char name[HTTP_HOST_MAX]);

/* A name that needs no certificate: a numeric address, or localhost and what is below it. */
bool http_host_is_local(const char *name);

#endif
