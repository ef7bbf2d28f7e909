/*
 * http_text.h - samples in the Prometheus text format, version 0.0.4.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/: one line for each sample, those of
 * a family together, after its # HELP and # TYPE. Any thread. Where there is no memory, text is
 * missing.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_TEXT_H
#define KVCACHED_DAEMON_HTTP_HTTP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/histogram.h"
#include "protocol/slice.h"

struct evbuffer;

enum http_family {
    HTTP_FAMILY_NONE, /* not in /metrics */
#define FAMILY(id, name, type, help)           HTTP_FAMILY_##id,
#define NAMESPACE_FAMILY(id, name, type, help) HTTP_FAMILY_##id,
#include "daemon/base/families.def"
#undef FAMILY
#undef NAMESPACE_FAMILY
    HTTP_FAMILY_COUNT
};

/* The families of a namespace are the last ones. */
#define HTTP_FAMILY_FIRST_OF_NAMESPACES HTTP_FAMILY_NS_RECORDS

/* Those of a cluster, which are absent where there is none. */
static inline bool http_text_is_of_cluster(enum http_family family)
{
    return family >= HTTP_FAMILY_CLUSTER_MASTERS && family <= HTTP_FAMILY_CLUSTER_FAILED;
}

/* # HELP and # TYPE. */
void http_text_family(struct evbuffer *to, enum http_family family);
bool http_text_is_counter(enum http_family family);

/* The value of a label, escaped for quotation marks. A byte that is not printable ASCII is written
 * as \\xNN, so that the text is UTF-8. */
void http_text_label(struct evbuffer *to, struct slice value);

/* `labels` are escaped, without braces; "": none. */
void http_text_sample(struct evbuffer *to, enum http_family family, const char *labels,
                      uint64_t value);
/* `value` is in thousandths. */
void http_text_thousandths(struct evbuffer *to, enum http_family family, const char *labels,
                           uint64_t value);
/* The samples of a family that is a histogram. */
void http_text_histogram(struct evbuffer *to, enum http_family family,
                         const struct histogram_sum *sum);
/* Begins a sample with a first label `name`; http_text_end* writes its value. */
void http_text_begin(struct evbuffer *to, enum http_family family, const char *name,
                     struct slice value, const char *labels);
void http_text_end(struct evbuffer *to, uint64_t value);
void http_text_end_thousandths(struct evbuffer *to, uint64_t value);

#endif
