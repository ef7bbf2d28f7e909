/*
 * http_site.h - the data that requests on all HTTP listeners are answered from.
 *
 * For the HTTP thread; the main thread writes `percent` while it reads the arena file.
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

/* True when a thread does not advance: `name` is that thread. */
enum { HTTP_STUCK_MAX = 64 };
typedef bool http_find_stuck(void *context, char name[HTTP_STUCK_MAX]);

struct http_site {
    enum http_stage stage;
    const atomic_uint *percent; /* of the arena file that has been read; above 100: none is read */
    struct http_source source;  /* only during HTTP_SERVING */
    struct auth_context auth;   /* likewise, except its users */
    struct metrics *metrics;    /* of the thread; from HTTP_SERVING on */
    enum conf_series series;
    char stuck[HTTP_STUCK_MAX]; /* the thread that does not advance; empty: there is none */
};

/* One listener. */
struct http_port {
    struct http_site *site;
    const struct listener *listener;
    struct http_conns conns;
};

#endif
