/*
 * http_scrape.h - one answer to /metrics, in slices.
 *
 * 60,000 namespaces are 50 MB of text. No more than a chunk of it is in memory: the next one
 * is made when the client has taken the last, and each stays in the store for
 * HTTP_SLICE namespaces at a time, with its lock held for one. The text wants all samples of a
 * family together, so a first pass sums and decides which namespaces have series of their own,
 * and each family of namespaces is a pass over those.
 *
 * The thread's that owns the base.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_SCRAPE_H
#define KVCACHED_DAEMON_HTTP_HTTP_SCRAPE_H

#include "daemon/http/http_figures.h"

enum { HTTP_SLICE = 256 /* namespaces that are looked at before others have their turn */ };

struct event_base;
struct evhttp_request;
struct http_scrape;
struct listeners;

/* All of it outlives the scrape. */
struct http_source {
    struct event_base *base;
    struct store_thread *store_thread;
    const struct instance *instance;
    const struct listeners *listeners;
    struct http_history history;
    uint64_t started; /* milliseconds since 1970 */
};

struct http_scrape_options {
    struct http_source *source;
    enum conf_series series;
    /* The scrape is gone, and the request is evhttp's: all that is left of the answer is sent
     * next. */
    void (*done)(void *context);
    void *context;
};

/* Answers the request, at once or by and by; `done` may be called before it returns. NULL: that
 * happened, or there was no memory, which it has answered. */
struct http_scrape *http_scrape_start(struct evhttp_request *request,
                                      const struct http_scrape_options *options);

/* Its client is gone, or the store: the request is the caller's, and `done` is not called. Sets
 * *scrape to NULL; good for NULL. */
void http_scrape_cancel(struct http_scrape **scrape);

#endif
