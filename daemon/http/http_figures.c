/*
 * http_figures.c - see http_figures.h.
 */
#include "daemon/http/http_figures.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/metrics.h"
#include "daemon/cluster/cluster.h"

/* --- the daemon as a whole ------------------------------------------------------ */

/* One line, without the family's name. */
struct sample {
    enum http_family family;
    const char *labels;
    uint64_t value;
    bool thousandths;
};

struct samples {
    struct sample all[HTTP_SAMPLES_MAX];
    size_t count;
};

static void add(struct samples *samples, enum http_family family, const char *labels,
                uint64_t value)
{
    if (family != HTTP_FAMILY_NONE && samples->count < HTTP_SAMPLES_MAX) {
        samples->all[samples->count++] =
            (struct sample){.family = family, .labels = labels, .value = value};
    }
}

static void add_thousandths(struct samples *samples, enum http_family family, uint64_t value)
{
    add(samples, family, "", value);
    samples->all[samples->count - 1].thousandths = true;
}

static void add_store(struct samples *samples, const struct store_stats *f)
{
#define FIGURE(stat, family, labels, value) add(samples, HTTP_FAMILY_##family, labels, value);
#define NAMESPACE_FIGURE(stat, family, labels, value)
#define NAMESPACE_LIFETIME(stat, family, value)
#define CLUSTER_FIGURE(stat, family, value)
#include "daemon/base/figures.def"
#undef FIGURE
#undef NAMESPACE_FIGURE
#undef NAMESPACE_LIFETIME
#undef CLUSTER_FIGURE
}

static void add_cluster(struct samples *samples, const struct cluster_state *f)
{
    if (f == NULL) {
        return;
    }
#define FIGURE(stat, family, labels, value)
#define NAMESPACE_FIGURE(stat, family, labels, value)
#define NAMESPACE_LIFETIME(stat, family, value)
#define CLUSTER_FIGURE(stat, family, value) add(samples, HTTP_FAMILY_##family, "", value);
#include "daemon/base/figures.def"
#undef FIGURE
#undef NAMESPACE_FIGURE
#undef NAMESPACE_LIFETIME
#undef CLUSTER_FIGURE
}

static void add_counters(struct samples *samples, const struct instance *instance)
{
    static const struct {
        enum http_family family;
        const char *labels;
    } rows[METRIC_COUNT] = {
#define METRIC(id, name, family, labels, help) [METRIC_##id] = {HTTP_FAMILY_##family, labels},
#include "daemon/base/metrics.def"
#undef METRIC
    };
    const struct metrics *sets = instance->metrics;
    uint64_t resumed = metrics_sum(sets, instance->metrics_sets, METRIC_TLS_RESUMED);
    uint64_t done = metrics_sum(sets, instance->metrics_sets, METRIC_TLS_HANDSHAKES);
    add(samples, HTTP_FAMILY_HANDSHAKES, "result=\"full\"", metrics_difference(done, resumed));
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        if (rows[metric].family != HTTP_FAMILY_NONE) {
            add(samples, rows[metric].family, rows[metric].labels,
                metrics_sum(sets, instance->metrics_sets, metric));
        }
    }
}

static void add_process(struct samples *samples, const struct http_globals *globals)
{
    add_thousandths(samples, HTTP_FAMILY_CPU, globals->cpu);
    add(samples, HTTP_FAMILY_RESIDENT, "", globals->resident);
    add_thousandths(samples, HTTP_FAMILY_STARTED, globals->started);
    add(samples, HTTP_FAMILY_OPEN_FDS, "", globals->open_fds);
    add(samples, HTTP_FAMILY_MAX_FDS, "", globals->max_fds);
}

static void add_instance(struct samples *samples, const struct instance *instance)
{
    add(samples, HTTP_FAMILY_WORKERS, "", instance->threads);
    add(samples, HTTP_FAMILY_RELOAD_SUCCESSFUL, "", atomic_load(&instance->reload_refused) ? 0 : 1);
    add_thousandths(samples, HTTP_FAMILY_RELOAD_TIME, atomic_load(&instance->loaded));
    add(samples, HTTP_FAMILY_CONNECTIONS, "", atomic_load(&instance->connections));
    add(samples, HTTP_FAMILY_CONNECTIONS_LIMIT, "", atomic_load(&instance->max_connections));
    add(samples, HTTP_FAMILY_RECOVERED, "", instance->recovered);
}

/* A sample has the same index in every scrape. */
static void keep_monotonic(struct samples *samples, struct http_history *history)
{
    for (size_t i = 0; i < samples->count; i++) {
        struct sample *sample = &samples->all[i];
        if (http_text_is_counter(sample->family)) {
            uint64_t *last = &history->samples[i];
            sample->value = *last = sample->value > *last ? sample->value : *last;
        }
    }
}

static void write_samples(struct evbuffer *to, const struct samples *samples,
                          enum http_family family)
{
    http_text_family(to, family);
    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = &samples->all[i];
        if (sample->family == family) {
            (sample->thousandths ? http_text_thousandths
                                 : http_text_sample)(to, family, sample->labels, sample->value);
        }
    }
}

static void write_certificates(struct evbuffer *to, const struct http_globals *globals)
{
    if (globals->certificate_count > 0) {
        http_text_family(to, HTTP_FAMILY_CERTIFICATE_EXPIRY);
    }
    for (size_t i = 0; i < globals->certificate_count; i++) {
        const struct http_certificate *certificate = &globals->certificates[i];
        http_text_begin(to, HTTP_FAMILY_CERTIFICATE_EXPIRY, "listener",
                        slice_of(certificate->listener), "");
        http_text_end(to, certificate->expires);
    }
}

static void write_turns(struct evbuffer *to, const struct http_globals *globals)
{
    const struct instance *instance = globals->instance;
    struct histogram_sum sum = {.nanoseconds = 0};
    if (!globals->latency) {
        return;
    }
    for (size_t set = 0; set < instance->metrics_sets; set++) {
        histogram_sum(&sum, &instance->metrics[set].turns);
    }
    http_text_family(to, HTTP_FAMILY_TURNS);
    http_text_histogram(to, HTTP_FAMILY_TURNS, &sum);
}

void http_figures_globals(struct evbuffer *to, const struct http_globals *globals,
                          struct http_history *history)
{
    struct samples samples = {.count = 0};
    char build[96];
    snprintf(build, sizeof build, "version=\"%s\",arena=\"%s\",tls=\"%s\"",
             globals->instance->version, globals->instance->arena,
             globals->instance->tls ? "yes" : "no");
    add(&samples, HTTP_FAMILY_BUILD_INFO, build, 1);
    add_process(&samples, globals);
    add_instance(&samples, globals->instance);
    add_store(&samples, &globals->store);
    add_cluster(&samples, globals->cluster);
    add_counters(&samples, globals->instance);
    keep_monotonic(&samples, history);
    for (enum http_family family = 1; family < HTTP_FAMILY_FIRST_OF_NAMESPACES; family++) {
        if (family == HTTP_FAMILY_CERTIFICATE_EXPIRY) {
            write_certificates(to, globals);
        } else if (family == HTTP_FAMILY_TURNS) {
            write_turns(to, globals);
        } else if (globals->cluster != NULL || !http_text_is_of_cluster(family)) {
            write_samples(to, &samples, family);
        }
    }
}

/* --- namespaces -------------------------------------------------------------------- */

bool http_totals_shows(const struct http_totals *totals, uint32_t number)
{
    return (totals->shown[number / 64] >> number % 64 & 1) != 0;
}

static void add_all(struct store_counters *to, const struct store_counters *from)
{
    enum { COUNTERS = sizeof *to / sizeof(uint64_t) };
    uint64_t *sum = (uint64_t *)to;
    const uint64_t *more = (const uint64_t *)from;
    for (unsigned i = 0; i < COUNTERS; i++) {
        sum[i] += more[i];
    }
}

/* The counters of earlier namespaces with that number. */
static struct store_counters counted_before(const struct store_number_stats *stats)
{
    enum { COUNTERS = sizeof(struct store_counters) / sizeof(uint64_t) };
    struct store_counters left = stats->counters;
    for (unsigned i = 0; i < COUNTERS; i++) {
        ((uint64_t *)&left)[i] -= ((const uint64_t *)&stats->of.counters)[i];
    }
    return left;
}

static bool has_series(enum conf_series series, const struct store_number_stats *stats)
{
    return stats->used &&
           (series == CONF_SERIES_ALL || (series == CONF_SERIES_DECLARED && stats->of.declared));
}

void http_totals_add(struct http_totals *totals, enum conf_series series, uint32_t number,
                     const struct store_number_stats *stats)
{
    struct store_namespace_stats *others = &totals->others;
    add_all(&totals->counters, &stats->counters);
    if (stats->used) {
        totals->items += stats->of.items;
        totals->bytes += stats->of.bytes;
    }
    if (has_series(series, stats)) {
        struct store_counters before = counted_before(stats);
        totals->shown[number / 64] |= UINT64_C(1) << number % 64;
        add_all(&others->counters, &before);
        return;
    }
    add_all(&others->counters, &stats->counters);
    totals->some_others = true;
    if (stats->used) {
        others->items += stats->of.items;
        others->bytes += stats->of.bytes;
        others->memory += stats->of.memory;
    }
}

/* One of the lines for namespaces in figures.def. */
struct row {
    enum http_family family;
    const char *labels;
    uint64_t value;
    bool lifetime;
};

static size_t rows_of(const struct store_namespace_stats *f,
                      struct row rows[HTTP_NAMESPACE_SAMPLES_MAX])
{
    const struct row all[] = {
#define FIGURE(stat, family, labels, value)
#define NAMESPACE_FIGURE(stat, family, labels, value) {HTTP_FAMILY_##family, labels, value, false},
#define NAMESPACE_LIFETIME(stat, family, value)       {HTTP_FAMILY_##family, "", value, true},
#define CLUSTER_FIGURE(stat, family, value)
#include "daemon/base/figures.def"
#undef FIGURE
#undef NAMESPACE_FIGURE
#undef NAMESPACE_LIFETIME
#undef CLUSTER_FIGURE
    };
    _Static_assert(sizeof all / sizeof *all <= HTTP_NAMESPACE_SAMPLES_MAX, "there is room for all");
    memcpy(rows, all, sizeof all);
    return sizeof all / sizeof *all;
}

/* "never" and "no quota" have no sample. */
static bool is_number(const struct row *row)
{
    return (!row->lifetime && row->family != HTTP_FAMILY_NS_QUOTA) || row->value != 0;
}

void http_figures_namespace(struct evbuffer *to, enum http_family family, struct slice name,
                            const struct store_namespace_stats *stats)
{
    struct row rows[HTTP_NAMESPACE_SAMPLES_MAX];
    size_t count = rows_of(stats, rows);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].family == family && is_number(&rows[i])) {
            http_text_begin(to, family, "namespace", name, rows[i].labels);
            (rows[i].lifetime ? http_text_end_thousandths : http_text_end)(to, rows[i].value);
        }
    }
}

/* A reload can give a namespace series of its own, so that its counts leave the sum. The sum then
 * continues from its last value. */
static uint64_t monotonic(struct http_history *history, enum conf_series series, size_t row,
                          uint64_t value)
{
    uint64_t *last = &history->others[series][row].last;
    uint64_t *ahead = &history->others[series][row].ahead;
    if (value + *ahead < *last) {
        *ahead = *last - value;
    }
    return *last = value + *ahead;
}

void http_figures_others(struct evbuffer *to, enum http_family family,
                         const struct http_totals *totals, enum conf_series series,
                         struct http_history *history)
{
    static const char name[] = "(others)";
    struct row rows[HTTP_NAMESPACE_SAMPLES_MAX];
    size_t count = rows_of(&totals->others, rows);
    if (!totals->some_others || series == CONF_SERIES_ALL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].family == family && is_number(&rows[i])) {
            http_text_begin(to, family, "namespace", (struct slice){name, sizeof name - 1},
                            rows[i].labels);
            http_text_end(to, http_text_is_counter(family)
                                  ? monotonic(history, series, i, rows[i].value)
                                  : rows[i].value);
        }
    }
}
