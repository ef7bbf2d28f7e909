/*
 * http_text.h - samples in the Prometheus text format, version 0.0.4.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/: a line for each sample, those
 * of a family together, behind its # HELP and # TYPE. Any thread; where there is no memory,
 * what did not fit is missing.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_TEXT_H
#define KVCACHED_DAEMON_HTTP_HTTP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/slice.h"

struct evbuffer;

enum http_family {
    HTTP_FAMILY_NONE, /* not told here */
#define FAMILY(id, name, type, help)           HTTP_FAMILY_##id,
#define NAMESPACE_FAMILY(id, name, type, help) HTTP_FAMILY_##id,
#include "daemon/base/families.def"
#undef FAMILY
#undef NAMESPACE_FAMILY
    HTTP_FAMILY_COUNT
};

/* The families of a namespace are the last ones. */
#define HTTP_FAMILY_FIRST_OF_NAMESPACES HTTP_FAMILY_NS_RECORDS

/* # HELP and # TYPE. */
void http_text_family(struct evbuffer *to, enum http_family family);
bool http_text_is_counter(enum http_family family);

/* Bytes of a value of a label, as it stands between its quotation marks. What is not ASCII that
 * can be printed comes as \\xNN, so that it is UTF-8 whatever it was. */
void http_text_label(struct evbuffer *to, struct slice value);

/* `labels` are ready, and without braces; "": none. */
void http_text_sample(struct evbuffer *to, enum http_family family, const char *labels,
                      uint64_t value);
/* Of thousandths. */
void http_text_thousandths(struct evbuffer *to, enum http_family family, const char *labels,
                           uint64_t value);
/* The beginning of a sample with one label more, `name`, in front; its value is to follow. */
void http_text_begin(struct evbuffer *to, enum http_family family, const char *name,
                     struct slice value, const char *labels);
void http_text_end(struct evbuffer *to, uint64_t value);
void http_text_end_thousandths(struct evbuffer *to, uint64_t value);

#endif
