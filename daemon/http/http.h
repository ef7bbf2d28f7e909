/*
 * http.h - the HTTP thread: it serves figures, health and the live page on all listeners with HTTP.
 *
 * It runs in the background, as the housekeeper does: workers go first. It serves from before the
 * store is opened until after it is closed, so that a long start and a stop can be observed.
 *
 * All functions are for the main thread. All but http_create accept NULL, which does nothing.
 * http_serve, http_reconfigure and http_stop_serving return when the thread has done it. Built
 * without HTTP: http_none.c.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_H
#define KVCACHED_DAEMON_HTTP_HTTP_H

#include "conf/conf.h"
#include "daemon/auth/authenticator.h"
#include "daemon/http/http_site.h"
#include "daemon/net/listeners.h"

struct http;

/* Whether this kvcached was built with HTTP. */
bool http_is_built(void);

/* All of it outlives the thread, except conf, which http_create alone reads, and users, to which
 * the thread holds a reference. */
struct http_options {
    const struct listeners *listeners; /* the thread accepts on those with HTTP */
    const struct conf *conf;
    struct users *users;
    const atomic_uint *percent; /* of the arena file that has been read; above 100: none is read */
};

/* Starts the thread. NULL after an error, which has been logged. Free it by http_destroy. */
struct http *http_create(const struct http_options *options);

/* What exists once the daemon serves. It outlives http_stop_serving. */
struct http_serving {
    struct store *store;
    struct instance *instance;
    struct authenticator *authenticator;
    http_find_stuck *find_stuck; /* called on the HTTP thread, about once a second */
    void *context;               /* of find_stuck */
};

/* From now on /metrics and the page are served. False with errno set. */
bool http_serve(struct http *http, const struct http_serving *serving);

/* Applies a reloaded configuration. The thread takes a reference to the users. */
void http_reconfigure(struct http *http, const struct conf *conf, struct users *users);

/* From now on requests are answered with 503, because the daemon stops. The thread uses nothing of
 * struct http_serving any more. */
void http_stop_serving(struct http *http);

/* Closes all connections, ends the thread and frees. Sets *http to NULL. The authenticator must
 * have been destroyed. */
void http_destroy(struct http **http);

#endif
