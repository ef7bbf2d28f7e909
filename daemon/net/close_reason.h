/*
 * close_reason.h - the reasons why connections are closed: counted and logged in one place.
 */
#ifndef KVCACHED_DAEMON_NET_CLOSE_REASON_H
#define KVCACHED_DAEMON_NET_CLOSE_REASON_H

#include "daemon/base/metrics.h"
#include "daemon/net/endpoint.h"

enum conn_close {
#define CLOSE(id, name, reason, level, text) CONN_CLOSE_##id,
#include "daemon/base/close_reasons.def"
#undef CLOSE
};

/* The word of /metrics and of events. */
const char *close_reason_word(enum conn_close why);

/* Counts and logs that the connection is about to be closed; its socket is still open. `metrics` is
 * the set of the calling thread. */
void close_reason_record(struct metrics *metrics, int fd, const struct endpoint *endpoint,
                         enum conn_close why);

#endif
