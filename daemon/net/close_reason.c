/*
 * close_reason.c - the table made of close_reasons.def; see close_reason.h.
 */
#include "daemon/net/close_reason.h"

#include <syslog.h>

#include "daemon/base/log.h"
#include "daemon/net/peer.h"

static const struct close_reason {
    enum metric metric;
    int level;
    const char *text;
} reasons[] = {
#define CLOSE(id, name, reason, level, text) [CONN_CLOSE_##id] = {METRIC_CLOSE_##id, level, text},
#include "daemon/base/close_reasons.def"
#undef CLOSE
};

/* Limited, since a client can cause any of them as often as it connects. */
static struct log_limit limits[] = {
#define CLOSE(id, name, reason, level, text)         [CONN_CLOSE_##id] = LOG_LIMIT(text),
#define CLOSE_FOREIGN(id, name, reason, level, text) [CONN_CLOSE_##id] = LOG_LIMIT_SELDOM(text),
#include "daemon/base/close_reasons.def"
#undef CLOSE
};

void close_reason_record(struct metrics *metrics, int fd, const struct endpoint *endpoint,
                         enum conn_close why)
{
    const struct close_reason *reason = &reasons[why];
    metrics_add(metrics, reason->metric, 1);
    if (log_admits(&limits[why], reason->level)) {
        char peer[PEER_NAME_MAX];
        peer_name(fd, peer, sizeof peer);
        log_line(reason->level, "%s: %s: %s", endpoint->name, peer, reason->text);
    }
}
