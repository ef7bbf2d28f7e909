/*
 * http_site.h - what requests of all HTTP listeners are answered from.
 *
 * The HTTP thread's; `percent` is written by the thread that reads the arena.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_SITE_H
#define KVCACHED_DAEMON_HTTP_HTTP_SITE_H

#include <stdatomic.h>

#include "conf/conf.h"
#include "daemon/auth/identity.h"
#include "daemon/base/instance.h"
#include "daemon/http/http_conns.h"
#include "daemon/http/http_scrape.h"
#include "daemon/net/listener.h"

enum http_stage { HTTP_STARTING, HTTP_SERVING, HTTP_STOPPING };

/* Whether all threads advance; if not, `name` is the one that does not. */
enum { HTTP_STUCK_MAX = 64 };
typedef bool http_find_stuck(void *context, char name[HTTP_STUCK_MAX]);

struct http_site {
    enum http_stage stage;
    const atomic_uint *percent; /* of the arena that was read; above 100: it is not being read */
    struct http_source source;  /* from HTTP_SERVING on, until the store is left */
    struct auth_context auth;   /* likewise; its users are there from the beginning */
    struct metrics *metrics;    /* the thread's own, from HTTP_SERVING on */
    enum conf_series series;
    char stuck[HTTP_STUCK_MAX]; /* empty: none is */
};

/* One listener. */
struct http_port {
    struct http_site *site;
    const struct listener *listener;
    struct http_conns conns;
};

#endif
