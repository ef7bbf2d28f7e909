/*
 * http_scrape.c - see http_scrape.h.
 */
#include "daemon/http/http_scrape.h"

#include <dirent.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/cluster_desk.h"
#include "daemon/cluster/cluster.h"
#include "daemon/http/http_reply.h"
#include "daemon/http/http_tls.h"
#include "daemon/net/listeners.h"

enum {
    CHUNK = 64 << 10,      /* bytes that are sent before the next are written */
    CERTIFICATES_MAX = 64, /* listeners */
};

struct http_scrape {
    struct http_scrape_options options;
    struct evhttp_request *request;
    struct event *event;
    struct evbuffer *chunk;
    struct http_totals totals;
    bool summed, begun;
    enum http_family family; /* of namespaces, whose samples are being written */
    uint32_t next;           /* number of a namespace */
};

/* --- the process ------------------------------------------------------------------- */

static uint64_t resident_bytes(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        if (fscanf(file, "%*u %llu", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Since Linux 6.2 the size of the directory is the number of descriptors; before, it is 0. */
static uint64_t open_descriptors(void)
{
    struct stat about;
    uint64_t count = 0;
    if (stat("/proc/self/fd", &about) == 0 && about.st_size > 0) {
        return (uint64_t)about.st_size;
    }
    DIR *directory = opendir("/proc/self/fd");
    while (directory != NULL && readdir(directory) != NULL) {
        count++;
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return count > 3 ? count - 3 : 0; /* ".", ".." and the directory's own */
}

static uint64_t milliseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_usec / 1000;
}

static void read_process(struct http_globals *globals)
{
    struct rusage usage;
    struct rlimit limit;
    getrusage(RUSAGE_SELF, &usage);
    globals->cpu = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
    globals->resident = resident_bytes();
    globals->open_fds = open_descriptors();
    globals->max_fds = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

/* --- the daemon ---------------------------------------------------------------------- */

static size_t read_certificates(const struct listeners *listeners,
                                struct http_certificate certificates[CERTIFICATES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < listeners->count && count < CERTIFICATES_MAX; i++) {
        const struct endpoint *endpoint = &listeners->all[i].endpoint;
        if (endpoint->tls != NULL) {
            certificates[count++] =
                (struct http_certificate){endpoint->name, http_tls_expiry(endpoint->tls)};
        }
    }
    return count;
}

/* Whether there is one. */
static bool read_cluster(const struct instance *instance, struct cluster_state *state)
{
    const struct cluster_desk *desk = instance->cluster;
    if (desk != NULL) {
        desk->read(desk->context, state);
    }
    return desk != NULL;
}

static void write_globals(struct http_scrape *scrape)
{
    struct http_source *source = scrape->options.source;
    struct http_certificate certificates[CERTIFICATES_MAX];
    struct cluster_state cluster;
    struct http_globals globals = {.instance = source->instance,
                                   .started = source->started,
                                   .latency = source->latency,
                                   .certificates = certificates};
    read_process(&globals);
    globals.cluster = read_cluster(source->instance, &cluster) ? &cluster : NULL;
    globals.certificate_count = read_certificates(source->listeners, certificates);
    store_enter(source->store_thread);
    store_memory_stats(source->store_thread, &globals.store);
    store_leave(source->store_thread);
    globals.store.counters = scrape->totals.counters;
    globals.store.items = scrape->totals.items;
    globals.store.bytes = scrape->totals.bytes;
    http_figures_globals(scrape->chunk, &globals, &source->history);
}

/* --- namespaces ------------------------------------------------------------------------ */

/* One slice of the first pass. True after the last one. */
static bool sum_slice(struct http_scrape *scrape)
{
    struct store_thread *thread = scrape->options.source->store_thread;
    struct store_number_stats stats;
    bool more = true;
    store_enter(thread);
    for (unsigned i = 0; i < HTTP_SLICE && more; i++) {
        uint32_t number = scrape->next;
        more = store_number_next(thread, &scrape->next, &stats);
        if (more) {
            http_totals_add(&scrape->totals, scrape->options.series, number, &stats);
        }
    }
    store_leave(thread);
    return !more;
}

/* The next number with series of its own; false: there is none. */
static bool find_shown(struct http_scrape *scrape)
{
    while (scrape->next <= STORE_NAMESPACES_MAX &&
           !http_totals_shows(&scrape->totals, scrape->next)) {
        scrape->next++;
    }
    return scrape->next <= STORE_NAMESPACES_MAX;
}

/* One slice of a family. */
static void write_slice(struct http_scrape *scrape)
{
    struct store_thread *thread = scrape->options.source->store_thread;
    struct store_number_stats stats;
    store_enter(thread);
    for (unsigned i = 0; i < HTTP_SLICE && find_shown(scrape); i++) {
        if (!store_number_next(thread, &scrape->next, &stats)) {
            break;
        }
        if (stats.used) {
            http_figures_namespace(scrape->chunk, scrape->family, slice_of(stats.of.name),
                                   &stats.of);
        }
    }
    store_leave(thread);
}

static void write_namespaces(struct http_scrape *scrape)
{
    if (scrape->next == 0) {
        http_text_family(scrape->chunk, scrape->family);
    }
    write_slice(scrape);
    if (!find_shown(scrape)) {
        http_figures_others(scrape->chunk, scrape->family, &scrape->totals, scrape->options.series,
                            &scrape->options.source->history);
        scrape->family++;
        scrape->next = 0;
    }
}

/* --- slices -------------------------------------------------------------------------------- */

static void destroy(struct http_scrape *scrape)
{
    if (scrape->event != NULL) {
        event_free(scrape->event);
    }
    if (scrape->chunk != NULL) {
        evbuffer_free(scrape->chunk);
    }
    free(scrape);
}

static void schedule_slice(struct http_scrape *scrape)
{
    event_active(scrape->event, EV_TIMEOUT, 1);
}

static void on_sent(struct evhttp_connection *connection, void *context)
{
    (void)connection;
    schedule_slice(context);
}

/* evhttp may free the connection as soon as the end is sent, and reports that to the owner of the
 * request. By then the scrape must have been freed. */
static void send_all(struct http_scrape *scrape)
{
    struct evhttp_request *request = scrape->request;
    struct evbuffer *chunk = scrape->chunk;
    const struct http_scrape_options options = scrape->options;
    bool begun = scrape->begun;
    scrape->chunk = NULL;
    destroy(scrape);
    options.done(options.context);
    if (begun) {
        evhttp_send_reply_chunk(request, chunk);
        evhttp_send_reply_end(request);
    } else {
        http_reply_body(request, chunk);
    }
    evbuffer_free(chunk);
}

static void send_chunk(struct http_scrape *scrape)
{
    if (!scrape->begun) {
        scrape->begun = true;
        evhttp_send_reply_start(scrape->request, HTTP_OK, "OK");
    }
    evhttp_send_reply_chunk_with_cb(scrape->request, scrape->chunk, on_sent, scrape);
}

/* False while the first pass goes on. */
static bool has_sums(struct http_scrape *scrape)
{
    if (!scrape->summed && sum_slice(scrape)) {
        scrape->summed = true;
        scrape->next = 0;
        write_globals(scrape);
    }
    return scrape->summed;
}

static void write_chunk(struct http_scrape *scrape)
{
    while (scrape->family < HTTP_FAMILY_COUNT && evbuffer_get_length(scrape->chunk) < CHUNK) {
        write_namespaces(scrape);
        if (scrape->next > 0) { /* the family goes on in the next slice */
            break;
        }
    }
}

static void on_slice(evutil_socket_t fd, short what, void *context)
{
    struct http_scrape *scrape = context;
    (void)fd;
    (void)what;
    if (has_sums(scrape)) {
        write_chunk(scrape);
    }
    if (scrape->family == HTTP_FAMILY_COUNT) {
        send_all(scrape);
    } else if (evbuffer_get_length(scrape->chunk) > 0) {
        send_chunk(scrape);
    } else {
        schedule_slice(scrape);
    }
}

struct http_scrape *http_scrape_start(struct evhttp_request *request,
                                      const struct http_scrape_options *options)
{
    struct http_scrape *scrape = calloc(1, sizeof *scrape);
    if (scrape != NULL) {
        scrape->options = *options;
        scrape->request = request;
        scrape->family = HTTP_FAMILY_FIRST_OF_NAMESPACES;
        scrape->chunk = evbuffer_new();
        scrape->event = event_new(options->source->base, -1, 0, on_slice, scrape);
    }
    if (scrape == NULL || scrape->chunk == NULL || scrape->event == NULL) {
        if (scrape != NULL) {
            destroy(scrape);
        }
        options->done(options->context);
        http_reply_line(request, HTTP_SERVUNAVAIL, "Service Unavailable", "out of memory");
        return NULL;
    }
    http_reply_headers(request, HTTP_TYPE_METRICS, NULL);
    schedule_slice(scrape);
    return scrape;
}

void http_scrape_cancel(struct http_scrape **owned)
{
    struct http_scrape *scrape = *owned;
    *owned = NULL;
    if (scrape != NULL) {
        destroy(scrape);
    }
}
