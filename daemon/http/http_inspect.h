/*
 * http_inspect.h - the lines of /slow and /clients.
 *
 * For the HTTP thread, which may wait for a worker.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_INSPECT_H
#define KVCACHED_DAEMON_HTTP_HTTP_INSPECT_H

#include <stdbool.h>

struct evbuffer;
struct instance;

enum { HTTP_INSPECT_PATIENCE_MS = 2000 /* for one answer of a worker */ };

void http_inspect_slow(const struct instance *instance, struct evbuffer *body);

/* False: a worker did not answer in time, or there is no memory. */
bool http_inspect_clients(const struct instance *instance, struct evbuffer *body);

#endif
