/*
 * http_scrape.h - one answer to /metrics, in slices.
 *
 * 60,000 namespaces are 50 MB of text, of which one chunk at a time is in memory: the next one is
 * written when the last has been sent. A slice is inside of the store for HTTP_SLICE namespaces,
 * and holds the store's lock for one namespace at a time. The format has all samples of a family
 * together. So a first pass makes the sums and decides which namespaces have series of their own,
 * and there is one more pass over those for each family.
 *
 * All functions are for the HTTP thread.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_SCRAPE_H
#define KVCACHED_DAEMON_HTTP_HTTP_SCRAPE_H

#include "daemon/http/http_figures.h"

enum { HTTP_SLICE = 256 /* namespaces, before the event loop serves others */ };

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
    /* Called once, when the scrape has been freed and just before the end of the answer is sent. */
    void (*done)(void *context);
    void *context;
};

/* Answers the request in slices. Freed before `done` is called, or by http_scrape_cancel. NULL:
 * there was no memory; `done` was called and the request has been answered with 503. */
struct http_scrape *http_scrape_start(struct evhttp_request *request,
                                      const struct http_scrape_options *options);

/* Frees it without calling `done`. The request is the caller's then. Sets *scrape to NULL; *scrape
 * may be NULL. */
void http_scrape_cancel(struct http_scrape **scrape);

#endif
