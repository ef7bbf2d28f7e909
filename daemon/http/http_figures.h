/*
 * http_figures.h - the samples of /metrics, written from figures that were collected before.
 *
 * Counters count since the start and never go back, whatever a reset does. Some are differences of
 * two counters that other threads change meanwhile, or sums from which a reload removes a
 * namespace: for these, struct http_history has the value of the last scrape.
 *
 * A namespace either has series of its own or is part of the sum "(others)", a name that no
 * namespace can have. That is decided once in a scrape, for each number of a namespace.
 *
 * All functions are for the HTTP thread. Where there is no memory, samples are missing.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_FIGURES_H
#define KVCACHED_DAEMON_HTTP_HTTP_FIGURES_H

#include "conf/conf.h"
#include "daemon/base/instance.h"
#include "daemon/http/http_text.h"
#include "daemon/store/store.h"

struct cluster_state;

/* Upper limits: samples of the daemon as a whole, and of each namespace. */
enum { HTTP_SAMPLES_MAX = 112, HTTP_NAMESPACE_SAMPLES_MAX = 16 };

/* The values of the last scrape, and what is added so that sums do not go back. Sums differ by
 * conf_series. */
struct http_history {
    uint64_t samples[HTTP_SAMPLES_MAX];
    struct {
        uint64_t last, ahead;
    } others[CONF_SERIES_NONE + 1][HTTP_NAMESPACE_SAMPLES_MAX];
};

/* Over all numbers of namespaces that were added. All zero at first. */
struct http_totals {
    struct store_counters counters;
    uint64_t items, bytes;
    struct store_namespace_stats others; /* the sum of namespaces without series of their own */
    bool some_others;                    /* `others` is not empty */
    uint64_t shown[(STORE_NAMESPACES_MAX + 64) / 64]; /* a bit for each number with series */
};

void http_totals_add(struct http_totals *totals, enum conf_series series, uint32_t number,
                     const struct store_number_stats *stats);
bool http_totals_shows(const struct http_totals *totals, uint32_t number);

struct http_certificate {
    const char *listener;
    uint64_t expires; /* seconds since 1970 */
};

/* Figures of the daemon as a whole. */
struct http_globals {
    struct store_stats store; /* counters since the start */
    const struct instance *instance;
    uint64_t cpu;     /* milliseconds */
    uint64_t started; /* milliseconds since 1970 */
    uint64_t resident, open_fds, max_fds;
    bool latency;                        /* turns are timed */
    const struct cluster_state *cluster; /* NULL: there is none */
    const struct http_certificate *certificates;
    size_t certificate_count;
};

/* Writes all families but those of namespaces. */
void http_figures_globals(struct evbuffer *to, const struct http_globals *globals,
                          struct http_history *history);

/* Writes the samples of a namespace in one family. */
void http_figures_namespace(struct evbuffer *to, enum http_family family, struct slice name,
                            const struct store_namespace_stats *stats);
/* Writes those of "(others)", if there are any. */
void http_figures_others(struct evbuffer *to, enum http_family family,
                         const struct http_totals *totals, enum conf_series series,
                         struct http_history *history);

#endif
