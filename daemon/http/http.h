/*
 * http.h - HTTP listeners: figures, health and the live page, on a thread of their own.
 *
 * The thread lets workers go first, as the housekeeper does. It answers from before the store is
 * there until after it is gone, so that a start that takes long, and a stop, can be seen.
 *
 * All calls are the main thread's, and good for NULL. Those that change what the thread goes by
 * return when it does. Built without HTTP there is none: http_none.c.
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

/* All of it outlives the thread, but for users and conf, which is read by http_create alone. */
struct http_options {
    const struct listeners *listeners; /* those that speak HTTP are its own from then on */
    const struct conf *conf;
    struct users *users;
    const atomic_uint *percent; /* of the arena that is being read; above 100: none is */
};

/* Starts the thread. NULL: the log has said why. */
struct http *http_create(const struct http_options *options);

/* What is there once the daemon serves. */
struct http_serving {
    struct store *store;
    struct instance *instance;
    struct authenticator *authenticator;
    http_find_stuck *find_stuck; /* called on the thread, about once a second */
    void *context;               /* its */
};

/* From now on figures are there. False with errno. */
bool http_serve(struct http *http, const struct http_serving *serving);

/* What of a reloaded configuration concerns it. */
void http_reconfigure(struct http *http, const struct conf *conf, struct users *users);

/* From now on it says that the daemon stops, and touches nothing of http_serving any more. */
void http_leave(struct http *http);

/* Closes all, ends the thread and frees. Sets *http to NULL. The authenticator must be gone. */
void http_destroy(struct http **http);

#endif
