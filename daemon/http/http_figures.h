/*
 * http_figures.h - what /metrics says, from figures that were collected before.
 *
 * Counters never go back, whatever STATS reset does: they are since the start. Where one is the
 * difference of two that other threads count meanwhile, or sums what a reload takes elsewhere,
 * struct http_history remembers what was told last.
 *
 * A namespace either has series of its own or is summed into one that is called "(others)",
 * which no namespace can be. Which it is is decided once for a scrape, number by number.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_FIGURES_H
#define KVCACHED_DAEMON_HTTP_HTTP_FIGURES_H

#include "conf/conf.h"
#include "daemon/base/instance.h"
#include "daemon/http/http_text.h"
#include "daemon/store/store.h"

/* Not the least there could be, but enough: samples of the daemon as a whole, and of each
 * namespace. */
enum { HTTP_SAMPLES_MAX = 96, HTTP_NAMESPACE_SAMPLES_MAX = 16 };

/* What was told last, and what is added so that it does not go back. One for each way in which
 * namespaces are told. */
struct http_history {
    uint64_t samples[HTTP_SAMPLES_MAX];
    struct {
        uint64_t last, ahead;
    } others[CONF_SERIES_NONE + 1][HTTP_NAMESPACE_SAMPLES_MAX];
};

/* Of all numbers of namespaces that were looked at. All zero at first. */
struct http_totals {
    struct store_counters counters;
    uint64_t items, bytes;
    struct store_namespace_stats others; /* those without series of their own */
    bool some_others;
    uint64_t shown[(STORE_NAMESPACES_MAX + 64) / 64]; /* a bit for each number with series */
};

void http_totals_add(struct http_totals *totals, enum conf_series series, uint32_t number,
                     const struct store_number_stats *stats);
bool http_totals_shows(const struct http_totals *totals, uint32_t number);

struct http_certificate {
    const char *listener;
    uint64_t expires; /* seconds since 1970 */
};

/* The daemon as a whole. */
struct http_globals {
    struct store_stats store; /* counters since the start */
    const struct instance *instance;
    uint64_t cpu;     /* milliseconds */
    uint64_t started; /* milliseconds since 1970 */
    uint64_t resident, open_fds, max_fds;
    const struct http_certificate *certificates;
    size_t certificate_count;
};

/* All families but those of namespaces. */
void http_figures_globals(struct evbuffer *to, const struct http_globals *globals,
                          struct http_history *history);

/* The samples that a namespace has in one family; `name` is its name. */
void http_figures_namespace(struct evbuffer *to, enum http_family family, struct slice name,
                            const struct store_namespace_stats *stats);
/* The same of the others, and none where there are none. */
void http_figures_others(struct evbuffer *to, enum http_family family,
                         const struct http_totals *totals, enum conf_series series,
                         struct http_history *history);

#endif
